"""Activities to come, on the volunteer's page and at the desk; and a service that was never recorded, said on the page or taken down at the desk."""

import re

import pytest

from ledger.people.actors import OPERATOR

STATION, PASSWORD = "340104001004", "correct horse battery"
EVENT = {
    "station": STATION,
    "title": "看望独居老人",
    "series": "neighbour-care",
    "start": "2025-11-05T09:00",
    "end": "2025-11-05T11:00",
    "place": "竹荫里 12 号",
    "places": "2",
    "theme": "重阳送温暖",
    "responsible": "recorder",
    "services": ["companionship"],
    "declared": "1",
    "do": "publish",
}
MISSED = {"day": "2025-10-28", "station": STATION, "proof": "sheet", "start": "9", "end": "11点", "words": "和李师傅一起去的"}


@pytest.fixture
def clerk(world):
    return world.visitor("recorder")


@pytest.fixture
def mine(world, person):
    return world.visitor(person.number, person.password)


@pytest.fixture
def event(clerk):
    return clerk.post("/activities/new", EVENT).location.rsplit("/", 1)[1]


def test_a_volunteer_finds_an_activity_signs_up_and_the_desk_sees_them_masked(world, clerk, mine, event, person):
    assert 'href="/coming/"' in mine.get("/credit/").text
    page = mine.get("/coming/").text
    for said in (
        "看望独居老人",
        "2025年11月5日",
        "后天，星期三",
        "09:00–11:00",
        "竹荫里 12 号",
        "亲情陪伴",
        "重阳送温暖",
        "还剩 <b>2</b> 个",
    ):
        assert said in page, said
    assert mine.post(f"/coming/{event}/sign-up").location == "/coming/"
    page = mine.get("/coming/").text
    assert "您报了名" in page
    assert "还剩 <b>1</b> 个" in page
    at_desk = clerk.get(f"/activities/{event}").text
    assert "报名的 1 人（招 2 人）" in at_desk
    with world.ledger.read() as tx:
        name = tx.vault.open(tx.connection, [f"person/{person.number}"])[f"person/{person.number}"].identity["name"]
    assert "已报名 1 人" in clerk.get("/activities?month=2025-11").text
    assert name not in at_desk
    assert f"{name[0]}*" in at_desk
    assert mine.post(f"/coming/{event}/withdraw").status_code == 302
    assert "报名的 0 人" in clerk.get(f"/activities/{event}").text


def test_the_sheet_of_that_day_has_who_signed_up_ticked(world, mine, event):
    mine.post(f"/coming/{event}/sign-up")
    world.clock.move(days=2, hours=3)
    clerk = world.visitor("recorder")
    draft = clerk.post("/logging/", {"station": STATION, "activity": event}).location
    page = clerk.get(draft).text
    assert 'value="2025-11-05"' in page
    assert len(re.findall(r'name="on" value="\d+" checked', page)) == 1


def test_who_signed_up_reads_that_it_is_called_off_and_why(clerk, mine, event):
    mine.post(f"/coming/{event}/sign-up")
    clerk.post(f"/activities/{event}/cancel", {"reason": "台风"})
    inbox = mine.get("/notices/").text
    assert "您报名的活动不办了" in inbox
    assert "看望独居老人" in inbox
    assert "台风" in inbox
    page = mine.get("/coming/").text
    assert "这次不办了" in page
    assert "原因：台风" in page
    mine.post(f"/coming/{event}/withdraw")
    assert "现在没有要办的活动" in mine.get("/coming/").text


def test_what_cannot_be_signed_up_for_is_said_on_the_page(world, mine, event):
    world.clock.move(days=3)
    answer = mine.post(f"/coming/{event}/sign-up")
    assert (answer.status_code, "已经开始" in answer.text) == (400, True)
    assert mine.post("/coming/2222222222/sign-up").status_code == 404


# --- a service that was never recorded


def omission_of(page):
    return int(re.search(r'id="m(\d+)"', page)[1])


