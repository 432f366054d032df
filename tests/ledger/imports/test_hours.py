"""A sign-in sheet or an old platform's export, row by row: what is recorded, what is refused and in which words, what waits."""

import io
import re
import threading
from datetime import datetime, time

import openpyxl
import pytest
from files import csv, ole, saved, xls, xlsx
from sqlalchemy import select
from town import (
    AUDITOR,
    CHEN,
    EAST,
    LI,
    LIU,
    ORGANISATION_HEADER,
    OUYANG,
    QIAN,
    STRANGER,
    SUN,
    TEAM,
    WANG,
    WEST,
    ZHANG,
    ZHAO,
    Person,
    export,
    exported,
    roster,
    sheet,
    signed,
)

from ledger import parked
from ledger.checking.verifying import verify
from ledger.entries import b64
from ledger.errors import InvalidRequest, NotAllowed, UnreadableFile
from ledger.imports import KINDS
from ledger.log import Receipt
from ledger.people import actors
from ledger.refusals import CODES
from ledger.service import drafts, recording
from ledger.tables import ActivityRow, ServiceRow, table

SERVICE, ACTIVITY = table(ServiceRow), table(ActivityRow)


def changed(row: list, **cells) -> list:
    """A row of a sign-in sheet with other cells."""
    places = {"name": 1, "id": 2, "start": 4, "end": 5}
    row = list(row)
    for name, value in cells.items():
        row[places[name]] = value
    return row


def services(town):
    return town.read(lambda tx: list(tx.connection.execute(select(SERVICE).order_by(SERVICE.c.entry_index))))


def times(town):
    return [(row.start, row.end, row.minutes) for row in services(town)]


def only_problem(outcome):
    [problem] = outcome.rejected
    return problem


ROW = signed(ZHANG)
REFUSALS = [
    ("missing", "姓名", "没有填写姓名，请补上", [changed(ROW, name=" ")]),
    ("missing", "身份证号", "没有填写身份证号", [changed(ROW, id=None)]),
    ("missing", "签到时间", "没有签到时间，请对照纸质签到表补上", [changed(ROW, start=None)]),
    ("missing_sign_out", "签退时间", "没有签退时间。请向本人核实后补上", [changed(ROW, end=None)]),
    ("id_checksum", "身份证号", "末位校验不符，请对照证件核对", [changed(ROW, id=ZHANG.id_number[:-1] + "2")]),
    ("id_checksum", "身份证号", "应为 18 位", [changed(ROW, id=ZHANG.id_number[:-1])]),
    ("id_precision_lost", "身份证号", "末几位已丢失。请把该列设为「文本」", [changed(ROW, id="3.40104E+17")]),
    ("unreadable", "签到时间", "「两点」看不懂", [changed(ROW, start="两点")]),
    ("unreadable", "签退时间", "「25:00」", [changed(ROW, end="25:00")]),
    ("name_mismatch", "姓名", "不是同一个人：这个号码登记的是「张*」", [changed(ROW, name="李建国")]),
    ("unknown_volunteer", "身份证号", "尾号 0011 尚未登记为志愿者", [signed(STRANGER)]),
    ("end_before_start", "签退时间", "签退时间不晚于签到时间", [changed(ROW, start="16:00", end="14:00")]),
    ("end_before_start", "签退时间", "签退时间不晚于签到时间", [changed(ROW, end="14:00")]),
    ("over_daily_cap", "服务时长", "2026年2月26日累计将达 8小时1分，超过每日上限 8小时", [changed(ROW, start="8:00", end="16:01")]),
    ("duplicate", "姓名", "已经登记过一次，请删去重复的一行", [ROW, ROW]),
    ("overlap", "签到时间", "重叠 30 分钟（登记站：东社区社会服务站，本表另一行）", [ROW, changed(ROW, start="15:30", end="17:00")]),
]


