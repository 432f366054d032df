"""
Forms of what falls due, as they are written down in JSON.

    {"forms": [{"id": "filing-ledger", "name": "...", "rows": ["2-07"], "owed_by": "centre", "every": "month", "day": 24, "to": "区民政局",
                "note": "...", "fields": [{"id": "news", "label": "...", "kind": "text", "required": true}],
                "quorum": {"present": "attended", "of": "members", "votes": "in-favour"}}]}

owed_by is a level of the tree, or "organisation": then every organisation of a station owes one, and its station hands it in. every: month, quarter, year,
or "event": owed whenever there was one, so it never falls due by itself. day: the last day of the month (of the quarter's or the year's last month) on
which it is in time; 0: the month's last.

A field is text, number, day or choice ("choices": "好、中、差"). required; "unless": required unless that other field is filled in; "at_most": another
field's value; "weight": of a number from 0 to 100, how many percent of the form's score it makes, unless the district adopts others (weights.py).
"count": a measure of ledger.indicators, counted when it is handed in and not typed. quorum: two thirds or more of those who belong are present, more
than half of those present are in favour, as ledger/filing asks it of a meeting too.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from ledger.kinds.checks import slug

EVERY = {"month": "每月", "quarter": "每季度", "year": "每年", "event": "有一次交一次"}


@dataclass(frozen=True)
class Field:
    """One question of a form."""

    id: str
    label: str
    kind: str
    required: bool = False
    unless: str = ""
    at_most: str = ""
    weight: int = 0
    choices: tuple[str, ...] = ()
    count: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Form:
    """What is owed: by whom, how often, until when, to whom, and what it asks."""

    id: str
    name: str
    rows: tuple[str, ...]
    owed_by: str
    every: str
    day: int
    to: str
    note: str
    fields: tuple[Field, ...]
    quorum: Mapping[str, str] | None

    @property
    def asked(self) -> tuple[Field, ...]:
        """The fields that people fill in."""
        return tuple(field for field in self.fields if field.count is None)

    def period(self, day: date) -> str:
        """Name the period that a day lies in: 2026-03, 2026-Q1, 2026; of an event the day itself."""
        names = {"month": f"{day:%Y-%m}", "quarter": f"{day.year}-Q{(day.month + 2) // 3}", "year": str(day.year)}
        return names.get(self.every, day.isoformat())

    def due_on(self, period: str) -> date:
        """Give the last day on which a period's paper is in time."""
        ends = self.ends_on(period)
        return ends.replace(day=min(self.day, ends.day)) if self.day else ends

    def ends_on(self, period: str) -> date:
        """Give a period's last day."""
        if self.every == "event":
            return date.fromisoformat(period)
        year, month = int(period[:4]), self._months(period)[1]
        return date(year, month, monthrange(year, month)[1])

    def before(self, period: str) -> str:
        """Name the period before one."""
        return self.period(date(int(period[:4]), self._months(period)[0], 1) - timedelta(days=1))

    def _months(self, period: str) -> tuple[int, int]:
        """Give a period's first and last month."""
        if self.every == "month":
            return int(period[5:]), int(period[5:])
        return (int(period[6:]) * 3 - 2, int(period[6:]) * 3) if self.every == "quarter" else (1, 12)

    def fits(self, period: str) -> bool:
        """Tell whether a text names one of its periods."""
        try:
            return self.period(self.due_on(period)) == period
        except (ValueError, IndexError, KeyError):
            return False


@cache
def shipped() -> dict[str, Form]:
    """Read the forms that come with the ledger, by id, in their order."""
    said = orjson.loads((Path(__file__).parent / "forms.json").read_bytes())
    return {one["id"]: _form(one) for one in said["forms"]}


def _form(said: Mapping[str, Any]) -> Form:
    assert slug(said["id"])
    assert said["every"] in EVERY
    return Form(
        said["id"],
        said["name"],
        tuple(said.get("rows", ())),
        said["owed_by"],
        said["every"],
        said.get("day", 0),
        said.get("to", ""),
        said.get("note", ""),
        tuple(_field(one) for one in said["fields"]),
        said.get("quorum"),
    )


def _field(said: Mapping[str, Any]) -> Field:
    choices = tuple(said["choices"].split("、")) if "choices" in said else ()
    plain = {name: said[name] for name in ("required", "unless", "at_most", "weight", "count") if name in said}
    return Field(said["id"], said["label"], said.get("kind", "number" if "count" in said else "text"), choices=choices, **plain)


def quorum_held(form: Form, said: Mapping[str, Any]) -> bool | None:
    """Tell whether a meeting could decide and did: two thirds or more present, more than half of them in favour; None for a form that asks for no vote."""
    if form.quorum is None:
        return None
    present, members, votes = (said.get(form.quorum[name], 0) for name in ("present", "of", "votes"))
    return bool(members) and present * 3 >= members * 2 and votes * 2 > present
