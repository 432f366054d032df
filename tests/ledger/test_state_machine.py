"""A ledger that is written, retried, broken off, restarted, restored and signed in any order always holds what it said it held, and nobody who was erased.

The model is the list of leaf hashes that were receipted, and a reference to the letter of RFC 6962. A failure prints the steps and a blob that repeats
them; SHOUWANG_EXAMPLES=1000 looks longer.
"""

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from breaking import STEPS, failing
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from rfc6962 import mth, path, subproof
from world import APPROVER, CLERK, HOME, Clock, World

from ledger import history, log, merkle, signing_keys
from ledger.checking.verifying import verify
from ledger.checkpoints import prove_entry
from ledger.errors import Conflict, Corrupt, InvalidRequest, LedgerError, Unavailable
from ledger.ids import new_entry_id
from ledger.notes import open_checkpoint
from ledger.people import erasures
from ledger.people.actors import OPERATOR
from ledger.service.drafts import Draft
from ledger.service.recording import record_each, record_many
from ledger.settings import Settings
from ledger.store import open_ledger
from ledger.tiles import tile_reader

EXAMPLES = int(os.environ.get("SHOUWANG_EXAMPLES", "20"))
START = "2025-01-06 09:00"
picks = st.integers(0, 1_000_000)


class Model:
    """What a database file is known to hold: its leaves, and the drafts behind those that may be said again."""

    def __init__(self, leaves, said):
        self.leaves = list(leaves)
        self.said = dict(said)

    def copy(self):
        return Model(self.leaves, self.said)


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self, template: Path, home: Path) -> None:
        super().__init__()
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(template, home)
        shutil.copyfile(home / "key-store.db", home / "oldest-keys.db")
        self.home, self.clock = home, Clock(START)
        self.settings = Settings(home, f"sqlite:///{home / 'ledger.db'}")
        self.ledgers, self.dropped, self.slots = [], [], 0
        self.copies: list[tuple[Path, Model]] = []
        self.signed: list[int] = [0]
        self.rotated: int | None = None
        self.away: Model | None = None
        self.erased: set[str] = set()
        self.another_process()
        with self.ledgers[0].read() as tx:
            rows = list(log.scan(tx.connection))
            self.people = tx.connection.exec_driver_sql("SELECT number FROM volunteer ORDER BY number").scalars().all()
            self.activity = tx.connection.exec_driver_sql("SELECT id FROM activity").scalar_one()
        self.now = Model([row.leaf for row in rows], {})
        self.back_up()

    # --- what the steps are made of

    def ledger(self, pick):
        return self.ledgers[pick % len(self.ledgers)]

    def draft(self, entry_id):
        self.slots += 1
        start = self.clock.now.replace(tzinfo=None) - timedelta(days=self.slots)
        person = self.people[self.slots % len(self.people)]
        return Draft(person, self.activity, HOME, start, start + timedelta(hours=1), "B", entry_id, id=entry_id)

    def receipted(self, receipt, draft=None):
        assert receipt.index == len(self.now.leaves)
        self.now.leaves.append(receipt.leaf)
        if draft is not None:
            self.now.said[draft.id] = (draft, receipt)

    def leave(self):
        """End every process in good order."""
        for ledger in [*self.ledgers, *self.dropped]:
            ledger.close()
        self.ledgers, self.dropped = [], []

    def put(self, database):
        """Replace the database file, and the key store by its oldest copy, as somebody does who restores copies while nothing runs."""
        self.leave()
        shutil.copyfile(database, self.home / "ledger.db")
        shutil.copyfile(self.home / "oldest-keys.db", self.home / "key-store.db")
        self.another_process()

    # --- steps

    @precondition(lambda self: len(self.ledgers) < 3)
    @rule()
    def another_process(self):
        self.ledgers.append(open_ledger(self.settings, self.clock))

    @precondition(lambda self: self.away is None)
    @rule(pick=picks)
    def say(self, pick):
        draft = self.draft(new_entry_id())
        self.receipted(self.ledger(pick).write_item(record_each, draft, CLERK), draft)

    @precondition(lambda self: self.away is None)
    @rule(pick=picks, count=st.sampled_from([2, 50, 200]))
    def say_many(self, pick, count):
        drafts = [self.draft(new_entry_id()) for _ in range(count)]
        for receipt, draft in zip(self.ledger(pick).write(lambda tx: record_many(tx, drafts), CLERK), drafts, strict=True):
            self.receipted(receipt, draft)

    @precondition(lambda self: self.away is None)
    @precondition(lambda self: self.now.said)
    @rule(pick=picks, which=picks)
    def say_again(self, pick, which):
        draft, receipt = list(self.now.said.values())[which % len(self.now.said)]
        assert self.ledger(pick).write_item(record_each, draft, CLERK) == receipt

    @precondition(lambda self: self.away is None)
    @precondition(lambda self: self.now.said)
    @rule(pick=picks, which=picks)
    def say_otherwise(self, pick, which):
        taken = list(self.now.said)[which % len(self.now.said)]
        draft = self.draft(taken)
        with pytest.raises(Conflict):
            self.ledger(pick).write_item(record_each, draft, CLERK)

    @precondition(lambda self: self.away is None)
    @rule(pick=picks, step=st.sampled_from([step for step in STEPS if step != "tiles"]), done=st.booleans(), drop=st.booleans())
    def break_off(self, pick, step, done, drop):
        """A write fails at some step; perhaps the process ends there too, and another finds what it left."""
        ledger, draft = self.ledger(pick), self.draft(new_entry_id())
        with failing(ledger.engine, step, done=done):
            if done and step == "commit":
                self.receipted(ledger.write_item(record_each, draft, CLERK), draft)
            else:
                with pytest.raises(Unavailable):
                    ledger.write_item(record_each, draft, CLERK)
        if drop:
            self.ledgers.remove(ledger)
            self.dropped.append(ledger)
            self.another_process()
        self.check()
        receipt = self.ledgers[0].write_item(record_each, draft, CLERK)
        if draft.id not in self.now.said:
            self.receipted(receipt, draft)
        assert receipt == self.now.said[draft.id][1]

    @precondition(lambda self: self.away is None)
    @rule(pick=picks)
    def rebuild(self, pick):
        assert history.rebuild(self.ledger(pick), OPERATOR) == len(self.now.leaves)

    @rule()
    def restart(self):
        self.leave()
        self.another_process()

    @rule(pick=picks, index=picks)
    def sign(self, pick, index):
        ledger = self.ledger(pick)
        if self.away is not None:
            with pytest.raises(LedgerError):
                ledger.write(lambda tx: ledger.signing.sign(tx.connection), OPERATOR)
            return
        note = ledger.write(lambda tx: ledger.signing.sign(tx.connection), OPERATOR)
        leaves, old = self.now.leaves, self.signed[-1]
        assert (note is None) == (len(leaves) == old)
        if note is not None:
            opened = open_checkpoint(note, [ledger.signing.verifier()], self.settings.origin)
            assert (opened.size, opened.root) == (len(leaves), mth(leaves))
            self.signed.append(len(leaves))
        with ledger.read() as tx:
            read = tile_reader(len(leaves), lambda *tile: log.read_tile(tx.connection, *tile))
            assert merkle.consistency_proof(old, len(leaves), read) == (subproof(old, leaves) if old else [])
            assert prove_entry(tx.connection, index % len(leaves)).hashes == path(index % len(leaves), leaves)

    # --- keys

    @precondition(lambda self: self.away is None)
    @rule(pick=picks)
    def rotate(self, pick):
        def work(tx):
            return signing_keys.rotate(tx, self.settings)

        if self.rotated is not None:
            with pytest.raises(InvalidRequest, match="还没有结束"):
                self.ledger(pick).write(work, OPERATOR)
        else:
            self.receipted(self.ledger(pick).write(work, OPERATOR))
            self.rotated = len(self.now.leaves)

    @precondition(lambda self: self.away is None and self.rotated is not None and self.signed[-1] >= self.rotated)
    @rule(pick=picks)
    def finish_rotation(self, pick):
        self.ledger(pick).operate(lambda connection, _now: signing_keys.finish_rotation(connection, self.settings, self.signed[-1]))
        self.rotated = None

    # --- people's data

    @precondition(lambda self: self.away is None and len(self.erased) < len(self.people))
    @rule(pick=picks, which=picks, crash=st.booleans())
    def erase(self, pick, which, crash):
        """Somebody's data is destroyed, perhaps only by the process that comes after the one that said so."""
        ledger, left = self.ledger(pick), [one for one in self.people if f"person/{one}" not in self.erased]
        person = left[which % len(left)]
        request = ledger.write(lambda tx: erasures.ask(tx, person, "own_wish"), CLERK)
        self.receipted(ledger.write(lambda tx: erasures.carry_out(tx, request), APPROVER).receipt)
        if crash:
            self.another_process()
        else:
            ledger.finish_erasures()
        self.erased.add(f"person/{person}")

    # --- copies

    @precondition(lambda self: self.away is None)
    @rule()
    def back_up(self):
        copy = self.home / f"copy-{len(self.copies)}.db"
        with closing(sqlite3.connect(self.home / "ledger.db")) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        self.copies.append((copy, self.now.copy()))

    @precondition(lambda self: self.away is None and any(len(model.leaves) < self.signed[-1] for _, model in self.copies))
    @rule(which=picks)
    def bring_an_old_copy(self, which):
        """From now on nothing is said or signed until the newer database is back."""
        old = [(copy, model) for copy, model in self.copies if len(model.leaves) < self.signed[-1]]
        copy, model = old[which % len(old)]
        self.leave()
        shutil.copyfile(self.home / "ledger.db", self.home / "away.db")
        self.away, self.now = self.now, model.copy()
        self.put(copy)

    @precondition(lambda self: self.away is not None)
    @rule(pick=picks)
    def nothing_is_said_on_an_old_copy(self, pick):
        draft = self.draft(new_entry_id())
        with pytest.raises(Corrupt, match="旧备份"):
            self.ledger(pick).write_item(record_each, draft, CLERK)

    @precondition(lambda self: self.away is not None)
    @rule()
    def bring_the_newer_back(self):
        self.now, self.away = self.away, None
        self.put(self.home / "away.db")

    # --- always

    @invariant()
    def check(self):
        for ledger in self.ledgers:
            with ledger.read() as tx:
                head = log.tree_head(tx.connection)
                readable = ledger.vault.open(tx.connection, [f"person/{one}" for one in self.people])
            assert readable.keys() == {f"person/{one}" for one in self.people} - self.erased
            assert (head.size, head.root) == (len(self.now.leaves), mth(self.now.leaves))

    def teardown(self):
        if self.away is not None:
            self.bring_the_newer_back()
        ledger = self.ledgers[0]
        with ledger.read() as tx:
            assert [hashlib.sha256(b"\0" + row.body).digest() for row in log.scan(tx.connection)] == self.now.leaves
        report = verify(ledger)
        assert report.ok, report.faults
        self.leave()


def test_whatever_happens_in_whatever_order_the_ledger_holds_what_it_said(tmp_path):
    world = World(tmp_path / "template", f"sqlite:///{tmp_path / 'template' / 'ledger.db'}", START)
    world.station()
    for _ in range(3):
        world.volunteer()
    world.activity()
    world.close()
    bounds = settings(max_examples=EXAMPLES, stateful_step_count=25)
    run_state_machine_as_test(lambda: LedgerMachine(tmp_path / "template", tmp_path / "home"), settings=bounds)
