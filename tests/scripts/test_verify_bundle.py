"""What the ledger hands out is judged by a program that has the standard library, `cryptography` and nothing else."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import cryptography
import pytest
from world import World

from ledger import exporting, log, merkle, signing_keys
from ledger.checking import bundles
from ledger.checking.sampling import sample
from ledger.checkpoints import newest_checkpoint
from ledger.notes import Signer, cosign, note_parts
from ledger.people.actors import OPERATOR
from ledger.tiles import tile_reader
from ledger.trust_policy import Log, Policy, Witness, format_policy

PROGRAM = Path(__file__).parent.parent.parent / "scripts" / "verify_bundle"
PARTS = ("cryptography", "_cffi_backend*", "cffi")


class Outsider:
    """A machine with a bare Python, `cryptography`, and a folder of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages = folder / "packages"
        self.packages.mkdir()
        for part in PARTS:
            for found in Path(cryptography.__file__).parent.parent.glob(part):
                (self.packages / found.name).symlink_to(found)
        bare = folder / "python"
        bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -B "$@"\n')
        bare.chmod(0o755)

    def start(self, *arguments) -> subprocess.CompletedProcess:
        surroundings = {
            "PATH": os.environ["PATH"],
            "PYTHON": str(self.folder / "python"),
            "PYTHONPATH": str(self.packages),
            "LC_ALL": "C.UTF-8",
        }
        place = {"cwd": self.folder, "env": surroundings}
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, **place)

    def run(self, *arguments, code=0) -> str:
        said = self.start(*arguments)
        assert said.returncode == code, said.stdout + said.stderr
        assert "Traceback" not in said.stderr
        return said.stdout + said.stderr

    def verdict(self, *arguments) -> int:
        return self.start(*arguments).returncode

    def faults(self, *arguments) -> list[tuple]:
        said = json.loads(self.run(*arguments, "--json", code=1))
        assert not said["ok"]
        return [(fault["index"], fault["what"]) for fault in said["faults"]]

    def file(self, name: str, content: bytes | str) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A town with a full tile, two checkpoints apart, and people who served."""
    home = tmp_path_factory.mktemp("town")
    made = World(home, f"sqlite:///{home}/ledger.db")
    made.folk = made.town()
    made.grow(300)
    made.old = made.sign()
    made.grow(400)
    made.new = made.sign()
    yield made
    made.check()
    made.close()


@pytest.fixture
def outside(town, tmp_path):
    """The outsider, with the log's folder and public key."""
    machine = Outsider(tmp_path)
    exporting.export_log(town.ledger, tmp_path / "log")
    machine.vkey = machine.file("vkey", town.ledger.signing.vkey + "\n")
    return machine


def bundle(town, *indexes, subject=None):
    with town.read() as tx:
        return exporting.bundle_records(tx.connection, indexes, subject)


def flip(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


# --- the whole log


def test_nothing_but_cryptography_is_needed(outside):
    code = "import sys; import importlib.util as u; print([n for n in ('orjson', 'sqlalchemy', 'flask', 'click', 'sqlmodel') if u.find_spec(n)])"
    said = subprocess.run(
        [outside.folder / "python", "-c", code], env={"PYTHONPATH": str(outside.packages)}, capture_output=True, text=True, check=True
    )
    assert said.stdout == "[]\n"
    assert "核验守望账本" in outside.run("--help")


def test_a_true_log_passes_and_extends_what_was_kept(outside, town):
    said = outside.run("log", "log", "--vkey", outside.vkey, "--against", outside.file("old", town.old))
    assert said.startswith("通过：400 条，树根 ")
    assert "旧检查点的延续" in said
    report = town.verify()
    assert json.loads(outside.run("log", "log", "--vkey", outside.vkey, "--json")) == report.as_json()


def test_any_byte_changed_in_any_file_is_found(outside):
    for path in sorted(path for path in (outside.folder / "log").rglob("*") if path.is_file() and path.name != "vkey"):
        kept = path.read_bytes()
        for at in (0, len(kept) // 3, len(kept) - 2):
            path.write_bytes(flip(kept, at))
            assert outside.faults("log", "log", "--vkey", outside.vkey), (path, at)
        for content in (b"", kept[:-1], kept + b"x"):
            path.write_bytes(content)
            assert outside.faults("log", "log", "--vkey", outside.vkey), (path, content[:20])
        path.write_bytes(kept)
    outside.run("log", "log", "--vkey", outside.vkey)


def test_an_altered_entry_is_named_and_the_next_fault_too(outside):
    path = outside.folder / "log" / "tile" / "entries" / "000"
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b'"minutes":90', b'"minutes":99', 1).replace(b'"filler-', b'"fillet-', 1))
    found = outside.faults("log", "log", "--vkey", outside.vkey)
    hashes = [index for index, what in found if what.startswith("tile/0/000[")]
    assert len(hashes) == 2
    assert not [what for _, what in found if what.startswith("entry.body.prev")]
    assert any(what == "checkpoint.root" for _, what in found)
    said = outside.run("log", "log", "--vkey", outside.vkey, code=1)
    assert said.startswith("发现 ")
    assert f"第 {hashes[0]} 条 tile/0/000[{hashes[0]}]：应为 " in said


