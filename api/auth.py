"""
Who may call what. Every view declares it; a view that does not is closed to everybody.

A session is a secret in a signed cookie, nothing else; whether it still holds is asked of the accounts at every request, so that signing out, a
reset or a disabling acts at once. A second cookie tells that this browser has signed in to an account before (ledger/people/throttling.py).

Programs send a token (`Authorization: Bearer`, RFC 6750) to the views that declare a scope. Under the API nothing else counts: no cookie is
looked at, so no other site can act through somebody's browser there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Request, current_app, g, redirect, request, session, url_for
from flask.sessions import NullSession, SecureCookieSessionInterface
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.problems import Problem
from ledger.entries import SHANGHAI
from ledger.errors import NotAllowed
from ledger.people.accounts import Accounts
from ledger.people.actors import ROLES, Actor
from ledger.people.passwords import code_good_until
from ledger.people.second_factors import SecondFactors
from ledger.people.sessions import Session
from ledger.people.throttling import Client
from ledger.people.tokens import SCOPES, Tokens
from ledger.store import Ledger

View = TypeVar("View", bound=Callable[..., Any])

STAFF = ("recorder", "approver", "official")
EVERYONE = frozenset({"everyone"})
SIGNED_IN = tuple(role for role in ROLES if role != "operator")
"""Roles that sign in: the operator is whoever has the machine's command line."""
_ANY_ROLE = frozenset(SIGNED_IN)
DEVICE_LIFETIME = timedelta(days=365)
DEVICES_MAX = 6
"""Accounts whose device tokens one browser keeps: a station's shared computer has a few people."""
_STEPS = {"second_factor": "second_factor.ask", "enrolment": "second_factor.enrol"}
"""Where to go for what a session still waits for."""


class Sessions(SecureCookieSessionInterface):
    """Sessions for pages; the API has none."""

    def open_session(self, app: Flask, request: Request) -> Any:
        """Read the cookie, except for programs."""
        return NullSession() if errors.for_programs(request.path) else super().open_session(app, request)


@dataclass(frozen=True)
class Parts:
    """What the views of one app stand on."""

    ledger: Ledger
    accounts: Accounts
    tokens: Tokens
    second_factors: SecondFactors


def open_to(*roles: str) -> Callable[[View], View]:
    """Declare which roles may call a view."""
    unknown = set(roles) - set(SIGNED_IN)
    assert roles
    assert not unknown, unknown

    def declare(view: View) -> View:
        cast(Any, view).open_to = frozenset(roles)
        return view

    return declare


def open_to_all(view: View) -> View:
    """Declare that anybody may call a view, signed in or not."""
    cast(Any, view).open_to = EVERYONE
    return view


def open_to_tokens(scope: str) -> Callable[[View], View]:
    """Declare that a view may be called with a token of a scope (and only so, unless it is open to roles as well)."""
    assert scope in SCOPES, scope

    def declare(view: View) -> View:
        cast(Any, view).scope = scope
        return view

    return declare


def required_scope(view: Callable[..., Any]) -> str | None:
    """Give the scope with which a token opens a view; None when no token does."""
    return getattr(view, "scope", None)


def allowed_roles(view: Callable[..., Any]) -> frozenset[str]:
    """Give the roles a view is open to; nobody when it declares nothing."""
    return getattr(view, "open_to", frozenset())


def init_app(app: Flask) -> None:
    """Ask before every request who is there and whether they may."""
    app.session_interface = Sessions()
    app.before_request(_guard)
    app.context_processor(lambda: {"me": g.get("session")})
    app.jinja_env.filters["code_until"] = code_until


def code_until(now: str, *, volunteer: bool = False) -> str:
    """Write until when a one-time code given at an instant is good: 3月8日 9 时."""
    until = code_good_until(datetime.fromisoformat(now), volunteer=volunteer).astimezone(SHANGHAI)
    return f"{until.month}月{until.day}日 {until.hour} 时"


def _guard() -> AnyResponse | None:
    g.session = None
    if request.endpoint is None:
        return None  # no such page, or not with this method: the error handlers say so
    view = current_app.view_functions[request.endpoint]
    roles, scope = allowed_roles(view), required_scope(view)
    by_program = errors.for_programs(request.path)
    if scope is not None and (by_program or "Authorization" in request.headers):
        g.actor = _bearer(scope)
        return None
    if not by_program:
        g.session = _current_session()
    if roles is EVERYONE:
        return _open_to_everyone()
    if g.session is None and roles:
        return _ask_to_sign_in()
    if g.session is None or (roles != _ANY_ROLE and g.session.actor.roles.isdisjoint(roles)):
        raise NotAllowed("您的账号没有这项权限。如果工作需要，请联系管理员")
    g.actor = g.session.actor
    return _first_do_what_is_missing(g.session)


