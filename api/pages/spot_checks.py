"""「抽查」: announced first, then a number that nobody knew, the sample, what was found of each, for everybody to see (民政部令第67号 article 21)."""

from datetime import date
from typing import Any

import orjson
from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to, open_to_all
from ledger import activities, spot_checks, stations
from ledger.errors import InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.kinds.spot_checks import FINDINGS, REASON_MAX, RECORDS_MAX, SOURCE_MAX
from ledger.people.actors import units
from ledger.service import records
from ledger.transactions import ReadTransaction

blueprint = Blueprint("spot_checks", __name__, url_prefix="/spot-checks")
SHOWN_MAX = 500
USUAL = 20
"""How many records a check takes where nobody says otherwise."""
FOUND = dict(zip(FINDINGS, ("属实", "不属实", "无法核实"), strict=True))
_INDEX = "<int(max=9007199254740991):{}>"
_ANNOUNCED = f"/announced/{_INDEX.format('announced')}"


@blueprint.get("/")
@open_to_all
def listing() -> ResponseReturnValue:
    """List what was announced and still waits, what was checked, and what was withdrawn."""
    with ledger().read() as tx:
        waiting = spot_checks.waiting(tx.connection)
        found = spot_checks.published(tx.connection, SHOWN_MAX)
        withdrawn = spot_checks.withdrawn(tx.connection, SHOWN_MAX)
        places = stations.names(tx.connection, {one.station for one in (*waiting, *found, *withdrawn)})
        today = tx.today
    shown = {
        "waiting": [(row, _days_since(row.announced_at, today), _days_since(row.number_on, today)) for row in waiting],
        "found": found,
        "withdrawn": [(row, spot_checks.withdrawn_late(row)) for row in withdrawn],
    }
    return render_template("spot_checks.html", places=places, **shown)


@blueprint.get(f"/{_INDEX.format('index')}")
@open_to_all
def one(index: int) -> ResponseReturnValue:
    """Show a check: each record drawn with what was found of it, and how anybody draws them again."""
    with ledger().read() as tx:
        row, body = spot_checks.one(tx.connection, index)
        announced = spot_checks.announced(tx.connection, row.announced)
        place = stations.names(tx.connection, {row.station})[row.station]
        drawn = _drawn(tx, sorted(number for name in FINDINGS for number in body[name]))
    came_out = {number: name for name in FINDINGS for number in body[name]}
    return render_template("spot_check.html", row=row, announced=announced, place=place, drawn=drawn, came_out=came_out, FOUND=FOUND)


@blueprint.get("/announce")
@open_to("official")
def plan() -> ResponseReturnValue:
    """Announce a check: which unit, how many records, and which number that nobody knows yet decides."""
    return _plan()


@blueprint.post("/announce")
@open_to("official")
def announce() -> ResponseReturnValue:
    """Put the announcement into the ledger, for everybody to see."""
    book = ledger()
    try:
        said = spot_checks.Plan(
            _words("unit"), _whole("count", "抽几条"), _words("source"), _whole("digits", "几位数字"), _day("number_on")
        )
        receipt = book.write(lambda tx: spot_checks.announce(tx, book.signing, said), actor())
    except LedgerError as refusal:
        return _plan(str(refusal), 400)
    flash(f"预告已记入账本第 {receipt.index} 条，谁都看得到。号码公布以后，回到这一页来抽。")
    return redirect(url_for("spot_checks.announced", announced=receipt.index))


@blueprint.get(_ANNOUNCED)
@open_to_all
def announced(announced: int) -> ResponseReturnValue:
    """Show an announcement: what it fixed, how long it has waited, and what became of it."""
    return _announced(announced)


@blueprint.post(f"{_ANNOUNCED}/withdraw")
@open_to("official")
def withdraw(announced: int) -> ResponseReturnValue:
    """Withdraw an announcement, saying why."""
    reason = _words("reason")
    try:
        receipt = ledger().write(lambda tx: spot_checks.withdraw(tx, announced, reason), actor())
    except (NotAllowed, NotFound):
        raise
    except LedgerError as refusal:
        return _announced(announced, str(refusal), 400)
    flash(f"预告已撤回，理由记入账本第 {receipt.index} 条，谁都看得到。")
    return redirect(url_for("spot_checks.announced", announced=announced))


@blueprint.get(f"{_ANNOUNCED}/draw")
@open_to("official")
def form(announced: int) -> ResponseReturnValue:
    """Draw the sample by the number that was made public, and say of each record what was found."""
    return _form(announced)


