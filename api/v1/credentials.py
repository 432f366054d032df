"""/credentials: what checks a Verifiable Credential, for anybody: the issuer's keys and status lists, as they stand where credentials name them."""

from flask import Response

from api.auth import open_to_all
from api.pages import credentials as pages
from api.v1.requests import Blueprint, describe
from ledger.certificates.credentials import WAYS

blueprint = Blueprint("api_credentials", __name__, url_prefix="/api/v1/credentials", description="可验证凭证")
_DOCUMENT = {"type": "object"}
SECURED = {kind: {"type": "string"} if way == "jwt" else _DOCUMENT for way, (kind, _) in WAYS.items()}
"""A credential by the types that it is handed out as."""


@blueprint.route("/keys")
@open_to_all
@describe(
    "读签发者的公钥",
    {200: ("DID 文档（Controlled Identifiers 1.0）", {pages.KEYS: _DOCUMENT})},
    description="就是 /.well-known/did.json。",
)
def keys() -> Response:
    """Hand out the issuer's keys."""
    return pages.keys()


@blueprint.route("/status-lists/<string(maxlength=100):key>/<int(max=9007199254740991):number>")
@open_to_all
@describe(
    "读一份撤销状态表",
    {200: ("Bitstring Status List 1.0，已签名；Accept 里只要 JWT 的，给 VC-JWT", SECURED)},
    description="凭证里写明是哪一份、第几位。就是 /credentials/status/ 下的那一份。",
)
def status_list(key: str, number: int) -> Response:
    """Hand out a status list."""
    return pages.status(key, number)
