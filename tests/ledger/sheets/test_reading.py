"""Files are judged by their bytes, read in every form that stations send, and refused in a sentence that says what to do."""

import hashlib
import io
import zipfile
from datetime import datetime, time

import openpyxl
import pytest
import xlwt
from files import SIGN_IN_ROWS, archive, csv, ole, saved, with_sheet_xml, worksheet_xml, xls, xlsx

from ledger.errors import UnreadableFile
from ledger.sheets.reading import read_sheet

TRIMMED = [row[: max((i + 1 for i, cell in enumerate(row) if cell is not None), default=0)] for row in SIGN_IN_ROWS]
AS_TEXT = [[None if cell is None else str(cell) for cell in row] for row in TRIMMED]


def refusal(content: bytes, name: str = "签到表.xlsx") -> str:
    with pytest.raises(UnreadableFile) as refused:
        read_sheet(content, name)
    assert str(refused.value).endswith("。")
    return str(refused.value)


def test_an_xlsx_gives_typed_rows_and_its_digest():
    content = xlsx(SIGN_IN_ROWS)
    sheet = read_sheet(content, "签到表.xlsx")
    assert (sheet.name, sheet.format, sheet.encoding) == ("签到表.xlsx", "xlsx", None)
    assert sheet.sha256 == hashlib.sha256(content).hexdigest()
    assert sheet.rows == TRIMMED


@pytest.mark.parametrize("name", ["签到表.xls", "签到表.xlsx", "签到表.csv"])
def test_an_xls_is_read_whatever_it_is_called(name):
    sheet = read_sheet(xls(SIGN_IN_ROWS), name)
    assert (sheet.format, sheet.rows) == ("xls", TRIMMED)


@pytest.mark.parametrize("make", [xlsx, xls])
def test_cells_keep_their_type(make):
    cells = ["文本", 12, 1.5, True, datetime(2025, 1, 5, 14, 30), time(9, 5), 3.408262001110234e17, 13805511234.0, "340102196708266327"]
    assert read_sheet(make([[None, None], [None, *cells], [], ["x"]]), "").rows == [
        [],
        [None, *cells[:7], 13805511234, cells[8]],
        [],
        ["x"],
    ]


def test_an_id_number_kept_as_a_number_reaches_the_reader_as_a_float():
    row = b'<row r="1"><c r="A1"><v>3.4082620011102298E+17</v></c><c r="B1"><v>1.0</v></c></row>'
    [[number, whole]] = read_sheet(with_sheet_xml(xlsx([["x"]]), worksheet_xml(row)), "").rows
    assert isinstance(number, float)
    assert isinstance(whole, int)


def test_lengths_of_time_as_excel_formats_them():
    workbook = openpyxl.Workbook()
    for row, days in enumerate((0.0625, 1.0625), 1):
        workbook.active.cell(row, 1, days).number_format = "[h]:mm"
    assert read_sheet(saved(workbook), "").rows == [[time(1, 30)], ["25:30"]]


def test_formulas_give_the_value_they_were_saved_with():
    number = b'<c r="A1"><f>1+1</f><v>2</v></c>'
    text = b'<c r="B1" t="str"><f>A1&amp;"x"</f><v>2x</v></c>'
    error = b'<c r="C1" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    row = b'<row r="1">%s</row>' % (number + text + error)
    assert read_sheet(with_sheet_xml(xlsx([["x"]]), worksheet_xml(row)), "").rows == [[2, "2x", "#DIV/0!"]]


def test_a_lying_dimension_hides_nothing():
    rows = b'<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row><row r="2"><c r="B2"><v>3</v></c></row>'
    content = with_sheet_xml(xlsx([["x"]]), worksheet_xml(rows, b'<dimension ref="A1"/>'))
    assert read_sheet(content, "").rows == [[1, 2], [None, 3]]


def test_the_first_visible_worksheet_that_holds_anything_is_read():
    workbook = openpyxl.Workbook()
    workbook.create_sheet("隐藏").append(["字典"])
    workbook["隐藏"].sheet_state = "hidden"
    workbook.create_sheet("二").append(["有"])
    workbook.create_sheet("三").append(["后"])
    assert read_sheet(saved(workbook), "").rows == [["有"]]


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8-sig", "utf-8-sig"), ("utf-8", "utf-8"), ("gbk", "gb18030"), ("gb18030", "gb18030"), ("utf-16", "utf-16")],
)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_csv_in_every_encoding_and_with_every_delimiter(encoding, named, delimiter):
    sheet = read_sheet(csv(SIGN_IN_ROWS, encoding, delimiter), "签到表.csv")
    assert (sheet.format, sheet.encoding, sheet.rows) == ("csv", named, AS_TEXT)


