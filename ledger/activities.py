"""
Activities: what was done, when, where, for whom and under whose responsibility. A service record always belongs to one.

Hours are never counted here. Two sheets of the same activity (station, unit, title, series, times) belong to one activity, so that a sheet handed in
twice or in parts does not make it twice. Hours of an older platform whose single events are not known any more hang on one migrated activity a
station, title, series and year.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from ledger import organisations, stations
from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, NotFound
from ledger.ids import new_number
from ledger.kinds import Body
from ledger.log import Fact
from ledger.rules import gates
from ledger.tables import ActivityRow, table
from ledger.transactions import WriteTransaction

_ACTIVITY = table(ActivityRow)


@dataclass(frozen=True)
class Activity:
    """What is said of an activity. *start*, *end*: local minutes (YYYY-MM-DDTHH:MM); series, groups and services are codes, `…_other` free words.

    What is only said of planned ones (*theme* and below) is explained in ledger/planning.
    """

    station: str
    title: str
    series: str
    organisation: str | None = None
    responsible_unit: str | None = None
    start: str | None = None
    end: str | None = None
    place: str | None = None
    beneficiaries: list[str] = field(default_factory=list)
    beneficiaries_other: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    services_other: list[str] = field(default_factory=list)
    migrated_year: int | None = None
    source: str | None = None
    theme: str | None = None
    breaks: list[dict[str, str]] = field(default_factory=list)
    head_counts: dict[str, int] = field(default_factory=dict)
    responsible_account: str | None = None
    responsible_volunteer: str | None = None
    places: int | None = None
    major: str | None = None
    reported_on: str | None = None
    declared: str | None = None
    recurrence: str | None = None

    @property
    def identity(self) -> tuple[str | int | None, ...]:
        """What makes it the same activity again."""
        unit = self.organisation or self.responsible_unit
        return (self.station, self.title, self.series, unit, self.start, self.end, self.migrated_year)


def publish(tx: WriteTransaction, activity: Activity) -> tuple[str, bool]:
    """Publish an activity unless it is there already. Returns its id, and whether it is new.

    Raises NotAllowed (another's station), NotFound (station or organisation), InvalidRequest (it ends before it starts).
    """
    place = stations.get(tx.connection, activity.station)
    if place.closed_on and (activity.start or tx.today.isoformat()) >= place.closed_on:
        raise InvalidRequest(f"「{place.name}」已在 {place.closed_on} 撤销，那天以后的活动请登记在并入的单位")
    tx.require("record", activity.station)
    if activity.organisation and not organisations.name_of(tx.connection, activity.organisation):
        raise NotFound(f"没有编号为 {activity.organisation} 的组织")
    if activity.start and activity.end and activity.end <= activity.start:
        raise InvalidRequest("活动的结束时间不晚于开始时间，请核对")
    size = tx.tree_size
    [found] = find_or_publish(tx, [activity])
    return found, tx.tree_size > size


def find_or_publish(tx: WriteTransaction, activities: list[Activity]) -> list[str]:
    """Give each activity's id, publishing those that are not there yet. One that was called off is none to belong to."""
    known: dict[tuple[str | int | None, ...], str] = {}
    statement = select(_ACTIVITY).where(
        _ACTIVITY.c.station.in_({activity.station for activity in activities}),
        _ACTIVITY.c.start.in_({activity.start for activity in activities if activity.start}) | _ACTIVITY.c.start.is_(None),
        _ACTIVITY.c.ended_as.is_(None) | (_ACTIVITY.c.ended_as != "cancelled"),
    )
    for row in tx.connection.execute(statement):
        unit = row.organisation or row.responsible_unit
        known[(row.station, row.title, row.series, unit, row.start, row.end, row.migrated_year)] = row.id
    facts = []
    for activity in activities:
        if activity.identity not in known:
            known[activity.identity] = new_number()
            facts.append(Fact("activity.published", _body(known[activity.identity], activity)))
    gates.check_activities(tx, [fact.body for fact in facts])
    tx.append(facts)
    return [known[activity.identity] for activity in activities]


def _body(new_id: str, activity: Activity) -> Body:
    said = {name: value for name, value in vars(activity).items() if value}
    return {"activity": new_id, **said}


def get(connection: Connection, activity: str) -> Any:
    """Give an activity's row. Raises NotFound."""
    row = connection.execute(select(_ACTIVITY).where(_ACTIVITY.c.id == activity)).one_or_none()
    if row is None:
        raise NotFound("没有这个编号的活动，请回到活动列表重新选择")
    return row


def get_many(connection: Connection, ids: set[str]) -> dict[str, Any]:
    """Give activities' rows by id."""
    return {row.id: row for row in rows_where_in(connection, _ACTIVITY.c, _ACTIVITY.c.id, ids)}


def recent(connection: Connection, stations: list[str], limit: int) -> list[Any]:
    """List the newest activities of stations."""
    statement = select(_ACTIVITY).where(_ACTIVITY.c.station.in_(stations)).order_by(_ACTIVITY.c.entry_index.desc()).limit(limit)
    return list(connection.execute(statement))
