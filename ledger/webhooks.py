"""
Webhooks: addresses of other systems that are told of what enters the log. Who may register one, what it is told, and how far it has been told.

The rules this file alone keeps:

1. A receiver is told of entries in ledger order, each at least once: *next_index* moves past an entry only after the receiver took it, so a crash
   between tells it again. It can be put back to any index and is then told everything from there again.
2. Whoever registers one at a unit has it told of that unit and those below it, and of nothing else.
3. A message holds nothing of anybody: kind, index, station, leaf hash, time. The rest is asked for with a token.
4. A receiver's secret is derived from the blind-index key, its id and its generation. It is shown when it is made, is stored nowhere, and a
   new generation ends it.
5. A receiver that fails is asked again ever later (RETRY_FIRST doubled up to RETRY_MAX), for ever, and never holds up a write or another receiver.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, and_, or_, select

from ledger import stations
from ledger.addresses import check_url
from ledger.bulk import fetch, insert_rows
from ledger.entries import b64, format_time
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_number, parse_number
from ledger.kinds import CURRENT
from ledger.log import tree_head
from ledger.people.actors import Actor, below, reach, require
from ledger.people.vault import Vault
from ledger.store import Ledger
from ledger.tables import WebhookRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

PER_DEPLOYMENT_MAX = 50
RETRY_FIRST, RETRY_MAX = timedelta(seconds=30), timedelta(hours=1)
CLAIM = timedelta(minutes=2)
"""How long a process may be at a receiver before another takes it over; far longer than a round lasts."""
SECRET_PREFIX = "whsec_"  # noqa: S105 how Standard Webhooks spells a secret, not one
_HOOK = table(WebhookRow)


@dataclass(frozen=True)
class Webhook:
    """A receiver as lists show it. *kinds* empty: of every kind; *behind*: entries it has not been told of yet; times RFC 3339."""

    id: str
    url: str
    station: str | None
    kinds: list[str]
    created_at: str
    next_index: int
    behind: int
    failures: int
    next_attempt_at: str | None
    last_success_at: str | None
    last_failure_at: str | None
    last_error: str | None


@dataclass(frozen=True)
class Message:
    """One entry as a receiver is told of it: *id* is the entry's, the same at every attempt."""

    id: str
    index: int
    body: bytes


@dataclass(frozen=True)
class Claimed:
    """A receiver in this process's hands, until *claim*; what it is told of, from where."""

    id: str
    url: str
    secret: bytes
    stations: frozenset[str] | None
    kinds: frozenset[str]
    next_index: int
    failures: int
    claim: str


def register(tx: WriteTransaction, url: str, *, private: bool, station: str | None = None, kinds: Sequence[str] = ()) -> Webhook:
    """Register a receiver; it is told of what enters the log from now on. *private*: it may be in one's own network.

    Raises NotAllowed, NotFound (station), InvalidRequest (address, kinds, too many).
    """
    if station is not None:
        stations.get(tx.connection, station)
    tx.require("manage_webhooks", station)
    spelt = check_url(url, private=private)
    unknown = sorted(set(kinds) - CURRENT.keys())
    if unknown:
        raise InvalidRequest(f"没有「{unknown[0][:40]}」这种条目，可选的种类见接口说明")
    count = len(tx.connection.execute(select(_HOOK.c.id)).all())
    if count >= PER_DEPLOYMENT_MAX:
        raise InvalidRequest(f"已登记 {count} 个接收地址，最多 {PER_DEPLOYMENT_MAX} 个。请先删去不用的")
    row = {
        "id": new_number(),
        "url": spelt,
        "station": station,
        "kinds": " ".join(sorted(set(kinds))),
        "registered_by": tx.actor.account,
        "created_at": format_time(tx.now),
        "generation": 1,
        "next_index": tx.tree_size,
        "failures": 0,
    }
    insert_rows(tx.connection, _HOOK, [row])
    return _shown(_get(tx.connection, str(row["id"])), tx.tree_size)


def everyone(tx: ReadTransaction, actor: Actor) -> list[Webhook]:
    """List the receivers that an actor looks after, in order of their registration. Raises NotAllowed."""
    rows = tx.connection.execute(select(_HOOK).order_by(_HOOK.c.created_at, _HOOK.c.id)).all()
    size = tree_head(tx.connection).size
    if not actor.may("manage_webhooks"):
        raise NotAllowed("您的账号没有管理接收地址的权限")
    within = reach(tx.connection, actor, "manage_webhooks")
    return [_shown(row, size) for row in rows if within is None or row.station in within]


def get(tx: ReadTransaction, actor: Actor, webhook: str) -> Webhook:
    """Give one receiver. Raises NotFound, NotAllowed."""
    row = _get(tx.connection, parse_number(webhook))
    require(tx.connection, actor, "manage_webhooks", row.station)
    return _shown(row, tree_head(tx.connection).size)


def replay(tx: WriteTransaction, webhook: str, index: int) -> Webhook:
    """Tell a receiver everything from an index on again, beginning at once. Raises NotFound, NotAllowed, InvalidRequest."""
    row = _mine(tx, webhook)
    if not 0 <= index <= tx.tree_size:
        raise InvalidRequest(f"账本目前有 {tx.tree_size} 条，请给出 0 到 {tx.tree_size} 之间的序号")
    # The claim goes too: whoever is at it finds that its round is over, and cannot move *next_index* on.
    _update(tx.connection, row.id, next_index=index, failures=0, next_attempt_at=None, claim=None)
    return _shown(_get(tx.connection, row.id), tx.tree_size)


