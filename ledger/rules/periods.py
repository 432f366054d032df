"""Periods of a calendar: the key under which a cap or counter adds up, the window in which facts count on a day, days moved by months."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

PER = {
    "activity": "每次活动",
    "day": "每天",
    "month": "每月",
    "quarter": "每季度",
    "year": "每年",
    "lifetime": "累计",
}
WINDOWS = {
    "lifetime": "全部记录",
    "calendar_year": "当年",
    "award_year": "评定年度",
    "rolling": "滚动",
    "closed": "已结账期",
}
_WIDTH = {"day": 10, "month": 7, "year": 4, "lifetime": 0}
FIRST, LAST = "0000-01-01", "9999-12-31"


def key(per: str, day: str, activity: str = "") -> str:
    """Name the period in which a day lies."""
    if per == "activity":
        return activity
    if per == "quarter":
        return f"{day[:4]}Q{(int(day[5:7]) + 2) // 3}"
    return day[: _WIDTH[per]]


def later(day: str, months: int) -> str:
    """Give the day so many months later (earlier, if negative); the last day of a month that is too short."""
    count = int(day[:4]) * 12 + int(day[5:7]) - 1 + months
    year, month = divmod(count, 12)
    return f"{year:04d}-{month + 1:02d}-{min(int(day[8:]), monthrange(year, month + 1)[1]):02d}"


def before(day: str) -> str:
    """Give the day before."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


@dataclass(frozen=True)
class Window:
    """Which days count on a day: all, this calendar year, the newest award year already collected, the last months, or closed periods alone.

    award_year: a year from the first of *start_month* on, taken up from the first of *collected_month* after its end on; until then the year before
    stands. rolling: *months* up to the day. closed: up to the end of the last whole *per* (month, quarter, year).
    """

    kind: str = "lifetime"
    start_month: int = 1
    collected_month: int = 1
    months: int = 12
    per: str = "quarter"

    def bounds(self, on: str) -> tuple[str, str]:
        """Give the first and the last day that count on a day."""
        year = int(on[:4])
        if self.kind == "calendar_year":
            return f"{year}-01-01", on
        if self.kind == "rolling":
            return later(on, -self.months), on
        if self.kind == "closed":
            month = {"month": int(on[5:7]), "quarter": (int(on[5:7]) - 1) // 3 * 3 + 1, "year": 1}[self.per]
            return FIRST, before(f"{year}-{month:02d}-01")
        if self.kind == "award_year":
            end = year
            while not self._collected(end) <= on:
                end -= 1
            return f"{end - 1:04d}-{self.start_month:02d}-01", before(f"{end:04d}-{self.start_month:02d}-01")
        return FIRST, on

    def _collected(self, end: int) -> str:
        """Give the day from which the award year that ends in a year is taken up."""
        return f"{end + (self.collected_month < self.start_month):04d}-{self.collected_month:02d}-01"

    @property
    def words(self) -> str:
        """Say it to a person."""
        if self.kind == "rolling":
            return f"最近 {self.months} 个月"
        if self.kind == "closed":
            return {"month": "截至上月底", "quarter": "截至上季度末", "year": "截至上年底"}[self.per]
        if self.kind == "award_year":
            begins = "" if self.start_month == 1 else f"（{self.start_month} 月起算）"
            return f"上一个年度{begins}，每年 {self.collected_month} 月采集"
        return WINDOWS[self.kind]
