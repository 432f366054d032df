"""One person, one number, one home at a time: moves, merges, corrections and claims, each decided by two."""

import pytest
from asking import ABOVE, ADULT, CLERK, DIGEST, OFFICIAL, SECOND, accept, person, register, row, served, waiting
from world import HOME, OTHER

from ledger import history
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.people import changes, deciding, merging, moving, volunteers, withdrawals
from ledger.people.actors import OPERATOR, Actor

THERE = Actor("there", "recorder", OTHER)
MISTYPED = "340102195001010032"


def rebuilt(world):
    """The rates of now, and again after all projections were remade."""
    before = world.rates(world.today.year)
    history.rebuild(world.ledger, OPERATOR)
    assert world.rates(world.today.year) == before
    return {code: (counts["registered"], counts["participants"], counts["minutes"]) for code, counts in before.items()}


# --- moving ------------------------------------------------------------------------------------------------------------


def test_a_move_asked_by_the_person_is_accepted_by_the_new_station(street):
    number = register(street, registered_on=street.today.replace(year=2024))
    served(street, number)
    asked = street.write(lambda tx: moving.ask(tx, OTHER), person(number))
    assert waiting(street, CLERK) == [], "the old station has no say"
    with pytest.raises(NotAllowed):
        accept(street, asked, CLERK)
    with pytest.raises(NotAllowed, match="您提出的"):
        accept(street, asked, person(number))
    accept(street, asked, THERE)
    body = street.entries()[-1]["body"]
    assert (body["from_station"], body["station"], body["moved_on"], body["asked_by"]) == (HOME, OTHER, "2025-01-26", f"account-{number}")
    assert rebuilt(street) == {HOME: (0, 0, 0), OTHER: (1, 1, 120)}
    assert street.rates(2024)[HOME]["registered"] == 1, "last year they were at home here"
    assert street.rates(2024)[OTHER]["registered"] == 0


def test_a_move_asked_by_the_new_station_is_agreed_by_the_person_or_the_old_one(street):
    number = register(street)
    with pytest.raises(NotFound, match="对不上"):
        street.write(lambda tx: moving.ask_in(tx, number, "李敏", OTHER), THERE)
    with pytest.raises(NotFound, match="对不上"):
        street.write(lambda tx: moving.ask_in(tx, "2222222222", "张敏", OTHER), THERE)
    with pytest.raises(NotAllowed):
        street.write(lambda tx: moving.ask_in(tx, number, "张敏", OTHER), CLERK)
    asked = street.write(lambda tx: moving.ask_in(tx, number, "张 敏", OTHER), THERE)
    with pytest.raises(NotAllowed):
        accept(street, asked, person("2222222222"))
    accept(street, asked, person(number))
    assert row(street, number).station == OTHER
    back = street.write(lambda tx: moving.ask_in(tx, number, "张敏", HOME), CLERK)
    accept(street, back, THERE)
    assert rebuilt(street) == {HOME: (1, 0, 0), OTHER: (0, 0, 0)}


def test_nobody_moves_to_where_they_are_or_to_nowhere_or_after_leaving(street):
    number = register(street)
    with pytest.raises(InvalidRequest, match="已经在这个站点"):
        street.write(lambda tx: moving.ask(tx, HOME), person(number))
    with pytest.raises(NotFound):
        street.write(lambda tx: moving.ask(tx, "999"), person(number))
    asked = street.write(lambda tx: moving.ask(tx, OTHER), person(number))
    street.write(lambda tx: withdrawals.withdraw(tx, number, "own_wish"), person(number))
    with pytest.raises(Conflict):
        accept(street, asked, THERE)
    with pytest.raises(InvalidRequest, match="已经结束"):
        street.write(lambda tx: moving.ask(tx, OTHER), person(number))


def test_disowning_after_a_move_takes_every_day_away(street):
    number = register(street, registered_on=street.today.replace(year=2024))
    accept(street, street.write(lambda tx: moving.ask(tx, OTHER), person(number)), THERE)
    street.advance(days=5)
    street.write(lambda tx: withdrawals.withdraw(tx, number, "not_me"), person(number))
    assert rebuilt(street) == {HOME: (0, 0, 0), OTHER: (0, 0, 0)}
    assert street.rates(2024)[HOME]["registered"] == 0


# --- merging -----------------------------------------------------------------------------------------------------------


def twice(street):
    kept = register(street, basis="self", by=OPERATOR, phone="13812345678")
    gone = register(street, MISTYPED, station=OTHER, by=OPERATOR, backbone=True, basis="roster")
    return kept, gone


