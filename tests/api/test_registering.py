"""Somebody is registered at the desk, is told, and answers: every page on the way, what it refuses, and what nobody can do alone."""

import io
import re

import pytest

from ledger.people import volunteers
from ledger.people.actors import OPERATOR

STATION, NEXT_STATION = "340104001004", "340104001001"
ADULT, MINOR, OTHER_ADULT = "340102195001010024", "340102201001010022", "340102195001010032"
OWN = "zhinan-tiaokuan"
PAPER = b"%PDF-1.4 signed"
FORM = {"station": STATION, "name": "郑重", "id_number": ADULT, "phone": "138 1234 5678", "area": "竹荫里小区", "told": "yes"}


def send(visitor, path, **said):
    """Send a form with files as a browser does."""
    files = {name: (io.BytesIO(content), "photo.jpg") for name, content in said.items() if isinstance(content, bytes)}
    fields = {name: value for name, value in said.items() if name not in files}
    data = {"csrf_token": visitor.token(), **fields, **files}
    return visitor.client.post(path, data=data, content_type="multipart/form-data", buffered=True)


def register(world, by="recorder", **said):
    """Register somebody at the desk; gives number and code as the slip prints them."""
    answer = send(world.visitor(by), "/volunteers/new", **{**FORM, **said})
    assert answer.status_code == 200, answer.text
    number, code = re.findall(r'<dd class="code">([^<]+)</dd>', answer.text)
    return number.replace("-", ""), code


def first_sign_in(world, number, code):
    """Sign in by the slip and set a password; gives the visitor and where they were led."""
    visitor = world.visitor(number, code)
    answer = visitor.post("/password", {"old": code, "new": OWN, "again": OWN})
    assert answer.status_code == 302, answer.text
    return visitor, visitor.client.get(answer.location, buffered=True).location


def row(world, number):
    with world.ledger.read() as tx:
        return volunteers.get(tx, number, follow=False).row


def matter(page):
    return re.search(r'action="(/proposals/[0-9a-f-]{36})/accept"', page.text)[1]


@pytest.fixture
def second_clerk(world):
    world.accounts.create(OPERATOR, "second", "recorder", station=STATION, password="correct horse battery")
    return world.visitor("second")


def test_the_slip_comes_with_the_notice_and_shows_no_number_of_the_person(world):
    answer = send(world.visitor("recorder"), "/volunteers/new", **FORM)
    assert "郑*" in answer.text
    for said in ("个人信息告知书", "民政部令第67号", "保存期限", "不是我登记的", "签名", "前有效"):
        assert said in answer.text
    for secret in (ADULT, "13812345678", "郑重"):
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"told": ""}, "先把《个人信息告知书》交给本人"),
        ({"name": "王"}, "身份证上的姓名"),
        ({"id_number": ADULT[:-1] + "5"}, "校验"),
        ({"phone": "12"}, "联系电话不对"),
        ({"station": "999"}, "没有编码为 999 的站点"),
        ({"station": NEXT_STATION}, "不在您的管理范围"),
        ({"id_number": MINOR}, "未成年人须经监护人同意"),
        (
            {"id_number": MINOR, "guardian_name": "郑强", "guardian_relation": "父亲", "guardian_phone": "13812345678"},
            "请附上监护人签字的同意书",
        ),
        (
            {"id_number": MINOR, "guardian_name": "郑强", "guardian_relation": "父亲", "guardian_phone": "13812345678", "consent": b""},
            "是空的",
        ),
    ],
)
def test_what_the_form_refuses_is_said_and_what_was_typed_stays(world, said, sentence):
    answer = send(world.visitor("recorder"), "/volunteers/new", **{**FORM, **said})
    assert answer.status_code == 400
    assert sentence in answer.text
    assert 'value="竹荫里小区"' in answer.text


def test_the_same_person_is_not_registered_twice(world):
    register(world)
    assert "已经登记过" in send(world.visitor("recorder"), "/volunteers/new", **FORM).text


def test_a_minor_is_registered_with_a_guardian_and_a_child_under_special_rules(world):
    guardian = {"guardian_name": "郑强", "guardian_relation": "父亲", "guardian_phone": "13912345678", "consent": PAPER}
    number, _ = register(world, id_number=MINOR, **guardian)
    assert row(world, number).guardian
    child = send(world.visitor("recorder"), "/volunteers/new", **{**FORM, "id_number": "340102201501010029", **guardian})
    assert "儿童特别规则" in child.text


def test_the_first_sign_in_leads_to_the_registration_and_a_yes_by_the_registrars_code_is_checked_by_another(world):
    number, code = register(world)
    visitor, led = first_sign_in(world, number, code)
    assert led == "/registration/"
    page = visitor.get("/registration/")
    for said in (
        "竹荫里社区社会服务站的站点登记员",
        "工作人员在服务台登记",
        "未确认",
        "我同意",
        "不是我登记的",
        "13812345678",
        "确认是谁在服务",
    ):
        assert said in page.text
    assert "recorder" not in page.text, "no login of anybody"
    answer = visitor.post("/registration/confirm")
    assert "还要由另一位工作人员向您核实" in visitor.get(answer.location).text
    assert row(world, number).confirmed_on is None
    assert visitor.get("/").location == "/credit/", "asked once"
    approver = world.visitor("approver")
    assert "1 件待办" in approver.get("/work").text
    todo = approver.get("/proposals/")
    assert "登录码是登记人自己发的" in todo.text
    assert approver.post(matter(todo) + "/accept").status_code == 302
    assert row(world, number).confirmed_on == "2025-11-03"
    assert "已确认" in visitor.get("/registration/").text


