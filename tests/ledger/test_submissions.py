"""Submissions of several programs in one commit: each has its own answer, and what was said already is a success."""

import pytest
from world import CLERK, HOME, OTHER

from ledger import submissions
from ledger.errors import Conflict, NotAllowed, NotFound
from ledger.ids import new_entry_id
from ledger.refusals import Refusal


@pytest.fixture
def person(world):
    world.station(HOME)
    world.station(OTHER)
    return world.volunteer()


def submit(world, *items):
    return world.write(lambda tx: submissions.record(tx, items))


def test_each_caller_is_answered_in_the_order_of_its_own_drafts(world, person):
    here, there = world.actor("recorder", HOME, "desk"), world.actor("recorder", OTHER, "counter")
    shared = world.activity()

    def draft(day, **said):
        return world.draft(person, f"2025-01-0{day} 09:00", "10:00", activity=shared, **said)

    mine, theirs = submit(
        world,
        (here, [draft(2), draft(3, station=OTHER)]),
        (
            there,
            [
                draft(2, station=OTHER),
                world.draft(person, "2025-01-02 09:30", "10:00", activity=shared, station=OTHER),
                draft(3, station=OTHER),
            ],
        ),
    )
    assert isinstance(mine[1], NotAllowed)
    assert mine[0].new
    assert not theirs[0].new, "said by two at once"
    assert theirs[0].receipt == mine[0].receipt
    assert isinstance(theirs[1], Refusal)
    assert theirs[2].new


def test_a_retry_of_a_receipt_that_got_lost_gives_it_again(world, person):
    draft = world.draft(person, "2025-01-02 09:00", "10:00", id=new_entry_id())
    [[first]], size = submit(world, (CLERK, [draft])), world.size
    [[again]] = submit(world, (CLERK, [draft]))
    assert (first.new, again.new, first.receipt, world.size) == (True, False, again.receipt, size)


def test_an_id_for_something_else_is_a_conflict_of_that_draft_alone(world, person):
    key = new_entry_id()
    submit(world, (CLERK, [world.draft(person, "2025-01-02 09:00", "10:00", id=key)]))
    conflict, fine = submit(
        world, (CLERK, [world.draft(person, "2025-01-03 09:00", "10:00", id=key), world.draft(person, "2025-01-04 09:00", "10:00")])
    )[0]
    assert isinstance(conflict, Conflict)
    assert fine.new


def test_one_id_twice_in_one_call_is_left_to_the_writer_to_take_one_by_one(world, person):
    draft = world.draft(person, "2025-01-02 09:00", "10:00", id=new_entry_id())
    with pytest.raises(Conflict):
        submit(world, (CLERK, [draft]), (CLERK, [draft]))
    assert world.ledger.write_item(submissions.record, [draft], CLERK)[0].new


def test_a_service_counts_for_its_activitys_organisation_and_an_unknown_activity_for_nobodys(world, person):
    unit = world.organisation()
    shared = world.activity(organisation=unit)
    recorded, unknown = submit(
        world,
        (CLERK, [world.draft(person, "2025-01-02 09:00", "10:00", activity=name) for name in (shared, "2222222222")]),
    )[0]
    said = next(entry for entry in world.entries() if entry["index"] == recorded.receipt.index)
    assert said["body"]["organisation"] == unit
    assert isinstance(unknown, NotFound)
