"""「区划变动」: what units are called on a day, which are no more, and who and what is still at home there."""

from datetime import date

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from ledger import stations, unit_tree
from ledger.errors import InvalidRequest
from ledger.people import volunteers
from ledger.people.actors import units

blueprint = Blueprint("unit_tree", __name__, url_prefix="/unit-tree")
_SHOWN = 100
"""How many people of an ended unit are shown at once."""


@blueprint.get("/")
@open_to(*STAFF)
def page() -> ResponseReturnValue:
    """Show the tree as it was called on a day, and what is left to be moved at units that are no more."""
    me = actor()
    with ledger().read() as tx:
        on = _day(request.args.get("on"), tx.today)
        mine = units(tx.connection, me, "see_station")
        gone = unit_tree.ended(tx, mine)
        named = unit_tree.names_on(tx.connection, on.isoformat())
        shown = [number for one in gone for number in one.people[:_SHOWN]]
        page_of = {
            "gone": gone,
            "names": volunteers.masked_names(tx, shown),
            "rows": [(unit, named[unit.code]) for unit in stations.everyone(tx.connection) if unit.code in named],
            "on": on.isoformat(),
            "today": tx.today.isoformat(),
            "limit": _SHOWN,
        }
    return render_template("unit_tree.html", **page_of)


def _day(said: str | None, today: date) -> date:
    """Read the day that is asked for; today if none is. Raises InvalidRequest."""
    if not said:
        return today
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise InvalidRequest("请写一个日期，例如 2025-03-05") from None
    if day > today:
        raise InvalidRequest("还没有到那一天")
    return day
