"""The second factor: a code from the phone, each good once."""

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from house import ADMIN, CLERK, PASSWORD

from ledger.errors import InvalidRequest, NotAllowed
from ledger.people import second_factors
from ledger.people.actors import OPERATOR
from ledger.people.second_factors import REFUSAL


class Phone:
    """An app: what it was shown, and what it shows now (RFC 6238)."""

    def __init__(self, house, secret):
        self.house, self.totp = house, TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303 what RFC 6238 says

    def code(self, late=0):
        return self.totp.generate(int(self.house.clock.now.timestamp()) + late).decode()


@pytest.fixture
def phone(house):
    """The clerk's app, in use."""
    session = house.accounts.sign_in("clerk", PASSWORD)
    made = Phone(house, house.second_factors.begin(session.actor))
    made.recovery, made.session = house.second_factors.confirm(session, made.code())
    house.clock.now += timedelta(minutes=2)
    return made


def half_way(house):
    session = house.accounts.sign_in("clerk", PASSWORD)
    assert session.waits_for == "second_factor"
    return session


def refused(house, session, code):
    with pytest.raises(NotAllowed) as refusal:
        house.second_factors.pass_with(session, code)
    return str(refusal.value)


def test_it_is_in_use_once_the_phone_has_shown_that_it_knows(house):
    session = house.accounts.sign_in("clerk", PASSWORD)
    secret = house.second_factors.begin(session.actor)
    assert house.second_factors.begin(session.actor) == secret, "the picture may be looked at twice"
    assert house.accounts.sign_in("clerk", PASSWORD).waits_for == ""
    with pytest.raises(NotAllowed):
        house.second_factors.confirm(session, "000000")
    codes, after = house.second_factors.confirm(session, Phone(house, secret).code())
    assert len(set(codes)) == 10
    assert house.accounts.session(session.secret) is None, "the cookie changes with what it opens"
    assert house.accounts.session(after.secret).actor == session.actor
    with pytest.raises(InvalidRequest):
        house.second_factors.begin(session.actor)
    assert house.accounts.everyone(OPERATOR)[0].second_factor


def test_a_password_alone_opens_half_a_session_and_the_code_the_rest(house, phone):
    half = half_way(house)
    assert house.accounts.session(half.secret).waits_for == "second_factor"
    whole = house.second_factors.pass_with(half, phone.code())
    assert house.accounts.session(half.secret) is None
    assert house.accounts.session(whole.secret).waits_for == ""


@pytest.mark.parametrize("late", [-30, 0, 30])
def test_a_clock_may_be_half_a_minute_off(house, phone, late):
    assert house.second_factors.pass_with(half_way(house), f" {phone.code(late)[:3]} {phone.code(late)[3:]} ")


@pytest.mark.parametrize("late", [-120, -60, 60, 120, 3600])
def test_older_and_later_codes_are_refused(house, phone, late):
    assert refused(house, half_way(house), phone.code(late)) == REFUSAL


def test_a_code_that_was_used_is_used_up_and_so_are_older_ones(house, phone):
    earlier, code = phone.code(-30), phone.code()
    house.second_factors.pass_with(half_way(house), code)
    assert refused(house, half_way(house), code) == REFUSAL
    assert refused(house, half_way(house), earlier) == REFUSAL
    house.clock.now += timedelta(seconds=30)
    assert house.second_factors.pass_with(half_way(house), phone.code())


def test_a_recovery_code_is_good_once(house, phone):
    account = phone.session.actor.account
    assert house.second_factors.left(account) == 10
    assert house.second_factors.pass_with(half_way(house), phone.recovery[3].lower().replace("-", " "))
    assert house.second_factors.left(account) == 9
    assert refused(house, half_way(house), phone.recovery[3]) == REFUSAL
    with house.ledger.read() as tx:
        stored = repr(tx.connection.exec_driver_sql("SELECT * FROM second_factor").all())
    assert not any(code.replace("-", "") in stored for code in phone.recovery)


def test_guessing_is_slowed_by_account_in_whatever_session(house, phone):
    for _ in range(5):
        assert refused(house, half_way(house), "000000") == REFUSAL
    assert refused(house, half_way(house), phone.code()) == REFUSAL
    house.clock.now += timedelta(minutes=1)
    assert house.second_factors.pass_with(half_way(house), phone.code())


def test_it_is_given_up_with_a_code_not_by_whoever_sits_down(house, phone):
    with pytest.raises(NotAllowed):
        house.second_factors.remove(phone.session.actor, "000000")
    house.second_factors.remove(phone.session.actor, phone.code())
    assert house.accounts.sign_in("clerk", PASSWORD).waits_for == ""
    assert house.second_factors.left(phone.session.actor.account) is None


def test_an_administrator_resets_what_is_lost_and_the_log_says_so(house, phone):
    house.accounts.reset_second_factor(ADMIN, "clerk")
    assert house.accounts.sign_in("clerk", PASSWORD).waits_for == ""
    assert house.changes()[0] == ("second_factor_reset", None, None, ADMIN.account)


def test_a_role_that_requires_it_is_led_to_it_first(house):
    house.ledger.write(lambda tx: second_factors.require_for(tx, ["recorder"]), ADMIN)
    session = house.accounts.sign_in("clerk", PASSWORD)
    assert session.waits_for == "enrolment"
    made = Phone(house, house.second_factors.begin(session.actor))
    _, after = house.second_factors.confirm(session, made.code())
    assert after.waits_for == ""
    house.clock.now += timedelta(minutes=1)
    with pytest.raises(InvalidRequest, match="不能关闭"):
        house.second_factors.remove(after.actor, made.code())
    house.ledger.write(lambda tx: second_factors.require_for(tx, []), ADMIN)
    house.second_factors.remove(after.actor, made.code())
    with pytest.raises(InvalidRequest):
        house.ledger.write(lambda tx: second_factors.require_for(tx, ["volunteer"]), ADMIN)
    with pytest.raises(NotAllowed):
        house.ledger.write(lambda tx: second_factors.require_for(tx, []), CLERK)


def test_volunteers_are_not_asked(house):
    code = house.accounts.issue_code(CLERK, house.numbers[0])
    session = house.accounts.sign_in(house.numbers[0], code)
    assert session.waits_for == ""
    with pytest.raises(InvalidRequest):
        house.second_factors.begin(session.actor)


def test_a_code_may_not_be_used_twice_at_once(house, phone):
    """Two browsers, one code: whichever comes second is refused."""
    first, second, code = half_way(house), half_way(house), phone.code()
    house.second_factors.pass_with(first, code)
    assert refused(house, second, code) == REFUSAL


def test_rfc_6238s_own_numbers(house):
    """Appendix B, SHA-1, the last six of its eight digits."""
    phone = Phone(house, base64.b32encode(b"12345678901234567890").decode())
    for moment, shown in ((59, "94287082"), (1111111109, "07081804"), (2000000000, "69279037")):
        assert phone.totp.generate(moment).decode() == shown[2:]
