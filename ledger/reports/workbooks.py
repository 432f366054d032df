"""
A report as XLSX (ISO/IEC 29500): title, who made it, header, rows, total, notes; header frozen, repeated on every printed page and with filters.

Text stands in text cells (@), whole numbers in number cells. Beside a column of minutes as words stands one of minutes as numbers.
"""

import re
from collections.abc import Sequence
from datetime import datetime, time
from io import BytesIO
from typing import Any

import xlsxwriter

from ledger.errors import InvalidRequest
from ledger.reports.report import Column, Report, Value, made_by, plain, spell
from ledger.sheets.workbooks import begins_a_formula

ROWS_MAX = 1_000_000
CELL_MAX = 32_767
"""What Excel holds: 1,048,576 rows, and so many characters in a cell."""
_PAPERS = {"A4": 9, "A3": 8}
_MINUTES_WIDTH = 10
_LINE_HEIGHT = 16
_NO_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")


def workbook(report: Report) -> bytes:
    """Write the workbook. Raises InvalidRequest for more rows than Excel takes, NotAllowed when a personal number stands in it."""
    report.check_leaks()
    if len(report.rows) > ROWS_MAX:
        raise InvalidRequest(f"一张 Excel 表最多放 {ROWS_MAX:,} 行，这里有 {len(report.rows):,} 行。请下载 CSV，或缩小范围")
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        made = datetime.combine(report.made_on, time())
        book.set_properties({"title": plain(report.title), "author": plain(report.unit), "manager": plain(report.maker), "created": made})
        _Sheet(book, report).write()
    return out.getvalue()


def expanded(report: Report) -> list[str]:
    """Give the header of a report as data: minutes as words, and once more as whole numbers."""
    found = []
    for column in report.columns:
        found += [plain(column.header), f"{plain(column.header)}（分钟）"] if column.kind == "minutes" else [plain(column.header)]
    return found


def cells(columns: Sequence[Column], row: Sequence[Value]) -> list[str | int]:
    """Give a row as data, under what `expanded` says."""
    found: list[str | int] = []
    for column, value in zip(columns, row, strict=True):
        if column.kind == "minutes":
            found += [spell(column, value), value if isinstance(value, int) else ""]
        else:
            found.append(value if isinstance(value, int) else spell(column, value))
    return found


class _Sheet:
    """The one sheet of a report, while it is written from top to bottom."""

    def __init__(self, book: Any, report: Report) -> None:
        self._report, self._headers = report, expanded(report)
        self._sheet = book.add_worksheet(_sheet_name(report.title))
        shapes = {
            "title": {"bold": True, "font_size": 18, "align": "center", "valign": "vcenter", "quote_prefix": True},
            "subtitle": {"align": "center", "valign": "vcenter", "font_color": "#55625F", "quote_prefix": True},
            "head": {
                "bold": True,
                "bg_color": "#E6EFE9",
                "border": 1,
                "num_format": "@",
                "align": "center",
                "valign": "vcenter",
                "text_wrap": True,
            },
            "text": {"border": 1, "num_format": "@", "valign": "vcenter", "text_wrap": True},
            "right": {"border": 1, "num_format": "@", "valign": "vcenter", "align": "right"},
            "number": {"border": 1, "valign": "vcenter"},
            "plain": {"text_wrap": True, "valign": "top", "quote_prefix": True},
        }
        shapes |= {f"{name} quoted": shapes[name] | {"quote_prefix": True} for name in ("text", "right")}
        shapes |= {f"{name} total": shapes[name] | {"bold": True, "bg_color": "#F4F8F6"} for name in ("text", "right", "number")}
        shapes |= {f"{name} quoted total": shapes[f"{name} total"] | {"quote_prefix": True} for name in ("text", "right")}
        self._shapes = {name: book.add_format(shape) for name, shape in shapes.items()}
        self._right = [kind for column in report.columns for kind in (("right", "right") if column.kind == "minutes" else (_side(column),))]

    def write(self) -> None:
        report, sheet, last = self._report, self._sheet, len(self._headers) - 1
        widths = [width for column in report.columns for width in _widths(column)]
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        at = self._across(0, report.title, "title", 32)
        if report.subtitle:
            at = self._across(at, report.subtitle, "subtitle", 20)
        head = at
        for column, header in enumerate(self._headers):
            sheet.write_string(head, column, header, self._shapes["head"])
        for at, row in enumerate(report.rows, head + 1):
            self._row(at, cells(report.columns, row), "")
        end = head + len(report.rows)
        sheet.autofilter(head, 0, max(end, head + 1), last)
        if report.total is not None:
            end += 1
            self._row(end, cells(report.columns, report.total), " total")
        at = end + 2
        for note in report.notes:
            at = self._across(at, note, "plain", _LINE_HEIGHT * -(-_half_widths(note) // sum(widths)))
        at = self._across(at, "　　　".join(made_by(report)), "plain", 24)
        sheet.freeze_panes(head + 1, 0)
        sheet.repeat_rows(head)
        sheet.print_area(0, 0, at - 1, last)
        if report.landscape:
            sheet.set_landscape()
        sheet.set_paper(_PAPERS[report.paper])
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&C第 &P 页，共 &N 页")

    def _across(self, at: int, text: str, shape: str, height: int) -> int:
        """Write a line right across the table; returns the row after it."""
        last = len(self._headers) - 1
        if last:
            self._sheet.merge_range(at, 0, at, last, "", self._shapes[shape])
        self._sheet.write_string(at, 0, plain(text)[:CELL_MAX], self._shapes[shape])
        self._sheet.set_row(at, height)
        return at + 1

    def _row(self, at: int, row: list[str | int], total: str) -> None:
        for column, value in enumerate(row):
            if isinstance(value, int):
                self._sheet.write_number(at, column, value, self._shapes[f"number{total}"])
            else:
                quoted = " quoted" if begins_a_formula(value) else ""
                (self._sheet.write_string if value else self._sheet.write_blank)(
                    at, column, value[:CELL_MAX], self._shapes[f"{self._right[column]}{quoted}{total}"]
                )


def _sheet_name(title: str) -> str:
    """Name the sheet after the title, as far as Excel takes it: 31 units of UTF-16, some characters not."""
    allowed = _NO_SHEET_NAME.sub(" ", plain(title)).strip()
    return allowed.encode("utf-16-le")[:62].decode("utf-16-le", "ignore").strip() or "报表"


def _side(column: Column) -> str:
    return "text" if column.kind == "text" else "right"


def _widths(column: Column) -> tuple[int, ...]:
    return (column.width, max(_MINUTES_WIDTH, _half_widths(column.header) + 2)) if column.kind == "minutes" else (column.width,)


def _half_widths(text: str) -> int:
    """Measure a text in half-width characters: a Chinese one takes two."""
    return sum(1 if letter < "\u2e80" else 2 for letter in text)
