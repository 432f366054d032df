"""A day at the station: an activity planned, people signing in by the screen, the desk and their own code, and the close."""

import re
import threading

import pytest
import requests
from enrolling import enrol

from ledger.attendance import codes, desks
from ledger.attendance.closing import close
from ledger.people.actors import OPERATOR
from ledger.service.records import in_batch

STATION = "340104001004"
FORM = {
    "station": STATION,
    "title": "看望独居老人",
    "series": "neighbour-care",
    "start": "2025-11-03T10:00",
    "end": "2025-11-03T12:00",
    "place": "竹荫里 12 号",
    "responsible": "recorder",
    "group_elderly": "20",
    "services": ["companionship"],
    "declared": "1",
    "do": "publish",
}


@pytest.fixture
def clerk(world):
    return world.visitor("recorder")


@pytest.fixture
def event(clerk):
    """A published activity whose desk is open."""
    answer = clerk.post("/activities/new", FORM)
    assert answer.status_code == 302, answer.text
    number = answer.location.rsplit("/", 1)[1]
    assert clerk.post(f"/activities/{number}/desk/open").location == f"/activities/{number}/desk"
    return number


def scan(world, number):
    return f"/check-in/{number}/{codes.screen_code(world.ledger.vault.blind, number, world.clock())}"


def test_an_activity_is_published_shown_in_the_month_and_called_off(clerk):
    page = clerk.post("/activities/new", {**FORM, "declared": ""})
    assert page.status_code == 400
    assert "逐条看过" in page.text
    assert 'value="看望独居老人"' in page.text, "what was typed is still there"
    assert "本职工作" in clerk.post("/activities/new", {**FORM, "excluded": ["own-job"]}).text
    number = clerk.post("/activities/new", FORM).location.rsplit("/", 1)[1]
    page = clerk.get(f"/activities/{number}").text
    assert "老年人 20 人" in page
    assert "亲情陪伴" in page
    assert f"/activities/{number}" in clerk.get("/activities?month=2025-11").text
    assert f"/activities/{number}" not in clerk.get("/activities?month=2025-09").text
    assert clerk.post(f"/activities/{number}/cancel", {"reason": "台风"}).status_code == 302
    assert "台风" in clerk.get(f"/activities/{number}").text
    again = clerk.get(f"/activities/new?like={number}").text
    assert 'value="看望独居老人"' in again
    assert 'value="20"' in again


def test_a_plan_of_a_major_activity_waits_for_its_report(clerk):
    said = {**FORM, "title": "重阳演出", "major": "performance", "start": "2025-11-20T10:00", "end": "2025-11-20T12:00"}
    refused = clerk.post("/activities/new", said)
    assert "最迟 2025年11月13日" in refused.text
    saved = clerk.post("/activities/new", {**said, "do": "save"})
    plan = re.search(r"plan=(\w+)", saved.location)[1]
    assert "2025年11月13日前报备" in clerk.get("/activities").text
    form = clerk.get(f"/activities/new?plan={plan}").text
    assert 'value="重阳演出"' in form
    assert clerk.post("/activities/new", {**said, "plan": plan, "reported_on": "2025-11-03"}).status_code == 302
    assert "前报备" not in clerk.get("/activities").text


def test_a_report_after_its_last_day_is_marked_and_what_is_missing_is_named_together(clerk):
    said = {**FORM, "title": "", "place": "", "declared": ""}
    assert "请填活动名称、地点" in clerk.post("/activities/new", said).text
    late = {**FORM, "start": "2025-11-08T10:00", "end": "2025-11-08T12:00", "major": "gathering"}
    assert "已经过了，请马上报备" in clerk.post("/activities/new", late).text
    page = clerk.get(clerk.post("/activities/new", {**late, "reported_on": "2025-11-03"}).location).text
    assert "晚于规定的 2025年11月1日" in page


