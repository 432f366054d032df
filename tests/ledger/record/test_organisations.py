"""An organisation's credit record: appraisal, disclosure, warning, the two lists, and the dates that follow from them."""

from datetime import date

import pytest
from world import APPROVER, CENTRE, CLERK, HOME, OTHER

from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people import deciding, proposals
from ledger.people.actors import Actor
from ledger.record import awards, conduct, lists, reading, subjects
from ledger.record.awards import Award
from ledger.record.conduct import Act

BASIS = "《社会组织信用信息管理办法》第十一条"
ABOVE = Actor("above", "official")


@pytest.fixture
def unit(world):
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE)
    world.station(OTHER, parent=CENTRE)
    return world.organisation(leader="王芳", phone="15384582945")


def note(world, unit, on_list, *, actor=CLERK, noted_on=None, mend_by=None, basis=BASIS, reason="未按规定报送年度工作报告"):
    day = noted_on or world.today

    def ask(tx):
        return lists.ask_note(tx, subjects.organisation(tx, unit), on_list, basis, reason, day, mend_by)

    return world.write(ask, actor)


def accept(world, proposal, actor=APPROVER):
    world.write(lambda tx: deciding.accept(tx, proposal), actor)


def lift(world, index, ground="repaired", reason="已经改正，材料补齐", actor=CLERK):
    return world.write(lambda tx: lists.ask_lift(tx, index, ground, reason), actor)


def record(world, unit):
    with world.read() as tx:
        return reading.of_organisation(tx, unit)


def dues(world, actor=CLERK):
    with world.read() as tx:
        return [(one.what, one.on) for one in lists.dues(tx, actor)]


def go_to(world, day):
    year, month, number = map(int, day.split("-"))
    world.clock.now = world.clock.now.replace(year=year, month=month, day=number)


def test_a_committee_says_what_it_finds_of_an_organisation(world, unit):
    def appraise(grade, actor=CLERK, name="环境和物业管理委员会"):
        return world.write(
            lambda tx: lists.appraise(tx, subjects.organisation(tx, unit), "special_committee", name, grade, "活动如期开展", world.today),
            actor,
        )

    appraise("good")
    assert [row.grade for row in record(world, unit).appraisals] == ["good"]
    with pytest.raises(InvalidRequest, match="评议结果"):
        appraise("best")
    with pytest.raises(InvalidRequest, match="评议单位名称"):
        appraise("good", name="电话13812345678")
    with pytest.raises(NotAllowed):
        appraise("good", world.actor("recorder", OTHER))


def test_a_warning_takes_two_a_basis_and_a_day_to_mend_by(world, unit):
    with pytest.raises(InvalidRequest, match="整改期限"):
        note(world, unit, "warned")
    with pytest.raises(InvalidRequest, match="直接引用"):
        note(world, unit, "warned", basis="街道的通知")
    with pytest.raises(InvalidRequest, match="已经过去"):
        note(world, unit, "warned", mend_by=date(2025, 1, 5))
    asked = note(world, unit, "warned", mend_by=date(2025, 2, 28))
    assert record(world, unit).notes == []
    with pytest.raises(NotAllowed):
        accept(world, asked, CLERK)
    with pytest.raises(NotAllowed):
        accept(world, asked, world.actor("approver", OTHER))
    accept(world, asked)
    [row] = record(world, unit).notes
    assert (row.asked_by, row.decided_by, row.mend_by) == ("clerk", "approver", "2025-02-28")
    with pytest.raises(InvalidRequest, match="不用重复登记"):
        note(world, unit, "warned", mend_by=date(2025, 3, 28))


def test_a_proposal_about_an_organisation_is_turned_down_or_taken_back(world, unit):
    asked = note(world, unit, "disclosed")
    world.write(lambda tx: proposals.decline(tx, asked, "依据写得不全"), APPROVER)
    again = note(world, unit, "disclosed")
    world.write(lambda tx: proposals.decline(tx, again, ""), CLERK)
    assert record(world, unit).notes == []


