"""The yearly selection: the same log and the same rules give the same list, ties are shown, and the list handed on tells nobody's number."""

import hashlib
import io
import json
import re
from datetime import date

import openpyxl
import pytest
from town import CHEN, EAST, LI, LIU, OUYANG, PEOPLE, STRANGER, WANG, WEST, ZHANG, ZHOU, export, exported, roster, sheet, signed

from ledger.errors import InvalidRequest
from ledger.reports import file_of
from ledger.selections import yearly as selections
from ledger.selections.reports import report
from ledger.selections.rules import read_rules
from ledger.service import amending

ALL = {"name": "优秀志愿者", "quota": 20}


def rules(**said):
    return read_rules(json.dumps(ALL | said).encode())


def select(town, year=2025, **said):
    return town.read(lambda tx: selections.select_year(tx, year, rules(**said)))


def ranked(selection):
    return [(one.rank, one.name, one.minutes, one.services) for one in selection.chosen]


@pytest.fixture
def served(town):
    """A year's services: 张敏 and 李建国 tie on 240 minutes, 王芳 on grades A and B alone has most."""
    rows = [
        exported(ZHANG, "2025-03-01 08:00", "2025-03-01 12:00"),
        exported(WANG, "2025-03-01 08:00", "2025-03-01 08:30"),
        exported(CHEN, "2025-03-01 08:00", "2025-03-01 10:00", station=WEST),
        exported(OUYANG, "2025-03-01 08:00", "2025-03-01 09:30", station=WEST),
        exported(LIU, "2024-12-31 08:00", "2024-12-31 12:00"),
        exported(LIU, "2026-01-01 08:00", "2026-01-01 12:00"),
    ]
    town.hand_in(export(*rows), settled=True)
    town.hand_in(sheet(signed(LI, "8:00", "12:00"), signed(WANG, "9:00", "11:30"), when="2025年4月1日 8:00-12:00"), settled=True)
    town.hand_in(sheet(signed(ZHOU, "8:00", "12:00"), when="2025年4月2日 8:00-12:00"))  # waits for approval
    return town


LIST = [(1, "李*国", 240, 1), (2, "张*", 240, 1), (3, "王*", 180, 2), (4, "陈*", 120, 1), (5, "欧**海", 90, 1)]


def test_the_list_is_the_same_on_both_engines(served):
    selection = select(served)
    assert ranked(selection) == LIST
    assert [one.minutes_ab for one in selection.chosen] == [240, 0, 150, 0, 0]
    assert (selection.considered, selection.excluded, selection.counted_on, selection.tree_size) == (5, [], "2025-12-31", served.size)
    again = served.read(lambda tx: selections.select_year(tx, 2025, rules()))
    assert again == selection


def test_only_the_grades_named_count(served):
    assert ranked(select(served, grades=["A", "B"])) == [(1, "李*国", 240, 1), (2, "王*", 150, 1)]
    assert ranked(select(served, grades=["D"]))[-1] == (4, "王*", 30, 1)


@pytest.mark.parametrize(("minimum", "count"), [(0, 5), (120, 4), (121, 3), (240, 2), (241, 0)])
def test_the_minimum_is_reached_or_not(served, minimum, count):
    assert len(select(served, minimum_minutes=minimum).chosen) == count


def test_only_hours_of_the_year_that_count_on_the_day(served):
    assert ranked(select(served, year=2024)) == []  # registered in 2025
    assert ranked(select(served, year=2026)) == [(1, "刘*", 240, 1)]
    index = served.serve(ZHOU, "2026年2月26日", "8:00", "14:00", settled=True)
    assert ranked(select(served, year=2026))[0] == (1, "周*", 360, 1)
    served.write(lambda tx: amending.void(tx, index, reason="误登"))
    assert ranked(select(served, year=2026)) == [(1, "刘*", 240, 1)]


