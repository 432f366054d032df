"""
Logging a sheet on one page, with the keyboard alone: what is the same for everyone, the names, the check, the receipt.

Everything works without script. With it (static/logging.js) the same answers of the same addresses are put into the page instead of loading it
anew, every change is kept at once, and what could not be sent waits in the browser, sealed with a key that this page alone brings. These pages alone
allow a script, and only their own.
"""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from api.auth import actor, ledger, open_to
from ledger import activities, codes, evidence, organisations, stations
from ledger.drafting import committing, filling, keeping, mending
from ledger.drafting.committing import Judged
from ledger.drafting.mending import Mend
from ledger.drafting.sheets import COMMON, Row, Sheet
from ledger.entries import b64
from ledger.errors import InvalidRequest, NotFound
from ledger.people import directory
from ledger.people.actors import units
from ledger.transactions import ReadTransaction

blueprint = Blueprint("logging", __name__, url_prefix="/logging")
RECORDERS = ("recorder", "approver")
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


@blueprint.after_request
def allow_script(response: Response) -> Response:
    """Let these pages run the program's own script files, and ask this server."""
    response.headers["Content-Security-Policy"] = POLICY
    return response


@blueprint.get("/")
@open_to(*RECORDERS)
def start() -> ResponseReturnValue:
    """Ask which activity it was, those planned first whose sheet is not there yet; show the drafts that are still open."""
    with ledger().read() as tx:
        places = units(tx.connection, actor(), "record")
        leaves = [row for row in stations.everyone(tx.connection) if row.code in places]
        chosen = request.args.get("station", "")
        station = next((row for row in leaves if row.code == chosen), None) or _usual(leaves)
        due = filling.unrecorded(tx, station.code) if station else []
        waiting = {row.id for row in due}
        found = [*due, *(row for row in filling.templates(tx, station.code) if row.id not in waiting)] if station else []
        drafts = keeping.listing(tx, actor())
        today = tx.today.isoformat()
    page = {"places": leaves, "station": station, "activities": found, "waiting": waiting, "drafts": drafts, "today": today}
    return render_template("logging_start.html", **page)


def _usual(leaves: list[Any]) -> Any:
    home = next((grant.station for grant in actor().grants if grant.allows("record")), None)
    return next((row for row in leaves if row.code == home), None) or (leaves[0] if leaves else None)


@blueprint.post("/")
@open_to(*RECORDERS)
def begin() -> ResponseReturnValue:
    """Begin a draft after an activity, with the people of last time ticked."""
    station, chosen = request.form.get("station", ""), request.form.get("activity", "")
    with ledger().read() as tx:
        template = activities.get_many(tx.connection, {chosen}).get(chosen) if chosen else None
        if chosen and (template is None or template.station != station):
            raise NotFound("没有这项活动，请回到「登记一次活动」重新选择")
        stations.get(tx.connection, station)
        sheet = filling.begin(tx, station, template)
    return redirect(url_for("logging.sheet", draft=keeping.begin(ledger(), actor(), sheet)))


@blueprint.post("/<uuid:draft>/take")
@open_to(*RECORDERS)
def take(draft: Any) -> ResponseReturnValue:
    """Go on with a draft that somebody else at the station began."""
    keeping.take_over(ledger(), actor(), str(draft), request.form.get("note", ""))
    return redirect(url_for("logging.sheet", draft=draft))


@blueprint.get("/<uuid:draft>")
@open_to(*RECORDERS)
def sheet(draft: Any) -> ResponseReturnValue:
    """Show the sheet being written; of one that was committed, its receipt."""
    with ledger().read() as tx:
        if batch := keeping.committed_batch(tx, actor(), str(draft)):
            return redirect(url_for("batches.one", batch=batch))
    return _sheet(str(draft))


def _sheet(draft: str, problem: str = "", status: int = 200, typed: str = "", pasted: str = "") -> ResponseReturnValue:
    with ledger().read() as tx:
        row, shown = keeping.get(tx, actor(), draft)
        names = directory.by_number(tx, [one.who for one in shown.rows if one.who])
        units_here = organisations.at_stations(tx.connection, [shown.station])
        station = stations.get(tx.connection, shown.station)
        kept = evidence.row_of(tx, shown.evidence)
        choices = _choices(tx, shown)
    page = render_template(
        "logging.html",
        draft=draft,
        row=row,
        sheet=shown,
        names=names,
        choices=choices,
        organisations=units_here,
        station=station,
        evidence=kept,
        series=codes.SERIES,
        problem=problem,
        typed=typed,
        pasted=pasted,
        browser_key=b64(ledger().vault.blind("draft-in-browser", f"{draft}/{row.account}")),
    )
    return page, status


def _choices(tx: ReadTransaction, shown: Sheet) -> dict[int, list[Any]]:
    unsure = [row for row in shown.rows if not row.who and not row.fault]
    people = directory.Station(tx, shown.station)
    return {row.id: filling.candidates(tx, people, row.said, row.name, row.number) for row in unsure}


def _take(shown: Sheet, said: MultiDict[str, str]) -> None:
    """Take the form's fields; rows that the form did not show stay as they are."""
    shown.say({name: said[name] for name in COMMON if name in said})
    if "rows" in said:
        shown.next_day = "next_day" in said
        ids, ticked = set(said["rows"].split()), set(said.getlist("on"))
        for row in shown.rows:
            if str(row.id) in ids:
                row.on = str(row.id) in ticked


@blueprint.post("/<uuid:draft>/save")
@open_to(*RECORDERS)
def save(draft: Any) -> ResponseReturnValue:
    """Keep what is on the page, and say nothing."""
    said = request.form
    keeping.change(ledger(), actor(), str(draft), lambda _tx, shown: _take(shown, said))
    return "", 204