def test_a_file_that_is_missing_is_a_fault(outside):
    for name in ("tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/144", "tile/0/001.p/144"):
        path = outside.folder / "log" / name
        path.rename(outside.folder / "aside")
        assert outside.faults("log", "log", "--vkey", outside.vkey), name
        (outside.folder / "aside").rename(path)


def test_a_log_signed_by_another_is_refused(outside, town):
    stranger = Signer.from_seed(town.settings.origin, b"s" * 32)
    outside.file("vkey", stranger.vkey)
    assert outside.faults("log", "log", "--vkey", outside.vkey) == [(None, "checkpoint")]


def test_a_checkpoint_that_this_log_does_not_extend_is_refused(outside, town):
    assert outside.faults("log", "log", "--vkey", outside.vkey, "--against", outside.file("bad", town.old.replace("300", "299"))) == [
        (None, "against"),
        (298, "against.root"),
    ]
    claimed = f"{town.settings.origin}\n999999999999999\n{town.new.splitlines()[2]}\n\n{note_parts(town.new.encode())[1].decode()}"
    outside.file("log/checkpoint", claimed)
    assert (None, "checkpoint.size") in outside.faults("log", "log", "--vkey", outside.vkey)


def test_a_changed_key_is_followed_from_any_that_is_trusted(tmp_path):
    home = tmp_path / "home"
    town = World(home, f"sqlite:///{home}/ledger.db")
    town.say("before")
    first, old = town.ledger.signing.vkey, town.sign()
    town.write(lambda tx: signing_keys.rotate(tx, town.settings), OPERATOR)
    town.sign()
    town.say("after")
    town.sign()
    machine = Outsider(tmp_path)
    exporting.export_log(town.ledger, tmp_path / "log")
    raw = bundles.encode_bundle(bundle(town, 1, 3))
    machine.file("bundle", raw)
    machine.file("old", old)
    assert first != town.ledger.signing.vkey
    for vkey in (first, town.ledger.signing.vkey):
        machine.file("vkey", vkey)
        machine.run("log", "log", "--vkey", "vkey", "--against", "old")
        machine.run("record", "bundle", "--vkey", "vkey")
    town.check()
    town.close()


# --- records


