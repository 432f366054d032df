"""Who is behind a figure: as many people as the figure says, those whom a naive recount finds, and nobody twice."""

import recounting
from world import CENTRE, HOME, OTHER

from ledger import behind, rates


def test_a_list_has_the_people_that_its_figure_counts(world):
    people = world.town()
    mover = world.volunteer(OTHER, registered_on="2025-01-03")
    world.serve(mover, "2025-01-05 09:00", "11:00", settled=True)
    assert people
    with world.read() as tx:
        counted = {rate.code: rate for rate in rates.count(tx.connection, 2025, tx.today)}
        recount = recounting.Recount(world.entries(), world.today.isoformat())
        for unit in (CENTRE, HOME, OTHER):
            found = {figure: behind.people(tx.connection, figure, unit, 2025, tx.today, limit=99) for figure in behind.FIGURES}
            numbers = {figure: [row.number for row in rows] for figure, rows in found.items()}
            rate = counted[unit]
            assert [len(numbers[figure]) for figure in ("registered", "participants", "backbone")] == [
                rate.registered,
                rate.participants,
                rate.backbone,
            ]
            assert sorted(numbers["participants"] + numbers["absent"]) == numbers["registered"]
            assert all(sorted(set(listed)) == listed for listed in numbers.values())
            assert len(numbers["registered"]) == recount.rates(2025)[unit]["registered"]
            assert {row.station for row in found["registered"]} <= {HOME, OTHER}
        served = {service["volunteer"] for service in recount.counting(world.today.isoformat()).values() if service["served_on"] >= "2025"}
        assert {row.number for row in behind.people(tx.connection, "participants", CENTRE, 2025, tx.today, limit=99)} == served


def test_a_long_list_goes_on_where_it_stopped(world):
    world.station()
    everybody = sorted(world.volunteer() for _ in range(5))
    with world.read() as tx:
        first = [row.number for row in behind.people(tx.connection, "registered", HOME, 2025, tx.today, limit=3)]
        rest = [row.number for row in behind.people(tx.connection, "registered", HOME, 2025, tx.today, after=first[-1], limit=3)]
    assert first + rest == everybody
