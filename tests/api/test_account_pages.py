"""Accounts in the browser: sessions, roles given by two, second factors, tokens, and what each page says."""

import base64
import html
import re
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from api.auth import browser_name
from ledger.people.actors import OPERATOR
from ledger.people.sessions import STAFF_IDLE, STAFF_LIFETIME, VOLUNTEER_LIFETIME

PASSWORD = "correct horse battery"
CENTRE, STATION = "340104001000", "340104001004"


def cookie(visitor, name="shouwang"):
    found = visitor.client.get_cookie(name)
    return found.value if found else None


def copy_of(world, visitor):
    """A browser that somebody else put the cookie into."""
    thief = world.visitor()
    thief.client.set_cookie("shouwang", cookie(visitor))
    return thief


def app_shows(page, world):
    """What an app shows that has read the page's key."""
    secret = re.search(r'<code class="spell break">([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30), lambda app: app.generate(int(world.clock.now.timestamp())).decode()  # noqa: S303


def enrol(world, visitor):
    app, shown = app_shows(visitor.get("/me/second-factor").text, world)
    answer = visitor.post("/me/second-factor", {"code": shown(app)})
    assert answer.status_code == 200, answer.text
    world.clock.move(minutes=2)
    return lambda: shown(app), re.findall(r'<li class="code">([^<]+)</li>', answer.text)


# --- sessions


def test_the_cookie_changes_at_sign_in_and_a_stolen_one_is_dead_after_signing_out(world):
    visitor = world.visitor()
    visitor.get("/sign-in")
    before = cookie(visitor)
    visitor.sign_in("recorder")
    assert cookie(visitor) != before
    thief = copy_of(world, visitor)
    assert thief.get("/work").status_code == 200
    visitor.post("/sign-out")
    for gone in (thief, visitor):
        assert gone.get("/work").location.startswith("/sign-in")


def test_a_session_fixed_beforehand_does_not_become_the_victims(world):
    attacker, victim = world.visitor(), world.visitor()
    attacker.get("/sign-in")
    victim.client.set_cookie("shouwang", cookie(attacker))
    victim.sign_in("recorder")
    assert attacker.get("/work").location.startswith("/sign-in")


def test_signing_out_here_leaves_the_others_and_everywhere_ends_all(world):
    here, there = world.visitor("recorder"), world.visitor("recorder")
    here.post("/sign-out")
    assert there.get("/work").status_code == 200
    third = world.visitor("recorder")
    assert there.post("/me/sessions/end").location == "/sign-in"
    assert third.get("/work").location.startswith("/sign-in")


def test_the_list_names_each_browser_and_ends_the_one_that_is_chosen(world):
    phone = world.visitor()
    phone.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Linux; Android 14) Chrome/120 Mobile Safari/537.36 MicroMessenger/8.0"
    phone.sign_in("recorder")
    desk = world.visitor("recorder")
    page = desk.get("/me/").text
    assert "微信（Android）" in page
    assert page.count("就是这里") == 1
    ends = re.findall(r"/me/sessions/[0-9a-f]{16}/end", page)
    assert len(ends) == 2
    mine = re.search(r"就是这里.*?(/me/sessions/[0-9a-f]{16}/end)", page, re.DOTALL)[1]
    [other] = set(ends) - {mine}
    assert desk.post(other).location == "/me/"
    assert phone.get("/work").location.startswith("/sign-in")
    assert desk.post(mine).location == "/sign-in"
    assert desk.get("/work").location.startswith("/sign-in")


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0", "Edge（Windows）"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile Safari/604.1", "Safari（iPhone）"),
        ("curl/8", "浏览器"),
        ("", "浏览器"),
        ("<script>x</script>" * 50, "浏览器"),
    ],
)
def test_a_browser_is_called_what_its_owner_knows_it_by(agent, name):
    assert browser_name(agent) == name


def test_sessions_end_by_themselves(world, person):
    clerk, approver, volunteer = world.visitor("recorder"), world.visitor("approver"), world.visitor(person.number, person.password)
    world.clock.now += STAFF_IDLE
    assert approver.get("/work").location.startswith("/sign-in")
    assert clerk.get("/work").status_code == 200
    world.clock.now += VOLUNTEER_LIFETIME - STAFF_IDLE - timedelta(minutes=1)
    assert volunteer.get("/credit/").status_code == 200
    world.clock.move(minutes=1)
    assert volunteer.get("/credit/").location.startswith("/sign-in")
    assert STAFF_IDLE < STAFF_LIFETIME


