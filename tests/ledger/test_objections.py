"""Objections: a volunteer says that a record is not right; somebody who had no part in it decides, and the record follows."""

import pytest
from world import CENTRE, HOME, OTHER, local

from ledger import notices
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people.actors import Actor
from ledger.service import amending, approving, objections
from ledger.service.objections import Times

CLERK, APPROVER = Actor("clerk", "recorder"), Actor("approver", "approver")
LOCAL, ABOVE = Actor("local", "approver", HOME), Actor("above", "approver", CENTRE)


@pytest.fixture
def street(world):
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE, population=100)
    world.station(OTHER, parent=CENTRE, population=100)
    return world


def me(number):
    return Actor("own-" + number, "volunteer", None, number)


def contest(world, number, index, claim, words=""):
    return world.write(lambda tx: objections.contest(tx, index, claim, words), me(number)).index


def decide(world, objection, finding, by=ABOVE, times=None, reason="核对了签到表"):
    return world.write(lambda tx: objections.decide(tx, objection, finding, reason, times), by)


def waiting(world, by=ABOVE):
    with world.read() as tx:
        return objections.waiting(tx, by)


def states(world, number):
    found = world.credit(number)
    return found.minutes, sorted(item.status for item in [*found.records, *found.others])


def served(world, number, *, approved=True, counts=True):
    index = world.serve(number, "2025-01-05 09:00", "11:00").index
    if approved:
        world.approve(index)
    if counts:
        world.advance(days=14)
    return index


def test_an_objection_to_a_record_in_publicity_freezes_it_until_it_is_decided(street):
    number = street.volunteer()
    index = served(street, number, counts=False)
    objection = contest(street, number, index, "time", "那天我四点才走")
    street.advance(days=14)
    assert states(street, number) == (0, ["contested"])
    [one] = waiting(street)
    assert (one.words, one.row.claim, one.overdue, one.barred) == ("那天我四点才走", "time", True, "")
    decide(street, objection, "rejected")
    assert states(street, number) == (120, ["counted"])
    assert waiting(street) == []


def test_a_record_that_counts_goes_on_counting_unless_the_person_says_that_it_was_not_them(street):
    number = street.volunteer()
    index = served(street, number)
    objection = contest(street, number, index, "missing")
    assert states(street, number) == (120, ["counted"])
    decide(street, objection, "rejected", LOCAL)
    objection = contest(street, number, index, "not_me")
    assert states(street, number) == (0, ["contested"])
    assert street.rates(2025)[HOME]["minutes"] == 0
    decide(street, objection, "upheld")
    assert states(street, number) == (0, ["voided"])


def test_not_me_is_decided_at_the_unit_above(street):
    number = street.volunteer()
    objection = contest(street, number, served(street, number), "not_me")
    assert "上一级" in waiting(street, LOCAL)[0].barred
    with pytest.raises(NotAllowed, match="上一级"):
        decide(street, objection, "rejected", LOCAL)
    decide(street, objection, "rejected")
    assert states(street, number) == (120, ["counted"])


@pytest.mark.parametrize("who", [CLERK, APPROVER, Actor("away", "approver", OTHER)])
def test_whoever_recorded_or_approved_it_or_has_no_say_there_does_not_decide(street, who):
    number = street.volunteer()
    objection = contest(street, number, served(street, number), "time")
    with pytest.raises(NotAllowed):
        decide(street, objection, "rejected", Actor(who.account, "approver", who.station))


def test_a_justified_objection_to_the_times_corrects_them_and_a_third_person_approves(street):
    number = street.volunteer()
    index = served(street, number)
    objection = contest(street, number, index, "missing")
    with pytest.raises(InvalidRequest, match="实际的开始和结束"):
        decide(street, objection, "upheld")
    decide(street, objection, "upheld", times=Times(local("2025-01-05 09:00"), local("2025-01-05 12:00")))
    assert states(street, number) == (0, ["waiting"])
    with pytest.raises(NotAllowed, match="登记或更正"):
        street.approve(index, actor=ABOVE)
    street.approve(index)
    street.advance(days=30)
    assert states(street, number) == (180, ["counted"])


def test_while_it_waits_nobody_approves_corrects_or_voids_the_record(street):
    number = street.volunteer()
    index = served(street, number, approved=False, counts=False)
    contest(street, number, index, "absent")
    for act in (lambda tx: approving.approve(tx, [index]), lambda tx: amending.void(tx, index, reason="重复登记")):
        with pytest.raises(InvalidRequest, match="异议"):
            street.write(act, ABOVE)
    with pytest.raises(InvalidRequest, match="正在处理"):
        contest(street, number, index, "time")


def test_only_the_person_objects_and_to_any_record_even_a_voided_one(street):
    number, other = street.volunteer(), street.volunteer()
    index = served(street, number, approved=False)
    with pytest.raises(NotFound, match="不是您的服务记录"):
        contest(street, other, index, "not_me")
    with pytest.raises(NotFound, match="不是您的服务记录"):
        street.write(lambda tx: objections.contest(tx, index, "time"), ABOVE)
    street.void(index)
    objection = contest(street, number, index, "missing")
    decide(street, objection, "upheld", reason="作废有误，已另行补记")
    assert states(street, number) == (0, ["voided"])
    with pytest.raises(InvalidRequest, match="已经有人处理"):
        decide(street, objection, "rejected")


def test_the_persons_own_words_are_in_no_entry(street):
    number = street.volunteer()
    contest(street, number, served(street, number), "time", "是王芳替我签的")
    assert "王芳" not in str(street.entries())


def test_in_a_year_whose_calendar_is_not_known_there_is_no_due_day(street):
    number = street.volunteer()
    index = served(street, number)
    street.clock.now = street.clock.now.replace(year=2199)
    contest(street, number, index, "time")
    assert (waiting(street)[0].row.due_on, waiting(street)[0].overdue) == (None, False)


def test_the_desk_takes_an_objection_down_and_whoever_did_does_not_decide_it(street):
    number = street.volunteer()
    index = served(street, number)
    with pytest.raises(NotFound, match="不是您站点"):
        street.write(lambda tx: objections.contest_at_desk(tx, index, "time"), Actor("away", "recorder", OTHER))
    objection = street.write(lambda tx: objections.contest_at_desk(tx, index, "time", "九点半才开始"), LOCAL).index
    [one] = waiting(street, LOCAL)
    assert (one.row.actor, one.words) == ("local", "九点半才开始")
    with street.read() as tx:
        assert notices.inbox(tx, f"person/{number}")[0].what == "objection.taken_down", "the person hears what was said for them"
    assert "代为记下" in one.barred
    with pytest.raises(NotAllowed, match="代为记下"):
        decide(street, objection, "rejected", LOCAL)
    decide(street, objection, "rejected")
