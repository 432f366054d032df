"""Every page and every role, every API route and every token: who gets in, who is sent to sign in, who is told that they may not."""

import uuid

import pytest

from api.app import create_app
from api.auth import SIGNED_IN, allowed_roles, required_scope
from ledger.people.actors import OPERATOR, ROLES
from ledger.people.tokens import Tokens

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
    "sheets.template": STAFF,
    "sheets.commit": STAFF,
    "sheets.discard": STAFF,
    "sheets.problems": STAFF,
    "batches.listing": STAFF,
    "batches.one": STAFF,
    "parked.listing": {"recorder", "approver", "official"},
    "parked.record": {"recorder", "approver"},
    "approvals.listing": {"approver", "official"},
    "approvals.approve": {"approver", "official"},
    "records.one": STAFF,
    "records.correct": STAFF,
    "records.void": STAFF,
    "credit.mine": {"volunteer"},
    "credit.entry": {"volunteer"},
    "credit.printed": {"volunteer"},
    "credit.picture": EVERYONE,
    "volunteers.printed": STAFF,
    "stations.listing": EVERYONE,
    "stations.file": EVERYONE,
    "stations.people": STAFF,
    "volunteers.search": STAFF,
    "volunteers.find": STAFF,
    "volunteers.one": STAFF,
    "volunteers.code": STAFF,
    "accounts.listing": {"administrator"},
    "accounts.create": {"administrator"},
    "accounts.reset": {"administrator"},
    "accounts.vouch": {"administrator"},
    "accounts.switch": {"administrator"},
    "accounts.one": {"administrator"},
    "accounts.grant": {"administrator"},
    "accounts.end_grant": {"administrator"},
    "accounts.end_sessions": {"administrator"},
    "accounts.reset_second_factor": {"administrator"},
    "accounts.link": {"administrator"},
    "rights.listing": {"administrator", "auditor"},
    "rights.judge": {"administrator"},
    "rights.require": {"administrator"},
    "security.page": set(SIGNED_IN),
    "security.end": set(SIGNED_IN),
    "security.end_all": set(SIGNED_IN),
    "second_factor.ask": set(SIGNED_IN),
    "second_factor.answer": set(SIGNED_IN),
    "second_factor.enrol": set(SIGNED_IN),
    "second_factor.picture": set(SIGNED_IN),
    "second_factor.confirm": set(SIGNED_IN),
    "second_factor.remove": set(SIGNED_IN),
    "tokens.listing": set(SIGNED_IN) - {"volunteer"},
    "tokens.issue": set(SIGNED_IN) - {"volunteer"},
    "tokens.revoke": set(SIGNED_IN) - {"volunteer"},
    "oidc.start": EVERYONE,
    "oidc.callback": EVERYONE,
    "oidc.link": set(SIGNED_IN),
    "oidc.unlink": set(SIGNED_IN),
    "log.page": EVERYONE,
    "log.checkpoint": EVERYONE,
    "log.vkey": EVERYONE,
    "log.tile": EVERYONE,
    "log.bundle": {"auditor"},
    "log.proof": EVERYONE,
    "credentials.status": EVERYONE,
    "annual_reports.page": EVERYONE,
    "annual_reports.file": EVERYONE,
    "spot_checks.listing": EVERYONE,
    "spot_checks.one": EVERYONE,
    "spot_checks.announced": EVERYONE,
    **{f"spot_checks.{view}": {"official"} for view in ("plan", "announce", "withdraw")},
    "spot_checks.form": {"official"},
    "spot_checks.record": {"official"},
    "credentials.keys": EVERYONE,
}
PAGES |= {
    "clockwork.listing": {"administrator", "official", "auditor"},
    "clockwork.run": {"administrator"},
    **{f"duties.{view}": STAFF for view in ("listing", "year", "fill", "hand_in", "paper", "paper_file", "filing_ledger")},
    "requirements.page": EVERYONE,
    "tasks.listing": STAFF,
    "tasks.assign": {"approver", "official"},
    "tasks.finish": STAFF,
    "tasks.drop": {"approver", "official"},
    "open_data.page": EVERYONE,
    "open_data.file": EVERYONE,
    "appraisals.listing": STAFF,
    "appraisals.propose": {"official"},
    "appraisals.decide": {"official"},
    "indicator_sets.listing": EVERYONE,
    "indicator_sets.file": EVERYONE,
    "indicator_sets.propose": {"official"},
    "indicator_sets.decide": {"official"},
    "unit_tree.page": STAFF,
    "indicators.listing": EVERYONE,
    "indicators.file": EVERYONE,
    "indicators.figures": STAFF,
    "indicators.declare": STAFF,
    "indicators.marks": STAFF,
    "guide.page": EVERYONE,
    "helping.form": STAFF,
    "helping.start": STAFF,
    "helping.page": STAFF,
    "helping.end": STAFF,
    "notices.inbox": set(SIGNED_IN),
    "notices.read_all": set(SIGNED_IN),
    "notices.wish": {"volunteer"},
    "my_data.everything": {"volunteer"},
    "my_data.download": {"volunteer"},
    "my_data.looked": {"volunteer"},
    "my_data.erasure": {"volunteer"},
    "my_data.ask": {"volunteer"},
    "my_data.withdraw": {"volunteer"},
    "personal.page": STAFF,
    "personal.reveal": STAFF,
    "personal.everything": STAFF,
    "personal.ask_erasure": STAFF,
    "erasures.listing": {"approver", "official"},
    "erasures.one": {"approver", "official"},
    "erasures.decide": {"approver", "official"},
    "reveals.listing": {"official", "auditor"},
    **{f"handovers.{view}": {"approver", "official"} for view in ("listing", "ask", "decide", "take")},
}
PAGES |= {
    "logging.start": {"recorder", "approver"},
    "logging.begin": {"recorder", "approver"},
    "logging.take": {"recorder", "approver"},
    "logging.sheet": {"recorder", "approver"},
    "logging.save": {"recorder", "approver"},
    "logging.do": {"recorder", "approver"},
    "logging.check": {"recorder", "approver"},
    "logging.settle": {"recorder", "approver"},
    "batches.undo": STAFF,
    "batches.ask_void": STAFF,
    "batches.decide_void": STAFF,
    "batches.open_evidence": STAFF,
}
PAGES |= {"api.page": EVERYONE, "api.problem": EVERYONE}
PAGES |= {
    "registering.form": STAFF,
    "registering.register": STAFF,
    "volunteer_acts.page": STAFF,
    "volunteer_acts.do": STAFF,
    "volunteer_acts.move_form": STAFF,
    "volunteer_acts.move_in": STAFF,
    "proposals.listing": STAFF,
    "proposals.accept": STAFF,
    "proposals.decline": STAFF,
    "proposals.disowned": {"approver", "official"},
    "proposals.decide": {"approver", "official"},
    "registration.mine": {"volunteer"},
    "registration.confirm": {"volunteer"},
    "registration.disown_form": {"volunteer"},
    "registration.disown": {"volunteer"},
    "registration.leave_form": {"volunteer"},
    "registration.leave": {"volunteer"},
    "registration.phone": {"volunteer"},
    "registration.particulars": {"volunteer"},
    "registration.move": {"volunteer"},
    "registration.answer": {"volunteer"},
}
PAGES |= {
    "objections.form": {"volunteer"},
    "objections.contest": {"volunteer"},
    "objections.listing": {"approver", "official"},
    "objections.decide": {"approver", "official"},
    "signatures.listing": {"recorder", "approver"},
    "signatures.ask": {"recorder", "approver"},
    "signatures.sign": {"recorder", "approver"},
    "signatures.decline": {"recorder", "approver"},
    "recorders.one": {"approver", "official"},
    "calendar.page": STAFF | {"administrator"},
    "calendar.adopt": {"administrator", "official"},
    "publicity.listing": EVERYONE,
    "publicity.station": EVERYONE,
    "receipts.form": EVERYONE,
}
PAGES |= {f"coming.{view}": {"volunteer"} for view in ("listing", "sign_up", "withdraw")}
PAGES |= {"omissions.form": {"volunteer"}, "omissions.claim": {"volunteer"}, "omissions.decide": {"approver", "official"}}
PAGES |= {f"{blueprint}.{view}": STAFF for blueprint in ("omissions", "objections") for view in ("desk_form", "take_down")}
PAGES |= {
    "certificates.mine": {"volunteer"},
    "certificates.issue": {"volunteer"},
    "certificates.paper": {"volunteer"},
    "certificates.data": {"volunteer"},
    "certificates.credential": {"volunteer"},
    "desk_certificates.page": STAFF,
    "desk_certificates.issue": STAFF,
    "desk_certificates.paper": STAFF,
    "desk_certificates.credential": STAFF,
    "desk_certificates.revoke": {"approver", "official"},
    "check.form": EVERYONE,
    "check.one": EVERYONE,
    "check.person": EVERYONE,
    "check.file": EVERYONE,
    "check.offline": EVERYONE,
    "publicity.certificates": EVERYONE,
}
PAGES |= {f"record.{view}": {"volunteer"} for view in ("mine", "ask_lift", "take_back", "award_form", "hand_in")}
PAGES |= {"record.paper": {"approver", "official"}}
PAGES |= {f"record_desk.{view}": STAFF for view in ("page", "award", "act", "undo")}
PAGES |= {f"trainings.{view}": {"recorder", "approver"} for view in ("form", "do")}
PAGES |= {f"evaluations.{view}": {"recorder", "approver"} for view in ("listing", "one", "record")}
PAGES |= {"organisations.board": EVERYONE, "organisations.one": EVERYONE}
PAGES |= {f"organisations.{view}": STAFF for view in ("listing", "desk", "appraise", "note", "award", "act", "undo")}
PAGES |= {
    f"selections.{view}": {"approver", "official"} for view in ("listing", "form", "create", "one", "step", "save", "freeze", "judge")
}
PAGES |= {f"selections.{view}": {"approver", "official"} for view in ("draw", "publish", "take_down", "decide", "sign", "download")}
PAGES |= {"honours.listing": EVERYONE, "honours.one": EVERYONE}
PAGES |= {f"honours.{view}": {"volunteer"} for view in ("mine", "proof", "contest")}
PAGES |= {f"filings.{view}": STAFF for view in ("listing", "queue", "one", "copies")}
PAGES |= {"filings.judge": {"recorder", "approver"}, "filings.erase": {"approver", "official"}}
PAGES |= {f"filing_drafts.{view}": STAFF for view in ("form", "begin", "step", "save", "discard")}
API = {
    "api.openapi": EVERYONE,
    "proofs.checkpoint": EVERYONE,
    "proofs.consistency": EVERYONE,
    "entries.one": "entries:read",
    "entries.proof": "log:read",
    "service_records.record": "service-records:write",
    "service_records.record_batch": "service-records:write",
}
API |= {
    "service_records.listing": "service-records:read",
    "service_records.one": "service-records:read",
    "service_records.approve": "service-records:approve",
    "service_records.ask_second": "service-records:write",
    "service_records.correct": "service-records:amend",
    "service_records.void": "service-records:amend",
    "api_activities.listing": "activities:read",
    "api_activities.one": "activities:read",
    "api_activities.publish": "activities:write",
    "api_volunteers.listing": "volunteers:read",
    "api_volunteers.one": "volunteers:read",
    "api_volunteers.find": "volunteers:read",
    "api_volunteers.credit_of": "volunteers:read",
    "api_volunteers.explanation_of": "volunteers:read",
    "api_volunteers.register": "volunteers:write",
    "api_certificates.listing": "certificates:read",
    "api_certificates.one": "certificates:read",
    "api_certificates.issue": "certificates:write",
    "api_certificates.revoke": "certificates:revoke",
    "api_parked.listing": "service-records:read",
    "api_parked.record": "service-records:write",
    "api_parked.drop": "service-records:write",
    "api_organisations.listing": "organisations:read",
    "api_organisations.one": "organisations:read",
    "api_organisations.file": "organisations:write",
    "api_stations.listing": "stations:read",
    "api_stations.one": "stations:read",
    "api_stations.policies": "stations:read",
    "api_stations.declare": "stations:write",
    "api_rates.counted": "stations:read",
    "api_rates.published": "stations:read",
    "api_indicators.standing": "stations:read",
    "api_spot_checks.listed": "stations:read",
    "api_selections.recheck": "selections:read",
    "api_selections.listing": "selections:write",
    "api_selections.create": "selections:write",
    "api_selections.one": "selections:write",
    "api_selections.revise": "selections:write",
    "api_selections.freeze": "selections:write",
    "api_selections.checks": "selections:write",
    "api_selections.listed_doubts": "selections:write",
    "api_selections.propose": "selections:write",
    "api_selections.confirm": "selections:write",
    "api_selections.withdraw": "selections:write",
    "api_selections.ranking": "selections:write",
    "api_selections.draw": "selections:write",
    "api_selections.publish": "selections:write",
    "api_selections.public": "selections:write",
    "api_selections.listed_objections": "selections:write",
    "api_selections.contest": "selections:write",
    "api_selections.decide": "selections:write",
    "api_selections.sign": "selections:write",
    "api_credentials.keys": EVERYONE,
    "api_credentials.status_list": EVERYONE,
    "api_certificates.secure": "certificates:write",
    "api_webhooks.listing": "webhooks:write",
    "api_webhooks.register": "webhooks:write",
    "api_webhooks.one": "webhooks:write",
    "api_webhooks.remove": "webhooks:write",
    "api_webhooks.replay": "webhooks:write",
    "api_webhooks.renew": "webhooks:write",
    "api_jobs.listing": "jobs:read",
    "api_objections.listing": "service-records:read",
    "api_objections.decide": "service-records:approve",
    "api_matters.listing": "volunteers:read",
    "api_matters.accept": "volunteers:write",
    "api_matters.refuse": "volunteers:write",
    "api_matters.confirm_on_paper": "volunteers:write",
    "api_matters.merge": "volunteers:write",
    "api_calendars.one": "stations:read",
    "api_calendars.adopt": "stations:write",
}
API |= {
    "api_credit_records.record_of": "volunteers:read",
    "api_credit_records.train": "service-records:write",
    "api_credit_records.evaluate": "service-records:write",
    "api_credit_records.award": "volunteers:write",
}
PAGES |= {f"webhooks.{view}": {"administrator", "official"} for view in ("listing", "register", "renew", "replay", "remove")}
PAGES |= {"rules.listing": EVERYONE, "rules.file": EVERYONE, "rules.mine": {"volunteer"}, "rules.of_volunteer": STAFF}
PAGES |= {
    "rules.example": {"official"},
    "rules.propose": {"official"},
    "rules.spend": {"recorder", "approver"},
    "rules.decide": {"official"},
}
PAGES |= {"activities.listing": STAFF, "activities.one": STAFF}
PAGES |= {
    f"activities.{view}": STAFF - {"official"} for view in ("form", "save", "drop", "close", "cancel", "renew_feed", "sign_up", "withdraw")
}
PAGES |= {"activities.feed": EVERYONE, "check_in.scanned": EVERYONE}
PAGES |= {f"check_in.{view}": STAFF - {"official"} for view in ("open_desk", "desk", "mark", "screen")}
PAGES |= {f"check_in.{view}": {"volunteer"} for view in ("type_in", "typed", "here", "check", "mine")}
TOKENS = {
    "recorder": ("service-records:write", "service-records:read", "activities:write", "volunteers:write", "log:read", "certificates:write"),
    "approver": (
        "service-records:approve",
        "service-records:amend",
        "activities:read",
        "certificates:read",
        "certificates:revoke",
        "selections:write",
    ),
    "official": ("volunteers:read", "organisations:read", "organisations:write", "stations:write", "selections:read", "webhooks:write"),
    "administrator": ("jobs:read", "webhooks:write", "stations:read"),
    "auditor": ("log:read", "entries:read"),
}
"""Whose tokens try every route, with each scope that their role may have."""
EXAMPLES = {
    "announced": 999_999,
    "account": "clerk",
    "selection": "2222222222",
    "service": 999_999,
    "step": "check",
    "deed": "confirm",
    "listed": "check",
    "form": "xlsx",
    "plan": "2222222222",
    "said": "340104001004.0",
    "matter": str(uuid.uuid4()),
    "act": "claim",
    "answer": "accept",
    "asked": str(uuid.uuid4()),
    "code": "overlap",
    "draft": str(uuid.uuid4()),
    "filing": "2222222222",
    "handover": "2222222222",
    "task": "2222222222",
    "evidence_id": str(uuid.uuid4()),
    "certificate": "340104-2025-999999",
    "way": "json",
    "ending": "csv",
    "dataset": "rates",
    "key": "z6Mk",
    "upload": str(uuid.uuid4()),
    "batch": str(uuid.uuid4()),
    "index": 999_999,
    "number": "2222222222",
    "login": "nobody",
    "what": "disable",
    "kind": "volunteers",
    "job": "rates",
    "duty": "station-report",
    "session_id": "0" * 16,
    "proposal": "2222222222",
    "verdict": "decline",
    "token": "2222222222",
    "row": uuid.uuid4(),
    "year": 2025,
    "name": "star",
    "rest": "000",
    "filename": "shouwang.css",
}


