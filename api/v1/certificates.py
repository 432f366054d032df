"""
/certificates: the register of certificates as it stands today, issuing one for somebody who asks at the desk, and revoking one.

The paper itself, which names the person, is handed out by the pages only: a program has the number and the check code. As a Verifiable Credential it is
handed out for the person at the desk; that is a look at their data, and written down each time.
"""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields
from sqlalchemy import select

from api import certificate_forms
from api.auth import actor, ledger, open_to_tokens
from api.v1 import lists, schemas
from api.v1.credentials import SECURED
from api.v1.fields import Choice, Day, Schema, Text, number
from api.v1.lists import StationQuery, page_of, said_of
from api.v1.requests import JSON, KEY, Blueprint, answer, carry_out, describe, query, reads, unless_seen
from ledger.certificates import issuing, register
from ledger.certificates.documents import CONTACT_MAX, Wish
from ledger.certificates.register import STATES
from ledger.entries import b64
from ledger.errors import NotAllowed, NotFound
from ledger.kinds.certificates import REASON_MAX
from ledger.kinds.certificates import certificate as is_number
from ledger.people import reveals
from ledger.people.actors import Actor, require
from ledger.repeats import Answer
from ledger.tables import CertificateRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

blueprint = Blueprint("api_certificates", __name__, url_prefix="/api/v1/certificates", description="志愿服务记录证明")
_CERTIFICATE = table(CertificateRow)
_SHOWN = ("number", "volunteer", "station", "issued_on", "period_from", "period_to", "minutes", "tree_size", "revoked_at", "revoked_reason")
_NOBODY = "在您管理的站点里没有查到这位志愿者。请核对号码；也可能登记在别的站点，或还没有登记"
_NOT_HERE = "在您管理的站点里没有这个编号的证明，请核对"


class Certificate(ma.Schema):
    """A certificate as issued, and how it stands."""

    number = fields.String(required=True, metadata={"description": "证明编号"})
    volunteer = fields.String(required=True, metadata={"description": "志愿者编号"})
    station = fields.String(required=True, metadata={"description": "开具单位的站点编码"})
    issued_on = fields.String(required=True, metadata={"format": "date"})
    period_from = fields.String(metadata={"description": "只开从这一天起的", "format": "date"})
    period_to = fields.String(metadata={"description": "只开到这一天的", "format": "date"})
    minutes = fields.Integer(required=True, metadata={"description": "开具时的分钟数"})
    grades = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": "开具时各证据等级的分钟数"})
    records = fields.Integer(required=True, metadata={"description": "依据几条服务记录"})
    tree_size = fields.Integer(required=True, metadata={"description": "开具时账本的条数"})
    state = fields.String(required=True, metadata={"description": "，".join(f"{k} {v}" for k, v in STATES.items()), "enum": list(STATES)})
    minutes_today = fields.Integer(required=True, metadata={"description": "同样这些记录，今天算多少分钟"})
    changed = fields.List(fields.Integer(), required=True, metadata={"description": "开具以后变动过的记录"})
    revoked_at = fields.String(metadata={"format": "date-time"})
    revoked_reason = fields.String()
    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})


class CertificatesQuery(StationQuery):
    """What the list of certificates may be asked."""

    volunteer = number("志愿者", required=False, description="只要这位志愿者的")
    issued_from = Day(required=False, description="从这一天起开具的")
    issued_to = Day(required=False, description="到这一天为止开具的")


class CertificateWish(Schema):
    """What is to be certified."""

    volunteer = number("志愿者", description="志愿者编号，10 位", example="K7M2Q9XP4R")
    period_from = Day(required=False, description="只开从这一天起的")
    period_to = Day(required=False, description="只开到这一天的")
    id_number = Choice(
        {"masked": "隐去中间", "full": "全号"}, required=False, description="证件号怎样印：masked 隐去中间，full 全号", default="masked"
    )
    contact = Text(CONTACT_MAX, required=False, description="开具单位的联系方式，印在证明上")


class CertificateIssued(ma.Schema):
    """What came of it."""

    number = fields.String(required=True, metadata={"description": "证明编号"})
    code = fields.String(required=True, metadata={"description": "12 位校验码"})
    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})


class CredentialWish(Schema):
    """As what a certificate is wanted."""

    way = Choice({"json": "带证明的 JSON", "jwt": "VC-JWT"}, description="json 带证明的 JSON，jwt VC-JWT")


class RevocationSaid(Schema):
    """Why."""

    reason = Text(REASON_MAX, description="理由，本人和核验的人都看得到", example="依据的一条记录登记有误，已作废")


_QUERY, _WISH, _WAY, _REASON = CertificatesQuery(), CertificateWish(), CredentialWish(), RevocationSaid()
_NUMBER = "/<string(maxlength=20):certificate>"
_AGAIN = "这个编号的请求早已办过：第一次的答复"
LOOKED_AT = "证明原文（可验证凭证）"


