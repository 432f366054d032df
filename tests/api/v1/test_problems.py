"""Whatever goes wrong under /api/v1 is a problem (RFC 9457), says what to do, and gives nothing away."""

import logging

import pytest
from world import HOME, World

from api import problems
from api.auth import open_to_all
from api.v1.requests import BODY_BYTES_MAX
from ledger.people.actors import OPERATOR
from ledger.people.tokens import Tokens
from ledger.refusals import CODES

RECORDS = "/api/v1/service-records"


@pytest.fixture(params=["sqlite"])
def founded_url(request, tmp_path):
    """No question here is the database's."""
    return f"sqlite:///{tmp_path}/ledger.db"


def test_world_is_on_one_engine(world):
    assert isinstance(world, World)


def is_problem(answer, status, code):
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    said = answer.json
    assert (said["type"], said["status"], said["title"]) == (f"/problems/{code}", status, problems.TYPES[code][1])
    assert said["detail"]
    assert "\\u" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(said["request_id"]) == 12
    return said


def test_every_code_of_a_refused_row_is_a_problem_of_its_own():
    assert {code: problems.TYPES[code] for code in CODES} == {code: (422, title) for code, title in CODES.items()}


def test_without_a_good_token_nothing_is_said_but_how_to_get_one(desk):
    Tokens(desk.town.ledger).revoke(OPERATOR, Tokens(desk.town.ledger).everyone(OPERATOR)[0].id)
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic ZGVzazp4"}, {"Authorization": "Bearer sw_" + "A" * 43}):
        answer = desk.client.post(RECORDS, json=desk.service, headers=headers)
        is_problem(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="shouwang"')
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_session_cookie_opens_nothing_under_the_api(desk):
    page = desk.client.get("/sign-in")
    csrf = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    desk.accounts.change_password(
        desk.accounts.sign_in("desk", "correct horse battery").actor.account, "correct horse battery", "another horse battery"
    )
    assert desk.client.post("/sign-in", data={"csrf_token": csrf, "name": "desk", "password": "another horse battery"}).status_code == 302
    assert desk.client.get("/work").status_code == 200
    is_problem(desk.client.post(RECORDS, json=desk.service, headers={"X-CSRFToken": csrf}), 401, "unauthenticated")
    assert "Set-Cookie" not in desk.client.get("/api/v1/checkpoint").headers


def test_a_scope_is_not_enough_without_the_role_and_the_other_way_round(desk):
    answer = desk.post(desk.service, token=desk.auditor)
    is_problem(answer, 403, "not_allowed")
    assert 'error="insufficient_scope", scope="service-records:write"' in answer.headers["WWW-Authenticate"]
    desk.town.ledger.operate(
        lambda connection, now: connection.exec_driver_sql("UPDATE api_token SET scopes = 'entries:read service-records:write log:read'")
    )
    desk.town.advance(seconds=5)
    is_problem(desk.get("/entries/0"), 403, "not_allowed")
    is_problem(desk.post(desk.service, token=desk.auditor), 403, "not_allowed")
    assert desk.get("/entries/0", token=desk.auditor).status_code == 200


def test_an_unknown_address_and_a_wrong_method_are_problems(desk):
    is_problem(desk.client.get("/api/v1/nothing"), 404, "not_found")
    is_problem(desk.get("/entries/-1"), 404, "not_found")
    answer = desk.client.put(RECORDS)
    is_problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_a_body_is_json_and_not_too_long(desk):
    def post(content, kind="application/json", path=RECORDS):
        return desk.client.post(path, data=content, headers=desk.headers(Content_Type=kind))

    answer = post(b"volunteer=1", "application/x-www-form-urlencoded")
    is_problem(answer, 415, "unsupported_media_type")
    assert answer.headers["Accept"] == "application/json"
    for content in (b"", b"{", b"{'a': 1}", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"a": "\xed\xa0\x80"}'):
        is_problem(post(content), 400, "malformed")
    for content in (b"null", b"[]", b"7", b'"x"', b"true"):
        said = is_problem(post(content), 422, "invalid")
        assert [error["pointer"] for error in said["errors"]] == ["#"]
    is_problem(post(b" " * (BODY_BYTES_MAX + 1)), 413, "too_large")
    is_problem(post(b" " * (BODY_BYTES_MAX + 1), path=f"{RECORDS}/batch"), 400, "malformed")
    is_problem(post(b" " * (4 * BODY_BYTES_MAX + 1), path=f"{RECORDS}/batch"), 413, "too_large")


def test_an_unexpected_fault_gives_a_number_that_the_log_has_and_nothing_else(desk, caplog):
    def broken():
        return 1 // 0

    desk.app.add_url_rule("/api/v1/broken", "broken", broken)
    is_problem(desk.client.get("/api/v1/broken"), 403, "not_allowed")  # what declares nobody is closed to everybody
    open_to_all(broken)
    with caplog.at_level(logging.ERROR, "shouwang.web"):
        answer = desk.client.get("/api/v1/broken")
    said = is_problem(answer, 500, "internal")
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivision" not in answer.text
    assert said["request_id"] in caplog.text


def test_the_log_of_requests_holds_no_token(desk, caplog):
    with caplog.at_level(logging.DEBUG):
        desk.post(desk.service)
        desk.post(desk.service, token=desk.token + "x")
    assert desk.token not in caplog.text


def test_nobody_records_where_they_may_not_even_through_an_activity_of_theirs(desk):
    other = desk.issue("desk", "log:read")
    is_problem(desk.post(desk.service | {"station": HOME}, token=other), 403, "not_allowed")
