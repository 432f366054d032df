"""The eight steps of a selection: what is frozen stays, nobody acts alone, and anybody with the log counts the same list."""

import json

import pytest
import selecting
from click.testing import CliRunner
from selecting import LI, QIAN, Selecting
from sqlalchemy import select
from world import CENTRE, CLERK, HOME, OTHER

from ledger import exporting
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.log import Fact
from ledger.people.actors import Actor
from ledger.selections import doubts, freezing, objecting, publishing, reading, rechecking, sealing
from ledger.tables import AwardRow, NoticeRow, table
from scripts.shouwang import main


@pytest.fixture
def held(world):
    """Four people: 360, 240, 180 and 180 minutes; two more hours of the third are in publicity."""
    found = Selecting(world)
    found.people, found.records = selecting.town(world)
    return found


def told(world, what):
    notices = table(NoticeRow)
    with world.read() as tx:
        return sorted(tx.connection.execute(select(notices.c.recipient).where(notices.c.what == what)).scalars())


def test_a_selection_from_rules_to_awards(world, held):
    a, b, c, d = held.people
    selection = held.opened()
    assert held.listed(selection) == [(a, 360), (b, 240)]
    world.advance(days=1)
    held.settle_doubt(selection, held.records[0], "drop")
    assert held.listed(selection)[0] == (b, 240)
    assert held.ranking(selection).undrawn
    held.draw(selection)
    held.publish(selection)
    others = {c, d, a} - {held.listed(selection)[1][0]}
    assert len(others) == 2, "a, c and d have three hours each: the draw decided"
    receipt = held.seal(selection)
    awards = table(AwardRow)
    with world.read() as tx:
        found = tx.connection.execute(select(awards).order_by(awards.c.rank)).all()
    assert [(one.volunteer, one.rank, one.selection, one.level, one.asked_by, one.granted_by) for one in found] == [
        (person, rank, selection, "centre", "li", "qian") for rank, (person, _) in enumerate(held.listed(selection), 1)
    ]
    assert {one.title for one in found} == {"2025年度优秀志愿者"}
    assert told(world, "selection.chosen") == sorted("person/" + one.volunteer for one in found)
    abouts = [json.loads(row[0]) for row in world.sql("SELECT about FROM notice WHERE what = 'selection.chosen'")]
    assert {about["subject"] for about in abouts} == {"2025年度优秀志愿者"}
    assert held.row(selection).sealed_index == receipt.index
    world.check()


def test_what_is_recorded_after_the_freeze_changes_nothing(world, held):
    a, _, c, d = held.people
    selection = held.opened(quota=4, tie_break=["number"])
    before = held.listed(selection)
    world.serve(d, "2025-01-15 09:00", "15:00", settled=True)
    world.advance(days=15)
    world.void(held.records[0], actor=Actor("above", "official"))
    world.correct(held.records[2], "2025-01-02 13:00", "14:00")
    fresh = world.volunteer()
    world.serve(fresh, "2025-02-10 09:00", "12:00", settled=True)
    assert world.credit(a).minutes == 180
    assert held.listed(selection) == before
    assert dict(before)[c] == 180, "what was in publicity at the freeze does not count"
    world.check()


@pytest.mark.parametrize(
    ("said", "numbers"),
    [({}, (4, 2, 360, 240)), ({"minimum_minutes": 240, "quota": 9}, (2, 2, 360, 240)), ({"minimum_minutes": 361}, (0, 0, 0, 0))],
)
def test_rules_are_tried_before_the_freeze_in_numbers_alone(world, held, said, numbers):
    draft, size = held.draft(**said), world.size
    with world.read() as tx:
        found = freezing.trial(tx, reading.drafted(tx.connection, draft))
    assert (found.considered, found.chosen, found.most, found.least) == numbers
    assert world.size == size
    held.freeze(draft)
    assert len(held.listed(draft)) == found.chosen


