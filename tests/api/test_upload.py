"""A clerk brings a sheet: what would happen is shown, and happens only when it is said so."""

import io
import re
import time

import openpyxl
import pytest
from files import STREET, xlsx

from api.app import create_app
from ledger import log

SHEET = "signin-20251024-004.xlsx"


def size(world):
    with world.ledger.read() as tx:
        return log.tree_head(tx.connection).size


def stored(world):
    with world.ledger.read() as tx:
        return tx.connection.exec_driver_sql("SELECT state, content, outcome FROM upload ORDER BY uploaded_at").all()


def figures(page):
    """The big numbers of the preview, by their words."""
    found = re.findall(r"<b>([\d,]+)</b><span>(?:<svg.*?</svg>)?\s*([^<\s]+)", page, re.DOTALL)
    return {word: int(number.replace(",", "")) for number, word in found}


def test_a_real_sheet_is_shown_committed_once_and_gives_receipts(make_world, founded_url, upload, sheet, expected):
    world = make_world(founded_url)
    clerk = world.visitor("recorder")
    before = size(world)
    page = upload(clerk, sheet, SHEET)
    preview = clerk.get(page).text
    accepted, minutes = len(expected["accepted"]), sum(row["minutes"] for row in expected["accepted"])
    assert figures(preview)["可登记"] == accepted
    assert f"提交 {accepted} 人，共 {minutes // 60}小时{minutes % 60}分" in preview
    assert size(world) == before, "a rehearsal leaves nothing behind"

    assert clerk.post(f"{page}/commit").location == page
    receipt = clerk.get(page).text
    assert f"已登记 {accepted} 条服务记录" in receipt
    with world.ledger.read() as tx:
        indexes = [row[0] for row in tx.connection.exec_driver_sql("SELECT entry_index FROM service")]
    assert len(indexes) == accepted
    assert all(f"<b>{index}</b>" in receipt for index in indexes)

    after = size(world)
    assert clerk.post(f"{page}/commit").status_code == 400
    assert size(world) == after
    again = clerk.get(upload(clerk, sheet, SHEET)).text
    assert (figures(again)["可登记"], figures(again)["以前已登记过"]) == (0, accepted)


def test_names_are_masked_and_id_numbers_are_not_shown(world, upload, sheet, expected):
    clerk = world.visitor("recorder")
    preview = clerk.get(upload(clerk, sheet, SHEET)).text
    signed = [row[:3] for row in openpyxl.load_workbook(io.BytesIO(sheet)).active.iter_rows(min_row=6, values_only=True)]
    names = {name for _, name, number in signed if name and number and len(name) > 1}
    assert not [name for name in names if re.search(rf"[>\s「]{name}[<\s」]", preview)]
    assert not [number for *_, number in signed if number and str(number) in preview]


def test_the_problem_workbook_is_the_clerks_own_sheet_with_a_column_more(world, upload, sheet):
    clerk = world.visitor("recorder")
    page = upload(clerk, sheet, SHEET)
    answer = clerk.get(f"{page}/problems.xlsx")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    marked = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    own = openpyxl.load_workbook(io.BytesIO(sheet)).active
    assert [cell.value for cell in marked["B"]] == [cell.value for cell in own["B"]]
    assert "问题" in [cell.value for cell in marked[5]]
    clerk.post(f"{page}/commit")
    assert clerk.get(f"{page}/problems.xlsx").status_code == 200, "what was refused can still be taken home"


def test_what_is_uploaded_lies_sealed_and_goes_after_the_commit(world, upload, sheet):
    clerk = world.visitor("recorder")
    rows = [list(row) for row in openpyxl.load_workbook(io.BytesIO(sheet)).active.iter_rows(values_only=True)]
    page = upload(clerk, xlsx([*rows[:5], rows[5]]), "一个人.xlsx")
    [(state, content, outcome)] = stored(world)
    assert state == "checked"
    assert not content.startswith(b"PK")
    assert rows[5][1].encode() not in content + outcome
    clerk.post(f"{page}/commit")
    [(state, content, _)] = stored(world)
    assert (state, bytes(content)) == ("committed", b"")


def test_a_file_in_hand_is_gone_after_a_day(world, upload, sheet):
    clerk = world.visitor("recorder")
    first = upload(clerk, sheet, SHEET)
    world.clock.move(days=1, minutes=1)
    clerk = world.visitor("recorder")
    upload(clerk, sheet, SHEET)
    assert len(stored(world)) == 1
    assert clerk.get(first).status_code == 404


def test_a_file_in_hand_is_seen_by_nobody_else(world, upload, sheet):
    page = upload(world.visitor("recorder"), sheet, SHEET)
    other = world.visitor("approver")
    assert other.get(page).status_code == 404
    assert other.post(f"{page}/commit").status_code == 404
    assert other.get(f"{page}/problems.xlsx").status_code == 404


