"""「我的服务」: one total, and below it the records it is the sum of; the same to print, with what is needed to check it without us."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import segno
from flask import Blueprint, Response, current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from api.auth import actor, ledger, open_to, open_to_all
from api.downloads import attachment
from ledger import credit, log, stations
from ledger.bulk import rows_where_in
from ledger.errors import NotFound
from ledger.kinds.service import CLAIMS
from ledger.people import grants, volunteers
from ledger.people.actors import OPERATOR, ROLES, SCHEDULER
from ledger.policies import service_policy
from ledger.service import objections, records
from ledger.tables import EntryRow, RoleGrantRow, table
from ledger.transactions import ReadTransaction

blueprint = Blueprint("credit", __name__, url_prefix="/credit")
PENDING = ("publicity", "waiting", "contested")
"""States of records that may still come to count, in the order in which they are shown."""
_CHECKED_AT = ("receipts.form", "log.page")
"""Where somebody with a printed statement checks an entry: the first of these pages that there is."""
_ENTRY, _GRANT = table(EntryRow), table(RoleGrantRow)


@dataclass(frozen=True)
class Year:
    """The records of a year that count, and their sum. *share*: of the longest year, in hundredths, for its bar."""

    year: str
    minutes: int
    share: int
    records: list[credit.Item]


def statement(tx: ReadTransaction, number: str) -> dict[str, Any]:
    """Gather what the statement shows of one volunteer."""
    person = volunteers.get(tx, number)
    shown = credit.statement(tx, person.row.number)
    pending = [item for state in PENDING for item in shown.others if item.status == state]
    policy = service_policy(tx.connection, tx.today.isoformat())
    corrected = [item.index for item in [*shown.records, *shown.others] if item.changed_by and item.status != "voided"]
    return {
        "person": person,
        "home_station": stations.get(tx.connection, person.row.station),
        "credit": shown,
        "years": _years(shown),
        "this_year": shown.by_year.get(str(tx.today.year), 0),
        "today": tx.today.isoformat(),
        "pending": pending,
        "pending_minutes": sum(item.minutes for item in pending),
        "next_day": min((item.counts_from for item in pending if item.status == "publicity" and item.counts_from), default=None),
        "frozen": [item for item in shown.others if item.status == "frozen"],
        "voided": [item for item in shown.others if item.status == "voided"],
        "publicity_days": policy.publicity_working_days,
        "recorders": recorders(tx.connection, {item.recorder for item in [*shown.records, *shown.others]}),
        "contested": {row.service: CLAIMS[row.claim] for row in objections.open_of(tx, person.row.number)},
        "first": records.as_recorded(tx.connection, corrected),
        "may_contest": "objections.form" in current_app.view_functions,
    }


def _years(shown: credit.Credit) -> list[Year]:
    """Put the records that count under their years; the sums are what the total is the sum of."""
    longest = max(shown.by_year.values(), default=0)
    grouped = [(year, list(items)) for year, items in groupby(shown.records, key=lambda item: item.served_on[:4])]
    years = [Year(year, minutes := sum(item.minutes for item in items), minutes * 100 // (longest or 1), items) for year, items in grouped]
    assert sum(year.minutes for year in years) == shown.minutes
    return years


def recorders(connection: Connection, accounts: Iterable[str]) -> dict[str, str]:
    """Say by role and unit, never by name, who the accounts are that recorded: 站点登记员（某某社区服务站）."""
    wanted = set(accounts)
    held: dict[str, list[Any]] = {}
    for row in rows_where_in(connection, (_GRANT.c.account, _GRANT.c.role, _GRANT.c.station), _GRANT.c.account, wanted):
        held.setdefault(row.account, []).append(row)
    mainly = {account: grants.ordered(rows)[0] for account, rows in held.items()}
    places = stations.names(connection, {grant.station for grant in mainly.values() if grant.station})
    said = {OPERATOR.account: ROLES["operator"], SCHEDULER.account: "定时任务"}
    for account, grant in mainly.items():
        said[account] = ROLES[grant.role] + (f"（{places.get(grant.station, grant.station)}）" if grant.station else "")
    return {account: said.get(account, "工作人员（已离任）") for account in wanted}


def paper(tx: ReadTransaction, number: str) -> dict[str, Any]:
    """Gather the statement as it is printed: what is shown, and each entry's short hash."""
    shown = statement(tx, number)
    items = [*shown["credit"].records, *shown["credit"].others]
    found = rows_where_in(tx.connection, (_ENTRY.c.index, _ENTRY.c.leaf), _ENTRY.c.index, {item.index for item in items})
    hashes = {row.index: bytes(row.leaf).hex()[:12] for row in found}
    return {**shown, "hashes": hashes, "head": log.tree_head(tx.connection), "made_at": tx.now.isoformat(), "address": checked_at()}


def checked_at() -> str:
    """Give the whole address of the page where an entry is checked."""
    return url_for(next(endpoint for endpoint in _CHECKED_AT if endpoint in current_app.view_functions), _external=True)


@blueprint.get("/")
@open_to("volunteer")
def mine() -> ResponseReturnValue:
    """Show a volunteer their own credit."""
    with ledger().read() as tx:
        shown = statement(tx, actor().volunteer or "")
    return render_template("credit.html", mine=True, **shown)


@blueprint.get("/statement")
@open_to("volunteer")
def printed() -> ResponseReturnValue:
    """Show a volunteer their statement as it is printed: A4, every entry with its number and short hash."""
    with ledger().read() as tx:
        shown = paper(tx, actor().volunteer or "")
    return render_template("statement.html", mine=True, **shown)


@blueprint.get("/check.svg")
@open_to_all
def picture() -> Response:
    """Draw the address where an entry is checked, to be scanned from paper."""
    drawn = io.BytesIO()
    segno.make(checked_at(), error="m").save(drawn, kind="svg", scale=4, border=2)
    return Response(drawn.getvalue(), content_type="image/svg+xml")


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
