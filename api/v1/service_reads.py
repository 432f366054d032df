"""GET /service-records: the records as they stand now, corrections and voids applied, in the order in which they were recorded."""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields
from sqlalchemy import select

from api import desk
from api.auth import actor, ledger, open_to_tokens
from api.v1 import lists
from api.v1.activities import local
from api.v1.fields import Choice, Code, Day, number
from api.v1.lists import StationQuery, page_of, said_of
from api.v1.requests import JSON, answer, describe, query, unless_seen
from api.v1.service_records import blueprint
from ledger.bulk import rows_where_in
from ledger.codes import GRADES
from ledger.errors import NotFound
from ledger.kinds.checks import INTEGER_MAX, uuid
from ledger.tables import ServiceRow, table
from ledger.transactions import ReadTransaction

_SERVICE = table(ServiceRow)
_STATUSES = {"recorded": "待审核", "approved": "已审核", "voided": "已作废"}
_STATES = {"waiting": "待审核", "publicity": "公示中", "counted": "已生效", "contested": "有异议，查清以前不计入", "voided": "已作废"}
_SHOWN = (
    "volunteer",
    "activity",
    "station",
    "organisation",
    "minutes",
    "break_minutes",
    "grade",
    "batch",
    "effective_on",
    "recorded_at",
    "changed_by",
)
INDEX = f"/<int(max={INTEGER_MAX}):index>"


class ServiceRecord(ma.Schema):
    """A service record as it stands."""

    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})
    volunteer = fields.String(required=True, metadata={"description": "志愿者编号"})
    activity = fields.String(required=True, metadata={"description": "活动编号"})
    station = fields.String(required=True)
    organisation = fields.String(metadata={"description": "组织编号"})
    start = fields.String(required=True, metadata={"format": "date-time"})
    end = fields.String(required=True, metadata={"format": "date-time"})
    minutes = fields.Integer(required=True, metadata={"description": "计时长的分钟数，休息已除去"})
    break_minutes = fields.Integer(required=True)
    grade = fields.String(required=True, metadata={"enum": list(GRADES)})
    batch = fields.String(required=True, metadata={"description": "这一批的编号", "format": "uuid"})
    status = fields.String(
        required=True, metadata={"description": "，".join(f"{k} {v}" for k, v in _STATES.items()), "enum": list(_STATES)}
    )
    effective_on = fields.String(metadata={"description": "从这一天起计入", "format": "date"})
    recorded_at = fields.String(required=True, metadata={"format": "date-time"})
    changed_by = fields.Integer(metadata={"description": "最近一次更正或作废是账本中第几条"})
    reason = fields.String(metadata={"description": "更正或作废的理由"})


class ServiceRecordsQuery(StationQuery):
    """What the list of service records may be asked."""

    volunteer = number("志愿者", required=False, description="只要这位志愿者的")
    activity = number("活动", required=False, description="只要这个活动的")
    batch = Code(uuid, "应是一批的编号（UUID）", required=False, description="只要这一批的", format="uuid")
    status = Choice(_STATUSES, required=False, description="，".join(f"{k} {v}" for k, v in _STATUSES.items()))
    served_from = Day(required=False, description="从这一天起服务的")
    served_to = Day(required=False, description="到这一天为止服务的")


_QUERY = ServiceRecordsQuery()


@blueprint.route("", methods=["GET"])
@open_to_tokens("service-records:read")
@describe(
    "列出服务记录",
    {200: ("一页服务记录", {JSON: page_of(ServiceRecord, "ServiceRecordPage")})},
    description="按入账先后。留着 cursor，以后就只取新登记的；旧记录的审核、更正可以用 webhook 得知。",
    parameters=[{"in": "query", "schema": ServiceRecordsQuery}],
)
def listing() -> Response:
    """List the records of the units that the token reaches."""
    said = query(_QUERY)
    with ledger().read() as tx:
        headers = unless_seen(tx)
        statement = select(_SERVICE)
        within = lists.within(tx.connection, actor(), "see_station", said.get("station"))
        if within is not None:
            statement = statement.where(_SERVICE.c.station.in_(within))
        for name in ("volunteer", "activity", "batch", "status"):
            if name in said:
                statement = statement.where(_SERVICE.c[name] == said[name])
        if "served_from" in said:
            statement = statement.where(_SERVICE.c.served_on >= said["served_from"].isoformat())
        if "served_to" in said:
            statement = statement.where(_SERVICE.c.served_on <= said["served_to"].isoformat())
        rows = tx.connection.execute(lists.page(statement, _SERVICE.c.entry_index, said)).all()
        return lists.answer_page(rows, said, lambda row: row.entry_index, lambda kept: [_shown(tx, row) for row in kept], headers)


@blueprint.route(INDEX)
@open_to_tokens("service-records:read")
@describe("读一条服务记录", {200: ("服务记录", {JSON: ServiceRecord})})
def one(index: int) -> Response:
    """Show a record."""
    with ledger().read() as tx:
        headers = unless_seen(tx)
        rows = rows_where_in(tx.connection, _SERVICE.c, _SERVICE.c.entry_index, [index])
        missing = f"在您管理的站点里，第 {index} 条不是服务记录"
        if not rows:
            raise NotFound(missing)
        lists.require_seen(tx.connection, actor(), rows[0].station, missing)
        return answer(_shown(tx, rows[0]), headers=headers)


def _shown(tx: ReadTransaction, row: Any) -> dict[str, Any]:
    status = desk.status_on(row, tx.today)
    return said_of(row, _SHOWN, index=row.entry_index, start=local(row.start), end=local(row.end), status=status, reason=row.reason)
