"""Rules that are data: each is read, bites, and is refused by name when it makes no sense."""

import json

import pytest
from selecting import LI, Selecting, town
from sqlalchemy import select
from world import CENTRE, HOME, OTHER

from ledger.errors import InvalidRequest
from ledger.log import Fact
from ledger.people.actors import OPERATOR, Actor
from ledger.rules import adopting
from ledger.selections import checking, reading
from ledger.selections.rules import Quota, differences, read_rules
from ledger.selections.surnames import by_strokes
from ledger.tables import SelectionRecordRow, table


@pytest.fixture
def held(world):
    found = Selecting(world)
    found.people, found.records = town(world)
    return found


def lights(world, selection):
    with world.read() as tx:
        return {one.sums.subject: (one.light, one.reason) for one in checking.check(tx, reading.get(tx.connection, selection))}


def say(world, kind, **body):
    return world.write(lambda tx: tx.append([Fact(kind, body)]))[0].index


WRONG = [
    ("subject", "people", "应是 volunteers"),
    ("period", {"from": "2025-12-31", "to": "2025-01-01"}, "先后不能颠倒"),
    ("period", {"from": "2025-1-1", "to": "2025-12-31"}, "先后不能颠倒"),
    ("back_filled_percent", 101, "0 到 100"),
    ("minimum_services", -1, "不小于 0"),
    ("minimum_months", True, "0 到 120"),
    ("quota", {"floor": 1}, "要有 total、per_unit、per_1000 之一"),
    ("quota", {"total": 0}, "大于 0"),
    ("quota", {"total": 1, "units": {"x y": {}}}, "大于 0"),
    ("caps", {"week": 60}, "只能有 day"),
    ("caps", {"series": {"no-such": 60}}, "只能有 day"),
    ("exclude", [{"organisation": "K7M2Q9X4R5", "reason": "x"}], "要写 volunteer"),
    ("exclude_series", ["no-such"], "系列的代码"),
    ("exclude_activities", ["x"], "活动编号"),
    ("staff", {"people": [], "from": "17:00", "to": "08:00"}, "people"),
    ("honoured", {"levels": ["station"]}, "levels（级别）和 years"),
    ("conduct", {"years": "1"}, "只能有 in_force"),
    ("evaluation", {"fair": 1}, "只能有 good"),
    ("confirmed_only", 1, "true 或 false"),
    ("spent", "yes", "true 或 false"),
    ("tie_break", ["age"], "应从 minutes_ab"),
    ("order", "age", "rank"),
    ("publicity_days", 0, "1 到 60"),
    ("minimum_minutes", 1.5, "不小于 0"),
]


@pytest.mark.parametrize(("field", "value", "says"), WRONG, ids=[f"{field} {value}"[:40] for field, value, _ in WRONG])
def test_a_rule_that_makes_no_sense_is_refused_by_its_name(field, value, says):
    with pytest.raises(InvalidRequest, match=f"「{field}」不对.*{says}"):
        read_rules(json.dumps({"name": "x", "quota": 1} | {field: value}).encode())


def test_what_two_rules_differ_in_is_told_field_by_field():
    before, after = {"name": "x", "quota": 1, "minimum_minutes": 60}, {"name": "x", "quota": 2, "spent": True}
    assert differences(before, after) == [("minimum_minutes", "60", ""), ("quota", "1", "2"), ("spent", "", "true")]


@pytest.mark.parametrize(
    ("quota", "seats"),
    [
        (Quota(total=5), (0, None)),
        (Quota(per_unit=2), (0, 2)),
        (Quota(per_1000=2), (0, 3)),
        (Quota(per_1000=1, floor=3), (3, 3)),
        (Quota(per_1000=9, cap=4), (0, 4)),
        (Quota(total=9, floor=1, cap=4, units={"A": {"floor": 2}}), (2, 4)),
    ],
)
def test_seats_of_a_station_with_1500_residents(quota, seats):
    """A half is rounded up: 1.5 thousand residents at one a thousand are two."""
    assert quota.seats("A", 1_500) == seats