@pytest.mark.parametrize(("code", "column", "says", "rows"), REFUSALS)
def test_what_is_wrong_with_a_row_is_said_with_its_column_and_how_to_mend_it(standing_town, code, column, says, rows):
    outcome = standing_town.hand_in(sheet(*rows), rehearse=True)
    problem = only_problem(outcome)
    assert (problem.row, problem.code, problem.column) == (4 + len(rows), code, column)
    assert says in problem.message
    assert not re.search(r"\d{17}", problem.message)
    assert outcome.accepted == len(rows) - 1
    form = {"row": problem.row, "code": code, "message": problem.message, "column": column}
    assert outcome.as_json()["rejected"] == [form]


def test_a_service_that_has_not_ended_yet_is_refused(standing_town):
    rows = sheet(signed(ZHANG, "8:00", "9:00"), signed(LI, "8:00", "9:01"), when="2026年3月2日 8:00-10:00")
    outcome = standing_town.hand_in(rows, rehearse=True)
    problem = only_problem(outcome)
    assert (outcome.accepted, problem.row, problem.code) == (1, 6, "future_date")
    assert "服务在 2026年3月2日 09:01 才结束，还没有发生" in problem.message


def test_an_id_number_that_excel_turned_into_a_number_is_told_from_a_wrong_one(standing_town):
    row = changed(signed(ZHANG), id=float(ZHANG.id_number))
    problem = only_problem(standing_town.hand_in(xlsx(sheet(row)), rehearse=True))
    assert (problem.code, problem.column) == ("id_precision_lost", "身份证号")


def test_the_table_of_refusals_leaves_no_code_out():
    assert {code for code, *_ in REFUSALS} | {"future_date", "against_rules"} == set(CODES)


PLATFORM_REFUSALS = [
    ("missing", "站点编码", "没有填写站点编码", 2, None),
    ("unreadable", "站点编码", "站点编码 340104009999 还没有登记", 2, "340104009999"),
    ("missing", "活动名称", "没有填写活动名称", 3, None),
    ("unreadable", "活动名称", "手机号", 3, "电话13855101234通知"),
    ("unreadable", "活动名称", "最多 100 个字", 3, "长" * 101),
    ("unreadable", "活动系列", "不认识的活动系列「打扫」", 4, "打扫"),
    ("missing", "开始时间", "没有开始时间", 5, None),
    ("missing_sign_out", "结束时间", "没有结束时间", 6, None),
    ("unreadable", "结束时间", "看不懂", 6, "下午"),
    ("unreadable", "来源", "最多 60 个字", 8, "旧" * 61),
    ("end_before_start", "签退时间", "结束时间不晚于开始时间", 6, "2025-05-01 08:00"),
    ("over_daily_cap", "服务时长", "一次服务长达 72小时", 6, "2025-05-04 09:00"),
]


@pytest.mark.parametrize(("code", "column", "says", "place", "cell"), PLATFORM_REFUSALS)
@pytest.mark.parametrize("settled", [False, True])
def test_a_bad_row_of_an_export_hurts_no_other(standing_town, code, column, says, place, cell, settled):
    bad = exported(ZHANG, "2025-05-01 09:00", "2025-05-01 10:00")
    bad[place] = cell
    good = exported(LI, "2025-05-01 09:00", "2025-05-01 10:00")
    outcome = standing_town.hand_in(export(bad, good), rehearse=True, settled=settled)
    problem = only_problem(outcome)
    assert (problem.row, problem.code, problem.column, outcome.accepted) == (2, code, column, 1)
    assert says in problem.message


TITLE_FAULTS = [
    (2, [], "没有写明「站点编码：」"),
    (1, ["站点编码：340104009999", "活动时间：2026年2月26日 14:00-16:00"], "站点「340104009999」还没有登记"),
    (1, [f"站点编码：{EAST}"], "没有写明「活动时间：」"),
    (1, [f"站点编码：{EAST}", "活动时间：2026年2月26日下午"], "看不懂"),
    (1, [f"站点编码：{EAST}", "活动时间：2026年2月26日 16:00-14:00"], "结束早于开始"),
    (0, ["“打扫楼道”签到表"], "不认识的活动系列「打扫楼道」"),
    (2, ["活动地点：" + "远" * 201], "活动地点"),
    (2, ["活动负责人：郑伟", "活动地点：找13855101234"], "手机号"),
    (3, ["姓名", "身份证号"], "表头缺少「签到时间」「签退时间」"),
    (3, ["甲", "乙"], "没有找到表头"),
]


