"""The pages around approval: what is in publicity, 「这条不对」 and its answer, a second signature, a recorder's profile, the calendar, receipts."""

import re

import pytest
from files import STREET
from sqlalchemy import select

from ledger import imports, policies
from ledger.people.actors import OPERATOR
from ledger.service import approving
from ledger.tables import AccountRow, ServiceRow, table

CENTRE, STATION, SHEET, PASSWORD = "340104001000", "340104001004", "signin-20251024-004.xlsx", "correct horse battery"
SERVICE, ACCOUNT = table(ServiceRow), table(AccountRow)


@pytest.fixture
def recorded(world):
    """The sheet's records, recorded by the station's clerk."""
    with world.ledger.read() as tx:
        clerk = tx.connection.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.login == "recorder")).scalar_one()
    world.clerk = clerk
    actor = world.accounts.session(world.accounts.sign_in("recorder", PASSWORD).secret).actor
    imports.run(world.ledger, "hours", (STREET / SHEET).read_bytes(), SHEET, actor)
    return rows(world)


@pytest.fixture
def elder(world, recorded, person):
    """The volunteer, with a record of theirs in publicity."""
    index = next(row.entry_index for row in recorded if row.volunteer == person.number)
    world.ledger.write(lambda tx: approving.approve(tx, [row.entry_index for row in recorded]), OPERATOR)
    person.index, person.visitor = index, world.visitor(person.number, person.password)
    return person


def rows(world):
    with world.ledger.read() as tx:
        return list(tx.connection.execute(select(SERVICE).order_by(SERVICE.c.entry_index)))


def row(world, index):
    return next(one for one in rows(world) if one.entry_index == index)


def test_a_volunteer_says_that_a_record_is_wrong_and_reads_the_answer(world, elder):
    page = f"/objections/on/{elder.index}"
    assert all(word in elder.visitor.get(page).text for word in ("时间不对", "没参加", "少记了", "不是我"))
    assert elder.visitor.post(page, {"claim": "nothing"}).status_code == 400
    assert elder.visitor.post(page, {"claim": "time", "words": "我四点才走"}).location == page
    shown = elder.visitor.get(page).text
    assert "正在处理：时间不对" in shown
    assert "2025年11月10日" in shown, "five working days from 3 November"
    assert "查清以前，这一条不计入" in shown
    assert "有异议" in elder.visitor.get("/credit/").text
    above = world.visitor("approver")
    listed = above.get("/objections/").text
    assert "我四点才走" in listed
    objection = re.search(r'id="o(\d+)"', listed)[1]
    refused = above.post(f"/objections/{objection}", {"finding": "rejected", "reason": "无"})
    assert (refused.status_code, "请写明怎么查的" in refused.text) == (400, True)
    assert above.post(f"/objections/{objection}", {"finding": "rejected", "reason": "与签到表核对一致"}).location == "/objections/"
    assert "异议不成立" in elder.visitor.get(page).text
    assert "与签到表核对一致" in elder.visitor.get(page).text
    assert "没有等待处理的异议" in above.get("/objections/").text


def test_a_justified_objection_corrects_the_record_with_the_decision(world, elder):
    elder.visitor.post(f"/objections/on/{elder.index}", {"claim": "missing"})
    above, before = world.visitor("approver"), row(world, elder.index)
    objection = before.contested_by
    said = {"finding": "upheld", "reason": "签退确实更晚", "start": before.start, "end": before.end[:14] + "59", "break_minutes": "0"}
    assert above.post(f"/objections/{objection}", said).status_code == 302
    after = row(world, elder.index)
    assert (after.end, after.status, after.contested_by) == (before.end[:14] + "59", "recorded", None)
    assert "异议成立" in above.get(f"/records/{elder.index}").text


def test_nobody_objects_to_what_is_anothers(world, elder, recorded):
    other = next(one.entry_index for one in recorded if one.volunteer != elder.number)
    assert elder.visitor.get(f"/objections/on/{other}").status_code == 404
    assert elder.visitor.post(f"/objections/on/{other}", {"claim": "not_me"}).status_code == 404
    assert row(world, other).contested_by is None


def test_while_an_objection_waits_the_desk_is_sent_to_it(world, elder):
    elder.visitor.post(f"/objections/on/{elder.index}", {"claim": "absent"})
    page = world.visitor("approver").get(f"/records/{elder.index}").text
    assert "在「异议」里一并处理" in page
    assert "作废这一条" not in page