def test_quotas_by_station_with_a_floor_and_a_cap(world, held):
    a, b, _, d = held.people
    tie = {"tie_break": ["number"]}
    assert {one[0] for one in held.listed(held.opened(quota={"per_unit": 1}, **tie))} == {a, d}
    assert [one[0] for one in held.listed(held.opened(quota={"total": 2, "floor": 1}, **tie))] == [a, d], "the other station has its seat"
    assert held.listed(held.opened(quota={"total": 2, "floor": 1, "units": {OTHER: {"floor": 0}}}, **tie)) == [(a, 360), (b, 240)]
    assert len(held.listed(held.opened(quota={"total": 9, "cap": 2}, **tie))) == 3
    assert len(held.listed(held.opened(quota={"per_1000": 1}, **tie))) == 3, "two of 1,500 residents, one of 600"
    with pytest.raises(InvalidRequest, match="超过了总名额"):
        held.opened(quota={"total": 1, "floor": 1}, **tie)


def test_caps_cut_what_is_above_them_earliest_first(world, held):
    a, *_ = held.people
    assert dict(held.listed(held.opened(quota=4, caps={"day": 120}, tie_break=["number"])))[a] == 240
    assert dict(held.listed(held.opened(quota=4, caps={"series": {"neighbour-care": 300}}, tie_break=["number"])))[a] == 300
    assert dict(held.listed(held.opened(quota=4, caps={"activity": 200}, tie_break=["number"])))[a] == 200


def test_staff_do_not_count_their_working_hours(world, held):
    """2 January 2025 was a Thursday; 26 January a Sunday that was worked, 4 February a Tuesday off."""
    a, b, *_ = held.people
    world.serve(b, "2025-01-26 09:00", "10:00", settled=False)
    selection = held.opened(quota=4, staff={"people": [a, b], "from": "08:30", "to": "17:30"}, tie_break=["number"])
    assert {one[0] for one in held.listed(selection)} == set(held.people[2:])
    evening = held.opened(quota=4, staff={"people": [held.people[2]], "from": "08:30", "to": "17:30"}, tie_break=["number"])
    assert held.people[2] in dict(held.listed(evening)), "who serves in the evening does so after work"


def test_lights_say_in_one_line_what_is_lacking(world, held):
    a, b, c, d = held.people
    say(
        world,
        "training.recorded",
        volunteers=[a],
        station=HOME,
        title="急救",
        content="心肺复苏",
        minutes=60,
        organiser="街道",
        trained_on="2025-01-05",
    )
    act = {"station": HOME, "item": "false-hours", "sense": "bad", "occurred_on": "2025-01-10", "reason": "代签", "asked_by": "clerk"}
    say(world, "conduct.recorded", **act, volunteer=b, basis="某法第一条", expires_on="2026-01-10")
    award = {"station": HOME, "title": "优秀志愿者", "unit": "社区", "level": "station", "granted_on": "2024-12-20"}
    say(world, "award.granted", **award, volunteer=c)
    selection = held.opened(
        minimum_minutes=200,
        training_minutes=60,
        conduct={"in_force": True},
        honoured={"levels": ["station"], "years": 1},
        exclude=[{"volunteer": d, "reason": "本人放弃"}],
        minimum_services=2,
        tie_break=["number"],
    )
    found = lights(world, selection)
    assert found[a] == ("green", "")
    assert found[b] == ("red", "失信记录（2025-01-10）仍在有效期内；差 1 次服务；培训差 1小时")
    assert found[c] == ("red", "2024-12-20 已获社区级「优秀志愿者」；差 20分；差 1 次服务；培训差 1小时")
    assert found[d] == ("red", "本人放弃；差 20分；差 1 次服务；培训差 1小时")
    assert held.listed(selection) == [(a, 360)]
    say(
        world,
        "training.recorded",
        volunteers=[d],
        station=HOME,
        title="急救",
        content="心肺复苏",
        minutes=60,
        organiser="街道",
        trained_on="2025-01-05",
    )
    assert lights(world, selection)[d] == found[d], "what is said after the freeze does not count"
    world.check()