def test_somebody_who_rings_up_is_signed_up_by_name_and_let_go_again(world, clerk):
    people = enrol(world, 2)
    number = clerk.post("/activities/new", FORM).location.rsplit("/", 1)[1]
    page = f"/activities/{number}"
    refused = clerk.post(f"{page}/sign-up", {"who": "陌生人"})
    assert (refused.status_code, "没有找到这位志愿者" in refused.text, 'value="陌生人"' in refused.text) == (400, True, True)
    assert clerk.post(f"{page}/sign-up", {"who": people[0][0]}).status_code == 302
    shown = clerk.get(page).text
    assert "报名的 1 人" in shown
    assert people[0][0] not in shown, "names on a list are masked"
    volunteer = re.search(r'name="volunteer" value="([^"]+)"', shown)[1]
    assert clerk.post(f"{page}/withdraw", {"volunteer": volunteer}).status_code == 302
    assert "报名的 0 人" in clerk.get(page).text


def test_whoever_has_one_station_finds_its_calendar_address_at_once(clerk):
    assert ".ics" in clerk.get("/activities").text


def test_the_calendar_is_fetched_by_its_secret_address_alone(world, clerk, event):
    page = clerk.get(f"/activities?station={STATION}").text
    path = re.search(r"https?://[^/]+(/calendar/[^<]+\.ics)", page)[1]
    answer = world.visitor().get(path)
    assert answer.content_type.startswith("text/calendar")
    assert "SUMMARY:看望独居老人" in answer.text
    assert clerk.post("/activities/feed", {"station": STATION}).status_code == 302
    assert world.visitor().get(path).status_code == 404


def test_a_volunteer_scans_signs_in_first_and_the_time_of_the_scan_counts(world, clerk, event, person):
    screen = clerk.get(f"/activities/{event}/screen").text
    code = re.search(r'class="spell">([^<]+)<', screen)[1].replace(" ", "")
    assert re.search(r'http-equiv="refresh" content="\d+"', screen)
    phone = world.visitor()
    world.clock.move(minutes=40)
    assert phone.get(f"/check-in/{event}/{code}").status_code == 400, "an old code is refused"
    at = world.clock()
    assert phone.get(scan(world, event)).location == f"/check-in/{event}"
    assert "/sign-in" in phone.get(f"/check-in/{event}").location
    world.clock.move(minutes=5)
    phone.sign_in(person.number, person.password)
    assert "我来了，签到" in phone.get(f"/check-in/{event}").text
    assert phone.post(f"/check-in/{event}", {"do": "come"}).status_code == 302
    assert phone.post(f"/check-in/{event}", {"do": "come"}).status_code == 302, "twice is once"
    with world.ledger.read() as tx:
        [row] = desks.everyone(tx.connection, event)
    assert (row.volunteer, row.came_at[:16], row.came_by) == (person.number, at.isoformat()[:16], "screen")
    assert phone.post(f"/check-in/{event}", {"do": "leave"}).status_code == 400, "leaving needs a scan of its own"
    world.clock.move(minutes=55)
    assert phone.post(f"/check-in/{event}", {"do": "leave"}).status_code == 400, "and the old ticket is no longer good"
    phone.get(scan(world, event))
    assert "我走了，签退" in phone.get(f"/check-in/{event}").text
    assert phone.post(f"/check-in/{event}", {"do": "leave"}).status_code == 302
    world.clock.move(minutes=30)
    answer = clerk.post(f"/activities/{event}/close", {"end": "2025-11-03T11:30"})
    assert answer.status_code == 302, answer.text
    assert "已登记 1 条服务记录" in clerk.get(answer.location).text
    with world.ledger.read() as tx:
        [record] = in_batch(tx.connection, desks.find(tx.connection, event).batch)
    assert (record.grade, record.start[11:], record.end[11:]) == ("A", "10:10", "11:10")


