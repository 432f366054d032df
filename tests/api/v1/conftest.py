"""A town with a front desk: another system that hands hours in with a token, on each engine; all of the town is checked at the end."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from templates import COMPILED
from world import CENTRE, HOME, OTHER, World

from api.app import create_app
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.people.tokens import SCOPES, Tokens

PASSWORD = "correct horse battery"


class Desk:
    """The other system: its token, and one service that it may say."""

    def __init__(self, town):
        self.town = town
        accounts = Accounts(town.ledger, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        accounts.create(OPERATOR, "desk", "recorder", station=HOME, password=PASSWORD)
        accounts.create(OPERATOR, "inspector", "auditor", password=PASSWORD)
        self.accounts = accounts
        self.app = create_app(town.ledger, accounts=accounts)
        self.app.jinja_env.bytecode_cache = COMPILED
        self.client = self.app.test_client()
        self.token = self.issue("desk", "service-records:write", "log:read")
        self.auditor = self.issue("inspector", "log:read", "entries:read")
        self.service = {
            "volunteer": next(iter(town.people)),
            "activity": town.activity(),
            "station": HOME,
            "start": "2025-01-20T09:00:00+08:00",
            "end": "2025-01-20T11:00:00+08:00",
            "grade": "B",
        }

    def issue(self, login, *scopes, days=30):
        return Tokens(self.town.ledger).issue(OPERATOR, login, scopes or SCOPES, self.town.today + timedelta(days=days))

    def headers(self, token=None, **more):
        return {"Authorization": f"Bearer {token or self.token}"} | {name.replace("_", "-"): value for name, value in more.items()}

    def post(self, said, path="", *, token=None, **headers):
        return self.client.post(f"/api/v1/service-records{path}", json=said, headers=self.headers(token, **headers))

    def get(self, path, *, token=None, **headers):
        return self.client.get(f"/api/v1{path}", headers=self.headers(token, **headers))

    def on(self, day, **said):
        """The same service on another day of January."""
        return self.service | {"start": f"2025-01-{day:02}T09:00:00+08:00", "end": f"2025-01-{day:02}T11:00:00+08:00"} | said


@pytest.fixture
def world(tmp_path, founded_url):
    town = World(tmp_path, founded_url)
    town.station(CENTRE, level="centre")
    town.station(HOME, parent=CENTRE, population=1000)
    town.station(OTHER, parent=CENTRE, population=500)
    town.volunteer()
    town.advance(days=20)
    yield town
    town.check()
    town.close()


@pytest.fixture
def desk(world):
    return Desk(world)


@pytest.fixture
def elsewhere():
    """A station that the desk may not record at."""
    return OTHER
