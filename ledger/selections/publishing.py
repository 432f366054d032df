"""
Steps five and six, 排名 and 公示: the draw, and the public list with masked names and a commitment for each row.

A name alone tells too little or too much: namesakes cannot tell who is meant, and a number would let everybody look up whose it is. So each row holds a
commitment, and its salt is given to the one person it is about: they can show that the row is theirs, with the salt, the row and the log's entry
alone. The salts are random and sealed under the person's key; nothing public tells them.
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select

from ledger import organisations, stations
from ledger.bulk import insert_rows, rows_where_in
from ledger.errors import Conflict, InvalidRequest, NotFound
from ledger.kinds.checks import text
from ledger.kinds.selections import ROWS_MAX
from ledger.log import Fact, Receipt
from ledger.people import leaks, volunteers
from ledger.selections import doubts, reading
from ledger.selections.lists import row_commitment, row_document
from ledger.selections.ranking import Standing
from ledger.selections.reading import ACTION
from ledger.selections.surnames import by_strokes
from ledger.service.publicity import names_for_all
from ledger.tables import SelectionLineRow, SelectionRow, table
from ledger.transactions import ReadTransaction, WriteTransaction
from ledger.workdays import calendar

_LINE, _SELECTION = table(SelectionLineRow), table(SelectionRow)


@dataclass(frozen=True)
class Line:
    """A row of the public list, as anybody may see it."""

    row: int
    name: str
    station: str
    minutes: int
    commitment: str


def draw(tx: WriteTransaction, selection: str, value: str, drawn_on: date) -> Receipt:
    """Write down the public random value that the freeze named. Raises NotFound, NotAllowed, Conflict, InvalidRequest."""
    row = reading.see(tx, tx.actor, selection)
    tx.require(ACTION, row.station)
    value = " ".join(value.split())
    if row.random_source is None or "random" not in reading.rules_of(row).tie_break:
        raise InvalidRequest("这次评选的规则没有用到公开随机数，不用填")
    if row.drawn_index is not None or row.published_index is not None or row.replaced_by:
        raise Conflict("随机数已经填过，或者名单已经公示，不能再填")
    if not text(200)(value):
        raise InvalidRequest("请照公布的原样填写随机数（200 字以内）")
    if not row.counted_on < drawn_on.isoformat() <= tx.today.isoformat():
        raise InvalidRequest(f"随机数要在冻结（{row.counted_on}）的第二天到今天之间公布，请核对公布的日期")
    body = {"selection": row.id, "station": row.station, "value": value, "drawn_on": drawn_on.isoformat()}
    return tx.append([Fact("selection.drawn", body)])[0]


def publish(tx: WriteTransaction, selection: str) -> Receipt:
    """Make the list public. Raises NotFound, NotAllowed (also when a number would leak), Conflict, InvalidRequest saying what is missing."""
    row = reading.see(tx, tx.actor, selection)
    tx.require(ACTION, row.station)
    if row.published_index is not None or row.replaced_by:
        raise Conflict("名单已经公示，或者已另起一轮，请刷新页面")
    rules, found = reading.rules_of(row), reading.ranking_of(tx.connection, row)
    if found.undrawn:
        raise InvalidRequest(f"还没有填公开随机数（{row.random_source}），排不出并列的先后。请先在「排名」里填")
    if open_doubts := len(doubts.waiting(tx, row.id)):
        raise InvalidRequest(f"还有 {open_doubts} 条疑点等第二个人确认，请先办完「疑点」")
    if not 0 < len(found.chosen) <= ROWS_MAX:
        raise InvalidRequest(f"名单上有 {len(found.chosen)} 行：至少要有一行，至多 {ROWS_MAX} 行。请另起一轮，改规则或分单位评")
    shown = in_order(tx, row, found.chosen, rules.order)
    salts = [secrets.token_bytes(32) for _ in shown]
    commitments = [row_commitment(salt, row_document(row.id, at, one)) for at, (salt, one) in enumerate(zip(salts, shown, strict=True), 1)]
    until = calendar(tx.connection).add(tx.today, rules.publicity_days).isoformat()
    body = {
        "selection": row.id,
        "station": row.station,
        "list": reading.digest_of(row, found),
        "rows": commitments,
        "published_from": tx.today.isoformat(),
        "published_until": until,
    }
    receipt = tx.append([Fact("selection.published", body)])[0]
    insert_rows(tx.connection, _LINE, [_line(tx, row, at, one, salt) for at, (salt, one) in enumerate(zip(salts, shown, strict=True), 1)])
    check_leaks(public_lines(tx, reading.get(tx.connection, row.id)))
    return receipt


def check_leaks(lines: Sequence[Line]) -> None:
    """Refuse to publish a list with a personal number in it. Raises NotAllowed."""
    leaks.check((said for line in lines for said in (line.name, line.station)), "公示名单")


def in_order(tx: ReadTransaction, row: Any, chosen: Sequence[Standing], order: str) -> list[Standing]:
    """Put a list in the order in which it is shown: by rank, or by the strokes of the surnames."""
    if order == "rank":
        return list(chosen)
    names = names_of(tx, row, {one.sums.subject for one in chosen}, masked=False)
    return sorted(chosen, key=lambda one: (by_strokes(names[one.sums.subject]), one.rank))


def names_of(tx: ReadTransaction, row: Any, subjects: set[str], *, masked: bool = True) -> dict[str, str]:
    """Give the names of a selection's people, as everybody may see them; or in full, to put them in order. Organisations' are no secret."""
    if row.subject == "organisations":
        return organisations.names(tx.connection, subjects)
    if masked:
        return names_for_all(tx, subjects)
    people = tx.vault.open(tx.connection, ["person/" + number for number in subjects])
    return {number: people[f"person/{number}"].identity.get("name", "") if f"person/{number}" in people else "" for number in subjects}


def _line(tx: WriteTransaction, row: Any, at: int, one: Standing, salt: bytes) -> dict[str, Any]:
    plain = orjson.dumps({"document": row_document(row.id, at, one), "salt": b64encode(salt).decode()})
    label = f"selection/{row.id}/{at}"
    subject = one.sums.subject
    person = row.subject == "volunteers"
    sealed = tx.vault.seal_more("person/" + subject, plain, label) if person else tx.vault.seal_draft(plain, label)
    return {"selection": row.id, "row": at, "subject": subject, "station": one.sums.station, "minutes": one.sums.minutes, "sealed": sealed}


def public_lines(tx: ReadTransaction, row: Any) -> list[Line]:
    """List the rows of a selection's public list, as they were made public."""
    lines = tx.connection.execute(select(_LINE).where(_LINE.c.selection == row.id).order_by(_LINE.c.row)).all()
    names = names_of(tx, row, {line.subject for line in lines})
    where = stations.names(tx.connection, {line.station for line in lines})
    commitments = orjson.loads(row.rows)
    return [
        Line(line.row, names[line.subject], where.get(line.station, line.station), line.minutes, commitments[line.row - 1])
        for line in lines
    ]


