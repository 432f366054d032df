"""
Working days of the Chinese calendar, with the swapped days (调休) that the State Council announces year by year.

The years that `chinesecalendar` knows are there from the start. A year is added, or put right, by adopting its announcement: a policy `calendar/YEAR`
in the log, that names the weekdays off and the weekend days worked, and the text it comes from. A year that neither knows is said to be unknown, never
guessed.
"""

import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger.errors import InvalidRequest
from ledger.log import Fact, Receipt
from ledger.tables import PolicyRow, table
from ledger.transactions import WriteTransaction

_calendar = importlib.import_module("chinese_calendar")
_POLICY = table(PolicyRow)
_PREFIX = "calendar/"
_SWAPPED_MAX = 60
"""Days of a year that an announcement may swap: the longest so far named some thirty."""
FIRST_YEAR, LAST_YEAR = 2004, 2200


@dataclass(frozen=True)
class Year:
    """A year as adopted: weekdays on which people do not work, weekend days on which they do, the announcement, and the entry that adopted it."""

    rest: frozenset[str]
    work: frozenset[str]
    source: str
    entry_index: int

    def is_workday(self, day: date) -> bool:
        """Tell whether people work on a day of this year."""
        said = day.isoformat()
        return said in self.work or (day.weekday() < 5 and said not in self.rest)


@dataclass(frozen=True)
class Calendar:
    """What is known of working days: the years adopted, before those known from the start."""

    adopted: Mapping[int, Year] = field(default_factory=dict)

    def is_workday(self, day: date) -> bool:
        """Tell whether people work on a day. Raises InvalidRequest for a year whose calendar is not known."""
        if day.year in self.adopted:
            return self.adopted[day.year].is_workday(day)
        try:
            return bool(_calendar.is_workday(day))
        except NotImplementedError:
            raise InvalidRequest(f"{day.year} 年的放假安排还没有录入，无法推算工作日。请管理员更新工作日历后再办理") from None

    def knows(self, year: int) -> bool:
        """Tell whether a year's working days are known."""
        try:
            self.is_workday(date(year, 6, 30))
        except InvalidRequest:
            return False
        return True

    def add(self, day: date, count: int) -> date:
        """Give the *count*-th working day after a day."""
        while count:
            day += timedelta(days=1)
            count -= self.is_workday(day)
        return day

    def between(self, first: date, last: date) -> int:
        """Count the working days after *first* up to and including *last*."""
        return sum(self.is_workday(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))

    def swapped(self, year: int) -> tuple[list[date], list[date]]:
        """List the weekdays off and the weekend days worked of a year that is known."""
        days = [date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
        off = [day for day in days if day.weekday() < 5 and not self.is_workday(day)]
        return off, [day for day in days if day.weekday() >= 5 and self.is_workday(day)]


def calendar(connection: Connection) -> Calendar:
    """Read the calendar with every year adopted so far."""
    rows = connection.execute(select(_POLICY).where(_POLICY.c.policy.like(_PREFIX + "%")))
    return Calendar({int(row.effective_on[:4]): _year(row) for row in rows})


def _year(row: Any) -> Year:
    said = orjson.loads(row.rules)
    return Year(frozenset(said["rest"]), frozenset(said["work"]), said["source"], row.entry_index)


def adopt(tx: WriteTransaction, year: int, rest: Iterable[date], work: Iterable[date], source: str) -> Receipt:
    """Adopt a year's announcement: weekdays off, weekend days worked. Raises NotAllowed, InvalidRequest naming the day at fault."""
    tx.require("set_calendar", None)
    off, on = sorted(set(rest)), sorted(set(work))
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InvalidRequest(f"年份应在 {FIRST_YEAR} 到 {LAST_YEAR} 之间")
    for day in (*off, *on):
        if day.year != year:
            raise InvalidRequest(f"{day} 不在 {year} 年，请核对")
    for wrong, text in (
        (next((day for day in off if day.weekday() >= 5), None), "本来就是周末，不用写进「放假的工作日」"),
        (next((day for day in on if day.weekday() < 5), None), "本来就是工作日，不用写进「上班的周末」"),
    ):
        if wrong is not None:
            raise InvalidRequest(f"{wrong} {text}。请对照公告再看一遍")
    if not off or len(off) + len(on) > _SWAPPED_MAX:
        raise InvalidRequest(f"一年至少有一个放假的工作日，调动的日子一共不超过 {_SWAPPED_MAX} 天，请核对")
    rules = {"rest": [day.isoformat() for day in off], "work": [day.isoformat() for day in on], "source": source}
    return tx.append([Fact("policy.adopted", {"policy": f"{_PREFIX}{year}", "effective_on": f"{year}-01-01", "rules": rules})])[0]


def _day(said: str, year: int | None) -> date:
    spoken = re.fullmatch(r"(\d{1,2})月(\d{1,2})日", said) if year else None
    return date(year or 0, int(spoken[1]), int(spoken[2])) if spoken else date.fromisoformat(said)


def read_days(said: str, *, worked: bool, year: int | None = None) -> list[date]:
    """Read days as people write them, one after another: 2027-01-01 2027-01-04; a range as 2027-02-05~2027-02-12. Raises InvalidRequest.

    Of a *year* that is known also 1月1日 and 2月5日~2月12日, as the page shows them. Announcements name whole ranges: of one only the weekend days
    are meant if they are *worked*, else only the weekdays.
    """
    found: list[date] = []
    for word in said.replace("，", " ").replace("、", " ").replace(",", " ").split():
        first, _, last = word.partition("~")
        try:
            begin, end = _day(first, year), _day(last or first, year)
        except ValueError:
            raise InvalidRequest(f"看不懂日期「{word[:30]}」。请写成 2027-01-01，一段日子写成 2027-02-05~2027-02-12") from None
        if not 0 <= (end - begin).days <= _SWAPPED_MAX:
            raise InvalidRequest(f"「{word[:30]}」的先后不对，或者太长，请核对")
        days = [begin + timedelta(days=n) for n in range((end - begin).days + 1)]
        found.extend(day for day in days if not last or (day.weekday() >= 5) is worked)
    return found
