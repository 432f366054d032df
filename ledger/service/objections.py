"""
Objections: the volunteer says that a record of theirs is not right, and somebody who had no part in it decides, with a reason.

The rules this file alone keeps:

1. Only the person themselves objects, to any record of theirs in any state: on their own page, or at the desk, where whoever may register people takes it
   down for somebody without a phone: the entry names who did, and the person is told. One objection to a record waits at a time.
2. While it waits the record counts nowhere if it did not count yet, and in any case if the person says 「不是我」: it is *frozen*. Other records go on
   counting. Nobody approves, corrects or voids it in the meantime but by deciding.
3. It is due within the policy's working days; a year whose calendar is not known gives no due day, and that is said.
4. Whoever recorded, signed, corrected or approved the record, or took the objection down, does not decide; 「不是我」 is decided by somebody whose right
   reaches the unit above.
5. Right in 时间不对 or 少记了: the record is corrected in the same write, and waits for approval again. Right in 没参加 or 不是我: it is voided.
   Of a record that is void already nothing is put right but what was really served: it may be recorded anew (adding.py).
6. Voiding a whole batch is what 没参加 and 不是我 ask for: it decides them, by somebody who may. 时间不对 and 少记了 go on waiting: the person did serve.

What the person says in their own words is kept sealed under their own key, beside the log: words may name people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from ledger.bulk import insert_rows, rows_where_in
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.kinds import Body
from ledger.kinds.service import CLAIMS, FINDINGS
from ledger.log import Fact, Receipt
from ledger.notices import About, Telling, tell, tell_many, tell_staff
from ledger.people import actors, volunteers
from ledger.people.actors import Actor, units
from ledger.policies import service_policy
from ledger.service import adding, amending
from ledger.service.adding import Found
from ledger.service.records import counts_on, rows_of, said_by
from ledger.tables import ObjectionNoteRow, ObjectionRow, ServiceRow, table
from ledger.transactions import ReadTransaction, WriteTransaction
from ledger.workdays import calendar

_OBJECTION, _NOTE, _SERVICE = table(ObjectionRow), table(ObjectionNoteRow), table(ServiceRow)
WORDS_MAX = 300
CORRECTING = ("time", "missing")
"""Claims that are met by other times; the others are met by voiding."""


@dataclass(frozen=True)
class Times:
    """What a service's times really were: naive local times, minutes of break."""

    start: datetime
    end: datetime
    break_minutes: int = 0


@dataclass(frozen=True)
class Open:
    """An objection that waits, as somebody at the desk sees it: the record, the person's own words, whether it is overdue, why they may not decide."""

    row: Any
    record: Any
    words: str
    overdue: bool
    barred: str


def contest(tx: WriteTransaction, index: int, claim: str, words: str = "") -> Receipt:
    """Say that a record of one's own is not right. Raises NotFound for another's, InvalidRequest (waits already, no such claim)."""
    return _contest(tx, own(tx, tx.actor, index), claim, words)


def contest_at_desk(tx: WriteTransaction, index: int, claim: str, words: str = "") -> Receipt:
    """Take down at the desk that somebody says a record of theirs is not right. Raises as `contest`; another station's people are not found."""
    return _contest(tx, at_desk(tx, tx.actor, index), claim, words)


def _contest(tx: WriteTransaction, row: Any, claim: str, words: str) -> Receipt:
    index = row.entry_index
    if claim not in CLAIMS:
        raise InvalidRequest("请选择哪里不对")
    if len(words) > WORDS_MAX:
        raise InvalidRequest(f"说明请不要超过 {WORDS_MAX} 个字")
    if row.contested_by is not None:
        raise InvalidRequest(f"对第 {index} 条的异议正在处理，不用再提。有要补充的，请直接告诉站点")
    due = due_on(tx)
    frozen = claim == "not_me" or not counts_on(row, tx.today)
    body: Body = {"service": index, "volunteer": row.volunteer, "station": row.station, "claim": claim, "frozen": frozen}
    body |= {"due_on": due} if due else {}
    body |= {"organisation": row.organisation} if row.organisation else {}
    receipt = tx.append([Fact("service.contested", body)])[0]
    keep_words(tx, row.volunteer, receipt.index, words)
    about: About = {"service": index, "objection": receipt.index, "claim": claim}
    about |= {"due_on": due} if due else {}
    if tx.actor.volunteer is None:
        tell(tx, "person/" + row.volunteer, "objection.taken_down", about)
    tell_staff(tx, "decide_objections", row.station, "service.contested", about)
    if claim == "not_me":
        above = actors.ancestry(tx.connection, row.station)[1:]
        if above:
            tell_staff(tx, "decide_objections", above[0], "objection.not_me", about)
    return receipt