def test_one_person_registered_twice_becomes_one_with_both_histories(street):
    kept, gone = twice(street)
    served(street, kept, "2025-01-02")
    served(street, gone, "2025-01-03")
    street.people[kept] = HOME
    asked = street.write(lambda tx: merging.propose(tx, gone, kept, "身份证号抄错一位"), CLERK)
    with pytest.raises(NotAllowed, match="不在您的管理范围"):
        accept(street, asked, ABOVE)
    accept(street, asked, OFFICIAL)
    assert (street.credit(kept).minutes, street.credit(gone).minutes) == (240, 0)
    assert rebuilt(street) == {HOME: (1, 1, 240), OTHER: (0, 0, 0)}
    assert row(street, kept).backbone_on == "2025-01-06"
    with street.read() as tx:
        assert volunteers.get(tx, gone).row.number == kept
        found = volunteers.find_by_id_numbers(tx, [ADULT, MISTYPED])
        assert {known.row.number for known in found.values()} == {kept}
        assert volunteers.numbers_of(tx, kept) == [kept, gone]
    said = street.entries()[-1]
    assert said["chains"].keys() == {f"person/{gone}", f"person/{kept}", f"station/{HOME}"}
    assert f"已合并，请改用现在的志愿者编号 {kept}" in street.serve(gone, "2025-02-01 09:00", "10:00").message
    assert street.serve(kept, "2025-01-03 10:00", "12:00", station=HOME).code == "overlap", "what the other number served"
    assert "已合并的重复登记" in register(street, MISTYPED, by=OPERATOR).message


def test_services_that_overlap_hold_a_merge_up_until_one_is_voided(street):
    kept, gone = twice(street)
    first = served(street, kept, "2025-01-03")
    second = served(street, gone, "2025-01-03")
    asked = street.write(lambda tx: merging.propose(tx, gone, kept, "同一人"), OPERATOR)
    with pytest.raises(InvalidRequest, match=f"第 {second} 条与第 {first} 条"):
        accept(street, asked, OFFICIAL)
    street.void(second, actor=OFFICIAL)
    accept(street, asked, OFFICIAL)
    assert street.credit(kept).minutes == 120


def test_a_third_registration_leads_to_the_last_that_stays(street):
    kept, gone = twice(street)
    third = register(street, "340102195001010040")
    for goes, stays in ((gone, kept), (kept, third)):
        accept(street, street.write(lambda tx, pair=(goes, stays): merging.propose(tx, *pair, "同一人"), OPERATOR), OFFICIAL)
    with street.read() as tx:
        assert {volunteers.get(tx, number).row.number for number in (kept, gone, third)} == {third}
    history.rebuild(street.ledger, OPERATOR)
    assert row(street, gone).merged_into == third


def test_what_cannot_be_merged(street):
    kept, gone = twice(street)

    def refused(sentence, goes=gone, stays=kept, by=OPERATOR):
        with pytest.raises(InvalidRequest, match=sentence):
            street.write(lambda tx: merging.propose(tx, goes, stays, "同一人"), by)

    refused("是同一个", stays=gone)
    with pytest.raises(NotAllowed):
        street.write(lambda tx: merging.propose(tx, gone, kept, "同一人"), Actor("x", "recorder", "340104001009"))
    street.write(lambda tx: withdrawals.withdraw(tx, kept, "own_wish"), person(kept))
    refused("不能作为保留的一份")
    accept(street, street.write(lambda tx: merging.propose(tx, kept, gone, "同一人"), OPERATOR), OFFICIAL)
    refused("已经合并到", goes=kept, stays=gone)
    other = register(street, "340102195001010040")
    street.write(lambda tx: withdrawals.withdraw(tx, other, "not_me"), person(other))
    refused("已被本人否认", goes=other, stays=gone)


# --- what was written wrongly ------------------------------------------------------------------------------------------


