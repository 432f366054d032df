"""However many processes walk the log, and wherever the walk begins, the verdict is the same."""

import sqlite3
from contextlib import closing

import pytest
import recounting

from ledger.checking.sampling import sample
from ledger.checking.verifying import verify
from ledger.checking.walking import chain_leaf, chain_length
from ledger.merkle import TILE_WIDTH, Tree, leaf_hash

SIZE = 600  # three blocks of one tile


@pytest.fixture
def town(world):
    """A town whose log has three blocks, and checkpoints within the first and the last."""
    world.town()
    world.grow(300)
    world.advance(minutes=1)
    for index in range(3):
        world.say(f"alone-{index}")
    world.sign()
    world.advance(minutes=1)
    world.grow(580)
    world.sign()
    world.grow(SIZE)
    return world


def judged(world, **options):
    return world.verify(block=TILE_WIDTH, **options).as_json()


def altered(world, index, change):
    [(raw,)] = world.sql('SELECT body FROM entry WHERE "index" = ?', index)
    world.sql('UPDATE entry SET body = ? WHERE "index" = ?', change(raw), index)


def other_chain(raw):
    return raw.replace(b'"chains":{"', b'"chains":{"person/ZZZZZZZZZZ":[7,"' + b"A" * 43 + b'="],"', 1)


# Each leaves the log at fault; the indexes are the beginnings, ends and middles of blocks.
FAULTS = {
    "a letter in the middle": lambda w: [altered(w, i, lambda raw: raw.replace(b"filler", b"fillet")) for i in (100, 400)],
    "the last entry of a block": lambda w: altered(w, 255, lambda raw: raw[:-1] + b" }"),
    "the first entry of a block": lambda w: altered(w, 256, lambda raw: raw[:-1] + b" }"),
    "entries on both sides": lambda w: [altered(w, i, lambda raw: b"{}") for i in (255, 256, 511, 512)],
    "a leaf hash": lambda w: w.sql('UPDATE entry SET leaf = ? WHERE "index" IN (255, 512)', b"x" * 32),
    "a leaf hash of another length": lambda w: w.sql('UPDATE entry SET leaf = ? WHERE "index" IN (255, 511)', b"x"),
    "an id": lambda w: w.sql('UPDATE entry SET id = ? WHERE "index" = 256', b"x" * 16),
    "an entry gone": lambda w: w.sql('DELETE FROM entry WHERE "index" IN (30, 255, 256, 300)'),
    "a whole block gone": lambda w: w.sql('DELETE FROM entry WHERE "index" >= 256 AND "index" < 512'),
    "the newest entries gone": lambda w: w.sql('DELETE FROM entry WHERE "index" > 590'),
    "an entry far out": lambda w: w.sql('UPDATE entry SET "index" = 1000000000000 WHERE "index" = 599'),
    "an entry below zero": lambda w: w.sql('INSERT INTO entry ("index", id, leaf, body) VALUES (-1, ?, ?, ?)', b"i" * 16, b"l" * 32, b"{}"),
    "chains of nobody": lambda w: [altered(w, i, other_chain) for i in (10, 300, 520)],
    "a tile": lambda w: w.sql('UPDATE tile SET hashes = ? WHERE "index" = 1', b"x" * 8192),
    "a tile's root": lambda w: w.sql('UPDATE tile SET root = ? WHERE "index" = 1', b"x" * 32),
    "a commit's root": lambda w: w.sql("UPDATE batch SET root = ? WHERE size IN (301, 302)", b"x" * 32),
    "a commit's time": lambda w: w.sql("UPDATE batch SET recorded_at = '2025' WHERE size IN (300, 580)"),
    "commits gone": lambda w: w.sql("DELETE FROM batch WHERE size < 400"),
    "a checkpoint's size": lambda w: w.sql("UPDATE checkpoint SET size = 31 WHERE size = 303"),
    "an address": lambda w: w.sql("UPDATE chain SET length = length + 1"),
}


def placed(fault):
    return (-1 if fault["index"] is None else fault["index"], fault["what"], fault["expected"], fault["found"])


