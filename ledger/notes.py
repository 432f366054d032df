"""
Signed notes and the three things that are said with them: checkpoints, cosignatures, proof files.

Formats of C2SP (signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof), byte for byte; keys are in `signing`.

    note        text LF, then for each signature a line `— NAME base64(key id ‖ signature)`; the text ends in LF
    checkpoint  the note text `origin LF size LF base64(root) LF`, then extension lines, if any
    proof file  `c2sp.org/tlog-proof@v1`, [`extra base64`], `index N`, base64 hashes from the leaf's sibling up,
                an empty line, the checkpoint

Rules kept here alone: what is read must be spelt exactly as it would be written; signatures of unknown keys are passed
over, but one false signature of a known key condemns the note; a checkpoint counts only when a key named like its
origin signed it, whoever else did. Nothing here reads or stores anything: keys come as arguments.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ledger import merkle
from ledger.signing import (
    CONTROL,
    COSIGNATURE,
    NoteError,
    NoteSigner,
    NoteVerifier,
    Signer,
    Verifier,
    check_name,
    cosigned_text,
    decode64,
    decode_text,
    encode64,
    key_id,
)

__all__ = [
    "Checkpoint",
    "NoteError",
    "NoteSigner",
    "NoteVerifier",
    "Proof",
    "Signer",
    "Verifier",
    "checkpoint_text",
    "cosign",
    "cosignature_time",
    "decode_proof",
    "encode_proof",
    "key_id",
    "note_parts",
    "open_checkpoint",
    "open_note",
    "parse_checkpoint",
    "sign_checkpoint",
    "sign_note",
    "signed_lines",
    "verify_proof",
]

NOTE_BYTES_MAX = 1_000_000  # a hundred post-quantum signatures of 5 kB, and to spare
SIGNATURES_MAX = 100

_DASH = "— "
_PROOF_HEADING = "c2sp.org/tlog-proof@v1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")

Known = TypeVar("Known", bound=NoteVerifier)


# --- notes


def sign_note(text: str, signers: Sequence[NoteSigner]) -> bytes:
    """
    Sign a text, which must end in LF and hold no other control characters, with one line a signer, in that order.

    Raises:
        NoteError: the text cannot be a note's, or nobody signs.
    """
    if not signers or not text.endswith("\n") or CONTROL.search(text):
        raise NoteError("签名文本须以换行结尾、不含其他控制字符，且至少由一把密钥签名。")
    lines = [_signature_line(signer, signer.sign(text)) for signer in signers]
    return f"{text}\n{''.join(lines)}".encode()


def _signature_line(key: NoteSigner | NoteVerifier, signature: bytes) -> str:
    return f"{_DASH}{key.name} {encode64(key.key_id + signature)}\n"


def open_note(note: bytes, verifiers: Iterable[Known]) -> tuple[str, list[Known]]:
    """
    Return a note's text and which of the known keys signed it, in the order of their lines, each once.

    Raises:
        NoteError: the note is malformed, a known key's signature is false, or no known key signed.
    """
    text, signatures = _split_note(note)
    return text, [verifier for verifier, _ in _verified(text, signatures, verifiers)]


def signed_lines(text: str, lines: bytes, verifiers: Iterable[NoteVerifier]) -> list[str]:
    """
    Return those of some signature lines that known keys made on a text, each key's last, LF included.

    Raises:
        NoteError: a line is malformed, a known key's signature is false, or no known key signed.
    """
    return [
        _signature_line(verifier, signature) for verifier, signature in _verified(text, _parse_signatures(decode_text(lines)), verifiers)
    ]


def note_parts(note: bytes) -> tuple[str, bytes]:
    """
    Take a note apart into its text and its signature lines, believing nothing yet.

    Raises:
        NoteError: it is malformed.
    """
    text, _ = _split_note(note)
    return text, note[len(text.encode()) + 1 :]


def _verified(text: str, signatures: list[tuple[str, bytes]], verifiers: Iterable[Known]) -> list[tuple[Known, bytes]]:
    """Find the known keys among the signatures, and check every one of theirs."""
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    verified: dict[tuple[str, bytes], tuple[Known, bytes]] = {}
    for name, signature in signatures:
        signed_by = (name, signature[:4])
        if verifier := known.get(signed_by):
            verifier.verify(text, signature[4:])
            verified[signed_by] = (verifier, signature[4:])
    if not verified:
        raise NoteError("没有一个认得的密钥签过这份文本。请核对公钥是否是账本公布的那一把。")
    return list(verified.values())


def _split_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """Take a note apart into its text and (name, key id ‖ signature) of each line, believing nothing yet."""
    if len(note) > NOTE_BYTES_MAX:
        raise NoteError(f"签名文本过大：最多 {NOTE_BYTES_MAX} 字节。")
    whole = decode_text(note)
    head, blank, tail = whole.rpartition("\n\n")
    if not blank:
        raise NoteError("签名文本不完整：正文、空行、签名行缺一不可，且以换行结尾。")
    return head + "\n", _parse_signatures(tail)


def _parse_signatures(tail: str) -> list[tuple[str, bytes]]:
    *lines, end = tail.split("\n")
    if end or not lines:
        raise NoteError("签名文本不完整：正文、空行、签名行缺一不可，且以换行结尾。")
    if len(lines) > SIGNATURES_MAX:
        raise NoteError(f"签名行过多：最多 {SIGNATURES_MAX} 行。")
    return [_parse_signature(line) for line in lines]


def _parse_signature(line: str) -> tuple[str, bytes]:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteError("签名行格式不对：应为“— 名称 签名”。")
    check_name(name)
    signature = decode64(encoded, "签名")
    if len(signature) < 5:
        raise NoteError("签名行过短：密钥编号之后没有签名。")
    return name, signature


# --- checkpoints


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The claim that the log of that origin has `size` entries with that root; extensions are kept as they are."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """
    Write the text that is signed.

    Raises:
        NoteError: a line is empty or holds a control character, the size is out of range, or the root is not 32 bytes.
    """
    lines = [checkpoint.origin, str(checkpoint.size), encode64(checkpoint.root), *checkpoint.extensions]
    if any(not line or "\n" in line or CONTROL.search(line) for line in lines):
        raise NoteError("检查点的每一行都不能为空，也不能含控制字符。")
    if not _NUMBER.fullmatch(lines[1]) or len(checkpoint.root) != merkle.HASH_BYTES:
        raise NoteError("检查点的条数应为不带前导零的十进制数，根应为 32 字节。")
    if checkpoint.size == 0 and checkpoint.root != merkle.EMPTY_ROOT:
        raise NoteError("检查点说账本是空的，根却不是空账本的根。")
    return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """
    Read a checkpoint's text back.

    Raises:
        NoteError: it is not spelt exactly as `checkpoint_text` would.
    """
    *lines, end = text.split("\n")
    if end or len(lines) < 3 or not _NUMBER.fullmatch(lines[1]):
        raise NoteError("检查点格式不对：应依次为账本名、条数、根，各占一行。")
    checkpoint = Checkpoint(lines[0], int(lines[1]), decode64(lines[2], "检查点的根"), tuple(lines[3:]))
    checkpoint_text(checkpoint)
    return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[NoteSigner]) -> bytes:
    """Sign a checkpoint. That it extends every checkpoint signed before is for the caller to know."""
    return sign_note(checkpoint_text(checkpoint), signers)


def open_checkpoint(note: bytes, verifiers: Iterable[NoteVerifier], origin: str | None = None) -> Checkpoint:
    """
    Return the checkpoint that a note holds and that its own log signed; cosignatures of known witnesses must hold too.

    Raises:
        NoteError: it cannot be opened or parsed, no key named like its origin signed it, or its origin is not `origin`.
    """
    text, verified = open_note(note, verifiers)
    checkpoint = parse_checkpoint(text)
    if origin not in (None, checkpoint.origin):
        raise NoteError(f"这是 {checkpoint.origin} 的检查点，不是 {origin} 的。")
    if all(verifier.name != checkpoint.origin for verifier in verified):
        raise NoteError(f"检查点没有 {checkpoint.origin} 自己的签名，只有旁人的。")
    return checkpoint


def cosign(text: str, signer: Signer, time: int) -> str:
    """
    Cosign a checkpoint's text as a witness at that POSIX time, in seconds; return the signature line, LF included.

    That it extends what was cosigned before is for the caller to know. The log's own key is no witness's.

    Raises:
        NoteError: the text is not a checkpoint's.
    """
    parse_checkpoint(text)
    witness = Verifier(signer.name, COSIGNATURE, signer.public)
    signature = time.to_bytes(8, "big") + signer.sign(cosigned_text(text, time))
    return _signature_line(witness, signature)


def cosignature_time(line: str) -> int:
    """Read the POSIX time that a cosignature's line states, in seconds. It is as true as the signature."""
    return int.from_bytes(_parse_signature(line.rstrip("\n"))[1][4:12], "big")


