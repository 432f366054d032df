"""An administrator who hands out a way into an account does not come to be two people by it."""

from datetime import datetime, timedelta

import pytest
from house import PASSWORD

from ledger import activities
from ledger.activities import Activity
from ledger.errors import InvalidRequest, NotAllowed
from ledger.ids import new_entry_id
from ledger.people import actors, grants, linked_identities, reveals, second_factors, vouching, withdrawals
from ledger.people.actors import OPERATOR
from ledger.people.tokens import Tokens
from ledger.service import approving, recording
from ledger.service.drafts import Draft

FRESH = "a fresh password of mine"


@pytest.fixture
def office(house):
    """Three administrators and an approver, all made by the operator: nobody waits."""
    house.first, house.second, house.third = (house.staff(name, "administrator") for name in ("first", "second", "third"))
    house.approver = house.staff("approver", "approver", "001")
    return house


def step_in(office, login, by):
    """Reset an account and use the code oneself, as whoever gave it can."""
    return spend(office, login, office.accounts.reset(by, login))


def spend(office, login, code):
    session = office.accounts.sign_in(login, code)
    return office.accounts.change_password(session.actor.account, code, FRESH).actor


def waiting(office, viewer=OPERATOR):
    with office.ledger.read() as tx:
        return {one.account: (one.spent, one.mine) for one in vouching.waiting(tx, viewer)}


def recorded(office):
    """Record a service by the clerk; give its index."""

    def work(tx):
        activity = activities.find_or_publish(tx, [Activity("001", "邻里守望", "neighbour-care")])[0]
        start = datetime(2026, 3, 4, 9)
        draft = Draft(office.numbers[0], activity, "001", start, start + timedelta(hours=1), "B", new_entry_id())
        return recording.record_many(tx, [draft])[0]

    return office.ledger.write(work, office.accounts.sign_in("clerk", PASSWORD).actor).index


def propose(office, by):
    office.accounts.create(by, "puppet", "approver", station="001", password=PASSWORD)
    with office.ledger.read() as tx:
        return grants.proposals(tx, OPERATOR)[0].id


def test_nobody_confirms_their_own_proposal_with_a_colleagues_reset_account(office):
    proposal = propose(office, office.first)
    stolen = step_in(office, "second", office.first)
    with pytest.raises(NotAllowed, match="当面核实"):
        office.ledger.write(lambda tx: grants.confirm(tx, proposal), stolen)
    office.ledger.write(lambda tx: grants.confirm(tx, proposal), office.third)


def test_an_account_in_anothers_hands_records_and_decides_nothing(office):
    index = recorded(office)
    stolen = step_in(office, "approver", office.first)
    deeds = (
        lambda tx: approving.approve(tx, [index]),
        lambda tx: reveals.note_down(tx, office.numbers[0], "identity"),
        lambda tx: withdrawals.decide(tx, office.numbers[0], "upheld", "本人从未来过"),
    )
    for deed in deeds:
        with pytest.raises(NotAllowed, match="当面核实"):
            office.ledger.write(deed, stolen)
    office.ledger.write(lambda tx: tx.require("record", "001"), stolen)
    office.accounts.vouch(office.second, "approver")
    office.ledger.write(lambda tx: approving.approve(tx, [index]), stolen)


def test_an_administrator_in_anothers_hands_touches_no_account(office):
    stolen = step_in(office, "second", office.first)
    step_in(office, "approver", office.first)
    for deed in (
        lambda: office.accounts.reset(stolen, "third"),
        lambda: office.accounts.vouch(stolen, "approver"),
        lambda: office.accounts.set_disabled(stolen, "third", disabled=True),
        lambda: office.accounts.grant(stolen, "third", "auditor"),
        lambda: office.accounts.create(stolen, "another", "recorder", station="001"),
        lambda: office.accounts.reset_second_factor(stolen, "third"),
        lambda: office.ledger.write(lambda tx: second_factors.require_for(tx, []), stolen),
    ):
        with pytest.raises(NotAllowed, match="当面核实"):
            deed()


