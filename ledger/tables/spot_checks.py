"""Spot checks, announced and done: projections."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from ledger.tables.columns import count, index_key, text


class SpotCheckAnnouncementRow(SQLModel, table=True):
    """
    A spot check that was announced: what is drawn from and by which number. *units*: the unit and those below it as the tree stood then, a JSON array.

    *recorded_index*: the entry with what was found; *withdrawn_index* and what follows: the entry that withdrew it. Neither while it waits.
    """

    __tablename__ = "spot_check_announcement"
    entry_index: int = index_key("entry_index")
    station: str = text(index=True)
    records: int
    available: int = count()
    source: str = text()
    digits: int
    number_on: str = text()
    tree_size: int = count()
    root: str = text()
    units: str = text()
    announced_by: str = text()
    announced_at: str = text()
    recorded_index: int | None = Field(default=None, sa_type=BigInteger)
    withdrawn_index: int | None = Field(default=None, sa_type=BigInteger)
    reason: str | None = text(default=None)
    withdrawn_by: str | None = text(default=None)
    withdrawn_at: str | None = text(default=None)


class SpotCheckRow(SQLModel, table=True):
    """What a spot check found: how many of the records drawn held, were wrong, or could not be told. *announced*: the entry that announced it."""

    __tablename__ = "spot_check"
    entry_index: int = index_key("entry_index")
    announced: int = count()
    station: str = text(index=True)
    checked_on: str = text()
    nonce: str = text()
    held: int
    wrong: int
    unclear: int
    remark: str | None = text(default=None)
    recorder: str = text()
    recorded_at: str = text()


SPOT_CHECKS = (SpotCheckAnnouncementRow, SpotCheckRow)
