"""「我的证明」: a volunteer makes their own certificate, at any hour and for nothing, and takes it away as a PDF that proves itself."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api import certificate_forms
from api.auth import actor, ledger, open_to
from api.downloads import attachment
from ledger import credit
from ledger.certificates import register
from ledger.checking.certificates import encode_certificate
from ledger.errors import LedgerError, NotFound
from ledger.people import volunteers
from ledger.transactions import ReadTransaction

blueprint = Blueprint("certificates", __name__, url_prefix="/certificates")


def _page(problem: str = "", status: int = 200, gaps: str = "") -> ResponseReturnValue:
    with ledger().read() as tx:
        person = volunteers.get(tx, actor().volunteer or "")
        found = [register.standing(tx, row) for row in register.of_volunteer(tx, person.row.number)]
        minutes = credit.statement(tx, person.row.number).minutes
        today = tx.today
    shown = {"person": person, "found": found, "minutes": minutes, "year": today.year, "said": request.form}
    return render_template(
        "certificates.html", problem=problem, gaps=gaps, PERIODS=certificate_forms.PERIODS, STATES=register.STATES, **shown
    ), status


@blueprint.get("/")
@open_to("volunteer")
def mine() -> ResponseReturnValue:
    """Show a volunteer their certificates, and the form for another."""
    return _page()


@blueprint.post("/")
@open_to("volunteer")
def issue() -> ResponseReturnValue:
    """Issue one; first say so when a character cannot be printed."""
    try:
        with ledger().read() as tx:
            asked = certificate_forms.wish(actor().volunteer or "", tx.today)
            lacking = certificate_forms.unprintable(tx, asked)
        if lacking:
            return _page(gaps=certificate_forms.in_words(lacking))
        issued = certificate_forms.issue(asked)
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash(f"证明开好了，编号 {issued.number}。点「打开 PDF」存下来或打印。")
    return redirect(url_for("certificates.mine"))


@blueprint.get("/<certificate>.pdf")
@open_to("volunteer")
def paper(certificate: str) -> ResponseReturnValue:
    """Hand the person their certificate."""
    with ledger().read() as tx:
        _own(tx, certificate)
        content = certificate_forms.pdf(tx, certificate)
    return attachment(content, "application/pdf", f"志愿服务记录证明-{certificate}.pdf", personal=True)


@blueprint.get("/<certificate>.json")
@open_to("volunteer")
def data(certificate: str) -> ResponseReturnValue:
    """Hand the person what proves their certificate: the same as is attached to the PDF."""
    with ledger().read() as tx:
        content = encode_certificate(register.certificate(tx, _own(tx, certificate)))
    return attachment(content, "application/json", f"志愿服务记录证明-{certificate}.json", personal=True)


@blueprint.get("/<certificate>/credential.<any(json, jwt):way>")
@open_to("volunteer")
def credential(certificate: str, way: str) -> ResponseReturnValue:
    """Hand the person their certificate as a Verifiable Credential."""
    with ledger().read() as tx:
        _own(tx, certificate)
        made = certificate_forms.credential(tx, certificate, way)
    return attachment(*made, personal=True)


def _own(tx: ReadTransaction, certificate: str) -> object:
    """Give the row of a certificate of the person's own. Raises NotFound for all others alike."""
    mine = {row.number: row for row in register.of_volunteer(tx, actor().volunteer or "")}
    if certificate not in mine:
        raise NotFound("您没有这个编号的证明")
    return mine[certificate]