def in_publicity(tx: ReadTransaction) -> list[Any]:
    """List the selections whose lists are public today."""
    today = tx.today.isoformat()
    mine = _SELECTION.c.published_from <= today, _SELECTION.c.published_until >= today, _SELECTION.c.replaced_by.is_(None)
    return list(tx.connection.execute(select(_SELECTION).where(*mine).order_by(_SELECTION.c.published_index)))


def own_lines(tx: ReadTransaction, number: str) -> list[tuple[Any, Any]]:
    """List the rows that are about a person, with their selections, newest first."""
    lines = rows_where_in(
        tx.connection, (_LINE.c.selection, _LINE.c.row, _LINE.c.subject), _LINE.c.subject, volunteers.numbers_of(tx, number)
    )
    rows = {row.id: row for row in rows_where_in(tx.connection, _SELECTION.c, _SELECTION.c.id, {line.selection for line in lines})}
    return sorted(((rows[line.selection], line) for line in lines), key=lambda pair: -pair[0].published_index)


def proof_of(tx: ReadTransaction, selection: str, number: str) -> dict[str, Any]:
    """Give a person what proves a row to be theirs: the document, the salt, the commitment and where the log says it. Raises NotFound."""
    row = reading.get(tx.connection, selection)
    mine = _LINE.c.selection == selection, _LINE.c.subject.in_(volunteers.numbers_of(tx, number))
    line = tx.connection.execute(select(_LINE).where(*mine)).one_or_none()
    if line is None:
        raise NotFound("这份公示名单上没有您")
    said = orjson.loads(tx.vault.open_more("person/" + line.subject, bytes(line.sealed), f"selection/{selection}/{line.row}"))
    commitment = orjson.loads(row.rows)[line.row - 1]
    assert row_commitment(b64decode(said["salt"]), said["document"]) == commitment
    return {**said, "commitment": commitment, "entry": row.published_index}
