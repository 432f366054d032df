"""
/matters: what one member of staff asks about a volunteer and a second one decides; and asking for a confirmation on paper, or for a merge.

Corrections of a name or ID number, and claims of an account, are decided on the page alone: there the second person types what stands on the papers, or
hands over a code. Neither names nor numbers of anybody stand here.
"""

import uuid
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from api.auth import actor, ledger, open_to_tokens
from api.v1 import lists
from api.v1.fields import Code, Schema, Text, number
from api.v1.lists import Query, page_of, said_of
from api.v1.requests import JSON, KEY, Blueprint, carry_out, describe, query, reads
from api.v1.volunteers import visible
from ledger.errors import InvalidRequest
from ledger.kinds import checks
from ledger.kinds.people import MEANS
from ledger.people import confirmations, deciding, merging, proposals, volunteers
from ledger.people.proposals import KINDS, REMARK_MAX, SEVERAL, Proposal
from ledger.repeats import Answer
from ledger.transactions import WriteTransaction

blueprint = Blueprint("api_matters", __name__, url_prefix="/api/v1", description="要第二个人办的事")
DECIDED_HERE = ("confirm", "merge", "move")
"""What is decided through the API; the others want the papers, or a code handed over."""
_AGAIN = "这个编号的请求早已办过：第一次的答复"
SHOWN = {kind: title for kind, title in KINDS.items() if kind not in SEVERAL}
"""Of people's registrations; what is asked about credit records is decided on the page alone."""
_KINDS = "，".join(f"{kind} {title}" for kind, title in SHOWN.items())


class Matter(ma.Schema):
    """Something that waits for a second person."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    kind = fields.String(required=True, metadata={"description": _KINDS, "enum": list(SHOWN)})
    volunteer = fields.String(required=True, metadata={"description": "志愿者编号"})
    name = fields.String(required=True, metadata={"description": "打码的姓名"})
    station = fields.String(required=True)
    asked_at = fields.String(required=True, metadata={"format": "date-time"})
    own = fields.Boolean(required=True, metadata={"description": "true：是这个账号自己提出的，要由别人办"})
    means = fields.String(metadata={"description": "本人怎样确认的（confirm）", "enum": list(MEANS)})
    into = fields.String(metadata={"description": "保留哪个编号（merge）"})
    to = fields.String(metadata={"description": "转到哪个站点（move）"})


class Asked(ma.Schema):
    """Something that waits from now on."""

    id = fields.String(required=True, metadata={"description": "这一件的编号", "format": "uuid"})


class Settled(ma.Schema):
    """How it was decided."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    kind = fields.String(required=True, metadata={"enum": list(SHOWN)})
    state = fields.String(required=True, metadata={"enum": ["accepted", "declined", "dropped"]})


class Paper(Schema):
    """That the person signed on paper."""

    evidence = Code(
        checks.digest,
        "应是签字的确认书的 SHA-256，32 字节的 base64",
        pattern="^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
        description="签字的确认书（扫描件）的 SHA-256，base64",
    )


class Merge(Schema):
    """That two registrations are one person's."""

    into = number("志愿者", description="保留哪个编号", example="K7M2Q9XP4R")
    reason = Text(200, description="依据，会入账", example="身份证号抄错一位，两份证件已核对")


class Remark(Schema):
    """Why not."""

    remark = Text(REMARK_MAX, description="不同意的理由，至少 2 个字", example="确认书上没有本人签名")


_QUERY, _PAPER, _MERGE, _REMARK = Query(), Paper(), Merge(), Remark()
_NUMBER, _MATTER = "/volunteers/<string(length=10):number>", "/matters/<uuid:matter>"


