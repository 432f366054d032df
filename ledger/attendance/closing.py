"""Closing an activity: what everybody's coming and leaving amounts to, recorded at once; and closing for those who forget to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import func, select, update

from ledger import activities
from ledger.attendance import desks
from ledger.attendance.desks import CLOSES_AFTER, TWO_SIDED
from ledger.bulk import upsert_rows
from ledger.entries import SHANGHAI, format_time
from ledger.errors import InvalidRequest
from ledger.ids import new_entry_id
from ledger.kinds import Body
from ledger.log import Fact, Receipt
from ledger.people.actors import Actor
from ledger.planning.plans import check_open
from ledger.refusals import Already
from ledger.service.drafts import Draft, spell_minute
from ledger.service.recording import record_each
from ledger.tables import DeskRow, PresenceRow, ServiceRow, table
from ledger.transactions import WriteTransaction

_DESK, _PRESENCE, _SERVICE = table(DeskRow), table(PresenceRow), table(ServiceRow)
Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class Closed:
    """What came of closing: how many came, were recorded, had forgotten to sign out, were refused; the batch of the records if there are any."""

    attended: int
    recorded: int = 0
    forgotten: int = 0
    refused: int = 0
    batch: str | None = None


def close(
    tx: WriteTransaction, activity: str, *, end: datetime | None = None, head_counts: Mapping[str, int] | None = None, remark: str = ""
) -> Closed:
    """Close an activity: whoever is still there left at its end, and every time somebody came and left is recorded.

    *end*: when it really ended (naive local time); otherwise as planned, or now if that is earlier. Records count nothing after it.
    Raises NotFound, NotAllowed, InvalidRequest (closed or called off already, not begun yet, an end that cannot be).
    """
    row = activities.get(tx.connection, activity)
    tx.require("record", row.station)
    check_open(row)
    ended = _end(row, end, tx.now.astimezone(SHANGHAI).replace(tzinfo=None, second=0, microsecond=0))
    desk = desks.find(tx.connection, activity)
    done = _record(tx, row, desk, ended) if desk is not None and ended is not None else Closed(_served(tx, activity))
    body: Body = {"activity": activity, "station": row.station, "attended": done.attended}
    said: Body = {"organisation": row.organisation, "end": spell_minute(ended) if ended else None, "batch": done.batch}
    said |= {"head_counts": dict(head_counts or {}), "remark": remark.strip()}
    if done.batch:
        said |= {"recorded": done.recorded, "forgotten": done.forgotten, "refused": done.refused}
    tx.append([Fact("activity.closed", body | {name: value for name, value in said.items() if value not in (None, "", {})})])
    return done


def close_forgotten(tx: WriteTransaction) -> int:
    """Close the activities whose desk nobody closed for some hours after the planned end. Returns how many."""
    late = spell_minute((tx.now - CLOSES_AFTER).astimezone(SHANGHAI).replace(tzinfo=None))
    forgotten = [desk for desk in desks.open_now(tx.connection) if desk.planned_end <= late]
    for desk in forgotten:
        close(tx, desk.activity)
    return len(forgotten)


def _end(row: Any, said: datetime | None, now: datetime) -> datetime | None:
    if row.start is None or row.end is None:
        return None
    start = datetime.fromisoformat(row.start)
    if now <= start:
        raise InvalidRequest("活动还没有开始。不办了的话，请用「取消活动」")
    if said is None:
        return min(datetime.fromisoformat(row.end), now)
    if not start < said <= now:
        raise InvalidRequest("实际结束时间要在活动开始之后，而且不能在将来，请核对")
    return said


def _served(tx: WriteTransaction, activity: str) -> int:
    """Count the people of an activity whose services were recorded otherwise."""
    people = select(func.count(_SERVICE.c.volunteer.distinct())).where(_SERVICE.c.activity == activity, _SERVICE.c.status != "voided")
    return int(tx.connection.execute(people).scalar_one())


def _record(tx: WriteTransaction, row: Any, desk: Any, ended: datetime) -> Closed:
    """Make the records of a desk, and keep with each row what became of it."""
    rows = desks.everyone(tx.connection, row.id)
    breaks = [(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])) for one in orjson.loads(row.breaks or "[]")]
    within = (datetime.fromisoformat(row.start), ended)
    batch = new_entry_id()
    outcome: list[dict[str, Any]] = []
    drafts: list[Draft] = []
    for one in rows:
        left_by = one.left_by or "planned_end"
        left_at = one.left_at or max(one.came_at, format_time(ended.replace(tzinfo=SHANGHAI)))
        counted = count_in((_minute(one.came_at), _minute(left_at)), within, breaks)
        key = {"activity": row.id, "volunteer": one.volunteer, "pair": one.pair, "came_at": one.came_at, "came_by": one.came_by}
        said = {**key, "left_at": left_at, "left_by": left_by, "entry_index": None, "refusal": None}
        outcome.append(said)
        if counted is None:
            said["refusal"] = "在活动时间之内不足 1 分钟，没有记录"
            continue
        grade = "A" if {one.came_by, left_by} <= TWO_SIDED else "B"
        (start, end), resting = counted
        drafts.append(Draft(one.volunteer, row.id, row.station, start, end, grade, batch, row.organisation, resting))
    recorder = Actor(desk.account, "recorder", desk.station)
    answers = record_each(tx, [(recorder, draft) for draft in drafts])
    _keep([said for said in outcome if said["refusal"] is None], answers)
    upsert_rows(tx.connection, _PRESENCE, outcome)
    recorded = sum(said["entry_index"] is not None for said in outcome)
    closed = {"closed_at": format_time(tx.now), "batch": batch if recorded else None}
    tx.connection.execute(update(_DESK).where(_DESK.c.activity == row.id).values(closed))
    return Closed(
        attended=len({one.volunteer for one in rows}) or _served(tx, row.id),
        recorded=recorded,
        forgotten=sum(said["left_by"] == "planned_end" for said in outcome),
        refused=len(outcome) - recorded,
        batch=batch if recorded else None,
    )


def _keep(judged: list[dict[str, Any]], answers: Sequence[Any]) -> None:
    for said, answer in zip(judged, answers, strict=True):
        if isinstance(answer, (Receipt, Already)):
            said["entry_index"] = answer.index
        else:
            said["refusal"] = answer.message if hasattr(answer, "message") else str(answer)


def _minute(moment: str) -> datetime:
    """Give the local minute in which an instant lies."""
    return datetime.fromisoformat(moment).astimezone(SHANGHAI).replace(tzinfo=None, second=0, microsecond=0)


def count_in(present: Interval, within: Interval, breaks: Sequence[Interval]) -> tuple[Interval, int] | None:
    """Give the part of somebody's presence that counts, and how many minutes of breaks are in it; None if less than a minute is left.

    The part has no break at its very beginning or end: who comes during a break begins after it. *breaks* lie apart from each other.
    """
    start, end = max(present[0], within[0]), min(present[1], within[1])
    for first, last in sorted(breaks):
        if first <= start < last:
            start = last
    for first, last in sorted(breaks, reverse=True):
        if first < end <= last:
            end = first
    resting = sum(((min(end, last) - max(start, first)) for first, last in breaks if max(start, first) < min(end, last)), timedelta())
    minutes = (end - start) // timedelta(minutes=1)
    rest = resting // timedelta(minutes=1)
    return ((start, end), rest) if minutes - rest >= 1 else None
