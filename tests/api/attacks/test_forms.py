"""Forms sent from elsewhere, forms with more in them than the page asked, and bodies that are no form at all."""

import io
import time
import zipfile

import openpyxl
import pytest
from naming import posts

from api.app import create_app
from api.auth import SIGNED_IN, required_scope
from ledger.log import tree_head
from ledger.people import volunteers
from ledger.people.actors import OPERATOR, Actor
from ledger.people.tokens import Tokens, offered

STATION, NEXT_STATION = "340104001004", "340104001001"
ADULT = "340102195001010024"
BODIES = {
    "nothing": (b"", ""),
    "null bytes": (b"a=\x00&reason=\x00\x00", "application/x-www-form-urlencoded"),
    "no UTF-8": (b"reason=\xff\xfe&name=%FF%C0%80", "application/x-www-form-urlencoded"),
    "ten thousand fields": (b"&".join(b"f%d=1" % n for n in range(10_000)), "application/x-www-form-urlencoded"),
    "parts without end": (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' * 50, "multipart/form-data; boundary=x"),
    "many parts": (
        b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' for _ in range(3_000)) + b"--x--",
        "multipart/form-data; boundary=x",
    ),
    "no boundary": (b"--x", "multipart/form-data"),
    "deep JSON": (b'{"a":' * 50_000, "application/json"),
    "deep list": (b"[" * 100_000 + b"]" * 100_000, "application/json"),
    "a huge number": (b'{"index":' + b"9" * 5_000 + b"}", "application/json"),
    "no JSON": (b"{", "application/json"),
    "a bare word": (b"null", "application/json"),
    "not a number": (b'{"index":NaN,"id":1e999}', "application/json"),
    "null in text": (b'{"id":"\\u0000","reason":"\\ud800"}', "application/json"),
    "XML": (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "application/xml"),
    "a strange type": (b"x" * 1_000, "text/plain; charset=utf-99"),
}


def size(world):
    with world.ledger.read() as tx:
        return tree_head(tx.connection).size


def names(role, person):
    return (person.number, person.password) if role == "volunteer" else (role,)


@pytest.mark.parametrize("role", SIGNED_IN)
def test_no_form_does_anything_without_its_own_token(world, person, role):
    visitor, another = world.visitor(*names(role, person)), world.visitor(*names(role, person))
    before = size(world)
    for endpoint, path in posts(world.app, api=False):
        for token in ({}, {"csrf_token": ""}, {"csrf_token": another.token()}, {"csrf_token": visitor.token()[:-1]}):
            answer = visitor.client.post(path, data=token, buffered=True)
            assert (answer.status_code, "为了安全" in answer.text) == (400, True), (endpoint, token, answer.status_code)
    assert visitor.get("/me/").status_code == 200, "not even signed out"
    assert size(world) == before


def test_over_https_a_form_of_another_site_is_refused_even_with_the_token(world):
    client = create_app(world.ledger, accounts=world.accounts, secure_cookies=True).test_client()
    page = client.get("/sign-in", base_url="https://localhost").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    for referer in (None, "https://evil.example/", "http://localhost/", "https://localhost.evil.example/"):
        headers = {"Referer": referer} if referer else {}
        said = {"csrf_token": token, "name": "recorder", "password": "correct horse battery"}
        assert client.post("/sign-in", base_url="https://localhost", headers=headers, data=said).status_code == 400, referer


def test_a_body_that_is_no_form_is_refused_in_words_and_never_a_fault(world):
    before, visitor = size(world), world.visitor("recorder")
    token = visitor.token()
    for endpoint, path in posts(world.app, api=False):
        if endpoint not in ("sign_in.leave", "security.end_all"):
            for what, (body, kind) in BODIES.items():
                answer = visitor.client.post(path, data=body, content_type=kind, headers={"X-CSRFToken": token}, buffered=True)
                assert answer.status_code < 500, (endpoint, what, answer.text[:400])
    assert size(world) == before


def test_a_body_that_is_no_json_is_a_problem_and_never_a_fault(world):
    before = size(world)
    for endpoint, path in posts(world.app, api=True):
        scope = required_scope(world.app.view_functions[endpoint])
        login = next(role for role in ("recorder", "approver", "official", "administrator") if scope in offered(Actor("", role)))
        secret = Tokens(world.ledger).issue(OPERATOR, login, [scope], world.clock.now.date())
        for what, (body, kind) in BODIES.items():
            answer = world.app.test_client().post(path, data=body, content_type=kind, headers={"Authorization": f"Bearer {secret}"})
            assert 400 <= answer.status_code < 500, (endpoint, what, answer.status_code, answer.text[:400])
            assert answer.content_type == "application/problem+json"
    assert size(world) == before


def test_a_body_larger_than_allowed_is_not_read(world):
    clerk = world.visitor("recorder")
    token = {"X-CSRFToken": clerk.token()}
    assert clerk.client.post("/sheets/", data=b"x" * (21 * 1024 * 1024), headers=token).status_code in (400, 413)
    secret = Tokens(world.ledger).issue(OPERATOR, "recorder", ["service-records:write"], world.clock.now.date())
    headers = {"Authorization": f"Bearer {secret}"}
    for path in ("/api/v1/service-records", "/api/v1/service-records/batch"):
        answer = world.app.test_client().post(path, data=b" " * (12 * 1024 * 1024), content_type="application/json", headers=headers)
        assert answer.status_code == 413, path


EXTRA = {"role": "administrator", "station": NEXT_STATION, "status": "counted", "recorder": "operator", "settled": "1", "approved": "1"}
EXTRA |= {"actor": "operator", "volunteer": "2222222222", "minutes": "9999", "basis": "self", "confirmed_on": "2025-01-01", "backbone": "1"}
EXTRA |= {"number": "2222222222", "id": "2222222222", "must_change": "0", "grade": "A", "account": "operator", "is_admin": "true"}


def test_fields_that_no_form_has_change_nothing(world, recorded):
    index = recorded[0][0]
    clerk = world.visitor("recorder")
    said = EXTRA | {"start": "2025-10-24 14:00", "end": "2025-10-24 15:00", "reason": "签退时间抄错了"}
    assert clerk.post(f"/records/{index}/correct", said).status_code == 302
    with world.ledger.read() as tx:
        row = tx.connection.exec_driver_sql(
            f"SELECT station, status, volunteer, minutes, grade, effective_on FROM service WHERE entry_index = {index}"
        ).one()
    assert (row.station, row.volunteer, row.minutes, row.effective_on) == (STATION, recorded[0][1], 60, None)
    assert row.status != "approved"
    told = {"station": STATION, "name": "郑重", "id_number": ADULT, "phone": "", "told": "yes"}
    assert clerk.post("/volunteers/new", {**EXTRA, **told}).status_code == 200
    with world.ledger.read() as tx:
        made = volunteers.find_by_id_numbers(tx, [ADULT])[ADULT].row
    assert (made.basis, made.confirmed_on, made.station) == ("clerk", None, STATION)
    assert made.recorder not in ("operator", "2222222222")
    assert made.number != "2222222222"
    assert made.backbone_on is None
    administrator = world.visitor("administrator")
    assert (
        administrator.post("/accounts/", {**EXTRA, "login": "fresh", "role": "recorder", "station": STATION, "password": "x"}).status_code
        == 200
    )
    account = next(one for one in world.accounts.everyone(OPERATOR) if one.login == "fresh")
    assert account.must_change
    assert {grant.role for grant in account.grants} <= {"recorder"}


def test_members_that_no_schema_has_are_refused_by_name(world):
    tokens = {
        scope: Tokens(world.ledger).issue(OPERATOR, login, [scope], world.clock.now.date())
        for login, scope in {
            "recorder": "volunteers:write",
            "approver": "service-records:amend",
            "official": "organisations:write",
        }.items()
    }
    tokens["service-records:write"] = Tokens(world.ledger).issue(OPERATOR, "recorder", ["service-records:write"], world.clock.now.date())
    refused = 0
    for endpoint, path in posts(world.app, api=True):
        scope = required_scope(world.app.view_functions[endpoint])
        if scope not in tokens:
            continue
        headers = {"Authorization": f"Bearer {tokens[scope]}"}
        answer = world.app.test_client().post(path, json=EXTRA, headers=headers)
        assert answer.status_code in (400, 404, 409, 415, 422), (endpoint, answer.status_code, answer.text)
        pointers = {one.get("pointer") for one in answer.json.get("errors", ())}
        refused += bool(pointers & {"#/recorder", "#/status", "#/actor", "#/is_admin"})
    assert refused >= 4


def bomb(member="xl/worksheets/sheet1.xml", content=b" " * (1 << 20), times=400):
    """A workbook of which one member is much larger than it looks."""
    book = io.BytesIO()
    made = openpyxl.Workbook()
    made.save(book)
    out = io.BytesIO()
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name != member:
                target.writestr(name, source.read(name))
        with target.open(member, "w", force_zip64=True) as stream:
            for _ in range(times):
                stream.write(content)
    return out.getvalue()


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)
)
SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">%s</row></sheetData></worksheet>'
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bomb, id="a sheet of blanks"),
        pytest.param(lambda: bomb(content=SHEET % (b'<c t="inlineStr"><is><t>a</t></is></c>' * 20_000), times=200), id="a sheet of cells"),
        pytest.param(lambda: bomb("xl/sharedStrings.xml"), id="shared strings"),
        pytest.param(lambda: bomb(content=LAUGHS + b"]><worksheet>&m;</worksheet>", times=1), id="entities"),
        pytest.param(
            lambda: bomb(
                content=b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><worksheet><sheetData>&b;</sheetData></worksheet>', times=1
            ),
            id="a file of the machine",
        ),
        pytest.param(lambda: bomb("xl/media/inner.zip", bomb(times=50), 20), id="an archive within"),
    ],
)
def test_a_file_that_would_swell_is_refused_in_words(world, upload, content):
    clerk = world.visitor("recorder")
    path = upload(clerk, content(), "签到表.xlsx")
    for _ in range(600):
        page = clerk.get(path).text
        if "http-equiv" not in page:
            break
        time.sleep(0.1)
    assert "root:" not in page
    assert "出了意外" not in page
    assert any(said in page for said in ("太大", "过大", "没有内容", "损坏", "读不", "看不懂", "没有找到", "没有数据", "不是", "空")), page
    assert clerk.get("/sheets/").status_code == 200
