"""The outside judge is itself judged: it accepts a log made by the plainest means and names whatever was changed."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAME = "ledger.example/hours"
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"example log key").digest())
PUBLIC = b"\x01" + KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
KEY_ID = hashlib.sha256(NAME.encode() + b"\n" + PUBLIC).digest()[:4]
VKEY = f"{NAME}+{KEY_ID.hex()}+{base64.b64encode(PUBLIC).decode()}"
ENTRIES = [b'{"seq":%d}' % number for number in range(600)]


def tree_hash(entries: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    split = 1 << (len(entries) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree_hash(entries[:split]) + tree_hash(entries[split:])).digest()


def inclusion_path(index: int, entries: list[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    if len(entries) == 1:
        return []
    split = 1 << (len(entries) - 1).bit_length() - 1
    left, right = entries[:split], entries[split:]
    if index < split:
        return [*inclusion_path(index, left), tree_hash(right)]
    return [*inclusion_path(index - split, right), tree_hash(left)]


def checkpoint(entries: list[bytes]) -> bytes:
    text = f"{NAME}\n{len(entries)}\n{base64.b64encode(tree_hash(entries)).decode()}\n"
    signature = base64.b64encode(KEY_ID + KEY.sign(text.encode())).decode()
    return f"{text}\n\N{EM DASH} {NAME} {signature}\n".encode()


def log_files() -> dict[str, bytes]:
    """600 entries: two full bundles and a part, the same of leaves, and two hashes above them."""
    files = {"checkpoint": checkpoint(ENTRIES)}
    for name, some in {"000": ENTRIES[:256], "001": ENTRIES[256:512], "002.p/88": ENTRIES[512:]}.items():
        files[f"tile/entries/{name}"] = b"".join(len(entry).to_bytes(2) + entry for entry in some)
        files[f"tile/0/{name}"] = b"".join(tree_hash([entry]) for entry in some)
    files["tile/1/000.p/2"] = tree_hash(ENTRIES[:256]) + tree_hash(ENTRIES[256:512])
    return files


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.fixture
def export(tmp_path) -> Path:
    for name, content in log_files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_a_true_log_is_accepted(judge, export):
    verdict = judge("tiles", VKEY, export)
    assert verdict.ok, verdict.text
    assert "size 600" in verdict.text
    assert "files 7" in verdict.text


def test_an_empty_log_is_accepted(judge, tmp_path):
    text = f"{NAME}\n0\n{base64.b64encode(hashlib.sha256().digest()).decode()}\n"
    signature = base64.b64encode(KEY_ID + KEY.sign(text.encode())).decode()
    (tmp_path / "checkpoint").write_text(f"{text}\n\N{EM DASH} {NAME} {signature}\n", encoding="utf-8")
    assert judge("tiles", VKEY, tmp_path).ok


@pytest.mark.parametrize("name", sorted(log_files().keys() - {"checkpoint"}))
def test_a_changed_bit_is_found_and_its_file_named(judge, export, name):
    (export / name).write_bytes(flipped((export / name).read_bytes()))
    verdict = judge("tiles", VKEY, export)
    assert not verdict.ok
    assert name.replace("entries", "0") in verdict.text or name in verdict.text


@pytest.mark.parametrize("name", sorted(log_files()))
def test_a_missing_file_is_named(judge, export, name):
    (export / name).unlink()
    verdict = judge("tiles", VKEY, export)
    assert not verdict.ok
    assert name in verdict.text


def test_a_tile_beyond_the_tree_is_refused(judge, export):
    (export / "tile/0/002.p/89").write_bytes(b"\0" * 32 * 89)
    verdict = judge("tiles", VKEY, export)
    assert not verdict.ok
    assert "tile/0/002.p/89" in verdict.text


@pytest.mark.parametrize("place", [len(NAME) + 2, -4], ids=["size", "signature"])
def test_a_changed_checkpoint_is_refused(judge, export, place):
    note = (export / "checkpoint").read_bytes()
    (export / "checkpoint").write_bytes(flipped(note[:place]) + note[place:])
    assert not judge("tiles", VKEY, export).ok


def test_a_checkpoint_of_another_history_is_refused(judge, export):
    (export / "checkpoint").write_bytes(checkpoint([*ENTRIES[:-1], b"another"]))
    verdict = judge("tiles", VKEY, export)
    assert not verdict.ok
    assert "root" in verdict.text


@pytest.fixture
def prove(judge, tmp_path) -> Callable:
    """Ask about one entry with a proof that a test may have changed."""

    def ask(index: int, hashes: list[bytes], entry: bytes, extra: str = ""):
        lines = ["c2sp.org/tlog-proof@v1", *([extra] if extra else []), f"index {index}"]
        lines += [base64.b64encode(each).decode() for each in hashes]
        (tmp_path / "proof").write_bytes("\n".join(lines).encode() + b"\n\n" + checkpoint(ENTRIES))
        (tmp_path / "entry").write_bytes(entry)
        return judge("proof", VKEY, tmp_path / "proof", tmp_path / "entry")

    return ask


@pytest.mark.parametrize("index", [0, 255, 256, 511, 599])
def test_a_true_proof_is_accepted_and_a_false_one_refused(prove, index):
    hashes = inclusion_path(index, ENTRIES)
    assert prove(index, hashes, ENTRIES[index]).ok
    assert prove(index, hashes, ENTRIES[index], extra="extra AAAA").ok
    assert not prove(index, hashes, ENTRIES[index] + b" ").ok
    assert not prove(index ^ 1, hashes, ENTRIES[index]).ok
    assert not prove(index, hashes[:-1], ENTRIES[index]).ok
    assert not prove(index, [flipped(hashes[0]), *hashes[1:]], ENTRIES[index]).ok
    assert not prove(600, hashes, ENTRIES[index]).ok


WITNESS = "witness.example/w1"
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"example witness key").digest())
WITNESS_PUBLIC = b"\x04" + WITNESS_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
WITNESS_ID = hashlib.sha256(WITNESS.encode() + b"\n" + WITNESS_PUBLIC).digest()[:4]
WITNESS_VKEY = f"{WITNESS}+{WITNESS_ID.hex()}+{base64.b64encode(WITNESS_PUBLIC).decode()}"


def cosigned(note: bytes, time: int = 1_767_225_600) -> bytes:
    text = note[: note.index(b"\n\n") + 1]
    signature = WITNESS_KEY.sign(b"cosignature/v1\ntime %d\n" % time + text)
    line = base64.b64encode(WITNESS_ID + time.to_bytes(8, "big") + signature).decode()
    return note + f"\N{EM DASH} {WITNESS} {line}\n".encode()


@pytest.fixture
def ask_about(judge, tmp_path) -> Callable:
    def ask(note: bytes, *witnesses: str):
        (tmp_path / "checkpoint").write_bytes(note)
        return judge("checkpoint", VKEY, tmp_path / "checkpoint", *witnesses)

    return ask


def test_a_cosigned_checkpoint_is_accepted_with_the_witnesses_it_has(ask_about):
    assert ask_about(cosigned(checkpoint(ENTRIES)), WITNESS_VKEY).ok
    assert not ask_about(checkpoint(ENTRIES), WITNESS_VKEY).ok
    assert not ask_about(cosigned(checkpoint(ENTRIES), time=0), WITNESS_VKEY).ok
    assert not ask_about(cosigned(checkpoint(ENTRIES)), WITNESS_VKEY, VKEY).ok


@pytest.mark.parametrize("place", [3, len(NAME) + 2, -100, -20, -4])
def test_a_cosigned_checkpoint_with_a_changed_bit_is_refused(ask_about, place):
    note = cosigned(checkpoint(ENTRIES))
    assert not ask_about(flipped(note[:place]) + note[place:], WITNESS_VKEY).ok
