"""
The log over one database transaction: appending entries, and reading what was appended.

`Appender` is the only code that writes entries. Within a transaction that holds the writer's place it knows the head (size, last leaf, tree) and the
chain heads it has touched; `append` gives each fact its index, its `prev` and its chains, inserts the bytes and lets the projections follow.
`finish` writes once per transaction: the tiles completed, the chain heads, one batch row. The caller commits; until then nothing has happened.

Keys are the fence: entry.index, entry.id and batch.size are unique, and triggers refuse an index out of order, so a writer that
should not be there fails instead of forking the log.
"""

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from ledger import entries, projections
from ledger.bulk import fetch, insert_rows, query, rows_where_in, upsert_rows
from ledger.entries import b64
from ledger.errors import Conflict, Corrupt, NotFound
from ledger.ids import new_entry_id, parse_entry_id
from ledger.kinds import CURRENT, Body, subjects
from ledger.merkle import EMPTY_ROOT, HASH_BYTES, TILE_WIDTH, Tree, leaf_hash
from ledger.tables import BatchRow, ChainRow, EntryRow, TileRow, table

_ENTRY, _TILE, _BATCH, _CHAIN = table(EntryRow), table(TileRow), table(BatchRow), table(ChainRow)


@dataclass(slots=True)  # not frozen, and the receipt neither: as entries.Entry
class Fact:
    """Something to be said: a kind, its body, the client's entry id (else one is made), and by whom if not by the transaction's actor."""

    kind: str
    body: Body
    id: str | None = None
    actor: str | None = None


@dataclass(slots=True)
class Receipt:
    """What the one who said it may keep: a receipt without a matching entry in the log proves a loss."""

    index: int
    id: str
    leaf: bytes
    recorded_at: str

    @property
    def short_hash(self) -> str:
        """The first 12 hex digits of the leaf hash: enough for a slip of paper."""
        return self.leaf.hex()[:12]


@dataclass(frozen=True, slots=True)
class TreeHead:
    """Size, root hash and time of the newest batch."""

    size: int
    root: bytes
    recorded_at: str


@dataclass
class Head:
    """Where the log ends: what the next append builds on. Valid as long as its root is that of the newest batch, and until an appender has used it up."""

    tree: Tree
    root: bytes
    last_leaf: bytes | None
    recorded_at: str


def tree_head(connection: Connection) -> TreeHead:
    """Read the newest tree head; an empty log has size 0."""
    rows = fetch(connection, "SELECT size, root, recorded_at FROM batch ORDER BY size DESC LIMIT 1")
    return TreeHead(*rows[0]) if rows else TreeHead(0, EMPTY_ROOT, "")


def load_head(connection: Connection) -> Head:
    """Rebuild the end of the log from stored rows: at most 255 hashes a level. Raises Corrupt if they do not give the root of the newest batch."""
    head = tree_head(connection)
    if head.size == 0:
        return Head(Tree(), EMPTY_ROOT, None, "")
    edge: list[bytes] = []
    level, width = 0, head.size
    while width:
        at = width - width % TILE_WIDTH
        if level == 0:
            statement = select(_ENTRY.c.leaf).where(_ENTRY.c.index >= at, _ENTRY.c.index < width).order_by(_ENTRY.c.index)
        else:
            below = (_TILE.c.level == level - 1, _TILE.c.index >= at, _TILE.c.index < width)
            statement = select(_TILE.c.root).where(*below).order_by(_TILE.c.index)
        rows = connection.execute(statement).scalars().all()
        edge.append(b"".join(rows))
        level, width = level + 1, width // TILE_WIDTH
    tree = Tree.resume(head.size, edge)
    if tree.root() != head.root:
        raise Corrupt(f"账本末端与第 {head.size} 条时的树根不符。请停止写入并运行 shouwang verify")
    last_leaf = connection.execute(select(_ENTRY.c.leaf).where(_ENTRY.c.index == head.size - 1)).scalar_one_or_none()
    if last_leaf is None:
        raise Corrupt(f"账本少了最后一条（第 {head.size - 1} 条）。请停止写入并运行 shouwang verify")
    return Head(tree, head.root, last_leaf, head.recorded_at)


@dataclass(frozen=True)
class Mark:
    """A place in a transaction to go back to when what came after it is refused."""

    size: int
    prev: str | None
    undo: int


