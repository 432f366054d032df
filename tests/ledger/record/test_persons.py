"""A person's credit record: training, evaluations, awards and conduct; who may say what, who hears of it, and how it ends."""

from datetime import date, timedelta

import pytest
from world import APPROVER, CENTRE, CLERK, HOME, OTHER

from ledger import notices
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.people import deciding, erasures, merging, my_data, proposals
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, Actor
from ledger.people.proposals import Paper
from ledger.record import awards, conduct, evaluations, points, reading, subjects, trainings
from ledger.record.awards import Award
from ledger.record.conduct import Act
from ledger.record.evaluations import Judged
from ledger.record.trainings import Training

PAPER = Paper(b"%PDF-1.4 a certificate", "application/pdf")
BASIS = "《志愿服务记录与证明出具办法（试行）》第十七条"


def training(world, people, *, actor=CLERK, **said):
    fields = {
        "station": HOME,
        "title": "急救员培训",
        "content": "心肺复苏",
        "minutes": 180,
        "organiser": "区红十字会",
        "trained_on": world.today,
    }
    return world.write(lambda tx: trainings.record(tx, Training(**{**fields, **said}), people), actor)


def award(world, person, *, actor=CLERK, paper=None, **said):
    fields = {"title": "优秀志愿者", "unit": "社区居委会", "level": "station", "granted_on": world.today}
    made = Award(**{**fields, **said})
    if actor.volunteer:
        return world.write(lambda tx: awards.hand_in(tx, made, paper), actor)
    return world.write(lambda tx: awards.ask(tx, subjects.person(tx, person), made, paper), actor)


def act(world, person, *, actor=CLERK, **said):
    fields = {"sense": "bad", "item": "false-hours", "occurred_on": world.today, "reason": "请人代签到两次", "basis": BASIS}
    fields |= {"expires_on": world.today + timedelta(days=365), "effects": ["backfill"]}
    return world.write(lambda tx: conduct.ask(tx, subjects.person(tx, person), Act(**{**fields, **said})), actor)


def accept(world, proposal, actor=APPROVER):
    world.write(lambda tx: deciding.accept(tx, proposal), actor)


def record(world, person):
    with world.read() as tx:
        return reading.of_person(tx, person)


def told(world, person):
    with world.read() as tx:
        return [one.what for one in notices.inbox(tx, "person/" + person)]


def own(person):
    return Actor("own-" + person, "volunteer", None, person)


@pytest.fixture
def person(world):
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE)
    world.station(OTHER, parent=CENTRE)
    return world.volunteer(name="王芳")


# --- training


def test_a_training_is_written_for_many_and_never_counts_as_service(world, person):
    other = world.volunteer(name="张敏")
    done = training(world, [person, other, person])
    assert done.people == [person, other]
    assert record(world, person).training_minutes == 180
    assert world.credit(person).minutes == 0
    again = training(world, [person, world.volunteer(name="李强")])
    assert list(again.already) == [person]
    assert len(again.people) == 1


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"title": ""}, "培训名称"),
        ({"content": "讲课人电话13812345678"}, "主要内容"),
        ({"minutes": 0}, "学习时长"),
        ({"trained_on": date(2030, 1, 1)}, "在将来"),
        ({"organisation": "K7M2Q9XP4Z"}, "没有这个组织"),
    ],
)
def test_a_training_that_cannot_be_is_refused_in_words(world, person, said, sentence):
    with pytest.raises((InvalidRequest, NotFound), match=sentence):
        training(world, [person], **said)


def test_nobody_unknown_or_gone_was_trained(world, person):
    with pytest.raises(NotFound, match="没有编号"):
        training(world, ["K7M2Q9XP4Z"])
    with pytest.raises(InvalidRequest, match="名单还是空的"):
        training(world, [])
    with pytest.raises(NotAllowed):
        training(world, [person], actor=world.actor("recorder", OTHER))


