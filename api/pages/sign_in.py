"""Signing in and out, and changing one's password (the first time, one must)."""

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from api.auth import SIGNED_IN, accounts, actor, begin_session, open_to, open_to_all, safe_next
from ledger.errors import InvalidRequest, NotAllowed

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
@open_to_all
def form() -> ResponseReturnValue:
    """Show the form; who is signed in already goes on."""
    if g.session is not None:
        return redirect(url_for("home.home"))
    return render_template("sign_in.html", next=request.args.get("next", ""))


@blueprint.post("/sign-in")
@open_to_all
def enter() -> ResponseReturnValue:
    """Sign in; a refusal keeps the name that was typed, never the password."""
    name = request.form.get("name", "")[:100]
    try:
        signed_in = accounts().sign_in(name, request.form.get("password", "")[:400])
    except NotAllowed as refusal:
        return render_template("sign_in.html", problem=str(refusal), name=name, next=request.form.get("next", "")), 403
    begin_session(signed_in)
    if signed_in.must_change:
        return redirect(url_for("sign_in.password"))
    return redirect(safe_next(request.form.get("next")))


@blueprint.post("/sign-out")
@open_to(*SIGNED_IN)
def leave() -> ResponseReturnValue:
    """End the session, here and wherever else the account is signed in."""
    accounts().end_sessions(actor().account)
    session.clear()
    return redirect(url_for("sign_in.form"))


@blueprint.get("/password")
@open_to(*SIGNED_IN)
def password() -> ResponseReturnValue:
    """Show the form for a new password."""
    return render_template("password.html")


@blueprint.post("/password")
@open_to(*SIGNED_IN)
def change() -> ResponseReturnValue:
    """Change one's password; this browser goes on, every other session ends."""
    old, new, again = (request.form.get(name, "")[:400] for name in ("old", "new", "again"))
    try:
        if new != again:
            raise InvalidRequest("两次输入的新密码不一样，请重新输入")
        changed = accounts().change_password(actor().account, old, new)
    except (InvalidRequest, NotAllowed) as refusal:
        return render_template("password.html", problem=str(refusal)), 400
    begin_session(changed)
    return redirect(url_for("home.home"))
