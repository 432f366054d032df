"""
Certificates of service (志愿服务记录证明) judged without a database and without us: from a PDF, its file, or the code printed on the paper.

    document     JSON, canonical (RFC 8785: names in order, no space), as it was frozen when the certificate was issued
                 format shouwang/certificate-document/v1 · origin · number · code · issued_on · name · id_number (masked, or in full if the person
                 asked for that) · volunteer · station · unit · handler · contact? · period_from? · period_to? · minutes · grades {A…: minutes}
                 series {…: minutes} · items [{index, served_on, start, end, minutes, activity, series, unit, group?, grade}] · tree_size · salt
    entry        certificate.issued: `paper` is base64 of SHA-256(document), `code` base64 of SHA-256("shouwang/certificate-code/v1" LF code)
    slip         a C2SP signed note of the log's key, the text being
                     ORIGIN/certificate LF  number N LF  name N LF  volunteer N LF  minutes N LF  period DAY-or-- DAY-or-- LF  issued DAY LF
                     document BASE64 LF
    QR           ADDRESS/check/CODE#BASE64URL(slip), without padding: what follows the # is sent to nobody
    file         certificate.json, canonical, attached to the PDF as well:
                 {"bundle": record bundle (bundles.py) of certificate.issued, then certificate.revoked if there is one,
                  "document": {…}, "format": "shouwang/certificate/v1", "slip": "<note>"}
    PDF          what it shows is signed too: pages.py

The slip's first line is no checkpoint's origin, so a signature of one is never one of the other. What a file shows: this document is the one to which an
entry of the signed tree commits, unaltered. What it cannot show: that nothing was corrected or revoked since; the checkpoint's size is told beside.
"""

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from ledger.checking import bundles
from ledger.checking.bundles import Bundle
from ledger.checking.faults import Report
from ledger.checking.reading import Said, read_entry
from ledger.checking.trusting import Rotations, Trust
from ledger.errors import Corrupt, InvalidRequest, LedgerError
from ledger.notes import note_parts
from ledger.signing import encode64

FORMAT, DOCUMENT = "shouwang/certificate/v1", "shouwang/certificate-document/v1"
ATTACHED = "certificate.json"
FILE_BYTES_MAX = 20_000_000
_ROTATIONS_MAX = 200
ISSUED, REVOKED = "certificate.issued", "certificate.revoked"
LOOKED_FOR = (ISSUED, REVOKED, "service.corrected", "service.voided", "batch.voided")
"""Kinds of entries that tell how a certificate stands."""
_SAID_TWICE = ("volunteer", "station", "issued_on", "minutes", "grades", "tree_size", "period_from", "period_to")
"""What stands in the entry and in the document alike."""
_STREAM = re.compile(rb"/EmbeddedFile\b.{0,1000}?>>\s{0,9}stream\r?\n", re.DOTALL)
_PLACES_MAX, _DICTIONARY_BYTES_MAX = 16, 1_200
"""How many places in a PDF are looked at, and how far from there its stream may begin: whoever hands one in may have made it to keep us busy."""
_SLIP = re.compile(
    r"(?P<origin>[^\n]+)/certificate\nnumber (?P<number>[^\n]+)\nname (?P<name>[^\n]+)\nvolunteer (?P<volunteer>[^\n]+)\n"
    r"minutes (?P<minutes>[1-9][0-9]*)\nperiod (?P<period_from>[0-9-]+) (?P<period_to>[0-9-]+)\nissued (?P<issued_on>[0-9-]+)\n"
    r"document (?P<document>[^\n]+)\n"
)


@dataclass(frozen=True)
class Certificate:
    """A certificate's file taken apart, nothing of it believed yet."""

    document: dict[str, Any]
    slip: bytes
    bundle: Bundle


@dataclass(frozen=True)
class Slip:
    """What a signed slip says: enough to compare a paper with."""

    origin: str
    number: str
    name: str
    volunteer: str
    minutes: int
    period_from: str | None
    period_to: str | None
    issued_on: str
    document: str


# --- writing


def canonical(said: Any) -> bytes:
    """Spell JSON in its one spelling."""
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def paper_digest(document: dict[str, Any]) -> str:
    """Commit to a document, whose salt is in it."""
    return encode64(hashlib.sha256(canonical(document)).digest())


def code_digest(code: str) -> str:
    """Give what the entry says of a check code."""
    return encode64(hashlib.sha256(f"shouwang/certificate-code/v1\n{code}".encode()).digest())


