"""Notes, checkpoints, cosignatures, proof files: a worked example byte for byte, round trips, and what is refused."""

import base64
import hmac
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle, notes, tiles
from ledger.errors import SettingsError
from ledger.notes import Checkpoint, NoteError, Proof, Signer, Verifier

LOG = Signer.from_seed("ledger.example/hours", sha256(b"example log key").digest())
WITNESS = Signer.from_seed("witness.example/w1", sha256(b"example witness key").digest())
LOG_KEY = Verifier.from_vkey("ledger.example/hours+90546f7d+AftxvhxfqVayiuqH2Cvv7CbZp13RkKJd+4pckRxJKR7I")
WITNESS_KEY = Verifier.from_vkey("witness.example/w1+dec78ea4+BKw1g5nPW+/5QHhZryxcegFtAONxBP8a1Zg5DUF4bvLn")
ENTRIES = [b'{"hours":"2.50","seq":0}', b'{"hours":"4.00","seq":1}', b'{"hours":"1.25","seq":2}']
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
ROOT = bytes.fromhex("4260690e2f737a41f9028a4b8a7495d6184b42808402f7346e166188d8fd6a09")
CHECKPOINT = Checkpoint("ledger.example/hours", 3, ROOT)
TEXT = "ledger.example/hours\n3\nQmBpDi9zekH5AopLinSV1hhLQoCEAvc0bhZhiNj9agk=\n"
LOG_LINE = "— ledger.example/hours kFRvfbNUXXmulJf6wS3GvoSn+92jU7A2eDLZnF3J+CEyBWziFJXdA9Xyi5d+ZBNtmO4ASVL8qCK509CxcsERG54anwo=\n"
WITNESS_LINE = (
    "— witness.example/w1 3seOpAAAAABpVbkAmSCdfCyco/n/hPq3x3uadeksnd45W47FgO89V3gkkDtRfTtJkqCRBtAT43wwZ/pdPz/CeT32xKHuaExAhufMBQ==\n"
)
NOTE = f"{TEXT}\n{LOG_LINE}".encode()
PROOF_FILE = (
    b"c2sp.org/tlog-proof@v1\nindex 1\nbwq4nFsshn0OBUM3KN8X7kmirTdThqN0uC69TJ5hlWc=\nqFAkExwJOxibLAf8oxdjD3oUEpsRRSSwit0RG/CGKiY=\n\n"
) + NOTE

LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(code) for code in range(32)]), min_size=1)


@dataclass(frozen=True)
class KeyedDigest:
    """A signature algorithm that `notes` has never heard of, in the place a second national one would take."""

    name: str
    secret: bytes

    @property
    def key_id(self):
        return notes.key_id(self.name, 0xFF, b"keyed digest" + self.secret)

    def sign(self, text):
        return hmac.digest(self.secret, text.encode(), "sha256")

    def verify(self, text, signature):
        if self.sign(text) != signature:
            raise NoteError("签名不对")


def read(level, index):
    return LEAVES[index] if level == 0 else merkle.node_hash(LEAVES[2 * index], LEAVES[2 * index + 1])


# --- the worked example


def test_the_example_keys_are_written_as_published():
    assert LOG.public.hex() == "fb71be1c5fa956b28aea87d82befec26d9a75dd190a25dfb8a5c911c49291ec8"
    assert LOG.key_id.hex() == "90546f7d"
    assert (LOG.vkey, WITNESS.cosigner_vkey) == (LOG_KEY.vkey, WITNESS_KEY.vkey)
    assert LOG_KEY.vkey == "ledger.example/hours+90546f7d+AftxvhxfqVayiuqH2Cvv7CbZp13RkKJd+4pckRxJKR7I"


def test_the_example_entries_have_the_published_hashes():
    tree = merkle.Tree()
    assert tree.extend(LEAVES) == []
    assert [leaf.hex()[:8] for leaf in LEAVES] == ["6f0ab89c", "0cb91256", "a8502413"]
    assert read(1, 0).hex() == "82b64b67044a238603e37203a362c308c7efc29e9dbc3901179f89c4e08ceaff"
    assert tree.root() == merkle.root(3, read) == ROOT
    assert merkle.inclusion_proof(1, 3, read) == [LEAVES[0], LEAVES[2]]
    assert merkle.consistency_proof(2, 3, read) == [LEAVES[2]]
    assert tree.edge() == [b"".join(LEAVES)]
    bundle = tiles.encode_bundle(ENTRIES)
    assert bundle.hex().startswith("00187b22686f757273223a22322e3530222c22736571223a307d0018")
    assert (len(bundle), tiles.bundle_path(0, 3)) == (3 * 26, "tile/entries/000.p/3")


