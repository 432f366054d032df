"""
Applications being filled in: each page that is sent keeps what was typed, sealed under a key of its own, until it is handed in or thrown away.

A draft belongs to the account that began it; it is gone some weeks after it was last touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger.bulk import insert_rows
from ledger.entries import format_time
from ledger.errors import InvalidRequest, NotFound
from ledger.filing import asking, naming, reading
from ledger.ids import new_entry_id
from ledger.kinds.filing import FORMS
from ledger.log import Receipt
from ledger.people import actors
from ledger.people.actors import Actor
from ledger.store import Ledger
from ledger.tables import FilingDraftRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

KEPT = timedelta(days=60)
FIELDS_MAX, VALUE_MAX = 400, 20_000
_DRAFT = table(FilingDraftRow)


@dataclass(frozen=True)
class Draft:
    """A draft opened: its row, and what was filled in."""

    row: Any
    content: dict[str, str]


def begin(ledger: Ledger, actor: Actor, form: str, station: str, *, organisation: str | None = None, replaces: str | None = None) -> str:
    """Begin a draft, filled in with what is on file or what was returned. Returns its id. Raises NotAllowed, NotFound, Conflict, InvalidRequest."""
    if form not in FORMS:
        raise InvalidRequest(f"请选择办哪一种：{'、'.join(FORMS.values())}")
    with ledger.read() as tx:
        actors.require(tx.connection, actor, "file", station)
        naming.street_of(tx.connection, station)
        before = asking.returned(tx, replaces, form, station, organisation) if replaces else None
        if before is not None:
            organisation = None if form == "file" else before.organisation
        unit = asking.organisation_for(tx, form, station, organisation)
        content = reading.content_again(tx, before) if before is not None else _first(tx, form, unit)
    draft = new_entry_id()
    sealed, key = ledger.vault.seal_new(f"filing-draft/{draft}", orjson.dumps(content))

    def insert(connection: Connection, now: datetime) -> None:
        ledger.vault.store_keys(key)
        said = {"id": draft, "account": actor.account, "station": station, "form": form, "organisation": organisation, "replaces": replaces}
        insert_rows(connection, _DRAFT, [said | {"sealed": sealed, "began_at": format_time(now), "changed_at": format_time(now)}])

    ledger.operate(insert)
    return draft


def _first(tx: ReadTransaction, form: str, unit: Any) -> dict[str, str]:
    """Give what a form begins with: what is on file, but for what has to be said anew."""
    if unit is None:
        return {}
    content = reading.content_of(tx, unit)
    if form == "cancel":
        known = {"premises": "premises", "leader0.name": "leader_name", "leader0.phone": "leader_phone"}
        return {"name": unit.name, **{new: content[old] for old, new in known.items() if old in content}}
    return content


def get(tx: ReadTransaction, actor: Actor, draft: str) -> Draft:
    """Open a draft of one's own. Raises NotFound."""
    row = tx.connection.execute(select(_DRAFT).where(_DRAFT.c.id == draft, _DRAFT.c.account == actor.account)).one_or_none()
    if row is None:
        raise NotFound("没有这份草稿：它可能已经交上去，或者不是您填的。请回到「备案」查看")
    actors.require(tx.connection, actor, "file", row.station)
    return Draft(row, orjson.loads(tx.vault.open_more(f"filing-draft/{draft}", bytes(row.sealed), f"filing-draft/{draft}")))


def of(tx: ReadTransaction, actor: Actor) -> list[tuple[Any, str]]:
    """List an actor's drafts, the newest first, each with the name filled in so far."""
    rows = tx.connection.execute(select(_DRAFT).where(_DRAFT.c.account == actor.account).order_by(_DRAFT.c.changed_at.desc())).all()
    opened = tx.vault.open_many({f"filing-draft/{row.id}": bytes(row.sealed) for row in rows})
    return [(row, orjson.loads(opened.get(f"filing-draft/{row.id}", b"{}")).get("name", "")) for row in rows]


def save(ledger: Ledger, actor: Actor, draft: str, said: Mapping[str, str]) -> Draft:
    """Keep what was typed on one page, beside what the others said. Raises NotFound, InvalidRequest."""

    def keep(connection: Connection, now: datetime) -> Draft:
        tx = ReadTransaction(connection, ledger.vault, now)
        found = get(tx, actor, draft)
        content = found.content | {key: value.replace("\r\n", "\n").strip() for key, value in said.items()}
        if len(content) > FIELDS_MAX or any(len(value) > VALUE_MAX for value in content.values()):
            raise InvalidRequest("填写的内容太长，请写短一些")
        sealed = tx.vault.seal_more(f"filing-draft/{draft}", orjson.dumps(content), f"filing-draft/{draft}")
        connection.execute(_DRAFT.update().where(_DRAFT.c.id == draft).values(sealed=sealed, changed_at=format_time(now)))
        return Draft(found.row, content)

    return ledger.operate(keep)


def submit(ledger: Ledger, actor: Actor, draft: str) -> tuple[str, Receipt]:
    """Hand a draft in; it is gone with that. Raises as `asking.ask`."""

    def hand_in(tx: WriteTransaction) -> tuple[str, Receipt]:
        found = get(tx, actor, draft)
        row = found.row
        answer = asking.ask(tx, row.form, row.station, found.content, organisation=row.organisation, replaces=row.replaces)
        tx.connection.execute(_DRAFT.delete().where(_DRAFT.c.id == draft))
        return answer

    answer = ledger.write(hand_in, actor)
    ledger.vault.drop_keys([f"filing-draft/{draft}"])
    ledger.finish_erasures()
    return answer


def discard(ledger: Ledger, actor: Actor, draft: str) -> None:
    """Throw a draft of one's own away. Raises NotFound."""

    def drop(connection: Connection, now: datetime) -> None:
        get(ReadTransaction(connection, ledger.vault, now), actor, draft)
        connection.execute(_DRAFT.delete().where(_DRAFT.c.id == draft))

    ledger.operate(drop)
    ledger.vault.drop_keys([f"filing-draft/{draft}"])


def drop_old(connection: Connection, now: datetime) -> int:
    """Drop drafts that nobody has touched for long. Returns how many."""
    return connection.execute(_DRAFT.delete().where(_DRAFT.c.changed_at < format_time(now - KEPT))).rowcount
