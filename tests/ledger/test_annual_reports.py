"""The annual report: what it says is what anybody adds up from the entries, at any tree size, and it names nobody."""

import json
from collections import Counter
from datetime import date
from typing import NamedTuple

import pytest
from world import CENTRE, HOME, OTHER, local

from ledger import annual_reports, history, spot_checks
from ledger.annual_reports import COUNTS, below, document
from ledger.errors import InvalidRequest, NotFound
from ledger.people.actors import Actor
from ledger.reports import file_of
from ledger.service import objections, omissions
from ledger.service.adding import Found
from ledger.service.omissions import Claim


class Said(NamedTuple):
    index: int
    came: str
    body: dict
    within: bool


class Naive:
    """A year added up from the entries alone, by the plainest means: the counts of each unit, its grades, its series."""

    def __init__(self, entries, year, late):
        self.year, self.above, self.found, self.records, self.series, self.asked, self.announced = str(year), {}, {}, {}, {}, {}, {}
        for entry in entries:
            work = getattr(self, "_" + entry["kind"].replace(".", "_"), None)
            if work:
                work(Said(entry["index"], entry["recorded_at"], entry["body"], entry["recorded_at"][:4] == self.year))
        for one in self.records.values():
            if one["within"]:
                self._add_up(one, late)
            if one["start"][:4] == self.year and not one["voided"]:
                self.add(one["station"], "served")
                self.add(one["station"], "served_minutes", one["minutes"])

    def add(self, station, name, number=1):
        while station is not None:
            self.found.setdefault(station, Counter())[name] += number
            station = self.above[station]

    def _station_registered(self, said):
        self.above[said.body["station"]], self.found[said.body["station"]] = said.body.get("parent"), Counter()

    def _activity_published(self, said):
        self.series[said.body["activity"]] = said.body["series"]

    def _service_recorded(self, said):
        self.records[said.index] = said.body | {"within": said.within, "came": said.came[:10], "corrected": False, "voided": False}

    def _service_corrected(self, said):
        self.records[said.body["service"]] |= {"minutes": said.body["minutes"], "end": said.body["end"], "corrected": True}

    def _service_voided(self, said):
        self.records[said.body["service"]]["voided"] = True

    def _service_contested(self, said, name="objections"):
        self.asked[said.index] = (said.body["station"], said.within)
        if said.within:
            self.add(said.body["station"], name)

    def _service_omission_claimed(self, said):
        self._service_contested(said, "omissions")

    def _service_objection_decided(self, said, name="objection"):
        station, was_within = self.asked[said.body[name]]
        if was_within:
            self.add(station, f"{name}s_{said.body['finding']}")

    def _service_omission_decided(self, said):
        self._service_objection_decided(said, "omission")

    def _certificate_issued(self, said):
        self.add(said.body["station"], "certificates", said.within)
        self.add(said.body["station"], "certified_minutes", said.body["minutes"] * said.within)

    def _certificate_revoked(self, said):
        self.add(said.body["station"], "revoked", said.within)

    def _spot_check_announced(self, said):
        self.announced[said.index] = said.within
        self.add(said.body["station"], "announced", said.within)
        self.add(said.body["station"], "undrawn", said.within)

    def _spot_check_withdrawn(self, said):
        self.add(said.body["station"], "undrawn", -self.announced[said.body["announced"]])
        self.add(said.body["station"], "withdrawn", self.announced[said.body["announced"]])

    def _spot_check_recorded(self, said):
        self.add(said.body["station"], "undrawn", -self.announced[said.body["announced"]])
        within = said.body["checked_on"][:4] == self.year
        self.add(said.body["station"], "checks", within)
        self.add(said.body["station"], "checked", within * sum(len(said.body[name]) for name in ("held", "wrong", "unclear")))
        for name in ("wrong", "unclear"):
            self.add(said.body["station"], f"checked_{name}", within * len(said.body[name]))

    def _add_up(self, one, late):
        for name in (
            "records",
            f"grade {one['grade']}",
            f"series {self.series[one['activity']]}",
            "voided" if one["voided"] else "standing",
        ):
            self.add(one["station"], name)
        self.add(one["station"], "minutes", 0 if one["voided"] else one["minutes"])
        self.add(one["station"], "corrected", one["corrected"])
        if one["grade"] != "D":
            self.add(one["station"], "judged")
            self.add(one["station"], "late", one["grade"] == "C" or late(one["end"][:10], one["came"]))


