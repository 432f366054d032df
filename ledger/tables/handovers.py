"""Records handed over to another system: those that were (a projection), and those that somebody asked for (work in hand)."""

from sqlmodel import SQLModel

from ledger.tables.columns import count, index_key, text


class HandoverRow(SQLModel, table=True):
    """A file that was taken: unit, period, how many people and rows, its SHA-256 (base64), who asked and who agreed."""

    __tablename__ = "handover"
    entry_index: int = index_key("entry_index")
    station: str = text(index=True)
    period_from: str = text()
    period_to: str = text()
    handed_on: str = text()
    people: int = count()
    services: int = count()
    trainings: int = count()
    awards: int = count()
    evaluations: int = count()
    sha256: str = text()
    asked_by: str = text()
    agreed_by: str = text()
    reason: str = text()


class HandoverRequestRow(SQLModel, table=True):
    """A handover that one person asked for. state: waiting, agreed (the file may be taken until *ends_at*), declined, taken."""

    __tablename__ = "handover_request"
    id: str = text(primary_key=True)
    station: str = text(index=True)
    period_from: str = text()
    period_to: str = text()
    reason: str = text()
    asked_by: str = text()
    asked_at: str = text()
    state: str = text()
    decided_by: str | None = text(default=None)
    decided_at: str | None = text(default=None)
    ends_at: str | None = text(default=None)