def slip_text(document: dict[str, Any]) -> str:
    """Write what the log's key signs about a document."""
    period = f"{document.get('period_from', '-')} {document.get('period_to', '-')}"
    return (
        f"{document['origin']}/certificate\nnumber {document['number']}\nname {document['name']}\nvolunteer {document['volunteer']}\n"
        f"minutes {document['minutes']}\nperiod {period}\nissued {document['issued_on']}\ndocument {paper_digest(document)}\n"
    )


def qr_text(address: str, code: str, slip: bytes) -> str:
    """Write what the code on the paper holds."""
    return f"{address}/check/{code}#{base64.urlsafe_b64encode(slip).decode().rstrip('=')}"


def encode_certificate(certificate: Certificate) -> bytes:
    """Write a certificate's file."""
    bundle = bundles.as_json(certificate.bundle)
    return canonical({"format": FORMAT, "document": certificate.document, "slip": certificate.slip.decode(), "bundle": bundle})


# --- reading


def decode_certificate(raw: bytes) -> Certificate:
    """Read a certificate's file, or the one attached to a PDF, believing nothing yet. Raises InvalidRequest when it is none."""
    if len(raw) > FILE_BYTES_MAX:
        raise InvalidRequest("文件过大，不是本系统开具的证明")
    if raw[:5] == b"%PDF-":
        raw = _attached(raw)
    try:
        said = json.loads(raw)
        certificate = Certificate(said["document"], said["slip"].encode(), bundles.from_json(said["bundle"]))
        if len(certificate.bundle.records) > 2 or len(certificate.bundle.rotations) > _ROTATIONS_MAX:
            raise InvalidRequest("证明文件里有多余的记录，不是本系统开具的证明")
        if said["format"] != FORMAT or certificate.document["format"] != DOCUMENT or encode_certificate(certificate) != raw:
            raise InvalidRequest("证明文件被改过，或不是本系统开具的证明")
        slip_text(certificate.document)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidRequest("证明文件读不出来：可能不完整、被改过，或不是本系统开具的证明") from error
    return certificate


def records_of(document: dict[str, Any]) -> list[int]:
    """List the entries that a certificate's document rests on, as far as it says so."""
    items = document.get("items", ())
    return [item["index"] for item in items if isinstance(item, dict) and isinstance(item.get("index"), int)]


def _attached(pdf: bytes) -> bytes:
    """Find the one file that a PDF of ours carries: a stream object of type EmbeddedFile, deflated."""
    found, at = [], 0
    for _ in range(_PLACES_MAX):
        at = pdf.find(b"/EmbeddedFile", at + 1)
        if at < 0:
            break
        match = _STREAM.match(pdf, at, at + _DICTIONARY_BYTES_MAX)
        if match:
            content = pdf[match.end() : pdf.find(b"endstream", match.end())]
            try:
                found.append(zlib.decompressobj().decompress(content, FILE_BYTES_MAX))
            except zlib.error:
                found.append(content.strip())
    if len(found) != 1:
        raise InvalidRequest("这个 PDF 里没有证明的数据：可能是扫描件，或另存、打印成了新的 PDF。请上传原来的文件，或扫纸上的二维码")
    return found[0]


def read_slip(text: str) -> bytes:
    """Give the signed slip that a scanned code holds: the whole address, or what follows its #. Raises InvalidRequest."""
    encoded = "".join(text.split()).rpartition("#")[2]
    try:
        slip = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(slip).decode().rstrip("=") != encoded:
            raise InvalidRequest("二维码的内容被改过")
        parse_slip(note_parts(slip)[0])
    except (binascii.Error, ValueError, LedgerError) as error:
        raise InvalidRequest("这不是证明上的二维码，或没有扫全：应是网址，# 后面还有一长串字符") from error
    return slip


def parse_slip(text: str) -> Slip:
    """Take a slip's text apart, believing nothing yet. Raises InvalidRequest."""
    match = _SLIP.fullmatch(text)
    if match is None:
        raise InvalidRequest("签名的内容不是证明摘要")
    said: dict[str, Any] = match.groupdict()
    ends = {name: None if said[name] == "-" else said[name] for name in ("period_from", "period_to")}
    return Slip(**said | ends | {"minutes": int(said["minutes"])})


# --- judging


