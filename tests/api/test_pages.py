"""What the pages show is what the ledger holds, in plain words; what they do is what their buttons say."""

import re
from base64 import b64decode
from datetime import datetime

import pytest

from ledger import checkpoints, log, notes, rates, stations, tiles
from ledger.people.actors import OPERATOR
from ledger.people.volunteers import Registration, register_many
from ledger.service.drafts import Draft, duration
from ledger.service.recording import record_many
from ledger.stations import Station

INLINE = re.compile(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:|https?://(?!www\.w3\.org/2000/svg)", re.IGNORECASE)

TEMPLATE = re.compile(r"\{\{|\{%|url_for\(|\) \}\}")
"""What a page shows when a piece of its template was left standing."""


def sign(world):
    return world.ledger.operate(lambda connection, _now: world.ledger.signing.sign(connection))


def offered(visitor):
    """What the form of the first batch sends when it is approved whole."""
    page = visitor.get("/approvals/").text
    return {name: re.search(f'name="{name}" value="([^"]*)"', page)[1] for name in ("batch", "shown")} | {"which": "all"}


def approve(world, recorded):
    approver = world.visitor("approver")
    form = offered(approver)
    assert form["batch"] == recorded[0].batch
    assert approver.post("/approvals/", form).location == "/approvals/"


def records_of(recorded, person):
    return [row for row in recorded if row.volunteer == person.number]


def minutes_read(text):
    hours, minutes = re.search(r"(?:(\d+)小时)?(?:(\d+)分)?$", text).groups()
    return int(hours or 0) * 60 + int(minutes or 0)


# --- every page


def test_no_page_holds_anything_that_the_content_policy_forbids(world, recorded, person):
    sign(world)
    seen = {
        None: ["/sign-in", "/stations/", "/log/", "/nowhere"],
        "recorder": ["/work", "/sheets/", "/batches", f"/batches/{recorded[0].batch}", f"/records/{recorded[0].entry_index}"],
        "approver": ["/work", "/approvals/", "/volunteers/", f"/volunteers/{person.number}", "/password"],
        "administrator": ["/accounts/", "/work"],
    }
    for role, paths in seen.items():
        visitor = world.visitor(role)
        for path in paths:
            answer = visitor.get(path)
            page = answer.text
            assert not INLINE.search(page), (path, INLINE.search(page))
            assert not TEMPLATE.search(page), f"{path} shows a piece of its template"
            assert page.count("<h1") == 1, path
            assert 'lang="zh-CN"' in page
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(world):
    cookie = world.visitor().sign_in("recorder").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_form_without_its_token_does_nothing(world, recorded):
    visitor = world.visitor("approver")
    answer = visitor.client.post("/approvals/", data={"batch": recorded[0].batch, "which": "all"})
    assert (answer.status_code, "不是从本站的页面提交" in answer.text) == (400, True)
    assert "整批通过" in visitor.get("/approvals/").text


def test_an_unexpected_fault_shows_a_number_that_the_log_has_and_nothing_else(world, caplog):
    @world.app.get("/fault")
    def fault():
        raise RuntimeError("the inside")

    fault.open_to = frozenset({"recorder"})
    answer = world.visitor("recorder").get("/fault")
    number = re.search(r"<code>([0-9a-f]{12})</code>", answer.text)[1]
    assert answer.status_code == 500
    assert "the inside" not in answer.text
    assert number in caplog.text


# --- signing in


def test_a_refusal_keeps_the_name_says_one_sentence_and_never_the_password(world):
    unknown = world.visitor().sign_in("nobody-here", "a secret that nobody has")
    wrong = world.visitor().sign_in("recorder", "a secret that nobody has")
    said = [re.search(r'role="alert".*?<p>(.*?)</p>', answer.text, re.DOTALL)[1] for answer in (unknown, wrong)]
    assert said[0] == said[1]
    assert (unknown.status_code, wrong.status_code) == (403, 403)
    assert 'value="recorder"' in wrong.text
    assert "a secret that" not in wrong.text


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "evil"])
def test_after_signing_in_nobody_is_sent_to_another_site(world, target):
    answer = world.visitor().post("/sign-in", {"name": "recorder", "password": "correct horse battery", "next": target})
    assert answer.location == "/"


def test_who_was_on_the_way_to_a_page_arrives_there(world):
    visitor = world.visitor()
    target = visitor.get("/batches").location
    assert target == "/sign-in?next=/batches"
    said = {"name": "recorder", "password": "correct horse battery", "next": "/batches"}
    assert visitor.post("/sign-in", said).location == "/batches"


