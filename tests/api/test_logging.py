"""A clerk logs a sheet on the pages: with forms alone, from the activity over the names to the receipt; and takes a batch back."""

import io
import re

import pytest
from enrolling import STATION, enrol


@pytest.fixture
def clerk(world):
    return world.visitor("recorder")


@pytest.fixture
def begin(clerk):
    """Begin a draft and fill in what is the same for everyone; returns its address."""

    def start(activity="", **said):
        page = clerk.post("/logging/", {"station": STATION, "activity": activity}).location
        common = {"title": "邻里守望", "day": "2025-11-02", "start": "9:00", "end": "11:00", "rows": ""} | said
        assert clerk.post(page, common | {"do": "save"}).location == page
        return page

    return start


def ids(page):
    return re.search(r'name="rows" value="([^"]*)"', page)[1].split()


def services(world):
    with world.ledger.read() as tx:
        return tx.connection.exec_driver_sql("SELECT volunteer, minutes, status, batch FROM service ORDER BY entry_index").all()


def test_a_sheet_from_the_names_to_the_receipt_and_back(world, clerk, begin):
    people = enrol(world, 12)
    page = begin()
    clerk.post(page, {"paste": "\n".join(name for name, _ in people[:11]), "do": "add"})
    shown = clerk.get(page).text
    assert len(ids(shown)) == 11
    assert people[0][0] not in shown, "names on a list are masked"
    gone = ids(shown)[0]
    answer = clerk.post(page, {"rows": " ".join(ids(shown)), "on": ids(shown)[1:], "add": "", "do": "enter"})
    assert answer.location == f"{page}/check", "enter in an empty line goes on"
    check = clerk.get(f"{page}/check").text
    assert "提交 10 人，共 20小时" in check
    assert services(world) == [], gone
    receipt = clerk.post(f"{page}/check", {"do": "commit"}).location
    assert len(services(world)) == 10
    text = clerk.get(receipt).text
    assert "已登记 10 条服务记录" in text
    assert len(re.findall(r"<code>[0-9a-f]{12}</code>", text)) == 10
    assert clerk.post(f"{page}/check", {"do": "commit"}).location == receipt, "a second click shows the same receipt"
    assert clerk.get(page).location == receipt
    again = clerk.get("/logging/").text
    activity = re.search(r'name="activity" value="([A-Z0-9]{10})"', again)[1]
    assert clerk.get(begin(activity)).text.count("checked>") >= 10, "those of last time are ticked"

    assert clerk.post(f"{receipt}/undo", {"reason": "日期写错了"}).location == receipt
    assert {status for _, _, status, _ in services(world)} == {"voided"}


def test_a_problem_is_shown_with_the_way_to_mend_it_and_what_is_left_out_stays(world, clerk, begin):
    people = enrol(world, 3)
    page = begin()
    clerk.post(page, {"paste": f"{people[0][0]}\n{people[1][0]} 11:00-9:00\n陌生人", "do": "add"})
    check = clerk.get(f"{page}/check").text
    rows = ids(check)
    assert len(rows) == 2
    assert clerk.post(f"{page}/check", {"rows": " ".join(rows), "do": "commit"}).status_code == 400
    assert services(world) == []
    said = {"rows": " ".join(rows), f"times-{rows[0]}": "9点-10点半", "left": rows[1], "do": "commit"}
    assert clerk.post(f"{page}/check", said).location.startswith("/batches/")
    assert sorted(minutes for _, minutes, *_ in services(world)) == [90, 120]
    left = clerk.get(page).text
    assert "陌生人" in left
    assert len(ids(left)) == 1


def test_what_cannot_be_read_loses_nothing_of_what_was_typed(world, clerk, begin):
    page = begin()
    answer = clerk.post(page, {"title": "改过的名称", "paste": "？？", "add": "-nobody", "do": "add"})
    assert (answer.status_code, "改过的名称" in answer.text, "？？" in answer.text or "??" in answer.text) == (400, True, True)
    assert clerk.post(f"{page}/save", {"title": "又改了", "rows": ""}).status_code == 204
    assert "又改了" in clerk.get(page).text
    assert clerk.get(f"{page}/check").status_code == 400, "nobody is on the list"


