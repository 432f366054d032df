"""Station tables, filing ledgers and volunteer rosters: what becomes a unit, an organisation, a person, and what is refused."""

from datetime import date

import pytest
from files import csv, xlsx
from town import (
    AUDITOR,
    CENTRE,
    EAST,
    LI,
    OFFICIAL,
    ORGANISATION_HEADER,
    QIAN,
    ROSTER_HEADER,
    STATION_HEADER,
    STATIONS,
    STRANGER,
    SUN,
    TEAM,
    WEST,
    ZHANG,
    ZHAO,
    ZHOU,
    Person,
    person,
    roster,
    sheet,
    signed,
)

from ledger import organisations, stations
from ledger.checking.verifying import verify
from ledger.errors import InvalidRequest, NotAllowed
from ledger.people import volunteers
from ledger.tables import OrganisationRow, StationRow, VolunteerRow, table

VOLUNTEER, ORGANISATION, STATION = table(VolunteerRow), table(OrganisationRow), table(StationRow)
NEW = person("郑伟", date(1980, 2, 29))
FEMALE = person("韩梅", date(1981, 1, 1), 2)


def placed(row: list, at: int | None, cell: object) -> list:
    """The row with another cell."""
    return row if at is None else [*row[:at], cell, *row[at + 1 :]]


def judged(town, rows, kind):
    outcome = town.hand_in(rows, kind, rehearse=True)
    [problem] = outcome.rejected
    assert outcome.as_json()["rejected"][0]["code"] == problem.code
    return outcome, problem


ROSTER_FAULTS = [
    (0, " ", "missing", "姓名", "没有填写姓名"),
    (2, None, "missing", "身份证号", "没有填写身份证号"),
    (4, None, "missing", "所属站点编码", "没有填写所属站点编码"),
    (5, None, "missing", "注册日期", "没有填写日期"),
    (2, "34010419800229001", "id_checksum", "身份证号", "应为 18 位"),
    (2, NEW.id_number[:-1] + ("0" if NEW.id_number[-1] != "0" else "1"), "id_checksum", "身份证号", "末位校验不符"),
    (2, "340104198102290015", "id_checksum", "身份证号", "出生日期不对"),
    (2, "340104198002290000.0", "id_checksum", "身份证号", "应为 18 位"),
    (2, "3.40104E+17", "id_precision_lost", "身份证号", "末几位已丢失"),
    (2, ZHANG.id_number, "duplicate", "身份证号", "这个身份证号已登记（志愿者编号"),
    (4, "340104009999", "unreadable", "所属站点编码", "还没有登记"),
    (5, "去年", "unreadable", "注册日期", "看不懂"),
    (5, "2026-03-03", "future_date", "注册日期", "注册日期 2026-03-03 在将来"),
    (6, "也许", "unreadable", "是否骨干", "请填「是」或「否」"),
]


@pytest.mark.parametrize(("at", "cell", "code", "column", "says"), ROSTER_FAULTS)
def test_what_is_wrong_with_a_person_is_said_with_its_column(standing_town, at, cell, code, column, says):
    rows = roster(STRANGER, NEW)
    rows[2] = placed(rows[2], at, cell)
    outcome, problem = judged(standing_town, rows, "volunteers")
    assert (outcome.accepted, problem.row, problem.code, problem.column) == (1, 3, code, column)
    assert says in problem.message
    assert NEW.id_number not in problem.message


def test_an_id_number_that_is_a_number_in_excel_lost_its_end(standing_town):
    rows = roster(STRANGER)
    rows[1][2] = float(STRANGER.id_number)
    _, problem = judged(standing_town, xlsx(rows), "volunteers")
    assert (problem.code, problem.column) == ("id_precision_lost", "身份证号")