def test_a_training_is_voided_for_one_of_those_in_it(world, person):
    other = world.volunteer(name="张敏")
    index = training(world, [person, other]).receipt.index
    with pytest.raises(NotAllowed):
        world.write(lambda tx: trainings.void(tx, index, [other], "当天没有到场"), Actor("someone", "recorder"))
    world.write(lambda tx: trainings.void(tx, index, [other], "当天没有到场"), CLERK)
    assert (record(world, person).training_minutes, record(world, other).training_minutes) == (180, 0)
    with pytest.raises(InvalidRequest, match="已经作废"):
        world.write(lambda tx: trainings.void(tx, index, [other], "当天没有到场"), APPROVER)


# --- evaluation


def held(world, *people):
    activity = world.activity(start="2025-01-02T09:00", end="2025-01-02T11:00")
    for number in people:
        world.serve(number, "2025-01-02 09:00", "11:00", activity=activity)
    return activity


def evaluate(world, activity, judged, actor=CLERK, **said):
    return world.write(lambda tx: evaluations.record_many(tx, activity, judged, **said), actor)


def test_all_who_came_are_evaluated_on_one_page_and_once(world, person):
    other = world.volunteer(name="张敏")
    activity = held(world, person, other)
    with world.read() as tx:
        [waits] = evaluations.waiting(tx, CLERK)
        assert (waits.people, waits.missing, waits.due_on) == (2, 2, "2025-01-16")
    assert len(evaluate(world, activity, {person: Judged("excellent", "耐心"), other: Judged("fair")})) == 2
    assert evaluate(world, activity, {person: Judged("poor", "迟到半小时")}) == []
    assert len(evaluate(world, activity, {person: Judged("good")}, by="beneficiary")) == 1
    assert record(world, person).qualities == {"excellent": 1, "good": 1}
    with world.read() as tx:
        assert evaluations.waiting(tx, CLERK) == []


def test_an_evaluation_after_the_tenth_working_day_is_flagged_and_kept(world, person):
    activity = held(world, person, other := world.volunteer(name="张敏"))
    world.clock.now = world.clock.now.replace(day=16)
    evaluate(world, activity, {person: Judged("good")})
    world.advance(days=1)
    evaluate(world, activity, {other: Judged("good")})
    assert [record(world, one).evaluations[0].late for one in (person, other)] == [False, True]


def test_an_evaluation_says_why_somebody_failed_and_is_only_of_who_came(world, person):
    activity = held(world, person)
    with pytest.raises(InvalidRequest, match="王\\*评为不合格，请写明原因"):
        evaluate(world, activity, {person: Judged("poor")})
    with pytest.raises(InvalidRequest, match="没有参加"):
        evaluate(world, activity, {world.volunteer(name="张敏"): Judged("good")})
    with pytest.raises(InvalidRequest, match="才结束"):
        evaluate(world, activity, {person: Judged("good")}, evaluated_on=date(2025, 1, 1))
    with pytest.raises(InvalidRequest, match="优秀"):
        evaluate(world, activity, {person: Judged("great")})
    with pytest.raises(NotAllowed):
        evaluate(world, activity, {person: Judged("good")}, world.actor("recorder", OTHER))


def test_an_evaluation_of_the_wrong_person_is_voided_and_said_anew(world, person):
    activity = held(world, person)
    index = evaluate(world, activity, {person: Judged("poor", "迟到半小时")})[0].index
    with pytest.raises(NotAllowed):
        world.write(lambda tx: evaluations.void(tx, index, "评错了人"), Actor("someone", "recorder"))
    world.write(lambda tx: evaluations.void(tx, index, "评错了人"), APPROVER)
    evaluate(world, activity, {person: Judged("good")})
    assert record(world, person).qualities == {"good": 1}


# --- awards


def test_an_award_is_entered_by_a_second_person_with_the_hash_of_its_paper(world, person):
    asked = award(world, person, actor=own(person), paper=PAPER, level="city", unit="市文明办")
    with world.read() as tx:
        assert proposals.paper(tx, asked) == PAPER
    with pytest.raises(NotAllowed):
        accept(world, asked, CLERK)
    accept(world, asked)
    [row] = record(world, person).awards
    assert (row.evidence, row.granted_by, row.asked_by) == (PAPER.sha256, "approver", own(person).account)
    assert "award.granted" in told(world, person)
    assert world.sql("SELECT count(*) FROM proposal_paper") == [(0,)]
    with pytest.raises(InvalidRequest, match="不用重复登记"):
        award(world, person, level="city", unit="市文明办", paper=PAPER)


