"""Gates: who is asked for a second word, what an approver sees first, and what a calendar that is not known stops."""

from datetime import date

import pytest
from world import CENTRE, HOME, OTHER

from ledger import policies, workdays
from ledger.errors import InvalidRequest, NotAllowed
from ledger.people.actors import Actor
from ledger.refusals import Refusal
from ledger.service import approving, gates, records, second_signatures

CLERK, OTHER_CLERK = Actor("clerk", "recorder", HOME), Actor("colleague", "recorder", HOME)
LOCAL, ABOVE = Actor("local", "approver", HOME), Actor("above", "approver", CENTRE)


@pytest.fixture
def street(world):
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE, population=100)
    world.station(OTHER, parent=CENTRE, population=100)
    return world


def reasons(world, *indexes):
    with world.read() as tx:
        found = gates.exceptions(tx, records.rows_of(tx.connection, indexes))
    return {index: "；".join(said) for index, said in found.items()}


def ask(world, draft, by=CLERK, reason="汛期值守，有值班表"):
    return world.write(lambda tx: second_signatures.ask(tx, draft, reason), by)


def sign(world, proposal, by):
    return world.write(lambda tx: second_signatures.sign(tx, proposal), by)


def test_what_came_in_time_as_planned_by_day_is_no_exception(street):
    plan = street.activity(start="2025-01-05T09:00", end="2025-01-05T11:00")
    assert reasons(street, street.serve(street.volunteer(), "2025-01-05 09:00", "11:00", activity=plan).index) == {}


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("2025-01-05 08:30", "11:00", "在活动的计划时间之外（计划 01-05 09:00 至 01-05 11:00）"),
        ("2025-01-04 22:30", "23:30", "夜间服务"),
        ("2025-01-05 05:00", "06:01", "夜间服务"),
        ("2025-01-05 09:00", "15:30", "当日共 6小时30分，时间较长"),
    ],
)
def test_each_exception_says_why(street, start, end, says):
    plan = street.activity(start="2025-01-05T09:00", end="2025-01-05T11:00")
    index = street.serve(street.volunteer(), start, end, activity=plan).index
    assert says in reasons(street, index)[index]


def test_a_service_that_ends_as_the_night_ends_is_not_at_night(street):
    assert reasons(street, street.serve(street.volunteer(), "2025-01-05 06:00", "07:00").index) == {}


def test_the_same_times_for_very_many_people_are_looked_at(street):
    rules = policies.DEFAULTS | {"same_interval_people": 3}
    street.write(lambda tx: policies.adopt(tx, effective_on="2025-01-01", rules=rules))
    plan = street.activity()
    drafts = [street.draft(street.volunteer(), "2025-01-05 09:00", "10:00", activity=plan) for _ in range(3)]
    last = street.draft(street.volunteer(), "2025-01-05 09:01", "10:00", activity=plan)
    receipts = street.serve_many([*drafts, last])
    found = reasons(street, *(receipt.index for receipt in receipts))
    assert found == {receipt.index: "同一活动 3 人时间完全相同" for receipt in receipts[:3]}


def test_what_came_after_ten_working_days_is_approved_by_the_unit_above(street):
    person = street.volunteer()
    street.advance(days=14)  # Monday 6 January to Monday 20 January: ten working days
    in_time = street.serve(person, "2025-01-06 09:00", "10:00").index
    street.advance(days=1)
    late = street.serve(person, "2025-01-06 14:00", "15:00").index
    assert reasons(street, in_time, late) == {late: "活动结束后第 11 个工作日才登记，超过 10 个工作日，要由上一级审核"}
    street.approve(in_time, actor=LOCAL)
    with pytest.raises(NotAllowed, match=f"第 {late} 条过了期限才登记，要由上一级的审核员审核"):
        street.approve(late, actor=LOCAL)
    street.approve(late, actor=ABOVE)


def test_over_the_daily_cap_two_people_say_so_and_a_third_approves(street):
    person = street.volunteer()
    street.serve(person, "2025-01-05 08:00", "13:00", actor=CLERK)
    draft = street.draft(person, "2025-01-05 14:00", "19:00")
    assert isinstance(street.serve_many([draft], CLERK)[0], Refusal)
    proposal = ask(street, draft)
    assert street.credit(person).others[0].minutes == 300
    for nobody, says in ((CLERK, "您提出的"), (Actor("away", "recorder", OTHER), "管理范围")):
        with pytest.raises(NotAllowed, match=says):
            sign(street, proposal, nobody)
    index = sign(street, proposal, LOCAL).index
    assert (street.entries()[index]["actor"], street.entries()[index]["body"]["second"]) == ("local", "clerk")
    assert "已有第二人签字（当日共 10小时）" in reasons(street, index)[index]
    for own in (LOCAL, Actor("clerk", "approver", HOME)):
        with pytest.raises(NotAllowed, match="登记人不能审核"):
            street.approve(index, actor=own)
    street.approve(index, actor=ABOVE)
    with pytest.raises(Exception, match="已经有人办过"):
        sign(street, proposal, ABOVE)


