"""The kinds of file a report is handed on as: what each is called, and its one way out."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ledger.errors import NotFound
from ledger.reports.csv_files import csv_file
from ledger.reports.papers import pdf
from ledger.reports.report import Report, plain
from ledger.reports.workbooks import workbook


@dataclass(frozen=True)
class Format:
    """A kind of file: what it is called on a page, how its name ends, what it is on the web, and how it is made."""

    label: str
    ending: str
    content_type: str
    make: Callable[[Report], bytes]


@dataclass(frozen=True)
class File:
    """A file to hand out, already looked through for personal numbers."""

    name: str
    content: bytes
    content_type: str


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = {
    "xlsx": Format("Excel", ".xlsx", XLSX, workbook),
    "pdf": Format("PDF", ".pdf", "application/pdf", pdf),
    "csv": Format("CSV（UTF-8）", ".csv", "text/csv; charset=utf-8", csv_file),
    "csv-gb18030": Format("CSV（GB18030）", "-gb18030.csv", "text/csv; charset=gb18030", partial(csv_file, encoding="gb18030")),
}


def file_of(report: Report, kind: str) -> File:
    """Write a report as one of FORMATS.

    Raises NotFound, NotAllowed when a personal number stands in it, InvalidRequest when it is too long for that kind of file.
    """
    if kind not in FORMATS:
        raise NotFound(f"没有「{kind}」这种文件，可以下载的有 {'、'.join(FORMATS)}")
    form = FORMATS[kind]
    name = plain(report.title).replace("/", "-").replace("\\", "-") + form.ending
    return File(name, form.make(report), form.content_type)
