"""What units handed in when it fell due: a projection."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from ledger.tables.columns import index_key, text


class DutyPaperRow(SQLModel, table=True):
    """A paper as handed in: for which duty, unit (and organisation) and period; *said*: its fields (JSON); *replaced_by*: the one that stands instead."""

    __tablename__ = "duty_paper"
    entry_index: int = index_key("entry_index")
    duty: str = text()
    station: str = text()
    organisation: str | None = text(default=None)
    period: str = text()
    handed_on: str = text()
    said: str = text()
    actor: str = text()
    recorded_at: str = text()
    replaced_by: int | None = Field(default=None, sa_type=BigInteger)
    __table_args__ = (Index("ix_duty_paper_station_duty_period", "station", "duty", "period"),)
