"""
Give a file back with what is wrong in it: the clerk's own workbook with a red 「问题」 column, to be mended and handed in again.

An XLSX keeps its formats and everything else that openpyxl knows (pictures and macros are not kept). A CSV or XLS, and an XLSX
that cannot be written again within the child's limits, comes back as a new XLSX of the rows as read, all text in text cells so
that Excel cannot round an ID number. A file so marked reads as before: `layout` passes over the 「问题」 column.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from io import BytesIO
from typing import Any

import xlsxwriter

from ledger.sheets import sandbox
from ledger.sheets.reading import Cell, Sheet
from ledger.sheets.workbooks import PROBLEM_COLUMN_WIDTH, PROBLEM_HEADER, begins_a_formula

# From here Excel shows 1.38E+10, and from 15 digits on it rounds: phones and ID numbers are written as text.
_NUMBER_MAX = 10**10
_COLUMN_WIDTH = 18


def problem_workbook(sheet_content: bytes, sheet: Sheet, header_row: int, problems: Mapping[int, str]) -> bytes:
    """
    Make the workbook with each row's problem beside it.

    `header_row` and the keys of `problems` are rows of the sheet, 1-based. `sheet` is what read_sheet made of `sheet_content`.
    Raises Unavailable if the child gives no answer.
    """
    if sheet.format == "xlsx":
        details = {"header_row": header_row, "problems": dict(problems)}
        try:
            return sandbox.ask("mark_xlsx", sheet_content, details)
        except sandbox.Unparsable:
            pass  # it could be read but not be loaded whole: the rows are what matters
    return _from_rows(sheet.rows, header_row, problems)


def _from_rows(rows: list[list[Cell]], header_row: int, problems: Mapping[int, str]) -> bytes:
    """Write the rows anew, the problems to the right of the widest from the header down."""
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        sheet = workbook.add_worksheet()
        formats = {
            str: workbook.add_format({"num_format": "@"}),
            bytes: workbook.add_format({"num_format": "@", "quote_prefix": True}),
            datetime: workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            date: workbook.add_format({"num_format": "yyyy-mm-dd"}),
            time: workbook.add_format({"num_format": "hh:mm"}),
        }
        red = {"font_color": "#C00000", "bg_color": "#FDE9E7", "text_wrap": True, "valign": "top"}
        problem, heading = workbook.add_format(red), workbook.add_format({**red, "bold": True, "valign": "vcenter"})
        column = _problem_column(rows, header_row)
        sheet.set_column(0, max(column - 1, 0), _COLUMN_WIDTH)
        sheet.set_column(column, column, PROBLEM_COLUMN_WIDTH)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if c != column or r < header_row - 1:
                    _write(sheet, r, c, cell, formats)
        sheet.write_string(header_row - 1, column, PROBLEM_HEADER, heading)
        for row_number, sentence in problems.items():
            sheet.write_string(row_number - 1, column, sentence, problem)
        sheet.freeze_panes(header_row, 0)
        sheet.autofilter(header_row - 1, 0, max(len(rows), header_row) - 1, column)
    return out.getvalue()


def _problem_column(rows: list[list[Cell]], header_row: int) -> int:
    """Use an earlier 「问题」 column again, else the first that is free from the header down; 0-based."""
    header = rows[header_row - 1] if header_row <= len(rows) else []
    if PROBLEM_HEADER in header:
        return header.index(PROBLEM_HEADER)
    return max((len(row) for row in rows[header_row - 1 :]), default=0)


def _write(sheet: Any, row: int, column: int, cell: Cell, formats: Mapping[type, Any]) -> None:
    """Write one cell with its type; whole numbers as long as a phone become text, and text that begins like a formula is marked as text (bytes)."""
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, int) and abs(cell) >= _NUMBER_MAX:
        sheet.write_string(row, column, str(cell), formats[str])
    elif isinstance(cell, int | float):
        sheet.write_number(row, column, cell)
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell, formats[bytes if begins_a_formula(cell) else str])
    elif cell is not None:
        sheet.write_datetime(row, column, cell, formats[type(cell)])