def test_staffs_cookie_goes_with_the_browser_and_a_volunteers_stays(world, person):
    staff = world.visitor().sign_in("recorder").headers.getlist("Set-Cookie")
    own = world.visitor().sign_in(person.number, person.password).headers.getlist("Set-Cookie")
    assert "Expires" not in next(one for one in staff if one.startswith("shouwang="))
    assert "Expires" in next(one for one in own if one.startswith("shouwang="))


def test_a_browser_is_remembered_out_of_reach_of_scripts_and_gets_in_where_strangers_wait(world):
    known = world.visitor("recorder")
    [device] = [one for one in world.visitor().sign_in("recorder").headers.getlist("Set-Cookie") if one.startswith("shouwang-device=")]
    assert all(word in device for word in ("HttpOnly", "SameSite=Lax", "Path=/"))
    known.post("/sign-out")
    for _ in range(6):
        assert world.visitor().sign_in("recorder", "wrong").status_code == 403
    assert world.visitor().sign_in("recorder").status_code == 403
    assert known.sign_in("recorder").status_code == 302


def test_a_shared_browser_remembers_several_people(world):
    shared = world.visitor("recorder")
    shared.post("/sign-out")
    shared.sign_in("approver")
    assert len(cookie(shared, "shouwang-device").split("|")) == 2
    shared.post("/sign-out")
    shared.sign_in("recorder")
    assert len(cookie(shared, "shouwang-device").split("|")) == 2


# --- forms that are refused


def test_a_refused_form_says_what_really_happened(world):
    visitor = world.visitor("recorder")
    token = visitor.token()
    said = visitor.client.post("/password", data={"csrf_token": "x"}).text
    assert "页面放得太久了" in said
    assert "不是从本站的页面提交的" in visitor.client.post("/password", data={}).text
    other = world.visitor("recorder")
    other.token()
    assert "您后来又登录过一次" in other.client.post("/password", data={"csrf_token": token}).text
    stranger = world.app.test_client()
    assert "Cookie" in stranger.post("/sign-in", data={"csrf_token": token}).text


# --- roles


def proposal(page):
    return re.search(r"/rights/proposals/(\w+)/", page)[1]


def test_a_role_is_proposed_by_one_confirmed_by_another_and_shown_to_the_auditor(world):
    world.accounts.create(OPERATOR, "second", "administrator", password=PASSWORD)
    first, second, auditor = world.visitor("administrator"), world.visitor("second"), world.visitor("auditor")
    slip = first.post("/accounts/", {"login": "newcomer", "role": "approver", "station": CENTRE})
    assert "要另一位管理员确认" in slip.text
    code = re.search(r'class="code">(\w{4}-\w{4})<', slip.text)[1]
    newcomer = world.visitor()
    newcomer.sign_in("newcomer", code)
    newcomer.post("/password", {"old": code, "new": "a better password", "again": "a better password"})
    assert newcomer.get("/").location == "/me/"
    assert "还没有角色" in newcomer.get("/me/").text
    assert newcomer.get("/approvals/").status_code == 403
    number = proposal(first.get("/accounts/").text)
    assert f"{number}/confirm" not in first.get("/accounts/").text
    assert first.post(f"/rights/proposals/{number}/confirm").status_code == 403
    assert second.post(f"/rights/proposals/{number}/confirm").location == "/accounts/"
    assert newcomer.get("/approvals/").status_code == 200
    shown = auditor.get("/rights/").text
    assert all(word in shown for word in ("newcomer", "得到角色：审核员", "administrator 提出", "second"))
    assert "哪些角色必须用两步验证" not in shown


