"""A verification that is killed goes on where it was, and comes to the same verdict."""

import signal
import sqlite3
from contextlib import closing

import pytest
from commands import python

from ledger import signing_keys
from ledger.checking.verifying import verify
from ledger.merkle import TILE_WIDTH
from ledger.notes import Checkpoint, sign_checkpoint

SIZE = 1_100  # five blocks of one tile
KILLED = """
import os, signal, sys
from pathlib import Path
from ledger.checking.verifying import verify
from ledger.settings import Settings
from ledger.store import open_ledger

def die(done, total):
    if done >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

ledger = open_ledger(Settings(Path(sys.argv[1]), sys.argv[2]), damaged=True)
verify(ledger, block=256, pause=float(sys.argv[4]), resume=sys.argv[5] == "resume", progress=die, remember=True)
"""


@pytest.fixture
def town(world):
    world.town()
    world.grow(300)
    world.sign()
    world.advance(minutes=1)
    world.grow(SIZE)
    return world


def kill(world, at, *, pause=0.0, resume=False):
    """Verify in another process that is killed once so many entries are done."""
    done = python(KILLED, world.settings.home, world.settings.database_url, at, pause, "resume" if resume else "")
    assert done.returncode == -signal.SIGKILL, done.stderr


def resumed(world, **options):
    """Go on; which sizes were told, and the report."""
    told = []
    report = world.verify(block=TILE_WIDTH, pause=0.0, resume=True, progress=lambda done, _: told.append(done), remember=True, **options)
    return told, report.as_json()


def altered(world, index, old, new):
    [(raw,)] = world.sql('SELECT body FROM entry WHERE "index" = ?', index)
    assert old in raw
    world.sql('UPDATE entry SET body = ? WHERE "index" = ?', raw.replace(old, new, 1), index)


def kept_files(world):
    return sorted(path.name for path in world.settings.home.glob("verified.*"))


def test_it_goes_on_from_the_last_block_that_was_finished(town):
    whole = town.verify(block=TILE_WIDTH).as_json()
    for at in (256, 300, 768):  # dying when 768 are told, which the save before that has already
        kill(town, at)
        told, report = resumed(town)
        assert told[0] > at
        assert report == whole
        assert kept_files(town) == ["verified.db", "verified.lock"]
    assert resumed(town)[0][0] == 256  # nothing was broken off: from the beginning


def test_it_may_be_killed_again_and_again(town):
    kill(town, 256)
    kill(town, 600, resume=True)
    kill(town, SIZE, resume=True)
    told, report = resumed(town)
    assert told == [SIZE]
    assert report == town.verify(block=TILE_WIDTH).as_json()


def test_killed_before_anything_was_written_down_it_begins_anew(town):
    kill(town, 600, pause=60.0)
    told, report = resumed(town)
    assert told[0] == 256
    assert report["ok"]


def test_without_being_asked_to_it_begins_anew(town):
    kill(town, 600)
    told = []
    assert town.verify(block=TILE_WIDTH, pause=0.0, progress=lambda done, _: told.append(done)).ok
    assert told[0] == 256


def test_faults_found_before_it_was_killed_are_in_the_report_and_those_after_too(town):
    with town.damaged("entry", "service", "tile"):
        altered(town, 100, b"filler", b"fillet")
        town.sql('UPDATE entry SET body = ? WHERE "index" = 200', b"{}")
        altered(town, 1_000, b"filler", b"fillet")
        town.sql("UPDATE service SET minutes = minutes + 1")
        town.sql('UPDATE tile SET root = ? WHERE "index" = 3', b"x" * 32)
        whole = town.verify(block=TILE_WIDTH).as_json()
        kill(town, 600)
        told, report = resumed(town, jobs=2)
    assert told[0] > 600
    assert report == whole
    assert {100, 200, 1_000} <= {fault["index"] for fault in report["faults"]}


def test_entries_and_checkpoints_that_came_in_between_are_verified(town):
    kill(town, 600)
    town.advance(days=1)
    person = next(iter(town.people))
    town.serve(person, "2025-01-20 09:00", "10:00")
    town.grow(1_300)
    town.sign()
    told, report = resumed(town)
    assert told[0] > 600
    assert report == town.verify(block=TILE_WIDTH).as_json()
    assert (report["ok"], report["size"]) == (True, 1_300)


def test_a_checkpoint_held_against_the_log_only_when_it_goes_on_is_judged(town):
    kept = town.sql("SELECT note FROM checkpoint ORDER BY size LIMIT 1")[0][0].encode()
    kill(town, 600)
    assert resumed(town, against=kept)[1]["ok"]
    kill(town, 600)
    other = sign_checkpoint(Checkpoint(town.settings.origin, 30, b"r" * 32), load_signers_of(town))
    told, report = resumed(town, against=other)
    assert told[0] > 600
    assert [(fault["index"], fault["what"]) for fault in report["faults"]] == [(29, "against.root")]


def load_signers_of(world):
    with world.read() as tx:
        return signing_keys.load_signers(tx.connection, world.settings, 30)


def test_contradictions_before_it_was_killed_are_found_after(town):
    with town.damaged("entry", "chain"):
        [(first, second)] = [tuple(town.sql('SELECT body FROM entry WHERE "index" IN (4, 5) ORDER BY "index"'))]
        town.sql('UPDATE entry SET body = ? WHERE "index" = 5', first[0])
        whole = town.verify(block=TILE_WIDTH).as_json()
        kill(town, 600)
        assert resumed(town)[1] == whole
        assert second


def test_another_log_than_the_one_that_was_walked_is_walked_from_the_beginning(town):
    kill(town, 600)
    with town.damaged("tile"):
        town.sql('UPDATE tile SET root = ? WHERE "index" = 1', b"x" * 32)
        told, report = resumed(town)
        assert told[0] == 256
        assert not report["ok"]


def test_a_remake_that_is_gone_is_made_again(town):
    kill(town, 600)
    town.settings.verified.with_suffix(".remake").unlink()
    told, report = resumed(town)
    assert told[0] > 600
    assert report["ok"]


def test_a_file_that_was_altered_is_a_fault_and_not_believed(town):
    kill(town, 600)
    part = town.settings.verified.with_suffix(".part")
    with closing(sqlite3.connect(part)) as db, db:
        db.execute("UPDATE place SET said = replace(said, '\"fault_count\":0', '\"fault_count\":1')")
    told, report = resumed(town)
    assert told[0] == 256
    assert [fault["what"] for fault in report["faults"]] == ["verified"]


def test_two_at_a_time_do_not_disturb_each_other(town):
    inner = []

    def another(done, _):
        if done == 512:
            inner.append(verify(town.ledger, block=TILE_WIDTH, pause=0.0, resume=True).as_json())

    report = town.verify(block=TILE_WIDTH, pause=0.0, progress=another).as_json()
    assert inner == [report]
    assert report["ok"]


def test_two_at_a_time_each_remember_where_they_got_to(town):
    def another(done, _):
        if done == 512:
            assert verify(town.ledger, block=TILE_WIDTH, remember=True).ok

    assert town.verify(block=TILE_WIDTH, pause=0.0, remember=True, progress=another).ok
    assert kept_files(town) == ["verified.db", "verified.lock"]
    assert town.verify(since_last=True).ok


def test_what_was_remembered_before_it_was_killed_counts_when_it_has_ended(town):
    """The newest checkpoint, at 300, is behind it when it goes on."""
    kill(town, 600)
    assert resumed(town)[1]["ok"]
    told = []
    assert town.verify(block=TILE_WIDTH, since_last=True, progress=lambda done, _: told.append(done)).ok
    assert told[0] > 300
