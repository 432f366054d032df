"""Nobody is a volunteer without knowing: how somebody confirms, disowns, leaves and comes back, and what counts meanwhile."""

from datetime import date, timedelta

import pytest
from asking import (
    ABOVE,
    ADULT,
    CHILD,
    CLERK,
    DIGEST,
    INFANT,
    MINOR,
    OFFICIAL,
    SECOND,
    accept,
    confirm,
    hand,
    person,
    register,
    row,
    served,
    waiting,
)
from world import HOME, OTHER

from ledger import credit, notices
from ledger.errors import Conflict, InvalidRequest, NotAllowed
from ledger.people import ages, changes, confirmations, proposals, volunteers, withdrawals
from ledger.people.actors import OPERATOR, Actor
from ledger.people.volunteers import Guardian
from ledger.refusals import Already, Refusal
from ledger.selections.rules import read_rules
from ledger.selections.yearly import select_year

# --- confirming --------------------------------------------------------------------------------------------------------


def test_a_registration_by_a_clerk_is_unconfirmed_until_the_person_signs_in_and_says_yes(street):
    number = register(street)
    hand(street, number, SECOND)
    assert street.rates(2025)[HOME]["confirmed"] == 0
    street.advance(days=3)
    assert confirm(street, number) is not None
    said = street.entries()[-1]
    assert (said["kind"], said["actor"]) == ("volunteer.confirmed", f"account-{number}")
    assert said["body"] == {
        "volunteer": number,
        "station": HOME,
        "confirmed_on": "2025-01-09",
        "means": "sign_in",
        "code_by": "second",
    }
    assert street.rates(2025)[HOME]["confirmed"] == street.rates(2025)[HOME]["registered"] == 1
    with pytest.raises(InvalidRequest, match="已于 2025-01-09 确认过"):
        confirm(street, number)


@pytest.mark.parametrize("handed", ["by the registrar", "by nobody we know"])
def test_with_a_code_from_the_registrar_the_yes_waits_for_another_member_of_staff(street, handed):
    number = register(street)
    if handed == "by the registrar":
        hand(street, number, CLERK)
    assert confirm(street, number) is None
    assert row(street, number).confirmed_on is None
    with pytest.raises(Conflict, match="在等另一人办理"):
        confirm(street, number)
    assert waiting(street, CLERK) == []
    [(kind, waits)] = waiting(street, ABOVE)
    assert kind == "confirm"
    with pytest.raises(NotAllowed):
        accept(street, waits, CLERK)
    registrar_above = Actor("clerk", "approver", HOME)
    with pytest.raises(NotAllowed, match="是您登记的"):
        accept(street, waits, registrar_above)
    with pytest.raises(NotAllowed, match="不在您的管理范围"):
        accept(street, waits, Actor("elsewhere", "approver", OTHER))
    accept(street, waits, ABOVE)
    body = street.entries()[-1]["body"]
    assert (body["means"], body["asked_by"]) == ("sign_in", f"account-{number}")
    assert row(street, number).confirmed_on == "2025-01-06"
    with pytest.raises(Conflict, match="已经有人办过"):
        accept(street, waits, ABOVE)


def test_at_the_desk_neither_the_screen_nor_the_code_may_be_the_registrars(street):
    number = register(street)
    hand(street, number, SECOND)
    assert street.write(lambda tx: confirmations.at_desk(tx, number), CLERK) is None, "the registrar's own screen"
    other = register(street, "340102195001020029", "李敏")
    hand(street, other, SECOND)
    assert street.write(lambda tx: confirmations.at_desk(tx, other), SECOND) is not None
    assert street.entries()[-1]["body"]["means"] == "desk_code"


def test_a_signed_form_needs_a_second_person_and_its_digest_stays(street):
    number = register(street)
    waits = street.write(lambda tx: confirmations.on_paper(tx, number, DIGEST), SECOND)
    with pytest.raises(NotAllowed, match="没有这项权限"):
        accept(street, waits, SECOND)
    with pytest.raises(NotAllowed, match="是您提出的"):
        accept(street, waits, Actor("second", "approver", HOME))
    accept(street, waits, ABOVE)
    body = street.entries()[-1]["body"]
    assert (body["means"], body["evidence"], body["asked_by"]) == ("paper", DIGEST, "second")


