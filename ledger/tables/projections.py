"""The projections: folds of the log, remade from it at any time."""

from sqlalchemy import BigInteger, Index
from sqlalchemy import text as sql_text
from sqlmodel import Field, SQLModel

from ledger.tables.certificates import CertificateRow
from ledger.tables.columns import count, index_key, text
from ledger.tables.credit import CREDIT
from ledger.tables.duties import DutyPaperRow
from ledger.tables.figures import FigureRow, OrganisationMarkRow
from ledger.tables.filing import FILING
from ledger.tables.handovers import HandoverRow
from ledger.tables.privacy import ErasureRow
from ledger.tables.selections import SELECTIONS
from ledger.tables.spot_checks import SPOT_CHECKS
from ledger.tables.tasks import TaskRow


class ChainRow(SQLModel, table=True):
    """The head of a subject's chain: how many entries it has, and the leaf hash of the last (base64)."""

    __tablename__ = "chain"
    subject: str = text(primary_key=True)
    length: int
    leaf: str = text()


class PolicyRow(SQLModel, table=True):
    """A policy's rules from a day on (JSON)."""

    __tablename__ = "policy"
    policy: str = text(primary_key=True)
    effective_on: str = text(primary_key=True)
    rules: str = text()
    entry_index: int


class StationRow(SQLModel, table=True):
    """A unit of the tree: district, centre or station; no more from *closed_on* on, and then part of *successor*, if of any."""

    __tablename__ = "station"
    code: str = text(primary_key=True)
    name: str = text()
    level: str = text()
    parent: str | None = text(default=None, index=True)
    area_type: str | None = text(default=None)
    valid_from: str = text()
    closed_on: str | None = text(default=None)
    successor: str | None = text(default=None)
    entry_index: int


class PopulationRow(SQLModel, table=True):
    """A station's resident population (常住人口) counted on a day."""

    __tablename__ = "population"
    station: str = text(primary_key=True)
    counted_on: str = text(primary_key=True)
    population: int
    source: str = text()
    entry_index: int


class OrganisationRow(SQLModel, table=True):
    """A community social organisation, filed (备案) or registered (登记)."""

    __tablename__ = "organisation"
    id: str = text(primary_key=True)
    station: str = text(index=True)
    number: str = text(index=True)
    name: str = text(index=True)
    scheme: str = text()
    category: str = text()
    volunteer_organisation: int
    basis: str = text()
    since: str = text()
    expires_on: str | None = text(default=None)
    contact: str | None = text(default=None)
    entry_index: int = Field(index=True)


class VolunteerRow(SQLModel, table=True):
    """A volunteer: number, home station, dates. No personal data; *identity* and *contact* are the salted commitments of the entry.

    *station* is home from *since_on* on, until *left_on* if the person left (left_as: a code of kinds.people.LEAVING, or merged). *confirmed_on* is
    the first day they said yes themselves, *asked_again_on* the newest, *confirmed_by* by what means. *guardian*: the commitment to a minor's
    guardian. *recorder*: the account that registered them. *disowned*: what was found when somebody said that this registration was not theirs.
    """

    __tablename__ = "volunteer"
    number: str = text(primary_key=True)
    station: str = text()
    registered_on: str = text()
    basis: str = text()
    confirmed_on: str | None = text(default=None)
    backbone_on: str | None = text(default=None)
    identity: str = text()
    contact: str | None = text(default=None)
    entry_index: int = Field(index=True)
    since_on: str = text()
    left_on: str | None = text(default=None)
    left_as: str | None = text(default=None)
    merged_into: str | None = text(default=None)
    asked_again_on: str | None = text(default=None)
    confirmed_by: str | None = text(default=None)
    guardian: str | None = text(default=None)
    recorder: str = text()
    disowned: str | None = text(default=None)
    __table_args__ = (
        Index("ix_volunteer_merged_into", "merged_into"),
        Index("ix_volunteer_left_as", "left_as"),
        Index("ix_volunteer_counted", "station", "since_on", "left_on", "left_as", "confirmed_on", "confirmed_by", "backbone_on"),
    )


class PastHomeRow(SQLModel, table=True):
    """A station that was a volunteer's home from a day up to, but not on, another: ended by the entry at *entry_index*."""

    __tablename__ = "past_home"
    entry_index: int = index_key("entry_index")
    volunteer: str = text(index=True)
    station: str = text()
    since_on: str = text()
    until_on: str = text()


