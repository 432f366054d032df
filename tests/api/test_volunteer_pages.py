"""The volunteer's pages: the total and its list, the paper, the inbox, and a helper at the desk for some minutes."""

import re

import pytest

from api.app import create_app
from api.help_texts import HELP
from ledger import credit, notices
from ledger.people.actors import OPERATOR, Actor
from ledger.service import amending, approving

APPROVER = Actor("second", "approver")


@pytest.fixture
def mine(world, person):
    return world.visitor(person.number, person.password)


@pytest.fixture
def own(recorded, person):
    """The entry of the person's own record."""
    return next(index for index, volunteer, *_ in recorded if volunteer == person.number)


def write(world, work, actor=APPROVER):
    return world.ledger.write(work, actor)


def minutes_of(text):
    """Read 2小时30分 back into minutes."""
    hours, rest = re.fullmatch(r"(?:(\d+)小时)?(?:(\d+)分)?", text).groups()
    return int(hours or 0) * 60 + int(rest or 0)


def test_what_waits_stands_beside_the_total_with_the_reason(world, mine, own, person):
    page = mine.get("/credit/").text
    assert "另有 <b>" in page
    assert "等另一位工作人员审核" in page
    assert "站点登记员（" in page, "who recorded is a role at a place, not a name"
    assert "recorder" not in re.sub(r"<[^>]*>", "", page)
    write(world, lambda tx: approving.approve(tx, [own]))
    page = mine.get("/credit/").text
    day = world.ledger.operate(lambda connection, _: connection.exec_driver_sql("SELECT effective_on FROM service").scalars().first())
    assert "正在公示" in page
    assert f"{int(day[5:7])}月{int(day[8:])}日" in page


def test_the_total_equals_the_list_and_the_years_below_it(world, mine, own, person):
    write(world, lambda tx: approving.approve(tx, [own]))
    world.clock.move(days=20)
    page = mine.get("/credit/").text
    total = minutes_of(re.search(r'class="sum">([^<]+)<', page)[1])
    listed = [minutes_of(text) for text in re.findall(r'class="much"><b>([^<]+)</b><span class="status counted"', page)]
    with world.ledger.read() as tx:
        assert total == sum(listed) == credit.statement(tx, person.number).minutes > 0
    assert "已生效" in page
    assert "还差 <b>" in page
    assert re.search(r'<rect width="100" height="10"/>', page), "the longest year has the longest bar"


def test_the_paper_has_every_entry_with_its_short_hash_and_where_to_check_it(world, mine, own, person):
    write(world, lambda tx: approving.approve(tx, [own]))
    world.clock.move(days=20)
    page = mine.get("/credit/statement").text
    leaf = world.ledger.operate(lambda c, _: c.exec_driver_sql(f'SELECT leaf FROM entry WHERE "index" = {own}').scalar_one())
    assert bytes(leaf).hex()[:12] in page
    assert f"{own}<br>" in page
    assert "http://localhost/" in page
    picture = mine.get("/credit/check.svg")
    assert (picture.status_code, picture.content_type) == (200, "image/svg+xml")
    assert world.visitor("approver").get(f"/volunteers/{person.number}/statement").status_code == 200


def test_the_inbox_tells_what_became_of_a_record_and_counts_what_is_new(world, mine, own, person):
    write(world, lambda tx: approving.approve(tx, [own]))
    write(world, lambda tx: amending.void(tx, own, reason="没有到场"), Actor("third", "approver"))
    assert re.search(r'class="badge">4<', mine.get("/credit/").text), "a code, recorded, approved, voided"
    page = mine.get("/notices/").text
    assert page.index("一条记录作废了") < page.index("审核通过，开始公示")
    assert "没有到场" in page
    assert f"/credit/#r{own}" in page
    assert 'class="badge">新' in page
    assert 'class="badge"' not in mine.get("/notices/").text, "seen once"
    assert 'class="badge"' not in mine.get("/credit/").text


def test_nobody_reads_anothers_inbox(world, mine, person):
    write(world, lambda tx: notices.tell(tx, "person/2222222222", "certificate.issued", {}), OPERATOR)
    assert "证明开好了" not in mine.get("/notices/").text
    assert "证明开好了" not in world.visitor("recorder").get("/notices/").text


