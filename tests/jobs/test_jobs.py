"""Jobs are done once for a business date, whoever runs them and wherever they die; and each does what its file says."""

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import select, text
from structlog.testing import capture_logs

from jobs import backups
from jobs.backups import KEPT
from jobs.notices import LEDGERS_ON
from jobs.runs import ATTEMPTS_MAX, CLAIM_AGE_MAX, run_once
from jobs.schedule import JOBS, Job, due, run_asked, run_due, start
from jobs.schedule import declare as declare_jobs
from ledger import checkpoints, clockwork, stations
from ledger.bulk import insert_rows
from ledger.entries import SHANGHAI, format_time
from ledger.errors import Conflict, NotFound, Unavailable
from ledger.log import Fact, tree_head
from ledger.people.actors import OPERATOR
from ledger.settings import Settings
from ledger.store import Ledger, create_ledger, open_ledger
from ledger.tables import JobRunRow, PublishedRateRow, UploadRow, table

ROOT = Path(__file__).parent.parent.parent
RUN, PUBLISHED, UPLOAD = table(JobRunRow), table(PublishedRateRow), table(UploadRow)
EVERY_SECOND = IntervalTrigger(seconds=1, timezone=SHANGHAI)
PATIENCE_SECONDS = 60


def at(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=SHANGHAI)


class Clock:
    """A clock set by hand."""

    def __init__(self, said: str) -> None:
        self.now = at(said)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return Clock("2026-03-05 02:00")


@pytest.fixture
def settings(tmp_path, founded_url):
    return Settings(tmp_path, founded_url)


@pytest.fixture
def ledger(settings, clock):
    made = create_ledger(settings, clock)
    yield made
    made.close()


def adopt(name):
    """Work with one entry as its effect."""

    def work(tx, day):
        tx.append([Fact("policy.adopted", {"policy": name, "effective_on": day.isoformat(), "rules": {}})])
        return 1

    return work


def status(ledger):
    with ledger.read() as tx:
        return clockwork.status(tx)


def nightly(work, name="nightly", catch_up=31):
    """A job for a test, due from half past one."""
    begins = timedelta(hours=1, minutes=30)
    return Job(name, "夜间任务", EVERY_SECOND, lambda _ledger, tx, day: work(tx, day), timedelta(hours=26), begins, catch_up)


def size(ledger):
    with ledger.read() as tx:
        return tree_head(tx.connection).size


def rows(ledger, job="nightly"):
    with ledger.read() as tx:
        return list(tx.connection.execute(select(RUN).where(RUN.c.job == job).order_by(RUN.c.business_date)))


def dates(ledger, job="nightly"):
    return [(row.business_date, row.state, row.attempt) for row in rows(ledger, job)]


def until(condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


# --- what is due ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "business_date"),
    [
        (at("2026-03-05 01:29:59"), date(2026, 3, 4)),
        (at("2026-03-05 01:30"), date(2026, 3, 5)),
        (datetime(2026, 3, 4, 17, 30, tzinfo=UTC), date(2026, 3, 5)),
        (at("2027-01-01 00:10"), date(2026, 12, 31)),
    ],
)
def test_a_nightly_business_date_begins_at_half_past_one_in_shanghai(now, business_date):
    assert nightly(adopt("x")).business_date(now) == business_date


@pytest.mark.parametrize(
    ("done", "catch_up", "wanted"),
    [
        (None, 31, [5]),
        (date(2026, 3, 5), 31, []),
        (date(2026, 3, 4), 31, [5]),
        (date(2026, 3, 2), 31, [3, 4, 5]),
        (date(2026, 3, 2), 2, [4, 5]),
        (date(2026, 3, 2), 1, [5]),
        (date(2020, 1, 1), 5, [1, 2, 3, 4, 5]),
    ],
)
def test_missed_dates_are_due_oldest_first_and_not_without_end(done, catch_up, wanted):
    job = nightly(adopt("x"), catch_up=catch_up)
    assert due(job, done, at("2026-03-05 02:00")) == [date(2026, 3, day) for day in wanted]


# --- once -------------------------------------------------------------------------------------------------------------


