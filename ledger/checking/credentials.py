"""
Certificates of service as W3C Verifiable Credentials (Data Model 2.0), judged without a database and without us; and their status list.

    @context           ["https://www.w3.org/ns/credentials/v2", {"@vocab": "https://ORIGIN/terms#"}]
    id                 ADDRESS/check/NUMBER            type     VerifiableCredential, VolunteerServiceCertificate
    issuer             {id: did:key or did:web, name: the issuing unit, statement: NOTE}
    validFrom          when the certificate was issued
    credentialSubject  the certificate's document, member for member (certificates.py): what the PDF has, nothing else
    credentialStatus   Bitstring Status List v1.0: statusPurpose revocation, statusListIndex drawn at random
    NOTE               a C2SP signed note of the log's key, which so vouches for the key of the credentials:
                           ORIGIN/credential-key LF  key MULTIKEY LF

So whoever trusts the log's public key needs no other: it vouches for the credentials' key, that one signs the credential. The credentials have a key of
their own because a status list must be signed by its issuer for as long as its credentials live, and at any hour, while the log's keys are changed and
destroyed; with did:key, the issuer is the key. What a file shows: this document was certified, unaltered. Whether it was revoked is in the status list.
"""

import base64
import gzip
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ledger.checking import certificates, pages
from ledger.checking.certificates import DOCUMENT, Slip
from ledger.checking.faults import Report
from ledger.checking.multikeys import did_key
from ledger.checking.securing import Opened, is_secured, open_secured
from ledger.checking.trusting import Rotations, Trust
from ledger.errors import InvalidRequest, LedgerError

V2 = "https://www.w3.org/ns/credentials/v2"
TYPES = ["VerifiableCredential", "VolunteerServiceCertificate"]
LIST_TYPES = ["VerifiableCredential", "BitstringStatusListCredential"]
BITS = 131_072
"""The least that the standard allows (16 KiB), so that nobody hides among few."""
_STATEMENT = re.compile(r"(?P<origin>[^\n]+)/credential-key\nkey (?P<key>z[1-9A-HJ-NP-Za-km-z]+)\n")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}", re.ASCII)


@dataclass(frozen=True)
class Credential:
    """A credential whose signature holds: the certificate's document, and where its status stands."""

    opened: Opened
    document: dict[str, Any]
    status_list: str
    place: int

    @property
    def slip(self) -> Slip:
        """What a paper may be compared with."""
        return certificates.parse_slip(certificates.slip_text(self.document))


# --- writing


def statement_text(origin: str, key: str) -> str:
    """Write what the log's key signs about the key of the credentials."""
    return f"{origin}/credential-key\nkey {key}\n"


def context(origin: str) -> list[Any]:
    """Say where the names come from: the data model's own, and ours."""
    return [V2, {"@vocab": f"https://{origin}/terms#"}]


def encoded_list(places: Iterable[int]) -> str:
    """Write a status list with the bits at some places set: the first bit is the highest of the first byte; gzip, base64url, multibase `u`."""
    bits = bytearray(BITS // 8)
    for place in places:
        bits[place // 8] |= 0x80 >> place % 8
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(bits), mtime=0)).decode().rstrip("=")


# --- reading


def read_credential(raw: bytes) -> Credential:
    """Read a certificate's credential, JSON or JWT, and verify its signature; whose key that is, `verify_credential` says. Raises InvalidRequest."""
    opened = open_secured(raw)
    said = opened.credential
    try:
        document, status = said["credentialSubject"], said["credentialStatus"]
        if said["type"] != TYPES or document["format"] != DOCUMENT or said["@context"] != context(document["origin"]):
            raise InvalidRequest("这个可验证凭证不是志愿服务记录证明")
        if (
            status["type"] != "BitstringStatusListEntry"
            or status["statusPurpose"] != "revocation"
            or not _INDEX.fullmatch(status["statusListIndex"])
        ):
            raise InvalidRequest("可验证凭证里没有写明到哪里查撤销")
        made = Credential(opened, document, status["statusListCredential"], int(status["statusListIndex"]))
        if made.slip.number != document["number"] or not isinstance(made.status_list, str):
            raise InvalidRequest("可验证凭证里的编号不对")
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise InvalidRequest("这个可验证凭证不是志愿服务记录证明，或缺了内容") from error
    return made