def test_a_proposal_declined_changes_nothing_and_its_particulars_are_gone(street):
    number = register(street)
    waits = street.write(lambda tx: confirmations.on_paper(tx, number, DIGEST), SECOND)
    before = street.size
    with pytest.raises(InvalidRequest, match="写明不同意的理由"):
        street.write(lambda tx: proposals.decline(tx, waits, ""), ABOVE)
    street.write(lambda tx: proposals.decline(tx, waits, "签名不像"), ABOVE)
    assert (street.size, waiting(street, ABOVE)) == (before, [])
    with street.read() as tx:
        kept = proposals.get_row(tx.connection, waits)
    assert (kept.state, kept.decided_by, kept.remark, kept.sealed) == ("declined", "above", "签名不像", None)


def test_who_asked_and_the_person_are_told_why_a_proposal_was_declined(street):
    number = register(street)
    waits = street.write(lambda tx: confirmations.on_paper(tx, number, DIGEST), SECOND)
    with pytest.raises(InvalidRequest, match="手机号"):
        street.write(lambda tx: proposals.decline(tx, waits, "请打 13812345678"), ABOVE)
    street.write(lambda tx: proposals.decline(tx, waits, "签名不像"), ABOVE)
    asked_in = street.write(lambda tx: proposals.ask(tx, "move", number, HOME, {"from": HOME, "to": OTHER}), OFFICIAL)
    street.write(lambda tx: proposals.decline(tx, asked_in, "本人不同意转站"), person(number))
    with street.read() as tx:
        told = {who: notices.inbox(tx, who) for who in ("second", f"person/{number}", "official", "above")}
    about = {"proposal": waits, "kind": "confirm"}
    assert [(one.what, one.about) for one in told["second"]] == [("proposal.declined", about)]
    assert [one.about for one in told[f"person/{number}"]] == [about], "not of what they declined themselves"
    assert [one.about["kind"] for one in told["official"]] == ["move"]
    assert told["above"] == []


def test_whoever_asked_may_take_it_back(street):
    number = register(street)
    waits = street.write(lambda tx: confirmations.on_paper(tx, number, DIGEST), SECOND)
    street.write(lambda tx: proposals.decline(tx, waits, ""), SECOND)
    assert waiting(street, ABOVE) == []


# --- ages --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id_number", [MINOR, CHILD])
def test_nobody_under_age_is_registered_at_the_desk_without_a_guardian(street, id_number):
    answer = register(street, id_number)
    assert isinstance(answer, Refusal)
    assert "监护人" in answer.message
    number = register(street, id_number, guardian=Guardian("张强", "父亲", "13812345678", DIGEST))
    body = street.entries()[-1]["body"]
    assert (body["consent"], len(body["guardian"])) == (DIGEST, 44)
    assert not any("2009" in str(value) or "2014" in str(value) for value in body.values()), "no age in the log"
    hand(street, number, SECOND)
    assert confirm(street, number) is not None


def test_below_the_minimum_age_nobody_is_registered_with_or_without(street):
    answer = register(street, INFANT, guardian=Guardian("张强", "父亲", "13812345678", DIGEST))
    assert isinstance(answer, Refusal)
    assert "未满 6 岁" in answer.message


def test_the_bands_are_a_policy_from_a_day_on(street):
    wanted = ages.read(b'{"adult_age": 16, "child_age": 14, "minimum_age": 14}')
    with pytest.raises(NotAllowed):
        street.write(lambda tx: ages.adopt(tx, wanted, effective_on="2025-02-01"), ABOVE)
    street.write(lambda tx: ages.adopt(tx, wanted, effective_on="2025-02-01", document="区民政局〔2025〕1号"))
    assert isinstance(register(street, MINOR), Refusal), "not in force yet"
    street.advance(days=30)
    assert isinstance(register(street, MINOR), str), "16 now, and an adult by this rule"
    assert "未满 14 岁" in register(street, CHILD, guardian=Guardian("张强", "父亲", "13812345678", DIGEST)).message


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"adult_age": 18.5}', b'{"adult_age": 10, "child_age": 14}', b'{"age": 1}', b'{"minimum_age": -1}']
)
def test_a_policy_of_ages_that_makes_no_sense_is_refused(content):
    with pytest.raises(InvalidRequest):
        ages.read(content)


@pytest.mark.parametrize(
    ("today", "band"), [("2026-12-31", "minor"), ("2027-01-01", "adult"), ("2023-01-01", "minor"), ("2022-12-31", "child")]
)
def test_a_birthday_is_the_first_day_of_the_next_band(today, band):
    assert ages.AgePolicy().band(MINOR, date.fromisoformat(today)) == band
    assert ages.AgePolicy().adult_on(MINOR) == date(2027, 1, 1)
    assert ages.AgePolicy().adult_on("340102200802290021") == date(2026, 3, 1)