def test_a_job_is_done_once_for_its_business_date(ledger, clock):
    job = nightly(adopt("nightly"))
    assert [(run.business_date, run.state) for run in run_due(ledger, [job])] == [("2026-03-05", "done")]
    assert run_due(ledger, [job]) == []
    clock.now = at("2026-03-06 01:29")
    assert run_due(ledger, [job]) == []
    clock.now = at("2026-03-06 01:30")
    assert [run.business_date for run in run_due(ledger, [job])] == ["2026-03-06"]
    assert size(ledger) == 3


def test_after_three_days_down_each_missed_date_is_done_and_of_rates_only_the_newest(ledger, clock):
    each, newest = nightly(adopt("each"), "each"), nightly(adopt("newest"), "newest", catch_up=1)
    run_due(ledger, [each, newest])
    clock.now = at("2026-03-09 08:00")
    assert [(run.job, run.business_date) for run in run_due(ledger, [each, newest])] == [
        ("each", "2026-03-06"),
        ("each", "2026-03-07"),
        ("each", "2026-03-08"),
        ("each", "2026-03-09"),
        ("newest", "2026-03-09"),
    ]


def test_a_clock_that_jumps_ahead_and_back_makes_nothing_run_twice_and_stops_nothing(ledger, clock):
    done = []
    job = nightly(lambda _tx, day: done.append(day) or 0)
    run_due(ledger, [job])
    clock.now = at("2031-01-01 12:00")
    run_due(ledger, [job])
    assert len(done) == 1 + 31
    clock.now = at("2026-03-05 03:00")
    assert run_due(ledger, [job]) == []
    clock.now = at("2026-03-06 03:00")
    assert [run.business_date for run in run_due(ledger, [job])] == ["2026-03-06"]
    assert len(done) == len(set(done))


def test_two_schedulers_in_threads_run_each_job_once(settings, ledger, clock):
    pulses = [threading.Semaphore(0), threading.Semaphore(0)]

    def table_of(pulse):
        beat = Job("pulse", "心跳", EVERY_SECOND, lambda *_: pulse.release() or 0, timedelta(hours=1))
        return [*(nightly(adopt(f"job-{n}"), f"job-{n}") for n in range(5)), beat]

    other = open_ledger(settings, clock)
    schedulers = [start(opened, table_of(pulse)) for opened, pulse in zip((ledger, other), pulses, strict=True)]
    for pulse in pulses * 2:
        assert pulse.acquire(timeout=PATIENCE_SECONDS)
    for scheduler in schedulers:
        scheduler.shutdown()
    other.close()
    assert [dates(ledger, f"job-{n}") for n in range(5)] == [[("2026-03-05", "done", 1)]] * 5
    assert size(ledger) == 1 + 5


CHILD = """
import sys, time
from datetime import date, datetime, timedelta
from pathlib import Path
from apscheduler.triggers.interval import IntervalTrigger
from jobs.runs import run_once
from jobs.schedule import Job, run_forever
from ledger.log import Fact
from ledger.settings import Settings
from ledger.store import open_ledger

home, url, now, action = sys.argv[1:]
ledger = open_ledger(Settings(Path(home), url), lambda: datetime.fromisoformat(now))
every_second = IntervalTrigger(seconds=1)

def work(name):
    def adopt(tx, day):
        tx.append([Fact("policy.adopted", {"policy": name, "effective_on": day.isoformat(), "rules": {}})])
        if action == "hang":
            print("at work", flush=True)
            time.sleep(600)
        return 1
    return adopt

def nightly(name):
    adopt = work(name)
    return Job(name, name, every_second, lambda _, tx, day: adopt(tx, day), timedelta(hours=26), timedelta(hours=1))

if action == "hang":
    run_once(ledger, "nightly", date(2026, 3, 5), work("nightly"))
else:
    pulse = Job("pulse", "pulse", every_second, lambda *_: print("pulse", flush=True) or 0, timedelta(hours=1))
    run_forever(ledger, [*map(nightly, ("job-0", "job-1", "job-2")), pulse])
"""


