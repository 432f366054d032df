"""/parked-rows: hours on a sheet of people who were not registered yet; recorded once they are, or dropped."""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from api.auth import actor, ledger, open_to_tokens
from api.errors import of_ledger_error
from api.problems import refused
from api.v1 import lists, schemas
from api.v1.fields import Code, Schema, Several
from api.v1.lists import StationQuery, page_of, said_of
from api.v1.requests import JSON, KEY, Blueprint, carry_out, describe, query, reads
from ledger import parked
from ledger.errors import LedgerError, NotFound
from ledger.kinds.checks import uuid
from ledger.parked import Waiting
from ledger.people.actors import Actor, units
from ledger.refusals import Refusal
from ledger.repeats import Answer
from ledger.transactions import ReadTransaction, WriteTransaction

blueprint = Blueprint("api_parked", __name__, url_prefix="/api/v1/parked-rows", description="待登记的行")
_SHOWN = ("id", "name", "id_tail", "activity", "start", "end", "station", "parked_at", "volunteer")


class ParkedRow(ma.Schema):
    """A row of a sheet that waits."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    name = fields.String(required=True, metadata={"description": "打码的姓名"})
    activity = fields.String(required=True, metadata={"description": "活动名称"})
    station = fields.String(required=True)
    start = fields.String(required=True, metadata={"description": "当地时间"})
    end = fields.String(required=True, metadata={"description": "当地时间"})
    parked_at = fields.String(required=True, metadata={"format": "date-time"})
    volunteer = fields.String(metadata={"description": "已经登记的，是他的志愿者编号：可以计入了"})


class Ids(Schema):
    """Rows."""

    ids = Several(Code(uuid, "应是待登记行的 id", format="uuid"), 200, 1, description="各行的 id")


class ParkedResult(ma.Schema):
    """What became of one row."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    index = fields.Integer(metadata={"description": "已登记：账本中第几条"})
    problem = fields.Nested(schemas.Problem, metadata={"description": "没有登记，仍然留着"})


class ParkedResults(ma.Schema):
    """What became of the rows."""

    results = fields.List(fields.Nested(ParkedResult), required=True)


_QUERY, _IDS = StationQuery(), Ids()


@blueprint.route("")
@open_to_tokens("service-records:read")
@describe(
    "列出待登记的行",
    {200: ("一页待登记的行，姓名打码", {JSON: page_of(ParkedRow, "ParkedRowPage")})},
    description="签到表上还没有登记为志愿者的人。他们从不因为出现在表上就被登记。",
    parameters=[{"in": "query", "schema": StationQuery}],
)
def listing() -> Response:
    """List what is parked at the units that the token reaches."""
    said = query(_QUERY)
    with ledger().read() as tx:
        rows = sorted(_waiting(tx, actor(), said.get("station")), key=lambda row: row.id)
    rows = [row for row in rows if row.id > said.get("cursor", "")]
    return lists.answer_page(rows, said, lambda row: row.id, lambda kept: [_shown(row) for row in kept])


@blueprint.route("/records", methods=["POST"])
@open_to_tokens("service-records:write")
@describe(
    "把待登记的行计入",
    {201: ("每行的结果", {JSON: ParkedResults}), 200: ("这个编号的请求早已办过：第一次的答复", {JSON: ParkedResults})},
    description="本人登记为志愿者之后才能计入；计入后等另一位审核员审核。",
    parameters=[KEY],
)
@reads(_IDS)
def record(said: dict[str, Any]) -> Response:
    """Record rows whose people have registered."""
    ids = sorted(said["ids"])

    def work(tx: WriteTransaction) -> Answer:
        reached = {row.id for row in _waiting(tx, tx.actor, None)}
        unknown = [one for one in ids if one not in reached]
        if unknown:
            raise NotFound(f"没有 id 为 {unknown[0]} 的待登记行，它可能已经计入，或不在您的站点")
        return {"results": [_result(one, answer) for one, answer in zip(ids, parked.record(tx, ids), strict=True)]}

    return carry_out(work)


@blueprint.route("/<uuid:row>", methods=["DELETE"])
@open_to_tokens("service-records:write")
@describe("去掉一行待登记的", {204: ("已去掉", {})})
def drop(row: Any) -> Response:
    """Take a row off the list."""

    def work(tx: WriteTransaction) -> None:
        if str(row) not in {one.id for one in _waiting(tx, tx.actor, None)}:
            raise NotFound("没有这一行，它可能已经计入或去掉")
        parked.drop(tx, str(row))

    ledger().write(work, actor())
    return Response(status=204)


def _waiting(tx: ReadTransaction, who: Actor, station: str | None) -> list[Waiting]:
    within = lists.within(tx.connection, who, "see_station", station)
    return parked.waiting(tx, sorted(within if within is not None else units(tx.connection, who, "see_station")))


def _shown(row: Waiting) -> dict[str, Any]:
    return said_of(row, tuple(name for name in _SHOWN if name in row.__dataclass_fields__))


def _result(one: str, answer: Any) -> dict[str, Any]:
    if isinstance(answer, Refusal):
        return {"id": one, "problem": refused(answer, {}).members()}
    if isinstance(answer, LedgerError):
        return {"id": one, "problem": of_ledger_error(answer).members()}
    return {"id": one, "index": answer.index}
