"""In a real browser, script switched off, on a phone: somebody reads their hours and notices and says what is wrong; the paper has its pages numbered."""

import os
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ledger.ids import new_entry_id
from ledger.people.actors import OPERATOR, Actor
from ledger.service import amending, approving, recording
from ledger.service.drafts import Draft

PHONE = {"width": 390, "height": 844}
PASSWORD = "correct horse battery"


@pytest.fixture
def hours(world, recorded, person):
    """Some years of service that counts, beside what is in publicity, waits, and was voided."""
    own = next(index for index, volunteer, *_ in recorded if volunteer == person.number)

    def settle(tx):
        row = tx.connection.exec_driver_sql(f"SELECT activity, station FROM service WHERE entry_index = {own}").one()
        first = datetime(2023, 3, 5, 9)
        starts = [first + timedelta(days=9 * n) for n in range(100)]
        drafts = [
            Draft(
                person.number, row.activity, row.station, at, at + timedelta(minutes=90 + at.day), "AB"[n % 2], new_entry_id(), settled=True
            )
            for n, at in enumerate(starts)
        ]
        return [answer.index for answer in recording.record_many(tx, drafts)]

    settled = world.ledger.write(settle, OPERATOR)
    world.ledger.write(lambda tx: approving.approve(tx, [own]), Actor("second", "approver"))
    world.ledger.write(lambda tx: amending.void(tx, settled[0], reason="和另一条重复"), Actor("third", "approver"))
    return own


@pytest.fixture
def phone(browser, address):
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", viewport=PHONE, java_script_enabled=False, base_url=address)
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


def test_a_volunteer_on_a_phone_reads_their_hours_and_says_what_is_wrong(world, person, hours, phone, tmp_path):
    phone.goto("/sign-in")
    phone.get_by_label("登录名").fill(person.number)
    phone.get_by_label("密码或一次性登录码").fill(person.password)
    phone.get_by_role("button", name="登录").click()
    phone.goto("/credit/")
    keep(phone, "credit-top", tmp_path)
    keep(phone, "credit", tmp_path, full_page=True, clip={"x": 0, "y": 0, "width": 390, "height": 3600})
    phone.get_by_role("region", name="您累计服务").wait_for()
    for name in ("看记录", "开证明", "有问题找人"):
        box = phone.get_by_role("link", name=name).bounding_box()
        assert box["height"] >= 48, f"{name}: a finger needs room"
    assert phone.locator("body").evaluate("node => parseFloat(getComputedStyle(node).fontSize)") >= 18
    assert fits(phone)
    phone.get_by_role("link", name="通知").click()
    keep(phone, "notices", tmp_path, full_page=True)
    assert fits(phone)
    phone.get_by_role("link", name="去看看").first.click()
    assert f"#r{hours}" in phone.url or "#r" in phone.url
    phone.locator(f"#r{hours}").get_by_role("link", name="这条不对").click()
    phone.get_by_label("不是我").wait_for()
    keep(phone, "objection", tmp_path, full_page=True)
    assert fits(phone)
    phone.goto("/credit/statement")
    keep(phone, "statement", tmp_path)
    assert fits(phone)
    paper = tmp_path / "statement.pdf"
    phone.pdf(path=paper, prefer_css_page_size=True)
    pages = len(re.findall(rb"/Type /Page\b(?!s)", paper.read_bytes()))
    assert 4 <= pages <= 6, "a hundred records take a few pages, and no empty ones"
    if folder := os.environ.get("SHOUWANG_PICTURES"):
        shutil.copy(paper, Path(folder) / paper.name)
    phone.goto("/help")
    keep(phone, "help", tmp_path)
    assert fits(phone)