def test_a_freeze_stands_on_a_signed_checkpoint_and_names_its_rules(world, held):
    selection = held.opened()
    row = held.row(selection)
    notes = dict(world.sql("SELECT size, note FROM checkpoint"))
    assert row.tree_size == row.entry_index
    assert row.root in notes[row.tree_size]
    entry = world.entries()[row.entry_index]
    assert (entry["body"]["rules"], entry["body"]["rules_sha256"]) == (selecting.RULES, reading.rules_of(row).sha256)
    with pytest.raises(Conflict, match="已经冻结"):
        held.freeze(selection)
    with pytest.raises(Conflict, match="另起一轮"):
        held.draft(draft=selection)
    world.check()


def test_rules_are_kept_version_by_version_and_the_newest_is_frozen(world, held):
    draft = held.draft(quota=1)
    assert held.draft(draft=draft, quota=3) == draft
    held.freeze(draft)
    assert len(held.listed(draft)) == 3
    with world.read() as tx:
        assert [row.version for row in reading.versions(tx.connection, draft)] == [2, 1]


def test_other_rules_take_another_round_that_names_the_one_before(world, held):
    first = held.opened()
    second = held.opened(quota=3, replaces=first)
    assert (held.row(first).replaced_by, held.row(second).replaces) == (second, first)
    with pytest.raises(Conflict, match="已另起一轮"):
        held.publish(first)
    with pytest.raises(Conflict, match="另起过一轮"):
        held.draft(replaces=first)
    world.check()


def test_the_draw_is_of_a_day_after_the_freeze_and_only_once(world, held):
    selection = held.opened()
    with pytest.raises(InvalidRequest, match="冻结"):
        held.draw(selection)
    with pytest.raises(InvalidRequest, match="还没有填公开随机数"):
        held.publish(selection)
    world.advance(days=1)
    with pytest.raises(InvalidRequest, match="的第二天到今天之间"):
        held.draw(selection, on=selecting.day("2030-01-01"))
    held.draw(selection)
    with pytest.raises(Conflict, match="已经填过"):
        held.draw(selection, value="01 02 03")
    plain = held.opened(tie_break=["number"])
    with pytest.raises(InvalidRequest, match="没有用到"):
        held.draw(plain)


def test_another_draw_orders_ties_another_way_and_nothing_else(world, held):
    seen = set()
    for value in range(12):
        selection = held.opened(quota=3)
        world.advance(days=1)
        held.draw(selection, value=f"第 {value} 期")
        found = held.listed(selection)
        assert found[:2] == [(held.people[0], 360), (held.people[1], 240)]
        seen.add(found[2][0])
    assert seen == set(held.people[2:])


def test_a_doubt_is_decided_by_a_second_person_who_did_not_record_it(world, held):
    selection = held.opened(tie_break=["number"])
    record = held.records[0]
    clerk = Actor("clerk", "approver", CENTRE)
    world.write(lambda tx: doubts.propose(tx, selection, record, "drop", "签到表上没有"), LI)
    for actor, fault in ((LI, "您提出的"), (clerk, "您登记的")):
        with pytest.raises(NotAllowed, match=fault):
            world.write(lambda tx: doubts.confirm(tx, selection, record), actor)
    with pytest.raises(InvalidRequest, match="等第二个人确认"):
        held.publish(selection)
    world.write(lambda tx: doubts.confirm(tx, selection, record), QIAN)
    assert held.listed(selection) == [(held.people[1], 240), (held.people[0], 180)] or held.listed(selection)[0][1] == 240
    held.settle_doubt(selection, record, "keep")
    assert held.listed(selection)[0] == (held.people[0], 360)
    with pytest.raises(NotFound, match="不在这次评选"):
        world.write(lambda tx: doubts.propose(tx, selection, 1, "drop", "签到表上没有"), LI)
    held.publish(selection)
    with pytest.raises(Conflict, match="按异议办理"):
        world.write(lambda tx: doubts.propose(tx, selection, record, "drop", "签到表上没有"), LI)
    world.check()


