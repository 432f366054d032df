"""What counts, when, and for how long: filters, windows, expiry, rounding, caps that cross, the account, what is kept and what is repaired."""

from dataclasses import replace

import pytest

from ledger.rules import reading
from ledger.rules.accounts import balance
from ledger.rules.counting import Tally
from ledger.rules.explaining import explain, level_words
from ledger.rules.facts import Award, Conduct, Evaluation, Facts, Service, Spending, Training
from ledger.rules.periods import Window, key, later

LAW = "《志愿服务条例》第二十二条"
HOURLY = {"id": "s", "name": "服务", "counts": "minutes", "tiers": [{"points": 1, "per_minutes": 60}]}


def made(*items, **said):
    whole = {"name": "t", "title": "测试", "version": 1, "effective_on": "2020-01-01", "document": "某文件", "items": list(items)}
    return reading.parse(whole | said)


def told(rules, on="2026-06-30", **facts):
    return explain([(rules.effective_on, rules)], Facts("2019-05-01", **facts), on)


def served(day, minutes=60, index=0, **said):
    start = said.pop("start", "08:00")
    return Service(index, said.pop("activity", day), day, f"{day}T{start}", minutes, **said)


def bad(day, item="no-show", index=90, **said):
    return Conduct(index, day, item, "bad", said.pop("basis", LAW), said.pop("expires_on", "2030-01-01"), **said)


@pytest.mark.parametrize(
    ("where", "points"),
    [
        ({}, 400),
        ({"series": ["culture"]}, 100),
        ({"services": ["patrol"]}, 200),
        ({"grades": ["A", "B"]}, 300),
        ({"weekdays": [6, 7]}, 100),
        ({"clock_from": "18:00", "clock_until": "24:00"}, 100),
        ({"clock_until": "18:00"}, 300),
        ({"titles": ["夜巡"]}, 100),
        ({"stations": ["340104001001"]}, 100),
        ({"by_organisation": True}, 100),
        ({"since": "2026-06-02", "until": "2026-06-03"}, 200),
        ({"minutes_from": 61}, 0),
    ],
)
def test_an_item_looks_only_at_what_its_filter_asks_for(where, points):
    services = (
        served("2026-06-01", index=1, series="culture", grade="C"),
        served("2026-06-02", index=2, services=("patrol", "culture"), by_organisation=True),
        served("2026-06-03", index=3, services=("patrol",), start="18:00", title="夜巡"),
        served("2026-06-06", index=4, station="340104001001"),
    )
    found = told(made(HOURLY | {"where": where}), services=services)
    assert found.points == points
    assert found.minutes == 240, "hours have a filter of their own"


@pytest.mark.parametrize(
    ("window", "on", "bounds"),
    [
        (Window(), "2026-06-30", ("0000-01-01", "2026-06-30")),
        (Window("calendar_year"), "2026-06-30", ("2026-01-01", "2026-06-30")),
        (Window("rolling", months=3), "2026-05-31", ("2026-02-28", "2026-05-31")),
        (Window("closed", per="quarter"), "2026-06-30", ("0000-01-01", "2026-03-31")),
        (Window("closed", per="month"), "2026-06-30", ("0000-01-01", "2026-05-31")),
        (Window("closed", per="year"), "2026-06-30", ("0000-01-01", "2025-12-31")),
        (Window("award_year", collected_month=4), "2026-03-31", ("2024-01-01", "2024-12-31")),
        (Window("award_year", collected_month=4), "2026-04-01", ("2025-01-01", "2025-12-31")),
        (Window("award_year", start_month=7, collected_month=9), "2026-08-31", ("2024-07-01", "2025-06-30")),
        (Window("award_year", start_month=11, collected_month=2), "2026-02-01", ("2024-11-01", "2025-10-31")),
    ],
)
def test_a_window_says_which_days_count(window, on, bounds):
    assert window.bounds(on) == bounds


