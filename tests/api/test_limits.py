"""How often the API may be asked: every answer says how things stand, and who asks too often is told when to come again."""

import re
from dataclasses import replace

import pytest
from world import World

from api import limits
from api.app import create_app
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.people.tokens import Tokens


@pytest.fixture
def small(tmp_path):
    """An application that lets each token ask three times a minute, each address eight; and two tokens."""
    town = World(tmp_path, f"sqlite:///{tmp_path}/ledger.db")
    town.ledger.settings = replace(town.settings, token_requests=3, address_requests=8)
    accounts = Accounts(town.ledger)
    accounts.create(OPERATOR, "inspector", "auditor", password="correct horse battery")
    tokens = [Tokens(town.ledger).issue(OPERATOR, "inspector", ["entries:read"], town.today) for _ in range(2)]
    app = create_app(town.ledger, accounts=accounts)
    yield app, tokens
    town.close()


def ask(app, token=None, address="192.0.2.1", path="/api/v1/entries/0"):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return app.test_client().get(path, headers=headers, environ_base={"REMOTE_ADDR": address})


def left(answer):
    return {name: int(count) for name, count in re.findall(r'"(\w+)";r=(\d+);t=\d+', answer.headers["RateLimit"])}


def test_every_answer_says_how_things_stand(small):
    app, tokens = small
    answer = ask(app, tokens[0])
    assert answer.status_code == 200
    assert answer.headers["RateLimit-Policy"] == '"address";q=8;w=60, "token";q=3;w=60'
    assert left(answer) == {"address": 7, "token": 2}
    assert "RateLimit" not in app.test_client().get("/api/").headers, "pages are for people"


def test_a_token_that_asks_too_often_waits_and_another_does_not(small):
    app, tokens = small
    answers = [ask(app, tokens[0]) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    last = answers[-1]
    assert (last.content_type, last.json["type"]) == ("application/problem+json", "/problems/too_many_requests")
    assert 0 < int(last.headers["Retry-After"]) <= 60
    assert left(last)["token"] == 0
    assert ask(app, tokens[1]).status_code == 200


def test_an_address_has_a_limit_of_its_own_whatever_it_sends(small):
    app, tokens = small
    answers = [ask(app, f"sw_{n:043}") for n in range(8)]
    assert {answer.status_code for answer in answers} == {401}
    assert ask(app, tokens[0]).status_code == 429, "guessing tokens uses up the address"
    assert ask(app, path="/api/v1/openapi.json").status_code == 429
    assert ask(app, tokens[0], address="192.0.2.2").status_code == 200


def test_a_window_ends_a_minute_after_it_began():
    meter = limits.Meter("token", 2)
    assert [meter.count("a", now) for now in (100.0, 110.0, 120.0)] == [(1, 60), (0, 50), (-1, 40)]
    assert meter.count("a", 159.9)[0] == -1
    assert meter.count("a", 160.0) == (1, 60)
    assert meter.count("b", 120.0) == (1, 60)


def test_what_is_remembered_is_bounded_and_the_longest_quiet_is_forgotten_first():
    meter = limits.Meter("token", 2)
    for number in range(limits.KEYS_MAX):
        meter.count(str(number), 1.0)
    meter.count("0", 2.0)
    meter.count("one more", 3.0)
    assert meter.count("0", 4.0)[0] == -1, "asked lately: remembered"
    assert meter.count("1", 4.0)[0] == 1, "quiet the longest: forgotten"
