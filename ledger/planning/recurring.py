"""Recurring activities: the days on which one is held, from a rule. Days without the month's fifth Friday, or its 31st, are left out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.errors import InvalidRequest

EVERY = {"week": "每周同一天", "fortnight": "每两周同一天", "month-day": "每月同一日", "month-weekday": "每月第几个星期几"}
OCCURRENCES_MAX = 60
AHEAD_MAX = timedelta(days=366)
_SATURDAY = 5


@dataclass(frozen=True)
class Rule:
    """How an activity recurs: a code of EVERY, up to and including a day; *skip_holidays*: not on days that a public holiday takes."""

    every: str
    until: date
    skip_holidays: bool = False


def occurrences(first: date, rule: Rule, is_workday: Callable[[date], bool]) -> list[date]:
    """List the days of a rule from its first on.

    Raises InvalidRequest: an unknown rule, too many or too far ahead, none left, or (of *is_workday*) a year whose holidays are not announced.
    """
    if rule.every not in EVERY:
        raise InvalidRequest("没有这种重复方式，请从列表中选择")
    if rule.until < first:
        raise InvalidRequest("重复的截止日期早于第一次活动，请核对")
    if rule.until - first > AHEAD_MAX:
        raise InvalidRequest("重复的活动最多安排到一年以内，请把截止日期改近一些")
    every_day = (first + timedelta(days=n) for n in range((rule.until - first).days + 1))
    days = [day for day in every_day if _falls_on(first, day, rule.every)]
    if rule.skip_holidays:
        days = [day for day in days if not is_holiday(day, is_workday)]
    if not days:
        raise InvalidRequest("这样安排一次活动也没有：都落在节假日。请改日期，或取消「节假日跳过」")
    if len(days) > OCCURRENCES_MAX:
        raise InvalidRequest(f"一次最多安排 {OCCURRENCES_MAX} 场，这里有 {len(days)} 场。请把截止日期改近一些")
    return days


def _falls_on(first: date, day: date, every: str) -> bool:
    weeks, rest = divmod((day - first).days, 7)
    if every == "week":
        return rest == 0
    if every == "fortnight":
        return rest == 0 and weeks % 2 == 0
    if every == "month-day":
        return day.day == first.day
    return rest == 0 and (day.day - 1) // 7 == (first.day - 1) // 7


def is_holiday(day: date, is_workday: Callable[[date], bool]) -> bool:
    """Tell whether a public holiday takes a day: a free Monday to Friday, or a free weekend day of one run with such a day.

    So an ordinary Saturday is no holiday, and a Saturday that is worked (调休) is none either.
    """
    if is_workday(day):
        return False
    return any(_meets_a_free_weekday(day, step, is_workday) for step in (timedelta(days=1), timedelta(days=-1)))


def _meets_a_free_weekday(day: date, step: timedelta, is_workday: Callable[[date], bool]) -> bool:
    while not is_workday(day):
        if day.weekday() < _SATURDAY:
            return True
        day += step
    return False
