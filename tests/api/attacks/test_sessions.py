"""What somebody does with a stolen cookie, a link made for somebody else, or a name to try: it opens nothing, and says nothing of who is there."""

import pytest
from argon2 import PasswordHasher

from api.app import create_app
from ledger.errors import NotAllowed
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, Grant

PASSWORD = "correct horse battery"
STATION = "340104001004"


def stolen(world, visitor):
    """A second browser with the first one's cookies."""
    thief = type(visitor)(world.app)
    for cookie in ("shouwang", "shouwang-device"):
        found = visitor.client.get_cookie(cookie)
        if found is not None:
            thief.client.set_cookie(cookie, found.value)
    return thief


def is_in(visitor):
    return visitor.get("/batches").status_code == 200


@pytest.fixture
def clerk(world):
    return world.visitor("recorder")


@pytest.fixture
def thief(world, clerk):
    thief = stolen(world, clerk)
    assert is_in(thief), "until something happens the cookie is as good as its owner"
    return thief


def account(world, login):
    return next(one for one in world.accounts.everyone(OPERATOR) if one.login == login)


def test_a_stolen_cookie_ends_when_its_owner_signs_out(clerk, thief):
    clerk.post("/sign-out")
    assert (is_in(thief), thief.get("/batches").location) == (False, "/sign-in?next=/batches")


def test_a_stolen_cookie_ends_with_the_password_it_came_from(clerk, thief):
    assert clerk.post("/password", {"old": PASSWORD, "new": "another horse battery", "again": "another horse battery"}).status_code == 302
    assert (is_in(clerk), is_in(thief)) == (True, False)


@pytest.mark.parametrize("what", ["reset", "end_sessions_of", "disable"])
def test_a_stolen_cookie_ends_by_what_an_administrator_does(world, thief, what):
    if what == "disable":
        world.accounts.set_disabled(OPERATOR, "recorder", disabled=True)
    else:
        getattr(world.accounts, what)(OPERATOR, "recorder")
    assert not is_in(thief)


def test_a_role_that_has_ended_opens_nothing_from_that_moment(world, clerk, thief):
    world.accounts.end_grant(OPERATOR, "recorder", "recorder", STATION, "调离")
    assert account(world, "recorder").grants == ()
    assert {visitor.get("/batches").status_code for visitor in (clerk, thief)} == {403}
    with pytest.raises(NotAllowed):
        world.ledger.write(lambda tx: tx.require("record", STATION), world.accounts.sign_in("recorder", PASSWORD).actor)


def test_a_role_given_anew_comes_without_the_old_sessions_growing_into_it(world, clerk):
    world.accounts.grant(OPERATOR, "recorder", "approver", STATION)
    held = account(world, "recorder").grants
    assert clerk.get("/approvals/").status_code == (200 if Grant("approver", STATION) in held else 403)


def test_a_session_put_into_somebodys_browser_does_not_become_theirs(world):
    planted = world.visitor()
    planted.get("/sign-in")
    victim = stolen(world, planted)
    before = victim.client.get_cookie("shouwang")
    victim.sign_in("approver")
    after = victim.client.get_cookie("shouwang")
    assert is_in(victim)
    assert before is None or before.value != after.value
    assert not is_in(planted), "who planted the cookie still stands outside"
    own = world.visitor("recorder")
    lured = stolen(world, own)
    lured.sign_in("approver")
    assert own.client.get_cookie("shouwang").value != lured.client.get_cookie("shouwang").value
    assert own.get("/approvals/").status_code == 403


@pytest.mark.parametrize("forged", ["", "x" * 3_000, "eyJzZWNyZXQiOiJ4In0.Zx.yy", '{"secret":"x"}', "\x00", "..", "a" * 40 + ".b.c"])
def test_a_made_up_cookie_is_no_session(world, forged):
    visitor = world.visitor()
    visitor.client.set_cookie("shouwang", forged)
    visitor.client.set_cookie("shouwang-device", forged)
    assert visitor.get("/batches").status_code == 302
    assert visitor.get("/sign-in").status_code == 200


def test_cookies_go_nowhere_but_here(world):
    for secure in (False, True):
        app = create_app(world.ledger, accounts=world.accounts, secure_cookies=secure)
        base = "https://localhost" if secure else "http://localhost"
        client = app.test_client()
        page = client.get("/sign-in", base_url=base)
        token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        headers = {"Referer": f"{base}/sign-in"}
        answer = client.post(
            "/sign-in", base_url=base, headers=headers, data={"csrf_token": token, "name": "recorder", "password": PASSWORD}
        )
        assert answer.status_code == 302, answer.text
        cookies = answer.headers.getlist("Set-Cookie")
        assert len(cookies) == 2
        for cookie in cookies:
            assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; ")), cookie
            assert ("Secure" in cookie, cookie.startswith("__Host-")) == (secure, secure)
            assert "Domain" not in cookie


class Counting(PasswordHasher):
    """A hasher that counts how often it works."""

    verified = 0

    def verify(self, hash, password):  # noqa: A002 the name that argon2 gives it
        self.verified += 1
        return super().verify(hash, password)


def test_an_unknown_name_costs_what_a_known_one_costs_and_is_answered_alike(world, person):
    hasher = Counting(time_cost=1, memory_cost=8, parallelism=1)
    accounts = Accounts(world.ledger, hasher)
    world.accounts.create(OPERATOR, "closed", "recorder", station=STATION, password=PASSWORD)
    world.accounts.set_disabled(OPERATOR, "closed", disabled=True)
    app = create_app(world.ledger, accounts=accounts)
    answers = set()
    for name in ("recorder", "nobody-at-all", "closed", person.number, person.id_number, "2222222222", "13800000000", "", "名" * 50):
        visitor, before = type(world.visitor())(app), hasher.verified
        answer = visitor.sign_in(name, "wrong horse battery")
        assert hasher.verified == before + 1, name
        said = answer.text.replace(f'value="{name}"', 'value=""').split('name="csrf_token"')
        answers.add((answer.status_code, said[0], said[1].split(">", 1)[1]))
    assert len(answers) == 1


def test_a_name_that_was_tried_too_often_looks_like_a_wrong_password(world):
    first = world.visitor().sign_in("recorder", "wrong horse battery")
    for _ in range(8):
        last = world.visitor().sign_in("recorder", "wrong horse battery")
    right = world.visitor().sign_in("recorder")
    plain = {answer.text.split('name="csrf_token"')[0] for answer in (first, last, right)}
    assert {answer.status_code for answer in (first, last, right)} == {403}
    assert len(plain) == 1


def test_the_page_of_a_session_names_its_secret_nowhere(world, clerk):
    secret = clerk.client.get_cookie("shouwang").value
    for path in ("/me/", "/batches", "/sheets/"):
        assert secret not in clerk.get(path).text
