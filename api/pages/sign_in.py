"""Signing in and out, and changing one's password (the first time, one must)."""

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from api import oidc
from api.auth import SIGNED_IN, accounts, actor, begin_session, client, open_to, open_to_all, remember_device, safe_next
from ledger.errors import InvalidRequest, NotAllowed
from ledger.people.sessions import Session

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
@open_to_all
def form() -> ResponseReturnValue:
    """Show the form; who is signed in already goes on."""
    if g.session is not None:
        return redirect(url_for("home.home"))
    return render_template("sign_in.html", next=request.args.get("next", ""), provider=oidc.provider())


@blueprint.post("/sign-in")
@open_to_all
def enter() -> ResponseReturnValue:
    """Sign in; a refusal keeps the name that was typed, never the password."""
    name = request.form.get("name", "")[:100]
    target = request.form.get("next", "")
    try:
        signed_in = accounts().sign_in(name, request.form.get("password", "")[:400], client())
    except NotAllowed as refusal:
        g.refused = refusal.why or "not_allowed"
        return render_template("sign_in.html", problem=str(refusal), name=name, next=target, provider=oidc.provider()), 403
    return go_on(signed_in, target)


def go_on(signed_in: Session, target: str | None) -> ResponseReturnValue:
    """Begin the session; lead to what is missing yet, or to where somebody wanted to go."""
    begin_session(signed_in)
    g.actor = signed_in.actor  # so that the log line says who signed in
    if signed_in.waits_for:
        session["next"] = safe_next(target)
        return redirect(url_for("home.home"))
    going = url_for("sign_in.password") if signed_in.must_change else safe_next(target)
    return remember_device(redirect(going), signed_in.actor.account)


@blueprint.post("/sign-out")
@open_to(*SIGNED_IN)
def leave() -> ResponseReturnValue:
    """End this session; whoever copied its cookie holds nothing any more, and what a page kept in the browser is gone."""
    accounts().end_session(actor().account, g.session.id)
    session.clear()
    answer = redirect(url_for("sign_in.form"))
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


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
        changed = accounts().change_password(actor().account, old, new, client())
    except (InvalidRequest, NotAllowed) as refusal:
        return render_template("password.html", problem=str(refusal)), 400
    begin_session(changed)
    return redirect(url_for("home.home"))
