"""Requests that lie about where they are sent, where to go next, or what a file is called."""

import re

import pytest

from api.app import create_app
from api.hosts import is_ours
from ledger.people.actors import OPERATOR

SITE = "https://volunteer.example.gov.cn"
EVIL = "evil.example"
TARGETS = [
    f"//{EVIL}/",
    f"https://{EVIL}/",
    f"/\\{EVIL}",
    f"\\\\{EVIL}",
    f"/\t/{EVIL}",
    f"/\n/{EVIL}",
    f" //{EVIL}",
    f"///{EVIL}",
    f"javascript:alert(1)//{EVIL}",
    f"/%09/{EVIL}",
    f"/batches\r\nSet-Cookie: a={EVIL}",
    "http:batches",
    f"https:{EVIL}",
    f"/@{EVIL}",
    f"?next=//{EVIL}",
]


@pytest.fixture
def at(world):
    """A client of the same application under an address that was set."""
    object.__setattr__(world.ledger.settings, "address", SITE)
    app = create_app(world.ledger, accounts=world.accounts, secure_cookies=True)
    return app.test_client()


@pytest.mark.parametrize("target", TARGETS)
def test_signing_in_leads_nowhere_else(world, target):
    visitor = world.visitor()
    answer = visitor.post("/sign-in", {"name": "recorder", "password": "correct horse battery", "next": target})
    assert answer.status_code == 302
    assert re.fullmatch(r"/(?![/\\])[!-~]*", answer.location), answer.location
    assert EVIL not in answer.location or answer.location.startswith(("/%09", "/@")), "but as the name of a page here"
    assert len(answer.headers.getlist("Set-Cookie")) == 2, "no header that the target smuggled in"


@pytest.mark.parametrize("host", [EVIL, f"{EVIL}:8000", "localhost.evil.example", "127.0.0.1.evil.example", "a@127.0.0.1", "[::1", "x:y"])
@pytest.mark.parametrize("path", ["/", "/sign-in", "/api/v1/openapi.json", "/log/checkpoint", "/nowhere"])
def test_a_host_that_is_not_ours_is_refused(world, host, path):
    answer = world.app.test_client().get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert EVIL not in answer.text


def test_hosts_that_are_ours():
    for host in ("127.0.0.1", "127.0.0.1:8000", "[::1]:8000", "localhost:8000", "10.1.2.3", "server01", "server01:80"):
        assert is_ours(host, ""), host
    for host in ("", "volunteer.example.gov.cn", "a b", "a/b", "a?b", "a#b", "localhost:x", "host\r\nx", "名字"):
        assert not is_ours(host, ""), host
    for host in ("volunteer.example.gov.cn", "volunteer.example.gov.cn:443", "VOLUNTEER.example.gov.cn", "127.0.0.1:8000"):
        assert is_ours(host, SITE), host
    for host in ("10.1.2.3", "server01", "other.example.gov.cn", ""):
        assert not is_ours(host, SITE), host


def test_what_is_printed_is_the_address_that_was_set(world, at, person):
    page = at.get("/api/", base_url=SITE)
    assert f"{SITE}/api/v1/" in page.text
    local = at.get("/api/", base_url="https://127.0.0.1", headers={"X-Forwarded-Host": EVIL, "Forwarded": f"host={EVIL}"})
    assert f"{SITE}/api/v1/" in local.text, "whoever asks from the machine itself is told the same"
    assert EVIL not in local.text
    visitor = type(world.visitor())(world.app)
    visitor.sign_in("recorder")
    slip = visitor.post(f"/volunteers/{person.number}/code")
    assert (slip.status_code, SITE in slip.text) == (200, True)


