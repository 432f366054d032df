"""Certificates at the desk, for somebody without a phone: made, printed, and revoked where one is wrong. Each is written down as a look."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api import certificate_forms
from api.auth import STAFF, actor, ledger, open_to
from api.downloads import attachment
from api.pages.volunteers import visible
from ledger import credit, stations
from ledger.certificates import issuing, register
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.people import reveals
from ledger.transactions import ReadTransaction

blueprint = Blueprint("desk_certificates", __name__, url_prefix="/volunteers/<number>/certificates")
PRINTED = "证明原文（打印给本人）"


def _page(number: str, problem: str = "", status: int = 200, gaps: str = "") -> ResponseReturnValue:
    with ledger().read() as tx:
        person = visible(tx, number)
        found = [register.standing(tx, row) for row in register.of_volunteer(tx, person.row.number)]
        minutes = credit.statement(tx, person.row.number).minutes
        places = stations.names(tx.connection, {one.row.station for one in found})
        today = tx.today
    shown = {"person": person, "found": found, "minutes": minutes, "year": today.year, "said": request.form, "places": places}
    return render_template(
        "desk_certificates.html", problem=problem, gaps=gaps, PERIODS=certificate_forms.PERIODS, STATES=register.STATES, **shown
    ), status


@blueprint.get("/")
@open_to(*STAFF)
def page(number: str) -> ResponseReturnValue:
    """Show somebody's certificates, and the form for another."""
    return _page(number)


@blueprint.post("/")
@open_to(*STAFF)
def issue(number: str) -> ResponseReturnValue:
    """Issue one for the person at the desk."""
    with ledger().read() as tx:
        known, today = visible(tx, number).row.number, tx.today
    try:
        if not request.form.get("seen"):
            raise InvalidRequest("请先核对本人（或受托人）的证件，并勾选「已核对」")
        asked = certificate_forms.wish(known, today)
        with ledger().read() as tx:
            lacking = certificate_forms.unprintable(tx, asked)
        if lacking:
            return _page(known, gaps=certificate_forms.in_words(lacking))
        issued = certificate_forms.issue(asked)
    except LedgerError as refusal:
        return _page(known, str(refusal), 400)
    flash(f"证明开好了，编号 {issued.number}。请打印给本人，需要时盖章。")
    return redirect(url_for("desk_certificates.page", number=known))


@blueprint.post("/<certificate>/print")
@open_to(*STAFF)
def paper(number: str, certificate: str) -> ResponseReturnValue:
    """Print one for the person, after the look has been written down."""
    with ledger().read() as tx:
        known = _theirs(tx, number, certificate)
    ledger().write(lambda tx: reveals.note_down(tx, known, "certificate", fields=PRINTED), actor())
    with ledger().read() as tx:
        content = certificate_forms.pdf(tx, certificate)
    return attachment(content, "application/pdf", f"志愿服务记录证明-{certificate}.pdf", personal=True)


@blueprint.post("/<certificate>/credential.<any(json, jwt):way>")
@open_to(*STAFF)
def credential(number: str, certificate: str, way: str) -> ResponseReturnValue:
    """Hand one to the person as a Verifiable Credential, after the look has been written down."""
    with ledger().read() as tx:
        known = _theirs(tx, number, certificate)
    ledger().write(lambda tx: reveals.note_down(tx, known, "certificate", fields=PRINTED), actor())
    with ledger().read() as tx:
        made = certificate_forms.credential(tx, certificate, way)
    return attachment(*made, personal=True)


@blueprint.post("/<certificate>/revocation")
@open_to("approver", "official")
def revoke(number: str, certificate: str) -> ResponseReturnValue:
    """Revoke one that is wrong."""
    with ledger().read() as tx:
        known = _theirs(tx, number, certificate)
    reason = request.form.get("reason", "")
    try:
        receipt = ledger().write(lambda tx: issuing.revoke(tx, certificate, reason), actor())
    except LedgerError as refusal:
        return _page(known, str(refusal), 400)
    issuing.prove(ledger())
    flash(f"证明 {certificate} 已撤销（账本第 {receipt.index} 条），已告诉本人。从现在起，谁来核验都显示「已撤销」。")
    return redirect(url_for("desk_certificates.page", number=known))


def _theirs(tx: ReadTransaction, number: str, certificate: str) -> str:
    """Give the number in use of the person, whose certificate it has to be. Raises NotFound."""
    person = visible(tx, number)
    if certificate not in {row.number for row in register.of_volunteer(tx, person.row.number)}:
        raise NotFound("这位志愿者没有这个编号的证明。请回到列表再看一遍")
    return str(person.row.number)
