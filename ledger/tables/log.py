"""The tables of the log: triggers refuse UPDATE, DELETE and INSERT out of order."""

from sqlmodel import SQLModel

from ledger.tables.columns import blob, index_key, text


class EntryRow(SQLModel, table=True):
    """One entry: its bytes as hashed, its leaf hash, its id."""

    __tablename__ = "entry"
    index: int = index_key("index")
    id: bytes = blob(unique=True)
    leaf: bytes = blob()
    body: bytes = blob()


class TileRow(SQLModel, table=True):
    """A full tile: 256 hashes of a level, and the hash over them. Partial tiles are made on request."""

    __tablename__ = "tile"
    level: int = index_key("level")
    index: int = index_key("index")
    hashes: bytes = blob()
    root: bytes = blob()
    __table_args__ = {"sqlite_with_rowid": False}


class BatchRow(SQLModel, table=True):
    """One row a commit: the tree head then. The newest row is the head of the log."""

    __tablename__ = "batch"
    size: int = index_key("size")
    root: bytes = blob()
    recorded_at: str = text()


class CheckpointRow(SQLModel, table=True):
    """A signed tree head, as a C2SP signed note."""

    __tablename__ = "checkpoint"
    size: int = index_key("size")
    note: str = text()


class CosignatureRow(SQLModel, table=True):
    """A witness's line under a checkpoint. *witness* is its whole vkey, so that the line can be checked for ever."""

    __tablename__ = "cosignature"
    size: int = index_key("size")
    witness: str = text(primary_key=True)
    line: str = text()
    __table_args__ = {"sqlite_with_rowid": False}


LOG: tuple[type[SQLModel], ...] = (EntryRow, TileRow, BatchRow, CheckpointRow, CosignatureRow)