@pytest.mark.parametrize("target", ["selection", "status", "list", "star"])
def test_who_is_barred_by_the_rules_of_credit_in_force_stays_out_until_an_objection_lets_them_in(world, held, target):
    """Two acts in a year bar from selections; the selection's own rules say nothing of conduct. A star that is suspended bars nobody."""
    a, b, *_ = held.people
    law = "志愿服务条例第三十八条"
    item = {"id": "no-show", "name": "失约", "counts": "conduct", "conduct": "no-show", "sense": "bad", "basis": law}
    often = {"name": "一年失约两次", "items": ["no-show"], "per": "year", "at_least": 2, "effects": [target], "basis": law}
    rules = {"name": "district", "title": "本区规则", "version": 1, "effective_on": "2025-01-01", "document": "区〔2025〕1号"}
    world.write(lambda tx: adopting.adopt(tx, json.dumps(rules | {"items": [item], "counters": [often]}).encode()), OPERATOR)
    act = {"station": HOME, "item": "no-show", "sense": "bad", "reason": "约好没来", "asked_by": "clerk", "basis": law}
    for who, on in ((a, "2025-01-05"), (a, "2025-01-06"), (b, "2025-01-05")):
        say(world, "conduct.recorded", **act, volunteer=who, occurred_on=on)
    selection = held.opened(quota=1, tie_break=["number"])
    if target == "star":
        assert lights(world, selection)[a] == ("green", "")
        return
    why = {"selection": "不得参加评选", "status": "取消志愿者身份（时长、星级保留）", "list": "移出激励名单"}[target]
    assert lights(world, selection)[a] == ("red", f"按「本区规则」{why}：一年失约两次：2025 2 次（规则：每年 2 次）")
    assert lights(world, selection)[b] == ("green", "")
    assert held.listed(selection) == [(b, 240)]
    held.publish(selection)
    held.decide(held.contest(selection), unbar=[a])
    assert held.listed(selection) == [(a, 360)]
    world.check()


def test_hours_that_served_for_an_award_do_not_serve_again(world, held):
    first = held.published(quota=1, tie_break=["number"])
    held.seal(first)
    [(winner, _)] = held.listed(first)
    world.serve(winner, "2025-02-05 09:00", "10:00", settled=True)
    found = dict(held.listed(held.opened(quota=9, spent=True, tie_break=["number"])))
    assert found[winner] == 60, "only what came after the freeze of the first"
    assert winner not in dict(held.listed(held.opened(quota=9, honoured={"levels": ["centre"], "years": 2}, tie_break=["number"])))
    world.check()


def test_confirmed_only_and_the_share_of_back_filled_hours(world, held):
    own = world.volunteer(basis="self")
    world.serve(own, "2025-01-21 09:00", "11:00", settled=True)
    world.serve(own, "2025-01-22 09:00", "11:00", settled=True, grade="C")
    assert [one[0] for one in held.listed(held.opened(confirmed_only=True, tie_break=["number"]))] == [own]
    half = held.opened(quota=9, back_filled_percent=50, tie_break=["number"])
    assert own in dict(held.listed(half))
    assert lights(world, held.opened(quota=9, back_filled_percent=49, tie_break=["number"]))[own] == ("amber", "时长 50% 为补录")


def test_series_and_activities_that_do_not_count(world, held):
    patrol = world.activity(title="巡逻", series="safe-community")
    world.serve(held.people[3], "2025-01-20 09:00", "17:00", activity=patrol, settled=True)
    assert held.listed(held.opened(quota=1, tie_break=["number"]))[0][0] == held.people[3]
    for rule in ({"exclude_series": ["safe-community"]}, {"exclude_activities": [patrol]}):
        assert dict(held.listed(held.opened(quota=9, tie_break=["number"], **rule)))[held.people[3]] == 180


def test_a_period_of_ones_own(world, held):
    only = held.opened(quota=9, period={"from": "2025-01-03", "to": "2025-01-19"}, tie_break=["number"])
    assert sorted(minutes for _, minutes in held.listed(only)) == [180, 180]
    with pytest.raises(InvalidRequest, match="还没有到"):
        held.opened(period={"from": "2026-01-01", "to": "2026-12-31"})


def test_a_freeze_copies_what_counts_and_nothing_of_anybody_else(world, held):
    selection = held.opened(station=OTHER, tie_break=["number"])
    rows = table(SelectionRecordRow)
    with world.read() as tx:
        found = tx.connection.execute(select(rows).where(rows.c.selection == selection)).all()
    assert {row.person for row in found} == {held.people[3]}
    assert held.draft(station=CENTRE, actor=LI)
    assert Actor("x", "official").may("run_selection")


def test_names_are_ordered_by_the_strokes_of_the_surname():
    names = ["穆桂英", "张敏", "丁一", "王芳", "丁二", "欧阳海", "李明", "䶮"]
    assert sorted(names, key=by_strokes) == ["丁一", "丁二", "王芳", "张敏", "李明", "欧阳海", "穆桂英", "䶮"]