def child(settings, clock, action):
    arguments = [str(settings.home), settings.database_url, clock.now.isoformat(), action]
    return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_processes_run_each_job_once_and_stop_when_told(settings, ledger, clock):
    with child(settings, clock, "schedule") as one, child(settings, clock, "schedule") as two:
        for process in (one, two):
            pulses = 0
            while pulses < 2:
                line = process.stdout.readline()
                assert line, "the scheduler died"
                pulses += line == "pulse\n"
        for process in (one, two):
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_SECONDS) == 0
    assert [dates(ledger, f"job-{n}") for n in range(3)] == [[("2026-03-05", "done", 1)]] * 3
    assert size(ledger) == 1 + 3


# --- processes that die, work that fails ------------------------------------------------------------------------------


def test_a_run_killed_in_mid_job_leaves_nothing_and_is_taken_over(settings, ledger, clock):
    with child(settings, clock, "hang") as process:
        assert "at work\n" in iter(process.stdout.readline, "")  # after what the log has to say
        process.send_signal(signal.SIGKILL)
    job = nightly(adopt("nightly"))
    assert size(ledger) == 1
    assert dates(ledger) == [("2026-03-05", "running", 1)]
    clock.now += CLAIM_AGE_MAX - timedelta(seconds=1)
    assert run_due(ledger, [job]) == []
    clock.now += timedelta(seconds=1)
    assert [run.state for run in run_due(ledger, [job])] == ["done"]
    assert dates(ledger) == [("2026-03-05", "done", 2)]
    assert size(ledger) == 2


def test_a_claim_from_a_clock_that_was_put_back_since_is_taken_over(ledger, clock):
    ledger.operate(lambda connection, _: insert_rows(connection, RUN, [claim_row(clock.now + timedelta(days=400))]))
    assert [run.state for run in run_due(ledger, [nightly(adopt("nightly"))])] == ["done"]


def claim_row(started):
    return {"job": "nightly", "business_date": "2026-03-05", "state": "running", "started_at": format_time(started), "attempt": 1}


class SlowLedger(Ledger):
    """The ledger of a process that falls asleep between its claim and its work."""

    def write(self, work, actor, *, rehearse=False):
        self.meanwhile()
        return super().write(work, actor, rehearse=rehearse)


def test_a_slow_process_that_was_taken_over_changes_nothing(settings, ledger, clock):
    """It was not dead, only slow: when it goes on, its attempt is not the newest any more."""

    def taken_over():
        assert dates(ledger) == [("2026-03-05", "running", 1)]
        clock.now += CLAIM_AGE_MAX
        assert run_once(ledger, "nightly", date(2026, 3, 5), adopt("quick")).state == "done"

    slow = SlowLedger(settings, ledger.engine, clock)
    slow.meanwhile = taken_over
    run = run_once(slow, "nightly", date(2026, 3, 5), adopt("slow"))
    slow.close()
    assert run.state == "failed"
    assert "已由另一个进程接手" in run.remark
    assert dates(ledger) == [("2026-03-05", "done", 2)]
    assert size(ledger) == 2


def test_a_process_that_dies_at_every_attempt_is_given_up(ledger, clock):
    killed = claim_row(clock.now - CLAIM_AGE_MAX) | {"attempt": ATTEMPTS_MAX}
    ledger.operate(lambda connection, _: insert_rows(connection, RUN, [killed]))
    runs = run_due(ledger, [nightly(adopt("nightly"))])
    assert [(run.state, run.remark) for run in runs] == [("failed", f"{format_time(clock.now)} 执行中途进程被终止")]
    assert size(ledger) == 1


def test_a_failed_run_is_loud_leaves_nothing_and_is_tried_again(ledger, clock):
    failing = [True]

    def work(tx, day):
        adopt("nightly")(tx, day)
        if failing:
            raise Unavailable("磁盘空间不足，请清理后重试")
        return 1

    job = nightly(work)
    with capture_logs() as logs:
        runs = run_due(ledger, [job])
    sentence = f"{format_time(clock.now)} 磁盘空间不足，请清理后重试"
    assert [(run.state, run.remark) for run in runs] == [("failed", sentence)]
    assert [(entry["log_level"], entry["event"], entry["job"], entry["error"]) for entry in logs] == [
        ("error", "job.failed", "nightly", sentence)
    ]
    assert size(ledger) == 1
    failing.clear()
    clock.now += timedelta(minutes=15)
    assert [run.state for run in run_due(ledger, [job])] == ["done"]
    (row,) = rows(ledger)
    assert (row.state, row.attempt, row.remark, row.finished_at) == ("done", 2, sentence, format_time(clock.now))
    assert size(ledger) == 2


