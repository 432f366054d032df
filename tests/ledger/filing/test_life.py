"""The filing life of an organisation: asked, heard, agreed; numbered without a gap; changed, lapsed, filed again, ended; and whose leaders are erased."""

import threading
from datetime import date

import filings
import pytest
from filings import ADDRESS, CLERK, CLOSING, COMMITTEE, HOME, LEADER, MEETING, NAME, NEXT_HOME, OTHER, PHONE, RESUME, STREET, STREET_CLERK

from ledger import filing as filing_life
from ledger import organisations
from ledger.duties import owing
from ledger.errors import Conflict, InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.filing import asking, drafts, erasing, expiry, judging, reading
from ledger.indicators.measures import Count
from ledger.kinds.filing import ERASED
from ledger.people.actors import OPERATOR, Actor
from ledger.refusals import Refusal

FIRST, SECOND = "备340104001第00001号", "备340104001第00002号"


@pytest.fixture
def street(world):
    world.clock.now = world.clock.now.replace(year=2028, month=2, day=26)
    return filings.Street(world)


def go_to(world, day):
    said = date.fromisoformat(day)
    world.clock.now = world.clock.now.replace(year=said.year, month=said.month, day=said.day)


def kinds(world):
    return [entry["kind"] for entry in world.entries() if entry["kind"].startswith("organisation.")]


def test_three_people_take_an_application_to_its_number(world, street):
    filing = street.ask()
    assert street.application(filing).state == "asked"
    world.advance(days=1)
    street.judge(filing, "community")
    assert street.application(filing).state == "heard"
    world.advance(days=2)
    street.judge(filing, "street")
    found = street.unit(street.application(filing).organisation)
    assert (found.row.number, found.row.name, found.row.since, found.row.expires_on) == (FIRST, NAME, "2028-02-29", "2030-02-28")
    assert (found.state, found.said["purpose"], found.said["members"]) == ("in_force", "关爱老人，守望相助", 3)
    assert street.opened(filing).days == 3
    assert kinds(world) == ["organisation.filing_asked", "organisation.filing_judged", "organisation.filing_judged", "organisation.filed"]


def test_nothing_personal_is_in_the_log_and_all_of_it_opens_for_the_desk(world, street):
    filing = street.ask()
    street.agree(filing)
    log = str(world.entries())
    for secret in (LEADER, "欧阳建国", PHONE, ADDRESS, RESUME, "李明", filings.id_number("19580312")):
        assert secret not in log
    opened = street.opened(filing)
    assert [one.identity["name"] for one in opened.leaders] == [LEADER, "欧阳建国"]
    assert opened.leaders[0].identity["sex"] == "女"
    assert opened.leaders[0].contact["address"] == ADDRESS
    assert opened.paper.contact["roster"].splitlines() == ["王桂芳", "欧阳建国", "李 明"]


def test_each_step_is_somebody_else_at_the_right_desk_in_the_right_order(world, street):
    filing = street.ask(actor=CLERK)
    both = Actor("clerk", "approver", STREET, also=(*COMMITTEE.grants,))
    for actor, step, refusal, sentence in [
        (STREET_CLERK, "street", Conflict, "现在轮到「居（村）委会意见」"),
        (CLERK, "community", NotAllowed, "这件申请是您交上来的"),
        (both, "community", NotAllowed, "这件申请是您交上来的"),
        (STREET_CLERK, "community", NotAllowed, "要由本社区的工作人员来出"),
        (Actor("next", "approver", OTHER), "community", NotAllowed, "要由本社区的工作人员来出"),
        (Actor("district", "official"), "community", NotAllowed, "要由本社区的工作人员来出"),
        (Actor("everywhere", "approver"), "community", NotAllowed, "要由本社区的工作人员来出"),
        (OPERATOR, "community", NotAllowed, "要由本社区的工作人员来出"),
        (Actor("person", "volunteer"), "community", NotAllowed, "要由本社区的工作人员来出"),
    ]:
        with pytest.raises(refusal, match=sentence):
            street.judge(filing, step, actor=actor)
    street.judge(filing, "community")
    for actor, step, refusal, sentence in [
        (COMMITTEE, "community", Conflict, "现在轮到「备案机关意见」"),
        (both, "street", NotAllowed, "这件申请是您交上来的"),
        (Actor("committee", "approver", STREET), "street", NotAllowed, "居（村）委会的意见是您出的"),
        (Actor("local", "approver", HOME), "street", NotAllowed, "要由街镇的审核员来出"),
        (Actor("station", "recorder", STREET), "street", NotAllowed, "要由街镇的审核员来出"),
        (Actor("elsewhere", "approver", filings.NEXT_STREET), "street", NotAllowed, "要由街镇的审核员来出"),
        (Actor("district", "official"), "street", NotAllowed, "要由街镇的审核员来出"),
    ]:
        with pytest.raises(refusal, match=sentence):
            street.judge(filing, step, actor=actor)
    street.judge(filing, "street")
    with pytest.raises(Conflict, match="已经有结果"):
        street.judge(filing, "street")
    with pytest.raises(NotAllowed):
        street.ask(station=OTHER)