class Appender:
    """The append path of one database transaction. Owns the end of the log until `finish`, which uses *head* up: if the commit fails, load it anew."""

    def __init__(self, connection: Connection, head: Head, now: datetime) -> None:
        self._connection = connection
        self._head = head
        self._recorded_at = entries.format_time(now)
        self._size = head.tree.size
        self._prev = b64(head.last_leaf) if head.last_leaf is not None else None
        self._leaves: list[bytes] = []
        self._chains: dict[str, tuple[int, str]] = {}
        self._undo: list[tuple[str, tuple[int, str]]] = []

    def mark(self) -> Mark:
        """Remember this place."""
        return Mark(self._size, self._prev, len(self._undo))

    def rewind(self, mark: Mark) -> None:
        """Forget what was appended since *mark*; the caller has rolled the database back to the same place."""
        for subject, place in reversed(self._undo[mark.undo :]):
            self._chains[subject] = place
        del self._undo[mark.undo :]
        del self._leaves[len(self._leaves) - (self._size - mark.size) :]
        self._size, self._prev = mark.size, mark.prev

    @property
    def size(self) -> int:
        """The index that the next entry will have."""
        return self._size

    def receipts_for(self, facts: Sequence[Fact], actor: str) -> dict[str, Receipt | Conflict]:
        """Find facts that were already said: the first receipt for the same content, a Conflict for an id used for something else."""
        by_id = {parse_entry_id(fact.id): fact for fact in facts if fact.id is not None}
        found: dict[str, Receipt | Conflict] = {}
        if not by_id:
            return found
        for row in rows_where_in(self._connection, _ENTRY.c, _ENTRY.c.id, by_id):
            said, fact = orjson.loads(row.body), by_id[row.id]
            if (said["kind"], said["body"], said["actor"]) == (fact.kind, fact.body, fact.actor or actor):
                found[said["id"]] = Receipt(row.index, said["id"], row.leaf, said["recorded_at"])
            else:
                found[said["id"]] = Conflict(f"编号 {said['id']} 已用于另一条内容不同的记录（第 {row.index} 条）")
        return found

    def append(self, facts: Sequence[Fact], actor: str) -> list[Receipt]:
        """Append facts in order and project them. They are durable when the transaction has committed, not before.

        Raises InvalidRequest when a body is not what its kind allows; then none of them was appended.
        """
        concerned = [subjects(fact.body) for fact in facts]
        self._load_chains({subject for found in concerned for subject in found} - self._chains.keys())
        mark = self.mark()
        try:
            rows, logged = self._log(facts, concerned, actor)
        except BaseException:
            self.rewind(mark)  # whoever asked may live with the refusal and go on
            raise
        insert_rows(self._connection, _ENTRY, rows)
        projections.apply(self._connection, logged)
        return [Receipt(entry.index, entry.id, row["leaf"], self._recorded_at) for entry, row in zip(logged, rows, strict=True)]

    def _log(self, facts: Sequence[Fact], concerned: list[list[str]], actor: str) -> tuple[list[dict[str, Any]], list[entries.Entry]]:
        rows: list[dict[str, Any]] = []
        logged: list[entries.Entry] = []
        for fact, found in zip(facts, concerned, strict=True):
            kind = CURRENT[fact.kind]
            kind.validate(fact.body)
            new_id, by = fact.id or new_entry_id(), fact.actor or actor
            chains = self._chains_for(found)
            entry = entries.Entry(self._size, new_id, fact.kind, kind.version, by, self._recorded_at, fact.body, chains, self._prev)
            raw = entries.encode(entry.members())
            leaf = leaf_hash(raw)
            self._advance(found, leaf)
            rows.append({"index": entry.index, "id": parse_entry_id(new_id), "leaf": leaf, "body": raw})
            logged.append(entry)
        return rows, logged

    def _chains_for(self, concerned: list[str]) -> dict[str, list[Any]]:
        chains = {}
        for subject in concerned:
            count, leaf = self._chains[subject]
            chains[subject] = [count + 1, leaf] if count else [1]
        return chains

    def _advance(self, concerned: list[str], leaf: bytes) -> None:
        text = b64(leaf)
        for subject in concerned:
            place = self._chains[subject]
            self._undo.append((subject, place))
            self._chains[subject] = (place[0] + 1, text)
        self._leaves.append(leaf)
        self._prev = text
        self._size += 1

    def _load_chains(self, unseen: set[str]) -> None:
        self._chains.update((subject, (0, "")) for subject in unseen)
        for row in rows_where_in(self._connection, _CHAIN.c, _CHAIN.c.subject, sorted(unseen)):
            self._chains[row.subject] = (row.length, row.leaf)

    def finish(self) -> Head:
        """Write the tiles completed, the chain heads and the batch row. Returns the head to build on once the commit has succeeded."""
        if not self._leaves:
            return self._head
        tree = self._head.tree
        tiles = tree.extend(self._leaves)
        root = tree.root()
        insert_rows(
            self._connection,
            _TILE,
            [{"level": t.level, "index": t.index, "hashes": t.hashes, "root": t.root} for t in tiles],
        )
        heads = [{"subject": s, "length": n, "leaf": leaf} for s, (n, leaf) in sorted(self._chains.items()) if n]
        upsert_rows(self._connection, _CHAIN, heads)
        insert_rows(self._connection, _BATCH, [{"size": tree.size, "root": root, "recorded_at": self._recorded_at}])
        return Head(tree, root, self._leaves[-1], self._recorded_at)


