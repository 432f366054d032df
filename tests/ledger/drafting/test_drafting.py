"""A sheet written by hand: filled, kept, taken over, judged, committed in one write; what is wrong stays, what is right is there once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from stdnum.iso7064.mod_11_2 import calc_check_digit
from world import APPROVER, CENTRE, CLERK, HOME, OTHER

from ledger import evidence
from ledger.drafting import committing, filling, keeping, mending
from ledger.drafting.committing import StillWrong
from ledger.drafting.mending import Mend
from ledger.drafting.sheets import Sheet
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people import my_data
from ledger.people.actors import Actor
from ledger.people.destruction import sweep
from ledger.service import objections, records
from ledger.tables import EvidenceRow, table

PICTURE = b"\xff\xd8\xff" + b"a photo of a sheet"
COLLEAGUE = Actor("colleague", "recorder", HOME)
ABROAD = Actor("abroad", "recorder", OTHER)


@pytest.fixture
def people(world):
    """Five people of one station, two of them called the same, and one of another."""
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE, population=1000)
    world.station(OTHER, parent=CENTRE, population=500)
    found = [world.volunteer(name=name) for name in ("张敏", "李建国", "王秀英", "王秀英", "刘洋")]
    return [*found, world.volunteer(OTHER, name="远来客")]


@pytest.fixture
def draft(world):
    """Begin a draft of the day before yesterday, with the people said."""

    def begin(*numbers, actor=CLERK, **said):
        fields = {"title": "邻里守望", "day": "2025-01-04", "start": "9:00", "end": "11:00"} | said
        sheet = Sheet(HOME, **fields)
        for number in numbers:
            sheet.add(who=number)
        return keeping.begin(world.ledger, actor, sheet)

    return begin


def shown(world, draft, actor=CLERK):
    with world.read() as tx:
        return keeping.get(tx, actor, draft)[1]


def fill(world, draft, work):
    return keeping.change(world.ledger, CLERK, draft, work)


def commit(world, draft, actor=CLERK):
    return world.write(lambda tx: committing.commit(tx, draft), actor)


def rehearse(world, draft):
    sheet = shown(world, draft)
    return world.write(lambda tx: committing.judge(tx, sheet), CLERK, rehearse=True)


def services(world):
    return world.sql("SELECT volunteer, start, grade, source_row FROM service ORDER BY entry_index")


def test_a_sheet_is_committed_in_one_write_and_its_draft_is_done(world, people, draft):
    made = draft(*people[:5], break_minutes="30分钟")
    before = world.size
    judged = commit(world, made)
    assert (len(judged.recorded), judged.minutes) == (5, 5 * 90)
    assert world.size == before + 6, "the activity and five services"
    with world.read() as tx:
        assert keeping.committed_batch(tx, CLERK, made) == judged.batch
        assert keeping.listing(tx, CLERK) == []
    with pytest.raises(NotFound):
        commit(world, made)


def test_a_rehearsal_leaves_nothing_behind(world, people, draft):
    made = draft(*people[:2])
    before = world.size
    assert len(rehearse(world, made).recorded) == 2
    assert (world.size, services(world)) == (before, [])


def test_two_clerks_who_send_the_same_sheet_at_once_record_each_hour_once(world, people, draft):
    drafts = [(draft(*people[:5]), CLERK), (draft(*people[:5], actor=COLLEAGUE), COLLEAGUE)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: commit(world, *one), drafts))
    assert sorted((len(a.recorded), len(a.already)) for a in answers) == [(0, 5), (5, 0)]
    assert len(services(world)) == 5


def test_the_people_of_last_time_are_ticked_and_the_minus_takes_one_off(world, people, draft):
    commit(world, draft(*people[:3]))
    with world.read() as tx:
        [template] = filling.templates(tx, HOME)
        sheet = filling.begin(tx, HOME, template)
        assert {row.who for row in sheet.rows if row.on} == set(people[:3])
        assert (sheet.title, sheet.start, sheet.end, sheet.day) == ("邻里守望", "09:00", "11:00", "2025-01-06")
        filling.type_one(tx, sheet, "-zm")
        assert {row.who for row in sheet.rows if row.on} == set(people[1:3])
        with pytest.raises(InvalidRequest, match="名单上没有"):
            filling.type_one(tx, sheet, "-ly")


def test_a_list_is_pasted_and_only_one_who_can_be_told_is_known(world, people, draft):
    made = draft()
    text = "#接龙\n1. 张敏\n2. 李建国 8:00-10:30\n3. 王秀英\n4. 张敏\n5. 陌生人"
    fill(world, made, lambda tx, sheet: filling.paste(tx, sheet, text))
    rows = shown(world, made).rows
    assert [(row.who, row.said, row.start) for row in rows] == [
        (people[0], "", ""),
        (people[1], "", "08:00"),
        ("", "王秀英", ""),
        ("", "陌生人", ""),
    ], "the same person twice is one row, and what was typed of people who are known is not kept"
    problems = rehearse(world, made).problems
    assert [(one.refusal.message[:9], len(one.choices)) for one in problems] == [("本站有 2 位「王", 2), ("没有找到「陌生人」", 0)]
    fill(world, made, lambda tx, sheet: mending.mend(tx, sheet, {rows[2].id: Mend(who=people[3]), rows[3].id: Mend(left=True)}))
    judged = commit(world, made)
    assert [row.who for row, *_ in judged.recorded] == [people[0], people[1], people[3]]
    assert [row.said for row in shown(world, made).rows] == ["陌生人"], "what was left out stays in the draft"


def test_a_choice_that_was_not_offered_is_not_taken(world, people, draft):
    made = draft()
    fill(world, made, lambda tx, sheet: filling.paste(tx, sheet, "王秀英"))
    row = shown(world, made).rows[0]
    fill(world, made, lambda tx, sheet: filling.choose(tx, sheet, {row.id: people[5]}))
    assert shown(world, made).rows[0].who == ""


def test_problems_come_worst_first_and_nothing_is_recorded_until_each_is_mended_or_left_out(world, people, draft):
    world.serve(people[1], "2025-01-04 10:00", "12:00", activity=world.activity(OTHER, "图书馆志愿"), station=OTHER, actor=ABROAD)
    made = draft(*people[:3])
    fill(world, made, lambda tx, sheet: filling.paste(tx, sheet, "陌生人\n刘洋 12:00-11:00"))
    judged = rehearse(world, made)
    assert [one.refusal.code for one in judged.problems] == ["overlap", "end_before_start", "unknown_volunteer"]
    assert "图书馆志愿" in judged.problems[0].refusal.message, "the other record is named"
    before = world.size
    with pytest.raises(StillWrong):
        commit(world, made)
    assert world.size == before
    clash, late, stranger = (one.row.id for one in judged.problems)
    said = {clash: Mend(times="8:00-10:00"), late: Mend(times="乱写"), stranger: Mend(left=True)}
    assert fill(world, made, lambda tx, sheet: mending.mend(tx, sheet, said)) == ["时间「乱写」看不懂，请写成「9:00-11:00」"]
    fill(world, made, lambda tx, sheet: mending.mend(tx, sheet, {late: Mend(times="9-11:30")}))
    assert len(commit(world, made).recorded) == 4


def test_over_the_daily_cap_a_second_person_is_asked_when_a_reason_is_given(world, people, draft):
    made = draft(people[0], start="6:00", end="18:00")
    [problem] = rehearse(world, made).problems
    assert problem.refusal.code == "over_daily_cap"
    fill(world, made, lambda tx, sheet: mending.mend(tx, sheet, {problem.row.id: Mend(reason="抗洪值守一整天")}))
    assert [row.who for row in commit(world, made).signing] == [people[0]]
    assert world.sql("SELECT reason, state FROM second_signature") == [("抗洪值守一整天", "waiting")]
    assert services(world) == []


def test_over_midnight_the_end_belongs_to_the_next_day(world, people, draft):
    made = draft(*people[:2], start="22:00", end="1:30", next_day=True)
    fill(world, made, lambda tx, sheet: filling.paste(tx, sheet, "刘洋 23:00-24:00\n李建国 0:30-1:30"))
    judged = commit(world, made)
    assert {row.who: minutes for row, minutes, _ in judged.recorded} == {people[0]: 210, people[1]: 60, people[4]: 60}
    assert {start for _, start, *_ in services(world)} == {"2025-01-04T22:00", "2025-01-04T23:00", "2025-01-05T00:30"}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"title": ""}, "请填写活动名称"),
        ({"title": "找 13800001234 报名"}, "不能有手机号"),
        ({"day": "昨天"}, "服务日期"),
        ({"start": "9.5"}, "开始时间"),
        ({"end": "8:00"}, "结束时间不晚于"),
        ({"break_minutes": "半小时"}, "休息时间"),
        ({"series": "nothing"}, "活动系列"),
    ],
)
def test_what_is_wrong_for_everyone_is_said_once(world, people, draft, said, message):
    with pytest.raises(InvalidRequest, match=message):
        rehearse(world, draft(people[0], **said))


def test_a_picture_makes_it_a_sheet_that_is_kept_and_entries_name_it(world, people, draft):
    made = draft(*people[:2])
    evidence.attach(world.ledger, CLERK, made, b"\x89PNG\r\n\x1a\nfirst try")
    evidence.attach(world.ledger, CLERK, made, PICTURE)
    judged = commit(world, made)
    assert [(grade, row) for _, _, grade, row in services(world)] == [("B", 1), ("B", 2)]
    with world.read() as tx:
        [kept] = evidence.of_batch(tx, judged.batch)
        assert tx.connection.execute(table(EvidenceRow).select()).all()[0].sealed.find(b"a photo") == -1
        assert len(tx.connection.execute(table(EvidenceRow).select()).all()) == 1, "the first try is gone"
    assert world.entries()[-1]["body"]["source"]["sha256"] == kept.sha256
    assert evidence.show(world.ledger, APPROVER, kept.id) == ("image/jpeg", PICTURE)
    with pytest.raises(NotAllowed):
        evidence.show(world.ledger, ABROAD, kept.id)
    assert world.sql("SELECT account FROM evidence_look") == [("approver",)]
    again = draft(people[2])
    evidence.attach(world.ledger, CLERK, again, PICTURE)
    assert "已随另一批提交过" in rehearse(world, again).remarks[0]


def test_a_picture_is_kept_for_its_term_and_then_only_its_hash_stands(world, people, draft):
    made = draft(people[0])
    evidence.attach(world.ledger, CLERK, made, PICTURE)
    judged = commit(world, made)
    with world.read() as tx:
        [kept] = evidence.of_batch(tx, judged.batch)
        [mine] = my_data.everything(tx, people[0])["photos"]
    assert (kept.until, kept.gone, mine["until"]) == ("2027-01-06", False, "2027-01-06"), "two years, and the person is told"
    assert clear_up(world) == 0
    world.advance(days=731)
    assert clear_up(world) == 1
    assert (clear_up(world), world.ledger.vault.keyed("evidence/")) == (0, []), "its key goes too, so that no old backup shows it"
    with world.read() as tx:
        [gone] = evidence.of_batch(tx, judged.batch)
    assert (gone.gone, gone.sha256) == (True, kept.sha256)
    with pytest.raises(NotFound, match="只留下指纹"):
        evidence.show(world.ledger, APPROVER, kept.id)


def test_a_picture_stays_as_long_as_somebody_objects(world, people, draft):
    made = draft(people[0])
    evidence.attach(world.ledger, CLERK, made, PICTURE)
    [(_, _, receipt)] = commit(world, made).recorded
    me = Actor("mine", "volunteer", None, people[0])
    world.write(lambda tx: objections.contest(tx, receipt.index, "absent", ""), me)
    world.advance(days=731)
    assert clear_up(world) == 0
    with world.read() as tx:
        contested_by = records.rows_of(tx.connection, [receipt.index])[0].contested_by
    world.write(lambda tx: objections.decide(tx, contested_by, "rejected", "照片上有本人签字"), APPROVER)
    assert clear_up(world) == 1


def clear_up(world):
    """What the hourly job does. Returns how many pictures went."""

    def work(tx):
        sweep(tx.connection, world.ledger.vault)
        return evidence.drop_old(tx.connection, tx.now)

    return world.write(work)


def test_without_a_picture_it_is_said_that_it_was_written_down_afterwards(world, people, draft):
    commit(world, draft(people[0]))
    commit(world, draft(people[1], grade="D"))
    assert [grade for _, _, grade, _ in services(world)] == ["C", "D"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a workbook", b"\xff\xd8\xff" + bytes(evidence.BYTES_MAX)])
def test_what_is_no_picture_is_refused(world, people, draft, content):
    with pytest.raises(InvalidRequest):
        evidence.attach(world.ledger, CLERK, draft(people[0]), content)


def test_somebody_not_registered_is_parked_under_a_whole_number_and_never_made(world, people, draft):
    body = "340102199001011231"[:17]
    stranger = body + calc_check_digit(body)
    wrong = body + ("1" if stranger[17] != "1" else "2")
    made = draft(people[0])
    fill(world, made, lambda tx, sheet: filling.paste(tx, sheet, f"没登记 {stranger}\n抄错了 {wrong}\n不是他 {world.names[people[1]][1]}"))
    judged = rehearse(world, made)
    assert [(one.refusal.code, one.row.name) for one in judged.problems] == [("name_mismatch", "不是他"), ("id_checksum", "抄错了")]
    fill(world, made, lambda tx, sheet: mending.mend(tx, sheet, {one.row.id: Mend(left=True) for one in judged.problems}))
    judged = commit(world, made)
    assert [[len(judged.recorded), len(judged.parked)], len(services(world))] == [[1, 1], 1]
    assert len(world.sql("SELECT id FROM parked")) == 1
    assert len(world.sql("SELECT number FROM volunteer")) == len(people)


def test_a_draft_is_one_accounts_until_a_colleague_takes_it_over_with_a_note(world, people, draft):
    made = draft(people[0])
    with pytest.raises(NotAllowed):
        shown(world, made, COLLEAGUE)
    with pytest.raises(InvalidRequest):
        keeping.take_over(world.ledger, COLLEAGUE, made, "")
    with pytest.raises(NotAllowed):
        keeping.take_over(world.ledger, ABROAD, made, "想看看")
    keeping.take_over(world.ledger, COLLEAGUE, made, "同事去开会了")
    assert shown(world, made, COLLEAGUE).title == "邻里守望"
    with pytest.raises(NotAllowed):
        commit(world, made)
    with world.read() as tx:
        assert [(one.mine, one.people) for one in keeping.listing(tx, CLERK)] == [(False, 1)]
        assert keeping.listing(tx, ABROAD) == []


def test_a_draft_is_sealed_and_goes_after_its_time_with_its_key(world, people, draft):
    made = draft()
    fill(world, made, lambda tx, sheet: filling.paste(tx, sheet, "陌生人"))
    raw = bytes(world.sql("SELECT sealed FROM sheet_draft")[0][0])
    assert "陌生人".encode() not in raw
    assert made.encode() not in raw
    world.advance(days=29)
    assert world.ledger.operate(keeping.drop_old) == 0
    world.clock.now += timedelta(days=2)
    assert world.ledger.operate(keeping.drop_old) == 1
    with pytest.raises(NotFound):
        shown(world, made)


def test_who_may_not_record_there_begins_no_draft(world, people, draft):
    with pytest.raises(NotAllowed):
        draft(people[0], actor=ABROAD)
    assert world.sql("SELECT id FROM sheet_draft") == []
