"""The log's key is changed in the open: who trusts the old key is led to the new one, and no key signs for a time that was not its own."""

import stat

import pytest
from sqlalchemy import event

from ledger import checkpoints, entries, keyring, signing_keys
from ledger.errors import InvalidRequest, NotAllowed, SettingsError
from ledger.keyring import Rotation, follow_rotations, read_rotation
from ledger.log import Fact
from ledger.notes import Checkpoint, open_checkpoint, open_note, sign_checkpoint
from ledger.people.actors import OPERATOR, Actor
from ledger.signing import ED25519, NoteError, Signer, Verifier, encode64
from ledger.store import create_ledger


def keys(world):
    return world.settings.home / "keys"


def pems(world):
    return sorted(path.name for path in keys(world).rglob("log-signing*.pem"))


def first_key(world):
    return world.ledger.signing.verifier()


def said(world):
    """The rotation entries, as a verifier who holds nothing but the log finds them."""
    return [(entry["index"], entry["body"]) for entry in world.entries() if entry["kind"] == keyring.KIND]


def signers(world, note):
    return open_note(note.encode(), follow_rotations(world.first, said(world)).verifiers)[1]


@pytest.fixture
def changed(world):
    """A log of one entry and its checkpoint, a rotation, and the checkpoint after it. `first` is the key it began with."""
    world.first = first_key(world)
    world.notes = [world.sign()]
    world.rotated_at = world.rotate()
    world.notes.append(world.sign())
    return world


# --- one rotation


def test_both_keys_sign_until_the_old_one_is_retired(changed):
    old, new = follow_rotations(changed.first, said(changed)).verifiers
    assert old == changed.first != new
    assert signers(changed, changed.notes[0]) == [old]
    assert signers(changed, changed.notes[1]) == [new, old]
    assert changed.ledger.signing.vkeys == [new.vkey, old.vkey]
    assert changed.ledger.signing.vkey == new.vkey
    changed.finish_rotation()
    changed.say("later")
    assert signers(changed, changed.sign()) == [new]
    assert changed.ledger.signing.vkeys == [new.vkey]


def test_old_verifiers_are_served_during_the_overlap_and_follow_after_it(changed):
    changed.finish_rotation()
    changed.say("later")
    newest = changed.sign().encode()
    assert open_checkpoint(changed.notes[1].encode(), [changed.first]).size == 2
    with pytest.raises(NoteError):
        open_checkpoint(newest, [changed.first])
    assert follow_rotations(changed.first, said(changed)).open_checkpoint(newest, changed.settings.origin).size == 3


def test_every_checkpoint_of_a_log_with_many_keys_verifies_for_ever(world):
    world.first = first_key(world)
    notes_ = [world.sign()]
    for number in range(4):
        world.rotate()
        notes_.append(world.sign())
        world.finish_rotation(destroy=number % 2 == 1)
        world.say(f"between-{number}")
        notes_.append(world.sign())
    held = follow_rotations(world.first, said(world))
    assert len(held.keys) == 5
    assert [held.open_checkpoint(note.encode()).size for note in notes_] == list(range(1, 10))
    assert world.verify(against=notes_[1].encode()).ok
    assert len(pems(world)) == 3


def test_a_rotation_is_an_entry_signed_by_both_keys(changed):
    [(index, body)] = said(changed)
    assert index == changed.rotated_at == body["valid_from"] == 1
    rotation = read_rotation(index, body)
    assert (rotation.origin, rotation.old) == (changed.settings.origin, changed.first)
    assert (body["old_vkey"], body["new_vkey"]) == (rotation.old.vkey, rotation.new.vkey)


@pytest.mark.parametrize("field", ["origin", "old_vkey", "new_vkey", "valid_from", "old_signature", "new_signature"])
def test_a_rotation_with_anything_changed_convinces_nobody(changed, field):
    [(index, body)] = said(changed)
    other = Signer.from_seed(changed.settings.origin, b"o" * 32)
    forged = {
        "origin": "elsewhere.example/ledger",
        "old_vkey": other.vkey,
        "new_vkey": other.vkey,
        "valid_from": 7,
        "old_signature": encode64(other.sign("x")),
        "new_signature": body["old_signature"],
    }
    with pytest.raises(NoteError):
        follow_rotations(changed.first, [(index, body | {field: forged[field]})])
    with pytest.raises(NoteError):
        follow_rotations(changed.first, [(index + 1, body)])


