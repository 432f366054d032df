"""
Imports: a file as a station sends it, judged row by row; the accepted rows are committed together, the refused ones are named with what to do.

    read (child process) -> find the table -> one judgement a row -> one write transaction -> Outcome

A rehearsal is the same transaction, undone: its answer is what a commit would give. The same file again adds nothing and says so, because the
rules know what stands already.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from ledger.errors import InvalidRequest
from ledger.imports import hours, rosters, unit_codes
from ledger.imports.outcome import Outcome, Problem
from ledger.imports.outcome import Progress as Progress
from ledger.people.actors import Actor
from ledger.sheets.reading import Sheet, read_sheet
from ledger.store import Ledger
from ledger.transactions import WriteTransaction

__all__ = ["KINDS", "Outcome", "Problem", "Progress", "run"]


class _Importer(Protocol):
    def __call__(self, tx: WriteTransaction, sheet: Sheet, outcome: Outcome, progress: Progress) -> None: ...


_IMPORTERS: dict[str, _Importer] = {
    "stations": rosters.stations_table,
    "units": unit_codes.unit_codes_table,
    "organisations": rosters.organisations_table,
    "volunteers": rosters.volunteers_table,
    "hours": hours.hours_table,
}
KINDS = tuple(_IMPORTERS)


def run(  # noqa: PLR0913 a file, who brings it, and what is said of it
    ledger: Ledger,
    kind: str,
    content: bytes,
    filename: str,
    actor: Actor,
    *,
    settled: bool = False,
    rehearse: bool = False,
    progress: Callable[[int, int], None] | None = None,
    reasons: Mapping[int, str] | None = None,
) -> Outcome:
    """Import one file of a kind in KINDS. *settled*: its hours were approved and publicised on paper before, which only the operator may say.

    *reasons*: why rows over the daily cap (by number) really were so long; a second person is asked to sign for them.

    Nothing is written when it raises: UnreadableFile (not a table), InvalidRequest (no header, no such station …), NotAllowed.
    """
    if kind not in _IMPORTERS:
        raise InvalidRequest(f"不认识的导入种类「{kind}」，应是 {'、'.join(KINDS)} 之一")
    sheet = read_sheet(content, filename)
    tell = progress or _silent

    def work(tx: WriteTransaction) -> Outcome:
        outcome = Outcome(filename, kind, sheet, settled=settled, rehearsed=rehearse, reasons=reasons or {})
        _IMPORTERS[kind](tx, sheet, outcome, tell)
        outcome.sort()
        return outcome

    return ledger.write(work, actor, rehearse=rehearse)


def _silent(_done: int, _total: int) -> None:
    """Show no progress."""
