"""The description says what the routes do, and a page shows it without script or anything from elsewhere."""

import re

import pytest

from api import problems
from api.auth import EVERYONE, allowed_roles, required_scope
from ledger.people.tokens import SCOPES


@pytest.fixture(params=["sqlite"])
def founded_url(request, tmp_path):
    """No question here is the database's."""
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def spec(desk):
    answer = desk.client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert desk.client.get("/api/v1/openapi.json", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    return answer.json


def test_every_route_is_described_with_the_scope_that_it_asks_for(desk, spec):
    assert spec["openapi"] == "3.1.0"
    described = {
        (method.upper(), re.sub(r"{(\w+)}", r"\1", path)): [name for one in said["security"] for name in one["token"]]
        for path, methods in spec["paths"].items()
        for method, said in methods.items()
        if method != "parameters"
    }
    routes = {}
    for rule in desk.app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "api.openapi":
            view = desk.app.view_functions[rule.endpoint]
            scope = required_scope(view)
            assert scope or allowed_roles(view) is EVERYONE, rule
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                routes[(method, re.sub(r"<(?:[^:]+:)?(\w+)>", r"\1", rule.rule))] = [scope] if scope else []
    assert described == routes


def references(said):
    """Every $ref of a description."""
    for name, value in said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ():
        yield from [value] if name == "$ref" else references(value)


def test_every_reference_leads_somewhere_and_every_answer_is_described(spec):
    for reference in references(spec):
        found = spec
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
    for methods in spec["paths"].values():
        for method, said in methods.items():
            if method != "parameters":
                assert said["summary"]
                assert said["responses"]["default"]["$ref"].startswith("#/components/responses/")
    assert set(spec["components"]["responses"]["DEFAULT_ERROR"]["content"]) == {problems.CONTENT_TYPE}


def test_what_the_description_requires_is_what_is_required(desk, spec):
    draft = spec["components"]["schemas"]["ServiceDraft"]
    assert set(draft["required"]) == set(desk.service)
    assert set(draft["properties"]) == {*desk.service, "id", "break_minutes"}
    answer = desk.post(desk.service, Prefer="wait")
    receipt = spec["components"]["schemas"]["Receipt"]
    assert set(receipt["required"]) == {*answer.json} - {"proof"}
    assert set(receipt["properties"]) == {*answer.json}


def test_the_page_shows_every_operation_scope_and_problem(desk, spec):
    answer = desk.client.get("/api/")
    assert answer.status_code == 200
    for path in spec["paths"]:
        assert path in answer.text
    for word in (*SCOPES, *problems.TYPES):
        assert word in answer.text
    assert "<script" not in answer.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_type_of_a_problem_leads_to_what_it_means(desk):
    assert desk.client.get("/problems/overlap").location == "/api/#problem-overlap"
    assert 'id="problem-overlap"' in desk.client.get("/api/").text
    assert desk.client.get("/problems/nothing").status_code == 404


def test_every_problem_says_what_it_means_and_what_to_do(desk):
    assert set(problems.MEANINGS) == set(problems.TYPES)
    page = desk.client.get("/api/").text
    for code, text in problems.MEANINGS.items():
        assert f'id="problem-{code}"' in page
        assert text in page