def test_the_example_checkpoint_is_signed_and_cosigned_byte_for_byte():
    assert notes.checkpoint_text(CHECKPOINT) == TEXT
    assert notes.sign_checkpoint(CHECKPOINT, [LOG]) == NOTE
    assert notes.cosign(TEXT, WITNESS, 1767225600) == WITNESS_LINE
    assert notes.open_checkpoint(NOTE, [LOG_KEY], LOG.name) == CHECKPOINT
    assert notes.open_checkpoint(NOTE + WITNESS_LINE.encode(), [LOG_KEY, WITNESS_KEY]) == CHECKPOINT
    assert notes.open_note(NOTE + WITNESS_LINE.encode(), [WITNESS_KEY, LOG_KEY]) == (TEXT, [LOG_KEY, WITNESS_KEY])


def test_the_example_proof_file_is_written_byte_for_byte_and_holds_for_its_entry_alone():
    proof = Proof(1, merkle.inclusion_proof(1, 3, read), NOTE)
    assert notes.encode_proof(proof) == PROOF_FILE
    assert notes.decode_proof(PROOF_FILE) == proof
    assert notes.verify_proof(proof, ENTRIES[1], [LOG_KEY]) == CHECKPOINT
    with pytest.raises(merkle.ProofError):
        notes.verify_proof(proof, ENTRIES[0], [LOG_KEY])
    with pytest.raises(merkle.ProofError):
        notes.verify_proof(replace(proof, index=0), ENTRIES[1], [LOG_KEY])
    with pytest.raises(NoteError):
        notes.verify_proof(proof, ENTRIES[1], [WITNESS_KEY])


def test_no_bit_of_a_checkpoint_can_be_changed():
    for at in range(len(NOTE)):
        for bit in range(8):
            changed = bytearray(NOTE)
            changed[at] ^= 1 << bit
            with pytest.raises(NoteError):
                notes.open_checkpoint(bytes(changed), [LOG_KEY])


# --- who signed


def test_signatures_of_unknown_keys_are_passed_over():
    note = notes.sign_note("值守\n\n无异常\n", [KeyedDigest("国密", b"1"), LOG, Signer.from_seed(LOG.name, bytes(32))])
    assert notes.open_note(note, [LOG_KEY]) == ("值守\n\n无异常\n", [LOG_KEY])


def test_one_false_signature_of_a_known_key_condemns_the_note():
    forged = notes.sign_note("other\n", [WITNESS]).decode().split("\n\n")[1].encode()
    witness = Verifier.from_vkey(WITNESS.vkey)
    assert notes.open_note(NOTE + forged, [LOG_KEY]) == (TEXT, [LOG_KEY])
    with pytest.raises(NoteError, match=r"witness\.example/w1 的签名不对"):
        notes.open_note(NOTE + forged, [LOG_KEY, witness])
    with pytest.raises(NoteError, match="签名不对"):
        notes.open_note(NOTE + NOTE.split(b"\n\n")[1].replace(b"kFRvfbN", b"kFRvfbM"), [LOG_KEY])


def test_a_note_that_no_known_key_signed_is_refused():
    for verifiers in ([], [WITNESS_KEY], [Verifier.from_vkey(LOG.cosigner_vkey)]):
        with pytest.raises(NoteError, match="没有一个认得的密钥"):
            notes.open_note(NOTE, verifiers)


def test_a_key_that_signed_twice_counts_once():
    assert notes.open_note(NOTE + LOG_LINE.encode(), [LOG_KEY, LOG_KEY]) == (TEXT, [LOG_KEY])


def test_a_checkpoint_that_only_others_signed_is_refused():
    with pytest.raises(NoteError, match="只有旁人的"):
        notes.open_checkpoint(f"{TEXT}\n{WITNESS_LINE}".encode(), [LOG_KEY, WITNESS_KEY])
    with pytest.raises(NoteError, match=r"不是 ledger\.example/other 的"):
        notes.open_checkpoint(NOTE, [LOG_KEY], "ledger.example/other")


def test_a_second_algorithm_is_a_second_line():
    second = KeyedDigest(LOG.name, b"secret")
    note = notes.sign_checkpoint(CHECKPOINT, [LOG, second])
    assert note.startswith(NOTE)
    assert notes.open_checkpoint(note, [LOG_KEY]) == notes.open_checkpoint(note, [second]) == CHECKPOINT
    assert notes.open_note(note, [second, LOG_KEY]) == (TEXT, [LOG_KEY, second])
    with pytest.raises(NoteError):
        notes.open_checkpoint(note.replace(b"\n3\n", b"\n4\n"), [second])


