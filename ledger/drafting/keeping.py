"""
Keeping drafts: each sealed under a key of its own, one account's at a time, gone some weeks after it was last touched.

    open -> committed      (what is left of a committed sheet stays open; of one without rest only the batch is remembered, for a day)
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from ledger.bulk import insert_rows
from ledger.drafting.sheets import Sheet, from_bytes
from ledger.entries import format_time
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_entry_id
from ledger.kinds.checks import text
from ledger.people import accounts, actors
from ledger.people.actors import Actor
from ledger.store import Ledger
from ledger.tables import EvidenceRow, SheetDraftRow, table
from ledger.transactions import ReadTransaction

KEPT, COMMITTED_KEPT = timedelta(days=30), timedelta(days=1)
NOTE_MAX = 100
_LOOKED_AT = 20
"""Open drafts of one's own among which one that is just so is found."""
_DRAFT, _EVIDENCE = table(SheetDraftRow), table(EvidenceRow)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Listed:
    """A draft in a list: whose, since when, what about, how many people."""

    id: str
    station: str
    account: str
    login: str
    changed_at: str
    title: str
    people: int
    mine: bool


def begin(ledger: Ledger, actor: Actor, sheet: Sheet) -> str:
    """Begin a draft. Returns its id: of one that was begun just so and not written on since, the same again. Raises NotAllowed."""
    with ledger.read() as tx:
        mine = select(_DRAFT).where(_DRAFT.c.state == "open", _DRAFT.c.account == actor.account, _DRAFT.c.station == sheet.station)
        for row in tx.connection.execute(mine.order_by(_DRAFT.c.changed_at.desc()).limit(_LOOKED_AT)):
            if _opened(tx, row) == sheet:
                return str(row.id)
    draft = new_entry_id()
    sealed, key = ledger.vault.seal_new(f"draft/{draft}", sheet.to_bytes())

    def insert(connection: Connection, now: datetime) -> None:
        actors.require(connection, actor, "record", sheet.station)
        ledger.vault.store_keys(key)
        at = format_time(now)
        row = {"id": draft, "station": sheet.station, "account": actor.account, "state": "open", "sealed": sealed, "began_at": at}
        insert_rows(connection, _DRAFT, [row | {"changed_at": at, "taken_from": None, "taken_note": None, "batch": None}])

    ledger.operate(insert)
    return draft


def get(tx: ReadTransaction, actor: Actor, draft: str) -> tuple[Any, Sheet]:
    """Give a draft of one's own: its row and what it says. Raises NotFound, NotAllowed (it is somebody else's now)."""
    row = _own(tx.connection, actor, draft, lock=False)
    return row, _opened(tx, row)


def change(ledger: Ledger, actor: Actor, draft: str, work: Callable[[ReadTransaction, Sheet], Result]) -> Result:
    """Change a draft and keep it, as one step. Returns what *work* returns. Raises as `get`."""

    def save(connection: Connection, now: datetime) -> Result:
        row = _own(connection, actor, draft)
        tx = ReadTransaction(connection, ledger.vault, now)
        sheet = _opened(tx, row)
        answer = work(tx, sheet)
        put(tx, draft, sheet)
        return answer

    return ledger.operate(save)


def put(tx: ReadTransaction, draft: str, sheet: Sheet) -> None:
    """Keep what a draft says now, in the caller's transaction."""
    sealed = tx.vault.seal_more(f"draft/{draft}", sheet.to_bytes(), f"draft/{draft}")
    tx.connection.execute(_DRAFT.update().where(_DRAFT.c.id == draft).values(sealed=sealed, changed_at=format_time(tx.now)))


def close(tx: ReadTransaction, draft: str, batch: str | None) -> None:
    """Note that everything of a draft is recorded; what it said is dropped, in the caller's transaction."""
    values = {"state": "committed", "sealed": b"", "batch": batch, "changed_at": format_time(tx.now)}
    tx.connection.execute(_DRAFT.update().where(_DRAFT.c.id == draft).values(values))