def test_short_gbk_is_not_taken_for_another_encoding():
    assert read_sheet("张三,李四".encode("gbk"), "").rows == [["张三", "李四"]]
    assert read_sheet("𬱖,䶮".encode("gb18030"), "").rows == [["𬱖", "䶮"]]


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends():
    assert read_sheet('姓名,备注\r\n张敏,"一,""二""\r\n三"\r\n\r\n'.encode(), "").rows == [["姓名", "备注"], ["张敏", '一,"二"\n三']]
    assert read_sheet(b"a,b\rc,d", "").rows == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "文件是空的"),
        (b"\xef\xbb\xbf", "没有内容"),
        (b"\r\n,,\r\n", "没有内容"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "照片"),
        (b"\x89PNG\r\n\x1a\n", "图片"),
        (b"Rar!\x1a\x07", "解压"),
        (b"\r\n<html><table><tr><td>1</td></tr></table></html>", "网页"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "网页"),
        (b"\xff\xfe\xfd\x00\x81", "编码"),
        (b"\x80\x81\xff\xff,\x80", "编码"),
        (b"MZ\x90\0\x03\0\0\0", "不是表格"),
        (ole("EncryptedPackage"), "密码"),
        (ole("WordDocument"), "不是表格"),
        (ole("Workbook"), "损坏"),
        (archive(word__document_dot_xml=b"<x/>"), "Word"),
        (archive(mimetype=b"x", content_dot_xml=b"<x/>"), "另存为"),
        (archive(签到表=b"x"), "压缩包"),
        (archive(), "压缩包"),
        (b"PK\x03\x04", "损坏"),
        (b'"' + b"x" * 200_000 + b'"', "引号"),
        (b",".join([b"x"] * 61), "60 列"),
        (b"x\n" * 200_002, "200000 行"),
        (b"x" * 20_000_001, "20 MB"),
        (xlsx([]), "没有内容"),
        (xls([[]]), "没有内容"),
        (xlsx([["x"] * 61]), "60 列"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_refused_with_advice(content, says):
    assert says in refusal(content)


@pytest.mark.parametrize("records", [b"\x2f\x00", b"\x86\x00\x00\x00\x2f\x00"], ids=["FILEPASS", "after WRITEPROTECT"])
def test_a_protected_xls_is_told_from_a_damaged_one(records):
    content = bytearray(xls(SIGN_IN_ROWS))
    following = content.index(b"\x09\x08\x10\x00\x00\x06\x05\x00") + 20  # behind the BOF of the workbook's globals
    content[following : following + len(records)] = records
    assert "密码" in refusal(bytes(content))


def test_a_name_outside_the_directory_makes_no_workbook():
    content = bytearray(ole("WordDocument"))
    content[101:119] = "Workbook\0".encode("utf-16-le")
    assert "不是表格" in refusal(bytes(content))


def test_the_first_visible_worksheet_of_an_xls():
    workbook = xlwt.Workbook()
    for name, hidden in (("隐", 1), ("空", 0), ("有", 0)):
        sheet = workbook.add_sheet(name)
        sheet.visibility = hidden
        if name != "空":
            sheet.write(0, 0, name)
    workbook.set_active_sheet(1)
    assert read_sheet(saved(workbook), "").rows == [["有"]]


@pytest.mark.parametrize("kept", [30, 500, 3000, -1, -30])
def test_a_truncated_workbook_is_damaged(kept):
    assert "损坏" in refusal(xlsx(SIGN_IN_ROWS)[:kept])


def test_a_workbook_with_a_flipped_byte_is_damaged_and_not_misread():
    content = bytearray(xlsx(SIGN_IN_ROWS))
    with zipfile.ZipFile(io.BytesIO(content)) as entries:
        entry = entries.getinfo("xl/worksheets/sheet1.xml")
    content[entry.header_offset + 30 + len(entry.filename) + 40] ^= 0xFF
    assert "损坏" in refusal(bytes(content))


def test_an_archive_that_unpacks_to_gigabytes_is_never_unpacked():
    content = with_sheet_xml(xlsx([["x"]]), worksheet_xml(b"<row/>" * 100_000))
    with zipfile.ZipFile(io.BytesIO(content)) as entries:
        size = entries.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    assert "展开后过大" in refusal(content.replace(size, (1 << 30).to_bytes(4, "little")))


def test_eleven_megabytes_in_a_few_kilobytes_are_no_real_sheet():
    assert "展开后过大" in refusal(with_sheet_xml(xlsx([["x"]]), worksheet_xml(b"<row/>" * 2_000_000)))


def test_an_archive_whose_sheet_is_larger_than_declared_is_damaged():
    content = bytearray(with_sheet_xml(xlsx([["x"]]), worksheet_xml(b"<row/>" * 100_000)))
    with zipfile.ZipFile(io.BytesIO(content)) as entries:
        size = entries.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    assert "损坏" in refusal(bytes(content.replace(size, (100).to_bytes(4, "little"))))


@pytest.mark.parametrize("dimension", [b"", b'<dimension ref="A1:XFD1048576"/>'])
def test_two_far_cells_of_an_xlsx_ask_for_no_memory(dimension):
    rows = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    assert read_sheet(with_sheet_xml(xlsx([["x"]]), worksheet_xml(rows, dimension)), "").rows == [[1]]


def test_two_far_cells_of_an_xls_are_refused():
    assert "零散的单元格" in refusal(xls([["a"], *[[]] * 65_534, [None] * 255 + ["z"]]))


def test_too_many_rows_of_an_xlsx_are_refused():
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in (1, 200_001))
    assert "200000 行" in refusal(with_sheet_xml(xlsx([["x"]]), worksheet_xml(rows)))