def test_doubts_come_first_that_would_change_the_list(world, held):
    a, b, *_ = held.people
    night = world.serve(a, "2025-01-10 22:30", "23:30").index
    long = world.serve(b, "2025-01-11 08:00", "15:30").index
    world.approve(night, long)
    world.advance(days=25)
    selection = held.opened(quota=1, tie_break=["number"])
    with world.read() as tx:
        found = doubts.of_selection(tx, reading.get(tx.connection, selection))
    mine = {one.record.service: one.reasons for one in found}
    assert "夜间" in mine[night]
    assert any("时间很长" in reason for reason in mine[long])
    assert all(any("同一人登记" in reason for reason in reasons) for service, reasons in mine.items() if service in held.records[:3])
    assert found[0].record.service == long, "most hangs on the longest record of who is on the list"
    assert "退出名单" in found[0].effect


def test_an_upheld_objection_changes_exactly_what_it_says(world, held):
    _, b, c, d = held.people
    selection = held.published(quota=3, tie_break=["minutes_ab", "number"])
    third = held.listed(selection)[2][0]
    assert third in (c, d)
    missed = world.serve(d, "2025-01-22 09:00", "12:00").index
    world.approve(missed, actor=Actor("above", "official"))
    mine = held.contest(selection, "hours", actor=Actor("own", "volunteer", None, d))
    with pytest.raises(InvalidRequest, match="还没有计入"):
        held.decide(mine, admit=[missed])
    other = held.contest(selection, "unfit", row=2)
    world.advance(days=20)
    held.decide(mine, admit=[missed])
    assert dict(held.listed(selection))[d] == 360
    held.decide(other, bar=[b])
    entered, left, _ = held.changes(selection)
    assert (set(entered), left) == ({c, d} - {third}, [b])
    held.seal(selection)
    assert [one[0] for one in held.listed(selection)][-1] == c
    world.check()


def test_an_objection_is_decided_by_another_with_a_reason_and_an_effect(world, held):
    selection = held.published()
    objection = held.contest(selection, "other", "名单贴错了地方")
    with pytest.raises(NotAllowed, match="另一个人"):
        held.decide(objection, actor=LI, bar=[held.people[0]])
    with pytest.raises(InvalidRequest, match="写明改动"):
        held.decide(objection)
    with pytest.raises(InvalidRequest, match="不能改动"):
        held.decide(objection, "rejected", bar=[held.people[0]])
    with pytest.raises(InvalidRequest, match="没有参加"):
        held.decide(objection, bar=["2222222222"])
    with pytest.raises(InvalidRequest, match="不在这次评选"):
        held.decide(objection, drop=[1])
    with pytest.raises(InvalidRequest, match="怎么查的"):
        held.decide(objection, "rejected", reason="无")
    held.decide(objection, "rejected")
    with pytest.raises(Conflict, match="已经有了结果"):
        held.decide(objection, "rejected")
    assert held.changes(selection) == ([], [], 0)
    with world.read() as tx:
        [one] = reading.objections_of(tx.connection, selection)
        assert objecting.words_of(tx, [one]) == {objection: "名单贴错了地方"}
    assert not any("贴错" in str(entry["body"]) for entry in world.entries())
    world.check()


def test_objections_are_taken_while_the_list_is_public_and_not_after(world, held):
    selection = held.opened(tie_break=["number"])
    someone = Actor("own", "volunteer", None, held.people[3])
    with pytest.raises(Conflict, match="不在公示期"):
        held.contest(selection, actor=someone)
    held.publish(selection)
    held.contest(selection, actor=someone)
    with pytest.raises(Conflict, match="正在处理"):
        held.contest(selection, actor=someone)
    with pytest.raises(InvalidRequest, match="1 到 2 行"):
        held.contest(selection, row=3)
    world.advance(days=30)
    with pytest.raises(Conflict, match="不在公示期"):
        held.contest(selection, "hours", actor=someone)
    with pytest.raises(InvalidRequest, match="异议没有结果"):
        world.write(lambda tx: sealing.sign(tx, selection), LI)


