"""Working days, as the State Council's notices for 2024 to 2026 give them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidRequest
from ledger.workdays import Calendar

KNOWN = Calendar()
DAYS = st.dates(date(2020, 1, 1), date(2026, 6, 30))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 3, 5), True),  # a Thursday
        (date(2026, 3, 7), False),  # a Saturday
        (date(2026, 1, 1), False),
        (date(2026, 1, 4), True),  # a Sunday worked for New Year
        (date(2026, 2, 14), True),  # a Saturday worked for the Spring Festival
        (date(2026, 2, 16), False),
        (date(2026, 2, 23), False),
        (date(2026, 2, 24), True),
        (date(2026, 10, 7), False),
        (date(2026, 10, 10), True),  # a Saturday worked for the National Day
        (date(2024, 2, 9), True),  # the last day of the old lunar year was no holiday then
        (date(2025, 10, 8), False),
    ],
)
def test_a_day_is_worked_as_announced(day, works):
    assert KNOWN.is_workday(day) is works


@pytest.mark.parametrize(
    ("day", "count", "last"),
    [
        (date(2026, 3, 5), 0, date(2026, 3, 5)),
        (date(2026, 3, 5), 1, date(2026, 3, 6)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),
        (date(2026, 3, 5), 5, date(2026, 3, 12)),
        (date(2026, 2, 13), 10, date(2026, 3, 5)),  # across the Spring Festival, with both Saturdays
        (date(2025, 12, 31), 1, date(2026, 1, 4)),
    ],
)
def test_a_term_ends_on_the_nth_working_day_after(day, count, last):
    assert KNOWN.add(day, count) == last
    assert KNOWN.between(day, last) == count


@given(DAYS, st.integers(1, 60))
def test_counting_a_term_gives_its_length_and_it_ends_on_a_working_day(day, count):
    last = KNOWN.add(day, count)
    assert KNOWN.is_workday(last)
    assert KNOWN.between(day, last) == count


@given(DAYS, st.integers(0, 60))
def test_no_working_day_lies_between_a_day_and_itself_or_an_earlier_one(day, back):
    assert KNOWN.between(day, date.fromordinal(day.toordinal() - back)) == 0


@pytest.mark.parametrize("year", [2003, 2199])
def test_a_year_that_was_not_announced_is_said_and_not_guessed(year):
    for ask in (
        KNOWN.is_workday,
        lambda day: KNOWN.add(day, 1),
        lambda day: KNOWN.between(day, date(year, 3, 9)),
    ):
        with pytest.raises(InvalidRequest, match=f"{year} 年的放假安排还没有录入"):
            ask(date(year, 3, 5))
