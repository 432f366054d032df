"""The header wherever it stands, columns under any of their names, rows without footers, and the activity's facts above."""

from datetime import datetime, time

import pytest

from ledger.errors import InvalidRequest
from ledger.sheets import columns
from ledger.sheets.layout import activity_facts, find_table
from ledger.sheets.reading import Sheet

HEADER = ["序号", "姓名", "身份证号", "联系电话", "签到时间", "签退时间", "服务时长", "备注"]
ROW = [1, "张敏", "340102196708266327", "13624242754", "9:00", "11:00", None, None]


def sheet(*rows) -> Sheet:
    return Sheet("签到表.xlsx", "00", "xlsx", None, [list(row) for row in rows])


@pytest.mark.parametrize("above", [0, 1, 4, 29])
def test_the_header_is_found_within_the_first_30_rows(above):
    table = find_table(sheet(*[["说明"]] * above, HEADER, ROW), columns.SIGN_IN)
    assert table.header_row == above + 1
    assert table.columns == {"name": 2, "id_number": 3, "phone": 4, "start": 5, "end": 6, "duration": 7, "remark": 8}
    assert [number for number, _ in table.rows()] == [above + 2]


def test_a_header_below_the_30th_row_is_not_looked_for():
    with pytest.raises(InvalidRequest, match=r"没有找到表头.*「姓名」「身份证号」"):
        find_table(sheet(*[[]] * 30, HEADER, ROW), columns.SIGN_IN)


def test_headers_are_known_under_other_names_with_units_breaks_and_stars():
    header = ["姓 名", "证件\n号码*", "手机", "开始时间", "结束时间", "时长（分钟）", "身份证号码（必填）"]
    table = find_table(sheet(header, ["张敏", "旧", "1", "9:00", "10:00", 60, "新"]), columns.SIGN_IN)
    assert table.headers["duration"] == "时长（分钟）"
    assert table.columns["id_number"] == 7  # 身份证号码 is a better name for it than 证件号码
    assert dict(table.rows())[2]["phone"] == "1"


def test_a_missing_column_is_named_beside_those_that_are_there():
    with pytest.raises(InvalidRequest) as refusal:
        find_table(sheet(["标题"], ["姓名", "身份证号", "到的时间", "签退时间"]), columns.SIGN_IN)
    assert str(refusal.value).startswith("第 2 行表头缺少「签到时间」。看到的表头有：姓名、身份证号、到的时间、签退时间。")


def test_blank_rows_footers_and_bare_numbering_are_passed_over():
    rows = [
        [1, "张敏", "340102196708266327", None, "9:00"],
        [2],
        [],
        [None, " \u3000"],
        [3, "合计工", None, None, None, None, "某"],
        ["合 计", None, None, None, None, None, "2人"],
        [None, "负责人签字：", None, None, None, None, None, "好"],
        [None, "张敏", None, "13624242754"],
        ["审核人：王五", "王五"],
        [None, "总计"],
        [None, "黄丹", "34010419951022796X"],
        ["备注：雨天改期", None, None, None, None, None, "x"],
    ]
    table = find_table(sheet(HEADER, *rows), columns.SIGN_IN)
    assert [(number, cells["name"]) for number, cells in table.rows()] == [(2, "张敏"), (6, "合计工"), (9, "张敏"), (12, "黄丹")]


def test_a_problem_column_is_passed_over_also_when_it_alone_is_filled():
    table = find_table(sheet([*HEADER, "问题"], [*ROW, "时间不对"], [None] * 8 + ["没有填写姓名"]), columns.SIGN_IN)
    assert [(number, "问题" in cells) for number, cells in table.rows()] == [(2, False)]


def test_short_rows_read_as_blank_cells():
    table = find_table(sheet(HEADER, [1, "张敏"]), columns.SIGN_IN)
    assert dict(table.rows())[2] == {
        "name": "张敏",
        "id_number": None,
        "phone": None,
        "start": None,
        "end": None,
        "duration": None,
        "remark": None,
    }


def test_facts_that_share_a_cell():
    facts = activity_facts(
        sheet(
            ["梅山路社区“邻里守望”主题志愿服务活动签到表"],
            ["活动时间：2025年1月5日 14:00-16:00    活动地点：党群服务中心  二楼　　组织单位：平安巡逻队"],
            ["服务对象：低保对象、空巢老人，残疾人    服务内容：法律援助    站点编码：340104001001    天气：晴 活动负责人:张萍"],
            HEADER,
        ),
        4,
    )
    assert facts == {
        "title": "梅山路社区“邻里守望”主题志愿服务活动签到表",
        "time": "2025年1月5日 14:00-16:00",
        "place": "党群服务中心  二楼",
        "organisation": "平安巡逻队",
        "series": "邻里守望",
        "beneficiaries": ["低保对象", "空巢老人", "残疾人"],
        "services": ["法律援助"],
        "station": "340104001001",
        "responsible": "张萍",
    }


def test_facts_in_cells_of_their_own():
    facts = activity_facts(
        sheet(
            [None, "学雷锋活动签到表"],
            ["活动系列：", "平安建设", None, "时　间：", "14:00-16:00"],
            ["日 期", datetime(2025, 3, 5), "地点", None, "社区广场", "组织单位：", "负责人：李四"],
            HEADER,
        ),
        4,
    )
    assert facts == {
        "title": "学雷锋活动签到表",
        "series": "平安建设",
        "time": "2025-03-05 14:00-16:00",
        "place": "社区广场",
        "responsible": "李四",
    }


def test_real_date_and_time_cells_become_what_spelling_reads():
    assert activity_facts(sheet(["时间", datetime(2025, 3, 5, 9, 30)]), 2)["time"] == "2025-03-05 09:30"
    assert activity_facts(sheet(["时间", time(9, 30)], ["日期", datetime(2025, 3, 5)]), 3)["time"] == "2025-03-05 09:30:00"
    assert activity_facts(sheet(["活动日期：2025年3月5日"]), 2) == {"time": "2025年3月5日"}


def test_no_title_rows_no_facts():
    assert activity_facts(sheet(HEADER, ROW), 1) == {}
