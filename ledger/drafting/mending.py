"""Mending rows that were shown to be wrong: other times, another spelling, the right person, the reason why it was so long, or not this time."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.drafting.filling import candidates, choose
from ledger.drafting.sheets import Row, Sheet
from ledger.people import directory
from ledger.sheets import pasting
from ledger.transactions import ReadTransaction


@dataclass(frozen=True)
class Mend:
    """What was said of one row; None: nothing. *times*: 9:00-11:00, empty for those of everyone; *text*: who it is, typed anew."""

    times: str | None = None
    who: str | None = None
    text: str | None = None
    reason: str | None = None
    left: bool = False


def mend(tx: ReadTransaction, sheet: Sheet, said: Mapping[int, Mend]) -> list[str]:
    """Take what was said of rows (by id). Returns a sentence for each that could not be read."""
    complaints = []
    for row in sheet.rows:
        if one := said.get(row.id):
            row.left = one.left
            row.reason = " ".join((one.reason or row.reason).split())[:200]
            if one.times is not None and one.times.strip() != times_of(sheet, row):
                complaints += _retime(row, one.times)
            if one.text is not None and one.text.strip() and one.text.strip() != row.said:
                _retype(tx, sheet, row, one.text)
    choose(tx, sheet, {number: one.who for number, one in said.items() if one.who})
    return complaints


def times_of(sheet: Sheet, row: Row) -> str:
    """Write a row's times as they are typed."""
    return f"{row.start or sheet.start}-{row.end or sheet.end}"


def _retime(row: Row, said: str) -> list[str]:
    if not said.strip():
        row.start = row.end = ""
        return []
    line = pasting.read_line(said)
    if not line.start or line.name or line.number:
        return [line.fault or f"时间「{said[:20]}」看不懂，请写成「9:00-11:00」"]
    row.start, row.end = line.start, line.end
    return []


def _retype(tx: ReadTransaction, sheet: Sheet, row: Row, said: str) -> None:
    line = pasting.read_line(said)
    row.said, row.name, row.number, row.fault = line.said, line.name or row.name, line.number, line.fault
    if line.start:
        row.start, row.end = line.start, line.end
    found = [] if line.fault else candidates(tx, directory.Station(tx, sheet.station), row.said, row.name, row.number)
    if len(found) == 1 and sheet.row_of(found[0].number) is None:
        row.is_known(found[0].number)
