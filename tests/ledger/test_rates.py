"""Rates: what is counted equals a naive recount of the raw entries, in every town and on every day; ratios are exact; publishing names its tree."""

import json
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from town import CENTRE, EAST, LI, OFFICIAL, QIAN, STATION_HEADER, WANG, WEST, ZHANG, ZHAO, ZHOU

from ledger import activities, history, log, rates, stations, unit_tree
from ledger.activities import Activity
from ledger.checking.verifying import verify
from ledger.errors import InvalidRequest, NotAllowed
from ledger.log import Fact
from ledger.people import volunteers
from ledger.people.actors import OPERATOR
from ledger.people.volunteers import Registration
from ledger.rates import counting_day
from ledger.service import amending, approving, recording
from ledger.service.drafts import Draft
from ledger.stations import Station
from ledger.tables import PublishedRateRow, YearServedRow, table

PUBLISHED, YEAR_SERVED = table(PublishedRateRow), table(YearServedRow)
BATCH = "0195c5a0-0000-7000-8000-000000000001"
UNITS = {"D": None, "C1": "D", "C2": "D", "S1": "C1", "S2": "C1", "S3": "C2", "S4": "D"}
LEVELS = {"D": "district", "C": "centre", "S": "station"}


def test_a_year_is_counted_on_its_last_day_or_today():
    assert counting_day(2025, date(2026, 3, 2)) == date(2025, 12, 31)
    assert counting_day(2026, date(2026, 3, 2)) == date(2026, 3, 2)


# --- counting, against a recount that knows only entries ------------------------------------------------------------------


def fold(entries) -> tuple[dict, dict, dict, dict]:  # noqa: C901, PLR0912 one branch a kind
    """Fold raw entries in the plainest way: what is above each unit, declared populations, people, services that are not void."""
    parents, declared, people, services = {}, {}, {}, {}
    for entry in entries:
        body = entry["body"]
        match entry["kind"]:
            case "station.registered":
                parents[body["station"]] = body.get("parent")
            case "station.population_declared":
                declared.setdefault(body["station"], {})[body["counted_on"]] = body["population"]
            case "volunteer.registered":
                people[body["volunteer"]] = {
                    "home": body["station"],
                    "on": body["registered_on"],
                    "sure": body["registered_on"] if body["basis"] == "self" else "9999",
                }
            case "volunteer.backbone_designated":
                people[body["volunteer"]]["backbone"] = body["designated_on"]
            case "service.recorded":
                services[entry["index"]] = dict(body, counts=body["served_on"] if body.get("settled") else "9999")
            case "service.approved":
                for index in body["services"]:
                    services[index]["counts"] = body["effective_on"]
            case "service.corrected":
                services[body["service"]] |= {key: body[key] for key in ("served_on", "minutes")}
                if entry["actor"] != "operator":
                    services[body["service"]]["counts"] = "9999"
            case "service.voided":
                del services[body["service"]]
            case "service.contested":
                services[body["service"]]["frozen"] = body["frozen"]
            case "service.objection_decided":
                services[body["service"]]["frozen"] = False
            case "volunteer.withdrawn":
                people[body["volunteer"]]["left"] = body["withdrawn_on"]
            case "volunteer.merged":
                for one in services.values():
                    one["volunteer"] = body["into"] if one["volunteer"] == body["volunteer"] else one["volunteer"]
                gone, kept = people.pop(body["volunteer"]), people[body["into"]]
                kept["sure"] = min(kept["sure"], gone["sure"])
                kept["backbone"] = min(kept.get("backbone", "9999"), gone.get("backbone", "9999"))
    return parents, declared, people, services


