"""Every file that can be downloaded, found by following links: what a spreadsheet would run comes back as text."""

import csv
import io
import re
from urllib.parse import urljoin, urlsplit

import openpyxl
import pytest

from api.auth import SIGNED_IN
from ledger.sheets.workbooks import begins_a_formula

FORMULAS = ['=HYPERLINK("http://evil.example")', "+1+1", "-2+3", "@SUM(1)", "\t=1", "=cmd|' /C calc'!A0", "\uff1d1+1", "\n=1"]
LINK = re.compile(r'href="([^"#]+)"')
PAGES_MAX = 200


def sheet(formula):
    return [
        [f"{formula}活动签到表"],
        ["活动时间：2025年10月24日 14:00-16:00", "站点编码：340104001004"],
        [f"活动地点：{formula}"],
        ["序号", "姓名", "身份证号", "联系电话", "签到时间", "签退时间", "服务时长", "备注"],
        [1, formula, formula, formula, "14:00", "16:00", None, formula],
    ]


@pytest.fixture
def written(world, upload, recorded):
    """Files in hand, of each kind a clerk may bring, with formulas in every cell that takes text."""
    for formula in FORMULAS:
        book = openpyxl.Workbook()
        for row in sheet(formula):
            book.active.append(row)
        for row in book.active.iter_rows():
            for cell in row:
                if isinstance(cell.value, str):
                    cell.data_type = "s"
        content = io.BytesIO()
        book.save(content)
        upload(world.visitor("recorder"), content.getvalue(), f"{formula[:2].strip()}签到表.xlsx")
        text = io.StringIO()
        csv.writer(text).writerows(sheet(formula))
        upload(world.visitor("recorder"), text.getvalue().encode(), "签到表.csv")


def downloads(visitor):
    """Every file behind a link, and the address of each."""
    waiting, seen = ["/", "/sheets/", "/batches", "/me/", "/my/data"], set()
    while waiting and len(seen) < PAGES_MAX:
        path = waiting.pop(0)
        shown = path.partition("?")[0] if path.startswith("/annual-reports/") else path  # the same files for every unit
        if shown in seen:
            continue
        seen.add(shown)
        answer = visitor.client.get(path, follow_redirects=True, buffered=True)
        if "Content-Disposition" in answer.headers:
            yield path, answer
        elif answer.mimetype == "text/html":
            there = [urlsplit(urljoin(path, link.replace("&amp;", "&"))) for link in LINK.findall(answer.text)]
            waiting += [one.path + (f"?{one.query}" if one.query else "") for one in there if not one.netloc and "/static" not in one.path]


@pytest.mark.parametrize("role", SIGNED_IN)
def test_no_file_holds_what_a_spreadsheet_would_run(world, person, written, role):
    visitor = world.visitor(*((person.number, person.password) if role == "volunteer" else (role,)))
    kinds = []
    for path, answer in downloads(visitor):
        assert answer.status_code == 200, path
        kinds.append(answer.mimetype)
        if answer.data[:4] == b"PK\x03\x04":
            check_workbook(answer.data, path)
        elif answer.mimetype == "text/csv" or path.endswith(".csv"):
            check_csv(answer.data, path, answer.mimetype_params.get("charset", "utf-8"))
        elif answer.mimetype == "image/svg+xml":
            assert not re.search(rb"<script|<foreignObject|\bon[a-z]+=|href=", answer.data, re.IGNORECASE), path
        else:
            assert answer.mimetype in (
                "application/json",
                "application/vc",
                "application/vc+jwt",
                "text/plain",
                "application/pdf",
                "application/octet-stream",
                "application/zip",
                "image/png",
            ), path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        shared = path == "/api/v1/openapi.json"  # about nobody
        assert answer.headers["Cache-Control"] == ("public, max-age=300" if shared else "no-store"), path
    if role == "recorder":
        assert sum(kind.endswith("sheet") for kind in kinds) >= len(FORMULAS), kinds
    if role == "volunteer":
        assert "application/json" in kinds


def check_workbook(content, where):
    for page in openpyxl.load_workbook(io.BytesIO(content)).worksheets:
        for row in page.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (where, cell.coordinate, cell.value)
                if isinstance(cell.value, str) and begins_a_formula(cell.value):
                    assert cell.quotePrefix or cell.number_format == "@", (where, cell.coordinate, cell.value)
                assert cell.hyperlink is None, (where, cell.coordinate)


def check_csv(content, where, charset):
    for row in csv.reader(io.StringIO(content.decode("utf-8-sig" if charset == "utf-8" else charset))):
        for cell in row:
            assert not begins_a_formula(cell), (where, cell)


@pytest.mark.parametrize("text", FORMULAS)
def test_what_begins_a_formula_is_known(text):
    assert begins_a_formula(text)
