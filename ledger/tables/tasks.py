"""Tasks that units were given: a projection."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from ledger.tables.columns import count, text


class TaskRow(SQLModel, table=True):
    """What a unit is to do by a day, on which document's word; done_on and result, or dropped_reason, once it is closed by the entry *closed_by*."""

    __tablename__ = "task"
    id: str = text(primary_key=True)
    station: str = text(index=True)
    title: str = text()
    detail: str | None = text(default=None)
    basis: str = text()
    due_on: str = text()
    assigned_on: str = text()
    assigned_by: str = text()
    entry_index: int = count()
    done_on: str | None = text(default=None)
    result: str | None = text(default=None)
    dropped_reason: str | None = text(default=None)
    closed_by: int | None = Field(default=None, sa_type=BigInteger)
