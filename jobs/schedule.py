"""
The schedule: the one table of jobs, what is due of them, and the scheduler that starts them.

A nightly job ticks every quarter of an hour, and a tick does whatever is due: on time that is the quarter at which its business date
begins; after a failure or a downtime it is the next one. So the scheduler needs no memory (APScheduler's memory store, jobs declared here),
and any number of schedulers may run side by side: what has been done is in the database (`runs.py`). Business dates are Asia/Shanghai and
follow from the ledger's clock.
"""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from jobs import backups, checkpoints, checks, desks, notices, rates, uploads, webhooks, witnesses
from jobs.runs import ATTEMPTS_MAX, FAILED, Ahead, Run, Work, last_done, run_again, run_once, sentence
from ledger import clockwork
from ledger.clockwork import Clocked
from ledger.entries import SHANGHAI
from ledger.store import Ledger
from ledger.transactions import WriteTransaction

_log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """One job.

    work: what it does in the transaction that marks the run, and how much that was; None: all is done ahead of it.
    begins: time of day from which a date is due, once; None: the job runs again at every tick.
    weekday: of a weekly job, the day of the week (Monday 0) that its business dates are.
    catch_up: how many missed dates are made up for, the newest of them (1: only the newest, for figures that are as of today).
    late_after: age of the last success from which it is overdue.
    ahead: what it does first, outside the writer's place: waiting for other machines, reading for minutes. Returns how much it did.
    """

    id: str
    title: str
    trigger: BaseTrigger
    work: Callable[[Ledger, WriteTransaction, date], int] | None
    late_after: timedelta
    begins: timedelta | None = None
    catch_up: int = 1
    ahead: Ahead | None = None
    weekday: int | None = None

    def business_date(self, now: datetime) -> date:
        """Give the date whose turn it is: until a nightly job begins, that is still the day before; of a weekly one, the last such day of the week."""
        day = (now.astimezone(SHANGHAI) - (self.begins or timedelta())).date()
        return day if self.weekday is None else day - timedelta(days=(day.weekday() - self.weekday) % 7)

    @property
    def days(self) -> int:
        """How many days lie between two business dates."""
        return 1 if self.weekday is None else 7

    @property
    def turn(self) -> str:
        """Say in words how often it runs."""
        if self.begins is not None:
            minutes = int(self.begins.total_seconds()) // 60
            day = "每天" if self.weekday is None else f"每周{'一二三四五六日'[self.weekday]}"
            return f"{day} {minutes // 60}:{minutes % 60:02d}"
        if isinstance(self.trigger, IntervalTrigger):
            return f"每 {int(self.trigger.interval.total_seconds())} 秒"
        minute = next(str(field) for field in self.trigger.fields if field.name == "minute")
        return f"每 {minute[2:]} 分钟" if minute.startswith("*/") else f"每小时的第 {minute} 分钟"


