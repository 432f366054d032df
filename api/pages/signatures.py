"""「第二人签字」: services over the daily cap, proposed by one person of the station and signed by another."""

from collections.abc import Mapping
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from ledger import activities, stations
from ledger.codes import GRADES
from ledger.errors import InvalidRequest, LedgerError
from ledger.ids import new_entry_id, parse_number
from ledger.people import accounts, volunteers
from ledger.people.actors import units
from ledger.service import second_signatures
from ledger.service.drafts import Draft
from ledger.transactions import WriteTransaction

blueprint = Blueprint("signatures", __name__, url_prefix="/signatures")
RECENT = 60
"""Activities offered for a new proposal: the newest of one's stations."""


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        rows = second_signatures.waiting(tx, actor())
        drafts = {row.id: second_signatures.draft_of(row) for row in rows}
        offered = activities.recent(tx.connection, units(tx.connection, actor(), "record"), RECENT)
        shown = {
            "rows": rows,
            "drafts": drafts,
            "offered": offered,
            "names": volunteers.masked_names(tx, {draft.volunteer for draft in drafts.values()}),
            "titles": activities.get_many(tx.connection, {draft.activity for draft in drafts.values()}),
            "places": stations.names(tx.connection, {row.station for row in [*rows, *offered]}),
            "logins": accounts.logins(tx.connection, {row.asked_by for row in rows}),
        }
    return render_template("signatures.html", problem=problem, own=actor().account, said=request.form, **shown), status


@blueprint.get("/")
@open_to("recorder", "approver")
def listing() -> ResponseReturnValue:
    """Show what waits for a second signature, and the form to propose one."""
    return _page()


@blueprint.post("/")
@open_to("recorder", "approver")
def ask() -> ResponseReturnValue:
    """Propose a service over the daily cap."""
    said = {name: " ".join(value.split()) for name, value in request.form.items()}
    try:
        ledger().write(lambda tx: second_signatures.ask(tx, _draft(tx, said), said.get("reason", "")), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash("已提出，等另一位工作人员签字。签字以前不记入账本。")
    return redirect(url_for("signatures.listing"))


@blueprint.post("/<uuid:matter>/sign")
@open_to("recorder", "approver")
def sign(matter: object) -> ResponseReturnValue:
    """Sign: it was so."""
    try:
        receipt = ledger().write(lambda tx: second_signatures.sign(tx, str(matter)), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash(f"已签字，记入账本第 {receipt.index} 条，等第三个人审核。")
    return redirect(url_for("signatures.listing"))


@blueprint.post("/<uuid:matter>/decline")
@open_to("recorder", "approver")
def decline(matter: object) -> ResponseReturnValue:
    """Turn it down, with a reason; or take back what one proposed."""
    remark = " ".join(request.form.get("remark", "").split()) or "提出人撤回"
    try:
        ledger().write(lambda tx: second_signatures.decline(tx, str(matter), remark), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash("已退回，没有记入账本。")
    return redirect(url_for("signatures.listing"))


def _draft(tx: WriteTransaction, said: Mapping[str, str]) -> Draft:
    person = volunteers.get(tx, parse_number(said.get("volunteer", ""))).row
    known = activities.get_many(tx.connection, {said.get("activity", "")}).get(said.get("activity", ""))
    if known is None:
        raise InvalidRequest("请选择活动。没有的话，先登记活动")
    if said.get("grade") not in GRADES:
        raise InvalidRequest("请选择依据")
    try:
        start, end = (
            datetime.fromisoformat(said.get(name, "").replace(" ", "T")).replace(second=0, tzinfo=None) for name in ("start", "end")
        )
    except ValueError:
        raise InvalidRequest("时间应写成「2026-03-05 09:00」这样，请重新填写") from None
    pause = said.get("break_minutes", "") or "0"
    if not (pause.isdecimal() and len(pause) <= 4 and int(pause) <= 1_440):
        raise InvalidRequest("休息分钟应是 0 到 1440 的整数")
    batch = new_entry_id()
    return Draft(person.number, known.id, known.station, start, end, said["grade"], batch, known.organisation, int(pause))
