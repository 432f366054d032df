"""
Every table, in three groups: the log (append-only, the truth), projections (folds of the log, disposable), and what is neither.

Dates and local times are ISO text (YYYY-MM-DD, YYYY-MM-DDTHH:MM), instants RFC 3339 with +08:00, as in entries: they sort as text and no driver
changes their zone. Text that orders a comparison with a rebuild is compared by code point. Rows are never validated here (SQLModel does not
validate table models): rules live in the noun modules, and entries are validated by their kind.
"""

from typing import Any, cast

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "pk": "pk_%(table_name)s",
}


def table(model: type[SQLModel]) -> Table:
    """Give the Core table behind a model, for set-wise statements."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


def _text(**options: Any) -> Any:
    return Field(sa_type=Text, **options)


def _blob(**options: Any) -> Any:
    return Field(sa_type=LargeBinary, **options)


def _count() -> Any:
    """Make a column for a count that may pass 2^31."""
    return Field(sa_type=BigInteger)


def _index_key(name: str) -> Any:
    """Make a primary key that is an index or size: 64 bits, and on SQLite the row id itself."""
    return Field(sa_column=Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False))


# --- the log: triggers refuse UPDATE, DELETE and INSERT out of order ----------------------------------------------------------------------


class EntryRow(SQLModel, table=True):
    """One entry: its bytes as hashed, its leaf hash, its id."""

    __tablename__ = "entry"
    index: int = _index_key("index")
    id: bytes = _blob(unique=True)
    leaf: bytes = _blob()
    body: bytes = _blob()


class TileRow(SQLModel, table=True):
    """A full tile: 256 hashes of a level, and the hash over them. Partial tiles are made on request."""

    __tablename__ = "tile"
    level: int = _index_key("level")
    index: int = _index_key("index")
    hashes: bytes = _blob()
    root: bytes = _blob()
    __table_args__ = {"sqlite_with_rowid": False}


class BatchRow(SQLModel, table=True):
    """One row a commit: the tree head then. The newest row is the head of the log."""

    __tablename__ = "batch"
    size: int = _index_key("size")
    root: bytes = _blob()
    recorded_at: str = _text()


class CheckpointRow(SQLModel, table=True):
    """A signed tree head, as a C2SP signed note."""

    __tablename__ = "checkpoint"
    size: int = _index_key("size")
    note: str = _text()


class CosignatureRow(SQLModel, table=True):
    """A witness's line under a checkpoint. *witness* is its whole vkey, so that the line can be checked for ever."""

    __tablename__ = "cosignature"
    size: int = _index_key("size")
    witness: str = _text(primary_key=True)
    line: str = _text()
    __table_args__ = {"sqlite_with_rowid": False}


# --- projections: remade from the log at any time ------------------------------------------------------------------------------------------


class ChainRow(SQLModel, table=True):
    """The head of a subject's chain: how many entries it has, and the leaf hash of the last (base64)."""

    __tablename__ = "chain"
    subject: str = _text(primary_key=True)
    length: int
    leaf: str = _text()


class PolicyRow(SQLModel, table=True):
    """A policy's rules from a day on (JSON)."""

    __tablename__ = "policy"
    policy: str = _text(primary_key=True)
    effective_on: str = _text(primary_key=True)
    rules: str = _text()
    entry_index: int


class StationRow(SQLModel, table=True):
    """A unit of the tree: district, centre or station."""

    __tablename__ = "station"
    code: str = _text(primary_key=True)
    name: str = _text()
    level: str = _text()
    parent: str | None = _text(default=None, index=True)
    area_type: str | None = _text(default=None)
    valid_from: str = _text()
    closed_on: str | None = _text(default=None)
    entry_index: int


class PopulationRow(SQLModel, table=True):
    """A station's resident population (常住人口) counted on a day."""

    __tablename__ = "population"
    station: str = _text(primary_key=True)
    counted_on: str = _text(primary_key=True)
    population: int
    source: str = _text()
    entry_index: int


