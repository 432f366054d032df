"""/organisations: community social organisations, filed or registered, as the ledger names them; and filing one. Leaders stay in the vault."""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields
from sqlalchemy import select

from api.auth import actor, ledger, open_to_tokens
from api.problems import refused
from api.v1 import lists
from api.v1.fields import Choice, Day, Flag, PersonName, Phone, Schema, Text, station
from api.v1.lists import StationQuery, page_of, said_of
from api.v1.requests import JSON, KEY, Blueprint, answer, carry_out, describe, number_in_path, query, reads, unless_seen
from ledger import organisations, stations
from ledger.codes import CATEGORIES
from ledger.errors import NotFound
from ledger.organisations import Filing
from ledger.refusals import Already, Refusal
from ledger.repeats import Answer
from ledger.tables import OrganisationRow, table
from ledger.transactions import WriteTransaction

blueprint = Blueprint("api_organisations", __name__, url_prefix="/api/v1/organisations", description="组织")
_ORGANISATION = table(OrganisationRow)
_NOT_HERE = "在您管理的站点里没有这个编号的组织"
_BASES = {"filed": "备案", "registered": "登记"}
_SHOWN = ("id", "number", "name", "category", "station", "basis", "since", "expires_on")
_POINTERS = {"备案编号": "#/number", "备案日期": "#/since"}


class Organisation(ma.Schema):
    """An organisation."""

    id = fields.String(required=True, metadata={"description": "组织编号，10 位"})
    number = fields.String(required=True, metadata={"description": "备案或登记的编号"})
    name = fields.String(required=True)
    category = fields.String(required=True, metadata={"enum": list(CATEGORIES)})
    volunteer_organisation = fields.Boolean(required=True, metadata={"description": "是否志愿服务组织"})
    station = fields.String(required=True)
    basis = fields.String(required=True, metadata={"enum": list(_BASES)})
    since = fields.String(required=True, metadata={"format": "date"})
    expires_on = fields.String(metadata={"description": "备案到期的那一天", "format": "date"})
    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})


class OrganisationsQuery(StationQuery):
    """What the list of organisations may be asked."""

    category = Choice(CATEGORIES, required=False, description="只要这一类的")


class OrganisationSaid(Schema):
    """An organisation as somebody files it."""

    number = Text(60, description="备案或登记的编号，不能重复使用", example="皖备2026-018")
    name = Text(100, description="名称", example="天鹅湖互助社")
    category = Choice(CATEGORIES, description="类别：" + "，".join(f"{code} {name}" for code, name in CATEGORIES.items()))
    volunteer_organisation = Flag(description="是否志愿服务组织")
    station = station(description="所属站点编码")
    basis = Choice(_BASES, description="filed 备案，registered 登记")
    since = Day(description="备案或登记的日期", example="2025-10-01")
    leader = PersonName(40, required=False, description="主要负责人姓名；加密保存，不入账本")
    phone = Phone(required=False, description="联系电话；加密保存，不入账本")


class OrganisationFiled(ma.Schema):
    """What came of a filing."""

    id = fields.String(required=True, metadata={"description": "组织编号，10 位"})


_QUERY, _SAID = OrganisationsQuery(), OrganisationSaid()


@blueprint.route("")
@open_to_tokens("organisations:read")
@describe(
    "列出组织",
    {200: ("一页组织", {JSON: page_of(Organisation, "OrganisationPage")})},
    parameters=[{"in": "query", "schema": OrganisationsQuery}],
)
def listing() -> Response:
    """List the organisations of the units that the token reaches."""
    said = query(_QUERY)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        statement = select(_ORGANISATION)
        within = lists.within(tx.connection, actor(), "see_station", said.get("station"))
        if within is not None:
            statement = statement.where(_ORGANISATION.c.station.in_(within))
        if "category" in said:
            statement = statement.where(_ORGANISATION.c.category == said["category"])
        rows = tx.connection.execute(lists.page(statement, _ORGANISATION.c.entry_index, said)).all()
    return lists.answer_page(rows, said, lambda row: row.entry_index, lambda kept: [_shown(row) for row in kept], headers)


@blueprint.route("/<string(length=10):number>")
@open_to_tokens("organisations:read")
@describe("读一个组织", {200: ("组织", {JSON: Organisation})})
def one(number: str) -> Response:
    """Show an organisation."""
    number_in_path(number)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        row = tx.connection.execute(select(_ORGANISATION).where(_ORGANISATION.c.id == number)).one_or_none()
        if row is None:
            raise NotFound(_NOT_HERE)
        lists.require_seen(tx.connection, actor(), row.station, _NOT_HERE)
    return answer(_shown(row), headers=headers)


@blueprint.route("", methods=["POST"])
@open_to_tokens("organisations:write")
@describe(
    "登记组织",
    {
        201: ("已登记", {JSON: OrganisationFiled}),
        200: ("这个编号的请求早已办过：第一次的答复", {JSON: OrganisationFiled}),
    },
    description="备案编号和名称与登记过的相同、日期更新，就是到期重新备案；完全相同的不再登记，答原来的编号。",
    parameters=[KEY],
)
@reads(_SAID)
def file(said: dict[str, Any]) -> Response:
    """File or register an organisation."""
    filing = Filing(
        said["number"],
        said["name"],
        said["category"],
        said["volunteer_organisation"],
        said["station"],
        said["basis"] == "filed",
        said["since"],
        said.get("leader", ""),
        said.get("phone", ""),
    )

    def work(tx: WriteTransaction) -> Answer:
        stations.get(tx.connection, filing.station)
        [found] = organisations.record_many(tx, [filing])
        if isinstance(found, Refusal):
            raise refused(found, _POINTERS)
        if isinstance(found, Already):
            known = select(_ORGANISATION.c.id).where(_ORGANISATION.c.number == filing.number)
            return {"id": tx.connection.execute(known).scalar_one()}
        return {"id": found}

    return carry_out(work, lambda found: f"/api/v1/organisations/{found['id']}")


def _shown(row: Any) -> dict[str, Any]:
    return said_of(row, _SHOWN, volunteer_organisation=bool(row.volunteer_organisation), index=row.entry_index)
