"""A person's data at the desk: masked until somebody says why they look; a copy for the person; a request to erase."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from api.downloads import attachment
from api.wording import KIND_NAMES
from ledger.certificates import register
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.kinds.people import ERASING
from ledger.messages import CHANNELS
from ledger.people import erasures, identity, my_data, reveals, volunteers
from ledger.people.actors import require
from ledger.people.erasures import STATES
from ledger.people.my_data import held
from ledger.people.vault import Personal
from ledger.transactions import ReadTransaction

blueprint = Blueprint("personal", __name__, url_prefix="/volunteers/<number>/personal")


@blueprint.get("")
@open_to(*STAFF)
def page(number: str) -> ResponseReturnValue:
    """Show what is held, masked, and the ways to see it, to hand over a copy, to have it erased."""
    return _page(number)


@blueprint.post("/reveal")
@open_to(*STAFF)
def reveal(number: str) -> ResponseReturnValue:
    """Show it in full, once, after the look has been written down."""
    return _page(number, *_why(), showing=True)


@blueprint.post("/everything")
@open_to(*STAFF)
def everything(number: str) -> ResponseReturnValue:
    """Make the copy that the person at the desk asked for: a page to print, or a file."""
    with ledger().read() as tx:
        known = _visible(tx, number).row.number
    try:
        reveals.reveal(ledger(), actor(), known, "own_request", fields=reveals.EVERYTHING)
    except InvalidRequest as refusal:
        return _page(number, problem=str(refusal))
    with ledger().read() as tx:
        said = my_data.everything(tx, known)
    if request.form.get("form") == "json":
        return attachment(my_data.as_file(said), "application/json", f"本人资料-{known}.json", personal=True)
    return render_template("my_data.html", mine=False, said=said, kinds=KIND_NAMES, states=STATES, reasons=ERASING, CHANNELS=CHANNELS)


@blueprint.post("/erasure")
@open_to(*STAFF)
def ask_erasure(number: str) -> ResponseReturnValue:
    """Record at the desk that the person wants their data erased; somebody else carries it out."""
    with ledger().read() as tx:
        known = _visible(tx, number).row.number
    reason = request.form.get("reason", "")
    if not request.form.get("seen"):
        return _page(number, problem="请先核对本人身份，并勾选「本人在场，已说明后果」。")
    ledger().write(lambda tx: erasures.ask(tx, known, reason), actor())
    flash("注销申请已登记。须由另一位审核员或区级管理员在「注销申请」里办理。")
    return redirect(url_for("personal.page", number=known))


def _why() -> tuple[str, str]:
    return request.form.get("reason", ""), request.form.get("note", "")[:400]


def _page(number: str, reason: str = "", note: str = "", *, showing: bool = False, problem: str = "") -> ResponseReturnValue:
    personal: Personal | None = None
    if showing:
        with ledger().read() as tx:
            known = _visible(tx, number).row.number
        try:
            personal = reveals.reveal(ledger(), actor(), known, reason, note)
        except InvalidRequest as refusal:
            problem = str(refusal)
    with ledger().read() as tx:
        person = _visible(tx, number)
        asked = erasures.requests_of(tx, person.row.number)
        looks = reveals.of(tx, person.row.number)
        papers = len(register.of_volunteer(tx, person.row.number))
    fields = held(personal or masked(person.personal), papers)
    page = render_template(
        "personal.html",
        person=person,
        fields=fields,
        revealed=personal is not None,
        asked=asked,
        looks=len(looks),
        problem=problem,
        said={"reason": reason, "note": note},
        reasons=reveals.REASONS,
        erasing=ERASING,
        states=STATES,
        ended=not person.personal.identity,
    )
    return (page, 400) if problem else page


def masked(personal: Personal) -> Personal:
    """Put the masks on: what a clerk sees who has not said why they look."""
    who = dict(personal.identity)
    for key, mask in (("name", identity.mask_name), ("id_number", identity.mask_id)):
        if key in who:
            who[key] = mask(who[key])
    contact = {key: identity.mask_phone(value) if key == "phone" else "（已填）" for key, value in personal.contact.items()}
    guardian = {
        key: {"name": identity.mask_name, "phone": identity.mask_phone}.get(key, str)(value) for key, value in personal.guardian.items()
    }
    return Personal(personal.subject, who, contact, guardian)


def _visible(tx: ReadTransaction, number: str) -> volunteers.Known:
    """Give a volunteer of one's own stations; whether others are registered elsewhere is not told."""
    try:
        person = volunteers.get(tx, number)
        require(tx.connection, actor(), "see_station", person.row.station)
    except (NotFound, NotAllowed, InvalidRequest):
        raise NotFound("在您管理的站点里没有查到这位志愿者。请核对号码，或回到「志愿者」重新查") from None
    return person
