"""A checkpoint is signed when the log has grown, never for a second history, and for ever after it verifies."""

import pytest
from sqlalchemy import event

from ledger import checkpoints, log, merkle, notes
from ledger.errors import Corrupt, NotFound
from ledger.notes import open_checkpoint, verify_proof
from ledger.people.actors import SCHEDULER
from ledger.tiles import tile_reader


def test_a_checkpoint_is_signed_only_when_the_log_has_grown(world):
    first = world.sign()
    assert first is not None
    assert world.sign() is None
    world.say("one")
    second = world.sign()
    assert [checkpoints.checkpoint_size(note) for note in (first, second)] == [1, 2]
    assert [note for (note,) in world.sql("SELECT note FROM checkpoint ORDER BY size")] == [first, second]
    with world.read() as tx:
        assert checkpoints.newest_checkpoint(tx.connection) == second


def test_every_checkpoint_ever_signed_verifies_and_each_extends_all_before(world):
    signed = []
    for size in (1, 2, 3, 5, 8, 255, 256, 257, 300):
        world.grow(size)
        signed.append(open_checkpoint(world.sign().encode(), [world.ledger.signing.verifier()], world.settings.origin))
    with world.read() as tx:
        for later, new in enumerate(signed):
            read = tile_reader(new.size, lambda level, index, width: log.read_tile(tx.connection, level, index, width))
            for old in signed[: later + 1]:
                proof = merkle.consistency_proof(old.size, new.size, read)
                merkle.verify_consistency(proof, old_size=old.size, old_root=old.root, new_size=new.size, new_root=new.root)


@pytest.mark.parametrize("size", [255, 256, 257, 300])
def test_every_entry_below_a_checkpoint_is_proved_by_it(world, size):
    world.grow(size - 1)
    world.say("last")
    world.sign()
    world.say("newer")
    verifier = world.ledger.signing.verifier()
    bodies = [raw for (raw,) in world.sql('SELECT body FROM entry ORDER BY "index"')]
    with world.read() as tx:
        for index in {*range(0, size, 7), size - 2, size - 1}:
            proof = checkpoints.prove_entry(tx.connection, index)
            assert verify_proof(proof, bodies[index], [verifier]).size == size
            with pytest.raises(merkle.ProofError):
                verify_proof(proof, bodies[index ^ 1], [verifier])


def test_an_entry_that_no_checkpoint_covers_is_said_to_wait_for_one(world):
    with world.read() as tx, pytest.raises(NotFound, match="shouwang checkpoint"):
        checkpoints.prove_entry(tx.connection, 0)
    world.sign()
    world.say("one")
    with world.read() as tx:
        with pytest.raises(NotFound, match="shouwang checkpoint"):
            checkpoints.prove_entry(tx.connection, 1)
        with pytest.raises(NotFound, match="没有第 2 条"):
            checkpoints.prove_entry(tx.connection, 2)


def test_another_writers_checkpoint_is_not_signed_again(world):
    other = world.another()
    world.sign()
    assert other.write(lambda tx: other.signing.sign(tx.connection), SCHEDULER) is None


# --- one history only


@pytest.mark.parametrize("grown", [0, 1, 5])
def test_a_log_brought_back_from_an_older_copy_signs_no_second_history(world, grown):
    """Rows beyond the copy's are taken out behind the ledger's back: on both engines what a restored backup looks like."""
    world.say("one", "two")
    world.sign()
    world.say("three")
    world.sign()
    with world.damaged("entry", "batch", "checkpoint", "policy"):
        for statement in ('entry WHERE "index" >= 3', "batch WHERE size > 3", "checkpoint WHERE size > 3", "policy WHERE entry_index >= 3"):
            world.sql(f"DELETE FROM {statement}")
        restored = world.another()
        for number in range(grown):
            with pytest.raises(Corrupt, match="旧备份"):
                world.say(f"another-{number}", ledger=restored)
        with pytest.raises(Corrupt, match="旧备份"):
            restored.write(lambda tx: restored.signing.sign(tx.connection), SCHEDULER)
        assert world.sql("SELECT max(size) FROM checkpoint") == [(3,)]
        assert any(fault.what == "last-signed.root" for fault in world.verify().faults)


def test_a_signature_that_was_not_stored_is_made_again_for_the_same_tree(world):
    """Between the guard and the commit there may be a crash: the guard is ahead, by a tree that is still ours."""
    world.say("one")

    def interrupted(tx):
        assert world.ledger.signing.sign(tx.connection)
        raise OSError("power lost")

    with pytest.raises(OSError, match="power lost"):
        world.write(interrupted)
    assert world.sql("SELECT * FROM checkpoint") == []
    assert world.ledger.signing.last_signed()[0] == 2
    assert checkpoints.checkpoint_size(world.sign()) == 2


def test_a_checkpoint_whose_commit_failed_is_not_said_to_be_signed(world):
    world.say("one")

    def fail(_connection):
        raise OSError("disk full")

    event.listen(world.ledger.engine, "commit", fail, once=True)
    with pytest.raises(OSError, match="disk full"):
        world.sign()
    assert world.sql("SELECT * FROM checkpoint") == []
    assert world.sign() is not None


def test_two_signers_at_once_do_not_both_take_their_turn(world):
    guard = checkpoints.Guard(world.settings.home / "another-guard.db")
    guard.create()
    guard.swap("log", guard.last("log"), (5, b"a" * 32))
    assert guard.last("log") == (5, b"a" * 32)
    with pytest.raises(Corrupt, match="另一个进程"):
        guard.swap("log", (0, merkle.EMPTY_ROOT), (6, b"b" * 32))
    assert guard.last("log") == (5, b"a" * 32)
    guard.create()
    assert guard.last("log") == (5, b"a" * 32)


def test_a_tree_that_was_changed_below_the_last_signature_is_not_signed(world):
    world.grow(10)
    world.sign()
    world.say("more")
    with world.damaged("entry"):
        world.sql('UPDATE entry SET leaf = ? WHERE "index" = 2', b"\0" * 32)
        with pytest.raises(Corrupt, match="前 10 条"):
            world.sign()


def test_a_checkpoint_is_not_our_signature_under_another_key_or_name(world):
    note = world.sign().encode()
    mine = world.ledger.signing.verifier()
    other = notes.Signer.from_seed(mine.name, b"s" * 32)
    for verifier, origin in ((notes.Verifier.from_vkey(other.vkey), None), (mine, "elsewhere.example/ledger")):
        with pytest.raises(notes.NoteError):
            open_checkpoint(note, [verifier], origin)
