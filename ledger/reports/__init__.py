"""
Reports: lists and tables as an office hands them on: with a title, the unit and the person that made them, a day, and page numbers.

One Report says what stands in it; `file_of` writes it as XLSX, PDF or CSV. The rules that this folder alone keeps:

1. Nothing goes out that holds a personal number: each way out looks through every text first (people/leaks.py). Names are masked where lists are made.
2. A text stays a text: no spreadsheet takes it for a formula, a date or a number, and none rounds it.
3. The same report is the same file, byte for byte, on every machine and at any time.
4. Minutes are printed as 小时+分; a spreadsheet has the minutes beside them as a whole number, so that they can be added up.
"""

from ledger.reports.files import FORMATS, File, file_of
from ledger.reports.report import Column, Report

__all__ = ["FORMATS", "Column", "File", "Report", "file_of"]
