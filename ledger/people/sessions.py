"""
Sessions: browsers that are signed in.

A browser holds 32 random bytes; only their SHA-256 is kept. Looking one up is a single indexed read. Rules kept here alone:

1. A session of staff ends 30 minutes after its last use, one of a recorder and nothing more after 4 hours (a desk with sheets to type, whose work somebody
   else approves), and both 12 hours after they began; a volunteer's after 30 days. The time of last use is noted at most once a minute.
2. It ends at once when somebody ends it, when the account is disabled, gets a new password or a one-time code. An ended session is gone: whoever
   copied the cookie holds nothing.
3. A session for which something is missing yet (*waits_for*: second_factor, enrolment) opens nothing but the page for that; when it is there, the
   session is replaced by one with a new secret.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ledger.entries import format_time
from ledger.people import grants
from ledger.people.actors import Actor
from ledger.tables import AccountRow, RoleGrantRow, SessionRow, table

STAFF_IDLE = timedelta(minutes=30)
RECORDER_IDLE = timedelta(hours=4)
STAFF_LIFETIME = timedelta(hours=12)
VOLUNTEER_LIFETIME = timedelta(days=30)
NOTED_EVERY = timedelta(minutes=1)
BROWSER_MAX = 40

_SESSION, _ACCOUNT, _GRANT = table(SessionRow), table(AccountRow), table(RoleGrantRow)
_FOUND = (
    select(_SESSION, _ACCOUNT.c.login, _ACCOUNT.c.volunteer, _ACCOUNT.c.must_change, _ACCOUNT.c.disabled, _GRANT.c.role, _GRANT.c.station)
    .select_from(_SESSION.join(_ACCOUNT, _SESSION.c.account == _ACCOUNT.c.id).outerjoin(_GRANT, _GRANT.c.account == _ACCOUNT.c.id))
    .where(_SESSION.c.digest == bindparam("digest"))
)
"""Asked at every request, so that it is put together once."""


@dataclass(frozen=True)
class Session:
    """Somebody signed in: who acts, what to call them, what has to be done first. *secret*: only where it has just begun.

    means: password or oidc; must_change: the password is a one-time code; waits_for: second_factor, enrolment or nothing.
    """

    id: str
    actor: Actor
    login: str
    means: str
    must_change: bool
    waits_for: str = ""
    secret: str = ""


@dataclass(frozen=True)
class Listed:
    """A session as its owner sees it."""

    id: str
    browser: str
    means: str
    begun_at: str
    last_used_at: str


def begin(connection: Connection, now: datetime, account: Any, *, means: str, browser: str = "", waits_for: str = "") -> Session:
    """Begin a session for a row of the account table."""
    secret = secrets.token_urlsafe(32)
    ends = now + (VOLUNTEER_LIFETIME if account.volunteer else STAFF_LIFETIME)
    said = {"account": account.id, "means": means, "waits_for": waits_for, "browser": browser[:BROWSER_MAX]}
    times = {"begun_at": format_time(now), "last_used_at": format_time(now), "ends_at": format_time(ends)}
    connection.execute(_SESSION.delete().where(_SESSION.c.ends_at <= format_time(now)))
    connection.execute(_SESSION.insert(), [{"digest": _digest(secret), **said, **times}])
    actor = grants.actor_of(account.id, account.volunteer, grants.held_by(connection, account.id))
    return Session(_id(_digest(secret)), actor, account.login, means, means == "password" and bool(account.must_change), waits_for, secret)


def look_up(connection: Connection, now: datetime, secret: str) -> tuple[Session, bool] | None:
    """Say who is behind a secret, and whether its last use should be noted; None when it opens nothing any more."""
    rows = connection.execute(_FOUND, {"digest": _digest(secret)}).all()
    if not rows or rows[0].disabled:
        return None
    row = rows[0]
    actor = grants.actor_of(row.account, row.volunteer, grants.ordered([held for held in rows if held.role]))
    if not _alive(row, idle(actor), now):
        return None
    found = Session(_id(row.digest), actor, row.login, row.means, row.means == "password" and bool(row.must_change), row.waits_for)
    return found, now - datetime.fromisoformat(row.last_used_at) >= NOTED_EVERY


def idle(actor: Actor) -> timedelta:
    """Say how long a session of somebody's may lie unused."""
    if actor.volunteer:
        return VOLUNTEER_LIFETIME
    return RECORDER_IDLE if actor.roles <= {"recorder"} else STAFF_IDLE


def _alive(row: Any, unused: timedelta, now: datetime) -> bool:
    return now < min(datetime.fromisoformat(row.ends_at), datetime.fromisoformat(row.last_used_at) + unused)


def note_use(connection: Connection, now: datetime, secret: str) -> None:
    """Note that a session was used now."""
    connection.execute(_SESSION.update().where(_SESSION.c.digest == _digest(secret)).values(last_used_at=format_time(now)))


def of_account(connection: Connection, now: datetime, account: Any) -> list[Listed]:
    """List the sessions of a row of the account table that are still good, the newest use first."""
    rows = connection.execute(select(_SESSION).where(_SESSION.c.account == account.id).order_by(_SESSION.c.last_used_at.desc())).all()
    unused = idle(grants.actor_of(account.id, account.volunteer, grants.held_by(connection, account.id)))
    good = [row for row in rows if _alive(row, unused, now)]
    return [Listed(_id(r.digest), r.browser, r.means, r.begun_at, r.last_used_at) for r in good if not r.waits_for]


def end(connection: Connection, account: str, session: str) -> bool:
    """End one session of an account by the id that lists show; False when there is none."""
    for row in connection.execute(select(_SESSION.c.digest).where(_SESSION.c.account == account)).all():
        if _id(row.digest) == session:
            connection.execute(_SESSION.delete().where(_SESSION.c.digest == row.digest))
            return True
    return False


def end_all(connection: Connection, account: str, *, but: str = "") -> None:
    """End every session of an account (but the one with an id)."""
    for row in connection.execute(select(_SESSION.c.digest).where(_SESSION.c.account == account)).all():
        if _id(row.digest) != but:
            connection.execute(_SESSION.delete().where(_SESSION.c.digest == row.digest))


def end_everybodys(connection: Connection) -> None:
    """End every session there is: a database put back from a backup knows some that were ended since."""
    connection.execute(_SESSION.delete())


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _id(digest: bytes) -> str:
    return bytes(digest).hex()[:16]
