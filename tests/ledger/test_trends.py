"""Trends: each month says what was published last in it; a rate that rises while fewer take part is called out, and a population that jumps."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from town import CENTRE, EAST, STATION_HEADER, WANG, ZHANG, person, roster

from ledger import rates, trends
from ledger.rates import StationRate
from ledger.trends import DriveBy, PopulationMoved


def publish(town, year):
    return town.write(lambda tx: rates.publish(tx, year))


def counted(tx, station):
    return next(one for one in rates.count(tx.connection, tx.today.year, tx.today) if one.code == station)


def months(town, station=EAST):
    return town.read(lambda tx: trends.of(tx.connection, counted(tx, station), tx.today).months)


def asked(town, station=EAST):
    return town.read(lambda tx: trends.of(tx.connection, counted(tx, station), tx.today).warnings)


def test_a_trend_has_the_last_twelve_months_and_nothing_before_the_first_publication(town):
    found = months(town)
    assert [one.first for one in found] == [date(2025, month, 1) for month in range(4, 13)] + [date(2026, month, 1) for month in (1, 2, 3)]
    assert {one.published for one in found} == {None}


def test_each_month_says_what_was_published_last_in_it(town):
    publish(town, 2026)  # 2 March
    town.advance(days=10)
    town.serve(ZHANG, "2026年3月10日", "9:00", "10:00", settled=True)
    publish(town, 2026)
    town.advance(days=60)  # 11 May
    town.serve(WANG, "2026年5月10日", "9:00", "10:00", settled=True)
    publish(town, 2026)
    assert {f"{one.first:%m}": one.published and one.published.participants for one in months(town)[-5:]} == {
        "01": None,
        "02": None,
        "03": 1,
        "04": 1,
        "05": 2,
    }


def test_a_new_year_begins_with_nothing_known(town):
    publish(town, 2026)
    town.advance(days=310)  # January 2027
    last = months(town)[-2:]
    assert (last[0].published.counted_on, last[1].published) == ("2026-03-02", None)


def test_many_registered_and_few_taking_part_is_called_out(town):
    town.serve(ZHANG, "2026年2月20日", "9:00", "10:00", settled=True)
    publish(town, 2026)
    assert asked(town) == []
    town.advance(days=40)
    assert asked(town) == []
    more = [person("新人", date(1960, 1, day), 50) for day in range(1, 6)]
    assert town.hand_in(roster(*more, on="2026-04-01"), "volunteers").rejected == []
    [warning] = asked(town)
    assert isinstance(warning, DriveBy)
    before, now = warning.before, town.read(lambda tx: counted(tx, EAST))
    assert [(one.registered, one.population, one.participants) for one in (before, now)] == [(5, 1000, 1), (10, 1000, 1)]
    assert warning.before.counted_on == "2026-03-02"


def test_a_population_that_jumps_is_called_out_with_the_rate_by_both(town):
    for count, day in ((1040, "2026-01-01"), (500, "2026-02-01")):
        row = [STATION_HEADER, [EAST, "东社区社会服务站", "站", CENTRE, "城市", count, day, "普查"]]
        town.hand_in(row, "stations")
        found = asked(town)
        assert [type(one) for one in found] == ([] if count == 1040 else [PopulationMoved])
    assert [one.population for one in found[0].declared] == [1040, 500]


@pytest.mark.parametrize(("day", "before"), [(date(2024, 2, 29), date(2023, 2, 28)), (date(2026, 3, 31), date(2025, 3, 31))])
def test_a_year_ago(day, before):
    assert trends._a_year_ago(day) == before


COUNTS = st.tuples(st.integers(0, 50), st.integers(0, 30), st.integers(0, 30))


@given(COUNTS, COUNTS)
def test_it_is_called_out_exactly_when_one_rate_rose_and_the_other_fell(before, now):
    def rate(population, registered, participants):
        blank = StationRate("S", "站", "station", None, "2026-03-01", 0, None, None, 0, 0, 0, 0, 0, 0)
        return replace(blank, population=population, registered=registered, participants=min(participants, registered))

    first, second = rate(*before), rate(*now)
    full = first.population and second.population and first.registered and second.registered
    expected = full and (
        Fraction(second.registered, second.population) > Fraction(first.registered, first.population)
        and Fraction(second.participants, second.registered) < Fraction(first.participants, first.registered)
    )
    if full:
        assert trends._is_driven(first, second) == bool(expected)
