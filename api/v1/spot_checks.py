"""/spot-checks: what was announced to be checked, and what came out; whoever holds the log draws each sample again."""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields
from sqlalchemy import select

from api.auth import ledger, open_to_tokens
from api.v1 import lists
from api.v1.lists import StationQuery, page_of, said_of
from api.v1.requests import JSON, Blueprint, describe, query, unless_seen
from ledger import spot_checks
from ledger.bulk import rows_where_in
from ledger.people.actors import below
from ledger.tables import SpotCheckAnnouncementRow, SpotCheckRow, table

blueprint = Blueprint("api_spot_checks", __name__, url_prefix="/api/v1", description="抽查")
_ANNOUNCED, _CHECK = table(SpotCheckAnnouncementRow), table(SpotCheckRow)
_OF_PLAN = (
    "station",
    "source",
    "digits",
    "number_on",
    "tree_size",
    "root",
    "records",
    "available",
    "announced_at",
    "withdrawn_index",
    "reason",
)
_OF_RESULT = ("checked_on", "nonce", "held", "wrong", "unclear", "remark")


class SpotCheck(ma.Schema):
    """A check as it was announced, and what was found or why it was withdrawn."""

    index = fields.Integer(required=True, metadata={"description": "预告在账本中第几条"})
    station = fields.String(required=True, metadata={"description": "查哪个单位（连同下级）"})
    records = fields.Integer(required=True, metadata={"description": "抽几条"})
    available = fields.Integer(required=True, metadata={"description": "从几条里抽"})
    source = fields.String(required=True, metadata={"description": "号码的来源"})
    digits = fields.Integer(required=True, metadata={"description": "号码几位"})
    number_on = fields.String(required=True, metadata={"description": "号码哪天公布", "format": "date"})
    tree_size = fields.Integer(required=True, metadata={"description": "从账本的前多少条里抽"})
    root = fields.String(required=True, metadata={"description": "那时的树根（Base64）"})
    announced_at = fields.String(required=True, metadata={"format": "date-time"})
    withdrawn_index = fields.Integer(metadata={"description": "撤回在账本中第几条"})
    reason = fields.String(metadata={"description": "撤回的理由"})
    withdrawn_late = fields.Boolean(metadata={"description": "号码已经可以知道时才撤回"})
    result_index = fields.Integer(metadata={"description": "结果在账本中第几条"})
    checked_on = fields.String(metadata={"format": "date"})
    nonce = fields.String(metadata={"description": "公布的号码"})
    held = fields.Integer(metadata={"description": "属实几条"})
    wrong = fields.Integer(metadata={"description": "不属实几条"})
    unclear = fields.Integer(metadata={"description": "无法核实几条"})
    remark = fields.String()


_QUERY = StationQuery()


@blueprint.route("/spot-checks")
@open_to_tokens("stations:read")
@describe(
    "列出抽查",
    {200: ("一页抽查，先预告的在前", {JSON: page_of(SpotCheck, "SpotCheckPage")})},
    description="预告、结果、撤回都是账本里的条目；抽到哪几条，由树根和号码决定，谁都能照样再抽。",
    parameters=[{"in": "query", "schema": StationQuery}],
)
def listed() -> Response:
    """List what was announced, with what became of it."""
    said = query(_QUERY)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        asked = select(_ANNOUNCED)
        if "station" in said:
            asked = asked.where(_ANNOUNCED.c.station.in_(below(tx.connection, said["station"])))
        rows = tx.connection.execute(lists.page(asked, _ANNOUNCED.c.entry_index, said)).all()
        results = {
            row.announced: row for row in rows_where_in(tx.connection, _CHECK.c, _CHECK.c.announced, [one.entry_index for one in rows])
        }

    def shown(row: Any) -> dict[str, Any]:
        late = spot_checks.withdrawn_late(row) if row.withdrawn_index is not None else None
        result = results.get(row.entry_index)
        found = said_of(result, _OF_RESULT, result_index=result.entry_index) if result is not None else {}
        return said_of(row, _OF_PLAN, index=row.entry_index, withdrawn_late=late) | found

    return lists.answer_page(rows, said, lambda row: row.entry_index, lambda kept: [shown(row) for row in kept], headers)