def test_an_administrator_who_steps_into_an_approvers_account_approves_nothing(world, recorded):
    world.accounts.create(OPERATOR, "second", "administrator", password=PASSWORD)
    first, second = world.visitor("administrator"), world.visitor("second")
    code = re.search(r'class="code">(\w{4}-\w{4})<', first.post("/accounts/approver/reset").text)[1]
    assert "等本人用登录码登录" in second.get("/accounts/").text
    stolen = world.visitor()
    stolen.sign_in("approver", code)
    stolen.post("/password", {"old": code, "new": "a better password", "again": "a better password"})
    page = stolen.get("/approvals/").text
    approve = {name: re.search(f'name="{name}" value="([^"]*)"', page)[1] for name in ("batch", "shown", "marked")} | {"which": "plain"}
    answer = stolen.post("/approvals/", approve)
    assert "当面核实" in answer.text
    assert "当面向您核实" in stolen.get("/me/").text
    assert "待核实" in first.get("/accounts/").text
    assert "是您经手的" in first.get("/accounts/approver").text
    assert first.post("/accounts/approver/vouch").status_code == 403
    assert "已当面核实，是本人在用" in second.get("/accounts/").text
    assert second.post("/accounts/approver/vouch").location == "/accounts/"
    assert second.post("/accounts/approver/vouch").status_code == 400
    assert "另一位管理员当面核实" in world.visitor("auditor").get("/rights/").text
    assert "您的账号有变动" in stolen.get("/notices/").text
    assert stolen.post("/approvals/", approve).status_code == 302


def test_one_account_does_the_work_of_two_stations(world, upload, sheet):
    world.accounts.grant(OPERATOR, "recorder", "approver", "340104001001")
    clerk = world.visitor("recorder")
    assert clerk.get("/").location == "/work"
    home = clerk.get("/work").text
    assert "登记一次活动" in home
    assert "审核" in home
    assert clerk.get("/approvals/").status_code == 200
    page = upload(clerk, sheet, "signin-20251024-004.xlsx")
    answer = clerk.post(f"{page}/commit")
    assert answer.status_code == 302, answer.text
    assert "没有" in clerk.get("/approvals/").text, "what it recorded at one station it does not approve at the other"


def test_an_account_page_gives_and_ends_roles_sessions_and_the_account(world):
    admin, clerk = world.visitor("administrator"), world.visitor("recorder")
    page = admin.get("/accounts/recorder").text
    assert "站点登记员" in page
    assert admin.post("/accounts/recorder/roles", {"role": "recorder", "station": CENTRE}).location == "/accounts/recorder"
    assert admin.post("/accounts/recorder/roles/end", {"role": "recorder", "station": STATION, "reason": "换站"}).status_code == 302
    assert "原因：换站" in admin.get("/accounts/recorder").text
    assert clerk.get("/work").status_code == 200, "the session goes on with what is left"
    assert admin.post("/accounts/recorder/sessions/end").status_code == 302
    assert clerk.get("/work").location.startswith("/sign-in")
    for path, said in (("roles", {"role": "auditor"}), ("roles/end", {"role": "approver", "station": STATION}), ("roles", {"role": "x"})):
        assert admin.post(f"/accounts/recorder/{path}", said).status_code == 400
    assert admin.get("/accounts/nobody").status_code == 404
    own = admin.get("/accounts/administrator").text
    assert "要请另一位管理员来改" in own
    assert admin.post("/accounts/administrator/roles/end", {"role": "administrator"}).status_code == 400


def test_history_goes_back_page_by_page(world):
    for _ in range(55):
        world.accounts.end_sessions_of(OPERATOR, "recorder")
        world.accounts.end_sessions_of(OPERATOR, "approver")
    auditor, seen, at = world.visitor("auditor"), 0, "/rights/"
    while at:
        page = auditor.get(at).text
        seen += page.count('data-label="变动"')
        more = re.search(r'href="(/rights/\?before=\d+)"', page)
        at = html.unescape(more[1]) if more else None
    assert seen == 110 + 5 + 5, "and the five accounts with their roles"


# --- the second factor


