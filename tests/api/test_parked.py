"""Parked rows on the web: nobody is registered by a sheet, and once people have registered their hours are one act away."""

import re
from datetime import date

import pytest

from ledger import parked
from ledger.people import volunteers
from ledger.people.actors import OPERATOR
from ledger.people.volunteers import Registration

SHEET = "signin-20251024-004.xlsx"
STATION = "340104001004"


@pytest.fixture
def handed_in(world, upload, sheet):
    """A sheet with three people whom nobody knows, committed by the clerk."""
    clerk = world.visitor("recorder")
    clerk.post(f"{upload(clerk, sheet, SHEET)}/commit")
    return clerk


def waiting(world):
    with world.ledger.read() as tx:
        return parked.waiting(tx, [STATION])


def register_one(world):
    """Register the first of them as a desk would, from what the sealed row says."""
    with world.ledger.read() as tx:
        row = tx.connection.exec_driver_sql("SELECT * FROM parked ORDER BY source_row").first()
        [(_, one)] = parked._opened(tx, [row])
    person = Registration(one.name, one.id_number, STATION, date(2025, 10, 30), "clerk")
    world.ledger.write(lambda tx: volunteers.register_many(tx, [person]), OPERATOR)
    return one


def test_people_nobody_knows_wait_masked_and_are_recorded_once_they_register(world, handed_in):
    page = handed_in.get("/parked/").text
    assert page.count("还没有登记") == 3
    assert re.findall(r"\d{11,}", re.sub(r"<[^>]*>", "", page)) == []
    assert handed_in.post("/parked/").status_code == 400, "nobody has registered yet"

    one = register_one(world)
    page = handed_in.get("/parked/").text
    assert one.name not in page
    assert "把已登记的 1 行计入" in page
    assert handed_in.post("/parked/").status_code == 302
    assert len(waiting(world)) == 2
    assert "已登记 1 条，等待另一位审核员审核" in handed_in.get("/parked/").text
    with world.ledger.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT status FROM service ORDER BY entry_index DESC").scalar() == "recorded"


def test_a_mistaken_row_is_taken_off_the_list_by_its_own_station_only(world, handed_in):
    row = waiting(world)[0]
    world.visitor("official")
    assert world.visitor("official").post("/parked/", {"drop": row.id}).status_code == 403
    assert handed_in.post("/parked/", {"drop": row.id}).status_code == 302
    assert row.id not in [one.id for one in waiting(world)]
