"""Indicators: what is counted equals a naive recount of raw entries in every town; targets are judged exactly; sets are read strictly."""

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from town import CENTRE, EAST, OFFICIAL, SUN, TEAM, WEST, ZHANG, ZHAO

from ledger import history, log, organisations, stations
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.indicators import adoption
from ledger.indicators.adoption import Figure
from ledger.indicators.measures import Count
from ledger.indicators.reading import Indicator, Target, read_set
from ledger.indicators.standings import Standing, evaluate
from ledger.kinds.figures import MARKS
from ledger.organisations import Filing
from ledger.people.actors import OPERATOR
from ledger.stations import Station

UNITS = {"T": None, "D": "T", "C1": "D", "C2": "D", "S1": "C1", "S2": "C1", "S3": "C2", "S4": "C2"}
LEVELS = {"T": "city", "D": "district", "C": "centre", "S": "station"}
AREAS = {"S1": "urban", "S2": "rural", "S3": "urban", "S4": "rural", "C1": "urban", "C2": "rural"}
DAYS = st.dates(date(2024, 6, 1), date(2026, 3, 1))
TODAY = date(2026, 3, 2)


# --- counting, against a recount that knows only entries ------------------------------------------------------------------


def below(unit):
    return {unit} | {code for child, parent in UNITS.items() if parent == unit for code in below(child)}


def recount(entries, year, unit, measure):  # noqa: C901 one branch a measure
    """Count one measure of one unit in the plainest way."""
    on, first = min(f"{year}-12-31", TODAY.isoformat()), f"{year}-01-01"
    mine = [code for code in below(unit) if measure.get("area_type") in (None, AREAS.get(code)) or "units" in measure]
    if "units" in measure:
        level = [code for code in mine if LEVELS[code[0]] == measure["units"] and measure.get("area_type") in (None, AREAS.get(code))]
        return sum("where" not in measure or recount(entries, year, code, measure["where"]) >= measure["at_least"] for code in level)
    if "figure" in measure:
        take, total = measure.get("take", "newest"), 0
        for code in mine:
            said = {}
            for body in (entry["body"] for entry in entries if entry["kind"] == "station.figure_declared"):
                if (body["station"], body["figure"]) == (code, measure["figure"]) and body["counted_on"] <= on:
                    said[body["counted_on"]] = body["value"]
            if take == "newest":
                total += said[max(said)] if said else 0
            else:
                total += sum(value for day, value in said.items() if take == "total" or day >= first)
        return total
    found, marks = {}, set()
    for body, kind in ((entry["body"], entry["kind"]) for entry in entries):
        if kind in ("organisation.filed", "organisation.registered"):
            found[body["organisation"]] = dict(body, basis=kind.split(".")[1], since=body.get("filed_on") or body["registered_on"])
        elif kind == "organisation.marked" and body["since"] <= on:
            marks.add((body["organisation"], body["mark"]))
        elif kind == "organisation.unmarked" and body["ended_on"] <= on:
            marks.discard((body["organisation"], body["mark"]))
    return sum(
        one["station"] in mine
        and one["since"] <= on <= one.get("expires_on", "9999")
        and measure.get("volunteer") in (None, one["volunteer_organisation"])
        and measure.get("category") in (None, one["category"])
        and one["category"] in measure.get("categories", [one["category"]])
        and measure.get("basis") in (None, one["basis"])
        and (not measure.get("new") or one["since"] >= first)
        and ("mark" not in measure or (name, measure["mark"]) in marks)
        for name, one in found.items()
    )


