"""The clerk's own file comes back with what is wrong beside each row, everything else untouched, and reads again once mended."""

import io
import zipfile
from datetime import date, datetime, time
from itertools import pairwise

import openpyxl
import pytest
from files import SIGN_IN_ROWS, STREET, csv, saved, with_sheet_xml, worksheet_xml, xls, xlsx
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.table import Table

from ledger.sheets import columns
from ledger.sheets.layout import find_table
from ledger.sheets.problems import problem_workbook
from ledger.sheets.reading import Sheet, read_sheet

SENTENCE = "第 4 行：没有填写签退时间。"
HEADER_ROW = 2


def marked(content, problems=None, header_row=HEADER_ROW):
    answer = problem_workbook(content, read_sheet(content, "x"), header_row, problems or {4: SENTENCE})
    return answer, openpyxl.load_workbook(io.BytesIO(answer))


def column_of(sheet, header_row=HEADER_ROW):
    [column] = [cell.column for cell in sheet[header_row] if cell.value == "问题"]
    return column


@pytest.mark.parametrize("content", [xlsx(SIGN_IN_ROWS), xls(SIGN_IN_ROWS), csv(SIGN_IN_ROWS, "gbk")], ids=["xlsx", "xls", "csv"])
def test_a_red_column_right_of_the_data_says_what_is_wrong(content):
    answer, workbook = marked(content)
    sheet = workbook.active
    header, cell = sheet["G2"], sheet["G4"]
    assert (header.value, cell.value, sheet["G3"].value) == ("问题", SENTENCE, None)
    assert header.font.b
    assert {header.font.color.rgb, cell.font.color.rgb} == {"FFC00000"}
    assert cell.fill.fgColor.rgb == "FFFDE9E7"
    assert cell.alignment.wrap_text
    assert sheet.column_dimensions["G"].width > 40
    assert sheet.auto_filter.ref == "A2:G4"
    before, after = read_sheet(content, "").rows, read_sheet(answer, "").rows
    assert [row[:5] for row in after] == [row[:5] for row in before]


@pytest.mark.parametrize("content", [xlsx(SIGN_IN_ROWS), xls(SIGN_IN_ROWS), csv(SIGN_IN_ROWS)], ids=["xlsx", "xls", "csv"])
def test_the_mended_file_reads_as_the_sheet_and_the_column_is_used_again(content):
    _, workbook = marked(content)
    workbook.active["F4"] = "11:30"
    mended = saved(workbook)
    table = find_table(read_sheet(mended, ""), columns.SIGN_IN)
    assert [(number, cells["end"]) for number, cells in table.rows()] == [(3, "11:30"), (4, "11:30")]
    _, again = marked(mended, {3: "重复"})
    assert [again.active.cell(row, 7).value for row in (2, 3, 4)] == ["问题", "重复", None]
    assert again.active.max_column == 7


def test_formats_merges_and_other_sheets_stay_and_no_formula_does():
    workbook = openpyxl.load_workbook(io.BytesIO(xlsx(SIGN_IN_ROWS)))
    sheet = workbook.active
    sheet.merge_cells("A1:H1")
    sheet["A1"].font = Font(name="黑体", sz=18)
    sheet["B3"].fill = PatternFill("solid", fgColor="FF00FF00")
    sheet["A5"] = "=SUM(A3:A4)"
    sheet["C3"].number_format = "@"
    sheet.row_dimensions[3].height = 33
    workbook.create_sheet("字典").append(["勿动"])
    _, again = marked(saved(workbook), {4: SENTENCE, 5: "=HYPERLINK(1)"})
    sheet = again["签到表"]
    assert again.sheetnames == ["签到表", "字典"]
    assert (sheet["A1"].font.name, sheet["A1"].font.sz, str(sheet.merged_cells)) == ("黑体", 18, "A1:H1")
    assert sheet["B3"].fill.fgColor.rgb == "FF00FF00"
    assert (sheet["A5"].value, sheet["A5"].data_type, sheet["A5"].quotePrefix) == ("=SUM(A3:A4)", "s", True)
    assert (sheet["C3"].number_format, sheet.row_dimensions[3].height) == ("@", 33)
    assert (sheet["G5"].value, sheet["G5"].data_type) == ("=HYPERLINK(1)", "s")


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1-1", "@SUM(1)", "\t=1", " =1", "=cmd|'/c calc'!A1"])
def test_text_that_a_spreadsheet_would_run_comes_back_as_text(word):
    """As a formula, as text, in a workbook and in a table of plain rows."""
    rows = [*SIGN_IN_ROWS, [3, word, "340102196708266327", "13624242754", "9:00", "11:30"]]
    for content in (xlsx(rows), csv(rows)):
        _, again = marked(content)
        cell = again.active["B5"]
        assert (str(cell.value).strip(), cell.data_type, cell.quotePrefix) == (word.strip(), "s", True)
        assert not [c for row in again.active.iter_rows() for c in row if c.data_type == "f"]


