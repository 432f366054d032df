"""Reports as an office hands them on: the same rows in XLSX, PDF and CSV, whatever is written in them, and never anybody's number."""

import csv
import io
import re
from datetime import date, timedelta

import openpyxl
import pypdfium2
import pytest
from certified import pages_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.reports import FORMATS, Column, Report, csv_files, file_of, papers, workbooks
from ledger.reports.report import percent, spell

COLUMNS = (Column("名次", 7, "integer"), Column("姓名", 10), Column("时长", 14, "minutes"), Column("占比", 9, "share"), Column("备注", 30))
ROWS = ((1, "欧**海", 2790, (1, 8), "并列"), (2, "张*", 60, (0, 8), ""), (3, "王*", None, (1, 0), None))
FORMULAS = ["=1+1", "+1+1", "-2", "@SUM(1)", "\t=1", "\r=1", "＝1+1", " =1"]


def report(rows=ROWS, **said):
    given = {"title": "2025 年度优秀志愿者", "unit": "三联街道社会服务中心", "maker": "李梅", "made_on": date(2026, 1, 12)} | said
    return Report(
        given.pop("title"), given.pop("unit"), given.pop("maker"), given.pop("made_on"), given.pop("columns", COLUMNS), rows, **given
    )


def sheet_of(made):
    return openpyxl.load_workbook(io.BytesIO(file_of(made, "xlsx").content)).active


def csv_of(made, kind="csv", encoding="utf-8-sig"):
    return list(csv.reader(io.StringIO(file_of(made, kind).content.decode(encoding), newline="")))


def pdf_of(made):
    return [re.sub(r"\s", "", page) for page in pages_of(file_of(made, "pdf").content)]


HEADERS = ("名次", "姓名", "时长", "时长（分钟）", "占比", "备注")


def test_a_workbook_has_title_header_rows_total_notes_and_who_made_it():
    page = sheet_of(report(subtitle="截至 2025-12-31", total=("", "合计", 2850, (1, 8), ""), notes=("统计口径：已计入的时长。",)))
    rows = list(page.iter_rows(values_only=True))
    assert rows[0][0] == "2025 年度优秀志愿者"
    assert rows[1][0] == "截至 2025-12-31"
    assert rows[2] == HEADERS
    assert rows[3] == (1, "欧**海", "46小时30分", 2790, "12.50%", "并列")
    assert rows[4] == (2, "张*", "1小时", 60, "0.00%", None)
    assert rows[5] == (3, "王*", "—", None, "—", None)
    assert rows[6] == (None, "合计", "47小时30分", 2850, "12.50%", None)
    assert rows[8][0] == "统计口径：已计入的时长。"
    assert rows[9][0] == "制表单位：三联街道社会服务中心　　　制表人：李梅　　　制表日期：2026年1月12日"
    assert len(rows) == 10


def test_a_workbook_is_ready_to_print_and_to_filter():
    page = sheet_of(report(subtitle="截至今天", total=ROWS[0], paper="A3"))
    assert page.freeze_panes == "A4"
    assert page.auto_filter.ref == "A3:F6", "the total is no row to be sorted away"
    assert page.print_title_rows == "$3:$3"
    assert page.print_area == "'2025 年度优秀志愿者'!$A$1:$F$9"
    assert (page.page_setup.paperSize, page.page_setup.orientation) == ("8", "landscape") or page.page_setup.paperSize == 8
    assert page.oddFooter.center.text == "第 &P 页，共 &N 页"
    assert page.sheet_properties.pageSetUpPr.fitToPage
    upright = sheet_of(report(landscape=False))
    assert upright.page_setup.orientation == "portrait"
    assert int(upright.page_setup.paperSize) == 9


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_text_becomes_a_formula(formula):
    made = report(
        [(1, formula, 60, (1, 2), formula)], title=formula + "名单", notes=(formula,), columns=(*COLUMNS[:-1], Column(formula, 9))
    )
    for row in sheet_of(made).iter_rows():
        for cell in row:
            assert cell.data_type in ("s", "n"), cell.coordinate
            assert cell.data_type == "n" or cell.quotePrefix or cell.number_format == "@"
    for row in csv_of(made):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in row), row
    assert pdf_of(made)


def test_a_csv_is_the_table_alone_every_cell_quoted_lines_ending_as_the_standard_says():
    content = file_of(report(notes=("注",), total=ROWS[0]), "csv").content
    assert content.startswith(b"\xef\xbb\xbf")
    lines = content.decode("utf-8-sig").split("\r\n")
    assert lines[0] == '"名次","姓名","时长","时长（分钟）","占比","备注"'
    assert lines[1] == '"1","欧**海","46小时30分","2790","12.50%","并列"'
    assert lines[3] == '"3","王*","—","","—",""'
    assert lines[4:] == [""]


def test_a_quote_a_comma_and_a_rare_character_come_through_in_both_encodings():
    made = report([(1, '王"𠮷,\u4dae', 60, (1, 2), "𰻞 😀 \ue000")])
    for kind, encoding in (("csv", "utf-8-sig"), ("csv-gb18030", "gb18030")):
        assert csv_of(made, kind, encoding)[1] == ["1", '王"𠮷,䶮', "1小时", "60", "50.00%", "𰻞 😀 \ue000"]
    assert not file_of(made, "csv-gb18030").content.startswith(b"\xef\xbb\xbf")


anything = st.text(st.characters(), max_size=30).filter(lambda said: not re.search(r"\d{5}", said))