def recount(entries, year: int, today: str) -> dict[str, dict[str, int]]:
    """Count by raw entries in the plainest way."""
    on = min(f"{year}-12-31", today)
    parents, declared, people, services = fold(entries)
    found = {}
    for unit in parents:
        below = {unit}
        for _ in parents:
            below |= {code for code, parent in parents.items() if parent in below}
        here = {number: one for number, one in people.items() if one["home"] in below and one["on"] <= on}
        mine = {number for number, one in here.items() if one.get("left", "9999") > on}
        done = [
            one
            for one in services.values()
            if one["volunteer"] in mine and one["counts"] <= today and f"{year}-01-01" <= one["served_on"] <= on and not one.get("frozen")
        ]
        found[unit] = {
            "population": population(unit, parents, declared, on),
            "registered": len(mine),
            "confirmed": sum(people[number]["sure"] <= on for number in mine),
            "participants": len({one["volunteer"] for one in done}),
            "backbone": sum(people[number].get("backbone", "9999") <= on for number in mine),
            "minutes": sum(one["minutes"] for one in done),
        }
    return found


def population(unit, parents, declared, on) -> int:
    known = {day: said for day, said in declared.get(unit, {}).items() if day <= on}
    return (
        known[max(known)] if known else sum(population(code, parents, declared, on) for code, parent in parents.items() if parent == unit)
    )


def tally(entries) -> dict[tuple[str, str], tuple[int, int]]:
    """Count by raw entries how many records, with how many minutes, each volunteer has in a year that are approved and not frozen."""
    found = {}
    for one in fold(entries)[3].values():
        if one["counts"] != "9999" and not one.get("frozen"):
            year = one["served_on"][:4], one["volunteer"]
            records, minutes = found.get(year, (0, 0))
            found[year] = records + 1, minutes + one["minutes"]
    return found


def tallied(connection) -> dict[tuple[str, str], tuple[int, int]]:
    return {(row.year, row.volunteer): (row.records, row.minutes) for row in connection.execute(select(YEAR_SERVED))}


def raw_entries(connection):
    return [json.loads(row.body) for row in log.scan(connection)]


def counted(connection, year, day):
    return {one.code: {key: getattr(one, key) for key in rates.COUNTS} for one in rates.count(connection, year, day)}


DAYS = st.dates(date(2024, 6, 1), date(2026, 3, 1))
PERSON = st.tuples(st.sampled_from(list(UNITS)), DAYS, st.booleans(), st.sampled_from(["self", "roster"]))
SERVICE = st.tuples(
    st.integers(0, 7),
    DAYS,
    st.integers(0, 20),
    st.integers(2, 180),
    st.sampled_from(["settled", "settled", "waiting", "approved", "corrected", "voided"]),
    st.sampled_from(list(UNITS)),
)
LATER = st.tuples(st.sampled_from(["freeze", "free", "void", "year", "merge", "withdraw"]), st.integers(0, 20), st.integers(1, 7), DAYS)
POPULATION = st.tuples(st.sampled_from(list(UNITS)), DAYS, st.integers(1, 20))
TOWNS = {
    "people": st.lists(PERSON, min_size=1, max_size=8),
    "served": st.lists(SERVICE, max_size=15),
    "populations": st.lists(POPULATION, max_size=10),
    "later": st.lists(LATER, max_size=12),
}


def build(tx, people, served, populations, later) -> None:
    for code, parent in UNITS.items():
        stations.declare(tx, Station(code, f"单位{code}", LEVELS[code[0]], parent))
    for code, day, count in populations:
        stations.declare(tx, Station(code, f"单位{code}", LEVELS[code[0]], UNITS[code], None, count, day.isoformat(), "普查"))
    registrations = [
        Registration("某某", f"34010219500101{number:04d}", home, day, basis, backbone=backbone)
        for number, (home, day, backbone, basis) in enumerate(people)
    ]
    numbers = volunteers.register_many(tx, registrations)
    [activity] = activities.find_or_publish(tx, [Activity("D", "活动", "other")])
    recorded = {}
    for person, day, hour, minutes, fate, station in served:
        start = datetime(day.year, day.month, day.day, hour)
        draft = Draft(
            numbers[person % len(numbers)],
            activity,
            station,
            start,
            start + timedelta(minutes=minutes),
            "B",
            BATCH,
            settled=fate != "waiting",
        )
        [answer] = recording.record_many(tx, [draft])
        if isinstance(answer, log.Receipt):
            befall(tx, answer.index, draft, fate)
            if fate != "voided":
                recorded[answer.index] = draft.volunteer
    here = dict(zip(numbers, (home for home, *_ in people), strict=True))
    for what, which, other, day in later:
        happen(tx, what, which, other, day, recorded, here)


