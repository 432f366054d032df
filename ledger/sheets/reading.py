"""
Open a file as a station sends it: XLSX, XLS or CSV, judged by its first bytes and never by its name.

Workbooks are parsed by the child process of `sandbox`. CSV is RFC 4180 with comma, tab or semicolon, in UTF-8 (with or without
a mark), in UTF-16 with a mark (Excel's «Unicode 文本») or in GB 18030 (which holds GBK and GB 2312); the encodings are tried
strictly and in that order, because guessing by frequency takes short GBK for Big5. Every refusal is a sentence that tells the
clerk what to do.
"""

import codecs
import csv
import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from ledger.errors import UnreadableFile
from ledger.sheets import sandbox
from ledger.sheets.workbooks import COLUMNS_MAX, ROWS_MAX, decode_rows

Cell = str | int | float | bool | date | datetime | time | None
Format = Literal["xlsx", "xls", "csv"]

FILE_BYTES_MAX = 20_000_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE_AS = "请在 Excel 或 WPS 里用「另存为」存成 .xlsx 后再上传。"
_NOT_TABLES = {
    b"%PDF": "这是 PDF 文件，不是表格（签到表的扫描件请在登记页的「签到表照片」里附上）",
    b"\xff\xd8\xff": "这是照片，不是表格（签到表的照片请在登记页的「签到表照片」里附上）",
    b"\x89PNG": "这是图片，不是表格（签到表的照片请在登记页的「签到表照片」里附上）",
    b"GIF8": "这是图片，不是表格",
    b"BM": "这是图片，不是表格",
    b"Rar!": "这是压缩包，请先解压再上传里面的表格",
    b"7z\xbc\xaf": "这是压缩包，请先解压再上传里面的表格",
    b"{\\rtf": "这是 Word 文档，不是表格",
}
_REASONS = {
    "blank": "表格里没有内容，请检查是否选错了文件。",
    "rows": f"表格超过 {ROWS_MAX} 行，请分成几个文件上传。",
    "columns": f"表格超过 {COLUMNS_MAX} 列，请删去无关的列再上传。",
    "unpacked": "文件展开后过大，请只保留需要的工作表，" + _SAVE_AS,
    "word": "这是 Word 或演示文稿，不是表格。请使用表格模板填写后上传。",
    "other_archive": "这是压缩包，不是表格，请先解压再上传里面的表格。",
    "other_table": "这种表格格式不能直接读取。" + _SAVE_AS,
    "protected": "文件设有打开密码，请先取消密码（文件—信息—保护工作簿），保存后再上传。",
    "damaged": "文件已损坏，无法打开。请重新保存或重新导出一份再上传。",
    "memory": "表格过大，读不下。请删去空白的行列和无关的工作表，或分成几个文件上传。",
    "time": "读取表格用时过长。请删去空白的行列和无关的工作表，或分成几个文件上传。",
    "crashed": "表格的远处有零散的单元格，或内部结构异常，无法读取。请把有用的区域复制到新表格，存成 .xlsx 后再上传。",
}


@dataclass(frozen=True)
class Sheet:
    """What a file held: `rows[i]` is row i+1 of the sheet, without the blank cells at its end; `encoding` is None for a workbook."""

    name: str
    sha256: str
    format: Format
    encoding: str | None
    rows: list[list[Cell]]


def check_size(byte_count: int) -> None:
    """Make sure that a file is not too large to be read, before it is. Raises UnreadableFile."""
    if byte_count > FILE_BYTES_MAX:
        raise UnreadableFile(f"文件超过 {FILE_BYTES_MAX // 1_000_000} MB，请分成几个文件上传。")


