"""「这条不对」: a volunteer objects to a record of theirs; and the desk where objections are decided, with a reason."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from ledger import activities, stations
from ledger.errors import InvalidRequest, LedgerError
from ledger.kinds.checks import text
from ledger.kinds.service import CLAIMS, FINDINGS
from ledger.people import accounts, volunteers
from ledger.service import objections
from ledger.service.objections import CORRECTING, WORDS_MAX, Times
from ledger.service.records import state_on

blueprint = Blueprint("objections", __name__, url_prefix="/objections")
EXPLAINED = {
    "time": "开始、结束或休息的时间写错了",
    "absent": "那天我没有去",
    "missing": "我做得比这里写的多",
    "not_me": "这不是我，可能写错了人，或者有人冒用",
}
REASON_MAX = 300


def _form(index: int, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        row = objections.own(tx, actor(), index)
        seen: dict[str, Any] = {
            "row": row,
            "state": state_on(row, tx.today),
            "activity": activities.get_many(tx.connection, {row.activity})[row.activity],
            "station": stations.get(tx.connection, row.station),
            "earlier": objections.of_record(tx.connection, index),
            "due": objections.due_on(tx),
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
    claim, words = request.form.get("claim", ""), " ".join(request.form.get("words", "").split())
    try:
        ledger().write(lambda tx: objections.contest(tx, index, claim, words), actor())
    except InvalidRequest as refusal:
        return _form(index, str(refusal), 400)
    flash("已经收到。有了结果，会在「通知」里告诉您，也可以回到这一页看。")
    return redirect(url_for("objections.form", index=index))


def _listing(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        found = objections.waiting(tx, actor())
        records = [one.record for one in found]
        shown = {
            "found": found,
            "names": volunteers.masked_names(tx, {record.volunteer for record in records}),
            "titles": activities.get_many(tx.connection, {record.activity for record in records}),
            "places": stations.names(tx.connection, {record.station for record in records}),
            "logins": accounts.logins(tx.connection, {who for record in records for who in (record.recorder, record.approved_by) if who}),
        }
    words = {"CLAIMS": CLAIMS, "FINDINGS": FINDINGS, "CORRECTING": CORRECTING, "reason_max": REASON_MAX}
    return render_template("objections.html", problem=problem, said=request.form, **words, **shown), status


@blueprint.get("/")
@open_to("approver", "official")
def listing() -> ResponseReturnValue:
    """List what waits, overdue first."""
    return _listing()


@blueprint.post("/<int(max=9007199254740991):index>")
@open_to("approver", "official")
def decide(index: int) -> ResponseReturnValue:
    """Decide an objection, and put the record right where it was justified."""
    finding, reason = request.form.get("finding", ""), " ".join(request.form.get("reason", "").split())
    try:
        if len(reason) < 4 or not text(REASON_MAX)(reason):
            raise InvalidRequest(f"请写明怎么查的、为什么（4 至 {REASON_MAX} 个字，不要写手机号或身份证号）")
        times = _times() if finding == "upheld" else None
        ledger().write(lambda tx: objections.decide(tx, index, finding, reason, times), actor())
    except LedgerError as refusal:
        return _listing(str(refusal), 400)
    flash("结果已记入账本，并已告诉本人。" + ("更正后的时间要由另一位审核员审核。" if times else ""))
    return redirect(url_for("objections.listing"))


def _times() -> Times | None:
    """Read what the times really were; None when the form did not ask, or nothing was filled in."""
    start, end, pause = (request.form.get(name, "").strip() for name in ("start", "end", "break_minutes"))
    if not start and not end:
        return None
    try:
        begin, finish = (
            datetime.fromisoformat(said.replace(" ", "T")).replace(second=0, microsecond=0, tzinfo=None) for said in (start, end)
        )
    except ValueError:
        raise InvalidRequest("时间应写成「2026-03-05 09:00」这样，请重新填写") from None
    if pause and not (pause.isdecimal() and len(pause) <= 4 and int(pause) <= 1_440):
        raise InvalidRequest("休息分钟应是 0 到 1440 的整数")
    return Times(begin, finish, int(pause or 0))
