"""Identities elsewhere: linked by who is signed in or by an administrator; never a way to a new account."""

import pytest
from house import ADMIN, CLERK, PASSWORD

from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people import linked_identities, second_factors

ISSUER, SUBJECT = "https://id.example.gov.cn", "a7c3-0001"


def come(house, issuer=ISSUER, subject=SUBJECT):
    return linked_identities.sign_in(house.ledger, issuer, subject)


def test_an_identity_opens_the_account_it_was_linked_to(house):
    me = house.accounts.sign_in("clerk", PASSWORD).actor
    with pytest.raises(NotAllowed):
        come(house)
    linked_identities.link(house.ledger, me, ISSUER, SUBJECT)
    session = come(house)
    assert (session.actor, session.means) == (me, "oidc")
    assert house.accounts.session(session.secret).means == "oidc"
    for other in ((ISSUER + "/", SUBJECT), (ISSUER, SUBJECT.upper()), (ISSUER + "\n" + SUBJECT, "")):
        with pytest.raises(NotAllowed):
            come(house, *other)
    assert house.changes()[0] == ("identity_linked", None, None, me.account)


def test_an_identity_opens_one_account_and_an_account_has_one(house):
    me, other = house.accounts.sign_in("clerk", PASSWORD).actor, house.staff("other", "recorder", "002")
    linked_identities.link(house.ledger, me, ISSUER, SUBJECT)
    with pytest.raises(InvalidRequest, match="另一个账号"):
        linked_identities.link(house.ledger, other, ISSUER, SUBJECT)
    linked_identities.link(house.ledger, me, ISSUER, "another")
    with pytest.raises(NotAllowed):
        come(house)
    assert come(house, subject="another").actor == me
    linked_identities.unlink(house.ledger, me)
    with pytest.raises(NotAllowed):
        come(house, subject="another")


def test_an_administrator_links_for_others_and_the_log_says_so(house):
    linked_identities.link_for(house.ledger, ADMIN, "clerk", ISSUER, f" {SUBJECT} ")
    assert come(house).login == "clerk"
    assert house.changes()[0] == ("identity_linked", None, None, ADMIN.account)
    me = house.staff("admin", "administrator")
    for login, subject, error in (("nobody", SUBJECT, NotFound), ("clerk", "", InvalidRequest), ("clerk", "x" * 256, InvalidRequest)):
        with pytest.raises(error):
            linked_identities.link_for(house.ledger, me, login, ISSUER, subject)
    with pytest.raises(InvalidRequest, match="我的账号"):
        linked_identities.link_for(house.ledger, me, "admin", ISSUER, SUBJECT)
    with pytest.raises(NotAllowed):
        linked_identities.link_for(house.ledger, CLERK, "clerk", ISSUER, SUBJECT)


def test_a_disabled_account_stays_shut_and_a_second_factor_is_still_asked_for(house):
    linked_identities.link_for(house.ledger, ADMIN, "clerk", ISSUER, SUBJECT)
    house.ledger.write(lambda tx: second_factors.require_for(tx, ["recorder"]), ADMIN)
    assert come(house).waits_for == "enrolment"
    house.accounts.set_disabled(ADMIN, "clerk", disabled=True)
    with pytest.raises(NotAllowed):
        come(house)


def test_a_volunteer_may_link_and_the_log_stays_silent_about_it(house):
    code = house.accounts.issue_code(CLERK, house.numbers[0])
    me = house.accounts.sign_in(house.numbers[0], code).actor
    before = house.changes()
    linked_identities.link(house.ledger, me, ISSUER, SUBJECT)
    assert (come(house).actor, come(house).must_change) == (me, False)
    assert house.changes() == before


def test_the_store_does_not_tell_who_somebody_is_elsewhere(house):
    linked_identities.link_for(house.ledger, ADMIN, "clerk", ISSUER, SUBJECT)
    with house.ledger.read() as tx:
        stored = repr(tx.connection.exec_driver_sql("SELECT * FROM linked_identity").all())
    assert SUBJECT not in stored
    assert ISSUER not in stored
