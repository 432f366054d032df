"""A street's whole year as its stations send it, on both engines: what expected.json says is what the ledger answers, and again, and rehearsed."""

import json
from collections import Counter

import pytest
from files import STREET
from sqlalchemy import func, select
from town import Town, scratch_database

from ledger import credit, rates
from ledger.checking.verifying import verify
from ledger.codes import SERIES
from ledger.people import volunteers
from ledger.selections.rules import read_rules
from ledger.selections.yearly import select_year
from ledger.tables import ActivityRow, OrganisationRow, ServiceRow, table

EXPECTED = json.loads((STREET / "expected.json").read_text())
SHEETS = [sheet["file"] for sheet in EXPECTED["sheets"]]
FILES = [
    ("stations", "stations.csv"),
    ("organisations", "organizations.xlsx"),
    ("volunteers", "volunteers.xlsx"),
    *(("hours", file) for file in SHEETS),
    ("hours", "legacy-hours.csv"),
]
SERVICE, ACTIVITY, ORGANISATION = table(ServiceRow), table(ActivityRow), table(OrganisationRow)
MOST = {"name": "优秀志愿者", "quota": 20}


class Street(Town):
    """The street's ledger, and what each file answered."""

    def send(self, kind, file, *, rehearse=False):
        content = (STREET / file).read_bytes()
        return self.hand_in(content, kind, settled=kind == "hours", rehearse=rehearse, name=file)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def street(request, tmp_path_factory):
    """The year, handed in once: rosters, sheets by date, then the old platform."""
    home = tmp_path_factory.mktemp("street")
    if request.param == "sqlite":
        yield from handed_in(home, f"sqlite:///{home}/ledger.db")
    else:
        with scratch_database(request.getfixturevalue("postgres_server")) as url:
            yield from handed_in(home, url)


def handed_in(home, url):
    made = Street(home, url)
    made.outcomes = {}
    for kind, file in FILES:
        if file in ("stations.csv", "organizations.xlsx", "volunteers.xlsx", SHEETS[0], "legacy-hours.csv"):
            before = made.everything()
            rehearsed = made.send(kind, file, rehearse=True)
            assert made.everything() == before, file
            made.outcomes[file] = made.send(kind, file)
            assert comparable(rehearsed) == comparable(made.outcomes[file])
        else:
            made.outcomes[file] = made.send(kind, file)
    yield made
    made.ledger.engine.dispose()


def comparable(outcome):
    """What an outcome says, without what is drawn at random or says that it was a rehearsal."""
    said = outcome.as_json()
    said.pop("dry_run")
    said.pop("batch", None)
    return said, outcome.activity


def refused(outcome):
    return [(problem.row, problem.code) for problem in outcome.rejected]


def lapsed(organisation, on: str) -> bool:
    """A filing holds to the day before its second anniversary; a registration for good."""
    return organisation.basis == "filed" and f"{int(organisation.since[:4]) + 2}{organisation.since[4:]}" <= on


def test_every_sheet_accepts_and_refuses_exactly_the_rows_expected(street):
    with street.ledger.read() as tx:
        known = volunteers.find_by_id_numbers(tx, {row["id"] for sheet in EXPECTED["sheets"] for row in sheet["accepted"]})
        people = {id_number: one.row.number for id_number, one in known.items()}
        recorded = {row.entry_index: row for row in tx.connection.execute(select(SERVICE))}
        activities = {row.id: row for row in tx.connection.execute(select(ACTIVITY))}
        filings = {row.name: row for row in tx.connection.execute(select(ORGANISATION))}
    for expected in EXPECTED["sheets"]:
        outcome = street.outcomes[expected["file"]]
        assert refused(outcome) == [(row["row"], row["code"]) for row in expected["rejected"]], expected["file"]
        rows = [recorded[receipt.index] for receipt in outcome.receipts]
        wanted = [(row["row"], people[row["id"]], row["minutes"]) for row in expected["accepted"]]
        assert [(row.source_row, row.volunteer, row.minutes) for row in rows] == wanted, expected["file"]
        assert {(row.station, row.served_on, row.grade) for row in rows} == {(expected["station"], expected["date"], "B")}
        [activity] = {row.activity for row in rows}
        assert SERIES[activities[activity].series] == expected["series"]
        assert (outcome.accepted, outcome.minutes) == (len(wanted), sum(minutes for *_, minutes in wanted))
        unknown = [row["row"] for row in expected["rejected"] if row["code"] == "unknown_volunteer"]
        assert [problem.row for problem in outcome.parked] == unknown
        assert len(outcome.remarks) == lapsed(filings[expected["org"]], expected["date"])
        assert all(problem.message and problem.column for problem in outcome.rejected)


