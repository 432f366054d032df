"""「组织」: organisations' credit for the public (信用公示, and a page of each) and at the desk; persons in charge are named nowhere here."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to, open_to_all
from api.pages import record as own
from api.pages.filings import WORDS as FILING
from api.pages.filings import filed
from api.pages.record_desk import ASKED, act_said, undone
from ledger import dormancy, organisations, stations
from ledger.codes import CATEGORIES
from ledger.errors import InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.kinds.credit import APPRAISERS, LISTS
from ledger.people import leaks, proposals
from ledger.people.actors import require, units
from ledger.record import awards, conduct, lists, reading, subjects
from ledger.record.reading import OrganisationRecord
from ledger.transactions import ReadTransaction, WriteTransaction

blueprint = Blueprint("organisations", __name__, url_prefix="/organisations")
WORDS = {
    **own.WORDS,
    "LISTS": LISTS,
    "APPRAISERS": APPRAISERS,
    "DUES": lists.DUES,
    "CATEGORIES": CATEGORIES,
    "YEARS": lists.YEARS,
    "FILING": FILING,
}
_LISTED_MAX = 500


@blueprint.get("/credit")
@open_to_all
def board() -> Response:
    """Show the public which organisations are disclosed, warned or listed today, and why."""
    with ledger().read() as tx:
        found = lists.in_force(tx)
        names = stations.names(tx.connection, {unit.station for _, unit in found})
        today = tx.today.isoformat()
    leaks.check((text for note, unit in found for text in (unit.name, note.basis, note.reason)), "信用公示")
    return _public(render_template("credit_board.html", found=found, names=names, today=today, **WORDS))


@blueprint.get("/<number>")
@open_to_all
def one(number: str) -> Response:
    """Show the public one organisation: what it is, what stands of it, how it was appraised."""
    with ledger().read() as tx:
        found = reading.of_organisation(tx, number)
        shown = _shown(tx, found)
    said = [found.row.name, *(text for row in found.notes for text in (row.basis, row.reason)), *(row.opinion for row in found.appraisals)]
    said += [str(text) for text in (*shown["on_file"].values(), shown["premises"])]
    leaks.check(said, "组织信用")
    return _public(render_template("organisation.html", **shown, **WORDS))


def _public(page: str) -> Response:
    """Answer with a public page; search engines do not hold on to what is lifted one day."""
    answer = make_response(page)
    answer.headers["X-Robots-Tag"] = "noindex, noarchive"
    return answer


def _shown(tx: ReadTransaction, found: OrganisationRecord) -> dict[str, Any]:
    return {
        "unit": found.row,
        "record": found,
        "station": stations.names(tx.connection, {found.row.station}).get(found.row.station, found.row.station),
        "standing": {row.entry_index: conduct.standing(row, tx.today) for row in found.conduct},
        "quiet_since": dormancy.quiet_since(tx, [found.row]).get(found.row.id),
        "today": tx.today.isoformat(),
        **filed(tx, found.row),
    }


@blueprint.get("/")
@open_to(*STAFF)
def listing() -> ResponseReturnValue:
    """List the organisations of one's stations, what stands of each, and what is due."""
    wanted = request.args.get("name", "").strip()[:60]
    with ledger().read() as tx:
        codes = units(tx.connection, actor(), "see_station")
        found = [row for row in organisations.at_stations(tx.connection, codes) if wanted in row.name]
        standing: dict[str, list[str]] = {}
        for note, unit in lists.in_force(tx):
            standing.setdefault(unit.id, []).append(note.list)
        names = stations.names(tx.connection, codes)
        due = lists.dues(tx, actor())
        quiet = dormancy.quiet_since(tx, found)
        today = tx.today.isoformat()
    shown = {
        "quiet": quiet,
        "found": found[:_LISTED_MAX],
        "count": len(found),
        "standing": standing,
        "names": names,
        "due": due,
        "wanted": wanted,
    }
    return render_template("organisations.html", today=today, **shown, **WORDS)