def verify_slip(slip: bytes, trust: Trust, rotations: Rotations = ()) -> Slip:
    """Give what a slip says once a key of the log has been seen to say it. Raises NoteError, InvalidRequest."""
    text, names = trust.open_text(slip, rotations)
    said = parse_slip(text)
    if said.origin not in names:
        raise InvalidRequest(f"签名的是 {'、'.join(names)}，不是摘要上写的账本 {said.origin}")
    return said


def rotations_of(certificate: Certificate) -> list[tuple[int, dict[str, Any]]]:
    """List the log's changes of key that a certificate's file tells. Raises Corrupt."""
    return [(one.index, one.body) for one in map(read_entry, certificate.bundle.rotations)]


def verify_certificate(certificate: Certificate, trust: Trust) -> Report:
    """Verify that a document is the one an entry of the signed tree commits to, and not revoked as far as the file knows."""
    report = bundles.verify_bundle(certificate.bundle, trust)
    document = certificate.document
    said = _entries(certificate.bundle, report)
    if not said or said[0].kind != ISSUED or any(one.kind != REVOKED for one in said[1:]):
        report.add(None, "bundle.records", "开具的记录，撤销了的还有撤销的记录", "、".join(one.kind for one in said))
        return report
    _compare(document, said[0], report)
    try:
        verify_slip(certificate.slip, trust, rotations_of(certificate))
        report.compare(None, "slip", slip_text(document), note_parts(certificate.slip)[0])
    except LedgerError as error:
        report.add(None, "slip", "账本自己签名的摘要", error)
    for one in said[1:]:
        report.compare(one.index, "revocation.certificate", document["number"], one.body["certificate"])
        report.add(one.index, "certificate", "有效", f"已撤销（{one.recorded_at[:10]}）：{one.body['reason']}")
    return report


def compare_with_log(slip: Slip, records: Collection[int], later: Iterable[Said], report: Report) -> list[int]:
    """Look a certificate up among entries of a verified log: it has to be there, and not revoked. Returns those of its records that were changed since.

    later: the log's entries of the kinds in LOOKED_FOR, in order; records: empty where only the slip is at hand.
    """
    issued: Said | None = None
    changed: set[int] = set()
    for said in later:
        body = said.body
        if said.kind in (ISSUED, REVOKED):
            if body["certificate"] == slip.number and said.kind == ISSUED:
                issued = said
                report.compare(said.index, "log.paper", body["paper"], slip.document)
            elif body["certificate"] == slip.number:
                report.add(said.index, "certificate", "有效", f"已撤销（{said.recorded_at[:10]}）：{body['reason']}")
        elif issued is not None:
            changed.update(body.get("services", ()), (body["service"],) if "service" in body else ())
    if issued is None:
        report.add(None, "log", f"开具 {slip.number} 的记录", "没有：查无此证，或这份账本比证明旧")
        return []
    return sorted(changed.intersection(records or issued.body["records"]))


def _entries(bundle: Bundle, report: Report) -> list[Said]:
    try:
        return [read_entry(raw) for raw, _ in bundle.records]
    except Corrupt as error:
        report.add(None, "bundle.records", "按规范写成的记录", error)
        return []


def _compare(document: dict[str, Any], issued: Said, report: Report) -> None:
    """Compare a document with its entry, and its totals with its list."""
    body, index = issued.body, issued.index
    report.compare(index, "document", body["paper"], paper_digest(document))
    report.compare(index, "document.number", body["certificate"], document["number"])
    for name in _SAID_TWICE:
        report.compare(index, f"document.{name}", body.get(name), document.get(name))
    try:
        report.compare(index, "document.code", body["code"], code_digest(document["code"]))
        report.compare(index, "document.items", body["records"], [item["index"] for item in document["items"]])
    except (LookupError, TypeError) as error:
        report.add(index, "document", "写全的证明", type(error).__name__)
    compare_sums(document, index, report)


def compare_sums(document: dict[str, Any], index: int | None, report: Report) -> None:
    """Compare a document's totals with its list."""
    try:
        items = document["items"]
        report.compare(index, "document.minutes", sum(item["minutes"] for item in items), document["minutes"])
        for name, key in (("grades", "grade"), ("series", "series")):
            sums: Counter[str] = Counter()
            for item in items:
                sums[item[key]] += item["minutes"]
            report.compare(index, f"document.{name}", dict(sums), document[name])
    except (LookupError, TypeError) as error:
        report.add(index, "document", "写全的证明", type(error).__name__)
