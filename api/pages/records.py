"""One service record: how it stands, and how staff put it right, by a correction or a void with a reason."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api import desk
from api.auth import STAFF, actor, ledger, open_to
from ledger import activities, stations
from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.kinds.service import CLAIMS, FINDINGS
from ledger.people import accounts, volunteers
from ledger.people.actors import require
from ledger.service import amending, objections, records
from ledger.service.drafts import duration
from ledger.tables import ServiceRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

blueprint = Blueprint("records", __name__, url_prefix="/records")
REASON_MIN, REASON_MAX = 2, 200
_SERVICE = table(ServiceRow)


def _load(tx: ReadTransaction, index: int) -> Any:
    row = next(iter(rows_where_in(tx.connection, _SERVICE.c, _SERVICE.c.entry_index, [index])), None)
    if row is None:
        raise NotFound(f"第 {index} 条不是服务记录")
    require(tx.connection, actor(), "see_station", row.station)
    return row


def _page(index: int, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        row = _load(tx, index)
        seen: dict[str, Any] = {
            "row": row,
            "name": volunteers.masked_names(tx, [row.volunteer])[row.volunteer],
            "activity": activities.get_many(tx.connection, {row.activity})[row.activity],
            "station": stations.get(tx.connection, row.station),
            "state": desk.status_on(row, tx.today),
            "objected": objections.of_record(tx.connection, index),
            "first": records.as_recorded(tx.connection, [index])[index],
        }
        people = {row.recorder, row.second, row.approved_by, row.corrected_by} - {None}
        seen["logins"] = accounts.logins(tx.connection, people)
    return render_template("record.html", problem=problem, said=request.form, CLAIMS=CLAIMS, FINDINGS=FINDINGS, **seen), status


@blueprint.get("/<int(max=9007199254740991):index>")
@open_to(*STAFF)
def one(index: int) -> ResponseReturnValue:
    """Show a record with the two forms."""
    return _page(index)


@blueprint.post("/<int(max=9007199254740991):index>/correct")
@open_to(*STAFF)
def correct(index: int) -> ResponseReturnValue:
    """Say what the times really were."""
    try:
        start, end = (_moment(request.form.get(name, "")) for name in ("start", "end"))
        break_minutes, reason = _minutes(request.form.get("break_minutes", "")), _reason()
    except InvalidRequest as refusal:
        return _page(index, str(refusal), 400)

    def work(tx: WriteTransaction) -> str:
        amending.correct(tx, index, start=start, end=end, reason=reason, break_minutes=break_minutes)
        minutes = int((end - start).total_seconds()) // 60 - break_minutes
        return f"第 {index} 条已更正为 {duration(minutes)}。原来的记录仍留在账本里，可以查到。"

    return _amend(index, work)


@blueprint.post("/<int(max=9007199254740991):index>/void")
@open_to(*STAFF)
def void(index: int) -> ResponseReturnValue:
    """Declare that a record does not stand."""
    try:
        reason = _reason()
    except InvalidRequest as refusal:
        return _page(index, str(refusal), 400)

    def work(tx: WriteTransaction) -> str:
        amending.void(tx, index, reason=reason)
        return f"第 {index} 条已作废，不再计入。原来的记录和理由仍留在账本里，可以查到。"

    return _amend(index, work)


def _amend(index: int, work: Any) -> ResponseReturnValue:
    try:
        flash(ledger().write(work, actor()))
    except LedgerError as refusal:
        return _page(index, str(refusal), 400)
    return redirect(url_for("records.one", index=index))


def _reason() -> str:
    said = " ".join(request.form.get("reason", "").split())
    if not REASON_MIN <= len(said) <= REASON_MAX:
        raise InvalidRequest(f"请写明理由（{REASON_MIN} 至 {REASON_MAX} 个字），例如「签退时间抄错，已与本人核对」")
    return said


def _moment(said: str) -> datetime:
    """Read a local minute as the form's field gives it."""
    try:
        moment = datetime.fromisoformat(said.strip().replace(" ", "T")).replace(second=0, microsecond=0, tzinfo=None)
        if not 1949 <= moment.year <= 2200:
            raise ValueError
        return moment
    except ValueError:
        raise InvalidRequest("时间应写成「2026-03-05 09:00」这样，请重新填写") from None


def _minutes(said: str) -> int:
    if not said.strip():
        return 0
    if not said.strip().isdecimal() or len(said.strip()) > 4 or int(said) > 1_440:
        raise InvalidRequest("休息分钟应是 0 到 1440 的整数")
    return int(said)