def test_with_a_slip_from_somebody_else_the_persons_yes_holds_at_once(world, second_clerk):
    number, _ = register(world)
    slip = second_clerk.post(f"/volunteers/{number}/code")
    code = re.findall(r'<dd class="code">([^<]+)</dd>', slip.text)[1]
    visitor, _ = first_sign_in(world, number, code)
    visitor.post("/registration/confirm")
    assert (row(world, number).confirmed_on, row(world, number).confirmed_by) == ("2025-11-03", "sign_in")


def test_at_the_desk_the_person_types_the_code_and_signs_in_with_it_later(world, second_clerk):
    number, _ = register(world)
    slip = second_clerk.post(f"/volunteers/{number}/code")
    code = re.findall(r'<dd class="code">([^<]+)</dd>', slip.text)[1]
    assert "登录码不对" in second_clerk.post(f"/volunteers/{number}/acts/code", {"code": "AAAA-AAAA"}).text
    answer = second_clerk.post(f"/volunteers/{number}/acts/code", {"code": code.lower()})
    assert answer.status_code == 302, answer.text
    assert row(world, number).confirmed_by == "desk_code"
    assert second_clerk.get("/work").status_code == 200, "the clerk's own session goes on"
    _, led = first_sign_in(world, number, code)
    assert led == "/credit/"
    assert world.visitor(number, OWN)


def test_a_password_of_their_own_is_not_typed_on_the_clerks_screen(world, second_clerk):
    number, code = register(world)
    first_sign_in(world, number, code)
    answer = second_clerk.post(f"/volunteers/{number}/acts/code", {"code": OWN})
    assert "请不要在这里输入密码" in answer.text
    assert row(world, number).confirmed_on is None


def test_a_signed_form_is_accepted_by_a_second_person(world):
    number, _ = register(world)
    clerk = world.visitor("recorder")
    assert "请附上本人签字的确认书" in send(clerk, f"/volunteers/{number}/acts/paper").text
    assert send(clerk, f"/volunteers/{number}/acts/paper", evidence=PAPER).status_code == 302
    mine = clerk.get("/proposals/")
    assert "撤回" in mine.text
    assert "已核实" not in mine.text
    approver = world.visitor("approver")
    assert approver.post(matter(approver.get("/proposals/")) + "/accept").status_code == 302
    assert row(world, number).confirmed_by == "paper"


def test_not_me_takes_two_steps_and_stands_before_the_official_with_who_registered(world):
    number, code = register(world)
    visitor, _ = first_sign_in(world, number, code)
    first = visitor.get("/registration/not-me")
    assert "全部冻结" in first.text
    assert row(world, number).left_on is None, "looking is not saying"
    visitor.post("/registration/not-me")
    assert (row(world, number).left_as, row(world, number).left_on) == ("not_me", "2025-11-03")
    assert "正在核查" in visitor.get("/registration/").text
    official = world.visitor("official")
    assert "1 份登记被本人否认" in official.get("/work").text
    listed = official.get("/proposals/disowned")
    assert re.search(r"recorder.*?<b>1</b>.*?>1<", listed.text, re.DOTALL)
    assert official.post(f"/proposals/disowned/{number}", {"finding": "upheld", "reason": ""}).status_code == 400
    official.post(f"/proposals/disowned/{number}", {"finding": "upheld", "reason": "本人在外地，从未登记"})
    assert row(world, number).disowned == "upheld"
    assert world.visitor("recorder").get("/proposals/disowned").status_code == 403


def test_a_wrong_id_number_is_typed_by_two_before_it_changes(world):
    number, _ = register(world)
    clerk, approver = world.visitor("recorder"), world.visitor("approver")
    assert "请写明依据" in send(clerk, f"/volunteers/{number}/acts/change", id_number=OTHER_ADULT).text
    send(clerk, f"/volunteers/{number}/acts/change", id_number=OTHER_ADULT, reason="抄错一位，已看原件")
    todo = approver.get("/proposals/")
    assert OTHER_ADULT not in todo.text
    where = matter(todo)
    assert "不一样" in approver.post(where + "/accept", {"id_number": ADULT}).text
    assert approver.post(where + "/accept", {"id_number": OTHER_ADULT}).status_code == 302
    assert clerk.post("/volunteers/", {"said": OTHER_ADULT}).location.endswith(number)


