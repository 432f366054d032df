"""
What units owe on a day: each scheduled form of each unit (and organisation) for the period that runs and the one before it, and whether it was handed in.

A duty is done (in time or late), overdue (its day is past and nothing was handed in), soon (SOON_DAYS or fewer are left) or open. A unit owes nothing for
a period that ended before it was there, and an organisation nothing for one in which its filing was not valid on the last day.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ledger import organisations
from ledger.bulk import rows_where_in
from ledger.duties.forms import Form, shipped
from ledger.tables import DutyPaperRow, OrganisationRow, StationRow, table

SOON_DAYS = 7
MENTIONED = (3, 0, -1)
"""Days before its last day on which staff are reminded of what they owe."""
STATES = {"overdue": "逾期没交", "soon": "快到期", "open": "还没交", "late": "迟交", "done": "按时交了"}
"""In the order in which somebody should look."""
_PAPER, _ORGANISATION, _STATION = table(DutyPaperRow), table(OrganisationRow), table(StationRow)


@dataclass(frozen=True)
class Due:
    """What a unit owes for a period. organisation: of which of its organisations (a row), where it is owed by those; paper: what was handed in."""

    form: Form
    station: Any
    organisation: Any
    period: str
    due_on: date
    paper: Any
    state: str


def owed(connection: Connection, units: Sequence[str], today: date) -> list[Due]:
    """List what units owe for the running period and the one before, most pressing first."""
    spans = {form.id: (form.before(form.period(today)), form.period(today)) for form in shipped().values() if form.every != "event"}
    return _owed(connection, units, today, spans)


def shares(connection: Connection, dues: Sequence[Due], top: str) -> dict[str, Counter[str]]:
    """Count dues by state for each unit directly below *top*, with all below it; what *top* owes itself is counted under its own code."""
    above = {row.code: row.parent for row in connection.execute(select(_STATION.c.code, _STATION.c.parent))}
    found: dict[str, Counter[str]] = {}
    for due in dues:
        code = due.station.code
        while code != top and above[code] not in {top, None}:
            code = above[code]
        found.setdefault(code, Counter())[due.state] += 1
    return dict(sorted(found.items()))


def year(connection: Connection, unit: str, of: int, today: date) -> list[Due]:
    """List what a unit owes, and owed, for every period of a year that has begun; in order of their days."""
    spans: dict[str, tuple[str, ...]] = {}
    for form in shipped().values():
        if form.every != "event":
            days = (date(of, month, 1) for month in range(1, 13))
            spans[form.id] = tuple(dict.fromkeys(form.period(day) for day in days if day <= today))
    return sorted(_owed(connection, [unit], today, spans), key=lambda due: (due.due_on, due.form.id))


def _owed(connection: Connection, units: Sequence[str], today: date, spans: Mapping[str, tuple[str, ...]]) -> list[Due]:
    places = rows_where_in(connection, _STATION.c, _STATION.c.code, units)
    teams: dict[str, list[Any]] = {}
    gone = set(connection.execute(organisations.cancelled(today.isoformat())).scalars())
    for row in rows_where_in(connection, _ORGANISATION.c, _ORGANISATION.c.station, units):
        if row.id not in gone:
            teams.setdefault(row.station, []).append(row)
    papers = _papers(connection, units, {period for periods in spans.values() for period in periods})
    found = []
    for place in places:
        for form in (form for form in shipped().values() if form.id in spans):
            owners = teams.get(place.code, []) if form.owed_by == "organisation" else [None] if form.owed_by == place.level else []
            for owner in owners:
                for period in spans[form.id]:
                    due_on = form.due_on(period)
                    if _there(place, owner, due_on):
                        paper = papers.get((form.id, place.code, owner.id if owner is not None else None, period))
                        found.append(Due(form, place, owner, period, due_on, paper, _state(paper, due_on, today)))
    order = list(STATES)
    return sorted(found, key=lambda due: (order.index(due.state), due.due_on, due.station.code, due.form.id))


def _papers(connection: Connection, units: Sequence[str], periods: set[str]) -> dict[tuple[str, str, str | None, str], Any]:
    standing = f"replaced_by IS NULL AND period IN ({', '.join('?' * len(periods))})"
    rows = rows_where_in(connection, _PAPER.c, _PAPER.c.station, units, where=standing, said=tuple(periods))
    return {(row.duty, row.station, row.organisation, row.period): row for row in rows}


def _there(place: Any, owner: Any, due_on: date) -> bool:
    last = due_on.isoformat()
    if place.valid_from > last or (place.closed_on or "9999") <= last:
        return False
    return owner is None or (owner.since <= last and (owner.expires_on or "9999") >= last)


def _state(paper: Any, due_on: date, today: date) -> str:
    if paper is not None:
        return "done" if paper.handed_on <= due_on.isoformat() else "late"
    if today > due_on:
        return "overdue"
    return "soon" if due_on - today <= timedelta(days=SOON_DAYS) else "open"


def to_mention(connection: Connection, today: date) -> Counter[str]:
    """Count by unit what is not handed in and to be mentioned today: three days before its last day, on that day, and on the day after."""
    units = list(connection.execute(select(_STATION.c.code)).scalars())
    waiting = (due for due in owed(connection, units, today) if due.paper is None and (due.due_on - today).days in MENTIONED)
    return Counter(due.station.code for due in waiting)


def events(connection: Connection, units: Sequence[str], limit: int) -> list[Any]:
    """List the newest papers of what falls due with an event (meetings, projects, votes), the newest first."""
    ids = [form.id for form in shipped().values() if form.every == "event"]
    mine = (_PAPER.c.duty.in_(ids), _PAPER.c.station.in_(units))
    return list(connection.execute(select(_PAPER).where(*mine).order_by(_PAPER.c.entry_index.desc()).limit(limit)))
