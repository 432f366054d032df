"""Who gets in, who does not, and that guessing does not pay."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher

from ledger import stations
from ledger.entries import SHANGHAI
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_number
from ledger.people import accounts, volunteers
from ledger.people.accounts import REFUSAL, Accounts, wait_minutes
from ledger.people.actors import OPERATOR, Actor
from ledger.people.volunteers import Registration
from ledger.settings import Settings
from ledger.stations import Station
from ledger.store import create_ledger, open_ledger

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"
ADMIN = Actor("the administrator", "administrator")
CLERK = Actor("the clerk", "recorder", "001")
PHONE, SHARED = "13800001234", "13900005678"
PEOPLE = [("张敏", "340102196708266327", PHONE), ("黄丹", "34010419951022796X", SHARED), ("关凯", "342401197606030221", SHARED)]


@pytest.fixture
def house(tmp_path, database_url):
    """A ledger with two stations, three volunteers, a clerk's account and a clock that is moved by hand."""
    clock = SimpleNamespace(now=datetime(2026, 3, 5, 9, tzinfo=SHANGHAI))
    settings = Settings(tmp_path / "home", database_url)
    ledger = create_ledger(settings, lambda: clock.now)

    def people(tx):
        for code in ("001", "002"):
            stations.declare(tx, Station(code, f"第{code}站", "station", None))
        day = clock.now.date()
        return volunteers.register_many(tx, [Registration(name, number, "001", day, "clerk", phone) for name, number, phone in PEOPLE])

    numbers = ledger.write(people, OPERATOR)
    found = Accounts(ledger, CHEAP)
    found.create(OPERATOR, "clerk", "recorder", station="001", password=PASSWORD)
    yield SimpleNamespace(ledger=ledger, settings=settings, accounts=found, numbers=numbers, clock=clock)
    ledger.close()


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
    assert house.accounts.session(changed.actor.account, changed.epoch) == changed
    assert house.accounts.session(second.actor.account, second.epoch) is None
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


@pytest.mark.parametrize("weak", ["123456789", "1234567890123", "aaaaaaaaaaaa", "my-clerk-password", "x" * 201, ""])
def test_a_weak_password_is_refused_before_anything_else(house, weak):
    account = house.accounts.sign_in("clerk", PASSWORD).actor.account
    with pytest.raises(InvalidRequest):
        house.accounts.change_password(account, PASSWORD, weak)


def test_a_volunteer_may_keep_to_digits_but_not_to_the_code(house):
    code = house.accounts.issue_code(CLERK, house.numbers[0])
    account = house.accounts.sign_in(house.numbers[0], code).actor.account
    with pytest.raises(InvalidRequest):
        house.accounts.change_password(account, code, "1234567")
    with pytest.raises(InvalidRequest):
        house.accounts.change_password(account, code, code)
    assert not house.accounts.change_password(account, code, "19670826").must_change


def test_a_reset_ends_sessions_and_waiting_and_its_code_must_be_changed(house):
    open_session = house.accounts.sign_in("clerk", PASSWORD)
    for _ in range(6):
        refused(house, "clerk")
    code = house.accounts.reset(ADMIN, "clerk")
    assert house.accounts.session(open_session.actor.account, open_session.epoch) is None
    assert house.accounts.sign_in("clerk", code).must_change
    refused(house, "clerk", PASSWORD)


def test_a_disabled_account_is_out_at_once_until_it_is_opened_again(house):
    open_session = house.accounts.sign_in("clerk", PASSWORD)
    house.accounts.set_disabled(ADMIN, "clerk", disabled=True)
    assert house.accounts.session(open_session.actor.account, open_session.epoch) is None
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
    assert (row.login, row.role, row.disabled) == ("clerk", "recorder", False)
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
