"""
Parked rows: hours on a sheet of somebody who is not registered yet.

Nobody is ever created by a sheet: people have found themselves registered without knowing. Such a row waits, sealed under a key of its own and found
by the blind index of its ID number, until the person registers; then a clerk records it with one act, under the same rules as any other. With the row its
key goes too (destruction.sweep): in an old backup nobody reads it any more.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select

from ledger import activities
from ledger.activities import Activity
from ledger.bulk import insert_rows, rows_where_in
from ledger.entries import b64, format_time
from ledger.errors import Corrupt
from ledger.ids import new_entry_id
from ledger.log import Receipt
from ledger.people import volunteers
from ledger.people.identity import mask_name
from ledger.refusals import Already, Refusal
from ledger.service import recording
from ledger.service.drafts import Draft
from ledger.tables import ParkedRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_PARKED = table(ParkedRow)


@dataclass(frozen=True)
class Parked:
    """One row: who, what activity, when (naive local times), from which file (SHA-256 in hex) and row."""

    name: str
    id_number: str
    activity: Activity
    start: datetime
    end: datetime
    grade: str
    settled: bool
    source_sha256: str
    source_row: int


@dataclass(frozen=True)
class Waiting:
    """A parked row as lists show it. *volunteer*: the person's number once registered."""

    id: str
    name: str
    tail: str
    activity: str
    start: str
    end: str
    station: str
    parked_at: str
    volunteer: str | None


def park(tx: WriteTransaction, rows: Sequence[Parked]) -> None:
    """Keep rows until their people register. The same row of the same file is kept once."""
    for station in {row.activity.station for row in rows}:
        tx.require("record", station)
    known = {
        (row.source_sha256, row.source_row)
        for row in rows_where_in(tx.connection, _PARKED.c, _PARKED.c.source_sha256, {row.source_sha256 for row in rows})
    }
    new = []
    for row in rows:
        if (row.source_sha256, row.source_row) in known:
            continue
        new_id = new_entry_id()
        sealed, key = tx.vault.seal_new(f"parked/{new_id}", orjson.dumps(asdict(row)))
        tx.new_keys.update(key)
        new.append(
            {
                "id": new_id,
                "digest": tx.vault.blind("id_number", row.id_number),
                "station": row.activity.station,
                "activity": row.activity.title,
                "source_sha256": row.source_sha256,
                "source_row": row.source_row,
                "sealed": sealed,
                "parked_at": format_time(tx.now),
            }
        )
    insert_rows(tx.connection, _PARKED, new)


def waiting(tx: ReadTransaction, stations: Sequence[str]) -> list[Waiting]:
    """List what is parked at stations, oldest first."""
    statement = select(_PARKED).where(_PARKED.c.station.in_(stations)).order_by(_PARKED.c.parked_at, _PARKED.c.source_row)
    rows = _opened(tx, tx.connection.execute(statement).all())
    known = volunteers.find_by_id_numbers(tx, {parked.id_number for _, parked in rows})
    return [
        Waiting(
            row.id,
            mask_name(parked.name),
            parked.id_number[-4:],
            row.activity,
            f"{parked.start:%Y-%m-%d %H:%M}",
            f"{parked.end:%H:%M}",
            row.station,
            row.parked_at,
            known[parked.id_number].row.number if parked.id_number in known else None,
        )
        for row, parked in rows
    ]


def record(tx: WriteTransaction, ids: Sequence[str]) -> list[Receipt | Already | Refusal]:
    """Record parked rows whose people have registered. Rows recorded leave the list; refused ones stay, with the reason given."""
    opened = _opened(tx, sorted(rows_where_in(tx.connection, _PARKED.c, _PARKED.c.id, ids), key=lambda row: row.id))
    known = volunteers.find_by_id_numbers(tx, {one.id_number for _, one in opened})
    batch = new_entry_id()
    answers: list[Receipt | Already | Refusal] = []
    for row, one in opened:
        person = known.get(one.id_number)
        answer: Receipt | Already | Refusal
        settled = one.settled and tx.actor.may("settle")
        if person is None:
            answer = Refusal("unknown_volunteer", f"尾号 {one.id_number[-4:]} 还没有登记", "身份证号")
        elif person.personal.identity["name"] != one.name:
            answer = Refusal("name_mismatch", f"签到表上的姓名与登记的「{person.masked_name}」不同，请核对", "姓名")
        else:
            activity = activities.find_or_publish(tx, [one.activity])[0]
            answer = recording.record_many(tx, [_draft(one, person.row.number, activity, batch, settled=settled)])[0]
        if not isinstance(answer, Refusal):
            tx.connection.execute(_PARKED.delete().where(_PARKED.c.id == row.id))
        answers.append(answer)
    return answers


def drop(tx: WriteTransaction, parked_id: str) -> None:
    """Take a row off the list: it was a mistake on the sheet."""
    row: Any = tx.connection.execute(select(_PARKED).where(_PARKED.c.id == parked_id)).one_or_none()
    if row is not None:
        tx.require("record", row.station)
        tx.connection.execute(_PARKED.delete().where(_PARKED.c.id == parked_id))


def _opened(tx: ReadTransaction, rows: Sequence[Any]) -> list[tuple[Any, Parked]]:
    """Open rows; one whose key is gone (it was put back by an old backup after it had been dealt with) can only be left out."""
    plain = tx.vault.open_many({f"parked/{row.id}": bytes(row.sealed) for row in rows})
    found = []
    for row in rows:
        text = plain.get(f"parked/{row.id}") or _sealed_before(tx, row)
        if text is not None:
            said = orjson.loads(text)
            said["activity"] = Activity(**said["activity"])
            for name in ("start", "end"):
                said[name] = datetime.fromisoformat(said[name])
            found.append((row, Parked(**said)))
    return found


def _sealed_before(tx: ReadTransaction, row: Any) -> bytes | None:
    """Open a row from before each had a key of its own; None when it is none of those."""
    try:
        return tx.vault.open_draft(row.sealed, row.id)
    except Corrupt:
        return None


def _draft(one: Parked, volunteer: str, activity: str, batch: str, *, settled: bool) -> Draft:
    source: dict[str, str | int] = {"sha256": b64(bytes.fromhex(one.source_sha256)), "row": one.source_row}
    return Draft(
        volunteer,
        activity,
        one.activity.station,
        one.start,
        one.end,
        one.grade,
        batch,
        one.activity.organisation,
        source=source,
        settled=settled,
    )