def test_a_rotation_from_a_key_that_is_not_the_logs_is_not_followed(changed):
    a, b = (Signer.from_seed(changed.settings.origin, seed * 32) for seed in (b"a", b"b"))
    rotation = Rotation(changed.settings.origin, *(Verifier(k.name, ED25519, k.public) for k in (a, b)), 5)
    with pytest.raises(NoteError, match="当时的密钥"):
        follow_rotations(changed.first, [(5, rotation.body(a, b))])
    with pytest.raises(NoteError, match="第 5 条"):
        follow_rotations(changed.first, [*said(changed), (5, rotation.body(a, b))])
    same = Rotation(changed.settings.origin, rotation.old, rotation.old, 5)
    with pytest.raises(NoteError, match="两把"):
        read_rotation(5, same.body(a, a))


# --- who may, and when


def test_only_the_operator_changes_the_key(world):
    for role in ("administrator", "official", "auditor"):
        with pytest.raises(NotAllowed):
            world.write(lambda tx: signing_keys.rotate(tx, world.settings), Actor("x", role))
    assert pems(world) == ["log-signing.pem"]


def test_a_second_rotation_waits_for_the_end_of_the_first(changed):
    with pytest.raises(InvalidRequest, match="--finish"):
        changed.rotate()
    changed.finish_rotation()
    with pytest.raises(InvalidRequest, match="没有正在进行"):
        changed.finish_rotation()
    assert changed.rotate() == 2


def test_the_old_key_is_not_retired_before_the_new_one_has_signed(world):
    with pytest.raises(InvalidRequest, match="没有正在进行"):
        world.finish_rotation()
    world.sign()
    world.rotate()
    with pytest.raises(InvalidRequest, match="shouwang checkpoint"):
        world.finish_rotation()
    world.sign()
    world.finish_rotation()


def test_a_retired_key_is_kept_apart_or_destroyed(changed):
    changed.finish_rotation()
    assert (keys(changed) / "retired" / "log-signing.pem").exists()
    assert not changed.settings.signing_key.exists()
    changed.rotate()
    changed.sign()
    changed.finish_rotation(destroy=True)
    assert len(pems(changed)) == 2
    for path in keys(changed).rglob("*.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_making_the_store_again_makes_no_new_key(changed):
    changed.finish_rotation()
    before = pems(changed), changed.ledger.signing.vkeys
    create_ledger(changed.settings, changed.clock).close()
    assert (pems(changed), changed.ledger.signing.vkeys) == before


def test_a_half_made_first_key_is_completed(world):
    signing_keys.vkey_file(world.settings).rename(aside := keys(world) / "aside")
    create_ledger(world.settings, world.clock).close()
    assert signing_keys.vkey_file(world.settings).read_text() == aside.read_text()


# --- interrupted


def test_a_key_made_for_a_rotation_that_did_not_happen_is_used_by_nobody_and_taken_by_the_next(world):
    world.first = first_key(world)

    def fail(_connection):
        raise OSError("power lost")

    event.listen(world.ledger.engine, "commit", fail, once=True)
    with pytest.raises(OSError, match="power lost"):
        world.rotate()
    left = pems(world)
    assert len(left) == 2
    assert world.ledger.signing.vkeys == [world.first.vkey]
    assert signers(world, world.sign()) == [world.first]
    assert world.verify().ok
    world.rotate()
    assert pems(world) == left
    assert len(signers(world, world.sign())) == 2


def test_a_rotation_of_which_only_the_entry_was_written_is_taken_up_by_the_next_signer(world):
    """Between the commit and log.vkey there may be a crash."""
    world.first = first_key(world)
    world.sign()
    world.rotate()
    assert world.ledger.signing.vkeys == [world.first.vkey]
    assert world.verify().ok
    other = world.another()
    note = other.write(lambda tx: other.signing.sign(tx.connection), OPERATOR).decode()
    assert len(signers(world, note)) == 2
    assert len(world.ledger.signing.vkeys) == 2


def test_a_log_whose_newest_key_is_missing_signs_nothing(changed):
    changed.say("more")
    newest = next(path for path in keys(changed).glob("log-signing-*.pem"))
    newest.rename(aside := newest.with_suffix(".aside"))
    with pytest.raises(SettingsError, match=newest.name):
        changed.sign()
    newest.write_bytes(Signer.from_seed(changed.settings.origin, b"x" * 32).to_pem())
    newest.chmod(0o600)
    with pytest.raises(SettingsError, match="不是账本记录的那一把"):
        changed.sign()
    aside.replace(newest)


def test_a_first_key_that_is_another_than_the_published_one_signs_nothing(world):
    path = world.settings.signing_key
    path.rename(aside := path.with_suffix(".aside"))
    path.write_bytes(Signer.from_seed(world.settings.origin, b"x" * 32).to_pem())
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="不是一对"):
        world.sign()
    aside.replace(path)


