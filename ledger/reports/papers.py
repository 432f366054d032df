"""A report as PDF/A-2b: title, rows under a header that is repeated on every page, who made it and when, page numbers; set by typst from report.typ."""

import re
from datetime import datetime, time
from pathlib import Path
from typing import Any

from ledger.entries import SHANGHAI
from ledger.errors import InvalidRequest
from ledger.reports.report import Report, made_by, plain, spell
from ledger.typesetting import gap_names, gapped, missing, typeset

ROWS_MAX = 5_000
"""So many rows are more than a hundred pages: nobody reads them on paper, and setting them takes some seconds."""
_TEMPLATE = Path(__file__).with_name("report.typ")
_UNBROKEN = re.compile(r"[!-~]{24}(?=[!-~])")


def pdf(report: Report) -> bytes:
    """Set the report. Raises InvalidRequest for more rows than anybody prints, NotAllowed when a personal number stands in it."""
    report.check_leaks()
    if len(report.rows) > ROWS_MAX:
        raise InvalidRequest(f"一份 PDF 最多印 {ROWS_MAX:,} 行，这里有 {len(report.rows):,} 行。请下载 Excel 或 CSV，或缩小范围")
    said = _words(report)
    lacking = missing(map(plain, report.texts()))
    printed: dict[str, Any] = gapped(said, lacking)
    made_at = datetime.combine(report.made_on, time(), SHANGHAI)
    return typeset(_TEMPLATE, printed | {"lacking": gap_names(lacking)}, made_at, standard="a-2b")


def _words(report: Report) -> dict[str, Any]:
    columns = report.columns

    def row(said: Any) -> list[str]:
        return [_breakable(spell(column, value)) for column, value in zip(columns, said, strict=True)]

    return {
        "title": plain(report.title),
        "subtitle": plain(report.subtitle),
        "unit": plain(report.unit),
        "made_by": list(made_by(report)),
        "made_on": [report.made_on.year, report.made_on.month, report.made_on.day],
        "headers": [plain(column.header) for column in columns],
        "widths": [column.width for column in columns],
        "right": [column.kind != "text" for column in columns],
        "rows": [row(one) for one in report.rows],
        "total": row(report.total) if report.total is not None else [],
        "notes": [_breakable(plain(note)) for note in report.notes],
        "paper": report.paper.lower(),
        "landscape": report.landscape,
    }


def _breakable(text: str) -> str:
    """Let a long run of letters, a hash for example, be broken at the end of a line (U+200B)."""
    return _UNBROKEN.sub(lambda found: found[0] + "\u200b", text)