def test_periods_and_months():
    assert [key(per, "2026-05-31", "a") for per in ("activity", "day", "month", "quarter", "year", "lifetime")] == [
        "a", "2026-05-31", "2026-05", "2026Q2", "2026", ""
    ]  # fmt: skip
    assert (later("2024-02-29", 12), later("2026-01-31", 1), later("2026-01-15", -13)) == ("2025-02-28", "2026-02-28", "2024-12-15")


def test_points_that_expire_are_shown_and_not_counted_and_use_up_their_caps():
    """An hour on 1 January and one on 1 June, at most one point a year: the first had it, and its expiry gives nothing back."""
    rules = made(HOURLY | {"expires_months": 3, "caps": [{"per": "year", "points": 1}]})
    services = (served("2026-01-01", index=1), served("2026-06-01", index=2))
    assert told(rules, "2026-03-31", services=services).points == 100
    found = told(rules, "2026-06-30", services=services)
    assert found.points == 0
    assert [line.gains[0].why for line in found.lines] == ["1 分已于 2026-04-01 过期", "每年最多 1 分"]
    lapsing = made(HOURLY | {"expires_year_end": True})
    assert (told(lapsing, "2026-12-31", services=services).points, told(lapsing, "2027-01-01", services=services).points) == (200, 0)


@pytest.mark.parametrize(
    ("points", "each"),
    [
        ({"unit": 1, "rounding": "down"}, [0, 100]),
        ({"unit": 1, "rounding": "half_up"}, [100, 0]),
        ({"unit": 1, "rounding": "up"}, [100, 0]),
        ({"unit": 1, "rounding": "half_up", "rounded": "each"}, [100, 100]),
        ({"unit": "0.1", "rounding": "down"}, [50, 50]),
    ],
)
def test_rounding_is_as_it_is_stated(points, each):
    """Twice half an hour at a point an hour."""
    found = told(made(HOURLY, points=points), services=(served("2026-01-01", 30, 1), served("2026-01-02", 30, 2)))
    assert [line.gains[0].points for line in found.lines] == each


def test_caps_on_minutes_points_and_categories_are_named_where_they_cut():
    rules = made(
        HOURLY | {"caps": [{"per": "day", "hours": 2}, {"per": "month", "points": 3}], "category": "all"},
        {"id": "n", "name": "次数", "counts": "times", "points": 1, "category": "all"},
        categories=[{"id": "all", "name": "服务类", "caps": [{"per": "lifetime", "points": "5.5"}]}],
    )
    services = (
        served("2026-01-01", 90, 1),
        served("2026-01-01", 90, 2, start="12:00"),
        served("2026-01-02", 120, 3),
        served("2026-02-01", 60, 4),
    )
    found = told(rules, services=services)
    assert [[(gain.points, gain.cut, gain.why) for gain in line.gains] for line in found.lines] == [
        [(150, 0, ""), (100, 0, "")],
        [(50, 0, "每天最多 2小时"), (100, 0, "")],
        [(100, 100, "每月最多 3 分"), (50, 50, "「服务类」累计最多 5.5 分")],
        [(0, 100, "「服务类」累计最多 5.5 分"), (0, 100, "「服务类」累计最多 5.5 分")],
    ]
    assert (found.points, found.minutes) == (550, 360)
    [fits] = told(rules, services=(served("2026-01-01", 120, 1),)).lines
    assert fits.gains[0].why == "", "what fits exactly is not cut"
    kinds = made(HOURLY | {"coefficients": {"medical": 2, "patrol": "1.5"}})
    assert told(kinds, services=(served("2026-01-01", services=("patrol", "medical")),)).points == 200, "the highest of several"


