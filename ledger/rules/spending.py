"""Spending points of the account that a rule set keeps: as many as are there, when and how often the rules allow. Hours are never touched."""

from datetime import date

from ledger.log import Receipt
from ledger.people import volunteers
from ledger.record import points as record
from ledger.rules import adopted, answers, gathering
from ledger.rules.accounts import check_spending
from ledger.transactions import ReadTransaction, WriteTransaction


def balance(tx: ReadTransaction, volunteer: str, policy: str) -> int:
    """Give the points (hundredths) that somebody has under a policy (credit/...) today. Raises NotFound."""
    return answers.explained(tx, volunteer, policy.removeprefix(adopted.PREFIX)).account.balance


def spend(tx: WriteTransaction, volunteer: str, name: str, points: int, purpose: str, spent_on: date) -> Receipt:
    """Give up points of the rule set of a name for something. Raises NotAllowed, NotFound, InvalidRequest (not then, not so often, not enough)."""
    number = volunteers.get(tx, volunteer).row.number
    found, policy = answers.explained(tx, number, name), adopted.PREFIX + name
    before = gathering.facts(tx.connection, number, tx.today, policy=policy).spending
    check_spending(found.rules, found.account, before, points, spent_on.isoformat())
    return record.spend(tx, number, policy, points, purpose, spent_on, balance)
