"""/objections: what volunteers said is wrong with records of theirs, and deciding it. Objecting itself is for the person alone, on their own page."""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields
from sqlalchemy import select

from api.auth import actor, ledger, open_to_tokens
from api.problems import Problem
from api.v1 import lists
from api.v1.fields import Choice, Minute, Schema, Text, Whole
from api.v1.lists import StationQuery, page_of, said_of
from api.v1.requests import JSON, KEY, Blueprint, carry_out, describe, query, reads, unless_seen
from api.v1.service_reads import INDEX
from ledger.bulk import rows_where_in
from ledger.kinds.service import CLAIMS, FINDINGS
from ledger.repeats import Answer
from ledger.service import objections
from ledger.service.objections import Times
from ledger.tables import ObjectionRow, ServiceRow, table
from ledger.transactions import WriteTransaction

blueprint = Blueprint("api_objections", __name__, url_prefix="/api/v1/objections", description="异议")
_OBJECTION, _SERVICE = table(ObjectionRow), table(ServiceRow)
_SHOWN = ("service", "station", "claim", "due_on", "contested_at", "finding", "reason", "decided_at", "decision")


class Objection(ma.Schema):
    """An objection, without the person's own words: those are read on the page, by whoever decides."""

    index = fields.Integer(required=True, metadata={"description": "异议是账本中第几条"})
    service = fields.Integer(required=True, metadata={"description": "对哪一条服务记录"})
    volunteer = fields.String(required=True, metadata={"description": "志愿者编号"})
    station = fields.String(required=True)
    claim = fields.String(required=True, metadata={"description": "，".join(f"{k} {v}" for k, v in CLAIMS.items())})
    contested_at = fields.String(required=True, metadata={"format": "date-time"})
    due_on = fields.String(metadata={"description": "答复期限；没有就是那一年的工作日历还没有录入", "format": "date"})
    finding = fields.String(metadata={"description": "结果；没有就是还在处理。" + "，".join(f"{k} {v}" for k, v in FINDINGS.items())})
    reason = fields.String(metadata={"description": "结果的理由"})
    decided_at = fields.String(metadata={"format": "date-time"})
    decision = fields.Integer(metadata={"description": "结果是账本中第几条"})


class ObjectionsQuery(StationQuery):
    """What the list of objections may be asked."""

    waiting = Choice({"yes": "还在处理", "no": "已有结果"}, required=False, description="yes 只要还在处理的，no 只要已有结果的")


class Decision(Schema):
    """What came out, and why."""

    finding = Choice(FINDINGS, description="，".join(f"{k} {v}" for k, v in FINDINGS.items()))
    reason = Text(300, description="怎么查的、为什么；会给本人看", example="签到表上有本人签名，时间相符")
    start = Minute(required=False, format="date-time", description="成立而要改时间的：实际开始", example="2026-03-05T09:00:00+08:00")
    end = Minute(required=False, format="date-time", description="实际结束", example="2026-03-05T11:00:00+08:00")
    break_minutes = Whole(0, 1_440, required=False, description="其中休息、用餐的分钟数", default=0)


class Decided(ma.Schema):
    """The entry of a decision."""

    index = fields.Integer(required=True, metadata={"description": "结果是账本中第几条"})
    short_hash = fields.String(required=True)


_QUERY, _DECISION = ObjectionsQuery(), Decision()


@blueprint.route("")
@open_to_tokens("service-records:read")
@describe(
    "列出异议",
    {200: ("一页异议", {JSON: page_of(Objection, "ObjectionPage")})},
    description="按提出的先后，已有结果的也在内。本人写的话不在这里，请在「异议」页面看。",
    parameters=[{"in": "query", "schema": ObjectionsQuery}],
)
def listing() -> Response:
    """List the objections at the units that the token reaches."""
    said = query(_QUERY)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        statement = select(_OBJECTION)
        within = lists.within(tx.connection, actor(), "see_station", said.get("station"))
        if within is not None:
            statement = statement.where(_OBJECTION.c.station.in_(within))
        if "waiting" in said:
            open_ = _OBJECTION.c.finding.is_(None)
            statement = statement.where(open_ if said["waiting"] == "yes" else ~open_)
        rows = tx.connection.execute(lists.page(statement, _OBJECTION.c.entry_index, said)).all()
        records = rows_where_in(
            tx.connection, (_SERVICE.c.entry_index, _SERVICE.c.volunteer), _SERVICE.c.entry_index, {r.service for r in rows}
        )
    people = {row.entry_index: row.volunteer for row in records}
    return lists.answer_page(
        rows,
        said,
        lambda row: row.entry_index,
        lambda kept: [said_of(row, _SHOWN, index=row.entry_index, volunteer=people[row.service]) for row in kept],
        headers,
    )


@blueprint.route(f"{INDEX}/decisions", methods=["POST"])
@open_to_tokens("service-records:approve")
@describe(
    "处理一件异议",
    {201: ("已处理，并已告诉本人", {JSON: Decided}), 200: ("这个编号的请求早已办过：第一次的答复", {JSON: Decided})},
    description="登记、更正、审核过这条记录的人不能处理；「不是我」由上一级处理。成立的，同时更正或作废这条记录。",
    parameters=[KEY],
)
@reads(_DECISION)
def decide(said: dict[str, Any], index: int) -> Response:
    """Decide an objection."""
    if ("start" in said) != ("end" in said):
        missing = "end" if "start" in said else "start"
        raise Problem("invalid", "实际的开始和结束要一起写", [{"pointer": f"#/{missing}", "detail": "缺少这个字段"}])
    times = Times(said["start"], said["end"], said.get("break_minutes", 0)) if "start" in said else None

    def work(tx: WriteTransaction) -> Answer:
        receipt = objections.decide(tx, index, said["finding"], said["reason"], times)
        return {"index": receipt.index, "short_hash": receipt.short_hash}

    return carry_out(work)