JOBS = (
    Job(
        "checkpoints",
        "签发检查点",
        IntervalTrigger(seconds=30, timezone=SHANGHAI),
        checkpoints.sign,
        late_after=timedelta(minutes=5),
    ),
    Job(
        "cosign",
        "请见证人联署",
        IntervalTrigger(seconds=30, timezone=SHANGHAI),
        witnesses.count,
        late_after=timedelta(minutes=10),
        ahead=witnesses.ask,
    ),
    Job(
        rates.JOB,
        "公布三率",
        CronTrigger(minute="*/15", timezone=SHANGHAI),
        rates.publish,
        late_after=timedelta(hours=26),
        begins=timedelta(hours=1, minutes=30),
    ),
    Job(
        "uploads",
        "清除未完成的上传",
        CronTrigger(minute=10, timezone=SHANGHAI),
        uploads.drop,
        late_after=timedelta(hours=3),
        ahead=uploads.finish_erasures,
    ),
    Job(
        "desks",
        "结束忘记关闭的签到",
        CronTrigger(minute="*/10", timezone=SHANGHAI),
        desks.close,
        late_after=timedelta(hours=1),
    ),
    Job(
        "sign-ups",
        "清除过期的报名",
        CronTrigger(minute=20, timezone=SHANGHAI),
        desks.forget_sign_ups,
        late_after=timedelta(hours=3),
    ),
    Job(
        "webhooks",
        "推送新条目",
        IntervalTrigger(seconds=10, timezone=SHANGHAI),
        None,
        late_after=timedelta(minutes=5),
        ahead=webhooks.deliver,
    ),
    Job(
        "notices",
        "发送手机消息",
        IntervalTrigger(seconds=30, timezone=SHANGHAI),
        notices.forget,
        late_after=timedelta(minutes=10),
        ahead=notices.deliver,
    ),
    Job(
        "reminders",
        "提醒待办",
        CronTrigger(minute="*/15", timezone=SHANGHAI),
        notices.remind,
        late_after=timedelta(hours=26),
        begins=timedelta(hours=8),
    ),
    Job(
        "filings",
        "提醒备案快到期",
        CronTrigger(minute="*/15", timezone=SHANGHAI),
        notices.warn_of_filings,
        late_after=timedelta(hours=26),
        begins=timedelta(hours=8),
    ),
    Job(
        "dormant",
        "提醒一年没有活动的组织",
        CronTrigger(minute="*/15", timezone=SHANGHAI),
        notices.tell_of_quiet,
        late_after=timedelta(hours=26),
        begins=timedelta(hours=8),
    ),
    Job(
        "ledgers",
        "数好当月备案台账，提醒街镇看",
        CronTrigger(minute="*/15", timezone=SHANGHAI),
        notices.tell_of_ledgers,
        late_after=timedelta(hours=26),
        begins=timedelta(hours=8),
        catch_up=7,
    ),
    Job(
        "overdue",
        "向上一级催办过期的异议",
        CronTrigger(minute="*/15", timezone=SHANGHAI),
        notices.tell_overdue,
        late_after=timedelta(hours=26),
        begins=timedelta(hours=8),
    ),
    Job(
        "verify-new",
        "核对账本新增的部分",
        CronTrigger(minute="*/15", timezone=SHANGHAI),
        None,
        late_after=timedelta(hours=26),
        begins=timedelta(hours=2),
        ahead=checks.verify_new,
    ),
    Job(
        "verify-all",
        "核对整本账",
        CronTrigger(minute="*/15", timezone=SHANGHAI),
        None,
        late_after=timedelta(days=8),
        begins=timedelta(hours=3),
        ahead=checks.verify_all,
        weekday=6,
    ),
    Job(
        "backup",
        "备份数据库和密钥库",
        CronTrigger(minute="*/15", timezone=SHANGHAI),
        None,
        late_after=timedelta(hours=26),
        begins=timedelta(hours=2, minutes=30),
        ahead=backups.make,
    ),
    Job(
        "backup-age",
        "看备份和密钥库的副本是不是新的",
        CronTrigger(minute=50, timezone=SHANGHAI),
        None,
        late_after=timedelta(hours=3),
        ahead=backups.check,
    ),
    Job(
        "requests",
        "清除过期的请求编号",
        CronTrigger(minute=40, timezone=SHANGHAI),
        webhooks.forget,
        late_after=timedelta(hours=3),
    ),
)
_LOOK = IntervalTrigger(seconds=5, timezone=SHANGHAI)
"""How often the scheduler looks for what was asked for by hand."""
MISFIRE_GRACE_SECONDS = 3600
"""A tick that a busy or sleeping machine missed is still run within the hour, and once for all that were missed (coalesce)."""


def due(job: Job, done: date | None, now: datetime) -> list[date]:
    """List the business dates to do, oldest first: those after *done*, the newest `catch_up` of them; without a *done*, the newest."""
    last = job.business_date(now)
    missed = 1 if done is None else (last - done).days // job.days
    return [last - timedelta(days=n * job.days) for n in reversed(range(min(missed, job.catch_up)))]


