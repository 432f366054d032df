"""Every rule that was found in a real measure can be said by a rule file; each has an example reckoned by hand. The files lie beside, or are shipped."""

from pathlib import Path

import pytest

from ledger.errors import InvalidRequest
from ledger.people import ages
from ledger.rules import reading
from ledger.rules.accounts import check_spending
from ledger.rules.explaining import explain
from ledger.rules.facts import Award, Conduct, Evaluation, Facts, Service, Spending, Training

ROWS = Path(__file__).parent / "rows"
EXAMPLES = Path(reading.__file__).parent / "examples"
LAW = "《志愿服务条例》第二十二条"
ON = "2026-11-22"


def rules(name):
    folder = EXAMPLES if (EXAMPLES / f"{name}.json").exists() else ROWS
    return reading.read((folder / f"{name}.json").read_bytes())


def told(name, on=ON, **facts):
    """Explain facts by a file: services are (day, hours) or whole facts."""
    made = rules(name)
    return explain([(made.effective_on, made)], Facts("2015-01-01", **facts), on)


def served(hours, *, each=10, first="2025-01-01", start=0, **said):
    """Whole days of service: so many hours, *each* a day at most, all of a month in turn."""
    found, at = [], 0
    while hours > 0:
        day = f"{int(first[:4]) + at // 336}-{at % 336 // 28 + 1:02d}-{at % 28 + 1:02d}"
        given = min(each, hours)
        found.append(Service(start + at, f"a{start + at}", day, f"{day}T08:00", int(given * 60), **said))
        hours, at = hours - given, at + 1
    return tuple(found)


def bad(index, day, item, **said):
    return Conduct(index, day, item, "bad", LAW, said.pop("expires_on", "2030-01-01"), **said)


@pytest.mark.parametrize(
    ("hours", "points"), [(0, 0), (20, 2000), (21, 2050), (80, 5000), (83, 5100), (200, 9000), (204, 9100), (1000, 29000), (1, 100)]
)
def test_weihai_gives_less_for_each_hour_the_more_there_are(hours, points):
    """20 h = 20; 60 h more = 30; 120 h more = 40; then a quarter: 800 h = 200. So 1000 h = 20 + 30 + 40 + 200 = 290 points."""
    assert told("haibei", services=served(hours), adult="yes").points == points


def test_weihai_asks_for_an_adult_and_says_what_it_does_not_know():
    for adult, holds, words in (("yes", True, "是"), ("no", False, "还不是"), ("unknown", False, "账本里不记年龄")):
        [ask] = told("haibei", services=served(20), adult=adult).eligible
        assert (ask.holds, words in ask.have) == (holds, True)


def test_fuzhou_collects_in_april_what_the_year_before_gave_up_to_fifty():
    """320 h by the end of 2024: two stars, 2 points; the city's finest volunteer in 2025 5, a special award of the nation 5. Before April: 2024 alone."""
    awards = (Award(900, "2025-06-01", "city", "最美志愿者"), Award(901, "2025-07-01", "nation", "专项服务先进"))
    services = (*served(320, first="2024-01-01"), *served(300, first="2025-01-01", start=400))
    assert told("molihua", "2026-03-31", services=services, awards=awards).points == 200
    after = told("molihua", "2026-04-01", services=services, awards=awards)
    assert {one.item: one.points for line in after.lines for one in line.gains if one.points} == {
        "stars": 300,
        "finest": 500,
        "special": 500,
    }
    many = tuple(Award(910 + n, "2025-06-02", "nation", "最美志愿者") for n in range(9))
    full = told("molihua", "2026-04-01", services=services, awards=many)
    assert full.points == 5000, "nine times eight points are cut to fifty"
    assert full.lines[-1].gains[0].why == "「志愿服务」累计最多 50 分", "620 hours are three stars, for which nothing is left"


def test_guangxi_asks_for_a_complete_record_and_three_clean_years_and_tells_others_only_with_leave():
    services = served(300)
    fine = told("guangxi", services=services, confirmed_on="2025-01-01")
    assert (fine.star.at, [one.name for one in fine.benefits]) == (2, ["景区门票 80%"])
    assert all(one.authorisation for one in fine.benefits)
    assert told("guangxi", services=services).star.at == 0, "nobody confirmed it"
    torn = (*services, Service(999, "old", "2024-01-01", "2024-01-01T08:00", 60, whole=False))
    assert told("guangxi", services=torn, confirmed_on="2025-01-01").star.at == 0, "a record is not complete"
    for day, at in (("2023-11-22", 2), ("2023-11-23", 0)):
        found = told("guangxi", services=services, confirmed_on="2025-01-01", conduct=(bad(998, day, "serious", expires_on="2024-01-01"),))
        assert found.star.at == at, day
    removed = told("guangxi", services=services, confirmed_on="2025-01-01", conduct=(bad(998, "2026-01-01", "serious"),))
    assert (removed.star.at, removed.benefits, [one.target for one in removed.effects]) == (0, (), ["list", "star"])
    assert removed.minutes == 300 * 60, "hours stay"


