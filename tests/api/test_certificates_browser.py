"""In a real browser, script switched off, on a phone: somebody makes their certificate, and whoever gets it checks it."""

import os
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from certified import codes_on

from ledger.activities import Activity, find_or_publish
from ledger.ids import new_entry_id
from ledger.people.actors import OPERATOR, Actor
from ledger.service import amending, recording
from ledger.service.drafts import Draft

PHONE = {"width": 390, "height": 844}
STATION = "340104001004"


@pytest.fixture
def hours(world, person):
    """Twenty old services that count; their entries."""

    def serve(tx):
        old = find_or_publish(tx, [Activity(STATION, "看望独居老人", "neighbour-care", migrated_year=2024)])[0]
        starts = [datetime(2024, 5, day, 9) for day in range(1, 21)]
        drafts = [Draft(person.number, old, STATION, at, at.replace(hour=11), "D", new_entry_id(), settled=True) for at in starts]
        return [receipt.index for receipt in recording.record_many(tx, drafts)]

    return world.ledger.write(serve, OPERATOR)


@pytest.fixture
def phone(browser, address):
    options = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "viewport": PHONE, "java_script_enabled": False, "base_url": address}
    context = browser.new_context(**options, accept_downloads=True)
    yield context.new_page()
    context.close()


def fits(page):
    return page.locator("html").evaluate("node => node.scrollWidth") <= page.viewport_size["width"]


def keep(page, name, tmp_path, **options):
    """Take a picture, for whoever wants to look."""
    path = tmp_path / f"{name}.png"
    page.screenshot(path=path, **options)
    if folder := os.environ.get("SHOUWANG_PICTURES"):
        shutil.copy(path, Path(folder) / path.name)


def test_a_phone_makes_a_certificate_and_another_checks_it(world, person, hours, phone, browser, address, tmp_path):
    phone.goto("/sign-in")
    phone.get_by_label("志愿者编号").or_(phone.locator("input[name=name]")).first.fill(person.number)
    phone.locator("input[name=password]").fill(person.password)
    phone.locator("main form button[type=submit]").first.click()
    phone.goto("/credit/")
    phone.get_by_role("link", name="开证明").click()
    assert fits(phone)
    keep(phone, "E-phone-form", tmp_path, full_page=True)
    phone.get_by_role("button", name="开证明").click()
    phone.get_by_text("证明开好了").wait_for()
    assert fits(phone)
    keep(phone, "E-phone-made", tmp_path, full_page=True)
    with phone.expect_download() as waiting:
        phone.get_by_role("link", name="打开 PDF").first.click()
    paper = waiting.value.path()
    [code] = codes_on(Path(paper).read_bytes())

    other = browser.new_context(locale="zh-CN", viewport=PHONE, java_script_enabled=False, base_url=address).new_page()
    asked = []
    other.on("request", lambda request: asked.append(request.url))
    other.goto(code.replace(code.partition("/check/")[0], address, 1))
    other.get_by_role("heading", name="有效", exact=True).wait_for()
    assert not [url for url in asked if "#" in url or len(url) > 200], "what is behind the # is sent to nobody"
    assert fits(other)
    keep(other, "E-check-valid", tmp_path, full_page=True)
    other.get_by_label("姓名全称").fill("张三")
    other.get_by_label("证件号后四位").fill("0000")
    other.get_by_role("button", name="核对是不是本人").click()
    other.get_by_text("不相符").wait_for()
    world.ledger.write(lambda tx: amending.void(tx, hours[0], reason="重复登记"), Actor("third", "approver"))
    other.goto("/check/")
    keep(other, "E-check-form", tmp_path, full_page=True)
    other.get_by_label("选择文件").set_input_files(paper)
    other.get_by_role("button", name="核验文件").click()
    other.get_by_role("heading", name="有效，但签发后有更正").wait_for()
    keep(other, "E-check-amended", tmp_path, full_page=True)
    other.goto("/check/340104-2025-000099")
    other.get_by_role("heading", name="查无此证").wait_for()
    keep(other, "E-check-unknown", tmp_path, full_page=True)
    other.context.close()