def run_due(ledger: Ledger, jobs: Sequence[Job] = JOBS) -> list[Run]:
    """
    Run everything that is due, once, and say how it went: a run that failed means exit code 1.

    The dates after one that failed wait for it until it is given up.
    """
    declare(ledger, jobs)
    return [run for job in jobs for run in _run_job(ledger, job)]


def declare(ledger: Ledger, jobs: Sequence[Job] = JOBS) -> None:
    """Let everybody see which jobs there are."""
    ledger.operate(lambda connection, _: clockwork.declare(connection, clocked(jobs)))


def clocked(jobs: Sequence[Job] = JOBS) -> list[Clocked]:
    """Say which jobs there are, as a page shows them."""
    return [Clocked(job.id, job.title, job.turn, job.late_after) for job in jobs]


def run_asked(ledger: Ledger, jobs: Sequence[Job] = JOBS) -> list[Run]:
    """Run what was asked for by hand for its newest date, whether that is due, done or given up."""
    asked = ledger.operate(lambda connection, _: clockwork.take(connection))
    return [_run_again(ledger, job) for name in asked for job in jobs if job.id == name]


def _run_again(ledger: Ledger, job: Job) -> Run:
    return run_again(ledger, job.id, job.business_date(ledger.now()), _work(ledger, job), job.ahead)


def _work(ledger: Ledger, job: Job) -> Work:
    work = job.work
    return (lambda tx, day: work(ledger, tx, day)) if work else (lambda _tx, _day: 0)


def _run_job(ledger: Ledger, job: Job) -> list[Run]:
    if job.begins is None:
        return [_run_again(ledger, job)]
    now, work = ledger.now(), _work(ledger, job)
    with ledger.read() as tx:
        done = last_done(tx.connection, job.id, before=job.business_date(now) + timedelta(days=1))
    runs: list[Run] = []
    for day in due(job, done, now):
        run = run_once(ledger, job.id, day, work, job.ahead)
        if run is None:
            break  # another process is at it, and goes on to the next date
        runs.append(run)
        if run.state == FAILED and run.attempt < ATTEMPTS_MAX:
            break
    return runs


def _answer(ledger: Ledger, jobs: Sequence[Job]) -> None:
    try:
        run_asked(ledger, jobs)
    except Exception as error:  # noqa: BLE001  # the next look tries again
        _log.error("job.unrecorded", job="asked", error=sentence(error))


def _tick(ledger: Ledger, job: Job) -> None:
    try:
        _run_job(ledger, job)
    except Exception as error:  # noqa: BLE001  # not even the row could be written: the next tick tries again
        _log.error("job.unrecorded", job=job.id, error=sentence(error))  # no traceback: it quotes statements


def start(ledger: Ledger, jobs: Sequence[Job] = JOBS) -> BackgroundScheduler:
    """Start the jobs in threads of this process, each at once and then by its trigger. The caller shuts the scheduler down."""
    declare(ledger, jobs)
    scheduler = BackgroundScheduler(timezone=SHANGHAI)
    options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_SECONDS}
    scheduler.add_job(_answer, _LOOK, (ledger, jobs), id="asked", **options)
    for job in jobs:
        scheduler.add_job(_tick, job.trigger, (ledger, job), id=job.id, next_run_time=datetime.now(SHANGHAI), **options)
    scheduler.start()
    return scheduler


def run_forever(ledger: Ledger, jobs: Sequence[Job] = JOBS) -> None:
    """Run the jobs until SIGINT or SIGTERM; what is running then is finished first. For the main thread of a process of its own."""
    stops = {signal.SIGINT, signal.SIGTERM}
    # Blocked before the threads are made, so that the signal waits for sigwait and interrupts nothing.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    scheduler = start(ledger, jobs)
    try:
        signal.sigwait(stops)
    finally:
        scheduler.shutdown()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
