"""What is promised without script, in a real browser that runs none: a sheet logged by hand, signing in on a phone, approving by the keyboard alone."""

import pytest
from enrolling import enrol

from ledger.attendance import codes

PASSWORD = "correct horse battery"
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 860}


@pytest.fixture
def window(browser, address):
    """Open a window without script for somebody, signed in."""
    opened = []

    def open_one(name, password=PASSWORD, viewport=DESKTOP):
        context = browser.new_context(
            locale="zh-CN", timezone_id="Asia/Shanghai", viewport=viewport, java_script_enabled=False, base_url=address
        )
        opened.append(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("登录名").fill(name)
        page.get_by_label("密码或一次性登录码").fill(password)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="退出").wait_for()
        return page

    yield open_one
    for context in opened:
        context.close()


def tab_to(page, name):
    """Go on with Tab until the keyboard is at a button or link of a name."""
    for _ in range(160):  # past the last of the page it begins again
        page.keyboard.press("Tab")
        if name in "".join(page.locator(":focus").all_inner_texts()):
            return
    raise AssertionError(name)


def test_a_sheet_is_logged_checked_and_approved_without_script_and_without_a_mouse(world, window):
    people = enrol(world, 12)
    clerk = window("recorder")
    clerk.get_by_role("link", name="登记一次活动").focus()
    clerk.keyboard.press("Enter")
    clerk.get_by_text("新的活动").wait_for()
    tab_to(clerk, "下一步：名单")
    clerk.keyboard.press("Enter")
    for label, said in (("服务日期", "2025-11-01"), ("开始", "9"), ("结束", "11点半"), ("活动名称", "邻里守望")):
        clerk.get_by_label(label, exact=True).fill(said)
    clerk.get_by_text("粘贴一列名单或微信接龙").click()
    clerk.get_by_label("粘贴名单").fill("\n".join(name for name, _ in people[:10]))
    clerk.get_by_role("button", name="加入名单").click()
    clerk.get_by_text("已勾 10 人").wait_for()
    clerk.get_by_label("加一个人").fill(people[10][0])
    clerk.keyboard.press("Enter")
    clerk.get_by_text("已勾 11 人").wait_for()
    clerk.get_by_label("加一个人").fill(f"{people[11][0]} 6-18:30")
    clerk.keyboard.press("Enter")
    clerk.get_by_text("已勾 12 人").wait_for()
    clerk.keyboard.press("Enter")
    clerk.get_by_text("1 行需要处理").wait_for()
    clerk.get_by_label("确有其事：写明理由").fill("汛期值守，有值班表")
    clerk.get_by_role("button", name="改好了，重新核对").click()
    clerk.get_by_role("button", name="提交 11 人").wait_for()
    tab_to(clerk, "提交 11 人")
    clerk.keyboard.press("Enter")
    assert "1 人超过每日上限，正等另一位工作人员签字" in clerk.get_by_role("status").inner_text()

    approver = window("approver")
    approver.goto("/approvals/")
    tab_to(approver, "整批通过")
    approver.keyboard.press("Enter")
    assert "已通过 11 条" in approver.get_by_role("status").inner_text()
    approver.goto("/signatures/")
    approver.get_by_role("button", name="属实，我签字").click()
    assert "等第三个人审核" in approver.get_by_role("status").inner_text()


def test_a_volunteer_signs_in_and_out_on_a_phone_without_script(world, window, person):
    clerk = world.visitor("recorder")
    form = {"station": "340104001004", "title": "义诊", "series": "neighbour-care", "place": "广场", "responsible": "recorder"}
    form |= {"start": "2025-11-03T10:00", "end": "2025-11-03T12:00", "group_elderly": "20", "services": ["companionship"]}
    event = clerk.post("/activities/new", form | {"declared": "1", "do": "publish"}).location.rsplit("/", 1)[1]
    clerk.post(f"/activities/{event}/desk/open")
    phone = window(person.number, person.password, PHONE)

    def scan():
        phone.goto(f"/check-in/{event}/{codes.screen_code(world.ledger.vault.blind, event, world.clock())}")

    scan()
    phone.get_by_role("button", name="签到").click()
    assert "签到成功，09:30" in phone.get_by_role("status").inner_text()
    world.clock.move(hours=2)
    phone.goto("/check-in/typed")
    phone.get_by_label("站点屏幕上现在的 8 位码").fill(codes.spaced(codes.screen_code(world.ledger.vault.blind, event, world.clock())))
    phone.keyboard.press("Enter")
    phone.get_by_role("button", name="签退").click()
    assert "签退成功，11:30" in phone.get_by_role("status").inner_text()
    assert phone.locator("html").evaluate("node => node.scrollWidth") <= PHONE["width"]