def renew_secret(tx: WriteTransaction, webhook: str) -> Webhook:
    """Give a receiver a new secret; the old one signs nothing any more. Raises NotFound, NotAllowed."""
    row = _mine(tx, webhook)
    _update(tx.connection, row.id, generation=row.generation + 1, next_attempt_at=None)
    return _shown(_get(tx.connection, row.id), tx.tree_size)


def remove(tx: WriteTransaction, webhook: str) -> None:
    """Tell a receiver nothing any more. Raises NotFound, NotAllowed."""
    tx.connection.execute(_HOOK.delete().where(_HOOK.c.id == _mine(tx, webhook).id))


def secret(tx: ReadTransaction, webhook: str) -> str:
    """Give a receiver's secret as its library reads it (whsec_…), for the one answer in which it is shown. Raises NotFound."""
    row = _get(tx.connection, webhook)
    return SECRET_PREFIX + b64encode(_secret(tx.vault, row.id, row.generation)).decode()


# --- for whoever delivers


def due(ledger: Ledger) -> bool:
    """Tell whether there is anything to deliver now."""
    with ledger.read() as tx:
        return bool(tx.connection.execute(select(_HOOK.c.id).where(_is_due(tx.connection, tx.now)).limit(1)).all())


def claim(ledger: Ledger) -> list[Claimed]:
    """Take the receivers whose turn it is into this process's hands."""

    def take(connection: Connection, now: datetime) -> list[Claimed]:
        until, found = format_time(now + CLAIM), []
        for row in connection.execute(select(_HOOK).where(_is_due(connection, now)).order_by(_HOOK.c.id)).all():
            _update(connection, row.id, claim=until)
            within = frozenset(below(connection, row.station)) if row.station else None
            key, kinds = _secret(ledger.vault, row.id, row.generation), frozenset(row.kinds.split())
            found.append(Claimed(row.id, row.url, key, within, kinds, row.next_index, row.failures, until))
        return found

    return ledger.operate(take)


def pending(tx: ReadTransaction, hook: Claimed, start: int, limit: int) -> tuple[list[Message], int]:
    """Give the messages among the *limit* entries from *start* on, and the index after the last entry looked at."""
    mark = "%s" if tx.connection.dialect.name == "postgresql" else "?"
    asked = f'SELECT "index", leaf, body FROM entry WHERE "index" >= {mark} ORDER BY "index" LIMIT {mark}'  # noqa: S608 two marks
    found, after = [], start
    for row in fetch(tx.connection, asked, (start, limit)):
        after = row.index + 1
        said = orjson.loads(bytes(row.body))
        station = said["body"].get("station")
        if (hook.stations is None or station in hook.stations) and (not hook.kinds or said["kind"] in hook.kinds):
            told = {"index": row.index, "id": said["id"], "kind": said["kind"], "leaf": b64(bytes(row.leaf))}
            told |= {"station": station} if station else {}
            message = {"type": said["kind"], "timestamp": said["recorded_at"], "data": told}
            found.append(Message(said["id"], row.index, orjson.dumps(message)))
    return found, after


def report(ledger: Ledger, hook: Claimed, next_index: int, *, delivered: bool, error: str | None, over: bool) -> bool:
    """Say how far a receiver has been told, why not further, and whether the round is *over*. False: it is in another's hands."""

    def note(connection: Connection, now: datetime) -> bool:
        said: dict[str, Any] = {"next_index": next_index}
        if delivered:
            said |= {"last_success_at": format_time(now), "failures": 0, "next_attempt_at": None}
        if over:
            said |= {"claim": None}
        if error is not None:
            failures = 1 if delivered else hook.failures + 1
            wait = min(RETRY_FIRST * 2 ** min(failures - 1, 16), RETRY_MAX)
            said |= {
                "failures": failures,
                "next_attempt_at": format_time(now + wait),
                "last_failure_at": format_time(now),
                "last_error": error,
            }
        ours = and_(_HOOK.c.id == hook.id, _HOOK.c.claim == hook.claim)
        return bool(connection.execute(_HOOK.update().where(ours).values(**said)).rowcount)

    return ledger.operate(note)


def _secret(vault: Vault, webhook: str, generation: int) -> bytes:
    return vault.blind("webhook", f"{webhook}/{generation}")


def _is_due(connection: Connection, now: datetime) -> Any:
    at = format_time(now)
    return and_(
        _HOOK.c.next_index < tree_head(connection).size,
        or_(_HOOK.c.next_attempt_at.is_(None), _HOOK.c.next_attempt_at <= at),
        or_(_HOOK.c.claim.is_(None), _HOOK.c.claim <= at),
    )


def _mine(tx: WriteTransaction, webhook: str) -> Any:
    row = _get(tx.connection, parse_number(webhook))
    tx.require("manage_webhooks", row.station)
    return row


def _get(connection: Connection, webhook: str) -> Any:
    row = connection.execute(select(_HOOK).where(_HOOK.c.id == webhook)).one_or_none()
    if row is None:
        raise NotFound("没有这个编号的接收地址，它可能已经删去")
    return row


def _shown(row: Any, size: int) -> Webhook:
    said = {name: getattr(row, name) for name in ("id", "url", "station", "created_at", "next_index", "failures")}
    times = {name: getattr(row, name) for name in ("next_attempt_at", "last_success_at", "last_failure_at", "last_error")}
    return Webhook(kinds=row.kinds.split(), behind=max(size - row.next_index, 0), **said, **times)


def _update(connection: Connection, webhook: str, **values: Any) -> None:
    connection.execute(_HOOK.update().where(_HOOK.c.id == webhook).values(**values))
