"""The pages of credit records: a volunteer's own, the desk's, organisations' for the desk and for the public."""

import io
import re
from datetime import date

import pytest

from ledger import organisations
from ledger.organisations import Filing
from ledger.people.actors import OPERATOR

STATION = "340104001004"
AWARD = {"title": "抗洪先进个人", "unit": "合肥市人民政府", "level": "city", "granted_on": "2025-09-10"}
PNG = b"\x89PNG\r\n\x1a\n a photo of the paper"
BAD = {
    "sense": "bad",
    "item-bad": "false-hours",
    "occurred_on": "2025-10-20",
    "expires_on": "2026-10-20",
    "reason": "请人代签到两次",
    "basis": "《志愿服务记录与证明出具办法（试行）》第十七条",
    "effects": ["backfill"],
}
NOTE = {
    "list": "warned",
    "basis": "《社会组织信用信息管理办法》第十一条",
    "reason": "未按规定报送上半年活动情况",
    "noted_on": "2025-11-03",
    "mend_by": "2025-11-10",
}


@pytest.fixture
def clerk(world):
    return world.visitor("recorder")


@pytest.fixture
def approver(world):
    return world.visitor("approver")


@pytest.fixture
def own(world, person):
    return world.visitor(person.number, person.password)


@pytest.fixture
def unit(world):
    filing = Filing("皖备001", "竹荫里爱心维修队", "charity", True, STATION, True, date(2025, 1, 6), "郑伟", "13855101234")
    return world.ledger.write(lambda tx: organisations.record_many(tx, [filing]), OPERATOR)[0]


def hand_in(visitor, path, said, content=PNG, name="证书.png"):
    data = {"csrf_token": visitor.token(), **said, **({"paper": (io.BytesIO(content), name)} if content else {})}
    return visitor.client.post(path, data=data, content_type="multipart/form-data", buffered=True)


def accept_all(visitor):
    page = visitor.get("/proposals/").text
    for path in re.findall(r'action="(/proposals/[0-9a-f-]+/accept)"', page):
        assert visitor.post(path).status_code == 302


# --- a volunteer's own page


def test_a_volunteer_sees_the_six_blocks_and_nothing_of_the_desk(own, person):
    page = own.get("/record/").text
    for block in ("一、基本信息", "二、志愿服务", "三、培训", "四、表彰奖励", "五、评价", "六、守信和失信"):
        assert block in page
    assert person.id_number not in page
    assert "记一条守信或失信" not in page
    assert "登记一项奖励" not in page
    assert "不参加、少参加从来不算失信" in page


def test_an_award_goes_from_the_volunteer_by_a_second_person_into_the_record(own, clerk, approver, world):
    assert "请附上证书" in hand_in(own, "/record/award", AWARD, None).text
    assert "只能附照片" in hand_in(own, "/record/award", AWARD, b"hello", "证书.txt").text
    assert "在将来" in hand_in(own, "/record/award", {**AWARD, "granted_on": "2026-01-01"}).text
    assert hand_in(own, "/record/award", AWARD).location == "/record/#awards"
    assert "正等工作人员核实，还没有记入" in own.get("/record/").text
    back = re.search(r'action="(/record/waiting/[^"]+)"', own.get("/record/").text)[1]
    assert own.post(back).status_code == 302
    assert "正等工作人员核实" not in own.get("/record/").text
    assert "已经有人办过" in own.post(back).text
    assert hand_in(own, "/record/award", AWARD).status_code == 302
    page = approver.get("/proposals/").text
    assert "合肥市人民政府" in page
    opened = approver.post(re.search(r'action="(/record/papers/[^"]+)"', page)[1])
    assert (opened.data, opened.mimetype) == (PNG, "image/png")
    assert "核对奖励证书" in own.get("/my/reveals").text
    accept_all(approver)
    assert "抗洪先进个人" in own.get("/record/").text.split('id="awards"')[1]
    assert "奖励：抗洪先进个人，合肥市人民政府" in own.get("/my/data").text
    assert "一项奖励记进来了" in own.get("/notices/").text
    path = re.search(r'action="(/record/papers/[^"]+)"', page)[1]
    assert approver.post(path).status_code == 404


