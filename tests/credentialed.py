"""Certificates as Verifiable Credentials, as tests need them: made, judged by us, judged by somebody else's program."""

import json

import jwt
from certified import ADDRESS
from openvc import VerificationPolicy, verify_credential
from openvc.did.base import DidResolverRegistry
from openvc.did.did_key import DidKeyResolver
from openvc.did.did_web import DidWebResolver
from openvc.errors import OpenvcError
from openvc.resolvers import default_status_list_resolver
from openvc.status.bitstring import decode_bitstring, get_status_bit

from ledger.certificates import credentials, register
from ledger.certificates.credentials import Issuer


def issuer_of(world, address=ADDRESS) -> Issuer:
    return Issuer(world.settings, world.ledger.signing, address)


def credential_of(world, number, way="json", **said) -> bytes:
    with world.read() as tx:
        return credentials.credential(tx, issuer_of(world, **said), register.get(tx, number), way)


def claims_of(world, number, **said) -> dict:
    return json.loads(credential_of(world, number, **said))


def list_at(world, url, way="json") -> bytes:
    """Fetch a status list as its address asks for it."""
    key, number = url.removeprefix(f"{ADDRESS}/credentials/status/").split("/")
    with world.read() as tx:
        return credentials.status_list(tx, issuer_of(world), key, int(number), way)


def status_of(world, number, way="json") -> bytes:
    return list_at(world, claims_of(world, number)["credentialStatus"]["statusListCredential"], way)


def _resolver(world):
    """Resolve did:key from the key, did:web from the issuer's own document: no network."""

    def document(url):
        assert url == f"{ADDRESS}/.well-known/did.json"
        with world.read() as tx:
            return credentials.key_document(tx, issuer_of(world))

    return DidResolverRegistry([DidKeyResolver(), DidWebResolver(document)])


def accepted_by_others(world, secured: bytes) -> str:
    """Ask programs that share no code with ours whether a credential and its status are good: empty, or why not.

    openvc judges the proof in JSON, its status list and whether both are one issuer's; PyJWT judges a JWT, whose status list comes as a JWT as well.
    """
    said, resolver = secured.decode(), _resolver(world)
    try:
        if said.startswith("{"):
            fetch = default_status_list_resolver(resolver=resolver, fetch=lambda url: list_at(world, url).decode())
            policy = VerificationPolicy(require_status_issuer_binding=True, expected_types=["VolunteerServiceCertificate"])
            verify_credential(json.loads(said), policy=policy, resolver=resolver, resolve_status_list=fetch)
            return ""
        credential = _jwt(said, resolver)
        status = credential["credentialStatus"]
        listed = _jwt(list_at(world, status["statusListCredential"], "jwt").decode(), resolver)
        assert listed["issuer"]["id"] == credential["issuer"]["id"]
        revoked = get_status_bit(decode_bitstring(listed["credentialSubject"]["encodedList"]), int(status["statusListIndex"]))
    except (OpenvcError, jwt.PyJWTError) as refusal:
        return f"{type(refusal).__name__}: {refusal}"
    return "revoked" if revoked else ""


def _jwt(token: str, resolver) -> dict:
    """Open a VC-JWT as VC-JOSE-COSE has it: the payload is the credential."""
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "vc+jwt"
    key = resolver.resolve(header["kid"].partition("#")[0]).key_for_purpose(header["kid"], "assertionMethod")
    claims = jwt.decode(token, jwt.PyJWK.from_dict(key.public_key_jwk, algorithm="EdDSA").key, algorithms=["EdDSA"])
    assert claims["iss"] == claims["issuer"]["id"]
    assert not {"vc", "vp"} & claims.keys()
    return claims
