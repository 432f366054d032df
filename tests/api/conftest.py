"""A small street on a web server: its stations, the people of one sign-in sheet, an account of every role, and a clock that the test moves."""

import io
import json
import re
import shutil
import unicodedata
from datetime import datetime, timedelta
from types import SimpleNamespace

import openpyxl
import pytest
from argon2 import PasswordHasher
from files import STREET, xlsx
from postgres import lay_schema
from requests_by_hand import serving
from templates import COMPILED
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from api.app import create_app
from ledger import imports
from ledger.entries import SHANGHAI
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.settings import Settings
from ledger.store import create_ledger, open_ledger

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"
SHEET = "signin-20251024-004.xlsx"
CENTRE, STATION, NEXT_STATION = "340104001000", "340104001004", "340104001001"
STAFF = {
    "recorder": STATION,
    "approver": CENTRE,
    "official": None,
    "auditor": None,
    "administrator": None,
}


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = datetime(2025, 11, 3, 9, 30, tzinfo=SHANGHAI)

    def __call__(self):
        return self.now

    def move(self, **by):
        self.now += timedelta(**by)


class Visitor:
    """Somebody at a browser that sends forms with their token, as pages do."""

    def __init__(self, app):
        self.client = app.test_client()

    def get(self, path) -> TestResponse:
        return self.client.get(path, buffered=True)

    def post(self, path, data=None) -> TestResponse:
        said = {"csrf_token": self.token(), **(data or {})}
        if "files" not in said:
            return self.client.post(path, data=said, buffered=True)
        files = said["files"] if isinstance(said["files"], list) else [said["files"]]
        said["files"] = [FileStorage(io.BytesIO(content), name) for content, name in files]
        boundary, body = encode_multipart(said)
        return self.client.post(path, data=body, content_type=f'multipart/form-data; boundary="{boundary}"', buffered=True)

    def token(self):
        page = self.client.get("/password", follow_redirects=True).text
        return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]

    def sign_in(self, name, password=PASSWORD) -> TestResponse:
        return self.post("/sign-in", {"name": name, "password": password})


def spelt(cell):
    """An ID number as both files would write it if they were written with care."""
    return "".join(unicodedata.normalize("NFKC", str(cell)).split()).upper()


@pytest.fixture(scope="session")
def expected():
    """What the real sheet must give, as the data set states it."""
    return next(sheet for sheet in json.loads((STREET / "expected.json").read_text())["sheets"] if sheet["file"] == SHEET)


@pytest.fixture(scope="session")
def roster(expected):
    """The rows of the street's roster that are about people of the sheet: a workbook, small enough for a test."""
    signed = {spelt(row[2]) for row in openpyxl.load_workbook(STREET / SHEET).active.values} | {row["id"] for row in expected["accepted"]}
    rows = list(openpyxl.load_workbook(io.BytesIO((STREET / "volunteers.xlsx").read_bytes()), read_only=True).active.values)
    return xlsx([rows[1], *(row for row in rows[2:] if spelt(row[3]) in signed)])


def settle(settings, roster):
    """Make the street's ledger on a database, with an account of every role."""
    ledger = create_ledger(settings, Clock())
    imports.run(ledger, "stations", (STREET / "stations.csv").read_bytes(), "stations.csv", OPERATOR)
    imports.run(ledger, "volunteers", roster, "volunteers.xlsx", OPERATOR)
    accounts = Accounts(ledger, CHEAP)
    for role, station in STAFF.items():
        accounts.create(OPERATOR, role, role, station=station, password=PASSWORD)
    ledger.close()


@pytest.fixture(scope="session")
def settled_street(tmp_path_factory, roster):
    """The home of such a ledger with its database in it, to be copied: nothing has happened there yet."""
    home = tmp_path_factory.mktemp("street")
    lay_schema(f"sqlite:///{home}/ledger.db")
    settle(Settings(home, f"sqlite:///{home}/ledger.db"), roster)
    return home


@pytest.fixture
def make_world(tmp_path, roster, settled_street):
    """Make the street on a database; its parts: ledger, accounts, app, clock, visitor(role or login)."""
    made = []

    def make(url=None):
        clock = Clock()
        home = tmp_path / f"home{len(made)}"
        settings = Settings(home, url or f"sqlite:///{home}/ledger.db")
        if url:
            settle(settings, roster)
        else:
            shutil.copytree(settled_street, home)
        ledger = open_ledger(settings, clock)
        accounts = Accounts(ledger, CHEAP)
        app = create_app(ledger, accounts=accounts)
        app.jinja_env.bytecode_cache = COMPILED

        def visitor(login=None, password=PASSWORD):
            someone = Visitor(app)
            if login:
                assert someone.sign_in(login, password).status_code == 302
            return someone

        made.append(ledger)
        return SimpleNamespace(ledger=ledger, accounts=accounts, app=app, clock=clock, visitor=visitor)

    yield make
    for ledger in made:
        ledger.close()


@pytest.fixture
def world(make_world):
    return make_world()


@pytest.fixture
def person(world, expected):
    """A volunteer of the sheet who signs in: number, ID number, password."""
    id_number = expected["accepted"][0]["id"]
    with world.ledger.read() as tx:
        number = world.ledger.vault.find(tx.connection, "id_number", [id_number])[id_number][0].removeprefix("person/")
    code = world.accounts.issue_code(OPERATOR, number)
    account = world.accounts.sign_in(number, code).actor.account
    world.accounts.change_password(account, code, "pingan-jiankang")
    return SimpleNamespace(number=number, id_number=id_number, password="pingan-jiankang", account=account)


@pytest.fixture
def address(world):
    """The app behind its real server, on a port of this machine."""
    with serving(world.app, threads=4) as url:
        yield url


@pytest.fixture
def upload():
    """Hand in a file as the form does; returns the address of its page."""

    def hand_in(visitor, content, name, kind="hours", **said):
        answer = visitor.post("/sheets/", {"kind": kind, "files": (content, name), **said})
        assert answer.status_code == 302, answer.text
        return answer.location

    return hand_in


@pytest.fixture
def sheet():
    return (STREET / SHEET).read_bytes()


@pytest.fixture
def recorded(world, upload, sheet):
    """The sheet, committed by the recorder: it waits for approval."""
    clerk = world.visitor("recorder")
    page = upload(clerk, sheet, SHEET)
    assert clerk.post(f"{page}/commit").status_code == 302
    with world.ledger.read() as tx:
        return tx.connection.exec_driver_sql("SELECT entry_index, volunteer, minutes, batch FROM service ORDER BY entry_index").all()
