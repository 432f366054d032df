"""Work in hand: rows parked, files uploaded, jobs run, witnesses asked, proposals that wait. Nothing of it is part of the ledger."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from ledger.tables.columns import blob, count, index_key, text


class ParkedRow(SQLModel, table=True):
    """A sheet's row of somebody not registered yet, sealed under the wrapping key, waiting for the registration."""

    __tablename__ = "parked"
    id: str = text(primary_key=True)
    digest: bytes = blob(index=True)
    station: str = text(index=True)
    activity: str = text()
    source_sha256: str = text()
    source_row: int
    sealed: bytes = blob()
    parked_at: str = text()


class UploadRow(SQLModel, table=True):
    """A file in hand, sealed under the wrapping key; removed after a day, its content already at a commit that refused no row."""

    __tablename__ = "upload"
    id: str = text(primary_key=True)
    account: str = text(index=True)
    kind: str = text()
    state: str = text()
    done: int = 0
    total: int = 0
    content: bytes = blob()
    outcome: bytes | None = blob(default=None)
    uploaded_at: str = text()


class JobRow(SQLModel, table=True):
    """A job as the scheduler that was started last declared it, and since when somebody waits for it to be run by hand."""

    __tablename__ = "job"
    id: str = text(primary_key=True)
    place: int
    title: str = text()
    turn: str = text()
    late_after_seconds: int
    asked_at: str | None = text(default=None)
    asked_by: str | None = text(default=None)


class JobRunRow(SQLModel, table=True):
    """One run of a job for a business date. The key lets it run once, whoever starts it."""

    __tablename__ = "job_run"
    job: str = text(primary_key=True)
    business_date: str = text(primary_key=True)
    state: str = text()
    started_at: str = text()
    finished_at: str | None = text(default=None)
    attempt: int = 1
    remark: str | None = text(default=None)


class WitnessContactRow(SQLModel, table=True):
    """How asking a witness went: its vkey, when it last cosigned, when and why it last did not."""

    __tablename__ = "witness_contact"
    witness: str = text(primary_key=True)
    succeeded_at: str | None = text(default=None)
    failed_at: str | None = text(default=None)
    error: str | None = text(default=None)


class WebhookRow(SQLModel, table=True):
    """Somebody to be told of what enters the log: address, what of, from which entry on, and how the last attempts went.

    station: None means everywhere; kinds: separated by spaces, none means all; claim: until when it is in a process's hands.
    """

    __tablename__ = "webhook"
    id: str = text(primary_key=True)
    url: str = text()
    station: str | None = text(default=None)
    kinds: str = text()
    registered_by: str = text()
    created_at: str = text()
    generation: int
    next_index: int = count()
    failures: int
    next_attempt_at: str | None = text(default=None)
    claim: str | None = text(default=None)
    last_success_at: str | None = text(default=None)
    last_failure_at: str | None = text(default=None)
    last_error: str | None = text(default=None)


class RequestRow(SQLModel, table=True):
    """A program's request that was carried out, by its key: a keyed digest of what it said, and the answer it had. Kept for some days."""

    __tablename__ = "request"
    account: str = text(primary_key=True)
    key: str = text(primary_key=True)
    digest: bytes = blob()
    answer: str = text()
    made_at: str = text(index=True)


class ProposalRow(SQLModel, table=True):
    """What one person asks about a volunteer or an organisation and a second decides; the particulars are sealed, and gone once it is decided.

    *station*: where the second person must have a say. state: waiting, accepted, declined, dropped.
    """

    __tablename__ = "proposal"
    id: str = text(primary_key=True)
    kind: str = text()
    volunteer: str | None = text(default=None, index=True)
    organisation: str | None = text(default=None, index=True)
    station: str = text(index=True)
    sealed: bytes | None = blob(default=None)
    asked_by: str = text()
    asked_at: str = text()
    state: str = text()
    decided_by: str | None = text(default=None)
    decided_at: str | None = text(default=None)
    remark: str | None = text(default=None)


class ProposalPaperRow(SQLModel, table=True):
    """The scan of a paper that was handed in with a proposal, sealed under the same key; gone once it is decided."""

    __tablename__ = "proposal_paper"
    proposal: str = text(primary_key=True)
    volunteer: str | None = text(default=None, index=True)
    organisation: str | None = text(default=None)
    media_type: str = text()
    sha256: str = text()
    sealed: bytes = blob()


class RuleProposalRow(SQLModel, table=True):
    """A rule set, or a set of indicators, (JSON) as one official proposed it, waiting for a second one."""

    __tablename__ = "rule_proposal"
    id: str = text(primary_key=True)
    policy: str = text(index=True)
    said: str = text()
    proposed_by: str = text()
    proposed_at: str = text()


class DormancyNoticeRow(SQLModel, table=True):
    """That the desk was told that an organisation has held nothing since a day."""

    __tablename__ = "dormancy_notice"
    organisation: str = text(primary_key=True)
    quiet_since: str = text(primary_key=True)
    told_at: str = text()


class HandedCodeRow(SQLModel, table=True):
    """Who handed a volunteer the newest one-time code, and when: whoever registered somebody does not also vouch for them."""

    __tablename__ = "handed_code"
    volunteer: str = text(primary_key=True)
    account: str = text()
    handed_at: str = text()


class ObjectionNoteRow(SQLModel, table=True):
    """What somebody said about their objection in their own words, sealed under their own key: words may name people, so no entry holds them."""

    __tablename__ = "objection_note"
    objection: int = index_key("objection")
    volunteer: str = text(index=True)
    sealed: bytes = blob()


class SecondSignatureRow(SQLModel, table=True):
    """A service over the daily cap as one person said it (JSON, no personal data), waiting for a second one. state: waiting, signed, declined."""

    __tablename__ = "second_signature"
    id: str = text(primary_key=True)
    station: str = text(index=True)
    said: str = text()
    reason: str = text()
    asked_by: str = text()
    asked_at: str = text()
    state: str = text()
    decided_by: str | None = text(default=None)
    decided_at: str | None = text(default=None)
    remark: str | None = text(default=None)
    service: int | None = Field(default=None, sa_type=BigInteger)
