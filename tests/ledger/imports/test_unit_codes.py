"""Official code tables of units: level and parent by the digits, dates, what ended and what it became; the same file again adds nothing."""

from datetime import datetime

import pytest
from town import CENTRE, EAST, OFFICIAL, ORGANISATION_HEADER, STRANGER, WEST, ZHANG, ZHAO, roster, sheet, signed

from ledger import stations, unit_tree
from ledger.activities import Activity, publish
from ledger.checking.verifying import verify
from ledger.errors import InvalidRequest
from ledger.filing import naming
from ledger.people.actors import OPERATOR
from ledger.refusals import Already, Refusal
from ledger.service.amending import correct
from ledger.stations import Station

HEADER = ["统计用区划代码", "城乡分类代码", "名称", "生效日期", "撤销日期", "并入代码", "依据"]
COUNTY = ["340104000000", None, "蜀山区", "2002-03-01"]
TOWN = ["340104002000", None, "稻香村街道", "2002-03-01"]
NORTH = ["340104002001", "111", "北社区居委会", "2010-05-01"]
FARM = ["340104002200", "220", "南村村委会", "2010-05-01"]
TREE = [HEADER, FARM, NORTH, TOWN, COUNTY]


def taken(town, rows, **said):
    return town.hand_in(rows, "units", name="区划代码.csv", **said)


def unit(town, code):
    return town.read(lambda tx: stations.get(tx.connection, code))


def problems(outcome):
    return [(problem.row, problem.code, problem.column) for problem in outcome.rejected]


def test_level_parent_and_area_follow_from_the_codes_whatever_the_order_of_rows(town):
    outcome = taken(town, TREE, by=OFFICIAL)
    assert (outcome.accepted, outcome.rejected) == (4, [])
    said = {code: (unit(town, code).level, unit(town, code).parent, unit(town, code).area_type) for code in (r[0] for r in TREE[1:])}
    assert said == {
        "340104000000": ("district", None, None),
        "340104002000": ("centre", "340104000000", None),
        "340104002001": ("station", "340104002000", "urban"),
        "340104002200": ("station", "340104002000", "rural"),
    }
    assert unit(town, "340104002001").valid_from == "2010-05-01"
    again = taken(town, TREE, by=OFFICIAL)
    assert (again.accepted, again.already) == (0, 4)
    assert verify(town.ledger).ok


def test_a_county_registered_under_six_digits_is_the_same_county(town):
    town.write(lambda tx: stations.declare(tx, stations.Station("340104", "蜀山区", "district", None)))
    assert (taken(town, [HEADER, COUNTY, TOWN]).accepted, unit(town, TOWN[0]).parent) == (1, "340104")
    assert town.read(lambda tx: stations.find(tx.connection, "340104000000")) is None


def test_a_unit_is_renamed_from_a_day_on_and_was_called_otherwise_before(town):
    taken(town, TREE)
    renamed = [HEADER, [*NORTH[:2], "北苑社区居委会", "2026-01-01"]]
    assert taken(town, renamed).accepted == 1
    names = {
        day: town.read(lambda tx, day=day: unit_tree.names_on(tx.connection, day)) for day in ("2010-04-30", "2025-12-31", "2026-01-01")
    }
    assert [said.get(NORTH[0]) for said in names.values()] == [None, "北社区居委会", "北苑社区居委会"]
    with town.ledger.read() as tx, pytest.raises(InvalidRequest, match="「北社区」已于 2026-01-01 改称「北苑社区」"):
        naming.check(tx.connection, NORTH[0], "北社区夕阳红志愿服务队", today="2026-03-02")
    earlier = taken(town, [HEADER, [*NORTH[:2], "北园社区居委会", "2025-06-01"]])
    assert problems(earlier) == [(2, "end_before_start", "生效日期")]


