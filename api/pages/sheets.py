"""Sheets: upload, see what would happen, commit, take the workbook with the problems."""

from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from api.downloads import attachment
from api.uploads import ACTION, Uploads
from ledger.errors import InvalidRequest, NotAllowed
from ledger.people.actors import units
from ledger.reports.files import XLSX
from ledger.sheets import templates
from ledger.stations import find, names

blueprint = Blueprint("sheets", __name__, url_prefix="/sheets")
FILES_MAX = 20
SIGNABLE_MAX = 50
"""Rows over the daily cap for which reasons are asked on the page; a sheet with more is wrong in some other way."""
ROW_DIGITS = 8
_UNITS = {"hours": "条服务记录", "volunteers": "名志愿者", "organisations": "个组织", "stations": "个站点", "units": "个单位"}


def _uploads() -> Uploads:
    found: Uploads = current_app.extensions["uploads"]
    return found


def _kinds() -> list[str]:
    return [kind for kind, action in ACTION.items() if actor().may(action)]


def _form(problem: str = "", status: int = 200) -> ResponseReturnValue:
    me = actor()
    with ledger().read() as tx:
        home = next((grant.station for grant in me.grants if grant.allows("record")), me.station)
        station = find(tx.connection, home) if home else None
    chosen = request.values.get("kind")
    kind = chosen if chosen in _kinds() else _kinds()[0]
    page = render_template(
        "sheets.html",
        kinds=_kinds(),
        kind=kind,
        uploads=_uploads().mine(me),
        station=station,
        problem=problem,
    )
    return page, status


@blueprint.get("/")
@open_to(*STAFF)
def form() -> ResponseReturnValue:
    """Show the form, and the files that are still in hand."""
    return _form()


@blueprint.post("/")
@open_to(*STAFF)
def upload() -> ResponseReturnValue:
    """Take one or more files and rehearse each."""
    kind = request.form.get("kind", "")
    files = [file for file in request.files.getlist("files") if file.filename]
    if kind not in ACTION:
        return _form("请先选择这是哪一种表", 400)
    if kind not in _kinds():
        raise NotAllowed("您的账号不能上传这一种表。如果工作需要，请联系管理员")
    if not files:
        return _form("还没有选择文件。请点「选择文件」，选一个 .xlsx、.xls 或 .csv 表格", 400)
    if len(files) > FILES_MAX:
        return _form(f"一次最多选 {FILES_MAX} 个文件，请分几次上传", 400)
    try:
        taken = [_uploads().add(actor(), kind, file.read(), file.filename or "") for file in files]
    except InvalidRequest as refusal:
        return _form(str(refusal), 400)
    return redirect(url_for("sheets.one", upload=taken[0]) if len(taken) == 1 else url_for("sheets.form"))


@blueprint.get("/templates/<any(hours, volunteers, organisations, stations, units):kind>.xlsx")
@open_to(*STAFF)
def template(kind: str) -> Response:
    """Hand out an empty workbook for a kind of table, with the stations of whoever asks to choose from."""
    me = actor()
    with ledger().read() as tx:
        mine = names(tx.connection, units(tx.connection, me, "see_station"))
    home = me.station if me.station in mine and me.may("record") else None
    return attachment(templates.template(kind, dict(sorted(mine.items())), home), XLSX, templates.NAMES[kind])


@blueprint.get("/<uuid:upload>")
@open_to(*STAFF)
def one(upload: Any) -> ResponseReturnValue:
    """Show how a file stands: how far the work is, what would happen, or what was recorded."""
    return _one(str(upload))


def _one(upload: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    found = _uploads().get(actor(), upload)
    signable = set(found.outcome.get("signable", ()))
    over_cap = [one for one in found.outcome.get("rejected", ()) if one["row"] in signable][:SIGNABLE_MAX]
    page = {"upload": found, "outcome": found.outcome, "over_cap": over_cap, "problem": problem, "said": request.form}
    return render_template("sheet.html", **page, unit=_UNITS[found.kind]), status


@blueprint.post("/<uuid:upload>/commit")
@open_to(*STAFF)
def commit(upload: Any) -> ResponseReturnValue:
    """Record what was shown to be right, and ask a second person about rows over the daily cap that have a reason."""
    typed = {name.removeprefix("reason-"): " ".join(said.split()) for name, said in request.form.items() if name.startswith("reason-")}
    reasons = {int(row): said for row, said in typed.items() if said and row.isdecimal() and len(row) < ROW_DIGITS}
    try:
        _uploads().commit(actor(), str(upload), reasons)
    except InvalidRequest as refusal:
        return _one(str(upload), str(refusal), 400)
    return redirect(url_for("sheets.one", upload=upload))


@blueprint.post("/<uuid:upload>/discard")
@open_to(*STAFF)
def discard(upload: Any) -> ResponseReturnValue:
    """Drop the file; nothing that was recorded changes."""
    _uploads().discard(actor(), str(upload))
    return redirect(url_for("sheets.form"))


@blueprint.get("/<uuid:upload>/problems.xlsx")
@open_to(*STAFF)
def problems(upload: Any) -> Response:
    """Hand out the user's own workbook with the column of problems."""
    name, content = _uploads().workbook(actor(), str(upload))
    return attachment(content, XLSX, name, personal=True)
