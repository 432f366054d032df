"""Shares are made of whole numbers and rounded half up, and never read as a target that they miss."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.kinds.checks import INTEGER_MAX
from ledger.shares import hundredths, percent, ratio


@given(st.integers(0, INTEGER_MAX), st.integers(1, INTEGER_MAX))
def test_a_ratio_is_rounded_half_up_to_four_decimals(numerator, denominator):
    exact = Fraction(numerator, denominator) * 10_000
    rounded = int(exact) + (exact - int(exact) >= Fraction(1, 2))
    assert ratio(numerator, denominator) == f"{rounded // 10_000}.{rounded % 10_000:04d}"


@pytest.mark.parametrize(
    ("numerator", "denominator", "said"),
    [
        (4621, 41390, "0.1116"),
        (1, 20_000, "0.0001"),
        (1, 20_001, "0.0000"),
        (3, 20_000, "0.0002"),
        (1, 3, "0.3333"),
        (0, 5, "0.0000"),
        (5, 0, ""),
    ],
)
def test_ratios_at_the_edge(numerator, denominator, said):
    assert ratio(numerator, denominator) == said


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from([1, 100, 300]), st.integers(0, 12_000), st.integers(0, 3_000))
def test_a_share_is_rounded_half_up_but_never_onto_a_target_that_it_misses(numerator, denominator, per, low, room):
    exact, high = Fraction(numerator * per * 100, denominator), low + room
    plain = hundredths(numerator, denominator, per)
    assert plain == int(exact + Fraction(1, 2))
    shown = hundredths(numerator, denominator, per, at_least=low, at_most=high)
    assert (shown < low, shown > high) == (exact < low, exact > high)
    assert shown == plain or (plain, abs(shown - plain)) in ((low, 1), (high, 1))


@pytest.mark.parametrize(
    ("numerator", "denominator", "said"),
    [
        (2999, 10_000, "29.99%"),
        (29_995, 100_000, "29.99%"),
        (29_999, 99_998, "29.99%"),
        (3, 10, "30%"),
        (30_004, 100_000, "30%"),
        (31, 100, "31%"),
    ],
)
def test_a_rate_just_below_thirty_percent_does_not_read_thirty(numerator, denominator, said):
    assert percent(hundredths(numerator, denominator, at_least=3000)) == said


def test_a_share_just_above_a_limit_does_not_read_as_the_limit():
    assert percent(hundredths(30_004, 100_000, at_most=3000)) == "30.01%"
    assert percent(hundredths(3, 10, at_most=3000)) == "30%"
    assert hundredths(1, 0, at_least=3000) is None