class OrganisationRow(SQLModel, table=True):
    """A community social organisation, filed (备案) or registered (登记)."""

    __tablename__ = "organisation"
    id: str = _text(primary_key=True)
    station: str = _text(index=True)
    number: str = _text(index=True)
    name: str = _text(index=True)
    scheme: str = _text()
    category: str = _text()
    volunteer_organisation: int
    basis: str = _text()
    since: str = _text()
    expires_on: str | None = _text(default=None)
    contact: str | None = _text(default=None)
    entry_index: int


class VolunteerRow(SQLModel, table=True):
    """A volunteer: number, home station, dates. No personal data; *identity* and *contact* are the salted commitments of the entry."""

    __tablename__ = "volunteer"
    number: str = _text(primary_key=True)
    station: str = _text(index=True)
    registered_on: str = _text()
    basis: str = _text()
    confirmed_on: str | None = _text(default=None)
    backbone_on: str | None = _text(default=None)
    identity: str = _text()
    contact: str | None = _text(default=None)
    entry_index: int


class ActivityRow(SQLModel, table=True):
    """An activity: what, where, when, for whom, by which unit. Lists are JSON arrays of codes."""

    __tablename__ = "activity"
    id: str = _text(primary_key=True)
    station: str = _text()
    organisation: str | None = _text(default=None)
    responsible_unit: str | None = _text(default=None)
    title: str = _text()
    series: str = _text()
    start: str | None = _text(default=None)
    end: str | None = _text(default=None)
    place: str | None = _text(default=None)
    beneficiaries: str = _text()
    services: str = _text()
    migrated_year: int | None = Field(default=None)
    source: str | None = _text(default=None)
    recorder: str = _text()
    entry_index: int
    __table_args__ = (Index("ix_activity_station_start", "station", "start"),)


class ServiceRow(SQLModel, table=True):
    """One service record as it stands now: corrections and voids have been applied. Times are Asia/Shanghai, whole minutes.

    status: recorded (waits for approval), approved (counts from *effective_on* on), voided. recorder: the account whose word it is;
    corrected_by: who corrected it last. Neither approves it.
    """

    __tablename__ = "service"
    entry_index: int = _index_key("entry_index")
    volunteer: str = _text()
    activity: str = _text(index=True)
    station: str = _text()
    organisation: str | None = _text(default=None)
    served_on: str = _text()
    start: str = _text()
    end: str = _text()
    minutes: int
    break_minutes: int
    grade: str = _text()
    batch: str = _text(index=True)
    source_sha256: str | None = _text(default=None)
    source_row: int | None = Field(default=None)
    status: str = _text()
    effective_on: str | None = _text(default=None)
    recorder: str = _text()
    recorded_at: str = _text()
    changed_by: int | None = Field(default=None)
    corrected_by: str | None = _text(default=None)
    reason: str | None = _text(default=None)
    __table_args__ = (
        Index("ix_service_volunteer_start", "volunteer", "start"),
        Index("ix_service_station_status", "station", "status"),
    )


class PublishedRateRow(SQLModel, table=True):
    """A station's rates as published: the counts, the day and the tree size they were counted at."""

    __tablename__ = "published_rate"
    entry_index: int = _index_key("entry_index")
    station: str = _text()
    period_from: str = _text()
    period_to: str = _text()
    counted_on: str = _text()
    tree_size: int = _count()
    population: int = _count()
    registered: int = _count()
    confirmed: int = _count()
    participants: int = _count()
    backbone: int = _count()
    minutes: int = _count()
    __table_args__ = (Index("ix_published_rate_station_period", "station", "period_from", "period_to"),)


class KeyRotationRow(SQLModel, table=True):
    """Where the log changed its key: the entry, and the two keys as it names them."""

    __tablename__ = "key_rotation"
    entry_index: int = _index_key("entry_index")
    old_vkey: str = _text()
    new_vkey: str = _text()


PROJECTIONS: tuple[type[SQLModel], ...] = (
    ChainRow,
    PolicyRow,
    StationRow,
    PopulationRow,
    OrganisationRow,
    VolunteerRow,
    ActivityRow,
    ServiceRow,
    PublishedRateRow,
    KeyRotationRow,
)
LOG: tuple[type[SQLModel], ...] = (EntryRow, TileRow, BatchRow, CheckpointRow, CosignatureRow)


