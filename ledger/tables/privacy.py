"""What people asked about their data, what was done, and who looked at it in full."""

from sqlmodel import SQLModel

from ledger.tables.columns import index_key, text


class ErasureRow(SQLModel, table=True):
    """A projection: whose data is erased, or restricted (封存) until a day because a law still asks for it."""

    __tablename__ = "erasure"
    subject: str = text(primary_key=True)
    state: str = text()
    station: str = text()
    requested_on: str = text()
    decided_on: str = text()
    until: str | None = text(default=None)
    reason: str = text()
    asked_by: str = text()
    decided_by: str = text()
    entry_index: int


class DataRequestRow(SQLModel, table=True):
    """A request to erase somebody's data, recorded by one person and decided by another. *means*: self or desk; *state*: open, withdrawn, refused, done.

    Nothing of it is personal: a volunteer number, codes, days, and the reply in words.
    """

    __tablename__ = "data_request"
    id: str = text(primary_key=True)
    volunteer: str = text(index=True)
    station: str = text(index=True)
    means: str = text()
    reason: str = text()
    asked_by: str = text()
    asked_at: str = text()
    state: str = text(index=True)
    decided_by: str | None = text(default=None)
    decided_at: str | None = text(default=None)
    reply: str | None = text(default=None)
    entry_index: int | None = None


class RevealRow(SQLModel, table=True):
    """Somebody of the staff looked at a person's data in full. Never changed and never removed; *digest* chains it to the one before (reveals.py)."""

    __tablename__ = "reveal"
    id: int = index_key("id")
    volunteer: str = text(index=True)
    account: str = text(index=True)
    role: str = text()
    station: str | None = text(default=None)
    fields: str = text()
    reason: str = text()
    note: str = text()
    revealed_at: str = text()
    digest: str = text()
