"""
Erasing somebody's data: asked for by one person, carried out by another, said in the log, and then true.

    open   carry_out -> done         volunteer.erased; sealed data, indexes and rows in hand gone, account shut, key destroyed
           carry_out -> restricted   volunteer.restricted, while a law asks for the data (retention.py); then carried out again
           refuse    -> refused      with a reply in words
           withdraw  -> withdrawn    by whoever asked, or the person

Rules kept here alone: the person asks for themselves, or somebody of their station at the desk; whoever carries it out is somebody else, at that
station or above; a merged registration goes with the one it was merged into. The log, its chains, totals and rates stay as they were: an entry never
held more than a number that names nobody now. The caller runs `destruction.finish` after the commit; a crash before it is made good at the next opening.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ledger.bulk import insert_rows
from ledger.entries import format_time
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_entry_id
from ledger.kinds import Body
from ledger.kinds.checks import holds_personal_number
from ledger.kinds.people import ERASING
from ledger.log import Fact, Receipt
from ledger.people import actors, proposals, retention, volunteers
from ledger.people.actors import Actor
from ledger.people.destruction import unfind, wipe
from ledger.tables import DataRequestRow, ErasureRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

STATES = {"open": "待办理", "withdrawn": "已撤回", "refused": "未同意", "restricted": "已封存", "done": "已注销"}
REPLY_MAX = 200

_REQUEST, _ERASURE, _VOLUNTEER = table(DataRequestRow), table(ErasureRow), table(VolunteerRow)


@dataclass(frozen=True)
class Outcome:
    """What carrying out came to: erased, or restricted until a day; the receipt of its entry, and all numbers concerned."""

    state: str
    receipt: Receipt
    until: str | None
    numbers: list[str]


def ask(tx: WriteTransaction, volunteer: str, reason: str) -> str:
    """Record a request to erase. Returns its id. Raises InvalidRequest, NotFound, NotAllowed, Conflict when one is open or done."""
    if reason not in ERASING:
        raise InvalidRequest("请选择注销的理由")
    person = volunteers.get(tx, volunteer).row
    own = tx.actor.volunteer == person.number
    if not own:
        tx.require("register", person.station)
    if state_of(tx, person.number) == "erased":
        raise Conflict("这个人的资料已经注销")
    if any(row.state in ("open", "restricted") for row in requests_of(tx, person.number)):
        raise Conflict("已经有一份注销申请在办理，不用再提")
    row = {
        "id": new_entry_id(),
        "volunteer": person.number,
        "station": person.station,
        "means": "self" if own else "desk",
        "reason": reason,
        "asked_by": tx.actor.account,
        "asked_at": format_time(tx.now),
        "state": "open",
        **dict.fromkeys(("decided_by", "decided_at", "reply", "entry_index")),
    }
    insert_rows(tx.connection, _REQUEST, [row])
    return str(row["id"])


def withdraw(tx: WriteTransaction, request: str) -> None:
    """Take a request back before it was carried out. Raises NotFound, NotAllowed, Conflict."""
    row = _open_request(tx, request, ("open",))
    if tx.actor.account != row.asked_by and tx.actor.volunteer != row.volunteer:
        raise NotAllowed("只有提出的人或本人能撤回这份申请")
    _decide(tx, row, "withdrawn", None, None)


def refuse(tx: WriteTransaction, request: str, reply: str) -> None:
    """Answer a request with no, and say why (个人信息保护法 article 50). Raises NotFound, NotAllowed, InvalidRequest, Conflict."""
    row = _open_request(tx, request, ("open",))
    _second_person(tx, row)
    reply = " ".join(reply.split())
    if not reply or len(reply) > REPLY_MAX or holds_personal_number(reply):
        raise InvalidRequest(f"请写明不同意的理由（{REPLY_MAX} 字以内，不含手机号和证件号），本人会看到")
    _decide(tx, row, "refused", reply, None)


def carry_out(tx: WriteTransaction, request: str) -> Outcome:
    """Erase what is held of a person, or restrict it while a law asks for it. Raises NotFound, NotAllowed, Conflict.

    Of everything but the data keys nothing is left when the transaction commits; `destruction.finish` destroys those.
    """
    row = _open_request(tx, request, ("open", "restricted"))
    _second_person(tx, row)
    numbers = _one_human(tx, row.volunteer)
    duty = retention.duty(tx, row.volunteer)
    if duty and row.state == "restricted":
        raise Conflict(f"法定保存期限到 {duty.until.isoformat()} 为止（{duty.basis}），现在只能封存，不能注销")
    extra: Body = {"until": duty.until.isoformat(), "basis": duty.basis} if duty else {}
    receipts = tx.append([_fact(tx, row, number, extra) for number in numbers])
    subjects = ["person/" + number for number in numbers]
    unfind(tx.connection, subjects)
    for number in numbers:
        proposals.drop_all(tx, number, "本人已注销")
    if not duty:
        wipe(tx.connection, subjects)
    _decide(tx, row, "restricted" if duty else "done", None, receipts[0].index)
    return Outcome("restricted" if duty else "erased", receipts[0], duty.until.isoformat() if duty else None, numbers)


def _fact(tx: WriteTransaction, row: Any, number: str, extra: Body) -> Fact:
    station = tx.connection.execute(select(_VOLUNTEER.c.station).where(_VOLUNTEER.c.number == number)).scalar_one()
    body: Body = {
        "volunteer": number,
        "station": station,
        "requested_on": row.asked_at[:10],
        "decided_on": tx.today.isoformat(),
        "reason": row.reason,
        "asked_by": row.asked_by,
        **extra,
    }
    return Fact("volunteer.restricted" if extra else "volunteer.erased", body)


def _one_human(tx: ReadTransaction, number: str) -> list[str]:
    """List the registrations of the same human: this one, those merged into it, and so on."""
    found = [number]
    for one in found:
        merged = select(_VOLUNTEER.c.number).where(_VOLUNTEER.c.merged_into == one).order_by(_VOLUNTEER.c.number)
        found.extend(other for other in tx.connection.execute(merged).scalars() if other not in found)
    return found


def _open_request(tx: ReadTransaction, request: str, states: Sequence[str]) -> Any:
    row = tx.connection.execute(select(_REQUEST).where(_REQUEST.c.id == request)).one_or_none()
    if row is None:
        raise NotFound("没有这份申请。请回到列表再看一遍")
    if row.state not in states:
        raise Conflict(f"这份申请{STATES[row.state]}，不能再办")
    return row


def _second_person(tx: WriteTransaction, row: Any) -> None:
    station = tx.connection.execute(select(_VOLUNTEER.c.station).where(_VOLUNTEER.c.number == row.volunteer)).scalar_one()
    tx.require("erase", station)
    if tx.actor.account == row.asked_by:
        raise NotAllowed("这份申请是您登记的，请另一位有权限的人来办理")


def _decide(tx: WriteTransaction, row: Any, state: str, reply: str | None, index: int | None) -> None:
    said = {"state": state, "reply": reply, "entry_index": index, "decided_by": tx.actor.account, "decided_at": format_time(tx.now)}
    tx.connection.execute(_REQUEST.update().where(_REQUEST.c.id == row.id).values(said))


def state_of(tx: ReadTransaction, number: str) -> str | None:
    """Tell whether a volunteer's data is restricted or erased; None when neither."""
    statement = select(_ERASURE.c.state).where(_ERASURE.c.subject == "person/" + number)
    found: str | None = tx.connection.execute(statement).scalar_one_or_none()
    return found