def test_what_failed_too_often_is_given_up_and_does_not_hold_up_the_next_date(ledger, clock):
    fifth = date(2026, 3, 5)

    def work(_tx, day):
        if day == fifth:
            raise Unavailable("今天不行")
        return 0

    job = nightly(work)
    attempts = [run.attempt for _ in range(ATTEMPTS_MAX) for run in run_due(ledger, [job])]
    assert attempts == list(range(1, ATTEMPTS_MAX + 1))
    with capture_logs() as logs:
        assert [run.state for run in run_due(ledger, [job])] == ["failed"]
    assert [entry["event"] for entry in logs] == ["job.given_up"]
    clock.now = at("2026-03-06 02:00")
    run_due(ledger, [job])
    assert dates(ledger) == [("2026-03-05", "failed", ATTEMPTS_MAX), ("2026-03-06", "done", 1)]


def test_a_date_waits_for_the_one_before_it_that_failed(ledger, clock):
    bad = {date(2026, 3, 6)}

    def work(_tx, day):
        if day in bad:
            raise Unavailable("不行")
        return 0

    job = nightly(work)
    run_due(ledger, [job])
    clock.now = at("2026-03-07 02:00")
    assert [(run.business_date, run.state) for run in run_due(ledger, [job])] == [("2026-03-06", "failed")]
    bad.clear()
    assert [(run.business_date, run.state) for run in run_due(ledger, [job])] == [("2026-03-06", "done"), ("2026-03-07", "done")]


@pytest.mark.parametrize("again", [False, True])
def test_neither_row_nor_log_repeats_what_a_driver_said(ledger, again):
    """A database error quotes the values of its statement, and they may be somebody's."""

    def work(tx, _day):
        tx.connection.execute(text("insert into person (subject) values (:subject)"), [{"subject": "张敏 340102196708266327"}] * 2)

    job = Job("nightly", "任务", EVERY_SECOND, lambda _ledger, tx, day: work(tx, day), timedelta(1), None if again else timedelta())
    with capture_logs() as logs:
        (run,) = run_due(ledger, [job])
    assert run.state == "failed"
    assert "IntegrityError" in run.remark
    (row,) = rows(ledger)
    assert (row.state, row.remark) == ("failed", run.remark)
    assert "张敏" not in f"{run} {row} {logs}"
    assert "34010219" not in f"{run} {row} {logs}"
    assert any(frame.startswith("test_jobs.py:") for frame in logs[0]["frames"])


def test_a_scheduler_outlives_a_store_that_cannot_be_written(ledger):
    ledger.operate(lambda connection, _: connection.execute(text("alter table job_run rename to lost")))
    with capture_logs() as logs:
        scheduler = start(ledger, [nightly(adopt("nightly"))])
        until(lambda: logs)
        ledger.operate(lambda connection, _: connection.execute(text("alter table lost rename to job_run")))
        until(lambda: dates(ledger) == [("2026-03-05", "done", 1)])
        scheduler.shutdown()
    assert {(entry["log_level"], entry["event"]) for entry in logs if entry["event"] != "job.done"} == {("error", "job.unrecorded")}


# --- the jobs themselves ----------------------------------------------------------------------------------------------


def one(name):
    return [job for job in JOBS if job.id == name]


def test_a_checkpoint_is_signed_only_when_the_tree_grew(ledger, clock):
    def notes():
        with ledger.read() as tx:
            return tx.connection.execute(text("select size from checkpoint order by size")).scalars().all()

    run_due(ledger, one("checkpoints"))
    assert notes() == [1]
    clock.now += timedelta(seconds=30)
    run_due(ledger, one("checkpoints"))
    assert notes() == [1]
    ledger.write(lambda tx: adopt("more")(tx, date(2026, 3, 5)), OPERATOR)
    run_due(ledger, one("checkpoints"))
    assert notes() == [1, 2]
    with ledger.read() as tx:
        assert checkpoints.prove_entry(tx.connection, 1).index == 1


