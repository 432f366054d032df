"""Many write at once: what waits becomes durable together, one's fault is nobody else's, and nobody is answered too soon."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from breaking import STEPS, failing
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from world import CLERK, HOME

from ledger.errors import Conflict, InvalidRequest, Unavailable
from ledger.ids import new_entry_id
from ledger.log import Fact, Receipt
from ledger.people.actors import OPERATOR
from ledger.people.volunteers import Registration, register_many
from ledger.refusals import Already, Refusal
from ledger.service.recording import record_each, record_many


def batches(world):
    return [size for (size,) in world.sql("SELECT size FROM batch ORDER BY size")]


def policy(name):
    return Fact("policy.adopted", {"policy": name, "effective_on": "2025-01-01", "rules": {}})


def says(world, name):
    return lambda: world.say(name)[0]


@contextmanager
def held(world, pool):
    """Keep the writer busy, so that what comes meanwhile waits."""
    busy, go = threading.Event(), threading.Event()

    def hold(_tx):
        busy.set()
        assert go.wait(60)

    first = pool.submit(world.write, hold)
    assert busy.wait(60)
    try:
        yield
    finally:
        go.set()
    first.exception(60)  # it shares the fate of those who came meanwhile


def waiting(world):
    return world.ledger._writer._waiting.qsize()


def together(world, *calls):
    """Have calls wait for the writer in this order, and give what each returned or raised."""
    with ThreadPoolExecutor(len(calls) + 1) as pool:
        asked = []
        with held(world, pool):
            for call in calls:
                asked.append(pool.submit(call))
                while waiting(world) < len(asked):
                    time.sleep(0.001)
        return [answer.exception(60) or answer.result() for answer in asked]


# --- one commit for all that wait


def test_all_that_wait_are_one_commit_in_the_order_they_came(world):
    answers = together(world, *(says(world, f"clerk-{n}") for n in range(40)))
    assert [answer.index for answer in answers] == list(range(1, 41))
    assert batches(world) == [1, 41]


def test_a_lone_write_waits_for_nobody(world):
    for name in ("one", "two"):
        world.say(name)
    assert batches(world) == [1, 2, 3]


def test_refusals_faults_and_rehearsals_in_a_crowd_hurt_nobody_and_leave_nothing(world):
    world.station()
    people = [world.volunteer() for _ in range(3)]
    activity, size = world.activity(), world.size

    def serve(person, hour):
        return lambda: world.serve(person, f"2025-01-02 {hour:02}:00", f"{hour + 1:02}:00", activity=activity)

    def fails(fault):
        def work(tx):
            tx.append(
                [
                    policy("half"),
                    Fact("volunteer.backbone_designated", {"volunteer": people[0], "station": HOME, "designated_on": "2025-01-02"}),
                ]
            )
            raise fault

        return lambda: world.write(work)

    def rehearses():
        return world.write(
            lambda tx: record_many(tx, [world.draft(people[0], "2025-01-02 14:00", "15:00", activity=activity)]), rehearse=True
        )

    answers = together(
        world,
        serve(people[0], 8),
        fails(InvalidRequest("不行")),
        serve(people[0], 9),
        rehearses,
        serve(people[0], 10),
        fails(ZeroDivisionError()),
        serve(people[0], 8),  # said already
        fails(KeyboardInterrupt()),
        serve(people[1], 8),
        lambda: world.serve(people[1], "2025-01-02 08:30", "09:30", activity=activity),  # overlaps
    )
    kinds = [Receipt, InvalidRequest, Receipt, list, Receipt, ZeroDivisionError, Already, KeyboardInterrupt, Receipt, Refusal]
    assert [type(answer) for answer in answers] == kinds
    assert [answer.index for answer in answers if isinstance(answer, Receipt)] == [size, size + 1, size + 2, size + 3]
    assert [size, size + 4] == batches(world)[-2:]
    assert [entry["chains"][f"person/{people[0]}"][0] for entry in world.entries()[size : size + 3]] == [2, 3, 4]


def test_a_crowd_that_is_refused_to_the_last_leaves_no_batch(world):
    def refused(_tx):
        raise InvalidRequest("不行")

    answers = together(world, *[lambda: world.write(refused)] * 5)
    assert [type(answer) for answer in answers] == [InvalidRequest] * 5
    assert batches(world) == [1]


def test_a_refusal_that_the_work_lives_with_leaves_nothing(world):
    """The first of two facts was already given its place when the second was refused."""

    def work(tx):
        with pytest.raises(InvalidRequest):
            tx.append([policy("one"), Fact("policy.adopted", {"policy": "two", "effective_on": "soon", "rules": {}})])
        return tx.append([policy("three")])[0]

    answers = together(world, says(world, "before"), lambda: world.write(work), says(world, "after"))
    assert [answer.index for answer in answers] == [1, 2, 3]


# --- items


def test_items_for_one_function_are_gathered_into_one_call(world):
    calls = []

    def note(tx, items):
        calls.append([item for _, item in items])
        return tx.append([policy(f"of-{item}") for _, item in items])

    answers = together(world, *((lambda n=n: world.ledger.write_item(note, n, CLERK)) for n in range(30)))
    assert [answer.index for answer in answers] == list(range(1, 31))
    assert calls == [list(range(30))]
    assert batches(world) == [1, 31]


def test_a_plain_write_between_items_keeps_its_place(world):
    def note(tx, items):
        return tx.append([policy(f"of-{item}") for _, item in items])

    first, middle, last = together(
        world,
        lambda: world.ledger.write_item(note, 1, CLERK),
        says(world, "between"),
        lambda: world.ledger.write_item(note, 2, CLERK),
    )
    assert [first.index, middle.index, last.index] == [1, 2, 3]


@pytest.mark.parametrize("fault", ["raises", "too few answers"])
def test_an_item_that_fails_them_all_is_found_and_fails_alone(world, fault):
    def note(tx, items):
        receipts = tx.append([policy(f"of-{item}") for _, item in items])
        if any(item == 3 for _, item in items):
            if fault == "raises":
                raise InvalidRequest("三不行")
            return receipts[1:]
        return receipts

    answers = together(world, *((lambda n=n: world.ledger.write_item(note, n, CLERK)) for n in range(6)))
    assert [type(answer) for answer in answers] == [*[Receipt] * 3, InvalidRequest if fault == "raises" else ValueError, *[Receipt] * 2]
    assert [answer.index for answer in answers if isinstance(answer, Receipt)] == [1, 2, 3, 4, 5]
    assert batches(world) == [1, 6]


def test_an_answer_that_is_a_refusal_by_exception_is_raised_to_its_own_caller(world):
    world.station()
    person, activity = world.volunteer(), world.activity()
    entry_id = new_entry_id()
    world.serve(person, "2025-01-02 08:00", "09:00", activity=activity, id=entry_id)
    drafts = [world.draft(person, f"2025-01-03 {hour:02}:00", f"{hour + 1:02}:00", activity=activity) for hour in (8, 9)]
    clash = world.draft(person, "2025-01-04 08:00", "09:00", activity=activity, id=entry_id)
    answers = together(
        world, *((lambda d=draft: world.ledger.write_item(record_each, d, CLERK)) for draft in (drafts[0], clash, drafts[1]))
    )
    assert [type(answer) for answer in answers] == [Receipt, Conflict, Receipt]


# --- pushback


def test_when_too_many_wait_the_next_is_sent_away_and_the_others_are_served(world):
    world.ledger._writer.queue_max = 3
    with ThreadPoolExecutor(5) as pool:
        with held(world, pool):
            asked = []
            for n in range(3):
                asked.append(pool.submit(world.say, f"patient-{n}"))
                while waiting(world) < n + 1:
                    time.sleep(0.001)
            with pytest.raises(Unavailable, match="再试"):
                world.say("one-too-many")
        assert [answer.result(60)[0].index for answer in asked] == [1, 2, 3]
    assert world.say("afterwards")[0].index == 4


# --- answered when it is durable, and not before


def test_nobody_is_answered_before_the_commit_has_returned(world):
    reached, go = threading.Event(), threading.Event()

    def delay(_connection):
        reached.set()
        assert go.wait(60)

    event.listen(world.ledger.engine, "commit", delay, once=True)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(world.say, "one")
        assert reached.wait(60)
        time.sleep(0.1)
        assert not asked.done()
        assert batches(world) == [1]
        go.set()
        assert asked.result(60)[0].index == 1


@pytest.mark.parametrize("done", [False, True])
def test_a_crowd_whose_commit_failed_hears_what_really_became_of_it(world, done):
    world.station()
    activity = world.activity()
    drafts = [world.draft(world.volunteer(), "2025-01-02 08:00", "09:00", activity=activity, id=new_entry_id()) for _ in range(10)]
    calls = [(lambda d=draft: world.ledger.write_item(record_each, d, CLERK)) for draft in drafts]
    size = world.size
    with ThreadPoolExecutor(11) as pool, ExitStack() as broken:
        with held(world, pool):
            asked = [pool.submit(call) for call in calls]
            while waiting(world) < 10:
                time.sleep(0.001)
            broken.enter_context(failing(world.ledger.engine, "commit", done=done))
        answers = [answer.exception(60) or answer.result() for answer in asked]
    assert {type(answer) for answer in answers} == {Receipt if done else Unavailable}
    assert world.size == size + (10 if done else 0)
    again = [call() for call in calls]
    assert sorted(receipt.index for receipt in again) == list(range(size, size + 10))
    assert again == answers or not done
    assert world.size == size + 10


@pytest.mark.parametrize("done", [False, True], ids=["not done", "done and not told"])
def test_whatever_step_fails_the_retry_finds_or_makes_exactly_one(world, done):
    world.station()
    activity = world.activity()
    for number, step in enumerate(STEPS, 1):
        person = world.volunteer()
        draft = world.draft(person, "2025-01-02 08:00", "09:00", activity=activity, id=new_entry_id())
        newcomer = Registration(f"新人{number}", f"34010219900101{number:03}X", HOME, world.today, "clerk")

        def work(tx, draft=draft, newcomer=newcomer):
            return record_many(tx, [draft])[0], register_many(tx, [newcomer])[0]

        if step == "tiles":
            world.grow(255)
        size = world.size
        persisted = step == "commit" and done
        with failing(world.ledger.engine, step, done=done):
            if persisted:
                first = world.write(work)
            else:
                with pytest.raises(Unavailable, match=r"disk I/O error.*不会重复"):
                    world.write(work)
        assert world.size == size + (2 if persisted else 0), step
        again = world.write(work)
        assert again[0].index == size, step
        assert world.size == size + 2, step
        if persisted:
            assert (again[0], again[1]) == (first[0], Already(size + 1))
    served = [entry["id"] for entry in world.entries() if entry["kind"] == "service.recorded"]
    assert len(served) == len(set(served)) == len(STEPS)


def test_a_database_that_gives_up_the_transaction_of_all_is_said_to_all_and_the_next_are_served(world):
    """So does SQLite on a full disk, and PostgreSQL when the connection is cut: then there is no savepoint to go back to."""

    def give_up(tx):
        tx.append([policy("lost")])
        tx.connection.connection.driver_connection.execute("ROLLBACK")
        raise OperationalError("INSERT", None, OSError("database or disk is full"))

    answers = together(world, says(world, "before"), lambda: world.write(give_up), says(world, "behind"))
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert all("database or disk is full" in str(answer) for answer in answers)
    assert batches(world) == [1]
    assert world.say("next")[0].index == 1


def test_a_key_store_that_cannot_be_written_stops_the_commit(world):
    world.station()
    store = world.settings.key_store
    size = world.size
    store.rename(store.with_suffix(".aside"))
    store.mkdir()
    with pytest.raises(Unavailable, match="不会重复"):
        world.volunteer()
    store.rmdir()
    store.with_suffix(".aside").rename(store)
    assert world.size == size
    world.volunteer()
    assert world.size == size + 1


# --- the thread


def test_a_write_inside_a_write_is_refused_and_the_writer_goes_on(world):
    with pytest.raises(RuntimeError, match="inside"):
        world.write(lambda _tx: world.say("inner"))
    assert world.say("next")[0].index == 1


def test_closing_finishes_what_waits(world):
    with ThreadPoolExecutor(8) as pool:
        with held(world, pool):
            asked = [pool.submit(world.say, f"late-{n}") for n in range(5)]
            while waiting(world) < 5:
                time.sleep(0.001)
            thread = world.ledger._writer._thread
            closing = pool.submit(world.ledger.close)
        closing.result(60)
        assert sorted(answer.result(60)[0].index for answer in asked) == [1, 2, 3, 4, 5]
    assert not thread.is_alive()
    assert world.say("after-all")[0].index == 6


def test_closing_at_any_moment_leaves_nobody_without_an_answer(world):
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(lambda n=n: [world.say(f"clerk-{n}-{m}")[0].index for m in range(15)]) for n in range(4)]
        while not all(answer.done() for answer in asked):
            world.ledger._writer.close()
        indexes = sorted(index for answer in asked for index in answer.result(60))
    assert indexes == list(range(1, 61))


def test_many_threads_with_mixed_work_leave_one_log_that_adds_up(world):
    world.station()
    activity = world.activity()
    people = [world.volunteer() for _ in range(8)]

    def work(number):
        told = []
        for day in (1, 2, 3):
            draft = world.draft(people[number], f"2025-01-0{day} 08:00", "09:00", activity=activity)
            told.append(world.ledger.write_item(record_each, draft, CLERK))
            told += world.say(f"thread-{number}-{day}")
            with pytest.raises(ZeroDivisionError):
                world.write(lambda tx: tx.append([policy("never")]) and 1 // 0)
        return told

    size = world.size
    with ThreadPoolExecutor(8) as pool:
        told = [receipt.index for found in pool.map(work, range(8)) for receipt in found]
    assert sorted(told) == list(range(size, size + 48))
    assert world.write(lambda tx: tx.tree_size, OPERATOR) == size + 48