def keep_words(tx: WriteTransaction, volunteer: str, objection: int, words: str) -> None:
    """Seal what somebody said about an objection, or a service that is missing, in their own words; nothing said is nothing kept."""
    if words:
        sealed = tx.vault.seal_more("person/" + volunteer, words.encode(), f"objection/{objection}")
        insert_rows(tx.connection, _NOTE, [{"objection": objection, "volunteer": volunteer, "sealed": sealed}])


def due_on(tx: ReadTransaction) -> str | None:
    """Give the day by which an objection made today is to be decided; None when the calendar does not know it."""
    policy = service_policy(tx.connection, tx.today.isoformat())
    try:
        return calendar(tx.connection).add(tx.today, policy.objection_working_days).isoformat()
    except InvalidRequest:
        return None


def decide(tx: WriteTransaction, objection: int, finding: str, reason: str, times: Times | None = None) -> Receipt:
    """Decide an objection, and put the record right if it was justified. *times*: what they really were, where the claim is met by a correction.

    Returns the receipt of the decision. Raises NotFound, NotAllowed, InvalidRequest.
    """
    said = get(tx.connection, objection)
    record = rows_of(tx.connection, [said.service])[0]
    _require(tx.connection, tx.actor, said, record)
    tx.require_own()
    if said.finding is not None:
        raise InvalidRequest("这件异议已经有人处理过了，请刷新页面")
    if finding not in FINDINGS:
        raise InvalidRequest("请选择异议是否成立")
    stands = record.status != "voided"
    if finding == "upheld" and stands and said.claim in CORRECTING and times is None:
        raise InvalidRequest("异议成立时，请填写实际的开始和结束时间")
    body: Body = {"service": record.entry_index, "objection": objection, "volunteer": record.volunteer, "station": record.station}
    body |= {"finding": finding, "reason": reason} | ({"organisation": record.organisation} if record.organisation else {})
    receipt = tx.append([Fact("service.objection_decided", body)])[0]
    if finding == "upheld" and not stands and times is not None and said.claim in CORRECTING:
        adding.add(tx, record.volunteer, record.station, Found(times.start, times.end, times.break_minutes, record.activity))
    elif finding == "upheld" and stands:
        if times is not None and said.claim in CORRECTING:
            amending.correct(tx, record.entry_index, start=times.start, end=times.end, break_minutes=times.break_minutes, reason=reason)
        else:
            amending.void(tx, record.entry_index, reason=reason)
    about: About = {"service": record.entry_index, "objection": objection, "claim": said.claim, "finding": finding}
    tell(tx, "person/" + record.volunteer, "service.objection_decided", about)
    return receipt


def meet_by_voiding(tx: WriteTransaction, records: Sequence[Any], reason: str) -> None:
    """Decide the objections to records that are about to be voided together: those met by that are upheld, the others told that they go on.

    Raises NotAllowed, naming the record whose objection the actor may not decide.
    """
    contested = [record for record in records if record.contested_by is not None]
    waited = [record.contested_by for record in contested]
    said = {row.entry_index: row for row in rows_where_in(tx.connection, _OBJECTION.c, _OBJECTION.c.entry_index, waited)}
    facts, tellings = [], []
    for record in contested:
        claim = said[record.contested_by].claim
        about: About = {"service": record.entry_index, "objection": record.contested_by, "claim": claim}
        if claim in CORRECTING:
            tellings.append(Telling("person/" + record.volunteer, "objection.goes_on", about))
            continue
        barred = _barred(tx.connection, tx.actor, said[record.contested_by], record)
        if barred:
            raise NotAllowed(f"第 {record.entry_index} 条本人说「{CLAIMS[claim]}」：{barred}。整批作废也要由那样的人同意")
        body: Body = {"service": record.entry_index, "objection": record.contested_by, "volunteer": record.volunteer}
        body |= {"station": record.station, "finding": "upheld", "reason": f"整批作废：{reason}"}
        facts.append(Fact("service.objection_decided", body | ({"organisation": record.organisation} if record.organisation else {})))
        tellings.append(Telling("person/" + record.volunteer, "service.objection_decided", about | {"finding": "upheld"}))
    tx.append(facts)
    tell_many(tx, tellings)