@pytest.mark.parametrize(("at", "row", "says"), TITLE_FAULTS)
def test_without_station_time_or_series_nothing_is_guessed(standing_town, at, row, says):
    rows = sheet(signed(ZHANG))
    rows[at] = row
    if not row:
        rows[1] = ["活动时间：2026年2月26日 14:00-16:00"]
    before = standing_town.everything()
    with pytest.raises(InvalidRequest, match=re.escape(says)):
        standing_town.hand_in(rows)
    assert standing_town.everything() == before


NO_TABLES = [b"", b"\r\n,,\r\n", b"%PDF-1.7", ole("EncryptedPackage"), b"x" * 20_000_001, xlsx(sheet(ROW))[:-30], b"\x89PNG\r\n\x1a\n"]


@pytest.mark.parametrize("content", NO_TABLES, ids=["nothing", "blank", "PDF", "protected", "huge", "damaged", "picture"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_table_writes_nothing(standing_town, kind, content):
    before = standing_town.everything()
    with pytest.raises(UnreadableFile):
        standing_town.hand_in(content, kind)
    assert standing_town.everything() == before


def test_an_unknown_kind_is_asked_wrongly(standing_town):
    with pytest.raises(InvalidRequest, match="不认识的导入种类「hour」"):
        standing_town.hand_in(sheet(), "hour")


def test_a_sheet_without_people_records_nothing(standing_town):
    outcome = standing_town.hand_in(sheet(["合计"], ["负责人签字："]), rehearse=True)
    assert (outcome.accepted, outcome.already, outcome.rejected) == (0, 0, [])


def test_times_decide_and_every_spelling_of_them_counts(town):
    rows = sheet(
        signed(ZHANG, "下午2:00", "下午3点半", "90分钟"),
        signed(LI, "14：05", "1600", "1小时55分钟"),
        signed(WANG, time(14, 0), datetime(2026, 2, 26, 15, 45), None),
        signed(CHEN, "14:00", "16:00", "3小时"),
        ["合计", None, None, None, None, None, "9小时"],
    )
    outcome = town.hand_in(xlsx(rows))
    assert (outcome.accepted, outcome.minutes, outcome.rejected) == (4, 90 + 115 + 105 + 120, [])
    [remark] = outcome.remarks
    assert (remark.row, remark.name) == (8, "陈*")
    assert "按签到签退计 120 分钟，表中写的是 180 分钟" in remark.message
    assert [minutes for *_, minutes in times(town)] == [90, 115, 105, 120]
    [first, *_] = services(town)
    assert (first.station, first.grade, first.status, first.recorder, first.batch) == (EAST, "B", "recorded", "operator", outcome.batch)
    assert (first.source_sha256, first.source_row) == (b64(bytes.fromhex(outcome.sheet.sha256)), 5)


@pytest.mark.parametrize(("arrived", "left", "beyond"), [("14:00", "16:00", []), ("13:59", "15:00", [5]), ("15:00", "16:01", [5])])
def test_a_row_beyond_the_planned_time_is_counted_and_remarked(town, arrived, left, beyond):
    outcome = town.hand_in(xlsx(sheet(signed(ZHANG, arrived, left))))
    assert (outcome.accepted, [remark.row for remark in outcome.remarks]) == (1, beyond)
    assert all("在活动的计划时间之外（计划 02-26 14:00 至 02-26 16:00）" in remark.message for remark in outcome.remarks)


def test_the_activity_is_what_the_rows_above_the_header_say(town):
    rows = sheet(signed(ZHANG), unit=TEAM)
    rows[2] += ["服务对象：空巢老人、军属", "服务内容：家政维修"]
    outcome = town.hand_in(rows)
    assert (outcome.remarks, outcome.activity) == ([], "“邻里守望”活动")
    [activity] = town.read(lambda tx: tx.connection.execute(select(ACTIVITY)).all())
    assert (activity.series, activity.start, activity.end) == ("neighbour-care", "2026-02-26T14:00", "2026-02-26T16:00")
    assert (activity.beneficiaries, activity.services) == ('["empty-nest","军属"]', '["home-repair"]')
    assert activity.place == "党群服务中心"
    assert services(town)[0].organisation == activity.organisation
    town.hand_in(sheet(signed(LI), unit=TEAM))
    assert len(town.read(lambda tx: tx.connection.execute(select(ACTIVITY)).all())) == 1


def test_a_title_over_two_lines_and_brackets_of_either_width_are_one_spelling(town):
    filing = [ORGANISATION_HEADER, ["皖009", "爱心队（东）", "公益慈善类", "是", EAST, "备案", "2025-06-01", None, None]]
    assert town.hand_in(filing, "organisations").accepted == 1
    rows = sheet(signed(ZHANG), unit="爱心队(东)", title="东社区\n“邻里守望”活动签到表")
    rows[2][0] = "活动地点：一楼\n大厅（北）"
    outcome = town.hand_in(xlsx(rows))
    assert (outcome.accepted, outcome.remarks) == (1, [])
    [activity] = town.read(lambda tx: tx.connection.execute(select(ACTIVITY)).all())
    assert (activity.title, activity.series, activity.organisation is not None) == ("东社区 “邻里守望”活动", "neighbour-care", True)
    assert activity.place.startswith("一楼")


def test_an_organisation_that_is_not_filed_is_remarked_and_kept_as_words(town):
    outcome = town.hand_in(sheet(signed(ZHANG), unit="某某联谊会"))
    [remark] = outcome.remarks
    assert "「某某联谊会」不在备案台账里，已按站点自办活动登记" in remark.message
    [activity] = town.read(lambda tx: tx.connection.execute(select(ACTIVITY)).all())
    assert (activity.organisation, activity.responsible_unit) == (None, "某某联谊会")


@pytest.mark.parametrize(("day", "expired"), [("2026年2月26日", False), ("2024年5月31日", False), ("2024年6月1日", True)])
def test_a_lapsed_filing_is_remarked(standing_town, day, expired):
    """Filed on 2 June 2022 for two years: 1 June 2024 is its last day."""
    since = "2022-06-01" if expired else "2022-06-02"
    if day.startswith("2026"):
        since = "2024-02-27"
    number, name = f"皖{since}", f"老队{since}"
    filing = [ORGANISATION_HEADER, [number, name, "公益慈善类", "是", EAST, "备案", since, None, None]]
    standing_town.hand_in(filing, "organisations")
    outcome = standing_town.hand_in(sheet(ROW, unit=name, when=f"{day} 14:00-16:00"), rehearse=True)
    assert [("到期，请尽快重新备案" in remark.message) for remark in outcome.remarks] == [True] * expired
    assert outcome.accepted == 1


OVERNIGHT = [
    ("20:00", "2:00", "2026-02-26T20:00", "2026-02-27T02:00", 360),
    ("19:40", "22:30", "2026-02-26T19:40", "2026-02-26T22:30", 170),
    ("23:10", "00:30", "2026-02-26T23:10", "2026-02-27T00:30", 80),
    ("0:10", "1:50", "2026-02-27T00:10", "2026-02-27T01:50", 100),
    ("22:00", "24:00", "2026-02-26T22:00", "2026-02-27T00:00", 120),
    ("23:00", "次日1:00", None, None, "unreadable"),
    ("21:00", "20:30", None, None, "end_before_start"),
    ("1:00", "0:30", None, None, "end_before_start"),
]


@pytest.mark.parametrize(("arrived", "left", "start", "end", "minutes"), OVERNIGHT)
def test_a_night_watch_puts_each_time_on_its_day(standing_town, arrived, left, start, end, minutes):
    rows = sheet(signed(ZHANG, arrived, left), when="2026年2月26日 20:00-次日2:00")
    outcome = standing_town.hand_in(rows, rehearse=True, settled=True)
    if start is None:
        assert only_problem(outcome).code == minutes
        return
    assert (outcome.accepted, outcome.minutes) == (1, minutes)


def test_a_night_watch_is_recorded_under_the_day_each_service_began(town):
    people = (ZHANG, LI, WANG, CHEN, LIU)
    watch = [row for row in OVERNIGHT if row[2]]
    rows = [signed(one, arrived, left) for one, (arrived, left, *_) in zip(people, watch, strict=True)]
    assert town.hand_in(sheet(*rows, when="2026年2月26日 20:00-次日2:00")).rejected == []
    assert times(town) == [tuple(row[2:]) for row in watch]
    assert {row.served_on for row in services(town)} == {"2026-02-26", "2026-02-27"}


def test_several_sign_ins_of_one_person_are_several_records(town):
    outcome = town.hand_in(sheet(signed(ZHANG, "8:00", "9:00"), signed(ZHANG, "9:00", "9:40"), signed(ZHANG, "14:00", "15:00")))
    assert (outcome.accepted, outcome.minutes) == (3, 160)
    again = town.hand_in(sheet(signed(ZHANG, "8:00", "9:00"), signed(ZHANG, "9:00", "9:40"), signed(ZHANG, "14:00", "15:00")))
    assert (again.accepted, again.already, again.minutes) == (0, 3, 0)


def test_nobody_is_in_two_places_and_the_other_record_is_named(town):
    index = town.serve(ZHANG, "2026年2月26日", "14:00", "16:00", title="“文化铸魂”义诊签到表")
    outcome = town.hand_in(sheet(signed(ZHANG, "15:15", "17:00"), signed(LI), station=WEST), by=SUN)
    problem = only_problem(outcome)
    assert (outcome.accepted, problem.row, problem.code) == (1, 5, "overlap")
    said = f"与「02-26 14:00–16:00 “文化铸魂”义诊」重叠 45 分钟（登记站：东社区社会服务站，第 {index} 条记录）"
    assert problem.message.startswith(said)


def test_the_cap_is_by_day_and_over_all_stations(town):
    town.serve(ZHANG, "2026年2月26日", "8:00", "13:00")
    rows = sheet(signed(ZHANG, "14:00", "17:01"), signed(LI, "9:00", "17:00"), when="2026年2月26日 9:00-17:01", station=WEST)
    outcome = town.hand_in(rows)
    assert (outcome.accepted, only_problem(outcome).code) == (1, "over_daily_cap")
    assert "累计将达 8小时1分" in only_problem(outcome).message
    rows[4] = signed(ZHANG, "14:00", "17:00")
    assert town.hand_in(rows).accepted == 1
    other_day = sheet(signed(ZHANG, "8:00", "16:00"), when="2026年2月27日 8:00-16:00")
    assert town.hand_in(other_day).accepted == 1


def test_hours_settled_on_paper_may_exceed_the_cap_and_count_from_the_day_of_service(town):
    outcome = town.hand_in(sheet(signed(ZHANG, "7:00", "19:00"), when="2026年2月26日 7:00-19:00"), settled=True)
    assert outcome.accepted == 1
    [row] = services(town)
    assert (row.status, row.effective_on) == ("approved", "2026-02-26")


def test_the_same_sheet_again_adds_nothing_and_says_so(town):
    rows = sheet(signed(ZHANG), signed(LI, "14:00", None), signed(ZHANG), signed(STRANGER))
    first = town.hand_in(rows)
    size = town.size
    again = town.hand_in(rows)
    assert (again.accepted, again.already, again.minutes, again.receipts) == (0, 1, 0, [])
    assert [(one.row, one.code) for one in again.rejected] == [(one.row, one.code) for one in first.rejected]
    assert town.size == size


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_an_export_in_any_encoding_says_the_same(standing_town, encoding):
    content = csv(export(exported(OUYANG, "2025-05-01 09:00", "2025/5/1 10:30", hours=1.5)), encoding)
    outcome = standing_town.hand_in(content, rehearse=True)
    assert (outcome.accepted, outcome.minutes, outcome.remarks) == (1, 90, [])


def test_an_xls_called_xlsx_is_read(standing_town):
    outcome = standing_town.hand_in(xls(sheet(signed(ZHANG, time(14, 0), time(15, 0)))), rehearse=True, name="签到表.xlsx")
    assert (outcome.accepted, outcome.minutes) == (1, 60)


def test_an_export_hangs_on_one_activity_a_year(town):
    rows = export(
        exported(ZHANG, "2024-05-01 09:00", "2024-05-01 10:00"),
        exported(LI, "2024-06-01 09:00", "2024-06-01 10:00"),
        exported(LI, "2025-06-01 09:00", "2025-06-01 10:00"),
    )
    assert town.hand_in(rows).accepted == 3
    activities = town.read(lambda tx: tx.connection.execute(select(ACTIVITY).order_by(ACTIVITY.c.entry_index)).all())
    assert [(row.title, row.series, row.migrated_year, row.start) for row in activities] == [
        ("巡逻", "safe-community", 2024, None),
        ("巡逻", "safe-community", 2025, None),
    ]
    assert {row.grade for row in services(town)} == {"D"}


def test_the_mended_problem_workbook_records_exactly_the_mended_rows(town):
    rows = sheet(
        signed(ZHANG),
        signed(LI, "14:00", None),
        signed(WANG, "16:00", "14:00"),
        changed(signed(CHEN), id="34010419530406003x"[:-1]),
        signed(CHEN),
    )
    content = xlsx(rows)
    first = town.hand_in(content)
    assert [problem.row for problem in first.rejected] == [6, 7, 8]
    workbook = openpyxl.load_workbook(io.BytesIO(first.problem_workbook(content)))
    page = workbook.active
    [column] = [cell.column for cell in page[4] if cell.value == "问题"]
    assert [page.cell(row, column).value for row in range(5, 10)] == [
        None,
        *(problem.message for problem in first.rejected),
        None,
    ]
    page["F6"], page["E7"], page["F7"] = "15:00", "14:00", "16:00"
    second = town.hand_in(saved(workbook))
    assert (second.accepted, second.already, [problem.row for problem in second.rejected]) == (2, 2, [8])
    assert sorted(row.minutes for row in services(town)) == [60, 120, 120, 120]
    assert verify(town.ledger).ok


# --- people who are not registered yet ----------------------------------------------------------------------------------


def waiting(town):
    return town.read(lambda tx: parked.waiting(tx, actors.below(tx.connection, None)))


def park(town, one=STRANGER, **how):
    outcome = town.hand_in(sheet(signed(one)), **how)
    assert [problem.row for problem in outcome.parked] == [5]
    [row] = waiting(town)
    return row


def register(town, one: Person, station=EAST):
    assert town.hand_in(roster(one, station=station), "volunteers").accepted == 1


def test_hours_of_the_unregistered_wait_and_are_recorded_after_the_registration(town):
    size = town.size
    row = park(town)
    assert (row.name, row.tail, row.start, row.end, row.station, row.volunteer) == ("吴*", "0011", "2026-02-26 14:00", "16:00", EAST, None)
    assert town.size == size
    assert park(town).id == row.id  # the same sheet again
    [refusal] = town.write(lambda tx: parked.record(tx, [row.id]))
    assert (refusal.code, len(waiting(town))) == ("unknown_volunteer", 1)
    register(town, STRANGER)
    assert waiting(town)[0].volunteer == town.number(STRANGER)
    [receipt] = town.write(lambda tx: parked.record(tx, [row.id]), ZHAO)
    assert waiting(town) == []
    record = town.service(receipt.index)
    assert (record.volunteer, record.minutes, record.status, record.recorder) == (town.number(STRANGER), 120, "recorded", "zhao")
    assert record.source_row == 5
    assert town.hand_in(sheet(signed(STRANGER))).already == 1
    assert verify(town.ledger).ok


def test_a_parked_row_whose_name_is_not_the_registered_one_stays(town):
    row = park(town, Person("吴昊天", STRANGER.id_number))
    register(town, STRANGER)
    [refusal] = town.write(lambda tx: parked.record(tx, [row.id]))
    assert (refusal.code, "吴*" in refusal.message) == ("name_mismatch", True)
    assert len(waiting(town)) == 1
    town.write(lambda tx: parked.drop(tx, row.id))
    assert waiting(town) == []


def test_a_parked_row_obeys_the_rules_of_the_day_it_is_recorded(town):
    row = park(town)
    register(town, STRANGER)
    town.serve(STRANGER, "2026年2月26日", "15:00", "15:30", title="“平安建设”活动签到表")
    [refusal] = town.write(lambda tx: parked.record(tx, [row.id]))
    assert (refusal.code, len(waiting(town))) == ("overlap", 1)


def test_an_unregistered_person_without_times_is_not_said_to_be_parked(town):
    outcome = town.hand_in(sheet(signed(STRANGER, "14:00", None)))
    problem = only_problem(outcome)
    assert (problem.code, outcome.parked, waiting(town)) == ("unknown_volunteer", [], [])
    assert "待登记" not in problem.message


def test_only_who_may_record_there_may_record_or_drop_what_is_parked(town):
    row = park(town)
    register(town, STRANGER)
    before = town.everything()
    for work in (lambda tx: parked.record(tx, [row.id]), lambda tx: parked.drop(tx, row.id)):
        with pytest.raises(NotAllowed):
            town.write(work, SUN)
    assert town.everything() == before


def test_a_rehearsal_parks_nobody(town):
    before = town.everything()
    outcome = town.hand_in(sheet(signed(ZHANG), signed(STRANGER)), rehearse=True)
    assert (outcome.accepted, len(outcome.parked), outcome.rehearsed) == (1, 1, True)
    assert town.everything() == before


# --- who may ---------------------------------------------------------------------------------------------------------------


def test_only_the_operator_says_that_hours_were_settled(town):
    before = town.everything()
    for content in (sheet(signed(ZHANG)), export(exported(ZHANG, "2025-05-01 09:00", "2025-05-01 10:00"))):
        with pytest.raises(NotAllowed):
            town.hand_in(content, by=QIAN, settled=True)
    assert town.everything() == before
    assert town.hand_in(sheet(signed(ZHANG)), settled=True).accepted == 1


@pytest.mark.parametrize("actor", [SUN, AUDITOR])
def test_a_recorder_records_at_the_own_station_only(town, actor):
    before = town.everything()
    for content in (sheet(signed(ZHANG)), export(exported(ZHANG, "2025-05-01 09:00", "2025-05-01 10:00"))):
        with pytest.raises(NotAllowed):
            town.hand_in(content, by=actor)
    assert town.everything() == before
    assert town.hand_in(sheet(signed(ZHANG)), by=ZHAO).accepted == 1


def test_two_clerks_sending_the_same_sheet_at_once_make_one_record_each(town):
    people = [ZHANG, LI, WANG, CHEN, LIU]
    content, together, outcomes = csv(sheet(*(signed(one) for one in people))), threading.Barrier(4), []

    def send():
        together.wait()
        outcomes.append(town.hand_in(content, by=ZHAO))

    clerks = [threading.Thread(target=send) for _ in range(4)]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()
    assert sorted((outcome.accepted, outcome.already) for outcome in outcomes) == [(0, 5), (0, 5), (0, 5), (5, 0)]
    assert len(services(town)) == 5
    assert verify(town.ledger).ok


def test_a_client_that_asks_again_gets_the_first_receipt(town):
    """The same draft under the same id is the same fact."""
    activity = services_activity(town)
    draft = drafts.Draft(
        town.number(LI),
        activity,
        EAST,
        datetime(2026, 2, 26, 9),
        datetime(2026, 2, 26, 10),
        "A",
        "0195c5a0-0000-7000-8000-000000000001",
        id="0195c5a0-0000-7000-8000-000000000002",
    )
    [first] = town.write(lambda tx: recording.record_many(tx, [draft]))
    [second] = town.write(lambda tx: recording.record_many(tx, [draft]))
    assert isinstance(first, Receipt)
    assert first == second


def services_activity(town) -> str:
    town.serve(ZHANG, "2026年2月26日", "14:00", "16:00")
    return services(town)[0].activity


def test_no_name_number_or_phone_of_a_sheet_enters_the_log(town):
    town.hand_in(sheet(signed(ZHANG), signed(STRANGER), signed(LI)))
    found = town.everything()
    everything = "\n".join(line for rows in found.values() for line in rows)
    for secret in (ZHANG.name, ZHANG.id_number, LI.name, STRANGER.name, STRANGER.id_number, "13855101234"):
        assert secret not in everything
        assert secret.encode().hex() not in everything
