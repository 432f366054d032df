"""An exported folder is a whole log that outsiders can check; whatever is changed in it, they find."""

import pytest

from ledger import checkpoints
from ledger.errors import InvalidRequest, NotFound
from ledger.exporting import export_log
from ledger.notes import encode_proof, verify_proof

SIZE = 300
KINDS = ["checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"]


@pytest.fixture
def folder(world, tmp_path):
    """An export of 300 entries."""
    world.town()
    world.grow(SIZE)
    world.sign()
    assert export_log(world.ledger, tmp_path / "log") == SIZE
    return tmp_path / "log"


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_outside_judge_accepts_the_export_and_refuses_any_change(world, folder, judge):
    vkey = (folder / "vkey").read_text().strip()
    assert vkey == world.ledger.signing.vkey
    assert sorted(files(folder)) == sorted([*KINDS, "vkey"])
    verdict = judge("tiles", vkey, folder)
    assert verdict.ok, verdict.text
    assert f"size {SIZE}" in verdict.text
    for name in KINDS:
        path = folder / name
        true = path.read_bytes()
        for at in {0, 1, 2, len(true) // 3, len(true) // 2, len(true) - 1}:
            path.write_bytes(true[:at] + bytes([true[at] ^ 1]) + true[at + 1 :])
            assert not judge("tiles", vkey, folder).ok, (name, at)
        for wrong in (true[:-1], true + b"\0", b""):
            path.write_bytes(wrong)
            assert not judge("tiles", vkey, folder).ok, name
        path.write_bytes(true)
    assert judge("tiles", vkey, folder).ok


def test_the_export_holds_the_bytes_of_the_log(world, folder):
    bodies = [raw for (raw,) in world.sql('SELECT body FROM entry ORDER BY "index"')]
    packed = b"".join(len(raw).to_bytes(2, "big") + raw for raw in bodies)
    assert (folder / KINDS[4]).read_bytes() + (folder / KINDS[5]).read_bytes() == packed


def test_an_older_export_is_brought_up_to_date_and_its_full_tiles_are_left_alone(world, folder, judge):
    full = [folder / name for name in ("tile/0/000", "tile/entries/000")]
    before = [path.stat().st_mtime_ns for path in full]
    world.grow(600)
    world.sign()
    told = []
    assert export_log(world.ledger, folder, lambda done, total: told.append((done, total))) == 600
    assert [path.stat().st_mtime_ns for path in full] == before
    assert told[-1] == (600, 600)
    verdict = judge("tiles", (folder / "vkey").read_text().strip(), folder)
    assert verdict.ok, verdict.text
    again = files(folder)
    assert export_log(world.ledger, folder) == 600
    assert files(folder) == again


def test_an_export_that_broke_off_is_gone_on_with(world, tmp_path, judge):
    world.grow(600)
    world.sign()

    def break_off(done, _total):
        if done > 256:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_log(world.ledger, tmp_path / "log", break_off)
    assert "checkpoint" not in files(tmp_path / "log")
    assert export_log(world.ledger, tmp_path / "log") == 600
    assert judge("tiles", world.ledger.signing.vkey, tmp_path / "log").ok


def test_entries_newer_than_the_checkpoint_are_not_exported(world, folder, judge):
    world.say("newer")
    before = files(folder)
    assert export_log(world.ledger, folder) == SIZE
    assert files(folder) == before


def test_without_a_checkpoint_there_is_nothing_to_export(world, tmp_path):
    with pytest.raises(NotFound, match="shouwang checkpoint"):
        export_log(world.ledger, tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(world, tmp_path):
    world.sign()
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "letter.txt").write_text("亲启")
    with pytest.raises(InvalidRequest, match="别的东西"):
        export_log(world.ledger, tmp_path / "log")
    assert list(files(tmp_path / "log")) == ["letter.txt"]


def test_a_folder_with_another_logs_export_is_left_alone(world, folder):
    other = folder / "vkey"
    other.write_text("other.example/log+00000000+" + "A" * 44 + "\n")
    before = files(folder)
    world.grow(520)
    world.sign()
    with pytest.raises(InvalidRequest):
        export_log(world.ledger, folder)
    assert files(folder) == before


def test_the_proof_of_every_entry_convinces_us_and_the_outside_judge(world, tmp_path, judge):
    world.town()
    size = world.size
    world.sign()
    vkey, verifier = world.ledger.signing.vkey, world.ledger.signing.verifier()
    proof_file, entry_file = tmp_path / "proof", tmp_path / "entry"
    for index, raw in world.sql('SELECT "index", body FROM entry ORDER BY "index"'):
        with world.read() as tx:
            proof = checkpoints.prove_entry(tx.connection, index)
        assert verify_proof(proof, raw, [verifier]).size == size
        proof_file.write_bytes(encode_proof(proof))
        entry_file.write_bytes(raw)
        assert judge("proof", vkey, proof_file, entry_file).ok
        entry_file.write_bytes(raw[:-1] + b" }")
        assert not judge("proof", vkey, proof_file, entry_file).ok