@pytest.mark.parametrize("level", ["district", "city", "province", "nation"])
def test_an_award_of_a_county_or_above_is_not_entered_without_its_paper(world, person, level):
    with pytest.raises(InvalidRequest, match="要附证书"):
        award(world, person, level=level)


def test_who_asked_does_not_decide_and_a_refusal_is_told_with_its_reason(world, person):
    asked = award(world, person, actor=own(person), paper=PAPER)
    with pytest.raises(InvalidRequest, match="正等工作人员核对"):
        award(world, person, paper=PAPER)
    world.write(lambda tx: proposals.decline(tx, asked, "证书上不是本人的名字"), APPROVER)
    assert told(world, person) == ["proposal.declined"]
    assert record(world, person).awards == []
    with pytest.raises(NotFound), world.read() as tx:
        proposals.paper(tx, asked)
    staffs = award(world, person, actor=APPROVER)
    with pytest.raises(NotAllowed, match="要由另一个人来办"):
        accept(world, staffs)


def test_an_award_is_withdrawn_by_two(world, person):
    accept(world, award(world, person))
    index = record(world, person).awards[0].entry_index
    asked = world.write(lambda tx: awards.ask_withdrawal(tx, index, "颁发单位已经撤销"), CLERK)
    assert record(world, person).awards[0].withdrawn_by is None
    accept(world, asked)
    assert record(world, person).awards[0].withdrawn_reason == "颁发单位已经撤销"
    accept(world, award(world, person))  # once withdrawn it may be granted anew


# --- conduct


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"basis": ""}, "依据"),
        ({"basis": "站里的规定第三条"}, "直接引用法律"),
        ({"expires_on": None}, "不能没有期限"),
        ({"expires_on": date(2031, 1, 1)}, "最长 5 年"),
        ({"item": "rescue"}, "什么行为"),
        ({"item": "not-volunteering"}, "什么行为"),
        ({"reason": "今年没有参加志愿服务"}, "全凭自愿"),
        ({"reason": "多次通知，拒绝报名参加社区义工活动"}, "全凭自愿"),
        ({"reason": "坏"}, "经过"),
        ({"effects": ["salary"]}, "影响到什么"),
        ({"services": [0]}, "不是这个对象的服务记录"),
        ({"points": -1}, "正数"),
        ({"occurred_on": date(2030, 1, 1)}, "在将来"),
    ],
)
def test_nothing_bad_is_recorded_without_law_act_and_end(world, person, said, sentence):
    with pytest.raises(InvalidRequest, match=sentence):
        act(world, person, **said)


def test_a_bad_item_stands_until_it_expires(world, person):
    service = world.serve(person, "2025-01-03 09:00", "10:00").index
    accept(world, act(world, person, services=[service], points=300, expires_on=world.today + timedelta(days=10)))
    [row] = record(world, person).conduct
    assert [conduct.standing(row, world.today + timedelta(days=n)) for n in (0, 10, 11)] == ["force", "force", "expired"]
    assert told(world, person)[0] == "conduct.bad"
    assert world.credit(person).others[0].minutes == 60  # the rules in force decide about hours, the item itself takes none


def test_one_act_is_held_against_nobody_twice(world, person):
    asked = act(world, person)
    with pytest.raises(InvalidRequest, match="正等第二个人决定"):
        act(world, person)
    accept(world, asked)
    with pytest.raises(InvalidRequest, match="一件事只记一次"):
        act(world, person, reason="换个说法再记一次")


def test_a_good_item_needs_no_end(world, person):
    accept(world, act(world, person, sense="good", item="rescue", reason="救起落水儿童", basis="", expires_on=None, effects=()))
    assert conduct.standing(record(world, person).conduct[0], date(2090, 1, 1)) == "force"


def test_what_is_said_against_somebody_and_turned_down_never_was(world, person):
    asked = act(world, person)
    world.write(lambda tx: proposals.decline(tx, asked, "查无实据"), APPROVER)
    assert record(world, person).conduct == []
    assert told(world, person) == []


