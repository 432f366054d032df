"""「年度报告」: what was recorded and certified in a year, for every unit and for everybody (民政部令第67号 article 18); no person is in it."""

import threading
from datetime import date

from flask import Blueprint, current_app, g, render_template, request
from flask.typing import ResponseReturnValue

from api.auth import ledger, open_to_all
from api.board import YEARS_OFFERED
from api.downloads import report_file
from api.limits import Meter
from ledger import annual_reports, spot_checks
from ledger.annual_reports import AnnualReport
from ledger.errors import InvalidRequest
from ledger.log import tree_head
from ledger.reports import FORMATS
from ledger.transactions import ReadTransaction

blueprint = Blueprint("annual_reports", __name__, url_prefix="/annual-reports")
A_MINUTE = 30
"""Files for one address: each is set anew."""
_METER, _COUNTED = "annual_report_meter", "annual_reports"
MAKER = "守望账本（系统统计）"


class Counted:
    """The year that was counted last, for as long as nothing was added to the log: the figures are the same for everybody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: AnnualReport | None = None

    def year(self, tx: ReadTransaction, year: int) -> AnnualReport:
        """Give a year as of today and the whole log."""
        size = tree_head(tx.connection).size
        with self._lock:
            last = self._last
            if last is None or (last.year, last.asked_on, last.tree_size) != (year, tx.today, size):
                last = self._last = annual_reports.count(tx.connection, year, tx.today, size)
            return last


def _prepare(state: object) -> None:
    extensions = state.app.extensions  # type: ignore[attr-defined]
    extensions.setdefault(_METER, Meter("annual-reports", A_MINUTE))
    extensions.setdefault(_COUNTED, Counted())


blueprint.record(_prepare)


@blueprint.get("/")
@open_to_all
def page() -> ResponseReturnValue:
    """Show a unit's year."""
    with ledger().read() as tx:
        year = _year(request.args.get("year"), tx.today)
        whole = _counted().year(tx, year)
        home = g.session.actor.station if g.session else None
        annual = annual_reports.below(whole, request.args.get("unit") or home) if whole.units else whole
        codes = {unit.code for unit in annual.units}
        checks = [check for check in spot_checks.of_year(tx.connection, year) if check.station in codes]
        years = list(range(tx.today.year, tx.today.year - YEARS_OFFERED, -1))
    shown = {"annual": annual, "years": years, "path": _path(whole, annual), "FORMATS": FORMATS, "checks": checks}
    return render_template(
        "annual_report.html", notes=annual_reports.notes(annual), names={unit.code: unit.name for unit in annual.units}, **shown
    )


@blueprint.get("/<int:year>.<any(xlsx, pdf, csv, csv_gb18030):ending>")
@open_to_all
def file(year: int, ending: str) -> ResponseReturnValue:
    """Hand the report out, as a file."""
    current_app.extensions[_METER].take(request.remote_addr or "")
    with ledger().read() as tx:
        annual = annual_reports.below(_counted().year(tx, _year(str(year), tx.today)), request.args.get("unit"))
    return report_file(annual_reports.document(annual, MAKER), ending.replace("_", "-"))


def _counted() -> Counted:
    found: Counted = current_app.extensions[_COUNTED]
    return found


def _year(said: str | None, today: date) -> int:
    if said is None:
        return today.year
    if not said.isdecimal() or not annual_reports.FIRST_YEAR <= int(said) <= today.year:
        raise InvalidRequest(f"年份应在 {annual_reports.FIRST_YEAR} 到 {today.year} 之间")
    return int(said)


def _path(whole: AnnualReport, annual: AnnualReport) -> list[annual_reports.Unit]:
    """List the units above the one that is shown, highest first."""
    known, above = {unit.code: unit for unit in whole.units}, []
    parent = annual.units[0].parent if annual.units else None
    while parent is not None:
        above.append(known[parent])
        parent = known[parent].parent
    return above[::-1]
