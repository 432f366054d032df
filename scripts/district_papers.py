"""What the demonstration district hands in: filing ledgers before the 25th, reports at the end of a month, a quarter, a year; some forget."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from ledger.duties import papers
from ledger.transactions import WriteTransaction

_REPORT = {"news": "新发展志愿者，队伍稳定", "results": "走访独居老人，开展邻里守望活动"}
_PROGRESS = {"progress": "按计划走访、陪伴、助餐", "opinions": "希望周末也有人来", "next": "周末加一次走访"}
_WORK = {"work": "组织志愿者常态服务，培育社区社会组织", "results": "独居老人每周有人探访"}
_SELECTION = {"chosen": "8", "how": "按规则排名，公示五个工作日，没有异议"}
_TEAM = {"news": "按月活动，队员稳定", "services": "探访、陪伴、助餐", "effects": "居民评价好"}
_INSPECTION = {"inspectors": "2", "activity": "较好", "rules": "较好", "found": "台账个别月份没有签字"}
_PERFORMANCE = {"role": "88", "party": "85", "standard": "82", "residents": "90", "opinion": "作用发挥较好"}
_RECENT_DAYS = 60
"""What organisations hand in each month and quarter is there for so long: older papers are on nobody's list any more."""


class Office:
    """The desks of the district: streets, stations and their organisations by station, all by code."""

    def __init__(self, drawn: random.Random, streets: Sequence[str], teams: Mapping[str, Sequence[str]]) -> None:
        self._drawn, self._streets, self._teams = drawn, streets, teams

    def hand_in_ledgers(self, tx: WriteTransaction, day: date) -> None:
        """Hand in the month's filing ledgers."""
        for street in self._streets:
            if self._drawn.randrange(14):
                papers.hand_in(tx, "filing-ledger", street, f"{day:%Y-%m}", {"changes": "本月没有变更、注销"})

    def hand_in_reports(self, tx: WriteTransaction, day: date, today: date) -> None:
        """Hand in what falls due on the last day of a month. *today*: the day up to which the year is lived through."""
        for duty, period, said in self._of_stations(day):
            for station in self._teams:
                if self._drawn.randrange(9):
                    papers.hand_in(tx, duty, station, period, said)
        for duty, period, said in self._of_organisations(day, recent=(today - day).days < _RECENT_DAYS):
            for station, teams in self._teams.items():
                for team in teams:
                    if self._drawn.randrange(7):
                        papers.hand_in(tx, duty, station, period, said, organisation=team)

    @staticmethod
    def _of_stations(day: date) -> Iterator[tuple[str, str, dict[str, str]]]:
        yield "station-report", f"{day:%Y-%m}", _REPORT
        if day.month % 3 == 0:
            yield "progress", _quarter(day), _PROGRESS
        if day.month == 12:
            yield "annual-work", str(day.year), _WORK
            yield "selection-held", str(day.year), _SELECTION

    @staticmethod
    def _of_organisations(day: date, *, recent: bool) -> Iterator[tuple[str, str, dict[str, str]]]:
        if recent and day.month % 3 == 0:
            yield "inspection", _quarter(day), {**_INSPECTION, "on": day.replace(day=20).isoformat()}
        if recent:
            yield "organisation-report", f"{day:%Y-%m}", _TEAM
        if day.month == 12:
            yield "performance", str(day.year), _PERFORMANCE


def _quarter(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"
