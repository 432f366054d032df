"""
Credit records beside services: reading a volunteer's, and writing down trainings, evaluations and awards.

What takes two people (awards) is asked for here and decided on the page, where the second person sees the paper; so are conduct and organisations' lists.
"""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from api.auth import ledger, open_to_tokens
from api.v1 import schemas
from api.v1.fields import Choice, Day, Schema, Several, Text, Whole, number, station
from api.v1.lists import said_of
from api.v1.requests import JSON, KEY, Blueprint, answer, carry_out, describe, reads, unless_seen
from api.v1.volunteers import visible
from ledger.entries import b64
from ledger.errors import InvalidRequest
from ledger.kinds.credit import AWARD_LEVELS, EVALUATORS, MINUTES_MAX, PEOPLE_MAX, QUALITIES, REASON_MAX, REMARK_MAX, SENSES, TITLE_MAX
from ledger.log import Receipt
from ledger.record import awards, conduct, evaluations, reading, subjects, trainings
from ledger.record.awards import WITH_PAPER, Award
from ledger.record.evaluations import Judged
from ledger.record.trainings import Training
from ledger.repeats import Answer
from ledger.transactions import WriteTransaction

blueprint = Blueprint("api_credit_records", __name__, url_prefix="/api/v1", description="信用记录：培训、评价、奖励、守信失信")
_LEVELS = {code: name for code, name in AWARD_LEVELS.items() if code not in WITH_PAPER}
_AGAIN = "这个编号的请求早已办过：第一次的答复"


def _table(codes: dict[str, str]) -> dict[str, Any]:
    return {"description": "，".join(f"{code} {name}" for code, name in codes.items()), "enum": list(codes)}


class _Of(ma.Schema):
    """What every fact of a record has."""

    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})
    station = fields.String(required=True, metadata={"description": "登记的站点"})
    stands = fields.Boolean(required=True, metadata={"description": "false：已作废、撤销、修复或过期"})


class TrainingShown(_Of):
    """A training."""

    title = fields.String(required=True)
    content = fields.String(required=True)
    minutes = fields.Integer(required=True, metadata={"description": "学习分钟数，不是服务时长"})
    organiser = fields.String(required=True)
    trained_on = fields.String(required=True, metadata={"format": "date"})


class EvaluationShown(_Of):
    """An evaluation."""

    activity = fields.String(required=True, metadata={"description": "活动编号"})
    quality = fields.String(required=True, metadata=_table(QUALITIES))
    by = fields.String(required=True, metadata=_table(EVALUATORS))
    evaluated_on = fields.String(required=True, metadata={"format": "date"})
    late = fields.Boolean(required=True, metadata={"description": "true：过期补评"})
    remark = fields.String()


class AwardShown(_Of):
    """An award."""

    title = fields.String(required=True)
    unit = fields.String(required=True)
    level = fields.String(required=True, metadata=_table(AWARD_LEVELS))
    granted_on = fields.String(required=True, metadata={"format": "date"})
    evidence = fields.String(metadata={"description": "证书的 SHA-256，base64"})


class ConductShown(_Of):
    """An item of conduct."""

    item = fields.String(required=True, metadata={"description": "行为的代码"})
    sense = fields.String(required=True, metadata=_table(SENSES))
    occurred_on = fields.String(required=True, metadata={"format": "date"})
    reason = fields.String(required=True)
    basis = fields.String(metadata={"description": "法律或国务院文件的依据"})
    expires_on = fields.String(metadata={"format": "date"})


class CreditRecord(ma.Schema):
    """A volunteer's record beside services, newest first."""

    volunteer = fields.String(required=True)
    training_minutes = fields.Integer(required=True, metadata={"description": "有效的学习分钟数"})
    trainings = fields.List(fields.Nested(TrainingShown), required=True)
    evaluations = fields.List(fields.Nested(EvaluationShown), required=True)
    awards = fields.List(fields.Nested(AwardShown), required=True)
    conduct = fields.List(fields.Nested(ConductShown), required=True)


class TrainingSaid(Schema):
    """A training, and who was there."""

    station = station(description="哪个站点登记")
    title = Text(TITLE_MAX, description="培训名称", example="急救员培训")
    content = Text(REASON_MAX, description="主要内容", example="心肺复苏、创伤包扎")
    minutes = Whole(1, MINUTES_MAX, description="学习分钟数", example=180)
    organiser = Text(TITLE_MAX, description="培训单位", example="区红十字会")
    trained_on = Day(description="培训日期")
    volunteers = Several(number("志愿者"), PEOPLE_MAX, 1, description="参加的人，志愿者编号")
    organisation = number("组织", required=False, description="由哪个组织办")


class EvaluationSaid(Schema):
    """How well one person served in an activity."""

    activity = number("活动", description="活动编号")
    volunteer = number("志愿者", description="志愿者编号", example="K7M2Q9XP4R")
    quality = Choice(QUALITIES, description=_table(QUALITIES)["description"])
    by = Choice(EVALUATORS, required=False, description=_table(EVALUATORS)["description"], default="organiser")
    evaluated_on = Day(required=False, description="评价日期，默认今天")
    remark = Text(REMARK_MAX, required=False, description="说明，本人看得到；不合格必须写")


