"""
What touches untrusted workbook bytes: reading rows out of XLSX (ISO/IEC 29500) and XLS, and writing problems into an XLSX.

It runs only in a child process with limits (see `child`): a workbook of two cells can ask for 549 GB, a small archive can unpack
to gigabytes. Imports nothing of the project, so that the child starts fast and holds no secret. Cells travel as JSON, never as
pickles: text, numbers and booleans as themselves, dates and times as {"date" | "datetime" | "time": ISO 8601}.
"""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any, Literal
from zipfile import ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

Cell = str | int | float | bool | date | datetime | time | None
Reason = Literal["blank", "rows", "columns", "unpacked", "word", "other_archive", "other_table", "protected"]

ROWS_MAX = 200_000
COLUMNS_MAX = 60
UNPACKED_BYTES_MAX = 100_000_000
# A real sheet packs to a tenth or a thirtieth; below the floor a high ratio does no harm.
UNPACKED_RATIO_MAX = 100
UNPACKED_RATIO_FLOOR_BYTES = 10_000_000
# Above it a whole float may already have lost digits, so that an ID number must stay a float for the reader to see.
EXACT_FLOAT_MAX = 10**15
PROBLEM_HEADER = "问题"
PROBLEM_COLUMN_WIDTH = 56

# Record 0x0809 of 16 bytes, BIFF8, workbook globals (MS-XLS 2.4.21).
_GLOBALS_BOF = b"\x09\x08\x10\x00\x00\x06\x05\x00"
_RED_TEXT = "FFC00000"
_LIGHT_RED = PatternFill("solid", fgColor="FFFDE9E7")


class Refused(Exception):
    """The workbook is not one that we read; `reason` is the code that the parent turns into a sentence."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def read_xlsx(content: bytes) -> bytes:
    """Encode the rows of the first visible worksheet that holds anything; formulas give the value they were saved with."""
    return encode_rows(_xlsx_rows(content)[1])


def read_xls(content: bytes) -> bytes:
    """As read_xlsx, for the binary workbooks of Excel 97-2003."""
    if _is_encrypted(content):
        raise Refused("protected")
    workbook = CalamineWorkbook.from_object(BytesIO(content))
    for sheet in workbook.sheets_metadata:
        if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible:
            cells = workbook.get_sheet_by_name(sheet.name)
            top, left = cells.start or (0, 0)
            rows = _tidy([None] * left + list(row) for row in cells.to_python(skip_empty_area=True))
            if rows:
                return encode_rows([[] for _ in range(top)] + rows)
    raise Refused("blank")


def mark_xlsx(content: bytes, header_row: int, problems: Mapping[int, str]) -> bytes:
    """
    Write each row's problem into a red column right of everything that stands from the header row down.

    An earlier 「问题」 column is used again, emptied. All other cells, formats and sheets stay, but no formula does: the file came from anywhere,
    and goes to a computer that would run it. So that the clerk sees what is left to do, the rows can be filtered.
    """
    name = _xlsx_rows(content)[0]
    workbook = load_workbook(BytesIO(content), rich_text=True, keep_links=False)
    _disarm(workbook, content)
    sheet = workbook[name]
    rows = [row for row in sheet.iter_rows(min_row=header_row) if any(cell.value is not None for cell in row)]
    used = [cell for row in rows for cell in row if cell.value is not None]
    earlier = [cell.column for cell in used if cell.row == header_row and cell.value == PROBLEM_HEADER]
    column = earlier[0] if earlier else max((cell.column for cell in used), default=0) + 1
    last_row = max([header_row, *problems, *(cell.row for cell in used)])
    if earlier:
        for row in range(header_row + 1, last_row + 1):
            _write(sheet, row, column, None)
    _write(sheet, header_row, column, PROBLEM_HEADER)
    for row, sentence in problems.items():
        _write(sheet, row, column, sentence)
    _widen(sheet, column)
    if not sheet.tables:  # a filter over a table's own filter makes Excel call the file damaged
        sheet.auto_filter.ref = f"A{header_row}:{get_column_letter(column)}{last_row}"
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


def _disarm(workbook: Workbook, content: bytes) -> None:
    """Put every formula's last value in its place (one never worked out becomes its text), and mark text that begins as one to stay text."""
    values = None
    for sheet in workbook.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    values = values or load_workbook(BytesIO(content), data_only=True, keep_links=False)
                    worked_out = values[sheet.title][cell.coordinate].value
                    cell.value = worked_out if worked_out is not None else str(getattr(cell.value, "text", cell.value))
                if isinstance(cell.value, str) and begins_a_formula(cell.value):
                    cell.data_type, cell.quotePrefix = "s", True


