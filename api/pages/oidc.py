"""Signing in by an identity provider, and linking an identity there to the account one is signed in to."""

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from api.auth import SIGNED_IN, actor, client, ledger, open_to, open_to_all, safe_next
from api.hosts import site_address
from api.oidc import Provider, provider
from api.pages.sign_in import go_on
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people import linked_identities

blueprint = Blueprint("oidc", __name__)


def _provider() -> Provider:
    found = provider()
    if found is None:
        raise NotFound("这里没有启用统一身份认证")
    return found


def _callback() -> str:
    address = site_address()
    if current_app.config["SESSION_COOKIE_SECURE"]:
        address = "https" + address[address.index(":") :]
    return address + url_for("oidc.callback")


@blueprint.get("/sign-in/identity")
@open_to_all
def start() -> ResponseReturnValue:
    """Send somebody to the identity provider: a link, since a form may lead nowhere else."""
    where, kept = _provider().begin(_callback())
    session["identity"] = kept | {"next": safe_next(request.args.get("next")), "link": ""}
    return redirect(where)


@blueprint.post("/me/identity")
@open_to(*SIGNED_IN)
def link() -> ResponseReturnValue:
    """Begin to link an identity: the page says what will happen and has the link that leads there."""
    where, kept = _provider().begin(_callback())
    session["identity"] = kept | {"next": url_for("security.page"), "link": g.session.id}
    return render_template("identity.html", where=where, provider=_provider())


@blueprint.post("/me/identity/remove")
@open_to(*SIGNED_IN)
def unlink() -> ResponseReturnValue:
    """Undo the link."""
    linked_identities.unlink(ledger(), actor())
    flash("已解除绑定，以后用登录名和密码登录。")
    return redirect(url_for("security.page"))


@blueprint.get("/sign-in/identity/back")
@open_to_all
def callback() -> ResponseReturnValue:
    """Take somebody who comes back: sign in, or link, whichever was begun in this browser."""
    found, kept = _provider(), session.pop("identity", None)
    try:
        if kept is None:
            raise NotAllowed("这次登录不是从本站开始的，或者放得太久了，请重新登录")
        subject = found.finish(_callback(), kept, request.args)
        if not kept["link"]:
            return go_on(linked_identities.sign_in(ledger(), found.issuer, subject, client().browser), kept["next"])
        if g.session is None or g.session.id != kept["link"]:
            raise NotAllowed("登录已经结束，没有绑定。请重新登录后再试")
        linked_identities.link(ledger(), g.session.actor, found.issuer, subject)
    except (NotAllowed, InvalidRequest) as refusal:
        g.refused = "identity"
        if g.session is not None:
            session["problem"] = str(refusal)
            return redirect(url_for("security.page"))
        return render_template("sign_in.html", problem=str(refusal), name="", next="", provider=found), 403
    flash("已绑定，以后可以用统一身份登录。")
    return redirect(url_for("security.page"))