def befall(tx, index, draft, fate) -> None:
    if fate == "voided":
        amending.void(tx, index, reason="误登")
    elif fate == "corrected":
        amending.correct(tx, index, start=draft.start, end=draft.start + timedelta(minutes=1), reason="误登")
    elif fate == "approved":
        effective = draft.start.date() + timedelta(days=12)
        body = {"services": [index], "volunteers": [draft.volunteer], "station": draft.station}
        tx.append(
            [Fact("service.approved", body | {"publicity_from": draft.start.date().isoformat(), "effective_on": effective.isoformat()})]
        )


def happen(tx, what, which, other, day, recorded, here) -> None:
    """Let something happen later on to a record, or to somebody who is still there."""
    if what in ("merge", "withdraw"):
        if len(here) < 2:
            return
        number = list(here)[which % len(here)]
        body = {"volunteer": number, "station": here.pop(number)}
        into = list(here)[other % len(here)]
        merged = {"into": into, "volunteers": [into], "merged_on": day.isoformat(), "reason": "登记了两次"}
        left = {"withdrawn_on": day.isoformat(), "reason": "other"}
        tx.append([Fact("volunteer.merged", body | merged) if what == "merge" else Fact("volunteer.withdrawn", body | left)])
        for index, volunteer in recorded.items():
            recorded[index] = into if what == "merge" and volunteer == number else volunteer
    elif recorded:
        index = list(recorded)[which % len(recorded)]
        body = {"service": index, "volunteer": recorded[index], "station": "S1"}
        if what == "year":
            start = datetime(day.year, day.month, day.day, 22)
            body |= {
                "start": f"{start:%Y-%m-%dT%H:%M}",
                "end": f"{start:%Y-%m-%dT%H}:{other:02d}",
                "served_on": day.isoformat(),
                "minutes": other,
            }
            tx.append([Fact("service.corrected", body | {"reason": "误登"})])
        elif what == "void":
            del recorded[index]
            tx.append([Fact("service.voided", body | {"reason": "误登"})])
        elif what == "freeze":
            tx.append([Fact("service.contested", body | {"claim": "not_me", "frozen": True})])
        else:
            tx.append([Fact("service.objection_decided", body | {"objection": index, "finding": "rejected", "reason": "查过"})])


@settings(max_examples=60)
@given(year=st.sampled_from([2024, 2025, 2026]), day=DAYS, **TOWNS)
def test_what_is_counted_is_what_anybody_recounts(standing_town, year, day, people, served, populations, later):
    def work(tx):
        build(tx, people, served, populations, later)
        entries = raw_entries(tx.connection)
        found = counted(tx.connection, year, day), tallied(tx.connection)
        return found, (recount(entries, year, day.isoformat()), tally(entries))

    found, expected = standing_town.ledger.write(work, OPERATOR, rehearse=True)
    assert found == expected


# --- a town that one can follow by hand -----------------------------------------------------------------------------------


def of(found, code):
    [one] = [one for one in found if one.code == code]
    return one


def count(town, year, day):
    return town.read(lambda tx: rates.count(tx.connection, year, day))


