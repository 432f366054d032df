"""「指标」: every target of the district for a unit and those below it, with what is missing; and where units hand in the figures it takes.

What the public sees is what the staff see. Figures are handed in by the unit's own staff; marks of organisations likewise.
"""

from datetime import date
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api import board, downloads
from api.auth import STAFF, actor, ledger, open_to, open_to_all
from ledger import organisations, rates, stations
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.indicators import adoption
from ledger.indicators.adoption import Figure
from ledger.indicators.reading import IndicatorSet
from ledger.indicators.standings import Standing
from ledger.kinds.figures import MARKS
from ledger.log import tree_head
from ledger.people.actors import below, units
from ledger.reports import FORMATS, Column, Report
from ledger.transactions import ReadTransaction

blueprint = Blueprint("indicators", __name__, url_prefix="/indicators")
STATES = {True: ("ok", "达标"), False: ("lack", "未达标"), None: ("none", "没有目标或没有数")}


@blueprint.get("/")
@open_to_all
def listing() -> ResponseReturnValue:
    """Show a unit's indicators for a year, and how the units right below it stand in each."""
    with ledger().read() as tx:
        year = board.year_said(request.args.get("year"), tx.today)
        home = g.session.actor.station if g.session else None
        shown = _shown(tx, year, request.args.get("unit") or home)
        may = bool(g.session and shown["unit"] and shown["unit"].code in units(tx.connection, g.session.actor, "register"))
    return render_template("indicators.html", **shown, may=may, formats=FORMATS, STATES=STATES)


@blueprint.get("/file/<any(xlsx, pdf, csv, 'csv-gb18030'):form>")
@open_to_all
def file(form: str) -> ResponseReturnValue:
    """Hand out the same table as a file."""
    with ledger().read() as tx:
        year = board.year_said(request.args.get("year"), tx.today)
        shown = _shown(tx, year, request.args.get("unit"))
        if shown["unit"] is None:
            raise NotFound("还没有登记任何站点")
        report = _report(shown, tx.today)
    return downloads.report_file(report, form)


def _shown(tx: ReadTransaction, year: int, code: str | None) -> dict[str, Any]:
    """Count a unit's indicators (None: of the highest). Raises NotFound for an unknown unit."""
    on = rates.counting_day(year, tx.today).isoformat()
    chosen = adoption.in_force(tx.connection, on)
    counted = board.rates_of(tx, year)
    if code is not None and code not in counted:
        raise NotFound(f"没有编码为 {code[:20]} 的站点")
    unit = counted[code] if code else next(iter(counted.values()), None)
    found = board.standings_of(tx, year)
    mine = found[unit.code] if unit else []
    return {
        "year": year,
        "years": board.years_offered(tx.today),
        "on": on,
        "size": tree_head(tx.connection).size,
        "chosen": chosen,
        "unit": unit,
        "path": board.path_to(counted, unit) if unit else [],
        "standings": mine,
        "states": {state: sum(one.reached is state for one in mine) for state in STATES},
        "children": [(child, found[child.code]) for child in counted.values() if unit is not None and child.parent == unit.code],
    }


_COLUMNS = (
    Column("指标", 34),
    Column("数值", 16),
    Column("分子", 10, "integer"),
    Column("分母", 10, "integer"),
    Column("目标", 16),
    Column("是否达标", 12),
    Column("还差", 8, "integer"),
    Column("下级达标", 10),
    Column("口径", 50),
)


