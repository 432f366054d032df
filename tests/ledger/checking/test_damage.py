"""A disk that fails takes pages of the database with it: what cannot be read is named, and what can be is read all the same."""

from pathlib import Path

import pytest
from commands import shouwang
from world import World

from ledger import history
from ledger.backups import back_up, restore
from ledger.checking.verifying import verify
from ledger.people.actors import OPERATOR
from ledger.store import open_ledger

PAGE = 4096


@pytest.fixture
def store(tmp_path):
    """The closed store of a small town (settings, clock), and its database file."""
    world = World(tmp_path / "var", f"sqlite:///{tmp_path / 'var' / 'ledger.db'}")
    world.town()
    world.grow(300)
    world.sign()
    world.body = world.sql('SELECT body FROM entry WHERE "index" = 100')[0][0]
    world.roots = dict(world.sql("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'"))
    world.served = world.sql("SELECT volunteer, start FROM service LIMIT 1")[0]
    world.later = world.sql('SELECT body FROM entry WHERE "index" = 250')[0][0]
    world.close()
    return world, tmp_path / "var" / "ledger.db"


def spoil(file: Path, page: int) -> None:
    with file.open("r+b") as database:
        database.seek(page * PAGE)
        database.write(b"\xff" * 16)


def faults(world):
    ledger = open_ledger(world.settings, world.clock, damaged=True)
    try:
        return verify(ledger).faults
    finally:
        ledger.close()


def test_entries_on_a_page_that_cannot_be_read_are_named_and_the_search_goes_on(store):
    world, file = store
    assert faults(world) == []
    raw = file.read_bytes()
    file.write_bytes(raw.replace(world.later, world.later.replace(b"filler", b"fillet")))
    spoil(file, raw.index(world.body) // PAGE)
    found = faults(world)
    unread = [fault.index for fault in found if fault.what == "entry"]
    assert 100 in unread
    assert unread == list(range(unread[0], unread[-1] + 1))
    assert len(unread) < 30
    assert 250 in {fault.index for fault in found if fault.what == "entry.leaf"}


def test_a_table_that_cannot_be_read_is_a_fault_and_not_stumbled_over(store):
    world, file = store
    raw = file.read_bytes()
    for name in ("entry", "tile", "batch", "checkpoint", "cosignature", "service", "chain", "person"):
        spoil(file, world.roots[name] - 1)
        assert faults(world), name
        file.write_bytes(raw)


def test_an_index_that_does_not_lead_to_its_row_is_named_and_made_anew(store):
    """Hours are found by it: with a row missing there, a total would be wrong and the table right."""
    world, file = store
    raw, (volunteer, start) = file.read_bytes(), world.served
    kept = (volunteer + start).encode()
    assert raw.count(kept) == 1
    file.write_bytes(raw.replace(kept, (volunteer + start[:-1] + "9").encode()))
    assert {fault.what for fault in faults(world)} == {"database"}
    assert any("ix_service_volunteer_start" in fault.found for fault in faults(world))
    ledger = open_ledger(world.settings, world.clock)
    back_up(ledger, file.parent / "copy")
    history.rebuild(ledger, OPERATOR)
    ledger.close()
    assert faults(world) == []
    restore(world.settings, file.parent / "copy", force=True, clock=world.clock)
    assert faults(world) == []


def test_the_operator_is_told_what_to_do(store):
    world, file = store
    spoil(file, file.read_bytes().index(world.later) // PAGE)
    said = shouwang("export-log", file.parent / "x", SHOUWANG_HOME=file.parent)
    assert said.returncode == 2
    assert "从备份恢复" in said.stderr
