"""Spending points of the account that a rule set keeps: as many as are there, when and how often the rules allow. Hours are never touched."""

from datetime import date

from ledger.log import Receipt
from ledger.people import volunteers
from ledger.record import points as record
from ledger.rules import adopted, answers, gathering
from ledger.rules.accounts import check_spending
from ledger.transactions import WriteTransaction


def spend(tx: WriteTransaction, volunteer: str, name: str, points: int, purpose: str, spent_on: date) -> Receipt:
    """Give up points of the rule set of a name for something. Raises NotAllowed, NotFound, InvalidRequest (not then, not so often, not enough)."""
    person = volunteers.get(tx, volunteer).row
    tx.require("record", person.station)
    found, policy = answers.explained(tx, person.number, name), adopted.PREFIX + name
    before = gathering.facts(tx.connection, person.number, tx.today, policy=policy).spending
    check_spending(found.rules, found.account, before, points, spent_on.isoformat())
    return record.spend(tx, person.number, policy, points, purpose, spent_on, found.account.balance)
