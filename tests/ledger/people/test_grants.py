"""Who holds which role: said by entries, given by two, seen by all who should."""

import pytest
from alembic import command
from alembic.config import Config
from house import ADMIN, CLERK, PASSWORD

from ledger import migrating
from ledger.checking.verifying import verify
from ledger.database import open_engine
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people import actors, grants
from ledger.people.actors import OPERATOR, Actor, Grant
from ledger.settings import Settings
from ledger.store import create_ledger

ACCOUNTS = ("RGEPZBD69N", "4QES7FSZEV", "K7M2Q9XPAB")


def held(house, login):
    return next(one for one in house.accounts.everyone(OPERATOR) if one.login == login).grants


def waiting(house, actor=OPERATOR):
    with house.ledger.read() as tx:
        return grants.proposals(tx, actor)


def confirm(house, actor, proposal=None):
    house.ledger.write(lambda tx: grants.confirm(tx, proposal or waiting(house)[0].id), actor)


def test_an_account_acts_with_all_its_roles_each_at_its_own_unit(house):
    house.accounts.grant(OPERATOR, "clerk", "approver", "002")
    actor = house.accounts.sign_in("clerk", PASSWORD).actor
    assert (actor.role, actor.roles) == ("approver", {"recorder", "approver"})
    with house.ledger.read() as tx:
        actors.require(tx.connection, actor, "record", "001")
        actors.require(tx.connection, actor, "approve", "002")
        for action, place in (("approve", "001"), ("approve", None), ("select", None)):
            with pytest.raises(NotAllowed):
                actors.require(tx.connection, actor, action, place)
        assert actors.units(tx.connection, actor, "approve") == ["002"]
        assert actors.units(tx.connection, actor, "see_station") == ["001", "002"]
        assert actors.units(tx.connection, actor, "manage_accounts") == []


def test_an_actor_of_one_role_is_what_it_was(house):
    assert CLERK.grants == (Grant("recorder", "001"),)
    assert Actor("nobody", "").grants == ()
    with house.ledger.read() as tx:
        assert actors.units(tx.connection, Actor("x", "official"), "approve") == ["001", "002"]
        with pytest.raises(NotAllowed, match="没有角色的账号"):
            actors.require(tx.connection, Actor("nobody", ""), "record", "001")


def test_a_role_holds_from_the_next_request_and_ends_with_it(house):
    session = house.accounts.sign_in("clerk", PASSWORD)
    house.accounts.grant(OPERATOR, "clerk", "approver", "002")
    assert house.accounts.session(session.secret).actor.may("approve")
    house.accounts.end_grant(ADMIN, "clerk", "approver", "002", "调走了")
    house.accounts.end_grant(ADMIN, "clerk", "recorder", "001")
    left = house.accounts.session(session.secret).actor
    assert (left.role, left.grants, left.may("record")) == ("", (), False)
    with house.ledger.read() as tx:
        assert [(row.change, row.role, row.reason) for row in grants.changes(tx, OPERATOR)][:2] == [
            ("ended", "recorder", None),
            ("ended", "approver", "调走了"),
        ]


@pytest.mark.parametrize("role", ["approver", "official", "auditor", "administrator"])
def test_every_role_but_the_recorders_takes_two_administrators(house, role):
    first, second = house.staff("first", "administrator"), house.staff("second", "administrator")
    station = "001" if role == "approver" else None
    code = house.accounts.create(first, "new", role, station=station)
    session = house.accounts.sign_in("new", code)
    assert (held(house, "new"), session.actor.grants) == ((), ())
    with pytest.raises(NotAllowed):
        confirm(house, first)
    confirm(house, second)
    assert held(house, "new") == (Grant(role, station),)
    assert waiting(house) == []
    with house.ledger.read() as tx:
        newest = grants.changes(tx, OPERATOR)[0]
    assert (newest.change, newest.role, newest.actor, newest.proposed_by) == ("granted", role, second.account, first.account)


def test_a_recorder_takes_one_and_the_operator_needs_no_second(house):
    first = house.staff("first", "administrator")
    house.accounts.create(first, "new", "recorder", station="002")
    assert held(house, "new") == (Grant("recorder", "002"),)
    assert house.accounts.grant(OPERATOR, "new", "approver", "002")
    assert len(held(house, "new")) == 2


def test_nobody_gives_ends_or_confirms_for_themselves(house):
    first, second = house.staff("first", "administrator"), house.staff("second", "administrator")
    for attempt in (
        lambda: house.accounts.grant(first, "first", "official"),
        lambda: house.accounts.end_grant(first, "first", "administrator"),
        lambda: house.accounts.reset_second_factor(first, "first"),
    ):
        with pytest.raises(InvalidRequest):
            attempt()
    house.accounts.grant(first, "clerk", "approver", "002")
    house.accounts.end_grant(OPERATOR, "clerk", "recorder", "001")
    with pytest.raises(NotAllowed):
        confirm(house, Actor(waiting(house)[0].account, "administrator"))
    assert waiting(house, second)[0].own is False
    assert waiting(house, first)[0].own is True
    confirm(house, second)


def test_a_proposal_is_made_once_and_may_be_taken_back(house):
    first = house.staff("first", "administrator")
    assert house.accounts.grant(first, "clerk", "approver", "001") is False
    with pytest.raises(InvalidRequest, match="等另一位"):
        house.accounts.grant(first, "clerk", "approver", "001")
    number = waiting(house)[0].id
    house.ledger.write(lambda tx: grants.decline(tx, number), first)
    for work in (grants.confirm, grants.decline):
        with pytest.raises(NotFound):
            house.ledger.write(lambda tx, work=work: work(tx, number), ADMIN)
    assert held(house, "clerk") == (Grant("recorder", "001"),)