def test_only_people_of_the_stations_named(served):
    """The home counts, not where somebody served: 陈静 of the east served in the west."""
    assert ranked(select(served, stations=[WEST])) == [(1, "欧**海", 90, 1)]
    assert "陈*" in {name for _, name, *_ in ranked(select(served, stations=[EAST]))}
    assert select(served, stations=[]).chosen == []


def test_who_is_excluded_is_listed_with_the_reason_and_takes_no_place(served):
    out = {"volunteer": served.number(LI), "reason": "已获市级表彰"}
    selection = select(served, quota=2, exclude=[out])
    assert ranked(selection) == [(1, "张*", 240, 1), (2, "王*", 180, 2)]
    assert [(one.rank, one.volunteer, one.minutes, one.note) for one in selection.excluded] == [(0, out["volunteer"], 240, "已获市级表彰")]
    assert selection.considered == 5
    assert selection.chosen[0].note == ""  # the other of the tie does not stand in the list


@pytest.mark.parametrize("quota", [1, 2, 3, 5, 6])
def test_the_quota_cuts_and_a_tie_at_its_edge_is_shown(served, quota):
    selection = select(served, quota=quota)
    assert ranked(selection) == LIST[:quota]
    note = (
        "与其他 1 人时长相同，按并列规则（A、B 级证据的时长）入围"
        if quota == 1
        else "与其他 1 人时长相同，按并列规则（A、B 级证据的时长）排序"
    )
    assert [one.note for one in selection.chosen] == [note, note, "", "", ""][:quota]


@pytest.fixture
def tied(town):
    """Four with two hours: one on a sheet, one in two services, one registered earlier, and one like nobody else but by number."""
    town.hand_in(roster(STRANGER, on="2024-01-01"), "volunteers")
    town.hand_in(sheet(signed(ZHANG, "8:00", "10:00"), when="2025年4月1日 8:00-10:00"), settled=True)
    days = ["2025-03-01 08:00", "2025-03-01 10:00"]
    rows = [exported(one, *days) for one in (STRANGER, WANG, CHEN)]
    rows += [exported(LI, "2025-03-01 08:00", "2025-03-01 09:00"), exported(LI, "2025-03-02 08:00", "2025-03-02 09:00")]
    town.hand_in(export(*rows), settled=True)
    return town


def by_number(town, *people):
    return [one for _, one in sorted((town.number(one), one) for one in people)]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (["minutes_ab", "services", "registered_on", "number"], [ZHANG, LI, STRANGER]),
        (["services", "minutes_ab"], [LI, ZHANG]),
        (["registered_on", "minutes_ab"], [STRANGER, ZHANG]),
        (["number", "services"], [LI]),
        ([], []),
    ],
)
def test_a_tie_is_broken_in_the_order_said_and_by_the_number_at_last(tied, order, first):
    chosen = [one.volunteer for one in select(tied, tie_break=order).chosen]
    rest = by_number(tied, *(one for one in (ZHANG, LI, STRANGER, WANG, CHEN) if one not in first))
    assert chosen == [tied.number(one) for one in [*first, *rest]]


