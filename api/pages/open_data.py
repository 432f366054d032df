"""「开放数据」: the rates of every unit for anybody to take, with what each column means and what may be done with them."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from api import board
from api.auth import ledger, open_to_all
from api.downloads import attachment
from api.kept import kept
from ledger import open_data

blueprint = Blueprint("open_data", __name__, url_prefix="/open-data")


@blueprint.get("/")
@open_to_all
def page() -> ResponseReturnValue:
    """Say what there is to take."""
    with ledger().read() as tx:
        year = board.year_said(request.args.get("year"), tx.today)
        years = board.years_offered(tx.today)
    said = {"titles": open_data.TITLES, "columns": open_data.COLUMNS, "licence": open_data.LICENCE, "source": open_data.SOURCE}
    return render_template("open_data.html", year=year, years=years, **said)


@blueprint.get("/<any(rates, published):dataset>-<int:year>.<any(csv, json):ending>")
@open_to_all
def file(dataset: str, year: int, ending: str) -> ResponseReturnValue:
    """Hand out a data set of a year."""
    with ledger().read() as tx:
        of = board.year_said(str(year), tx.today)
        written = open_data.as_csv if ending == "csv" else open_data.as_json
        content = kept().get(tx, ("open data", dataset, of, ending), lambda: written(tx, dataset, of))
    kind = "text/csv; charset=utf-8" if ending == "csv" else "application/json"
    return attachment(content, kind, f"{dataset}-{year}.{ending}", personal=True)  # it has been looked through for personal numbers