def waiting(tx: ReadTransaction, actor: Actor) -> list[Open]:
    """List the objections that wait at the actor's units and below, overdue first, then by due day."""
    within = units(tx.connection, actor, "decide_objections")
    query = select(_OBJECTION).where(_OBJECTION.c.finding.is_(None), _OBJECTION.c.station.in_(within))
    rows = tx.connection.execute(query.order_by(_OBJECTION.c.entry_index)).all()
    records = {row.entry_index: row for row in rows_of(tx.connection, [row.service for row in rows])}
    today = tx.today.isoformat()
    found = [
        Open(
            row,
            records[row.service],
            words(tx, row.entry_index),
            row.due_on is not None and row.due_on < today,
            _barred(tx.connection, actor, row, records[row.service]),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (not one.overdue, one.row.due_on or "9999"))


def of_record(connection: Connection, index: int) -> list[Any]:
    """List what was ever objected to a record, newest first."""
    rows = rows_where_in(connection, _OBJECTION.c, _OBJECTION.c.service, [index])
    return sorted(rows, key=lambda row: row.entry_index, reverse=True)


def open_of(tx: ReadTransaction, volunteer: str) -> list[Any]:
    """List the objections to somebody's records that wait."""
    numbers = list(volunteers.numbers_of(tx, volunteer))
    columns = (_SERVICE.c.entry_index, _SERVICE.c.contested_by)
    contested = rows_where_in(tx.connection, columns, _SERVICE.c.volunteer, numbers, where="contested_by IS NOT NULL")
    return list(rows_where_in(tx.connection, _OBJECTION.c, _OBJECTION.c.entry_index, [row.contested_by for row in contested]))


def get(connection: Connection, objection: int) -> Any:
    """Give an objection's row. Raises NotFound."""
    rows = rows_where_in(connection, _OBJECTION.c, _OBJECTION.c.entry_index, [objection])
    if not rows:
        raise NotFound(f"第 {objection} 条不是异议")
    return rows[0]


def own(tx: ReadTransaction, actor: Actor, index: int) -> Any:
    """Give a record of the actor's own. Raises NotFound for another's: nobody learns who served."""
    row = next(iter(rows_of(tx.connection, [index])), None)
    if row is None or actor.volunteer is None or row.volunteer not in _numbers(tx, actor.volunteer):
        raise NotFound(f"第 {index} 条不是您的服务记录")
    return row


def at_desk(tx: ReadTransaction, actor: Actor, index: int) -> Any:
    """Give a record of somebody whom the actor may register. Raises NotFound for anybody else's."""
    row = next(iter(rows_of(tx.connection, [index])), None)
    if row is None or volunteers.get(tx, row.volunteer).row.station not in units(tx.connection, actor, "register"):
        raise NotFound(f"第 {index} 条不是您站点的志愿者的服务记录")
    return row


def words(tx: ReadTransaction, objection: int) -> str:
    """Read what the person said in their own words; empty when nothing was said, or when their data is erased."""
    rows = rows_where_in(tx.connection, _NOTE.c, _NOTE.c.objection, [objection])
    if not rows:
        return ""
    try:
        return tx.vault.open_more("person/" + rows[0].volunteer, bytes(rows[0].sealed), f"objection/{objection}").decode()
    except NotFound:
        return ""


def _numbers(tx: ReadTransaction, number: str) -> Sequence[str]:
    return volunteers.numbers_of(tx, volunteers.get(tx, number).row.number)


def _require(connection: Connection, actor: Actor, said: Any, record: Any) -> None:
    actors.require(connection, actor, "decide_objections", record.station)
    barred = _barred(connection, actor, said, record)
    if barred:
        raise NotAllowed(barred)


def _barred(connection: Connection, actor: Actor, said: Any, record: Any) -> str:
    """Say why somebody may not decide an objection; empty when they may."""
    if actor.account in said_by(record) | {record.approved_by}:
        return "这条记录是您登记、更正或审核的，异议要由没有经手的人处理"
    if actor.account == said.actor:
        return "这件异议是您在服务台代为记下的，要由另一位工作人员处理"
    if said.claim == "not_me":
        try:
            actors.require_above(connection, actor, "decide_objections", record.station)
        except NotAllowed:
            return "「不是我」要由上一级的工作人员处理"
    return ""
