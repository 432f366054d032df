"""What the desk does for one volunteer: confirm with them, correct, merge, claim, add a guardian, note that they leave; and bring one in."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, accounts, actor, client, ledger, open_to
from api.pages.registering import read_guardian
from api.pages.volunteers import visible
from api.papers import digest_of, need_digest_of
from ledger import stations
from ledger.errors import InvalidRequest, LedgerError, NotAllowed
from ledger.ids import parse_number
from ledger.kinds.checks import text
from ledger.kinds.people import LEAVING
from ledger.people import changes, confirmations, deciding, merging, moving, proposals, withdrawals
from ledger.people.actors import units

blueprint = Blueprint("volunteer_acts", __name__, url_prefix="/volunteers")
REASON_MAX = 200
WAITS = "已提出，等另一位工作人员办理（见「待办」）。"


def _page(number: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        person = visible(tx, number)
        shown = {
            "person": person,
            "home_station": stations.get(tx.connection, person.row.station),
            "wanted": confirmations.is_wanted(tx, person),
            "lacks_guardian": confirmations.lacks_guardian(tx, person),
            "waiting": proposals.of(tx, person.row.number),
            "may_confirm_at_once": person.row.recorder != actor().account,
        }
    words = {"LEAVING": LEAVING, "WHAT": proposals.KINDS}
    return render_template("volunteer_acts.html", problem=problem, **words, **shown), status


@blueprint.get("/<number>/acts")
@open_to(*STAFF)
def page(number: str) -> ResponseReturnValue:
    """Show what can be done."""
    return _page(number)


@blueprint.post("/<number>/acts/<any(code, paper, change, merge, claim, guardian, leave):act>")
@open_to(*STAFF)
def do(number: str, act: str) -> ResponseReturnValue:
    """Do one of them."""
    with ledger().read() as tx:
        number = visible(tx, number).row.number
    try:
        done = _ACTS[act](number)
    except LedgerError as refusal:
        return _page(number, str(refusal), 400)
    flash(done)
    return redirect(url_for("volunteer_acts.page", number=number))


def _confirm_by_code(number: str) -> str:
    """Let the person type their unused code; it stays good for their own first sign-in."""
    try:
        session = accounts().sign_in(number, request.form.get("code", "")[:40], client())
    except NotAllowed:
        raise InvalidRequest("登录码不对、已经用过或过期了。请本人再看一遍，或重新打印一张") from None
    accounts().end_session(session.actor.account, session.id)
    if not session.must_change:
        raise InvalidRequest("本人已经设过密码，请不要在这里输入密码。请本人用自己的手机登录，在「登记信息」里点「我同意」")
    receipt = ledger().write(lambda tx: confirmations.at_desk(tx, number), actor())
    return f"本人的确认已记入账本（第 {receipt.index} 条）。" if receipt else f"本人的确认{WAITS}"


def _confirm_on_paper(number: str) -> str:
    evidence = need_digest_of("evidence", "本人签字的确认书")
    ledger().write(lambda tx: confirmations.on_paper(tx, number, evidence), actor())
    return f"纸质确认{WAITS}"


def _change(number: str) -> str:
    said = {name: request.form.get(name, "").strip()[:60] for name in changes.FIELDS}
    reason, document = _reason(), digest_of("document", "证明材料")
    ledger().write(lambda tx: changes.propose(tx, number, said, reason, document), actor())
    return f"更正{WAITS}"


def _merge(number: str) -> str:
    other, reason = parse_number(request.form.get("other", "")[:40]), _reason()
    ledger().write(lambda tx: merging.propose(tx, other, number, reason), actor())
    return f"合并{WAITS}"


def _claim(number: str) -> str:
    reason = _reason()
    ledger().write(lambda tx: deciding.claim(tx, number, reason), actor())
    return f"认领{WAITS}同意后由那位工作人员把新的登录码交给本人。"


def _guardian(number: str) -> str:
    guardian = read_guardian()
    receipt = ledger().write(lambda tx: changes.add_guardian(tx, number, guardian), actor())
    return f"监护人同意已记入账本（第 {receipt.index} 条）。"


def _leave(number: str) -> str:
    if request.form.get("sure") != "yes":
        raise InvalidRequest("请先向本人说明退出的后果，再勾选「本人已明白」")
    reason = request.form.get("reason", "")
    receipt = ledger().write(lambda tx: withdrawals.withdraw(tx, number, reason), actor())
    return f"退出已记入账本（第 {receipt.index} 条）。以前的服务时长仍是本人的。"


_ACTS: dict[str, Callable[[str], str]] = {
    "code": _confirm_by_code,
    "paper": _confirm_on_paper,
    "change": _change,
    "merge": _merge,
    "claim": _claim,
    "guardian": _guardian,
    "leave": _leave,
}


def _reason() -> str:
    said = " ".join(request.form.get("reason", "").split())
    if len(said) < 2 or not text(REASON_MAX)(said):
        raise InvalidRequest(f"请写明依据（2 至 {REASON_MAX} 个字，不要写手机号或身份证号），例如「身份证号抄错一位，已看原件」")
    return said


def _move_page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        mine = set(units(tx.connection, actor(), "register"))
        places = [unit for unit in stations.everyone(tx.connection) if unit.code in mine and unit.level == "station" and not unit.closed_on]
    return render_template("move_in.html", places=places, problem=problem, said=request.form), status


@blueprint.get("/move-in")
@open_to(*STAFF)
def move_form() -> ResponseReturnValue:
    """Show the form that asks for somebody of another station."""
    return _move_page()


@blueprint.post("/move-in")
@open_to(*STAFF)
def move_in() -> ResponseReturnValue:
    """Ask that somebody moves here."""
    number, name, to = (request.form.get(field, "")[:60] for field in ("number", "name", "station"))
    try:
        ledger().write(lambda tx: moving.ask_in(tx, number, name, to), actor())
    except LedgerError as refusal:
        return _move_page(str(refusal), 400)
    flash("转入申请已提出：本人在自己的页面上同意，或原站点同意后，从那一天起算在新站点。")
    return redirect(url_for("volunteers.search"))
