"""
Whatever the description of the API says may be sent is sent by a machine, and what it says may not.

With the token of each role, every answer must be one that is described, what is forbidden must be refused, and nothing may be an error of ours.
SHOUWANG_SCHEMATHESIS=200 tries that many requests an operation and role instead of a few.
"""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks
from world import HOME

from ledger.people.actors import OPERATOR, Actor
from ledger.people.tokens import ACTIONS, SCOPES

USUAL = 6
TRIES = int(os.environ.get("SHOUWANG_SCHEMATHESIS", USUAL))
LOGINS = {"recorder": "desk", "approver": "approver", "official": "official", "auditor": "inspector", "administrator": "administrator"}
NOT_ASKED = [
    checks.positive_data_acceptance,  # a number of nobody, an hour in the future: no schema tells them from good ones
    checks.ignored_auth,  # test_roles.py asks every route with and without every token
]


@pytest.fixture(params=["sqlite"])
def founded_url(request, tmp_path):
    """No question here is the database's."""
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.mark.parametrize("role", LOGINS)
def test_every_answer_is_one_that_is_described(desk, role):
    for more in {role} - {"recorder", "auditor"}:
        desk.accounts.create(OPERATOR, more, more, station=HOME if more == "approver" else None, password="correct horse battery")
    scopes = [scope for scope in SCOPES if scope not in ACTIONS or Actor("", role).may(ACTIONS[scope])]
    headers = {"Authorization": f"Bearer {desk.issue(LOGINS[role], *scopes)}"}
    limits = settings(
        max_examples=TRIES,
        deadline=None,
        derandomize=TRIES == USUAL,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    wrong = []
    for found in schemathesis.openapi.from_wsgi("/api/v1/openapi.json", desk.app).get_all_operations():
        operation = found.ok()
        cases = st.one_of(*(operation.as_strategy(generation_mode=mode, headers=headers) for mode in GenerationMode))

        @limits
        @given(cases)
        def holds(case):
            case.call_and_validate(excluded_checks=NOT_ASKED)

        try:
            holds()
        except (Exception, BaseExceptionGroup) as fault:  # noqa: BLE001 all of them are told together
            wrong.append(f"{operation.label}\n{fault}\n{getattr(fault, 'exceptions', '')}")
    assert not wrong, "\n\n".join(wrong)
