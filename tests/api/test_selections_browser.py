"""In a real browser, script switched off: two officials take a selection through its eight steps, and a volunteer on a phone finds their row."""

import json
import os
import shutil
from base64 import b64decode
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from ledger.activities import Activity, find_or_publish
from ledger.ids import new_entry_id
from ledger.people.actors import OPERATOR
from ledger.service import recording
from ledger.service.drafts import Draft

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PASSWORD = "correct horse battery"
STATION, CENTRE = "340104001004", "340104001000"
STEPS = ("rules", "freeze", "check", "doubts", "ranking", "publicity", "objections", "final")


@pytest.fixture
def year(world, person):
    """A year of services of the first few people: the person most, one of them at night."""
    with world.ledger.read() as tx:
        others = tx.connection.exec_driver_sql(
            f"SELECT number FROM volunteer WHERE number <> '{person.number}' ORDER BY number LIMIT 6"
        ).scalars()
        people = [person.number, *others]

    def serve(tx):
        shared = find_or_publish(
            tx, [Activity(STATION, "看望独居老人", "neighbour-care", start="2025-03-01T09:00", end="2025-03-01T11:00")]
        )[0]
        drafts = [
            Draft(one, shared, STATION, start, start + timedelta(hours=2), "B", new_entry_id(), settled=True)
            for at, one in enumerate(people)
            for start in (datetime(2025, 3, day, 22 if at == 1 and day == 1 else 9) for day in range(1, 12 - at))
        ]
        return [receipt.index for receipt in recording.record_many(tx, drafts)]

    world.ledger.write(serve, OPERATOR)
    return people


