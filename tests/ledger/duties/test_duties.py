"""Work that falls due: when it is due, who owes it, what a form lets pass; what stands is what was handed in last."""

from datetime import date, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from town import CENTRE, EAST, OFFICIAL, SUN, TEAM, WEST, ZHAO

from ledger import history, organisations
from ledger.checking.verifying import verify
from ledger.duties import lists, owing, papers
from ledger.duties.forms import EVERY, quorum_held, shipped
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.organisations import Filing
from ledger.people.actors import OPERATOR

REPORT = {"news": "两个队伍换届", "results": "探望 30 人次"}
SCHEDULED = [form for form in shipped().values() if form.every != "event"]


def hand_in(town, duty="station-report", station=EAST, period="2026-03", said=REPORT, by=ZHAO, **more):
    return town.write(lambda tx: papers.hand_in(tx, duty, station, period, said, **more), by)


def owed(town, *units):
    return town.read(lambda tx: owing.owed(tx.connection, list(units), tx.today))


def states(town, duty, unit=EAST):
    return {due.period: due.state for due in owed(town, unit) if due.form.id == duty}


# --- days ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duty", "period", "due_on", "before"),
    [
        ("filing-ledger", "2026-03", "2026-03-24", "2026-02"),
        ("filing-ledger", "2026-01", "2026-01-24", "2025-12"),
        ("station-report", "2024-02", "2024-02-29", "2024-01"),
        ("station-report", "2026-02", "2026-02-28", "2026-01"),
        ("inspection", "2026-Q1", "2026-03-31", "2025-Q4"),
        ("inspection", "2026-Q4", "2026-12-31", "2026-Q3"),
        ("performance", "2026", "2026-12-31", "2025"),
    ],
)
def test_a_period_has_its_last_day_and_the_one_before_it(duty, period, due_on, before):
    form = shipped()[duty]
    assert (form.due_on(period).isoformat(), form.before(period)) == (due_on, before)
    assert form.fits(period)