def test_the_ministries_weigh_hours_frequency_length_awards_and_what_people_say():
    """60 services of 5 h are 300 h, 60 times, 60 of two hours and more; two good words and an award make 5A, with three clean years."""
    said = {
        "services": served(300, each=5),
        "evaluations": tuple(Evaluation(900 + n, "2025-03-01", "good", "beneficiary") for n in range(2)),
        "awards": (Award(910, "2025-03-02", "district"),),
    }
    assert told("ministries", **said).star.level == "5A"
    assert told("ministries", **said | {"awards": ()}).star.level == "4A"
    assert told("ministries", **said | {"evaluations": ()}).star.level == "3A"
    assert told("ministries", **said | {"services": served(300, each=5)[:15]}).star.level == "2A", "15 times, 75 h"
    assert told("ministries", **said | {"services": served(90, each=1)}).star.level == "1A", "never two hours at once"
    fallen = told("ministries", **said, conduct=(bad(999, "2024-01-01", "whatever", expires_on="2024-06-01"),))
    assert fallen.star.level == "4A"


@pytest.mark.parametrize(
    ("hours", "star", "medal"), [(99, 0, 0), (100, 1, 0), (200, 2, 0), (999, 4, 0), (2000, 5, 1), (3000, 5, 2), (5000, 5, 3)]
)
def test_beijing_has_its_own_ladder_and_medals_above_it(hours, star, medal):
    found = told("beijing", "2040-01-01", services=served(hours))
    assert (found.scale("star").at, found.scale("medal").at) == (star, medal)


def test_beijing_gives_a_medal_at_once_for_a_year_full_time():
    found = told("beijing", services=served(10), conduct=(Conduct(900, "2025-12-31", "full-time-year", "good"),))
    assert (found.scale("star").at, found.scale("medal").level) == (0, "铜质奖章")


def test_longquanyi_asks_for_hours_and_points_and_deductions_lower_the_star():
    """100 h give 1000 points: two stars. One no-show takes 20: 980 points, one star; hours stay 100."""
    services = served(100)
    assert told("longquanyi", services=services).star.level == "二星"
    fallen = told("longquanyi", services=services, conduct=(bad(900, "2025-06-01", "no-show"),))
    assert (fallen.minutes, fallen.points, fallen.star.level, fallen.status) == (6000, 98000, "一星", "active")
    [way] = fallen.star.next.ways
    assert [(ask.words, ask.have, ask.missing) for ask in way] == [("时长 100小时", "100小时", ""), ("积分 1000 分", "980 分", "20 分")]


def test_longquanyi_cancels_after_five_no_shows_of_a_year_and_keeps_the_star():
    """300 h give 3000 points; five times 20 leave 2900: three stars (200 h and 2100) stay, the status goes."""
    shows = [bad(900 + n, f"2025-0{n + 2}-01", "no-show") for n in range(5)]
    found = told("longquanyi", services=served(300), conduct=tuple(shows))
    assert (found.status, found.star.level, found.points) == ("cancelled", "三星", 290_000)
    assert found.effects[0].why == "失约：2025 5 次（规则：每年 5 次）"
    spread = (*shows[:4], bad(904, "2026-01-01", "no-show"))
    services = (*served(300), *served(10, first="2026-01-01", start=500))
    assert told("longquanyi", services=services, conduct=spread).status == "active"
    wicked = tuple(bad(900 + n, f"2025-0{n + 2}-01", "malicious-no-show") for n in range(3))
    assert told("longquanyi", services=served(300), conduct=wicked).status == "cancelled"


def test_longquanyi_cancels_and_removes_for_what_costs_300_points_and_leaves_the_hours():
    found = told("longquanyi", services=served(300), conduct=(bad(900, "2025-02-01", "asked-pay"),))
    assert ({one.target for one in found.effects}, found.minutes, found.points) == ({"status", "list"}, 18_000, 270_000)


def test_longquanyi_cancels_whose_year_is_below_nought():
    found = told("longquanyi", services=served(1, first="2026-01-01"), conduct=(bad(900, "2026-02-01", "no-show"),))
    assert (found.points, found.status) == (-1000, "cancelled")
    assert told("longquanyi").status == "active", "no record at all is no fault"