@settings(max_examples=40)
@given(anything, anything)
def test_whatever_is_written_there_is_no_file_that_cannot_be_made(first, second):
    made = report([(1, first, 60, (1, 2), second)], title=first, notes=(second,), columns=(*COLUMNS[:-1], Column(second)))
    for kind in ("xlsx", "csv", "csv-gb18030"):
        file_of(made, kind)
    assert sheet_of(made).max_column == len(HEADERS)
    assert len(csv_of(made)) == 2
    assert csv_of(made) == csv_of(made, "csv-gb18030", "gb18030")


def test_a_paper_repeats_its_header_and_numbers_its_pages():
    made = report([(number, "张*", 60 * number, (1, 3), "备注") for number in range(1, 101)], notes=("统计口径",), subtitle="副题")
    pages = pdf_of(made)
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert f"第{number}页，共{len(pages)}页" in page
        assert "名次姓名时长占比备注" in page or page.startswith("统计口径")
    everything = "".join(pages)
    for said in (
        "2025年度优秀志愿者",
        "副题",
        "制表单位：三联街道社会服务中心",
        "制表人：李梅",
        "制表日期：2026年1月12日",
        "100张*100小时33.33%备注",
    ):
        assert said in everything


def test_a_sheet_for_the_wall_is_read_standing():
    """The letters of a row are larger on A3 than on A4 by as much as the paper is, or nearly."""

    def height(paper):
        with pypdfium2.PdfDocument(file_of(report(paper=paper), "pdf").content) as document:
            text = document[0].get_textpage()
            at = text.get_text_range().index("并列")
            bottom, top = (text.get_charbox(at, loose=True)[side] for side in (1, 3))
            return top - bottom

    assert height("A3") > 1.35 * height("A4")


@pytest.mark.parametrize(("paper", "landscape", "size"), [("A4", True, (842, 595)), ("A4", False, (595, 842)), ("A3", True, (1191, 842))])
def test_a_paper_is_an_archive_file_of_the_size_asked_for(paper, landscape, size):
    content = file_of(report(paper=paper, landscape=landscape), "pdf").content
    assert b"<pdfaid:part>2</pdfaid:part>" in content
    with pypdfium2.PdfDocument(content) as document:
        assert tuple(round(one) for one in document[0].get_size()) == size


def test_a_paper_marks_what_its_fonts_lack_and_never_takes_text_for_markup():
    page = pdf_of(report([(1, "王𠮷䶮", 60, (1, 2), '#panic("x")*_$<a>')]))[0]
    assert "王〓䶮" in page
    assert "字库缺〓（U+20BB7），印作「〓」，由制表单位手写补上" in page
    assert '#panic("x")*_$<a>' in page


def test_a_report_of_nothing_is_still_a_report():
    assert sheet_of(report([])).cell(2, 1).value == "名次"
    assert csv_of(report([])) == [list(HEADERS)]
    assert "没有内容。" in pdf_of(report([]))[0]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "said",
    [
        {"title": "找13855101234"},
        {"subtitle": "找13855101234"},
        {"maker": "李梅 １３８５５１０１２３４"},
        {"notes": ("身份证 11010519491231002X",)},
        {"rows": [(1, "138 5510 1234", 60, (1, 2), "")]},
        {"total": (13855101234, "", 60, (1, 2), "")},
        {"columns": (*COLUMNS[:-1], Column("13855101234"))},
    ],
)
def test_nothing_goes_out_with_somebodys_number_in_it(kind, said):
    with pytest.raises(NotAllowed, match="没有给出"):
        file_of(report(**said), kind)


def test_the_same_report_is_the_same_file_at_any_time():
    for kind in FORMATS:
        assert file_of(report(), kind) == file_of(report(), kind)


def test_a_file_is_called_after_its_title_and_nothing_else():
    assert [file_of(report(title="甲/乙\n名单"), kind).name for kind in FORMATS] == [
        "甲-乙 名单.xlsx",
        "甲-乙 名单.pdf",
        "甲-乙 名单.csv",
        "甲-乙 名单-gb18030.csv",
    ]
    with pytest.raises(NotFound, match=re.escape("没有「doc」这种文件，可以下载的有 xlsx、pdf、csv、csv-gb18030")):
        file_of(report(), "doc")


def test_too_many_rows_for_a_kind_of_file_are_said_with_the_way_out():
    many = report([(1, "", 0, None, "")] * (papers.ROWS_MAX + 1))
    with pytest.raises(InvalidRequest, match="最多印 5,000 行，这里有 5,001 行。请下载 Excel 或 CSV"):
        file_of(many, "pdf")
    assert csv_files.csv_file(many).count(b"\r\n") == papers.ROWS_MAX + 2
    too_many = report([()] * (workbooks.ROWS_MAX + 1), columns=())
    with pytest.raises(InvalidRequest, match="最多放 1,000,000 行"):
        file_of(too_many, "xlsx")


def test_a_row_is_as_long_as_there_are_columns():
    with pytest.raises(AssertionError, match="as long as"):
        report([(1,)])


@pytest.mark.parametrize(("pair", "said"), [((1, 3), "33.33%"), ((2, 3), "66.67%"), ((0, 5), "0.00%"), ((7, 5), "140.00%"), ((0, 0), "—")])
def test_a_share_is_rounded_half_up(pair, said):
    assert percent(*pair) == said
    assert spell(Column("占比", kind="share"), pair) == said


def test_days_are_written_as_papers_do():
    made = report(made_on=date(2026, 1, 1) + timedelta(days=40))
    assert "制表日期：2026年2月10日" in pdf_of(made)[0]
