"""
A certificate as a Verifiable Credential, given to the person alone; the status list and the key document, which are everybody's.

The format stands in ledger/checking/credentials.py. A certificate's place in its status list is drawn at random when it is issued, so that a place, or a
run of places, tells nobody who or when; a list is never more than half full. What the list says follows from the register: revoked, or not.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from ledger.bulk import insert_rows
from ledger.certificates import credential_keys, register
from ledger.checking.certificates import canonical
from ledger.checking.credentials import BITS, LIST_TYPES, TYPES, V2, context, encoded_list, statement_text
from ledger.checking.multikeys import did_key
from ledger.checking.securing import Key, as_jwt, with_proof
from ledger.checkpoints import Signing
from ledger.errors import InvalidRequest, NotFound
from ledger.settings import Settings
from ledger.tables import CertificateRow, CertificateStatusRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

WAYS: Mapping[str, tuple[str, str]] = {"json": ("application/vc", ".vc.json"), "jwt": ("application/vc+jwt", ".vc.jwt")}
"""How a credential is secured: by a proof in its JSON, or as a JWT; its type on the web, and how its file is called."""
LIST_FULL = BITS // 2
TTL_MILLISECONDS = 300_000
_CERTIFICATE, _STATUS = table(CertificateRow), table(CertificateStatusRow)


@dataclass(frozen=True)
class Issuer:
    """Who issues credentials: the deployment's settings, the log's keys that vouch, and the address at which their status is asked."""

    settings: Settings
    signing: Signing
    address: str


def draw_place(tx: WriteTransaction, certificate: str) -> None:
    """Give a certificate its place in a status list."""
    taken = tx.connection.execute(select(func.count()).select_from(_STATUS)).scalar_one()
    number = taken // LIST_FULL + 1
    place = secrets.randbelow(BITS)
    while tx.connection.execute(select(_STATUS.c.place).where(_STATUS.c.list == number, _STATUS.c.place == place)).first():
        place = secrets.randbelow(BITS)
    insert_rows(tx.connection, _STATUS, [{"certificate": certificate, "list": number, "place": place}])


def credential(tx: ReadTransaction, issuer: Issuer, row: Any, way: str) -> bytes:
    """Secure a certificate as one of WAYS. Raises NotFound when the person's data is erased or restricted."""
    document, _ = register.paper(tx, row)
    status = tx.connection.execute(select(_STATUS).where(_STATUS.c.certificate == row.number)).one()
    key = credential_keys.keys(issuer.settings)[0]
    listed = _list_address(issuer.address, key, status.list)
    said = {
        "@context": context(document["origin"]),
        "id": f"{issuer.address}/check/{row.number}",
        "type": TYPES,
        "name": "志愿服务记录证明",
        "issuer": {"id": key.did, "name": document["unit"], "statement": _statement(tx, issuer, key)},
        "validFrom": _instant(row.issued_at),
        "credentialSubject": document,
        "credentialStatus": {
            "id": f"{listed}#{status.place}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(status.place),
            "statusListCredential": listed,
        },
    }
    return _secured(tx, said, key, way)


def status_list(tx: ReadTransaction, issuer: Issuer, named: str, number: int, way: str) -> bytes:
    """Write a status list, secured by the key that its credentials were. Raises NotFound for a list or a key that there is not."""
    key = next((key for key in credential_keys.keys(issuer.settings) if key.multikey == named), None)
    rows = tx.connection.execute(
        select(_STATUS.c.place, _CERTIFICATE.c.issued_at, _CERTIFICATE.c.revoked_at)
        .join_from(_STATUS, _CERTIFICATE, _CERTIFICATE.c.number == _STATUS.c.certificate)
        .where(_STATUS.c.list == number)
    ).all()
    if key is None or not rows:
        raise NotFound("没有这个状态列表。请对照凭证里 statusListCredential 写的网址")
    revoked = [row for row in rows if row.revoked_at is not None]
    listed = _list_address(issuer.address, key, number)
    since = max(row.revoked_at for row in revoked) if revoked else min(row.issued_at for row in rows)
    said = {
        "@context": [V2],
        "id": listed,
        "type": LIST_TYPES,
        "issuer": {"id": key.did},
        "validFrom": _instant(since),
        "credentialSubject": {
            "id": f"{listed}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded_list(row.place for row in revoked),
            "ttl": TTL_MILLISECONDS,
        },
    }
    return _secured(tx, said, key, way)


def key_document(tx: ReadTransaction, issuer: Issuer) -> dict[str, Any]:
    """Write the issuer's keys as a DID document (did:web), each with the statement by which the log vouches for it."""
    own = credential_keys.web_did(issuer.address) or f"{issuer.address}/.well-known/did.json"
    held = credential_keys.keys(issuer.settings)
    methods = [{"id": f"{own}#{key.multikey}", "type": "Multikey", "controller": own, "publicKeyMultibase": key.multikey} for key in held]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1", context(issuer.settings.origin)[1]],
        "id": own,
        "alsoKnownAs": [did_key(key.multikey) for key in held],
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
        "statements": [_statement(tx, issuer, key) for key in held],
    }


def _statement(tx: ReadTransaction, issuer: Issuer, key: Key) -> str:
    return issuer.signing.sign_text(tx.connection, statement_text(issuer.settings.origin, key.multikey)).decode()


def _list_address(address: str, key: Key, number: int) -> str:
    return f"{address}/credentials/status/{key.multikey}/{number}"


def _secured(tx: ReadTransaction, said: dict[str, Any], key: Key, way: str) -> bytes:
    if way not in WAYS:
        raise InvalidRequest("可验证凭证有两种：json 和 jwt")
    return as_jwt(said, key).encode() if way == "jwt" else canonical(with_proof(said, key, _spelt(tx.now)))


def _instant(recorded_at: str) -> str:
    """Say when, in UTC and to the second."""
    return _spelt(datetime.fromisoformat(recorded_at))


def _spelt(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