def test_tiers_may_begin_anew_each_year_and_training_and_evaluation_count():
    rules = made(
        HOURLY | {"tiers": [{"to_hours": 1, "points": 2, "per_minutes": 60}, {"points": 1, "per_minutes": 60}], "tiers_per": "year"},
        {"id": "t", "name": "培训", "counts": "training_minutes", "tiers": [{"points": 1, "per_minutes": 30}]},
        {"id": "tt", "name": "培训次数", "counts": "trainings", "points": 3},
        {"id": "e", "name": "评价", "counts": "evaluations", "table": {"excellent": 2, "good": 1}},
    )
    found = told(
        rules,
        services=(served("2025-12-31", 120, 1), served("2026-01-01", 120, 2)),
        trainings=(Training(3, "2026-01-02", 60, "急救"),),
        evaluations=(Evaluation(4, "2026-01-03", "excellent"), Evaluation(5, "2026-01-04", "poor"), Evaluation(6, "2027-01-01", "good")),
    )
    assert [sum(gain.points for gain in line.gains) for line in found.lines] == [300, 300, 500, 200, 0]
    assert found.lines[2].why == "培训单独记，不算服务时长"


def test_what_expired_was_lifted_or_is_not_in_the_entry_takes_nothing():
    item = {
        "id": "b",
        "name": "失约",
        "counts": "conduct",
        "conduct": "no-show",
        "sense": "bad",
        "points": -2,
        "basis": LAW,
        "effects": ["points", "list"],
    }
    rules = made(HOURLY, item)
    cases = [
        (bad("2026-01-01"), -200, {"list"}, f"依据：{LAW}"),
        (bad("2026-01-01", expires_on="2026-06-30"), -200, {"list"}, f"依据：{LAW}"),
        (bad("2026-01-01", expires_on="2026-06-29"), 0, set(), "已于 2026-06-29 到期"),
        (bad("2026-01-01", lifted_on="2026-06-30", lifted_ground="repaired"), 0, set(), "已于 2026-06-30 信用修复"),
        (bad("2026-01-01", lifted_on="2026-07-30", lifted_ground="mistaken"), 0, set(), "已撤销，不生效"),
        (bad("2026-01-01", basis=""), 0, set(), "没有写明法律依据，不生效"),
        (bad("2026-01-01", effects=("list",)), 0, {"list"}, "这条记录没有写明扣分"),
        (bad("2026-01-01", effects=("points", "star")), -200, set(), f"依据：{LAW}"),
    ]
    for fact, points, effects, why in cases:
        found = told(rules, conduct=(fact,))
        assert (found.points, {one.target for one in found.effects}, found.lines[0].gains[0].why) == (points, effects, why)


def test_a_star_is_suspended_and_hours_are_not():
    item = {
        "id": "b",
        "name": "买卖时长",
        "counts": "conduct",
        "conduct": "traded-hours",
        "sense": "bad",
        "basis": LAW,
        "effects": ["star"],
    }
    item |= {"repair": {"months": 6, "hours": 1, "application": True}}
    rules = made(item, scales=[{"id": "star", "name": "星级"}], levels=[{"scale": "star", "name": "一星", "when": [{"hours": 1}]}])
    services, traded = (served("2026-01-01", 60, 1),), bad("2026-01-02", "traded-hours")
    found = told(rules, services=services, conduct=(traded,))
    assert (found.star.at, found.star.suspended, found.minutes) == (0, "买卖时长（2026-01-02）", 60)
    assert found.effects[0].repair == "等到 2026-07-02、再服务 1小时，再申请信用修复"
    more = (*services, served("2026-03-01", 60, 2))
    waited = told(rules, "2026-07-02", services=more, conduct=(traded,))
    assert (waited.star.at, waited.effects[0].repair) == (0, "时间和服务都够了，可以申请信用修复")
    assert (
        told(rules, "2026-07-02", services=more, conduct=(replace(traded, lifted_on="2026-07-02", lifted_ground="repaired"),)).star.at == 1
    )


def test_who_is_off_the_list_keeps_the_star_and_has_no_benefit():
    item = {"id": "b", "name": "严重失信", "counts": "conduct", "conduct": "serious", "sense": "bad", "basis": LAW, "effects": ["list"]}
    level = {"scale": "star", "name": "一星", "when": [{"hours": 1}]}
    rules = made(item, scales=[{"id": "star", "name": "星级"}], levels=[level], benefits=[{"name": "门票", "scale": "star", "levels": [1]}])
    services = (served("2026-01-01", 60, 1),)
    assert [one.name for one in told(rules, services=services).benefits] == ["门票"]
    removed = told(rules, services=services, conduct=(bad("2026-01-02", "serious"),))
    assert (removed.star.at, removed.benefits) == (1, ())