def test_publicity_is_for_everybody_and_names_nobody_whole(world, elder, expected):
    page = world.visitor().get(f"/publicity/{STATION}")
    assert page.headers["X-Robots-Tag"] == "noindex, noarchive"
    assert f"{elder.index}</td>" in page.text
    assert "这条不对" in page.text
    assert elder.number not in page.text
    assert not any(one["name"] in page.text for one in expected["accepted"] if len(one.get("name", "")) > 1)
    assert not re.search(r"\d{11}", page.text.replace(f"/publicity/{STATION}/", ""))
    assert STATION in world.visitor().get("/publicity/").text
    world.clock.move(days=30)
    assert "没有正在公示的记录" in world.visitor().get(f"/publicity/{STATION}").text


def test_exceptions_stand_first_and_the_rest_is_passed_without_them(world, recorded):
    approver = world.visitor("approver")
    form = {"reason": "签退抄错了一行", "start": recorded[0].start, "end": recorded[0].end[:14] + "59", "break_minutes": "0"}
    assert world.visitor("recorder").post(f"/records/{recorded[0].entry_index}/correct", form).status_code == 302
    page = approver.get("/approvals/").text
    assert "要看一眼的 1 条" in page
    first = recorded[0]
    was = f"原来 {first.start[11:]}–{first.end[11:]}，"
    assert f"已更正：签退抄错了一行（{was}" in page
    assert f"{first.start[11:]}–{first.end[11:]}" in approver.get(f"/records/{first.entry_index}").text.split("原来记的")[1]
    hidden = {name: re.search(f'name="{name}" value="([^"]*)"', page)[1] for name in ("batch", "shown", "marked")}
    assert approver.post("/approvals/", hidden | {"which": "plain"}).status_code == 302
    assert [one.entry_index for one in rows(world) if one.status == "recorded"] == [recorded[0].entry_index]


def test_those_with_the_same_reason_are_one_thing_to_look_at_and_passed_together(world, recorded):
    """A sheet on which everybody has the same times is the ordinary one: nobody ticks it row by row."""
    approver = world.visitor("approver")
    rules = policies.DEFAULTS | {"night_from_hour": 8}
    world.ledger.write(lambda tx: policies.adopt(tx, effective_on="2025-01-01", rules=rules), OPERATOR)
    page = approver.get("/approvals/").text
    assert f"<b>{len(recorded)} 条</b>：夜间服务" in page
    hidden = {name: re.search(f'name="{name}" value="([^"]*)"', page)[1] for name in ("batch", "shown", "marked")}
    assert approver.post("/approvals/", hidden | {"which": "ticked"}).status_code == 400
    together = re.search(r'value="(alike:[0-9.]+)">都看过了，通过这 \d+ 人', page)[1]
    assert approver.post("/approvals/", hidden | {"which": together}).status_code == 302
    assert {one.status for one in rows(world)} == {"approved"}


def test_a_record_that_counts_and_is_looked_into_says_so_and_each_notice_has_one_reason(world, elder):
    world.clock.move(days=20)
    assert "正在查" not in elder.visitor.get("/credit/").text
    elder.visitor.post(f"/objections/on/{elder.index}", {"claim": "time"})
    page = elder.visitor.get("/credit/").text
    assert "您说过「时间不对」，正在查" in page
    assert "看处理到哪一步" in page
    above, before = world.visitor("approver"), row(world, elder.index)
    said = {"finding": "upheld", "reason": "签退确实更晚", "start": before.start, "end": before.end[:14] + "59", "break_minutes": "0"}
    assert above.post(f"/objections/{before.contested_by}", said).status_code == 302
    assert "正在查" not in elder.visitor.get("/credit/").text
    told = elder.visitor.get("/notices/").text
    decided = told[told.index("您的异议有结果了") :].split("</article>")[0].split("</li>")[0]
    assert decided.count("签退确实更晚") == 1
    asked = above.get("/notices/").text
    assert "已经处理：异议成立" in asked
    assert "签退确实更晚" not in asked


def test_an_objection_upheld_with_the_times_that_stand_is_refused_and_the_hours_stay(world, elder):
    elder.visitor.post(f"/objections/on/{elder.index}", {"claim": "time"})
    above, before = world.visitor("approver"), row(world, elder.index)
    said = {"finding": "upheld", "reason": "与签到表核对过", "start": before.start, "end": before.end, "break_minutes": "0"}
    refused = above.post(f"/objections/{before.contested_by}", said)
    assert (refused.status_code, "和原来记的一样" in refused.text) == (400, True)
    assert f'<a href="#o{before.contested_by}">回到这一处去改</a>' in refused.text, "where to mend it"
    assert f'id="o{before.contested_by}"' in refused.text
    assert "与签到表核对过</textarea>" in refused.text, "what was typed is not lost"
    assert 'value="upheld" required checked' in refused.text
    assert row(world, elder.index) == before