def test_a_reset_ends_the_sessions_that_are_open(world):
    visitor = world.visitor("recorder")
    assert visitor.get("/work").status_code == 200
    world.accounts.reset(OPERATOR, "recorder")
    assert visitor.get("/work").status_code == 302


def test_signing_out_ends_the_session(world):
    visitor = world.visitor("recorder")
    assert visitor.post("/sign-out").location == "/sign-in"
    assert visitor.get("/work").status_code == 302


def test_the_first_password_is_chosen_twice_alike_and_long_enough(world, person):
    code = world.accounts.reset(OPERATOR, "recorder")
    visitor = world.visitor("recorder", code)
    said = {"old": code, "new": "long enough now", "again": "long enough, no"}
    assert "不一样" in visitor.post("/password", said).text
    assert "至少要 12" in visitor.post("/password", said | {"new": "short", "again": "short"}).text
    assert visitor.post("/password", said | {"again": "long enough now"}).location == "/"
    assert visitor.get("/work").status_code == 200


# --- approval and what follows


def test_a_batch_waits_with_its_people_masked_its_minutes_and_how_late_it_came(world, recorded):
    page = world.visitor("approver").get("/approvals/").text
    total = sum(row.minutes for row in recorded)
    assert f"整批通过 {len(recorded)} 人，共 {duration(total)}" in page
    assert "服务后 10 天" in page
    assert page.count('name="record"') == len(recorded)
    assert "recorder</a>，" in page


def test_a_batch_that_came_after_its_due_day_is_flagged(world, upload, sheet):
    world.clock.move(days=7)
    clerk = world.visitor("recorder")
    clerk.post(f"{upload(clerk, sheet, 'late.xlsx')}/commit")
    assert "服务后 17 天才登记，超过 10 个工作日" in world.visitor("approver").get("/approvals/").text


def test_approved_records_are_in_publicity_and_count_from_the_day_that_is_said(world, recorded, person):
    approve(world, recorded)
    assert "没有等待审核的记录" in world.visitor("approver").get("/approvals/").text
    mine = world.visitor(person.number, person.password)
    page = mine.get("/credit/").text
    assert "公示中" in page
    assert "2025年11月11日起计入" in page
    assert '<p class="sum">0分</p>' in page
    world.clock.move(days=8)
    page = mine.get("/credit/").text
    assert "已生效" in page
    assert "status publicity" not in page
    assert f'<p class="sum">{duration(sum(row.minutes for row in records_of(recorded, person)))}</p>' in page


def test_only_what_was_ticked_is_approved(world, recorded):
    approver = world.visitor("approver")
    chosen = [row.entry_index for row in recorded[:3]]
    approver.post("/approvals/", offered(approver) | {"which": "ticked", "record": chosen})
    assert approver.get("/approvals/").text.count('name="record"') == len(recorded) - 3
    assert approver.post("/approvals/", offered(approver) | {"which": "ticked"}).status_code == 400


def test_a_figure_changed_since_the_page_was_shown_is_not_approved_unseen(world, recorded):
    approver, clerk = world.visitor("approver"), world.visitor("recorder")
    seen = offered(approver)
    first, second, third = (row.entry_index for row in recorded[:3])
    times = {"start": "2025-10-24T09:00", "end": "2025-10-24T09:30", "reason": "签退时间抄错"}
    assert clerk.post(f"/records/{first}/correct", times).status_code == 302
    for form in (seen, seen | {"which": "ticked", "record": [first, second]}):
        answer = approver.post("/approvals/", form)
        assert (answer.status_code, f"第 {first} 条等 1 条在您打开页面以后被更正" in answer.text) == (409, True)
        assert approver.get("/approvals/").text.count('name="record"') == len(recorded)
    assert approver.post("/approvals/", seen | {"which": "ticked", "record": [second]}).status_code == 302
    seen = offered(approver)
    assert clerk.post(f"/records/{third}/void", {"reason": "登记错了人"}).status_code == 302
    assert approver.post("/approvals/", seen).status_code == 409
    assert approver.post("/approvals/", offered(approver)).status_code == 302
    assert approver.post("/approvals/", {"batch": seen["batch"], "which": "all"}).status_code == 400, "nothing was shown"


