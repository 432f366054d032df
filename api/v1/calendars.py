"""/calendars: the working days of a year, as terms of days are counted by; and adopting what the State Council announced for one."""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from api.auth import ledger, open_to_tokens
from api.v1.fields import Day, Schema, Several, Text, Whole
from api.v1.requests import JSON, KEY, Blueprint, answer, carry_out, describe, reads, unless_seen
from ledger import workdays
from ledger.errors import NotFound
from ledger.repeats import Answer
from ledger.transactions import WriteTransaction
from ledger.workdays import FIRST_YEAR, LAST_YEAR

blueprint = Blueprint("api_calendars", __name__, url_prefix="/api/v1/calendars", description="工作日历")
SWAPPED_MAX = 60


class YearShown(ma.Schema):
    """A year's swapped days: all other weekdays are worked, all other weekend days are not."""

    year = fields.Integer(required=True)
    rest = fields.List(fields.String(metadata={"format": "date"}), required=True, metadata={"description": "放假的工作日"})
    work = fields.List(fields.String(metadata={"format": "date"}), required=True, metadata={"description": "上班的周末"})
    source = fields.String(metadata={"description": "公告的名称和文号；没有就是程序自带的"})
    index = fields.Integer(metadata={"description": "采用它的是账本中第几条"})


class YearSaid(Schema):
    """A year as it was announced."""

    year = Whole(FIRST_YEAR, LAST_YEAR, description="年份", example=2027)
    rest = Several(Day(), SWAPPED_MAX, 1, description="放假的工作日", example=["2027-01-01"])
    work = Several(Day(), SWAPPED_MAX, description="上班的周末", example=["2027-02-06"])
    source = Text(300, description="公告的名称和文号", example="国办发明电〔2026〕7 号")


class YearAdopted(ma.Schema):
    """The entry that adopted a year."""

    year = fields.Integer(required=True)
    index = fields.Integer(required=True, metadata={"description": "是账本中第几条"})


_SAID = YearSaid()


@blueprint.route(f"/<int(min={FIRST_YEAR}, max={LAST_YEAR}):year>")
@open_to_tokens("stations:read")
@describe("读一年的工作日历", {200: ("调休的日子", {JSON: YearShown})}, description="还没有录入的年份答 404：工作日从不猜测。")
def one(year: int) -> Response:
    """Show a year."""
    with ledger().read() as tx:
        headers = unless_seen(tx)
        known = workdays.calendar(tx.connection)
    if not known.knows(year):
        raise NotFound(f"{year} 年的工作日历还没有录入")
    rest, work = known.swapped(year)
    said: dict[str, Any] = {"year": year, "rest": [day.isoformat() for day in rest], "work": [day.isoformat() for day in work]}
    if adopted := known.adopted.get(year):
        said |= {"source": adopted.source, "index": adopted.entry_index}
    return answer(said, headers=headers)


@blueprint.route("", methods=["POST"])
@open_to_tokens("stations:write")
@describe(
    "采用一年的工作日历",
    {201: ("已入账，从现在起按它推算", {JSON: YearAdopted}), 200: ("这个编号的请求早已办过：第一次的答复", {JSON: YearAdopted})},
    description="以前定下的日期不变。",
    parameters=[KEY],
)
@reads(_SAID)
def adopt(said: dict[str, Any]) -> Response:
    """Adopt a year's announcement."""

    def work(tx: WriteTransaction) -> Answer:
        return {"year": said["year"], "index": workdays.adopt(tx, said["year"], said["rest"], said["work"], said["source"]).index}

    return carry_out(work, lambda found: f"/api/v1/calendars/{found['year']}")
