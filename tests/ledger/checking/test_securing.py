"""Securing a credential: byte for byte as the standard's own vectors, and nothing that was changed opens."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger.checking import securing
from ledger.checking.certificates import canonical
from ledger.checking.multikeys import did_key, from_multibase, multibase, multikey, public_key
from ledger.checking.securing import Key, as_jwt, is_secured, open_secured, with_proof
from ledger.errors import InvalidRequest

W3C = json.loads((Path(__file__).parents[2] / "vectors" / "eddsa-jcs-2022.json").read_text(encoding="utf-8"))
PRIVATE = Ed25519PrivateKey.from_private_bytes(from_multibase(W3C["key"]["privateKeyMultibase"], 34)[2:])
KEY = Key(PRIVATE, did_key(W3C["key"]["publicKeyMultibase"]))
SAID = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "name": "志愿服务",
    "minutes": 90,
    "issuer": KEY.did,
}


def refused(raw):
    try:
        open_secured(raw)
    except InvalidRequest:
        return True
    return False


def test_a_proof_is_byte_for_byte_the_standards_own():
    unsigned = {name: value for name, value in W3C["signed"].items() if name != "proof"}
    proof = {name: value for name, value in W3C["signed"]["proof"].items() if name != "proofValue"}
    assert securing._digests(unsigned, proof).hex() == W3C["proof_hash"] + W3C["document_hash"]
    assert with_proof(unsigned, KEY, "2023-02-24T23:36:38Z") == W3C["signed"]
    assert from_multibase(W3C["signed"]["proof"]["proofValue"], 64).hex() == W3C["signature"]
    opened = open_secured(json.dumps(W3C["signed"]).encode())
    assert (opened.did, opened.key, opened.credential) == (KEY.did, W3C["key"]["publicKeyMultibase"], unsigned)


def test_a_key_is_named_as_the_standards_own():
    assert KEY.multikey == W3C["key"]["publicKeyMultibase"]
    assert public_key(KEY.multikey) == PRIVATE.public_key().public_bytes_raw()
    assert KEY.method == f"did:key:{KEY.multikey}#{KEY.multikey}"


@given(st.binary(max_size=64))
def test_bytes_have_one_spelling_in_base58(raw):
    assert from_multibase(multibase(raw), len(raw)) == raw


@pytest.mark.parametrize(
    "text", ["", "z", "f00", "z0", "zl", "z" + "2" * 200, multibase(b"\0" + b"x" * 33)[1:], "z1" + multikey(b"k" * 32)[1:]]
)
def test_what_names_no_key_is_refused(text):
    with pytest.raises(InvalidRequest):
        public_key(text)


@pytest.mark.parametrize("raw", [canonical(with_proof(SAID, KEY, "2026-01-01T00:00:00Z")), as_jwt(SAID, KEY).encode()], ids=["json", "jwt"])
def test_every_bit_of_a_secured_credential_counts(raw):
    assert is_secured(raw)
    assert open_secured(raw).credential == SAID
    assert open_secured(raw + b"\n").credential == SAID
    flipped = (raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :] for at in range(len(raw)) for bit in range(8))
    assert [one for one in flipped if not refused(one) and one.strip() != raw] == []


def test_what_a_wallet_wrote_anew_with_spaces_and_in_another_order_still_opens():
    secured = with_proof(SAID, KEY, "2026-01-01T00:00:00Z")
    assert open_secured(json.dumps(dict(reversed(secured.items())), indent=2).encode()).credential == SAID


def changed(**proof):
    secured = with_proof(SAID, KEY, "2026-01-01T00:00:00Z")
    return canonical(secured | {"proof": {name: value for name, value in (secured["proof"] | proof).items() if value is not None}})


OTHER = Key(Ed25519PrivateKey.from_private_bytes(b"o" * 32), KEY.did)


@pytest.mark.parametrize(
    "raw",
    [
        changed(type="Ed25519Signature2020"),
        changed(cryptosuite="eddsa-rdfc-2022"),
        changed(proofPurpose="authentication"),
        changed(created="2026-01-01"),
        changed(created=None),
        changed(domain="example.cn"),
        changed(verificationMethod=OTHER.method),
        changed(verificationMethod=KEY.did),
        changed(proofValue=multibase(b"\0" * 64)),
        changed(proofValue="z"),
        changed(**{"@context": ["https://www.w3.org/ns/credentials/v1"]}),
        changed(**{"@context": None}),
        canonical(SAID),
        canonical(with_proof(SAID | {"hours": 1.5}, KEY, "2026-01-01T00:00:00Z")),
        canonical(with_proof(SAID | {"姓名": "张"}, KEY, "2026-01-01T00:00:00Z")),
        canonical(with_proof(SAID, KEY, "2026-01-01T00:00:00Z")).replace(b'"minutes":90', b'"minutes":90,"minutes":90'),
        b"[]",
        b"{" * 5_000,
        b"\xff",
        b'{"proof": 1}',
        b"a.b.c",
    ],
)
def test_no_other_proof_is_taken(raw):
    assert refused(raw)


@pytest.mark.parametrize(
    "header",
    [{"alg": "none"}, {"alg": "HS256"}, {"typ": "JWT"}, {"kid": OTHER.method}, {"crit": ["b64"], "b64": False}, {"jwk": {}}],
    ids=lambda header: next(iter(header)),
)
def test_no_other_jwt_is_taken(header):
    said = {"alg": "EdDSA", "typ": "vc+jwt", "kid": KEY.method} | header
    signed = ".".join(base64.urlsafe_b64encode(canonical(one)).decode().rstrip("=") for one in (said, SAID | {"iss": KEY.did}))
    signature = base64.urlsafe_b64encode(PRIVATE.sign(signed.encode())).decode().rstrip("=")
    assert refused(f"{signed}.{signature}".encode())


def test_a_file_too_large_is_not_read():
    with pytest.raises(InvalidRequest, match="文件过大"):
        open_secured(b"{" + b" " * securing.FILE_BYTES_MAX)
