"""
Reminders: each working morning, one notice for whoever of the staff has something waiting, with how many there are; nothing for those who have nothing.

What they may not decide themselves (their own records) is not counted against them.
"""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import workdays
from ledger.errors import InvalidRequest
from ledger.notices import Telling, tell_many
from ledger.people import grants, proposals
from ledger.people.actors import Actor, units
from ledger.tables import AccountRow, ObjectionRow, ProposalRow, ServiceRow, table
from ledger.transactions import WriteTransaction

_ACCOUNT, _SERVICE, _OBJECTION, _PROPOSAL = table(AccountRow), table(ServiceRow), table(ObjectionRow), table(ProposalRow)


def remind(tx: WriteTransaction) -> int:
    """Tell the staff what waits for them today. Returns how many notices that made; none on a day off."""
    if _day_off(tx):
        return 0
    others = _waiting_records(tx.connection)
    objections = _by_station(tx.connection, _OBJECTION, _OBJECTION.c.finding.is_(None))
    open_proposals = _by_station(tx.connection, _PROPOSAL, _PROPOSAL.c.state == "waiting")
    if not (others or objections or open_proposals):
        return 0
    able = set(tx.connection.execute(select(_ACCOUNT.c.id).where(_ACCOUNT.c.disabled == 0)).scalars())
    told: list[Telling] = []
    for account, held in grants.held_by_all(tx.connection).items():
        actor = grants.actor_of(account, None, held)
        if account in able:
            told.extend(_of_one(tx.connection, actor, others, objections, open_proposals))
    tell_many(tx, told)
    return len(told)


def _of_one(
    connection: Connection, actor: Actor, records: Counter[tuple[str, str]], objections: Counter[str], asked: Counter[str]
) -> list[Telling]:
    approving = set(units(connection, actor, "approve")) if actor.may("approve") else set()
    deciding = set(units(connection, actor, "decide_objections")) if actor.may("decide_objections") else set()
    people = set(units(connection, actor, proposals.ACTIONS["change"])) if actor.may(proposals.ACTIONS["change"]) else set()
    counts = {
        "approvals.waiting": sum(n for (place, recorder), n in records.items() if place in approving and recorder != actor.account),
        "objections.waiting": sum(n for place, n in objections.items() if place in deciding),
        "proposals.waiting": sum(n for place, n in asked.items() if place in people),
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