def test_the_last_success_of_a_job_that_runs_all_day_moves_on_and_survives_a_failure(ledger, clock):
    run_due(ledger, one("checkpoints"))
    clock.now += timedelta(seconds=30)
    run_due(ledger, one("checkpoints"))
    success = format_time(clock.now)
    (row,) = rows(ledger, "checkpoints")
    assert (row.business_date, row.state, row.finished_at) == ("2026-03-05", "done", success)
    clock.now += timedelta(minutes=6)
    guard = ledger.settings.guard
    guard.rename(guard.with_suffix(".away"))
    assert [run.state for run in run_due(ledger, one("checkpoints"))] == ["failed"]
    (now,) = status(ledger)
    assert (now.state, now.last_success, now.age_seconds, now.overdue) == ("failed", success, 360, True)
    assert "找不到防分叉记录" in now.last_failure
    guard.with_suffix(".away").rename(guard)
    run_due(ledger, one("checkpoints"))
    (now,) = status(ledger)
    assert (now.state, now.age_seconds, now.overdue) == ("done", 0, False)
    assert "找不到防分叉记录" in now.last_failure


def declare(ledger, counted_on="2025-06-30"):
    unit = stations.Station("340104001001", "梅山路社区", "station", None, "urban", 4139, counted_on, "统计年鉴")
    ledger.write(lambda tx: stations.declare(tx, unit), OPERATOR)


def published(ledger):
    with ledger.read() as tx:
        found = tx.connection.execute(select(PUBLISHED).order_by(PUBLISHED.c.entry_index))
        return [(row.period_from, row.counted_on) for row in found]


def test_nightly_rates_are_of_the_running_year_and_only_what_changed(ledger, clock):
    declare(ledger)
    run_due(ledger, one("rates"))
    clock.now = at("2026-03-06 01:30")
    run_due(ledger, one("rates"))
    assert published(ledger) == [("2026-01-01", "2026-03-05")]
    assert [state for _, state, _ in dates(ledger, "rates")] == ["done", "done"]


def test_january_also_publishes_the_closing_figures_of_the_year_before(ledger, clock):
    declare(ledger)
    clock.now = at("2027-01-01 00:10")
    run_due(ledger, one("rates"))
    assert published(ledger) == [("2026-01-01", "2027-01-01")]
    clock.now = at("2027-01-01 01:30")
    run_due(ledger, one("rates"))
    assert published(ledger) == [("2026-01-01", "2027-01-01"), ("2027-01-01", "2027-01-01")]


def test_a_january_that_was_missed_is_closed_by_the_first_run_of_the_year(ledger, clock):
    run_due(ledger, one("rates"))
    declare(ledger)
    clock.now = at("2027-02-20 08:00")
    run_due(ledger, one("rates"))
    assert published(ledger) == [("2026-01-01", "2027-02-20"), ("2027-01-01", "2027-02-20")]
    declare(ledger, "2025-07-31")
    clock.now = at("2027-02-21 08:00")
    run_due(ledger, one("rates"))
    assert len(published(ledger)) == 2


def test_an_upload_is_dropped_when_it_is_older_than_a_day(ledger, clock):
    def upload(name, age):
        row = {"id": name, "account": "a", "kind": "hours", "state": "checked", "done": 0, "total": 0, "content": b""}
        return row | {"uploaded_at": format_time(clock.now - age)}

    made = [upload("fresh", timedelta(hours=23)), upload("old", timedelta(hours=25))]
    ledger.operate(lambda connection, _: insert_rows(connection, UPLOAD, made))
    run_due(ledger, one("uploads"))
    with ledger.read() as tx:
        assert tx.connection.execute(select(UPLOAD.c.id)).scalars().all() == ["fresh"]