def test_two_people_sign_the_same_list(world, held):
    selection = held.published()
    with pytest.raises(InvalidRequest, match="公示期满"):
        world.write(lambda tx: sealing.sign(tx, selection), LI)
    world.advance(days=20)
    world.write(lambda tx: sealing.sign(tx, selection), LI)
    with pytest.raises(NotAllowed, match="另一个人"):
        world.write(lambda tx: sealing.sign(tx, selection), LI)
    assert world.write(lambda tx: sealing.sign(tx, selection), QIAN) is not None
    with pytest.raises(Conflict, match="已经定稿"):
        world.write(lambda tx: sealing.sign(tx, selection), QIAN)
    world.check()


@pytest.mark.parametrize(
    "actor",
    [Actor("x", "approver", OTHER), Actor("x", "official", OTHER), CLERK, Actor("x", "auditor"), Actor("x", "administrator")],
    ids=lambda actor: f"{actor.role} {actor.station}",
)
def test_only_approvers_and_officials_at_the_unit_or_above(world, held, actor):
    selection = held.opened(station=HOME, tie_break=["number"])
    with pytest.raises(NotAllowed):
        held.draft(station=HOME, actor=actor)
    for work in (
        lambda tx: doubts.propose(tx, selection, held.records[0], "drop", "签到表上没有"),
        lambda tx: publishing.publish(tx, selection),
        lambda tx: sealing.sign(tx, selection),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            world.write(work, actor)
    draft = held.draft(station=HOME)
    with pytest.raises((NotAllowed, NotFound)):
        held.freeze(draft, actor=actor)


def test_a_community_ranks_its_own_people_and_the_street_everybody(world, held):
    assert held.listed(held.opened(station=OTHER, tie_break=["number"])) == [(held.people[3], 180)]
    assert len(held.listed(held.opened(quota=9))) == 4


def test_organisations_are_ranked_by_what_was_done_in_their_name(world, held):
    first, second = world.organisation(), world.organisation(name="另一个队", number="备0002")
    a, b, *_ = held.people
    for at, (person, unit) in enumerate(((a, first), (b, first), (a, second))):
        world.serve(person, f"2025-01-0{at + 4} 13:00", "15:00", organisation=unit, settled=True)
    selection = held.opened(subject="organisations", tie_break=["number"])
    assert held.listed(selection) == [(first, 240), (second, 120)]
    world.advance(days=1)
    held.publish(selection)
    with world.read() as tx:
        lines = publishing.public_lines(tx, reading.get(tx.connection, selection))
    assert [line.name for line in lines] == ["梅山路巧手社", "另一个队"]
    held.seal(selection)
    assert [(one["body"]["organisation"], one["body"]["rank"]) for one in world.entries() if one["kind"] == "award.granted"] == [
        (first, 1),
        (second, 2),
    ]
    world.check()


def test_a_warning_bars_an_organisation_and_what_was_made_public_does_not(world, held):
    first, second = world.organisation(), world.organisation(name="另一个队", number="备0002")
    a, b, *_ = held.people
    for at, (person, unit) in enumerate(((a, first), (b, second))):
        world.serve(person, f"2025-01-0{at + 4} 13:00", "15:00", organisation=unit, settled=True)
    about = {"station": HOME, "basis": "《社会组织信用信息管理办法》第五条", "noted_on": "2025-01-06", "asked_by": "li"}
    for unit, on_list, reason in ((first, "disclosed", "按时公开了财务报告"), (second, "warned", "未按规定报送年度工作报告")):
        said = about | {"organisation": unit, "list": on_list, "reason": reason}
        world.write(lambda tx, said=said: tx.append([Fact("organisation.credit_noted", said)]))
    assert held.listed(held.opened(subject="organisations", tie_break=["number"], conduct={"in_force": True})) == [(first, 120)]
    world.check()


def test_a_team_that_came_together_has_no_long_day_but_somebody_in_it_may(world, held):
    team = world.organisation()
    a, b, c, d = held.people
    for at, person in enumerate((a, b, c, d)):
        world.serve(person, f"2025-01-06 {9 + at:02}:00", f"{11 + at:02}:00", organisation=team, settled=True)
    long = world.serve(d, "2025-01-08 08:00", "15:30", organisation=team, settled=True)
    selection = held.opened(subject="organisations", tie_break=["number"])
    with world.read() as tx:
        found = doubts.of_selection(tx, reading.get(tx.connection, selection))
    assert [(one.record.service, one.reasons) for one in found] == [(long.index, ["这天共 7小时30分，时间很长"])]
    world.check()


@pytest.mark.parametrize("said", [{"confirmed_only": True}, {"training_minutes": 60}])
def test_what_only_people_can_do_is_not_asked_of_organisations(world, held, said):
    with pytest.raises(InvalidRequest, match="评组织时不用"):
        held.draft(subject="organisations", **said)
    held.draft(**said)


def test_who_decides_an_objection_sees_whom_its_row_is_about_and_their_records(world, held):
    selection = held.published(tie_break=["number"])
    about, unnamed = held.contest(selection, "hours", row=2), held.contest(selection, "missing")
    with world.read() as tx:
        row = reading.get(tx.connection, selection)
        meant = objecting.rows_meant(tx, row, reading.objections_of(tx.connection, selection))
    assert unnamed not in meant
    assert meant[about].subject == held.people[1]
    assert [one.service for one in meant[about].records] == [held.records[2]]


def test_a_copy_of_the_log_gives_the_identical_list(world, held, tmp_path):
    d = held.people[3]
    selection = held.published(quota=3)
    objection = held.contest(selection, "unfit", row=1)
    held.decide(objection, drop=[held.records[0]])
    held.seal(selection)
    world.void(held.records[2], actor=Actor("above", "official"))
    world.serve(d, "2025-01-15 09:00", "15:00", settled=True)
    world.sign()
    exporting.export_log(world.ledger, tmp_path / "log")
    found = rechecking.from_folder(tmp_path / "log", selection)
    assert found.ok
    assert [(one.name, one.rows) for one in found.lists] == [("公示名单", 3), ("定稿名单", 3)]
    with world.read() as tx:
        assert rechecking.from_log(tx.connection, selection) == found
        with pytest.raises(NotFound):
            rechecking.from_log(tx.connection, "2222222222")
    shown = CliRunner().invoke(main, ["select", "--recheck", selection, "--log", str(tmp_path / "log")])
    assert shown.exit_code == 0, shown.output
    assert [line.count("一致") - line.count("不一致") for line in shown.output.splitlines() if "摘要" in line] == [1, 1]
    bundle = next((tmp_path / "log" / "tile" / "entries").rglob("000.p/*"))
    bundle.write_bytes(bundle.read_bytes().replace(b'"minutes":240', b'"minutes":241', 1))
    with pytest.raises(InvalidRequest, match="不符"):
        rechecking.from_folder(tmp_path / "log", selection)
    world.check()


def test_a_list_that_the_log_says_otherwise_is_found_out(world, held, tmp_path):
    """As somebody with the database's keys would write it: the entry is signed, but counting again gives another list."""
    selection = held.opened(tie_break=["number"])
    row = held.row(selection)
    body = {"selection": selection, "station": row.station, "list": "A" * 43 + "=", "rows": [], "published_from": "2025-02-01",
            "published_until": "2025-02-02"}  # fmt: skip

    world.write(lambda tx: tx.append([Fact("selection.published", body)]))
    with world.read() as tx:
        found = rechecking.from_log(tx.connection, selection)
    assert not found.ok
    assert not found.lists[0].same
    world.sign()
    exporting.export_log(world.ledger, tmp_path / "log")
    shown = CliRunner().invoke(main, ["select", "--recheck", selection, "--log", str(tmp_path / "log"), "--json"])
    assert (shown.exit_code, json.loads(shown.output)["ok"]) == (1, False)
