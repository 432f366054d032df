"""
Guessing is slowed, and nobody can use that to lock others out.

Every try is counted before it is judged, so that many at once are worth no more than one after another; what turns out right is taken back.
Counters stand in the database, under keyed digests: they survive a restart and keep no name and no address. This file alone keeps the rules:

1. By name: after 5 failures the next try waits a minute, then 2, 4, 8, at most 15. So too by account for what is asked beyond the password.
2. By client address (IPv6: its /64): 60 failures an hour, so that one password tried over many names is slowed as well. While the whole
   deployment sees more than 600 failures an hour, an address has 6. Addresses of this machine (a proxy that does not say for whom) are not counted.
3. A browser that has signed in to an account before holds a device token for it: its tries count by themselves, as in 1, and neither strangers
   who try the same name nor a busy address or deployment stand in its way (the scheme is known as device cookies).
4. A code typed by somebody who is signed in (a station's screen) counts against that person as in 1, and against the address, which an event's crowd
   may share: from 60 failures an hour on, everybody behind it has 1 failure of their own before they wait, and nobody none.
"""

import hmac
import ipaddress
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ledger.bulk import upsert_rows
from ledger.entries import format_time
from ledger.tables import FailedSignInRow, table

FREE_FAILURES = 5
WAIT_MINUTES_MAX = 15
FORGET_AFTER = timedelta(days=1)
"""What was not tried for this long starts anew."""
WINDOW = timedelta(hours=1)
ADDRESS_FAILURES_MAX = 60
ALARM_FAILURES = 600
ADDRESS_FAILURES_ALARMED = 6

_FAILED = table(FailedSignInRow)

Blind = Callable[[str, str], bytes]
"""Gives the keyed digest of a value in a field."""


@dataclass(frozen=True)
class Client:
    """From where somebody tries: network address, device tokens its browser holds, and what to call the browser in a list."""

    address: str | None = None
    devices: tuple[str, ...] = ()
    browser: str = ""


@dataclass(frozen=True)
class Try:
    """A try that was let through: the counters to clear, and those to count down, when it turns out right."""

    clear: bytes
    lower: tuple[bytes, ...]


def wait_minutes(failures: int, free: int = FREE_FAILURES) -> int:
    """Say how long after so many failures the next try has to wait: 0 below those that are free, then 1, 2, 4, 8, then always 15."""
    return min(1 << min(failures - free, 4), WAIT_MINUTES_MAX) if failures >= free else 0


def admit(connection: Connection, now: datetime, blind: Blind, name: str, account: str | None, client: Client) -> Try | None:
    """Count a try for a name (whose account may be known) as failed, or give None when it comes too early, which is not counted."""
    forget(connection, now)
    device = _own_device(blind, account, client.devices)
    if device is not None:
        digest = blind("device", device)
        return Try(digest, ()) if count(connection, digest, "device", now) else None
    everyone = blind("tries", "everyone")
    shared: tuple[bytes, ...] = ()
    if (block := _block(client.address)) is not None:
        address = blind("address", block)
        most = ADDRESS_FAILURES_ALARMED if _in_window(connection, everyone, now) > ALARM_FAILURES else ADDRESS_FAILURES_MAX
        if _in_window(connection, address, now) >= most:
            return None
        shared = (address, everyone)
    if not count(connection, blind("login", name), "name", now):
        return None
    for digest, kind in zip(shared, ("address", "everyone"), strict=False):
        _count_in_window(connection, digest, kind, now)
    return Try(blind("login", name), shared)


def admit_code(connection: Connection, now: datetime, blind: Blind, volunteer: str, address: str | None) -> Try | None:
    """Count a code typed by a volunteer as wrong before it is looked at, or give None when it comes too early, which is not counted."""
    forget(connection, now)
    block, own = _block(address), blind("typed-code", volunteer)
    shared = (blind("typed-code-address", block),) if block is not None else ()
    busy = any(_in_window(connection, digest, now) >= ADDRESS_FAILURES_MAX for digest in shared)
    if not count(connection, own, "code", now, 1 if busy else FREE_FAILURES):
        return None
    for digest in shared:
        _count_in_window(connection, digest, "code_address", now)
    return Try(own, shared)


def succeeded(connection: Connection, tried: Try) -> None:
    """Take back what was counted for a try that turned out right."""
    connection.execute(_FAILED.delete().where(_FAILED.c.digest == tried.clear))
    lower = _FAILED.update().where(_FAILED.c.digest.in_(tried.lower), _FAILED.c.failures > 0)
    connection.execute(lower.values(failures=_FAILED.c.failures - 1))


def count(connection: Connection, digest: bytes, kind: str, now: datetime, free: int = FREE_FAILURES) -> bool:
    """Count a try as failed before it is judged; False when it comes too early, which is not counted. *free*: failures without a wait."""
    row = _row(connection, digest)
    failures = row.failures if row else 0
    if row and now < datetime.fromisoformat(row.last_at) + timedelta(minutes=wait_minutes(failures, free)):
        return False
    _store(connection, digest, kind, failures + 1, datetime.fromisoformat(row.since_at) if row else now, now)
    return True


def clear(connection: Connection, digest: bytes) -> None:
    """Let a counter begin anew."""
    connection.execute(_FAILED.delete().where(_FAILED.c.digest == digest))


def forget(connection: Connection, now: datetime) -> None:
    """Drop the counters of what was not tried for a day."""
    connection.execute(_FAILED.delete().where(_FAILED.c.last_at < format_time(now - FORGET_AFTER)))


def _in_window(connection: Connection, digest: bytes, now: datetime) -> int:
    row = _row(connection, digest)
    return int(row.failures) if row and now < datetime.fromisoformat(row.since_at) + WINDOW else 0


def _count_in_window(connection: Connection, digest: bytes, kind: str, now: datetime) -> None:
    row = _row(connection, digest)
    since = datetime.fromisoformat(row.since_at) if row else now
    going_on = row is not None and now < since + WINDOW
    _store(connection, digest, kind, row.failures + 1 if going_on else 1, since if going_on else now, now)


def _row(connection: Connection, digest: bytes) -> Any:
    return connection.execute(select(_FAILED).where(_FAILED.c.digest == digest)).one_or_none()


def _store(connection: Connection, digest: bytes, kind: str, failures: int, since: datetime, now: datetime) -> None:
    said = {"kind": kind, "failures": failures, "since_at": format_time(since), "last_at": format_time(now)}
    upsert_rows(connection, _FAILED, [{"digest": digest, **said}])


def _block(address: str | None) -> str | None:
    """Give what counts as one client: an IPv4 address, an IPv6 /64; None for this machine's own and for what is no address."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if found.is_loopback:
        return None
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


# --- device tokens: ACCOUNT.NONCE.MAC, the MAC being the keyed digest of the rest


def device_token(blind: Blind, account: str) -> str:
    """Make the token that a browser keeps once somebody has signed in with it."""
    said = f"{account}.{secrets.token_hex(8)}"
    return f"{said}.{blind('device-token', said).hex()}"


def _own_device(blind: Blind, account: str | None, devices: Iterable[str]) -> str | None:
    """Find among a browser's device tokens the true one of an account."""
    for token in devices:
        said, _, mac = token.rpartition(".")
        if account and said.partition(".")[0] == account and hmac.compare_digest(mac.encode(), blind("device-token", said).hex().encode()):
            return said
    return None