def test_the_station_of_the_home_counts_wherever_somebody_served(town):
    town.serve(ZHANG, "2026年2月20日", "9:00", "10:00", settled=True, station=WEST)
    town.serve(ZHANG, "2026年2月21日", "9:00", "10:30", settled=True)
    found = count(town, 2026, date(2026, 3, 2))
    assert [one.code for one in found] == [CENTRE, EAST, WEST]
    assert [(one.participants, one.minutes) for one in found] == [(1, 150), (1, 150), (0, 0)]
    assert [(one.registered, one.backbone, one.population) for one in found] == [(7, 2, 3000), (5, 0, 1000), (2, 2, 2000)]
    assert of(found, EAST).rates() == {"registration_rate": "0.0050", "participation_rate": "0.2000", "backbone_rate": "0.0000"}


def test_a_record_moved_to_a_later_day_counts_from_that_day_on_and_when_it_is_void_not_at_all(town):
    index = town.serve(ZHANG, "2026年2月20日", "9:00", "10:00", settled=True)
    other = town.serve(ZHANG, "2026年2月19日", "9:00", "10:00", settled=True)
    later = {"start": datetime(2026, 2, 26, 9), "end": datetime(2026, 2, 26, 11), "reason": "记错了日子"}
    town.write(lambda tx: amending.correct(tx, index, **later), OPERATOR)

    def counted():
        days = (date(2026, 2, 18), date(2026, 2, 19), date(2026, 2, 25), date(2026, 2, 26))
        return [(one.participants, one.minutes) for one in (of(count(town, 2026, day), EAST) for day in days)]

    assert counted() == [(0, 0), (1, 60), (1, 60), (1, 180)]
    town.write(lambda tx: amending.void(tx, other, reason="误登"), OPERATOR)
    assert counted() == [(0, 0), (0, 0), (0, 0), (1, 120)]
    town.write(lambda tx: amending.void(tx, index, reason="误登"), OPERATOR)
    assert counted() == [(0, 0)] * 4
    assert verify(town.ledger).ok


def test_the_population_in_force_on_the_day_is_named_with_its_source(town):
    newer = [STATION_HEADER, [EAST, "东社区社会服务站", "站", CENTRE, "城市", 500, "2026-02-01", "人口抽样"]]
    town.hand_in(newer, "stations")
    before, after = (of(count(town, 2026, day), EAST) for day in (date(2026, 1, 31), date(2026, 2, 1)))
    assert (before.population, before.population_on, before.population_source) == (1000, "2025-12-31", "示例数据")
    assert (after.population, after.population_on, after.population_source) == (500, "2026-02-01", "人口抽样")
    earlier = of(count(town, 2025, date(2025, 12, 30)), EAST)
    assert (earlier.population, earlier.population_on, earlier.rates()["registration_rate"]) == (0, None, "")


def test_the_people_of_a_merged_unit_are_counted_once(town):
    town.advance(days=30)
    town.write(lambda tx: unit_tree.end(tx, WEST, "2026-03-20", EAST))

    def populations(day):
        return [one.population for one in count(town, 2026, date(2026, 3, day))]

    assert populations(31) == [3000, 1000, 2000], "nobody has counted them anew"
    town.hand_in([STATION_HEADER, [EAST, "东社区社会服务站", "站", CENTRE, "城市", 2900, "2026-03-25", "合并后清点"]], "stations")
    assert populations(31) == [2900, 2900, 0]
    assert populations(24) == [3000, 1000, 2000], "as it was known that day"


def test_a_centre_has_the_sum_below_it_until_it_declares_its_own(town):
    assert (of(count(town, 2026, date(2026, 3, 2)), CENTRE).population, of(count(town, 2026, date(2026, 3, 2)), CENTRE).population_on) == (
        3000,
        None,
    )
    town.hand_in([STATION_HEADER, [CENTRE, "某街道社会服务中心", "中心", None, None, 2900, "2026-01-01", "普查"]], "stations")
    centre = of(count(town, 2026, date(2026, 3, 2)), CENTRE)
    assert (centre.population, centre.population_source) == (2900, "普查")


