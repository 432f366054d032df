"""Whatever an address names, people of another station are answered as if it were not there, and nothing changes; from its own station it is there.

The addresses come from the application itself: one that names something this file does not know fails.
"""

import re

import pytest
from naming import DISTRICT, addresses, build, meant, nothing
from sqlalchemy import select
from sqlmodel import SQLModel

from api.auth import allowed_roles, required_scope
from ledger.people.actors import OPERATOR
from ledger.people.tokens import SCOPES, Tokens

PASSWORD = "correct horse battery"
FORMS = {
    "records.correct": {"start": "2025-10-24 14:00", "end": "2025-10-24 15:00", "reason": "签退时间抄错"},
    "records.void": {"reason": "重复登记了一次"},
    "personal.reveal": {"reason": "contact"},
    "personal.everything": {"form": "json"},
    "personal.ask_erasure": {"reason": "own_wish", "seen": "yes"},
    "erasures.decide": {"act": "refuse", "reply": "不同意"},
    "volunteer_acts.do": {"name": "张三丰", "reason": "身份证抄错"},
    "proposals.accept": {"name": "张三丰"},
    "proposals.decline": {"remark": "不同意这样改"},
    "proposals.decide": {"finding": "mistake", "reason": "查过登记表"},
    "omissions.decide": {"finding": "rejected", "reason": "签到表上没有"},
    "objections.take_down": {"claim": "absent"},
    "omissions.take_down": {"day": "2025-10-21", "station": "340104001004", "proof": "none"},
    "webhooks.replay": {"index": "0"},
    "service_records.correct": {"start": "2025-10-24T14:00:00+08:00", "end": "2025-10-24T15:00:00+08:00", "reason": "签退时间抄错"},
    "service_records.void": {"reason": "重复登记了一次"},
    "api_webhooks.replay": {"index": 0},
    "api_objections.decide": {"finding": "rejected", "reason": "签到表上有本人签名"},
    "api_matters.refuse": {"remark": "没有本人签名"},
    "api_matters.confirm_on_paper": {"evidence": "A" * 43 + "="},
    "api_matters.merge": {"into": "2222222222", "reason": "同一个人登记了两次"},
    "record_desk.award": {"title": "优秀志愿者", "unit": "居委会", "level": "station", "granted_on": "2025-10-01"},
    "record_desk.act": {"sense": "good", "item-good": "rescue", "occurred_on": "2025-10-01", "reason": "救起落水儿童"},
    "evaluations.record": {"by": "organiser", "evaluated_on": "2025-11-03"},
    "organisations.appraise": {
        "appraiser": "committee",
        "name": "居委会",
        "grade": "good",
        "opinion": "较好",
        "appraised_on": "2025-10-01",
    },
    "organisations.note": {"list": "disclosed", "basis": "《条例》第一条", "reason": "按时公开报告", "noted_on": "2025-10-01"},
    "organisations.award": {"title": "先进组织", "unit": "街道办事处", "level": "centre", "granted_on": "2025-10-01"},
    "organisations.act": {"sense": "good", "item-good": "rescue", "occurred_on": "2025-10-01", "reason": "组织抢险救灾"},
    "desk_certificates.issue": {"seen": "yes"},
    "selections.judge": {"service": "1", "finding": "drop", "reason": "签到表上没有"},
    "selections.save": {"name": "x", "year": "2025", "grade": "A", "quota_total": "1"},
    "desk_certificates.revoke": {"reason": "依据的记录作废了"},
    "api_certificates.revoke": {"reason": "依据的记录作废了"},
    "api_certificates.secure": {"way": "json"},
    "api_selections.revise": {"year": 2024, "rules": {"name": "x", "quota": 1}},
    "api_selections.propose": {"finding": "drop", "reason": "签到表上没有"},
    "api_selections.draw": {"value": "8", "drawn_on": "2025-10-01"},
    "api_selections.contest": {"ground": "missing"},
    "api_selections.decide": {"finding": "rejected", "reason": "签到表上有"},
    "api_selections.sign": {},
}
"""What would do something, were it one's own."""
FOREIGN = ["next-recorder", "next-approver", "next-official", "neighbour", "auditor", "administrator"]


def everything(world):
    with world.ledger.engine.connect() as connection:
        tables = {name: table for name, table in SQLModel.metadata.tables.items() if name not in ("session", "failed_sign_in", "api_token")}
        return {name: sorted(map(repr, connection.execute(select(table)))) for name, table in tables.items()}


