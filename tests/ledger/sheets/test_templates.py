"""Templates: filled in and handed back they import cleanly; the example is passed over; what may be chosen is what the importer takes."""

import io
from datetime import date

import openpyxl
import pytest
from town import CENTRE, EAST, ZHANG, ZHAO, person

from ledger import codes
from ledger.errors import InvalidRequest
from ledger.people import leaks
from ledger.people.actors import OPERATOR
from ledger.sheets.layout import EXAMPLE
from ledger.sheets.templates import NAMES, template

UNITS = {CENTRE: "某街道社会服务中心", EAST: "东社区社会服务站"}
HEADER_ROW = {"hours": 4}
GAO = person("高远", date(1971, 4, 5), 31)
FILLED = {
    "hours": [1, ZHANG.name, ZHANG.id_number, "13855101234", "14:00", "16:30"],
    "volunteers": [1, GAO.name, "男", GAO.id_number, "13855101234", EAST, "2025-03-05", "是"],
    "organisations": [1, "皖009", "东社区合唱队", "文体活动", "是", EAST, "备案", "2025-03-05", "郑伟", "13855101234"],
    "stations": [1, "340104001009", "新社区社会服务站", "站", CENTRE, "城市", 800, "2025-12-31", "街道统计年报"],
}
ACTIVITY = {"B1": "周末上门", "F1": "邻里守望", "B2": "2026年2月26日 14:00-16:30", "B3": "党群服务中心"}


def filled(kind, *, activity=ACTIVITY) -> bytes:
    """The template as a clerk fills it in: below the example, which stays."""
    book = openpyxl.load_workbook(io.BytesIO(template(kind, UNITS, EAST)))
    sheet = book.worksheets[0]
    at = HEADER_ROW.get(kind, 1) + 2
    for column, said in enumerate(FILLED[kind], 1):
        sheet.cell(at, column, said)
    if kind == "hours":
        for cell, said in activity.items():
            sheet[cell] = said
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("kind", sorted(FILLED))
def test_a_filled_template_imports_cleanly_and_only_once(town, kind):
    first = town.hand_in(filled(kind), kind, by=ZHAO if kind == "hours" else OPERATOR, name=NAMES[kind])
    assert (first.accepted, first.rejected, first.parked) == (1, [], [])
    again = town.hand_in(filled(kind), kind, by=ZHAO if kind == "hours" else OPERATOR, name=NAMES[kind])
    assert (again.accepted, again.already, again.rejected) == (0, 1, [])


def test_a_filled_sign_in_sheet_says_its_activity(town):
    outcome = town.hand_in(filled("hours"), by=ZHAO, name=NAMES["hours"])
    assert outcome.activity == "周末上门"
    assert outcome.facts["活动系列"] == "邻里守望"
    assert outcome.facts["活动地点"] == "党群服务中心"
    assert outcome.minutes == 150


def test_an_empty_template_says_what_is_missing(town):
    with pytest.raises(InvalidRequest, match="活动时间"):
        town.hand_in(template("hours", UNITS, EAST), by=ZHAO, name=NAMES["hours"])
    outcome = town.hand_in(template("volunteers", UNITS), "volunteers", name=NAMES["volunteers"])
    assert (outcome.accepted, outcome.rejected) == (0, [])


@pytest.mark.parametrize("kind", sorted(FILLED))
def test_a_template_has_an_example_drop_downs_instructions_and_nobodys_number(kind):
    content = template(kind, UNITS, EAST)
    leaks.check_file(content, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "模板")
    book = openpyxl.load_workbook(io.BytesIO(content))
    table, words, listed = book.worksheets
    assert (table.title, words.title, listed.sheet_state) == ("填表", "填写说明", "hidden")
    assert table.cell(HEADER_ROW.get(kind, 1) + 1, 1).value == EXAMPLE
    offered = " ".join(rule.formula1 for rule in table.data_validations.dataValidation)
    expected = {"hours": codes.SERIES, "volunteers": {"": "男,女"}, "organisations": codes.CATEGORIES, "stations": codes.LEVELS}[kind]
    assert all(word in offered for word in expected.values())
    if kind != "stations":
        assert f"选项!$A$1:$A${len(UNITS)}" in offered
    id_column = {"hours": "C", "volunteers": "D"}.get(kind)
    if id_column:
        assert table[f"{id_column}20"].number_format == "@", "a spreadsheet would round 18 digits"


def test_a_name_that_only_begins_like_the_example_is_read(town):
    rows = [["组织名称", "备案编号", "组织类别", "所属站点编码", "备案日期"], ["示例街合唱队", "皖010", "文体活动", EAST, "2025-03-05"]]
    assert town.hand_in(rows, "organisations").accepted == 1