def test_a_formula_that_was_worked_out_comes_back_as_its_value():
    sums = b'<row r="1"><c r="A1" t="inlineStr"><is><t>sum</t></is></c><c r="B1"><f>1+1</f><v>2</v></c></row>'
    answer = problem_workbook(content := with_sheet_xml(xlsx([["x"]]), worksheet_xml(sums)), read_sheet(content, "x"), 1, {1: "x"})
    assert b"<f>" not in b"".join(zipfile.ZipFile(io.BytesIO(answer)).read(n) for n in zipfile.ZipFile(io.BytesIO(answer)).namelist())
    assert openpyxl.load_workbook(io.BytesIO(answer)).active["B1"].value == 2


def test_notes_beside_the_table_are_not_written_over():
    _, workbook = marked(xlsx([*SIGN_IN_ROWS, [None] * 9 + ["旁注"]]))
    assert column_of(workbook.active) == 11
    assert workbook.active["J5"].value == "旁注"


def test_a_merge_over_the_column_is_left_alone():
    workbook = openpyxl.load_workbook(io.BytesIO(xlsx([*SIGN_IN_ROWS, ["合计"]])))
    workbook.active.merge_cells("A5:H5")
    _, again = marked(saved(workbook), {4: SENTENCE, 5: "页脚"})
    assert (again.active["G4"].value, again.active["A5"].value) == (SENTENCE, "合计")


def test_grouped_column_widths_do_not_overlap_afterwards():
    workbook = openpyxl.load_workbook(io.BytesIO(xlsx(SIGN_IN_ROWS)))
    group = workbook.active.column_dimensions["E"]
    group.min, group.max, group.width = 5, 16384, 11
    _, again = marked(saved(workbook))
    spans = sorted((group.min, group.max) for group in again.active.column_dimensions.values())
    assert (5, 6) in spans
    assert (7, 7) in spans
    assert all(last < first for (_, last), (first, _) in pairwise(spans))


def test_a_table_with_its_own_filter_gets_no_second_one():
    workbook = openpyxl.load_workbook(io.BytesIO(xlsx(SIGN_IN_ROWS)))
    workbook.active.add_table(Table(displayName="t", ref="A2:F4"))
    _, again = marked(saved(workbook))
    assert again.active.auto_filter.ref is None
    assert list(again.active.tables) == ["t"]


def test_types_survive_in_a_workbook_made_of_rows():
    row = ["340102196708266327", 13805511234, 12, 1.5, True, datetime(2025, 1, 5, 9, 30), date(2025, 1, 5), time(9, 30), None, "=1+1"]
    header = [f"列{n}" for n in range(10)]
    sheet = Sheet("x.xls", "00", "xls", None, [header, list(row)])
    again = openpyxl.load_workbook(io.BytesIO(problem_workbook(b"", sheet, 1, {2: "看"}))).active
    cells = [again.cell(2, column) for column in range(1, 12)]
    assert [cell.value for cell in cells] == [
        "340102196708266327",
        "13805511234",
        12,
        1.5,
        True,
        row[5],
        datetime(2025, 1, 5),
        time(9, 30),
        None,
        "=1+1",
        "看",
    ]
    assert [cells[n].number_format for n in (0, 1)] == ["@", "@"]
    assert cells[9].data_type == "s"


def test_an_xlsx_that_cannot_be_loaded_whole_comes_back_as_rows():
    content = xlsx(SIGN_IN_ROWS)
    broken = with_sheet_xml(content, worksheet_xml(b"<row r='1'>"))
    answer = problem_workbook(broken, read_sheet(content, ""), HEADER_ROW, {4: SENTENCE})
    assert openpyxl.load_workbook(io.BytesIO(answer)).active["G4"].value == SENTENCE


def test_an_earlier_column_of_a_csv_is_used_again():
    content = csv([["姓名", "问题", "备注"], ["张敏", "旧", "勿动"], ["黄丹", "旧"]])
    answer = problem_workbook(content, read_sheet(content, ""), 1, {3: "新"})
    assert read_sheet(answer, "").rows == [["姓名", "问题", "备注"], ["张敏", None, "勿动"], ["黄丹", "新"]]


def test_a_header_below_the_rows_is_no_fault():
    answer = problem_workbook(b"", Sheet("x.csv", "00", "csv", "utf-8", [["a"]]), 3, {4: "b"})
    assert read_sheet(answer, "").rows == [["a"], [], ["问题"], ["b"]]


def test_a_real_sign_in_sheet_comes_back_with_its_merged_title():
    content = (STREET / "signin-20250105-004.xlsx").read_bytes()
    _, workbook = marked(content, {7: "没有填写签退时间。"}, header_row=5)
    assert workbook.active["I7"].value == "没有填写签退时间。"
    assert "A1:H1" in str(workbook.active.merged_cells)
