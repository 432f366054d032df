"""/stations and /policies: the tree of units with their populations, and the rules in force from each day on: what the public board shows."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
import orjson
from flask import Response
from marshmallow import fields
from sqlalchemy import select

from api.auth import ledger, open_to_tokens
from api.problems import Problem, refused
from api.v1 import lists
from api.v1.fields import Choice, Day, Schema, Text, Whole, station
from api.v1.lists import StationQuery, page_of, said_of
from api.v1.requests import JSON, KEY, Blueprint, answer, carry_out, describe, query, reads, unless_seen
from ledger import stations
from ledger.codes import AREA_TYPES, LEVELS
from ledger.people.actors import below
from ledger.refusals import Already, Refusal
from ledger.repeats import Answer
from ledger.stations import Station
from ledger.tables import PolicyRow, StationRow, table
from ledger.transactions import WriteTransaction

blueprint = Blueprint("api_stations", __name__, url_prefix="/api/v1", description="站点和规则")
_STATION, _POLICY = table(StationRow), table(PolicyRow)
_SHOWN = ("code", "name", "level", "parent", "area_type", "valid_from", "closed_on")
_POINTERS = {"级别": "#/level", "上级编码": "#/parent"}


class Population(ma.Schema):
    """A population in force."""

    population = fields.Integer(required=True, metadata={"description": "常住人口"})
    counted_on = fields.String(required=True, metadata={"description": "统计日期", "format": "date"})
    source = fields.String(required=True, metadata={"description": "数据来源"})


class StationShown(ma.Schema):
    """A unit of the tree."""

    code = fields.String(required=True, metadata={"description": "站点编码"})
    name = fields.String(required=True)
    level = fields.String(required=True, metadata={"description": "级别", "enum": list(LEVELS)})
    parent = fields.String(metadata={"description": "上级编码"})
    area_type = fields.String(metadata={"description": "城乡", "enum": list(AREA_TYPES)})
    valid_from = fields.String(required=True, metadata={"format": "date"})
    closed_on = fields.String(metadata={"description": "撤销日期", "format": "date"})
    population = fields.Nested(Population, metadata={"description": "按 on 那天有效的申报；没有申报过就不写"})
    index = fields.Integer(required=True, metadata={"description": "最近一次登记或变更是账本中第几条"})


class StationsQuery(StationQuery):
    """What the list of units may be asked."""

    level = Choice(LEVELS, required=False, description="只要这一级的")
    on = Day(required=False, description="人口按哪一天；默认今天")


class OnQuery(Schema):
    """A day."""

    on = Day(required=False, description="人口按哪一天；默认今天")


class StationSaid(Schema):
    """A unit as somebody declares it. A population comes with the day it was counted and its source."""

    code = station(description="站点编码")
    name = Text(100, description="名称", example="天鹅湖社区社会服务站")
    level = Choice(LEVELS, description="级别：" + "，".join(f"{code} {name}" for code, name in LEVELS.items()))
    parent = station(required=False, description="上级编码，要先登记；最高一级不写")
    area_type = Choice(AREA_TYPES, required=False, description="城乡")
    population = Whole(1, 10**9, required=False, description="常住人口")
    counted_on = Day(required=False, description="人口统计日期", example="2025-12-31")
    population_source = Text(200, required=False, description="人口数据来源", example="街道统计")


class Declared(ma.Schema):
    """What came of a declaration."""

    code = fields.String(required=True)
    entries = fields.Integer(required=True, metadata={"description": "为此入账的条数；0 表示与已登记的相同"})


class PolicyShown(ma.Schema):
    """Rules from a day on."""

    policy = fields.String(required=True)
    effective_on = fields.String(required=True, metadata={"description": "从这一天起有效", "format": "date"})
    rules = fields.Dict(required=True, metadata={"description": "各项数字：分钟、工作日、千分比、小时，见名称"})
    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})


_STATIONS, _ON, _SAID, _LIST = StationsQuery(), OnQuery(), StationSaid(), lists.Query()


@blueprint.route("/stations")
@open_to_tokens("stations:read")
@describe(
    "列出站点",
    {200: ("一页站点", {JSON: page_of(StationShown, "StationPage")})},
    parameters=[{"in": "query", "schema": StationsQuery}],
)
def listing() -> Response:
    """List units."""
    said = query(_STATIONS)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        statement = select(_STATION)
        if "station" in said:
            statement = statement.where(_STATION.c.code.in_(below(tx.connection, said["station"])))
        if "level" in said:
            statement = statement.where(_STATION.c.level == said["level"])
        rows = tx.connection.execute(lists.page(statement, _STATION.c.entry_index, said)).all()
        people = stations.populations(tx.connection, said.get("on", tx.today).isoformat())
        return lists.answer_page(rows, said, lambda row: row.entry_index, lambda kept: [_shown(row, people) for row in kept], headers)


@blueprint.route("/stations/<string(maxlength=20):code>")
@open_to_tokens("stations:read")
@describe("读一个站点", {200: ("站点", {JSON: StationShown})}, parameters=[{"in": "query", "schema": OnQuery}])
def one(code: str) -> Response:
    """Show a unit."""
    said = query(_ON)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        found = stations.population(tx.connection, code, said.get("on", tx.today).isoformat())
        return answer(_shown(stations.get(tx.connection, code), {code: found} if found else {}), headers=headers)


@blueprint.route("/stations", methods=["POST"])
@open_to_tokens("stations:write")
@describe(
    "登记站点或申报人口",
    {201: ("已登记", {JSON: Declared}), 200: ("这个编号的请求早已办过：第一次的答复", {JSON: Declared})},
    description="编码没有登记过就登记；登记过就记下名称、上级、城乡的变更；写了人口就申报人口，人口三项要一起写。",
    parameters=[KEY],
)
@reads(_SAID)
def declare(said: dict[str, Any]) -> Response:
    """Declare a unit."""
    given = {"population", "counted_on", "population_source"} & said.keys()
    if given and len(given) < 3:
        missing = sorted({"population", "counted_on", "population_source"} - given)
        raise Problem("invalid", "人口、统计日期和来源要一起写", [{"pointer": f"#/{name}", "detail": "缺少这个字段"} for name in missing])
    if "counted_on" in said:
        said["counted_on"] = str(said["counted_on"])

    def work(tx: WriteTransaction) -> Answer:
        found = stations.declare(tx, Station(**{"parent": None, **said}))
        if isinstance(found, Refusal):
            raise refused(found, _POINTERS)
        return {"code": said["code"], "entries": 0 if isinstance(found, Already) else found}

    return carry_out(work, lambda found: f"/api/v1/stations/{found['code']}")


@blueprint.route("/policies")
@open_to_tokens("stations:read")
@describe(
    "列出规则",
    {200: ("一页规则", {JSON: page_of(PolicyShown, "PolicyPage")})},
    description="每项规则从 effective_on 起有效，直到同名的下一项；旧的事实按旧规则。",
    parameters=[{"in": "query", "schema": lists.Query}],
)
def policies() -> Response:
    """List the rules adopted."""
    said = query(_LIST)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        rows = tx.connection.execute(lists.page(select(_POLICY), _POLICY.c.entry_index, said)).all()
    return lists.answer_page(
        rows,
        said,
        lambda row: row.entry_index,
        lambda kept: [said_of(row, ("policy", "effective_on"), rules=orjson.loads(row.rules), index=row.entry_index) for row in kept],
        headers,
    )


def _shown(row: Any, people: Mapping[str, Any]) -> dict[str, Any]:
    found = people.get(row.code)
    population = said_of(found, ("population", "counted_on", "source")) if found else None
    return said_of(row, _SHOWN, population=population, index=row.entry_index)
