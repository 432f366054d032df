"""「规则」: which rules of credit are in force, since when, from which document; how a new one is adopted by two; and how a star came about."""

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to, open_to_all
from api.downloads import attachment
from api.pages.volunteers import visible
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.people import accounts as account_names
from ledger.people import volunteers
from ledger.people.actors import Actor, may_everywhere
from ledger.policy_proposals import as_file
from ledger.rules import adopted, adopting, answers, describing, spending
from ledger.rules.counting import in_force
from ledger.rules.explaining import level_words
from ledger.rules.fields import HUNDRED, spoken
from ledger.rules.reading import RULES_BYTES_MAX
from ledger.transactions import ReadTransaction

blueprint = Blueprint("rules", __name__, url_prefix="/rules")
_LINES_AT_ONCE = 200
_DIGITS_MAX = 7


def _page(problem: str = "", status: int = 200, said: str = "") -> ResponseReturnValue:
    me = g.session
    may = me is not None and not me.must_change and may_everywhere(me.actor, "set_up")
    with ledger().read() as tx:
        shown = [_shown(tx, name) for name in sorted({adopting.STAR, *adopted.names(tx.connection)})]
        waiting = _waiting(tx, me.actor) if may else []
        logins = account_names.logins(
            tx.connection, {one["proposal"].proposed_by for one in waiting} | {one["proposed_by"] for one in shown}
        )
    page = {
        "examples": adopting.examples() if may else {},
        "shown": shown,
        "waiting": waiting,
        "logins": logins,
        "may": may,
        "said": said,
        "problem": problem,
    }
    return render_template("rules.html", **page), status


def _shown(tx: ReadTransaction, name: str) -> dict[str, Any]:
    """Gather what is shown of one rule set: what is in force in sentences, what came before and what differs, what is still to come."""
    on = tx.today.isoformat()
    versions = adopted.history(tx.connection, name)
    standing = [one for one in versions if one.effective_on <= on]
    rules = standing[-1].rules if standing else adopting.star_rules(tx.connection, on) if name == adopting.STAR else None
    return {
        "name": name,
        "rules": rules,
        "sections": describing.describe(rules) if rules else [],
        "entry": standing[-1].entry_index if standing else None,
        "proposed_by": standing[-1].proposed_by if standing else "",
        "since": standing[-1].effective_on if standing else rules.effective_on if rules else "",
        "diff": adopting.diff(standing[-2].said, standing[-1].said) if len(standing) > 1 else [],
        "before": standing[-2] if len(standing) > 1 else None,
        "coming": [one for one in versions if one.effective_on > on],
    }


def _waiting(tx: ReadTransaction, me: Actor) -> list[dict[str, Any]]:
    found = []
    for one in adopting.proposals(tx, me):
        before = adopted.history(tx.connection, one.rules.name)
        found.append(
            {
                "proposal": one,
                "sections": describing.describe(one.rules),
                "diff": adopting.diff(before[-1].said, one.said) if before else [],
                "before": before[-1] if before else None,
            }
        )
    return found


@blueprint.get("/")
@open_to_all
def listing() -> ResponseReturnValue:
    """Show the rules in force to anybody; to an official also what waits for a second one."""
    return _page()


@blueprint.get("/<name>.json")
@open_to_all
def file(name: str) -> ResponseReturnValue:
    """Hand out the rule file in force, as it was adopted: with it anybody counts again."""
    with ledger().read() as tx:
        found = [one for one in adopted.in_force_on(tx.connection, tx.today.isoformat()) if one.rules.name == name]
    if not found:
        raise NotFound("没有采用过这份规则")
    return attachment(as_file(found[0].said), "application/json", f"credit-{name}.json")


@blueprint.get("/examples/<name>.json")
@open_to("official")
def example(name: str) -> ResponseReturnValue:
    """Hand out a rule set that comes along, to begin with."""
    if name not in adopting.examples():
        raise NotFound("没有这份示例，请从「信用规则」页面上选")
    return attachment(adopting.EXAMPLES.joinpath(f"{name}.json").read_bytes(), "application/json", f"{name}.json")


