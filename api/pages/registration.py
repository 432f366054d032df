"""「登记信息」: who registered me, when, on what basis, what is held of me and why; and the person's own answers to it."""

from typing import Any

import orjson
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from api.auth import actor, ledger, open_to
from ledger import log, stations
from ledger.certificates import register
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.kinds.people import LEAVING, MEANS
from ledger.people import changes, confirmations, deciding, grants, moving, my_data, proposals, volunteers, withdrawals
from ledger.people.actors import OPERATOR, ROLES

blueprint = Blueprint("registration", __name__, url_prefix="/registration")
BASES = {"self": "本人自己登记", "clerk": "工作人员在服务台登记", "roster": "工作人员导入名册"}


def _page(problem: str = "", status: int = 200, template: str = "registration.html") -> ResponseReturnValue:
    with ledger().read() as tx:
        person = volunteers.get(tx, actor().volunteer or "")
        said = orjson.loads(log.read_entry(tx.connection, person.row.entry_index))
        waiting = proposals.of(tx, person.row.number)
        units = stations.everyone(tx.connection)
        held = my_data.held(person.personal, len(register.of_volunteer(tx, person.row.number)))
        shown: dict[str, Any] = {
            "person": person,
            "home_station": stations.get(tx.connection, person.row.station),
            "recorder": _role_of(tx.connection, person.row.recorder),
            "basis": BASES[person.row.basis],
            "source": said["body"].get("source"),
            "recorded_at": said["recorded_at"],
            "wanted": confirmations.is_wanted(tx, person),
            "waiting": waiting,
            "asked_in": [one for one in waiting if one.row.kind == "move" and one.row.asked_by != actor().account],
            "lacks_guardian": confirmations.lacks_guardian(tx, person),
            "handed": confirmations.handed_code(tx.connection, person.row.number),
            "fields": [(one, one.value) for one in held if one.value or "监护人" not in one.label],
            "places": [unit for unit in units if unit.level == "station" and not unit.closed_on and unit.code != person.row.station],
            "names": {unit.code: unit.name for unit in units},
            "confirmation": MEANS.get(person.row.confirmed_by or "", ""),
        }
    return render_template(template, problem=problem, LEAVING=LEAVING, KINDS_ASKED=proposals.KINDS, **shown), status


def _role_of(connection: Connection, account: str) -> str:
    """Say who an account is to a volunteer: what it may do and where, never a login or a name."""
    if account == OPERATOR.account:
        return "系统操作员（批量导入）"
    held = grants.held_by(connection, account)
    names = stations.names(connection, {grant.station for grant in held if grant.station})
    said = [f"{names.get(grant.station or '', '全区')}的{ROLES[grant.role]}" for grant in held]
    return "、".join(said) or "一个已停用的工作账号"


def _act(work: Any, done: str) -> ResponseReturnValue:
    try:
        ledger().write(work, actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash(done)
    return redirect(url_for("registration.mine"))


@blueprint.get("/")
@open_to("volunteer")
def mine() -> ResponseReturnValue:
    """Show it all, with the two buttons as long as they are wanted."""
    return _page()


@blueprint.post("/confirm")
@open_to("volunteer")
def confirm() -> ResponseReturnValue:
    """Say that the registration is one's own."""
    try:
        receipt = ledger().write(confirmations.by_person, actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    if receipt is None:
        flash("您的同意已经收到。登录码是登记人自己发的，所以还要由另一位工作人员向您核实一次，核实后生效。您的服务照常记录。")
    else:
        flash(f"谢谢，已记下您的同意（账本第 {receipt.index} 条）。")
    return redirect(url_for("registration.mine"))


@blueprint.get("/not-me")
@open_to("volunteer")
def disown_form() -> ResponseReturnValue:
    """Say what 「不是我登记的」 means, before it is said."""
    return _page(template="not_me.html")


@blueprint.post("/not-me")
@open_to("volunteer")
def disown() -> ResponseReturnValue:
    """Say that one never registered."""
    return _leave("not_me", "已记下：这次登记不是您办的。从现在起不再计入任何统计，名下的记录已冻结，上级工作人员会核查。")


@blueprint.get("/leave")
@open_to("volunteer")
def leave_form() -> ResponseReturnValue:
    """Say what leaving means, before it is done."""
    return _page(template="leave.html")


@blueprint.post("/leave")
@open_to("volunteer")
def leave() -> ResponseReturnValue:
    """Leave."""
    reason = request.form.get("reason", "own_wish")
    return _leave(
        reason if reason in ("own_wish", "moved_away") else "other", "已记下您退出志愿者登记。以前的服务时长仍是您的，需要时可以开证明。"
    )


def _leave(reason: str, done: str) -> ResponseReturnValue:
    number = actor().volunteer or ""
    return _act(lambda tx: withdrawals.withdraw(tx, number, reason), done)


@blueprint.post("/phone")
@open_to("volunteer")
def phone() -> ResponseReturnValue:
    """Change one's own phone."""
    said = request.form.get("phone", "")[:40]
    return _act(lambda tx: changes.own_phone(tx, said), "电话已经改好。" if said.strip() else "电话已经删去。")


@blueprint.post("/particulars")
@open_to("volunteer")
def particulars() -> ResponseReturnValue:
    """Fill in one's own area, skills and kinds of service."""
    said = {key: request.form.get(key, "")[:200] for key in changes.OWN}
    return _act(lambda tx: changes.own_particulars(tx, said), "已经改好。")


@blueprint.post("/move")
@open_to("volunteer")
def move() -> ResponseReturnValue:
    """Ask to move to another station."""
    to = request.form.get("station", "")[:20]
    return _act(lambda tx: moving.ask(tx, to), "转站申请已提出，新站点同意后生效；在那以前仍算在原来的站点。")


@blueprint.post("/proposals/<uuid:matter>/<any(accept, decline):answer>")
@open_to("volunteer")
def answer(matter: object, answer: str) -> ResponseReturnValue:
    """Agree to a move that a new station asked for, or not; or take back one's own proposal."""
    with ledger().read() as tx:
        row = proposals.get_row(tx.connection, str(matter))
        if row.volunteer not in volunteers.numbers_of(tx, volunteers.get(tx, actor().volunteer or "").row.number):
            raise NotFound("没有这件待办，可能已经撤回。请刷新页面")
    if answer == "accept":
        return _act(lambda tx: deciding.accept(tx, str(matter)), "已同意转站，从今天起算在新的站点。")
    if row.kind != "move" and row.asked_by != actor().account:
        raise InvalidRequest("这件事由工作人员办理，您不同意的话请告诉他们")
    return _act(
        lambda tx: proposals.decline(tx, str(matter), "本人不同意"), "已撤回。" if row.asked_by == actor().account else "已拒绝转站。"
    )
