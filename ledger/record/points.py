"""
Points given up for something: a second account beside the hours, which are never spent.

How many points somebody has is what a rule set earns them, less what was given up under it; `BALANCE` is who knows that. Points are hundredths.
"""

from collections.abc import Callable
from datetime import date

from sqlalchemy import func, select

from ledger.errors import InvalidRequest
from ledger.kinds.checks import slug
from ledger.log import Fact, Receipt
from ledger.record import subjects, telling
from ledger.record.saying import past_day, words
from ledger.tables import PointsSpentRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_SPENT = table(PointsSpentRow)
Balance = Callable[[ReadTransaction, str, str], int]
"""Gives the points (hundredths) that a volunteer has left under a policy, by their number and the policy's slug."""


def spent(tx: ReadTransaction, number: str, policy: str) -> int:
    """Give the points (hundredths) that somebody has given up under a policy."""
    asked = select(func.coalesce(func.sum(_SPENT.c.points), 0)).where(_SPENT.c.volunteer == number, _SPENT.c.policy == policy)
    return int(tx.connection.execute(asked).scalar_one())


def spend(tx: WriteTransaction, number: str, policy: str, points: int, purpose: str, spent_on: date, balance: Balance) -> Receipt:
    """Give up points for something, at the desk. *balance*: who knows how many there are. Raises NotAllowed, NotFound, InvalidRequest (not enough)."""
    subject = subjects.person(tx, number)
    tx.require("record", subject.station)
    assert subject.volunteer is not None
    if not slug(policy):
        raise InvalidRequest("请选择按哪一套规则的积分")
    if points < 1:
        raise InvalidRequest("要用的积分应大于零")
    have = balance(tx, subject.volunteer, policy)
    if points > have:
        raise InvalidRequest(f"积分不够：现有 {have // 100}.{have % 100:02d} 分，要用 {points // 100}.{points % 100:02d} 分")
    body = {"policy": policy, "points": points, "purpose": words(purpose, "用途", 200, 2)}
    body["spent_on"] = past_day(spent_on, "日期", tx.today)
    receipt = tx.append([Fact("points.spent", {**subject.body, **body})])[0]
    telling.outcome(tx, subject, "points.spent", {"spent": receipt.index})
    return receipt