def test_two_processes_find_what_one_finds(town):
    """And all of it is what is found without dividing the log into blocks."""
    for name, damage in FAULTS.items():
        with town.damaged("entry", "tile", "batch", "checkpoint", "chain"):
            damage(town)
            one, two, whole = judged(town), judged(town, jobs=2, remake=False), town.verify().as_json()
        assert one["faults"], name
        walked = [fault for fault in one["faults"] if fault["what"].startswith(("entry", "tile", "batch", "checkpoint", "last"))]
        assert walked == two["faults"], name
        assert sorted(one["faults"], key=placed) == sorted(whole["faults"], key=placed), name
        assert (one["size"], one["root"]) == (two["size"], two["root"]) == (whole["size"], whole["root"]), name


def test_a_true_log_is_true_in_one_block_and_in_many(town):
    assert judged(town) == judged(town, jobs=2) == town.verify().as_json()
    assert judged(town)["ok"]


def test_each_entry_is_told_of_once_as_it_goes_on(town):
    told = []
    judged(town, jobs=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, SIZE) for done in (256, 512, 580, SIZE, SIZE)]


# --- going on from the last time


def test_only_what_is_new_is_read_again(town):
    assert judged(town, remember=True)["ok"]
    with town.damaged("entry"):
        altered(town, 100, lambda raw: raw.replace(b"filler", b"fillet"))
        assert judged(town, since_last=True)["ok"]
        assert [fault["index"] for fault in judged(town, remake=False)["faults"] if fault["what"] == "entry.leaf"] == [100]


@pytest.mark.parametrize("jobs", [1, 2])
def test_new_entries_are_verified_over_the_old(town, jobs):
    judged(town, remember=True)
    town.advance(days=1)
    person = next(iter(town.people))
    town.serve(person, "2025-01-20 09:00", "10:00")
    town.grow(900)
    new = judged(town, since_last=True, jobs=jobs)
    assert new == judged(town)
    for index in (580, 599, 600, 700, 899):
        with town.damaged("entry"):
            altered(town, index, lambda raw: raw.replace(b'"v":1', b'"v":2'))
            found = judged(town, since_last=True, jobs=jobs)
            assert {(index, "entry.leaf"), (index, "entry.body")} <= {(fault["index"], fault["what"]) for fault in found["faults"]}


def test_a_chain_that_forgets_an_old_entry_is_found_over_the_old_part(town):
    """The newest entry of a person says that it is the first, by somebody who can hash anew."""
    person = next(iter(town.people))
    judged(town, remember=True)
    town.advance(days=1)
    receipt = town.serve(person, "2025-01-25 09:00", "10:00")
    [(raw,)] = town.sql('SELECT body FROM entry WHERE "index" = ?', receipt.index)
    start = raw.index(b'"person/')
    forged = raw[: raw.index(b"[", start)] + b"[1]" + raw[raw.index(b"]", start) + 1 :]
    with town.damaged("entry"):
        town.sql('UPDATE entry SET body = ?, leaf = ? WHERE "index" = ?', forged, recounting.leaf_hash(forged), receipt.index)
        faults = judged(town, since_last=True)["faults"]
    assert (receipt.index, f"entry.body.chains.person/{person}") in {(fault["index"], fault["what"]) for fault in faults}


def test_the_verification_goes_on_from_the_newest_checkpoint_each_time(town):
    for size in (650, 800, 1030):
        judged(town, remember=True, since_last=True)
        town.grow(size)
        town.sign()
    assert judged(town, since_last=True) == judged(town)


def test_without_a_last_time_everything_is_read(town):
    with town.damaged("entry"):
        altered(town, 5, lambda raw: raw + b" ")
        assert (5, "entry.leaf") in {(fault["index"], fault["what"]) for fault in judged(town, since_last=True)["faults"]}


