"""Step three, 预审: a traffic light for everybody with an hour that counts, and the reason in one line."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ledger.selections import reading
from ledger.selections.facts import NONE
from ledger.selections.ranking import Sums, everyone, fold, judge
from ledger.transactions import ReadTransaction

LIGHTS = {"green": "符合条件", "amber": "还差一点", "red": "不能参评"}


@dataclass(frozen=True)
class Checked:
    """Somebody and their light (a code of LIGHTS), with the reason."""

    sums: Sums
    light: str
    reason: str


def check(tx: ReadTransaction, row: Any) -> Iterator[Checked]:
    """Judge everybody in a selection (its row), most minutes first."""
    rules, source = reading.rules_of(row), reading.source_of(tx.connection, row)
    with everyone(source, rules) as found:
        for one in found.sums:
            out, lacks = judge(rules, one, source.facts.get(one.subject, NONE), source.barred.get(one.subject), row.period_to)
            light = "red" if out else "amber" if lacks else "green"
            yield Checked(one, light, "；".join(out + lacks))


def summary(found: Iterator[Checked], shown_max: int, light: str | None = None) -> tuple[Counter[str], list[Checked]]:
    """Count the lights, and give the first of those with a light (None: of all)."""
    counts: Counter[str] = Counter()
    shown: list[Checked] = []
    for one in found:
        counts[one.light] += 1
        if len(shown) < shown_max and light in (None, one.light):
            shown.append(one)
    return counts, shown


def by_grade(tx: ReadTransaction, row: Any, subjects: Iterable[str]) -> dict[str, dict[str, int]]:
    """Split what counts of some people by evidence grade: minutes by grade, those that they have."""
    rules, source = reading.rules_of(row), reading.source_of(tx.connection, row)
    found: dict[str, dict[str, int]] = {}
    for subject, rows in groupby(source.records_of(subjects), key=lambda one: str(one.subject)):
        counts: Counter[str] = Counter()
        for item in fold(rows, rules, source.out):
            counts[item.row.grade] += item.minutes
        found[subject] = {grade: counts[grade] for grade in sorted(counts) if counts[grade]}
    return found
