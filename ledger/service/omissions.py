"""
Omissions: somebody says that they served and that nothing of it is in the ledger; somebody who had no part in it looks, and answers with a reason.

The rules this file alone keeps:

1. The person says so on their own page. For somebody without a phone whoever may register people takes it down at the desk; the entry names who did,
   and the person is told.
2. Day and station are said, and activity, times and proof as far as the person knows them. Their own words are sealed beside the log (objections.py).
   What stands in the ledger already is no omission: that record is objected to itself.
3. A receipt that the log has no such entry for is proof that something was lost. It is told to the unit above at once, and decided there, where the
   paper is looked at. Who mistyped is told so by the same page that judges receipts.
4. It is due like any objection. Whoever took it down does not decide it.
5. Right: the service is recorded in the same write on the word of whoever decided, by the ordinary path (adding.py), so that another approves it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ledger import activities, receipts, stations
from ledger.bulk import rows_where_in
from ledger.entries import SHANGHAI
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.kinds import Body
from ledger.kinds.checks import MINUTES_MAX
from ledger.kinds.service import FINDINGS, PROOFS
from ledger.log import Fact, Receipt
from ledger.notices import About, tell, tell_staff
from ledger.people import actors, volunteers
from ledger.people.actors import Actor, units
from ledger.service import adding, objections
from ledger.service.adding import Found
from ledger.service.drafts import spell_minute
from ledger.service.objections import WORDS_MAX
from ledger.tables import OmissionRow, ServiceRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_OMISSION, _SERVICE = table(OmissionRow), table(ServiceRow)
WAITING_MAX = 10
"""Omissions of one person that may wait at a time."""


@dataclass(frozen=True)
class Claim:
    """What somebody says is missing. *start*, *end*: naive local times, both or neither; *receipt*: number and short hash as they were typed."""

    station: str
    served_on: date
    proof: str
    activity: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    words: str = ""
    receipt: tuple[str, str] | None = None


@dataclass(frozen=True)
class Open:
    """An omission that waits, as somebody at the desk sees it: the person's own words, whether it is overdue, why they may not decide."""

    row: Any
    words: str
    overdue: bool
    barred: str


def claim(tx: WriteTransaction, number: str, said: Claim) -> Receipt:
    """Say that a service of somebody's is missing: their own, or at the desk for them.

    Raises NotFound (person, station), NotAllowed (another's), InvalidRequest (what is wrong with it), Conflict (it waits already).
    """
    known = volunteers.get(tx, number)
    person = known.row
    numbers = volunteers.numbers_of(tx, person.number)
    own = tx.actor.volunteer is not None and tx.actor.volunteer in numbers
    if not own:
        tx.require("register", person.station)
    if person.left_as == "not_me" or not known.personal.identity:
        raise InvalidRequest("这份登记已被本人否认，或者资料已经注销、封存，不能再补记服务")
    stations.get(tx.connection, said.station)
    _check(tx, said)
    _check_standing(tx, numbers, said)
    _check_waiting(of_person(tx.connection, numbers), said)
    body: Body = {"volunteer": person.number, "station": said.station, "served_on": said.served_on.isoformat()}
    body |= {"proof": said.proof, "means": "self" if own else "desk"}
    body |= {"activity": said.activity} if said.activity else {}
    if said.start and said.end:
        body |= {"start": spell_minute(said.start), "end": spell_minute(said.end)}
    if said.receipt:
        body["receipt"] = _unmatched(tx, numbers, *said.receipt)
    due = objections.due_on(tx)
    body |= {"due_on": due} if due else {}
    receipt = tx.append([Fact("service.omission_claimed", body)])[0]
    objections.keep_words(tx, person.number, receipt.index, said.words)
    _tell(tx, body, receipt.index)
    return receipt


def _tell(tx: WriteTransaction, body: Body, index: int) -> None:
    """Tell whoever decides it, the unit above of a receipt that the log has no such entry for, and the person of what was said for them."""
    about: About = {"omission": index, "served_on": body["served_on"], "station": body["station"]}
    about |= {"due_on": body["due_on"]} if "due_on" in body else {}
    if body["means"] == "desk":
        tell(tx, "person/" + body["volunteer"], "service.omission_taken_down", about)
    if "receipt" not in body:
        tell_staff(tx, "decide_objections", body["station"], "service.omission_claimed", about)
        return
    above = actors.ancestry(tx.connection, body["station"])[1:]
    tell_staff(tx, "decide_objections", above[0] if above else body["station"], "receipt.unmatched", about)


def _check(tx: ReadTransaction, said: Claim) -> None:
    """Check what can be told from the claim alone. Raises InvalidRequest."""
    if said.served_on > tx.today:
        raise InvalidRequest("这一天还没有到，请核对日期")
    if said.proof not in PROOFS:
        raise InvalidRequest("请选择有什么凭证；没有的选「没有凭证，请站点查」")
    if len(said.words) > WORDS_MAX:
        raise InvalidRequest(f"说明请不要超过 {WORDS_MAX} 个字")
    if (said.start is None) != (said.end is None):
        raise InvalidRequest("开始和结束时间请都填，或者都不填")
    if said.start and said.end:
        if said.end <= said.start or said.end - said.start > timedelta(minutes=MINUTES_MAX):
            raise InvalidRequest("结束时间要晚于开始时间，请核对")
        if said.end > tx.now.astimezone(SHANGHAI).replace(tzinfo=None):
            raise InvalidRequest("结束时间还没有到，请核对日期和时间")
    if said.activity:
        row = activities.get(tx.connection, said.activity)
        if row.station != said.station or row.ended_as == "cancelled":
            raise InvalidRequest("这项活动不是这个站点的，或者已经取消，请重新选择")


