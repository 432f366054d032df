"""
What a verification found: faults, each with its place, and the report that holds them.

A fault never ends a verification. The report counts them all and lists the first ten thousand: a wholesale rewrite is clear by then.
"""

from dataclasses import dataclass, field
from typing import Any

from ledger.merkle import EMPTY_ROOT
from ledger.signing import encode64

FAULTS_LISTED_MAX = 10_000
_SHOWN_MAX = 200


@dataclass(frozen=True)
class Fault:
    """One difference: entry index (None when it is about no entry), what it is about, what should be there and what is."""

    index: int | None
    what: str
    expected: str
    found: str


@dataclass
class Report:
    """What a verification found. *ok* is True when there is no fault."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0

    @property
    def ok(self) -> bool:
        """Tell whether everything held."""
        return self.fault_count == 0

    def add(self, index: int | None, what: str, expected: object, found: object) -> None:
        """Note a fault. Bytes are shown in base64."""
        self.fault_count += 1
        if len(self.faults) < FAULTS_LISTED_MAX:
            self.faults.append(Fault(index, what, _shown(expected), _shown(found)))

    def compare(self, index: int | None, what: str, expected: object, found: object) -> None:
        """Note a fault unless both are the same."""
        if expected != found:
            self.add(index, what, expected, found)

    def take(self, other: "Report") -> None:
        """Add the faults of another report after these."""
        self.fault_count += other.fault_count
        self.faults += other.faults[: FAULTS_LISTED_MAX - len(self.faults)]

    def as_json(self) -> dict[str, Any]:
        """Give the contract of `verify --json`."""
        return {"ok": self.ok, "size": self.size, "root": encode64(self.root), "faults": [vars(fault) for fault in self.faults]}


def _shown(value: object) -> str:
    return encode64(value) if isinstance(value, bytes) else str(value)
