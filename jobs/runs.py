"""
Runs: a job is done once for a business date, whoever starts it, however often, and wherever a process dies.

    (no row) -> running -> done          claimed in a transaction of its own, so that others keep off and a killed attempt is counted too
                  |  ^                   the work and its mark `done` are one transaction of the ledger: durable together or not at all
                  v  |
                 failed                  tried again at the next tick, ATTEMPTS_MAX times

A row that has been `running` for longer than CLAIM_AGE_MAX belongs to a dead process and is taken over. Should that process live after all,
the attempt's number has moved on and its work is undone. Jobs that run again at every tick (`run_again`) keep one row a day.

In a row *started_at* is the newest attempt, *finished_at* only ever a success, *remark* the day's newest failure and when it was, kept when
a later attempt succeeds. Neither row nor log repeats an unexpected error's own words: a database driver quotes the values of the statement
that failed.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from ledger.bulk import insert_rows, upsert_rows
from ledger.entries import format_time
from ledger.errors import Conflict, LedgerError
from ledger.people.actors import SCHEDULER
from ledger.store import Ledger
from ledger.tables import JobRunRow, table
from ledger.transactions import WriteTransaction

RUNNING, DONE, FAILED = "running", "done", "failed"
ATTEMPTS_MAX = 8
CLAIM_AGE_MAX = timedelta(minutes=30)
"""Far longer than any job takes. A start that lies this far ahead of the clock is not believed either: the clock was put back."""

Work = Callable[[WriteTransaction, date], int]
"""What a run does for a business date, and how much that was."""
Ahead = Callable[[Ledger], int]
"""What is done first, outside the writer's place, and how much that was."""

_RUN = table(JobRunRow)
_log = structlog.get_logger()


@dataclass(frozen=True)
class Run:
    """How a run ended: done or failed, at which attempt, and with what remark."""

    job: str
    business_date: str
    state: str
    attempt: int = 1
    remark: str | None = None

    @property
    def row(self) -> ColumnElement[bool]:
        """The row of this job and business date."""
        return and_(_RUN.c.job == self.job, _RUN.c.business_date == self.business_date)


def run_once(ledger: Ledger, job: str, business_date: date, work: Work, ahead: Ahead | None = None) -> Run | None:
    """Do a job for a business date, *ahead* before its transaction, unless it is done or in another's hands: then None.

    A date given up answers as failed, every time.
    """
    run = ledger.operate(lambda connection, now: _claim(connection, now, Run(job, business_date.isoformat(), RUNNING)))
    if run is None:
        return None
    if run.state == FAILED:
        _log.error("job.given_up", job=run.job, business_date=run.business_date, attempt=run.attempt, error=run.remark)
        return run
    ours = and_(run.row, _RUN.c.state == RUNNING, _RUN.c.attempt == run.attempt)

    def mark_and_work(tx: WriteTransaction) -> int:
        # The mark is also the fence: a claim that was taken over ends here.
        if not tx.connection.execute(update(_RUN).where(ours).values(state=DONE, finished_at=format_time(tx.now))).rowcount:
            raise Conflict("这次任务拖得太久，已由另一个进程接手；本次所做的已全部撤销")
        return work(tx, business_date)

    try:
        amount = (ahead(ledger) if ahead else 0) + ledger.write(mark_and_work, SCHEDULER)
    except Exception as error:  # noqa: BLE001  # whatever it was, row and log say so, and the next tick tries again
        failed = _complain(ledger, run, error)
        ledger.operate(lambda connection, _: connection.execute(update(_RUN).where(ours).values(state=FAILED, remark=failed.remark)))
        return failed
    _log.info("job.done", job=run.job, business_date=run.business_date, attempt=run.attempt, amount=amount)
    return replace(run, state=DONE)


def run_again(ledger: Ledger, job: str, day: date, work: Work, ahead: Ahead | None = None) -> Run:
    """Do a job that runs at every tick, or once more by hand, *ahead* before its transaction, and keep in the day's row when it last succeeded."""
    now = ledger.now()
    run = Run(job, day.isoformat(), DONE)
    row = {"job": job, "business_date": run.business_date, "started_at": format_time(now), "attempt": 1}

    def work_and_mark(tx: WriteTransaction) -> int:
        amount = work(tx, day)
        upsert_rows(tx.connection, _RUN, [{**row, "state": DONE, "finished_at": format_time(tx.now)}])
        return amount

    try:
        amount = (ahead(ledger) if ahead else 0) + ledger.write(work_and_mark, SCHEDULER)
    except Exception as error:  # noqa: BLE001  # as above
        failed = _complain(ledger, run, error)
        ledger.operate(lambda connection, _: upsert_rows(connection, _RUN, [{**row, "state": FAILED, "remark": failed.remark}]))
        return failed
    if amount:
        _log.info("job.done", job=run.job, business_date=run.business_date, amount=amount)
    return run


def last_done(connection: Connection, job: str, before: date) -> date | None:
    """Find the newest business date before a day for which a job is done. Days ahead of the clock do not count."""
    where = (_RUN.c.job == job, _RUN.c.state == DONE, _RUN.c.business_date < before.isoformat())
    found = connection.execute(select(func.max(_RUN.c.business_date)).where(*where)).scalar_one()
    return date.fromisoformat(found) if found else None


def _claim(connection: Connection, now: datetime, run: Run) -> Run | None:
    """Claim a run; the writer's place is held, so nobody else is here. None: nothing to do. Failed: no attempt is left."""
    row = connection.execute(select(_RUN).where(run.row)).one_or_none()
    start = {"state": RUNNING, "started_at": format_time(now)}
    if row is None:
        insert_rows(connection, _RUN, [{"job": run.job, "business_date": run.business_date, "attempt": 1, **start}])
        return run
    alive = row.state == RUNNING and abs(now - datetime.fromisoformat(row.started_at)) < CLAIM_AGE_MAX
    if row.state == DONE or alive:
        return None
    if row.attempt >= ATTEMPTS_MAX:
        remark = row.remark or f"{format_time(now)} 执行中途进程被终止"
        connection.execute(update(_RUN).where(run.row).values(state=FAILED, remark=remark))
        return replace(run, state=FAILED, attempt=row.attempt, remark=remark)
    connection.execute(update(_RUN).where(run.row).values(attempt=row.attempt + 1, **start))
    return replace(run, attempt=row.attempt + 1)


def _complain(ledger: Ledger, run: Run, error: Exception) -> Run:
    """Say loudly that a run failed, without the error's own words."""
    remark = f"{format_time(ledger.now())} {sentence(error)}"
    frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    _log.error("job.failed", job=run.job, business_date=run.business_date, attempt=run.attempt, error=remark, frames=frames)
    return replace(run, state=FAILED, remark=remark)


def sentence(error: Exception) -> str:
    """Say what went wrong without personal data: our own errors hold none, of any other only the name is given."""
    return str(error) if isinstance(error, LedgerError) else f"程序错误 {type(error).__name__}，位置见运行日志"
