"""What a second person decides about volunteers: confirmations to be checked, corrections, merges, claims, moves; and registrations disowned."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, accounts, actor, ledger, open_to
from api.pages.organisations import WORDS
from api.pages.volunteers import visible
from ledger import organisations, stations
from ledger.errors import LedgerError
from ledger.kinds.checks import text
from ledger.kinds.people import FINDINGS, MEANS
from ledger.people import accounts as account_names
from ledger.people import changes, deciding, merging, proposals, volunteers, withdrawals
from ledger.people.proposals import Proposal

blueprint = Blueprint("proposals", __name__, url_prefix="/proposals")
REASON_MAX = 200
ABOVE = ("approver", "official")


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        found = proposals.waiting(tx, actor())
        others = {one.said["into"] for one in found if one.row.kind == "merge"}
        numbers = {one.row.volunteer for one in found if one.row.volunteer} | others
        shown = {
            "found": found,
            "masked": volunteers.masked_names(tx, numbers),
            "names": {unit.code: unit.name for unit in stations.everyone(tx.connection)},
            "logins": account_names.logins(tx.connection, {one.row.asked_by for one in found}),
            "teams": organisations.names(tx.connection, {one.row.organisation for one in found if one.row.organisation}),
            "overlaps": {one.row.id: merging.overlaps(tx, one.row.volunteer, one.said["into"]) for one in found if one.row.kind == "merge"},
        }
    words = {"WHAT": proposals.KINDS, "SEVERAL": proposals.SEVERAL, "MEANS": MEANS, "CHANGED": changes.FIELDS, "CREDIT": WORDS}
    return render_template("proposals.html", problem=problem, own=actor().account, **words, **shown), status


@blueprint.get("/")
@open_to(*STAFF)
def listing() -> ResponseReturnValue:
    """Show what waits for a second person."""
    return _page()


@blueprint.post("/<uuid:matter>/accept")
@open_to(*STAFF)
def accept(matter: object) -> ResponseReturnValue:
    """Say yes; after a claim the new code is shown once."""
    with ledger().read() as tx:
        proposals.see(tx, actor(), str(matter))
    typed = {name: request.form.get(name, "")[:60] for name in changes.FIELDS}
    try:
        done: Proposal = ledger().write(lambda tx: deciding.accept(tx, str(matter), typed), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    if done.row.kind == "claim":
        code = accounts().issue_code(actor(), done.row.volunteer)
        with ledger().read() as tx:
            person = volunteers.get(tx, done.row.volunteer)
            return render_template("slip.html", person=person, code=code, now=tx.now.isoformat())
    flash(f"已办理：{proposals.KINDS[done.row.kind]}。")
    return redirect(url_for("proposals.listing"))


@blueprint.post("/<uuid:matter>/decline")
@open_to(*STAFF)
def decline(matter: object) -> ResponseReturnValue:
    """Say no, with a reason; or take back what one asked."""
    with ledger().read() as tx:
        proposals.see(tx, actor(), str(matter))
    remark = " ".join(request.form.get("remark", "").split())
    try:
        ledger().write(lambda tx: proposals.decline(tx, str(matter), remark), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash("已退回，没有任何改动。")
    return redirect(url_for("proposals.listing"))


def _disowned(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        found = withdrawals.disowned(tx, actor())
        names = {unit.code: unit.name for unit in stations.everyone(tx.connection)}
        logins = account_names.logins(tx.connection, {one.row.recorder for one in found})
    by_recorder = {one.row.recorder: one for one in found}.values()
    ranked = sorted(by_recorder, key=lambda one: -one.disowned_of_recorder)
    shown = {"found": found, "names": names, "logins": logins, "ranked": ranked, "own": actor().account}
    return render_template("disowned.html", problem=problem, FINDINGS=FINDINGS, **shown), status


@blueprint.get("/disowned")
@open_to(*ABOVE)
def disowned() -> ResponseReturnValue:
    """List the registrations that people said were not theirs, and who made them."""
    return _disowned()


@blueprint.post("/disowned/<number>")
@open_to(*ABOVE)
def decide(number: str) -> ResponseReturnValue:
    """Say what came out."""
    with ledger().read() as tx:
        visible(tx, number)
    finding, reason = request.form.get("finding", ""), " ".join(request.form.get("reason", "").split())
    if not text(REASON_MAX)(reason):
        return _disowned(f"请写明核查经过（最多 {REASON_MAX} 个字，不要写手机号或身份证号）", 400)
    try:
        ledger().write(lambda tx: withdrawals.decide(tx, number, finding, reason), actor())
    except LedgerError as refusal:
        return _disowned(str(refusal), 400)
    flash("核查结论已记入账本。")
    return redirect(url_for("proposals.disowned"))
