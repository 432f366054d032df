"""
A report as CSV (RFC 4180): the header and the rows alone, as data; CRLF, every cell quoted.

UTF-8 begins with a byte order mark, without which Chinese spreadsheets show rubbish; GB18030, in which every character can be written, is for programs
that know nothing else. A text that a spreadsheet might take for a formula is preceded by an apostrophe (OWASP, CSV injection).
"""

import csv
from io import StringIO
from typing import Literal

from ledger.reports.report import Report
from ledger.reports.workbooks import cells, expanded
from ledger.sheets.workbooks import begins_a_formula


def csv_file(report: Report, encoding: Literal["utf-8-sig", "gb18030"] = "utf-8-sig") -> bytes:
    """Write the CSV. Raises NotAllowed when a personal number stands in it."""
    report.check_leaks()
    out = StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(_harmless(one) for one in expanded(report))
    for row in report.rows:
        writer.writerow(_harmless(one) for one in cells(report.columns, row))
    return out.getvalue().encode(encoding)


def _harmless(cell: str | int) -> str | int:
    return f"'{cell}" if isinstance(cell, str) and begins_a_formula(cell) else cell