def test_a_second_signature_is_only_for_the_cap(street):
    person = street.volunteer()
    first = street.draft(person, "2025-01-05 08:00", "13:00")
    with pytest.raises(InvalidRequest, match="没有超过每日上限"):
        ask(street, first)
    street.serve_many([first])
    with pytest.raises(InvalidRequest, match="重叠"):
        ask(street, street.draft(person, "2025-01-05 12:00", "22:00"))
    with pytest.raises(InvalidRequest, match="一次服务长达"):
        ask(street, street.draft(person, "2025-01-01 00:00", "2025-01-04 00:00"))


def test_what_was_declined_is_recorded_by_nobody(street):
    person = street.volunteer()
    proposal = ask(street, street.draft(person, "2025-01-05 08:00", "18:00"))
    street.write(lambda tx: second_signatures.decline(tx, proposal, "值班表上没有"), OTHER_CLERK)
    with pytest.raises(Exception, match="已经有人办过"):
        sign(street, proposal, OTHER_CLERK)
    assert street.credit(person).others == []


def test_publicity_that_would_run_into_an_unknown_year_waits_for_its_calendar(street):
    person, year = street.volunteer(), 2198
    street.clock.now = street.clock.now.replace(year=year, month=12, day=26)
    index = street.serve(person, f"{year}-12-25 09:00", "10:00").index
    assert reasons(street, index) == {}
    with pytest.raises(InvalidRequest, match=f"{year} 年的放假安排还没有录入"):
        street.approve(index, actor=ABOVE)
    administrator = Actor("admin", "administrator")
    for known in (year, year + 1):
        days = [date(known, 1, n) for n in range(1, 6) if date(known, 1, n).weekday() < 5]
        street.write(lambda tx, known=known, days=days: workdays.adopt(tx, known, days, [], "国务院办公厅通知"), administrator)
    counts_from = street.approve(index, actor=ABOVE)
    with street.read() as tx:
        assert approving.counting_from(tx).isoformat() == counts_from
        assert workdays.calendar(tx.connection).between(date(year, 12, 26), date.fromisoformat(counts_from)) == 6


@pytest.mark.parametrize(
    ("rest", "work", "says"),
    [
        (["2027-01-02"], [], "2027-01-02 本来就是周末"),
        (["2027-01-01"], ["2027-01-04"], "2027-01-04 本来就是工作日"),
        (["2026-01-01"], [], "2026-01-01 不在 2027 年"),
        ([], [], "至少有一个放假的工作日"),
    ],
)
def test_an_announcement_that_cannot_be_is_refused(street, rest, work, says):
    days = [[date.fromisoformat(day) for day in part] for part in (rest, work)]
    with pytest.raises(InvalidRequest, match=says):
        street.write(lambda tx: workdays.adopt(tx, 2027, *days, "公告"))
    with pytest.raises(NotAllowed):
        street.write(lambda tx: workdays.adopt(tx, 2027, [date(2027, 1, 1)], [], "公告"), LOCAL)


def test_an_adopted_year_stands_before_what_was_known(street):
    street.write(lambda tx: workdays.adopt(tx, 2026, [date(2026, 3, 5)], [date(2026, 3, 7)], "某省通知"))
    with street.read() as tx:
        known = workdays.calendar(tx.connection)
    assert (known.is_workday(date(2026, 3, 5)), known.is_workday(date(2026, 3, 7))) == (False, True)
    assert known.swapped(2026) == ([date(2026, 3, 5)], [date(2026, 3, 7)])
    assert known.is_workday(date(2025, 1, 26)) is True


def test_days_are_read_as_people_write_them():
    said = "2027-02-05~2027-02-08，2027-01-01"
    assert workdays.read_days(said, worked=False) == [date(2027, 2, 5), date(2027, 2, 8), date(2027, 1, 1)]
    assert workdays.read_days(said, worked=True) == [date(2027, 2, 6), date(2027, 2, 7), date(2027, 1, 1)]
    shown = "1月1日、2月5日~2月8日"
    assert workdays.read_days(shown, worked=False, year=2027) == [date(2027, 1, 1), date(2027, 2, 5), date(2027, 2, 8)]
    for wrong in ("2月5日", "2027-02-30", "2027-02-07~2027-02-05"):
        with pytest.raises(InvalidRequest, match=wrong[:8]):
            workdays.read_days(wrong, worked=False)
