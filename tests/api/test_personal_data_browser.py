"""In a real browser: a clerk has to say why before a number is shown, and the person sees it on a phone and has their data erased, by keyboard too."""

import pytest

PASSWORD = "correct horse battery"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@pytest.fixture
def window(browser, address):
    """Windows of their own, one a person, script switched off."""
    opened = []

    def open_one(viewport=DESKTOP):
        context = browser.new_context(
            locale="zh-CN", timezone_id="Asia/Shanghai", viewport=viewport, java_script_enabled=False, base_url=address
        )
        opened.append(context)
        return context.new_page()

    yield open_one
    for context in opened:
        context.close()


def sign_in(page, name, password=PASSWORD):
    page.goto("/sign-in")
    page.get_by_label("登录名").fill(name)
    page.get_by_label("密码或一次性登录码").fill(password)
    page.get_by_role("button", name="登录").click()


def fits(page):
    return page.locator("body").bounding_box()["width"] <= page.viewport_size["width"]


def test_a_look_is_seen_by_the_person_who_then_has_everything_erased(world, person, window, tmp_path):
    clerk = window()
    sign_in(clerk, "recorder")
    clerk.goto(f"/volunteers/{person.number}/personal")
    assert person.id_number not in clerk.content()
    clerk.get_by_label("为什么要看").select_option(label="联系本人")
    clerk.get_by_label("说明（检查或投诉必填）").fill("核实活动报名")
    clerk.get_by_role("button", name="显示", exact=True).click()
    assert person.id_number in clerk.content()
    assert "这次查看已经记下" in clerk.get_by_role("status").inner_text()
    clerk.screenshot(path=tmp_path / "reveal.png", full_page=True)

    phone = window(PHONE)
    sign_in(phone, person.number, person.password)
    phone.goto("/my/data")
    assert fits(phone)
    phone.screenshot(path=tmp_path / "my-data.png", full_page=True)
    phone.get_by_role("link", name="谁看过我的信息").click()
    assert "核实活动报名" in phone.get_by_role("main").inner_text()
    assert fits(phone)
    phone.screenshot(path=tmp_path / "my-reveals.png", full_page=True)
    phone.goto("/my/erasure")
    phone.get_by_label("理由").select_option(label="本人要求删除")
    phone.get_by_label("我明白，注销后找不回来").check()
    phone.screenshot(path=tmp_path / "my-erasure.png", full_page=True)
    phone.get_by_role("button", name="下一步").click()
    phone.screenshot(path=tmp_path / "my-erasure-confirm.png", full_page=True)
    phone.get_by_role("button", name="确认申请注销").click()
    assert "已经提交" in phone.get_by_role("status").inner_text()
    assert fits(phone)

    chief = window()
    sign_in(chief, "approver")
    chief.goto("/erasures/")
    chief.screenshot(path=tmp_path / "erasures.png", full_page=True)
    chief.get_by_role("link", name="打开").click()
    chief.screenshot(path=tmp_path / "erasure.png", full_page=True)
    chief.get_by_role("button", name="注销，我已核对无误").click()
    assert "已注销" in chief.get_by_role("status").inner_text()
    phone.goto("/my/data")
    assert "/sign-in" in phone.url
