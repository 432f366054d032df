"""What everybody needs to check a Verifiable Credential: the status list that it names, and the issuer's keys. Nothing in them is about anybody."""

import orjson
from flask import Blueprint, Response, current_app, request

from api.auth import ledger, open_to_all
from api.certificate_forms import issuer
from api.limits import Meter
from ledger.certificates import credentials

blueprint = Blueprint("credentials", __name__)
KEYS = "application/did+json"
A_MINUTE = 120
"""Look-ups from one address: each is signed anew."""
_METER = "credentials_meter"
blueprint.record(lambda state: state.app.extensions.setdefault(_METER, Meter("credentials", A_MINUTE)))


@blueprint.get("/credentials/status/<key>/<int:number>")
@open_to_all
def status(key: str, number: int) -> Response:
    """Hand out a status list, as JSON or, to whoever accepts only that, as a JWT."""
    current_app.extensions[_METER].take(request.remote_addr or "")
    way = (
        "jwt"
        if request.accept_mimetypes.best_match([kind for kind, _ in credentials.WAYS.values()]) == credentials.WAYS["jwt"][0]
        else "json"
    )
    with ledger().read() as tx:
        content = credentials.status_list(tx, issuer(), key, number, way)
    return _public(content, credentials.WAYS[way][0])


@blueprint.get("/.well-known/did.json")
@open_to_all
def keys() -> Response:
    """Hand out the issuer's keys."""
    current_app.extensions[_METER].take(request.remote_addr or "")
    with ledger().read() as tx:
        content = orjson.dumps(credentials.key_document(tx, issuer()))
    return _public(content, KEYS)


def _public(content: bytes, kind: str) -> Response:
    """Answer for programs anywhere, wallets in a browser too; a revocation is seen within a minute."""
    headers = {"Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*", "Vary": "Accept"}
    return Response(content, headers=headers, content_type=kind)
