"""
Notices: what people are told about what happened to their records, or what waits for them, in an inbox of their own.

The rules this file alone keeps:

1. A notice is written in the transaction of the deed it tells of: neither is there without the other. Notices are not facts; the log does not hold them.
2. A notice holds a code for what happened and what it is about (codes, days, minutes, entry numbers): no names, no numbers of papers or phones. The
   words are made when it is shown.
3. Everybody has the inbox. Messages to the phone go only to who asked for them (messages.py).
4. Notices are kept for a year after they were told.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection, func, select

from ledger.bulk import insert_rows, rows_where_in
from ledger.entries import format_time
from ledger.errors import InvalidRequest
from ledger.ids import new_entry_id
from ledger.kinds.checks import holds_personal_number, uuid
from ledger.log import Receipt
from ledger.people.actors import Actor, Grant, ancestry
from ledger.tables import AccountRow, MessageRow, MessageWishRow, NoticeRow, RoleGrantRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

About = dict[str, str | int]
News = tuple[str | None, str, About]
"""Something that the staff of a station are to be told: the station (None: the whole district), what happened, about what."""

KEPT = timedelta(days=365)
SHOWN = 100
"""How many notices one page of an inbox shows."""
TEXT_MAX = 200

_WHAT = re.compile(r"[a-z_]+(\.[a-z_]+)?")
_NOTICE, _WISH, _MESSAGE = table(NoticeRow), table(MessageWishRow), table(MessageRow)
_ACCOUNT, _GRANT, _VOLUNTEER = table(AccountRow), table(RoleGrantRow), table(VolunteerRow)


@dataclass(frozen=True)
class Telling:
    """Something to be told: to whom (person/<number> or an account's id), what happened, about what."""

    recipient: str
    what: str
    about: About


@dataclass(frozen=True)
class Notice:
    """A notice as it lies in an inbox."""

    id: str
    what: str
    about: About
    told_at: str
    unread: bool


def tell(tx: WriteTransaction, recipient: str, what: str, about: About) -> None:
    """Put a notice into somebody's inbox. *recipient*: person/<volunteer number> or an account's id; *about*: codes and entry numbers only."""
    tell_many(tx, [Telling(recipient, what, about)])


def tell_many(tx: WriteTransaction, tellings: Sequence[Telling]) -> None:
    """Put many notices into inboxes at once, and messages on their way to those who want them. Raises InvalidRequest for personal numbers."""
    put(tx.connection, tx.now, tellings)


def put(connection: Connection, now: datetime, tellings: Sequence[Telling]) -> None:
    """Tell many, where the deed is no write of the ledger's (codes, passwords). Raises as `tell_many`."""
    rows = [
        {
            "id": new_entry_id(),
            "recipient": telling.recipient,
            "what": _checked(telling),
            "about": orjson.dumps(telling.about).decode(),
            "told_at": format_time(now),
            "read_at": None,
        }
        for telling in tellings
    ]
    insert_rows(connection, _NOTICE, rows)
    wished = {row.recipient: row.channel for row in rows_where_in(connection, _WISH.c, _WISH.c.recipient, {r["recipient"] for r in rows})}
    waiting = {
        "state": "waiting",
        "attempts": 0,
        "next_attempt_at": format_time(now),
        "claim": None,
        "last_error": None,
        "settled_at": None,
    }
    sent = [
        {"notice": row["id"], "recipient": row["recipient"], "channel": wished[str(row["recipient"])], **waiting}
        for row in rows
        if row["recipient"] in wished
    ]
    insert_rows(connection, _MESSAGE, sent)


def tell_everybody(tx: WriteTransaction, what: str, about: About) -> None:
    """Tell all who may sign in, staff and volunteers; never the one who acts."""
    asked = select(_ACCOUNT.c.id, _ACCOUNT.c.volunteer).where(_ACCOUNT.c.disabled == 0, _ACCOUNT.c.id != tx.actor.account)
    told = [Telling(f"person/{row.volunteer}" if row.volunteer else row.id, what, about) for row in tx.connection.execute(asked)]
    tell_many(tx, told)


def tell_staff(tx: WriteTransaction, action: str, station: str | None, what: str, about: About) -> None:
    """Tell whoever may do something at a station (None: in the whole district), as near to it as there is anybody; never the one who acts."""
    tell_desks(tx, action, [(station, what, about)])


def tell_desks(tx: WriteTransaction, action: str, news: Sequence[News]) -> None:
    """Tell the staff of many stations at once, each as `tell_staff` does."""
    able = desks(tx.connection, action, {station for station, _, _ in news})
    tell_many(tx, [Telling(one, what, about) for station, what, about in news for one in able[station] if one != tx.actor.account])


def tell_recorded(tx: WriteTransaction, receipts: Sequence[tuple[Receipt, str, int]]) -> None:
    """Tell people that a service of theirs was recorded: entry, volunteer number, minutes. Only those who ever sign in, for there are many."""
    told = [
        Telling("person/" + volunteer, "service.recorded", {"service": receipt.index, "minutes": minutes})
        for receipt, volunteer, minutes in receipts
    ]
    tell_readers(tx, told)


def tell_readers(tx: WriteTransaction, tellings: Sequence[Telling]) -> None:
    """Tell those of many volunteers who ever sign in."""
    people = {telling.recipient.removeprefix("person/") for telling in tellings}
    columns = [_ACCOUNT.c.volunteer]
    reading = (
        {"person/" + row.volunteer for row in rows_where_in(tx.connection, columns, _ACCOUNT.c.volunteer, people)} if people else set()
    )
    if told := [telling for telling in tellings if telling.recipient in reading]:
        tell_many(tx, told)


def desks(connection: Connection, action: str, stations: Iterable[str | None]) -> dict[str | None, list[str]]:
    """Give the accounts that may do something at each station by a role at the nearest unit, the station itself or above it, where anybody may."""
    asked = select(_GRANT).join_from(_GRANT, _ACCOUNT, _GRANT.c.account == _ACCOUNT.c.id).where(_ACCOUNT.c.disabled == 0)
    able: dict[str | None, set[str]] = {}
    for row in connection.execute(asked):
        if Grant(row.role, row.station).allows(action):
            able.setdefault(row.station, set()).add(row.account)
    above = {station: [*(ancestry(connection, station) if station else []), None] for station in stations}
    return {station: next((sorted(able[place]) for place in places if place in able), []) for station, places in above.items()}


def recipient_of(connection: Connection, actor: Actor) -> str:
    """Say under what name an actor is told things: a volunteer under the number they have now."""
    if actor.volunteer is None:
        return actor.account
    rows = rows_where_in(connection, [_VOLUNTEER.c.merged_into], _VOLUNTEER.c.number, [actor.volunteer])
    return "person/" + ((rows[0].merged_into if rows else None) or actor.volunteer)


def inbox(tx: ReadTransaction, recipient: str) -> list[Notice]:
    """List somebody's newest notices, newest first."""
    rows = tx.connection.execute(select(_NOTICE).where(_NOTICE.c.recipient == recipient).order_by(_NOTICE.c.id.desc()).limit(SHOWN))
    return [Notice(row.id, row.what, orjson.loads(row.about), row.told_at, row.read_at is None) for row in rows]


def unread(connection: Connection, recipient: str) -> int:
    """Count the notices that somebody has not read."""
    asked = select(func.count()).where(_NOTICE.c.recipient == recipient, _NOTICE.c.read_at.is_(None))
    return int(connection.execute(asked).scalar_one())


def mark_read(connection: Connection, now: datetime, recipient: str, ids: Iterable[str] | None = None) -> int:
    """Note that somebody has read their notices (all, or those with these ids). Returns how many were new to them."""
    mine = (_NOTICE.c.recipient == recipient) & _NOTICE.c.read_at.is_(None)
    if ids is not None:
        mine &= _NOTICE.c.id.in_(list(ids)[:SHOWN])
    return connection.execute(_NOTICE.update().where(mine).values(read_at=format_time(now))).rowcount


def forget(connection: Connection, now: datetime) -> int:
    """Drop the notices that are older than they are kept, and what is known of their messages. Returns how many notices there were."""
    old = select(_NOTICE.c.id).where(_NOTICE.c.told_at < format_time(now - KEPT))
    connection.execute(_MESSAGE.delete().where(_MESSAGE.c.notice.in_(old)))
    return connection.execute(_NOTICE.delete().where(_NOTICE.c.told_at < format_time(now - KEPT))).rowcount


def _checked(telling: Telling) -> str:
    """Give what is told, fit to be kept. Raises InvalidRequest."""
    words = [value for value in telling.about.values() if isinstance(value, str) and not uuid(value)]
    if not _WHAT.fullmatch(telling.what) or any(len(word) > TEXT_MAX or holds_personal_number(word) for word in words):
        raise InvalidRequest(f"通知「{telling.what[:40]}」里有手机号、证件号，或文字过长，不能保存")
    return telling.what