def test_what_was_given_meanwhile_is_not_given_twice(house):
    first, second = house.staff("first", "administrator"), house.staff("second", "administrator")
    house.accounts.grant(first, "clerk", "approver", "001")
    house.accounts.grant(first, "clerk", "approver", "002")
    asked = {one.grant.station: one.id for one in waiting(house)}
    house.accounts.grant(OPERATOR, "clerk", "approver", "001")
    with pytest.raises(NotFound):
        confirm(house, second, asked["001"])
    confirm(house, second, asked["002"])
    with pytest.raises(InvalidRequest):
        house.accounts.grant(OPERATOR, "clerk", "recorder", "001")


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_who_keeps_accounts_or_checks_the_log_holds_nothing_else(house, role):
    with pytest.raises(InvalidRequest, match="兼任"):
        house.accounts.grant(OPERATOR, "clerk", role)
    house.staff("new", role)
    with pytest.raises(InvalidRequest, match="兼任"):
        house.accounts.grant(OPERATOR, "new", "recorder", "001")


@pytest.mark.parametrize(
    ("role", "station"), [("recorder", None), ("auditor", "001"), ("operator", None), ("volunteer", None), ("emperor", None)]
)
def test_a_role_that_makes_no_sense_is_refused(house, role, station):
    with pytest.raises(InvalidRequest):
        house.accounts.grant(OPERATOR, "clerk", role, station)
    with pytest.raises(NotFound):
        house.accounts.grant(OPERATOR, "clerk", "approver", "999")
    with pytest.raises(NotFound):
        house.accounts.end_grant(OPERATOR, "clerk", "approver", "001")
    with pytest.raises(NotFound):
        house.accounts.grant(OPERATOR, "nobody", "approver", "001")


def test_the_last_administrator_is_not_lost_from_the_web(house):
    first, second = house.staff("first", "administrator"), house.staff("second", "administrator")
    house.accounts.set_disabled(first, "second", disabled=True)
    for attempt in (  # by a session that was still open when its account was shut
        lambda: house.accounts.set_disabled(second, "first", disabled=True),
        lambda: house.accounts.end_grant(second, "first", "administrator"),
    ):
        with pytest.raises(InvalidRequest, match="最后一个"):
            attempt()
    assert held(house, "first") == (Grant("administrator"),)
    assert house.accounts.sign_in("first", PASSWORD)
    house.accounts.end_grant(OPERATOR, "first", "administrator")
    assert held(house, "first") == ()


@pytest.mark.parametrize("role", ["recorder", "approver", "official", "auditor", "volunteer"])
def test_only_administrators_give_and_end_and_only_they_and_auditors_see(house, role):
    someone = Actor("someone", role)
    for attempt in (
        lambda: house.accounts.grant(someone, "clerk", "recorder", "002"),
        lambda: house.accounts.end_grant(someone, "clerk", "recorder", "001"),
        lambda: confirm(house, someone, "x"),
        lambda: waiting(house, someone),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    with house.ledger.read() as tx:
        if role == "auditor":
            assert grants.changes(tx, someone)
        else:
            with pytest.raises(NotAllowed):
                grants.changes(tx, someone)


@pytest.mark.parametrize(
    "tampering",
    [
        "INSERT INTO role_grant (entry_index, account, role) SELECT 900000, id, 'official' FROM account",
        "UPDATE role_grant SET role = 'approver'",
        "UPDATE role_grant SET station = NULL",
        "DELETE FROM role_grant",
        "UPDATE account_change SET actor = 'somebody-else'",
        "DELETE FROM account_change",
    ],
)
def test_whoever_slips_a_right_in_by_sql_is_named(house, tampering):
    kept = {}
    with house.ledger.engine.begin() as connection:
        for name in ("role_grant", "account_change"):
            kept[name] = [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}").mappings()]
        connection.exec_driver_sql(tampering)
    report = verify(house.ledger)
    assert not report.ok
    assert any(("role_grant" if "role_grant" in tampering else "account_change") in fault.what for fault in report.faults)
    with house.ledger.engine.begin() as connection:
        for table in (grants._GRANT, grants._CHANGE):
            connection.execute(table.delete())
            connection.execute(table.insert(), kept[table.name])


def test_roles_of_an_older_store_are_said_by_the_operator_once(tmp_path, database_url):
    settings = Settings(tmp_path / "older", database_url)
    config = Config()
    config.set_main_option("script_location", str(migrating._SCRIPTS))
    config.attributes["url"] = settings.database_url
    settings.home.mkdir()
    command.upgrade(config, "0004")
    engine = open_engine(settings.database_url)
    with engine.begin() as connection:
        for at, (login, role, station) in enumerate(
            (("boss", "official", None), ("desk", "recorder", "001"), ("k7m2q9xpab", "volunteer", None))
        ):
            connection.exec_driver_sql(
                "INSERT INTO account (id, login, role, station, must_change, session_epoch, disabled, created_at) "
                f"VALUES ('{ACCOUNTS[at]}', '{login}', '{role}', {repr(station) if station else 'NULL'}, 0, 0, 0, '2025-0{at + 1}')"
            )
    engine.dispose()
    for _ in range(2):
        ledger = create_ledger(settings)
        with ledger.read() as tx:
            assert grants.held_by_all(tx.connection) == {ACCOUNTS[0]: (Grant("official"),), ACCOUNTS[1]: (Grant("recorder", "001"),)}
            said = [(row.change, row.actor, row.proposed_by) for row in grants.changes(tx, OPERATOR)]
            assert said == [("opened", "operator", None)] * 3 + [("granted", "operator", None)] * 2
        assert verify(ledger).ok
        ledger.close()