def test_hailin_counts_two_hours_of_an_activity_and_nothing_of_one_that_was_complained_of():
    """3 h of one activity count 2; 2 h and 1 h of another count 2; the third, complained of, none; a referral 2: 2 + 2 + 0 + 2 = 6 points."""
    services = (
        Service(1, "a", "2026-01-01", "2026-01-01T08:00", 180),
        Service(2, "b", "2026-01-02", "2026-01-02T08:00", 120),
        Service(3, "b", "2026-01-03", "2026-01-03T08:00", 60),
        Service(4, "c", "2026-01-04", "2026-01-04T08:00", 90),
    )
    conduct = (bad(5, "2026-01-05", "complaint", services=(4,)), Conduct(6, "2026-01-06", "referral", "good"))
    found = told("hailin", services=services, conduct=conduct)
    assert (found.minutes, found.points) == (240, 600)
    assert [(line.index, line.counted_minutes, line.total_minutes, line.total_points) for line in found.lines] == [
        (1, 120, 120, 200), (2, 120, 240, 400), (3, 0, 240, 400), (4, 0, 240, 400), (5, 0, 240, 400), (6, 0, 240, 600)
    ]  # fmt: skip
    assert found.lines[0].why == "每次活动最多 2小时"
    assert found.lines[3].why == "账本第 5 条失信记录认定这次服务不计时长"


def test_hailin_redeems_once_a_quarter_and_hours_stay():
    spent = (Spending(9, "2026-02-01", 100),)
    found = told("hailin", services=served(6, each=2, first="2026-01-01"), spending=spent)
    assert (found.minutes, found.points, found.account.balance) == (360, 600, 500)
    check_spending(found.rules, found.account, spent, 500, "2026-04-01")
    with pytest.raises(InvalidRequest, match="每季度最多兑换 1 次"):
        check_spending(found.rules, found.account, spent, 100, "2026-03-31")
    with pytest.raises(InvalidRequest, match=r"要用 5\.01 分，可用 5 分"):
        check_spending(found.rules, found.account, spent, 501, "2026-04-01")


def test_chongqing_takes_the_right_to_back_fill_for_a_year_and_a_hundred_hours():
    faked = bad(900, "2025-03-15", "false-hours", services=(0,))
    since = tuple(Service(n, f"a{n}", f"2025-05-{n:02d}", f"2025-05-{n:02d}T08:00", 600) for n in range(1, 11))
    early = told("chongqing", "2026-01-01", services=since, conduct=(faked,))
    assert [one.repair for one in early.binds("backfill")] == ["等到 2026-03-15，自动恢复"]
    few = told("chongqing", "2026-03-15", services=(*served(1), *served(90, first="2026-01-01", start=50)), conduct=(faked,))
    assert [one.repair for one in few.binds("backfill")] == ["再服务 10小时，自动恢复"], "the hour of before does not count"
    assert few.minutes == 90 * 60, "the false one is worth nothing"
    done = told("chongqing", "2026-03-15", services=(*served(1), *served(100, first="2026-01-01", start=50)), conduct=(faked,))
    assert done.binds("backfill") == ()
    owned = told("chongqing", conduct=(bad(900, "2026-03-10", "false-hours"),))
    assert owned.effects == (), "who came forward in the two weeks of the self-check is left alone"


def test_zhiyuanhui_asks_an_administrator_for_full_age_and_a_signature():
    signed = (Conduct(1, "2026-01-01", "integrity-agreement", "good"),)
    assert told("zhiyuanhui-roles", conduct=signed, adult="yes").star.level == "管理员"
    assert told("zhiyuanhui-roles", conduct=signed, adult="no").star.level == ""
    assert told("zhiyuanhui-roles", adult="yes").star.level == ""
    assert ages.read(b'{"adult_age": 18, "child_age": 14, "minimum_age": 3}').minimum_age == 3, "who may register is the age policy's"


def test_zhiyuanhui_gives_coins_for_hours_by_the_system_alone():
    """2 h 30 min signed in by the system are 2.5 coins; 4 h filled in afterwards are honour."""
    services = (Service(1, "a", "2026-01-01", "2026-01-01T08:00", 150, "A"), Service(2, "b", "2026-01-02", "2026-01-02T08:00", 240, "C"))
    found = told("zhiyuanhui-coins", services=services)
    assert (found.points, found.minutes, found.rules.gates.backfill_within_plan) == (250, 150, True)
    assert found.lines[1].why == "不在规则计时长的范围内"


def test_guangdong_forbids_a_title_more_than_three_pairs_and_a_year():
    gates = rules("guangdong").gates
    assert (gates.title_forbids, gates.sign_in_pairs_max, gates.activity_days_max) == (("补录",), 3, 365)


def test_suzhou_multiplies_by_the_finest_class():
    """An hour of patrol in 平安建设 1.2, of doctoring 2, of doctoring in 邻里守望 2.5, of anything else 1: 6.7 points."""
    kinds = (
        ("safe-community", ("patrol",)),
        ("other", ("medical",)),
        ("neighbour-care", ("medical", "education")),
        ("culture", ("culture",)),
    )
    services = tuple(
        Service(n, f"a{n}", f"2026-01-0{n + 1}", f"2026-01-0{n + 1}T08:00", 60, series=series, services=said)
        for n, (series, said) in enumerate(kinds)
    )
    found = told("suzhou", services=services)
    assert ([line.gains[0].points for line in found.lines], found.points) == ([120, 200, 250, 100], 670)


