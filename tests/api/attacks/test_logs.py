"""What every answer carries, and what the log says of it: a number to ask about, and nothing of anybody."""

import io
import json
import logging

import pytest

from api.app import create_app
from api.auth import open_to_all
from ledger.people.actors import OPERATOR
from ledger.people.leaks import guard_logging
from ledger.people.tokens import Tokens
from scripts.log_lines import JsonLines

SECURE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture
def lines(world):
    """What is logged, line by line, as `serve` writes it."""
    written = io.StringIO()
    handler, logger = logging.StreamHandler(written), logging.getLogger("shouwang")
    handler.setFormatter(JsonLines())
    factory, level = logging.getLogRecordFactory(), logger.level
    guard_logging()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logger.removeHandler(handler)
    logger.setLevel(level)
    logging.setLogRecordFactory(factory)


def test_every_answer_has_its_headers_and_a_number_whatever_it_is(world, person):
    app = create_app(world.ledger, accounts=world.accounts)
    app.add_url_rule("/broken", "broken", open_to_all(lambda: 1 / 0))
    clerk = type(world.visitor())(app)
    clerk.sign_in("recorder")
    seen = set()
    for path, status in (
        ("/", 302),
        ("/sign-in", 302),
        ("/work", 200),
        ("/nowhere", 404),
        ("/approvals/", 403),
        ("/records/99999", 404),
        ("/broken", 500),
        ("/api/v1/service-records", 401),
        ("/api/v1/nowhere", 404),
        ("/log/tile/0/999", 404),
        ("/log/tile/entries/000", 403),
        ("/log/vkey", 200),
        ("/static/shouwang.css", 200),
        ("/static/nothing", 404),
        (f"/volunteers/{person.number}", 200),
        ("/stations/?sort=x", 400),
    ):
        answer = clerk.client.get(path, headers={"X-Request-Id": "mine"}, buffered=True)
        assert answer.status_code == status, path
        assert {name: answer.headers[name] for name in SECURE} == SECURE, path
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, path
        assert "script" not in policy, path
        assert len(answer.headers.getlist("Content-Security-Policy")) == 1
        number = answer.headers["X-Request-Id"]
        assert number not in seen | {"mine", ""}, path
        seen.add(number)
        if status >= 400 and answer.mimetype != "text/plain":
            assert number in answer.text, path
        if path.startswith(("/volunteers", "/work", "/approvals")):
            assert answer.headers["Cache-Control"] == "no-store"
    assert clerk.client.post("/records/1/void").headers["X-Frame-Options"] == "DENY"
    assert "Server" not in clerk.client.get("/").headers


def test_a_fault_answers_with_a_number_that_the_log_has_and_tells_nothing_of_anybody(world, lines):
    app = create_app(world.ledger, accounts=world.accounts)

    def broken():
        try:
            raise KeyError("张敏")
        except KeyError as error:
            raise ValueError("诸葛青云 340104195103040015 13624242754") from error

    app.add_url_rule("/broken", "broken", open_to_all(broken))
    answer = app.test_client().get("/broken?name=诸葛青云")
    number = answer.headers["X-Request-Id"]
    assert (answer.status_code, number in answer.text) == (500, True)
    said = lines()
    [fault] = [line for line in said if line["level"] == "error"]
    assert number in fault["event"]
    assert "test_logs.py" in fault["event"]
    assert ("ValueError" in fault["event"], "KeyError" in fault["event"]) == (True, True)
    for text in ("诸葛青云", "张敏", "340104195103040015", "13624242754"):
        assert text not in json.dumps(said, ensure_ascii=False)
        assert text not in answer.text
    assert "Traceback" not in answer.text
    assert "test_logs" not in answer.text


def test_the_log_says_what_was_asked_by_whose_account_and_no_secret(world, person, lines):
    clerk = world.visitor("recorder")
    secret = Tokens(world.ledger).issue(OPERATOR, "recorder", ["volunteers:read"], world.clock.now.date())
    clerk.post("/volunteers/", {"said": person.id_number})
    clerk.get(f"/volunteers/{person.number}?phone=13624242754&token={secret}")
    world.app.test_client().post(
        "/api/v1/volunteers/find", json={"id_number": person.id_number}, headers={"Authorization": f"Bearer {secret}"}
    )
    world.visitor().sign_in(person.number, person.password + "x")
    clerk.get("/nowhere/13624242754")
    said = [line for line in lines() if line["logger"] == "shouwang.access"]
    asked = {(line["method"], line["route"], line["status"]) for line in said}
    assert {
        ("POST", "/sign-in", 302),
        ("POST", "/sign-in", 403),
        ("POST", "/volunteers/", 302),
        ("GET", "/volunteers/<number>", 200),
        ("POST", "/api/v1/volunteers/find", 200),
        ("", "", 404),
    } <= asked
    assert all({"at", "level", "logger", "event", "request", "ms", "account"} <= line.keys() for line in said)
    account = next(one.id for one in world.accounts.everyone(OPERATOR) if one.login == "recorder")
    assert {line["account"] for line in said if line["route"] in ("/volunteers/<number>", "/api/v1/volunteers/find")} == {account}
    refused = {(line["route"], line["refused"]) for line in said if "refused" in line}
    assert refused == {("/sign-in", "password"), ("", "not_found")}, "why, which the page does not say"
    signed_in = [line["account"] for line in said if (line["route"], line["status"]) == ("/sign-in", 302)]
    assert account in signed_in
    everything = json.dumps(said)
    cookies = [clerk.client.get_cookie(name).value for name in ("shouwang", "shouwang-device")]
    for text in (secret, person.id_number, person.number, person.password, "13624242754", "127.0.0.1", *cookies):
        assert text not in everything