@blueprint.post(f"{_ANNOUNCED}/draw")
@open_to("official")
def record(announced: int) -> ResponseReturnValue:
    """Record what was found."""
    number = _words("number")
    try:
        with ledger().read() as tx:
            spot_checks.to_follow(tx, actor(), announced)
            drawn = spot_checks.draw(tx, announced, number)
        found = spot_checks.Found(_day("checked_on"), number, *_findings(drawn), remark=_words("remark"))
        receipt = ledger().write(lambda tx: spot_checks.record(tx, announced, found), actor())
    except (NotAllowed, NotFound):
        raise
    except LedgerError as refusal:
        return _form(announced, str(refusal), 400)
    flash(f"抽查结果已记入账本第 {receipt.index} 条，谁都看得到。")
    return redirect(url_for("spot_checks.one", index=receipt.index))


def _plan(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        places = stations.names(tx.connection, units(tx.connection, actor(), spot_checks.ACTION))
        first = (tx.today + date.resolution).isoformat()
        last = (tx.today + spot_checks.AHEAD_MAX).isoformat()
    limits = {
        "most": RECORDS_MAX,
        "source_max": SOURCE_MAX,
        "first": first,
        "last": last,
    }
    return render_template("spot_check_plan.html", problem=problem, places=places, usual=USUAL, said=request.form, **limits), status


def _announced(index: int, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        row = spot_checks.announced(tx.connection, index)
        place = stations.names(tx.connection, {row.station})[row.station]
        mine = g.session is not None and row.station in units(tx.connection, g.session.actor, spot_checks.ACTION)
        today = tx.today
    shown = {"row": row, "place": place, "mine": mine, "today": today.isoformat(), "below": len(orjson.loads(row.units)) - 1}
    shown |= {"waited": _days_since(row.announced_at, today), "late": spot_checks.withdrawn_late(row), "reason_max": REASON_MAX}
    return render_template("spot_check_announced.html", problem=problem, **shown), status


def _form(index: int, problem: str = "", status: int = 200) -> ResponseReturnValue:
    number, sample = _words("number"), None
    with ledger().read() as tx:
        try:
            row = spot_checks.to_follow(tx, actor(), index)
            if not number and not problem:
                return redirect(url_for("spot_checks.announced", announced=index))
            place = stations.names(tx.connection, {row.station})[row.station]
            sample = _drawn(tx, spot_checks.draw(tx, index, number))
            number = spot_checks.read_number(row, number)
        except (NotAllowed, NotFound):
            raise
        except LedgerError as refusal:
            return _announced(index, problem or str(refusal), 400)
        today = tx.today.isoformat()
    shown = {"row": row, "place": place, "number": number, "sample": sample, "today": today, "said": request.form}
    return render_template("spot_check_draw.html", problem=problem, FOUND=FOUND, **shown), status


def _drawn(tx: ReadTransaction, indexes: list[int]) -> list[tuple[Any, str]]:
    """Give the rows of records with what was done."""
    rows = records.rows_of(tx.connection, indexes)
    done = activities.get_many(tx.connection, {row.activity for row in rows})
    return [(row, done[row.activity].title) for row in rows]


def _findings(drawn: list[int]) -> tuple[list[int], list[int]]:
    said = {index: request.form.get(f"found-{index}", "") for index in drawn}
    if unsaid := [index for index, word in said.items() if word not in FOUND]:
        raise InvalidRequest(f"第 {unsaid[0]} 条还没有写核实的结果，请选属实、不属实或无法核实（一共还差 {len(unsaid)} 条）")
    return [index for index in drawn if said[index] == "wrong"], [index for index in drawn if said[index] == "unclear"]


def _words(name: str) -> str:
    """Read a field as one line."""
    return " ".join(request.values.get(name, "").split())


def _whole(name: str, called: str) -> int:
    said = _words(name)
    if not (said.isascii() and said.isdecimal() and len(said) <= 6):
        raise InvalidRequest(f"「{called}」请填整数")
    return int(said)


_DAYS = {"checked_on": "抽查的日期", "number_on": "号码公布的日期"}


def _day(name: str) -> date:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        raise InvalidRequest(f"请填{_DAYS[name]}，例如 2026-03-15") from None


def _days_since(said: str, today: date) -> int:
    return (today - date.fromisoformat(said[:10])).days
