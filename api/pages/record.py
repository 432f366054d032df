"""「信用记录」: a volunteer's record in its blocks, for the person; awards they hand in, and what they say of an item of conduct."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequestKeyError

from api.auth import actor, ledger, open_to
from api.pages.credit import recorders
from api.pages.personal import masked
from ledger import credit, stations
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.evidence import BYTES_MAX, type_of
from ledger.kinds.credit import AWARD_LEVELS, EFFECTS, EVALUATORS, GROUNDS, QUALITIES, SENSES
from ledger.people import my_data, proposals, reveals, volunteers
from ledger.people.fields import FIELDS
from ledger.people.proposals import Paper
from ledger.record import awards, conduct, reading
from ledger.record.awards import WITH_PAPER, Award
from ledger.record.items import ITEMS, name_of
from ledger.transactions import ReadTransaction

blueprint = Blueprint("record", __name__, url_prefix="/record")
WORDS: dict[str, Any] = {
    "QUALITIES": QUALITIES,
    "EVALUATORS": EVALUATORS,
    "AWARD_LEVELS": AWARD_LEVELS,
    "WITH_PAPER": WITH_PAPER,
    "EFFECTS": EFFECTS,
    "GROUNDS": GROUNDS,
    "SENSES": SENSES,
    "ITEMS": ITEMS,
    "STANDINGS": conduct.STANDINGS,
    "YEARS_MAX": conduct.YEARS_MAX,
    "item_name": name_of,
    "ASKED": proposals.KINDS,
}
"""What the templates of credit records call things."""
_KEPT = ("name", "sex", "id_number", "birth_date", "area", "phone", "skills", "services")
"""The basic information of 民政部令第67号 article 5."""


def shown(tx: ReadTransaction, number: str) -> dict[str, Any]:
    """Gather what the page shows of one volunteer."""
    person = volunteers.get(tx, number)
    found = reading.of_person(tx, person.row.number)
    held = {field.key: one for field, one in zip(FIELDS, my_data.held(masked(person.personal)), strict=True) if field.part != "guardian"}
    accounts = {row.recorder for row in found.trainings} | {one.row.recorder for one in found.evaluations}
    return {
        "person": person,
        "home_station": stations.get(tx.connection, person.row.station),
        "basic": [(held[key].label, held[key].value) for key in _KEPT],
        "credit": credit.statement(tx, person.row.number),
        "record": found,
        "standing": {row.entry_index: conduct.standing(row, tx.today) for row in found.conduct},
        "waiting": [one for one in proposals.of(tx, person.row.number) if one.row.kind in proposals.SEVERAL],
        "own_accounts": volunteers.accounts_of(tx, person.row.number),
        "recorders": recorders(tx.connection, accounts),
        "today": tx.today.isoformat(),
        "now": tx.now.isoformat(),
        **WORDS,
    }


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        found = shown(tx, actor().volunteer or "")
    return render_template("credit_record.html", mine=True, problem=problem, **found), status


@blueprint.get("/")
@open_to("volunteer")
def mine() -> ResponseReturnValue:
    """Show a volunteer their own record."""
    return _page()


@blueprint.post("/conduct/<int(max=9007199254740991):index>")
@open_to("volunteer")
def ask_lift(index: int) -> ResponseReturnValue:
    """Ask, as the person it is about, that an item of conduct ends."""
    ground, reason = request.form.get("ground", ""), request.form.get("reason", "")
    try:
        ledger().write(lambda tx: conduct.ask_lift(tx, index, ground, reason), actor())
    except InvalidRequest as refusal:
        return _page(str(refusal), 400)
    flash("已经收到，由没有经手的工作人员来办。有了结果会在「通知」里告诉您。")
    return redirect(url_for("record.mine") + "#conduct")


@blueprint.post("/waiting/<uuid:matter>/drop")
@open_to("volunteer")
def take_back(matter: object) -> ResponseReturnValue:
    """Take back, as the person, what one handed in or asked for and nobody has decided."""
    with ledger().read() as tx:
        if proposals.get_row(tx.connection, str(matter)).asked_by != actor().account:
            raise NotFound("没有这件待办，可能已经办完。请刷新页面")
    try:
        ledger().write(lambda tx: proposals.decline(tx, str(matter), ""), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash("已撤回，没有任何改动。")
    return redirect(url_for("record.mine"))


def _award_page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        person = volunteers.get(tx, actor().volunteer or "")
        may = awards.may_hand_in(tx, person.row.number)
        today = tx.today.isoformat()
    return render_template("record_award.html", person=person, may=may, today=today, problem=problem, **WORDS), status


@blueprint.get("/award")
@open_to("volunteer")
def award_form() -> ResponseReturnValue:
    """Ask a volunteer what award is missing."""
    return _award_page()


@blueprint.post("/award")
@open_to("volunteer")
def hand_in() -> ResponseReturnValue:
    """Take an award with its paper."""
    try:
        award, paper = award_said(), paper_said()
        if paper is None:
            raise InvalidRequest("请附上证书的照片或扫描件，工作人员要对照")
        ledger().write(lambda tx: awards.hand_in(tx, award, paper), actor())
    except LedgerError as refusal:
        return _award_page(str(refusal), 400)
    flash("已经交上去，等工作人员对照证书核实。核实以后照片就删除，账本里只留指纹。")
    return redirect(url_for("record.mine") + "#awards")


@blueprint.post("/papers/<uuid:matter>")
@open_to("approver", "official")
def paper(matter: object) -> Response:
    """Show the paper that was handed in with a proposal to whoever may decide it; that somebody looked is noted first."""
    with ledger().read() as tx:
        proposals.see(tx, actor(), str(matter))
        row = proposals.get_row(tx.connection, str(matter))
    if row.state != "waiting":
        raise NotFound("这件事已经办完，证书的照片已经删除，账本里只留指纹")
    if row.volunteer:
        ledger().write(lambda tx: reveals.note_down(tx, row.volunteer, "award", fields="交来的奖励证书"), actor())
    with ledger().read() as tx:
        found = proposals.paper(tx, str(matter))
    answer = Response(found.content, mimetype=found.media_type)
    shown_as = "inline" if found.media_type.startswith("image/") else "attachment; filename=award.pdf"
    answer.headers["Content-Disposition"] = shown_as
    answer.headers["Cache-Control"] = "no-store"
    return answer


# --- what was typed


def day_said(name: str, label: str) -> date:
    """Read a day from the form. Raises InvalidRequest naming it."""
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        raise InvalidRequest(f"请选「{label}」") from None


def award_said() -> Award:
    """Read an award from the form. Raises InvalidRequest."""
    form = request.form
    return Award(form.get("title", ""), form.get("unit", ""), form.get("level", ""), day_said("granted_on", "颁发日期"))


def paper_said() -> Paper | None:
    """Read the paper from the form; None when none is attached. Raises InvalidRequest."""
    try:
        file = request.files["paper"]
    except BadRequestKeyError:
        return None
    content = file.read(BYTES_MAX + 1)
    if not content:
        return None
    if len(content) > BYTES_MAX:
        raise InvalidRequest("照片太大，请不超过 10 MB。可以把手机拍照的清晰度调低一档，或扫描成 PDF")
    return Paper(content, type_of(content))