RULE_FAULTS = [
    (b"", "不是 JSON"),
    (b'{"name": "x",\n "quota": }', "不是 JSON：第 2 行"),
    (b"\xff\xfe", "不是 JSON"),
    (b"[]", "应是一个 JSON 对象"),
    (b'{"name": "x", "quota": 1, "quotas": 2}', "不认识的项：quotas。可用的有"),
    (b'{"quota": 1}', "「name」不对"),
    (b'{"name": "", "quota": 1}', "「name」不对"),
    (b'{"name": ["x"], "quota": 1}', "「name」不对"),
    ('{"name": "联系13855101234", "quota": 1}'.encode(), "「name」不对"),
    (b'{"name": "x"}', "「quota」不对"),
    (b'{"name": "x", "quota": 0}', "「quota」不对"),
    (b'{"name": "x", "quota": true}', "「quota」不对"),
    (b'{"name": "x", "quota": 1.5}', "「quota」不对"),
    (b'{"name": "x", "quota": 1, "grades": []}', "「grades」不对"),
    (b'{"name": "x", "quota": 1, "grades": ["E"]}', "「grades」不对"),
    (b'{"name": "x", "quota": 1, "grades": [["A"]]}', "「grades」不对"),
    (b'{"name": "x", "quota": 1, "grades": "AB"}', "「grades」不对"),
    (b'{"name": "x", "quota": 1, "minimum_minutes": -1}', "「minimum_minutes」不对"),
    (b'{"name": "x", "quota": 1, "minimum_minutes": "600"}', "「minimum_minutes」不对"),
    (b'{"name": "x", "quota": 1, "stations": "340104001001"}', "「stations」不对"),
    (b'{"name": "x", "quota": 1, "stations": [1]}', "「stations」不对"),
    (b'{"name": "x", "quota": 1, "tie_break": ["age"]}', "「tie_break」不对"),
    (b'{"name": "x", "quota": 1, "exclude": ["K7M2Q9X4R5"]}', "「exclude」不对"),
    (b'{"name": "x", "quota": 1, "exclude": [{"volunteer": "K7M2Q9X4R5"}]}', "「exclude」不对"),
    (b'{"name": "x", "quota": 1, "exclude": [{"volunteer": "k7m2", "reason": "x"}]}', "「exclude」不对"),
    (b'{"name": "x", "quota": 1, "exclude": [{"volunteer": "K7M2Q9X4R5", "reason": "13855101234"}]}', "「exclude」不对"),
]


@pytest.mark.parametrize(("content", "says"), RULE_FAULTS)
def test_a_rule_file_at_fault_is_told_what_is_wrong(content, says):
    with pytest.raises(InvalidRequest, match=re.escape(says)):
        read_rules(content)


def test_what_a_rule_file_leaves_out_is_everything():
    content = json.dumps(ALL).encode()
    read = read_rules(content)
    assert (read.grades, read.minimum_minutes, read.stations, dict(read.exclude)) == (("A", "B", "C", "D"), 0, None, {})
    assert read.tie_break == ("minutes_ab", "services", "registered_on", "number")
    assert read.sha256 == hashlib.sha256(content).hexdigest()


def test_the_list_handed_on_is_masked_and_says_how_it_was_counted(served):
    selection = select(served, quota=3, exclude=[{"volunteer": served.number(CHEN), "reason": '=HYPERLINK("x")'}], name="=1+1 优秀志愿者")
    made = report(selection, "东街道社会服务中心", "李梅", date(2026, 3, 1))
    assert (made.title, made.unit, made.maker) == ("2025 年度=1+1 优秀志愿者", "东街道社会服务中心", "李梅")
    note = "与其他 1 人时长相同，按并列规则（A、B 级证据的时长）排序"
    assert [tuple(row) for row in made.rows[::2]] == [
        (1, served.number(LI), "李*国", "东社区社会服务站", 240, 240, 1, note),
        (3, served.number(WANG), "王*", "东社区社会服务站", 180, 150, 2, ""),
    ]
    for said in ("截至 2025-12-31", "参评 5 人，名额 3，排除 1 人", f"账本 {served.size} 条", selection.rules.sha256):
        assert said in made.notes[0]
    page = openpyxl.load_workbook(io.BytesIO(file_of(made, "xlsx").content)).active
    everything = "\n".join(str(cell.value) for row in page.iter_rows() for cell in row)
    for one in PEOPLE:
        assert one.name not in everything
        assert one.id_number not in everything
    assert not re.search(r"(?<![0-9a-f])(\d{11}|\d{17}[\dX])(?![0-9a-f])", everything)


def test_a_list_of_nobody_is_still_a_report(standing_town):
    selection = select(standing_town, year=2020)
    assert (selection.chosen, selection.considered) == ([], 0)
    assert report(selection, "区", "李梅", date(2026, 3, 1)).rows == []
