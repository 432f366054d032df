"""/indicators: where each unit stands in each indicator of the set in force: numerator, denominator, target, and what is missing."""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from api import board
from api.auth import ledger, open_to_tokens
from api.v1 import lists
from api.v1.fields import Whole
from api.v1.lists import StationQuery, page_of, said_of
from api.v1.requests import JSON, Blueprint, describe, query, unless_seen
from ledger.indicators.standings import Standing
from ledger.people.actors import below

blueprint = Blueprint("api_indicators", __name__, url_prefix="/api/v1", description="指标")


class UnitIndicator(ma.Schema):
    """An indicator of a unit. Values are whole numbers to be divided by whoever reads them: nothing here is rounded."""

    station = fields.String(required=True, metadata={"description": "哪个单位"})
    indicator = fields.String(required=True, metadata={"description": "指标的代号"})
    name = fields.String(required=True)
    numerator = fields.Integer(required=True, metadata={"description": "分子"})
    denominator = fields.Integer(metadata={"description": "分母；不用除的指标没有"})
    per = fields.Integer(required=True, metadata={"description": "数值 = 分子 × per ÷ 分母，例如百分数是 100"})
    unit = fields.String(required=True, metadata={"description": "数值的单位"})
    at_least = fields.Integer(metadata={"description": "目标：不少于"})
    at_most = fields.Integer(metadata={"description": "目标：不多于"})
    reached = fields.Boolean(metadata={"description": "是否达标；没有目标、没有分母的不写"})
    missing = fields.Integer(required=True, metadata={"description": "分母不变时，分子还差多少"})
    reached_below = fields.Integer(required=True, metadata={"description": "下级有几个达标"})
    judged_below = fields.Integer(required=True, metadata={"description": "下级有几个有目标"})


class IndicatorsQuery(StationQuery):
    """What the indicators may be asked."""

    year = Whole(board.FIRST_YEAR, 2200, spelt=True, description="年度", example="2025")


_QUERY = IndicatorsQuery()


@blueprint.route("/indicators")
@open_to_tokens("stations:read")
@describe(
    "列出各单位的各项指标",
    {200: ("一页单位和指标，上级在下级之前", {JSON: page_of(UnitIndicator, "UnitIndicatorPage")})},
    description="用的是那一年统计日执行的指标表，和「指标」页面上的数一样。",
    parameters=[{"in": "query", "schema": IndicatorsQuery}],
)
def standing() -> Response:
    """List where units stand."""
    said = query(_QUERY)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        year = board.year_said(str(said["year"]), tx.today)
        found = board.standings_of(tx, year)
        codes = below(tx.connection, said["station"]) if "station" in said else list(found)
    wanted = set(codes)
    standings = [one for code, mine in found.items() if code in wanted for one in mine]
    rows = lists.numbered(standings, said)
    return lists.answer_page(rows, said, lambda row: row[0], lambda kept: [_said(one) for _, one in kept], headers)


def _said(one: Standing) -> dict[str, Any]:
    goal = said_of(one.target, ("at_least", "at_most")) if one.target is not None else {}
    about = {"station": one.unit, "indicator": one.indicator.id, "name": one.indicator.name, "per": one.indicator.per}
    names = ("numerator", "denominator", "reached", "missing", "reached_below", "judged_below")
    return about | {"unit": one.indicator.unit} | goal | said_of(one, names)