@pytest.fixture
def signed_in(world, browser, address):
    opened = []

    def sign_in(login, password=PASSWORD, viewport=DESK):
        options = {
            "locale": "zh-CN",
            "timezone_id": "Asia/Shanghai",
            "viewport": viewport,
            "java_script_enabled": False,
            "base_url": address,
        }
        context = browser.new_context(**options, accept_downloads=True)
        opened.append(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.locator("input[name=name]").fill(login)
        page.locator("input[name=password]").fill(password)
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_load_state()
        return page

    yield sign_in
    for context in opened:
        context.close()


def fits(page):
    return page.locator("html").evaluate("node => node.scrollWidth") <= page.viewport_size["width"]


def keep(page, name, tmp_path):
    """Take a picture, for whoever wants to look."""
    path = tmp_path / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    if folder := os.environ.get("SHOUWANG_PICTURES"):
        shutil.copy(path, Path(folder) / path.name)


def test_eight_steps_by_two_people_and_a_row_on_a_phone(world, person, year, signed_in, tmp_path):  # noqa: PLR0915 one story
    li, qian = signed_in("official"), signed_in("approver")
    li.goto("/selections/")
    keep(li, "S-list-empty", tmp_path)
    li.get_by_role("link", name="新的评选").click()
    li.get_by_label("哪个单位评").select_option(CENTRE)
    li.get_by_label("年度", exact=True).fill("2025")
    li.get_by_label("最低时长（小时）").fill("2")
    li.get_by_label("总名额").fill("两个")
    li.get_by_label("本人确认过登记的才能参评").uncheck()
    keep(li, "S-rules-new", tmp_path)
    li.get_by_role("button", name="保存规则").click()
    li.get_by_role("alert").get_by_text("「总名额」请填整数").wait_for()
    assert li.get_by_label("最低时长（小时）").input_value() == "2"
    li.get_by_label("总名额").fill("3")
    li.get_by_role("button", name="保存规则").click()
    li.get_by_text("规则已保存为第 1 版").wait_for()
    keep(li, "S-tasks-draft", tmp_path)
    here = li.url
    selection = here.rsplit("/", 1)[1]
    li.goto(f"{here}/ranking")
    li.get_by_text("还没到这一步").first.wait_for()
    li.goto(f"{here}/rules")
    keep(li, "S-rules", tmp_path)
    li.get_by_label("最低时长（小时）").fill("4")
    li.get_by_role("button", name="保存为新的一版").click()
    li.get_by_text("和上一版比，改了").wait_for()
    li.goto(f"{here}/freeze")
    keep(li, "S-freeze-before", tmp_path)
    li.get_by_role("button", name="冻结").click()
    li.get_by_text("已冻结").first.wait_for()
    keep(li, "S-freeze-after", tmp_path)
    li.get_by_role("link", name="去预审").click()
    keep(li, "S-check", tmp_path)
    with li.expect_download() as waiting:
        li.get_by_role("link", name="下载 Excel").click()
    assert waiting.value.path().stat().st_size > 1_000

    li.goto(f"{here}/doubts")
    keep(li, "S-doubts-first", tmp_path)
    night = li.locator("section.doubt").filter(has_text="夜间").first
    night.get_by_label("剔除").check()
    night.get_by_label("怎么查的、为什么").fill("签到表上没有这个时间")
    keep(li, "S-doubts", tmp_path)
    night.get_by_role("button", name="提出，等另一个人确认").click()
    li.get_by_text("意见已记下").wait_for()
    qian.goto(f"{here}/doubts")
    qian.get_by_role("button", name="同意：剔除").click()
    qian.get_by_text("已确认，写进了账本").wait_for()

    world.clock.move(days=1)
    li, qian = signed_in("official"), signed_in("approver")
    li.goto(f"{here}/ranking")
    li.get_by_label("公布的数").fill("03 08 16 22 27 31 + 09")
    li.get_by_label("哪一天公布的").fill(world.clock.now.date().isoformat())
    li.get_by_role("button", name="写进账本").click()
    li.get_by_text("随机数已写进账本").wait_for()
    assert li.get_by_role("link", name="复算").count() == 0, "there is nothing in the log to compare with yet"
    keep(li, "S-ranking", tmp_path)
    li.goto(f"{here}/publicity")
    keep(li, "S-publicity-before", tmp_path)
    li.get_by_role("button", name="公示这份名单").click()
    li.get_by_text("名单已公示").wait_for()
    keep(li, "S-publicity", tmp_path)
    li.goto(f"{here}/ranking")
    li.get_by_role("link", name="复算").click()
    li.get_by_text("公示名单复算：与账本一致").wait_for()
    keep(li, "S-ranking-again", tmp_path)
    li.goto(f"{here}/publicity")
    with li.expect_download() as waiting:
        li.get_by_role("link", name="打印张贴").click()
    assert waiting.value.path().read_bytes().startswith(b"%PDF")

    phone = signed_in(person.number, person.password, PHONE)
    phone.goto(f"/honours/{selection}")
    phone.get_by_text("第 1 行是您").wait_for()
    assert fits(phone)
    keep(phone, "S-phone-list", tmp_path)
    with phone.expect_download() as waiting:
        phone.get_by_role("link", name="下载凭据").click()
    proof = json.loads(waiting.value.path().read_bytes())
    said = sha256(b"\x04" + b64decode(proof["salt"]) + orjson.dumps(proof["document"], option=orjson.OPT_SORT_KEYS)).digest()
    assert b64decode(proof["commitment"]) == said
    phone.get_by_text(proof["commitment"]).wait_for()
    phone.get_by_label("名单上的人不符合条件").check()
    phone.get_by_label("第几行").fill("2")
    phone.get_by_label("说说是什么情况").fill("他那天不在")
    phone.get_by_role("button", name="提出异议").click()
    phone.get_by_text("异议已经收到").wait_for()
    phone.goto("/honours/mine")
    assert fits(phone)
    keep(phone, "S-phone-mine", tmp_path)

    qian.goto(f"{here}/objections")
    qian.get_by_label("异议成立", exact=True).check()
    qian.get_by_label("怎么查的、为什么").fill("那天确实不在")
    li.goto(f"{here}/ranking")
    second = li.locator("tbody tr").nth(1).locator("small").inner_text()
    qian.get_by_text(f"{second}）怎么改").wait_for()
    named = qian.locator("fieldset", has_text="怎么改")
    assert named.get_by_label("剔除 2025年3月").count() >= 3, "each record of that row can be ticked"
    qian.get_by_text("别的人、别的记录").click()
    qian.locator("input[name=bar]:not([type=checkbox])").fill(second)
    qian.get_by_role("button", name="写进账本").click()
    qian.get_by_text("较公示稿变化：+1 −1").wait_for()
    keep(qian, "S-objections", tmp_path)
    world.clock.move(days=10)
    li = signed_in("official")
    qian = signed_in("approver")
    li.goto(f"{here}/final")
    li.get_by_label("会议纪要").set_input_files({"name": "纪要.txt", "mimeType": "text/plain", "buffer": "同意。".encode()})
    li.get_by_role("button", name="签字").click()
    li.get_by_text("还要另一个人签同一份名单").wait_for()
    li.get_by_text("您已经签过了").wait_for()
    qian.goto(f"{here}/final")
    keep(qian, "S-final-second", tmp_path)
    qian.get_by_role("button", name="签字，定稿").click()
    qian.get_by_text("两个人都签了，定稿了。").wait_for()
    qian.get_by_text("定稿（账本第").wait_for()
    keep(qian, "S-final", tmp_path)
    qian.goto(here)
    assert qian.locator(".tasks li.done").count() == 8
    keep(qian, "S-tasks-done", tmp_path)
    qian.goto("/selections/")
    keep(qian, "S-list", tmp_path)
    everybody = signed_in("recorder")
    everybody.goto(f"/honours/{selection}")
    everybody.get_by_text("公示期已过").wait_for()
    assert everybody.locator("tbody").count() == 0
    small = signed_in("official", viewport=PHONE)
    for step in STEPS:
        small.goto(f"{here}/{step}")
        assert fits(small), step
    small.goto(here)
    assert fits(small)
    keep(small, "S-phone-tasks", tmp_path)
    small.goto(f"{here}/ranking")
    keep(small, "S-phone-ranking", tmp_path)
