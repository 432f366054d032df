"""What a report says, and how each of its cells is spelt: told once, for every kind of file."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ledger.people import leaks
from ledger.service.drafts import duration
from ledger.shares import hundredths

Kind = Literal["text", "integer", "minutes", "share"]
Value = str | int | tuple[int, int] | tuple[int, int, int] | None
"""A cell: a text, a whole number, or for a share its numerator, its denominator and, in hundredths of a percent, the target it is to reach, if any.

None where there is nothing to say."""
Paper = Literal["A4", "A3"]
NOTHING = "—"
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Not what is unassigned or private: names may have characters newer than this Python's tables."""
_NO_XML = ("\ufffe", "\uffff")


@dataclass(frozen=True)
class Column:
    """
    A column: its header, its width in half-width characters, and what its cells are.

    kind: `text`; `integer`, also as text where a number has no place (—); `minutes`, printed as 小时+分; `share`, a pair printed as a percentage.
    """

    header: str
    width: int = 12
    kind: Kind = "text"


@dataclass(frozen=True)
class Report:
    """
    A report: rows under columns, each row as long as there are columns.

    unit and maker: 制表单位 and 制表人; subtitle: a line under the title; total: a last row, set apart; notes: how it was counted, below the table.
    """

    title: str
    unit: str
    maker: str
    made_on: date
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    subtitle: str = ""
    total: Sequence[Value] | None = None
    notes: Sequence[str] = ()
    paper: Paper = "A4"
    landscape: bool = True

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.every_row()), "a row is as long as there are columns"

    def every_row(self) -> Iterator[Sequence[Value]]:
        """Give the rows, and the total last if there is one."""
        yield from self.rows
        if self.total is not None:
            yield self.total

    def check_leaks(self) -> None:
        """Refuse to hand it out if a personal number stands anywhere in it. Raises NotAllowed."""
        if any(map(leaks.holds_number, set(self.texts()))):  # most cells of a long list say the same
            leaks.check(self.texts(), f"「{self.title}」")

    def texts(self) -> Iterator[str]:
        """Give everything that people wrote in it."""
        yield from (self.title, self.subtitle, self.unit, self.maker, *self.notes)
        yield from (column.header for column in self.columns)
        for row in self.every_row():
            yield from (str(value) for value in row if value is not None and not isinstance(value, tuple))


def spell(column: Column, value: Value) -> str:
    """Spell a cell as it is printed."""
    if value is None:
        return "" if column.kind == "text" else NOTHING
    if isinstance(value, tuple):
        return percent(*value)
    if isinstance(value, str):
        return plain(value)
    return duration(value) if column.kind == "minutes" else str(value)


def percent(numerator: int, denominator: int, target: int | None = None) -> str:
    """Write a share with two decimals, never rounded up to a target that it misses (shares.py); nothing is no share of anything."""
    found = hundredths(numerator, denominator, at_least=target)
    return NOTHING if found is None else f"{found // 100}.{found % 100:02d}%"


def plain(text: str) -> str:
    """Keep of a text what every file can hold: what breaks lines, steers or is half a character becomes a space."""
    if text.isprintable():
        return text
    return "".join(" " if letter in _NO_XML or unicodedata.category(letter) in _UNPRINTABLE else letter for letter in text).strip()


def day_words(day: date) -> str:
    """Write a day as a paper does."""
    return f"{day.year}年{day.month}月{day.day}日"


def made_by(report: Report) -> tuple[str, str, str]:
    """Say who made a report and when: the three at its foot."""
    return f"制表单位：{plain(report.unit)}", f"制表人：{plain(report.maker)}", f"制表日期：{day_words(report.made_on)}"