def begins_a_formula(text: str) -> bool:
    """Tell whether a spreadsheet might take a text for a formula or a command, in its usual or its full-width spelling."""
    return text.lstrip(" \u3000").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"))


def encode_rows(rows: list[list[Cell]]) -> bytes:
    """Encode rows of cells as JSON."""
    return json.dumps(rows, default=lambda cell: {type(cell).__name__: cell.isoformat()}).encode()


def decode_rows(encoded: bytes) -> list[list[Cell]]:
    """Decode what encode_rows made."""
    rows: list[list[Cell]] = json.loads(encoded, object_hook=_decode_moment)
    return rows


def _decode_moment(moment: dict[str, str]) -> Cell:
    [(kind, text)] = moment.items()
    kinds: dict[str, type[date | time]] = {"date": date, "datetime": datetime, "time": time}
    return kinds[kind].fromisoformat(text)


def _xlsx_rows(content: bytes) -> tuple[str, list[list[Cell]]]:
    """Find the first visible worksheet that holds anything: its name and rows."""
    _check_archive(content)
    workbook = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
    for sheet in workbook.worksheets:
        if sheet.sheet_state == "visible":
            # Both limits are given, so that a dimension tag that lies is never asked; one more than allowed, to see that there is more.
            rows = _tidy(sheet.iter_rows(max_row=ROWS_MAX + 1, max_col=COLUMNS_MAX + 1, values_only=True))
            if rows:
                return sheet.title, rows
    raise Refused("blank")


def _check_archive(content: bytes) -> None:
    """Refuse an archive that is something else or unpacks too large; zipfile never unpacks more than an entry declares."""
    with ZipFile(BytesIO(content)) as archive:
        names = set(archive.namelist())
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > UNPACKED_BYTES_MAX or unpacked > max(UNPACKED_RATIO_FLOOR_BYTES, UNPACKED_RATIO_MAX * len(content)):
        raise Refused("unpacked")
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise Refused("word")
    if "xl/workbook.bin" in names or "content.xml" in names:
        raise Refused("other_table")
    if "[Content_Types].xml" not in names:
        raise Refused("other_archive")


def _is_encrypted(content: bytes) -> bool:
    """Look for FILEPASS (MS-XLS 2.4.117), which only WRITEPROTECT may part from the BOF record of the workbook's globals."""
    begin = content.find(_GLOBALS_BOF)
    place = begin + 4 + content[begin + 2] if begin >= 0 else len(content)
    if content[place : place + 2] == b"\x86\x00":
        place += 4
    return content[place : place + 2] == b"\x2f\x00"


def _tidy(rows: Iterable[Iterable[Any]]) -> list[list[Cell]]:
    """Bring cells to our few types, cut the blank ends of rows and of the sheet, and keep to the limits."""
    kept: list[list[Cell]] = []
    length = 0
    for row in rows:
        values = list(row)
        while values and values[-1] in (None, ""):
            values.pop()
        cells = [_tidy_cell(value) for value in values]
        kept.append(cells)
        if cells:
            length = len(kept)
        if len(cells) > COLUMNS_MAX:
            raise Refused("columns")
    if length > ROWS_MAX:
        raise Refused("rows")
    return kept[:length]


def _tidy_cell(value: Any) -> Cell:
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() and abs(value) < EXACT_FLOAT_MAX else value
    if isinstance(value, timedelta):  # the format [h]:mm
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        within_a_day = 0 <= minutes < 24 * 60
        return time(minutes // 60, minutes % 60, seconds) if within_a_day else f"{minutes // 60}:{minutes % 60:02}"
    if value is None or (isinstance(value, str | int | date | time) and value != ""):
        return value
    return str(value) or None


def _widen(sheet: Worksheet, column: int) -> None:
    """Give the column a width of its own; groups of columns that overlap would make Excel call the file damaged."""
    for group in sheet.column_dimensions.values():
        if (group.min or 0) <= column <= (group.max or 0):
            group.max = column - 1
    own = sheet.column_dimensions[get_column_letter(column)]
    own.min = own.max = column
    own.width, own.hidden = PROBLEM_COLUMN_WIDTH, False


def _write(sheet: Worksheet, row: int, column: int, sentence: str | None) -> None:
    """Write a problem as text, whatever it begins with; None takes the earlier one away."""
    cell = sheet.cell(row, column)
    if isinstance(cell, MergedCell):  # a title or footer merged over the column has no cell of its own here
        return
    cell.value = sentence
    if sentence is None:
        cell.fill = PatternFill()
        return
    cell.data_type = "s"
    header = sentence == PROBLEM_HEADER
    cell.font = Font(bold=header, color=_RED_TEXT)
    cell.fill = _LIGHT_RED
    cell.alignment = Alignment(wrap_text=True, vertical="center" if header else "top")
