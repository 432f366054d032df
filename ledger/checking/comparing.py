"""
Comparing with the log what is not the log: projections remade in a scratch database, row by row and column by column, and the vault's commitments.

The remake follows the walk piece by piece and takes the entries' bytes as the walk has judged them: those that are no entries are left out. Entries
that contradict each other cannot be applied together; then all is remade once more, entry by entry, to name those that do not fit.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import cache
from itertools import chain, islice
from typing import Any

import orjson
from sqlalchemy import Connection, Dialect, Table, Text, null, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from ledger import projections, tables
from ledger.checking.faults import Report
from ledger.checking.finding import Finding
from ledger.checking.streaming import DRIVER_ERRORS, stream, stream_past, without_collecting
from ledger.checking.walking import Piece, chain_leaf, chain_length
from ledger.entries import Entry
from ledger.errors import Corrupt
from ledger.filing.reading import sealed_of_filings
from ledger.history import drop_indexes, make_indexes, scratch
from ledger.people import bindings, reveals
from ledger.people.vault import Vault
from ledger.tables import table

_VOLUNTEER, _ORGANISATION, _CHAIN = table(tables.VolunteerRow), table(tables.OrganisationRow), table(tables.ChainRow)
_ERASURE = table(tables.ErasureRow)
_BODIES = 'SELECT "index", body FROM entry WHERE "index" >= ? AND "index" < ? ORDER BY "index"'
_AT_ONCE = 2_000
_SAID_MAX = 100
_LOOKING = frozenset({"volunteer.merged", "volunteer.withdrawn"})
"""Kinds whose projection looks for rows by more than their key: until one comes, the remake does without the indexes, which take half its time."""
_RANKS = {type(None): 0, int: 1, float: 1, str: 2, bytes: 3}
_DIALECTS: dict[str, Dialect] = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}  # type: ignore[no-untyped-call]  # to spell statements

Row = tuple[Any, ...]


class Remake:
    """Projections remade in another database from the entries that a walk has gone over."""

    def __init__(self, live: Connection, target: Connection, report: Report) -> None:
        self._live = live
        self._target = target
        self._report = report
        self._undecoded: set[int] = set()
        self._size = 0
        self._contradicted = False
        self._indexed = False
        drop_indexes(target)
        self._begun: int = target.exec_driver_sql("PRAGMA user_version").scalar_one()
        """How many entries the target has had applied before."""

    def follow(self, piece: Piece) -> None:
        """Apply the entries of the next piece."""
        self._undecoded |= piece.undecoded
        self._size = piece.stop
        if self._contradicted:
            return
        try:
            with without_collecting():
                for entries in self._entries(max(piece.first, self._begun), piece.stop):
                    if not self._indexed and not _LOOKING.isdisjoint({entry.kind for entry in entries}):
                        make_indexes(self._target)
                        self._indexed = True
                    projections.apply(self._target, entries)
        except SQLAlchemyError:
            self._contradicted = True

    def go_on(self, size: int, undecoded: set[int]) -> None:
        """Take up a walk that was broken off at *size*: what the target lacks of the entries before is applied."""
        self.follow(Piece(0, size, undecoded=undecoded))

    def save(self) -> None:
        """Make what was applied durable, with how much it is. Entries that contradict each other are not saved: they will do so again."""
        if not self._contradicted:
            self._target.exec_driver_sql(f"PRAGMA user_version={self._size}")
            self._target.commit()
            self._target.begin()

    def compare(self) -> None:
        """Compare every projection but the chains with its remake."""
        if not self._contradicted:
            _compare_all(self._live, self._target, self._report)
            return
        with scratch() as target:
            for entries in self._entries(0, self._size):
                for entry in entries:
                    try:
                        projections.apply(target, [entry])
                    except SQLAlchemyError as error:
                        self._report.add(entry.index, "replay", "与之前的记录不矛盾", type(error).__name__)
            _compare_all(self._live, target, self._report)

    def _entries(self, first: int, stop: int) -> Iterator[list[Entry]]:
        """Read entries again, without judging them again."""
        made: list[Entry] = []
        with closing(stream_past(self._live, _BODIES, first, stop)) as rows:
            for index, body in rows:
                if index not in self._undecoded:
                    made.append(_entry(orjson.loads(body)))
                    if len(made) == _AT_ONCE:
                        yield made
                        made = []
        yield made


def _entry(said: dict[str, Any]) -> Entry:
    place = (said["index"], said["id"], said["kind"], said["v"], said["actor"], said["recorded_at"])
    return Entry(*place, said["body"], said["chains"], said.get("prev"))


def compare_chains(live: Connection, chains: dict[bytes, bytes], report: Report) -> None:
    """Compare the projection of the chains with how they end."""
    ends = ((subject.decode(), chain_length(chains[subject]), chain_leaf(chains[subject])) for subject in sorted(chains))
    _compare(_CHAIN, ends, _ordered(live, _CHAIN), report)


def _compare_all(live: Connection, remade: Connection, report: Report) -> None:
    for model in tables.PROJECTIONS:
        if model is not tables.ChainRow:
            _compare(table(model), _ordered(remade, table(model)), _ordered(live, table(model)), report)


def _compare(target: Table, remade: Iterator[Row], live: Iterator[Row], report: Report) -> None:
    """Compare rows in order of their key: many at once, and one by one from the first difference on."""
    keys = [place for place, column in enumerate(target.columns) if column.primary_key]
    try:
        with without_collecting():
            while (expected := list(islice(remade, _AT_ONCE))) == (found := list(islice(live, _AT_ONCE))):
                if not expected:
                    return
        for one, other in _merged(chain(expected, remade), chain(found, live), keys):
            if one != other:
                _note(target, keys, one, other, report)
    except DRIVER_ERRORS as error:
        report.add(None, target.name, "可以读出的表", type(error).__name__)


def _note(target: Table, keys: list[int], expected: Row | None, found: Row | None, report: Report) -> None:
    row, names = found or expected or (), list(target.columns.keys())
    index = row[names.index("entry_index")] if "entry_index" in names else None
    name = f"{target.name}[{','.join(str(row[key]) for key in keys)}]"
    if found is None:
        report.add(index, name, "这一行", "缺失")
    elif expected is None:
        report.add(index, name, "不应有", "多出的一行")
    else:
        for column, wanted, there in zip(names, expected, found, strict=True):
            report.compare(index, f"{name}.{column}", wanted, there)


def _ordered(connection: Connection, target: Table) -> Iterator[Row]:
    """Stream a table in order of its key; text by code point on PostgreSQL too."""
    return stream(connection, _in_order(target, connection.dialect.name), few=True)


@cache
def _in_order(target: Table, dialect: str) -> str:
    keys = [column.collate("C") if dialect == "postgresql" and isinstance(column.type, Text) else column for column in target.primary_key]
    return str(select(target).order_by(*keys).compile(dialect=_DIALECTS[dialect]))


def _merged(left: Iterator[Row], right: Iterator[Row], keys: list[int]) -> Iterator[tuple[Row | None, Row | None]]:
    """Pair the rows of two ordered streams by key; a row without a partner is paired with None."""
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        here, there = (None, None) if one == other else (_key(one, keys), _key(other, keys))
        if here is not None and (there is None or here < there):
            yield one, None
            one = next(left, None)
        elif there is not None and (here is None or there < here):
            yield None, other
            other = next(right, None)
        else:
            yield one, other
            one, other = next(left, None), next(right, None)


def _key(row: Row | None, keys: list[int]) -> list[tuple[int, Any]] | None:
    """Give a row's place in the order that SQLite knows for values of any type."""
    return [(_RANKS[type(row[key])], row[key]) for key in keys] if row is not None else None


