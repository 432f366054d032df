"""Spot checks: a projection."""

from sqlmodel import SQLModel

from ledger.tables.columns import count, index_key, text


class SpotCheckRow(SQLModel, table=True):
    """A spot check of a unit and those below it: what was drawn from, and how many records held, were wrong, or could not be told."""

    __tablename__ = "spot_check"
    entry_index: int = index_key("entry_index")
    station: str = text(index=True)
    checked_on: str = text()
    tree_size: int = count()
    nonce: str = text()
    held: int
    wrong: int
    unclear: int
    remark: str | None = text(default=None)
    recorder: str = text()
    recorded_at: str = text()
