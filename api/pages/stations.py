"""「站点看板」: the three rates of every unit against their targets, in pictures and numbers. The public sees the same as the staff.

Who is behind a figure is for the unit's own staff, by number and masked name.
"""

from typing import Any

from flask import Blueprint, Response, g, render_template, request
from flask.typing import ResponseReturnValue

from api import board, board_files, board_map, downloads
from api.auth import STAFF, actor, ledger, open_to, open_to_all
from ledger import behind, stations
from ledger.codes import BENEFICIARIES
from ledger.errors import InvalidRequest, NotFound
from ledger.people import volunteers
from ledger.people.actors import require, units
from ledger.reports import FORMATS
from ledger.transactions import ReadTransaction

blueprint = Blueprint("stations", __name__, url_prefix="/stations")
LISTED = 100
_PICTURES = {"svg": "SVG", "png": "PNG"}
"""Kinds of picture, and what they are called; the board's table comes as FORMATS."""


@blueprint.get("/")
@open_to_all
def listing() -> ResponseReturnValue:
    """Show a unit and those below it, for a year."""
    asked = _asked()
    with ledger().read() as tx:
        home = g.session.actor.station if g.session else None
        shown = _shown(tx, asked, request.args.get("unit") or home)
        trend = board.trend(tx, shown)
        may_see = bool(g.session and shown.unit and shown.unit.rate.code in units(tx.connection, g.session.actor, "see_station"))
    return render_template(
        "stations.html",
        board=shown,
        trend=trend,
        sorts=board.SORTS,
        map=board_map.draw(shown, asked["by"]),
        MARKS=board_map.STATES,
        MEASURES=board.MEASURES,
        BENEFICIARIES=BENEFICIARIES,
        bars=board_files.bars,
        short=board_map.short,
        may_see=may_see,
        files={**_PICTURES, **{form: one.label for form, one in FORMATS.items()}},
        **asked,
    )


@blueprint.get("/file/<any(svg, png, xlsx, pdf, csv, 'csv-gb18030'):form>")
@open_to_all
def file(form: str) -> Response:
    """Hand out the board: as one picture, or its table as a report."""
    asked = _asked()
    with ledger().read() as tx:
        shown = _shown(tx, asked, request.args.get("unit"))
        trend = board.trend(tx, shown)
        today = tx.today
    if shown.unit is None:
        raise NotFound("还没有登记任何站点")
    if form not in _PICTURES:
        return downloads.report_file(board_files.report(shown, today), form)
    drawn, name = board_files.svg(shown, trend, asked["by"]), f"{shown.unit.rate.name} {shown.year} 年三率看板"
    if form == "svg":
        return downloads.attachment(drawn.encode(), "image/svg+xml", f"{name}.svg")
    return downloads.attachment(board_files.png(drawn), "image/png", f"{name}.png")


@blueprint.get("/people")
@open_to(*STAFF)
def people() -> ResponseReturnValue:
    """List who is behind a figure of a unit, by number and masked name."""
    figure, after = request.args.get("figure", "registered"), request.args.get("after", "")[:20]
    if figure not in behind.FIGURES:
        raise InvalidRequest("没有这一项名单，请从看板上的链接进入")
    with ledger().read() as tx:
        year = board.year_said(request.args.get("year"), tx.today)
        unit = _unit_said(tx)
        require(tx.connection, actor(), "see_station", unit.code)
        found = behind.people(tx.connection, figure, unit.code, year, tx.today, after=after, limit=LISTED + 1)
        names = volunteers.masked_names(tx, [row.number for row in found[:LISTED]])
        places = stations.names(tx.connection, {row.station for row in found})
        counted = board.show(tx, year, unit.code).unit
    assert counted is not None
    return render_template(
        "station_people.html",
        unit=unit,
        year=year,
        figure=figure,
        FIGURES=behind.FIGURES,
        total=counted.rate.registered - counted.rate.participants if figure == "absent" else getattr(counted.rate, figure),
        rows=found[:LISTED],
        more=found[LISTED - 1].number if len(found) > LISTED else None,
        after=after,
        names=names,
        places=places,
    )


def _unit_said(tx: ReadTransaction) -> Any:
    """Give the unit whose people are asked for: one's own if none is said. Raises NotFound."""
    said = request.args.get("unit") or actor().station
    highest = next(iter(stations.everyone(tx.connection)), None) if said is None else stations.get(tx.connection, said[:20])
    if highest is None:
        raise NotFound("还没有登记任何站点")
    return highest


def _asked() -> dict[str, Any]:
    """Read how a board is asked for: sorted by which column, which way, and with the map of which rate. Raises InvalidRequest."""
    sort, order, by = (request.args.get(name, usual) for name, usual in (("sort", "code"), ("order", "down"), ("by", "registration")))
    if sort not in board.SORTS or order not in ("up", "down"):
        raise InvalidRequest("不能按这一列排序，请点表头上的链接")
    if by not in board.MEASURES:
        raise InvalidRequest("地图上没有这一项，请点地图上方的链接")
    return {"sort": sort, "order": order, "by": by}


def _shown(tx: ReadTransaction, asked: dict[str, Any], unit: str | None) -> board.Board:
    year = board.year_said(request.args.get("year"), tx.today)
    return board.show(tx, year, unit, asked["sort"], upwards=asked["order"] == "up")
