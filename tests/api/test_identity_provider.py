"""Signing in by an identity provider: a real one, on another port, that signs its own tokens."""

import html
import re
import time
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest
from identity_provider import CLIENT, SECRET, IdentityProvider
from joserfc.jwk import OctKey, RSAKey
from requests_by_hand import serving

from api.app import create_app
from api.oidc import Provider
from ledger.errors import SettingsError
from ledger.people import second_factors
from ledger.people.actors import OPERATOR


@pytest.fixture
def elsewhere(monkeypatch):
    """The provider, served; plain http is for this machine only."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    made = IdentityProvider()
    with serving(made.app, threads=2) as address:
        made.issuer = address
        yield made


@pytest.fixture
def town(world, elsewhere):
    world.app = create_app(world.ledger, accounts=world.accounts, provider=Provider(elsewhere.issuer, CLIENT, SECRET, "皖事通"))
    make = type(world.visitor())
    world.visitor = lambda: make(world.app)
    return world


class Stay(urllib.request.HTTPRedirectHandler):
    """Does not follow: where it leads is the answer."""

    def redirect_request(self, *_said):
        return None


def led_to(address):
    """Go to the provider as a browser would, and give where it sends one back to."""
    try:
        urllib.request.build_opener(Stay).open(address, timeout=60)
    except urllib.error.HTTPError as answer:
        with answer:
            back = urlsplit(answer.headers["Location"])
            return f"{back.path}?{back.query}"
    raise AssertionError(address)


def come(visitor, target="/batches/"):
    return visitor.get(led_to(visitor.get(f"/sign-in/identity?next={target}").location))


def link(visitor):
    page = visitor.post("/me/identity").text
    return visitor.get(led_to(html.unescape(re.search(r'href="(http://127[^"]+/authorize[^"]+)"', page)[1])))


@pytest.fixture
def clerk(town):
    """The recorder, signed in and linked to citizen-0001."""
    visitor = town.visitor()
    visitor.sign_in("recorder")
    assert link(visitor).location == "/me/"
    return visitor


def test_who_linked_an_identity_signs_in_with_it(town, clerk):
    assert "已绑定" in clerk.get("/me/").text
    visitor = town.visitor()
    assert "用皖事通登录" in visitor.get("/sign-in").text
    assert come(visitor).location == "/batches/"
    assert visitor.get("/work").status_code == 200
    assert "统一身份" in visitor.get("/me/").text
    clerk.post("/me/identity/remove")
    refused = come(town.visitor())
    assert (refused.status_code, "还没有绑定" in refused.text) == (403, True)


def test_a_stranger_gets_no_account(town, elsewhere):
    before = len(town.accounts.everyone(OPERATOR))
    refused = come(town.visitor())
    assert (refused.status_code, "还没有绑定" in refused.text) == (403, True)
    assert len(town.accounts.everyone(OPERATOR)) == before


def test_nobody_is_sent_to_another_site_afterwards(town, clerk):
    assert come(town.visitor(), "https://elsewhere.example/").location == "/"


def test_an_answer_is_good_in_the_browser_that_asked_and_once(town, clerk):
    victim, attacker = town.visitor(), town.visitor()
    back = led_to(attacker.get("/sign-in/identity").location)
    assert victim.get(back).status_code == 403, "nobody is signed in by a link that another began"
    victim.get("/sign-in/identity")
    assert victim.get(back).status_code == 403
    assert attacker.get(back).status_code == 302
    again = town.visitor()
    back = led_to(again.get("/sign-in/identity").location)
    again.get(back)
    again.post("/sign-out")
    assert again.get(back).status_code == 403


@pytest.mark.parametrize("query", ["", "?error=access_denied&state=x", "?code=made-up&state=x", "?code=&state="])
def test_an_answer_that_is_none_signs_nobody_in(town, query):
    visitor = town.visitor()
    visitor.get("/sign-in/identity")
    assert visitor.get(f"/sign-in/identity/back{query}").status_code == 403
    assert visitor.get("/work").location.startswith("/sign-in")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://another.example"},
        {"aud": "another client"},
        {"aud": ["shouwang", "another"], "azp": "another"},
        {"exp": int(time.time()) - 300},
        {"iat": int(time.time()) + 3600},
        {"nonce": "of another request"},
        {"sub": 1},
    ],
)
def test_a_token_that_was_not_made_for_this_is_refused(town, elsewhere, clerk, claims):
    elsewhere.claims = claims
    assert come(town.visitor()).status_code == 403
    elsewhere.claims = {}
    assert come(town.visitor()).status_code == 302


@pytest.mark.parametrize("missing", ["iss", "aud", "exp", "iat", "nonce", "sub"])
def test_a_token_that_leaves_something_out_is_refused(town, elsewhere, clerk, missing):
    elsewhere.drop = (missing,)
    assert come(town.visitor()).status_code == 403


def test_a_token_signed_by_another_key_or_by_a_shared_secret_is_refused(town, elsewhere, clerk):
    elsewhere.key = RSAKey.generate_key(2048, {"kid": "one"}, auto_kid=False)
    assert come(town.visitor()).status_code == 403
    elsewhere.key, elsewhere.algorithm = OctKey.import_key(SECRET * 4), "HS256"
    assert come(town.visitor()).status_code == 403


def test_a_link_is_for_whoever_began_it(town, elsewhere):
    mine = town.visitor()
    mine.sign_in("recorder")
    page = mine.post("/me/identity").text
    back = led_to(html.unescape(re.search(r'href="(http://127[^"]+/authorize[^"]+)"', page)[1]))
    mine.post("/me/sessions/end")
    assert mine.get(back).status_code == 403
    assert come(town.visitor()).status_code == 403
    other = town.visitor()
    other.sign_in("approver")
    assert link(other).location == "/me/"
    third = town.visitor()
    third.sign_in("recorder")
    assert link(third).location == "/me/"
    assert "另一个账号" in third.get("/me/").text


def test_a_second_factor_is_asked_for_here_too(town, clerk):
    town.ledger.write(lambda tx: second_factors.require_for(tx, ["recorder"]), OPERATOR)
    visitor = town.visitor()
    assert come(visitor).location == "/"
    assert visitor.get("/work").location == "/me/second-factor"


def test_an_administrator_links_by_the_subject(town):
    admin = town.visitor()
    admin.sign_in("administrator")
    assert "身份平台给这个人的标识" in admin.get("/accounts/recorder").text
    assert admin.post("/accounts/recorder/identity", {"subject": "citizen-0001"}).location == "/accounts/recorder"
    assert come(town.visitor()).status_code == 302
    assert admin.post("/accounts/recorder/identity", {"subject": ""}).status_code == 400


def test_a_provider_that_is_down_or_another_is_said_to_be(world, elsewhere):
    for issuer in ("http://127.0.0.1:9", f"{elsewhere.issuer}/"):
        app = create_app(world.ledger, accounts=world.accounts, provider=Provider(issuer, CLIENT, SECRET))
        answer = type(world.visitor())(app).get("/sign-in/identity")
        assert (answer.status_code, "统一身份认证" in answer.text) == (503, True)


def test_without_settings_there_is_none_and_half_of_them_is_an_error(world, tmp_path):
    assert Provider.from_env({}) is None
    assert "统一身份" not in world.visitor().get("/sign-in").text
    assert world.visitor().get("/sign-in/identity").status_code == 404
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    said = {
        "SHOUWANG_OIDC_ISSUER": "https://id.example",
        "SHOUWANG_OIDC_CLIENT_ID": CLIENT,
        "SHOUWANG_OIDC_CLIENT_SECRET_FILE": str(secret),
    }
    found = Provider.from_env(said)
    assert (found.issuer, found.title) == ("https://id.example", "统一身份认证")
    for name in said:
        with pytest.raises(SettingsError):
            Provider.from_env({key: value for key, value in said.items() if key != name})
    with pytest.raises(SettingsError, match="https"):
        Provider.from_env(said | {"SHOUWANG_OIDC_ISSUER": "http://id.example"})
    secret.chmod(0o644)
    with pytest.raises(SettingsError):
        Provider.from_env(said)


def test_what_is_asked_for_is_the_least(town, elsewhere):
    asked = parse_qs(urlsplit(town.visitor().get("/sign-in/identity").location).query)
    assert asked["scope"] == ["openid"]
    assert asked["redirect_uri"] == ["http://localhost/sign-in/identity/back"]
    assert len(asked["nonce"][0]) >= 24
