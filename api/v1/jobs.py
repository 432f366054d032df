"""/jobs: how what runs by the clock stands."""

import marshmallow as ma
from flask import Response
from marshmallow import fields
from sqlalchemy import select

from api.auth import actor, ledger, open_to_tokens
from api.v1 import lists
from api.v1.lists import Query, page_of, said_of
from api.v1.requests import JSON, Blueprint, describe, query
from ledger.people.actors import require
from ledger.tables import JobRunRow, table

blueprint = Blueprint("api_jobs", __name__, url_prefix="/api/v1/jobs", description="定时任务")
_RUN = table(JobRunRow)
_SHOWN = ("job", "business_date", "state", "started_at", "finished_at", "attempt", "remark")


class JobRun(ma.Schema):
    """The newest run of a job."""

    job = fields.String(required=True)
    business_date = fields.String(required=True, metadata={"format": "date"})
    state = fields.String(required=True, metadata={"enum": ["running", "done", "failed"]})
    started_at = fields.String(required=True, metadata={"format": "date-time"})
    finished_at = fields.String(metadata={"description": "最近一次成功", "format": "date-time"})
    attempt = fields.Integer(required=True)
    remark = fields.String(metadata={"description": "最近一次失败的时间和原因"})


_QUERY = Query()


@blueprint.route("")
@open_to_tokens("jobs:read")
@describe(
    "查看定时任务",
    {200: ("每个任务最近的一次", {JSON: page_of(JobRun, "JobPage")})},
    parameters=[{"in": "query", "schema": Query}],
)
def listing() -> Response:
    """List the newest run of each job."""
    said = query(_QUERY)
    with ledger().read() as tx:
        require(tx.connection, actor(), "manage_accounts", None)
        rows = tx.connection.execute(select(_RUN).order_by(_RUN.c.business_date)).all()
    newest = sorted({row.job: row for row in rows}.items())
    start = int(said["cursor"]) + 1 if said.get("cursor", "").isdecimal() else 0
    page = list(enumerate(row for _, row in newest))[start : start + said.get("limit", lists.LIMIT) + 1]
    return lists.answer_page(page, said, lambda row: row[0], lambda kept: [said_of(row, _SHOWN) for _, row in kept])
