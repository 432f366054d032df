"""The filing life of organisations: applications and what was said of them, how each organisation stands, under what names units went; and drafts."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from ledger.tables.columns import blob, index_key, text


class FilingApplicationRow(SQLModel, table=True):
    """A projection: one application (form, state: codes) and how far it came. JSON: said (its public words), leaders (their commitments).

    *first_asked_on*: when what it replaces after a return was first handed in. *number*: the filing number that it is about, or was given.
    """

    __tablename__ = "filing_application"
    filing: str = text(primary_key=True)
    organisation: str = text(index=True)
    station: str = text(index=True)
    street: str = text(index=True)
    form: str = text()
    state: str = text(index=True)
    name: str = text()
    number: str | None = text(default=None, index=True)
    serial: int | None = Field(default=None, sa_type=BigInteger)
    said: str = text()
    leaders: str = text()
    particulars: str | None = text(default=None)
    replaces: str | None = text(default=None)
    asked_by: str = text()
    asked_on: str = text()
    first_asked_on: str = text()
    community_by: str | None = text(default=None)
    community_on: str | None = text(default=None)
    street_by: str | None = text(default=None)
    street_on: str | None = text(default=None)
    reason: str | None = text(default=None)
    entry_index: int = Field(sa_type=BigInteger)


class FilingStandingRow(SQLModel, table=True):
    """A projection: what is on file of an organisation now. JSON: said (its public particulars).

    *filing*: the newest act by which it was filed; *leaders_of*, *particulars_of*: the applications whose sealed leaders and particulars hold.
    """

    __tablename__ = "filing_standing"
    organisation: str = text(primary_key=True)
    street: str = text(index=True)
    filing: str | None = text(default=None)
    leaders_of: str | None = text(default=None)
    particulars_of: str | None = text(default=None)
    said: str = text()
    changed_on: str | None = text(default=None)
    cancelled_on: str | None = text(default=None)
    entry_index: int = Field(sa_type=BigInteger)


class FilingUnitNameRow(SQLModel, table=True):
    """A projection: the name that a unit of the tree has had since a day; empty from the day on which it was closed."""

    __tablename__ = "filing_unit_name"
    entry_index: int = index_key("entry_index")
    station: str = text(index=True)
    name: str = text(index=True)
    valid_from: str = text()


class FilingDraftRow(SQLModel, table=True):
    """An application that somebody is filling in, sealed under a key of its own (filing-draft/…). *replaces*: the returned one that it mends."""

    __tablename__ = "filing_draft"
    id: str = text(primary_key=True)
    account: str = text(index=True)
    station: str = text(index=True)
    form: str = text()
    organisation: str | None = text(default=None, index=True)
    replaces: str | None = text(default=None)
    sealed: bytes = blob()
    began_at: str = text()
    changed_at: str = text(index=True)


class FilingWarningRow(SQLModel, table=True):
    """That somebody was told that a filing lapses on a day: *mark* days before it."""

    __tablename__ = "filing_warning"
    organisation: str = text(primary_key=True)
    expires_on: str = text(primary_key=True)
    mark: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    told_at: str = text()


FILING: tuple[type[SQLModel], ...] = (FilingApplicationRow, FilingStandingRow, FilingUnitNameRow)