# --- proof files


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows offline that an entry stands at `index`: siblings and a signed checkpoint. `extra` proves nothing."""

    index: int
    hashes: Sequence[bytes]
    checkpoint: bytes
    extra: bytes | None = None


def encode_proof(proof: Proof) -> bytes:
    """Write a proof file; its name should end in .tlog-proof. An empty `extra` is left out."""
    extra = [f"extra {encode64(proof.extra)}"] if proof.extra else []
    lines = [_PROOF_HEADING, *extra, f"index {proof.index}", *map(encode64, proof.hashes), "", ""]
    return "\n".join(lines).encode() + proof.checkpoint


def decode_proof(file: bytes) -> Proof:
    """
    Read a proof file back, believing nothing yet.

    Raises:
        NoteError: it is not spelt exactly as `encode_proof` would.
    """
    head, blank, checkpoint = file.partition(b"\n\n")
    heading, *lines = decode_text(head).split("\n")
    extra = decode64(lines.pop(0)[6:], "附加内容") if lines and lines[0].startswith("extra ") else None
    index = lines.pop(0) if lines else ""
    if heading != _PROOF_HEADING or not blank or not re.fullmatch(f"index ({_NUMBER.pattern})", index):
        raise NoteError(f"证明文件格式不对：应以 {_PROOF_HEADING} 开头，下有 index 一行，空行之后是检查点。")
    hashes = [decode64(line, "证明里的哈希") for line in lines]
    if len(hashes) > 64 or any(len(each) != merkle.HASH_BYTES for each in hashes):
        raise NoteError("证明文件里的哈希最多 64 个，各 32 字节。")
    _split_note(checkpoint)
    return Proof(int(index.removeprefix("index ")), hashes, checkpoint, extra)


def verify_proof(proof: Proof, entry: bytes, verifiers: Iterable[NoteVerifier]) -> Checkpoint:
    """
    Verify that exactly these bytes are the entry at the proof's index; return the checkpoint that says so.

    Raises:
        NoteError: the checkpoint does not hold.
        merkle.ProofError: the entry is not shown to be in it.
    """
    checkpoint = open_checkpoint(proof.checkpoint, verifiers)
    leaf = merkle.leaf_hash(entry)
    merkle.verify_inclusion(proof.hashes, leaf=leaf, index=proof.index, size=checkpoint.size, root=checkpoint.root)
    return checkpoint