def test_stations_organisations_people_and_the_old_platform(street):
    accepted = [street.outcomes[file].accepted for file in ("stations.csv", "organizations.xlsx", "volunteers.xlsx", "legacy-hours.csv")]
    wanted = [EXPECTED[key] for key in ("stations", "organizations", "volunteers_accepted", "legacy_rows")]
    assert accepted == wanted
    roster = street.outcomes["volunteers.xlsx"]
    assert len(roster.rejected) == EXPECTED["volunteers_rejected"]
    assert Counter(problem.code for problem in roster.rejected) == EXPECTED["volunteer_rejected_by_code"]
    assert street.outcomes["legacy-hours.csv"].rejected == []


def test_minutes_of_every_person_and_series(street):
    with street.ledger.read() as tx:
        known = volunteers.find_by_id_numbers(tx, EXPECTED["volunteer_minutes"])
        by_number = {one.row.number: id_number for id_number, one in known.items()}
        sums = select(SERVICE.c.volunteer, func.sum(SERVICE.c.minutes)).group_by(SERVICE.c.volunteer)
        minutes = {by_number[number]: int(total) for number, total in tx.connection.execute(sums)}
        joined = SERVICE.join(ACTIVITY, ACTIVITY.c.id == SERVICE.c.activity)
        of_series = select(ACTIVITY.c.series, func.sum(SERVICE.c.minutes)).select_from(joined).group_by(ACTIVITY.c.series)
        series = {SERIES[code]: int(total) for code, total in tx.connection.execute(of_series)}
        statements = {id_number: credit.statement(tx, known[id_number].row.number) for id_number in list(known)[:60]}
    assert minutes == EXPECTED["volunteer_minutes"]
    assert sum(minutes.values()) == EXPECTED["total_minutes"]
    assert series == EXPECTED["minutes_by_series"]
    for id_number, statement in statements.items():
        assert statement.minutes == minutes[id_number] == sum(item.minutes for item in statement.records)


def test_rates_of_every_station_and_of_the_centre(street):
    found = street.read(lambda tx: rates.count(tx.connection, EXPECTED["year"], rates.counting_day(EXPECTED["year"], tx.today)))
    counts = {one.code: {key: getattr(one, key) for key in EXPECTED["rates"][one.code]} for one in found}
    assert counts == EXPECTED["rates"]
    centre = found[0]
    assert (centre.code, centre.counted_on, centre.population_source) == ("340104001000", "2025-12-31", None)
    assert centre.rates() == {"registration_rate": "0.1116", "participation_rate": "0.3272", "backbone_rate": "0.0106"}


def test_the_twenty_with_the_most_hours(street):
    rules = read_rules(json.dumps(MOST).encode())
    chosen = street.read(lambda tx: select_year(tx, EXPECTED["year"], rules)).chosen
    assert [one.minutes for one in chosen] == EXPECTED["top20_minutes_in_year"]


def test_the_same_files_again_add_nothing_and_say_so(street):
    """Last of all but the verification: the same rows are refused, all others stand already."""
    size = street.size
    for kind, file in FILES:
        first, again = street.outcomes[file], street.send(kind, file)
        assert (again.accepted, again.already, again.minutes, again.receipts) == (0, first.accepted, 0, [])
        assert refused(again) == refused(first), file
    assert street.size == size


def test_everything_verifies(street):
    report = verify(street.ledger)
    assert report.faults == []
    assert report.size == street.size
