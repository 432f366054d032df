"""
Calendars: what stands between two days at stations, and each station's feed for other calendars (iCalendar, RFC 5545).

A feed holds what is public anyway: what, when, where, whether it was called off; nobody's name, account or number. Its address is a secret that the
station hands to whom it likes (a keyed digest over the station and a count), and a new address makes the old one worthless.
"""

import hmac
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ledger import stations
from ledger.bulk import upsert_rows
from ledger.codes import SERIES
from ledger.entries import SHANGHAI
from ledger.errors import NotFound
from ledger.people.actors import Actor, require
from ledger.people.vault import Vault
from ledger.tables import ActivityRow, CalendarRow, table
from ledger.transactions import ReadTransaction

FEED_FROM = timedelta(days=60)
"""How far back a feed goes."""
FEED_MAX = 1_000
_LINE_BYTES = 75
_ACTIVITY, _CALENDAR = table(ActivityRow), table(CalendarRow)


def between(connection: Connection, codes: Sequence[str], first: date, last: date) -> list[Any]:
    """List the activities of stations that begin on the days from first to last, in order of time."""
    statement = select(_ACTIVITY).where(
        _ACTIVITY.c.station.in_(codes), _ACTIVITY.c.start >= first.isoformat(), _ACTIVITY.c.start < f"{last.isoformat()}T24"
    )
    return list(connection.execute(statement.order_by(_ACTIVITY.c.start, _ACTIVITY.c.entry_index)))


# --- the secret address


def token(tx: ReadTransaction, station: str) -> str:
    """Give the last part of the address of a station's feed."""
    return _token(tx.vault, station, _generation(tx.connection, station))


def renew(connection: Connection, _now: datetime, actor: Actor, station: str) -> None:
    """Give a station's feed a new address; the old one shows nothing any more. For `Ledger.operate`. Raises NotFound, NotAllowed."""
    stations.get(connection, station)
    require(connection, actor, "record", station)
    upsert_rows(connection, _CALENDAR, [{"station": station, "generation": _generation(connection, station) + 1}])


def station_of(tx: ReadTransaction, said: str) -> Any:
    """Give the station whose feed is at an address. Raises NotFound."""
    code = said.partition(".")[0]
    row = stations.find(tx.connection, code)
    if row is None or not hmac.compare_digest(said.encode(), token(tx, code).encode()):
        raise NotFound("没有这个日历地址，可能已经换了新的。请向站点要新的地址")
    return row


def _generation(connection: Connection, station: str) -> int:
    found = connection.execute(select(_CALENDAR.c.generation).where(_CALENDAR.c.station == station)).scalar_one_or_none()
    return found or 1


def _token(vault: Vault, station: str, generation: int) -> str:
    return f"{station}.{vault.blind('calendar', f'{station}/{generation}').hex()[:32]}"


# --- the feed


def feed(tx: ReadTransaction, station: Any, origin: str) -> str:
    """Write a station's activities as iCalendar text. *origin*: what makes their ids the world's own."""
    statement = select(_ACTIVITY).where(
        _ACTIVITY.c.station == station.code,
        _ACTIVITY.c.declared.is_not(None),
        _ACTIVITY.c.start >= (tx.today - FEED_FROM).isoformat(),
    )
    rows = tx.connection.execute(statement.order_by(_ACTIVITY.c.start).limit(FEED_MAX))
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//shouwang//activities//ZH",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_said(station.name)}",
    ]
    stamp = tx.now.astimezone(UTC)
    for row in rows:
        lines += _event(row, stamp, origin)
    return "".join(_folded(line) + "\r\n" for line in [*lines, "END:VCALENDAR"])


def _event(row: Any, stamp: datetime, origin: str) -> list[str]:
    cancelled = row.ended_as == "cancelled"
    return [
        "BEGIN:VEVENT",
        f"UID:{row.id}@{origin.partition('/')[0]}",
        f"DTSTAMP:{_instant(stamp)}",
        f"DTSTART:{_instant(_local(row.start))}",
        f"DTEND:{_instant(_local(row.end))}",
        f"SUMMARY:{_said(('（已取消）' if cancelled else '') + row.title)}",
        *([f"LOCATION:{_said(row.place)}"] if row.place else []),
        f"CATEGORIES:{_said(SERIES[row.series])}",
        f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}",
        f"SEQUENCE:{1 if cancelled else 0}",
        "END:VEVENT",
    ]


def _local(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=SHANGHAI)


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _said(text: str) -> str:
    """Spell text as a value (RFC 5545, section 3.3.11)."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Fold a line after 75 bytes, between characters (section 3.1)."""
    parts, room = [""], _LINE_BYTES
    for character in line:
        size = len(character.encode())
        if size > room:
            parts.append("")
            room = _LINE_BYTES - 1
        parts[-1] += character
        room -= size
    return "\r\n ".join(parts)