def test_what_was_merged_ends_on_its_day_and_names_its_successor(town):
    taken(town, TREE)
    merged = [HEADER, NORTH, [*FARM, "2026-02-01", NORTH[0], "蜀政〔2026〕3号"]]
    assert (taken(town, merged).accepted, taken(town, merged).already) == (1, 2)
    assert (unit(town, FARM[0]).closed_on, unit(town, FARM[0]).successor) == ("2026-02-01", NORTH[0])
    assert town.read(lambda tx: unit_tree.names_on(tx.connection, "2026-01-31"))[FARM[0]] == "南村村委会"
    assert FARM[0] not in town.read(lambda tx: unit_tree.names_on(tx.connection, "2026-02-01"))
    assert problems(taken(town, [HEADER, FARM])) == [(2, "duplicate", "统计用区划代码")], "a code is not used again"
    assert problems(taken(town, [HEADER, [*FARM, "2026-02-02"]])) == [(2, "duplicate", "撤销日期")]
    assert verify(town.ledger).ok


def test_a_street_ends_after_its_communities_in_one_file_and_not_before_them(town):
    taken(town, TREE)
    day = "2026-02-01"
    assert problems(taken(town, [HEADER, [*TOWN, day]])) == [(2, "against_rules", "撤销日期")]
    assert taken(town, [HEADER, [*TOWN, day], [*NORTH, day], [*FARM, day]]).accepted == 3
    assert unit(town, TOWN[0]).closed_on == day


def test_who_and_what_is_at_an_ended_unit_is_listed_for_moving_and_nobody_new_comes(town):
    town.write(lambda tx: stations.declare(tx, stations.Station("340104", "蜀山区", "district", None)))
    assert taken(town, [HEADER, [EAST, "111", "东社区", "2026-03-02", None, None]]).rejected == []
    town.advance(days=30)
    assert taken(town, [HEADER, [EAST, "111", "东社区", None, "2026-03-20", WEST]]).accepted == 1
    [ended] = town.read(lambda tx: unit_tree.ended(tx, [CENTRE, EAST, WEST]))
    assert (ended.unit.code, ended.successor.code) == (EAST, WEST)
    assert (len(ended.people), len(ended.organisations)) == (5, 1)
    newcomer = town.hand_in(roster(STRANGER, station=EAST), "volunteers")
    assert (newcomer.accepted, newcomer.rejected[0].code) == (0, "against_rules")
    team = [ORGANISATION_HEADER, ["皖002", "东社区书画社", "文体活动类", "否", EAST, "备案", "2026-03-25", "郑伟", "13855101234"]]
    assert problems(town.hand_in(team, "organisations")) == [(2, "against_rules", "所属站点编码")]
    later = Activity(EAST, "“邻里守望”", "neighbour-care", start="2026-03-20T09:00", end="2026-03-20T11:00")
    with pytest.raises(InvalidRequest, match="已在 2026-03-20 撤销"):
        town.write(lambda tx: publish(tx, later), ZHAO)
    before = Activity(EAST, "“邻里守望”", "neighbour-care", start="2026-03-19T09:00", end="2026-03-19T11:00")
    assert town.write(lambda tx: publish(tx, before), ZHAO)[1], "what was before is still written down there"


def test_what_was_done_from_the_end_of_a_unit_on_is_not_written_down_there_by_any_way(town):
    town.advance(days=30)
    assert isinstance(town.write(lambda tx: unit_tree.end(tx, EAST, "2026-03-20", WEST)), int)

    def hand_in(day, by):
        return town.hand_in(sheet(signed(ZHANG, "9:00", "10:00"), when=f"2026年3月{day}日 9:00-10:00"), by=by)

    for by in (ZHAO, OPERATOR):
        assert problems(hand_in(20, by)) == [(5, "against_rules", "站点编码")]
    before = hand_in(19, ZHAO)
    assert (before.accepted, before.rejected) == (1, [])
    index = before.receipts[0].index
    with pytest.raises(InvalidRequest, match="已在2026年3月20日撤销"):
        town.write(lambda tx: correct(tx, index, start=datetime(2026, 3, 20, 9), end=datetime(2026, 3, 20, 10), reason="抄错日子"), ZHAO)
    assert verify(town.ledger).ok