@blueprint.route("")
@open_to_tokens("certificates:read")
@describe(
    "列出证明",
    {200: ("一页证明", {JSON: page_of(Certificate, "CertificatePage")})},
    description="按开具先后。公开核验在网页 /check/，不用令牌。",
    parameters=[{"in": "query", "schema": CertificatesQuery}],
)
def listing() -> Response:
    """List the certificates that the units within the token's reach have issued."""
    said = query(_QUERY)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        statement = select(_CERTIFICATE)
        within = lists.within(tx.connection, actor(), "see_station", said.get("station"))
        if within is not None:
            statement = statement.where(_CERTIFICATE.c.station.in_(within))
        if "volunteer" in said:
            statement = statement.where(_CERTIFICATE.c.volunteer == said["volunteer"])
        if "issued_from" in said:
            statement = statement.where(_CERTIFICATE.c.issued_on >= said["issued_from"].isoformat())
        if "issued_to" in said:
            statement = statement.where(_CERTIFICATE.c.issued_on <= said["issued_to"].isoformat())
        rows = tx.connection.execute(lists.page(statement, _CERTIFICATE.c.entry_index, said)).all()
        return lists.answer_page(rows, said, lambda row: row.entry_index, lambda kept: [_shown(tx, row) for row in kept], headers)


@blueprint.route(_NUMBER)
@open_to_tokens("certificates:read")
@describe("读一份证明", {200: ("证明和它今天的样子", {JSON: Certificate})})
def one(certificate: str) -> Response:
    """Show a certificate."""
    with ledger().read() as tx:
        headers = unless_seen(tx)
        return answer(_shown(tx, _visible(tx, actor(), certificate)), headers=headers)


@blueprint.route("", methods=["POST"])
@open_to_tokens("certificates:write")
@describe(
    "开具证明",
    {201: ("已开具", {JSON: CertificateIssued}), 200: (_AGAIN, {JSON: CertificateIssued})},
    description="须本人要求。会记为一次查看，并告知本人。一人一天最多二十份。",
    parameters=[KEY],
)
@reads(_WISH)
def issue(said: dict[str, Any]) -> Response:
    """Issue a certificate."""
    full = said.get("id_number") == "full"
    wish = Wish(said["volunteer"], said.get("period_from"), said.get("period_to"), full_id=full, contact=said.get("contact", ""))

    book = ledger()

    def work(tx: WriteTransaction) -> Answer:
        try:
            issuing.allowed(tx, tx.actor, wish.volunteer)
        except (NotFound, NotAllowed):
            raise NotFound(_NOBODY) from None
        issued = issuing.issue(tx, book.signing, book.settings.origin, wish)
        return {"number": issued.number, "code": issued.code, "index": issued.receipt.index}

    found = carry_out(work, lambda made: f"/api/v1/certificates/{made['number']}")
    issuing.prove(book)
    return found


@blueprint.route(f"{_NUMBER}/credentials", methods=["POST"])
@open_to_tokens("certificates:write")
@describe(
    "开成可验证凭证",
    {200: ("W3C 可验证凭证 2.0：里面有姓名，只交给本人", SECURED)},
    description="每一次都会记为一次查看，本人看得到。",
)
@reads(_WAY)
def secure(said: dict[str, Any], certificate: str) -> Response:
    """Hand out a certificate as a Verifiable Credential, after the look has been written down."""

    def look(tx: WriteTransaction) -> None:
        row = _visible(tx, tx.actor, certificate)
        require(tx.connection, tx.actor, "certify", row.station)
        reveals.note_down(tx, row.volunteer, "certificate", fields=LOOKED_AT)

    ledger().write(look, actor())
    with ledger().read() as tx:
        content, kind, _ = certificate_forms.credential(tx, certificate, said["way"])
    return Response(content, headers={"Cache-Control": "no-store"}, content_type=kind)


@blueprint.route(f"{_NUMBER}/revocations", methods=["POST"])
@open_to_tokens("certificates:revoke")
@describe("撤销一份证明", {201: ("已撤销", {JSON: schemas.Receipt}), 200: (_AGAIN, {JSON: schemas.Receipt})}, parameters=[KEY])
@reads(_REASON)
def revoke(said: dict[str, Any], certificate: str) -> Response:
    """Revoke a certificate."""

    def work(tx: WriteTransaction) -> Answer:
        receipt = issuing.revoke(tx, _visible(tx, tx.actor, certificate).number, said["reason"])
        made = {"index": receipt.index, "id": receipt.id, "leaf": b64(receipt.leaf), "short_hash": receipt.short_hash}
        return made | {"recorded_at": receipt.recorded_at, "size": receipt.index + 1}

    found = carry_out(work)
    issuing.prove(ledger())
    return found


def _visible(tx: ReadTransaction, who: Actor, certificate: str) -> Any:
    """Give the row of a certificate of the units within the token's reach. Raises NotFound for all others alike."""
    if not is_number(certificate):
        raise NotFound(_NOT_HERE)
    try:
        row = register.get(tx, certificate)
        require(tx.connection, who, "see_station", row.station)
    except (NotFound, NotAllowed):
        raise NotFound(_NOT_HERE) from None
    return row


def _shown(tx: ReadTransaction, row: Any) -> dict[str, Any]:
    found = register.standing(tx, row)
    changed = [one.index for one in found.changes]
    more = {"grades": found.grades, "records": found.count, "state": found.state, "minutes_today": found.minutes, "changed": changed}
    return said_of(row, _SHOWN, index=row.entry_index, **more)