def read_sheet(content: bytes, filename: str) -> Sheet:
    """
    Read the first worksheet that holds anything, or the CSV.

    `filename` is only kept as the sheet's name. Formulas give their saved values; numbers stay numbers, so that an ID number which
    Excel turned into a float is seen as one. Raises UnreadableFile; Unavailable if the parser gives no answer.
    """
    if not content:
        raise UnreadableFile("文件是空的，请检查是否选错了文件。")
    check_size(len(content))
    file_format = recognise(content)
    encoding = None
    if file_format == "csv":
        text, encoding = _decode(content)
        rows = _read_csv(text)
    else:
        try:
            rows = decode_rows(sandbox.ask(f"read_{file_format}", content, {}))
        except sandbox.Unparsable as unparsable:
            raise UnreadableFile(_REASONS[unparsable.reason]) from None
    return Sheet(filename, hashlib.sha256(content).hexdigest(), file_format, encoding, rows)


def recognise(content: bytes) -> Format:
    """Tell the format by the first bytes; raises UnreadableFile for what is no table."""
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "xlsx"
    if content.startswith(_OLE):
        return _recognise_ole(content)
    for magic, what in _NOT_TABLES.items():
        if content.startswith(magic):
            raise UnreadableFile(f"{what}。请上传 .xlsx、.xls 或 .csv 表格。")
    if content[:1000].lstrip(codecs.BOM_UTF8 + b" \t\r\n").startswith(b"<"):
        raise UnreadableFile("这是网页格式的文件，只是名字像表格。" + _SAVE_AS)
    return "csv"


def _recognise_ole(content: bytes) -> Format:
    """Tell apart the OLE compound files (MS-CFB): a protected workbook, a workbook of Excel 97-2003, and all others."""
    if _has_stream(content, "EncryptedPackage"):
        raise UnreadableFile(_REASONS["protected"])
    if _has_stream(content, "Workbook") or _has_stream(content, "Book"):
        return "xls"
    raise UnreadableFile("这是 Word 文档或其他文件，不是表格。请上传 .xlsx、.xls 或 .csv 表格。")


def _has_stream(content: bytes, name: str) -> bool:
    """Look for a directory entry: UTF-16 name at a multiple of 128 bytes, its length with the final zero at offset 64 (MS-CFB 2.6.1)."""
    pattern = (name + "\0").encode("utf-16-le")
    place = content.find(pattern)
    while place >= 0:
        if place % 128 == 0 and content[place + 64 : place + 66] == len(pattern).to_bytes(2, "little"):
            return True
        place = content.find(pattern, place + 1)
    return False


def _decode(content: bytes) -> tuple[str, str]:
    """Decode text strictly; the name of the encoding is shown to the clerk."""
    if content.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif b"\0" in content:
        raise UnreadableFile("这不是表格文件。请上传 .xlsx、.xls 或 .csv 表格。")
    else:
        candidates = ["utf-8", "gb18030"]
    for encoding in candidates:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text, encoding
    raise UnreadableFile("看不懂文件的文字编码。" + _SAVE_AS)


def _read_csv(text: str) -> list[list[Cell]]:
    """Split into rows of text; a blank cell is None, as in a workbook."""
    rows: list[list[Cell]] = []
    # io.StringIO would translate line ends inside quotes; splitlines(keepends) would break at characters that are no line end in CSV.
    lines = (line + "\n" for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    try:
        for row in csv.reader(lines, delimiter=_delimiter(text)):
            cells: list[Cell] = [cell or None for cell in row]
            while cells and cells[-1] is None:
                cells.pop()
            if len(cells) > COLUMNS_MAX:
                raise UnreadableFile(_REASONS["columns"])
            rows.append(cells)
            if len(rows) > ROWS_MAX + 1:
                raise UnreadableFile(_REASONS["rows"])
    except csv.Error:
        raise UnreadableFile("CSV 文件的引号或换行不完整，无法分列。" + _SAVE_AS) from None
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise UnreadableFile(_REASONS["blank"])
    return rows


def _delimiter(text: str) -> str:
    """Take the delimiter that the fullest of the first lines uses most, since titles above the header have none."""
    head = text[:20_000].splitlines()[:30]
    return max(",\t;", key=lambda mark: max((line.count(mark) for line in head), default=0))
