"""Sessions: they end by themselves, at a word, and with what they rest on."""

from datetime import timedelta

import pytest
from house import ADMIN, CLERK, PASSWORD
from sqlalchemy import event

from ledger.people.throttling import Client


def sign_in(house, name="clerk", password=PASSWORD, browser="Firefox"):
    return house.accounts.sign_in(name, password, Client(browser=browser))


@pytest.mark.parametrize(
    ("role", "minutes"), [("recorder", 240), ("approver", 30), ("official", 30), ("auditor", 30), ("administrator", 30)]
)
def test_a_staff_session_ends_some_time_after_its_last_use_by_what_it_opens(house, role, minutes):
    house.staff("somebody", role, "001" if role in ("recorder", "approver") else None)
    used, unused = sign_in(house, "somebody"), sign_in(house, "somebody")
    house.clock.now += timedelta(minutes=minutes - 1)
    assert house.accounts.session(used.secret)
    house.clock.now += timedelta(minutes=1)
    assert house.accounts.session(unused.secret) is None
    assert house.accounts.session(used.secret)


def test_a_staff_session_ends_after_twelve_hours_however_it_is_used(house):
    session = sign_in(house)
    for _ in range(11):
        house.clock.now += timedelta(hours=1)
        assert house.accounts.session(session.secret)
    house.clock.now += timedelta(hours=1)
    assert house.accounts.session(session.secret) is None


def test_a_volunteers_session_lasts_thirty_days(house):
    code = house.accounts.issue_code(CLERK, house.numbers[0])
    session = sign_in(house, house.numbers[0], code)
    house.clock.now += timedelta(days=29, hours=23)
    assert house.accounts.session(session.secret).actor.volunteer == house.numbers[0]
    house.clock.now += timedelta(hours=1)
    assert house.accounts.session(session.secret) is None


def test_last_use_is_noted_once_a_minute(house):
    session, seen = sign_in(house), []
    for _ in range(12):
        house.accounts.session(session.secret)
        seen.append(house.accounts.sessions_of(session.actor.account)[0].last_used_at[11:19])
        house.clock.now += timedelta(seconds=10)
    assert seen == ["09:00:00"] * 6 + ["09:01:00"] * 6


def test_only_the_digest_of_a_secret_is_kept_and_nothing_else_opens_it(house):
    first, second = sign_in(house), sign_in(house)
    assert first.secret != second.secret
    with house.ledger.read() as tx:
        stored = repr(tx.connection.exec_driver_sql("SELECT * FROM session").all())
    assert first.secret not in stored
    for wrong in ("", first.secret[:-1], first.secret + "A", first.id, first.secret.swapcase(), "密码"):
        assert house.accounts.session(wrong) is None


def test_one_sees_where_one_is_signed_in_and_ends_one_of_them_or_all(house):
    phone, desk = sign_in(house, browser="微信（Android）"), sign_in(house, browser="Edge（Windows）")
    account = phone.actor.account
    assert {one.browser for one in house.accounts.sessions_of(account)} == {"微信（Android）", "Edge（Windows）"}
    house.accounts.end_session(account, phone.id)
    house.accounts.end_session(account, "0" * 16)
    assert house.accounts.session(phone.secret) is None
    assert [one.id for one in house.accounts.sessions_of(account)] == [desk.id]
    third = sign_in(house)
    house.accounts.end_sessions(account, but=third.id)
    assert (house.accounts.session(desk.secret), bool(house.accounts.session(third.secret))) == (None, True)
    house.accounts.end_sessions(account)
    assert house.accounts.sessions_of(account) == []


def test_nobody_ends_anothers_session(house):
    session, other = sign_in(house), house.staff("other", "recorder", "002")
    house.accounts.end_session(other.account, session.id)
    assert house.accounts.session(session.secret)


@pytest.mark.parametrize("what", ["reset", "disabled", "ended by an administrator", "factor reset"])
def test_a_session_ends_at_once_with_what_it_rests_on(house, what):
    session = sign_in(house)
    {
        "reset": lambda: house.accounts.reset(ADMIN, "clerk"),
        "disabled": lambda: house.accounts.set_disabled(ADMIN, "clerk", disabled=True),
        "ended by an administrator": lambda: house.accounts.end_sessions_of(ADMIN, "clerk"),
        "factor reset": lambda: house.accounts.reset_second_factor(ADMIN, "clerk"),
    }[what]()
    assert house.accounts.session(session.secret) is None
    if what == "disabled":
        house.accounts.set_disabled(ADMIN, "clerk", disabled=False)
        assert house.accounts.session(session.secret) is None, "it does not come back with the account"


def test_a_restored_row_of_a_disabled_account_opens_nothing(house):
    session = sign_in(house)
    with house.ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET disabled = 1")
    assert house.accounts.session(session.secret) is None


def test_ended_sessions_are_not_kept(house):
    for _ in range(3):
        sign_in(house)
    house.clock.now += timedelta(days=2)
    sign_in(house)
    with house.ledger.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT count(*) FROM session").scalar() == 1


def test_a_lookup_is_one_read(house):
    session, said = sign_in(house), []
    event.listen(house.ledger.engine, "before_cursor_execute", lambda *asked: said.append(asked[2]))
    house.accounts.session(session.secret)
    assert len([one for one in said if one.startswith("SELECT")]) == 1, said
