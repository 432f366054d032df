"""What holds of any rules and any facts: nothing is lost or gained by order, more service is never less, no cap is passed, tiers are their integral."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.rules.explaining import explain
from ledger.rules.facts import Award, Conduct, Facts, Service
from ledger.rules.shape import Cap, Category, Condition, Hours, Item, Level, Rounding, RuleSet, Scale, Tier

ON = "2026-12-31"
LAW = "《志愿服务条例》第二十二条"
tiers = st.lists(st.tuples(st.integers(1, 300), st.integers(0, 500), st.integers(1, 240)), min_size=1, max_size=4).map(
    lambda found: tuple(
        Tier(points, per, None if at == len(found) - 1 else sum(one[0] for one in found[: at + 1]) * 60)
        for at, (_, points, per) in enumerate(found)
    )
)
roundings = st.builds(Rounding, st.sampled_from([1, 10, 100]), st.sampled_from(["down", "half_up", "up"]), st.just("total"))
days = st.dates().map(lambda day: f"202{day.year % 7}-{day.month:02d}-{min(day.day, 28):02d}")
SERVED = st.builds(
    lambda day, minutes, activity, grade: (day, minutes, activity, grade),
    days,
    st.integers(1, 600),
    st.sampled_from("abcd"),
    st.sampled_from("ABCD"),
)
services = st.lists(SERVED, max_size=25).map(
    lambda found: tuple(Service(at, one[2], one[0], f"{one[0]}T08:00", one[1], one[3]) for at, one in enumerate(found))
)
caps = st.lists(st.builds(Cap, st.sampled_from(["day", "month", "quarter", "year", "lifetime"]), st.integers(0, 3000)), max_size=3).map(
    tuple
)


def rules(items, **said):
    levels = tuple(Level("star", f"{n}星", (Condition({"hours": n * 600, "points": n * 1000}),)) for n in range(1, 6))
    fields = {"scales": (Scale("star", "星级"),), "levels": levels, **said}
    return RuleSet("star", "星级", 1, "2020-01-01", "某文件", items=tuple(items), **fields)


def told(made, **facts):
    return explain([(made.effective_on, made)], Facts("2019-01-01", **facts), ON)


@given(tiers, roundings, services)
def test_tiers_sum_to_their_integral(made, rounding, served):
    """The sum over single records is the integral over all minutes, rounded once."""
    found = told(rules([Item("s", "服务", "minutes", tiers=made)], rounding=rounding), services=served)
    total, low, exact = sum(one.minutes for one in served), 0, Fraction(0)
    for tier in made:
        high = total if tier.to_minutes is None else min(total, tier.to_minutes)
        exact += Fraction(max(high - low, 0) * tier.points, tier.per_minutes)
        low = max(high, low)
    units = exact / rounding.unit
    whole = {"down": units.__floor__(), "half_up": (units + Fraction(1, 2)).__floor__(), "up": units.__ceil__()}[rounding.way]
    assert found.points == whole * rounding.unit == sum(gain.points for line in found.lines for gain in line.gains)


@given(tiers, roundings, services, st.integers(0, 24), st.integers(1, 120))
def test_a_minute_more_is_never_less(made, rounding, served, at, more):
    """Without a cap or a bad item neither points nor the star fall when somebody served longer."""
    if not served:
        return
    longer = list(served)
    longer[at % len(served)] = replace(longer[at % len(served)], minutes=longer[at % len(served)].minutes + more)
    items = [Item("s", "服务", "minutes", tiers=made), Item("n", "次数", "times", points=50)]
    before, after = (told(rules(items, rounding=rounding), services=tuple(one)) for one in (served, longer))
    assert after.points >= before.points
    assert after.minutes > before.minutes
    assert after.star.at >= before.star.at


@given(tiers, services, caps, caps, st.integers(0, 2000))
def test_no_cap_is_passed(made, served, of_item, of_category, high):
    items = [
        Item("s", "服务", "minutes", tiers=made, points_caps=of_item, category="c"),
        Item("n", "次数", "times", points=70, category="c"),
    ]
    found = told(rules(items, categories=(Category("c", "服务类", of_category),), high=high, low=0), services=served)
    given_ = [(line.day, gain.item, gain.points) for line in found.lines for gain in line.gains]
    for which, limits in (({"s"}, of_item), ({"s", "n"}, of_category)):
        for cap in limits:
            for period in {_period(cap.per, day) for day, _, _ in given_}:
                assert sum(points for day, item, points in given_ if item in which and _period(cap.per, day) == period) <= cap.most
    assert 0 <= found.points <= high
    assert all(line.total_points <= high for line in found.lines)
    assert all(gain.points >= 0 for line in found.lines for gain in line.gains)


def _period(per, day):
    return {"day": day, "month": day[:7], "quarter": f"{day[:4]}{(int(day[5:7]) - 1) // 3}", "year": day[:4], "lifetime": ""}[per]


@given(services, caps, st.lists(days, max_size=3), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_in_which_facts_come_does_not_matter_and_the_same_again_is_the_same(served, limits, shown, drawn):
    conduct = tuple(Conduct(500 + at, day, "no-show", "bad", LAW, "2030-01-01") for at, day in enumerate(shown))
    awards = tuple(Award(600 + at, day, "city") for at, day in enumerate(shown))
    bad = Item("b", "失约", "conduct", conduct="no-show", sense="bad", points=-300, basis=LAW, effects=frozenset({"points"}))
    made = rules(
        [Item("s", "服务", "minutes", tiers=(Tier(7, 13),), points_caps=limits), Item("a", "表彰", "awards", table={"city": 200}), bad],
        hours=Hours(caps=(Cap("day", 480), Cap("activity", 900))),
    )
    mixed = {"services": list(served), "conduct": list(conduct), "awards": list(awards)}
    for one in mixed.values():
        drawn.shuffle(one)
    facts = {"services": served, "conduct": conduct, "awards": awards}
    once = told(made, **facts).said()
    assert told(made, **{name: tuple(one) for name, one in mixed.items()}).said() == once
    assert told(made, **facts).said() == once


@given(services, st.lists(days, min_size=1, max_size=4))
def test_bad_items_lower_points_and_never_hours(served, shown):
    bad = Item("b", "失约", "conduct", conduct="no-show", sense="bad", points=-300, basis=LAW, effects=frozenset({"points"}))
    made = rules([Item("s", "服务", "minutes", tiers=(Tier(100, 60),)), bad])
    conduct = tuple(Conduct(500 + at, day, "no-show", "bad", LAW, "2030-01-01") for at, day in enumerate(shown))
    without, with_, baseless = (
        told(made, services=served, conduct=one) for one in ((), conduct, tuple(replace(one, basis="") for one in conduct))
    )
    assert with_.minutes == without.minutes == sum(one.minutes for one in served)
    assert with_.points == without.points - 300 * len(shown)
    assert baseless.points == without.points, "an entry without a law takes nothing"