def test_a_mistyped_id_number_and_name_are_put_right_by_two(street):
    number = register(street, MISTYPED, phone="13812345678")
    asked = street.write(lambda tx: changes.propose(tx, number, {"id_number": ADULT, "name": "张 敏敏"}, "抄错一位", DIGEST), CLERK)
    typed = {"id_number": f" {ADULT} ", "name": "张敏敏"}
    with pytest.raises(NotAllowed):
        accept(street, asked, SECOND, typed)
    for wrong in ({}, {**typed, "name": "张敏"}, {"id_number": ADULT}):
        with pytest.raises(InvalidRequest, match=r"姓名.*与提出人填写的不一样"):
            accept(street, asked, ABOVE, wrong)
    accept(street, asked, ABOVE, typed)
    body = street.entries()[-1]["body"]
    assert (body["reason"], body["document"], body["asked_by"], body["volunteer"]) == ("抄错一位", DIGEST, "clerk", number)
    with street.read() as tx:
        known = volunteers.find_by_id_numbers(tx, [ADULT, MISTYPED])
        assert list(known) == [ADULT]
        assert known[ADULT].personal.identity == {"name": "张敏敏", "id_number": ADULT}
        assert known[ADULT].personal.contact == {"phone": "13812345678"}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "没有要改的内容"),
        ({"name": "张敏", "phone": "138-1234-5678"}, "没有要改的内容"),
        ({"id_number": MISTYPED}, "合并重复登记"),
        ({"id_number": "340102195001010023"}, "校验"),
        ({"phone": "12"}, "联系电话不对"),
    ],
)
def test_a_change_that_is_none_or_is_somebody_else_is_refused(street, said, sentence):
    number = register(street, phone="13812345678")
    register(street, MISTYPED)
    with pytest.raises(InvalidRequest, match=sentence):
        street.write(lambda tx: changes.propose(tx, number, said, "抄错"), CLERK)


def test_a_phone_is_the_persons_own_to_change_and_to_take_away(street):
    number = register(street, phone="13812345678")
    street.write(lambda tx: changes.own_phone(tx, "139 1234 5678"), person(number))
    with street.read() as tx:
        assert volunteers.get(tx, number).personal.contact == {"phone": "13912345678"}
        assert tx.vault.find(tx.connection, "phone", ["13812345678"]) == {}
    street.write(lambda tx: changes.own_phone(tx, ""), person(number))
    with street.read() as tx:
        assert volunteers.get(tx, number).personal.contact == {}
        assert volunteers.get(tx, number).row.contact is None, "nor is there a commitment to what it was"
    with pytest.raises(InvalidRequest, match="没有改动"):
        street.write(lambda tx: changes.own_phone(tx, " "), person(number))
    with pytest.raises(NotAllowed):
        street.write(lambda tx: changes.own_phone(tx, "13912345678"), CLERK)
    assert "13912345" not in str([entry["body"] for entry in street.entries()])


def test_what_the_law_lets_somebody_tell_is_theirs_to_fill_in_and_to_take_away(street):
    number = register(street, phone="13812345678")
    street.write(lambda tx: changes.own_particulars(tx, {"area": " 三里庵  A 小区", "skills": "急救", "id_number": "x"}), person(number))
    with street.read() as tx:
        assert volunteers.get(tx, number).personal.contact == {"phone": "13812345678", "area": "三里庵 A 小区", "skills": "急救"}
    street.write(lambda tx: changes.own_particulars(tx, {"services": "助老"}), person(number))
    with street.read() as tx:
        assert volunteers.get(tx, number).personal.contact == {"phone": "13812345678", "services": "助老"}
    for said, sentence in (
        ({"services": "助老"}, "没有改动"),
        ({"area": "x" * 61}, "60 个字以内"),
        ({"skills": "找 13955512345"}, "不要写电话"),
        ({"skills": "急救\u202e"}, "看不见的字符"),
    ):
        with pytest.raises(InvalidRequest, match=sentence):
            street.write(lambda tx, said=said: changes.own_particulars(tx, said), person(number))
    with pytest.raises(NotAllowed):
        street.write(lambda tx: changes.own_particulars(tx, {"skills": "急救"}), CLERK)
    assert "急救" not in str([entry["body"] for entry in street.entries()])
    street.check()


def test_an_account_is_claimed_with_evidence_and_a_second_person(street):
    number = register(street)
    asked = street.write(lambda tx: deciding.claim(tx, number, "换了身份证，带户口本来核对"), CLERK)
    size = street.size
    with pytest.raises(NotAllowed):
        accept(street, asked, SECOND)
    proposal = accept(street, asked, ABOVE)
    assert (proposal.row.kind, street.size) == ("claim", size), "nothing of it is a fact of the log"


def test_two_who_decide_at_once_decide_once(street):
    number = register(street)
    asked = street.write(lambda tx: moving.ask(tx, OTHER), person(number))
    accept(street, asked, THERE)
    with pytest.raises(Conflict, match="有人办过"):
        accept(street, asked, OFFICIAL)