def more_than(days):
    """Tell what was late as a clerk with a calendar would: so many Mondays to Fridays; the one holiday of these weeks changes nothing."""

    def late(ended, came):
        first, last = date.fromisoformat(ended), date.fromisoformat(came)
        return sum(date.fromordinal(at).weekday() < 5 for at in range(first.toordinal() + 1, last.toordinal() + 1)) > days

    return late


@pytest.fixture
def street(world):
    """A street's spring of 2025: every grade, two stations, corrections, voids, late ones, objections, omissions, certificates."""
    world.advance(days=56)  # Monday, 3 March 2025
    world.station(CENTRE, "三联街道社会服务中心", level="centre")
    world.station(HOME, "三联社区社会服务站", parent=CENTRE)
    world.station(OTHER, "四联社区社会服务站", parent=CENTRE)
    first, second = world.volunteer(HOME, "欧阳文海"), world.volunteer(OTHER, "李建国")
    care, culture = world.activity(title="看望老人"), world.activity(title="读书会", series="culture")
    old = world.activity(title="旧平台", series="other")
    kept = [world.serve(first, f"2025-03-0{day} 08:00", "10:00", activity=care, grade=grade) for day, grade in ((1, "A"), (2, "B"))]
    kept.append(world.serve(second, "2025-02-03 08:00", "09:00", activity=culture, station=OTHER, grade="B"))  # late
    kept.append(world.serve(second, "2025-03-01 13:00", "14:30", activity=culture, station=OTHER, grade="C"))
    world.serve(first, "2024-05-01 08:00", "12:00", activity=old, grade="D", settled=True)
    world.serve(second, "2025-01-02 08:00", "12:00", activity=old, grade="D", settled=True)
    indexes = [one.index for one in kept]
    world.approve(*indexes)
    world.advance(days=14)
    world.correct(indexes[0], "2025-03-01 08:00", "09:30")
    world.approve(indexes[0], actor=Actor("another", "approver"))
    world.void(indexes[1])
    world.advance(days=14)
    world.first, world.second, world.kept = first, second, indexes
    return world


def counted(world, year=2025):
    with world.read() as tx:
        return annual_reports.count(tx.connection, year, tx.today, world.size)


def check(world, year):
    naive = Naive(world.entries(), year, more_than(10)).found
    rates = world.rates(year)
    for unit in counted(world, year).units:
        own = naive[unit.code]
        people = {name: rates[unit.code][name] for name in ("registered", "confirmed", "participants")}
        assert dict(unit.counts) == {name: own[name] for name in COUNTS if name not in people} | people | {"unknown": 0}, unit.code
        assert dict(unit.grades) == {code: own[f"grade {code}"] for code in unit.grades}
        assert dict(unit.series) == {code: own[f"series {code}"] for code in unit.series}
        assert sum(unit.grades.values()) == sum(unit.series.values()) == unit.counts["records"]
    return {unit.code: unit.counts for unit in counted(world, year).units}


def test_what_it_says_is_what_anybody_adds_up_from_the_entries(street):
    said = check(street, 2025)
    home, other, centre = said[HOME], said[OTHER], said[CENTRE]
    assert (home["records"], home["standing"], home["voided"], home["corrected"]) == (3, 2, 1, 1)
    assert (other["records"], other["judged"], other["late"]) == (3, 2, 2)
    assert (centre["records"], centre["judged"], centre["late"]) == (6, 4, 2)
    assert home["minutes"] == 90 + 240
    assert (centre["served"], centre["served_minutes"]) == (4, 90 + 60 + 90 + 240)
    assert check(street, 2024)[CENTRE] == dict.fromkeys(COUNTS, 0) | {"served": 1, "served_minutes": 240}, "given then, written down later"