@given(st.sampled_from(SCHEDULED), st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_every_day_lies_in_one_period_that_follows_the_one_before(form, day):
    period = form.period(day)
    assert form.fits(period)
    due = form.due_on(period)
    assert form.period(due) == period
    assert form.period(form.due_on(form.before(period)) + timedelta(days=31 if form.every == "month" and form.day else 1)) == period
    assert form.before(period) < period


@pytest.mark.parametrize("period", ["", "2026", "2026-13", "2026-3", "2026-Q1", "2026-03-01", "abc", "2026-0a"])
def test_what_is_no_month_is_no_period_of_a_monthly_paper(period):
    assert not shipped()["station-report"].fits(period)


# --- owing -----------------------------------------------------------------------------------------------------------------


def test_what_is_owed_is_open_soon_or_overdue_until_it_is_handed_in(town):
    assert states(town, "station-report") == {"2026-03": "open"}, "in February there was no such station"
    hand_in(town)
    assert (states(town, "station-report"), states(town, "station-report", WEST)) == ({"2026-03": "done"}, {"2026-03": "open"})
    town.advance(days=22)  # 24 March
    assert states(town, "station-report", WEST) == {"2026-03": "soon"}
    assert states(town, "filing-ledger", CENTRE) == {"2026-03": "soon"}
    town.advance(days=1)
    assert states(town, "filing-ledger", CENTRE) == {"2026-03": "overdue"}, "before the 25th"
    town.advance(days=7)  # 1 April
    assert states(town, "station-report", WEST) == {"2026-03": "overdue", "2026-04": "open"}
    hand_in(town, station=WEST, by=SUN)
    assert states(town, "station-report", WEST) == {"2026-03": "late", "2026-04": "open"}


def test_the_most_pressing_comes_first(town):
    order = [list(owing.STATES).index(due.state) for due in owed(town, CENTRE, EAST, WEST)]
    assert order == sorted(order)
    assert len(order) > 10


def test_an_organisation_owes_as_long_as_its_filing_is_valid(town):
    assert states(town, "organisation-report") == {"2026-03": "open"}
    assert states(town, "organisation-report", WEST) == {}, "it has none"
    town.advance(days=95)  # June: filed on 2024-06-01 for two years
    assert states(town, "organisation-report") == {"2026-05": "overdue"}


def test_a_year_has_every_period_that_has_begun(town):
    found = town.read(lambda tx: owing.year(tx.connection, EAST, 2026, tx.today))
    assert [due.period for due in found if due.form.id == "station-report"] == ["2026-03"]
    assert [due.due_on for due in found] == sorted(due.due_on for due in found)


def test_staff_are_reminded_before_on_and_after_the_last_day_unless_it_is_handed_in(town):
    def mentioned():
        return dict(town.read(lambda tx: owing.to_mention(tx.connection, tx.today)))

    assert mentioned() == {}
    seen = {}
    for _ in range(31):
        town.advance(days=1)
        if found := mentioned():
            seen[f"{town.now:%m-%d}"] = found.get(CENTRE, 0), found.get(WEST, 0)
    assert seen == {"03-21": (1, 0), "03-24": (1, 0), "03-25": (1, 0), "03-28": (0, 2), "03-31": (0, 2), "04-01": (0, 2)}


# --- handing in --------------------------------------------------------------------------------------------------------------


def test_what_is_handed_in_again_stands_instead_and_the_old_one_stays_in_the_log(town):
    first = hand_in(town)
    with pytest.raises(Conflict, match="内容一样"):
        hand_in(town)
    second = hand_in(town, said=REPORT | {"problems": "缺场地"})
    row = town.read(lambda tx: papers.standing(tx.connection, shipped()["station-report"], EAST, "2026-03", None))
    assert row.entry_index == second.index
    assert town.read(lambda tx: papers.get(tx, first.index)).replaced_by == second.index
    with town.ledger.read() as tx, history.as_known(tx.connection, second.index) as then:
        assert papers.standing(then, shipped()["station-report"], EAST, "2026-03", None).entry_index == first.index
    assert verify(town.ledger).ok


def test_what_the_ledger_can_count_is_counted_and_not_typed(town):
    receipt = hand_in(town, "filing-ledger", CENTRE, "2026-03", {"changes": "没有"}, OFFICIAL)
    said = orjson.loads(town.read(lambda tx: papers.get(tx, receipt.index)).said)
    assert (said["all"], said["filed"], said["registered"], said["charity"], said["new"], said["volunteer"]) == (1, 1, 0, 1, 0, 1)
    with pytest.raises(InvalidRequest, match="没有这些项"):
        hand_in(town, said=REPORT | {"bribes": "1"})
    rows = town.read(lambda tx: lists.filing_ledger(tx, CENTRE, tx.today, "某街道", "李")).rows
    assert [(row[1], row[2], row[5]) for row in rows] == [("皖001", TEAM, "东社区社会服务站")]


def test_what_is_handed_in_late_is_counted_as_of_the_end_of_its_period(town):
    town.advance(days=80)  # 21 May
    new = Filing("备0002", "晨光合唱团", "culture-sports", False, EAST, True, town.now.date())
    town.write(lambda tx: organisations.record_many(tx, [new]), ZHAO)
    said = [
        orjson.loads(town.read(lambda tx, index=index: papers.get(tx, index)).said)
        for index in (
            hand_in(town, "filing-ledger", CENTRE, period, {"changes": "没有"}, OFFICIAL).index for period in ("2026-04", "2026-05")
        )
    ]
    assert [(one["all"], one["new"]) for one in said] == [(1, 0), (2, 1)]


WRONG = [
    ("station-report", {"news": "", "results": "x"}, "「组织动态」没有填"),
    ("station-report", {"news": "张主任 13855101234", "results": "x"}, "「组织动态」最多 1000 个字，不要写手机号"),
    ("station-report", {"news": "字" * 1001, "results": "x"}, "「组织动态」最多 1000 个字"),
    ("project-close", {}, "「项目名称」没有填"),
    ("joint-meeting", {"topic": "停车", "party": "三"}, "「社区党组织成员」应是整数，您填的是「三」"),
]
PROJECT = {
    "project": "夕阳红",
    "type": "其他服务",
    "from": "2026-01-01",
    "until": "2026-03-01",
    "committee": "好",
    "asked": "30",
    "answered": "28",
    "satisfied": "27",
}


@pytest.mark.parametrize(("duty", "said", "words"), WRONG)
def test_a_form_that_is_not_filled_in_rightly_is_refused_by_its_field(town, duty, said, words):
    size = town.size
    period = "2026-03" if duty == "station-report" else "2026-03-01"
    with pytest.raises(InvalidRequest, match=words):
        hand_in(town, duty, said=said, period=period)
    assert town.size == size


def test_a_project_closes_with_a_survey_or_a_reason_why_there_was_none(town):
    close = lambda **said: hand_in(town, "project-close", period="2026-03-01", said=PROJECT | said)  # noqa: E731
    with pytest.raises(InvalidRequest, match="「其中满意的」（29）不能多于「收回份数」（28）"):
        close(satisfied="29")
    with pytest.raises(InvalidRequest, match="「满意度调查发出份数」没有填；没有的，填「没有做调查的原因」"):
        close(asked="", answered="", satisfied="")
    with pytest.raises(InvalidRequest, match="「结束日期」应是日期"):
        close(until="三月一日")
    with pytest.raises(InvalidRequest, match="请从 居民自治类服务、特殊人群服务、其他服务 里选"):
        close(type="别的")
    close()
    close(asked="", answered="", satisfied="", unasked="服务对象为失智老人")
    found = town.read(lambda tx: owing.events(tx.connection, [EAST], 20))
    assert len(found) == 2, "two projects may close on one day"
    assert found[0].entry_index > found[1].entry_index
    assert town.read(lambda tx: owing.events(tx.connection, [EAST], 1)) == found[:1]


def test_who_owes_it_hands_it_in(town):
    team = town.read(lambda tx: organisations.find_by_name(tx.connection, TEAM)).id
    said = {"news": "a", "services": "b", "effects": "c"}
    hand_in(town, "organisation-report", said=said, organisation=team)
    for wrong, error in (
        ({"organisation": None}, NotFound),
        ({"organisation": "2222222222"}, NotFound),
        ({"organisation": team, "station": WEST, "by": OPERATOR}, InvalidRequest),
        ({"organisation": team, "by": SUN}, NotAllowed),
    ):
        with pytest.raises(error):
            hand_in(town, "organisation-report", **({"said": said} | wrong))
    with pytest.raises(InvalidRequest, match="由站点交"):
        hand_in(town, organisation=team)
    with pytest.raises(InvalidRequest, match="不由「东社区社会服务站」这一级交"):
        hand_in(town, "filing-ledger", said={"changes": "无"})
    with pytest.raises(InvalidRequest, match="还没有到"):
        hand_in(town, period="2026-04")
    with pytest.raises(InvalidRequest, match="不是这种材料的时段"):
        hand_in(town, period="2026-Q1")
    with pytest.raises(NotFound):
        hand_in(town, "unheard-of")


# --- what follows from answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "attended", "votes", "held"),
    [(30, 20, 11, True), (30, 19, 19, False), (30, 20, 10, False), (30, 30, 16, True), (3, 2, 1, False), (0, 0, 0, False), (1, 1, 1, True)],
)
def test_a_vote_holds_with_two_thirds_present_and_more_than_half_of_them_in_favour(members, attended, votes, held):
    said = {"members": members, "attended": attended, "in-favour": votes}
    assert quorum_held(shipped()["members-vote"], said) is held


def test_every_form_that_comes_along_can_be_read_and_says_which_lines_it_answers():
    for form in shipped().values():
        assert form.every in EVERY
        assert form.rows
        assert form.to
        ids = [field.id for field in form.fields]
        assert len(ids) == len(set(ids))
        for field in form.fields:
            assert {field.unless, field.at_most} <= {*ids, ""}
            assert bool(field.choices) == (field.kind == "choice")
        assert sum(field.weight for field in form.fields) in (0, 100)
