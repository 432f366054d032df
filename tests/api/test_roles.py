"""Every page and every role: who gets in, who is sent to sign in, who is told that they may not."""

import uuid

import pytest

from api.app import create_app
from api.auth import SIGNED_IN, allowed_roles
from ledger.actors import OPERATOR, ROLES

EVERYONE = "everyone"
STAFF = {"recorder", "approver", "official"}
PAGES = {
    "static": EVERYONE,
    "home.home": EVERYONE,
    "home.work": STAFF,
    "sign_in.form": EVERYONE,
    "sign_in.enter": EVERYONE,
    "sign_in.leave": set(SIGNED_IN),
    "sign_in.password": set(SIGNED_IN),
    "sign_in.change": set(SIGNED_IN),
    "sheets.form": STAFF,
    "sheets.upload": STAFF,
    "sheets.one": STAFF,
    "sheets.commit": STAFF,
    "sheets.discard": STAFF,
    "sheets.problems": STAFF,
    "batches.listing": STAFF,
    "batches.one": STAFF,
    "approvals.listing": {"approver", "official"},
    "approvals.approve": {"approver", "official"},
    "records.one": STAFF,
    "records.correct": STAFF,
    "records.void": STAFF,
    "credit.mine": {"volunteer"},
    "credit.entry": {"volunteer"},
    "stations.listing": EVERYONE,
    "volunteers.search": STAFF,
    "volunteers.find": STAFF,
    "volunteers.one": STAFF,
    "volunteers.code": STAFF,
    "accounts.listing": {"administrator"},
    "accounts.create": {"administrator"},
    "accounts.reset": {"administrator"},
    "accounts.switch": {"administrator"},
    "log.page": EVERYONE,
    "log.checkpoint": EVERYONE,
    "log.vkey": EVERYONE,
    "log.tile": EVERYONE,
    "log.bundle": {"auditor"},
    "log.proof": EVERYONE,
}
EXAMPLES = {
    "upload": str(uuid.uuid4()),
    "batch": str(uuid.uuid4()),
    "index": 999_999,
    "number": "2222222222",
    "login": "nobody",
    "what": "disable",
    "rest": "000",
    "filename": "shouwang.css",
}


def routes(app):
    """Every address of the app with every method it takes."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        path = adapter.build(rule.endpoint, {name: EXAMPLES[name] for name in rule.arguments})
        for method in sorted(rule.methods & {"GET", "POST"}):
            yield rule.endpoint, method, path


def ask(visitor, method, path):
    return visitor.get(path) if method == "GET" else visitor.post(path)


def test_the_table_names_every_page_and_each_declares_what_the_table_says(world):
    declared = {endpoint: allowed_roles(view) for endpoint, view in world.app.view_functions.items()}
    assert declared == {endpoint: frozenset({EVERYONE} if roles == EVERYONE else roles) for endpoint, roles in PAGES.items()}


@pytest.mark.parametrize("role", SIGNED_IN)
def test_a_role_gets_in_where_it_is_named_and_nowhere_else(world, person, role):
    name, password = (person.number, person.password) if role == "volunteer" else (role, "correct horse battery")
    for endpoint, method, path in routes(world.app):
        if endpoint in ("sign_in.leave", "sign_in.enter"):
            continue
        answer = ask(world.visitor(name, password), method, path)
        if PAGES[endpoint] == EVERYONE or role in PAGES[endpoint]:
            assert answer.status_code not in (401, 403, 405, 500), (endpoint, method, answer.status_code)
            assert "/sign-in" not in (answer.location or ""), endpoint
        else:
            assert answer.status_code == 403, (endpoint, method, answer.status_code)
            assert "没有权限" in answer.text


def test_who_is_not_signed_in_is_asked_to_where_a_role_is_needed(world):
    for endpoint, method, path in routes(world.app):
        answer = ask(world.visitor(), method, path)
        if PAGES[endpoint] == EVERYONE:
            assert answer.status_code not in (401, 405, 500), endpoint
            assert endpoint == "home.home" or "/sign-in" not in (answer.location or ""), endpoint
        else:
            assert (answer.status_code, answer.location.split("?")[0]) == (302, "/sign-in"), endpoint


@pytest.mark.parametrize("role", [None, *SIGNED_IN])
def test_a_page_that_declares_nobody_is_closed_to_everybody(world, person, role):
    app = create_app(world.ledger, accounts=world.accounts)
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    visitor = type(world.visitor())(app)
    if role:
        visitor.sign_in(*((person.number, person.password) if role == "volunteer" else (role,)))
    answer = visitor.get("/forgotten")
    assert (answer.status_code, "secret" in answer.text) == (403, False)


def test_with_a_one_time_code_nothing_opens_but_the_page_that_changes_it(world):
    code = world.accounts.reset(OPERATOR, "approver")
    visitor = world.visitor("approver", code)
    for endpoint, method, path in routes(world.app):
        if PAGES[endpoint] != EVERYONE and "approver" in PAGES[endpoint] and endpoint != "sign_in.leave":
            answer = ask(visitor, method, path)
            assert endpoint in ("sign_in.password", "sign_in.change") or answer.location == "/password", endpoint


def test_every_role_that_signs_in_has_a_first_page_of_its_own(world, person):
    for role in set(ROLES) - {"operator"}:
        name, password = (person.number, person.password) if role == "volunteer" else (role, "correct horse battery")
        assert world.visitor(name, password).client.get("/", follow_redirects=True).status_code == 200
