"""What an import answers: counts, and each row that needs somebody's eye, by its number in the sheet (1-based)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.log import Receipt
from ledger.people.identity import mask_name
from ledger.refusals import Refusal
from ledger.sheets.problems import problem_workbook
from ledger.sheets.reading import Sheet

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""

ROWS_AT_ONCE = 1_000
"""Rows judged in one set of statements."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row and what is wrong with it; *name* is masked."""

    row: int
    code: str
    message: str
    column: str | None = None
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give the contract's form, without the name."""
        said = {"row": self.row, "code": self.code, "message": self.message}
        return said | ({"column": self.column} if self.column else {})


@dataclass
class Outcome:
    """The answer to one file.

    accepted: rows that were recorded (or would be); already: rows the ledger holds; minutes: sum of the accepted hours. Rows in *rejected* were not
    recorded; those in *parked*, all of them unknown people, are also kept sealed until the person registers. *remarks* were recorded, but deserve a look.
    *signable*: rows refused for the daily cap alone; of those, the ones with a reason in *reasons* (by row) are proposed for a second person's signature
    instead, and stand in *signing*, as do those that wait for one already.
    """

    file: str
    kind: str
    sheet: Sheet
    settled: bool = False
    rehearsed: bool = False
    accepted: int = 0
    already: int = 0
    minutes: int = 0
    rejected: list[Problem] = field(default_factory=list)
    parked: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    reasons: Mapping[int, str] = field(default_factory=dict)
    signable: list[int] = field(default_factory=list)
    signing: list[Problem] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    batch: str | None = None
    header_row: int = 0
    activity: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    """What the sheet says of its activity, by Chinese label, to be looked at before it is committed."""

    def refuse(self, row: int, refusal: Refusal, name: str = "") -> None:
        """Note a refused row."""
        self.rejected.append(Problem(row, refusal.code, refusal.message, refusal.column, mask_name(name) if name else ""))

    def sign(self, row: int, message: str, name: str) -> None:
        """Note a row for which a second person is asked."""
        self.signing.append(Problem(row, "over_daily_cap", message, None, mask_name(name)))

    def remark(self, row: int, message: str, name: str = "") -> None:
        """Note something to look at in a row that was accepted."""
        self.remarks.append(Problem(row, "remark", message, None, mask_name(name) if name else ""))

    def sort(self) -> None:
        """Bring everything into the order of the sheet."""
        for problems in (self.rejected, self.parked, self.remarks, self.signing):
            problems.sort(key=lambda problem: problem.row)

    def as_json(self) -> dict[str, Any]:
        """Give the contract of `import --json`."""
        said: dict[str, Any] = {"file": self.file, "kind": self.kind, "accepted": self.accepted, "already": self.already}
        if self.kind == "hours":
            said |= {"minutes": self.minutes, "batch": self.batch}
        for name in ("rejected", "parked", "remarks"):
            said[name] = [problem.as_json() for problem in getattr(self, name)]
        if self.signing:
            said["signing"] = [problem.as_json() for problem in self.signing]
        return said | {"dry_run": self.rehearsed}

    def problem_workbook(self, content: bytes) -> bytes:
        """Make the user's own workbook with a red 「问题」 column beside the rows refused."""
        problems = {problem.row: problem.message for problem in self.rejected}
        return problem_workbook(content, self.sheet, self.header_row, problems)