def _report(shown: dict[str, Any], today: date) -> Report:
    chosen: IndicatorSet = shown["chosen"]
    standings: list[Standing] = shown["standings"]
    rows = [
        (
            one.indicator.name,
            one.value(),
            one.numerator,
            one.denominator if one.denominator is not None else "—",
            one.goal() or "—",
            STATES[one.reached][1],
            one.missing or "—",
            f"{one.reached_below}/{one.judged_below}" if one.judged_below else "—",
            one.indicator.note,
        )
        for one in standings
    ]
    return Report(
        f"{shown['unit'].name} {shown['year']} 年度指标",
        shown["unit"].name,
        "守望账本",
        today,
        _COLUMNS,
        rows,
        subtitle=chosen.name,
        notes=(f"依据：{chosen.document}。数据截至 {shown['on']}，账本 {shown['size']} 条；任何持有账本的人可以复算。",),
    )


@blueprint.get("/figures")
@open_to(*STAFF)
def figures() -> ResponseReturnValue:
    """Show what a unit has handed in, and the form for more."""
    return _figures_page()


def _figures_page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    me = actor()
    with ledger().read() as tx:
        chosen = adoption.in_force(tx.connection, tx.today.isoformat())
        mine = set(units(tx.connection, me, "register"))
        offered = [unit for unit in stations.everyone(tx.connection) if unit.code in mine]
        code = request.values.get("unit") or me.station or (offered[0].code if offered else "")
        unit = next((one for one in offered if one.code == code), None)
        if unit is None:
            raise NotFound("请先在看板上选一个您所在的站点")
        handed_in = adoption.handed_in(tx.connection, unit.code, tx.today.isoformat())
        teams = organisations.at_stations(tx.connection, list(below(tx.connection, unit.code)))
        held = adoption.marks(tx.connection, [team.id for team in teams])
        today = tx.today.isoformat()
    return (
        render_template(
            "figures.html",
            problem=problem,
            chosen=chosen,
            units=offered,
            unit=unit,
            handed_in=handed_in,
            teams=teams,
            held=held,
            MARKS=MARKS,
            today=today,
            said=request.form,
        ),
        status,
    )


@blueprint.post("/figures")
@open_to(*STAFF)
def declare() -> ResponseReturnValue:
    """Hand in figures: all that were filled in, or none of them."""
    try:
        said = _figures_said()
        made = ledger().write(lambda tx: adoption.declare(tx, said), actor())
    except LedgerError as refusal:
        return _figures_page(str(refusal), 400)
    flash(f"已记入账本 {made} 个数。" if made else "这些数账本里已经有了，没有变化。")
    return redirect(url_for("indicators.figures", unit=request.form.get("unit")))


def _figures_said() -> list[Figure]:
    unit, day, source = (request.form.get(name, "").strip() for name in ("unit", "counted_on", "source"))
    filled = {
        key.removeprefix("figure-"): value.strip() for key, value in request.form.items() if key.startswith("figure-") and value.strip()
    }
    if not filled:
        raise InvalidRequest("还没有填任何一个数。要改的填上，不变的空着")
    wrong = next((value for value in filled.values() if not value.isdecimal() or len(value) > 15), None)
    if wrong is not None:
        raise InvalidRequest(f"「{wrong[:20]}」不是整数。只填数字，不写单位、不写小数")
    return [Figure(unit, figure, int(value), day, source) for figure, value in filled.items()]


@blueprint.post("/marks")
@open_to(*STAFF)
def marks() -> ResponseReturnValue:
    """Give an organisation a mark, or take one away."""
    said = {name: request.form.get(name, "").strip() for name in ("organisation", "mark", "day", "words")}
    try:
        if request.form.get("act") == "take":
            what = {"ended_on": said["day"], "reason": said["words"]}
            ledger().write(lambda tx: adoption.unmark(tx, said["organisation"], said["mark"], **what), actor())
            flash("已取消这个标识，记入账本。")
        else:
            given = {"since": said["day"], "basis": said["words"]}
            ledger().write(lambda tx: adoption.mark(tx, said["organisation"], said["mark"], **given), actor())
            flash("已给这个组织加上标识，记入账本。")
    except LedgerError as refusal:
        return _figures_page(str(refusal), 400)
    return redirect(url_for("indicators.figures", unit=request.form.get("unit")))