AREA = st.fixed_dictionaries({}, optional={"area_type": st.sampled_from(["urban", "rural"])})
ORGANISED = st.builds(
    lambda filters, area: {"count": "organisations", **filters, **area},
    st.fixed_dictionaries(
        {},
        optional={
            "volunteer": st.booleans(),
            "category": st.sampled_from(["charity", "daily-life"]),
            "basis": st.sampled_from(["filed", "registered"]),
            "mark": st.sampled_from(["hub", "brand"]),
            "new": st.booleans(),
        },
    ),
    AREA,
)
FIGURED = st.builds(
    lambda figure, take, area: {"figure": figure, "take": take, **area},
    st.sampled_from(["households", "facility-area"]),
    st.sampled_from(["newest", "year", "total"]),
    AREA,
)
PLAIN = st.one_of(ORGANISED, FIGURED)
MEASURES = st.one_of(
    PLAIN,
    st.builds(
        lambda kinds: {"count": "organisations", "categories": kinds},
        st.lists(st.sampled_from(["charity", "daily-life"]), min_size=1, unique=True),
    ),
    st.builds(
        lambda level, area, where, least: {"units": level, **area, "where": where, "at_least": least},
        st.sampled_from(["station", "centre"]),
        AREA,
        PLAIN,
        st.integers(0, 3),
    ),
    st.builds(lambda level, area: {"units": level, **area}, st.sampled_from(["station", "centre", "district"]), AREA),
)
TOWNS = {
    "filed": st.lists(
        st.tuples(
            st.sampled_from(list(UNITS)),
            DAYS,
            st.booleans(),
            st.booleans(),
            st.sampled_from(["charity", "daily-life"]),
            st.sampled_from(["", "hub", "brand"]),
        ),
        max_size=8,
    ),
    "figures": st.lists(
        st.tuples(st.sampled_from(list(UNITS)), st.sampled_from(["households", "facility-area"]), DAYS, st.integers(0, 50)), max_size=10
    ),
}


def build(tx, filed, figures):
    for code, parent in UNITS.items():
        stations.declare(tx, Station(code, f"单位{code}", LEVELS[code[0]], parent, AREAS.get(code)))
    ids = organisations.record_many(
        tx,
        [
            Filing(f"备{place}", f"组织{place}", kind, flag, home, basis, day)
            for place, (home, day, flag, basis, kind, _) in enumerate(filed)
        ],
    )
    for name, (_, day, _, _, _, mark) in zip(ids, filed, strict=True):
        if mark:
            adoption.mark(tx, name, mark, since=day.isoformat(), basis="评定结果")
            if day.day % 3 == 0:
                adoption.unmark(tx, name, mark, ended_on=TODAY.isoformat() if day.day % 2 else day.isoformat(), reason="到期")
            if day.day % 9 == 0:
                adoption.mark(tx, name, mark, since=TODAY.isoformat(), basis="再次评定")
    adoption.declare(tx, [Figure(unit, figure, value, day.isoformat(), "台账") for unit, figure, day, value in figures])


@settings(max_examples=60)
@given(year=st.sampled_from([2024, 2025, 2026]), measure=MEASURES, **TOWNS)
def test_what_is_counted_is_what_anybody_recounts(standing_town, year, measure, filed, figures):
    read_set(
        {
            "name": "一",
            "figures": {"households": "户数", "facility-area": "面积"},
            "indicators": [{"id": "one", "name": "一", "numerator": measure}],
        }
    )

    def work(tx):
        build(tx, filed, figures)
        entries = [json.loads(row.body) for row in log.scan(tx.connection)]
        found = Count(tx.connection, year, TODAY).of(measure)
        return {unit: found[unit] for unit in UNITS}, {unit: recount(entries, year, unit, measure) for unit in UNITS}

    found, expected = standing_town.ledger.write(work, OPERATOR, rehearse=True)
    assert found == expected


def test_people_are_counted_as_the_rates_count_them(town):
    town.serve(ZHANG, "2026年2月20日", "9:00", "10:00", settled=True)

    def counted(tx):
        count = Count(tx.connection, 2026, TODAY)
        return {name: count.of({"count": name}) for name in ("registered", "participants", "population")}

    assert town.read(counted) == {
        "registered": {CENTRE: 7, EAST: 5, WEST: 2},
        "participants": {CENTRE: 1, EAST: 1, WEST: 0},
        "population": {CENTRE: 3000, EAST: 1000, WEST: 2000},
    }


def test_activities_of_a_series_are_counted_unless_cancelled(town):
    town.serve(ZHANG, "2026年2月20日", "9:00", "10:00", settled=True)

    def counted(tx):
        count = Count(tx.connection, 2026, TODAY)
        return [
            count.of({"count": "activities", **more})[CENTRE]
            for more in ({}, {"series": "neighbour-care"}, {"series": "culture"}, {"by_organisation": True})
        ]

    assert town.read(counted) == [1, 1, 0, 0]


# --- judging ---------------------------------------------------------------------------------------------------------------


def standing(numerator, denominator, per, low, high=None):
    indicator = Indicator("one", "一", {}, {}, per, "%", "", (), ())
    return Standing(indicator, "S", numerator, denominator, Target(low, high), 0, 0)