def test_a_claim_ends_with_a_slip_in_the_second_persons_hand(world):
    number, _ = register(world)
    send(world.visitor("recorder"), f"/volunteers/{number}/acts/claim", reason="手机和身份证都换了，看过户口本")
    approver = world.visitor("approver")
    slip = approver.post(matter(approver.get("/proposals/")) + "/accept")
    code = re.findall(r'<dd class="code">([^<]+)</dd>', slip.text)[1]
    assert first_sign_in(world, number, code)


def test_duplicates_become_one_and_the_old_number_still_finds_them(world):
    kept, _ = register(world)
    gone, _ = register(world, id_number=OTHER_ADULT)
    send(world.visitor("recorder"), f"/volunteers/{kept}/acts/merge", other=gone.lower(), reason="同一人登记了两次")
    approver = world.visitor("approver")
    answer = approver.post(matter(approver.get("/proposals/")) + "/accept")
    assert answer.status_code == 302, answer.text
    clerk = world.visitor("recorder")
    assert clerk.post("/volunteers/", {"said": gone}).location.endswith((kept, gone))
    assert kept[:4] in clerk.get(f"/volunteers/{gone}").text


def test_a_move_is_asked_by_one_side_and_agreed_by_the_other(world):
    number, code = register(world)
    visitor, _ = first_sign_in(world, number, code)
    visitor.post("/registration/confirm")
    world.accounts.create(OPERATOR, "next", "recorder", station=NEXT_STATION, password="correct horse battery")
    there = world.visitor("next")
    said = {"number": number, "name": "郑重", "station": NEXT_STATION}
    assert "编号和姓名对不上" in there.post("/volunteers/move-in", {**said, "name": "郑轻"}).text
    assert there.post("/volunteers/move-in", said).status_code == 302
    assert visitor.get("/").location == "/registration/", "they are asked"
    where = re.search(r'action="(/registration/proposals/[0-9a-f-]{36})/accept"', visitor.get("/registration/").text)[1]
    assert visitor.post(where + "/accept").status_code == 302
    assert row(world, number).station == NEXT_STATION
    visitor.post("/registration/move", {"station": STATION})
    assert row(world, number).station == NEXT_STATION
    clerk = world.visitor("recorder")
    assert clerk.post(matter(clerk.get("/proposals/")) + "/accept").status_code == 302
    assert row(world, number).station == STATION


def test_nobody_answers_a_matter_that_is_not_theirs(world, person):
    number, code = register(world)
    visitor, _ = first_sign_in(world, number, code)
    visitor.post("/registration/confirm")
    where = matter(world.visitor("approver").get("/proposals/")).replace("/proposals", "/registration/proposals")
    stranger = world.visitor(person.number, person.password)
    assert stranger.post(where + "/accept").status_code == 404
    assert visitor.post(where + "/accept").status_code in (400, 403)
    assert row(world, number).confirmed_on is None


def test_the_person_changes_the_phone_and_leaves_in_two_steps(world):
    number, code = register(world)
    visitor, _ = first_sign_in(world, number, code)
    visitor.post("/registration/phone", {"phone": "139-1234-5678"})
    assert "13912345678" in visitor.get("/registration/").text
    assert "联系电话不对" in visitor.post("/registration/phone", {"phone": "1"}).text
    visitor.post("/registration/particulars", {"area": " 三里庵  A 小区 ", "skills": "急救", "services": ""})
    page = visitor.get("/registration/").text
    assert '<td data-label="内容">三里庵 A 小区</td>' in page
    assert "居住区域" not in page.split("没有保存：")[1].split("。")[0]
    assert "13912345678" in page, "the phone stays"
    assert "没有改动" in visitor.post("/registration/particulars", {"area": "三里庵 A 小区", "skills": "急救"}).text
    assert "不要写电话、证件号" in visitor.post("/registration/particulars", {"skills": "电话 13955512345"}).text
    assert "仍是您的" in visitor.get("/registration/leave").text
    visitor.post("/registration/leave", {"reason": "moved_away"})
    assert row(world, number).left_as == "moved_away"
    assert "已于 2025年11月3日退出" in visitor.get("/registration/").text
    assert "结束登记" in visitor.get("/credit/").text


def test_the_desk_notes_that_somebody_leaves_after_telling_them(world):
    number, _ = register(world)
    clerk = world.visitor("recorder")
    assert "本人已明白" in clerk.post(f"/volunteers/{number}/acts/leave", {"reason": "deceased"}).text
    assert clerk.post(f"/volunteers/{number}/acts/leave", {"reason": "deceased", "sure": "yes"}).status_code == 302
    assert row(world, number).left_as == "deceased"


def test_a_desk_of_another_station_reaches_nobody_here(world):
    number, _ = register(world)
    world.accounts.create(OPERATOR, "next", "recorder", station=NEXT_STATION, password="correct horse battery")
    there = world.visitor("next")
    assert there.get(f"/volunteers/{number}/acts").status_code == 404
    for act in ("code", "paper", "change", "merge", "claim", "guardian", "leave"):
        assert there.post(f"/volunteers/{number}/acts/{act}", {"sure": "yes", "reason": "own_wish"}).status_code == 404
    assert there.get("/proposals/").status_code == 200
