"""
The writer: one thread through which all writes of a process go, as many as wait in one database transaction (group commit).

There is no timer. The thread takes whatever waits, runs it in one transaction, takes what has come meanwhile into the same (at most GROUP_MAX in all), and
commits. A lone write costs one commit, a crowd shares one. Pushback instead of memory: when QUEUE_MAX writes wait, the next is refused with Unavailable.

Each piece of work has a savepoint of its own: if it raises, or was only a rehearsal, the database and the appender go back to where it began and nobody
else notices. Items handed in by `write_item` for one function are gathered into one call of it. All share one `now`.

Nobody is answered before COMMIT has returned. If COMMIT raises, the outcome is unknown: every connection is dropped, and the log is asked whether the
group's last entry is there. Only then is each answered, with the receipt or with Unavailable; a retry with the same entry id is safe in either case.
A commit that is said to have failed may still be found in the log after a crash (SQLite: its pages were written, only the sync failed).

Several processes may write to one store: BEGIN IMMEDIATE or the advisory lock makes each group wait its turn, and the head is read anew when another
process has moved it. A process forked while nothing was being written has a writer of its own.
"""

import os
import queue
import sqlite3
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError, PendingRollbackError, SQLAlchemyError

from ledger.bulk import run
from ledger.database import write_transaction
from ledger.errors import Unavailable
from ledger.log import Appender, Head, Mark, has_entry, load_head, tree_head
from ledger.people.actors import OPERATOR, Actor
from ledger.people.vault import Vault
from ledger.transactions import WriteTransaction

QUEUE_MAX = 4_096
GROUP_MAX = 1_024

CLOCK_SLIP_MAX = timedelta(minutes=2)
"""How far a clock may stand behind the newest entry before writing stops; within it, entries keep the newest time."""

OUT_OF_ORDER = (OperationalError, InterfaceError, PendingRollbackError, sqlite3.OperationalError)
"""What a database raises that is full, locked, stopped or cut off: nobody's request was wrong. (The last is the key store's.)"""

_BEGIN, _KEEP, _BACK = "SAVEPOINT work", "RELEASE SAVEPOINT work", "ROLLBACK TO SAVEPOINT work"

ItemWork = Callable[[WriteTransaction, Sequence[Any]], Sequence[Any]]


class _Job:
    """One piece of work and its answer: a function of the transaction, or an item for a function of many.

    Whoever asked waits for `answered`, a lock that is held until there is an answer: half the cost of a Future, where thousands are made a second.
    """

    __slots__ = ("_answered", "_fault", "_result", "actor", "item", "item_work", "rehearse", "work")

    def __init__(
        self,
        actor: Actor,
        work: Callable[[WriteTransaction], Any] | None = None,
        item_work: ItemWork | None = None,
        item: Any = None,
        *,
        rehearse: bool = False,
    ) -> None:
        self.actor, self.work, self.item_work, self.item, self.rehearse = actor, work, item_work, item, rehearse
        self._result: Any = None
        self._fault: BaseException | None = None
        self._answered = threading.Lock()
        self._answered.acquire()

    def answer(self, result: Any, fault: BaseException | None) -> None:
        """Give the answer, once, to whoever waits."""
        self._result, self._fault = result, fault
        self._answered.release()

    def wait(self) -> Any:
        """Wait for the answer; return or raise it."""
        self._answered.acquire()
        if self._fault is not None:
            raise self._fault
        return self._result


@dataclass
class _Group:
    """One transaction's worth: who is in it, and the answers to give once it is durable. *open*: whether more may come after it."""

    jobs: list[_Job]
    open: bool = True
    results: list[tuple[_Job, Any, BaseException | None]] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)