def test_what_is_returned_is_mended_and_handed_in_again_and_its_old_data_is_gone(world, street):
    first = street.ask(filings.form(scope="巡访"))
    with pytest.raises(InvalidRequest, match="退回修改的理由"):
        street.judge(first, "community", "returned")
    street.judge(first, "community", "returned", "名册与人数对不上，请核对")
    assert street.application(first).reason == "名册与人数对不上，请核对"
    world.advance(days=4)
    draft = drafts.begin(world.ledger, CLERK, "file", HOME, replaces=first)
    with world.read() as tx:
        again = drafts.get(tx, CLERK, draft).content
    assert (again["leader0.name"], again["scope"], again["members"], again["leader1.post"]) == (LEADER, "巡访", "3", "副队长")
    drafts.save(
        world.ledger,
        CLERK,
        draft,
        {"scope": "巡访、义诊", **{key: value for key, value in filings.form().items() if key.startswith("declared")}},
    )
    second, _ = drafts.submit(world.ledger, CLERK, draft)
    assert street.application(first).state == "replaced"
    assert street.application(second).organisation == street.application(first).organisation
    assert street.opened(first).leaders == [None, None]
    assert street.opened(first).paper is None
    assert street.opened(second).days == 4, "the days run from when it was first handed in"
    street.agree(second)
    with pytest.raises(Conflict, match="只有退回修改的"):
        street.ask(replaces=first)
    with pytest.raises(NotFound):
        drafts.submit(world.ledger, CLERK, draft)


def test_a_refused_application_ends_and_leaves_no_number(world, street):
    filing = street.ask()
    street.judge(filing, "community")
    street.judge(filing, "street", "refused", "业务范围与商业培训相同")
    assert street.application(filing).state == "refused"
    assert street.listing() == []
    assert street.unit(street.file()).row.number == FIRST


def test_an_organisation_of_the_street_itself_goes_straight_to_the_street(world, street):
    content = filings.form(name="解放街道邻里巡逻队", area="解放街道")
    filing = street.ask(content, station=STREET, actor=Actor("centre-clerk", "recorder", STREET))
    street.judge(filing, "street")
    assert street.unit(street.application(filing).organisation).row.number == FIRST


