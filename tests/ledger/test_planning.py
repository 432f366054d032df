"""Activities planned, published, recurring, called off; and the calendar they stand in."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import APPROVER, CLERK, HOME, OTHER, world  # noqa: F401

from ledger import activities
from ledger.activities import Activity
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.people.actors import Actor
from ledger.planning import calendars, plans
from ledger.planning.recurring import Rule, occurrences
from ledger.workdays import Calendar

PLANNED = Activity(
    HOME,
    "看望独居老人",
    "neighbour-care",
    start="2025-01-10T22:00",
    end="2025-01-11T02:00",
    place="梅山路",
    breaks=[{"start": "2025-01-10T23:30", "end": "2025-01-11T00:15"}],
    head_counts={"elderly": 20},
    beneficiaries=["elderly"],
    responsible_account="clerk",
    places=15,
)


@pytest.fixture
def street(world):  # noqa: F811
    world.station(HOME, population=1000)
    world.station(OTHER)
    return world


def publish(world, activity=PLANNED, actor=CLERK, **said):  # noqa: F811
    return world.write(lambda tx: plans.publish(tx, activity, **said), actor)


def row_of(world, number):  # noqa: F811
    with world.read() as tx:
        return activities.get(tx.connection, number)


def test_an_activity_is_published_with_what_is_planned_of_it(street):
    [number] = publish(street)
    row = row_of(street, number)
    assert (row.title, row.places, row.declared, row.ended_as) == ("看望独居老人", 15, "mca67-19/1", None)
    assert row.head_counts == '{"elderly":20}'
    entry = street.entries()[-1]
    assert (entry["kind"], entry["v"], entry["actor"]) == ("activity.published", 2, "clerk")
    with pytest.raises(Conflict, match="已经发布过"):
        publish(street)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"end": "2025-01-10T22:00"}, "不晚于开始"),
        ({"end": "2025-01-13T22:00", "breaks": []}, "最长"),
        ({"start": "2025-01-05T09:00", "end": "2025-01-05T11:00", "breaks": []}, "已经过去"),
        ({"title": "补录活动"}, "补录"),
        ({"breaks": [{"start": "2025-01-10T21:00", "end": "2025-01-10T23:00"}]}, "休息时间要在活动时间之内"),
        ({"breaks": [{"start": "2025-01-10T22:00", "end": "2025-01-11T02:00"}]}, "占满"),
        ({"responsible_account": None}, "负责人"),
        ({"responsible_account": None, "responsible_volunteer": "2222222222"}, "没有登记"),
        ({"responsible_account": "nobody"}, "没有这个负责人"),
        ({"major": "gathering"}, "最迟 2025年1月3日"),
        ({"major": "gathering", "reported_on": "2025-01-07"}, "报备日期还没有到"),
        ({"title": "找 13812345678"}, "「活动名称」里有手机号"),
        ({"start": "2035-01-10T21:30", "end": "2035-01-11T00:30", "breaks": []}, "这里写的是 2035 年"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(street, said, why):
    size = street.size
    with pytest.raises(InvalidRequest, match=why):
        publish(street, replace(PLANNED, **said))
    assert street.size == size


def test_what_is_no_voluntary_service_is_not_published(street):
    with pytest.raises(InvalidRequest, match="本职工作"):
        publish(street, excluded=["own-job"])


def test_only_the_stations_own_staff_publish_and_call_off(street):
    with pytest.raises(NotAllowed):
        publish(street, actor=Actor("sun", "recorder", OTHER))
    [number] = publish(street)
    with pytest.raises(NotAllowed):
        street.write(lambda tx: plans.cancel(tx, number, reason="雨"), Actor("sun", "recorder", OTHER))


def test_a_major_activity_that_was_reported_is_published(street):
    [number] = publish(street, replace(PLANNED, major="festival", reported_on="2025-01-02"))
    assert row_of(street, number).major == "festival"


def test_a_weekly_activity_is_many_activities_that_skip_the_spring_festival(street):
    found = publish(street, rule=Rule("week", date(2025, 2, 14), skip_holidays=True))
    rows = [row_of(street, number) for number in found]
    assert [row.start[:10] for row in rows] == ["2025-01-10", "2025-01-17", "2025-01-24", "2025-02-07", "2025-02-14"]
    assert {row.end[11:] for row in rows} == {"02:00"}
    assert rows[1].breaks == '[{"end":"2025-01-18T00:15","start":"2025-01-17T23:30"}]'
    assert len({row.recurrence for row in rows}) == 1
    street.write(lambda tx: plans.cancel(tx, found[1], reason="下雪"), CLERK)
    assert [row_of(street, number).ended_as for number in found] == [None, "cancelled", None, None, None]


def test_one_that_was_called_off_may_be_published_again_and_one_with_service_is_not_called_off(street):
    [number] = publish(street)
    with pytest.raises(InvalidRequest, match="原因"):
        street.write(lambda tx: plans.cancel(tx, number, reason=" "), CLERK)
    street.write(lambda tx: plans.cancel(tx, number, reason="台风"), CLERK)
    with pytest.raises(InvalidRequest, match="已经取消"):
        street.write(lambda tx: plans.cancel(tx, number, reason="台风"), CLERK)
    [again] = publish(street)
    assert again != number
    street.advance(days=6)
    served = street.serve(street.volunteer(registered_on="2025-01-01"), "2025-01-10 22:00", "23:00", activity=again)
    with pytest.raises(InvalidRequest, match="已经有人登记了服务"):
        street.write(lambda tx: plans.cancel(tx, again, reason="台风"), CLERK)
    street.void(served.index)
    street.write(lambda tx: plans.cancel(tx, again, reason="台风"), CLERK)


def test_a_plan_is_kept_changed_dropped_and_gone_once_published(street):
    save = lambda said, plan=None, actor=CLERK: street.ledger.operate(lambda c, now: plans.save(c, now, actor, HOME, said, plan))  # noqa: E731
    number = save({"title": "看望"})
    assert save({"title": "看望老人"}, number) == number
    with street.read() as tx:
        assert [(plan.id, plan.said) for plan in plans.listing(tx, CLERK)] == [(number, {"title": "看望老人"})]
        assert plans.listing(tx, Actor("sun", "recorder", OTHER)) == []
        with pytest.raises(NotAllowed):
            plans.get(tx, Actor("sun", "recorder", OTHER), number)
    with pytest.raises(InvalidRequest, match="手机号"):
        save({"title": "找 138-1234-5678"})
    other = save({"title": "另一个"})
    street.ledger.operate(lambda c, _: plans.drop(c, CLERK, other))
    publish(street, plan=number)
    with street.read() as tx:
        assert plans.listing(tx, CLERK) == []


def test_the_feed_holds_what_is_public_and_its_address_can_be_changed(street):
    [number] = publish(street, replace(PLANNED, title="看望老人，送温暖；" + "暖" * 40))
    with street.read() as tx:
        address = calendars.token(tx, HOME)
        text = calendars.feed(tx, calendars.station_of(tx, address), "log.example/one")
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    unfolded = text.replace("\r\n ", "")
    assert f"UID:{number}@log.example\r\n" in unfolded
    assert "DTSTART:20250110T140000Z\r\nDTEND:20250110T180000Z\r\n" in unfolded
    assert "SUMMARY:看望老人，送温暖；" + "暖" * 40 + "\r\n" in unfolded
    assert "clerk" not in text
    street.ledger.operate(lambda c, now: calendars.renew(c, now, CLERK, HOME))
    with street.read() as tx:
        assert calendars.token(tx, HOME) != address
        for wrong in (address, OTHER + address[12:], "x", "", "é.1"):
            with pytest.raises(NotFound):
                calendars.station_of(tx, wrong)


# --- rules


def test_each_rule_falls_on_its_days():
    first = date(2025, 1, 31)
    days = lambda every, until: [f"{day:%m-%d}" for day in occurrences(first, Rule(every, until), Calendar().is_workday)]  # noqa: E731
    assert days("week", date(2025, 2, 14)) == ["01-31", "02-07", "02-14"]
    assert days("fortnight", date(2025, 3, 1)) == ["01-31", "02-14", "02-28"]
    assert days("month-day", date(2025, 5, 31)) == ["01-31", "03-31", "05-31"]
    assert days("month-weekday", date(2025, 6, 30)) == ["01-31", "05-30"], "the fifth Friday"


def test_a_holiday_takes_the_weekend_it_meets_and_no_other():
    saturdays = occurrences(date(2025, 9, 20), Rule("week", date(2025, 10, 18), skip_holidays=True), Calendar().is_workday)
    assert saturdays == [date(2025, 9, 20), date(2025, 9, 27), date(2025, 10, 11), date(2025, 10, 18)], "4 October is National Day's"


@pytest.mark.parametrize(
    ("rule", "why"),
    [(Rule("year", date(2025, 2, 1)), "没有这种"), (Rule("week", date(2024, 1, 1)), "早于"), (Rule("week", date(2027, 1, 1)), "一年以内")],
)
def test_a_rule_that_cannot_be_says_why(rule, why):
    with pytest.raises(InvalidRequest, match=why):
        occurrences(date(2025, 1, 31), rule, Calendar().is_workday)


def test_a_year_without_announced_holidays_is_said_not_guessed():
    with pytest.raises(InvalidRequest, match="放假安排还没有录入"):
        occurrences(date(2190, 1, 4), Rule("week", date(2190, 2, 4), skip_holidays=True), Calendar().is_workday)
    assert len(occurrences(date(2190, 1, 4), Rule("week", date(2190, 2, 4)), Calendar().is_workday)) == 5


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.sampled_from(["week", "fortnight", "month-day", "month-weekday"]), st.integers(0, 366)
)
def test_the_first_day_is_always_one_of_them_and_each_is_of_its_kind(first, every, span):
    until = date.fromordinal(first.toordinal() + span)
    days = occurrences(first, Rule(every, until), lambda day: True)
    assert days[0] == first
    assert all(first <= day <= until for day in days)
    if every != "month-day":
        assert {day.weekday() for day in days} == {first.weekday()}