# --- found by verification


def forged_checkpoint(world, *keys_):
    with world.read() as tx:
        head = checkpoints.log.tree_head(tx.connection)
    return sign_checkpoint(Checkpoint(world.settings.origin, head.size, head.root), keys_).decode()


def test_a_checkpoint_signed_by_a_retired_key_alone_is_a_fault(changed):
    old = Signer.from_pem(changed.settings.origin, changed.settings.signing_key.read_bytes())
    changed.say("more")
    changed.sign()
    size = changed.size
    with changed.damaged("checkpoint"):
        changed.sql("UPDATE checkpoint SET note = ? WHERE size = ?", forged_checkpoint(changed, old), size)
        [fault] = changed.verify().faults
        assert fault.what == f"checkpoint/{size}"
        assert "已被换下" in fault.found
    assert not changed.verify(against=forged_checkpoint(changed, old).encode()).ok


def test_a_checkpoint_from_before_a_key_is_not_for_that_key_to_sign(changed):
    new = Signer.from_pem(changed.settings.origin, next(keys(changed).glob("log-signing-*.pem")).read_bytes())
    text = open_note(changed.notes[0].encode(), [changed.first])[0]
    early = Checkpoint(changed.settings.origin, 1, checkpoints.notes.parse_checkpoint(text).root)
    with changed.damaged("checkpoint"):
        changed.sql("UPDATE checkpoint SET note = ? WHERE size = 1", sign_checkpoint(early, [new]).decode())
        assert [fault.what for fault in changed.verify().faults] == ["checkpoint/1"]


def test_a_rotation_that_somebody_else_signed_is_a_fault_and_leads_nowhere(changed):
    """Whoever can write entries but has no key of the log brings no key into it."""
    a, b = (Signer.from_seed(changed.settings.origin, seed * 32) for seed in (b"a", b"b"))
    rotation = Rotation(changed.settings.origin, *(Verifier(k.name, ED25519, k.public) for k in (a, b)), 2)
    with changed.damaged("entry", "batch", "key_rotation"):
        changed.write(lambda tx: tx.append([Fact(keyring.KIND, rotation.body(a, b))]))
        assert "key_rotation" in {fault.what for fault in changed.verify().faults}
        with pytest.raises(NoteError):
            changed.sign()


def test_a_rotation_hidden_from_its_table_is_a_fault_even_without_the_remake(changed):
    with changed.damaged("key_rotation"):
        changed.sql("DELETE FROM key_rotation")
        faults = changed.verify(remake=False).faults
        assert (1, "entry.key_rotation") in [(fault.index, fault.what) for fault in faults]


@pytest.mark.parametrize("change", ["entry_index = 0", "entry_index = 2", "old_vkey = 'x'", "new_vkey = old_vkey"])
def test_any_change_in_the_table_of_rotations_is_a_fault(changed, change):
    changed.say("more")
    with changed.damaged("key_rotation"):
        changed.sql(f"UPDATE key_rotation SET {change}")
        assert any(fault.what.startswith("key_rotation") and fault.index in (None, 0, 1, 2) for fault in changed.verify().faults)


def test_a_database_of_another_deployments_keys_is_a_fault(changed):
    path = keys(changed) / "log-first.vkey"
    kept = path.read_text()
    path.write_text(Signer.from_seed(changed.settings.origin, b"q" * 32).vkey + "\n")
    assert any(fault.what == "key_rotation" and "对不上" in fault.found for fault in changed.verify().faults)
    path.write_text(kept)


def test_the_rotation_statement_is_no_checkpoint_and_no_cosignature(changed):
    text = read_rotation(*said(changed)[0]).statement
    assert text.split("\n")[0] == "shouwang/key-rotated/v1"
    with pytest.raises(NoteError):
        checkpoints.notes.parse_checkpoint(text)
    assert entries.decode(changed.sql('SELECT body FROM entry WHERE "index" = 1')[0][0]).chains == {}