def plain(answer, *names):
    """What an answer tells, but for what was asked and what is drawn anew each time."""
    text = "" if answer.mimetype.endswith("sheet") else answer.get_data().decode("utf-8", "replace")
    for name in names:
        text = text.replace(str(name), "?")
    said = re.sub(r'value="[^"]{60,}"|"request_id":"\w+"|编号[^<]*<[^<]*<', "", text)
    location = (answer.location or "").replace(str(names[0]), "?") if names else answer.location
    return answer.status_code, location, said


def test_every_argument_of_every_address_is_known_here(world):
    for rule, _ in addresses(world.app):
        assert None not in meant(rule).values(), f"{rule.rule}: say in NAMED, WORDS, OPEN or DISTRICT what it names"
    for rule in world.app.url_map.iter_rules():
        if rule.arguments and rule.endpoint.partition(".")[0] in DISTRICT:
            assert allowed_roles(world.app.view_functions[rule.endpoint]) == {"administrator"}, rule.rule


@pytest.mark.parametrize("who", FOREIGN)
def test_a_page_about_something_of_another_station_is_not_there(world, objects, who):
    visitor = world.visitor(objects.neighbour, "pingan-jiankang") if who == "neighbour" else world.visitor(who)
    before, tried = everything(world), 0
    for rule, method in addresses(world.app):
        view = world.app.view_functions[rule.endpoint]
        if required_scope(view) or who in allowed_roles(view) & {"administrator"}:
            continue  # for programs; and an administrator belongs to no station
        for_true, for_none = (
            visitor.get(path) if method == "GET" else visitor.post(path, FORMS.get(rule.endpoint))
            for path in (build(world.app, rule, objects), build(world.app, rule))
        )
        named = [getattr(objects, kind) for kind in meant(rule).values()]
        if for_true.status_code not in (403, 404):
            unknown = [nothing(kind) for kind in meant(rule).values()]
            assert plain(for_true, *named) == plain(for_none, *unknown), (who, rule.rule)
        tried += 1
    assert tried > 20
    assert everything(world) == before


@pytest.mark.parametrize("who", ["next-recorder", "next-approver", "next-official"])
def test_a_token_of_another_station_does_not_reach_it_either(world, objects, who):
    before, tried = None, 0
    issued = tokens(world, who)
    for rule, method in addresses(world.app):
        scope = required_scope(world.app.view_functions[rule.endpoint])
        if scope not in issued:
            continue
        before = before or everything(world)
        answer = world.app.test_client().open(
            build(world.app, rule, objects),
            method=method,
            json=FORMS.get(rule.endpoint),
            headers={"Authorization": f"Bearer {issued[scope]}"},
        )
        assert answer.status_code in (403, 404), (who, rule.rule, answer.status_code, answer.text)
        tried += 1
    assert tried >= 3
    assert everything(world) == before


def tokens(world, login):
    """A token for each scope that an account may have."""
    with world.ledger.read() as tx:
        account = tx.connection.exec_driver_sql(f"SELECT id FROM account WHERE login = '{login}'").scalar()
    roles = {grant.role for one in world.accounts.everyone(OPERATOR) if one.id == account for grant in one.grants}
    found = {}
    for scope in SCOPES:
        if any(scope in mine for role, mine in MAY.items() if role in roles):
            found[scope] = Tokens(world.ledger).issue(OPERATOR, login, [scope], world.clock.now.date())
    return found


_READ = {"service-records:read", "activities:read", "volunteers:read", "organisations:read", "certificates:read"}
MAY = {
    "recorder": _READ | {"service-records:write", "service-records:amend", "volunteers:write", "certificates:write"},
    "approver": _READ
    | {"certificates:revoke", "selections:write"}
    | {"service-records:write", "service-records:approve", "service-records:amend", "volunteers:write"},
    "official": _READ | {"service-records:approve", "service-records:amend", "volunteers:write", "webhooks:write", "selections:write"},
}


def test_from_its_own_station_it_is_there(world, objects):
    clerk, approver, official = (world.visitor(login) for login in ("recorder", "approver", "official"))
    seen = 0
    for rule, method in addresses(world.app):
        view = world.app.view_functions[rule.endpoint]
        if method != "GET" or required_scope(view) or not allowed_roles(view) & {"recorder", "approver", "official"}:
            continue
        path = build(world.app, rule, objects)
        assert {200, 302} & {visitor.get(path).status_code for visitor in (clerk, approver, official)}, rule.rule
        seen += 1
    assert seen >= 7
    issued = {**tokens(world, "recorder"), **tokens(world, "official")}
    for rule, method in addresses(world.app):
        scope = required_scope(world.app.view_functions[rule.endpoint])
        if method == "GET" and scope in issued:
            path, headers = build(world.app, rule, objects), {"Authorization": f"Bearer {issued[scope]}"}
            assert world.app.test_client().get(path, headers=headers).status_code == 200, rule.rule