def test_the_desk_makes_one_and_an_approver_revokes_it_with_the_keyboard_and_no_script(world, person, hours, browser, address, tmp_path):
    def signed_in(login):
        page = browser.new_context(
            locale="zh-CN", viewport={"width": 1280, "height": 900}, java_script_enabled=False, base_url=address
        ).new_page()
        page.goto("/sign-in")
        page.locator("input[name=name]").fill(login)
        page.locator("input[name=password]").fill("correct horse battery")
        page.keyboard.press("Enter")
        page.wait_for_url("**/work")
        return page

    desk = signed_in("recorder")
    desk.goto(f"/volunteers/{person.number}")
    desk.get_by_role("link", name="开证明").click()
    desk.get_by_label("已核对本人的证件").check()
    desk.get_by_label("本单位的联系方式").fill("0551-63551234")
    desk.keyboard.press("Enter")
    desk.get_by_text("证明开好了").wait_for()
    keep(desk, "E-desk-made", tmp_path, full_page=True)
    above = signed_in("approver")
    above.goto(f"/volunteers/{person.number}/certificates/")
    keep(above, "E-desk-revoke", tmp_path, full_page=True)
    above.get_by_label("撤销的理由").fill("第 61 条登记有误，已作废")
    above.keyboard.press("Enter")
    above.get_by_text("从现在起，谁来核验都显示「已撤销」").wait_for()
    above.goto(f"/publicity/{STATION}/certificates")
    keep(above, "E-publicity", tmp_path, full_page=True)
    above.goto("/check/340104-2025-000001")
    above.get_by_role("heading", name="已撤销").wait_for()
    keep(above, "E-check-revoked", tmp_path, full_page=True)
    for page in (desk, above):
        page.context.close()


@pytest.fixture
def unplugged(world, browser, tmp_path):
    """The page that is kept on one's own machine, opened from the disk with the network cable out."""
    path = tmp_path / "离线核验.html"
    answer = world.visitor().get("/check/offline.html")
    assert (answer.mimetype, "attachment" in answer.headers["Content-Disposition"]) == ("application/octet-stream", True)
    path.write_bytes(answer.data)
    context = browser.new_context(locale="zh-CN", viewport=PHONE)
    context.set_offline(True)
    page = context.new_page()
    page.goto(path.as_uri())
    yield page
    context.close()


def test_the_page_on_ones_own_machine_judges_as_we_do_with_the_cable_out(world, person, hours, unplugged, tmp_path):
    visitor = world.visitor(person.number, person.password)
    visitor.post("/certificates/", {"period": "all", "id_number": "masked"})
    number = "340104-2025-000001"
    pdf, data = visitor.get(f"/certificates/{number}.pdf").data, visitor.get(f"/certificates/{number}.json").data
    answer = unplugged.locator("#answer")

    def hand_in(content, name="证明.pdf"):
        unplugged.locator("#file").set_input_files([])
        unplugged.locator("#file").set_input_files({"name": name, "mimeType": "application/pdf", "buffer": content})
        answer.locator("h2").wait_for()
        said = answer.inner_text()
        unplugged.evaluate("document.querySelector('#answer').replaceChildren()")
        return said

    for content in (pdf, data):
        said = hand_in(content)
        assert said.startswith("通过"), said
        assert "40小时（20 次）" in said
        assert number in said
    assert fits(unplugged)
    place = pdf.index(b"/FlateDecode") + 60
    assert "页面上印的不能信" in hand_in(pdf[:place] + bytes([pdf[place] ^ 4]) + pdf[place + 1 :])
    assert "页面上印的不能信" in hand_in(pdf + b"\n")
    places = (
        data.index(b'minutes\\":') + 11,
        data.index(b"tlog-proof@v1") + 60,
        data.index(b'"name"') + 9,
        data.index(b"/certificate\\nnumber") + 24,
    )
    for at in (*places, len(data) - 3):
        said = hand_in(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], "证明.json")
        assert said.startswith("不通过"), (at, said)
    assert hand_in(b"hello").startswith("不通过")

    [code] = codes_on(pdf)
    other = "A" if code[-40] != "A" else "B"
    for typed, title in ((code, "通过"), (code[:-40] + other + code[-39:], "不通过"), ("hello", "不通过"), (code, "通过")):
        unplugged.locator("#qr").fill(typed)
        unplugged.evaluate("document.querySelector('#answer').replaceChildren()")
        unplugged.get_by_role("button", name="核验二维码").click()
        answer.locator("h2").wait_for()
        assert answer.locator("h2").inner_text() == title, typed
    keep(unplugged, "offline-check", tmp_path, full_page=True)

    world.visitor("approver").post(f"/volunteers/{person.number}/certificates/{number}/revocation", {"reason": "已另开一份"})
    world.ledger.sign_now()
    said = hand_in(visitor.get(f"/certificates/{number}.pdf").data)
    assert said.startswith("已撤销")
    assert "已另开一份" in said
