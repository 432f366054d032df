"""「年度报告」: what was recorded and certified in a year, for every unit and for everybody (民政部令第67号 article 18); no person is in it."""

from datetime import date

from flask import Blueprint, current_app, g, render_template, request
from flask.typing import ResponseReturnValue

from api import board
from api.auth import ledger, open_to_all
from api.downloads import report_file
from api.kept import kept
from api.limits import Meter
from ledger import annual_reports, spot_checks
from ledger.annual_reports import AnnualReport
from ledger.log import tree_head
from ledger.reports import FORMATS
from ledger.transactions import ReadTransaction

blueprint = Blueprint("annual_reports", __name__, url_prefix="/annual-reports")
A_MINUTE = 30
"""Files for one address: each is set anew."""
_METER = "annual_report_meter"
MAKER = "守望账本（系统统计）"


blueprint.record(lambda state: state.app.extensions.setdefault(_METER, Meter("annual-reports", A_MINUTE)))


@blueprint.get("/")
@open_to_all
def page() -> ResponseReturnValue:
    """Show a unit's year."""
    with ledger().read() as tx:
        year = _year(request.args.get("year"), tx.today)
        whole = _counted(tx, year)
        home = g.session.actor.station if g.session else None
        annual = annual_reports.below(whole, request.args.get("unit") or home) if whole.units else whole
        codes = {unit.code for unit in annual.units}
        path = board.path_to({unit.code: unit for unit in whole.units}, annual.units[0]) if annual.units else []
        checks = [check for check in spot_checks.of_year(tx.connection, year) if check.station in codes]
        years = board.years_offered(tx.today)
    shown = {"annual": annual, "years": years, "path": path, "FORMATS": FORMATS, "checks": checks}
    return render_template(
        "annual_report.html", notes=annual_reports.notes(annual), names={unit.code: unit.name for unit in annual.units}, **shown
    )


@blueprint.get("/<int:year>.<any(xlsx, pdf, csv, csv_gb18030):ending>")
@open_to_all
def file(year: int, ending: str) -> ResponseReturnValue:
    """Hand the report out, as a file."""
    current_app.extensions[_METER].take(request.remote_addr or "")
    with ledger().read() as tx:
        annual = annual_reports.below(_counted(tx, _year(str(year), tx.today)), request.args.get("unit"))
    return report_file(annual_reports.document(annual, MAKER), ending.replace("_", "-"))


def _counted(tx: ReadTransaction, year: int) -> AnnualReport:
    return kept().get(
        tx, ("annual report", year), lambda: annual_reports.count(tx.connection, year, tx.today, tree_head(tx.connection).size)
    )


def _year(said: str | None, today: date) -> int:
    return board.year_said(said, today, annual_reports.FIRST_YEAR)
