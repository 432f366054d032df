"""Who gets in, who does not, and that guessing does not pay."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from house import ADMIN, CHEAP, CLERK, PASSWORD, PEOPLE, PHONE, SHARED

from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_number
from ledger.people import accounts
from ledger.people.accounts import EXPIRED, REFUSAL, Accounts
from ledger.people.actors import OPERATOR, Actor, Grant
from ledger.people.throttling import wait_minutes
from ledger.store import open_ledger


def refused(house, name, password="not the password"):  # noqa: S107 it opens nothing
    with pytest.raises(NotAllowed) as refusal:
        house.accounts.sign_in(name, password)
    return str(refusal.value)


def test_staff_sign_in_however_the_login_is_typed(house):
    for name in ("clerk", " Clerk ", "ＣＬＥＲＫ"):
        session = house.accounts.sign_in(name, PASSWORD)
        assert (session.actor.role, session.actor.station, session.login, session.must_change) == ("recorder", "001", "clerk", False)


def test_every_refusal_is_the_same_sentence(house):
    house.accounts.create(OPERATOR, "gone", "recorder", station="001", password=PASSWORD)
    house.accounts.set_disabled(ADMIN, "gone", disabled=True)
    said = {refused(house, "clerk"), refused(house, "nobody"), refused(house, "gone", PASSWORD), refused(house, "", "")}
    said |= {refused(house, house.numbers[0]), refused(house, "clerk", "x" * 100_000)}
    said |= {refused(house, "clerk") for _ in range(8)}
    assert said == {REFUSAL}


def test_an_unknown_name_is_verified_like_a_known_one(house):
    """Counted in verifications, not in seconds: both cost exactly one."""

    class Counting(PasswordHasher):
        verified = 0

        def verify(self, *said):
            Counting.verified += 1
            return super().verify(*said)

    house.accounts = Accounts(house.ledger, Counting(time_cost=1, memory_cost=8, parallelism=1))
    for name, total in (("nobody", 1), ("clerk", 2), ("11010519491231002X", 3)):
        refused(house, name)
        assert Counting.verified == total


def test_five_failures_cost_a_minute_and_it_doubles_to_fifteen():
    assert [wait_minutes(n) for n in (0, 4, 5, 6, 7, 8, 9, 10, 500)] == [0, 0, 1, 2, 4, 8, 15, 15, 15]


def test_the_right_password_waits_too_and_then_gets_in(house):
    for _ in range(5):
        refused(house, "clerk")
    refused(house, "clerk", PASSWORD)
    house.clock.now += timedelta(seconds=59)
    refused(house, "clerk", PASSWORD)
    house.clock.now += timedelta(seconds=1)
    assert house.accounts.sign_in("clerk", PASSWORD)
    for _ in range(4):
        refused(house, "clerk")
    assert house.accounts.sign_in("clerk", PASSWORD), "a success forgets the failures"


def test_waiting_survives_a_restart_and_never_lasts_for_good(house):
    for _ in range(30):
        refused(house, "clerk")
        house.clock.now += timedelta(minutes=15)
    again = open_ledger(house.settings, lambda: house.clock.now)
    reopened = Accounts(again, CHEAP)
    assert reopened.sign_in("clerk", PASSWORD)
    for _ in range(6):
        refused(house, "clerk")
    with pytest.raises(NotAllowed):
        reopened.sign_in("clerk", PASSWORD)
    again.close()


def test_trying_one_person_under_several_names_is_trying_one_person(house):
    code = house.accounts.issue_code(OPERATOR, house.numbers[0])
    name, id_number, phone = house.numbers[0], PEOPLE[0][1], PHONE
    for said in (name, id_number, phone, name.lower(), "138 0000 1234"):
        refused(house, said)
    refused(house, id_number, code)
    assert house.accounts.sign_in("clerk", PASSWORD), "others are not kept waiting"


def test_what_was_tried_is_not_kept_in_clear(house):
    refused(house, PEOPLE[1][1])
    with house.ledger.read() as tx:
        rows = tx.connection.exec_driver_sql("SELECT digest FROM failed_sign_in").scalars().all()
    assert [len(digest) for digest in rows] == [32]


def test_names_not_tried_for_a_day_are_forgotten(house):
    for name in ("a", "b", "c"):
        refused(house, name)
    house.clock.now += timedelta(days=1, minutes=1)
    refused(house, "d")
    with house.ledger.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT count(*) FROM failed_sign_in").scalar() == 1


def test_a_volunteer_signs_in_by_number_id_number_or_a_phone_of_their_own(house):
    code = house.accounts.issue_code(CLERK, house.numbers[0])
    for name in (house.numbers[0].lower(), PEOPLE[0][1], f"{PHONE[:3]} {PHONE[3:]}"):
        session = house.accounts.sign_in(name, code)
        assert (session.actor.role, session.actor.volunteer, session.must_change) == ("volunteer", house.numbers[0], True)
    shared = house.accounts.issue_code(CLERK, house.numbers[1])
    refused(house, SHARED, shared)
    assert house.accounts.sign_in("34010419951022796x", shared)


def test_a_one_time_code_is_typed_as_it_is_heard(house):
    code = house.accounts.issue_code(CLERK, house.numbers[0])
    for said in (code, code.lower(), code.replace("-", ""), code.replace("-", " ")):
        assert house.accounts.sign_in(house.numbers[0], said).must_change


def test_another_stations_desk_gives_no_code(house):
    with pytest.raises(NotAllowed):
        house.accounts.issue_code(Actor("other", "recorder", "002"), house.numbers[0])
    with pytest.raises(NotAllowed):
        house.accounts.issue_code(ADMIN, house.numbers[0])
    with pytest.raises(NotFound):
        house.accounts.issue_code(CLERK, new_number())


def test_ones_own_password_ends_the_other_sessions(house):
    first, second = house.accounts.sign_in("clerk", PASSWORD), house.accounts.sign_in("clerk", PASSWORD)
    changed = house.accounts.change_password(first.actor.account, PASSWORD, "a better password")
    assert house.accounts.session(changed.secret).actor == changed.actor
    assert house.accounts.session(first.secret) is None
    assert house.accounts.session(second.secret) is None
    refused(house, "clerk", PASSWORD)
    assert house.accounts.sign_in("clerk", "a better password")


def test_a_wrong_old_password_changes_nothing_and_is_slowed_like_a_sign_in(house):
    account = house.accounts.sign_in("clerk", PASSWORD).actor.account
    for _ in range(5):
        with pytest.raises(NotAllowed):
            house.accounts.change_password(account, "wrong", "a better password")
    with pytest.raises(NotAllowed):
        house.accounts.change_password(account, PASSWORD, "a better password")
    house.clock.now += timedelta(minutes=1)
    assert house.accounts.change_password(account, PASSWORD, "a better password")


def test_a_volunteer_may_keep_to_digits_but_not_to_the_code(house):
    code = house.accounts.issue_code(CLERK, house.numbers[0])
    account = house.accounts.sign_in(house.numbers[0], code).actor.account
    with pytest.raises(InvalidRequest):
        house.accounts.change_password(account, code, "1234567")
    with pytest.raises(InvalidRequest):
        house.accounts.change_password(account, code, code)
    with pytest.raises(InvalidRequest, match="生日"):
        house.accounts.change_password(account, code, "19670826")
    assert not house.accounts.change_password(account, code, "58204917").must_change


def test_a_reset_ends_sessions_and_waiting_and_its_code_must_be_changed(house):
    open_session = house.accounts.sign_in("clerk", PASSWORD)
    for _ in range(6):
        refused(house, "clerk")
    code = house.accounts.reset(ADMIN, "clerk")
    assert house.accounts.session(open_session.secret) is None
    assert house.accounts.sign_in("clerk", code).must_change
    refused(house, "clerk", PASSWORD)


def test_a_disabled_account_is_out_at_once_until_it_is_opened_again(house):
    open_session = house.accounts.sign_in("clerk", PASSWORD)
    house.accounts.set_disabled(ADMIN, "clerk", disabled=True)
    assert house.accounts.session(open_session.secret) is None
    refused(house, "clerk", PASSWORD)
    house.accounts.set_disabled(ADMIN, "clerk", disabled=False)
    assert house.accounts.sign_in("clerk", PASSWORD)


class Meanwhile(PasswordHasher):
    """Takes long over a new hash: an administrator's reset comes in between."""

    def __init__(self, reset, **cost):
        super().__init__(memory_cost=8, parallelism=1, **cost)
        self.reset, self.codes = reset, []

    def hash(self, password, **said):
        if password in (PASSWORD, "a better password"):
            self.codes.append(self.reset(ADMIN, "clerk"))
        return super().hash(password, **said)


