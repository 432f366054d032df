"""A batch taken back by whoever recorded it, or voided as a whole by two; every hour of it stops counting, and everybody is told."""

import pytest
from world import APPROVER, CENTRE, CLERK, HOME, OTHER

from ledger import batches
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_entry_id
from ledger.people.actors import Actor

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