def test_a_picture_goes_with_the_sheet_and_who_opens_it_is_noted(world, clerk, begin):
    people = enrol(world, 1)
    page = begin()
    form = {"csrf_token": clerk.token(), "add": people[0][0], "photo": (io.BytesIO(b"\x89PNG\r\n\x1a\nphoto"), "sheet.png"), "do": "add"}
    assert clerk.client.post(page, data=form, content_type="multipart/form-data").status_code == 302
    receipt = clerk.post(f"{page}/check", {"do": "commit"}).location
    approver = world.visitor("approver")
    where = re.search(r'action="(/evidence/[^"]+)"', approver.get(receipt).text)[1]
    picture = approver.post(where)
    assert (picture.data, picture.mimetype, picture.headers["Cache-Control"]) == (b"\x89PNG\r\n\x1a\nphoto", "image/png", "no-store")
    assert "打开过 1 次" in approver.get(receipt).text


def test_an_approved_batch_is_voided_by_two(world, clerk, begin):
    people = enrol(world, 2)
    page = begin()
    clerk.post(page, {"paste": "\n".join(name for name, _ in people), "do": "add"})
    receipt = clerk.post(f"{page}/check", {"do": "commit"}).location
    assert clerk.post(f"{receipt}/void", {"reason": "活动没有举行"}).location == receipt
    refused = clerk.post(f"{receipt}/void/accept")
    assert refused.status_code == 403
    approver = world.visitor("approver")
    assert "活动没有举行" in approver.get("/batches").text
    assert approver.post(f"{receipt}/void/accept").location == receipt
    assert {status for _, _, status, _ in services(world)} == {"voided"}


def test_only_these_pages_let_a_script_run_and_only_ones_own(clerk, begin):
    own = clerk.get(begin()).headers.get_all("Content-Security-Policy")
    assert len(own) == 1
    assert "script-src 'self';" in own[0]
    assert "unsafe" not in own[0]
    assert "script" not in clerk.get("/work").headers["Content-Security-Policy"]


def test_a_draft_of_another_is_taken_over_with_a_note(world, begin):
    page = begin()
    other = world.visitor("approver")
    assert other.get(page).status_code == 403
    assert "recorder 在写" in other.get("/logging/?station=" + STATION).text
    assert other.post(f"{page}/take", {"note": "同事去开会了"}).location == page
    assert "同事去开会了" in other.get(page).text


def test_a_row_left_out_that_was_mended_since_is_recorded_as_the_page_says(world, clerk, begin):
    [person] = enrol(world, 1)
    page = begin(start="6:00", end="18:00")
    clerk.post(page, {"paste": person[0], "do": "add"})
    [row] = ids(clerk.get(f"{page}/check").text)
    refused = clerk.post(f"{page}/check", {"rows": row, "left": "all", "do": "commit"})
    assert (refused.status_code, "都选了「这次不登记」" in refused.text) == (400, True)
    assert f'value="{row}" checked' in refused.text, "what was left out is still shown, and may be taken back"
    said = {"rows": row, "left": "all", f"reason-{row}": "抗台风值守一整天", "do": "commit"}
    assert clerk.post(f"{page}/check", said).location == "/logging/"
    assert "1 人超过每日上限，正等另一位工作人员签字" in clerk.get("/logging/").text
    assert services(world) == []


def test_the_check_shows_the_times_as_they_were_read_and_asks_about_a_day_long_ago(world, clerk, begin):
    people = enrol(world, 1)
    page = begin(day="2005-11-02", start="9点半", end="次日1:00")
    clerk.post(page, {"paste": people[0][0], "do": "add"})
    check = clerk.get(f"{page}/check").text
    assert "2005年11月2日 09:30–次日 01:00" in check
    assert "请再看一眼服务日期 2005年11月2日" in check
    clerk.post(page, {"day": "2025-11-04", "do": "save"})
    refused = clerk.get(f"{page}/check")
    assert (refused.status_code, "2025年11月4日还没有到" in refused.text) == (400, True)


def test_looking_at_a_roster_twice_leaves_one_draft(clerk):
    first = clerk.post("/logging/", {"station": STATION, "activity": ""}).location
    assert clerk.post("/logging/", {"station": STATION, "activity": ""}).location == first
    clerk.post(first, {"title": "邻里守望", "do": "save"})
    assert clerk.post("/logging/", {"station": STATION, "activity": ""}).location != first