def test_a_notice_without_words_of_its_own_is_shown_all_the_same(world, mine, person):
    write(world, lambda tx: notices.tell(tx, f"person/{person.number}", "something.new", {"entry": 3}), OPERATOR)
    page = mine.get("/notices/").text
    assert "有一件和您有关的事" in page
    assert "第 3 条" in page


def test_messages_are_asked_for_and_given_up_again(world, mine, person):
    answer = mine.post("/notices/wish", {"channel": "sms"})
    assert answer.status_code in (302, 400)
    if answer.status_code == 400:
        assert "手机号" in answer.text
        return
    assert 'value="sms" checked' in mine.get("/notices/").text
    mine.post("/notices/wish", {"channel": ""})
    assert 'value="" checked' in mine.get("/notices/").text


# --- a helper at the desk


def test_with_the_persons_word_the_desk_sees_their_page_for_five_minutes(world, person, mine, own):
    clerk = world.visitor("recorder")
    assert clerk.post(f"/helping/{person.number}/start", {"code": person.password}).location == "/helping/"
    page = clerk.get("/helping/").text
    assert "累计服务" in page
    assert re.search(r'http-equiv="refresh" content="(300|301);', page)
    assert "这条不对" not in page, "what is the person's own to say is said by them"
    assert "本人在场" in mine.get("/my/reveals").text, "the person sees the look"
    world.clock.move(minutes=5, seconds=1)
    assert clerk.get("/helping/").location == "/volunteers/"
    assert "已经结束" in clerk.get("/volunteers/").text


def test_help_ends_at_a_button_and_belongs_to_one_account(world, person):
    clerk = world.visitor("recorder")
    clerk.post(f"/helping/{person.number}/start", {"code": person.password})
    assert clerk.post("/helping/end").status_code == 302
    assert clerk.get("/helping/").status_code == 302
    assert world.visitor("approver").get("/helping/").status_code == 302


def test_without_the_right_code_nothing_opens_and_no_look_is_noted(world, person, mine):
    clerk = world.visitor("recorder")
    answer = clerk.post(f"/helping/{person.number}/start", {"code": "not-the-code"})
    assert (answer.status_code, "不对" in answer.text) == (403, True)
    assert clerk.get("/helping/").status_code == 302
    assert "本人在场" not in mine.get("/my/reveals").text


def test_the_session_that_opened_the_help_is_not_left_behind(world, person):
    before = world.accounts.sessions_of(person.account)
    world.visitor("recorder").post(f"/helping/{person.number}/start", {"code": person.password})
    assert len(world.accounts.sessions_of(person.account)) == len(before)


def test_a_one_time_code_helps_too_and_stays_good(world, person):
    code = world.accounts.issue_code(OPERATOR, person.number)
    clerk = world.visitor("recorder")
    for _ in range(2):
        assert clerk.post(f"/helping/{person.number}/start", {"code": code}).location == "/helping/"


def test_people_of_other_stations_are_not_helped_here(world, person):
    world.accounts.create(OPERATOR, "far", "recorder", station="340104001001", password="correct horse battery")
    far = world.visitor("far")
    assert far.get(f"/helping/{person.number}/start").status_code == 404
    assert far.post(f"/helping/{person.number}/start", {"code": person.password}).status_code == 404


# --- help and templates


def test_help_lists_the_pages_with_their_steps_and_each_page_folds_its_own_in(world, mine, person):
    page = world.visitor().get("/help").text
    views = world.app.view_functions
    assert all(one.sentence in page for endpoint, one in HELP.items() if endpoint in views)
    assert all(step in page for endpoint, one in HELP.items() if endpoint in views for step in one.steps)
    for path, endpoint in (("/credit/", "credit.mine"), ("/notices/", "notices.inbox"), ("/my/data", "my_data.everything")):
        shown = mine.get(path).text
        assert shown.count("怎么做</summary>") == 1
        assert HELP[endpoint].steps[0] in shown


def test_every_help_is_about_a_page(world):
    known = create_app(world.ledger, accounts=world.accounts).view_functions
    assert set(HELP) <= set(known)


@pytest.mark.parametrize("kind", ["hours", "volunteers", "organisations", "stations"])
def test_templates_are_downloaded_from_the_upload_page(world, kind):
    official = world.visitor("approver")
    assert "/sheets/templates/hours.xlsx" in official.get("/sheets/").text
    answer = official.get(f"/sheets/templates/{kind}.xlsx")
    assert answer.status_code == 200
    assert answer.data[:2] == b"PK"
