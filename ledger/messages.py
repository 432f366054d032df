"""
Messages: notices sent to the phones of those who asked for that, through a gateway (gateways.py), and how each fared.

The rules this file alone keeps:

1. Nobody gets messages without having asked; whoever stops them gets none from then on, not even those on their way.
2. A message says what its reader knows already: a template's code, hours, a day, the entry's number. No name, no station, no number of any paper.
3. A message that did not go out is tried again ever later (RETRY_FIRST doubled), ATTEMPTS_MAX times in all, and is then given up; the inbox has it anyway.
4. Sending takes seconds and happens outside any transaction; a message is claimed first, so that two processes do not both send it. After a crash it may
   be sent once more, under the same id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, or_, select

from ledger.bulk import rows_where_in, upsert_rows
from ledger.entries import format_time
from ledger.errors import InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.gateways import Gateway
from ledger.notices import recipient_of
from ledger.people import volunteers
from ledger.people.actors import Actor
from ledger.service.drafts import duration
from ledger.store import Ledger
from ledger.tables import MessageRow, MessageWishRow, NoticeRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

CHANNELS = {"sms": "手机短信", "wechat": "微信消息"}
RETRY_FIRST = timedelta(minutes=1)
ATTEMPTS_MAX = 6
CLAIM = timedelta(minutes=5)
"""How long a process may be at the messages it took before another takes them over."""
AT_ONCE = 25
"""Few enough to be sent within the claim, even when each takes a gateway's longest time."""
PARAMETERS = ("service", "entry", "minutes", "served_on", "effective_on", "due_on")
"""What of a notice goes into a message."""

_NOTICE, _WISH, _MESSAGE = table(NoticeRow), table(MessageWishRow), table(MessageRow)


@dataclass(frozen=True)
class Claimed:
    """A message in this process's hands."""

    notice: str
    recipient: str
    channel: str
    attempts: int
    claim: str
    template: str
    parameters: dict[str, str]


def wish_of(connection: Connection, recipient: str) -> str | None:
    """Say by which way somebody wants messages; None: the inbox is enough."""
    rows = rows_where_in(connection, _WISH.c, _WISH.c.recipient, [recipient])
    return rows[0].channel if rows else None


def wish(tx: WriteTransaction, channel: str | None) -> None:
    """Ask for messages by a way, or (None) for no more. Raises NotAllowed, InvalidRequest (no such way, no phone on file)."""
    if tx.actor.volunteer is None:
        raise NotAllowed("手机消息只发给志愿者本人；工作人员请看收件箱")
    person = volunteers.get(tx, tx.actor.volunteer)
    recipient = "person/" + person.row.number
    tx.connection.execute(_WISH.delete().where(_WISH.c.recipient == recipient))
    if channel is None:
        given_up = {"state": "given_up", "last_error": "本人不再接收", "settled_at": format_time(tx.now)}
        mine = (_MESSAGE.c.recipient == recipient) & (_MESSAGE.c.state == "waiting")
        tx.connection.execute(_MESSAGE.update().where(mine).values(**given_up))
        return
    if channel not in CHANNELS:
        raise InvalidRequest("请选择手机短信、微信消息，或只看收件箱")
    if not person.personal.contact.get("phone"):
        raise InvalidRequest("登记信息里没有手机号，发不出消息。请先在「登记信息」里补上手机号")
    upsert_rows(tx.connection, _WISH, [{"recipient": recipient, "channel": channel, "since": format_time(tx.now)}])


def deliver(ledger: Ledger, gateway: Gateway) -> int:
    """Send the messages whose turn it is. Returns how many went out."""
    with ledger.read() as tx:
        if not tx.connection.execute(select(_MESSAGE.c.notice).where(_is_due(tx.now)).limit(1)).all():
            return 0
    claimed = ledger.operate(_take)
    with ledger.read() as tx:
        people = tx.vault.open(tx.connection, {one.recipient for one in claimed})
    return sum(_send(ledger, gateway, one, people) for one in claimed)


def _send(ledger: Ledger, gateway: Gateway, message: Claimed, people: Any) -> bool:
    """Send one message, and note how it fared."""
    person = people.get(message.recipient)
    phone = person.contact.get("phone", "") if person else ""
    error, again = "", False
    try:
        if not phone:
            raise NotFound("没有手机号，或资料已注销")
        gateway.send(message.notice, message.channel, phone, message.template, message.parameters, ledger.now())
    except (InvalidRequest, NotFound) as refused:
        error = str(refused)
    except LedgerError as failed:
        error, again = str(failed), message.attempts + 1 < ATTEMPTS_MAX
    said: dict[str, Any] = {"state": "waiting" if again else "given_up" if error else "sent", "attempts": message.attempts + 1}
    said |= {"claim": None, "last_error": error[:200] or None}

    def note(connection: Connection, now: datetime) -> None:
        later = {"next_attempt_at": format_time(now + RETRY_FIRST * 2**message.attempts)} if again else {"settled_at": format_time(now)}
        ours = (_MESSAGE.c.notice == message.notice) & (_MESSAGE.c.claim == message.claim) & (_MESSAGE.c.state == "waiting")
        connection.execute(_MESSAGE.update().where(ours).values(**said, **later))

    ledger.operate(note)
    return not error


def _take(connection: Connection, now: datetime) -> list[Claimed]:
    """Take the oldest messages whose turn it is into this process's hands."""
    rows = connection.execute(select(_MESSAGE).where(_is_due(now)).order_by(_MESSAGE.c.notice).limit(AT_ONCE)).all()
    notices = {row.id: row for row in rows_where_in(connection, _NOTICE.c, _NOTICE.c.id, [row.notice for row in rows])}
    until = format_time(now + CLAIM)
    connection.execute(_MESSAGE.update().where(_MESSAGE.c.notice.in_([row.notice for row in rows])).values(claim=until))
    return [
        Claimed(row.notice, row.recipient, row.channel, row.attempts, until, notice.what, _parameters(orjson.loads(notice.about)))
        for row in rows
        if (notice := notices.get(row.notice)) is not None
    ]


def _parameters(about: dict[str, str | int]) -> dict[str, str]:
    """Give what a message says, as text."""
    said = {name: str(about[name]) for name in PARAMETERS if name in about}
    minutes = about.get("minutes")
    return said | ({"minutes": duration(minutes)} if isinstance(minutes, int) else {})


def outcomes(tx: ReadTransaction, actor: Actor, limit: int = 50) -> list[Any]:
    """List how a volunteer's own newest messages fared."""
    mine = recipient_of(tx.connection, actor)
    return list(tx.connection.execute(select(_MESSAGE).where(_MESSAGE.c.recipient == mine).order_by(_MESSAGE.c.notice.desc()).limit(limit)))


def _is_due(now: datetime) -> Any:
    at = format_time(now)
    return (_MESSAGE.c.state == "waiting") & (_MESSAGE.c.next_attempt_at <= at) & or_(_MESSAGE.c.claim.is_(None), _MESSAGE.c.claim <= at)
