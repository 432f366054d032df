"""
/volunteers: who is registered, by number and masked name; finding somebody by ID number; registering; and what credit somebody has.

No name and no number of an identity card ever stands in an address or an answer. Whether somebody is registered at another station is not told.
"""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields
from sqlalchemy import select

from api.auth import actor, ledger, open_to_tokens
from api.problems import Problem, refused
from api.v1 import lists
from api.v1.activities import local
from api.v1.fields import Choice, IdNumber, PersonName, Phone, Schema, Text, station
from api.v1.lists import StationQuery, page_of, said_of
from api.v1.requests import JSON, KEY, Blueprint, answer, answer_changing, carry_out, describe, number_in_path, query, reads, unless_seen
from ledger import credit, stations
from ledger.codes import GRADES, SERIES
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.kinds.people import LEAVING
from ledger.people import identity, volunteers
from ledger.people.actors import require
from ledger.people.volunteers import Known, Registration
from ledger.refusals import Already, Refusal
from ledger.repeats import Answer
from ledger.rules import adopting, answers
from ledger.rules.explaining import STATES
from ledger.tables import VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

blueprint = Blueprint("api_volunteers", __name__, url_prefix="/api/v1/volunteers", description="志愿者")
_VOLUNTEER = table(VolunteerRow)
_SHOWN = ("number", "station", "registered_on", "basis", "confirmed_on", "backbone_on", "left_on", "left_as", "merged_into")
_POINTERS = {"身份证号": "#/id_number", "姓名": "#/name", "注册日期": "#"}
_NOT_HERE = "在您管理的站点里没有查到。请核对号码；也可能登记在别的站点，或还没有登记"


class Volunteer(ma.Schema):
    """A volunteer, masked."""

    number = fields.String(required=True, metadata={"description": "志愿者编号，10 位"})
    name = fields.String(required=True, metadata={"description": "打码的姓名"})
    station = fields.String(required=True, metadata={"description": "所属站点"})
    registered_on = fields.String(required=True, metadata={"format": "date"})
    basis = fields.String(required=True, metadata={"description": "怎样登记的", "enum": ["self", "clerk", "roster"]})
    confirmed_on = fields.String(metadata={"description": "本人确认的日期；没有就是还没有确认", "format": "date"})
    backbone_on = fields.String(metadata={"description": "列为骨干的日期", "format": "date"})
    left_on = fields.String(metadata={"description": "不再是志愿者的日期", "format": "date"})
    left_as = fields.String(metadata={"description": "不再是志愿者的原因", "enum": [*LEAVING, "merged", "erased"]})
    merged_into = fields.String(metadata={"description": "重复登记合并后保留的编号"})
    index = fields.Integer(required=True, metadata={"description": "登记是账本中第几条"})


class VolunteersQuery(StationQuery):
    """What the list of volunteers may be asked."""

    confirmed = Choice({"yes": "确认过", "no": "没有确认"}, required=False, description="yes 只要本人确认过的，no 只要还没有确认的")


class IdNumberSaid(Schema):
    """Whom to find."""

    id_number = IdNumber(description="公民身份号码，18 位。只放在正文里，不要放进网址")


class RegistrationSaid(Schema):
    """A person as a station registers them."""

    name = PersonName(40, description="姓名；加密保存，不入账本")
    id_number = IdNumber(description="公民身份号码，18 位；加密保存，不入账本")
    station = station(description="所属站点编码")
    phone = Phone(required=False, description="联系电话；加密保存，不入账本")
    sex = Choice({"男": "男", "女": "女"}, required=False, description="性别；加密保存，不入账本")


class Registered(ma.Schema):
    """What came of a registration."""

    number = fields.String(required=True, metadata={"description": "志愿者编号，10 位"})
    new = fields.Boolean(required=True, metadata={"description": "false：这个人在这个站点早已登记"})


class CreditItem(ma.Schema):
    """One service record, as credit counts it."""

    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})
    start = fields.String(required=True, metadata={"format": "date-time"})
    end = fields.String(required=True, metadata={"format": "date-time"})
    minutes = fields.Integer(required=True)
    activity = fields.String(required=True, metadata={"description": "活动名称"})
    series = fields.String(required=True, metadata={"enum": list(SERIES)})
    station = fields.String(required=True, metadata={"description": "登记站点的名称"})
    grade = fields.String(required=True, metadata={"enum": list(GRADES)})
    status = fields.String(
        required=True, metadata={"description": "counted 已计入，publicity 公示中，waiting 待审核，contested 有异议，voided 已作废"}
    )
    counts_from = fields.String(metadata={"description": "从这一天起计入", "format": "date"})
    reason = fields.String(metadata={"description": "更正或作废的理由"})


