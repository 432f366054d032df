"""The whole way in a real browser without script: a sheet comes in, is approved, counts, shows on the board, and the log is there for anybody."""

import re

import pytest
from files import STREET
from playwright.sync_api import expect

PASSWORD = "correct horse battery"
SHEET = STREET / "signin-20251024-004.xlsx"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@pytest.fixture
def window(browser, address):
    """Open windows of their own: one a person, script switched off; whatever the console says against a page fails the test."""
    opened, said = [], []

    def open_one(viewport=DESKTOP):
        context = browser.new_context(
            locale="zh-CN", timezone_id="Asia/Shanghai", viewport=viewport, java_script_enabled=False, base_url=address
        )
        context.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        opened.append(context)
        return context.new_page()

    yield open_one
    for context in opened:
        context.close()
    assert [text for text in said if "403 (FORBIDDEN)" not in text] == [], "a refused sign-in is a 403 and no fault"


def sign_in(page, name, password=PASSWORD):
    page.goto("/sign-in")
    page.get_by_label("登录名").fill(name)
    page.get_by_label("密码或一次性登录码").fill(password)
    page.get_by_role("button", name="登录").click()


def fits(page):
    """Whether nothing sticks out to the right of the window."""
    body = page.locator("body").bounding_box()
    return body["width"] <= page.viewport_size["width"]


def test_from_the_sheet_to_the_volunteers_credit_and_the_board(world, window, expected, person, tmp_path):
    clerk = window()
    sign_in(clerk, "recorder")
    assert clerk.get_by_role("heading", level=1).inner_text() == "竹荫里社区社会服务站"
    clerk.get_by_role("link", name="登记一次活动").click()
    clerk.get_by_label("选择文件").set_input_files(SHEET)
    clerk.get_by_role("button", name="上传并核对").click()
    people, minutes = len(expected["accepted"]), sum(row["minutes"] for row in expected["accepted"])
    commit = clerk.get_by_role("button", name=f"提交 {people} 人，共 {minutes // 60}小时{minutes % 60}分")
    with clerk.expect_download() as download:
        clerk.get_by_role("link", name="下载问题表").click()
    assert download.value.suggested_filename == f"问题表-{SHEET.stem}.xlsx"
    commit.click()
    assert f"已登记 {people} 条服务记录" in clerk.get_by_role("status").inner_text()
    clerk.get_by_role("link", name="查看这一批").click()
    assert clerk.locator("tbody tr").count() == people

    approver = window()
    sign_in(approver, "approver")
    approver.get_by_role("link", name="去审核").click()
    approver.get_by_text(f"展开 {people} 条明细").click()
    assert approver.get_by_role("checkbox").count() == people
    approver.get_by_role("button", name="整批通过").click()
    assert "2025年11月11日起计入" in approver.get_by_role("status").inner_text()

    mine = [row["minutes"] for row in expected["accepted"] if row["id"] == person.id_number]
    volunteer = window(PHONE)
    sign_in(volunteer, person.id_number, person.password)
    assert volunteer.get_by_role("heading", level=1).inner_text() == "登记信息", "asked first"
    volunteer.get_by_role("link", name="以后再说，先看我的服务").click()
    assert "公示中" in volunteer.get_by_role("main").inner_text()
    world.clock.move(days=8)
    volunteer.reload()
    assert volunteer.locator(".total .sum").inner_text() == f"{mine[0] // 60}小时{mine[0] % 60}分".replace("小时0分", "小时")
    assert fits(volunteer)
    assert float(volunteer.evaluate_handle("getComputedStyle(document.body).fontSize").json_value().removesuffix("px")) >= 18
    volunteer.screenshot(path=tmp_path / "credit-phone.png", full_page=True)

    world.ledger.operate(lambda connection, _now: world.ledger.signing.sign(connection))
    public = window(PHONE)
    public.goto("/stations/?year=2025&unit=340104001004")
    public.get_by_role("img", name=re.compile("参与率，目标 30%")).wait_for()
    assert f"当年参加过服务的 {people} 人" in public.get_by_role("main").inner_text()
    assert fits(public)
    public.get_by_role("link", name="账本公示").click()
    checkpoint = public.request.get("/log/checkpoint").text()
    assert checkpoint.split("\n")[2] in public.get_by_role("main").inner_text()
    assert fits(public)


