"""In a real browser, script switched off, on a phone: somebody finds an activity and signs up; somebody says what was missed and reads the answer."""

import os
import re
import shutil
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.people.actors import Actor
from ledger.service import omissions
from ledger.service.adding import Found
from ledger.tables import AccountRow, OmissionRow, table

PHONE = {"width": 390, "height": 844}
STATION = "340104001004"
ACCOUNT, OMISSION = table(AccountRow), table(OmissionRow)
EVENT = {
    "station": STATION,
    "title": "看望独居老人",
    "series": "neighbour-care",
    "start": "2025-11-05T09:00",
    "end": "2025-11-05T11:00",
    "place": "竹荫里 12 号",
    "places": "12",
    "responsible": "recorder",
    "services": ["companionship", "home-repair"],
    "declared": "1",
    "do": "publish",
}


@pytest.fixture
def phone(browser, address, person):
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", viewport=PHONE, java_script_enabled=False, base_url=address)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("登录名").fill(person.number)
    page.get_by_label("密码或一次性登录码").fill(person.password)
    page.get_by_role("button", name="登录").click()
    yield page
    context.close()


def fits(page):
    return page.locator("html").evaluate("node => node.scrollWidth") <= page.viewport_size["width"]


def keep(page, name, tmp_path):
    """Take a picture, for whoever wants to look."""
    path = tmp_path / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    if folder := os.environ.get("SHOUWANG_PICTURES"):
        shutil.copy(path, Path(folder) / path.name)


def test_somebody_finds_an_activity_to_come_and_signs_up(world, phone, person, tmp_path):
    clerk = world.visitor("recorder")
    clerk.post("/activities/new", EVENT)
    clerk.post(
        "/activities/new",
        {
            **EVENT,
            "title": "义务理发",
            "start": "2025-11-08T14:00",
            "end": "2025-11-08T16:30",
            "places": "",
            "theme": "给行动不便的老人理发",
        },
    )
    phone.goto("/credit/")
    phone.get_by_role("navigation", name="主要栏目").get_by_role("link", name="活动").click()
    keep(phone, "A-coming", tmp_path)
    assert fits(phone)
    button = phone.get_by_role("button", name=re.compile("我要报名.*2025年11月5日 看望独居老人"))
    assert button.bounding_box()["height"] >= 48, "a finger needs room"
    button.click()
    assert phone.get_by_role("status").inner_text().startswith("报上名了")
    phone.get_by_role("heading", name="我报名的 1 个").wait_for()
    phone.get_by_text("还剩 11 个").wait_for()
    keep(phone, "A-coming-signed-up", tmp_path)
    phone.goto("/my/data")
    keep(phone, "A-my-data", tmp_path)
    phone.get_by_role("heading", name="报了名的活动").wait_for()
    assert fits(phone)
    phone.goto("/coming/")
    clerk.post("/activities/" + phone.locator("li.mine").get_attribute("id")[1:] + "/cancel", {"reason": "预报有大风，改到下个月"})
    phone.get_by_role("link", name="通知").click()
    keep(phone, "A-notices", tmp_path)
    phone.get_by_role("link", name=re.compile("去看看.*您报名的活动不办了")).click()
    phone.get_by_text("这次不办了").wait_for()
    keep(phone, "A-coming-cancelled", tmp_path)
    assert fits(phone)


def test_somebody_says_what_was_missed_and_reads_the_answer(world, phone, person, recorded, tmp_path):
    phone.goto("/credit/")
    phone.get_by_role("link", name="有一次没记上").click()
    phone.get_by_label("哪一天").fill("2025-10-28")
    keep(phone, "A-missing-first", tmp_path)
    phone.get_by_role("button", name="下一步").click()
    phone.get_by_label("几点开始").fill("9点")
    phone.get_by_label("几点结束").fill("11点半")
    phone.get_by_label("签到表上有我的名字").check()
    phone.get_by_label("想说明一下").fill("和李师傅一起去三栋看望老人，签过到")
    keep(phone, "A-missing-second", tmp_path)
    assert fits(phone)
    phone.get_by_role("button", name="交上去").click()
    phone.get_by_text("正在查").wait_for()
    keep(phone, "A-missing-waiting", tmp_path)
    above = world.visitor("approver")
    with world.ledger.read() as tx:
        index = tx.connection.execute(select(OMISSION.c.entry_index)).scalar_one()
        account = tx.connection.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.login == "approver")).scalar_one()
    assert "和李师傅一起去三栋" in above.get("/objections/").text
    found = Found(datetime(2025, 10, 28, 9), datetime(2025, 10, 28, 11, 30), title="邻里守望", series="neighbour-care")
    reason = "对照了十月二十八日的签到表，有本人签名，是登记时漏了一行"
    world.ledger.write(lambda tx: omissions.decide(tx, index, "upheld", reason, found), Actor(account, "approver"))
    phone.get_by_role("link", name="通知").click()
    phone.get_by_role("link", name=re.compile("去看看.*没记上的那次，有结果了")).click()
    phone.get_by_text("异议成立，已补记").wait_for()
    phone.get_by_text(reason).wait_for()
    keep(phone, "A-missing-decided", tmp_path)
    assert fits(phone)
    phone.get_by_role("link", name="看补记的这一条").click()
    phone.locator(".record:target").get_by_text("待审核").wait_for()
    keep(phone, "A-credit", tmp_path)


def test_the_desk_sees_who_signed_up_and_what_is_missing_on_a_wide_screen(world, browser, address, person, recorded, tmp_path):
    event = world.visitor("recorder").post("/activities/new", EVENT).location.rsplit("/", 1)[1]
    world.visitor(person.number, person.password).post(f"/coming/{event}/sign-up")
    with world.ledger.read() as tx:
        clerk = tx.connection.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.login == "recorder")).scalar_one()
    said = omissions.Claim(STATION, date(2025, 10, 28), "receipt", words="有打印的时长单", receipt=("99999", "0123456789ab"))
    world.ledger.write(lambda tx: omissions.claim(tx, person.number, said), Actor(clerk, "recorder", STATION))
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", java_script_enabled=False, base_url=address)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("登录名").fill("approver")
    page.get_by_label("密码或一次性登录码").fill("correct horse battery")
    page.get_by_role("button", name="登录").click()
    page.goto(f"/activities/{event}")
    keep(page, "A-activity", tmp_path)
    page.get_by_role("heading", name="报名的 1 人（招 12 人）").wait_for()
    page.goto(f"/objections/at-desk/{recorded[0][0]}")
    keep(page, "A-objection-at-desk", tmp_path)
    assert fits(page)
    page.goto("/objections/")
    keep(page, "A-objections", tmp_path)
    page.get_by_text("回执对不上：应予补记").wait_for()
    page.goto(f"/missing/of/{person.number}")
    keep(page, "A-desk", tmp_path)
    assert fits(page)
    context.close()
