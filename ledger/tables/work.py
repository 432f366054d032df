"""Work in hand: rows parked, files uploaded, jobs run, witnesses asked. Nothing of it is part of the ledger."""

from sqlmodel import SQLModel

from ledger.tables.columns import blob, text


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