@given(
    st.integers(0, 10**9),
    st.one_of(st.none(), st.integers(0, 10**9)),
    st.sampled_from([1, 100, 300]),
    st.integers(0, 500),
    st.integers(0, 500),
)
def test_a_target_is_judged_exactly_and_what_is_missing_just_reaches_it(numerator, denominator, per, low, room):
    per = 1 if denominator is None else per
    one = standing(numerator, denominator, per, low, low + room)
    if denominator == 0:
        assert (one.reached, one.missing, one.hundredths, one.value()) == (None, 0, None, "—")
        return
    value = Fraction(numerator * per, 1 if denominator is None else denominator)
    assert one.reached == (low <= value <= low + room)
    assert abs(Fraction(one.hundredths, 100) - value) <= Fraction(1, 200 if one.reached else 100)
    shown = Fraction(one.hundredths, 100)
    assert (shown < low, shown > low + room) == (value < low, value > low + room), "what misses a target is never printed as the target"
    assert standing(numerator + one.missing, denominator, per, low).reached
    assert one.missing == 0 or not standing(numerator + one.missing - 1, denominator, per, low).reached


def chosen(**targets):
    row = {"id": "teams", "name": "组织", "numerator": {"count": "organisations"}, "targets": [{"at_least": 1, **targets}]}
    return read_set({"name": "一", "figures": {"pilot": "是否试点"}, "indicators": [row]})


@pytest.mark.parametrize(
    ("targets", "judged"),
    [
        ({}, set(UNITS)),
        ({"level": "station"}, {"S1", "S2", "S3", "S4"}),
        ({"level": "station", "area_type": "rural"}, {"S2", "S4"}),
        ({"level": "station", "flag": "pilot"}, {"S1", "S2"}),
        ({"units": "C2"}, {"C2", "S3", "S4"}),
        ({"from": "2026-03-03"}, set()),
        ({"to": "2026-03-01"}, set()),
        ({"from": "2026-03-02", "to": "2026-03-02"}, set(UNITS)),
    ],
)
def test_a_target_is_for_the_units_that_it_names(standing_town, targets, judged):
    def work(tx):
        build(tx, [], [])
        rules = {
            "name": "一",
            "figures": {"pilot": "是否试点"},
            "indicators": [{"id": "one", "name": "一", "numerator": {"figure": "pilot"}}],
        }
        adoption.adopt(tx, orjson.dumps(rules), effective_on="2026-01-01")
        adoption.declare(tx, [Figure("C1", "pilot", 1, "2026-02-01", "通知")])
        found = evaluate(Count(tx.connection, 2026, TODAY), chosen(**targets))
        return {code for code, (one,) in found.items() if one.target and code in UNITS}

    assert standing_town.ledger.write(work, OPERATOR, rehearse=True) == judged


def test_a_unit_above_says_how_many_below_reach_their_target(town):
    found = town.read(lambda tx: evaluate(Count(tx.connection, 2026, TODAY), chosen(level="station")))
    assert {code: (one.numerator, one.reached, one.reached_below, one.judged_below) for code, (one,) in found.items()} == {
        CENTRE: (1, None, 1, 2),
        EAST: (1, True, 0, 0),
        WEST: (0, False, 0, 0),
    }


def test_a_filing_that_has_lapsed_counts_no_more_and_counted_while_it_was_valid(town):
    ask = lambda year: town.read(lambda tx: Count(tx.connection, year, date(2026, 6, 30)).of({"count": "organisations"})[EAST])  # noqa: E731
    assert (ask(2025), ask(2026)) == (1, 0)  # filed on 2024-06-01 for two years


# --- what is handed in -------------------------------------------------------------------------------------------------------


def figure(**said):
    return Figure(**({"station": EAST, "figure": "households", "value": 400, "counted_on": "2026-03-01", "source": "社区台账"} | said))