def _open_to_everyone() -> AnyResponse | None:
    """Let anybody in; a session that is not complete counts as none, but at the doors it is shown on."""
    if g.session is not None and g.session.waits_for:
        step = _STEPS[g.session.waits_for]
        g.session = None
        if request.endpoint in ("home.home", "sign_in.form"):
            return redirect(url_for(step))
    return None


def _first_do_what_is_missing(found: Session) -> AnyResponse | None:
    """Send a session that is not complete to where it can be completed; from there, and to leave, it may go."""
    blueprint, endpoint = request.blueprint, request.endpoint
    if endpoint == "sign_in.leave":
        return None
    if found.waits_for:
        return None if blueprint == "second_factor" else redirect(url_for(_STEPS[found.waits_for]))
    if found.must_change and endpoint not in ("sign_in.password", "sign_in.change"):
        return redirect(url_for("sign_in.password"))
    return None


def _ask_to_sign_in() -> AnyResponse:
    if errors.for_log_tools(request.path):
        raise _unauthenticated("这些内容只给审计员：请带上访问令牌，或先登录")
    return redirect(url_for("sign_in.form", next=request.full_path.rstrip("?") if request.method == "GET" else None))


def _bearer(scope: str) -> Actor:
    """Say who acts with the request's token."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        raise _unauthenticated("请在 Authorization 里带上访问令牌：Bearer sw_…")
    try:
        bearer = parts().tokens.resolve(secret.strip())
    except NotAllowed as refusal:
        raise _unauthenticated(str(refusal), ', error="invalid_token"') from None
    if not bearer.may(scope):
        headers = {"WWW-Authenticate": f'Bearer realm="shouwang", error="insufficient_scope", scope="{scope}"'}
        raise Problem("not_allowed", f"这个访问令牌没有「{SCOPES[scope]}」的权限（{scope}）", headers=headers)
    return bearer.actor


def _unauthenticated(detail: str, more: str = "") -> Problem:
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": f'Bearer realm="shouwang"{more}'})


def _current_session() -> Session | None:
    secret = session.get("secret")
    return accounts().session(secret) if isinstance(secret, str) else None


def begin_session(signed_in: Session) -> None:
    """Start a session, dropping whatever the cookie held; staff's cookie ends with the browser, and with the session in any case."""
    session.clear()
    session.permanent = signed_in.actor.volunteer is not None
    session["secret"] = signed_in.secret


def client() -> Client:
    """Say from where somebody tries to sign in."""
    devices = request.cookies.get(_device_cookie(), "").split("|")[:DEVICES_MAX]
    return Client(request.remote_addr, tuple(devices), browser_name(request.user_agent.string))


def remember_device(response: AnyResponse, account: str) -> AnyResponse:
    """Let a browser keep a token for an account that has just signed in with it."""
    kept = [token for token in client().devices if token and token.partition(".")[0] != account]
    value = "|".join([accounts().device_token(account), *kept][:DEVICES_MAX])
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(_device_cookie(), value, max_age=DEVICE_LIFETIME, httponly=True, secure=secure, samesite="Lax", path="/")
    return response


def _device_cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-device"


def browser_name(agent: str) -> str:
    """Say what a browser calls itself, as far as its owner needs to know it again: 微信（Android）."""
    known = {"MicroMessenger": "微信", "Edg": "Edge", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
    systems = {
        "HarmonyOS": "鸿蒙",
        "Android": "Android",
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Windows": "Windows",
        "Mac OS": "Mac",
        "Linux": "Linux",
    }
    name = next((title for sign, title in known.items() if sign in agent), "浏览器")
    system = next((title for sign, title in systems.items() if sign in agent), "")
    return f"{name}（{system}）" if system else name


def parts() -> Parts:
    """Give what this app stands on."""
    return cast(Parts, current_app.extensions["shouwang"])


def ledger() -> Ledger:
    """Give the ledger behind this app."""
    return parts().ledger


def accounts() -> Accounts:
    """Give the accounts behind this app."""
    return parts().accounts


def second_factors() -> SecondFactors:
    """Give the second factors behind this app."""
    return parts().second_factors


def actor() -> Actor:
    """Who acts. Only for views that are not open to all."""
    return cast(Actor, g.actor)


def safe_next(target: str | None) -> str:
    """Give a path of this site to go on to, or the home page: never another site."""
    plain = target is not None and target.isprintable() and not target.startswith(("//", "/\\"))
    if target and plain and target.startswith("/") and not urlsplit(target).netloc:
        return target
    return url_for("home.home")