def requests_of(tx: ReadTransaction, number: str) -> list[Any]:
    """List what was asked about a volunteer's data, newest first."""
    statement = select(_REQUEST).where(_REQUEST.c.volunteer == number).order_by(_REQUEST.c.asked_at.desc(), _REQUEST.c.id.desc())
    return list(tx.connection.execute(statement))


def get(tx: ReadTransaction, actor: Actor, request: str) -> Any:
    """Give one request that the actor may decide on. Raises NotFound."""
    for row in waiting(tx, actor):
        if row.id == request:
            return row
    raise NotFound("没有这份申请，或已经办完。请回到列表再看一遍")


def waiting(tx: ReadTransaction, actor: Actor) -> list[Any]:
    """List the requests at the actor's stations that are open, or restricted with the term now over, oldest first."""
    if not actor.may("erase"):
        raise NotAllowed("您的账号没有这项权限")
    statement = (
        select(_REQUEST, _ERASURE.c.until)
        .select_from(_REQUEST.outerjoin(_ERASURE, _ERASURE.c.subject == "person/" + _REQUEST.c.volunteer))
        .where(_REQUEST.c.state.in_(("open", "restricted")))
        .order_by(_REQUEST.c.asked_at, _REQUEST.c.id)
    )
    within = set(actors.units(tx.connection, actor, "erase"))
    rows = [row for row in tx.connection.execute(statement) if row.station in within]
    return [row for row in rows if row.state == "open" or (row.until or "") < tx.today.isoformat()]
