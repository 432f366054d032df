"""Guessing is slowed by name, by address and all over; and none of it locks out who has been here before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from house import CLERK, PASSWORD

from ledger.errors import NotAllowed
from ledger.people import throttling
from ledger.people.accounts import Accounts
from ledger.people.throttling import ADDRESS_FAILURES_ALARMED, ADDRESS_FAILURES_MAX, ALARM_FAILURES, FREE_FAILURES, Client
from ledger.store import open_ledger

HERE, THERE = Client("203.0.113.7"), Client("198.51.100.9")


def tries(house, name, client, password="wrong"):  # noqa: S107 it opens nothing
    """Whether a try was let through (and failed) rather than turned away unseen."""
    before = counted(house)
    with pytest.raises(NotAllowed):
        house.accounts.sign_in(name, password, client)
    return counted(house) > before


def counted(house):
    with house.ledger.read() as tx:
        return tx.connection.exec_driver_sql("SELECT coalesce(sum(failures), 0) FROM failed_sign_in").scalar()


def test_one_password_over_many_names_is_slowed_by_the_address_it_comes_from(house):
    let_through = sum(tries(house, f"name{n}", HERE) for n in range(ADDRESS_FAILURES_MAX + 20))
    assert let_through == ADDRESS_FAILURES_MAX
    with pytest.raises(NotAllowed):
        house.accounts.sign_in("clerk", PASSWORD, HERE)
    assert house.accounts.sign_in("clerk", PASSWORD, THERE), "other addresses are not kept waiting"
    house.clock.now += timedelta(hours=1)
    assert house.accounts.sign_in("clerk", PASSWORD, HERE)


def test_who_signs_in_rightly_uses_up_nothing(house):
    for _ in range(ADDRESS_FAILURES_MAX + 20):
        house.accounts.sign_in("clerk", PASSWORD, HERE)
    assert counted(house) == 0


def test_an_address_of_the_next_network_is_another_and_of_the_same_ipv6_network_is_the_same(house):
    for n in range(ADDRESS_FAILURES_MAX):
        assert tries(house, f"name{n}", Client(f"2001:db8:1:2::{n + 1:x}"))
    assert not tries(house, "another", Client("2001:db8:1:2:ffff::1"))
    assert tries(house, "another", Client("2001:db8:1:3::1"))
    assert tries(house, "another", Client("::ffff:203.0.113.9"))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", None, "unix:", ""])
def test_what_may_be_a_proxy_for_everybody_is_not_counted(house, address):
    for n in range(ADDRESS_FAILURES_MAX + 5):
        assert tries(house, f"name{n}", Client(address))


def test_many_addresses_together_leave_each_of_them_less(house):
    for n in range(ALARM_FAILURES + 1):
        tries(house, f"name{n}", Client(f"203.0.{n % 250}.{n // 250 + 1}"))
    let_through = sum(tries(house, f"more{n}", Client("192.0.2.1")) for n in range(ADDRESS_FAILURES_ALARMED + 5))
    assert let_through == ADDRESS_FAILURES_ALARMED
    assert house.accounts.sign_in("clerk", PASSWORD, THERE), "an address that did nothing still gets in"


def test_strangers_cannot_lock_out_a_browser_that_has_been_here(house):
    account = house.accounts.sign_in("clerk", PASSWORD, HERE).actor.account
    known = Client("203.0.113.7", (house.accounts.device_token(account),))
    for _ in range(8):
        tries(house, "clerk", THERE)
    for n in range(ADDRESS_FAILURES_MAX):
        tries(house, f"name{n}", HERE)
    with pytest.raises(NotAllowed):
        house.accounts.sign_in("clerk", PASSWORD, HERE)
    assert house.accounts.sign_in("clerk", PASSWORD, known)


def test_a_known_browser_has_five_tries_of_its_own_too(house):
    account = house.accounts.sign_in("clerk", PASSWORD).actor.account
    known, also_known = (Client(devices=(house.accounts.device_token(account),)) for _ in range(2))
    assert [tries(house, "clerk", known) for _ in range(7)] == [True] * 5 + [False] * 2
    assert house.accounts.sign_in("clerk", PASSWORD, also_known)
    assert house.accounts.sign_in("clerk", PASSWORD)


def test_a_token_counts_for_its_own_account_and_only_as_it_was_made(house):
    account = house.accounts.sign_in("clerk", PASSWORD).actor.account
    house.accounts.issue_code(CLERK, house.numbers[0])
    token = house.accounts.device_token(account)
    said, _, mac = token.rpartition(".")
    forged = [f"{said}.{'0' * len(mac)}", f"{said}0.{mac}", said, "", "..", "好", f"{account}.x.é"]
    for name, devices in ((house.numbers[0], [token]), ("clerk", forged)):
        for _ in range(5):
            tries(house, name, Client(devices=tuple(devices)))
        assert not tries(house, name, Client(devices=tuple(devices)))
    assert tries(house, "clerk", Client(devices=(*forged, token)))


def test_counters_keep_neither_name_nor_address(house, tmp_path):
    tries(house, "Hidden-Name", HERE)
    with house.ledger.read() as tx:
        rows = tx.connection.exec_driver_sql("SELECT * FROM failed_sign_in").all()
    assert {row.kind for row in rows} == {"name", "address", "everyone"}
    assert all(word not in repr(rows).lower() for word in ("hidden", "203.0.113"))


def test_counters_are_dropped_a_day_later(house):
    for n in range(3):
        tries(house, f"name{n}", Client(f"203.0.113.{n}"))
    house.clock.now += timedelta(days=1, minutes=1)
    tries(house, "one", Client())
    assert counted(house) == 1


def test_a_success_takes_back_only_its_own_try(house):
    for n in range(4):
        tries(house, f"name{n}", HERE)
    house.accounts.sign_in("clerk", PASSWORD, HERE)
    with house.ledger.read() as tx:
        rows = tx.connection.exec_driver_sql("SELECT kind, sum(failures) FROM failed_sign_in GROUP BY kind ORDER BY kind").all()
    assert [tuple(row) for row in rows] == [("address", 4), ("everyone", 4), ("name", 4)]
    assert throttling.wait_minutes(4) == 0


def test_many_guesses_at_once_are_worth_no_more_than_one_after_another(house):
    """Counted in passwords that were looked at: twenty threads, five of them get that far."""
    looked_at = []

    class Noting(PasswordHasher):
        def verify(self, *said):
            looked_at.append(said)
            return super().verify(*said)

    house.accounts = Accounts(house.ledger, Noting(time_cost=1, memory_cost=8, parallelism=1))
    with ThreadPoolExecutor(20) as pool:
        assert not any(pool.map(lambda n: _gets_in(house, f"guess {n}"), range(20)))
    assert len(looked_at) == 5


def _gets_in(house, password):
    try:
        house.accounts.sign_in("clerk", password)
    except NotAllowed:
        return False
    return True


# --- codes typed by somebody who is signed in


def types(house, volunteer, address="203.0.113.7", *, right=False):
    """Whether a code that somebody typed was looked at."""

    def work(connection, now):
        tried = throttling.admit_code(connection, now, house.ledger.vault.blind, volunteer, address)
        if tried is not None and right:
            throttling.succeeded(connection, tried)
        return tried is not None

    return house.ledger.operate(work)


def test_who_types_wrong_codes_waits_longer_and_longer_and_nobody_else_does(house):
    assert [types(house, "one") for _ in range(FREE_FAILURES + 2)] == [True] * FREE_FAILURES + [False] * 2
    assert types(house, "another"), "of the same crowd"
    house.clock.now += timedelta(minutes=1)
    assert [types(house, "one") for _ in range(2)] == [True, False]
    house.clock.now += timedelta(minutes=1)
    assert not types(house, "one"), "two minutes now"
    house.clock.now += timedelta(minutes=1)
    assert types(house, "one", right=True)
    assert [types(house, "one") for _ in range(FREE_FAILURES)] == [True] * FREE_FAILURES, "what turned out right begins anew"


def test_an_address_that_guesses_with_many_accounts_leaves_each_one_try_and_nobody_none(house):
    for n in range(ADDRESS_FAILURES_MAX // 5):
        assert all(types(house, f"thief{n}") for _ in range(5))
    assert [types(house, "late thief") for _ in range(3)] == [True, False, False]
    assert types(house, "honest", right=True), "who types what is on the screen gets in from the same address"
    assert [types(house, "far away", "198.51.100.9") for _ in range(5)] == [True] * 5
    house.clock.now += timedelta(hours=1)
    assert [types(house, "later") for _ in range(5)] == [True] * 5


def test_typed_codes_are_counted_over_a_restart_and_name_nobody(house):
    for _ in range(FREE_FAILURES):
        types(house, "one")
    again = open_ledger(house.ledger.settings, lambda: house.clock.now)
    assert again.operate(lambda c, now: throttling.admit_code(c, now, again.vault.blind, "one", "203.0.113.7")) is None
    again.close()
    with house.ledger.read() as tx:
        kept = repr(tx.connection.exec_driver_sql("SELECT * FROM failed_sign_in").all())
    assert "203.0.113" not in kept
