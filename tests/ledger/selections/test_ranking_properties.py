"""Ranking against a plain recount, and what an upheld objection changes: exactly what it should, whatever the year was like."""

from collections import defaultdict
from dataclasses import replace
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, func, select

from ledger.selections.ranking import rank
from ledger.selections.rules import read_said
from ledger.selections.sources import Source

PEOPLE = ["2222222222", "2A22222222", "A222222222", "A322222222", "ZZ22222222", "ZZZ2222222"]
STATIONS = ["S1", "S2"]
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE), st.integers(1, 9), st.sampled_from([30, 60, 60, 90]), st.sampled_from("ABCD"), st.sampled_from(["x", "y"])
    ),
    max_size=30,
)
RULES = st.fixed_dictionaries(
    {"name": st.just("x"), "quota": st.integers(1, 5), "tie_break": st.just(["minutes_ab", "services"])},
    optional={
        "minimum_minutes": st.sampled_from([60, 120]),
        "caps": st.fixed_dictionaries({}, optional={"day": st.sampled_from([60, 100]), "activity": st.sampled_from([80, 200])}),
        "back_filled_percent": st.sampled_from([0, 50]),
        "minimum_services": st.integers(0, 3),
        "exclude": st.lists(st.sampled_from(PEOPLE), unique=True, max_size=2).map(
            lambda them: [{"volunteer": one, "reason": "评审人员"} for one in them]
        ),
    },
)
_METADATA = MetaData()
_TEXTS = ("subject", "person", "series", "activity", "served_on", "start", "end", "grade", "recorder", "recorded_at")
_RECORD = Table("record", _METADATA, Column("service", Integer), Column("minutes", Integer), *(Column(name, Text) for name in _TEXTS))
_PERSON = Table("person", _METADATA, *(Column(name, Text) for name in ("subject", "station", "registered_on", "confirmed_on", "left_on")))
_SERVICE = Table("service", _METADATA, Column("entry_index", Integer), Column("volunteer", Text))


def source(connection, records, out):
    _METADATA.drop_all(connection)
    _METADATA.create_all(connection)
    people = [
        {"subject": one, "station": STATIONS[at % 2], "registered_on": "2024-01-01", "confirmed_on": None, "left_on": None}
        for at, one in enumerate(PEOPLE)
    ]
    connection.execute(_PERSON.insert(), people)
    rows = [
        {
            **dict.fromkeys(_TEXTS, ""),
            "service": at,
            "subject": who,
            "person": who,
            "minutes": minutes,
            "grade": grade,
            "activity": activity,
            "served_on": f"2025-01-0{day}",
            "start": f"2025-01-0{day}T09:{at:02d}",
        }
        for at, (who, day, minutes, grade, activity) in enumerate(records)
    ]
    if rows:
        connection.execute(_RECORD.insert(), rows)
        connection.execute(_SERVICE.insert(), [{"entry_index": row["service"], "volunteer": row["person"]} for row in rows])
    together = connection.execute(select(func.count()).select_from(_RECORD)).scalar_one() % 2 == 0
    return Source(connection, _RECORD, _PERSON, {}, out, {}, together=together), [SimpleNamespace(**row) for row in rows]


def plainly(rows, rules, out):
    """Count everybody by hand: who is chosen, with how many minutes, how many were considered, who would have been but for the rules naming them."""
    found, enough_minutes = {}, []
    for person in PEOPLE:
        left = {"day": defaultdict(int), "activity": defaultdict(int)}
        minutes = strong = weak = services = 0
        for row in sorted(
            (row for row in rows if row.person == person and row.service not in out), key=lambda row: (row.served_on, row.start)
        ):
            counted = row.minutes
            for cap, key in (("day", row.served_on), ("activity", row.activity)):
                if cap in rules.caps:
                    counted = min(counted, max(rules.caps[cap] - left[cap][key], 0))
            for cap, key in (("day", row.served_on), ("activity", row.activity)):
                left[cap][key] += counted
            minutes, services = minutes + counted, services + (counted > 0)
            strong += counted if row.grade in "AB" else 0
            weak += counted if row.grade == "C" else 0
        clean = rules.back_filled_percent is None or weak * 100 <= rules.back_filled_percent * minutes
        if minutes >= max(rules.minimum_minutes, 1):
            enough_minutes.append(person)
            if clean and services >= rules.minimum_services and person not in rules.exclude:
                found[person] = (-minutes, -strong, -services, person)
    chosen = [(person, -found[person][0]) for person in sorted(found, key=found.get)]
    return chosen, len(enough_minutes), {person for person in enough_minutes if person in rules.exclude}


def listed(connection, records, rules, out):
    seen, rows = source(connection, records, out)
    return rank(seen, rules, "2025-12-31", reserve=1), rows


def named(found):
    return [(one.sums.subject, one.sums.minutes) for one in found]


ENGINE = create_engine("sqlite://")


@settings(max_examples=150, deadline=None)
@given(RECORDS, RULES, st.data())
def test_ranking_is_a_plain_recount_with_and_without_what_was_left_out(records, said, data):
    rules = read_said(said)
    gone = data.draw(st.sets(st.sampled_from(range(len(records))), max_size=5)) if records else set()
    out = dict.fromkeys(gone, "dropped")
    with ENGINE.begin() as connection:
        found, rows = listed(connection, records, rules, out)
    wanted, considered, excluded = plainly(rows, rules, out)
    assert named([*found.chosen, *found.reserve]) == wanted[: rules.quota.total + 1]
    assert len(found.chosen) == min(rules.quota.total, len(wanted))
    assert found.considered == considered
    assert {one.sums.subject for one in found.excluded} == excluded


@settings(max_examples=100, deadline=None)
@given(RECORDS, RULES, st.data())
def test_dropping_a_record_touches_nobody_else_and_only_lowers_its_person(records, said, data):
    """Without seats to lose, everybody but the person keeps their minutes; with them, one leaves and at most one enters."""
    if not records:
        return
    rules = read_said(said)
    gone = data.draw(st.sampled_from(range(len(records))))
    who = records[gone][0]
    with ENGINE.begin() as connection:
        roomy = replace(rules, quota=replace(rules.quota, total=len(PEOPLE)))
        before, now, everybody, without = (
            dict(named(listed(connection, records, asked, left_out)[0].chosen))
            for asked in (rules, roomy)
            for left_out in ({}, {gone: "objection"})
        )
    assert {one: said for one, said in everybody.items() if one != who} == {one: said for one, said in without.items() if one != who}
    left, entered = set(before) - set(now), set(now) - set(before)
    assert len(left) <= 1
    assert len(entered) <= 1
    assert all(before[one] == now[one] for one in set(before) & set(now) - {who})
