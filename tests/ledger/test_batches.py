"""A batch taken back by whoever recorded it, or voided as a whole by two; every hour of it stops counting, and everybody is told."""

import pytest
from world import APPROVER, CENTRE, CLERK, HOME, OTHER, local

from ledger import batches
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_entry_id
from ledger.people.actors import Actor
from ledger.service import objections
from ledger.service.objections import Times

SECOND = Actor("second", "approver", CENTRE)
ABROAD = Actor("abroad", "approver", OTHER)


@pytest.fixture
def batch(world):
    """Three services recorded at once; the batch's id and the numbers of its entries."""
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE, population=1000)
    world.station(OTHER, parent=CENTRE, population=500)
    unit = world.organisation()
    people = [world.volunteer() for _ in range(3)]
    made, activity = new_entry_id(), world.activity(organisation=unit)
    drafts = [world.draft(one, "2025-01-04 09:00", "11:00", activity=activity, batch=made, organisation=unit) for one in people[:2]]
    drafts.append(world.draft(people[2], "2025-01-04 09:00", "11:00", batch=made))
    return made, [receipt.index for receipt in world.serve_many(drafts)], people


def states(world):
    return [status for (status,) in world.sql("SELECT status FROM service ORDER BY entry_index")]


def test_before_any_approval_the_recorder_takes_a_batch_back_alone_with_a_reason(world, batch):
    made, indexes, _ = batch
    for actor, reason, refusal in (
        (APPROVER, "写错了", NotAllowed),
        (CLERK, " ", InvalidRequest),
        (CLERK, "叫 13800001234", InvalidRequest),
    ):
        with pytest.raises(refusal):
            world.write(lambda tx, reason=reason: batches.undo(tx, made, reason), actor)
    world.write(lambda tx: batches.undo(tx, made, "日期写错了"), CLERK)
    assert states(world) == ["voided"] * 3
    said = [entry["body"] for entry in world.entries() if entry["kind"] == "batch.voided"]
    assert sorted(index for body in said for index in body["services"]) == indexes
    assert [("organisation" in body, "proposed_by" in body) for body in said] == [(False, False), (True, False)]
    with pytest.raises(InvalidRequest):
        world.write(lambda tx: batches.undo(tx, made, "再来一次"), CLERK)


def test_after_an_approval_nobody_voids_a_batch_alone(world, batch):
    made, indexes, people = batch
    world.approve(*indexes)
    world.advance(days=20)
    assert world.credit(people[0]).minutes == 120
    with pytest.raises(Conflict):
        world.write(lambda tx: batches.undo(tx, made, "日期写错了"), CLERK)
    with pytest.raises(NotFound):
        world.write(lambda tx: batches.void(tx, made), SECOND)
    with pytest.raises(NotAllowed):
        world.write(lambda tx: batches.ask_void(tx, made, "不是本站的"), ABROAD)
    world.write(lambda tx: batches.ask_void(tx, made, "活动没有举行"), CLERK)
    with pytest.raises(Conflict):
        world.write(lambda tx: batches.ask_void(tx, made, "再说一遍"), SECOND)
    for actor in (CLERK, ABROAD):
        with pytest.raises(NotAllowed):
            world.write(lambda tx: batches.void(tx, made), actor)
    with world.read() as tx:
        assert [wish.batch for wish in batches.waiting(tx, SECOND)] == [made]
        assert batches.waiting(tx, ABROAD) == batches.waiting(tx, CLERK) == []
    assert states(world) == ["approved"] * 3
    world.write(lambda tx: batches.void(tx, made), SECOND)
    assert states(world) == ["voided"] * 3
    assert world.credit(people[0]).minutes == 0
    last = world.entries()[-1]
    assert (last["actor"], last["body"]["proposed_by"], last["body"]["reason"]) == ("second", "clerk", "活动没有举行")
    told = {recipient for (recipient,) in world.sql("SELECT recipient FROM notice WHERE what = 'service.voided'")}
    assert told == {"person/" + one for one in people}


