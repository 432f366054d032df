"""What a draft says, as it was typed: half-written is fine, it is read when it is judged."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

ROWS_MAX = 500
_LENGTHS = {
    "title": 100,
    "place": 200,
    "day": 10,
    "start": 20,
    "end": 20,
    "break_minutes": 10,
    "grade": 1,
    "series": 40,
    "organisation": 10,
}
COMMON = tuple(_LENGTHS)
"""What is the same for everyone."""


@dataclass
class Row:
    """A person of the sheet. *who*: the volunteer number once it is known; until then what was typed. start, end: times of one's own, HH:MM.

    *reason*: why it really was longer than the daily cap; a second person is then asked. *left*: not to be recorded this time.
    """

    id: int
    said: str = ""
    name: str = ""
    number: str = ""
    who: str = ""
    on: bool = True
    start: str = ""
    end: str = ""
    fault: str = ""
    reason: str = ""
    left: bool = False

    def is_known(self, number: str) -> None:
        """Note who it is, and keep nothing of what was typed to find out."""
        self.who, self.said, self.name, self.number, self.fault = number, "", "", "", ""


@dataclass
class Sheet:
    """A sheet being written. *activity*: the id of the one it began from; *evidence*: the id of its photo or scan."""

    station: str
    activity: str = ""
    title: str = ""
    series: str = "neighbour-care"
    place: str = ""
    organisation: str = ""
    day: str = ""
    start: str = ""
    end: str = ""
    next_day: bool = False
    break_minutes: str = ""
    grade: str = ""
    evidence: str = ""
    rows: list[Row] = field(default_factory=list)
    next_id: int = 1

    def say(self, said: Mapping[str, str]) -> None:
        """Take what was typed into the common fields; what is not there stays."""
        for name, length in _LENGTHS.items():
            if name in said:
                setattr(self, name, " ".join(said[name].split())[:length])

    def add(self, **said: Any) -> Row:
        """Add a row."""
        row = Row(self.next_id, **said)
        self.next_id += 1
        self.rows.append(row)
        return row

    def row_of(self, who: str) -> Row | None:
        """Give a person's row, if they are on the sheet."""
        return next((row for row in self.rows if who and row.who == who), None)

    def to_bytes(self) -> bytes:
        """Spell it for sealing."""
        return orjson.dumps(asdict(self))


def from_bytes(raw: bytes) -> Sheet:
    """Read what `to_bytes` spelt."""
    said = orjson.loads(raw)
    return Sheet(**(said | {"rows": [Row(**row) for row in said["rows"]]}))
