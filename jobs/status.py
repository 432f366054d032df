"""How the jobs stand: for the operator's page and for `shouwang jobs --status`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.runs import newest
from jobs.schedule import JOBS, Job
from ledger.store import Ledger
from ledger.transactions import ReadTransaction


@dataclass(frozen=True)
class JobStatus:
    """How a job stands: *state* of its newest run (never: none yet), last success (RFC 3339), newest failure with its time."""

    job: str
    title: str
    state: str
    business_date: str | None
    last_success: str | None
    age_seconds: int | None
    last_failure: str | None
    overdue: bool


def status(ledger: Ledger, jobs: Sequence[Job] = JOBS) -> list[JobStatus]:
    """Tell how every job stands."""
    with ledger.read() as tx:
        return [_status(tx, job) for job in jobs]


def _status(tx: ReadTransaction, job: Job) -> JobStatus:
    row, success, failure = newest(tx.connection, job.id)
    age = max(tx.now - datetime.fromisoformat(success), timedelta()) if success else None
    return JobStatus(
        job.id,
        job.title,
        row.state if row else "never",
        row.business_date if row else None,
        success,
        int(age.total_seconds()) if age is not None else None,
        failure,
        age is None or age > job.late_after,
    )