def test_of_a_batch_of_several_stations_each_approver_approves_what_is_theirs(world, recorded):
    with world.ledger.read() as tx:
        one = tx.connection.exec_driver_sql("SELECT activity, volunteer FROM service").first()
    times = (datetime(2025, 10, 20, 9), datetime(2025, 10, 20, 10))
    draft = Draft(one.volunteer, one.activity, "340104001001", *times, grade="C", batch=recorded[0].batch)
    [elsewhere] = world.ledger.write(lambda tx: record_many(tx, [draft]), OPERATOR)
    world.accounts.create(OPERATOR, "local", "approver", station="340104001004", password="correct horse battery")
    local = world.visitor("local")
    assert f"整批通过 {len(recorded)} 人" in local.get("/approvals/").text
    form = offered(local)
    assert local.post("/approvals/", form).status_code == 302
    assert "没有等待审核的记录" in local.get("/approvals/").text
    crafted = form | {"shown": f"{elsewhere.index}-"}
    assert local.post("/approvals/", crafted).status_code == 403
    assert world.visitor("approver").get("/approvals/").text.count('name="record"') == 1


def test_whoever_corrected_part_of_a_batch_approves_the_rest_of_it(world, recorded):
    approver = world.visitor("approver")
    times = {"start": "2025-10-24T09:00", "end": "2025-10-24T09:30", "reason": "签退时间抄错"}
    assert approver.post(f"/records/{recorded[0].entry_index}/correct", times).status_code == 302
    page = approver.get("/approvals/").text
    rest = duration(sum(row.minutes for row in recorded[1:]))
    assert "其中 1 条是您自己登记或更正的" in page
    assert f"通过其余的 {len(recorded) - 1} 人，共 {rest}" in page
    assert f'<p class="figure">{len(recorded) - 1}<small>' in approver.get("/work").text
    assert approver.post("/approvals/", offered(approver)).status_code == 302
    page = approver.get("/approvals/").text
    assert "这一批是您自己登记或更正的" in page
    assert 'name="which"' not in page


def test_ones_own_records_are_shown_and_cannot_be_approved(world, upload, sheet):
    approver = world.visitor("approver")
    approver.post(f"{upload(approver, sheet, 'signin-20251024-004.xlsx')}/commit")
    page = approver.get("/approvals/").text
    assert "您自己登记或更正的" in page
    assert "整批通过" not in page
    batch, own = (re.search(pattern, page)[1] for pattern in (r'name="batch" value="([^"]+)"', r'href="/records/(\d+)"'))
    assert approver.post("/approvals/", {"batch": batch, "which": "all", "shown": f"{own}-"}).status_code == 403


def test_a_record_is_corrected_and_voided_with_a_reason_and_the_volunteer_sees_both(world, recorded, person):
    [mine] = records_of(recorded, person)
    clerk, volunteer = world.visitor("recorder"), world.visitor(person.number, person.password)
    path = f"/records/{mine.entry_index}"
    times = {"start": "2025-10-24T09:00", "end": "2025-10-24T10:30"}
    assert "请写明理由" in clerk.post(f"{path}/correct", times).text
    assert clerk.post(f"{path}/correct", times | {"reason": "签退时间抄错，已与本人核对"}).location == path
    page = volunteer.get("/credit/").text
    assert "1小时30分" in page
    assert "已更正：签退时间抄错，已与本人核对" in page
    assert clerk.post(f"{path}/void", {"reason": "登记错了人"}).location == path
    page = volunteer.get("/credit/").text
    assert "已作废" in page
    assert "理由：登记错了人" in page
    assert "已经作废" in clerk.post(f"{path}/void", {"reason": "再作废一次"}).text


def test_another_stations_records_are_out_of_reach(world, recorded):
    world.accounts.create(OPERATOR, "neighbour", "recorder", station="340104001001", password="correct horse battery")
    neighbour = world.visitor("neighbour")
    assert neighbour.get(f"/records/{recorded[0].entry_index}").status_code == 403
    assert neighbour.post(f"/records/{recorded[0].entry_index}/void", {"reason": "不是本站的"}).status_code in (400, 403)
    assert neighbour.get(f"/batches/{recorded[0].batch}").status_code == 404


def test_the_receipt_of_a_batch_prints_every_entry_with_its_hash(world, recorded):
    page = world.visitor("recorder").get(f"/batches/{recorded[0].batch}").text
    with world.ledger.read() as tx:
        leaves = {row.index: row.leaf.hex()[:12] for row in log.scan(tx.connection)}
    assert all(leaves[row.entry_index] in page for row in recorded)


# --- the volunteer


def test_the_total_is_the_sum_of_the_list_below_it(world, recorded, person):
    approve(world, recorded)
    world.clock.move(days=30)
    page = world.visitor(person.number, person.password).get("/credit/").text
    total = minutes_read(re.search(r'<p class="sum">([^<]+)</p>', page)[1])
    listed = [minutes_read(text) for text in re.findall(r'<div class="much"><b>([^<]+)</b>', page)]
    assert total == sum(listed) > 0
    years = [minutes_read(text) for text in re.findall(r"次，共 <b>([^<]+)</b>", page)]
    assert sum(years) == total