def test_two_rows_of_one_person_make_one_volunteer_however_far_apart(standing_town):
    crowd = [person("某某", date(1960, 1, 1), order) for order in range(1, 1000)]
    for between in (0, len(crowd)):
        outcome, problem = judged(standing_town, roster(NEW, *crowd[:between], NEW), "volunteers")
        assert (outcome.accepted, problem.row, problem.code) == (1 + between, 3 + between, "duplicate")
        assert "本表中已经出现过" in problem.message
    assert standing_town.hand_in(roster(ZHANG, *crowd, ZHANG), "volunteers", rehearse=True).already == 1


def test_the_same_person_again_is_no_fault_but_another_name_or_station_is(standing_town):
    again = standing_town.hand_in(roster(ZHANG, LI), "volunteers", rehearse=True)
    assert (again.accepted, again.already, again.rejected) == (0, 2, [])
    for rows in (roster(Person("张明", ZHANG.id_number)), roster(ZHANG, station=WEST)):
        _, problem = judged(standing_town, rows, "volunteers")
        assert problem.code == "duplicate"
        assert standing_town.number(ZHANG) in problem.message
        assert "张敏" not in problem.message


def test_what_a_roster_says_of_a_person(town):
    rows = [["志愿者名册"], [*ROSTER_HEADER[:6], "骨干"], *roster(NEW, backbone="√")[1:]]
    rows[2][0], rows[2][2], rows[2][3], rows[2][5] = " 郑 伟 ", NEW.id_number.replace("1", "１", 1) + " ", "138-5510-1234", "2025年3月1日"
    outcome = town.hand_in(rows, "volunteers")
    assert (outcome.accepted, outcome.remarks, outcome.header_row) == (1, [], 2)
    known = town.read(lambda tx: volunteers.get(tx, town.number(NEW)))
    assert (known.row.station, known.row.registered_on, known.row.backbone_on, known.row.confirmed_on) == (
        EAST,
        "2025-03-01",
        "2025-03-01",
        None,
    )
    assert known.personal.identity == {"name": "郑伟", "id_number": NEW.id_number}
    assert known.personal.contact == {"phone": "13855101234"}
    assert known.masked_name == "郑*"
    assert verify(town.ledger).ok


def test_a_wrong_phone_or_sex_is_remarked_and_the_person_registered(town):
    rows = roster(NEW, FEMALE)
    rows[1][1], rows[1][3] = "男", "123"
    rows[2][1] = "男"
    outcome = town.hand_in(rows, "volunteers")
    assert (outcome.accepted, [(one.row, one.name) for one in outcome.remarks]) == (2, [(2, "郑*"), (3, "韩*")])
    assert "联系电话不对，没有保存" in outcome.remarks[0].message
    assert "性别与身份证号不一致" in outcome.remarks[1].message
    assert town.read(lambda tx: volunteers.get(tx, town.number(NEW))).personal.contact == {}


@pytest.mark.parametrize(("actor", "allowed"), [(ZHAO, True), (QIAN, True), (OFFICIAL, True), (SUN, False), (AUDITOR, False)])
def test_people_are_registered_by_those_of_their_station(standing_town, actor, allowed):
    if allowed:
        assert standing_town.hand_in(roster(NEW), "volunteers", by=actor, rehearse=True).accepted == 1
        return
    with pytest.raises(NotAllowed):
        standing_town.hand_in(roster(NEW), "volunteers", by=actor, rehearse=True)


FILING = ["皖100", "东社区书画社", "文体活动类", "否", EAST, "备案", "2025-06-01", "郑伟", "13855101234"]
FILING_FAULTS = [
    (0, None, "missing", "备案编号", "没有填写备案编号"),
    (1, None, "missing", "组织名称", "没有填写组织名称"),
    (2, None, "missing", "组织类别", "没有填写组织类别"),
    (4, None, "missing", "所属站点编码", "没有填写"),
    (6, None, "missing", "备案日期", "没有填写日期"),
    (1, "长" * 101, "unreadable", "组织名称", "最多 100 个字"),
    (1, "书画社13855101234", "unreadable", "组织名称", "不能有手机号"),
    (2, "其他", "unreadable", "组织类别", "公益慈善、生活服务、社区事务、文体活动"),
    (3, "大概", "unreadable", "是否志愿服务组织", "请填「是」或「否」"),
    (4, "999", "unreadable", "所属站点编码", "还没有登记"),
    (5, "注销", "unreadable", "登记/备案", "应填「登记」或「备案」"),
    (6, "2026-03-03", "future_date", "备案日期", "在将来"),
    (8, "12345", "unreadable", "联系电话", "联系电话不对"),
    (0, "皖001", "duplicate", "备案编号", f"已属于「{TEAM}」"),
]