# --- neither: people's sealed data, accounts, work in hand ---------------------------------------------------------------------------------


class PersonRow(SQLModel, table=True):
    """Sealed personal data of a subject (person/… or organisation/…), readable only with its key in the key store."""

    __tablename__ = "person"
    subject: str = _text(primary_key=True)
    identity: bytes | None = _blob(default=None)
    contact: bytes | None = _blob(default=None)


class BlindIndexRow(SQLModel, table=True):
    """Keyed digest of an ID number or phone, to find its subject. An ID number belongs to one subject only."""

    __tablename__ = "blind_index"
    digest: bytes = _blob(primary_key=True)
    subject: str = _text(primary_key=True)
    field: str = _text()
    __table_args__ = (
        Index(
            "uq_blind_index_id_number",
            "digest",
            unique=True,
            sqlite_where=Column("field") == "id_number",
            postgresql_where=Column("field") == "id_number",
        ),
    )


class ParkedRow(SQLModel, table=True):
    """A sheet's row of somebody not registered yet, sealed under the wrapping key, waiting for the registration."""

    __tablename__ = "parked"
    id: str = _text(primary_key=True)
    digest: bytes = _blob(index=True)
    station: str = _text(index=True)
    activity: str = _text()
    source_sha256: str = _text()
    source_row: int
    sealed: bytes = _blob()
    parked_at: str = _text()


class AccountRow(SQLModel, table=True):
    """Somebody who may act: staff by login name, volunteers by their number."""

    __tablename__ = "account"
    id: str = _text(primary_key=True)
    login: str = _text(unique=True)
    role: str = _text()
    station: str | None = _text(default=None)
    volunteer: str | None = _text(default=None, unique=True)
    password_hash: str | None = _text(default=None)
    must_change: int = 0
    session_epoch: int = 0
    disabled: int = 0
    created_at: str = _text()


class FailedSignInRow(SQLModel, table=True):
    """Failed sign-ins, for throttling: by keyed digest of the name tried, so that a mistyped ID number is not kept."""

    __tablename__ = "failed_sign_in"
    digest: bytes = _blob(primary_key=True)
    failures: int
    last_at: str = _text()


class ApiTokenRow(SQLModel, table=True):
    """A key with which a program acts as an account: only the digest of its secret. *scopes*: separated by spaces."""

    __tablename__ = "api_token"
    id: str = _text(primary_key=True)
    digest: bytes = _blob(unique=True)
    account: str = _text(index=True)
    scopes: str = _text()
    issued_by: str = _text()
    issued_at: str = _text()
    expires_on: str = _text()
    revoked_at: str | None = _text(default=None)
    last_used_at: str | None = _text(default=None)


class UploadRow(SQLModel, table=True):
    """A file in hand, sealed under the wrapping key; removed after a day, its content already at a commit that refused no row."""

    __tablename__ = "upload"
    id: str = _text(primary_key=True)
    account: str = _text(index=True)
    kind: str = _text()
    state: str = _text()
    done: int = 0
    total: int = 0
    content: bytes = _blob()
    outcome: bytes | None = _blob(default=None)
    uploaded_at: str = _text()


class JobRunRow(SQLModel, table=True):
    """One run of a job for a business date. The key lets it run once, whoever starts it."""

    __tablename__ = "job_run"
    job: str = _text(primary_key=True)
    business_date: str = _text(primary_key=True)
    state: str = _text()
    started_at: str = _text()
    finished_at: str | None = _text(default=None)
    attempt: int = 1
    remark: str | None = _text(default=None)


class WitnessContactRow(SQLModel, table=True):
    """How asking a witness went: its vkey, when it last cosigned, when and why it last did not."""

    __tablename__ = "witness_contact"
    witness: str = _text(primary_key=True)
    succeeded_at: str | None = _text(default=None)
    failed_at: str | None = _text(default=None)
    error: str | None = _text(default=None)
