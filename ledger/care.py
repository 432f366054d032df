"""
Care: what the activities of a year were for: how many in each series (邻里守望 first), and how many people of each group they reached.

An activity is one that began in the year up to its counting day and was not called off, the same that indicators count. Who was reached is counted by
heads (人次): an activity says how many people of each group it was for, or nothing; somebody reached twice counts twice, and nobody is named.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger import rates, stations
from ledger.codes import BENEFICIARIES, SERIES
from ledger.tables import ActivityRow, table

_ACTIVITY = table(ActivityRow)


@dataclass(frozen=True)
class Care:
    """A unit's activities by series (a code of SERIES, each there) and heads by group (a code of BENEFICIARIES, most first); those below it included.

    counted: how many of the activities say whom they reached.
    """

    series: dict[str, int]
    groups: dict[str, int]
    counted: int

    @property
    def activities(self) -> int:
        """How many activities there were in all series together."""
        return sum(self.series.values())

    @property
    def heads(self) -> int:
        """How many people of all groups together were reached, counted by heads."""
        return sum(self.groups.values())


def count(connection: Connection, year: int, today: date) -> dict[str, Care]:
    """Count every unit's care of a year up to its counting day, as asked on *today*."""
    on = rates.counting_day(year, today).isoformat()
    said = (_ACTIVITY.c.station, _ACTIVITY.c.series, _ACTIVITY.c.head_counts)
    held = (
        _ACTIVITY.c.start >= f"{year}-01-01T00:00",
        _ACTIVITY.c.start <= f"{on}T23:59",
        _ACTIVITY.c.ended_as.is_distinct_from("cancelled"),
    )
    units = stations.everyone(connection)
    sums: dict[str, Counter[str]] = {unit.code: Counter() for unit in units}
    for row in connection.execute(select(*said).where(*held)):
        sums[row.station].update(_marks(row))
    for unit in reversed(units):
        if unit.parent in sums:
            sums[unit.parent].update(sums[unit.code])
    return {code: _care(found) for code, found in sums.items()}


def _marks(row: Any) -> dict[str, int]:
    heads = orjson.loads(row.head_counts) if row.head_counts else {}
    return {f"series/{row.series}": 1, "counted": int(bool(heads)), **{f"group/{group}": people for group, people in heads.items()}}


def _care(found: Counter[str]) -> Care:
    groups = {group: found[f"group/{group}"] for group in BENEFICIARIES if found[f"group/{group}"]}
    most_first = dict(sorted(groups.items(), key=lambda item: -item[1]))
    return Care({series: found[f"series/{series}"] for series in SERIES}, most_first, found["counted"])