def test_a_mistake_is_told_where_it_was_made_and_the_keyboard_gets_everywhere(window):
    page = window()
    sign_in(page, "recorder", "not this one")
    assert page.title().startswith("错误：")
    assert "登录名或密码不对" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("登录名").input_value() == "recorder"
    page.get_by_label("密码或一次性登录码").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="登记一次活动").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/logging/")
    assert page.locator(":focus").get_attribute("type") == "radio"
    page.goto("/batches")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "跳到正文"


@pytest.mark.parametrize("width", [360, 390, 768])
def test_no_page_sticks_out_on_a_narrow_screen(world, window, recorded, width):
    page = window({"width": width, "height": 800})
    sign_in(page, "approver")
    paths = [
        "/work",
        "/sheets/",
        "/logging/",
        "/activities",
        "/notices/",
        "/help",
        "/batches",
        f"/batches/{recorded[0].batch}",
        f"/records/{recorded[0].entry_index}",
        "/approvals/",
    ]
    for path in [*paths, "/volunteers/", f"/volunteers/{recorded[0].volunteer}", "/stations/", "/log/", "/password"]:
        page.goto(path)
        widest = page.locator("main").evaluate("element => element.ownerDocument.documentElement.scrollWidth")
        assert widest <= width, (path, widest)


def test_somebody_registered_at_the_desk_answers_on_a_phone(world, window, tmp_path):
    """The slip, the first sign-in, 「登记信息」, and a yes; another says that it was not them."""
    clerk = window()
    sign_in(clerk, "recorder")
    slips = []
    for name, id_number in (("郑重", "340102195001010024"), ("钱多多", "340102195001010032")):
        clerk.goto("/volunteers/new")
        clerk.get_by_label("姓名", exact=True).fill(name)
        clerk.get_by_label("身份证号").fill(id_number)
        clerk.get_by_label("联系电话（可以不填）").fill("138 1234 5678")
        clerk.get_by_role("checkbox").check()
        clerk.screenshot(path=tmp_path / "register.png", full_page=True)
        clerk.get_by_role("button", name="登记，并打印告知书和登录码").click()
        clerk.get_by_role("heading", name="个人信息告知书").wait_for()
        slips.append(clerk.locator("dd.code").all_inner_texts())
    clerk.screenshot(path=tmp_path / "slip.png", full_page=True)
    clerk.pdf(path=tmp_path / "slip.pdf")

    asked = []
    for number, code in slips:
        phone = window(PHONE)
        sign_in(phone, number, code)
        phone.get_by_label("一次性登录码").fill(code)
        for label in ("新密码", "再输一遍新密码"):
            phone.get_by_label(label, exact=True).fill("zhinan-tiaokuan")
        phone.keyboard.press("Enter")
        expect(phone.get_by_role("heading", level=1)).to_have_text("登记信息")
        assert fits(phone)
        asked.append(phone)
    yes, no = asked
    yes.screenshot(path=tmp_path / "registration-phone.png", full_page=True)
    yes.get_by_role("button", name="我同意").click()
    assert "您的同意已经收到" in yes.get_by_role("status").inner_text()
    no.get_by_role("link", name="不是我登记的").click()
    no.screenshot(path=tmp_path / "not-me-phone.png", full_page=True)
    no.get_by_role("button", name="确定：不是我登记的").click()
    assert "名下的记录已冻结" in no.get_by_role("status").inner_text()

    approver = window()
    sign_in(approver, "approver")
    approver.get_by_role("link", name="1 件待办").click()
    approver.screenshot(path=tmp_path / "proposals.png", full_page=True)
    approver.get_by_role("button", name="已核实，是本人的意思").click()
    approver.get_by_role("link", name="被否认的登记").click()
    approver.screenshot(path=tmp_path / "disowned.png", full_page=True)
    assert "recorder" in approver.get_by_role("region", name="按登记人").inner_text()
    yes.reload()
    assert "已确认" in yes.get_by_role("main").inner_text()
    clerk.goto(f"/volunteers/{slips[0][0].replace('-', '')}/acts")
    for summary in clerk.locator("details summary").all():
        summary.click()
    clerk.screenshot(path=tmp_path / "acts.png", full_page=True)


@pytest.mark.parametrize("login", ["approver", "official"])
def test_the_links_of_those_with_most_of_them_stand_in_one_line(world, window, login):
    page = window()
    sign_in(page, login)
    page.goto("/password")
    heights = {link.bounding_box()["y"] for link in page.locator(".bar nav a").all()}
    assert (page.locator(".bar nav a").count() > 9, len(heights)) == (True, 1)