class Credit(ma.Schema):
    """Somebody's credit today: *minutes* is the sum of *records*."""

    volunteer = fields.String(required=True)
    minutes = fields.Integer(required=True, metadata={"description": "records 各条分钟数之和"})
    star = fields.Integer(required=True, metadata={"description": "星级，0 到 5"})
    minutes_to_next_star = fields.Integer()
    by_series = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    by_grade = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    by_year = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    records = fields.List(fields.Nested(CreditItem), required=True, metadata={"description": "计入的"})
    others = fields.List(fields.Nested(CreditItem), required=True, metadata={"description": "还没有计入或不计入的"})


class RulesQuery(Schema):
    """Which rules to go by."""

    rules = Text(40, required=False, description="规则的名称；默认 star，即星级", example="star")


class Explanation(ma.Schema):
    """How credit came about."""

    rules = fields.Dict(required=True, metadata={"description": "哪一份规则、第几版、从哪天起、依据什么"})
    on = fields.String(required=True, metadata={"format": "date"})
    minutes = fields.Integer(required=True, metadata={"description": "规则认可的时长"})
    points = fields.Integer(required=True, metadata={"description": "积分，百分之一分"})
    status = fields.String(required=True, metadata={"enum": list(STATES)})
    status_words = fields.String(required=True)
    scales = fields.List(fields.Dict(), required=True, metadata={"description": "各等级：现在第几级，每一级的条件、现有、还差"})
    eligible = fields.List(fields.Dict(), required=True, metadata={"description": "评级的前提"})
    effects = fields.List(fields.Dict(), required=True, metadata={"description": "正在起作用的失信后果、依据、期限、怎么恢复"})
    benefits = fields.List(fields.Dict(), required=True)
    account = fields.Dict(required=True, metadata={"description": "积分账户：得到、扣掉、用掉、过期、还有"})
    account_minutes = fields.Integer(required=True)
    surplus_minutes = fields.Integer(required=True)
    lines = fields.List(fields.Dict(), required=True, metadata={"description": "每一条事实"})


_RULES = RulesQuery()
_QUERY, _FIND, _SAID = VolunteersQuery(), IdNumberSaid(), RegistrationSaid()
_NUMBER = "/<string(length=10):number>"


@blueprint.route("")
@open_to_tokens("volunteers:read")
@describe(
    "列出志愿者",
    {200: ("一页志愿者，姓名打码", {JSON: page_of(Volunteer, "VolunteerPage")})},
    parameters=[{"in": "query", "schema": VolunteersQuery}],
)
def listing() -> Response:
    """List the volunteers of the units that the token reaches."""
    said = query(_QUERY)
    with ledger().read() as tx:
        statement = select(_VOLUNTEER)
        within = lists.within(tx.connection, actor(), "see_station", said.get("station"))
        if within is not None:
            statement = statement.where(_VOLUNTEER.c.station.in_(within))
        if "confirmed" in said:
            unsure = _VOLUNTEER.c.confirmed_on.is_(None)
            statement = statement.where(unsure if said["confirmed"] == "no" else ~unsure)
        rows = tx.connection.execute(lists.page(statement, _VOLUNTEER.c.entry_index, said)).all()
        names = volunteers.masked_names(tx, [row.number for row in rows])
    return lists.answer_page(rows, said, lambda row: row.entry_index, lambda kept: [_shown(row, names[row.number]) for row in kept])


@blueprint.route(_NUMBER)
@open_to_tokens("volunteers:read")
@describe("读一位志愿者", {200: ("志愿者，姓名打码", {JSON: Volunteer})})
def one(number: str) -> Response:
    """Show a volunteer."""
    with ledger().read() as tx:
        person = visible(tx, number)
    return answer_changing(_shown(person.row, person.masked_name))


