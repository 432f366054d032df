"""People's sealed data and who may act: neither log nor projection."""

from sqlalchemy import Column, Index
from sqlmodel import SQLModel

from ledger.tables.columns import blob, text


class PersonRow(SQLModel, table=True):
    """Sealed personal data of a subject (person/… or organisation/…), readable only with its key in the key store."""

    __tablename__ = "person"
    subject: str = text(primary_key=True)
    identity: bytes | None = blob(default=None)
    contact: bytes | None = blob(default=None)


class BlindIndexRow(SQLModel, table=True):
    """Keyed digest of an ID number or phone, to find its subject. An ID number belongs to one subject only."""

    __tablename__ = "blind_index"
    digest: bytes = blob(primary_key=True)
    subject: str = text(primary_key=True)
    field: str = text()
    __table_args__ = (
        Index(
            "uq_blind_index_id_number",
            "digest",
            unique=True,
            sqlite_where=Column("field") == "id_number",
            postgresql_where=Column("field") == "id_number",
        ),
    )


class AccountRow(SQLModel, table=True):
    """Somebody who may act: staff by login name, volunteers by their number."""

    __tablename__ = "account"
    id: str = text(primary_key=True)
    login: str = text(unique=True)
    role: str = text()
    station: str | None = text(default=None)
    volunteer: str | None = text(default=None, unique=True)
    password_hash: str | None = text(default=None)
    must_change: int = 0
    session_epoch: int = 0
    disabled: int = 0
    created_at: str = text()


class FailedSignInRow(SQLModel, table=True):
    """Failed sign-ins, for throttling: by keyed digest of the name tried, so that a mistyped ID number is not kept."""

    __tablename__ = "failed_sign_in"
    digest: bytes = blob(primary_key=True)
    failures: int
    last_at: str = text()


class ApiTokenRow(SQLModel, table=True):
    """A key with which a program acts as an account: only the digest of its secret. *scopes*: separated by spaces."""

    __tablename__ = "api_token"
    id: str = text(primary_key=True)
    digest: bytes = blob(unique=True)
    account: str = text(index=True)
    scopes: str = text()
    issued_by: str = text()
    issued_at: str = text()
    expires_on: str = text()
    revoked_at: str | None = text(default=None)
    last_used_at: str | None = text(default=None)
