"""Coming and leaving: codes that change, pairs that become records, who forgot, and a thousand at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from world import CLERK, HOME, OTHER, world  # noqa: F401

from ledger import activities
from ledger.activities import Activity
from ledger.attendance import closing, codes, desks
from ledger.attendance.marking import Mark, mark_many
from ledger.errors import InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.people.actors import SCHEDULER, Actor
from ledger.planning import plans
from ledger.service import gates
from ledger.service.records import in_batch
from ledger.tables import PresenceRow, table

START, END = "2025-01-06T10:00", "2025-01-06T12:00"
SUN = Actor("sun", "recorder", OTHER)


@pytest.fixture
def event(world):  # noqa: F811
    """A planned activity whose desk is open, at half past nine."""
    world.station(HOME, population=1000)
    world.station(OTHER)
    said = Activity(HOME, "义诊", "neighbour-care", start=START, end=END, place="广场", responsible_account="clerk")
    [number] = world.write(lambda tx: plans.publish(tx, said), CLERK)
    world.advance(minutes=30)
    world.ledger.operate(lambda c, now: desks.open_desk(c, now, CLERK, number))
    return number


def me(person):
    return Actor("account-" + person, "volunteer", None, person)


def come(world, event, person, how="screen", leaving=None, actor=None):  # noqa: F811
    mark = Mark(event, person, how, world.clock(), leaving)
    return world.ledger.write_item(mark_many, mark, actor or (me(person) if how == "screen" else CLERK))


def close(world, event, actor=CLERK, **said):  # noqa: F811
    return world.write(lambda tx: closing.close(tx, event, **said), actor)


def records(world, batch):  # noqa: F811
    with world.read() as tx:
        return {row.volunteer: row for row in in_batch(tx.connection, batch)}


# --- codes


def test_a_code_is_good_for_its_half_minute_and_the_next_and_then_refused(world):  # noqa: F811
    blind, now = world.ledger.vault.blind, world.clock().replace(second=0)
    code = codes.screen_code(blind, "K7M2Q9XP4Z", now)
    later = [codes.on_screen(blind, "K7M2Q9XP4Z", code, now + timedelta(seconds=s)) for s in (0, 29, 30, 59, 60, 3600)]
    assert later == [True, True, True, True, False, False]
    assert not codes.on_screen(blind, "K7M2Q9XP4Z", code, now - timedelta(seconds=1)), "not before its time either"
    assert not codes.on_screen(blind, "T9SLXA3KEZ", code, now), "another activity's"
    assert codes.on_screen(blind, "K7M2Q9XP4Z", codes.spaced(code).lower(), now), "as it is typed"


def test_ones_own_code_proves_itself_and_an_old_one_is_not_even_a_number(world):  # noqa: F811
    world.station(HOME)
    person, blind, now = world.volunteer(), world.ledger.vault.blind, world.clock().replace(second=0)
    own = codes.own_code(blind, person, now)
    assert codes.read_own(blind, own, now) == (person, True)
    assert codes.read_own(blind, f" {person[:4]}-{person[4:]} ".lower(), now) == (person, False)
    assert codes.read_own(blind, own, now + timedelta(seconds=60)) is None
    assert codes.read_own(blind, own[:-1] + ("2" if own[-1] != "2" else "3"), now) is None
    assert codes.read_own(blind, "张敏", now) is None


def test_a_ticket_remembers_when_for_its_own_activity_and_not_for_long(world):  # noqa: F811
    blind, now = world.ledger.vault.blind, world.clock()
    said = codes.ticket(blind, "K7M2Q9XP4Z", now)
    assert codes.scanned_at(blind, "K7M2Q9XP4Z", said, now + timedelta(minutes=10)) == now
    for wrong in (said[:-1] + "g", "", "..", said.replace("K7M2Q9XP4Z", "T9SLXA3KEZ")):
        assert codes.scanned_at(blind, "K7M2Q9XP4Z", wrong, now) is None
    assert codes.scanned_at(blind, "T9SLXA3KEZ", said, now) is None
    assert codes.scanned_at(blind, "K7M2Q9XP4Z", said, now + timedelta(minutes=10, seconds=1)) is None


# --- coming, leaving, closing


def test_both_sides_there_both_times_is_grade_a_and_a_number_alone_is_b(world, event):  # noqa: F811
    screen, own, number, mixed = (world.volunteer() for _ in range(4))
    ways = {screen: ("screen", "screen"), own: ("own_code", "own_code"), number: ("number", "number"), mixed: ("screen", "number")}
    for person, (how, _) in ways.items():
        come(world, event, person, how)
    world.advance(minutes=120)
    for person, (_, how) in ways.items():
        come(world, event, person, how)
    world.advance(minutes=45)
    done = close(world, event)
    assert (done.attended, done.recorded, done.forgotten, done.refused) == (4, 4, 0, 0)
    found = records(world, done.batch)
    assert [found[person].grade for person in ways] == ["A", "A", "B", "B"]
    assert {(row.start, row.end, row.minutes, row.recorder, row.status) for row in found.values()} == {
        (START, "2025-01-06T11:30", 90, "clerk", "recorded")
    }, "what is before the planned start does not count"
    with world.read() as tx:
        row = activities.get(tx.connection, event)
        assert (row.ended_as, row.attended) == ("closed", 4)
    with pytest.raises(InvalidRequest, match="已经结束"):
        close(world, event)
    with pytest.raises(InvalidRequest, match="签到已经结束"):
        come(world, event, screen)


def test_who_forgot_to_sign_out_left_at_the_planned_end_and_is_marked(world, event):  # noqa: F811
    person = world.volunteer()
    come(world, event, person)
    world.advance(hours=5)
    assert world.write(closing.close_forgotten, SCHEDULER) == 1
    assert world.write(closing.close_forgotten, SCHEDULER) == 0
    with world.read() as tx:
        [row] = desks.everyone(tx.connection, event)
        [record] = in_batch(tx.connection, desks.find(tx.connection, event).batch)
        assert (row.left_by, row.entry_index) == ("planned_end", record.entry_index)
        assert (record.end, record.grade, record.recorder) == (END, "B", "clerk")
        assert desks.forgotten(tx.connection, [record.entry_index, 0]) == {record.entry_index}
        [why] = gates.exceptions(tx, [record])[record.entry_index]
        assert why.startswith("忘记签退")
    closed = world.entries()[-1]
    assert (closed["kind"], closed["actor"], closed["body"]["forgotten"]) == ("activity.closed", "scheduler", 1)


def test_an_approver_is_told_who_forgot_until_somebody_has_put_the_end_right(world, event):  # noqa: F811
    forgetful, careful = world.volunteer(), world.volunteer()
    come(world, event, forgetful)
    come(world, event, careful)
    world.advance(minutes=120)
    come(world, event, careful)
    world.advance(minutes=40)
    batch = close(world, event).batch
    with world.read() as tx:
        first = {row.volunteer: row.entry_index for row in in_batch(tx.connection, batch)}
        assert gates.exceptions(tx, in_batch(tx.connection, batch)).keys() == {first[forgetful]}
    world.correct(first[forgetful], "2025-01-06 10:00", "11:00", "本人说十一点走的")
    with world.read() as tx:
        assert gates.exceptions(tx, in_batch(tx.connection, batch)) == {
            first[forgetful]: ["已更正：本人说十一点走的（原来 10:00–12:00，2小时）"]
        }


def test_a_desk_still_in_time_is_not_closed_by_the_clock(world, event):  # noqa: F811
    world.advance(hours=2, minutes=30 + 119)
    assert world.write(closing.close_forgotten, SCHEDULER) == 0


def test_several_pairs_are_several_records_and_saying_it_again_changes_nothing(world, event):  # noqa: F811
    person = world.volunteer()
    world.advance(minutes=30)
    first = come(world, event, person, leaving=False)
    world.advance(minutes=5)
    assert come(world, event, person, leaving=False).came_at == first.came_at
    world.advance(minutes=25)
    come(world, event, person, leaving=True)
    assert come(world, event, person, leaving=True).again
    world.advance(minutes=30)
    come(world, event, person, leaving=False)
    world.advance(minutes=60)
    done = close(world, event, end=datetime.fromisoformat("2025-01-06T11:50"))
    with world.read() as tx:
        times = [(row.start[11:], row.end[11:], row.grade) for row in in_batch(tx.connection, done.batch)]
    assert times == [("10:00", "10:30", "A"), ("11:00", "11:50", "B")]
    assert (done.attended, done.recorded, done.forgotten) == (1, 2, 1)


def test_the_same_scan_does_not_also_sign_out(world, event):  # noqa: F811
    person = world.volunteer()
    come(world, event, person, "own_code")
    world.advance(seconds=20)
    assert come(world, event, person, "own_code").left_at is None, "read twice"
    with pytest.raises(InvalidRequest, match="刚刚才签到"):
        come(world, event, person, leaving=True)
    world.advance(minutes=5)
    assert come(world, event, person, "own_code").left_at == world.clock()
    world.advance(seconds=20)
    assert come(world, event, person, "own_code").again


def test_nobody_signs_in_for_somebody_else_nor_at_a_strange_desk_nor_unknown(world, event):  # noqa: F811
    person, other = world.volunteer(), world.volunteer()
    with pytest.raises(NotAllowed, match="只能给自己"):
        come(world, event, person, actor=me(other))
    with pytest.raises(NotAllowed, match="不在您的管理范围"):
        come(world, event, person, "number", actor=SUN)
    with pytest.raises(NotFound, match="没有这个志愿者编号"):
        come(world, event, "2222222222", "number")
    with pytest.raises(InvalidRequest, match="还没有签到"):
        come(world, event, person, leaving=True)
    with pytest.raises(NotFound, match="还没有开始签到"):
        come(world, "2222222222", person)
    with pytest.raises(NotAllowed):
        close(world, event, SUN)
    world.advance(hours=3)
    with pytest.raises(InvalidRequest, match="过了结束时间"):
        come(world, event, person)


def test_an_overlap_is_refused_at_the_close_and_listed_and_hurts_nobody_else(world, event):  # noqa: F811
    busy, free = world.volunteer(registered_on="2025-01-01"), world.volunteer(registered_on="2025-01-01")
    for person in (busy, free):
        come(world, event, person)
    world.advance(hours=3)
    elsewhere = world.serve(busy, "2025-01-06 11:00", "12:10", station=OTHER, actor=SUN)
    done = close(world, event)
    assert (done.recorded, done.refused) == (1, 1)
    with world.read() as tx:
        told = {row.volunteer: (row.entry_index, row.refusal) for row in desks.everyone(tx.connection, event)}
    assert told[busy][0] is None
    assert "11:00" in told[busy][1] or str(elsewhere.index) in told[busy][1]
    assert told[free][1] is None


def test_an_activity_without_a_desk_is_closed_with_those_its_sheet_recorded(world, event):  # noqa: F811
    person = world.volunteer(registered_on="2025-01-01")
    said = Activity(HOME, "巡逻", "safe-community", start=START, end=END, place="街", responsible_account="clerk")
    [number] = world.write(lambda tx: plans.publish(tx, said), CLERK)
    with pytest.raises(InvalidRequest, match="还没有开始"):
        close(world, number)
    world.advance(hours=4)
    world.serve(person, "2025-01-06 10:00", "11:00", activity=number)
    assert (close(world, number).attended, close(world, event).attended) == (1, 0)


def test_a_desk_opens_only_shortly_before(world, event):  # noqa: F811
    said = Activity(
        HOME, "巡逻", "safe-community", start="2025-01-06T20:00", end="2025-01-06T21:00", place="街", responsible_account="clerk"
    )
    [number] = world.write(lambda tx: plans.publish(tx, said), CLERK)
    with pytest.raises(InvalidRequest, match="两小时以内"):
        world.ledger.operate(lambda c, now: desks.open_desk(c, now, CLERK, number))
    with pytest.raises(NotAllowed):
        world.ledger.operate(lambda c, now: desks.open_desk(c, now, SUN, event))
    come(world, event, world.volunteer())
    with pytest.raises(InvalidRequest, match="不能取消"):
        world.write(lambda tx: plans.cancel(tx, event, reason="雨"), CLERK)


def test_of_a_thousand_who_sign_in_at_once_none_is_lost_and_none_doubled(world, event):  # noqa: F811
    people = [world.volunteer() for _ in range(40)]
    numbers = people * 25  # each says it twenty-five times

    def ask(person):
        return come(world, event, person, leaving=False)

    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(ask, numbers))
    assert not [answer for answer in answers if isinstance(answer, LedgerError)]
    assert sum(not answer.again for answer in answers) == len(people)
    with world.read() as tx:
        presence = table(PresenceRow)
        assert tx.connection.execute(select(func.count()).select_from(presence)).scalar_one() == len(people)
        assert desks.counts(tx.connection, event).present == len(people)


def test_a_crowd_of_strangers_among_many_is_told_each_alone(world, event):  # noqa: F811
    person = world.volunteer()
    items = [(me(person), Mark(event, person, "screen", world.clock())), (CLERK, Mark(event, "2222222222", "number", world.clock()))]
    good, bad = world.write(lambda tx: mark_many(tx, items), CLERK)
    assert (good.volunteer, type(bad)) == (person, NotFound)


# --- interval arithmetic


BASE = datetime(2025, 1, 5)
minutes = st.integers(0, 3 * 1440).map(lambda n: BASE + timedelta(minutes=n))


def interval(first, last):
    return st.tuples(first, last).map(sorted).map(tuple)


@st.composite
def breaks_apart(draw):
    cuts = sorted(draw(st.lists(st.integers(0, 3 * 1440), min_size=0, max_size=8, unique=True)))
    return [(BASE + timedelta(minutes=a), BASE + timedelta(minutes=b)) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]


@given(interval(minutes, minutes), interval(minutes, minutes), breaks_apart())
def test_what_counts_is_every_minute_that_is_in_both_and_in_no_break(present, within, breaks):
    def counts(minute):
        return all(a <= minute < b for a, b in (present, within)) and not any(a <= minute < b for a, b in breaks)

    wanted = sum(counts(BASE + timedelta(minutes=n)) for n in range(3 * 1440))
    found = closing.count_in(present, within, breaks)
    if found is None:
        assert wanted == 0
        return
    (start, end), resting = found
    assert (end - start) // timedelta(minutes=1) - resting == wanted
    assert counts(start)
    assert counts(end - timedelta(minutes=1))