@dataclass(frozen=True)
class Judged:
    """What a file said and whether it holds; *credential*: where it was one."""

    document: dict[str, Any]
    report: Report
    credential: Credential | None = None


def judge_file(raw: bytes, trust: Trust, rotations: Rotations = ()) -> Judged:
    """Verify any file that a certificate is handed on as: PDF, its data, or a credential. Raises InvalidRequest when it is none, or does not open."""
    if is_secured(raw):
        credential = read_credential(raw)
        return Judged(credential.document, verify_credential(credential, trust, rotations), credential)
    certificate = certificates.decode_certificate(raw)
    report = certificates.verify_certificate(certificate, trust)
    if raw[:5] == b"%PDF-":
        pages.verify_pages(raw, certificate, trust, report)
    return Judged(certificate.document, report)


def verify_credential(credential: Credential, trust: Trust, rotations: Rotations = ()) -> Report:
    """Verify that the log vouches for the key that signed a credential, and that its sums are those of its list."""
    report = Report()
    _vouched(credential.opened, credential.document["origin"], trust, rotations, report)
    certificates.compare_sums(credential.document, None, report)
    return report


def verify_status(credential: Credential, raw: bytes) -> Report:
    """Look a credential up in its status list, which the same issuer has to have signed. Raises InvalidRequest when that is no status list."""
    opened, report = open_secured(raw), Report()
    try:
        said = opened.credential
        subject = said["credentialSubject"]
        report.compare(None, "status.type", LIST_TYPES, said["type"])
        report.compare(None, "status.id", credential.status_list, said["id"])
        report.compare(None, "status.issuer", credential.opened.did, said["issuer"]["id"])
        report.compare(None, "status.key", (credential.opened.did, credential.opened.key), (opened.did, opened.key))
        report.compare(None, "status.purpose", "revocation", subject["statusPurpose"])
        if report.ok and _bit(subject["encodedList"], credential.place):
            report.add(None, "certificate", "有效", f"已撤销（状态列表第 {credential.place} 位）")
    except (LookupError, TypeError, AttributeError, ValueError, zlib.error) as error:
        raise InvalidRequest("状态列表读不出来：可能不完整，或不是状态列表") from error
    return report


def _vouched(opened: Opened, origin: str, trust: Trust, rotations: Rotations, report: Report) -> None:
    """Follow the trust from the log's key to the key that signed."""
    issuer = opened.credential["issuer"]
    try:
        text, names = trust.open_text(issuer["statement"].encode(), rotations)
        match = _STATEMENT.fullmatch(text)
        if match is None:
            raise InvalidRequest("不是说明凭证公钥的签名")
        report.compare(None, "issuer.statement.key", match["key"], opened.key)
        report.compare(None, "issuer.statement.origin", match["origin"], origin)
        if match["origin"] not in names:
            raise InvalidRequest(f"签名的是 {'、'.join(names)}，不是账本 {match['origin']}")
        report.compare(None, "issuer.id", opened.did, issuer["id"])
        if opened.did.startswith("did:key:"):
            report.compare(None, "issuer.key", did_key(opened.key), opened.did)
    except (LookupError, TypeError, AttributeError, LedgerError) as error:
        report.add(None, "issuer.statement", "账本的钥匙签名担保的凭证公钥", error)


def _bit(encoded: str, place: int) -> bool:
    if not encoded.startswith("u"):
        raise ValueError(encoded[:1])
    # A list of ours is 16 KiB: whatever unpacks to more was made to fill the memory.
    packed = base64.urlsafe_b64decode(encoded[1:] + "=" * (-(len(encoded) - 1) % 4))
    unpacking = zlib.decompressobj(wbits=31)
    bits = unpacking.decompress(packed, BITS // 8 + 1)
    if len(bits) != BITS // 8 or not unpacking.eof or place >= BITS:
        raise ValueError(len(bits))
    return bool(bits[place // 8] & 0x80 >> place % 8)
