"""
Reminders: each working morning, one notice for whoever of the staff has something waiting, with how many there are; nothing for those who have nothing.

What they may not decide themselves (their own records) is not counted against them. What is past its due day is told to the unit above as well, one
notice a station, as long as it is.
"""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import workdays
from ledger.duties import owing, tasks
from ledger.errors import InvalidRequest
from ledger.notices import News, Telling, tell_desks, tell_many
from ledger.people import grants, proposals
from ledger.people.actors import Actor, ancestry, units
from ledger.tables import AccountRow, ObjectionRow, OmissionRow, ProposalRow, ServiceRow, StationRow, table
from ledger.transactions import WriteTransaction

_ACCOUNT, _SERVICE, _PROPOSAL = table(AccountRow), table(ServiceRow), table(ProposalRow)
_OBJECTION, _OMISSION, _STATION = table(ObjectionRow), table(OmissionRow), table(StationRow)
LEDGER = "filing-ledger"
"""The form of the street's monthly ledger (ledger/duties/forms.json): all it counts, the ledger counts by itself."""


def remind(tx: WriteTransaction) -> int:
    """Tell the staff what waits for them today. Returns how many notices that made; none on a day off."""
    if _day_off(tx):
        return 0
    others = _waiting_records(tx.connection)
    objections = sum((_by_station(tx.connection, rows, rows.c.finding.is_(None)) for rows in (_OBJECTION, _OMISSION)), Counter[str]())
    open_proposals = _by_station(tx.connection, _PROPOSAL, _PROPOSAL.c.state == "waiting")
    papers = owing.to_mention(tx.connection, tx.today) + tasks.to_mention(tx.connection, tx.today)
    if not (others or objections or open_proposals or papers):
        return 0
    able = set(tx.connection.execute(select(_ACCOUNT.c.id).where(_ACCOUNT.c.disabled == 0)).scalars())
    told: list[Telling] = []
    for account, held in grants.held_by_all(tx.connection).items():
        actor = grants.actor_of(account, None, held)
        if account in able:
            told.extend(_of_one(tx.connection, actor, others, objections, open_proposals, papers))
    tell_many(tx, told)
    return len(told)


def tell_overdue(tx: WriteTransaction) -> int:
    """Tell the unit above each station how many objections are past their due day, and since when. Returns of how many stations; none on a day off."""
    if _day_off(tx):
        return 0
    late: dict[str, list[str]] = {}
    for rows in (_OBJECTION, _OMISSION):
        asked = select(rows.c.station, rows.c.due_on).where(rows.c.finding.is_(None), rows.c.due_on < tx.today.isoformat())
        for place, due in tx.connection.execute(asked):
            late.setdefault(place, []).append(due)
    news: list[News] = []
    for place, days in sorted(late.items()):
        above = ancestry(tx.connection, place)[1:]
        news.append((above[0] if above else place, "objection.overdue", {"station": place, "count": len(days), "due_on": min(days)}))
    tell_desks(tx, "decide_objections", news)
    return len(late)


def tell_of_ledgers(tx: WriteTransaction) -> int:
    """Tell each street whose ledger for the month is not handed in that its figures are counted, and until when it is due. Returns how many streets."""
    units = list(tx.connection.execute(select(_STATION.c.code).where(_STATION.c.level == "centre")).scalars())
    month = tx.today.isoformat()[:7]
    drafts = [
        due for due in owing.owed(tx.connection, units, tx.today) if due.form.id == LEDGER and due.period == month and due.paper is None
    ]
    codes = {due.station.code: due.due_on.isoformat() for due in drafts}
    tell_desks(tx, "register", [(code, "duties.draft", {"station": code, "due_on": day}) for code, day in codes.items()])
    return len(drafts)


def _of_one(
    connection: Connection,
    actor: Actor,
    records: Counter[tuple[str, str]],
    objections: Counter[str],
    asked: Counter[str],
    papers: Counter[str],
) -> list[Telling]:
    approving = set(units(connection, actor, "approve")) if actor.may("approve") else set()
    deciding = set(units(connection, actor, "decide_objections")) if actor.may("decide_objections") else set()
    people = set(units(connection, actor, proposals.ACTIONS["change"])) if actor.may(proposals.ACTIONS["change"]) else set()
    owing_units = set(units(connection, actor, "register")) if papers and actor.may("register") else set()
    counts = {
        "approvals.waiting": sum(n for (place, recorder), n in records.items() if place in approving and recorder != actor.account),
        "objections.waiting": sum(n for place, n in objections.items() if place in deciding),
        "proposals.waiting": sum(n for place, n in asked.items() if place in people),
        "duties.waiting": sum(n for place, n in papers.items() if place in owing_units),
    }
    return [Telling(actor.account, what, {"count": count}) for what, count in counts.items() if count]


def _waiting_records(connection: Connection) -> Counter[tuple[str, str]]:
    """Count the records that wait for approval, by station and recorder."""
    asked = select(_SERVICE.c.station, _SERVICE.c.recorder, func.count()).where(_SERVICE.c.status == "recorded")
    return Counter(
        {(place, recorder): n for place, recorder, n in connection.execute(asked.group_by(_SERVICE.c.station, _SERVICE.c.recorder))}
    )


def _by_station(connection: Connection, rows: Any, which: Any) -> Counter[str]:
    asked = select(rows.c.station, func.count()).where(which).group_by(rows.c.station)
    found: Counter[str] = Counter()
    for place, count in connection.execute(asked):
        found[place] = count
    return found


def _day_off(tx: WriteTransaction) -> bool:
    """Tell whether nobody is expected at the desk today; a year whose calendar is not known has its Saturdays and Sundays."""
    try:
        return not workdays.calendar(tx.connection).is_workday(tx.today)
    except InvalidRequest:
        return tx.today.weekday() >= 5