@blueprint.post("/<uuid:draft>")
@open_to(*RECORDERS)
def do(draft: Any) -> ResponseReturnValue:
    """Keep what is on the page, and do what was asked: add somebody, a list, a photo; go on to the check; drop it."""
    said, deed, key = request.form, request.form.get("do", "enter"), str(draft)
    if deed == "discard":
        keeping.discard(ledger(), actor(), key)
        flash("草稿已丢弃")
        return redirect(url_for("logging.start"))
    keeping.change(ledger(), actor(), key, lambda _tx, shown: _take(shown, said))
    picked = {int(name[4:]): said[name] for name in said if name.startswith("who-") and name[4:].isdigit() and said[name]}
    typed, pasted, photo = said.get("add", "").strip(), said.get("paste", "").strip(), request.files.get("photo")

    def fill(tx: ReadTransaction, shown: Sheet) -> None:
        filling.choose(tx, shown, picked)
        if pasted:
            filling.paste(tx, shown, pasted)
        if typed:
            filling.type_one(tx, shown, typed)

    try:
        if photo is not None and photo.filename:
            evidence.attach(ledger(), actor(), key, photo.read())
        if typed or pasted or picked:
            keeping.change(ledger(), actor(), key, fill)
    except InvalidRequest as refusal:
        return _sheet(key, str(refusal), 400, typed, pasted)
    if deed == "save":
        flash("草稿已保存")
    if deed == "check" or (deed == "enter" and not typed and not pasted and not picked):
        return redirect(url_for("logging.check", draft=draft))
    return redirect(url_for("logging.sheet", draft=draft))


@blueprint.get("/<uuid:draft>/check")
@open_to(*RECORDERS)
def check(draft: Any) -> ResponseReturnValue:
    """Show what would be recorded, and what is wrong, worst first."""
    return _check(str(draft))


def _check(draft: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        _, shown = keeping.get(tx, actor(), draft)
        left = {row.id for row in shown.rows if row.on and row.left}
        names = directory.by_number(tx, [one.who for one in shown.rows if one.who])
        station = stations.get(tx.connection, shown.station)
    try:
        judged: Judged = ledger().write(lambda tx: committing.judge(tx, shown), actor(), rehearse=True)
    except InvalidRequest as refusal:
        return _sheet(draft, str(refusal), 400)
    told = {one.row.id for one in judged.problems}
    if left - told:  # mended since: what the page counts as right is recorded
        keeping.change(ledger(), actor(), draft, lambda _tx, kept: _leave(kept, left & told))
    page = {"draft": draft, "sheet": shown, "judged": judged, "left": left & told, "names": names, "station": station}
    return render_template("logging_check.html", **page, times_of=mending.times_of, problem=problem), status


@blueprint.post("/<uuid:draft>/check")
@open_to(*RECORDERS)
def settle(draft: Any) -> ResponseReturnValue:
    """Take what was mended; look again, or record what is right in one write."""
    said, key = request.form, str(draft)
    with ledger().read() as tx:
        if batch := keeping.committed_batch(tx, actor(), key):
            return redirect(url_for("batches.one", batch=batch))
    mends = {int(number): _mend(said, number) for number in said.get("rows", "").split() if number.isdigit()}
    complaints = keeping.change(ledger(), actor(), key, lambda tx, shown: mending.mend(tx, shown, mends))
    if complaints:
        return _check(key, "；".join(complaints), 400)
    if said.get("do") != "commit":
        return redirect(url_for("logging.check", draft=draft))
    try:
        if "all" in said.getlist("left"):
            _leave_what_is_wrong(key)
        judged: Judged = ledger().write(lambda tx: committing.commit(tx, key), actor())
    except InvalidRequest as refusal:
        return _check(key, str(refusal), 400)
    return _done(key, judged)


def _mend(said: MultiDict[str, str], number: str) -> Mend:
    times, who, text, reason = (said.get(f"{name}-{number}") for name in ("times", "who", "text", "reason"))
    return Mend(times, who, text, reason, left=number in said.getlist("left"))


def _leave(shown: Sheet, left: set[int]) -> None:
    for row in shown.rows:
        row.left = row.id in left


def _leave_what_is_wrong(draft: str) -> None:
    """Leave out every row that is still wrong; what was mended in the same form is recorded."""
    with ledger().read() as tx:
        _, shown = keeping.get(tx, actor(), draft)
    judged: Judged = ledger().write(lambda tx: committing.judge(tx, shown), actor(), rehearse=True)
    told = {one.row.id for one in judged.problems}
    keeping.change(ledger(), actor(), draft, lambda _tx, kept: _leave(kept, told | {row.id for row in kept.rows if row.left}))


def _done(draft: str, judged: Judged) -> ResponseReturnValue:
    """Say what came of it, and go to the receipt."""
    left = judged.left
    said = [f"已登记 {len(judged.recorded)} 条服务记录"] if judged.recorded else []
    said += [f"{len(judged.already)} 人以前已登记过，没有重复计"] if judged.already else []
    said += [f"{len(judged.parked)} 人还不是志愿者，已放入「待登记」"] if judged.parked else []
    said += [f"{len(judged.signing)} 人超过每日上限，正等另一位工作人员签字"] if judged.signing else []
    said += [f"{left} 行这次没有登记，留在草稿里"] if left else []
    flash("；".join(said) + "。")
    if judged.recorded:
        return redirect(url_for("batches.one", batch=judged.batch))
    return redirect(url_for("logging.sheet", draft=draft) if left else url_for("logging.start"))


@blueprint.app_template_global("row_name")
def row_name(row: Row, names: dict[str, Any]) -> str:
    """Call a row by the person's masked name, or as it was typed."""
    return names[row.who].masked if row.who in names else row.said