def test_before_the_first_run_every_job_is_overdue_and_afterwards_none(ledger):
    assert status(ledger) == [], "no scheduler was ever started"
    declare_jobs(ledger)
    before = status(ledger)
    assert [(job.state, job.last_success, job.age_seconds, job.last_failure, job.overdue) for job in before] == [
        ("never", None, None, None, True)
    ] * len(JOBS)
    scheduler = start(ledger)
    options = {(job.id, job.coalesce, job.max_instances, job.misfire_grace_time) for job in scheduler.get_jobs()}
    until(lambda: {job.state for job in status(ledger)} == {"done"})
    scheduler.shutdown()
    assert options == {(name, True, 1, 3600) for name in ("asked", *(job.id for job in JOBS))}
    assert [job.overdue for job in status(ledger)] == [False] * len(JOBS)
    assert [(job.job, job.title) for job in status(ledger)] == [(job.id, job.title) for job in JOBS]


# --- by hand, by week, and what is done ahead ------------------------------------------------------------------------------


def ask(ledger, job):
    return ledger.write(lambda tx: clockwork.ask(tx, job), OPERATOR)


def test_a_job_asked_for_by_hand_runs_once_though_its_date_is_done(ledger, clock):
    done = []
    job = nightly(lambda _tx, day: done.append(day) or 1)
    run_due(ledger, [job])
    assert run_asked(ledger, [job]) == []
    clock.now += timedelta(hours=1)
    assert ask(ledger, "nightly") == "夜间任务"
    assert status(ledger)[0].asked_at == format_time(clock.now)
    with pytest.raises(Conflict, match="已经有人要求运行"):
        ask(ledger, "nightly")
    assert [run.state for run in run_asked(ledger, [job])] == ["done"]
    assert run_asked(ledger, [job]) == []
    assert done == [date(2026, 3, 5)] * 2
    (now,) = status(ledger)
    assert (now.asked_at, now.last_success) == (None, format_time(clock.now))
    with pytest.raises(NotFound):
        ask(ledger, "unheard-of")


def test_a_job_that_was_given_up_runs_when_it_is_asked_for_by_hand(ledger, clock):
    failing = [True]

    def work(_tx, _day):
        if failing:
            raise Unavailable("磁盘空间不足")
        return 1

    job = nightly(work)
    for _ in range(ATTEMPTS_MAX + 1):
        run_due(ledger, [job])
    failing.clear()
    assert [run.state for run in run_due(ledger, [job])] == ["failed"], "it was given up for this date"
    ask(ledger, "nightly")
    assert [run.state for run in run_asked(ledger, [job])] == ["done"]
    assert status(ledger)[0].well
    assert run_due(ledger, [job]) == []


