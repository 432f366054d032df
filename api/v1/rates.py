"""/rates: every unit's three rates with numerator, denominator, source and day, now or as once known; and the rates that were published as entries."""

import threading

import marshmallow as ma
from flask import Response
from marshmallow import fields
from sqlalchemy import select

from api.auth import ledger, open_to_tokens
from api.problems import Problem
from api.v1 import lists
from api.v1.fields import Day, Whole
from api.v1.lists import Query, StationQuery, page_of, said_of
from api.v1.requests import JSON, Blueprint, describe, query, unless_seen
from ledger import history, rates
from ledger.errors import Unavailable
from ledger.kinds.checks import INTEGER_MAX
from ledger.log import tree_head
from ledger.people.actors import below
from ledger.rates import COUNTS, SHOWN
from ledger.tables import PublishedRateRow, table

blueprint = Blueprint("api_rates", __name__, url_prefix="/api/v1", description="三率")
_PUBLISHED = table(PublishedRateRow)
_RATE = ("code", "name", "level", "parent", "counted_on", "population_on", "population_source", *SHOWN)
_COUNTS = {
    "population": "常住人口；0 表示没有申报过",
    "registered": "注册志愿者",
    "confirmed": "其中本人确认过的",
    "participants": "其中当年参加过服务的",
    "backbone": "其中志愿服务骨干",
    "minutes": "他们当年计入的分钟数",
}
_recounting = threading.Semaphore(1)
"""A recount of the past replays the log: one at a time."""


class Rates(ma.Schema):
    """A unit's counts and rates."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    level = fields.String(required=True)
    parent = fields.String()
    counted_on = fields.String(required=True, metadata={"description": "按哪一天统计", "format": "date"})
    tree_size = fields.Integer(required=True, metadata={"description": "统计时账本的条数：任何人可以按它复算"})
    population_on = fields.String(metadata={"format": "date"})
    population_source = fields.String()
    confirmed_at_desk = fields.Integer(
        required=True, metadata={"description": "confirmed 之中在服务台确认的（当场输码或纸质签字），其余是本人登录确认的"}
    )
    registration_rate = fields.String(required=True, metadata={"description": "注册率 registered ÷ population，四位小数；分母是 0 时为空"})
    participation_rate = fields.String(required=True, metadata={"description": "参与率 participants ÷ registered"})
    backbone_rate = fields.String(required=True, metadata={"description": "骨干率 backbone ÷ registered"})


class PublishedRate(ma.Schema):
    """A unit's counts as an entry published them."""

    station = fields.String(required=True)
    period_from = fields.String(required=True, metadata={"format": "date"})
    period_to = fields.String(required=True, metadata={"format": "date"})
    counted_on = fields.String(required=True, metadata={"format": "date"})
    tree_size = fields.Integer(required=True)
    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})


for _name, _text in _COUNTS.items():
    for _schema in (Rates, PublishedRate):
        _schema._declared_fields[_name] = fields.Integer(required=True, metadata={"description": _text})  # noqa: SLF001 as marshmallow's own mixins do


class RatesQuery(StationQuery):
    """What the rates may be asked."""

    year = Whole(1980, 2200, spelt=True, description="年度", example="2025")
    as_known = Whole(0, INTEGER_MAX, spelt=True, required=False, description="按账本只有这么多条时所知的计算（要重放账本，一次只能算一个）")
    on = Day(required=False, description="按这一天来问，默认今天；复算从前公布的数字时用")


class PublishedQuery(Query):
    """What the published rates may be asked."""

    station = StationQuery._declared_fields["station"]  # noqa: SLF001 the same field
    year = Whole(1980, 2200, spelt=True, required=False, description="年度")


_RATES, _PUBLISHED_QUERY = RatesQuery(), PublishedQuery()


@blueprint.route("/rates")
@open_to_tokens("stations:read")
@describe(
    "统计三率",
    {200: ("一页站点的三率，上级在下级之前", {JSON: page_of(Rates, "RatesPage")})},
    parameters=[{"in": "query", "schema": RatesQuery}],
)
def counted() -> Response:
    """Count a year's rates."""
    said = query(_RATES)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        on = said.get("on", tx.today)
        if on > tx.today:
            raise Problem("invalid", "还没有到那一天", [{"parameter": "on", "detail": "不能晚于今天"}])
        size = said.get("as_known", tree_head(tx.connection).size)
        if "as_known" in said:
            if not _recounting.acquire(blocking=False):
                raise Unavailable("正在为别人复算，请过几秒再试")
            try:
                with history.as_known(tx.connection, size) as then:
                    found = rates.count(then, said["year"], on)
            finally:
                _recounting.release()
        else:
            found = rates.count(tx.connection, said["year"], on)
        if "station" in said:
            within = set(below(tx.connection, said["station"]))
            found = [rate for rate in found if rate.code in within]
    rows = lists.numbered(found, said)
    return lists.answer_page(
        rows, said, lambda row: row[0], lambda kept: [said_of(rate, _RATE, tree_size=size, **rate.rates()) for _, rate in kept], headers
    )


@blueprint.route("/published-rates")
@open_to_tokens("stations:read")
@describe(
    "列出公布过的三率",
    {200: ("一页公布过的三率", {JSON: page_of(PublishedRate, "PublishedRatePage")})},
    description="每次公布都是账本中的一条，写明统计时账本的条数。",
    parameters=[{"in": "query", "schema": PublishedQuery}],
)
def published() -> Response:
    """List the rates that were published."""
    said = query(_PUBLISHED_QUERY)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        statement = select(_PUBLISHED)
        if "station" in said:
            statement = statement.where(_PUBLISHED.c.station.in_(below(tx.connection, said["station"])))
        if "year" in said:
            statement = statement.where(_PUBLISHED.c.period_from == f"{said['year']}-01-01")
        rows = tx.connection.execute(lists.page(statement, _PUBLISHED.c.entry_index, said)).all()
    names = ("station", "period_from", "period_to", "counted_on", "tree_size", *COUNTS)
    return lists.answer_page(
        rows, said, lambda row: row.entry_index, lambda kept: [said_of(row, names, index=row.entry_index) for row in kept], headers
    )