def listing(tx: ReadTransaction, actor: Actor) -> list[Listed]:
    """List the open drafts at an actor's stations, one's own first, newest first."""
    places = actors.units(tx.connection, actor, "record")
    query = select(_DRAFT).where(_DRAFT.c.state == "open", _DRAFT.c.station.in_(places))
    rows = tx.connection.execute(query.order_by(_DRAFT.c.changed_at.desc(), _DRAFT.c.id)).all()
    plain = tx.vault.open_many({f"draft/{row.id}": bytes(row.sealed) for row in rows})
    logins = accounts.logins(tx.connection, {row.account for row in rows})
    found = []
    for row in rows:
        if raw := plain.get(f"draft/{row.id}"):
            sheet, mine = from_bytes(raw), row.account == actor.account
            people = sum(one.on for one in sheet.rows)
            found.append(Listed(row.id, row.station, row.account, logins[row.account], row.changed_at, sheet.title, people, mine))
    return sorted(found, key=lambda one: not one.mine)


def take_over(ledger: Ledger, actor: Actor, draft: str, note: str) -> None:
    """Make another's draft one's own, saying why. Raises NotFound, NotAllowed (another's station), InvalidRequest (no note)."""
    note = " ".join(note.split())
    if len(note) < 2 or not text(NOTE_MAX)(note):
        raise InvalidRequest(f"请写明为什么接手（2 至 {NOTE_MAX} 个字，不要写手机号或证件号）")

    def take(connection: Connection, _now: datetime) -> None:
        row = _open_row(connection, draft)
        actors.require(connection, actor, "record", row.station)
        if row.account != actor.account:
            values = {"account": actor.account, "taken_from": row.account, "taken_note": note}
            connection.execute(_DRAFT.update().where(_DRAFT.c.id == draft).values(values))

    ledger.operate(take)


def discard(ledger: Ledger, actor: Actor, draft: str) -> None:
    """Drop a draft of one's own, with its photo; what was recorded from it stays."""

    def drop(connection: Connection, now: datetime) -> None:
        row = _own(connection, actor, draft)
        sheet = _opened(ReadTransaction(connection, ledger.vault, now), row)
        connection.execute(_DRAFT.delete().where(_DRAFT.c.id == draft))
        connection.execute(_EVIDENCE.delete().where(_EVIDENCE.c.id == sheet.evidence, _EVIDENCE.c.batch.is_(None)))

    ledger.operate(drop)


def committed_batch(tx: ReadTransaction, actor: Actor, draft: str) -> str | None:
    """Give the batch that a draft of one's own became, if it is done with."""
    row = tx.connection.execute(select(_DRAFT).where(_DRAFT.c.id == draft, _DRAFT.c.account == actor.account)).one_or_none()
    return row.batch if row is not None and row.state == "committed" else None


def drop_old(connection: Connection, now: datetime) -> int:
    """Drop drafts that nobody has touched for long, and photos that nothing was recorded with. Returns how many drafts."""
    old, done = format_time(now - KEPT), format_time(now - COMMITTED_KEPT)
    connection.execute(_EVIDENCE.delete().where(_EVIDENCE.c.batch.is_(None), _EVIDENCE.c.kept_at < old))
    stale = ((_DRAFT.c.state == "open") & (_DRAFT.c.changed_at < old)) | ((_DRAFT.c.state == "committed") & (_DRAFT.c.changed_at < done))
    return connection.execute(_DRAFT.delete().where(stale)).rowcount


def _open_row(connection: Connection, draft: str, *, lock: bool = True) -> Any:
    query = select(_DRAFT).where(_DRAFT.c.id == draft)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None or row.state != "open":
        raise NotFound("没有这份草稿：它可能已经提交或丢弃。请回到「登记一次活动」查看")
    return row


def _own(connection: Connection, actor: Actor, draft: str, *, lock: bool = True) -> Any:
    row = _open_row(connection, draft, lock=lock)
    if row.account != actor.account:
        raise NotAllowed("这份草稿现在由同站的另一位工作人员在写。需要时请在「登记一次活动」里写明原因，再接手")
    actors.require(connection, actor, "record", row.station)
    return row


def _opened(tx: ReadTransaction, row: Any) -> Sheet:
    return from_bytes(tx.vault.open_more(f"draft/{row.id}", bytes(row.sealed), f"draft/{row.id}"))
