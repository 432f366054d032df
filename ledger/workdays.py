"""
Working days of the Chinese calendar, with the swapped days (调休) that the State Council announces year by year.

A year that has not been announced yet is said to be unknown, never guessed.
"""

import importlib
from datetime import date, timedelta

from ledger.errors import InvalidRequest

_calendar = importlib.import_module("chinese_calendar")


def is_workday(day: date) -> bool:
    """Tell whether people work on a day. Raises InvalidRequest for a year whose calendar is not known."""
    try:
        return bool(_calendar.is_workday(day))
    except NotImplementedError:
        raise InvalidRequest(f"{day.year} 年的放假安排还没有录入，无法推算工作日。请管理员更新工作日历后再办理") from None


def add_workdays(day: date, count: int) -> date:
    """Give the *count*-th working day after a day."""
    while count:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day


def workdays_between(first: date, last: date) -> int:
    """Count the working days after *first* up to and including *last*."""
    return sum(is_workday(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))