@pytest.mark.parametrize(("at", "cell", "code", "column", "says"), FILING_FAULTS)
def test_what_is_wrong_with_a_filing_is_said_with_its_column(standing_town, at, cell, code, column, says):
    good = placed(FILING, 0, "皖101")
    outcome, problem = judged(standing_town, [ORGANISATION_HEADER, placed(FILING, at, cell), good], "organisations")
    assert (outcome.accepted, problem.row, problem.code, problem.column) == (1, 2, code, column)
    assert says in problem.message


def test_a_filing_is_kept_two_years_and_a_registration_has_no_end(town):
    registered = placed(placed(FILING, 0, "皖102"), 5, "登记")
    outcome = town.hand_in([ORGANISATION_HEADER, FILING, FILING, registered], "organisations")
    assert (outcome.accepted, [(one.row, one.code) for one in outcome.rejected]) == (2, [(3, "duplicate")])
    rows = town.read(lambda tx: organisations.at_stations(tx.connection, [EAST]))
    assert [(row.number, row.basis, row.since, row.expires_on, row.category) for row in rows] == [
        ("皖001", "filed", "2024-06-01", "2026-05-31", "charity"),
        ("皖100", "filed", "2025-06-01", "2027-05-31", "culture-sports"),
        ("皖102", "registered", "2025-06-01", None, "culture-sports"),
    ]
    assert [row.volunteer_organisation for row in rows] == [1, 0, 0]
    size = town.size
    again = town.hand_in([ORGANISATION_HEADER, FILING, registered], "organisations")
    assert (again.accepted, again.already, town.size) == (0, 2, size)
    assert verify(town.ledger).ok


def test_a_filing_of_a_leap_day_lasts_to_the_day_before_its_anniversary():
    assert organisations.years_later(date(2024, 2, 29), 2) == date(2026, 2, 28)
    assert organisations.years_later(date(2024, 1, 1), 2) == date(2025, 12, 31)


STATION_ROW = ["340104001003", "南社区社会服务站", "站", CENTRE, "城市", 3000, "2025-12-31", "示例数据"]
STATION_FAULTS = [
    (0, None, "missing", "站点编码", "没有填写站点编码"),
    (0, "3401-04", "unreadable", "站点编码", "应为 1 至 20 位数字或字母"),
    (1, None, "missing", "站点名称", "没有填写站点名称"),
    (2, "组", "unreadable", "级别", "级别应填「省」、「市」、「区」、「中心」、「站」之一"),
    (2, "中心", "unreadable", "级别", "不比本级高"),
    (3, "340104009000", "missing", "上级编码", "上级编码 340104009000 还没有登记"),
    (4, "郊外", "unreadable", "城乡", "应填「城市」或「农村」"),
    (5, "约三千", "unreadable", "常住人口", "不是整数"),
    (5, "0", "unreadable", "常住人口", "不是整数"),
    (5, "12a", "unreadable", "常住人口", "不是整数"),
    (5, "99999999999", "unreadable", "常住人口", "不是整数"),
    (6, None, "missing", "人口统计日期", "没有填写日期"),
    (7, None, "missing", "人口数据来源", "没有填写人口数据来源"),
    (0, "340104001004", "duplicate", "站点编码", "出现了不止一次"),
]