def test_the_person_asks_for_repair_and_a_second_person_grants_it(world, person):
    accept(world, act(world, person))
    index = record(world, person).conduct[0].entry_index
    asked = world.write(lambda tx: conduct.ask_lift(tx, index, "repaired", "另外服务满一百小时"), own(person))
    with pytest.raises(InvalidRequest, match="已经提出过"):
        world.write(lambda tx: conduct.ask_lift(tx, index, "repaired", "另外服务满一百小时"), own(person))
    accept(world, asked)
    row = record(world, person).conduct[0]
    assert conduct.standing(row, world.today) == "lifted"
    assert conduct.standing(row, world.today - timedelta(days=1)) == "force"
    assert told(world, person)[0] == "conduct.lifted"


def test_whoever_decided_an_item_does_not_judge_whether_it_was_a_mistake(world, person):
    accept(world, act(world, person))
    index = record(world, person).conduct[0].entry_index
    asked = world.write(lambda tx: conduct.ask_lift(tx, index, "appeal", "那天我在医院，有病历"), own(person))
    with pytest.raises(NotAllowed, match="没有经手的人"):
        accept(world, asked)
    with pytest.raises(NotAllowed, match="没有经手的人"):
        world.write(lambda tx: proposals.decline(tx, asked, "维持原来的认定"), APPROVER)
    accept(world, asked, Actor("above", "official"))
    assert conduct.standing(record(world, person).conduct[0], world.today - timedelta(days=1)) == "undone"


def test_nobody_asks_about_anothers_item(world, person):
    accept(world, act(world, person))
    index = record(world, person).conduct[0].entry_index
    with pytest.raises(NotFound):
        world.write(lambda tx: conduct.ask_lift(tx, index, "appeal", "这不是真的"), own(world.volunteer(name="张敏")))


# --- points, people who are one, people who go


def test_no_more_points_are_given_up_than_there_are(world, person):
    def spend(amount):
        have = 1000 - sum(row.points for row in record(world, person).spent)
        return world.write(lambda tx: points.spend(tx, person, "credit/quarterly", amount, "兑换理发", world.today, have), CLERK)

    spend(700)
    with pytest.raises(InvalidRequest, match=r"现有 3\.00 分，要用 3\.01 分"):
        spend(301)
    assert [row.points for row in record(world, person).spent] == [700]


def test_merged_people_have_one_record_and_one_row_of_a_training(world, person):
    twin = world.volunteer(name="王芳")
    first = training(world, [person, twin]).receipt.index
    second = training(world, [twin], title="心理疏导").receipt.index
    world.write(lambda tx: trainings.void(tx, first, [person], "重复登记的编号"), CLERK)
    accept(world, award(world, twin))
    accept(world, act(world, twin))
    asked = world.write(lambda tx: merging.propose(tx, twin, person, "同一个人，身份证号抄错一位"), CLERK)
    accept(world, asked)
    found = record(world, person)
    assert sorted(row.entry_index for row in found.trainings if not row.voided_by) == [first, second]
    assert (len(found.awards), len(found.conduct)) == (1, 1)
    assert record(world, twin).trainings == []
    index = found.conduct[0].entry_index
    world.write(lambda tx: conduct.ask_lift(tx, index, "appeal", "那天我在医院，有病历"), own(twin))  # by the account they had before


def test_a_persons_copy_holds_the_record_and_erasure_takes_the_waiting_paper(world, person):
    training(world, [person])
    asked = award(world, person, actor=own(person), paper=PAPER)
    with world.read() as tx:
        said = my_data.everything(tx, person)
    assert [one["title"] for one in said["record"]["trainings"]] == ["急救员培训"]
    request = world.write(lambda tx: erasures.ask(tx, person, "own_wish"), CLERK)
    world.write(lambda tx: erasures.carry_out(tx, request), APPROVER)
    world.ledger.finish_erasures()
    assert world.sql("SELECT count(*) FROM proposal_paper") == [(0,)]
    with pytest.raises(Conflict):
        accept(world, asked, Actor("above", "official"))
    assert record(world, person).training_minutes == 180


def test_only_those_who_sign_in_are_told_of_a_training(world, person):
    Accounts(world.ledger).issue_code(OPERATOR, person)
    other = world.volunteer(name="张敏")
    training(world, [person, other])
    assert (told(world, person)[0], told(world, other)) == ("training.recorded", [])
