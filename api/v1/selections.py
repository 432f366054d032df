"""POST /selections/recheck: the year's list of outstanding volunteers, counted again from the log by a rule file: anybody allowed gets the same."""

from typing import Any

import marshmallow as ma
from flask import Response, request
from marshmallow import fields

from api.auth import actor, ledger, open_to_tokens
from api.problems import Problem
from api.v1.fields import Schema, Whole
from api.v1.lists import said_of
from api.v1.requests import JSON, Blueprint, answer, describe, query, reads_any
from ledger.errors import InvalidRequest
from ledger.people.actors import require
from ledger.selections.rules import read_rules
from ledger.selections.yearly import select_year

blueprint = Blueprint("api_selections", __name__, url_prefix="/api/v1/selections", description="评优")
CANDIDATE = ("rank", "volunteer", "name", "station", "minutes", "minutes_ab", "services", "registered_on", "note")


class Candidate(ma.Schema):
    """One line of the list."""

    rank = fields.Integer(required=True, metadata={"description": "名次，从 1 起；被排除的为 0"})
    volunteer = fields.String(required=True)
    name = fields.String(required=True, metadata={"description": "打码的姓名"})
    station = fields.String(required=True, metadata={"description": "所属站点"})
    minutes = fields.Integer(required=True)
    minutes_ab = fields.Integer(required=True, metadata={"description": "其中证据为 A、B 的"})
    services = fields.Integer(required=True, metadata={"description": "服务次数"})
    registered_on = fields.String(required=True, metadata={"format": "date"})
    note = fields.String(required=True, metadata={"description": "为什么排在这里"})


class Selected(ma.Schema):
    """The list, and what it was counted by."""

    year = fields.Integer(required=True)
    counted_on = fields.String(required=True, metadata={"format": "date"})
    tree_size = fields.Integer(required=True, metadata={"description": "账本的条数"})
    rules_sha256 = fields.String(required=True, metadata={"description": "规则文件（请求正文）的 SHA-256"})
    considered = fields.Integer(required=True, metadata={"description": "参评人数"})
    chosen = fields.List(fields.Nested(Candidate), required=True)
    excluded = fields.List(fields.Nested(Candidate), required=True)


class YearQuery(Schema):
    """A year."""

    year = Whole(1980, 2200, spelt=True, description="年度", example="2025")


_YEAR = YearQuery()
RULES = {
    "type": "object",
    "required": ["name", "quota"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "description": "规则的名称", "minLength": 1, "maxLength": 100},
        "quota": {
            "type": ["integer", "object"],
            "description": "名额：一个数，或 total、per_unit、per_1000、floor、cap、units",
            "minimum": 1,
        },
        "minimum_minutes": {"type": "integer", "description": "最少分钟数", "minimum": 0},
        "grades": {"type": "array", "description": "算哪几级证据，例如 A、B", "items": {"type": "string"}},
        "stations": {"type": ["array", "null"], "description": "只在这些站点里评；不写则全区", "items": {"type": "string"}},
        "exclude": {
            "type": "array",
            "description": "排除谁，为什么",
            "items": {
                "type": "object",
                "required": ["volunteer", "reason"],
                "additionalProperties": False,
                "properties": {"volunteer": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
        "subject": {"type": "string", "description": "评志愿者还是组织", "enum": ["volunteers", "organisations"]},
        "period": {"type": "object", "description": "统计期间：from、to"},
        "back_filled_percent": {"type": "integer", "description": "补录最多占百分之几", "minimum": 0, "maximum": 100},
        "minimum_services": {"type": "integer", "description": "最少次数", "minimum": 0},
        "minimum_months": {"type": "integer", "description": "至少几个月有服务", "minimum": 0, "maximum": 120},
        "caps": {"type": "object", "description": "上限（分钟）：day、activity、series"},
        "exclude_series": {"type": "array", "description": "不算的系列", "items": {"type": "string"}},
        "exclude_activities": {"type": "array", "description": "不算的活动", "items": {"type": "string"}},
        "staff": {"type": "object", "description": "工作人员和上班时间：people、from、to"},
        "spent": {"type": "boolean", "description": "以前评上时用过的时长不再算"},
        "honoured": {"type": "object", "description": "几年内得过哪级表彰的不评：levels、years"},
        "conduct": {"type": "object", "description": "有失信记录的不评：in_force、years"},
        "training_minutes": {"type": "integer", "description": "培训至少多少分钟", "minimum": 0},
        "evaluation": {"type": "object", "description": "评价：good 至少、poor 至多"},
        "confirmed_only": {"type": "boolean", "description": "本人确认过登记的才评"},
        "order": {"type": "string", "description": "公示名单怎么排", "enum": ["rank", "strokes"]},
        "publicity_days": {"type": "integer", "description": "公示几个工作日", "minimum": 1, "maximum": 60},
        "tie_break": {"type": "array", "description": "分钟相同时依次比什么", "items": {"type": "string"}},
    },
}


@blueprint.route("/recheck", methods=["POST"])
@open_to_tokens("selections:read")
@describe(
    "按规则复算评优名单",
    {200: ("名单", {JSON: Selected})},
    description="请求正文就是规则文件，一字不差：答复里有它的 SHA-256。只计算，不写入。",
    parameters=[{"in": "query", "schema": YearQuery}],
)
@reads_any(RULES)
def recheck() -> Response:
    """Count the list again."""
    said = query(_YEAR)
    try:
        rules = read_rules(request.get_data())
    except InvalidRequest as refusal:
        raise Problem("invalid", str(refusal), [{"pointer": "#", "detail": str(refusal)}]) from None
    with ledger().read() as tx:
        require(tx.connection, actor(), "select", None)
        found = select_year(tx, said["year"], rules)
    lists = {name: [said_of(one, CANDIDATE) for one in getattr(found, name)] for name in ("chosen", "excluded")}
    shown: dict[str, Any] = said_of(found, ("year", "counted_on", "tree_size", "considered"), rules_sha256=rules.sha256, **lists)
    return answer(shown)
