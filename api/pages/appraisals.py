"""「评估权重」: how much each part of an appraisal weighs, since when and by which document; and how two officials adopt other weights."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from ledger.duties import weights
from ledger.errors import LedgerError
from ledger.people import accounts
from ledger.people.actors import may_everywhere

blueprint = Blueprint("appraisals", __name__, url_prefix="/appraisals")


@blueprint.get("/")
@open_to(*STAFF)
def listing() -> ResponseReturnValue:
    """Show the weights in force, those before and those to come; to an official also what waits for a second one."""
    return _page()


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    me = actor()
    may = may_everywhere(me, "set_up")
    with ledger().read() as tx:
        today = tx.today.isoformat()
        histories = {form: weights.history(tx.connection, form) for form in weights.weighed()}
        standing = {form.id: weights.in_force(tx.connection, form, today) for form in histories}
        waiting = {one.form.id: one for one in weights.waiting(tx, me)} if may else {}
        known = {one.proposed_by for found in histories.values() for one in found} | {one.proposed_by for one in waiting.values()}
        logins = accounts.logins(tx.connection, known - {""})
        first = f"{tx.today.year}-01-01"
    page = {"histories": histories, "standing": standing, "waiting": waiting, "logins": logins, "first": first}
    return render_template("appraisals.html", problem=problem, may=may, said=request.form, **page), status


@blueprint.post("/<form>")
@open_to("official")
def propose(form: str) -> ResponseReturnValue:
    """Take weights from one official, for a second one to confirm."""
    said = {name.removeprefix("weight-"): value for name, value in request.form.items() if name.startswith("weight-")}
    since, document = (request.form.get(name, "").strip() for name in ("effective_on", "document"))
    try:
        ledger().write(lambda tx: weights.propose(tx, form, said, since, document), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash("已提出，要由另一位区级管理员确认以后才用。")
    return redirect(url_for("appraisals.listing"))


@blueprint.post("/proposals/<proposal>/<any(confirm, decline):verdict>")
@open_to("official")
def decide(proposal: str, verdict: str) -> ResponseReturnValue:
    """Confirm what another official proposed, or drop it."""
    try:
        if verdict == "confirm":
            receipt = ledger().write(lambda tx: weights.confirm(tx, proposal), actor())
            flash(f"已采用，记入账本第 {receipt.index} 条。")
        else:
            ledger().write(lambda tx: weights.PROPOSALS.decline(tx, proposal), actor())
            flash("已退回，没有采用。")
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    return redirect(url_for("appraisals.listing"))
