"""Figures that units hand in, and marks that organisations hold: projections."""

from sqlmodel import SQLModel

from ledger.tables.columns import count, text


class FigureRow(SQLModel, table=True):
    """What a unit said of itself for a day: how much (a whole number), and by which source. The newest word on a day stands."""

    __tablename__ = "figure"
    station: str = text(primary_key=True)
    figure: str = text(primary_key=True)
    counted_on: str = text(primary_key=True)
    value: int = count()
    source: str = text()
    entry_index: int = count()


class OrganisationMarkRow(SQLModel, table=True):
    """A mark (a code of kinds.figures.MARKS) that an organisation holds from *since* up to, but not on, *ended_on*."""

    __tablename__ = "organisation_mark"
    organisation: str = text(primary_key=True)
    mark: str = text(primary_key=True)
    station: str = text()
    since: str = text()
    basis: str = text()
    ended_on: str | None = text(default=None)
    ended_reason: str | None = text(default=None)
    entry_index: int = count()