class Writer:
    """Runs writes for one open ledger. The thread is started by the first write, and again in a process that was forked."""

    def __init__(self, engine: Engine, vault: Vault, clock: Callable[[], datetime], check: Callable[[Connection], None]) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._check = check
        self.queue_max = QUEUE_MAX
        self._begin()
        _writers.add(self)

    def _begin(self) -> None:
        """Begin with no thread and an empty queue. The door lets one job in at a time, and none while the thread is being stopped."""
        self._door = threading.Lock()
        self._thread: threading.Thread | None = None
        self._waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._inside = threading.local()
        self._head: Head | None = None

    def write(self, work: Callable[[WriteTransaction], Any], actor: Actor, *, rehearse: bool = False) -> Any:
        """Run *work* as the writer; return or raise what it does, once that is durable."""
        return self._submit(_Job(actor, work=work, rehearse=rehearse))

    def write_item(self, work: ItemWork, item: Any, actor: Actor) -> Any:
        """Have *item* done by *work* together with whatever others wait; return its own answer, once that is durable.

        *work* takes many items and answers each; an answer that is an exception is raised.
        """
        answer = self._submit(_Job(actor, item_work=work, item=item))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        """Finish what waits, and stop the thread."""
        with self._door:
            if self._thread is not None:
                self._waiting.put(None)
                self._thread.join()
                self._thread = None

    def _submit(self, job: _Job) -> Any:
        if getattr(self._inside, "writing", False):
            raise RuntimeError("a write inside a write would wait for itself")
        with self._door:  # what is let in comes before the end that `close` puts into the queue, and is done
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
                self._thread.start()
            if self._waiting.qsize() >= self.queue_max:
                raise Unavailable("现在排队登记的人太多，请过几秒再试一次")
            self._waiting.put(job)
        return job.wait()

    def _run(self) -> None:
        self._inside.writing = True
        open_ = True
        while open_:
            first = self._waiting.get()
            if first is None:
                return
            open_ = self._do([first])

    def _take(self, room: int) -> tuple[list[_Job], bool]:
        """Take at most *room* jobs of those that wait now, and tell whether the end has not come yet."""
        jobs: list[_Job] = []
        try:
            while len(jobs) < room:
                job = self._waiting.get_nowait()
                if job is None:
                    return jobs, False
                jobs.append(job)
        except queue.Empty:
            pass
        return jobs, True

    def _do(self, jobs: list[_Job]) -> bool:
        """Run a group to its durable end and answer everyone, whatever happens. *jobs*: its first. Tells whether the end has not come yet."""
        group = _Group(jobs)
        try:
            self._commit(group)
        except BaseException as error:  # noqa: BLE001 each waiter must hear of it; the thread goes on
            group.results = [(job, None, error) for job in group.jobs]
        for job, result, fault in group.results:
            job.answer(result, _as_told(fault) if fault is not None else None)
        return group.open

    def _commit(self, group: _Group) -> None:
        begun = head = None
        try:
            with write_transaction(self._engine) as connection:
                begun = self._current(connection)
                now = self._now(begun)
                appender = Appender(connection, begun, now)
                tx = WriteTransaction(connection, self._vault, now, OPERATOR, appender)
                self._gather(tx, group)
                head = appender.finish()
                self._vault.store_keys(group.keys)
            # The commit point is behind us: what was appended is durable.
        except BaseException:
            self._head = None
            if head is None or head is begun or not self._is_durable(head):
                raise  # without new entries nothing tells what became of it: then it is reported as failed
        self._head = head

    def _gather(self, tx: WriteTransaction, group: _Group) -> None:
        """Run the group's first jobs, then those that came meanwhile, until nobody waits or the group is full."""
        jobs = group.jobs
        more, group.open = self._take(GROUP_MAX - len(jobs))
        jobs = [*jobs, *more]
        group.jobs = jobs
        while jobs:
            self._run_all(tx, jobs, group)
            room = GROUP_MAX - len(group.jobs)
            jobs, group.open = self._take(room) if group.open and room else ([], group.open)
            group.jobs.extend(jobs)

    def _is_durable(self, head: Head) -> bool:
        """After a COMMIT that raised: ask the log itself, over a new connection, whether the group is in it.

        As a writer: a PostgreSQL that lost us may still be committing, and gives the lock away when it has done so or not.
        """
        self._engine.dispose()
        assert head.last_leaf is not None, "a group with entries has a last one"
        with write_transaction(self._engine) as connection:
            return has_entry(connection, head.tree.size - 1, head.last_leaf)

    def _run_all(self, tx: WriteTransaction, jobs: list[_Job], group: _Group) -> None:
        """Run jobs in the order they came; neighbours with the same item function together."""
        for item_work, neighbours in groupby(jobs, key=lambda job: job.item_work):
            if item_work is None:
                group.results.extend(self._one(tx, job, group) for job in neighbours)
            else:
                group.results.extend(self._many(tx, item_work, list(neighbours), group))

    def _one(self, tx: WriteTransaction, job: _Job, group: _Group) -> tuple[_Job, Any, BaseException | None]:
        assert job.work is not None
        mine = replace(tx, actor=job.actor, new_keys={})
        mark = tx.appender.mark()
        run(tx.connection, _BEGIN)
        try:
            result = job.work(mine)
        except BaseException as error:  # noqa: BLE001 handed to whoever asked for it
            _undo(tx, mark, error)
            return job, None, error
        if job.rehearse:
            _undo(tx, mark, None)
        else:
            run(tx.connection, _KEEP)
            group.keys.update(mine.new_keys)
        return job, result, None

    def _many(self, tx: WriteTransaction, work: ItemWork, jobs: list[_Job], group: _Group) -> list[tuple[_Job, Any, BaseException | None]]:
        """Do items together; if that fails as a whole, one by one, so that the fault is found and hurts only its own."""
        mine = replace(tx, new_keys={})
        mark = tx.appender.mark()
        run(tx.connection, _BEGIN)
        try:
            answered = list(zip(jobs, work(mine, [(job.actor, job.item) for job in jobs]), strict=True))
        except BaseException as error:  # noqa: BLE001 handed to whoever asked for it
            _undo(tx, mark, error)
            if len(jobs) == 1:
                return [(jobs[0], None, error)]
            return [result for job in jobs for result in self._many(tx, work, [job], group)]
        run(tx.connection, _KEEP)
        group.keys.update(mine.new_keys)
        return [(job, answer, None) for job, answer in answered]

    def _current(self, connection: Connection) -> Head:
        newest, head = tree_head(connection), self._head
        if head is None or head.root != newest.root:
            head = load_head(connection)
            self._check(connection)
        return head

    def _now(self, head: Head) -> datetime:
        now = self._clock()
        if not head.recorded_at:
            return now
        newest = datetime.fromisoformat(head.recorded_at)
        if now < newest - CLOCK_SLIP_MAX:
            raise Unavailable(f"本机时钟（{now:%Y-%m-%d %H:%M}）比账本最后一条记录（{newest:%Y-%m-%d %H:%M}）还早，请先校准时钟")
        return max(now, newest)


def _undo(tx: WriteTransaction, mark: Mark, fault: BaseException | None) -> None:
    """Go back to where a piece of work began. Raises its fault if the database has given up the transaction of all."""
    try:
        run(tx.connection, _BACK)
        run(tx.connection, _KEEP)
    except SQLAlchemyError as error:
        raise fault or error from None
    tx.appender.rewind(mark)


def _as_told(fault: BaseException) -> BaseException:
    """Say a fault as whoever waits can use it: that the database is out of order is no fault of theirs, and the same again is safe."""
    if not isinstance(fault, OUT_OF_ORDER):
        return fault
    said = str(getattr(fault, "orig", None) or fault).partition("\n")[0]
    told = Unavailable(f"账本暂时写不进去（{said}）。请稍后原样再交一次，已经入账的不会重复；若一直这样，请联系管理员检查磁盘和数据库")
    told.__cause__ = fault
    return told


_writers: "weakref.WeakSet[Writer]" = weakref.WeakSet()


def _begin_anew() -> None:
    for writer in list(_writers):
        writer._begin()  # noqa: SLF001 a forked process has none of the threads, and its locks may be held by nobody


os.register_at_fork(after_in_child=_begin_anew)