def test_hours_count_from_the_day_their_publicity_is_over(town):
    index = town.serve(ZHANG, "2026年2月20日", "9:00", "10:00", by=ZHAO)
    effective = town.write(lambda tx: approving.approve(tx, [index]), QIAN)
    days = [date.fromisoformat(effective) - timedelta(days=1), date.fromisoformat(effective)]
    assert [of(count(town, 2026, day), EAST).participants for day in days] == [0, 1]


def test_what_became_effective_in_january_still_counts_for_december(town):
    town.advance(days=303)  # 30 December 2026
    index = town.serve(ZHANG, "2026年12月29日", "9:00", "10:00", by=ZHAO)
    body = {"services": [index], "volunteers": [town.number(ZHANG)], "station": EAST}
    body |= {"publicity_from": "2026-12-30", "effective_on": "2027-01-08"}
    town.write(lambda tx: tx.append([Fact("service.approved", body)]))
    days = [date(2026, 12, 31), date(2027, 1, 7), date(2027, 1, 8)]
    assert [of(count(town, 2026, day), EAST).participants for day in days] == [0, 0, 1]
    assert of(count(town, 2027, days[-1]), EAST).participants == 0


# --- publishing ------------------------------------------------------------------------------------------------------------


def publish(town, year=2026):
    return town.write(lambda tx: rates.publish(tx, year))


def published(town):
    return town.read(lambda tx: tx.connection.execute(select(PUBLISHED).order_by(PUBLISHED.c.entry_index)).all())


def test_published_rates_name_the_tree_they_were_counted_at(town):
    town.serve(LI, "2026年2月20日", "9:00", "10:00", settled=True)
    size = town.size
    assert publish(town) == 3
    rows = published(town)
    assert [(row.station, row.tree_size, row.counted_on) for row in rows] == [(code, size, "2026-03-02") for code in (CENTRE, EAST, WEST)]
    for row in rows:
        with town.ledger.read() as tx, history.as_known(tx.connection, row.tree_size) as then:
            again = of(rates.count(then, 2026, date.fromisoformat(row.counted_on)), row.station)
            assert {key: getattr(row, key) for key in rates.COUNTS} == {key: getattr(again, key) for key in rates.COUNTS}
    [body] = [entry["body"] for entry in town.read(lambda tx: raw_entries(tx.connection)) if entry["index"] == rows[1].entry_index]
    assert (body["period_from"], body["period_to"]) == ("2026-01-01", "2026-12-31")
    assert (body["population_on"], body["population_source"]) == ("2025-12-31", "示例数据")
    assert verify(town.ledger).ok


def test_nothing_is_published_twice_and_a_change_is_published_where_it_matters(town):
    assert publish(town) == 3
    size = town.size
    town.advance(days=1)
    assert (publish(town), town.size) == (0, size)
    town.serve(ZHOU, "2026年2月20日", "9:00", "10:00", settled=True, station=WEST)
    assert publish(town) == 2
    assert Counter(row.station for row in published(town)) == {CENTRE: 2, EAST: 1, WEST: 2}
    assert publish(town, 2025) == 3  # another year is another period


def test_only_the_deployment_itself_publishes(town):
    for actor in (OFFICIAL, QIAN):
        with pytest.raises(NotAllowed):
            town.write(lambda tx: rates.publish(tx, 2026), actor)


def test_the_rates_as_they_were_known(town):
    answers = {}
    for one in (ZHANG, LI, WANG):
        answers[town.size] = count(town, 2026, date(2026, 3, 2))
        town.serve(one, "2026年2月20日", "9:00", "10:00", settled=True)
    for size, said in answers.items():
        with town.ledger.read() as tx, history.as_known(tx.connection, size) as then:
            assert rates.count(then, 2026, date(2026, 3, 2)) == said
    for size in (-1, town.size + 1):
        with (
            town.ledger.read() as tx,
            pytest.raises(InvalidRequest, match=f"没有 {size} 条时的样子"),
            history.as_known(tx.connection, size),
        ):
            pass
