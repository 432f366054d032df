"""/activities: what was done, when and where; a service record always belongs to one."""

from typing import Any

import marshmallow as ma
import orjson
from flask import Response
from marshmallow import fields
from sqlalchemy import select

from api.auth import actor, ledger, open_to_tokens
from api.v1 import lists
from api.v1.fields import Choice, Day, Minute, Schema, Several, Text, number, station
from api.v1.lists import StationQuery, page_of, said_of
from api.v1.requests import JSON, KEY, Blueprint, answer, carry_out, describe, number_in_path, query, reads, unless_seen
from ledger import activities
from ledger.activities import Activity
from ledger.codes import BENEFICIARIES, SERIES, SERVICES
from ledger.errors import NotFound
from ledger.repeats import Answer
from ledger.tables import ActivityRow, table
from ledger.transactions import WriteTransaction

blueprint = Blueprint("api_activities", __name__, url_prefix="/api/v1/activities", description="活动")
_ACTIVITY = table(ActivityRow)
_NOT_HERE = "在您管理的站点里没有这个编号的活动"
_SHOWN = ("id", "station", "organisation", "responsible_unit", "title", "series", "place", "migrated_year")


def _codes(table: dict[str, str]) -> str:
    return "，".join(f"{code} {name}" for code, name in table.items())


class ActivityShown(ma.Schema):
    """An activity."""

    id = fields.String(required=True, metadata={"description": "活动编号，10 位"})
    station = fields.String(required=True)
    organisation = fields.String(metadata={"description": "组织编号"})
    responsible_unit = fields.String(metadata={"description": "没有登记为组织的责任单位"})
    title = fields.String(required=True)
    series = fields.String(required=True, metadata={"enum": list(SERIES)})
    start = fields.String(metadata={"format": "date-time"})
    end = fields.String(metadata={"format": "date-time"})
    place = fields.String()
    beneficiaries = fields.List(fields.String(), required=True, metadata={"description": "服务对象的类别和另写的名称"})
    services = fields.List(fields.String(), required=True, metadata={"description": "服务内容的类别和另写的名称"})
    migrated_year = fields.Integer(metadata={"description": "从旧平台转入的年度"})
    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})


class ActivitiesQuery(StationQuery):
    """What the list of activities may be asked."""

    series = Choice(SERIES, required=False, description="只要这个系列的")
    start_from = Day(required=False, description="从这一天起开始的")
    start_to = Day(required=False, description="到这一天为止开始的")


class ActivitySaid(Schema):
    """An activity as somebody publishes it."""

    station = station(description="登记的站点编码")
    title = Text(100, description="名称", example="看望独居老人")
    series = Choice(SERIES, description=f"系列：{_codes(SERIES)}")
    start = Minute(format="date-time", description="开始，整分钟，带时区", example="2026-03-05T09:00:00+08:00")
    end = Minute(format="date-time", description="结束，整分钟，带时区", example="2026-03-05T11:30:00+08:00")
    organisation = number("组织", required=False, description="组织编号；与 responsible_unit 最多写一个")
    responsible_unit = Text(100, required=False, description="没有登记为组织的责任单位")
    place = Text(200, required=False, description="地点")
    beneficiaries = Several(Choice(BENEFICIARIES), 30, required=False, description=f"服务对象：{_codes(BENEFICIARIES)}")
    services = Several(Choice(SERVICES), 30, required=False, description=f"服务内容：{_codes(SERVICES)}")

    @ma.validates_schema
    def one_unit(self, said: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse two responsible units."""
        if "organisation" in said and "responsible_unit" in said:
            raise ma.ValidationError("组织和责任单位只写一个", "responsible_unit")


class ActivityPublished(ma.Schema):
    """What came of publishing."""

    id = fields.String(required=True, metadata={"description": "活动编号，10 位"})
    new = fields.Boolean(required=True, metadata={"description": "false：同样的活动早已登记，这是它的编号"})


_QUERY, _SAID = ActivitiesQuery(), ActivitySaid()


@blueprint.route("")
@open_to_tokens("activities:read")
@describe(
    "列出活动",
    {200: ("一页活动", {JSON: page_of(ActivityShown, "ActivityPage")})},
    parameters=[{"in": "query", "schema": ActivitiesQuery}],
)
def listing() -> Response:
    """List the activities of the units that the token reaches."""
    said = query(_QUERY)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        statement = select(_ACTIVITY)
        within = lists.within(tx.connection, actor(), "see_station", said.get("station"))
        if within is not None:
            statement = statement.where(_ACTIVITY.c.station.in_(within))
        if "series" in said:
            statement = statement.where(_ACTIVITY.c.series == said["series"])
        if "start_from" in said:
            statement = statement.where(_ACTIVITY.c.start >= said["start_from"].isoformat())
        if "start_to" in said:
            statement = statement.where(_ACTIVITY.c.start < f"{said['start_to']}T24")
        rows = tx.connection.execute(lists.page(statement, _ACTIVITY.c.entry_index, said)).all()
    return lists.answer_page(rows, said, lambda row: row.entry_index, lambda kept: [_shown(row) for row in kept], headers)


@blueprint.route("/<string(length=10):number>")
@open_to_tokens("activities:read")
@describe("读一个活动", {200: ("活动", {JSON: ActivityShown})})
def one(number: str) -> Response:
    """Show an activity."""
    number_in_path(number)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        row = activities.get_many(tx.connection, {number}).get(number)
        if row is None:
            raise NotFound(_NOT_HERE)
        lists.require_seen(tx.connection, actor(), row.station, _NOT_HERE)
    return answer(_shown(row), headers=headers)


@blueprint.route("", methods=["POST"])
@open_to_tokens("activities:write")
@describe(
    "登记活动",
    {
        201: ("已登记，或早已有同样的活动", {JSON: ActivityPublished}),
        200: ("这个编号的请求早已办过：第一次的答复", {JSON: ActivityPublished}),
    },
    description="站点、名称、系列、责任单位和时间都相同的，就是同一个活动。",
    parameters=[KEY],
)
@reads(_SAID)
def publish(said: dict[str, Any]) -> Response:
    """Publish an activity."""
    for name in ("start", "end"):
        said[name] = said[name].isoformat(timespec="minutes")
    activity = Activity(**said)

    def work(tx: WriteTransaction) -> Answer:
        found, new = activities.publish(tx, activity)
        return {"id": found, "new": new}

    return carry_out(work, lambda found: f"/api/v1/activities/{found['id']}")


def local(minute: str | None) -> str | None:
    """Write a local minute of the ledger as RFC 3339."""
    return f"{minute}:00+08:00" if minute is not None else None


def _shown(row: Any) -> dict[str, Any]:
    lists_ = {name: orjson.loads(getattr(row, name)) for name in ("beneficiaries", "services")}
    return said_of(row, _SHOWN, start=local(row.start), end=local(row.end), index=row.entry_index, **lists_)
