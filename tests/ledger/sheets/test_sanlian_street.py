"""One street's year as its stations send it: every file reads, and every row is what the expected results say of it."""

import json
from collections import Counter
from datetime import date, timedelta

import pytest
from files import DATA, STREET

from ledger.people.identity import InvalidIdNumber, check_id_number, normalise_name
from ledger.sheets import columns, spelling
from ledger.sheets.layout import activity_facts, find_table, is_blank
from ledger.sheets.reading import read_sheet

TODAY = date(2026, 11, 21)
EXPECTED = json.loads((STREET / "expected.json").read_text())


def opened(path, wanted):
    sheet = read_sheet(path.read_bytes(), path.name)
    return sheet, find_table(sheet, wanted)


@pytest.mark.parametrize("expected", EXPECTED["sheets"], ids=lambda sheet: sheet["file"])
def test_a_sign_in_sheet(expected):
    sheet, table = opened(STREET / expected["file"], columns.SIGN_IN)
    facts = activity_facts(sheet, table.header_row)
    assert (table.header_row, facts["series"], facts["organisation"], facts["station"]) == (
        5,
        expected["series"],
        expected["org"],
        expected["station"],
    )
    start, end = spelling.parse_period(facts["time"])
    assert (start.isoformat(), end.isoformat()) == (expected["start"], expected["end"])
    assert facts["beneficiaries"]
    assert facts["services"]
    assert facts["place"].endswith("党群服务中心")
    rows = dict(table.rows())
    outcomes = {row["row"] for outcome in ("accepted", "rejected", "parked") for row in expected.get(outcome, [])}
    assert set(rows) == outcomes
    for row in expected["accepted"]:
        cells = rows[row["row"]]
        assert check_id_number(spelling.parse_id_number(cells["id_number"]), today=TODAY) == row["id"]
        minutes = spelling.parse_time_of_day(cells["end"]) - spelling.parse_time_of_day(cells["start"])
        assert minutes == row["minutes"]
        if not is_blank(cells["duration"]):
            assert spelling.parse_duration(cells["duration"], table.headers["duration"]) == row["minutes"]
    lost = {row["row"] for row in expected.get("rejected", []) if row["code"] == "id_precision_lost"}
    for number in lost:
        with pytest.raises(spelling.IdPrecisionLost):
            spelling.parse_id_number(rows[number]["id_number"])


def test_the_roster():
    _, table = opened(STREET / "volunteers.xlsx", columns.VOLUNTEERS)
    outcomes, seen = Counter(), set()
    for _, cells in table.rows():
        try:
            number = check_id_number(spelling.parse_id_number(cells["id_number"]), today=TODAY)
        except (InvalidIdNumber, spelling.Blank) as refusal:
            outcomes[refusal.reason if isinstance(refusal, InvalidIdNumber) else refusal.code] += 1
            continue
        outcomes["duplicate" if number in seen else "accepted"] += 1
        seen.add(number)
        assert 2022 <= spelling.parse_date(cells["registered_on"]).year <= 2025
        assert not set(normalise_name(cells["name"])) & set(" \u3000")
        spelling.parse_phone(cells["phone"])
        spelling.parse_yes_no(cells["backbone"])
    expected = EXPECTED["volunteer_rejected_by_code"]
    assert outcomes == {
        "accepted": EXPECTED["volunteers_accepted"],
        "missing": expected["missing"],
        "checksum": expected["id_checksum"],
        "duplicate": expected["duplicate"],
    }


def test_the_old_platforms_export():
    sheet, table = opened(STREET / "legacy-hours.csv", columns.PLATFORM)
    assert sheet.encoding == "gb18030"
    rows = [cells for _, cells in table.rows()]
    assert len(rows) == EXPECTED["legacy_rows"]
    for cells in rows:
        length = spelling.parse_datetime(cells["end"]) - spelling.parse_datetime(cells["start"])
        assert length == timedelta(minutes=spelling.parse_duration(cells["duration"], table.headers["duration"]))
        check_id_number(spelling.parse_id_number(cells["id_number"]), today=TODAY)


def test_organisations_stations_and_the_districts_units():
    _, organisations = opened(STREET / "organizations.xlsx", columns.ORGANISATIONS)
    rows = [cells for _, cells in organisations.rows()]
    assert len(rows) == EXPECTED["organizations"]
    assert all(spelling.parse_date(cells["filed_on"]) < date(2026, 1, 1) for cells in rows)
    assert {spelling.parse_yes_no(cells["volunteering"]) for cells in rows} == {True, False}
    _, stations = opened(STREET / "stations.csv", columns.STATIONS)
    assert [cells["level"] for _, cells in stations.rows()] == ["中心", *["站"] * (EXPECTED["stations"] - 1)]
    _, units = opened(DATA / "shushan-units.csv", columns.STATIONS)
    assert len({cells["code"] for _, cells in units.rows()}) == 85
