"""Files as stations send them, made from rows or from a few hostile bytes."""

import io
import zipfile
from datetime import datetime, time
from pathlib import Path

import openpyxl
import xlwt

DATA = Path(__file__).parent / "data"
STREET = DATA / "sanlian-street"
SIGN_IN_ROWS = [
    ["梅山路社区“邻里守望”活动签到表"],
    ["序号", "姓名", "身份证号", "联系电话", "签到时间", "签退时间"],
    [1, "张敏", "340102196708266327", "13624242754", "9:00", "11:30"],
    [2, "黄丹", "34010419951022796X", "15384582945", "9:10", None],
]


def xlsx(rows, title="签到表") -> bytes:
    workbook = openpyxl.Workbook()
    workbook.active.title = title
    for row in rows:
        workbook.active.append(row)
    return saved(workbook)


def saved(workbook) -> bytes:
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def xls(rows) -> bytes:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("签到表")
    formats = {datetime: "YYYY-MM-DD HH:MM", time: "HH:MM"}
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if cell is not None:
                sheet.write(r, c, cell, xlwt.easyxf(num_format_str=formats.get(type(cell), "General")))
    return saved(workbook)


def csv(rows, encoding="utf-8", delimiter=",") -> bytes:
    return "\r\n".join(delimiter.join("" if cell is None else str(cell) for cell in row) for row in rows).encode(encoding)


def archive(**entries: bytes) -> bytes:
    """A zip of entries; __ stands for a slash and _dot_ for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return out.getvalue()


def with_sheet_xml(workbook: bytes, xml: bytes) -> bytes:
    """The workbook with its first worksheet's XML replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, xml if entry.filename == "xl/worksheets/sheet1.xml" else old.read(entry))
    return out.getvalue()


def worksheet_xml(rows: bytes, dimension: bytes = b"") -> bytes:
    namespace = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<worksheet xmlns="%s">%s<sheetData>%s</sheetData></worksheet>' % (namespace, dimension, rows)


def ole(stream: str) -> bytes:
    """A compound file with one directory entry of that name, and nothing in it."""
    name = (stream + "\0").encode("utf-16-le")
    entry = name.ljust(64, b"\0") + len(name).to_bytes(2, "little")
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0") + b"\0" * 128 + entry.ljust(384, b"\0")