def test_a_minor_on_a_roster_confirms_only_after_a_guardian_consented(street):
    number = register(street, MINOR, basis="roster", by=OPERATOR)
    hand(street, number, SECOND)
    with pytest.raises(InvalidRequest, match="监护人同意"):
        confirm(street, number)
    street.write(lambda tx: changes.add_guardian(tx, number, Guardian("张强", "父亲", "13812345678", DIGEST)), CLERK)
    assert confirm(street, number) is not None
    with street.read() as tx:
        assert volunteers.get(tx, number).personal.guardian == {"name": "张强", "relation": "父亲", "phone": "13812345678"}


def test_who_comes_of_age_is_asked_themselves(street):
    number = register(street, MINOR, guardian=Guardian("张强", "父亲", "13812345678", DIGEST))
    hand(street, number, SECOND)
    confirm(street, number)

    def wanted():
        with street.read() as tx:
            return confirmations.is_wanted(tx, volunteers.get(tx, number))

    assert not wanted()
    street.advance(days=(date(2026, 12, 31) - street.today).days)
    assert not wanted()
    street.advance(days=1)
    assert wanted()
    assert confirm(street, number) is not None
    assert not wanted()
    assert row(street, number).confirmed_on == "2025-01-06", "earlier days still count as they did"


# --- disowning ---------------------------------------------------------------------------------------------------------


def test_not_me_stops_the_count_at_once_and_freezes_what_was_recorded(street):
    number = register(street, basis="roster", by=OPERATOR, registered_on=street.today - timedelta(days=400), backbone=True)
    served(street, number)
    counted = street.rates(2025)[HOME]
    assert (counted["registered"], counted["participants"], counted["backbone"], street.credit(number).minutes) == (1, 1, 1, 120)
    assert street.rates(2024)[HOME]["registered"] == 1
    street.write(lambda tx: withdrawals.withdraw(tx, number, "not_me"), person(number))
    for year in (2024, 2025):
        assert {name: count for name, count in street.rates(year)[HOME].items() if name != "population"} == dict.fromkeys(
            ("registered", "confirmed", "confirmed_at_desk", "participants", "backbone", "minutes"), 0
        )
    assert (street.credit(number).minutes, [item.status for item in street.credit(number).others]) == (0, ["frozen"])
    with pytest.raises(InvalidRequest, match="已经结束"):
        confirm(street, number)
    answer = street.serve(number, "2025-01-20 09:00", "10:00")
    assert isinstance(answer, Refusal)
    assert "否认" in answer.message


def test_only_the_person_can_disown(street):
    number = register(street)
    for actor in (CLERK, ABOVE, OFFICIAL, OPERATOR):
        with pytest.raises(InvalidRequest, match="只能由本人"):
            street.write(lambda tx: withdrawals.withdraw(tx, number, "not_me"), actor)


def test_disowned_registrations_stand_with_those_above_by_who_registered_them(street):
    numbers = [register(street, f"3401021950010{day}002X", f"某人{day}", by=CLERK) for day in range(1, 4)]
    for number in numbers[:2]:
        street.write(lambda tx, number=number: withdrawals.withdraw(tx, number, "not_me"), person(number))

    def listed(actor):
        with street.read() as tx:
            return [(one.row.number, one.disowned_of_recorder, one.registered_by_recorder) for one in withdrawals.disowned(tx, actor)]

    assert sorted(listed(OFFICIAL)) == sorted((number, 2, 3) for number in numbers[:2])
    assert listed(Actor("elsewhere", "approver", OTHER)) == []
    assert listed(CLERK) == []
    with pytest.raises(NotAllowed):
        street.write(lambda tx: withdrawals.decide(tx, numbers[0], "upheld", "名册由单位统一填报"), CLERK)
    with pytest.raises(NotAllowed, match="这份登记是您做的"):
        street.write(lambda tx: withdrawals.decide(tx, numbers[0], "upheld", "名册由单位统一填报"), Actor("clerk", "official"))
    street.write(lambda tx: withdrawals.decide(tx, numbers[0], "upheld", "名册由单位统一填报"), OFFICIAL)
    assert listed(OFFICIAL)[-1][0] == numbers[0], "decided ones last"
    with pytest.raises(InvalidRequest, match="没有在等待核查"):
        street.write(lambda tx: withdrawals.decide(tx, numbers[0], "mistaken", "再想想"), OFFICIAL)