def test_nothing_yet_is_said_with_the_reason(world, person):
    page = world.visitor(person.number, person.password).get("/credit/").text
    assert "还没有计入的记录" in page
    assert "请在签到表上签到和签退" in page


def test_a_volunteer_takes_home_the_entry_and_its_proof_and_they_fit(world, recorded, person):
    sign(world)
    [mine] = records_of(recorded, person)
    visitor = world.visitor(person.number, person.password)
    entry = visitor.get(f"/credit/entries/{mine.entry_index}.json").data
    proof = notes.decode_proof(visitor.get(f"/log/proof/{mine.entry_index}").data)
    checked = notes.verify_proof(proof, entry, [world.ledger.signing.verifier()])
    assert checked.size > mine.entry_index
    other = next(row for row in recorded if row.volunteer != person.number)
    assert visitor.get(f"/credit/entries/{other.entry_index}.json").status_code == 404


def test_the_desk_finds_a_volunteer_by_any_number_and_gives_a_code_that_works_once(world, person):
    clerk = world.visitor("recorder")
    for said in (person.number.lower(), f" {person.number[:4]}-{person.number[4:]} ", person.id_number):
        assert clerk.post("/volunteers/", {"said": said}).location == f"/volunteers/{person.number}"
    slip = clerk.post(f"/volunteers/{person.number}/code").text
    _, code = re.findall(r'<dd class="code">([^<]+)</dd>', slip)
    volunteer = world.visitor(person.id_number, code.lower().replace("-", ""))
    assert volunteer.get("/").location == "/registration/"
    assert volunteer.get("/credit/").location == "/password"
    assert volunteer.post("/password", {"old": code, "new": "pingan ba", "again": "pingan ba"}).location == "/"
    assert world.visitor().sign_in(person.number, code).status_code == 403


def test_whether_somebody_is_registered_elsewhere_is_not_told(world, person):
    world.accounts.create(OPERATOR, "neighbour", "recorder", station="340104001001", password="correct horse battery")
    neighbour = world.visitor("neighbour")
    answers = [neighbour.post("/volunteers/", {"said": said}) for said in (person.id_number, "11010519491231002X")]
    said = [re.search(r'role="alert".*?<p>(.*?)</p>', answer.text, re.DOTALL)[1] for answer in answers]
    assert said[0] == said[1]
    assert neighbour.get(f"/volunteers/{person.number}").status_code == 404
    assert "这不像" in neighbour.post("/volunteers/", {"said": "12345"}).text


# --- the board and the log


def table_of(page):
    return page[page.index("<table") : page.index("</table>")]


def test_the_board_shows_the_same_to_everybody_and_what_is_missing_in_people(world, recorded):
    approve(world, recorded)
    world.clock.move(days=30)
    page = world.visitor().get("/stations/?year=2025&unit=340104001004").text
    assert page.count('class="card tile rate') == 3
    assert "常住人口 5,210 人" in page
    assert re.search(r"目标 10%，还差 \d+ 人", page)
    assert "示例数据" in page
    assert re.search(r'<svg viewBox="0 0 360 \d+" role="img"', page)
    staff = world.visitor("recorder").get("/stations/?year=2025&unit=340104001004").text
    assert table_of(staff) == table_of(page)


def test_the_board_leads_to_the_indicators_and_says_how_the_rates_moved_and_what_to_ask(world, recorded):
    path = "/stations/?unit=340104001004"

    def page():
        return world.visitor().get(path).text

    assert '<a href="/indicators/?unit=340104001004&amp;year=2025">各项指标' in page()
    assert "近十二个月" not in page(), "nothing was published yet"
    approve(world, recorded)
    world.clock.move(days=22)  # 25 November
    world.ledger.write(lambda tx: rates.publish(tx, 2025), OPERATOR)
    assert len(re.findall(r'<path d="M\d+ \d+"', page())) == 3, "one month, a point for each rate"
    world.clock.move(days=33)
    assert "请核实" not in page()
    newcomers = [Registration("新人", f"34010419600101{n:04d}", "340104001004", world.clock.now.date(), "clerk") for n in range(60)]
    world.ledger.write(lambda tx: register_many(tx, newcomers), OPERATOR)
    assert re.search(r"和 2025年11月25日 公布的比：注册率 [\d.]+% → [\d.]+%，参与率 [\d.]+% → [\d.]+%", page())
    halved = Station("340104001004", "竹荫里社区社会服务站", "station", None, None, 2605, "2025-12-01", "抽样")
    assert "常住人口数变动较大" not in page()
    world.ledger.write(lambda tx: stations.declare(tx, halved), OPERATOR)
    assert "2,605 人（2025年12月1日，抽样）" in page()
    [(before, after)] = re.findall(r"按旧数注册率是 ([\d.]+)%，按新数是 ([\d.]+)%", page())
    assert float(after) == pytest.approx(2 * float(before), abs=0.02)


