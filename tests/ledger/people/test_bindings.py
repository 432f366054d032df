"""Whose an account is stands in the log: what SQL changes of it, `verify` names."""

import json

import pytest
from house import ADMIN, CLERK, PASSWORD

from ledger import log
from ledger.checking.verifying import verify
from ledger.people import erasures, linked_identities
from ledger.people.actors import OPERATOR, Actor
from ledger.store import create_ledger

ISSUER, SUBJECT = "https://id.example.gov.cn", "a7c3-0001"


def sql(house, statement, *said):
    mark = "%s" if house.ledger.engine.dialect.name == "postgresql" else "?"
    house.ledger.operate(lambda connection, _now: connection.exec_driver_sql(statement.replace("?", mark), said))


def faults(house):
    return {fault.what.partition("[")[0] + fault.what.partition("]")[2]: fault for fault in verify(house.ledger).faults}


def entries(house, *kinds):
    with house.ledger.read() as tx:
        return [said for row in log.scan(tx.connection) if (said := json.loads(row.body))["kind"] in kinds]


def test_an_account_is_opened_by_an_entry_that_tells_no_login(house):
    house.accounts.create(OPERATOR, "zhangwei-desk", "recorder", station="001", password=PASSWORD)
    number = house.numbers[0]
    house.accounts.issue_code(CLERK, number)
    house.accounts.issue_code(CLERK, number)
    opened = entries(house, "account.opened")[-2:]
    assert [sorted(said["body"]) for said in opened] == [["account", "login"], ["account", "volunteer"]]
    assert "zhangwei" not in json.dumps(opened)
    assert (opened[1]["body"]["volunteer"], opened[1]["actor"]) == (number, CLERK.account)
    assert f"person/{number}" in opened[1]["chains"]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE account SET login = 'boss' WHERE login = 'clerk'", "account.login"),
        ("UPDATE account SET volunteer = ?, login = 'x' WHERE volunteer = ?", "account.volunteer"),
        ("UPDATE account SET login = 'boss' WHERE volunteer = ?", "account.login"),
        (
            "INSERT INTO account (id, login, must_change, session_epoch, disabled, created_at) VALUES ('2222222222', 'x', 0, 0, 0, '')",
            "account",
        ),
        ("DELETE FROM account WHERE login = 'clerk'", "account"),
        ("UPDATE linked_identity SET account = (SELECT id FROM account WHERE login = 'other')", "account.identity"),
        ("DELETE FROM linked_identity", "account.identity"),
    ],
)
def test_an_account_that_sql_changed_hands_is_named(house, statement, what):
    house.staff("other", "approver", "002")
    house.accounts.issue_code(CLERK, house.numbers[0])
    linked_identities.link_for(house.ledger, ADMIN, "clerk", ISSUER, SUBJECT)
    assert verify(house.ledger).ok
    kept = {name: rows(house, name) for name in ("account", "linked_identity")}
    sql(house, statement, *(house.numbers[1], house.numbers[0])[2 - statement.count("?") :])
    assert what in faults(house)
    for name, before in kept.items():
        put_back(house, name, before)


def rows(house, name):
    with house.ledger.read() as tx:
        return [dict(row._mapping) for row in tx.connection.exec_driver_sql(f"SELECT * FROM {name}")]


def put_back(house, name, before):
    sql(house, f"DELETE FROM {name}")
    for row in before:
        sql(house, f"INSERT INTO {name} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())


def test_linking_and_unlinking_are_entries_of_volunteers_too_and_tell_no_subject(house):
    number = house.numbers[0]
    me = house.accounts.sign_in(number, house.accounts.issue_code(CLERK, number)).actor
    for subject in (SUBJECT, "another"):
        linked_identities.link(house.ledger, me, ISSUER, subject)
    linked_identities.unlink(house.ledger, me)
    linked_identities.unlink(house.ledger, me)
    found = entries(house, "identity.linked", "identity.unlinked")
    assert [said["kind"] for said in found] == ["identity.linked", "identity.linked", "identity.unlinked"]
    assert {said["body"]["volunteer"] for said in found} == {number}
    assert SUBJECT not in json.dumps(found)
    linked_identities.link(house.ledger, me, ISSUER, SUBJECT)
    digests = [said["body"]["identity"] for said in entries(house, "identity.linked")]
    assert len(set(digests)) == 3, "the same identity is committed to anew: nobody can tell from the log that it is the same"


def test_erasing_somebody_takes_their_link_away_and_all_verifies(house):
    number = house.numbers[0]
    me = house.accounts.sign_in(number, house.accounts.issue_code(CLERK, number)).actor
    linked_identities.link(house.ledger, me, ISSUER, SUBJECT)
    request = house.ledger.write(lambda tx: erasures.ask(tx, number, "own_wish"), Actor(me.account, "volunteer", None, number))
    house.ledger.write(lambda tx: erasures.carry_out(tx, request), Actor("somebody", "official"))
    house.ledger.finish_erasures()
    assert rows(house, "linked_identity") == []
    assert verify(house.ledger).ok


def test_accounts_of_before_are_said_when_the_store_is_upgraded(house):
    made = "INSERT INTO account (id, login, volunteer, must_change, session_epoch, disabled, created_at) VALUES (?, ?, ?, 0, 0, 0, ?)"
    sql(house, made, "2222222222", "elder", None, "2025-01-01")
    sql(house, made, "3333333333", house.numbers[0].lower(), house.numbers[0], "2025-01-02")
    link = "INSERT INTO linked_identity (digest, account, linked_by, linked_at) VALUES (?, ?, ?, ?)"
    sql(house, link, b"x" * 32, "2222222222", "2222222222", "2025-01-03")
    assert set(faults(house)) == {"account", "linked_identity"}
    create_ledger(house.settings, house.ledger.now).close()
    adopted = entries(house, "account.opened", "identity.linked")[-3:]
    assert [said["actor"] for said in adopted] == ["operator"] * 3
    assert verify(house.ledger).ok
    create_ledger(house.settings, house.ledger.now).close()
    assert entries(house, "account.opened", "identity.linked")[-3:] == adopted, "once"
