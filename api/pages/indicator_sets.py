"""「指标表」: which targets are in force since when, from which document, those that come with the ledger; and how two officials adopt another."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to, open_to_all
from api.downloads import attachment
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.indicators import adoption, proposing
from ledger.people import accounts
from ledger.people.actors import may_everywhere
from ledger.policy_proposals import as_file
from ledger.rules.adopting import diff

blueprint = Blueprint("indicator_sets", __name__, url_prefix="/indicator-sets")
IN_FORCE = "in-force"


@blueprint.get("/")
@open_to_all
def listing() -> ResponseReturnValue:
    """Show the set in force, those before and those to come; to an official also what waits for a second one."""
    return _page()


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    me = g.session
    may = me is not None and not me.must_change and may_everywhere(me.actor, "set_up")
    with ledger().read() as tx:
        today = tx.today.isoformat()
        adopted = proposing.history(tx)
        chosen = adoption.in_force(tx.connection, today)
        waiting = proposing.waiting(tx, me.actor) if may else None
        known = {one.proposed_by for one in adopted} | ({waiting.proposed_by} if waiting else set())
        page = {
            "chosen": chosen,
            "standing": next((one for one in adopted if one.effective_on <= today), None),
            "coming": [one for one in adopted if one.effective_on > today],
            "before": [one for one in adopted if one.effective_on <= today][1:],
            "waiting": waiting,
            "diff": diff(proposing.as_data(tx, today), waiting.said) if waiting else [],
            "logins": accounts.logins(tx.connection, known - {""}),
            "shipped": adoption.shipped(),
            "first": f"{tx.today.year}-01-01",
        }
    return render_template("indicator_sets.html", problem=problem, may=may, said=request.form, **page), status


@blueprint.get("/<name>.json")
@open_to_all
def file(name: str) -> ResponseReturnValue:
    """Hand out a set as a file: one that comes with the ledger by its name, or the one in force. With it anybody counts again."""
    with ledger().read() as tx:
        said = proposing.as_data(tx, tx.today.isoformat()) if name == IN_FORCE else None
    if said is None and name not in adoption.shipped():
        raise NotFound("没有这张指标表，请从列表里选")
    content = as_file(said) if said is not None else proposing.shipped_file(name)
    return attachment(content, "application/json", f"indicators-{name}.json")


@blueprint.post("/")
@open_to("official")
def propose() -> ResponseReturnValue:
    """Take a set from one official, for a second one to confirm: one that comes with the ledger, or a file."""
    handed, picked = request.files.get("file"), request.form.get("shipped", "")
    since = request.form.get("effective_on", "").strip()
    content = handed.read(proposing.BYTES_MAX + 1) if handed is not None and handed.filename else b""
    try:
        if bool(content.strip()) == bool(picked):
            raise InvalidRequest("请选一张自带的指标表，或选一个文件，两样里选一样")
        if picked and picked not in adoption.shipped():
            raise InvalidRequest("没有这张自带的指标表，请从列表里选")
        content = content or proposing.shipped_file(picked)
        ledger().write(lambda tx: proposing.propose(tx, content, since), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash("已提出，要由另一位区级管理员确认以后才用。")
    return redirect(url_for("indicator_sets.listing"))


@blueprint.post("/<proposal>/<any(confirm, decline):verdict>")
@open_to("official")
def decide(proposal: str, verdict: str) -> ResponseReturnValue:
    """Confirm what another official proposed, or drop it."""
    try:
        if verdict == "confirm":
            receipt = ledger().write(lambda tx: proposing.confirm(tx, proposal), actor())
            flash(f"已采用，记入账本第 {receipt.index} 条。")
        else:
            ledger().write(lambda tx: proposing.PROPOSALS.decline(tx, proposal), actor())
            flash("已退回，没有采用。")
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    return redirect(url_for("indicator_sets.listing"))