def test_a_hundred_signatures_are_read_and_no_more():
    others = [Signer.from_seed(f"other.example/{number}", bytes([number]) * 32) for number in range(99)]
    note = notes.sign_note(TEXT, [*others, LOG])
    assert notes.open_note(note, [LOG_KEY]) == (TEXT, [LOG_KEY])
    with pytest.raises(NoteError, match="最多 100 行"):
        notes.open_note(note + WITNESS_LINE.encode(), [LOG_KEY])


# --- round trips


@given(st.lists(LINE | st.just("")).map(lambda lines: "".join(f"{line}\n" for line in lines) or "\n"))
def test_every_text_signed_reads_back(text):
    assert notes.open_note(notes.sign_note(text, [WITNESS, LOG]), [LOG_KEY]) == (text, [LOG_KEY])


@given(LINE, st.integers(1, 10**19 - 1), st.binary(min_size=32, max_size=32), st.lists(LINE))
def test_every_checkpoint_reads_back(origin, size, root, extensions):
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert notes.parse_checkpoint(notes.checkpoint_text(checkpoint)) == checkpoint


@given(
    st.integers(0, 10**19 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=64),
    st.none() | st.binary(min_size=1),
)
def test_every_proof_file_reads_back(index, hashes, extra):
    proof = Proof(index, hashes, NOTE, extra)
    assert notes.decode_proof(notes.encode_proof(proof)) == proof


def test_an_empty_extra_is_none():
    assert notes.decode_proof(notes.encode_proof(Proof(0, (), NOTE, b""))).extra is None


def test_the_checkpoint_of_an_empty_log_has_the_empty_root():
    empty = Checkpoint(LOG.name, 0, merkle.EMPTY_ROOT)
    assert notes.open_checkpoint(notes.sign_checkpoint(empty, [LOG]), [LOG_KEY]) == empty
    with pytest.raises(NoteError, match="空账本"):
        notes.sign_checkpoint(replace(empty, root=ROOT), [LOG])


def test_a_private_key_reads_back_from_its_file():
    assert Signer.from_pem(LOG.name, LOG.to_pem()).vkey == LOG.vkey


# --- what is refused


@pytest.mark.parametrize(
    ("note", "why"),
    [
        (b"", "不完整"),
        (TEXT.encode(), "不完整"),
        (TEXT.encode() + b"\n", "不完整"),
        (NOTE[:-1], "不完整"),
        (NOTE + b"\n", "不完整"),
        (TEXT.encode() + LOG_LINE.encode(), "不完整"),
        (NOTE + b"text after the signatures\n", "签名行格式"),
        (NOTE.replace("— ".encode(), b"- "), "签名行格式"),
        (NOTE.replace("— ".encode(), "—".encode()), "签名行格式"),
        (NOTE + "— name\n".encode(), "签名行格式"),
        (NOTE + "—  AAAAAAA=\n".encode(), "密钥名称"),
        (NOTE + "— a+b AAAAAAA=\n".encode(), "密钥名称"),
        (NOTE + "— a\u3000b AAAAAAA=\n".encode(), "密钥名称"),
        (NOTE + "— name AAAAAA==\n".encode(), "过短"),
        (NOTE + "— name AAAAAAB=\n".encode(), "base64"),
        (NOTE + "— name AAAAAAA\n".encode(), "base64"),
        (NOTE + "— name AAAAAAA= \n".encode(), "base64"),
        (NOTE + "— name AAAAA_A=\n".encode(), "base64"),
        (NOTE + "— name ＡAAAAAA=\n".encode(), "base64"),
        (NOTE.replace(b"\n", b"\r\n"), "控制字符"),
        (NOTE.replace(b"3\n", b"3\t\n"), "控制字符"),
        (b"\xff" + NOTE, "UTF-8"),
        (b"x" * 1_000_001, "过大"),
    ],
)
def test_a_malformed_note_is_refused(note, why):
    with pytest.raises(NoteError, match=why):
        notes.open_note(note, [LOG_KEY])


@pytest.mark.parametrize("text", ["", "no line end", "tab\t\n", "return\r\n", "nul\x00\n"])
def test_a_text_that_no_note_can_hold_is_not_signed(text):
    with pytest.raises(NoteError, match="签名文本须以换行结尾"):
        notes.sign_note(text, [LOG])


def test_a_note_needs_a_signer():
    with pytest.raises(NoteError, match="至少由一把密钥"):
        notes.sign_note(TEXT, [])