def test_an_ended_unit_is_not_renamed_and_gets_no_unit_below_it(town):
    town.advance(days=30)
    for code in (EAST, WEST, CENTRE):
        assert town.write(lambda tx, code=code: unit_tree.end(tx, code, "2026-03-20")) == 1
    for unit in (Station(WEST, "西社区新站", "station", CENTRE), Station("340104001009", "新社区", "station", CENTRE)):
        refused = town.write(lambda tx, unit=unit: stations.declare(tx, unit))
        assert isinstance(refused, Refusal)
        assert "撤销" in refused.message
    assert town.read(lambda tx: unit_tree.names_on(tx.connection, "2026-03-31")) == {}
    again = town.write(lambda tx: stations.declare(tx, Station(WEST, "西社区社会服务站", "station", CENTRE)))
    assert isinstance(again, Already), "what was said before may be said again"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (["34010400200", "111", "甲社区"], ("unreadable", "统计用区划代码")),
        (["340104002001.0", "111", "甲社区", "2999-01-01"], ("future_date", "生效日期")),
        ([None, "111", "甲社区"], ("missing", "统计用区划代码")),
        (["340104002001", "999", "甲社区"], ("unreadable", "城乡分类代码")),
        (["340104002000", "111", "甲街道"], ("unreadable", "城乡分类代码")),
        (["340104002001", "111", None], ("missing", "名称")),
        (["340104009001", "111", "甲社区"], ("missing", "统计用区划代码")),
        (["340104009000", None, "甲街道"], None),
        (["340105001000", None, "甲街道"], ("missing", "统计用区划代码")),
        ([*NORTH, "2009-01-01"], ("end_before_start", "撤销日期")),
        ([*NORTH, "2999-01-01"], ("future_date", "撤销日期")),
        ([*NORTH, None, FARM[0]], ("missing", "撤销日期")),
        ([*NORTH, "2026-02-01", "340104002999"], ("missing", "并入代码")),
        ([*NORTH, "2026-02-01", TOWN[0]], ("against_rules", "并入代码")),
        ([*NORTH, "2026-02-01", NORTH[0]], ("against_rules", "并入代码")),
        ([*NORTH, "二月"], ("unreadable", "撤销日期")),
        ([*NORTH, "2026-02-01", None, "电话 13812345678"], ("unreadable", "依据")),
    ],
)
def test_a_bad_row_is_refused_with_its_column_and_the_others_are_taken(town, row, problem):
    taken(town, TREE)
    outcome = taken(town, [HEADER, row, ["340104003000", None, "好街道"]])
    assert problems(outcome) == ([(2, *problem)] if problem else [])
    assert outcome.accepted == (1 if problem else 2)


def test_a_code_twice_in_a_file_is_named_with_the_other_row(town):
    outcome = taken(town, [*TREE, NORTH])
    assert [(one.row, "第 3 行" in one.message) for one in outcome.rejected] == [(6, True)]


def test_only_who_sets_units_up_brings_a_table(town):
    outcome = None
    with pytest.raises(Exception, match="没有这项权限"):
        outcome = taken(town, TREE, by=ZHAO)
    assert outcome is None


def test_a_merged_units_people_are_counted_once_in_an_independent_recount_too(world):
    for code, counted in ((EAST, 1000), (WEST, 2000)):
        world.station(code, population=counted)
    world.advance(days=30)
    assert world.write(lambda tx: unit_tree.end(tx, WEST, world.today.isoformat(), EAST), OPERATOR) == 1
    world.check()
    world.advance(days=1)
    world.station(EAST, population=2900)
    world.check()
