"""A house with a front door: a ledger with two stations, three volunteers, a clerk, and a clock that is moved by hand; verified at the end."""

from datetime import datetime
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher

from ledger import stations
from ledger.checking.verifying import verify
from ledger.entries import SHANGHAI
from ledger.people import grants, volunteers
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, Actor
from ledger.people.second_factors import SecondFactors
from ledger.people.volunteers import Registration
from ledger.settings import Settings
from ledger.stations import Station
from ledger.store import create_ledger

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"
ADMIN = Actor("the-administrator", "administrator")
CLERK = Actor("the-clerk", "recorder", "001")
PHONE, SHARED = "13800001234", "13900005678"
PEOPLE = [("张敏", "340102196708266327", PHONE), ("黄丹", "34010419951022796X", SHARED), ("关凯", "342401197606030221", SHARED)]


@pytest.fixture
def house(tmp_path, founded_url):
    """On each engine; *staff(login, role, station)* makes somebody and signs them in, *changes()* is what the log says of rights."""
    clock = SimpleNamespace(now=datetime(2026, 3, 5, 9, tzinfo=SHANGHAI))
    settings = Settings(tmp_path / "home", founded_url)
    ledger = create_ledger(settings, lambda: clock.now)

    def people(tx):
        for code in ("001", "002"):
            stations.declare(tx, Station(code, f"第{code}站", "station", None))
        day = clock.now.date()
        return volunteers.register_many(tx, [Registration(name, number, "001", day, "clerk", phone) for name, number, phone in PEOPLE])

    numbers = ledger.write(people, OPERATOR)
    found = Accounts(ledger, CHEAP)
    found.create(OPERATOR, "clerk", "recorder", station="001", password=PASSWORD)

    def staff(login, role, station=None):
        found.create(OPERATOR, login, role, station=station, password=PASSWORD)
        return found.sign_in(login, PASSWORD).actor

    def changes():
        with ledger.read() as tx:
            return [(row.change, row.role, row.station, row.actor) for row in grants.changes(tx, OPERATOR)]

    yield SimpleNamespace(
        ledger=ledger,
        settings=settings,
        accounts=found,
        second_factors=SecondFactors(ledger),
        numbers=numbers,
        clock=clock,
        staff=staff,
        changes=changes,
        founded=[("granted", "recorder", "001", "operator"), ("opened", None, None, "operator")],
    )
    report = verify(ledger)
    assert report.ok, report.faults
    ledger.close()