def test_what_is_bad_needs_its_law_and_the_person_appeals_to_somebody_else(own, clerk, approver, world, person):
    desk = f"/volunteers/{person.number}/record"
    refused = clerk.post(f"{desk}/conduct", {**BAD, "basis": "站里的规定"})
    assert refused.status_code == 400
    assert "直接引用法律" in refused.text
    assert "请人代签到两次" in refused.text, "what was typed is still there"
    assert "全凭自愿" in clerk.post(f"{desk}/conduct", {**BAD, "reason": "今年没有参加志愿服务"}).text
    assert clerk.post(f"{desk}/conduct", BAD).status_code == 302
    accept_all(approver)
    page = own.get("/record/").text
    assert "请人代签到两次" in page
    assert "2026年10月20日为止" in page
    path = re.search(r'action="(/record/conduct/\d+)"', page)[1]
    assert "理由" in own.post(path, {"ground": "appeal", "reason": ""}).text
    assert own.post(path, {"ground": "appeal", "reason": "那天我在医院，有病历为证"}).status_code == 302
    barred = approver.get("/proposals/").text
    assert "由没有经手的人来判断" in barred
    assert "同意撤下" not in barred
    accept_all(world.visitor("official"))
    assert "已撤销" in own.get("/record/").text
    assert "一条守信失信记录撤下了" in own.get("/notices/").text


# --- the desk


def test_a_training_is_recorded_for_those_who_were_found_and_no_other(clerk, own, person, world):
    form = {"title": "急救员培训", "organiser": "区红十字会", "content": "心肺复苏", "trained_on": "2025-11-01", "hours": "3"}
    form |= {"station": STATION, "people": f"{person.number}\n没有的人"}
    page = clerk.post("/trainings/", {**form, "do": "look"}).text
    assert page.count('name="on"') == 1
    assert "没有找到 1 人" in page
    assert "还有 1 人没有认出来" in clerk.post("/trainings/", {**form, "do": "record"}).text
    form["people"] = ""
    assert "名单还是空的" in clerk.post("/trainings/", {**form, "do": "record"}).text
    assert clerk.post("/trainings/", {**form, "on": person.number, "do": "record"}).status_code == 302
    assert "没有重复登记" in clerk.client.post(
        "/trainings/", data={**form, "on": person.number, "do": "record", "csrf_token": clerk.token()}, follow_redirects=True
    ).text  # fmt: skip
    assert "急救员培训" in own.get("/record/").text
    desk = f"/volunteers/{person.number}/record"
    index = re.search(r'name="what" value="training"><input type="hidden" name="index" value="(\d+)"', clerk.get(f"{desk}/").text)[1]
    assert clerk.post(f"{desk}/undo", {"what": "training", "index": index, "reason": "登记错了人"}).status_code == 302
    assert "登记错了人" in own.get("/record/").text


def test_an_evaluation_of_all_who_came_is_one_form(clerk, approver, recorded, world):
    with world.ledger.read() as tx:
        activity = tx.connection.exec_driver_sql("SELECT activity FROM service LIMIT 1").scalar_one()
    assert f"/evaluations/{activity}" in clerk.get("/evaluations/").text
    page = clerk.get(f"/evaluations/{activity}").text
    people = re.findall(r'name="quality-(\w+)" value="fair" checked', page)
    assert len(people) == len({row.volunteer for row in recorded})
    said = {"by": "organiser", "evaluated_on": "2025-11-03", **{f"quality-{number}": "fair" for number in people}}
    refused = clerk.post(f"/evaluations/{activity}", {**said, f"quality-{people[0]}": "poor"})
    assert "不合格，请写明原因" in refused.text
    assert (
        clerk.post(f"/evaluations/{activity}", {**said, f"quality-{people[1]}": "", f"quality-{people[2]}": "excellent"}).status_code == 302
    )
    assert "1 / " in clerk.get("/evaluations/").text
    assert clerk.post(f"/evaluations/{activity}", said).status_code == 302
    assert activity not in clerk.get("/evaluations/").text
    assert "都评过了" in clerk.get(f"/evaluations/{activity}").text


