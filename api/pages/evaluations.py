"""「评价」: how well those who came to an activity served, all of them on one page."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from api.pages.record import WORDS, day_said
from ledger import activities, stations
from ledger.errors import InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.people.actors import require
from ledger.record import evaluations
from ledger.record.evaluations import Judged, Sheet
from ledger.transactions import ReadTransaction

blueprint = Blueprint("evaluations", __name__, url_prefix="/evaluations")
RECORDERS = ("recorder", "approver")
DEFAULT = "fair"


@blueprint.get("/")
@open_to(*RECORDERS)
def listing() -> ResponseReturnValue:
    """List the activities whose people wait to be evaluated."""
    with ledger().read() as tx:
        found = evaluations.waiting(tx, actor())
        names = stations.names(tx.connection, {one.activity.station for one in found})
    return render_template("evaluations.html", found=found, names=names, late=sum(one.late for one in found))


def _page(number: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        found = _visible(tx, number)
        station = stations.names(tx.connection, {found.activity.station})[found.activity.station]
        today = tx.today.isoformat()
    by = request.values.get("by", "organiser")
    shown = {"sheet": found, "station": station, "today": today, "by": by, "said": request.form, "default": DEFAULT}
    return render_template("evaluation.html", problem=problem, **shown, **WORDS), status


def _visible(tx: ReadTransaction, number: str) -> Sheet:
    """Give the sheet of an activity where one records. Raises NotFound."""
    try:
        require(tx.connection, actor(), "record", activities.get(tx.connection, number).station)
    except (NotFound, NotAllowed):
        raise NotFound("您登记的站点里没有这个活动。请从「评价」的列表里重新选择") from None
    return evaluations.sheet(tx, number)


@blueprint.get("/<number>")
@open_to(*RECORDERS)
def one(number: str) -> ResponseReturnValue:
    """Show everybody who came, each with a quality to choose."""
    return _page(number)


@blueprint.post("/<number>")
@open_to(*RECORDERS)
def record(number: str) -> ResponseReturnValue:
    """Record what was chosen."""
    form = request.form
    with ledger().read() as tx:
        lines = _visible(tx, number).lines
    by = form.get("by", "organiser")
    chosen = {
        line.volunteer: Judged(form[f"quality-{line.volunteer}"], form.get(f"remark-{line.volunteer}", ""))
        for line in lines
        if form.get(f"quality-{line.volunteer}") and by not in line.said
    }
    try:
        if not chosen:
            raise InvalidRequest("没有要登记的评价：这些人都评过了，或者都选了「不评」")
        day = day_said("evaluated_on", "评价日期")
        receipts = ledger().write(lambda tx: evaluations.record_many(tx, number, chosen, by=by, evaluated_on=day), actor())
    except LedgerError as refusal:
        return _page(number, str(refusal), 400)
    flash(f"已登记 {len(receipts)} 人的评价。")
    return redirect(url_for("evaluations.one", number=number, by=by))
