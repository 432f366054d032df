"""
Clockwork: what runs by the clock, as it is seen and asked for from outside the process that runs it.

The scheduler says which jobs there are (`declare`), how often each runs and from which age its last success is too old; runs leave their rows in
job_run. A page reads both, in whatever process it lives, and asks for a job by hand (`ask`); the scheduler takes what was asked (`take`) within seconds.
So there is one place where jobs run, and a page that still tells the truth when that process is dead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from ledger.bulk import insert_rows
from ledger.entries import format_time
from ledger.errors import Conflict, NotFound
from ledger.tables import JobRow, JobRunRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_JOB, _RUN = table(JobRow), table(JobRunRow)


@dataclass(frozen=True)
class Clocked:
    """A job as the scheduler declares it: *turn* says in words how often it runs."""

    id: str
    title: str
    turn: str
    late_after: timedelta


@dataclass(frozen=True)
class JobStatus:
    """How a job stands: *state* of its newest run (never: none yet), last success (RFC 3339), newest failure with its time.

    asked_at: since when somebody waits for it to be run by hand; overdue: its last success is too old, or there was none.
    """

    job: str
    title: str
    turn: str
    state: str
    business_date: str | None
    last_success: str | None
    age_seconds: int | None
    last_failure: str | None
    overdue: bool
    asked_at: str | None

    @property
    def well(self) -> bool:
        """Whether nobody has to look: the newest run did not fail, and it is not overdue."""
        return not self.overdue and self.state != "failed"


def declare(connection: Connection, jobs: Sequence[Clocked]) -> None:
    """Say which jobs there are, in their order; what was asked of those that stay is kept."""
    asked = {row.id: (row.asked_at, row.asked_by) for row in connection.execute(select(_JOB))}
    rows = [
        {"id": job.id, "place": place, "title": job.title, "turn": job.turn, "late_after_seconds": int(job.late_after.total_seconds())}
        | dict(zip(("asked_at", "asked_by"), asked.get(job.id, (None, None)), strict=True))
        for place, job in enumerate(jobs)
    ]
    connection.execute(_JOB.delete())
    insert_rows(connection, _JOB, rows)


def status(tx: ReadTransaction, jobs: Sequence[Clocked] | None = None) -> list[JobStatus]:
    """Tell how jobs stand: those given, or those of the scheduler that was started last (none before the first)."""
    declared = tx.connection.execute(select(_JOB).order_by(_JOB.c.place)).all()
    asked = {row.id: row.asked_at for row in declared}
    wanted = [Clocked(row.id, row.title, row.turn, timedelta(seconds=row.late_after_seconds)) for row in declared] if jobs is None else jobs
    newest, failures = _newest(tx.connection, None), _newest(tx.connection, _RUN.c.remark.is_not(None))
    done = tx.connection.execute(select(_RUN.c.job, func.max(_RUN.c.finished_at).label("at")).group_by(_RUN.c.job))
    successes = {row.job: row.at for row in done}
    return [_status(tx.now, job, newest.get(job.id), failures.get(job.id), successes.get(job.id), asked.get(job.id)) for job in wanted]


def _newest(connection: Connection, condition: Any) -> dict[str, Any]:
    """Give the row of each job's newest business date, of those that fulfil a condition."""
    last = select(_RUN.c.job, func.max(_RUN.c.business_date).label("day")).group_by(_RUN.c.job)
    picked = (last.where(condition) if condition is not None else last).subquery()
    joined = _RUN.join(picked, (picked.c.job == _RUN.c.job) & (picked.c.day == _RUN.c.business_date))
    return {row.job: row for row in connection.execute(select(_RUN).select_from(joined))}


def _status(now: datetime, job: Clocked, row: Any, failed: Any, success: str | None, asked_at: str | None) -> JobStatus:
    age = max(now - datetime.fromisoformat(success), timedelta()) if success else None
    return JobStatus(
        job.id,
        job.title,
        job.turn,
        row.state if row else "never",
        row.business_date if row else None,
        success,
        int(age.total_seconds()) if age is not None else None,
        failed.remark if failed else None,
        age is None or age > job.late_after,
        asked_at,
    )


def ask(tx: WriteTransaction, job: str) -> str:
    """Ask for a job to be run by hand as soon as a scheduler looks. Returns its title. Raises NotFound, NotAllowed, Conflict when it waits already."""
    tx.require("manage_accounts", None)
    row = tx.connection.execute(select(_JOB).where(_JOB.c.id == job)).one_or_none()
    if row is None:
        raise NotFound("没有这项任务，请从列表里选")
    if row.asked_at:
        raise Conflict(f"「{row.title}」已经有人要求运行，正在等任务进程来取")
    tx.connection.execute(update(_JOB).where(_JOB.c.id == job).values(asked_at=format_time(tx.now), asked_by=tx.actor.account))
    title: str = row.title
    return title


def take(connection: Connection) -> list[str]:
    """Take what was asked for, in order; whoever takes it runs it."""
    asked = list(connection.execute(select(_JOB.c.id).where(_JOB.c.asked_at.is_not(None)).order_by(_JOB.c.asked_at)).scalars())
    if asked:
        connection.execute(update(_JOB).where(_JOB.c.id.in_(asked)).values(asked_at=None, asked_by=None))
    return asked