# --- organisations


def test_an_organisation_is_warned_by_two_and_the_public_sees_why_and_nobodys_name(clerk, approver, unit, world):
    public = world.visitor()
    desk = f"/organisations/{unit}"
    assert "整改期限" in clerk.post(f"{desk}/notes", {**NOTE, "mend_by": ""}).text
    assert clerk.post(f"{desk}/notes", NOTE).status_code == 302
    assert "竹荫里爱心维修队" not in public.get("/organisations/credit").text
    accept_all(approver)
    board = public.get("/organisations/credit")
    assert "未按规定报送上半年活动情况" in board.text
    assert board.headers["X-Robots-Tag"] == "noindex, noarchive"
    appraisal = {"appraiser": "committee", "name": "竹荫里社区居委会", "grade": "good", "opinion": "如期开展", "appraised_on": "2025-11-01"}
    assert clerk.post(f"{desk}/appraisals", appraisal).status_code == 302
    page = public.get(desk).text
    assert "如期开展" in page
    assert "郑伟" not in page
    assert "13855101234" not in page
    assert "整改期限快到" in clerk.get("/organisations/").text
    world.clock.move(days=8)
    clerk = world.visitor("recorder")
    assert "过了整改期限还没改" in clerk.get(f"{desk}/desk").text
    index = re.search(r'name="what" value="note"><input type="hidden" name="index" value="(\d+)"', clerk.get(f"{desk}/desk").text)[1]
    assert clerk.post(f"{desk}/undo", {"what": "note", "index": index, "ground": "repaired", "reason": "材料已经补报"}).status_code == 302
    accept_all(world.visitor("approver"))
    assert "竹荫里爱心维修队" not in public.get("/organisations/credit").text
    assert "材料已经补报" in clerk.get(f"{desk}/desk").text


def test_an_organisations_award_and_act_wait_and_a_wrong_choice_is_said(clerk, approver, unit):
    desk = f"/organisations/{unit}"
    assert "要附证书" in hand_in(clerk, f"{desk}/awards", AWARD, None).text
    assert hand_in(clerk, f"{desk}/awards", {**AWARD, "level": "centre"}, None).status_code == 302
    assert clerk.post(f"{desk}/conduct", BAD).status_code == 302
    accept_all(approver)
    page = clerk.get(f"{desk}/desk").text
    assert "抗洪先进个人" in page
    assert "请人代签到两次" in page
    assert "不在这个组织的记录里" in clerk.post(f"{desk}/undo", {"what": "award", "index": "1", "reason": "颁错了"}).text
    assert "没有选中哪一条" in clerk.post(f"{desk}/undo", {"what": "award", "index": "x", "reason": "颁错了"}).text


# --- by the keyboard alone


def test_sixty_people_are_evaluated_by_the_keyboard_alone(browser, address, recorded, world):
    with world.ledger.read() as tx:
        activity = tx.connection.exec_driver_sql("SELECT activity FROM service LIMIT 1").scalar_one()
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", java_script_enabled=False, base_url=address)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("登录名").fill("recorder")
    page.get_by_label("密码或一次性登录码").fill("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url("**/work")
    page.goto(f"/evaluations/{activity}")
    page.locator("input[type=radio]:checked").first.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.type("耐心细致")
    page.keyboard.press("Enter")
    page.get_by_text("都评过了").wait_for()
    assert page.get_by_text("良好（耐心细致）").count() == 1
    context.close()
    with world.ledger.read() as tx:
        found = tx.connection.exec_driver_sql("SELECT quality, count(*) FROM evaluation GROUP BY quality ORDER BY quality").all()
    assert dict(map(tuple, found)) == {"fair": len({row.volunteer for row in recorded}) - 1, "good": 1}