def test_records_are_proved_one_by_one(outside, town):
    path = outside.file("records.json", bundles.encode_bundle(bundle(town, 3, 17, 399)))
    assert outside.run("record", path, "--vkey", outside.vkey) == "通过：3 条记录都在签名的账本里（共 400 条）\n"
    raw = path.read_bytes()
    for at in range(60, len(raw), len(raw) // 25):
        path.write_bytes(flip(raw, at))
        verdict = outside.verdict("record", path, "--vkey", outside.vkey)
        assert verdict in (1, 2) or raw[at : at + 1] in b' \n"', (at, raw[at - 10 : at + 10])


def test_a_volunteers_whole_chain_shows_a_gap(outside, town):
    subject = f"person/{town.folk[0]}"
    made = bundle(town, subject=subject)
    assert len(made.records) >= 4
    said = outside.run("record", outside.file("mine.json", bundles.encode_bundle(made)), "--vkey", outside.vkey)
    assert f"{subject} 从头起不缺的一条链" in said
    short = bundles.Bundle([*made.records[:1], *made.records[2:]], made.rotations, subject)
    said = outside.run("record", outside.file("short.json", bundles.encode_bundle(short)), "--vkey", outside.vkey, code=1)
    assert "应为 第 2 条，实为 第 3 条，中间缺 1 条" in said
    late = bundles.Bundle(made.records[1:], made.rotations, subject)
    assert outside.faults("record", outside.file("late.json", bundles.encode_bundle(late)), "--vkey", outside.vkey)
    twice = bundles.Bundle([*made.records, made.records[0]], made.rotations, subject)
    assert outside.faults("record", outside.file("twice.json", bundles.encode_bundle(twice)), "--vkey", outside.vkey)
    other = bundles.Bundle(made.records, made.rotations, f"person/{town.folk[1]}")
    assert outside.faults("record", outside.file("other.json", bundles.encode_bundle(other)), "--vkey", outside.vkey)


def test_a_record_with_anothers_proof_is_refused(outside, town):
    first, second = bundle(town, 3, 17).records
    mixed = bundles.Bundle([(first[0], second[1])], [])
    assert (17, "records[0].proof") in outside.faults("record", outside.file("mixed", bundles.encode_bundle(mixed)), "--vkey", outside.vkey)


def test_a_policy_wants_its_witnesses(outside, town):
    witness = Signer.from_seed("witness.example/w1", b"w" * 32)
    with town.read() as tx:
        note = newest_checkpoint(tx.connection)
    keys = town.ledger.signing.verifier()
    policy = Policy((Log(keys),), (Witness("w1", type(keys).from_vkey(witness.cosigner_vkey)),), (), "w1")
    path = outside.file("policy", format_policy(policy))
    assert (None, "checkpoint") in outside.faults("log", "log", "--policy", path)
    outside.file("log/checkpoint", note + cosign(note_parts(note.encode())[0], witness, 1_767_225_600))
    outside.run("log", "log", "--policy", path)


# --- consistency, samples


def test_a_newer_checkpoint_is_shown_to_extend_an_older(outside, town):
    with town.read() as tx:
        read = tile_reader(400, lambda level, index, width: log.read_tile(tx.connection, level, index, width))
        hashes = merkle.consistency_proof(300, 400, read)
    proof = [base64.b64encode(each).decode() for each in hashes]
    old, new, path = outside.file("old", town.old), outside.file("new", town.new), outside.file("proof", "\n".join(proof) + "\n")
    assert outside.run("consistency", old, new, path, "--vkey", outside.vkey) == "通过：400 条的账本是由 300 条的账本续写而成\n"
    assert outside.faults("consistency", new, old, path, "--vkey", outside.vkey) == [(None, "proof")]
    outside.file("proof", "\n".join(proof[1:]))
    assert outside.faults("consistency", old, new, path, "--vkey", outside.vkey) == [(None, "proof")]
    outside.file("proof", "不是证明")
    assert outside.faults("consistency", old, new, path, "--vkey", outside.vkey) == [(None, "proof")]


def test_anybody_draws_the_same_sample(outside, town):
    with town.read() as tx:
        root = log.tree_head(tx.connection).root
    new = outside.file("new", town.new)
    drawn = sample(root, 400, b"2026-03-05", 20)
    arguments = ("sample", new, "--vkey", outside.vkey, "--nonce", "2026-03-05")
    assert outside.run(*arguments, "--count", 20) == f"通过：抽到的记录序号：{' '.join(map(str, drawn))}\n"
    served = [entry["index"] for entry in town.entries() if entry["kind"] == "service.recorded"]
    said = json.loads(outside.run(*arguments, "--count", 2, "--kind", "service.recorded", "--log", "log", "--json"))
    assert said["sample"] == sample(root, 400, b"2026-03-05", 2, served)


# --- asked wrongly


def test_what_is_asked_wrongly_is_said_in_a_sentence(outside, town):
    outside.run("log", "log", code=2)
    assert "不是导出的账本" in outside.run("log", ".", "--vkey", outside.vkey, code=2)
    assert "读不出来" in outside.run("record", "nothing", "--vkey", outside.vkey, code=2)
    assert "读不出来" in outside.run("record", "vkey", "--vkey", outside.vkey, code=2)
    assert "公钥文件" in outside.run("record", "vkey", "--vkey", outside.file("empty", ""), code=2)
    for wrong in (b"[]", b"{}", b"\xff", b"null", b'{"format":"shouwang/record-bundle/v2"}', b"[" * 9_999):
        assert "凭证" in outside.run("record", outside.file("wrong", wrong), "--vkey", outside.vkey, code=2)
    new = outside.file("new", town.new)
    assert "抽样数应在" in outside.run("sample", new, "--vkey", outside.vkey, "--nonce", "x", "--count", 0, code=2)
    assert "--log" in outside.run("sample", new, "--vkey", outside.vkey, "--nonce", "x", "--count", 1, "--kind", "x", code=2)