def _desk(number: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        found = _visible(tx, number)
        shown = _shown(tx, found)
        waiting = proposals.of(tx, None, found.row.id)
        due = [one for one in lists.dues(tx, actor()) if one.organisation.id == found.row.id]
    page = {"problem": problem, "said": request.form, "waiting": waiting, "due": due, **shown, **WORDS}
    return render_template("organisation_desk.html", **page), status


def _visible(tx: ReadTransaction, number: str) -> OrganisationRecord:
    """Give the record of an organisation of one's own stations. Raises NotFound."""
    try:
        found = reading.of_organisation(tx, number)
        require(tx.connection, actor(), "see_station", found.row.station)
    except (NotFound, NotAllowed):
        raise NotFound("您管理的站点里没有这个组织。请从「组织」的列表里重新选择") from None
    return found


@blueprint.get("/<number>/desk")
@open_to(*STAFF)
def desk(number: str) -> ResponseReturnValue:
    """Show an organisation at the desk, with what can be asked for."""
    return _desk(number)


@blueprint.post("/<number>/appraisals")
@open_to(*STAFF)
def appraise(number: str) -> ResponseReturnValue:
    """Record an appraisal."""
    form = request.form

    def read() -> tuple[Any, ...]:
        said = tuple(form.get(name, "") for name in ("appraiser", "name", "grade", "opinion"))
        return (*said, own.day_said("appraised_on", "评议日期"))

    return _do(number, read, lambda tx, *said: lists.appraise(tx, subjects.organisation(tx, number), *said), "评议已登记。")


@blueprint.post("/<number>/notes")
@open_to(*STAFF)
def note(number: str) -> ResponseReturnValue:
    """Ask that it is disclosed, warned or listed."""
    form = request.form

    def read() -> tuple[Any, ...]:
        mend_by = own.day_said("mend_by", "整改期限") if form.get("mend_by") else None
        said = tuple(form.get(name, "") for name in ("list", "basis", "reason"))
        return (*said, own.day_said("noted_on", "认定日期"), mend_by)

    return _do(number, read, lambda tx, *said: lists.ask_note(tx, subjects.organisation(tx, number), *said), ASKED)


@blueprint.post("/<number>/awards")
@open_to(*STAFF)
def award(number: str) -> ResponseReturnValue:
    """Ask that an award is entered."""
    return _do(
        number,
        lambda: (own.award_said(), own.paper_said()),
        lambda tx, *said: awards.ask(tx, subjects.organisation(tx, number), *said),
        "已提出，等第二个人对照证书核实。",
    )


@blueprint.post("/<number>/conduct")
@open_to(*STAFF)
def act(number: str) -> ResponseReturnValue:
    """Ask that an act is recorded."""
    return _do(number, lambda: (act_said(),), lambda tx, said: conduct.ask(tx, subjects.organisation(tx, number), said), ASKED)


@blueprint.post("/<number>/undo")
@open_to(*STAFF)
def undo(number: str) -> ResponseReturnValue:
    """Ask that something of it ends."""
    return _do(number, undone, lambda tx, *said: _undo(tx, number, *said), ASKED)


def _undo(tx: WriteTransaction, number: str, what: str, index: int, ground: str, reason: str) -> Any:
    """Ask that one thing of this organisation's record ends. Raises InvalidRequest for another's."""
    found = reading.of_organisation(tx, number)
    rows = {"note": found.notes, "award": found.awards, "conduct": found.conduct}.get(what, [])
    if index not in {row.entry_index for row in rows}:
        raise InvalidRequest("这一条不在这个组织的记录里，请刷新页面再试")
    if what == "award":
        return awards.ask_withdrawal(tx, index, reason)
    return (lists if what == "note" else conduct).ask_lift(tx, index, ground, reason)


def _do(number: str, read: Callable[[], tuple[Any, ...]], work: Callable[..., Any], done: str) -> ResponseReturnValue:
    """Read the form, do the work in a write, and come back to the page."""
    with ledger().read() as tx:
        _visible(tx, number)
    try:
        said = read()
        ledger().write(lambda tx: work(tx, *said), actor())
    except LedgerError as refusal:
        return _desk(number, str(refusal), 400)
    flash(done)
    return redirect(url_for("organisations.desk", number=number))