def test_what_goes_over_the_cap_is_signed_by_a_second_person(world, recorded):
    world.accounts.create(OPERATOR, "colleague", "recorder", station=STATION, password=PASSWORD)
    clerk, colleague = world.visitor("recorder"), world.visitor("colleague")
    one = recorded[0]
    said = {"volunteer": one.volunteer, "activity": one.activity, "grade": "B", "reason": "抗洪值守"}
    short = said | {"start": "2025-10-20 09:00", "end": "2025-10-20 10:00"}
    assert "没有超过每日上限" in clerk.post("/signatures/", short).text
    assert clerk.post("/signatures/", said | {"start": "2025-10-20 08:00", "end": "2025-10-20 18:00"}).status_code == 302
    page = clerk.get("/signatures/").text
    matter = re.search(r"/signatures/([0-9a-f-]{36})/", page)[1]
    assert "属实，我签字" not in page
    assert clerk.post(f"/signatures/{matter}/sign").status_code == 400
    assert len(rows(world)) == len(recorded)
    assert colleague.post(f"/signatures/{matter}/sign").status_code == 302
    assert rows(world)[-1].minutes == 600
    assert "超过每日上限，已有第二人签字" in world.visitor("approver").get("/approvals/").text


def test_a_recorders_profile_counts_what_they_recorded(world, recorded):
    page = world.visitor("approver").get(f"/recorders/{world.clerk}").text
    assert f"登记 {len(recorded)} 条" in page
    assert world.visitor("approver").get("/recorders/nobody").status_code == 404
    assert "<style" not in page
    assert " style=" not in page


def test_the_calendar_is_written_down_with_its_source_and_then_known(world):
    world.clock.move(days=365)
    approver = world.visitor("approver")
    assert "2027 年" in approver.get("/calendar/").text
    assert "还没有录入" in approver.get("/calendar/").text
    said = {"year": "2027", "rest": "2027-01-01 2027-02-05~2027-02-12", "work": "2027-02-14", "source": "国办发明电〔2026〕某号"}
    admin = world.visitor("administrator")
    assert "请写明公告的名称" in admin.post("/calendar/", said | {"source": ""}).text
    assert "本来就是工作日" in admin.post("/calendar/", said | {"work": "2027-02-15"}).text
    assert admin.post("/calendar/", said).status_code == 302
    page = approver.get("/calendar/").text
    assert "1月1日、2月5日、2月8日" in page
    assert "国办发明电〔2026〕某号" in page


def test_a_receipt_is_judged_by_anybody(world, recorded):
    index = recorded[0].entry_index
    page = world.visitor("recorder").get(f"/batches/{recorded[0].batch}").text
    code = re.findall(r"<code>([0-9a-f]{12})</code>", page)[0]
    anybody = world.visitor()
    assert "一致" in anybody.get(f"/receipts?index={index}&code={code[:6]}+{code[6:].upper()}").text
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    other = anybody.get(f"/receipts?index={index}&code={wrong}").text
    assert "账本里这一条是别的内容" in other
    assert "给审计员" in other
    assert "账本里没有这一条" in anybody.get(f"/receipts?index=999999&code={code}").text
    for said in ("index=x&code=" + code, f"index={index}&code=zz", f"index=²&code={code}"):
        assert anybody.get("/receipts?" + said).status_code == 400


def test_the_board_shows_how_late_a_station_writes_things_down(world, recorded):
    page = world.visitor().get(f"/stations/?unit={CENTRE}&year=2025").text
    assert f"0 条 ÷ {len(recorded)} 条" in page
    assert "10 天" in page, "24 October to 3 November"


def test_on_a_phone_without_script_a_volunteer_objects(world, elder, browser, address, tmp_path):
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "/sign-in")
    page.fill("[name=name]", elder.number)
    page.fill("[name=password]", elder.password)
    page.click("main button[type=submit]")
    page.goto(f"{address}/objections/on/{elder.index}")
    page.screenshot(path=tmp_path / "form.png", full_page=True)
    page.get_by_text("不是我", exact=True).click()
    page.get_by_role("button", name="交上去").click()
    page.screenshot(path=tmp_path / "sent.png", full_page=True)
    assert "正在处理：不是我" in page.text_content("main")
    page.goto(f"{address}/publicity/{STATION}")
    page.screenshot(path=tmp_path / "public.png", full_page=True)
    assert "有异议，查清以前不计入" in page.text_content("main")
    context.close()
    assert row(world, elder.index).frozen == 1