def test_who_made_a_change_does_not_vouch_nor_the_account_itself_nor_before_the_code_is_spent(office):
    code = office.accounts.reset(office.first, "approver")
    with pytest.raises(InvalidRequest, match="还没有用登录码"):
        office.accounts.vouch(office.second, "approver")
    mine = spend(office, "approver", code)
    for voucher in (office.first, mine):
        with pytest.raises(NotAllowed):
            office.accounts.vouch(voucher, "approver")
    office.accounts.reset_second_factor(office.second, "approver")
    with pytest.raises(NotAllowed):
        office.accounts.vouch(office.second, "approver")
    assert waiting(office, office.second) == {mine.account: (True, True)}
    assert waiting(office, office.third) == {mine.account: (True, False)}
    office.accounts.vouch(office.third, "approver")
    assert waiting(office) == {}
    with pytest.raises(InvalidRequest, match="不用核实"):
        office.accounts.vouch(office.third, "approver")
    assert office.changes()[0] == ("vouched", None, None, office.third.account)


def test_a_later_code_asks_for_another_vouching(office):
    step_in(office, "approver", office.first)
    office.accounts.vouch(office.second, "approver")
    again = office.accounts.reset(office.second, "approver")
    assert list(waiting(office).values()) == [(False, False)]
    spend_again(office, again)
    with pytest.raises(NotAllowed):
        office.accounts.vouch(office.second, "approver")
    office.accounts.vouch(office.first, "approver")


def spend_again(office, code):
    account = office.accounts.sign_in("approver", code).actor.account
    office.accounts.change_password(account, code, FRESH + " anew")


def test_a_new_account_waits_too_and_the_operators_word_is_enough(office):
    code = office.accounts.create(office.first, "new", "recorder", station="001")
    mine = spend(office, "new", code)
    assert waiting(office) == {mine.account: (True, False)}
    office.ledger.write(lambda tx: tx.require("record", "001"), mine)
    with pytest.raises(NotAllowed):
        office.ledger.write(lambda tx: tx.require("reveal", "001"), mine)
    office.accounts.vouch(OPERATOR, "new")
    office.ledger.write(lambda tx: tx.require("reveal", "001"), mine)


def test_what_the_operator_hands_out_or_one_does_oneself_needs_nobody(office):
    theirs = spend(office, "approver", office.accounts.reset(OPERATOR, "approver"))
    linked_identities.link(office.ledger, theirs, "https://id.example.gov.cn", "own")
    assert waiting(office) == {}


def test_an_identity_that_an_administrator_linked_is_a_way_in_as_well(office):
    linked_identities.link_for(office.ledger, office.first, "approver", "https://id.example.gov.cn", "the administrator's own")
    with pytest.raises(NotAllowed, match="当面核实"):
        office.ledger.write(lambda tx: tx.require("approve", "001"), office.approver)


def test_nothing_made_meanwhile_outlasts_the_next_code(office):
    stolen = step_in(office, "approver", office.first)
    with office.ledger.read() as tx:
        today = tx.today
    with pytest.raises(NotAllowed, match="当面核实"):
        Tokens(office.ledger).issue(stolen, "approver", ["service-records:approve"], today)
    with pytest.raises(NotAllowed, match="当面核实"):
        linked_identities.link(office.ledger, stolen, "https://id.example.gov.cn", "the administrator's own")
    with pytest.raises(NotAllowed, match="主人自己发"):
        Tokens(office.ledger).issue(office.first, "approver", ["service-records:approve"], today)


def test_only_what_somebody_else_then_looks_at_is_open_before_vouching():
    """Every right that a recorder does not have is one that weighs, and so is what shows a name: a look, a certificate; and a committee's opinion."""
    of_recorders = {action for action, roles in actors._MAY.items() if "recorder" in roles}
    assert of_recorders - actors.FIRST_PERSON == {"certify", "reveal", "opine"}
    assert of_recorders >= actors.FIRST_PERSON