def test_a_volunteer_says_what_was_missed_and_reads_the_answer(world, mine):
    assert "/missing/" in mine.get("/credit/").text
    first = mine.get("/missing/").text
    assert "第一步" in first
    second = mine.get("/missing/?day=2025-10-28&station=" + STATION).text
    assert "第二步" in second
    assert "2025年11月10日" in second, "five working days"
    refused = mine.post("/missing/", {**MISSED, "end": "25点"})
    assert (refused.status_code, "结束时间" in refused.text, 'value="9"' in refused.text) == (400, True, True)
    answer = mine.post("/missing/", MISSED)
    assert answer.location.startswith("/missing/#o")
    assert "正在查" in mine.get("/missing/").text
    above = world.visitor("approver")
    page = above.get("/objections/").text
    assert "和李师傅一起去的" in page
    said = {"finding": "upheld", "reason": "签到表上有签名，漏登了", "start": "2025-10-28T09:00", "end": "2025-10-28T11:00"}
    said |= {"title": "邻里守望", "series": "neighbour-care", "break_minutes": "0", "activity": ""}
    refused = above.post(f"/missing/{omission_of(page)}/decide", {**said, "title": ""})
    assert (refused.status_code, "活动名称" in refused.text) == (400, True)
    assert "签到表上有签名，漏登了</textarea>" in refused.text, "what was typed is still there"
    assert above.post(f"/missing/{omission_of(page)}/decide", said).location == "/objections/"
    assert "没有等待处理的异议" in above.get("/objections/").text
    shown = mine.get("/missing/").text
    assert "异议成立，已补记" in shown
    assert "签到表上有签名，漏登了" in shown
    credit = mine.get("/credit/").text
    assert "待审核" in credit
    assert "邻里守望" in credit
    assert "没记上的那次，有结果了" in mine.get("/notices/").text


def test_what_was_held_that_day_is_offered_by_name(world, mine, recorded):
    with world.ledger.read() as tx:
        day, title = tx.connection.exec_driver_sql(
            "SELECT substr(activity.start, 1, 10), title FROM activity JOIN service ON service.activity = activity.id LIMIT 1"
        ).one()
    assert title in mine.get(f"/missing/?day={day}&station={STATION}").text


def test_the_desk_takes_it_down_for_somebody_without_a_phone_and_hands_over_a_receipt(world, clerk, person, mine):
    path = f"/missing/of/{person.number}"
    assert path in clerk.get(f"/volunteers/{person.number}").text
    assert clerk.post(path, MISSED).location.startswith(path)
    page = clerk.get(path).text
    assert "工作人员在服务台代为记下" in page
    index, short_hash = re.search(r"账本第 (\d+) 条，短校验码 <code>(\w{12})</code>", page).groups()
    assert "一致" in world.visitor().get(f"/receipts?index={index}&code={short_hash}").text
    above = world.visitor("approver").get("/objections/").text
    assert "工作人员在服务台代为记下：recorder" in above
    assert "工作人员在服务台代为记下" in mine.get("/missing/").text


def test_whoever_took_it_down_does_not_decide_it(world, person):
    above = world.visitor("approver")
    above.post(f"/missing/of/{person.number}", MISSED)
    page = above.get("/objections/").text
    assert "代为记下的，要由另一位" in page
    assert above.post(f"/missing/{omission_of(page)}/decide", {"finding": "rejected", "reason": "没有查到"}).status_code == 403


def test_a_clerk_does_not_read_what_the_person_wrote_themselves(clerk, mine, person):
    mine.post("/missing/", MISSED)
    assert "和李师傅一起去的" in mine.get("/missing/").text
    assert "和李师傅一起去的" not in clerk.get(f"/missing/of/{person.number}").text


def test_a_receipt_that_does_not_match_stands_out_at_the_desk_above(world, mine):
    world.accounts.create(OPERATOR, "near", "approver", station=STATION, password=PASSWORD)
    refused = mine.post("/missing/", {**MISSED, "receipt_index": "99999"})
    assert "一起填" in refused.text
    mine.post("/missing/", {**MISSED, "receipt_index": "99999", "receipt_code": "0123456789ab"})
    assert "账本里没有那一条" in mine.get("/missing/").text
    near, above = world.visitor("near").get("/objections/").text, world.visitor("approver")
    assert "要由上一级的工作人员看过原件" in near
    assert "应予补记" in above.get("/objections/").text
    assert "有回执在账本里对不上" in above.get("/notices/").text


def test_a_declined_proposal_says_why_in_the_inbox(world, clerk, person, mine):
    clerk.post(f"/volunteers/{person.number}/acts/claim", {"reason": "户口本核对过"})
    above = world.visitor("approver")
    matter = re.search(r"/proposals/([0-9a-f-]{36})/decline", above.get("/proposals/").text)[1]
    above.post(f"/proposals/{matter}/decline", {"remark": "户口本不是本人的"})
    for visitor in (clerk, mine):
        page = visitor.get("/notices/").text
        assert "有一件申请没有同意" in page
        assert "户口本不是本人的" in page
        assert "认领账号" in page


def test_the_desk_takes_down_that_a_record_is_not_right(world, clerk, person, recorded, mine):
    index = next(one[0] for one in recorded if one[1] == person.number)
    path = f"/objections/at-desk/{index}"
    assert path in clerk.get(f"/volunteers/{person.number}").text
    assert clerk.post(path, {"claim": ""}).status_code == 400
    assert clerk.post(path, {"claim": "time", "words": "我十点就到了"}).location == path
    assert "正在处理：时间不对" in clerk.get(path).text
    assert "recorder在服务台代为记下" in world.visitor("approver").get("/objections/").text
    assert "正在处理：时间不对" in mine.get(f"/objections/on/{index}").text
