"""The points account: what was earned, less what was spent, less what lapsed. What lapses first is spent first. Hours are never in it."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.errors import InvalidRequest
from ledger.rules.counting import Tally
from ledger.rules.facts import Spending
from ledger.rules.fields import spoken
from ledger.rules.periods import LAST, PER, key
from ledger.rules.shape import RuleSet


@dataclass(frozen=True)
class Account:
    """Hundredths of points; balance = earned - taken - spent - lapsed. *lapses_on*: the next day on which *lapses* of the balance are no more."""

    earned: int = 0
    taken: int = 0
    spent: int = 0
    lapsed: int = 0
    balance: int = 0
    lapses_on: str = ""
    lapses: int = 0


def balance(tally: Tally, spending: Iterable[Spending], on: str) -> Account:
    """Add up the account as of a day."""
    moves = [(day, 0, points, lapses or LAST) for day, points, lapses in tally.lots]
    moves += [(one.day, 1, -one.points, LAST) for one in spending if one.day <= on]
    moves.sort()
    lots: dict[str, int] = {}
    debt = 0
    for day, _, points, lapses in moves:
        if points > 0:
            paid = min(points, debt)
            debt -= paid
            lots[lapses] = lots.get(lapses, 0) + points - paid
            continue
        owed = -points
        for until in sorted(until for until in lots if until > day):
            used = min(owed, lots[until])
            lots[until] -= used
            owed -= used
        debt += owed
    earned = sum(points for _, kind, points, _ in moves if kind == 0 and points > 0)
    taken = -sum(points for _, kind, points, _ in moves if kind == 0 and points < 0)
    spent = -sum(points for _, kind, points, _ in moves if kind == 1)
    lapsed = sum(points for until, points in lots.items() if until <= on)
    coming = sorted((until, points) for until, points in lots.items() if on < until < LAST and points)
    next_on, next_points = coming[0] if coming else ("", 0)
    return Account(earned, taken, spent, lapsed, earned - taken - spent - lapsed, next_on, next_points)


def check_spending(rules: RuleSet, account: Account, before: Iterable[Spending], points: int, on: str) -> None:
    """Make sure that points may be spent on a day. *before*: what was spent of this account so far. Raises InvalidRequest."""
    terms = rules.spending
    if terms.months and int(on[5:7]) not in terms.months:
        months = "、".join(f"{month} 月" for month in sorted(terms.months))
        raise InvalidRequest(f"按「{rules.title}」，积分只在 {months}兑换，请到时再来")
    if points < terms.least:
        raise InvalidRequest(f"按「{rules.title}」，一次至少兑换 {spoken(terms.least)} 分")
    same = [one for one in before if key(terms.per, one.day) == key(terms.per, on)]
    if terms.times is not None and len(same) >= terms.times:
        raise InvalidRequest(f"按「{rules.title}」，{PER[terms.per]}最多兑换 {terms.times} 次，这一期已经兑换过了")
    if points > account.balance:
        raise InvalidRequest(f"积分不够：要用 {spoken(points)} 分，可用 {spoken(account.balance)} 分。时长不会因此减少")