def test_an_old_part_whose_tree_is_another_is_found_and_read_again(town):
    judged(town, remember=True)
    with town.damaged("entry"):
        town.sql('UPDATE entry SET leaf = ? WHERE "index" = 570', b"x" * 32)
        faults = {(fault["index"], fault["what"]) for fault in judged(town, since_last=True)["faults"]}
        assert {(None, "verified"), (570, "entry.leaf")} <= faults
    with town.damaged("tile"):
        town.sql('UPDATE tile SET root = ? WHERE "index" = 1', b"x" * 32)
        assert {"verified", "tile/0/1.root"} <= {fault["what"] for fault in judged(town, since_last=True)["faults"]}


def test_an_old_checkpoint_that_says_something_else_is_found(town):
    judged(town, remember=True)
    with town.damaged("tile"):
        town.sql("UPDATE tile SET hashes = ?", b"x" * 8192)
        assert "checkpoint/303.root" in {fault["what"] for fault in judged(town, since_last=True)["faults"]}


def test_a_file_of_the_last_time_that_was_altered_is_a_fault_and_not_believed(town):
    path = town.settings.verified
    judged(town, remember=True)
    kept = path.read_bytes()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM chain").fetchone()[0] >= 7
    for statement in (
        "UPDATE chain SET next = zeroblob(40) WHERE subject = (SELECT max(subject) FROM chain)",
        "DELETE FROM chain WHERE subject = (SELECT max(subject) FROM chain)",
        "INSERT INTO chain VALUES (CAST('person/ZZZZZZZZZZ' AS BLOB), zeroblob(40))",
        "UPDATE chain SET subject = CAST(subject || 'x' AS BLOB)",
        "UPDATE place SET said = replace(said, '580', '303')",
        "UPDATE place SET said = '[]'",
        "UPDATE place SET mac = x'00'",
        "DELETE FROM place",
        "DROP TABLE chain",
    ):
        path.write_bytes(kept)
        with closing(sqlite3.connect(path)) as db, db:
            db.execute(statement)
        report = judged(town, since_last=True)
        assert [fault["what"] for fault in report["faults"]] == ["verified"], statement
        assert report["size"] == SIZE
    for content in (b"", b"not a database at all", kept[: len(kept) // 2]):
        path.write_bytes(content)
        assert [fault["what"] for fault in judged(town, since_last=True)["faults"]] == ["verified"]


def test_a_fault_is_not_remembered_as_verified(town):
    judged(town, remember=True)
    assert town.settings.verified.exists()
    with town.damaged("entry"):
        altered(town, 100, lambda raw: raw.replace(b"filler", b"fillet"))
        judged(town, remember=True)
        assert not town.settings.verified.exists()
    assert judged(town, remember=True)["ok"]
    assert town.settings.verified.exists()


def test_a_file_of_another_deployment_is_not_believed(town, tmp_path):
    judged(town, remember=True)
    town.settings.blind_key.chmod(0o600)
    kept = town.settings.blind_key.read_text()
    town.settings.blind_key.write_text("ab" * 32)
    try:
        assert [fault["what"] for fault in verify(town.ledger, since_last=True, remake=False).as_json()["faults"]] == ["verified"]
    finally:
        town.settings.blind_key.write_text(kept)


# --- the parts


def test_what_a_chain_has_to_go_on_with_tells_its_length_and_last_entry():
    leaf = recounting.b64(leaf_hash(b"x"))
    said = f'[{2**53},"{leaf}"]'.encode()
    assert (chain_length(said), chain_leaf(said)) == (2**53 - 1, leaf)


@pytest.mark.parametrize("size", range(1, 40))
def test_the_root_over_blocks_is_the_root_over_leaves(size):
    """Whole blocks of four leaves, and what is left, joined by `Tree.root_before`."""
    leaves = [leaf_hash(b"%d" % n) for n in range(size)]
    for whole in range(0, size, 4):
        blocks = Tree()
        blocks.extend([recounting.tree_hash(leaves[at : at + 4]) for at in range(0, whole, 4)])
        if size - whole <= 4:
            assert blocks.root_before(recounting.tree_hash(leaves[whole:])) == recounting.tree_hash(leaves)


def test_a_sample_of_the_town_is_of_its_entries(town):
    report = town.verify()
    assert max(sample(report.root, report.size, b"n", 100)) < SIZE