def routes(app, table):
    """Every address of a table's endpoints with every method it takes."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in table:
            continue
        path = adapter.build(rule.endpoint, {name: EXAMPLES[name] for name in rule.arguments})
        for method in sorted(rule.methods & {"GET", "POST", "DELETE"}):
            yield rule.endpoint, method, path


def ask(visitor, method, path):
    return visitor.get(path) if method == "GET" else visitor.post(path)


def test_the_table_names_every_page_and_each_declares_what_the_table_says(world):
    declared = {endpoint: allowed_roles(view) for endpoint, view in world.app.view_functions.items() if endpoint not in API}
    assert declared == {endpoint: frozenset({EVERYONE} if roles == EVERYONE else roles) for endpoint, roles in PAGES.items()}


def test_the_api_table_names_every_route_and_each_declares_one_scope_or_that_it_is_open(world):
    views = {endpoint: view for endpoint, view in world.app.view_functions.items() if endpoint not in PAGES}
    assert {endpoint: required_scope(view) or EVERYONE for endpoint, view in views.items()} == API
    for endpoint, view in views.items():
        assert allowed_roles(view) == (frozenset({EVERYONE}) if API[endpoint] == EVERYONE else frozenset()), endpoint
    under = {rule.endpoint for rule in world.app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    assert under == set(API)
    scoped = {endpoint for endpoint in PAGES if required_scope(world.app.view_functions[endpoint])}
    assert scoped == {"log.bundle"}


def test_a_token_opens_the_routes_of_its_scope_and_no_other(world):
    issued = {None: None}
    for login, scopes in TOKENS.items():
        for scope in scopes:
            issued[(login, scope)] = Tokens(world.ledger).issue(OPERATOR, login, [scope], world.clock.now.date())
    for endpoint, method, path in routes(world.app, API):
        for held, secret in issued.items():
            headers = {"Authorization": f"Bearer {secret}"} if secret else {}
            answer = world.app.test_client().open(path, method=method, headers=headers)
            if API[endpoint] == EVERYONE or (held and held[1] == API[endpoint]):
                assert answer.status_code not in (401, 403, 405, 500), (endpoint, held, answer.status_code)
            else:
                assert answer.status_code == (403 if held else 401), (endpoint, held, answer.status_code)
                assert answer.content_type == "application/problem+json"
    for held, secret in issued.items():
        for endpoint, method, path in routes(world.app, PAGES):
            if secret and PAGES[endpoint] != EVERYONE and endpoint != "log.bundle" and method == "GET":
                answer = world.app.test_client().get(path, headers={"Authorization": f"Bearer {secret}"})
                assert answer.status_code == 302, (endpoint, "a token opens no page", held)


@pytest.mark.parametrize("role", SIGNED_IN)
def test_a_signed_in_session_opens_nothing_that_asks_for_a_token(world, person, role):
    visitor = world.visitor(*((person.number, person.password) if role == "volunteer" else (role,)))
    for endpoint, method, path in routes(world.app, API):
        answer = visitor.client.open(path, method=method)
        assert answer.status_code not in (302, 403, 500) if API[endpoint] == EVERYONE else answer.status_code == 401, endpoint


@pytest.mark.parametrize("role", SIGNED_IN)
def test_a_role_gets_in_where_it_is_named_and_nowhere_else(world, person, role):
    name, password = (person.number, person.password) if role == "volunteer" else (role, "correct horse battery")
    for endpoint, method, path in routes(world.app, PAGES):
        if endpoint in ("sign_in.leave", "sign_in.enter", "security.end_all"):
            continue
        answer = ask(world.visitor(name, password), method, path)
        if PAGES[endpoint] == EVERYONE or role in PAGES[endpoint]:
            assert answer.status_code not in (401, 403, 405, 500), (endpoint, method, answer.status_code)
            assert "/sign-in" not in (answer.location or ""), endpoint
        else:
            assert answer.status_code == 403, (endpoint, method, answer.status_code)
            assert "权限" in answer.text


def test_who_is_not_signed_in_is_asked_to_where_a_role_is_needed(world):
    for endpoint, method, path in routes(world.app, PAGES):
        answer = ask(world.visitor(), method, path)
        if PAGES[endpoint] == EVERYONE:
            assert answer.status_code not in (401, 405, 500), endpoint
            assert endpoint == "home.home" or "/sign-in" not in (answer.location or ""), endpoint
        elif endpoint == "log.bundle":
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="shouwang"'), "tools sign in by a token"
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
    for endpoint, method, path in routes(world.app, PAGES):
        if PAGES[endpoint] != EVERYONE and "approver" in PAGES[endpoint] and endpoint != "sign_in.leave":
            answer = ask(visitor, method, path)
            assert endpoint in ("sign_in.password", "sign_in.change") or answer.location == "/password", endpoint


def test_every_role_that_signs_in_has_a_first_page_of_its_own(world, person):
    for role in set(ROLES) - {"operator"}:
        name, password = (person.number, person.password) if role == "volunteer" else (role, "correct horse battery")
        assert world.visitor(name, password).client.get("/", follow_redirects=True).status_code == 200
