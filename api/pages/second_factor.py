"""The second factor: asked for after the password, set up with an app on the phone, given up again."""

import io

import segno
from flask import Blueprint, Response, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from api.auth import SIGNED_IN, actor, begin_session, client, open_to, remember_device, safe_next, second_factors
from ledger.errors import InvalidRequest, NotAllowed
from ledger.people.second_factors import address

blueprint = Blueprint("second_factor", __name__)


@blueprint.get("/second-factor")
@open_to(*SIGNED_IN)
def ask() -> ResponseReturnValue:
    """Ask for the code that a session still waits for."""
    if g.session.waits_for != "second_factor":
        return redirect(url_for("home.home"))
    return render_template("second_factor.html")


@blueprint.post("/second-factor")
@open_to(*SIGNED_IN)
def answer() -> ResponseReturnValue:
    """Complete the session by a code."""
    if g.session.waits_for != "second_factor":
        return redirect(url_for("home.home"))
    try:
        signed_in = second_factors().pass_with(g.session, request.form.get("code", "")[:40], client().browser)
    except NotAllowed as refusal:
        g.refused = "second_factor"
        return render_template("second_factor.html", problem=str(refusal)), 403
    target = session.get("next")
    begin_session(signed_in)
    return remember_device(redirect(safe_next(target)), signed_in.actor.account)


@blueprint.get("/me/second-factor")
@open_to(*SIGNED_IN)
def enrol() -> ResponseReturnValue:
    """Show the picture to scan and ask for the first code."""
    return _form()


def _form(problem: str = "", status: int = 200) -> ResponseReturnValue:
    try:
        secret = second_factors().begin(actor())
    except InvalidRequest as refusal:
        return _back(str(refusal))
    return render_template("second_factor_new.html", problem=problem, secret=secret), status


@blueprint.get("/me/second-factor/qr.svg")
@open_to(*SIGNED_IN)
def picture() -> ResponseReturnValue:
    """Draw what the app scans; only until the first code has been given."""
    drawn = io.BytesIO()
    said = address(g.session.login, second_factors().begin(actor()))
    segno.make(said, error="m").save(drawn, kind="svg", scale=6, border=2)
    return Response(drawn.getvalue(), content_type="image/svg+xml")


@blueprint.post("/me/second-factor")
@open_to(*SIGNED_IN)
def confirm() -> ResponseReturnValue:
    """Put it in use with the first code, and show the recovery codes once."""
    try:
        codes, signed_in = second_factors().confirm(g.session, request.form.get("code", "")[:40], client().browser)
    except NotAllowed as refusal:
        return _form(str(refusal), 400)
    begin_session(signed_in)
    g.session = signed_in
    page = render_template("recovery_codes.html", codes=codes)
    return remember_device(Response(page), signed_in.actor.account)


@blueprint.post("/me/second-factor/remove")
@open_to(*SIGNED_IN)
def remove() -> ResponseReturnValue:
    """Do without it from now on."""
    try:
        second_factors().remove(actor(), request.form.get("code", "")[:40])
    except (NotAllowed, InvalidRequest) as refusal:
        return _back(str(refusal))
    flash("两步验证已关闭，以后登录只问密码。")
    return redirect(url_for("security.page"))


def _back(problem: str) -> ResponseReturnValue:
    session["problem"] = problem
    return redirect(url_for("security.page"))
