"""「这条不对」: a volunteer objects to a record of theirs; and the desk where objections are decided, with a reason."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from ledger import activities, stations
from ledger.errors import InvalidRequest, LedgerError
from ledger.kinds.checks import text
from ledger.kinds.service import CLAIMS, FINDINGS, MEANS, PROOFS, UNMATCHED
from ledger.people import accounts, volunteers
from ledger.planning import calendars
from ledger.service import objections, omissions
from ledger.service.objections import CORRECTING, WORDS_MAX, Times
from ledger.service.records import state_on
from ledger.transactions import ReadTransaction, WriteTransaction

blueprint = Blueprint("objections", __name__, url_prefix="/objections")
EXPLAINED = {
    "time": "开始、结束或休息的时间写错了",
    "absent": "那天我没有去",
    "missing": "我做得比这里写的多",
    "not_me": "这不是我，可能写错了人，或者有人冒用",
}
REASON_MAX = 300


def _form(index: int, problem: str = "", status: int = 200, *, mine: bool = True) -> ResponseReturnValue:
    with ledger().read() as tx:
        row = (objections.own if mine else objections.at_desk)(tx, actor(), index)
        seen: dict[str, Any] = {
            "row": row,
            "state": state_on(row, tx.today),
            "activity": activities.get_many(tx.connection, {row.activity})[row.activity],
            "station": stations.get(tx.connection, row.station),
            "earlier": objections.of_record(tx.connection, index),
            "due": objections.due_on(tx),
            "name": "" if mine else volunteers.masked_names(tx, [row.volunteer])[row.volunteer],
            "mine": mine,
        }
    words = {"CLAIMS": CLAIMS, "FINDINGS": FINDINGS, "EXPLAINED": EXPLAINED, "words_max": WORDS_MAX}
    return render_template("objection.html", problem=problem, said=request.form, **words, **seen), status


@blueprint.get("/on/<int(max=9007199254740991):index>")
@open_to("volunteer")
def form(index: int) -> ResponseReturnValue:
    """Show a volunteer a record of theirs and ask what is wrong with it."""
    return _form(index)


@blueprint.post("/on/<int(max=9007199254740991):index>")
@open_to("volunteer")
def contest(index: int) -> ResponseReturnValue:
    """Take an objection."""
    return _take(index, objections.contest, "objections.form", mine=True)


@blueprint.get("/at-desk/<int(max=9007199254740991):index>")
@open_to(*STAFF)
def desk_form(index: int) -> ResponseReturnValue:
    """Show the same at the desk, for somebody without a phone."""
    return _form(index, mine=False)


@blueprint.post("/at-desk/<int(max=9007199254740991):index>")
@open_to(*STAFF)
def take_down(index: int) -> ResponseReturnValue:
    """Take an objection down at the desk."""
    return _take(index, objections.contest_at_desk, "objections.desk_form", mine=False)


def _take(index: int, work: Callable[[WriteTransaction, int, str, str], object], then: str, *, mine: bool) -> ResponseReturnValue:
    claim, words = request.form.get("claim", ""), " ".join(request.form.get("words", "").split())
    try:
        ledger().write(lambda tx: work(tx, index, claim, words), actor())
    except InvalidRequest as refusal:
        return _form(index, str(refusal), 400, mine=mine)
    flash(f"已经收到。有了结果，会在「通知」里告诉{'您' if mine else '本人'}，也可以回到这一页看。")
    return redirect(url_for(then, index=index))


def page(problem: str = "", status: int = 200, failed: int | None = None) -> ResponseReturnValue:
    """Show what waits: services that are missing, and records that are not right. *failed*: the one whose form was refused."""
    with ledger().read() as tx:
        found, missing = objections.waiting(tx, actor()), omissions.waiting(tx, actor())
        records, claims = [one.record for one in found], [one.row for one in missing]
        at_desk = {one.row.entry_index for one in found if one.row.actor not in volunteers.accounts_of(tx, one.record.volunteer)}
        people = (
            {one.row.actor for one in found}
            | {who for record in records for who in (record.recorder, record.approved_by) if who}
            | {row.actor for row in claims}
        )
        known = {one.activity for one in (*records, *claims) if one.activity}
        shown = {
            "found": found,
            "missing": missing,
            "at_desk": at_desk,
            "names": volunteers.masked_names(tx, {one.volunteer for one in (*records, *claims)}),
            "titles": activities.get_many(tx.connection, known),
            "places": stations.names(tx.connection, {one.station for one in (*records, *claims)}),
            "logins": accounts.logins(tx.connection, people),
            "held": {row.entry_index: _held_then(tx, row) for row in claims},
        }
    words = {"CLAIMS": CLAIMS, "FINDINGS": FINDINGS, "CORRECTING": CORRECTING, "reason_max": REASON_MAX}
    words |= {"PROOFS": PROOFS, "MEANS": MEANS, "UNMATCHED": UNMATCHED}
    return render_template("objections.html", problem=problem, failed=failed, said=request.form, **words, **shown), status


@blueprint.get("/")
@open_to("approver", "official")
def listing() -> ResponseReturnValue:
    """List what waits, overdue first."""
    return page()


def _held_then(tx: ReadTransaction, row: Any) -> list[Any]:
    """List what was held at the station on the day of which somebody says that a service is missing."""
    day = date.fromisoformat(row.served_on)
    return [one for one in calendars.between(tx.connection, [row.station], day, day) if one.ended_as != "cancelled"]


@blueprint.post("/<int(max=9007199254740991):index>")
@open_to("approver", "official")
def decide(index: int) -> ResponseReturnValue:
    """Decide an objection, and put the record right where it was justified."""
    finding, reason = request.form.get("finding", ""), " ".join(request.form.get("reason", "").split())
    try:
        if len(reason) < 4 or not text(REASON_MAX)(reason):
            raise InvalidRequest(f"请写明怎么查的、为什么（4 至 {REASON_MAX} 个字，不要写手机号或身份证号）")
        times = times_said() if finding == "upheld" else None
        ledger().write(lambda tx: objections.decide(tx, index, finding, reason, times), actor())
    except LedgerError as refusal:
        return page(str(refusal), 400, failed=index)
    flash("结果已记入账本，并已告诉本人。" + ("改过、补过的时间要由另一位审核员审核。" if times else ""))
    return redirect(url_for("objections.listing"))


def times_said() -> Times | None:
    """Read what the times really were; None when the form did not ask, or nothing was filled in."""
    start, end, pause = (request.form.get(name, "").strip() for name in ("start", "end", "break_minutes"))
    if not start and not end:
        return None
    if not start or not end:
        raise InvalidRequest("请把开始和结束时间都填上")
    try:
        begin, finish = (
            datetime.fromisoformat(said.replace(" ", "T")).replace(second=0, microsecond=0, tzinfo=None) for said in (start, end)
        )
    except ValueError:
        raise InvalidRequest("时间应写成「2026-03-05 09:00」这样，请重新填写") from None
    if pause and not (pause.isdecimal() and len(pause) <= 4 and int(pause) <= 1_440):
        raise InvalidRequest("休息分钟应是 0 到 1440 的整数")
    return Times(begin, finish, int(pause or 0))