def test_a_warning_is_reminded_of_overdue_and_closed(world, unit):
    accept(world, note(world, unit, "warned", mend_by=date(2025, 2, 28)))
    assert dues(world) == []
    go_to(world, "2025-02-21")
    assert dues(world) == [("remind", "2025-02-28")]
    go_to(world, "2025-03-01")
    assert dues(world) == [("overdue", "2025-02-28")]
    assert dues(world, world.actor("recorder", OTHER)) == []
    accept(world, lift(world, record(world, unit).notes[0].entry_index))
    assert dues(world) == []
    with world.read() as tx:
        assert lists.in_force(tx) == []


def test_what_was_not_mended_goes_to_the_abnormal_list_and_after_two_full_years_to_the_serious_one(world, unit):
    accept(world, note(world, unit, "warned", mend_by=date(2025, 2, 28)))
    go_to(world, "2025-03-03")
    accept(world, note(world, unit, "abnormal", reason="逾期没有整改"))
    assert dues(world) == []
    go_to(world, "2027-03-02")
    assert dues(world) == []
    go_to(world, "2027-03-03")
    assert dues(world) == [("serious", "2027-03-03")]
    accept(world, note(world, unit, "serious", reason="列入活动异常名录满两年"))
    assert dues(world) == []


def test_the_serious_list_is_left_after_two_clean_years_and_a_new_act_begins_them_anew(world, unit):
    accept(world, note(world, unit, "serious", reason="骗取补贴"))
    index = record(world, unit).notes[0].entry_index
    with pytest.raises(InvalidRequest, match="最早 2027-01-06"):
        lift(world, index)
    go_to(world, "2026-06-01")
    accept(world, note(world, unit, "warned", reason="又一次不报", mend_by=date(2026, 7, 1)))
    accept(world, lift(world, record(world, unit).notes[0].entry_index))
    assert record(world, unit).leave_on == "2028-06-01"
    go_to(world, "2028-05-31")
    with pytest.raises(InvalidRequest, match="最早 2028-06-01"):
        lift(world, index)
    go_to(world, "2028-06-01")
    assert dues(world) == [("leave", "2028-06-01")]
    asked = lift(world, index)
    bad = Act("bad", "forged-paper", world.today, "伪造服务证明一份", "《志愿服务条例》第三十九条", date(2029, 1, 1))
    accept(world, world.write(lambda tx: conduct.ask(tx, subjects.organisation(tx, unit), bad), CLERK))
    with pytest.raises(InvalidRequest, match="重新算"):
        accept(world, asked)
    assert record(world, unit).leave_on == "2030-06-01"


def test_a_listing_by_mistake_ends_at_once_by_somebody_who_had_no_part_in_it(world, unit):
    accept(world, note(world, unit, "serious", reason="骗取补贴"))
    index = record(world, unit).notes[0].entry_index
    asked = lift(world, index, "mistaken", "同名的另一个组织")
    with pytest.raises(NotAllowed, match="没有经手的人"):
        accept(world, asked)
    accept(world, asked, ABOVE)
    with pytest.raises(InvalidRequest, match="移出"):
        lift(world, index)
    accept(world, note(world, unit, "serious", reason="骗取补贴"))
    assert record(world, unit).leave_on == "2027-01-06"


def test_an_entry_after_the_fifth_working_day_is_flagged(world, unit):
    accept(world, note(world, unit, "disclosed", noted_on=date(2025, 1, 2)))
    go_to(world, "2025-01-10")
    accept(world, note(world, unit, "disclosed", noted_on=date(2025, 1, 2), reason="按时公开了财务报告"))
    rows = {row.reason: row.entry_index for row in record(world, unit).notes}
    assert record(world, unit).late == {rows["按时公开了财务报告"]}


def test_an_organisation_is_given_an_award_and_what_is_for_organisations_is_for_no_person(world, unit):
    said = Award("先进社会组织", "街道办事处", "centre", world.today)
    accept(world, world.write(lambda tx: awards.ask(tx, subjects.organisation(tx, unit), said), CLERK))
    assert [row.title for row in record(world, unit).awards] == ["先进社会组织"]
    person = world.volunteer()
    with pytest.raises(InvalidRequest, match="只用于组织"):
        world.write(
            lambda tx: lists.ask_note(tx, subjects.person(tx, person), "warned", BASIS, "未报送报告", world.today, world.today), CLERK
        )
    with pytest.raises(NotFound):
        world.write(lambda tx: subjects.organisation(tx, "K7M2Q9XP4Z"), CLERK)
