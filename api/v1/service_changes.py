"""POST /service-records/…: approving records that others recorded, and putting a wrong one right with a reason. Who may not is told by the ledger."""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from api.auth import open_to_tokens
from api.v1 import schemas
from api.v1.fields import Minute, Schema, Several, Text, Whole
from api.v1.requests import JSON, KEY, carry_out, describe, reads
from api.v1.service_reads import INDEX
from api.v1.service_records import blueprint
from ledger import activities
from ledger.entries import b64
from ledger.ids import new_entry_id
from ledger.kinds.checks import INTEGER_MAX
from ledger.log import Receipt
from ledger.repeats import Answer
from ledger.service import amending, approving, second_signatures
from ledger.service.drafts import Draft
from ledger.transactions import WriteTransaction

APPROVED_MAX = 1_000


class Approval(Schema):
    """Records to approve."""

    indexes = Several(Whole(0, INTEGER_MAX), APPROVED_MAX, 1, description="各条是账本中第几条", example=[123])


class Approved(ma.Schema):
    """What came of an approval."""

    approved = fields.Integer(required=True, metadata={"description": "审核通过的条数"})
    counts_from = fields.String(required=True, metadata={"description": "公示期满、开始计入的日期", "format": "date"})


class Correction(Schema):
    """What the times really were."""

    start = Minute(format="date-time", description="开始，整分钟，带时区", example="2026-03-05T09:00:00+08:00")
    end = Minute(format="date-time", description="结束，整分钟，带时区", example="2026-03-05T11:00:00+08:00")
    break_minutes = Whole(0, 1_440, required=False, description="其中休息、用餐的分钟数", default=0)
    reason = Text(200, description="理由，会给本人看", example="签退时间抄错，已与本人核对")


class Reason(Schema):
    """Why."""

    reason = Text(200, description="理由，会给本人看", example="签到表重复登记")


class LongService(schemas.ServiceDraft):
    """A service over the daily cap, and why it really was so long."""

    class Meta(Schema.Meta):
        exclude = ("id",)

    reason = Text(second_signatures.REASON_MAX, description="为什么确实有这么长", example="汛期值守，有值班表")


class Waiting(ma.Schema):
    """A service that waits for a second person's signature."""

    id = fields.String(required=True, metadata={"description": "这一件的编号；同样的服务再提一次，还是它", "format": "uuid"})


_APPROVAL, _CORRECTION, _REASON, _LONG = Approval(), Correction(), Reason(), LongService()
_AGAIN = "这个编号的请求早已办过：第一次的答复"


@blueprint.route("/approvals", methods=["POST"])
@open_to_tokens("service-records:approve")
@describe(
    "审核服务记录",
    {201: ("已审核", {JSON: Approved}), 200: (_AGAIN, {JSON: Approved})},
    description="登记人和更正人不能审核自己的。有一条不能审核，就一条也不审核。",
    parameters=[KEY],
)
@reads(_APPROVAL)
def approve(said: dict[str, Any]) -> Response:
    """Approve records, all or none."""

    def work(tx: WriteTransaction) -> Answer:
        return {"approved": len(said["indexes"]), "counts_from": approving.approve(tx, said["indexes"])}

    return carry_out(work)


@blueprint.route("/second-signatures", methods=["POST"])
@open_to_tokens("service-records:write")
@describe(
    "超过每日上限的，请第二人签字",
    {201: ("已提出，还没有记入账本", {JSON: Waiting}), 200: (_AGAIN, {JSON: Waiting})},
    description="登记时答 over_daily_cap 的，核实后写明理由，在这里提出。本站另一位工作人员在「第二人签字」里签字，才记入账本，再由第三个人审核。",
    parameters=[KEY],
)
@reads(_LONG)
def ask_second(said: dict[str, Any]) -> Response:
    """Propose a service over the daily cap."""

    def work(tx: WriteTransaction) -> Answer:
        known = activities.get_many(tx.connection, {said["activity"]}).get(said["activity"])
        facts = {name: said[name] for name in ("volunteer", "activity", "station", "start", "end", "grade")}
        pause, unit = said.get("break_minutes", 0), known.organisation if known else None
        draft = Draft(**facts, batch=new_entry_id(), organisation=unit, break_minutes=pause)
        return {"id": second_signatures.ask(tx, draft, said["reason"])}

    return carry_out(work)


@blueprint.route(f"{INDEX}/corrections", methods=["POST"])
@open_to_tokens("service-records:amend")
@describe(
    "更正一条服务记录",
    {201: ("已更正，要由另外的人重新审核", {JSON: schemas.Receipt}), 200: (_AGAIN, {JSON: schemas.Receipt})},
    parameters=[KEY],
)
@reads(_CORRECTION)
def correct(said: dict[str, Any], index: int) -> Response:
    """Say what a record's times really were."""
    return carry_out(lambda tx: _receipt(amending.correct(tx, index, **said)))


@blueprint.route(f"{INDEX}/voids", methods=["POST"])
@open_to_tokens("service-records:amend")
@describe("作废一条服务记录", {201: ("已作废", {JSON: schemas.Receipt}), 200: (_AGAIN, {JSON: schemas.Receipt})}, parameters=[KEY])
@reads(_REASON)
def void(said: dict[str, Any], index: int) -> Response:
    """Declare that a record does not stand."""
    return carry_out(lambda tx: _receipt(amending.void(tx, index, reason=said["reason"])))


def _receipt(receipt: Receipt) -> Answer:
    said = {"index": receipt.index, "id": receipt.id, "leaf": b64(receipt.leaf), "short_hash": receipt.short_hash}
    return said | {"recorded_at": receipt.recorded_at, "size": receipt.index + 1}
