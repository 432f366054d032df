"""「站点看板」: the three rates of every unit against their targets, in pictures and numbers. The public sees the same as the staff."""

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from api import board
from api.auth import ledger, open_to_all
from ledger.errors import InvalidRequest

blueprint = Blueprint("stations", __name__, url_prefix="/stations")


@blueprint.get("/")
@open_to_all
def listing() -> ResponseReturnValue:
    """Show a unit and those below it, for a year."""
    sort = request.args.get("sort", "code")
    if sort not in board.SORTS:
        raise InvalidRequest("不能按这一列排序，请点表头上的链接")
    with ledger().read() as tx:
        year = board.year_said(request.args.get("year"), tx.today)
        home = g.session.actor.station if g.session else None
        shown = board.show(tx, year, request.args.get("unit") or home, sort)
        trend = board.trend(tx, shown)
    return render_template("stations.html", board=shown, sort=sort, sorts=board.SORTS, trend=trend)
