"""「我的服务」: one total, and below it the records it is the sum of."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from api.downloads import attachment
from ledger import credit, log, stations
from ledger.errors import NotFound
from ledger.people import accounts, volunteers
from ledger.policies import service_policy
from ledger.transactions import ReadTransaction

blueprint = Blueprint("credit", __name__, url_prefix="/credit")


@dataclass(frozen=True)
class Year:
    """The records of a year that count, and their sum."""

    year: str
    minutes: int
    records: list[credit.Item]


def statement(tx: ReadTransaction, number: str) -> dict[str, Any]:
    """Gather what the statement shows of one volunteer."""
    person = volunteers.get(tx, number)
    shown = credit.statement(tx, person.row.number)
    pending = [item for item in shown.others if item.status in ("publicity", "waiting")]
    years = [Year(year, sum(item.minutes for item in items), items) for year, items in _by_year(shown.records)]
    assert sum(year.minutes for year in years) == shown.minutes
    policy = service_policy(tx.connection, tx.today.isoformat())
    return {
        "person": person,
        "home_station": stations.get(tx.connection, person.row.station),
        "credit": shown,
        "years": years,
        "this_year": shown.by_year.get(str(tx.today.year), 0),
        "today": tx.today.isoformat(),
        "pending": pending,
        "frozen": [item for item in shown.others if item.status == "frozen"],
        "voided": [item for item in shown.others if item.status == "voided"],
        "star_hours": policy.star_hours,
        "recorders": accounts.logins(tx.connection, {item.recorder for item in [*shown.records, *shown.others]}),
    }


def _by_year(records: list[credit.Item]) -> list[tuple[str, list[credit.Item]]]:
    return [(year, list(items)) for year, items in groupby(records, key=lambda item: item.served_on[:4])]


@blueprint.get("/")
@open_to("volunteer")
def mine() -> ResponseReturnValue:
    """Show a volunteer their own credit."""
    with ledger().read() as tx:
        shown = statement(tx, actor().volunteer or "")
    return render_template("credit.html", mine=True, **shown)


@blueprint.get("/entries/<int(max=9007199254740991):index>.json")
@open_to("volunteer")
def entry(index: int) -> Response:
    """Hand a volunteer the bytes of an entry about themselves: what the proof proves."""
    with ledger().read() as tx:
        shown = credit.statement(tx, actor().volunteer or "")
        items = [*shown.records, *shown.others]
        if index not in {item.index for item in items} | {item.changed_by for item in items}:
            raise NotFound(f"第 {index} 条不是您的服务记录")
        raw = log.read_entry(tx.connection, index)
    return attachment(raw, "application/json", f"entry-{index}.json")