def test_a_password_changed_while_it_is_reset_does_not_undo_the_reset(house):
    account = house.accounts.sign_in("clerk", PASSWORD).actor.account
    hasher = Meanwhile(house.accounts.reset, time_cost=1)
    with pytest.raises(NotAllowed, match="重新登录"):
        Accounts(house.ledger, hasher).change_password(account, PASSWORD, "a better password")
    refused(house, "clerk", "a better password")
    assert house.accounts.sign_in("clerk", hasher.codes[0]).must_change


def test_an_older_hash_renewed_while_it_is_reset_does_not_undo_the_reset(house):
    hasher = Meanwhile(house.accounts.reset, time_cost=2)
    house.accounts, cheap = Accounts(house.ledger, hasher), house.accounts
    assert refused(house, "clerk", PASSWORD) == REFUSAL
    house.accounts = cheap
    refused(house, "clerk", PASSWORD)
    assert cheap.sign_in("clerk", hasher.codes[0]).must_change


def test_nobody_shuts_their_own_account(house):
    house.accounts.create(OPERATOR, "admin", "administrator", password=PASSWORD)
    me = house.accounts.sign_in("admin", PASSWORD).actor
    with pytest.raises(InvalidRequest):
        house.accounts.set_disabled(me, "admin", disabled=True)