@pytest.mark.parametrize(("at", "cell", "code", "column", "says"), STATION_FAULTS)
def test_what_is_wrong_with_a_unit_is_said_with_its_column(standing_town, at, cell, code, column, says):
    good = placed(STATION_ROW, 0, "340104001004")
    bad = placed(STATION_ROW, at, cell)
    outcome, problem = judged(standing_town, [STATION_HEADER, good, bad], "stations")
    assert (outcome.accepted, problem.row, problem.code, problem.column) == (1, 3, code, column)
    assert says in problem.message


def test_units_may_stand_in_any_order_and_lower_case(town):
    rows = [
        STATION_HEADER,
        ["b1", "甲站", "社区", "b0", "乡村", "1,200人", "2025年11月1日", "普查"],
        ["b0", "乙镇", "镇", "b"],
        ["b", "丙区", "区"],
    ]
    content = xlsx(rows)
    assert (town.hand_in(content, "stations").accepted, town.hand_in(content, "stations").already) == (3, 3)
    units = town.read(lambda tx: {unit.code: (unit.level, unit.parent, unit.area_type) for unit in stations.everyone(tx.connection)})
    assert {code: units[code] for code in ("B", "B0", "B1")} == {
        "B": ("district", None, None),
        "B0": ("centre", "B", None),
        "B1": ("station", "B0", "rural"),
    }
    declared = town.read(lambda tx: stations.populations(tx.connection, "2026-01-01"))
    assert (declared["B1"].population, declared["B1"].counted_on, declared["B1"].source) == (1200, "2025-11-01", "普查")


def test_a_changed_name_and_a_newer_population_are_new_entries(town):
    size = town.size
    changed = [STATION_HEADER, placed(placed(placed(STATIONS[2], 1, "东苑社区社会服务站"), 5, 1100), 6, "2026-01-31")]
    outcome = town.hand_in(changed, "stations", by=OFFICIAL)
    assert (outcome.accepted, town.size) == (1, size + 2)
    assert town.read(lambda tx: stations.get(tx.connection, EAST)).name == "东苑社区社会服务站"
    populations = [
        town.read(lambda tx, on=on: stations.populations(tx.connection, on).get(EAST)) for on in ("2025-12-30", "2026-01-30", "2026-01-31")
    ]
    assert [one and one.population for one in populations] == [None, 1000, 1100]
    assert verify(town.ledger).ok


@pytest.mark.parametrize("actor", [ZHAO, QIAN, AUDITOR])
def test_only_the_district_sets_up_units(standing_town, actor):
    with pytest.raises(NotAllowed):
        standing_town.hand_in([STATION_HEADER, STATION_ROW], "stations", by=actor, rehearse=True)


def test_a_sheet_may_name_its_station_by_name_unless_two_have_it(town):
    assert town.hand_in(sheet(signed(ZHANG), station="东社区社会服务站")).accepted == 1
    town.hand_in([STATION_HEADER, placed(STATION_ROW, 1, "东社区社会服务站")], "stations")
    with pytest.raises(InvalidRequest, match="有 2 个站点叫「东社区社会服务站」，请改用站点编码"):
        town.hand_in(sheet(signed(ZHANG), station="东社区社会服务站"))


@pytest.mark.parametrize("kind", ["stations", "organisations", "volunteers"])
def test_a_table_without_the_header_it_needs_writes_nothing(standing_town, kind):
    before = standing_town.everything()
    with pytest.raises(InvalidRequest, match="表头"):
        standing_town.hand_in(csv([["甲", "乙"], ["1", "2"]]), kind)
    assert standing_town.everything() == before


def test_a_rehearsed_roster_leaves_no_trace_and_says_the_same(town):
    rows = roster(STRANGER, ZHANG, Person("周", ZHOU.id_number))
    before = town.everything()
    rehearsed = town.hand_in(rows, "volunteers", rehearse=True)
    assert town.everything() == before
    real = town.hand_in(rows, "volunteers")
    counts = [(one.accepted, one.already, [problem.code for problem in one.rejected]) for one in (rehearsed, real)]
    assert counts == [(1, 1, ["duplicate"])] * 2
    assert (rehearsed.as_json()["dry_run"], real.as_json()["dry_run"]) == (True, False)
