"""「有一次没记上」: a service that is not in the ledger, said by the person or taken down at the desk; and what came out."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from api.pages import objections as objection_pages
from api.pages.volunteers import visible
from ledger import activities, log, stations
from ledger.bulk import rows_where_in
from ledger.codes import SERIES
from ledger.errors import InvalidRequest, LedgerError
from ledger.kinds.checks import text
from ledger.kinds.service import FINDINGS, MEANS, PROOFS, UNMATCHED
from ledger.people import volunteers
from ledger.planning import calendars
from ledger.service import objections, omissions
from ledger.service.adding import Found
from ledger.service.omissions import Claim
from ledger.sheets import spelling
from ledger.sheets.spelling import Misspelt
from ledger.tables import EntryRow, table
from ledger.transactions import ReadTransaction

blueprint = Blueprint("omissions", __name__, url_prefix="/missing")
_ENTRY = table(EntryRow)


def _page(number: str, problem: str = "", status: int = 200, *, mine: bool) -> ResponseReturnValue:
    """Show the form in its two steps, and below it what was said before. First the day and the station, then what it was."""
    said = request.values
    with ledger().read() as tx:
        person = volunteers.get(tx, number)
        numbers = volunteers.numbers_of(tx, person.row.number)
        day, station = _chosen(tx, person)
        earlier = omissions.of_person(tx.connection, numbers)
        shown: dict[str, Any] = {
            "person": person,
            "earlier": earlier,
            "hashes": _short_hashes(tx, [row.entry_index for row in earlier]),
            "titles": activities.get_many(tx.connection, {row.activity for row in earlier if row.activity}),
            "words_of": {row.entry_index: objections.words(tx, row.entry_index) for row in earlier if mine or row.means == "desk"},
            "names": {unit.code: unit.name for unit in stations.everyone(tx.connection) if not unit.closed_on or unit.code == station},
            "held": _held_on(tx, station, day) if day else [],
            "due": objections.due_on(tx),
            "today": tx.today.isoformat(),
        }
    words = {"PROOFS": PROOFS, "FINDINGS": FINDINGS, "MEANS": MEANS, "UNMATCHED": UNMATCHED, "words_max": objections.WORDS_MAX}
    page = {"mine": mine, "day": day, "station": station, "problem": problem, "said": said}
    return render_template("omission.html", **page, **shown, **words), status


def _chosen(tx: ReadTransaction, person: volunteers.Known) -> tuple[str, str]:
    """Give the day and station of the first step; no day while none that may be was chosen."""
    day, station = request.values.get("day", ""), request.values.get("station", "")
    try:
        good = date.fromisoformat(day) <= tx.today
    except ValueError:
        good = False
    return day if good else "", station if stations.find(tx.connection, station) else person.row.station


def _held_on(tx: ReadTransaction, station: str, day: str) -> list[Any]:
    """List what was held at a station on a day."""
    when = date.fromisoformat(day)
    return [row for row in calendars.between(tx.connection, [station], when, when) if row.ended_as != "cancelled"]


def _short_hashes(tx: ReadTransaction, indexes: list[int]) -> dict[int, str]:
    rows = rows_where_in(tx.connection, (_ENTRY.c.index, _ENTRY.c.leaf), _ENTRY.c.index, indexes)
    return {row.index: bytes(row.leaf).hex()[:12] for row in rows}


@blueprint.get("/")
@open_to("volunteer")
def form() -> ResponseReturnValue:
    """Ask a volunteer what is missing."""
    return _page(actor().volunteer or "", mine=True)


@blueprint.post("/")
@open_to("volunteer")
def claim() -> ResponseReturnValue:
    """Take what a volunteer says is missing."""
    number = actor().volunteer or ""
    return _take(number, lambda problem: _page(number, problem, 400, mine=True), url_for("omissions.form"))


@blueprint.get("/of/<number>")
@open_to(*STAFF)
def desk_form(number: str) -> ResponseReturnValue:
    """Ask at the desk, for somebody without a phone."""
    return _page(_here(number), mine=False)


@blueprint.post("/of/<number>")
@open_to(*STAFF)
def take_down(number: str) -> ResponseReturnValue:
    """Take down at the desk what somebody says is missing."""
    number = _here(number)
    return _take(number, lambda problem: _page(number, problem, 400, mine=False), url_for("omissions.desk_form", number=number))


def _here(number: str) -> str:
    with ledger().read() as tx:
        return str(visible(tx, number).row.number)


def _take(number: str, refused: Callable[[str], ResponseReturnValue], then: str) -> ResponseReturnValue:
    try:
        said = _claim()
        receipt: log.Receipt = ledger().write(lambda tx: omissions.claim(tx, number, said), actor())
    except LedgerError as refusal:
        return refused(str(refusal))
    flash(f"已经收到，写进账本第 {receipt.index} 条。有了结果会在「通知」里告诉本人，也可以回到这一页看。")
    return redirect(f"{then}#o{receipt.index}")


def _claim() -> Claim:
    """Read the form. Raises InvalidRequest naming what is missing or cannot be read."""
    form = request.form
    try:
        day = date.fromisoformat(form.get("day", ""))
    except ValueError:
        raise InvalidRequest("请选是哪一天") from None
    start, end = _clock(day, form.get("start", ""), "开始"), _clock(day, form.get("end", ""), "结束")
    if start and end and end <= start and form.get("next_day"):
        end += timedelta(days=1)
    index, code = form.get("receipt_index", "").strip(), form.get("receipt_code", "").strip()
    if bool(index) != bool(code):
        raise InvalidRequest("回执上的账本条号和短校验码要一起填，或者都不填")
    proof = "receipt" if index else form.get("proof", "")
    receipt = (index, code) if index else None
    words = " ".join(form.get("words", "").split())
    return Claim(form.get("station", ""), day, proof, form.get("activity") or None, start, end, words, receipt)


def _clock(day: date, said: str, what: str) -> datetime | None:
    """Read a time of day as people type it; None for nothing."""
    if not said.strip():
        return None
    try:
        return datetime.combine(day, time()) + timedelta(minutes=spelling.parse_time_of_day(said.strip()))
    except Misspelt as fault:
        raise InvalidRequest(f"{what}时间：{fault}") from None


@blueprint.post("/<int(max=9007199254740991):index>/decide")
@open_to("approver", "official")
def decide(index: int) -> ResponseReturnValue:
    """Decide what came out, and record the service where it was given."""
    finding, reason = request.form.get("finding", ""), " ".join(request.form.get("reason", "").split())
    try:
        if len(reason) < 4 or not text(objection_pages.REASON_MAX)(reason):
            raise InvalidRequest(f"请写明怎么查的、为什么（4 至 {objection_pages.REASON_MAX} 个字，不要写手机号或身份证号）")
        found = _found() if finding == "upheld" else None
        ledger().write(lambda tx: omissions.decide(tx, index, finding, reason, found), actor())
    except InvalidRequest as refusal:
        return objection_pages.page(str(refusal), 400, failed=index)
    flash("结果已记入账本，并已告诉本人。" + ("补记的这一条要由另一位审核员审核。" if finding == "upheld" else ""))
    return redirect(url_for("objections.listing"))


def _found() -> Found:
    times = objection_pages.times_said()
    if times is None:
        raise InvalidRequest("成立的要补记：请填实际的开始和结束时间")
    title, series = " ".join(request.form.get("title", "").split()), request.form.get("series", "")
    if title and (not text(100)(title) or series not in SERIES):
        raise InvalidRequest("活动名称最多 100 个字，不能有手机号或身份证号；系列请从列表中选")
    return Found(times.start, times.end, times.break_minutes, request.form.get("activity") or None, title, series)