def test_figures_are_handed_in_once_corrected_by_a_new_entry_and_known_as_of_then(town):
    hand_in = lambda *said, by=ZHAO: town.write(lambda tx: adoption.declare(tx, said), by)  # noqa: E731
    assert hand_in(figure(), figure(figure="facility-area", value=100)) == 2
    size = town.size
    assert hand_in(figure()) == 0
    assert hand_in(figure(value=500, source="社区台账（更正）")) == 1

    def area(connection):
        return next(
            one
            for one in evaluate(Count(connection, 2026, TODAY), adoption.in_force(connection, "2026-03-02"))[EAST]
            if one.indicator.id == "facility-area"
        )

    now = town.read(lambda tx: area(tx.connection))
    assert (now.fraction(), now.value(), now.goal(), now.reached, now.missing) == ("100/500", "20.00 平方米", "≥ 30 平方米", False, 50)
    with town.ledger.read() as tx, history.as_known(tx.connection, size) as then:
        assert area(then).fraction() == "100/400"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"figure": "unheard-of"}, "没有「unheard-of」"),
        ({"value": -1}, "「东社区社会服务站」的「常住户数（户）」应是不小于 0 的整数"),
        ({"counted_on": "2026-03-03"}, "统计日期应是今天或以前"),
        ({"counted_on": "3月"}, "统计日期应是今天或以前"),
        ({"source": ""}, "没有写明来源"),
        ({"source": "张主任 13855101234"}, "没有写明来源"),
    ],
)
def test_a_figure_that_cannot_be_is_refused_and_nothing_of_the_lot_is_recorded(town, said, words):
    size = town.size
    with pytest.raises(InvalidRequest, match=words):
        town.write(lambda tx: adoption.declare(tx, [figure(figure="facility-area"), figure(**said)]), ZHAO)
    assert town.size == size


def test_figures_are_the_units_own_to_hand_in(town):
    with pytest.raises(NotAllowed):
        town.write(lambda tx: adoption.declare(tx, [figure()]), SUN)
    with pytest.raises(NotFound):
        town.write(lambda tx: adoption.declare(tx, [figure(station="999")]))


def test_marks_are_given_and_taken_with_a_reason(town):
    found = town.read(lambda tx: organisations.find_by_name(tx.connection, TEAM))

    def give(**said):
        return town.write(
            lambda tx: adoption.mark(tx, found.id, **({"given": "brand", "since": "2026-02-01", "basis": "评定"} | said)), ZHAO
        )

    def take(**said):
        return town.write(
            lambda tx: adoption.unmark(tx, found.id, **({"given": "brand", "ended_on": "2026-03-01", "reason": "到期"} | said)), ZHAO
        )

    counted = lambda: town.read(lambda tx: Count(tx.connection, 2026, TODAY).of({"count": "organisations", "mark": "brand"})[CENTRE])  # noqa: E731
    with pytest.raises(Conflict, match=f"现在不是「{MARKS['brand']}」"):
        take()
    give()
    assert counted() == 1
    for wrong, error in (
        ({}, Conflict),
        ({"given": "best"}, InvalidRequest),
        ({"given": "hub", "since": "2026-03-03"}, InvalidRequest),
        ({"given": "hub", "basis": ""}, InvalidRequest),
    ):
        with pytest.raises(error):
            give(**wrong)
    for wrong in ({"ended_on": "2026-01-31"}, {"ended_on": "2026-03-03"}, {"reason": ""}):
        with pytest.raises(InvalidRequest):
            take(**wrong)
    take()
    assert counted() == 0
    give(since="2026-03-02")
    assert counted() == 1


def test_a_mark_given_again_leaves_the_years_it_was_held_before_as_they_were(town):
    found = town.read(lambda tx: organisations.find_by_name(tx.connection, TEAM))
    for since, ended_on in (("2024-06-01", "2025-06-01"), ("2026-01-01", None)):
        town.write(lambda tx, since=since: adoption.mark(tx, found.id, "brand", since=since, basis="评定"), ZHAO)
        if ended_on:
            town.write(lambda tx, ended_on=ended_on: adoption.unmark(tx, found.id, "brand", ended_on=ended_on, reason="到期"), ZHAO)
    measure = {"count": "organisations", "mark": "brand"}
    counted = [town.read(lambda tx, year=year: Count(tx.connection, year, TODAY).of(measure)[CENTRE]) for year in (2024, 2025, 2026)]
    assert counted == [1, 0, 1]


def test_marks_are_given_by_the_staff_of_the_organisations_own_station(town):
    found = town.read(lambda tx: organisations.find_by_name(tx.connection, TEAM))
    with pytest.raises(NotAllowed):
        town.write(lambda tx: adoption.mark(tx, found.id, "hub", since="2026-03-01", basis="评定"), SUN)


# --- sets ------------------------------------------------------------------------------------------------------------------


