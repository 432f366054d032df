"""
Gathering one person's facts from the ledger's tables: those of today, of an earlier tree size, or of an exported log replayed.

Only what counts is gathered: services approved, their publicity over and not frozen by an objection; nothing of a registration that somebody says is not
theirs; nothing voided or withdrawn. Whether somebody is of full age is not in the log; it is told by whoever may open the sealed data.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Table

from ledger.bulk import rows_where_in
from ledger.errors import NotFound
from ledger.rules.facts import Award, Conduct, Evaluation, Facts, Service, Spending, Training
from ledger.service.records import counts_on
from ledger.tables import (
    ActivityRow,
    AwardRow,
    ConductRow,
    EvaluationRow,
    PointsSpentRow,
    ServiceRow,
    TrainingRow,
    VolunteerRow,
    table,
)

_VOLUNTEER, _SERVICE, _ACTIVITY = table(VolunteerRow), table(ServiceRow), table(ActivityRow)
_SERVED = [
    _SERVICE.c[name]
    for name in ("entry_index", "activity", "station", "organisation", "served_on", "start", "minutes", "grade", "status", "effective_on")
]
_SERVED.append(_SERVICE.c.frozen)
_DONE = [_ACTIVITY.c[name] for name in ("id", "title", "series", "services", "start", "end", "breaks", "migrated_year")]


def facts(connection: Connection, volunteer: str, today: date, *, policy: str = "", adult: str = "unknown") -> Facts:
    """Gather a person's facts as of a day. *policy*: whose points account is asked for (credit/…). Raises NotFound."""
    [row, *_] = rows_where_in(connection, _VOLUNTEER.c, _VOLUNTEER.c.number, [volunteer]) or [None]
    if row is None:
        raise NotFound("没有这个志愿者编号，请核对")
    if row.merged_into:
        return facts(connection, row.merged_into, today, policy=policy, adult=adult)
    if row.left_as == "not_me":
        return Facts(row.registered_on, adult=adult)
    return Facts(
        row.registered_on,
        _services(connection, volunteer, today),
        tuple(
            Training(one.entry_index, one.trained_on, one.minutes, one.title)
            for one in _of(connection, table(TrainingRow), volunteer)
            if one.voided_by is None
        ),
        tuple(
            Evaluation(one.entry_index, one.evaluated_on, one.quality, one.by)
            for one in _of(connection, table(EvaluationRow), volunteer)
            if one.voided_by is None
        ),
        tuple(
            Award(one.entry_index, one.granted_on, one.level, one.title)
            for one in _of(connection, table(AwardRow), volunteer)
            if one.withdrawn_by is None
        ),
        tuple(_conduct(one) for one in _of(connection, table(ConductRow), volunteer)),
        tuple(
            Spending(one.entry_index, one.spent_on, one.points, one.purpose)
            for one in _of(connection, table(PointsSpentRow), volunteer)
            if one.policy == policy
        ),
        row.confirmed_on,
        adult,
    )


def _of(connection: Connection, rows: Table, volunteer: str) -> list[Any]:
    return rows_where_in(connection, rows.c, rows.c.volunteer, [volunteer])


def _services(connection: Connection, volunteer: str, today: date) -> tuple[Service, ...]:
    rows = [row for row in rows_where_in(connection, _SERVED, _SERVICE.c.volunteer, [volunteer]) if counts_on(row, today)]
    done = {row.id: _activity(row) for row in rows_where_in(connection, _DONE, _ACTIVITY.c.id, {row.activity for row in rows})}
    made = []
    for row in rows:
        title, series, services, planned, whole = done[row.activity]
        said = (row.entry_index, row.activity, row.served_on, row.start, row.minutes, row.grade, series, services, row.station, title)
        made.append(Service(*said, planned, row.organisation is not None, whole))
    return tuple(made)


def _activity(row: Any) -> tuple[str, str, tuple[str, ...], int | None, bool]:
    """Give an activity's title, series, kinds of service, planned minutes if they are known, and whether the single event is known."""
    return row.title, row.series, tuple(orjson.loads(row.services)), planned(row), row.migrated_year is None


def planned(row: Any) -> int | None:
    """Count the minutes that an activity was planned for; None if its times are not known."""
    if not row.start or not row.end:
        return None
    return minutes_between(row.start, row.end, orjson.loads(row.breaks) if row.breaks else ())


def minutes_between(start: str, end: str, breaks: Sequence[dict[str, str]] = ()) -> int:
    """Count the minutes from one local minute to another, without breaks."""
    spans = [(start, end), *((one["end"], one["start"]) for one in breaks)]
    return sum(int((datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()) // 60 for first, last in spans)


def _conduct(row: Any) -> Conduct:
    effects = tuple(orjson.loads(row.effects)) or None
    return Conduct(
        row.entry_index,
        row.occurred_on,
        row.item,
        row.sense,
        row.basis or "",
        row.expires_on,
        effects,
        tuple(orjson.loads(row.services)),
        row.points,
        row.lifted_on,
        row.lifted_ground,
        row.reason,
    )