def test_a_second_factor_from_the_picture_to_the_recovery_code(world):
    clerk = world.visitor("recorder")
    assert "未开启" in clerk.get("/me/").text
    picture = clerk.get("/me/second-factor/qr.svg")
    assert (picture.content_type, b"<svg" in picture.data, b"style=" in picture.data) == ("image/svg+xml", True, False)
    code, recovery = enrol(world, clerk)
    assert len(recovery) == 10
    assert "还剩 10 个备用码" in clerk.get("/me/").text
    assert clerk.get("/me/second-factor").location == "/me/"
    assert clerk.get("/me/second-factor/qr.svg").status_code == 400, "the key is shown no more"
    half = world.visitor()
    assert half.post("/sign-in", {"name": "recorder", "password": PASSWORD, "next": "/batches/"}).location == "/"
    for path in ("/work", "/me/", "/password", "/me/tokens/"):
        assert half.get(path).location == "/second-factor", path
    assert half.get("/").location == "/second-factor"
    assert half.get("/stations/").status_code == 200
    assert cookie(half, "shouwang-device") is None, "half a session makes no known browser"
    refused = half.post("/second-factor", {"code": "000000"})
    assert (refused.status_code, "验证码不对" in refused.text) == (403, True)
    before = cookie(half)
    assert half.post("/second-factor", {"code": code()}).location == "/batches/"
    assert cookie(half) != before
    assert half.get("/work").status_code == 200
    again = world.visitor()
    again.sign_in("recorder")
    assert again.post("/second-factor", {"code": recovery[0]}).location == "/"
    assert again.get("/second-factor").location == "/"


def test_half_a_session_may_leave_and_cannot_be_used_to_enrol_another_phone(world):
    clerk = world.visitor("recorder")
    enrol(world, clerk)
    half = world.visitor()
    half.sign_in("recorder")
    assert half.get("/me/second-factor").status_code != 200
    assert half.post("/me/second-factor", {"code": "123456"}).status_code != 200
    assert half.post("/me/second-factor/remove", {"code": "123456"}).status_code in (302, 403)
    assert half.get("/work").location == "/second-factor"
    assert half.client.post("/sign-out", data={"csrf_token": _token(half)}).location == "/sign-in"


def _token(visitor):
    return re.search(r'name="csrf_token" value="([^"]+)"', visitor.get("/second-factor").text)[1]


def test_a_required_second_factor_is_set_up_before_anything_else(world):
    admin = world.visitor("administrator")
    assert admin.post("/rights/second-factor", {"role": "recorder"}).location == "/rights/"
    assert "必须用两步验证的角色：站点登记员" in world.visitor("auditor").get("/rights/").text
    clerk = world.visitor()
    assert clerk.sign_in("recorder").location == "/"
    assert clerk.get("/work").location == "/me/second-factor"
    assert "必须使用两步验证" in clerk.get("/me/second-factor").text
    code, _ = enrol(world, clerk)
    assert clerk.get("/work").status_code == 200
    assert clerk.post("/me/second-factor/remove", {"code": code()}).location == "/me/"
    assert "不能关闭" in clerk.get("/me/").text
    assert "recorder" in admin.post("/accounts/recorder/second-factor/reset", {}).location
    assert clerk.get("/work").location.startswith("/sign-in")


# --- tokens


def test_one_makes_uses_and_revokes_ones_own_token(world):
    clerk, auditor = world.visitor("recorder"), world.visitor("auditor")
    page = clerk.get("/me/tokens/").text
    assert "登记服务记录" in page
    assert "读取账本原文" not in page
    said = {"scope": ["log:read"], "expires_on": "2025-12-31"}
    made = clerk.post("/me/tokens/", said)
    secret = re.search(r"sw_[\w-]{43}", made.text)[0]
    assert secret not in clerk.get("/me/tokens/").text
    asked = world.app.test_client().get("/api/v1/entries/0/proof", headers={"Authorization": f"Bearer {secret}"})
    assert asked.status_code not in (401, 403)
    assert "还没有用过" not in clerk.get("/me/tokens/").text
    number = re.search(r"/me/tokens/(\w+)/revoke", clerk.get("/me/tokens/").text)[1]
    assert auditor.post(f"/me/tokens/{number}/revoke").status_code == 404
    assert clerk.post(f"/me/tokens/{number}/revoke").location == "/me/tokens/"
    world.clock.move(seconds=5)
    answer = world.app.test_client().get("/api/v1/entries/0/proof", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401
    for wrong in ({"scope": ["entries:read"]}, {"scope": []}, {"expires_on": "tomorrow"}, {"expires_on": "2027-12-31"}):
        assert clerk.post("/me/tokens/", said | wrong).status_code == 400


def test_a_slip_says_until_when_its_code_is_good(world, person):
    assert "11月6日 9 时" in world.visitor("administrator").post("/accounts/recorder/reset").text
    page = world.visitor("approver").post(f"/volunteers/{person.number}/code").text
    assert "12月3日 9 时前有效" in page