@blueprint.post("/")
@open_to("official")
def propose() -> ResponseReturnValue:
    """Take a rule file from one official, for a second one to confirm."""
    handed = request.files.get("file")
    typed = request.form.get("text", "")[: RULES_BYTES_MAX + 1]
    content = handed.read(RULES_BYTES_MAX + 1) if handed is not None and handed.filename else typed.encode()
    try:
        if not content.strip():
            raise InvalidRequest("请选择规则文件，或把文件内容贴在框里")
        ledger().write(lambda tx: adopting.propose(tx, content), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400, typed)
    flash("规则已提出，要由另一位区级管理员确认以后才生效。")
    return redirect(url_for("rules.listing"))


@blueprint.post("/<proposal>/<any(confirm, decline):verdict>")
@open_to("official")
def decide(proposal: str, verdict: str) -> ResponseReturnValue:
    """Confirm what another official proposed, or drop it."""
    try:
        if verdict == "confirm":
            receipt = ledger().write(lambda tx: adopting.confirm(tx, proposal), actor())
            flash(f"已采用，记入账本第 {receipt.index} 条。")
        else:
            ledger().write(lambda tx: adopting.PROPOSALS.decline(tx, proposal), actor())
            flash("已退回，没有生效。")
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    return redirect(url_for("rules.listing"))


# --- how a star came about


@blueprint.get("/mine")
@open_to("volunteer")
def mine() -> ResponseReturnValue:
    """Show a volunteer how their star came about, entry by entry."""
    with ledger().read() as tx:
        return _explained(tx, actor().volunteer or "", mine=True)


@blueprint.get("/of/<number>")
@open_to(*STAFF)
def of_volunteer(number: str) -> ResponseReturnValue:
    """Show the desk how somebody's star came about."""
    with ledger().read() as tx:
        return _explained(tx, visible(tx, number).row.number, mine=False)


@blueprint.post("/of/<number>/spend")
@open_to("recorder", "approver")
def spend(number: str) -> ResponseReturnValue:
    """Give up points for something, at the desk."""
    name, said = request.form.get("rules", ""), request.form.get("points", "").strip()
    with ledger().read() as tx:
        found = visible(tx, number).row.number
    try:
        if not said.isdecimal() or len(said) > _DIGITS_MAX:
            raise InvalidRequest("要用多少积分，请填整数")
        points, purpose = int(said) * HUNDRED, request.form.get("purpose", "")
        ledger().write(lambda tx: spending.spend(tx, found, name, points, purpose, tx.today), actor())
    except LedgerError as refusal:
        with ledger().read() as tx:
            return _explained(tx, found, mine=False, problem=str(refusal), name=name), 400
    flash("已兑换。用掉的是积分，时长一分钟也没有少。")
    return redirect(url_for("rules.of_volunteer", number=found, rules=name))


def _explained(tx: ReadTransaction, number: str, *, mine: bool, problem: str = "", name: str = "") -> str:
    on = tx.today.isoformat()
    names = [one.rules for one in adopted.in_force_on(tx.connection, on)]
    star = in_force(adopting.chain(tx.connection, adopting.STAR, on), on)
    choices = {adopting.STAR: star.title} | {rules.name: rules.title for rules in names}
    name = name or request.args.get("rules", adopting.STAR)
    if name not in choices:
        raise NotFound("没有这份规则，或者还没有开始执行。请从列表里选")
    found = answers.explained(tx, number, name)
    lines = [*reversed(found.lines)]
    whole = request.args.get("all") == "1"
    page = {
        "person": volunteers.get(tx, number),
        "found": found,
        "name": name,
        "choices": choices,
        "lines": lines if whole else lines[:_LINES_AT_ONCE],
        "left_out": 0 if whole else max(len(lines) - _LINES_AT_ONCE, 0),
        "has_points": bool(found.rules.items),
        "spoken": spoken,
        "level_words": level_words,
        "mine": mine,
        "problem": problem,
        "may_spend": not mine and found.account.balance > 0 and actor().may("record"),
    }
    return render_template("explanation.html", **page)
