"""
Points given up for something: a second account beside the hours, which are never spent.

How many points somebody has, and when they may be given up, is for the rule set to say (`rules.spending`). Points are hundredths.
"""

from datetime import date

from ledger.errors import InvalidRequest
from ledger.kinds.checks import slug
from ledger.log import Fact, Receipt
from ledger.record import subjects, telling
from ledger.record.saying import past_day, words
from ledger.transactions import WriteTransaction


def spend(tx: WriteTransaction, number: str, policy: str, points: int, purpose: str, spent_on: date, have: int) -> Receipt:
    """Give up points for something, at the desk. *have*: how many there are. Raises NotAllowed, NotFound, InvalidRequest (not enough)."""
    subject = subjects.person(tx, number)
    tx.require("record", subject.station)
    if not slug(policy):
        raise InvalidRequest("请选择按哪一套规则的积分")
    if points < 1:
        raise InvalidRequest("要用的积分应大于零")
    if points > have:
        raise InvalidRequest(f"积分不够：现有 {have // 100}.{have % 100:02d} 分，要用 {points // 100}.{points % 100:02d} 分")
    body = {"policy": policy, "points": points, "purpose": words(purpose, "用途", 200, 2)}
    body["spent_on"] = past_day(spent_on, "日期", tx.today)
    receipt = tx.append([Fact("points.spent", {**subject.body, **body})])[0]
    telling.outcome(tx, subject, "points.spent", {"spent": receipt.index})
    return receipt