class AwardSaid(Schema):
    """An award that needs no paper."""

    volunteer = number("志愿者", description="志愿者编号", example="K7M2Q9XP4R")
    title = Text(TITLE_MAX, description="奖励名称", example="优秀志愿者")
    unit = Text(TITLE_MAX, description="颁发单位", example="竹荫里社区居委会")
    level = Choice(_LEVELS, description=_table(_LEVELS)["description"] + "。区县级以上要附证书，请在页面上交")
    granted_on = Day(description="颁发日期")


class TrainingMade(schemas.Receipt):
    """What came of a training."""

    recorded = fields.Integer(required=True, metadata={"description": "登记了几人"})
    already = fields.List(fields.String(), required=True, metadata={"description": "以前登记过这次培训的志愿者，没有重复登记"})


class AwardAsked(ma.Schema):
    """An award that waits for a second person."""

    id = fields.String(required=True, metadata={"description": "这一件待办的编号", "format": "uuid"})


_TRAINING, _EVALUATION, _AWARD = TrainingSaid(), EvaluationSaid(), AwardSaid()


@blueprint.route("/volunteers/<string(length=10):number>/record")
@open_to_tokens("volunteers:read")
@describe("读一位志愿者的信用记录", {200: ("服务时长以外的各块", {JSON: CreditRecord})}, description="服务时长见 credit。")
def record_of(number: str) -> Response:
    """Show a volunteer's record."""
    with ledger().read() as tx:
        headers = unless_seen(tx)
        known = visible(tx, number).row.number
        found = reading.of_person(tx, known)
        today = tx.today
    said = {
        "volunteer": known,
        "training_minutes": found.training_minutes,
        "trainings": [_said(row, TrainingShown, stands=not row.voided_by) for row in found.trainings],
        "evaluations": [_said(one.row, EvaluationShown, stands=not one.row.voided_by, late=one.late) for one in found.evaluations],
        "awards": [_said(row, AwardShown, stands=not row.withdrawn_by) for row in found.awards],
        "conduct": [_said(row, ConductShown, stands=conduct.standing(row, today) == "force") for row in found.conduct],
    }
    return answer(said, headers=headers)


def _said(row: Any, schema: type[ma.Schema], **more: Any) -> dict[str, Any]:
    names = [name for name in schema().fields if name not in ("index", *more)]
    return said_of(row, names, index=row.entry_index, **more)


@blueprint.route("/trainings", methods=["POST"])
@open_to_tokens("service-records:write")
@describe(
    "登记一次培训",
    {201: ("已登记", {JSON: TrainingMade}), 200: (_AGAIN, {JSON: TrainingMade})},
    description="一次最多 400 人。以前登记过同一天、同名培训的人不会重复登记；全都登记过的会退回。",
    parameters=[KEY],
)
@reads(_TRAINING)
def train(said: dict[str, Any]) -> Response:
    """Record a training."""
    people = said.pop("volunteers")
    training = Training(**said)

    def work(tx: WriteTransaction) -> Answer:
        done = trainings.record(tx, training, people)
        if done.receipt is None:
            raise InvalidRequest("名单上的人以前都登记过这次培训了，没有重复登记")
        return _receipt(done.receipt) | {"recorded": len(done.people), "already": sorted(done.already)}

    return carry_out(work)


@blueprint.route("/evaluations", methods=["POST"])
@open_to_tokens("service-records:write")
@describe(
    "登记一个人在一次活动里的评价",
    {201: ("已登记", {JSON: schemas.Receipt}), 200: (_AGAIN, {JSON: schemas.Receipt})},
    description="活动结束后十个工作日内；过期的也收，会标明。",
    parameters=[KEY],
)
@reads(_EVALUATION)
def evaluate(said: dict[str, Any]) -> Response:
    """Record an evaluation."""
    judged = {said["volunteer"]: Judged(said["quality"], said.get("remark", ""))}

    def work(tx: WriteTransaction) -> Answer:
        made = evaluations.record_many(tx, said["activity"], judged, by=said.get("by", "organiser"), evaluated_on=said.get("evaluated_on"))
        if not made:
            raise InvalidRequest("这个人在这次活动里已经评过了。评错了的，先在页面上作废")
        return _receipt(made[0])

    return carry_out(work)


@blueprint.route("/awards", methods=["POST"])
@open_to_tokens("volunteers:write")
@describe(
    "提出登记一项奖励",
    {201: ("等另一位工作人员对照证书核实", {JSON: AwardAsked}), 200: (_AGAIN, {JSON: AwardAsked})},
    description="只收不用附证书的级别。第二个人在页面上决定。",
    parameters=[KEY],
)
@reads(_AWARD)
def award(said: dict[str, Any]) -> Response:
    """Ask that an award is entered."""
    with ledger().read() as tx:
        found = visible(tx, said.pop("volunteer")).row.number
    made = Award(**said)
    return carry_out(lambda tx: {"id": awards.ask(tx, subjects.person(tx, found), made)})


def _receipt(receipt: Receipt) -> dict[str, Any]:
    made = {"index": receipt.index, "id": receipt.id, "leaf": b64(receipt.leaf), "short_hash": receipt.short_hash}
    return made | {"recorded_at": receipt.recorded_at, "size": receipt.index + 1}