@pytest.mark.parametrize("role", ["recorder", "approver"])
def test_nobody_on_the_web_makes_hours_count_alone(world, upload, sheet, expected, role):
    """Whatever a form is made to say: what one person uploads waits for another."""
    visitor = world.visitor(role)
    visitor.post(f"{upload(visitor, sheet, SHEET, settled='yes')}/commit")
    with world.ledger.read() as tx:
        states = tx.connection.exec_driver_sql("SELECT DISTINCT status FROM service").scalars().all()
    assert states == ["recorded"]


def test_a_station_table_is_the_officials_to_bring(world, upload):
    table = (STREET / "stations.csv").read_bytes()
    clerk, official = world.visitor("recorder"), world.visitor("official")
    assert clerk.post("/sheets/", {"kind": "stations", "files": (table, "stations.csv")}).status_code == 403
    assert figures(official.get(upload(official, table, "stations.csv", "stations")).text)["以前已登记过"] == 7
    assert official.post("/sheets/", {"kind": "hours", "files": (table, "x.csv")}).status_code == 403


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7", "这是 PDF 文件，不是表格"),
        (xlsx([["天气", "晴"]]), "没有登记任何内容"),
    ],
)
def test_a_file_that_is_no_sheet_says_why(world, upload, content, said):
    clerk = world.visitor("recorder")
    page = upload(clerk, content, "不对.xlsx")
    assert said in clerk.get(page).text
    assert clerk.post(f"{page}/commit").status_code == 400
    assert clerk.post(f"{page}/discard").location == "/sheets/"
    assert clerk.get(page).status_code == 404


def test_an_empty_choice_an_empty_file_and_a_file_too_large_are_told_apart(world):
    clerk = world.visitor("recorder")
    assert "还没有选择文件" in clerk.post("/sheets/", {"kind": "hours"}).text
    assert "空文件" in clerk.post("/sheets/", {"kind": "hours", "files": (b"", "空.xlsx")}).text
    answer = clerk.post("/sheets/", {"kind": "hours", "files": (bytes(21 * 1024 * 1024), "大.xlsx")})
    assert (answer.status_code, "20 MB" in answer.text) == (413, True)


def test_several_files_come_at_once_and_wait_side_by_side(world, sheet):
    clerk = world.visitor("recorder")
    files = [(sheet, SHEET), (b"%PDF-1.7", "附件.pdf")]
    assert clerk.post("/sheets/", {"kind": "hours", "files": files}).location == "/sheets/"
    page = clerk.get("/sheets/").text
    assert SHEET in page
    assert "附件.pdf" in page


def test_a_large_file_is_worked_on_while_the_page_tells_how_far(world, upload):
    approver = world.visitor("approver")
    page = upload(approver, (STREET / "legacy-hours.csv").read_bytes(), "legacy-hours.csv")
    seen = approver.get(page).text
    assert '<meta http-equiv="refresh"' in seen or "核对" in seen
    deadline = time.monotonic() + 60
    while "可登记" not in (seen := approver.get(page).text):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    assert figures(seen)["可登记"] + figures(seen)["有问题"] + figures(seen)["待登记"] == 4622


def test_work_that_a_restart_cut_short_begins_anew(world, upload, sheet):
    clerk = world.visitor("recorder")
    page = upload(clerk, sheet, SHEET)
    world.ledger.operate(lambda connection, _now: connection.exec_driver_sql("UPDATE upload SET state='committing', outcome=NULL"))
    world.app = create_app(world.ledger, accounts=world.accounts)
    clerk = type(clerk)(world.app)
    clerk.sign_in("recorder")
    clerk.get(page)
    deadline = time.monotonic() + 60
    while "可登记" not in (seen := clerk.get(page).text):
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)
    assert "提交" in seen


def test_rows_over_the_daily_cap_are_signed_for_by_a_second_person(world, upload, sheet, expected):
    rows = [list(row) for row in openpyxl.load_workbook(io.BytesIO(sheet)).active.iter_rows(values_only=True)]
    start, end = (rows[4].index(name) for name in ("签到时间", "签退时间"))
    known = {row["id"] for row in expected["accepted"]}
    place = next(at for at, row in enumerate(rows) if row[2] in known)
    rows[place][start], rows[place][end] = "06:00", "17:00"
    clerk = world.visitor("recorder")
    page = upload(clerk, xlsx(rows), "值守.xlsx")
    shown = clerk.get(page).text
    assert 'href="/signatures/"' in shown
    [name] = re.findall(r'name="(reason-\d+)"', shown)
    assert name == f"reason-{place + 1}"
    wrong = clerk.post(f"{page}/commit", {name: "打 13800001234 问"})
    assert (wrong.status_code, "不要写手机号" in wrong.text, "打 13800001234 问" in wrong.text) == (400, True, True)
    assert clerk.post(f"{page}/commit", {name: "汛期值守，有值班表"}).status_code == 302
    assert figures(clerk.get(page).text)["等第二人签字"] == 1
    assert "汛期值守，有值班表" in clerk.get(page).text
    assert "属实，我签字" in world.visitor("approver").get("/signatures/").text
    assert figures(clerk.get(upload(clerk, xlsx(rows), "值守.xlsx")).text)["等第二人签字"] == 1, "and the same file again asks nobody twice"
