"""Desks: opening the sign-in of an activity, and seeing how it stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import activities
from ledger.attendance import codes
from ledger.bulk import insert_rows, rows_where_in
from ledger.entries import SHANGHAI, format_time
from ledger.errors import InvalidRequest, NotFound
from ledger.people import throttling
from ledger.people.actors import Actor, require
from ledger.planning.plans import check_open
from ledger.store import Ledger
from ledger.tables import DeskRow, PresenceRow, table
from ledger.transactions import ReadTransaction

OPENS_BEFORE = timedelta(hours=2)
CLOSES_AFTER = timedelta(hours=2)
"""How long after the planned end a desk nobody closed is closed by the clock."""
HOW = {
    "screen": "扫站点屏幕上的码",
    "own_code": "出示本人的码",
    "number": "报编号，由工作人员代签",
    "planned_end": "忘记签退，按活动结束时间计",
}
"""How somebody came or left."""
TWO_SIDED = frozenset({"screen", "own_code"})
_DESK, _PRESENCE = table(DeskRow), table(PresenceRow)


@dataclass(frozen=True)
class Counts:
    """How many people signed in, are there now, and left; in how many pairs of coming and leaving."""

    people: int
    present: int
    pairs: int


def open_desk(connection: Connection, now: datetime, actor: Actor, activity: str) -> None:
    """Begin signing in to an activity; begun already is as good. For `Ledger.operate`.

    Raises NotFound, NotAllowed, InvalidRequest (it ended, or it is not time yet).
    """
    row = activities.get(connection, activity)
    require(connection, actor, "record", row.station)
    if find(connection, activity) is not None:
        return
    check_open(row)
    if row.start is None or row.end is None:
        raise InvalidRequest("这个活动没有写明起止时间，不能扫码签到。请按签到表登记")
    here = now.astimezone(SHANGHAI).replace(tzinfo=None)
    if here < datetime.fromisoformat(row.start) - OPENS_BEFORE:
        raise InvalidRequest(f"活动 {row.start[5:10]} {row.start[11:]} 开始，提前两小时以内才能开始签到")
    if here >= datetime.fromisoformat(row.end):
        raise InvalidRequest("活动已经过了结束时间，不能再扫码签到。请按签到表登记")
    desk = {"activity": activity, "station": row.station, "planned_end": row.end, "account": actor.account, "opened_at": format_time(now)}
    insert_rows(connection, _DESK, [{**desk, "closed_at": None, "batch": None}])


def find(connection: Connection, activity: str) -> Any:
    """Give the desk of an activity; None if signing in never began."""
    return connection.execute(select(_DESK).where(_DESK.c.activity == activity)).one_or_none()


def visible(tx: ReadTransaction, actor: Actor, activity: str) -> tuple[Any, Any]:
    """Give an activity and its desk to somebody of its station. Raises NotFound, NotAllowed."""
    row = activities.get(tx.connection, activity)
    require(tx.connection, actor, "record", row.station)
    desk = find(tx.connection, activity)
    if desk is None:
        raise NotFound("这个活动还没有开始签到")
    return row, desk


def open_now(connection: Connection) -> list[Any]:
    """List the desks where people sign in now."""
    return list(connection.execute(select(_DESK).where(_DESK.c.closed_at.is_(None)).order_by(_DESK.c.opened_at)))


def showing(ledger: Ledger, volunteer: str, typed: str, address: str | None) -> str:
    """Find the activity whose screen shows a code now, as a volunteer typed it; guessing is slowed (throttling.py). Raises InvalidRequest."""
    blind = ledger.vault.blind
    tried = ledger.operate(lambda connection, now: throttling.admit_code(connection, now, blind, volunteer, address))
    if tried is None:
        raise InvalidRequest("输错的次数太多，请等一会儿再输；着急的话，把「我的码」给现场工作人员扫")
    with ledger.read() as tx:
        found = [one.activity for one in open_now(tx.connection) if codes.on_screen(blind, one.activity, typed, tx.now)]
    if len(found) != 1:
        raise InvalidRequest("没有这个码，或者已经过期。请照着屏幕上现在的 8 位码再输一次")
    ledger.operate(lambda connection, _now: throttling.succeeded(connection, tried))
    return str(found[0])


def counts(connection: Connection, activity: str) -> Counts:
    """Count who came."""
    columns = (func.count(_PRESENCE.c.volunteer.distinct()), func.count(), func.count(_PRESENCE.c.left_at))
    people, pairs, left = connection.execute(select(*columns).where(_PRESENCE.c.activity == activity)).one()
    return Counts(people, pairs - left, pairs)


def newest(connection: Connection, activity: str, limit: int) -> list[Any]:
    """List who came or left last."""
    moved = func.coalesce(_PRESENCE.c.left_at, _PRESENCE.c.came_at)
    return list(connection.execute(select(_PRESENCE).where(_PRESENCE.c.activity == activity).order_by(moved.desc()).limit(limit)))


def everyone(connection: Connection, activity: str) -> list[Any]:
    """List every time somebody came and left, in order of coming."""
    statement = select(_PRESENCE).where(_PRESENCE.c.activity == activity)
    return list(connection.execute(statement.order_by(_PRESENCE.c.came_at, _PRESENCE.c.volunteer, _PRESENCE.c.pair)))


def of_person(connection: Connection, activity: str, volunteer: str) -> list[Any]:
    """List the times one person came and left, in order."""
    statement = select(_PRESENCE).where(_PRESENCE.c.activity == activity, _PRESENCE.c.volunteer == volunteer)
    return list(connection.execute(statement.order_by(_PRESENCE.c.pair)))


def forgotten(connection: Connection, indexes: Iterable[int]) -> set[int]:
    """Name the records, of these, whose person forgot to sign out: their end is the activity's, not what anybody saw."""
    columns = [_PRESENCE.c.entry_index]
    rows = rows_where_in(connection, columns, _PRESENCE.c.entry_index, indexes, where="left_by = ?", said=("planned_end",))
    return {row.entry_index for row in rows}
