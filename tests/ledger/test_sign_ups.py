"""A place at an activity to come: offered near home, asked for once, let go of; never longer kept than it is of use."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from world import CENTRE, CLERK, HOME, OTHER

from jobs.desks import forget_sign_ups
from ledger import activities, notices
from ledger.activities import Activity
from ledger.drafting import filling
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people import erasures, merging, my_data, withdrawals
from ledger.people.actors import OPERATOR, SCHEDULER, Actor
from ledger.people.fields import BESIDE
from ledger.people.merging import propose
from ledger.people.proposals import Proposal, get_row
from ledger.planning import plans, sign_ups

VISIT = Activity(
    HOME,
    "看望独居老人",
    "neighbour-care",
    start="2025-01-10T09:00",
    end="2025-01-10T11:00",
    place="梅山路",
    services=["companionship"],
    places=2,
)
ABOVE, SECOND = Actor("above", "approver", CENTRE), Actor("second", "approver", CENTRE)


@pytest.fixture
def street(world):
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE, population=100)
    world.station(OTHER, parent=CENTRE, population=100)
    world.person = world.volunteer()
    return world


def me(number):
    return Actor("own-" + number, "volunteer", None, number)


def publish(world, **said):
    by = ABOVE if said.get("station") == CENTRE else CLERK
    activity = replace(VISIT, responsible_account=by.account, **said)
    return world.write(lambda tx: plans.publish(tx, activity), by)[0]


def sign_up(world, activity, number=None):
    world.ledger.operate(lambda c, now: sign_ups.sign_up(c, now, me(number or world.person), activity))


def withdraw(world, activity, number=None):
    world.ledger.operate(lambda c, now: sign_ups.withdraw(c, now, me(number or world.person), activity))


def coming(world, number=None):
    with world.read() as tx:
        return sign_ups.coming(tx, me(number or world.person))


def kept(world):
    return world.sql("SELECT activity, volunteer FROM sign_up ORDER BY activity, volunteer")


def told(world, number=None):
    with world.read() as tx:
        return [(one.what, one.about) for one in notices.inbox(tx, "person/" + (number or world.person))]


def test_what_is_offered_is_to_come_and_at_the_own_station_or_above_it_in_order_of_time(street):
    later = publish(street, title="春节联欢", station=CENTRE, start="2025-01-12T09:00", end="2025-01-12T10:00", places=None)
    soon = publish(street)
    publish(street, station=OTHER)
    off = publish(street, title="扫雪")
    street.write(lambda tx: plans.cancel(tx, off, reason="没有雪"), CLERK)
    street.activity(start="2025-01-10T08:00", end="2025-01-10T09:00", title="照签到表登记的")
    assert [(one.row.id, one.left, one.mine) for one in coming(street)] == [(soon, 2, False), (later, None, False)]
    street.clock.now = street.clock.now.replace(day=10, hour=9, minute=0)
    assert [one.row.id for one in coming(street)] == [later], "what has begun is not offered"


def test_a_place_is_asked_for_once_and_let_go_of(street):
    activity = publish(street)
    for _ in range(2):
        sign_up(street, activity)
    assert kept(street) == [(activity, street.person)]
    [one] = coming(street)
    assert (one.mine, one.taken, one.left) == (True, 1, 1)
    withdraw(street, activity)
    withdraw(street, activity)
    assert kept(street) == []


def test_when_the_places_are_taken_nobody_gets_one_until_somebody_lets_go(street):
    activity = publish(street)
    others = [street.volunteer() for _ in range(2)]
    for number in others:
        sign_up(street, activity, number)
    with pytest.raises(InvalidRequest, match="名额刚刚满了"):
        sign_up(street, activity)
    withdraw(street, activity, others[0])
    sign_up(street, activity)


def test_many_at_once_get_no_more_places_than_there_are(street):
    activity, people = publish(street), [street.volunteer() for _ in range(6)]

    def one(number):
        try:
            sign_up(street, activity, number)
        except InvalidRequest:
            return 0
        return 1

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(one, people)) == 2
    assert len(kept(street)) == 2


def test_nobody_is_in_two_places_at_once(street):
    first = publish(street)
    second = publish(street, title="扫雪", start="2025-01-10T10:30", end="2025-01-10T12:00")
    after = publish(street, title="清点物资", start="2025-01-10T11:00", end="2025-01-10T12:00")
    sign_up(street, first)
    with pytest.raises(InvalidRequest, match="看望独居老人"):
        sign_up(street, second)
    assert {one.row.id: one.clash for one in coming(street)} == {first: "", second: "看望独居老人", after: ""}
    sign_up(street, after)
    street.write(lambda tx: plans.cancel(tx, first, reason="下雪"), CLERK)
    withdraw(street, after)
    sign_up(street, second)


def test_another_stations_activity_is_as_if_it_were_not_there(street):
    activity = publish(street, station=OTHER)
    said = []
    for number in (activity, "2222222222"):
        with pytest.raises(NotFound) as refusal:
            sign_up(street, number)
        said.append(str(refusal.value))
    assert said[0] == said[1]
    with pytest.raises(NotAllowed):
        street.ledger.operate(lambda c, now: sign_ups.sign_up(c, now, CLERK, activity))


def test_the_desk_signs_up_whoever_rang_and_lets_go_under_the_same_rules(street):
    def at_desk(work, number, by=CLERK):
        street.ledger.operate(lambda c, now: work(c, now, by, activity, number))

    activity, friend, stranger = publish(street), street.volunteer(), street.volunteer(OTHER)
    at_desk(sign_ups.sign_up_at_desk, street.person)
    at_desk(sign_ups.sign_up_at_desk, street.person)
    assert kept(street) == [(activity, street.person)]
    assert coming(street)[0].mine, "they see it as their own"
    with pytest.raises(NotFound):
        at_desk(sign_ups.sign_up_at_desk, stranger)
    with pytest.raises(NotAllowed):
        at_desk(sign_ups.sign_up_at_desk, friend, Actor("abroad", "recorder", OTHER))
    at_desk(sign_ups.sign_up_at_desk, friend)
    with pytest.raises(InvalidRequest, match="名额刚刚满了"):
        at_desk(sign_ups.sign_up_at_desk, street.volunteer())
    at_desk(sign_ups.withdraw_at_desk, friend)
    assert kept(street) == [(activity, street.person)]


@pytest.mark.parametrize("act", [sign_up, withdraw])
def test_from_its_beginning_on_nothing_is_asked_for_or_let_go_of(street, act):
    activity = publish(street)
    street.clock.now = street.clock.now.replace(day=10, hour=9, minute=0)
    with pytest.raises(InvalidRequest, match="已经开始"):
        act(street, activity)


def test_who_signed_up_is_told_when_it_is_called_off_and_sees_it_struck_out(street):
    activity, other = publish(street), street.volunteer()
    sign_up(street, activity)
    street.write(lambda tx: plans.cancel(tx, activity, reason="台风"), CLERK)
    assert told(street) == [("activity.cancelled", {"activity": activity, "served_on": "2025-01-10", "station": HOME})]
    assert told(street, other) == []
    [one] = coming(street)
    assert (one.mine, one.row.ended_as, one.row.ended_reason) == (True, "cancelled", "台风")
    withdraw(street, activity)
    assert coming(street) == []


def test_the_sheet_of_the_activity_has_them_ticked_with_the_people_of_last_time(street):
    last, new = street.person, street.volunteer()
    before = street.activity(title=VISIT.title)
    street.serve(last, "2025-01-03 09:00", "11:00", activity=before)
    activity = publish(street)
    sign_up(street, activity, new)
    street.clock.now = street.clock.now.replace(day=11, hour=9)
    with street.read() as tx:
        [template] = [row for row in filling.templates(tx, HOME) if row.title == VISIT.title]
        sheet = filling.begin(tx, HOME, template)
    assert template.id == activity
    assert (sheet.day, {row.who for row in sheet.rows if row.on}) == ("2025-01-10", {last, new})
    street.serve(new, "2025-01-10 09:00", "11:00", activity=activity)
    with street.read() as tx:
        again = filling.begin(tx, HOME, activities.get(tx.connection, activity))
    assert (again.day, {row.who for row in again.rows}) == ("2025-01-11", {new}), "once it is recorded, it is the next one's template"


def test_what_is_still_to_come_is_the_last_to_begin_a_sheet_from(street):
    held = publish(street)
    publish(street, start="2025-01-17T09:00", end="2025-01-17T11:00")
    street.clock.now = street.clock.now.replace(day=11, hour=9)
    with street.read() as tx:
        assert [row.id for row in filling.templates(tx, HOME)] == [held]


def test_each_planned_day_whose_sheet_is_not_there_yet_is_offered_until_it_is_recorded(street):
    first = publish(street)
    second = publish(street, start="2025-01-12T09:00", end="2025-01-12T11:00")
    publish(street, start="2025-01-19T09:00", end="2025-01-19T11:00")
    street.clock.now = street.clock.now.replace(day=13, hour=9)
    with street.read() as tx:
        assert [row.id for row in filling.unrecorded(tx, HOME)] == [second, first]
    street.serve(street.volunteer(), "2025-01-12 09:00", "11:00", activity=second)
    with street.read() as tx:
        assert [row.id for row in filling.unrecorded(tx, HOME)] == [first]


def test_it_stands_in_everything_about_me_and_is_gone_a_month_after_the_activity(street):
    activity = publish(street)
    sign_up(street, activity)
    with street.read() as tx:
        said = my_data.everything(tx, street.person)
    assert [(one["activity"], one["title"]) for one in said["sign_ups"]] == [(activity, VISIT.title)]
    assert [one["value"] for one in said["beside"] if one["label"] == "活动报名"] == ["1 件"]
    assert f"{sign_ups.KEPT.days} 天" in next(one.kept for one in BESIDE if one.key == "sign_ups")
    for day, left in (("2025-02-09", 1), ("2025-02-10", 0)):
        street.clock.now = street.clock.now.replace(year=2025, month=date.fromisoformat(day).month, day=date.fromisoformat(day).day)
        street.write(lambda tx: forget_sign_ups(street.ledger, tx, street.today), SCHEDULER)
        assert len(kept(street)) == left, day


def test_who_leaves_or_is_erased_is_expected_nowhere(street):
    activity, other = publish(street), street.volunteer()
    for number in (street.person, other):
        sign_up(street, activity, number)
    street.write(lambda tx: withdrawals.withdraw(tx, street.person, "own_wish"), me(street.person))
    assert kept(street) == [(activity, other)]
    assert coming(street) == []
    with pytest.raises(InvalidRequest, match="登记已经结束"):
        sign_up(street, activity)
    request = street.write(lambda tx: erasures.ask(tx, other, "own_wish"), CLERK)
    street.write(lambda tx: erasures.carry_out(tx, request), SECOND)
    street.ledger.finish_erasures()
    assert kept(street) == []


def test_a_merged_number_hands_its_places_over(street):
    gone, stays = street.volunteer(), street.person
    first = publish(street)
    second = publish(street, title="扫雪", start="2025-01-11T09:00", end="2025-01-11T10:00")
    sign_up(street, first, gone)
    sign_up(street, second, gone)
    sign_up(street, first, stays)
    proposal = street.write(lambda tx: propose(tx, gone, stays, "同一个人"), CLERK)

    def merge(tx):
        row = get_row(tx.connection, proposal)
        merging.carry_out(tx, Proposal(row, {"into": stays, "reason": "同一个人"}))

    street.write(merge, OPERATOR)
    assert sorted(kept(street)) == sorted([(first, stays), (second, stays)])
    assert len(coming(street, gone)) == 2, "the old number finds the new one"