def read_entry(connection: Connection, index: int) -> bytes:
    """Read an entry's bytes. Raises NotFound."""
    raw = connection.execute(select(_ENTRY.c.body).where(_ENTRY.c.index == index)).scalar_one_or_none()
    if raw is None:
        raise NotFound(f"账本里没有第 {index} 条（目前共 {tree_head(connection).size} 条，从 0 数起）")
    return bytes(raw)


def has_entry(connection: Connection, index: int, leaf: bytes) -> bool:
    """Tell whether the entry at an index is the one with this leaf hash."""
    return connection.execute(select(_ENTRY.c.leaf).where(_ENTRY.c.index == index)).scalar_one_or_none() == leaf


def receipts(connection: Connection, indexes: Collection[int]) -> dict[int, Receipt]:
    """Give the receipts of entries by index, as they were when the entries were said."""
    found = {}
    for row in rows_where_in(connection, _ENTRY.c, _ENTRY.c.index, indexes):
        said = orjson.loads(row.body)
        found[row.index] = Receipt(row.index, said["id"], bytes(row.leaf), said["recorded_at"])
    return found


def scan(connection: Connection, start: int = 0, stop: int | None = None) -> Generator[Any, None, None]:
    """Stream entry rows (index, id, leaf, body) in order, with little memory."""
    statement = select(_ENTRY).where(_ENTRY.c.index >= start).order_by(_ENTRY.c.index)
    if stop is not None:
        statement = statement.where(_ENTRY.c.index < stop)
    # An option of the statement, not of the connection: what is written on the same connection must not become a cursor too.
    with connection.execute(statement, execution_options={"yield_per": 5_000}) as rows:
        yield from rows


def read_tile(connection: Connection, level: int, index: int, width: int) -> bytes:
    """Give the first *width* hashes of a tile: from the stored tile when all are wanted, else from leaves or the tiles below. Raises NotFound."""
    if width == TILE_WIDTH and (stored := query(connection, 'SELECT hashes FROM tile WHERE level = ? AND "index" = ?', (level, index))):
        return bytes(stored[0].hashes)
    at = index * TILE_WIDTH
    among = '"index" >= ? AND "index" < ? ORDER BY "index"'
    if level == 0:
        rows = query(connection, f"SELECT leaf FROM entry WHERE {among}", (at, at + width))  # noqa: S608 only marks
    else:
        rows = query(connection, f"SELECT root FROM tile WHERE level = ? AND {among}", (level - 1, at, at + width))  # noqa: S608 only marks
    hashes = b"".join([row[0] for row in rows])
    if len(hashes) != width * HASH_BYTES:
        raise NotFound(f"第 {level} 层第 {index} 片没有 {width} 个散列值")
    return hashes


def entry_count(connection: Connection) -> int:
    """Count the entries actually stored, whatever the batches say."""
    return int(connection.execute(select(func.count()).select_from(_ENTRY)).scalar_one())