def test_a_mistaken_no_is_mended_by_registering_anew_and_the_hours_count_again(street):
    number = register(street)
    served(street, number)
    street.write(lambda tx: withdrawals.withdraw(tx, number, "not_me"), person(number))
    assert "正在核查" in register(street).message
    street.write(lambda tx: withdrawals.decide(tx, number, "mistaken", "本人记错了，现场核对过"), ABOVE)
    assert "当面办理" in register(street, basis="roster", by=OPERATOR).message
    assert register(street) == number
    assert (street.credit(number).minutes, street.rates(2025)[HOME]["registered"]) == (120, 1)
    assert row(street, number).confirmed_on is None, "asked anew"


# --- leaving and coming back -------------------------------------------------------------------------------------------


def test_who_leaves_keeps_the_hours_and_counts_up_to_that_day(street):
    number = register(street, registered_on=street.today - timedelta(days=400))
    served(street, number)
    street.write(lambda tx: withdrawals.withdraw(tx, number, "own_wish"), person(number))
    assert (street.credit(number).minutes, street.rates(2025)[HOME]["registered"], street.rates(2024)[HOME]["registered"]) == (120, 0, 1)
    with pytest.raises(InvalidRequest, match="已于 2025-01-26 结束"):
        street.write(lambda tx: withdrawals.withdraw(tx, number, "own_wish"), person(number))
    assert not isinstance(street.serve(number, "2025-01-25 09:00", "10:00"), Refusal), "a late sheet of a day before"
    street.advance(days=10)
    assert "已于2025年1月26日退出" in street.serve(number, "2025-01-30 09:00", "10:00").message


def test_the_desk_notes_a_withdrawal_only_at_its_own_station_and_for_a_reason_that_is_one(street):
    number = register(street)
    with pytest.raises(NotAllowed):
        street.write(lambda tx: withdrawals.withdraw(tx, number, "moved_away"), Actor("x", "recorder", OTHER))
    with pytest.raises(InvalidRequest, match="选择退出的原因"):
        street.write(lambda tx: withdrawals.withdraw(tx, number, "nonsense"), CLERK)
    stranger = person("2222222222")
    with pytest.raises(NotAllowed):
        street.write(lambda tx: withdrawals.withdraw(tx, number, "own_wish"), stranger)
    street.write(lambda tx: withdrawals.withdraw(tx, number, "moved_away"), CLERK)


def test_who_comes_back_has_the_same_number_a_new_beginning_and_the_old_days(street):
    number = register(street, basis="self", by=OPERATOR, registered_on=date(2024, 3, 1), phone="13812345678")
    street.write(lambda tx: withdrawals.withdraw(tx, number, "own_wish"), person(number))
    street.advance(days=30)
    assert "名册不能替本人重新登记" in register(street, basis="roster", by=OPERATOR).message
    assert register(street, name="王敏").code == "name_mismatch"
    assert register(street, registered_on=date(2025, 1, 1)).code == "duplicate"
    assert register(street, station=OTHER, by=OPERATOR, phone="13912345678") == number
    assert (street.rates(2024)[HOME]["registered"], street.rates(2025)[HOME]["registered"], street.rates(2025)[OTHER]["registered"]) == (
        1,
        0,
        1,
    )
    assert isinstance(register(street, station=OTHER, by=OPERATOR), Already)
    with street.read() as tx:
        known = volunteers.find_by_id_numbers(tx, [ADULT])[ADULT]
        assert (known.row.number, known.personal.contact) == (number, {"phone": "13912345678"})
        assert tx.vault.find(tx.connection, "phone", ["13812345678"]) == {}


def test_leaving_drops_what_waits(street):
    number = register(street)
    street.write(lambda tx: confirmations.on_paper(tx, number, DIGEST), SECOND)
    street.write(lambda tx: withdrawals.withdraw(tx, number, "own_wish"), person(number))
    assert waiting(street, ABOVE) == []


def test_what_is_frozen_is_in_no_selection(street):
    number = register(street)
    served(street, number)
    rules = read_rules(b'{"name": "x", "quota": 3}')
    with street.read() as tx:
        assert [one.volunteer for one in select_year(tx, 2025, rules).chosen] == [number]
    street.write(lambda tx: withdrawals.withdraw(tx, number, "not_me"), person(number))
    with street.read() as tx:
        assert select_year(tx, 2025, rules).chosen == []
        assert credit.statement(tx, number).star == 0