def test_objections_omissions_and_certificates_of_the_year_with_what_came_out(street):
    mine = {number: Actor("own-" + number, "volunteer", None, number) for number in (street.first, street.second)}
    above = Actor("above", "approver", CENTRE)
    said = Claim(HOME, date(2025, 3, 4), "sheet", start=local("2025-03-04 09:00"), end=local("2025-03-04 11:00"))
    first = street.write(lambda tx: objections.contest(tx, street.kept[0], "time"), mine[street.first]).index
    street.write(lambda tx: objections.decide(tx, first, "rejected", "签到表如此"), above)
    street.write(lambda tx: objections.contest(tx, street.kept[2], "absent"), mine[street.second])
    missed = street.write(lambda tx: omissions.claim(tx, street.first, said), mine[street.first]).index
    found = Found(local("2025-03-04 09:00"), local("2025-03-04 11:00"), 0, title="看望老人", series="neighbour-care")
    street.write(lambda tx: omissions.decide(tx, missed, "upheld", "签到表上有", found), above)
    street.certify(street.second)
    number = street.certify(street.first).number
    street.revoke(number)
    counts = check(street, 2025)
    assert [counts[HOME][f"objections{what}"] for what in ("", "_upheld", "_rejected")] == [1, 0, 1]
    assert [counts[OTHER][f"objections{what}"] for what in ("", "_upheld", "_rejected")] == [1, 0, 0]
    assert [counts[CENTRE][f"omissions{what}"] for what in ("", "_upheld", "_rejected")] == [1, 1, 0]
    assert [counts[unit]["certificates"] for unit in (CENTRE, HOME, OTHER)] == [2, 1, 1]
    assert [counts[unit]["revoked"] for unit in (CENTRE, HOME, OTHER)] == [1, 1, 0]
    street.advance(days=365)
    street.revoke(street.certify(street.second).number)
    street.write(lambda tx: objections.decide(tx, _open(tx), "upheld", "他没有来"), above)
    assert check(street, 2025)[OTHER]["objections_upheld"] == 1, "the answer belongs to the year of the question"
    assert check(street, 2025)[CENTRE]["certificates"] == 2
    assert [check(street, 2026)[CENTRE][what] for what in ("certificates", "revoked", "objections")] == [1, 1, 0]


def _open(tx):
    [one] = objections.waiting(tx, Actor("above", "approver", CENTRE))
    return one.row.entry_index


def test_spot_checks_of_the_year_with_what_they_found(street):
    street.announce_check(HOME)
    dropped = street.announce_check(OTHER)
    index = street.announce_check(CENTRE, 4)
    street.advance(days=1)
    street.write(lambda tx: spot_checks.withdraw(tx, dropped, "这一期没有开奖"))
    with street.read() as tx:
        drawn = spot_checks.draw(tx, index, "03071219253308")
    found = spot_checks.Found(street.today, "03071219253308", drawn[:1], drawn[2:3])
    street.write(lambda tx: spot_checks.record(tx, index, found))
    counts = check(street, 2025)
    assert [counts[CENTRE][what] for what in ("checks", "checked", "checked_wrong", "checked_unclear")] == [1, 4, 1, 1]
    assert [counts[CENTRE][what] for what in ("announced", "undrawn", "withdrawn")] == [3, 1, 1]
    assert [counts[HOME]["undrawn"], counts[OTHER]["withdrawn"], check(street, 2024)[CENTRE]["announced"]] == [1, 1, 0]
    assert counts[HOME]["checks"] == check(street, 2024)[CENTRE]["checks"] == 0


def test_asked_again_at_the_same_size_and_day_it_is_the_same_whatever_came_after(street):
    size, asked, before = street.size, street.today, counted(street)
    street.advance(days=3)
    street.serve(street.first, "2025-03-30 08:00", "10:00")
    street.void(street.kept[2])
    assert counted(street).units != before.units
    with street.read() as tx, history.as_known(tx.connection, size) as then:
        again = annual_reports.count(then, 2025, asked, size)
    assert again == before


def test_a_unit_has_the_sum_of_those_below_it_and_its_report_their_rows(street):
    whole = counted(street)
    assert [unit.code for unit in below(whole, None).units] == [CENTRE, *sorted((HOME, OTHER))]
    assert [unit.code for unit in below(whole, HOME).units] == [HOME]
    with pytest.raises(NotFound, match="没有编码为 9"):
        below(whole, "9")
    made = document(below(whole, None), "李梅")
    assert made.title == "三联街道社会服务中心 2025 年度志愿服务记录与证明出具工作报告"
    assert len(made.rows) == 2
    assert made.total is not None
    assert made.total[0] == "合计"
    assert f"--as-known {street.size} --on 2025-03-31" in made.notes[1]
    alone = document(below(whole, HOME), "李梅")
    assert (len(alone.rows), alone.total) == (1, None)
    for kind in ("xlsx", "pdf", "csv"):
        content = file_of(made, kind).content
        assert content
    text = file_of(made, "csv").content.decode("utf-8-sig")
    for number, (name, id_number, _) in street.names.items():
        assert not [word for word in (number, name, id_number) if word in text]
    assert json.dumps([dict(unit.counts) for unit in whole.units])


def test_a_year_that_has_not_begun_has_no_report(street):
    for year in (2026, 1979):
        with pytest.raises(InvalidRequest, match="年度应在 1980 到 2025 之间"):
            counted(street, year)


def test_before_there_are_units_there_is_nothing_to_report(world):
    assert counted(world).units == []
    with pytest.raises(NotFound, match="还没有登记任何站点"):
        below(counted(world), None)
