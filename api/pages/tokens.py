"""One's own API tokens: make one, see when it was last used, end it."""

from datetime import date, timedelta

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import SIGNED_IN, actor, ledger, open_to, parts
from ledger.entries import SHANGHAI
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people.tokens import LIFETIME_DAYS_MAX, SCOPES, offered

blueprint = Blueprint("tokens", __name__, url_prefix="/me/tokens")
HOLDERS = tuple(role for role in SIGNED_IN if role != "volunteer")
DAYS_OFFERED = 90


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    today = ledger().now().astimezone(SHANGHAI).date()
    page = render_template(
        "tokens.html",
        found=parts().tokens.own(actor()),
        offered=offered(actor()),
        scopes=SCOPES,
        chosen=request.form.getlist("scope"),
        expires_on=request.form.get("expires_on") or (today + timedelta(days=DAYS_OFFERED)).isoformat(),
        last_day=(today + timedelta(days=LIFETIME_DAYS_MAX)).isoformat(),
        today=today.isoformat(),
        problem=problem,
    )
    return page, status


@blueprint.get("/")
@open_to(*HOLDERS)
def listing() -> ResponseReturnValue:
    """List the tokens of this account."""
    return _page()


@blueprint.post("/")
@open_to(*HOLDERS)
def issue() -> ResponseReturnValue:
    """Make a token and show it once."""
    try:
        try:
            expires_on = date.fromisoformat(request.form.get("expires_on", ""))
        except ValueError:
            raise InvalidRequest("请填写到期日，例如 2026-06-30") from None
        secret = parts().tokens.issue(actor(), g.session.login, request.form.getlist("scope"), expires_on)
    except (InvalidRequest, NotFound) as refusal:
        return _page(str(refusal), 400)
    return render_template(
        "token.html", secret=secret, expires_on=expires_on.isoformat(), chosen=request.form.getlist("scope"), scopes=SCOPES
    )


@blueprint.post("/<token>/revoke")
@open_to(*HOLDERS)
def revoke(token: str) -> ResponseReturnValue:
    """End one of one's own tokens."""
    if token not in {one.id for one in parts().tokens.own(actor())}:
        raise NotFound("没有这个编号的访问令牌")
    try:
        parts().tokens.revoke(actor(), token)
    except (InvalidRequest, NotAllowed) as refusal:
        return _page(str(refusal), 400)
    flash("访问令牌已撤销，几秒之内不能再用。")
    return redirect(url_for("tokens.listing"))
