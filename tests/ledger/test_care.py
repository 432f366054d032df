"""What activities were for: as many in each series and of each group as the entries say, added up the tree."""

from collections import Counter

from world import CENTRE, HOME, OTHER

from ledger import care
from ledger.codes import SERIES
from ledger.indicators.measures import Count
from ledger.people.actors import OPERATOR
from ledger.planning import plans


def published(world, station, series, start, **said):
    return world.activity(station, f"{series} {start}", series=series, start=start, end=start[:11] + "23:00", **said)


def recounted(world, unit, year):
    """Series and groups of a unit from its entries alone."""
    parents, said = {}, {}
    for entry in world.entries():
        body = entry["body"]
        if entry["kind"] == "station.registered":
            parents[body["station"]] = body.get("parent")
        elif entry["kind"] == "activity.published":
            said[body["activity"]] = body
        elif entry["kind"] == "activity.cancelled":
            said.pop(body["activity"])
    mine = [
        one
        for one in said.values()
        if unit in (one["station"], parents[one["station"]]) and f"{year}-01-01" <= one.get("start", "") <= f"{world.today}T23:59"
    ]
    groups = Counter()
    for one in mine:
        groups.update(one.get("head_counts", {}))
    return Counter(one["series"] for one in mine), groups, sum("head_counts" in one for one in mine)


def test_activities_and_heads_are_those_of_the_entries_with_what_lies_below(world):
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE)
    world.station(OTHER, parent=CENTRE)
    world.advance(days=60)
    published(world, HOME, "neighbour-care", "2025-01-10T09:00", head_counts={"elderly": 12, "disabled": 3})
    published(world, HOME, "neighbour-care", "2025-02-10T09:00", head_counts={"elderly": 5})
    published(world, OTHER, "culture", "2025-02-11T09:00", head_counts={"residents": 30})
    published(world, CENTRE, "other", "2025-01-11T09:00")
    published(world, OTHER, "culture", "2024-12-31T09:00", head_counts={"residents": 99})
    called_off = published(world, OTHER, "culture", "2025-02-12T09:00", head_counts={"residents": 50})
    published(world, OTHER, "culture", f"{world.today.replace(day=28)}T09:00", head_counts={"children": 7})
    world.write(lambda tx: plans.cancel(tx, called_off, reason="下雨"), OPERATOR)
    with world.read() as tx:
        found = care.count(tx.connection, 2025, tx.today)
        measured = {series: Count(tx.connection, 2025, tx.today).of({"count": "activities", "series": series}) for series in SERIES}
    for unit in (CENTRE, HOME, OTHER):
        series, groups, counted = recounted(world, unit, 2025)
        assert ({name: count for name, count in found[unit].series.items() if count}, found[unit].groups) == (series, groups)
        assert (found[unit].activities, found[unit].heads, found[unit].counted) == (series.total(), groups.total(), counted)
        assert found[unit].series == {series: measured[series][unit] for series in SERIES}
    assert found[CENTRE].groups == {"residents": 30, "elderly": 17, "disabled": 3}, (
        "what is still to come and what was called off is not there"
    )
    assert list(found[CENTRE].groups) == ["residents", "elderly", "disabled"], "most first"
    assert next(iter(found[HOME].series)) == "neighbour-care"
