"""Volunteers at the desk: look one up, show their credit, give them a code to sign in with."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, accounts, actor, ledger, open_to
from api.pages.credit import paper, statement
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.ids import parse_number
from ledger.people import identity, volunteers
from ledger.people.actors import require
from ledger.transactions import ReadTransaction

blueprint = Blueprint("volunteers", __name__, url_prefix="/volunteers")
NOT_HERE = "在您管理的站点里没有查到。请核对号码；也可能登记在别的站点，或还没有登记"


@blueprint.get("/")
@open_to(*STAFF)
def search() -> ResponseReturnValue:
    """Show the form."""
    return render_template("volunteers.html")


@blueprint.post("/")
@open_to(*STAFF)
def find() -> ResponseReturnValue:
    """Find one by number, ID number or phone; a POST, so that no ID number stands in an address or a log."""
    said = request.form.get("said", "").strip()[:60]
    with ledger().read() as tx:
        try:
            person = visible(tx, _meant(tx, said))
        except (NotFound, InvalidRequest) as refusal:
            return render_template("volunteers.html", problem=str(refusal)), 404
    return redirect(url_for("volunteers.one", number=person.row.number))


@blueprint.get("/<number>")
@open_to(*STAFF)
def one(number: str) -> ResponseReturnValue:
    """Show a volunteer's credit, and the way to give a code."""
    with ledger().read() as tx:
        person = visible(tx, number)
        shown = statement(tx, person.row.number)
    return render_template("volunteer.html", mine=False, at_desk=actor().may("register"), **shown)


@blueprint.get("/<number>/statement")
@open_to(*STAFF)
def printed(number: str) -> ResponseReturnValue:
    """Show a volunteer's statement as it is printed and handed to them."""
    with ledger().read() as tx:
        shown = paper(tx, visible(tx, number).row.number)
    return render_template("statement.html", mine=False, **shown)


@blueprint.post("/<number>/code")
@open_to(*STAFF)
def code(number: str) -> ResponseReturnValue:
    """Issue a one-time code: the slip is shown once, to be printed or read out."""
    with ledger().read() as tx:
        person = visible(tx, number)
    issued = accounts().issue_code(actor(), person.row.number)
    return render_template("slip.html", person=person, code=issued, now=ledger().now().isoformat())


def visible(tx: ReadTransaction, number: str) -> volunteers.Known:
    """Give a volunteer of one's own stations; whether others are registered elsewhere is not told."""
    try:
        person = volunteers.get(tx, number)
        require(tx.connection, actor(), "see_station", person.row.station)
    except (NotFound, NotAllowed):
        raise NotFound(NOT_HERE) from None
    return person


def _meant(tx: ReadTransaction, said: str) -> str:
    try:
        return parse_number(said)
    except InvalidRequest:
        pass
    for field, spell in (("id_number", lambda text: identity.check_id_number(text, today=tx.today)), ("phone", identity.normalise_phone)):
        try:
            value = spell(said)
        except InvalidRequest:
            continue
        subjects = tx.vault.find(tx.connection, field, [value]).get(value, [])
        if len(subjects) > 1:
            raise InvalidRequest("这个电话有几位志愿者共用，请改用身份证号或志愿者编号查询")
        if subjects:
            return subjects[0].removeprefix("person/")
        raise NotFound(NOT_HERE)
    raise InvalidRequest("这不像志愿者编号（10 位字母和数字）、身份证号（18 位）或手机号（11 位），请核对后重输")