def test_the_board_sorts_by_what_is_asked_and_refuses_what_it_does_not_know(world):
    visitor = world.visitor()
    page = visitor.get("/stations/?sort=registration").text
    rates = re.findall(r'data-label="注册率"[^>]*>([\d.]+)%', page)
    assert rates == sorted(rates, key=float, reverse=True)
    assert visitor.get("/stations/?sort=names").status_code == 400
    assert visitor.get("/stations/?year=1066").status_code == 400
    assert visitor.get("/stations/?unit=9").status_code == 404


def test_the_public_page_shows_the_newest_checkpoint_and_it_verifies(world, recorded):
    visitor = world.visitor()
    assert "还没有签发过检查点" in visitor.get("/log/").text
    assert visitor.get("/log/checkpoint").status_code == 404
    note = sign(world)
    answer = visitor.get("/log/checkpoint")
    assert answer.data == note
    assert answer.content_type == "text/plain; charset=utf-8"
    vkey = visitor.get("/log/vkey").text.strip()
    signed = notes.open_checkpoint(answer.data, [notes.Verifier.from_vkey(vkey)])
    page = visitor.get("/log/").text
    assert f"{signed.size:,}" in page
    assert note.decode().split("\n")[2] in page
    assert vkey in page


def test_the_tiles_of_the_log_are_public_and_give_the_root(world, recorded):
    signed = notes.open_checkpoint(sign(world), [world.ledger.signing.verifier()])
    width = tiles.partial_width(0, signed.size)
    answer = world.visitor().get("/log/" + tiles.tile_path(0, 0, width))
    assert (answer.status_code, len(answer.data)) == (200, 32 * width)
    assert "immutable" in answer.headers["Cache-Control"]
    assert world.visitor().get("/log/tile/0/999").status_code == 404
    assert world.visitor().get("/log/tile/nonsense").status_code == 400


def test_entries_go_to_the_auditor_alone_and_hash_to_the_tile(world, recorded):
    size = checkpoints.checkpoint_size(sign(world).decode())
    path = "/log/" + tiles.bundle_path(0, size % 256)
    answer = world.visitor("auditor").get(path)
    entries = tiles.decode_bundle(answer.data)
    assert len(entries) == size
    assert answer.headers["Cache-Control"] == "no-store"
    with world.ledger.read() as tx:
        assert log.read_entry(tx.connection, 3) == entries[3]
    assert world.visitor("recorder").get(path).status_code == 403


# --- accounts


def test_the_administrator_makes_an_account_whose_code_is_shown_once(world):
    admin = world.visitor("administrator")
    slip = admin.post("/accounts/", {"login": "Meishan", "role": "recorder", "station": "340104001001"}).text
    login, code = re.findall(r'<dd class="code">([^<]+)</dd>', slip)
    assert login == "meishan"
    assert code not in admin.get("/accounts/").text
    assert "等待首次登录" in admin.get("/accounts/").text
    assert world.visitor(login, code).get("/work").location == "/password"
    assert "必须指定所属站点" in admin.post("/accounts/", {"login": "other", "role": "recorder"}).text


def test_a_shut_account_is_out_at_once_and_can_be_opened_again(world):
    admin, clerk = world.visitor("administrator"), world.visitor("recorder")
    assert admin.post("/accounts/recorder/disable").location == "/accounts/"
    assert clerk.get("/work").status_code == 302
    assert world.visitor().sign_in("recorder").status_code == 403
    admin.post("/accounts/recorder/enable")
    assert world.visitor("recorder").get("/work").status_code == 200
    assert "不能停用自己" in admin.post("/accounts/administrator/disable").text


def test_the_fingerprint_to_be_read_aloud_is_the_beginning_of_the_root(world, recorded):
    root = b64decode(sign(world).decode().split("\n")[2]).hex()
    page = world.visitor().get("/log/").text
    spoken = re.search(r'class="spell">([^<]+)<', page)[1]
    assert spoken.replace(" ", "") == root[:32]