class ActivityRow(SQLModel, table=True):
    """An activity: what, where, when, for whom, by which unit. Lists are JSON arrays of codes.

    *declared*: planned here, and declared to be voluntary service by that list. *recurrence*: what activities planned together share.
    ended_as: closed or cancelled, by the entry *ended_by*; *attended*: how many came.
    """

    __tablename__ = "activity"
    id: str = text(primary_key=True)
    station: str = text()
    organisation: str | None = text(default=None, index=True)
    responsible_unit: str | None = text(default=None)
    title: str = text()
    series: str = text()
    start: str | None = text(default=None)
    end: str | None = text(default=None)
    place: str | None = text(default=None)
    beneficiaries: str = text()
    services: str = text()
    migrated_year: int | None = Field(default=None)
    source: str | None = text(default=None)
    theme: str | None = text(default=None)
    breaks: str | None = text(default=None)
    head_counts: str | None = text(default=None)
    responsible_account: str | None = text(default=None)
    responsible_volunteer: str | None = text(default=None)
    places: int | None = Field(default=None)
    major: str | None = text(default=None)
    reported_on: str | None = text(default=None)
    declared: str | None = text(default=None)
    recurrence: str | None = text(default=None)
    ended_as: str | None = text(default=None)
    ended_by: int | None = Field(default=None, sa_type=BigInteger)
    ended_reason: str | None = text(default=None)
    attended: int | None = Field(default=None)
    recorder: str = text()
    entry_index: int = Field(index=True)
    __table_args__ = (Index("ix_activity_station_start", "station", "start"),)


class ServiceRow(SQLModel, table=True):
    """One service record as it stands now: corrections and voids have been applied. Times are Asia/Shanghai, whole minutes.

    status: recorded (waits for approval), approved (counts from *effective_on* on), voided. recorder: the account whose word it is; second: who said
    it with them, where the policy asks for two; corrected_by: who corrected it last. None of them approves it; approved_by did. contested_by: the
    objection that waits for a decision; frozen: 1 while the record counts nowhere because of it.
    """

    __tablename__ = "service"
    entry_index: int = index_key("entry_index")
    volunteer: str = text()
    activity: str = text(index=True)
    station: str = text()
    organisation: str | None = text(default=None)
    served_on: str = text()
    start: str = text()
    end: str = text()
    minutes: int
    break_minutes: int
    grade: str = text()
    batch: str = text(index=True)
    source_sha256: str | None = text(default=None)
    source_row: int | None = Field(default=None)
    status: str = text()
    effective_on: str | None = text(default=None)
    recorder: str = text()
    recorded_at: str = text()
    changed_by: int | None = Field(default=None)
    corrected_by: str | None = text(default=None)
    reason: str | None = text(default=None)
    second: str | None = text(default=None)
    approved_by: str | None = text(default=None)
    contested_by: int | None = Field(default=None, sa_type=BigInteger)
    frozen: int
    __table_args__ = (
        Index("ix_service_volunteer_start", "volunteer", "start"),
        Index("ix_service_station_status", "station", "status"),
        Index(
            "ix_service_effective_on",
            *("effective_on", "volunteer", "served_on", "minutes", "status", "frozen"),
            sqlite_where=sql_text("effective_on IS NOT NULL"),
            postgresql_where=sql_text("effective_on IS NOT NULL"),
        ),
        Index(
            "ix_service_ahead",
            "served_on",
            sqlite_where=sql_text("effective_on < served_on"),
            postgresql_where=sql_text("effective_on < served_on"),
        ),
    )


class YearServedRow(SQLModel, table=True):
    """What a volunteer gave in a year: the records that are approved and not frozen, also those whose publicity still runs, and their minutes."""

    __tablename__ = "year_served"
    year: str = text(primary_key=True)
    volunteer: str = text(primary_key=True)
    records: int = count()
    minutes: int = count()
    __table_args__ = {"sqlite_with_rowid": False}


