"""
Who may call what. Every view declares it; a view that does not is closed to everybody.

A session is a signed cookie with the account's id and epoch, nothing else; whether it still holds is asked of the accounts at every
request, so that a reset or a disabling acts at once.

Programs send a token (`Authorization: Bearer`, RFC 6750) to the views that declare a scope. Under the API nothing else counts: no cookie is
looked at, so no other site can act through somebody's browser there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Request, current_app, g, redirect, request, session, url_for
from flask.sessions import NullSession, SecureCookieSessionInterface
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.problems import Problem
from ledger.errors import NotAllowed
from ledger.people.accounts import Accounts, Session
from ledger.people.actors import ROLES, Actor
from ledger.people.tokens import SCOPES, Tokens
from ledger.store import Ledger

View = TypeVar("View", bound=Callable[..., Any])

STAFF = ("recorder", "approver", "official")
EVERYONE = frozenset({"everyone"})
SIGNED_IN = tuple(role for role in ROLES if role != "operator")
"""Roles that sign in: the operator is whoever has the machine's command line."""


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
        return None
    if g.session is None and roles:
        return _ask_to_sign_in()
    if g.session is None or g.session.actor.role not in roles:
        raise NotAllowed("您的账号没有这项权限。如果工作需要，请联系管理员")
    if g.session.must_change and request.endpoint not in ("sign_in.password", "sign_in.change", "sign_in.leave"):
        return redirect(url_for("sign_in.password"))
    g.actor = g.session.actor
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
    account, epoch = session.get("account"), session.get("epoch")
    if not isinstance(account, str) or not isinstance(epoch, int):
        return None
    return accounts().session(account, epoch)


def begin_session(signed_in: Session) -> None:
    """Start a session, dropping whatever the cookie held."""
    session.clear()
    session.permanent = True
    session["account"], session["epoch"] = signed_in.actor.account, signed_in.epoch


def parts() -> Parts:
    """Give what this app stands on."""
    return cast(Parts, current_app.extensions["shouwang"])


def ledger() -> Ledger:
    """Give the ledger behind this app."""
    return parts().ledger


def accounts() -> Accounts:
    """Give the accounts behind this app."""
    return parts().accounts


def actor() -> Actor:
    """Who acts. Only for views that are not open to all."""
    return cast(Actor, g.actor)


def safe_next(target: str | None) -> str:
    """Give a path of this site to go on to, or the home page: never another site."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and not urlsplit(target).netloc:
        return target
    return url_for("home.home")