def test_a_set_is_in_force_from_its_day_on(town):
    rules = {"name": "本区指标", "indicators": [{"id": "teams", "name": "组织", "numerator": {"count": "organisations"}}]}
    town.write(lambda tx: adoption.adopt(tx, orjson.dumps(rules), effective_on="2026-06-01"), OPERATOR)
    names = [town.read(lambda tx, on=on: adoption.in_force(tx.connection, on).name) for on in ("2026-05-31", "2026-06-01")]
    assert names == ["五社联动目标", "本区指标"]
    with pytest.raises(NotAllowed):
        town.write(lambda tx: adoption.adopt(tx, orjson.dumps(rules), effective_on="2026-06-01"), OFFICIAL)
    with pytest.raises(InvalidRequest, match="从哪一天起"):
        town.write(lambda tx: adoption.adopt(tx, orjson.dumps(rules), effective_on="六月"), OPERATOR)


@pytest.mark.parametrize("name", sorted(adoption.shipped()))
def test_the_sets_that_come_with_the_ledger_can_be_adopted_and_counted(standing_town, name):
    content = (Path(adoption.SETS) / f"{name}.json").read_bytes()

    def work(tx):
        build(tx, [], [])
        adopted = adoption.adopt(tx, content, effective_on="2026-01-01")
        return adopted, evaluate(Count(tx.connection, 2026, TODAY), adoption.in_force(tx.connection, "2026-03-02"))

    adopted, found = standing_town.ledger.write(work, OPERATOR, rehearse=True)
    assert [one.indicator.id for one in found["T"]] == [one.id for one in adopted.indicators]
    assert all(one.rows for one in adopted.indicators if one.id != "neighbour-care")


ROW = {"id": "one", "name": "一", "numerator": {"count": "organisations"}}
WRONG = [
    ("[]", "指标表应是一个 JSON 对象"),
    ("{", "不是 JSON：第 1 行"),
    ({"name": "一"}, "缺少 indicators"),
    ({"name": "一", "indicators": []}, "没有指标"),
    ({"name": "一", "indicators": [ROW, ROW]}, "出现了不止一次"),
    ({"name": "一", "indicators": [ROW], "by": 1}, "不认识的项：by"),
    ({"name": "电话 13855101234", "indicators": [ROW]}, "不能有手机号"),
    ({"name": "一", "indicators": [ROW | {"id": "大"}]}, "第 1 个指标的 id"),
    ({"name": "一", "indicators": [ROW | {"per": 0}]}, "per 应是 1"),
    ({"name": "一", "indicators": [ROW | {"per": 100}]}, "没有 denominator"),
    ({"name": "一", "indicators": [ROW | {"numerator": {"count": "money"}}]}, "账本不数「money」"),
    ({"name": "一", "indicators": [ROW | {"numerator": {"count": "registered", "mark": "hub"}}]}, "mark 不对"),
    ({"name": "一", "indicators": [ROW | {"numerator": {"count": "organisations", "mark": "best"}}]}, "mark 不对"),
    ({"name": "一", "indicators": [ROW | {"numerator": {"figure": "households"}}]}, "没有给填报数 households 起名字"),
    ({"name": "一", "indicators": [ROW | {"numerator": {"units": "station", "at_least": 1}}]}, "要一起写"),
    ({"name": "一", "indicators": [ROW | {"numerator": {"count": "organisations", "categories": []}}]}, "categories 不对"),
    ({"name": "一", "indicators": [ROW | {"numerator": {"sum": [ROW]}}]}, "应写明数什么"),
    (
        {"name": "一", "indicators": [ROW | {"numerator": {"units": "centre", "where": {"units": "station"}, "at_least": 1}}]},
        "应写明数什么",
    ),
    ({"name": "一", "indicators": [ROW | {"targets": [{"at_least": 1, "units": []}]}]}, "units 不对"),
    ({"name": "一", "indicators": [ROW | {"targets": [{"level": "station"}]}]}, "没有写 at_least"),
    ({"name": "一", "indicators": [ROW | {"targets": [{"at_least": 1.5}]}]}, "at_least 不对"),
    ({"name": "一", "indicators": [ROW | {"targets": [{"at_least": 1, "level": "village"}]}]}, "level 不对"),
    ({"name": "一", "indicators": [ROW | {"targets": [{"at_least": 1, "flag": "pilot"}]}]}, "没有给填报数 pilot 起名字"),
]


@pytest.mark.parametrize(("said", "words"), WRONG)
def test_a_set_that_cannot_be_understood_is_refused_by_name(said, words):
    with pytest.raises(InvalidRequest, match=words):
        read_set(said.encode() if isinstance(said, str) else orjson.dumps(said))
