"""Projections are remade in one step: whoever reads meanwhile sees the old or the new and nothing between, and whoever writes loses nothing."""

import threading

from sqlalchemy import func, select

from ledger import history, tables
from ledger.people.actors import OPERATOR
from ledger.tables import table

COUNTED = [table(model) for model in (tables.StationRow, tables.VolunteerRow, tables.ServiceRow, tables.KeyRotationRow)]


def counts(world):
    """How many rows the reader's one snapshot has in some projections, and what everybody is credited with."""
    with world.read() as tx:
        found = [tx.connection.execute(select(func.count()).select_from(one)).scalar_one() for one in COUNTED]
        return found, world.answers(tx, 2025)


def test_readers_see_the_old_or_the_new_and_never_the_empty_tables_between(world):
    world.town()
    world.rotate()
    world.grow(600)
    wanted, stop, seen = counts(world), threading.Event(), []

    def read():
        while not stop.is_set():
            seen.append(counts(world))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    other = world.another()
    for _ in range(3):
        assert history.rebuild(other, OPERATOR) == 600
    stop.set()
    for thread in threads:
        thread.join()
    assert len(seen) > 3
    assert [one for one in seen if one != wanted] == []


def test_whoever_writes_while_it_is_remade_is_not_left_out(world):
    """In the same process and in another; `check` at the end compares every projection with the log."""
    world.town()
    person, activity = world.volunteer(), world.activity()
    other, stop, written = world.another(), threading.Event(), []

    def write():
        day = 1
        while not stop.is_set() and day < 28:
            written.append(world.serve(person, f"2024-11-{day:02} 09:00", "10:00", activity=activity, settled=True))
            day += 1

    thread = threading.Thread(target=write)
    thread.start()
    for ledger in (other, world.ledger, other):
        history.rebuild(ledger, OPERATOR)
    stop.set()
    thread.join()
    assert written
    assert world.credit(person).minutes == 60 * len(written)


def test_damaged_projections_are_whole_again_after_a_rebuild(world):
    world.town()
    world.rotate()
    wanted = counts(world)
    for name in ("service", "chain", "key_rotation", "volunteer"):
        world.sql(f"DELETE FROM {name}")
    world.sql("UPDATE station SET name = 'x'")
    assert history.rebuild(world.ledger, OPERATOR) == world.size
    assert counts(world) == wanted