class ObjectionRow(SQLModel, table=True):
    """What somebody said is wrong with a record of theirs (claim: a code of kinds.service.CLAIMS), and what came out (finding: none yet)."""

    __tablename__ = "objection"
    entry_index: int = index_key("entry_index")
    service: int = Field(sa_type=BigInteger, index=True)
    station: str = text(index=True)
    claim: str = text()
    due_on: str | None = text(default=None)
    contested_at: str = text()
    actor: str = text()
    finding: str | None = text(default=None, index=True)
    reason: str | None = text(default=None)
    decided_by: str | None = text(default=None)
    decided_at: str | None = text(default=None)
    decision: int | None = Field(default=None, sa_type=BigInteger)


class OmissionRow(SQLModel, table=True):
    """A service that somebody says is not in the ledger at all: day, place, times and activity as far as they knew, what there is as proof.

    means: self or desk; actor: who took it down. receipt_…: of a receipt that the log has no such entry for. *service*: the record made of it.
    """

    __tablename__ = "omission"
    entry_index: int = index_key("entry_index")
    volunteer: str = text(index=True)
    station: str = text(index=True)
    served_on: str = text()
    activity: str | None = text(default=None)
    start: str | None = text(default=None)
    end: str | None = text(default=None)
    proof: str = text()
    receipt_index: int | None = Field(default=None, sa_type=BigInteger)
    receipt_hash: str | None = text(default=None)
    receipt_state: str | None = text(default=None)
    means: str = text()
    due_on: str | None = text(default=None)
    claimed_at: str = text()
    actor: str = text()
    finding: str | None = text(default=None, index=True)
    reason: str | None = text(default=None)
    decided_by: str | None = text(default=None)
    decided_at: str | None = text(default=None)
    decision: int | None = Field(default=None, sa_type=BigInteger)
    service: int | None = Field(default=None, sa_type=BigInteger)


class PublishedRateRow(SQLModel, table=True):
    """A station's rates as published: the counts, the day and the tree size they were counted at."""

    __tablename__ = "published_rate"
    entry_index: int = index_key("entry_index")
    station: str = text()
    period_from: str = text()
    period_to: str = text()
    counted_on: str = text()
    tree_size: int = count()
    population: int = count()
    registered: int = count()
    confirmed: int = count()
    participants: int = count()
    backbone: int = count()
    minutes: int = count()
    __table_args__ = (Index("ix_published_rate_station_period", "station", "period_from", "period_to"),)


class KeyRotationRow(SQLModel, table=True):
    """Where the log changed its key: the entry, and the two keys as it names them."""

    __tablename__ = "key_rotation"
    entry_index: int = index_key("entry_index")
    old_vkey: str = text()
    new_vkey: str = text()


class RoleGrantRow(SQLModel, table=True):
    """A role that an account holds now, at a unit and below (none: everywhere), by the entry that gave it."""

    __tablename__ = "role_grant"
    entry_index: int = index_key("entry_index")
    account: str = text(index=True)
    role: str = text()
    station: str | None = text(default=None)


class AccountChangeRow(SQLModel, table=True):
    """What happened to an account's rights, in order: granted, ended, or a change of the account itself."""

    __tablename__ = "account_change"
    entry_index: int = index_key("entry_index")
    account: str = text(index=True)
    change: str = text()
    role: str | None = text(default=None)
    station: str | None = text(default=None)
    reason: str | None = text(default=None)
    proposed_by: str | None = text(default=None)
    actor: str = text()
    recorded_at: str = text()


class AccountBindingRow(SQLModel, table=True):
    """Whose an account is: a commitment to its login, or its volunteer; and a commitment to the identity linked to it."""

    __tablename__ = "account_binding"
    account: str = text(primary_key=True)
    login: str | None = text(default=None)
    volunteer: str | None = text(default=None)
    identity: str | None = text(default=None)
    entry_index: int


PROJECTIONS: tuple[type[SQLModel], ...] = (
    ChainRow,
    PolicyRow,
    StationRow,
    PopulationRow,
    OrganisationRow,
    VolunteerRow,
    PastHomeRow,
    ActivityRow,
    ServiceRow,
    YearServedRow,
    ObjectionRow,
    OmissionRow,
    PublishedRateRow,
    KeyRotationRow,
    ErasureRow,
    RoleGrantRow,
    AccountChangeRow,
    AccountBindingRow,
    CertificateRow,
    *CREDIT,
    *SELECTIONS,
    FigureRow,
    OrganisationMarkRow,
    *SPOT_CHECKS,
    DutyPaperRow,
    *FILING,
    HandoverRow,
    TaskRow,
)