@blueprint.route("/find", methods=["POST"])
@open_to_tokens("volunteers:read")
@describe(
    "按身份证号查找志愿者",
    {200: ("志愿者，姓名打码", {JSON: Volunteer})},
    description="身份证号放在正文里，网址和日志里都没有它。别的站点的人答 404，与没有登记一样。",
)
@reads(_FIND)
def find(said: dict[str, Any]) -> Response:
    """Find a volunteer by ID number."""
    with ledger().read() as tx:
        id_number = _checked(tx, said["id_number"])
        found = volunteers.find_by_id_numbers(tx, [id_number]).get(id_number)
        if found is None:
            raise NotFound(_NOT_HERE)
        person = _allowed(tx, found)
    return answer(_shown(person.row, person.masked_name))


@blueprint.route("", methods=["POST"])
@open_to_tokens("volunteers:write")
@describe(
    "登记志愿者",
    {
        201: ("已登记，等本人确认；或早已登记", {JSON: Registered}),
        200: ("这个编号的请求早已办过：第一次的答复", {JSON: Registered}),
    },
    description="登记前要告知本人并取得同意；登记后由本人确认。同一身份证号只能登记一次。",
    parameters=[KEY],
)
@reads(_SAID)
def register(said: dict[str, Any]) -> Response:
    """Register somebody, on a clerk's word."""

    def work(tx: WriteTransaction) -> Answer:
        stations.get(tx.connection, said["station"])
        id_number = _checked(tx, said["id_number"])
        person = Registration(said["name"], id_number, said["station"], tx.today, "clerk", said.get("phone", ""), said.get("sex", ""))
        [found] = volunteers.register_many(tx, [person])
        if isinstance(found, Refusal):
            raise refused(found, _POINTERS)
        if isinstance(found, Already):
            return {"number": volunteers.find_by_id_numbers(tx, [id_number])[id_number].row.number, "new": False}
        return {"number": found, "new": True}

    return carry_out(work, lambda found: f"/api/v1/volunteers/{found['number']}")


@blueprint.route(f"{_NUMBER}/credit")
@open_to_tokens("volunteers:read")
@describe("读一位志愿者的时长", {200: ("时长和每一条", {JSON: Credit})}, description="总数就是下面计入的各条之和。")
def credit_of(number: str) -> Response:
    """Show somebody's credit."""
    with ledger().read() as tx:
        headers = unless_seen(tx)
        person = visible(tx, number)
        found = credit.statement(tx, person.row.number)
    names = ("volunteer", "minutes", "star", "minutes_to_next_star", "by_series", "by_grade", "by_year")
    items = {name: [_item(one) for one in getattr(found, name)] for name in ("records", "others")}
    return answer(said_of(found, names, **items), headers=headers)


@blueprint.route(f"{_NUMBER}/credit/explanation")
@open_to_tokens("volunteers:read")
@describe(
    "读一位志愿者的星级、积分是怎么来的",
    {200: ("逐条说明", {JSON: Explanation})},
    description="按一份正在执行的信用规则：每条事实给了多少、按哪一项、被哪个上限减掉、累计到多少；每一级要什么、还差什么。积分以百分之一分为单位。",
    parameters=[{"in": "query", "schema": RulesQuery}],
)
def explanation_of(number: str) -> Response:
    """Explain somebody's credit by a rule set."""
    said = query(_RULES)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        found = answers.explained(tx, visible(tx, number).row.number, said.get("rules") or adopting.STAR)
    return answer(found.said(), headers=headers)


def _checked(tx: ReadTransaction, id_number: str) -> str:
    try:
        return identity.check_id_number(id_number, today=tx.today)
    except InvalidRequest as refusal:
        raise Problem("id_checksum", str(refusal), [{"pointer": "#/id_number", "detail": str(refusal)}]) from None


def visible(tx: ReadTransaction, number: str) -> Known:
    """Give a volunteer of the units that the token reaches. Raises NotFound for all others alike."""
    try:
        return _allowed(tx, volunteers.get(tx, number_in_path(number)))
    except (NotFound, InvalidRequest):
        raise NotFound(_NOT_HERE) from None


def _allowed(tx: ReadTransaction, person: Known) -> Known:
    try:
        require(tx.connection, actor(), "see_station", person.row.station)
    except NotAllowed:
        raise NotFound(_NOT_HERE) from None
    return person


def _shown(row: Any, name: str) -> dict[str, Any]:
    return said_of(row, _SHOWN, name=name, index=row.entry_index)


def _item(one: credit.Item) -> dict[str, Any]:
    names = ("index", "minutes", "activity", "series", "station", "grade", "status", "counts_from", "reason")
    return said_of(one, names, start=local(one.start), end=local(one.end))
