"""
Evaluations: how well somebody served in an activity, and who says so (民政部令第67号 article 10).

Due, as the hours are, within the working days that policy allows after the activity's end (article 11): a late one is flagged, never refused. Whoever
records at the activity's station writes them down, for all who came on one page; the same evaluator says one thing of a person and an activity, and what
was wrong is voided first. 不合格 needs a remark: the person reads it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import activities
from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, NotFound
from ledger.kinds import Body
from ledger.kinds.credit import EVALUATORS, QUALITIES, REASON_MAX, REMARK_MAX
from ledger.log import Fact, Receipt
from ledger.notices import Telling, tell_readers
from ledger.people import volunteers
from ledger.people.actors import Actor, units
from ledger.policies import service_policy
from ledger.record.saying import REASON_MIN, choice, maybe, past_day, words
from ledger.tables import EvaluationRow, ServiceRow, table
from ledger.transactions import ReadTransaction, WriteTransaction
from ledger.workdays import calendar

_EVALUATION, _SERVICE = table(EvaluationRow), table(ServiceRow)
LOOKED_BACK = timedelta(days=60)
"""How long an activity stays on the list of those that wait for evaluations."""


@dataclass(frozen=True)
class Judged:
    """What is said of one person: a code of QUALITIES and a remark, "" for none."""

    quality: str
    remark: str = ""


@dataclass(frozen=True)
class Line:
    """One person who served in an activity: their record, and what was said of them, by evaluator."""

    volunteer: str
    service: Any
    name: str
    said: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """An activity and all who served in it. *due_on*: by when it is to be evaluated; None when the calendar does not know."""

    activity: Any
    ended_on: str
    due_on: str | None
    late: bool
    lines: list[Line]


@dataclass(frozen=True)
class Waiting:
    """An activity whose people are not all evaluated: how many came and how many are missing, and by when it is due."""

    activity: Any
    ended_on: str
    due_on: str | None
    late: bool
    people: int
    missing: int


def sheet(tx: ReadTransaction, activity: str) -> Sheet:
    """Give an activity with everybody who served in it, by number. Raises NotFound."""
    row = activities.get(tx.connection, activity)
    served = tx.connection.execute(
        select(_SERVICE).where(_SERVICE.c.activity == activity, _SERVICE.c.status != "voided").order_by(_SERVICE.c.entry_index)
    ).all()
    first = {one.volunteer: one for one in reversed(served)}
    names = volunteers.masked_names(tx, first)
    said: dict[str, dict[str, Any]] = {}
    for one in rows_where_in(tx.connection, _EVALUATION.c, _EVALUATION.c.activity, [activity]):
        if not one.voided_by:
            said.setdefault(one.volunteer, {})[one.by] = one
    ended = max((one.end[:10] for one in served), default=(row.end or row.start or "")[:10])
    due = due_days(tx)(ended) if ended else None
    lines = [Line(number, first[number], names[number], said.get(number, {})) for number in sorted(first)]
    return Sheet(row, ended, due, _late(due, tx.today), lines)


def due_days(tx: ReadTransaction) -> Callable[[str], str | None]:
    """Give what tells by which day something that ended on a day is to be evaluated; it says None when the calendar does not know."""
    known, days = calendar(tx.connection), service_policy(tx.connection, tx.today.isoformat()).entry_due_working_days

    @cache
    def due(ended_on: str) -> str | None:
        try:
            return known.add(date.fromisoformat(ended_on), days).isoformat()
        except InvalidRequest:
            return None

    return due


def record_many(
    tx: WriteTransaction, activity: str, judged: Mapping[str, Judged], *, by: str = "organiser", evaluated_on: date | None = None
) -> list[Receipt]:
    """Record what an evaluator says of people who served in an activity; of whom the same evaluator said something already, nothing is added.

    Raises NotFound, NotAllowed, InvalidRequest naming the person.
    """
    found = sheet(tx, activity)
    tx.require("record", found.activity.station)
    choice(by, "谁评的", EVALUATORS)
    day = past_day(evaluated_on or tx.today, "评价日期", tx.today)
    if day < found.ended_on:
        raise InvalidRequest(f"活动 {found.ended_on} 才结束，评价不能早于这一天")
    lines = {line.volunteer: line for line in found.lines}
    facts = []
    for number, one in judged.items():
        if number not in lines:
            raise InvalidRequest(f"编号 {number} 没有参加这次活动，或记录已作废。请刷新页面")
        if by not in lines[number].said:
            facts.append(Fact("evaluation.recorded", _body(found, lines[number], one, by, day)))
    receipts = tx.append(facts)
    told = [
        Telling("person/" + fact.body["volunteer"], "evaluation.recorded", {"evaluation": receipt.index})
        for fact, receipt in zip(facts, receipts, strict=True)
    ]
    tell_readers(tx, told)
    return receipts


def _body(found: Sheet, line: Line, one: Judged, by: str, day: str) -> Body:
    quality = choice(one.quality, f"{line.name}的评价", QUALITIES)
    remark = maybe(one.remark, f"{line.name}的说明", REMARK_MAX)
    if quality == "poor" and len(remark) < REASON_MIN:
        raise InvalidRequest(f"{line.name}评为不合格，请写明原因（{REASON_MIN} 至 {REMARK_MAX} 个字），本人看得到")
    body: Body = {"volunteer": line.volunteer, "station": found.activity.station, "activity": found.activity.id, "quality": quality}
    body |= {"by": by, "evaluated_on": day, "service": line.service.entry_index}
    body |= {"organisation": found.activity.organisation} if found.activity.organisation else {}
    return body | ({"remark": remark} if remark else {})


def void(tx: WriteTransaction, index: int, reason: str) -> Receipt:
    """Say that an evaluation does not stand, and why: as whoever recorded it, or an approver. Raises NotFound, NotAllowed, InvalidRequest."""
    rows = rows_where_in(tx.connection, _EVALUATION.c, _EVALUATION.c.entry_index, [index])
    if not rows:
        raise NotFound("没有这条评价，请刷新页面再选")
    row = rows[0]
    tx.require("record" if tx.actor.account == row.recorder else "approve", row.station)
    if row.voided_by:
        raise InvalidRequest("这条评价已经作废，请刷新页面")
    why = words(reason, "作废的理由", REASON_MAX, REASON_MIN)
    receipt = tx.append(
        [Fact("evaluation.voided", {"volunteer": row.volunteer, "station": row.station, "evaluation": index, "reason": why})]
    )[0]
    tell_readers(tx, [Telling("person/" + row.volunteer, "evaluation.voided", {"evaluation": index})])
    return receipt


def waiting(tx: ReadTransaction, actor: Actor) -> list[Waiting]:
    """List the activities lately held where the actor records whose people the organiser has not all evaluated, the most urgent first."""
    since = (tx.today - LOOKED_BACK).isoformat()
    columns = (_SERVICE.c.activity, func.max(_SERVICE.c.end).label("ended"), func.count(_SERVICE.c.volunteer.distinct()).label("people"))
    held = select(*columns).where(
        _SERVICE.c.station.in_(units(tx.connection, actor, "record")), _SERVICE.c.status != "voided", _SERVICE.c.served_on >= since
    )
    rows = tx.connection.execute(held.group_by(_SERVICE.c.activity)).all()
    done = _evaluated(tx.connection, [row.activity for row in rows])
    known = activities.get_many(tx.connection, {row.activity for row in rows})
    found, due_by = [], due_days(tx)
    for row in rows:
        missing = row.people - done.get(row.activity, 0)
        if missing > 0 and not known[row.activity].migrated_year:
            due = due_by(row.ended[:10])
            found.append(Waiting(known[row.activity], row.ended[:10], due, _late(due, tx.today), row.people, missing))
    return sorted(found, key=lambda one: (not one.late, one.due_on or "9999", one.activity.id))


def _evaluated(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Count the people of activities whom the organiser evaluated and whose service stands."""
    served = select(_SERVICE.c.entry_index).where(
        _SERVICE.c.activity == _EVALUATION.c.activity, _SERVICE.c.volunteer == _EVALUATION.c.volunteer, _SERVICE.c.status != "voided"
    )
    which = (_EVALUATION.c.activity.in_(ids), _EVALUATION.c.by == "organiser", _EVALUATION.c.voided_by.is_(None), served.exists())
    counted = select(_EVALUATION.c.activity, func.count(_EVALUATION.c.volunteer.distinct())).where(*which)
    return dict(map(tuple, connection.execute(counted.group_by(_EVALUATION.c.activity))))


def _late(due: str | None, today: date) -> bool:
    return due is not None and due < today.isoformat()
