"""「工作日历」: which days are worked, year by year, and where an administrator writes down what the State Council announced."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from ledger import workdays
from ledger.errors import InvalidRequest, LedgerError
from ledger.kinds.checks import text

blueprint = Blueprint("calendar", __name__, url_prefix="/calendar")
SOURCE_MAX = 300


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        known, today = workdays.calendar(tx.connection), tx.today
    years = [_year(known, year) for year in range(today.year + 1, today.year - 3, -1)]
    may = actor().may("set_calendar")
    return render_template("calendar.html", problem=problem, years=years, may=may, said=request.form, next_year=today.year + 1), status


def _year(known: workdays.Calendar, year: int) -> dict[str, Any]:
    """Say what is known of a year, its days joined to runs."""
    if not known.knows(year):
        return {"year": year, "known": False}
    rest, work = known.swapped(year)
    adopted = known.adopted.get(year)
    return {"year": year, "known": True, "rest": _runs(rest), "work": _runs(work), "adopted": adopted}


def _runs(days: list[date]) -> str:
    return "、".join(f"{day.month}月{day.day}日" for day in days)


@blueprint.get("/")
@open_to(*STAFF, "administrator")
def page() -> ResponseReturnValue:
    """Show the last years, this one and the next."""
    return _page()


@blueprint.post("/")
@open_to("administrator", "official")
def adopt() -> ResponseReturnValue:
    """Adopt a year's announcement."""
    year, source = request.form.get("year", "").strip(), " ".join(request.form.get("source", "").split())
    try:
        if not year.isdecimal() or len(year) != 4:
            raise InvalidRequest("年份是四位数字，例如 2027")
        if len(source) < 4 or not text(SOURCE_MAX)(source):
            raise InvalidRequest(f"请写明公告的名称和文号（4 至 {SOURCE_MAX} 个字）")
        said = {name: request.form.get(name, "") for name in ("rest", "work")}
        rest, work = (workdays.read_days(days, worked=name == "work", year=int(year)) for name, days in said.items())
        ledger().write(lambda tx: workdays.adopt(tx, int(year), rest, work, source), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash(f"{year} 年的工作日历已记入账本，从现在起按它推算。以前定下的日期不变。")
    return redirect(url_for("calendar.page"))
