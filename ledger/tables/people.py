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
    guardian: bytes | None = blob(default=None)


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
    """Somebody who may sign in: staff by login name, volunteers by their number. What staff may do follows from the log (role_grant).

    session_epoch: how often the password was set; *code_expires_at*: until when a one-time code is good; *salt*: of the log's commitment to the login.
    """

    __tablename__ = "account"
    id: str = text(primary_key=True)
    login: str = text(unique=True)
    volunteer: str | None = text(default=None, unique=True)
    password_hash: str | None = text(default=None)
    must_change: int = 0
    code_expires_at: str | None = text(default=None)
    session_epoch: int = 0
    disabled: int = 0
    created_at: str = text()
    salt: bytes | None = blob(default=None)


class RoleProposalRow(SQLModel, table=True):
    """A role that one administrator wants to give and another has to confirm."""

    __tablename__ = "role_proposal"
    id: str = text(primary_key=True)
    account: str = text(index=True)
    role: str = text()
    station: str | None = text(default=None)
    proposed_by: str = text()
    proposed_at: str = text()


class FailedSignInRow(SQLModel, table=True):
    """Failed tries, for throttling: by keyed digest of what was tried, so that neither a mistyped ID number nor an address is kept."""

    __tablename__ = "failed_sign_in"
    digest: bytes = blob(primary_key=True)
    kind: str = text()
    failures: int
    since_at: str = text()
    last_at: str = text()


class SessionRow(SQLModel, table=True):
    """A browser that is signed in: the digest of its secret. *waits_for*: what is missing yet (second_factor, enrolment)."""

    __tablename__ = "session"
    digest: bytes = blob(primary_key=True)
    account: str = text(index=True)
    means: str = text()
    waits_for: str = text()
    browser: str = text()
    begun_at: str = text()
    last_used_at: str = text()
    ends_at: str = text()


class SecondFactorRow(SQLModel, table=True):
    """An account's TOTP secret, sealed; *last_step*: the newest step used; *recovery*: digests of the codes left, in hex, by spaces."""

    __tablename__ = "second_factor"
    account: str = text(primary_key=True)
    secret: bytes = blob()
    confirmed_at: str | None = text(default=None)
    last_step: int = 0
    recovery: str = text()


class LinkedIdentityRow(SQLModel, table=True):
    """A person's identity at an identity provider, as a keyed digest of issuer and subject; *salt*: of the log's commitment to that."""

    __tablename__ = "linked_identity"
    digest: bytes = blob(primary_key=True)
    account: str = text(index=True)
    linked_by: str = text()
    linked_at: str = text()
    salt: bytes | None = blob(default=None)


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