def _check_standing(tx: ReadTransaction, numbers: Sequence[str], said: Claim) -> None:
    """Make sure that what is missed does not stand. Raises InvalidRequest naming the record that does."""
    day = said.served_on.isoformat()
    for row in rows_where_in(tx.connection, _SERVICE.c, _SERVICE.c.volunteer, numbers):
        same = said.activity is not None and row.activity == said.activity and row.served_on == day
        over = bool(said.start and said.end and row.start < spell_minute(said.end) and spell_minute(said.start) < row.end)
        if row.status != "voided" and (same or over):
            raise InvalidRequest(
                f"这一次账本里有：第 {row.entry_index} 条，{row.start[11:]}–{row.end[11:]}。时间不对的，请在「我的服务」里点那一条的「这条不对」"
            )


def _check_waiting(rows: Sequence[Any], said: Claim) -> None:
    """Make sure that it is not said already. Raises Conflict."""
    waiting = [row for row in rows if row.finding is None]
    same = (said.station, said.served_on.isoformat(), said.activity)
    for row in waiting:
        if (row.station, row.served_on, row.activity) == same:
            raise Conflict(f"这一次已经提过（账本第 {row.entry_index} 条），正在查，不用再提。有要补充的，请直接告诉站点")
    if len(waiting) >= WAITING_MAX:
        raise Conflict(f"已有 {len(waiting)} 次在查，请等有了结果再提")


def _unmatched(tx: ReadTransaction, numbers: Sequence[str], index: str, short_hash: str) -> Body:
    """Say how a receipt is proof. Raises InvalidRequest for one that is not: the log has its entry."""
    verdict = receipts.judge(tx.connection, index, short_hash)
    if verdict.state == "matches":
        mine = rows_where_in(tx.connection, [_SERVICE.c.volunteer], _SERVICE.c.entry_index, [verdict.index])
        if mine and mine[0].volunteer in numbers:
            raise InvalidRequest(
                f"没有丢：回执上的这一条在账本里，就是第 {verdict.index} 条。请在「我的服务」里看它办到哪一步，不对的点「这条不对」"
            )
        raise InvalidRequest("回执上的这一条还在账本里，不过记的不是这次服务。请核对条号，或者不填回执，直接写哪一天做了什么")
    return {"index": verdict.index, "short_hash": verdict.short_hash, "state": verdict.state}


def decide(tx: WriteTransaction, omission: int, finding: str, reason: str, found: Found | None = None) -> Receipt:
    """Decide an omission; of one that is right, the service is recorded. *found*: what it was, where it is right.

    Returns the receipt of the decision. Raises NotFound, NotAllowed, InvalidRequest.
    """
    said = get(tx.connection, omission)
    if said.station not in units(tx.connection, tx.actor, "decide_objections"):
        raise NotFound(_none(omission))
    tx.require("decide_objections", said.station)
    barred = _barred(tx.connection, tx.actor, said)
    if barred:
        raise NotAllowed(barred)
    if said.finding is not None:
        raise InvalidRequest("这件异议已经有人处理过了，请刷新页面")
    if finding not in FINDINGS:
        raise InvalidRequest("请选择异议是否成立")
    body: Body = {"omission": omission, "volunteer": said.volunteer, "station": said.station, "finding": finding, "reason": reason}
    if finding == "upheld":
        if found is None:
            raise InvalidRequest("成立的要补记：请填实际的开始和结束时间，选是哪一项活动")
        body["service"] = adding.add(tx, said.volunteer, said.station, found).index
    receipt = tx.append([Fact("service.omission_decided", body)])[0]
    about: About = {"omission": omission, "served_on": said.served_on, "finding": finding}
    about |= {"service": body["service"]} if "service" in body else {}
    tell(tx, "person/" + volunteers.get(tx, said.volunteer).row.number, "service.omission_decided", about)
    return receipt


def waiting(tx: ReadTransaction, actor: Actor) -> list[Open]:
    """List the omissions that wait at the actor's units and below: those with a receipt first, then overdue ones, then by due day."""
    within = units(tx.connection, actor, "decide_objections")
    query = select(_OMISSION).where(_OMISSION.c.finding.is_(None), _OMISSION.c.station.in_(within))
    today = tx.today.isoformat()
    found = [
        Open(
            row,
            objections.words(tx, row.entry_index),
            row.due_on is not None and row.due_on < today,
            _barred(tx.connection, actor, row),
        )
        for row in tx.connection.execute(query.order_by(_OMISSION.c.entry_index))
    ]
    return sorted(found, key=lambda one: (one.row.receipt_index is None, not one.overdue, one.row.due_on or "9999"))


def of_person(connection: Connection, numbers: Sequence[str]) -> list[Any]:
    """List what somebody (under all their numbers) ever said was missing, newest first."""
    rows = rows_where_in(connection, _OMISSION.c, _OMISSION.c.volunteer, numbers)
    return sorted(rows, key=lambda row: row.entry_index, reverse=True)


def get(connection: Connection, omission: int) -> Any:
    """Give an omission's row. Raises NotFound."""
    rows = rows_where_in(connection, _OMISSION.c, _OMISSION.c.entry_index, [omission])
    if not rows:
        raise NotFound(_none(omission))
    return rows[0]


def _none(omission: int) -> str:
    return f"第 {omission} 条不是您能处理的异议，请回到「异议」重新选择"


def _barred(connection: Connection, actor: Actor, said: Any) -> str:
    """Say why somebody may not decide an omission; empty when they may."""
    if actor.account == said.actor:
        return "这一件是您在服务台代为记下的，要由另一位工作人员查"
    if said.receipt_index is not None:
        try:
            actors.require_above(connection, actor, "decide_objections", said.station)
        except NotAllowed:
            return "本人的回执在账本里对不上，要由上一级的工作人员看过原件再处理"
    return ""
