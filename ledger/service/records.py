"""Reading service records as they stand: by index, by batch, those that wait; and the one rule of what counts on a day."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from ledger.bulk import rows_where_in
from ledger.entries import decode
from ledger.errors import NotFound
from ledger.kinds import Body
from ledger.tables import EntryRow, ServiceRow, table

_SERVICE, _ENTRY = table(ServiceRow), table(EntryRow)


def rows_of(connection: Connection, indexes: Sequence[int]) -> list[Any]:
    """Give the rows of these records, in order. Raises NotFound naming one that is not there."""
    rows = sorted(rows_where_in(connection, _SERVICE.c, _SERVICE.c.entry_index, indexes), key=lambda row: row.entry_index)
    missing = set(indexes) - {row.entry_index for row in rows}
    if missing:
        raise NotFound(f"第 {min(missing)} 条不是服务记录")
    return rows


def as_recorded(connection: Connection, indexes: Sequence[int]) -> dict[int, Body]:
    """Give the bodies of records as they were first said: what a correction is compared with."""
    rows = rows_where_in(connection, (_ENTRY.c.index, _ENTRY.c.body), _ENTRY.c.index, indexes)
    return {row.index: decode(bytes(row.body)).body for row in rows}


def waiting(connection: Connection, station_codes: Sequence[str]) -> list[Any]:
    """List services that wait for approval at stations, oldest first."""
    statement = select(_SERVICE).where(_SERVICE.c.status == "recorded", _SERVICE.c.station.in_(station_codes))
    return list(connection.execute(statement.order_by(_SERVICE.c.entry_index)))


def in_batch(connection: Connection, batch: str) -> list[Any]:
    """List the services of one batch, in order."""
    return list(connection.execute(select(_SERVICE).where(_SERVICE.c.batch == batch).order_by(_SERVICE.c.entry_index)))


def counts_on(row: Any, day: date) -> bool:
    """Tell whether a record counts on a day: approved, its publicity over, and not frozen by an objection."""
    return bool(row.status == "approved" and row.effective_on <= day.isoformat() and not row.frozen)


def counting(today: str, *, by_day: bool = True) -> ColumnElement[bool]:
    """Ask of the service table what `counts_on` asks of a row. by_day False: not by the index of days, which is slower where most records are read."""
    day = _SERVICE.c.effective_on if by_day else func.coalesce(_SERVICE.c.effective_on, "9999")
    return and_(_SERVICE.c.status == "approved", day <= today, _SERVICE.c.frozen == 0)


def state_on(row: Any, day: date) -> str:
    """Say how a record stands on a day: voided, contested (frozen by an objection), waiting, publicity or counted."""
    if row.status == "voided":
        return "voided"
    if row.frozen:
        return "contested"
    if row.status == "recorded":
        return "waiting"
    return "counted" if counts_on(row, day) else "publicity"


def said_by(row: Any) -> frozenset[str]:
    """Give the accounts whose word a record is: who recorded it, who signed it second, who corrected it last."""
    return frozenset(account for account in (row.recorder, row.second, row.corrected_by) if account)