ROOT64 = base64.b64encode(ROOT).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "origin\n3\n",
        f"origin\n3\n{ROOT64}",
        f"\n3\n{ROOT64}\n",
        f"origin\n\n{ROOT64}\n",
        f"origin\n03\n{ROOT64}\n",
        f"origin\n+3\n{ROOT64}\n",
        f"origin\n-3\n{ROOT64}\n",
        f"origin\n 3\n{ROOT64}\n",
        f"origin\n٣\n{ROOT64}\n",
        f"origin\n3.0\n{ROOT64}\n",
        f"origin\n{'9' * 20}\n{ROOT64}\n",
        f"origin\n{'9' * 5000}\n{ROOT64}\n",
        f"origin\n0\n{ROOT64}\n",
        "origin\n3\n\n",
        f"origin\n3\n{ROOT64[:-1]}\n",
        f"origin\n3\n{ROOT64} \n",
        f"origin\n3\n{ROOT64[:-2]}l=\n",
        f"origin\n3\n{ROOT64[:-4]}\n",
        f"origin\n3\n{base64.b64encode(ROOT + ROOT).decode()}\n",
        f"origin\n3\n{ROOT64}\n\n",
        f"origin\n3\n{ROOT64}\nextension\n\n",
        f"origin\r\n3\n{ROOT64}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused_signed_or_not(text):
    with pytest.raises(NoteError):
        notes.parse_checkpoint(text)
    with pytest.raises(NoteError):
        notes.cosign(text, WITNESS, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": ""},
        {"origin": "two\nlines"},
        {"size": -1},
        {"size": 10**19},
        {"root": ROOT[:-1]},
        {"extensions": ("",)},
        {"extensions": ("two\nlines",)},
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_signed(wrong):
    with pytest.raises(NoteError):
        notes.sign_checkpoint(replace(CHECKPOINT, **wrong), [LOG])


HEAD, HASHES = b"c2sp.org/tlog-proof@v1\nindex 1\n", PROOF_FILE.split(b"\n", 2)[2]


@pytest.mark.parametrize(
    "file",
    [
        b"",
        NOTE,
        HEAD,
        HEAD + b"\n",
        HEAD + HASHES.split(b"\n\n")[0] + b"\n\n" + NOTE.split(b"\n\n")[0] + b"\n",
        PROOF_FILE.replace(b"@v1", b"@v2"),
        PROOF_FILE.replace(b"index 1\n", b""),
        PROOF_FILE.replace(b"index 1", b"index 01"),
        PROOF_FILE.replace(b"index 1", b"index  1"),
        PROOF_FILE.replace(b"index 1", b"index -1"),
        PROOF_FILE.replace(b"index 1", b"index 1\nextra AAAA"),
        PROOF_FILE.replace(b"index 1", b"extra \nindex 1"),
        PROOF_FILE.replace(b"index 1", b"extra AAAB=\nindex 1"),
        PROOF_FILE.replace(b"index 1", b"extra AAAA\nextra AAAA\nindex 1"),
        PROOF_FILE.replace(b"hlWc=", b"hlWd="),
        PROOF_FILE.replace(b"hlWc=", b"hlWc"),
        PROOF_FILE.replace(b"bwq4", b""),
        PROOF_FILE.replace(b"\n", b"\r\n"),
        HEAD + (HASHES.split(b"\n")[0] + b"\n") * 65 + b"\n" + NOTE,
        b"\xff" + PROOF_FILE,
    ],
)
def test_a_malformed_proof_file_is_refused(file):
    with pytest.raises(NoteError):
        notes.decode_proof(file)


@pytest.mark.parametrize(
    ("vkey", "why"),
    [
        ("", "密钥名称"),
        ("name", "base64"),
        ("+90546f7d+" + LOG.vkey.split("+", 2)[2], "密钥名称"),
        (LOG.vkey.replace("90546f7d", "90546f7e"), "编号"),
        (LOG.vkey.replace("90546f7d", "90546F7D"), "编号"),
        (LOG.vkey.replace("hours", "minutes"), "编号"),
        (LOG.vkey + "=", "base64"),
        ("name+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode(), "类型不认识"),
        ("name+00000000+" + base64.b64encode(b"\x06" + bytes(32)).decode(), "类型不认识"),
    ],
)
def test_a_malformed_public_key_is_refused(vkey, why):
    with pytest.raises(NoteError, match=why):
        Verifier.from_vkey(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2028b", "a\nb", "a\x00b"])
def test_a_key_needs_a_name_that_a_line_can_hold(name):
    with pytest.raises(NoteError, match="密钥名称"):
        Signer.from_seed(name, bytes(32))


def test_a_key_file_that_is_no_signing_key_is_named():
    with pytest.raises(SettingsError, match="读不出来"):
        Signer.from_pem(LOG.name, b"not a key")
    with pytest.raises(SettingsError, match="读不出来"):
        Signer.from_pem(LOG.name, LOG.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(SettingsError, match="不是 Ed25519"):
        Signer.from_pem(LOG.name, replace(LOG, key=X25519PrivateKey.generate()).to_pem())
