"""A set of indicators is adopted by two officials, both named by the entry; nobody confirms their own, and years that are over keep their targets."""

import json

import orjson
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from town import CENTRE, OFFICIAL, ZHAO

from ledger import notices
from ledger.checking.verifying import verify
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.indicators import adoption, proposing
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, Actor
from ledger.rules import adopting
from ledger.tables import AccountRow, table

SECOND = Actor("zhou", "official")
OWN = {"name": "本区指标", "indicators": [{"id": "teams", "name": "组织", "numerator": {"count": "organisations"}}]}


def proposed(town, said=OWN, day="2026-06-01", by=OFFICIAL):
    return town.write(lambda tx: proposing.propose(tx, orjson.dumps(said), day), by)


def in_force(town, on):
    return town.read(lambda tx: adoption.in_force(tx.connection, on).name)


def test_two_officials_adopt_and_the_entry_names_both(town):
    proposal = proposed(town)
    with pytest.raises(NotAllowed, match="另一位区级管理员"):
        town.write(lambda tx: proposing.confirm(tx, proposal), OFFICIAL)
    assert in_force(town, "2026-06-01") == "五社联动目标"
    receipt = town.write(lambda tx: proposing.confirm(tx, proposal), SECOND)
    assert [in_force(town, on) for on in ("2026-05-31", "2026-06-01")] == ["五社联动目标", "本区指标"]
    [adopted] = town.read(proposing.history)
    assert (adopted.proposed_by, adopted.entry_index, adopted.said) == ("li", receipt.index, OWN)
    assert town.read(lambda tx: proposing.as_data(tx, "2026-06-01")) == OWN
    with pytest.raises(NotFound):
        town.write(lambda tx: proposing.confirm(tx, proposal), SECOND)
    assert verify(town.ledger).ok


def test_the_other_officials_are_told_what_waits_for_them(town):
    accounts = Accounts(town.ledger, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    for login, role, place in (("sun", "official", None), ("wu", "official", None), ("qian", "approver", CENTRE)):
        accounts.create(OPERATOR, login, role, station=place)
    ids = {row.login: row.id for row in town.read(lambda tx: tx.connection.execute(select(table(AccountRow))).all())}
    proposed(town, by=Actor(ids["sun"], "official"))
    inboxes = {
        login: town.read(lambda tx, one=one: [(seen.what, seen.about) for seen in notices.inbox(tx, one)]) for login, one in ids.items()
    }
    wanted = ("indicators.proposed", {"indicators": "本区指标", "from_day": "2026-06-01"})
    assert {login for login, seen in inboxes.items() if wanted in seen} == {"wu"}


def test_one_waits_at_a_time_and_may_be_taken_back(town):
    proposal = proposed(town)
    assert town.read(lambda tx: (proposing.waiting(tx, OFFICIAL).own, proposing.waiting(tx, SECOND).own)) == (True, False)
    with pytest.raises(Conflict, match="已有一张"):
        proposed(town)
    town.write(lambda tx: proposing.PROPOSALS.decline(tx, proposal), OFFICIAL)
    assert town.read(lambda tx: proposing.waiting(tx, SECOND)) is None
    assert proposed(town)
    assert town.read(lambda tx: adopting.proposals(tx, SECOND)) == [], "it is no rule of credit"


@pytest.mark.parametrize(
    ("said", "day", "by", "refusal", "sentence"),
    [
        (OWN, "2026-06-01", ZHAO, NotAllowed, "没有这项权限"),
        (OWN, "2025-12-31", OFFICIAL, InvalidRequest, "不早于 2026-01-01"),
        (OWN, "六月", OFFICIAL, InvalidRequest, "从哪一天起"),
        (OWN | {"proposed_by": "x"}, "2026-06-01", OFFICIAL, InvalidRequest, "不认识的项：proposed_by"),
        ({"name": "空"}, "2026-06-01", OFFICIAL, InvalidRequest, "缺少 indicators"),
        (OWN | {"name": "长" * 60_000}, "2026-06-01", OFFICIAL, InvalidRequest, "太大"),
    ],
)
def test_what_may_not_be_adopted_is_not_proposed(town, said, day, by, refusal, sentence):
    with pytest.raises(refusal, match=sentence):
        proposed(town, said, day, by)
    assert town.read(lambda tx: proposing.waiting(tx, OFFICIAL)) is None


def test_a_day_has_one_set(town):
    first = proposed(town)
    town.write(lambda tx: proposing.confirm(tx, first), SECOND)
    with pytest.raises(Conflict, match="已有「本区指标」"):
        proposed(town, OWN | {"name": "另一张"})
    second = proposed(town, OWN | {"name": "另一张"}, "2026-07-01")
    town.write(lambda tx: proposing.confirm(tx, second), SECOND)
    assert [one.effective_on for one in town.read(proposing.history)] == ["2026-07-01", "2026-06-01"]


def test_the_largest_set_that_comes_with_the_ledger_fits_an_entry_with_who_proposed_it(town):
    largest = max(adoption.shipped(), key=lambda name: len(proposing.shipped_file(name)))
    proposal = proposed(town, json.loads(proposing.shipped_file(largest)))
    assert town.write(lambda tx: proposing.confirm(tx, proposal), SECOND)