def compare_vault(connection: Connection, vault: Vault, report: Report) -> None:
    """Open what is sealed and compare it with the commitments that the entries hold, a thousand subjects at a time."""
    people = select(
        ("person/" + _VOLUNTEER.c.number).label("subject"),
        _VOLUNTEER.c.identity,
        _VOLUNTEER.c.contact,
        _VOLUNTEER.c.guardian,
        _VOLUNTEER.c.entry_index,
    )
    units = select(
        ("organisation/" + _ORGANISATION.c.id).label("subject"), null(), _ORGANISATION.c.contact, null(), _ORGANISATION.c.entry_index
    )
    waiting: dict[str, Any] = {}
    sealed = set(vault.subjects(connection))
    ended = select(_ERASURE.c.subject).where(_ERASURE.c.state == "erased")
    gone = vault.destroyed() | set(connection.execute(ended).scalars())
    for subject in sorted(sealed & gone | set(vault.with_keys(sorted(gone)))):
        report.add(None, f"person[{subject}]", "已注销，资料和密钥都已销毁", "还在")
    hidden = gone | set(connection.execute(select(_ERASURE.c.subject)).scalars())
    index = Finding(connection, vault, hidden, report)
    spoken: list[Iterable[Any]] = [connection.execute(one, execution_options={"yield_per": 1_000}) for one in (people, units)]
    for row in chain(*spoken, sealed_of_filings(connection)):
        sealed.discard(row.subject)
        waiting[row.subject] = row
        if len(waiting) == 1_000:
            _compare_sealed(connection, vault, waiting, gone, index, report)
            waiting = {}
    _compare_sealed(connection, vault, waiting, gone, index, report)
    index.finish()
    for what, expected, found in reveals.faults(connection, *vault.looks()):
        report.add(None, what, expected, found)
    for subject in sorted(sealed - gone):
        report.add(None, f"person[{subject}]", "账本里有的人或组织", "多出的一行")
    for fault in bindings.faults(connection, hidden):
        report.add(*fault)


def compare_indexes(connection: Connection, report: Report) -> None:
    """Have SQLite compare its indexes with their tables: what is found by an index that lost a row is not all there is. PostgreSQL offers no such word."""
    if connection.dialect.name == "sqlite":
        for (said,) in connection.exec_driver_sql(f"PRAGMA integrity_check({_SAID_MAX})"):
            if said != "ok":
                report.add(None, "database", "与表一致的索引和完好的页", said)


def _compare_sealed(connection: Connection, vault: Vault, said: dict[str, Any], gone: set[str], found_by: Finding, report: Report) -> None:
    said = {subject: row for subject, row in said.items() if subject not in gone}
    found = vault.retrace(connection, list(said))
    found_by.take(found)
    for subject, (_, identity, contact, guardian, index) in said.items():
        made = found.get(subject)
        if isinstance(made, Corrupt):
            report.add(index, f"person[{subject}]", "可以打开的密文", made)
        elif made is not None:
            report.compare(index, f"person[{subject}].identity", identity, made.commitments.identity)
            report.compare(index, f"person[{subject}].contact", contact, made.commitments.contact)
            report.compare(index, f"person[{subject}].guardian", guardian, made.commitments.guardian)
        elif identity or contact or guardian:
            report.add(index, f"person[{subject}]", "封存的资料和它的密钥", "缺失")