def test_numbers_follow_each_other_by_street_without_a_gap_when_two_agree_at_once(world, street):
    """Four applications of two streets, decided by two processes at the same time; a refusal between leaves no hole."""
    waiting = []
    for place in range(6):
        home, clerk = (HOME, CLERK) if place % 2 else (NEXT_HOME, Actor("clerk", "recorder", NEXT_HOME))
        name = ("明珠社区" if place % 2 else "香兰社区") + "甲乙丙丁戊己"[place] + "书画队"
        filing = street.ask(filings.form(name=name), station=home, actor=clerk)
        street.judge(filing, "community", actor=Actor("committee", "recorder", home))
        waiting.append((filing, Actor("approver", "approver", STREET if place % 2 else filings.NEXT_STREET)))
    ledgers = [world.ledger, world.another()]
    failures = []

    def decide(place):
        filing, actor = waiting[place]
        try:
            street.judge(filing, "street", actor=actor, ledger=ledgers[place % 3 % 2])
        except LedgerError as error:  # a thread's fault is the test's
            failures.append(error)

    with pytest.raises(InvalidRequest):
        street.judge(waiting[0][0], "street", "refused", actor=waiting[0][1])
    threads = [threading.Thread(target=decide, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    numbers = sorted(one.row.number for one in street.listing(actor=Actor("district", "official")))
    assert numbers == [f"备34010400{street}第0000{n}号" for street in (1, 2) for n in (1, 2, 3)]


def test_a_form_says_what_is_missing_or_cannot_be(world, street):
    young, twin = filings.id_number("20100301"), filings.id_number("19580312")
    for said, sentence in [
        ({"leader0_name": ""}, "请填写主要负责人的「姓名」"),
        ({"leader0_id_number": "340102195803120011"}, "主要负责人：身份证号末位校验不符"),
        ({"leader0_id_number": young}, "主要负责人未满 18 周岁，不具有完全民事行为能力"),
        ({"leader1_id_number": young}, "第 2 位负责人未满 18 周岁"),
        ({"leader1_id_number": twin}, "和前面一位负责人的相同"),
        ({"leader0_phone": "1234"}, "主要负责人：联系电话不对"),
        ({"leader1_post": ""}, "请填写第 2 位负责人的「在本组织的职务」"),
        ({"legal_form": ""}, "请选择「组织类别」：社会团体、民办非企业单位"),
        ({"category": "sport"}, "请选择「业务类别」"),
        ({"tier": ""}, "请选择「管理层级」：依法登记、街镇管理、社区领导"),
        ({"purpose": "好"}, "请填写「宗旨」"),
        ({"purpose": f"请打 {PHONE}"}, "不要写手机号"),
        ({"members": "三"}, "「会员数」请填1 到"),
        ({"members": "4"}, "名册上有 3 人，表上写的是 4 人"),
        ({"roster": "王桂芳\n王桂芳 13624242754"}, "名册第 2 行不像一个人的姓名"),
        ({"roster": "王桂芳\nK7M2Q9XP4Z\nK7M2Q9XP4Z"}, "编号不对|出现了两次"),
        ({"charter_on": "2028-03-01"}, "「章程通过日期」2028-03-01 在将来"),
        ({"declared_no-blacklist": ""}, "还差：负责人未被列入严重违法失信名单"),
        ({"premises": ""}, "请填写「活动场所地址"),
        ({"contact_phone": "99"}, "联系电话不对"),
    ]:
        with pytest.raises(InvalidRequest, match=sentence):
            street.ask(filings.form(**said))
    assert kinds(world) == []


def test_a_leader_is_of_age_on_the_eighteenth_birthday(world, street):
    with pytest.raises(InvalidRequest, match="未满 18 周岁"):
        street.ask(filings.form(leader0_id_number=filings.id_number("20100227")))
    street.ask(filings.form(leader0_id_number=filings.id_number("20100226")))


def test_a_roster_may_name_volunteers_by_number(world, street):
    number = world.volunteer(HOME, "李明")
    filing = street.ask(filings.form(roster=f"王桂芳\n欧阳建国\n{number[:5]} {number[5:].lower()}"))
    assert street.opened(filing).said["roster"] == {"people": 3, "volunteers": 1}
    other = number[:-1] + ("2" if number[-1] != "2" else "3")
    with pytest.raises(InvalidRequest, match="编号不对"):
        street.ask(filings.form(name="明珠社区晨练书画队", roster=f"王桂芳\n欧阳建国\n{other}"))


def test_one_application_of_an_organisation_is_open_at_a_time(world, street):
    unit = street.file()
    street.ask(street.current(unit) | MEETING | filings.form(scope="巡访"), kind="change", organisation=unit)
    with pytest.raises(Conflict, match="有一件「变更备案」还在办理"):
        street.ask(CLOSING, kind="cancel", organisation=unit)
    with pytest.raises(InvalidRequest, match="本街镇已经有"):
        street.ask()


def test_a_change_says_what_was_and_what_is_and_holds_from_the_streets_agreement(world, street):
    unit = street.file()
    changed = filings.form(
        name="明珠社区朝阳志愿服务队", leader0_name="赵秀兰", leader0_id_number=filings.id_number("19600501"), scope="巡访"
    )
    filing = street.ask(changed | MEETING, kind="change", organisation=unit)
    opened = street.opened(filing)
    assert opened.said["items"] == ["name", "leader", "scope"]
    assert opened.said["procedure"] == {"held_on": "2028-02-24", "members": 12, "present": 9, "agreed": 7}
    assert "主要负责人和负责人名单：王桂芳" in opened.paper.contact["before"]
    assert "主要负责人和负责人名单：赵秀兰" in opened.paper.contact["after"]
    assert street.unit(unit).row.name == NAME, "not yet"
    world.advance(days=1)
    street.agree(filing)
    found = street.unit(unit)
    assert (found.row.name, found.row.number, found.standing.changed_on) == ("明珠社区朝阳志愿服务队", FIRST, "2028-02-27")
    assert street.current(unit)["leader0.name"] == "赵秀兰"
    with pytest.raises(InvalidRequest, match="没有要变更的"):
        street.ask(street.current(unit) | changed | MEETING, kind="change", organisation=unit)


@pytest.mark.parametrize(
    ("voters", "present", "agreed", "sentence"),
    [
        ("12", "7", "7", "不足应到 12 人的三分之二（至少 8 人）"),
        ("10", "6", "6", "至少 7 人"),
        ("12", "8", "4", "没有超过到会 8 人的半数（至少 5 人）"),
        ("12", "13", "9", "到会人数不能多于应到人数"),
        ("12", "8", "9", "同意的不能多于到会的"),
        ("12", "", "9", "「到会人数」请填"),
    ],
)
def test_two_thirds_come_and_more_than_half_of_them_agree(world, street, voters, present, agreed, sentence):
    unit = street.file()
    votes = {"voters": voters, "present": present, "agreed": agreed}
    with pytest.raises(InvalidRequest, match=sentence):
        street.ask(CLOSING | votes, kind="cancel", organisation=unit)
    street.ask(CLOSING | {"voters": "12", "present": "8", "agreed": "5"}, kind="cancel", organisation=unit)


def test_an_organisation_ends_when_everything_is_settled_and_may_begin_again(world, street):
    unit = street.file()
    with world.read() as tx:
        assert Count(tx.connection, 2028, tx.today).of({"count": "organisations"})[STREET] == 1
    with pytest.raises(InvalidRequest, match=r"注销以前要先办完这几件.*印章已交回"):
        street.ask(CLOSING | {"settled_seals": ""}, kind="cancel", organisation=unit)
    street.agree(street.ask(CLOSING, kind="cancel", organisation=unit))
    found = street.unit(unit)
    assert (found.state, found.standing.cancelled_on, found.row.number) == ("cancelled", "2028-02-26", FIRST)
    with world.read() as tx:
        assert Count(tx.connection, 2028, tx.today).of({"count": "organisations"})[STREET] == 0
        assert not [due for due in owing.owed(tx.connection, [HOME], tx.today) if due.organisation]
    with pytest.raises(Conflict, match="已经注销"):
        street.ask(filings.form(scope="巡访") | MEETING, kind="change", organisation=unit)
    assert street.unit(street.file()).row.number == SECOND, "a de-filed one keeps neither its name nor its number from others"
    with pytest.raises(InvalidRequest, match="名称不能重复"):
        street.ask(kind="refile", organisation=unit, content=filings.form(name=NAME))
    street.agree(street.ask(filings.form(name="明珠社区晚霞志愿服务队"), kind="refile", organisation=unit))
    found = street.unit(unit)
    assert (found.state, found.row.number) == ("in_force", "备340104001第00003号")


def test_a_filing_is_good_for_two_years_to_the_day_leap_days_too(world, street):
    go_to(world, "2028-02-29")
    unit = street.file()
    for day, state in [
        ("2029-12-29", "in_force"),
        ("2029-12-30", "expiring"),
        ("2030-02-28", "expiring"),
        ("2030-03-01", "lapsed"),
    ]:
        go_to(world, day)
        assert street.unit(unit).state == state, day
    world.clock.now = world.clock.now.replace(year=2030, month=3, day=2)
    street.agree(street.ask(filings.form(), kind="refile", organisation=unit))
    found = street.unit(unit)
    assert (found.row.number, found.row.since, found.row.expires_on, found.state) == (SECOND, "2030-03-02", "2032-03-01", "in_force")
    with pytest.raises(Conflict, match="到 2032-03-01 才到期"):
        street.ask(filings.form(), kind="refile", organisation=unit)


def test_desks_are_warned_once_at_each_mark_and_not_of_what_is_in_hand(world, street):
    unit = street.file()
    end = date.fromisoformat(street.unit(unit).row.expires_on)
    assert end == date(2030, 2, 25)

    def warned(day):
        go_to(world, day)
        return world.write(filing_life.warn)

    assert [warned(day) for day in ("2029-12-26", "2029-12-27", "2029-12-28", "2030-01-25", "2030-01-26", "2030-01-26")] == [
        0,
        1,
        0,
        0,
        1,
        0,
    ]
    assert [warned(day) for day in ("2030-02-20", "2030-02-25", "2030-02-26", "2030-02-27")] == [1, 0, 1, 0]
    assert expiry.mark_on("2030-02-25", date(2030, 2, 26)) == -1
    street.ask(kind="refile", organisation=unit)
    other = street.file(filings.form(name="明珠社区晨光书画队"))
    go_to(world, "2032-02-27")
    assert street.unit(other).state == "lapsed"
    assert world.write(filing_life.warn) == 1, "of the other; this one is in hand"


def test_a_leader_who_left_is_erased_alone_and_the_filing_stands(world, street):
    filing = street.ask()
    street.agree(filing)
    today = world.today

    def erase(leaders=(0,), actor=STREET_CLERK, reason="left", on=today, **options):
        return world.write(lambda tx: erasing.erase(tx, filing, leaders, reason, on, **options), actor)

    with pytest.raises(NotAllowed, match="要由另一个人来办"):
        erase(actor=Actor("clerk", "approver", HOME))
    with pytest.raises(NotAllowed):
        erase(actor=COMMITTEE)
    with pytest.raises(InvalidRequest, match="请选择销毁的理由：" + "、".join(ERASED.values())):
        erase(reason="why")
    with pytest.raises(InvalidRequest, match="请选择要销毁谁的资料"):
        erase(())
    assert world.ledger.vault.with_keys([f"leader/{filing}-0", f"leader/{filing}-1"]) != []
    erase()
    world.ledger.finish_erasures()
    opened = street.opened(filing)
    assert (opened.leaders[0], opened.leaders[1].identity["name"]) == (None, "欧阳建国")
    assert world.ledger.vault.with_keys([f"leader/{filing}-0"]) == []
    assert world.ledger.vault.destroyed() == {f"leader/{filing}-0"}
    assert street.unit(street.application(filing).organisation).state == "in_force"
    assert "leader0.name" not in street.current(street.application(filing).organisation)
    with pytest.raises(Conflict, match="已经销毁"):
        erase()
    erase((1,), particulars=True)
    world.ledger.finish_erasures()
    assert street.opened(filing).paper is None


def test_altering_what_is_sealed_of_a_leader_shows(world, street):
    filing = street.ask()
    [(sealed,)] = world.sql(f"SELECT identity FROM person WHERE subject = 'leader/{filing}-1'")
    with world.damaged("person"):
        world.sql(f"UPDATE person SET identity = ? WHERE subject = 'leader/{filing}-0'", sealed)
        faults = world.verify().faults
    assert [fault.what for fault in faults] == [f"person[leader/{filing}-0]"]


def test_the_census_path_still_records_what_a_list_says_and_the_forms_take_it_from_there(world, street):
    unit = world.organisation(HOME, "明珠社区巧手社", "备0001", leader="王芳", phone="15384582945")
    assert street.unit(unit).state == "in_force"
    assert street.current(unit)["leader0.name"] == "王芳"
    street.agree(street.ask(filings.form(name="明珠社区巧手社") | MEETING, kind="change", organisation=unit))
    found = street.unit(unit)
    assert (found.row.number, found.said["members"]) == ("备0001", 3)
    street.agree(street.ask(CLOSING, kind="cancel", organisation=unit))
    assert street.unit(unit).state == "cancelled"
    with world.read() as tx:
        assert reading.cancelled_on(tx, unit) == "2028-02-26"


def test_a_list_brings_no_number_of_the_kind_that_streets_give(world, street):
    street.file()
    filing = organisations.Filing("备340104001第00002号", "明珠社区晨光书画队", "charity", False, HOME, True, world.today)
    [answer] = world.write(lambda tx: organisations.record_many(tx, [filing]))
    assert isinstance(answer, Refusal)
    assert "按顺序给出" in answer.message


def test_whose_turn_it_is_stands_in_their_list(world, street):
    filing = street.ask()

    def waits(actor):
        with world.read() as tx:
            return [row.filing for row in judging.waiting(tx, actor)]

    assert (waits(CLERK), waits(COMMITTEE), waits(STREET_CLERK)) == ([], [filing], [])
    street.judge(filing, "community")
    assert (waits(COMMITTEE), waits(STREET_CLERK)) == ([], [filing])
    street.judge(filing, "street")
    assert waits(STREET_CLERK) == []


def test_a_draft_keeps_what_was_typed_for_its_own_account_alone(world, street):
    draft = drafts.begin(world.ledger, CLERK, "file", HOME)
    drafts.save(world.ledger, CLERK, draft, {"name": NAME, "roster": "王桂芳\r\n李明"})
    with world.read() as tx:
        assert drafts.get(tx, CLERK, draft).content == {"name": NAME, "roster": "王桂芳\n李明"}
        assert [(row.id, name) for row, name in drafts.of(tx, CLERK)] == [(draft, NAME)]
        with pytest.raises(NotFound):
            drafts.get(tx, COMMITTEE, draft)
    assert NAME.encode() not in b"".join(bytes(row[0]) for row in world.sql("SELECT sealed FROM filing_draft"))
    with pytest.raises(InvalidRequest, match="主要负责人"):
        drafts.submit(world.ledger, CLERK, draft)
    drafts.discard(world.ledger, CLERK, draft)
    assert world.sql("SELECT count(*) FROM filing_draft") == [(0,)]
    with pytest.raises(NotAllowed):
        drafts.begin(world.ledger, CLERK, "file", NEXT_HOME)
    assert asking.CHANGES.keys() >= {"leader", "name"}
