"""The credit record beside services: each row as it stands now, after what was said later of it. All of it is a projection."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from ledger.tables.columns import count, index_key, text


class TrainingRow(SQLModel, table=True):
    """One person's part in a training. voided_by: the account that said that it does not stand."""

    __tablename__ = "training"
    entry_index: int = index_key("entry_index")
    volunteer: str = text(primary_key=True, index=True)
    station: str = text(index=True)
    title: str = text()
    content: str = text()
    minutes: int
    organiser: str = text()
    trained_on: str = text()
    recorder: str = text()
    voided_by: str | None = text(default=None)
    voided_reason: str | None = text(default=None)


class EvaluationRow(SQLModel, table=True):
    """How well somebody served in an activity (quality, by: codes of kinds.credit). service: the entry of the record it speaks of, if of one."""

    __tablename__ = "evaluation"
    entry_index: int = index_key("entry_index")
    volunteer: str = text(index=True)
    station: str = text()
    activity: str = text(index=True)
    service: int | None = Field(default=None, sa_type=BigInteger)
    organisation: str | None = text(default=None)
    quality: str = text()
    by: str = text()
    evaluated_on: str = text()
    recorder: str = text()
    recorded_at: str = text()
    remark: str | None = text(default=None)
    voided_by: str | None = text(default=None)
    voided_reason: str | None = text(default=None)


class AwardRow(SQLModel, table=True):
    """An award of a volunteer or of an organisation. evidence: SHA-256 of the paper; selection, rank: where a yearly selection gave it."""

    __tablename__ = "award"
    entry_index: int = index_key("entry_index")
    volunteer: str | None = text(default=None, index=True)
    organisation: str | None = text(default=None, index=True)
    station: str = text()
    title: str = text()
    unit: str = text()
    level: str = text()
    granted_on: str = text()
    evidence: str | None = text(default=None)
    selection: str | None = text(default=None, index=True)
    rank: int | None = Field(default=None, sa_type=BigInteger)
    asked_by: str | None = text(default=None)
    granted_by: str = text()
    withdrawn_by: str | None = text(default=None)
    withdrawn_reason: str | None = text(default=None)
    __table_args__ = (Index("ix_award_station_granted_on", "station", "granted_on"),)


class ConductRow(SQLModel, table=True):
    """An item of good or bad conduct of a volunteer or an organisation. JSON arrays: effects, services (entries). points: hundredths.

    It is in force until *expires_on*, that day included, or until the day it was lifted on, by the entry *lifted_index*.
    """

    __tablename__ = "conduct"
    entry_index: int = index_key("entry_index")
    volunteer: str | None = text(default=None, index=True)
    organisation: str | None = text(default=None, index=True)
    station: str = text(index=True)
    item: str = text()
    sense: str = text()
    occurred_on: str = text()
    basis: str | None = text(default=None)
    reason: str = text()
    expires_on: str | None = text(default=None)
    effects: str = text()
    services: str = text()
    points: int | None = Field(default=None, sa_type=BigInteger)
    asked_by: str = text()
    decided_by: str = text()
    lifted_index: int | None = Field(default=None, sa_type=BigInteger)
    lifted_on: str | None = text(default=None)
    lifted_ground: str | None = text(default=None)
    lifted_reason: str | None = text(default=None)


class AppraisalRow(SQLModel, table=True):
    """What a committee, a street, residents or a third party found of an organisation (服务评议)."""

    __tablename__ = "appraisal"
    entry_index: int = index_key("entry_index")
    organisation: str = text(index=True)
    station: str = text()
    appraiser: str = text()
    name: str = text()
    grade: str = text()
    opinion: str = text()
    appraised_on: str = text()
    recorder: str = text()


class OrganisationNoteRow(SQLModel, table=True):
    """An organisation disclosed, warned, or on a list (list: a code of kinds.credit.LISTS), and when and why that ended."""

    __tablename__ = "organisation_note"
    entry_index: int = index_key("entry_index")
    organisation: str = text(index=True)
    station: str = text(index=True)
    list: str = text()
    basis: str = text()
    reason: str = text()
    noted_on: str = text()
    mend_by: str | None = text(default=None)
    asked_by: str = text()
    decided_by: str = text()
    lifted_index: int | None = Field(default=None, sa_type=BigInteger)
    lifted_on: str | None = text(default=None)
    lifted_ground: str | None = text(default=None)
    lifted_reason: str | None = text(default=None)


class PointsSpentRow(SQLModel, table=True):
    """Points (hundredths) that somebody gave up for something, from the account that a rule set keeps."""

    __tablename__ = "points_spent"
    entry_index: int = index_key("entry_index")
    volunteer: str = text(index=True)
    station: str = text()
    policy: str = text()
    points: int = count()
    purpose: str = text()
    spent_on: str = text()
    recorder: str = text()


CREDIT: tuple[type[SQLModel], ...] = (
    TrainingRow,
    EvaluationRow,
    AwardRow,
    ConductRow,
    AppraisalRow,
    OrganisationNoteRow,
    PointsSpentRow,
)