def test_the_desk_takes_ones_own_code_once_and_an_old_one_never(world, clerk, event, person):
    phone = world.visitor(person.number, person.password)
    page = phone.get("/check-in").text
    code = re.search(r'class="spell">([^<]+)<', page)[1]
    assert "<svg" in page
    assert clerk.post(f"/activities/{event}/desk", {"code": code}).status_code == 302
    assert "签到成功，09:30" in clerk.get(f"/activities/{event}/desk").text
    world.clock.move(minutes=2)
    refused = clerk.post(f"/activities/{event}/desk", {"code": code})
    assert refused.status_code == 400
    assert "已经过期" in refused.text
    with world.ledger.read() as tx:
        assert [row.left_at for row in desks.everyone(tx.connection, event)] == [None]
    assert clerk.post(f"/activities/{event}/desk", {"code": person.number}).status_code == 302
    assert "签退成功，09:32" in clerk.get(f"/activities/{event}/desk").text
    assert person.number not in clerk.get(f"/activities/{event}").text.replace("-", ""), "nobody is listed who is in order"


def test_the_screens_code_can_be_typed(world, event, person):
    phone = world.visitor(person.number, person.password)
    code = codes.spaced(codes.screen_code(world.ledger.vault.blind, event, world.clock())).lower()
    assert phone.post("/check-in/typed", {"code": code}).location.startswith(f"/check-in/{event}/")
    assert phone.post("/check-in/typed", {"code": "2222 2222"}).status_code == 400


def test_guessing_the_screens_code_is_slowed_for_the_guesser_alone(world, event, person):
    [(_, another)] = enrol(world, 1)
    code = world.accounts.issue_code(OPERATOR, another)
    world.accounts.change_password(world.accounts.sign_in(another, code).actor.account, code, "pingan-jiankang")
    phone, right = world.visitor(person.number, person.password), codes.screen_code(world.ledger.vault.blind, event, world.clock())
    said = [phone.post("/check-in/typed", {"code": f"2222 222{n}"}).text for n in range(2, 8)]
    assert ["输错的次数太多" in text for text in said] == [False] * 5 + [True]
    assert "输错的次数太多" in phone.post("/check-in/typed", {"code": right}).text, "not even the right one"
    assert world.visitor(another, "pingan-jiankang").post("/check-in/typed", {"code": right}).status_code == 302
    world.clock.move(minutes=1)
    right = codes.screen_code(world.ledger.vault.blind, event, world.clock())
    assert phone.post("/check-in/typed", {"code": right}).status_code == 302


def test_who_forgot_to_leave_is_listed_for_the_clerk_to_look_at(world, clerk, event, person):
    clerk.post(f"/activities/{event}/desk", {"code": person.number})
    world.clock.move(hours=5)
    world.ledger.write(lambda tx: close(tx, event), OPERATOR)
    clerk = world.visitor("recorder")  # the morning's session has ended
    page = clerk.get(f"/activities/{event}").text
    assert "忘记签退的 1 条" in page
    assert "签到已经结束" in clerk.get(f"/activities/{event}/desk").text


def test_another_stations_staff_do_not_see_it(world, event):
    world.accounts.create(OPERATOR, "next-door", "recorder", station="340104001001", password="correct horse battery")
    other = world.visitor("next-door")
    assert other.get(f"/activities/{event}").status_code == 404
    assert other.get(f"/activities/{event}/screen").status_code == 403
    assert other.post(f"/activities/{event}/close").status_code == 403


def test_a_crowd_at_a_real_server_is_all_signed_in_and_nobody_twice(world, clerk, event, roster, address):
    with world.ledger.read() as tx:
        people = tx.connection.exec_driver_sql("SELECT number FROM volunteer ORDER BY number").scalars().all()[:20]
    session = requests.Session()
    token = lambda: re.search(r'name="csrf_token" value="([^"]+)"', session.get(f"{address}/sign-in").text)[1]  # noqa: E731
    session.post(f"{address}/sign-in", {"csrf_token": token(), "name": "recorder", "password": "correct horse battery"})
    said = re.search(r'name="csrf_token" value="([^"]+)"', session.get(f"{address}/activities/{event}/desk").text)[1]
    cookies, statuses = session.cookies.get_dict(), []

    def send(number):
        answer = requests.post(
            f"{address}/activities/{event}/desk", {"csrf_token": said, "code": number}, cookies=cookies, allow_redirects=False, timeout=60
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [302] * len(people)
    with world.ledger.read() as tx:
        assert desks.counts(tx.connection, event) == desks.Counts(len(people), len(people), len(people))
