"""
How a Verifiable Credential is secured, and opened again: two ways, one Ed25519 key.

    Data Integrity   proof.type DataIntegrityProof, cryptosuite eddsa-jcs-2022 (W3C Data Integrity EdDSA Cryptosuites 1.0): the signature is over
                     SHA-256(JCS(proof without proofValue)) ‖ SHA-256(JCS(document without proof)); the document's @context is copied into the proof
    VC-JWT           compact JWS, alg EdDSA, typ vc+jwt, kid the key (W3C Securing Verifiable Credentials using JOSE and COSE); the payload is the
                     credential itself, and iss its issuer

JCS (RFC 8785) orders names by UTF-16 units, which for names in ASCII, the only ones that are read here, is the order of `canonical`. There are no
fractions. The key is named in the proof as DID#multikey; whether that key is to be believed is the caller's question.
"""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.checking.certificates import FILE_BYTES_MAX, canonical
from ledger.checking.multikeys import from_multibase, multibase, multikey, public_key
from ledger.errors import InvalidRequest

TYPE, SUITE, PURPOSE = "DataIntegrityProof", "eddsa-jcs-2022", "assertionMethod"
_COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_PROOF = {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue", "@context"}
_HEADER = {"alg": "EdDSA", "typ": "vc+jwt"}
_MADE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@dataclass(frozen=True)
class Opened:
    """A credential whose signature holds: what it says, the DID and the multikey that it was signed under."""

    credential: dict[str, Any]
    did: str
    key: str


@dataclass(frozen=True)
class Key:
    """A private key and the DID it speaks for."""

    private: Ed25519PrivateKey
    did: str

    @property
    def multikey(self) -> str:
        """The name of its public half."""
        return multikey(self.private.public_key().public_bytes_raw())

    @property
    def method(self) -> str:
        """The verification method: the DID, and the key as its fragment."""
        return f"{self.did}#{self.multikey}"


def with_proof(credential: dict[str, Any], key: Key, created: str) -> dict[str, Any]:
    """Secure a credential by Data Integrity. *created*: an instant in UTC, to the second."""
    proof = {"type": TYPE, "cryptosuite": SUITE, "created": created, "verificationMethod": key.method, "proofPurpose": PURPOSE}
    proof["@context"] = credential["@context"]
    value = multibase(key.private.sign(_digests(credential, proof)))
    return credential | {"proof": proof | {"proofValue": value}}


def as_jwt(credential: dict[str, Any], key: Key) -> str:
    """Secure a credential as a compact JWS."""
    said = credential | {"iss": key.did}
    signed = f"{_b64(canonical(_HEADER | {'kid': key.method}))}.{_b64(canonical(said))}"
    return f"{signed}.{_b64(key.private.sign(signed.encode()))}"


def is_secured(raw: bytes) -> bool:
    """Tell whether a file looks like a secured credential, and not like another file of ours."""
    return _COMPACT.fullmatch(raw.strip()) is not None or (raw.lstrip()[:1] == b"{" and b'"verificationMethod"' in raw)


def open_secured(raw: bytes) -> Opened:
    """Read a credential secured in either way and verify its signature. Raises InvalidRequest."""
    if len(raw) > FILE_BYTES_MAX:
        raise InvalidRequest("文件过大，不是本系统开具的证明")
    try:
        return _open_jwt(raw.strip()) if _COMPACT.fullmatch(raw.strip()) else _open_proof(_read(raw))
    except InvalidSignature as error:
        raise InvalidRequest("可验证凭证的签名不对：内容在签名之后被改过，或签名是伪造的") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidRequest("可验证凭证读不出来：可能不完整、被改过，或不是本系统的格式") from error


def _open_proof(secured: dict[str, Any]) -> Opened:
    credential = {name: value for name, value in secured.items() if name != "proof"}
    proof = secured["proof"]
    if not proof.keys() >= _PROOF - {"@context"} or proof.keys() - _PROOF:
        raise InvalidRequest("可验证凭证的 proof 缺了内容，或有多余的内容")
    if (proof["type"], proof["cryptosuite"], proof["proofPurpose"]) != (TYPE, SUITE, PURPOSE) or not _MADE.fullmatch(proof["created"]):
        raise InvalidRequest(f"可验证凭证的 proof 应是 {TYPE}、{SUITE}、{PURPOSE}")
    if proof.get("@context", credential["@context"]) != credential["@context"]:
        raise InvalidRequest("可验证凭证的 @context 与签名时的不同")
    did, _, named = proof["verificationMethod"].partition("#")
    signed = _digests(credential, {name: value for name, value in proof.items() if name != "proofValue"})
    Ed25519PublicKey.from_public_bytes(public_key(named)).verify(from_multibase(proof["proofValue"], 64), signed)
    return Opened(credential, did, named)


def _open_jwt(token: bytes) -> Opened:
    parts = token.split(b".")
    header, said, signature = _read(_unb64(parts[0])), _read(_unb64(parts[1])), _unb64(parts[2])
    did, _, named = header["kid"].partition("#")
    if header != _HEADER | {"kid": header["kid"]} or said["iss"] != did:
        raise InvalidRequest("JWT 的头应是 EdDSA、vc+jwt 和钥匙的 kid，iss 应是同一个签发者")
    Ed25519PublicKey.from_public_bytes(public_key(named)).verify(signature, b".".join(parts[:2]))
    return Opened({name: value for name, value in said.items() if name != "iss"}, did, named)


def _digests(credential: dict[str, Any], proof: dict[str, Any]) -> bytes:
    return hashlib.sha256(canonical(proof)).digest() + hashlib.sha256(canonical(credential)).digest()


def _read(raw: bytes) -> dict[str, Any]:
    """Read a JSON object: every name once and in ASCII, no fractions. Raises ValueError."""
    said = json.loads(raw.decode(), object_pairs_hook=_members, parse_float=_no_fraction, parse_constant=_no_fraction)
    if not isinstance(said, dict):
        raise TypeError("not an object")
    return said


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs) or not all(name.isascii() for name in said):
        raise ValueError("a name twice, or not in ASCII")
    return said


def _no_fraction(text: str) -> Any:
    raise ValueError(text)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unb64(text: bytes) -> bytes:
    """Read base64url without padding, in its one spelling. Raises ValueError."""
    raw = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    if _b64(raw).encode() != text:
        raise binascii.Error("not the one spelling")
    return raw
