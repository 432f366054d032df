"""What a freeze holds: what the ledger held at that size, and each record found again by its number, whose ever it is."""

import pytest
from selecting import Selecting, town
from world import CENTRE

from ledger import history
from ledger.people.actors import Actor
from ledger.selections import reading, sources
from ledger.selections.sources import Scope

ABOVE = Actor("above", "official")
STAFF = {"from": "08:30", "to": "17:30"}


@pytest.fixture
def held(world):
    found = Selecting(world)
    found.people, found.records = town(world)
    found.team = world.organisation()
    came = {"organisation": found.team, "activity": world.activity(title="巡逻", series="safe-community"), "settled": True}
    times = [(f"2025-01-05 {hour:02}:00", f"{hour + 2:02}:00") for hour in range(9, 13)]
    found.done = [world.serve(one, *time, **came).index for one, time in zip(found.people, times, strict=True)]
    return found


def seen(source):
    """Everything that is counted of records, and what is left out and why."""
    names = ("service", "subject", "person", "activity", "served_on", "start", "end", "minutes", "grade", "recorder", "recorded_at")
    rows = source.connection.execute(source.records.select()).all()
    return sorted(tuple(getattr(row, name) for name in names) for row in rows), dict(source.out)


@pytest.mark.parametrize(
    "said", [{}, {"subject": "organisations"}, {"grades": ["A", "B"]}, {"exclude_series": ["neighbour-care"]}, {"staff": 1}]
)
def test_what_was_frozen_is_what_the_ledger_held_then_whatever_came_later(world, held, said):
    if "staff" in said:
        said = {"staff": STAFF | {"people": held.people[:2]}}
    waiting = world.serve(held.people[2], "2025-01-04 09:00", "10:00").index
    selection = held.opened(tie_break=["number"], **said)
    world.approve(waiting)
    world.void(held.records[0], actor=ABOVE)
    world.correct(held.done[0], "2025-01-04 13:00", "14:00", actor=ABOVE)
    world.serve(held.people[1], "2025-01-03 19:00", "20:00", organisation=held.team, settled=True)
    row = held.row(selection)
    with world.read() as tx:
        scope = Scope(reading.rules_of(row), sources.units_below(tx.connection, CENTRE), row.period_from, row.period_to, row.counted_on)
        frozen = seen(reading.source_of(tx.connection, row))
        with history.as_known(tx.connection, row.tree_size) as then:
            assert frozen == seen(sources.live(then, scope))
        assert frozen[0] != seen(sources.live(tx.connection, scope))[0]
    assert len(frozen[0]) >= 4
    assert bool(frozen[1]) == ("staff" in said)
    world.check()


def test_records_of_an_organisation_are_dropped_and_let_in_by_their_numbers(world, held):
    dropped, corrected, *_ = held.done
    selection = held.opened(subject="organisations", tie_break=["number"])
    assert held.listed(selection) == [(held.team, 480)]
    world.advance(days=1)
    held.settle_doubt(selection, dropped, "drop")
    assert held.listed(selection) == [(held.team, 360)]
    world.correct(corrected, "2025-01-05 10:00", "11:00", actor=ABOVE)
    world.approve(corrected)
    held.publish(selection)
    objection = held.contest(selection, "other", "时间抄错了")
    world.advance(days=20)
    held.decide(objection, admit=[corrected], keep=[dropped])
    assert held.listed(selection) == [(held.team, 420)]
    world.check()