def test_an_approver_who_asks_does_not_also_say_yes(world, batch):
    made, indexes, _ = batch
    world.approve(*indexes)
    world.write(lambda tx: batches.ask_void(tx, made, "活动没有举行"), SECOND)
    with pytest.raises(NotAllowed):
        world.write(lambda tx: batches.void(tx, made), SECOND)
    world.write(lambda tx: batches.decline(tx, made), APPROVER)
    with world.read() as tx:
        assert batches.asked(tx, made) is None
    assert states(world) == ["approved"] * 3


def test_what_was_void_by_itself_stays_as_it_was(world, batch):
    made, indexes, _ = batch
    world.void(indexes[0], reason="这个人没来")
    world.write(lambda tx: batches.undo(tx, made, "日期写错了"), CLERK)
    assert world.sql("SELECT reason FROM service ORDER BY entry_index") == [("这个人没来",), ("日期写错了",), ("日期写错了",)]


def own(number):
    return Actor("own-" + number, "volunteer", None, number)


def contest(world, number, index, claim):
    return world.write(lambda tx: objections.contest(tx, index, claim), own(number)).index


def told(world, number):
    return [what for (what,) in world.sql("SELECT what FROM notice WHERE recipient = ? ORDER BY id DESC", f"person/{number}")]


def finding(world, objection):
    return world.sql("SELECT finding, reason, decided_by FROM objection WHERE entry_index = ?", objection)[0]


def test_voiding_a_batch_decides_the_objections_that_ask_for_just_that_and_tells_the_people(world, batch):
    made, indexes, people = batch
    world.approve(*indexes)
    absent = contest(world, people[0], indexes[0], "absent")
    longer = contest(world, people[1], indexes[1], "missing")
    world.write(lambda tx: batches.ask_void(tx, made, "整张表登记了两次"), CLERK)
    world.write(lambda tx: batches.void(tx, made), SECOND)
    assert states(world) == ["voided"] * 3
    assert finding(world, absent) == ("upheld", "整批作废：整张表登记了两次", "second")
    assert finding(world, longer) == (None, None, None)
    assert sorted(told(world, people[0])[:2]) == ["service.objection_decided", "service.voided"]
    assert sorted(told(world, people[1])[:2]) == ["objection.goes_on", "service.voided"]
    assert told(world, people[2])[0] == "service.voided"


def test_an_objection_that_goes_on_after_the_voiding_may_end_in_a_new_record(world, batch):
    made, indexes, people = batch
    world.approve(*indexes)
    longer = contest(world, people[1], indexes[1], "missing")
    world.write(lambda tx: batches.ask_void(tx, made, "整张表的时间抄错了"), CLERK)
    world.write(lambda tx: batches.void(tx, made), SECOND)
    times = Times(local("2025-01-04 09:00"), local("2025-01-04 12:00"))
    world.write(lambda tx: objections.decide(tx, longer, "upheld", "负责人证实到十二点", times), SECOND)
    [(index, recorder, activity, status)] = world.sql("SELECT entry_index, recorder, activity, status FROM service WHERE minutes = 180")
    assert (recorder, status) == ("second", "recorded")
    assert activity == world.sql("SELECT activity FROM service WHERE entry_index = ?", indexes[1])[0][0]
    world.approve(index)
    world.advance(days=20)
    assert world.credit(people[1]).minutes == 180


@pytest.mark.parametrize(("claim", "who", "why"), [("absent", APPROVER, "您登记、更正或审核"), ("not_me", None, "上一级")])
def test_whoever_may_not_decide_an_objection_does_not_void_it_away(world, batch, claim, who, why):
    made, indexes, people = batch
    world.approve(*indexes)
    objection = contest(world, people[0], indexes[0], claim)
    world.write(lambda tx: batches.ask_void(tx, made, "活动没有举行"), CLERK)
    with pytest.raises(NotAllowed, match=why):
        world.write(lambda tx: batches.void(tx, made), who or Actor("near", "approver", HOME))
    assert (finding(world, objection)[0], states(world)) == (None, ["approved"] * 3)
    world.write(lambda tx: batches.void(tx, made), SECOND)
    assert finding(world, objection)[0] == "upheld"


def test_the_recorder_does_not_take_back_what_somebody_objected_to(world, batch):
    made, indexes, people = batch
    contest(world, people[0], indexes[0], "not_me")
    with pytest.raises(Conflict, match="异议"):
        world.write(lambda tx: batches.undo(tx, made, "日期写错了"), CLERK)