def test_accounts_are_kept_by_administrators_alone(house):
    attempts = [
        lambda: house.accounts.create(CLERK, "more", "recorder", station="001"),
        lambda: house.accounts.reset(CLERK, "clerk"),
        lambda: house.accounts.set_disabled(CLERK, "clerk", disabled=True),
        lambda: house.accounts.everyone(CLERK),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()


@pytest.mark.parametrize(
    ("login", "role", "station"),
    [
        ("clerk", "recorder", "001"),  # taken
        ("13800001234", "recorder", "001"),
        ("x", "recorder", "001"),
        ("王敏", "recorder", "001"),
        ("new", "recorder", None),
        ("new", "auditor", "001"),
        ("new", "volunteer", None),
        ("new", "operator", None),
        ("new", "emperor", None),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(house, login, role, station):
    with pytest.raises(InvalidRequest):
        house.accounts.create(ADMIN, login, role, station=station)


def test_an_account_at_no_such_station_is_refused(house):
    with pytest.raises(NotFound):
        house.accounts.create(ADMIN, "new", "recorder", station="999")


def test_lists_show_staff_and_never_a_hash(house):
    house.accounts.issue_code(CLERK, house.numbers[0])
    [row] = house.accounts.everyone(ADMIN)
    assert (row.login, row.grants, row.disabled) == ("clerk", (Grant("recorder", "001"),), False)
    assert "argon2" not in repr(row)


def test_entries_name_accounts_by_login_and_the_machine_by_what_it_is(house):
    account = house.accounts.sign_in("clerk", PASSWORD).actor.account
    with house.ledger.read() as tx:
        assert accounts.logins(tx.connection, {account, "operator", "x"}) == {account: "clerk", "operator": "本机操作员", "x": "x"}


def test_a_password_of_an_older_cost_is_hashed_anew_when_it_is_used(house):
    dearer = Accounts(house.ledger, PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    dearer.sign_in("clerk", PASSWORD)
    with house.ledger.read() as tx:
        hashed = tx.connection.exec_driver_sql("SELECT password_hash FROM account WHERE login='clerk'").scalar()
    assert "t=2" in hashed
    assert dearer.sign_in("clerk", PASSWORD)


@pytest.mark.parametrize(("volunteer", "hours"), [(False, 72), (True, 30 * 24)])
def test_a_one_time_code_is_good_for_a_while_and_then_says_so(house, volunteer, hours):
    name = house.numbers[0] if volunteer else "clerk"
    code = house.accounts.issue_code(CLERK, name) if volunteer else house.accounts.reset(ADMIN, name)
    house.clock.now += timedelta(hours=hours, seconds=-1)
    assert house.accounts.sign_in(name, code).must_change
    house.clock.now += timedelta(seconds=1)
    assert refused(house, name, code) == EXPIRED
    assert refused(house, name, "K7M2-Q9XP") == REFUSAL, "only who holds the code is told that it is too old"


def test_a_code_that_was_changed_in_time_leaves_a_password_that_lasts(house):
    account = house.accounts.sign_in("clerk", code := house.accounts.reset(ADMIN, "clerk")).actor.account
    house.accounts.change_password(account, code, "a better password")
    house.clock.now += timedelta(days=400)
    assert house.accounts.sign_in("clerk", "a better password")


def test_what_is_done_to_a_staff_account_is_in_the_log(house):
    house.accounts.reset(ADMIN, "clerk")
    house.accounts.set_disabled(ADMIN, "clerk", disabled=True)
    house.accounts.set_disabled(ADMIN, "clerk", disabled=True)
    house.accounts.set_disabled(ADMIN, "clerk", disabled=False)
    house.accounts.end_sessions_of(ADMIN, "clerk")
    house.accounts.reset_second_factor(ADMIN, "clerk")
    done = ["second_factor_reset", "sessions_ended", "enabled", "disabled", "code_issued"]
    assert house.changes() == [*((one, None, None, ADMIN.account) for one in done), *house.founded]


def test_the_same_places_are_searched_for_a_name_that_is_nobodys_and_one_that_is_somebodys(house):
    """Counted in lookups of the blind index and the accounts, not in seconds."""
    counts = []
    for name in ("clerk", "nobody", house.numbers[0], PEOPLE[0][1], "11010519491231002X"):
        asked = []
        with house.ledger.read() as tx:
            watched = Watched(tx.connection, asked)
            house.accounts._find(watched, name)
        counts.append(len(asked))
    assert len(set(counts)) == 1, counts


class Watched:
    """A connection that notes how often it is asked, however it is asked."""

    def __init__(self, connection, asked):
        self._connection, self._asked = connection, asked

    def __getattr__(self, name):
        if name in ("execute", "connection"):
            self._asked.append(name)
        return getattr(self._connection, name)
