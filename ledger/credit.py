"""
A volunteer's credit: the service records, and one total that is the sum of those that count.

The total is never stored: it is added up from the list it stands above, so the two cannot differ. Records in publicity, waiting or voided are listed
apart, each with the reason why it does not count (yet). As long as somebody says that a registration is not theirs, nothing under it counts.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ledger import activities, stations
from ledger.bulk import rows_where_in
from ledger.codes import SERIES
from ledger.rules import answers
from ledger.rules.explaining import level_words
from ledger.rules.standing import ScaleReport
from ledger.service.records import state_on
from ledger.tables import ServiceRow, VolunteerRow, table
from ledger.transactions import ReadTransaction

_SERVICE, _VOLUNTEER = table(ServiceRow), table(VolunteerRow)


@dataclass(slots=True)  # not frozen: that makes thousands of them three times as slow to make
class Item:
    """One service record as the volunteer sees it. status: counted, publicity, waiting, contested, voided, frozen."""

    index: int
    served_on: str
    start: str
    end: str
    minutes: int
    activity: str
    series: str
    station: str
    grade: str
    status: str
    counts_from: str | None
    recorder: str
    recorded_at: str
    changed_by: int | None
    reason: str | None


@dataclass(frozen=True)
class Credit:
    """The credit of one volunteer on a day. *minutes* is the sum of *records*; *others* do not count.

    by_series: 邻里守望 first, then as the list of series has them; by_year: the newest first. star: by the rules in force (ledger/rules), of *stars*
    that there are; star_name: empty without one; *missing*: what the next takes, in words; minutes_to_next_star: if that is hours alone.
    """

    volunteer: str
    minutes: int
    records: list[Item]
    others: list[Item]
    by_series: dict[str, int]
    by_grade: dict[str, int]
    by_year: dict[str, int]
    star: int
    minutes_to_next_star: int | None
    star_name: str = ""
    next_star: str = ""
    missing: str = ""
    stars: int = 0


def statement(tx: ReadTransaction, volunteer: str) -> Credit:
    """Add up a volunteer's credit as of today, newest records first."""
    rows = rows_where_in(tx.connection, _SERVICE.c, _SERVICE.c.volunteer, [volunteer])
    rows.sort(key=lambda row: (row.start, row.entry_index), reverse=True)
    frozen = any(row.left_as == "not_me" for row in rows_where_in(tx.connection, _VOLUNTEER.c, _VOLUNTEER.c.number, [volunteer]))
    items = _items(tx, rows, frozen=frozen)
    records = [item for item in items if item.status == "counted"]
    totals: dict[str, Counter[str]] = {"series": Counter(), "grade": Counter(), "year": Counter()}
    for item in records:
        totals["series"][SERIES[item.series]] += item.minutes
        totals["grade"][item.grade] += item.minutes
        totals["year"][item.served_on[:4]] += item.minutes
    minutes = sum(item.minutes for item in records)
    stands = answers.star(tx, volunteer, minutes)
    others = [item for item in items if item.status != "counted"]
    by_series = {name: totals["series"][name] for name in SERIES.values() if name in totals["series"]}
    by_grade, by_year = (dict(sorted(totals[key].items(), reverse=key == "year")) for key in ("grade", "year"))
    return Credit(volunteer, minutes, records, others, by_series, by_grade, by_year, *_star(stands))


def _star(stands: ScaleReport) -> tuple[int, int | None, str, str, str, int]:
    """Say the star: its number, minutes to the next if it is only minutes, its name, the next and what is missing for it, how many there are."""
    ahead = stands.next
    if ahead is None:
        return stands.at, None, stands.level, "", stands.suspended, len(stands.levels)
    asked = [one for way in ahead.ways for one in way if not one.holds]
    minutes = asked[0].short if len(asked) == 1 and asked[0].measure == "hours" else None
    return stands.at, minutes, stands.level, ahead.name, stands.suspended or level_words(ahead), len(stands.levels)


def _items(tx: ReadTransaction, rows: Any, *, frozen: bool) -> list[Item]:
    known = activities.get_many(tx.connection, {row.activity for row in rows})
    names = stations.names(tx.connection, {row.station for row in rows})
    return [
        Item(
            row.entry_index,
            row.served_on,
            row.start,
            row.end,
            row.minutes,
            known[row.activity].title,
            known[row.activity].series,
            names.get(row.station, row.station),
            row.grade,
            "frozen" if frozen and row.status != "voided" else state_on(row, tx.today),
            row.effective_on,
            row.recorder,
            row.recorded_at,
            row.changed_by,
            row.reason,
        )
        for row in rows
    ]
