"""「报送国家系统」: asking for records to be handed over to the designated system, another's yes, and the file, once."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from api.downloads import attachment
from ledger import stations
from ledger.errors import LedgerError
from ledger.handing_over import asking, mapping
from ledger.people import accounts
from ledger.people.actors import units
from ledger.reports.files import XLSX

blueprint = Blueprint("handovers", __name__, url_prefix="/handovers")


@blueprint.get("/")
@open_to("approver", "official")
def listing() -> ResponseReturnValue:
    """Show what waits, what may be taken, and what was handed over."""
    return _page()


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    me = actor()
    with ledger().read() as tx:
        rows = asking.requests(tx, me)
        done = asking.handed_over(tx, me)
        mine = set(units(tx.connection, me, "hand_over"))
        every = stations.everyone(tx.connection)
        logins = accounts.logins(tx.connection, {one for row in rows for one in (row.asked_by, row.decided_by) if one})
        shown = {
            "rows": [(row, asking.state(row, tx.now)) for row in rows],
            "done": done,
            "logins": logins | accounts.logins(tx.connection, {one for row in done for one in (row.asked_by, row.agreed_by)}),
            "names": {unit.code: unit.name for unit in every},
            "offered": [unit for unit in every if unit.code in mine],
            "first": tx.today.replace(day=1).isoformat(),
            "today": tx.today.isoformat(),
        }
    page = render_template(
        "handovers.html", problem=problem, me_account=me.account, said=request.form, mapped=mapping.shipped(), STATES=asking.STATES, **shown
    )
    return page, status


@blueprint.post("/")
@open_to("approver", "official")
def ask() -> ResponseReturnValue:
    """Ask for a unit's records of a period."""
    unit, first, last, reason = (request.form.get(name, "").strip() for name in ("unit", "first", "last", "reason"))
    try:
        ledger().write(lambda tx: asking.ask(tx, unit, first, last, reason), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash("已经提出，等另一位审核员或区级管理员同意。")
    return redirect(url_for("handovers.listing"))


@blueprint.post("/<handover>/<any(agree, decline):verdict>")
@open_to("approver", "official")
def decide(handover: str, verdict: str) -> ResponseReturnValue:
    """Agree to what another asked for, refuse it, or take back one's own."""
    work = asking.agree if verdict == "agree" else asking.decline
    ledger().write(lambda tx: work(tx, handover), actor())
    flash("已同意。一天之内，由提出的人或您取文件，只能取一次。" if verdict == "agree" else "已经办结，没有交出任何资料。")
    return redirect(url_for("handovers.listing"))


@blueprint.post("/<handover>/file")
@open_to("approver", "official")
def take(handover: str) -> ResponseReturnValue:
    """Hand out the file, once; everybody in it is told."""
    taken = asking.take(ledger(), actor(), handover)
    return attachment(taken.content, XLSX, taken.name, personal=True)
