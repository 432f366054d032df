"""
Record bundles: entries with their proofs in one file, to be checked years later by somebody who has nothing else.

    {"format": "shouwang/record-bundle/v1",
     "subject": "person/K7M2Q9XP4R",                   when the file claims to be that subject's whole chain up to its checkpoint; else absent
     "rotations": ["<entry>", …],                      the log's key.rotated entries up to the checkpoint, for those who hold an older key
     "records": [{"entry": "<entry>", "proof": "<.tlog-proof>"}, …]}      in log order

JSON in UTF-8. Each <entry> is the exact text whose bytes were hashed, each <.tlog-proof> a C2SP proof file with the signed checkpoint in it, so every
record can also be taken out and checked alone, by others' tools too. Rotations prove themselves: both keys signed them (keyring.py).

What a bundle shows: each record stands in the signed tree, unaltered; of a subject's chain none is missing between the first and the last that are
given. What it cannot show: that the chain did not go on after the last, which is why the checkpoint's size is always told beside.
"""

import json
from dataclasses import dataclass
from typing import Any

from ledger import merkle
from ledger.checking.faults import Report
from ledger.checking.reading import Said, read_entry
from ledger.checking.trusting import Rotations, Trust
from ledger.errors import Corrupt, InvalidRequest, LedgerError
from ledger.notes import Proof, decode_proof
from ledger.signing import encode64

FORMAT = "shouwang/record-bundle/v1"
BUNDLE_BYTES_MAX = 500_000_000
_UNREADABLE = "凭证文件读不出来：应为一个 JSON 文件，可能不完整或被改过"


@dataclass(frozen=True)
class Bundle:
    """Records (entry, proof file) in log order, the log's rotations, and the subject whose chain they are, if they are one."""

    records: list[tuple[bytes, bytes]]
    rotations: list[bytes]
    subject: str | None = None


def encode_bundle(bundle: Bundle) -> bytes:
    """Write a bundle."""
    return json.dumps(as_json(bundle), ensure_ascii=False, indent=1).encode() + b"\n"


def as_json(bundle: Bundle) -> dict[str, Any]:
    """Say a bundle as the object that its file holds."""
    said: dict[str, Any] = {"format": FORMAT}
    if bundle.subject is not None:
        said["subject"] = bundle.subject
    said["rotations"] = [entry.decode() for entry in bundle.rotations]
    said["records"] = [{"entry": entry.decode(), "proof": proof.decode()} for entry, proof in bundle.records]
    return said


def decode_bundle(raw: bytes) -> Bundle:
    """Read a bundle, believing nothing yet. Raises InvalidRequest when it is none."""
    if len(raw) > BUNDLE_BYTES_MAX:
        raise InvalidRequest("凭证文件过大")
    try:
        return from_json(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(_UNREADABLE) from error


def from_json(said: Any) -> Bundle:
    """Read a bundle from the object that its file holds, believing nothing yet. Raises InvalidRequest when it is none."""
    try:
        if said["format"] != FORMAT or not said["records"]:
            raise InvalidRequest(f"不是记录凭证，或是别的版本：应写明 {FORMAT}，并至少有一条记录")
        records = [(record["entry"].encode(), record["proof"].encode()) for record in said["records"]]
        rotations, subject = [entry.encode() for entry in said["rotations"]], said.get("subject")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InvalidRequest(_UNREADABLE) from error
    if not (subject is None or isinstance(subject, str)):
        raise InvalidRequest("凭证文件的 subject 应是文字")
    return Bundle(records, rotations, subject)


def verify_bundle(bundle: Bundle, trust: Trust) -> Report:
    """Verify every record of a bundle, and the chain if it claims one. The report's size and root are those of the newest checkpoint in it."""
    report = Report()
    rotations = _rotations(bundle, report)
    chain = _Chain(bundle.subject, report) if bundle.subject is not None else None
    newest = -1
    for number, (raw, proof) in enumerate(bundle.records):
        index = _verify_record(number, raw, proof, trust, rotations, report)
        try:
            said = read_entry(raw)
        except Corrupt as error:
            report.add(index, f"records[{number}].entry", "按规范写成的记录", error)
            continue
        if index is not None:
            report.compare(index, f"records[{number}].entry.index", index, said.index)
        if said.index <= newest:
            report.add(said.index, f"records[{number}]", f"第 {newest} 条之后的记录", f"第 {said.index} 条")
        newest = max(newest, said.index)
        if chain is not None:
            chain.follow(said, raw)
    return report


def _rotations(bundle: Bundle, report: Report) -> Rotations:
    found = []
    for number, raw in enumerate(bundle.rotations):
        try:
            said = read_entry(raw)
            if said.kind != "key.rotated":
                raise Corrupt(said.kind)
            found.append((said.index, said.body))
        except Corrupt as error:
            report.add(None, f"rotations[{number}]", "换钥记录", error)
    return found


def _verify_record(number: int, raw: bytes, file: bytes, trust: Trust, rotations: Rotations, report: Report) -> int | None:
    """Verify that an entry is in the signed tree. Returns the index that its proof is about, if that can be read."""
    proof: Proof | None = None
    try:
        proof = decode_proof(file)
        checkpoint = trust.open_checkpoint(proof.checkpoint, rotations)
        leaf = merkle.leaf_hash(raw)
        merkle.verify_inclusion(proof.hashes, leaf=leaf, index=proof.index, size=checkpoint.size, root=checkpoint.root)
    except LedgerError as error:
        index = proof.index if proof else None
        report.add(index, f"records[{number}].proof", "这条记录在签名的账本里", error)
        return index
    if checkpoint.size > report.size:
        report.size, report.root = checkpoint.size, checkpoint.root
    return proof.index


class _Chain:
    """Follows one subject's chain from its first entry on."""

    def __init__(self, subject: str, report: Report) -> None:
        self._subject = subject
        self._report = report
        self._length = 0
        self._leaf = ""

    def follow(self, said: Said, raw: bytes) -> None:
        """Judge what the next entry says of the chain."""
        claim = said.chains.get(self._subject)
        what = f"chains.{self._subject}"
        if claim is None:
            self._report.add(said.index, what, "属于这条链的记录", "不属于")
            return
        wanted = [self._length + 1, self._leaf] if self._length else [1]
        if claim[0] > wanted[0]:
            self._report.add(said.index, what, f"第 {wanted[0]} 条", f"第 {claim[0]} 条，中间缺 {claim[0] - wanted[0]} 条")
        else:
            self._report.compare(said.index, what, wanted, claim)
        self._length, self._leaf = claim[0], encode64(merkle.leaf_hash(raw))