def test_a_cap_that_was_lowered_takes_nothing_back():
    """Old facts keep the old cap of three points a year; under the new one of one nothing is left, and nothing is taken."""
    older = made(HOURLY | {"caps": [{"per": "year", "points": 3}]})
    newer = replace(made(HOURLY | {"caps": [{"per": "year", "points": 1}]}, version=2, effective_on="2026-02-01"), old_facts="keep")
    services = (served("2026-01-01", 180, 1), served("2026-03-01", 60, 2))
    found = explain([("2020-01-01", older), ("2026-02-01", newer)], Facts("2019-05-01", services=services), "2026-06-30")
    assert [line.gains[0].points for line in found.lines] == [300, 0]


def test_a_level_is_kept_or_lost_and_either_way_reaches_it():
    levels = [
        {"scale": "star", "name": "一星", "when": [{"points": 2}, {"item/a": 1}]},
        {"scale": "star", "name": "二星", "when": [{"points": 5}]},
    ]
    bad_item = {
        "id": "b",
        "name": "失约",
        "counts": "conduct",
        "conduct": "no-show",
        "sense": "bad",
        "points": -2,
        "basis": LAW,
        "effects": ["points"],
    }
    award = {"id": "a", "name": "表彰", "counts": "awards", "points": 1}
    services, shown = (served("2026-01-01", 120, 1),), (bad("2026-02-01"),)
    for keeps, at, kept in ((False, 0, ""), (True, 1, "2026-01-31")):
        rules = made(HOURLY, bad_item, award, scales=[{"id": "star", "name": "星级", "keeps": keeps}], levels=levels)
        found = told(rules, services=services, conduct=shown)
        assert (found.star.at, found.star.kept_since) == (at, kept)
    assert told(rules, awards=(Award(5, "2026-01-01", "city"),)).star.level == "一星"
    assert level_words(told(rules, services=services).star.next) == "积分 3 分"


def test_years_at_the_end_of_which_more_was_reached_are_kept():
    """A yearly count of points: three in 2025, none in 2026."""
    yearly = HOURLY | {"window": {"kind": "calendar_year"}}
    levels = [{"scale": "star", "name": "一星", "when": [{"points": 3}]}]
    for keeps, at in ((True, 1), (False, 0)):
        rules = made(yearly, scales=[{"id": "star", "name": "星级", "keeps": keeps}], levels=levels)
        found = told(rules, services=(served("2025-03-01", 180, 1),))
        assert (found.points, found.star.at) == (0, at)


def test_somebody_dormant_is_only_called_so():
    rules = made(HOURLY, dormant_months=12)
    services = (served("2025-06-30", 60, 1),)
    assert [told(rules, on, services=services).status for on in ("2026-06-29", "2026-06-30")] == ["active", "dormant"]
    found = told(rules, services=services)
    assert (found.points, found.effects) == (100, ())


def test_the_account_spends_first_what_lapses_first_and_a_debt_is_paid_by_what_comes():
    tally = Tally(
        lots=[("2026-01-01", 300, "2027-01-01"), ("2026-02-01", 500, None), ("2026-03-01", -100, None), ("2026-08-01", 200, "2026-09-01")]
    )
    spending = (Spending(1, "2026-04-01", 250), Spending(2, "2027-02-01", 999))
    found = balance(tally, spending, "2026-10-01")
    assert (found.earned, found.taken, found.spent, found.lapsed, found.balance) == (1000, 100, 250, 200, 450)
    assert (found.lapses_on, found.lapses) == ("", 0), "of the first three hundred nothing is left to lapse"
    before = balance(tally, (), "2026-08-15")
    assert (before.balance, before.lapses_on, before.lapses) == (900, "2026-09-01", 200)
    owed = balance(Tally(lots=[("2026-01-01", -300, None), ("2026-02-01", 500, "2026-03-01")]), (), "2026-03-01")
    assert (owed.balance, owed.lapsed) == (0, 200)