def test_ningbo_counts_what_was_signed_in_and_out():
    found = told("ningbo", services=(*served(99, grade="A"), *served(50, grade="B", start=500)))
    assert (found.minutes, found.star.at, found.star.next.ways[0][0].missing) == (99 * 60, 0, "1小时")


def test_zhenhai_tries_for_five_activities_and_ten_hours_counts_training_and_closes_by_the_quarter():
    """Four services of 2 h and a training of 1 h in the first quarter: 9 h, 4 activities. One more of 2 h: 11 h, 5 activities."""
    services, trainings = served(8, each=2, first="2026-01-01"), (Training(90, "2026-02-01", 60, "急救"),)
    trial = told("zhenhai", "2026-04-01", services=services, trainings=trainings)
    assert (trial.minutes, trial.status, trial.status_words) == (540, "probation", "再1 次、1小时转为正式志愿者，时长全部带入")
    more = (*services, Service(50, "e", "2026-04-02", "2026-04-02T08:00", 120))
    assert told("zhenhai", "2026-06-30", services=more, trainings=trainings).status == "probation", "the quarter is not closed"
    done = told("zhenhai", "2026-07-01", services=more, trainings=trainings)
    assert (done.minutes, done.status) == (660, "active")


def test_nanjing_holds_1500_hours_of_ones_own_and_keeps_the_rest_for_honour():
    """1,600 h of one's own and 20 h of a team: 1,500 in the account, 100 + 20 for honour."""
    team = served(20, start=5000, first="2030-01-01", by_organisation=True)
    found = told("nanjing", "2040-01-01", services=(*served(1600), *team))
    assert (found.minutes, found.account_minutes, found.surplus_minutes) == (1620 * 60, 1500 * 60, 120 * 60)
    assert found.benefits[0].beneficiaries[0] == "80 岁以上空巢老人"


def test_dongying_never_takes_a_star_back():
    """100 h are 100 points: one star, kept when 20 are taken; the second needs 280 points, which 300 h less 20 just have."""
    shown = bad(900, "2026-06-01", "no-show")
    kept = told("dongying", services=served(100), conduct=(shown,))
    assert (kept.points, kept.star.level, kept.star.kept_since) == (8000, "一星", "2026-05-31")
    assert told("dongying", services=served(300), conduct=(shown,)).star.level == "二星"
    bands = ages.read(b'{"adult_age": 14, "child_age": 10, "minimum_age": 6}')
    assert [bands.band(f"340102{year}0101002X", ages.date(2026, 11, 22)) for year in (2021, 2018, 2014, 2010)] == [
        "too_young", "child", "minor", "adult"
    ]  # fmt: skip


def test_e_volunteer_starts_at_a_hundred_and_stays_within_bounds():
    """15 services reach 120 and no more; a no-show takes 10; seven take 70 of the hundred: 30, below 60."""
    assert told("e-volunteer").points == 10_000
    assert told("e-volunteer", services=served(15, each=1)).points == 12_000
    fallen = told("e-volunteer", services=served(15, each=1), conduct=(bad(900, "2026-01-01", "no-show"),))
    assert (fallen.points, fallen.status) == (11_000, "active")
    many = tuple(bad(900 + n, f"2026-01-0{n + 1}", "no-show") for n in range(5))
    assert (told("e-volunteer", conduct=many[:4]).status, told("e-volunteer", conduct=many).status) == ("active", "cancelled")
    odd = (
        Service(1, "a", "2026-01-01", "2026-01-01T08:00", 29, planned_minutes=60),
        Service(2, "b", "2026-01-02", "2026-01-02T08:00", 181, planned_minutes=60),
        Service(3, "c", "2026-01-03", "2026-01-03T08:00", 180, planned_minutes=60),
    )
    remarks = [line.remarks for line in told("e-volunteer", services=odd).lines if line.index > 0]
    assert remarks == [("不足 30 分钟，请核对",), ("超过计划时长的两倍加 60 分钟，请核对",), ()]


def test_the_national_ladder_asks_for_hours_alone():
    for hours, at in ((99, 0), (100, 1), (299, 1), (300, 2), (600, 3), (1000, 4), (1500, 5)):
        assert told("national-stars", "2040-01-01", services=served(hours)).star.at == at


def test_every_example_names_where_it_comes_from():
    for path in sorted(EXAMPLES.glob("*.json")):
        assert len(reading.read(path.read_bytes()).source) > 20, path.name
