"""Figures that units hand in, and marks that organisations hold: projections."""

from sqlalchemy import Index
from sqlmodel import SQLModel

from ledger.tables.columns import count, index_key, text


class FigureRow(SQLModel, table=True):
    """What a unit said of itself for a day: how much (a whole number), and by which source. The newest word on a day stands."""

    __tablename__ = "figure"
    figure: str = text(primary_key=True)
    station: str = text(primary_key=True, index=True)
    counted_on: str = text(primary_key=True)
    value: int = count()
    source: str = text()
    entry_index: int = count()


class OrganisationMarkRow(SQLModel, table=True):
    """A mark (a code of kinds.figures.MARKS) that an organisation holds from *since* up to, but not on, *ended_on*; given again, it is another row."""

    __tablename__ = "organisation_mark"
    entry_index: int = index_key("entry_index")
    organisation: str = text()
    mark: str = text()
    station: str = text()
    since: str = text()
    basis: str = text()
    ended_on: str | None = text(default=None)
    ended_reason: str | None = text(default=None)
    __table_args__ = (Index("ix_organisation_mark_organisation", "organisation"),)