@pytest.mark.parametrize(
    "path",
    [
        "/log/tile/../../keys/session.key",
        "/log/tile/0/../../../etc/passwd",
        "/log/tile/entries/..%2f..%2fkeys",
        "/log/tile/%2e%2e/%2e%2e/keys/log-signing.pem",
        "/log/tile/0/000%00",
        "/log/tile/0/%E2%80%AE000",
        "/log/tile/64/000",
        "/log/tile/0/x999/x999/x999/x999/x999/x999/999",
        "/log/tile/0/000.p/0",
        "/log/tile/0/000.p/256",
        "/log/tile/0/000.p/-1",
        "/log/tile/0/000.p/1/../..",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/%2e%2e/app.py",
        "/problems/..%2f..%2fetc",
        "/log/proof/99999999999999999999",
        "/records/9007199254740992",
        "/batches/00000000-0000-0000-0000-00000000000g",
        "/credit/entries/0.json/..%2f..",
    ],
)
def test_no_path_leads_out_of_what_is_served(world, path):
    for visitor in (world.visitor(), world.visitor("auditor"), world.visitor("recorder")):
        answer = visitor.get(path)
        assert answer.status_code in (302, 308, 400, 401, 403, 404), (path, answer.status_code)
        assert b"PRIVATE" not in answer.data
        assert b"import" not in answer.data


@pytest.mark.parametrize(
    "name",
    [
        "a%0d%0aSet-Cookie: x=1.xlsx",
        'a"; filename="b.exe',
        "..\\..\\x.xlsx",
        "../../etc/passwd",
        "名册\u202exslx.exe",
        "x" * 500,
        "\x00.xlsx",
    ],
)
def test_a_files_name_stays_in_its_header(world, upload, name):
    clerk = world.visitor("recorder")
    rows = "姓名,身份证号,联系电话,所属站点编码,注册日期\n张敏,1,,340104001004,2025-01-01\n".encode()
    page = upload(clerk, rows, name, kind="volunteers")
    answer = clerk.get(f"{page}/problems.xlsx")
    assert answer.status_code == 200, answer.text
    [said] = answer.headers.getlist("Content-Disposition")
    assert said.startswith("attachment; filename")
    assert not re.search(r"[\r\n\x00]|\.\./|\.\.\\\\", said)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers or "x=1" not in str(answer.headers.getlist("Set-Cookie"))
    assert "\u202e" not in said


def test_nothing_can_be_done_by_a_method_in_disguise(world, recorded):
    index = recorded[0][0]
    clerk = world.visitor("recorder")
    for headers in ({"X-HTTP-Method-Override": "POST"}, {"X-HTTP-Method": "DELETE"}, {"X-Method-Override": "PUT"}):
        assert clerk.client.get(f"/records/{index}/void?_method=POST&reason=xxxxxx", headers=headers).status_code == 405
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "FOO"):
        assert clerk.client.open(f"/records/{index}", method=method).status_code in (400, 405), method
    with world.ledger.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT count(*) FROM service WHERE status = 'voided'").scalar() == 0


def test_a_parameter_said_twice_counts_once_and_the_first(world, recorded):
    administrator = world.visitor("administrator")
    body = f"csrf_token={administrator.token()}&login=twice&role=auditor&role=administrator&station=&station=340104001004"
    answer = administrator.client.post("/accounts/", data=body, content_type="application/x-www-form-urlencoded", buffered=True)
    assert answer.status_code == 200
    made = next(one for one in world.accounts.everyone(OPERATOR) if one.login == "twice")
    assert {grant.role for grant in made.grants} <= {"auditor"}
    assert world.visitor().get("/stations/?year=2025&year=9999").status_code == 200


@pytest.mark.parametrize("path", ["/honours/%00", "/stations/?unit=%00", "/api/v1/credentials/status-lists/%00/1"])
def test_a_nul_in_an_address_is_refused_on_both_engines(make_world, founded_url, path):
    assert make_world(founded_url).visitor().get(path).status_code in (400, 404)


def test_a_nul_in_what_a_clerk_sends_is_refused_on_both_engines(make_world, founded_url):
    official = make_world(founded_url).visitor("official")
    task = {"unit": "\0", "title": "建立孵化基地", "due_on": "2025-11-30", "basis": "方案"}
    for path in ("/tasks/", "/tasks/x%00/done", "/handovers/x%00/file", "/rules/x%00/confirm", "/indicator-sets/x%00/confirm"):
        assert official.post(path, task).status_code in (400, 404), path
    assert official.get("/stations/people?after=%00").status_code in (200, 400)