def test_what_is_asked_for_is_run_by_one_scheduler_only(settings, ledger, clock):
    done = []
    job = nightly(lambda _tx, day: done.append(day) or 1)
    run_due(ledger, [job])
    other = open_ledger(settings, clock)
    ask(ledger, "nightly")
    threads = [threading.Thread(target=run_asked, args=(opened, [job])) for opened in (ledger, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert len(done) == 2


def test_another_scheduler_keeps_what_was_asked_for(ledger):
    declare_jobs(ledger)
    ask(ledger, "rates")
    declare_jobs(ledger)
    assert [one.job for one in status(ledger) if one.asked_at] == ["rates"]


@pytest.mark.parametrize(
    ("now", "business_date"),
    [("2026-03-08 02:59", "2026-03-01"), ("2026-03-08 03:00", "2026-03-08"), ("2026-03-14 23:00", "2026-03-08")],
)
def test_a_weekly_business_date_is_the_last_such_day(now, business_date):
    job = next(job for job in JOBS if job.id == "verify-all")
    assert job.business_date(at(now)).isoformat() == business_date
    assert due(job, date.fromisoformat(business_date) - timedelta(days=7), at(now)) == [date.fromisoformat(business_date)]
    assert due(job, date.fromisoformat(business_date), at(now)) == []


def test_every_job_says_in_words_how_often_it_runs():
    turns = {job.id: job.turn for job in JOBS}
    assert (turns["checkpoints"], turns["uploads"], turns["desks"]) == ("每 30 秒", "每小时的第 10 分钟", "每 10 分钟")
    assert (turns["rates"], turns["verify-all"], turns["backup"]) == ("每天 1:30", "每周日 3:00", "每天 2:30")


def test_the_ledger_is_verified_by_night_and_a_fault_is_loud_until_it_is_gone(ledger, clock):
    clock.now = at("2026-03-08 04:00")
    checks = one("verify-new") + one("verify-all")
    ledger.write(lambda tx: adopt("one")(tx, date(2026, 3, 5)), OPERATOR)
    assert [run.state for run in run_due(ledger, checks)] == ["done", "done"]
    breaking = "UPDATE policy SET rules = :rules WHERE policy = 'one'"
    ledger.operate(lambda connection, _: connection.execute(text(breaking), {"rules": '{"a":1}'}))
    clock.now += timedelta(days=7)
    with capture_logs() as logs:
        runs = run_due(ledger, checks)
    assert [run.state for run in runs] == ["done", "failed"], "the nightly one reads only what is new"
    assert "1 处不符" in runs[1].remark
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["job.failed"]
    ledger.operate(lambda connection, _: connection.execute(text(breaking), {"rules": "{}"}))
    clock.now += timedelta(minutes=15)
    assert [run.state for run in run_due(ledger, one("verify-all"))] == ["done"]


def test_backups_are_made_by_night_the_newest_kept_and_of_the_key_store_one(ledger, clock):
    for _ in range(KEPT + 2):
        clock.now += timedelta(days=1)
        assert [run.state for run in run_due(ledger, one("backup"))] == ["done"]
    folder = ledger.settings.backups
    assert len(list(folder.glob("*.backup"))) == KEPT
    assert [path.name for path in folder.glob("*.key-store")] == [f"shouwang-{clock.now:%Y%m%d-%H%M%S}.key-store"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_a_clock_that_ran_ahead_left_does_not_outlive_a_nights_key_store(ledger, clock):
    ahead = clock.now
    clock.now += timedelta(days=365)
    backups.make(ledger)
    clock.now = ahead
    backups.make(ledger)
    folder = ledger.settings.backups
    assert [path.name for path in folder.glob("*.key-store")] == [f"shouwang-{ahead:%Y%m%d-%H%M%S}.key-store"]
    assert len(list(folder.glob("*.backup"))) == 2


def test_a_backup_that_cannot_be_written_is_loud_and_the_older_ones_stay(ledger, clock):
    run_due(ledger, one("backup"))
    folder = ledger.settings.backups
    kept = folder.with_suffix(".away")
    folder.rename(kept)
    folder.write_text("no folder")
    clock.now += timedelta(days=1)
    [run] = run_due(ledger, one("backup"))
    assert (run.state, "备份文件夹" in run.remark) == ("failed", True)
    assert len(list(kept.iterdir())) == 2


def test_a_backup_that_was_moved_away_or_grew_old_is_loud(ledger, clock):
    age = one("backup-age")
    assert [run.state for run in run_due(ledger, age)] == ["done"], "before the first there is nothing to look at"
    run_due(ledger, one("backup"))
    assert [run.state for run in run_due(ledger, age)] == ["done"]
    [copy] = ledger.settings.backups.glob("*.key-store")
    copy.rename(ledger.settings.backups / "elsewhere")
    [run] = run_due(ledger, age)
    assert (run.state, "没有密钥库副本" in run.remark) == ("failed", True)
    (ledger.settings.backups / "elsewhere").rename(copy)
    clock.now += timedelta(hours=51)
    [run] = run_due(ledger, age)
    assert (run.state, "太旧" in run.remark) == ("failed", True)


def test_the_ledgers_of_the_month_are_pointed_out_on_their_day_even_when_it_was_missed(ledger, clock):
    told = []
    job = replace(one("ledgers")[0], work=lambda _ledger, _tx, day: told.append(day) or 0)
    clock.now = at("2026-03-16 09:00")
    run_due(ledger, [job])
    clock.now = at("2026-03-20 09:00")
    run_due(ledger, [job])
    assert date(2026, 3, LEDGERS_ON) in told
    assert told.count(date(2026, 3, LEDGERS_ON)) == 1
