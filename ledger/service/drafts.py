"""A service as somebody says it was, and how its times are spelt: in an entry, and to a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.kinds import Body

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Draft:
    """A service as somebody says it was. *start*, *end*: naive local times (Asia/Shanghai), whole minutes.

    *second*: the account that says so with the one who records, which lifts the daily cap.
    """

    volunteer: str
    activity: str
    station: str
    start: datetime
    end: datetime
    grade: str
    batch: str
    organisation: str | None = None
    break_minutes: int = 0
    source: dict[str, str | int] | None = None
    settled: bool = False
    id: str | None = None
    second: str | None = None

    @property
    def minutes(self) -> int:
        """Minutes really given."""
        return (self.end - self.start) // _MINUTE - self.break_minutes

    def body(self) -> Body:
        """Say it as a service.recorded body."""
        body: Body = {
            "activity": self.activity,
            "volunteer": self.volunteer,
            "station": self.station,
            "grade": self.grade,
            "batch": self.batch,
            **said_times(self.start, self.end, self.minutes, self.break_minutes),
        }
        if self.organisation:
            body["organisation"] = self.organisation
        if self.source:
            body["source"] = self.source
        if self.settled:
            body["settled"] = True
        if self.second:
            body["second"] = self.second
        return body


def said_times(start: datetime, end: datetime, minutes: int, break_minutes: int) -> Body:
    """Say times as the fields of an entry."""
    began = spell_minute(start)
    said: Body = {"served_on": began[:10], "start": began, "end": spell_minute(end), "minutes": minutes}
    return said | ({"break_minutes": break_minutes} if break_minutes else {})


def spell_minute(moment: datetime) -> str:
    """Spell a local time to the minute, as entries do."""
    return moment.isoformat()[:16]


def duration(minutes: int) -> str:
    """Write minutes as people say them: 2小时30分, 45分, 0分."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}分"
    return f"{hours}小时{rest}分" if rest else f"{hours}小时"


def spoken(moment: datetime) -> str:
    """Say a local time to a person."""
    return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"


def spoken_day(day: str) -> str:
    """Say a day, YYYY-MM-DD, to a person."""
    year, month, date_ = (int(part) for part in day.split("-"))
    return f"{year}年{month}月{date_}日"