@blueprint.route("/matters")
@open_to_tokens("volunteers:read")
@describe(
    "列出等第二个人办的事",
    {200: ("一页待办", {JSON: page_of(Matter, "MatterPage")})},
    description="这个账号可以办的，和它自己提出的。",
    parameters=[{"in": "query", "schema": Query}],
)
def listing() -> Response:
    """List what waits where the token reaches, oldest first."""
    said = query(_QUERY)
    with ledger().read() as tx:
        found = sorted((one for one in proposals.waiting(tx, actor()) if one.row.kind in SHOWN), key=lambda one: str(one.row.id))
        after = [one for one in found if one.row.id > said.get("cursor", "")]
        rows = after[: said.get("limit", lists.LIMIT) + 1]
        names = volunteers.masked_names(tx, {one.row.volunteer for one in rows})
    return lists.answer_page(rows, said, lambda one: one.row.id, lambda kept: [_shown(one, names[one.row.volunteer]) for one in kept])


def _shown(one: Proposal, name: str) -> dict[str, Any]:
    more = {key: one.said[key] for key in ("means", "into", "to") if key in one.said}
    own = one.row.asked_by == actor().account
    return said_of(one.row, ("id", "kind", "volunteer", "station", "asked_at"), name=name, own=own, **more)


@blueprint.route(f"{_MATTER}/acceptances", methods=["POST"])
@open_to_tokens("volunteers:write")
@describe(
    "同意一件事，并办理",
    {201: ("已办理", {JSON: Settled}), 200: (_AGAIN, {JSON: Settled})},
    description="提出的人不能自己同意。确认、合并、转站在这里办；更正和认领要当面看证件、交登录码，请在页面上办。",
    parameters=[KEY],
)
def accept(matter: uuid.UUID) -> Response:
    """Say yes."""

    def work(tx: WriteTransaction) -> Answer:
        proposals.see(tx, tx.actor, str(matter))
        if proposals.get_row(tx.connection, str(matter)).kind not in DECIDED_HERE:
            raise InvalidRequest("更正和认领要当面看证件、交登录码，请在「待办」页面上办")
        return _settled(deciding.accept(tx, str(matter)).row, "accepted")

    return carry_out(work)


@blueprint.route(f"{_MATTER}/refusals", methods=["POST"])
@open_to_tokens("volunteers:write")
@describe("不同意一件事，或撤回自己提出的", {201: ("已退回", {JSON: Settled}), 200: (_AGAIN, {JSON: Settled})}, parameters=[KEY])
@reads(_REMARK)
def refuse(said: dict[str, Any], matter: uuid.UUID) -> Response:
    """Say no, or take back what one asked."""

    def work(tx: WriteTransaction) -> Answer:
        proposals.see(tx, tx.actor, str(matter))
        proposals.decline(tx, str(matter), said["remark"])
        row = proposals.get_row(tx.connection, str(matter))
        return _settled(row, row.state)

    return carry_out(work)


def _settled(row: Any, state: str) -> Answer:
    return {"id": row.id, "kind": row.kind, "state": state}


@blueprint.route(f"{_NUMBER}/confirmations", methods=["POST"])
@open_to_tokens("volunteers:write")
@describe(
    "交上本人签字的确认书",
    {201: ("等另一位工作人员核实", {JSON: Asked}), 200: (_AGAIN, {JSON: Asked})},
    description="只交文件的散列；原件留在站点。登记人以外的另一位工作人员看过原件、同意之后，才算本人确认。",
    parameters=[KEY],
)
@reads(_PAPER)
def confirm_on_paper(said: dict[str, Any], number: str) -> Response:
    """Hand in that somebody signed on paper."""
    with ledger().read() as tx:
        found = visible(tx, number).row.number
    return carry_out(lambda tx: {"id": confirmations.on_paper(tx, found, said["evidence"])})


@blueprint.route(f"{_NUMBER}/merges", methods=["POST"])
@open_to_tokens("volunteers:write")
@describe(
    "提出合并重复登记",
    {201: ("等另一位工作人员同意", {JSON: Asked}), 200: (_AGAIN, {JSON: Asked})},
    description="地址里的编号并入正文里的编号。两份记录有时间重叠的，同意时会指出是哪几条。",
    parameters=[KEY],
)
@reads(_MERGE)
def merge(said: dict[str, Any], number: str) -> Response:
    """Propose that two registrations are one person's."""
    with ledger().read() as tx:
        visible(tx, number)
    return carry_out(lambda tx: {"id": merging.propose(tx, number, said["into"], said["reason"])})
