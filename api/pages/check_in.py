"""Signing in and out: the station's screen and desk, the volunteer's phone, and the volunteer's own code.

Who scans the screen need not be signed in yet: the code is judged at once, and a ticket in a cookie of that browser remembers for some minutes
when it was scanned. So nobody loses minutes by typing a password, and an address that was copied is worth nothing half a minute later.
"""

from datetime import datetime

import segno
from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from api.auth import actor, ledger, open_to, open_to_all
from api.pages.activities import RECORDERS
from ledger import activities, stations
from ledger.attendance import codes, desks
from ledger.attendance.marking import TOO_SOON, Mark, Pair, mark_many
from ledger.entries import SHANGHAI
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.ids import spaced
from ledger.people import volunteers

blueprint = Blueprint("check_in", __name__)
NEWEST = 12
OLD = "这个码已经过期。请再扫一次站点屏幕上的新码，半分钟之内打开"


def picture(said: str) -> Markup:
    """Draw a code to scan, as part of a page."""
    return Markup(segno.make(said, error="m", micro=False).svg_inline(scale=8, border=2, svgclass="qr-code", omitsize=True))  # noqa: S704 made of modules alone


# --- the station's side


@blueprint.post("/activities/<number>/desk/open")
@open_to(*RECORDERS)
def open_desk(number: str) -> ResponseReturnValue:
    """Begin signing in."""
    ledger().operate(lambda connection, now: desks.open_desk(connection, now, actor(), number))
    return redirect(url_for("check_in.desk", number=number))


@blueprint.get("/activities/<number>/desk")
@open_to(*RECORDERS)
def desk(number: str) -> ResponseReturnValue:
    """Show the desk: one field for codes and numbers, how many are there, who came last."""
    return _desk(number)


@blueprint.post("/activities/<number>/desk")
@open_to(*RECORDERS)
def mark(number: str) -> ResponseReturnValue:
    """Take a code or a number at the desk: whoever is not there comes, whoever is there leaves."""
    now = ledger().now()
    read = codes.read_own(ledger().vault.blind, request.form.get("code", ""), now)
    if read is None:
        return _desk(number, "这个码读不出来或已经过期。请让志愿者在手机上刷新「我的码」再扫；没有手机的，输入 10 位志愿者编号")
    volunteer, fresh = read
    try:
        pair: Pair = ledger().write_item(mark_many, Mark(number, volunteer, "own_code" if fresh else "number", now), actor())
    except LedgerError as refusal:
        return _desk(number, str(refusal))
    flash(f"{spaced(pair.volunteer)} {_told(pair)}")  # the name stands in the list: in a crowd, nothing is unsealed for it here
    return redirect(url_for("check_in.desk", number=number))


@blueprint.get("/activities/<number>/screen")
@open_to(*RECORDERS)
def screen(number: str) -> ResponseReturnValue:
    """Show the code of this half minute, large; the page comes again with the next one by itself."""
    now = ledger().now()
    with ledger().read() as tx:
        row, desk = desks.visible(tx, actor(), number)
        counted = desks.counts(tx.connection, number)
    code = codes.screen_code(ledger().vault.blind, number, now)
    address = url_for("check_in.scanned", number=number, code=code, _external=True)
    return render_template(
        "screen.html",
        row=row,
        desk=desk,
        counts=counted,
        code=codes.spaced(code),
        qr=picture(address),
        seconds=codes.seconds_left(now),
    )


# --- the volunteer's side


@blueprint.get("/check-in/<number>/<code>")
@open_to_all
def scanned(number: str, code: str) -> ResponseReturnValue:
    """Judge a code that was scanned from the screen, and go on to signing in with a ticket."""
    now, blind = ledger().now(), ledger().vault.blind
    if not codes.on_screen(blind, number, code, now):
        if g.session is not None and g.session.actor.volunteer:
            flash(OLD)
            return redirect(url_for("check_in.mine"))
        raise InvalidRequest(OLD)
    answer = redirect(url_for("check_in.here", number=number))
    said = codes.ticket(blind, number, now)
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    answer.set_cookie(_cookie(), said, max_age=codes.TICKET_LIFETIME, httponly=True, secure=secure, samesite="Lax", path="/")
    return answer


@blueprint.get("/check-in/typed")
@open_to("volunteer")
def type_in() -> ResponseReturnValue:
    """Ask for the screen's code of somebody who cannot scan it."""
    return render_template("typed_code.html", problem="")


@blueprint.post("/check-in/typed")
@open_to("volunteer")
def typed() -> ResponseReturnValue:
    """Take the screen's code as it was typed."""
    said = request.form.get("code", "")
    try:
        found = desks.showing(ledger(), actor().volunteer or "", said, request.remote_addr)
    except InvalidRequest as refusal:
        return render_template("typed_code.html", problem=str(refusal)), 400
    return redirect(url_for("check_in.scanned", number=found, code="".join(said.upper().split())))


@blueprint.get("/check-in/<number>")
@open_to("volunteer")
def here(number: str) -> ResponseReturnValue:
    """Show the one button that is next: sign in, or sign out."""
    return _here(number)


@blueprint.post("/check-in/<number>")
@open_to("volunteer")
def check(number: str) -> ResponseReturnValue:
    """Sign in or out, at the time when the screen's code was scanned."""
    at = codes.scanned_at(ledger().vault.blind, number, request.cookies.get(_cookie(), ""), ledger().now())
    if at is None:
        return _here(number, OLD)
    me = actor()
    leaving = request.form.get("do") == "leave"
    try:
        pair: Pair = ledger().write_item(mark_many, Mark(number, me.volunteer or "", "screen", at, leaving), me)
    except LedgerError as refusal:
        return _here(number, str(refusal))
    flash(_told(pair))
    return redirect(url_for("check_in.here", number=number))


@blueprint.get("/check-in")
@open_to("volunteer")
def mine() -> ResponseReturnValue:
    """Show one's own code, to be scanned at a desk."""
    now = ledger().now()
    with ledger().read() as tx:
        number = volunteers.get(tx, actor().volunteer or "").row.number
    said = codes.own_code(ledger().vault.blind, number, now)
    return render_template("own_code.html", qr=picture(said), code=_spelt(said), seconds=codes.seconds_left(now))


# --- parts


def _here(number: str, problem: str = "") -> ResponseReturnValue:
    with ledger().read() as tx:
        row = activities.get(tx.connection, number)
        desk = desks.find(tx.connection, number)
        if desk is None:
            raise NotFound("这个活动还没有开始签到，请找现场工作人员")
        me = volunteers.get(tx, actor().volunteer or "").row.number
        pairs = desks.of_person(tx.connection, number, me)
        at = codes.scanned_at(tx.vault.blind, number, request.cookies.get(_cookie(), ""), tx.now)
        name = stations.names(tx.connection, {row.station})[row.station]
    there = bool(pairs) and pairs[-1].left_at is None
    last = datetime.fromisoformat(pairs[-1].left_at or pairs[-1].came_at) if pairs else None
    fresh = at is not None and (last is None or at - last >= TOO_SOON)  # the scan that was used already opens nothing more
    page = render_template("check_in.html", row=row, desk=desk, pairs=pairs, there=there, fresh=fresh, station=name, problem=problem)
    return (page, 400) if problem else page


def _desk(number: str, problem: str = "") -> ResponseReturnValue:
    with ledger().read() as tx:
        row, desk = desks.visible(tx, actor(), number)
        newest = desks.newest(tx.connection, number, NEWEST)
        names = volunteers.masked_names(tx, {one.volunteer for one in newest})
        counted = desks.counts(tx.connection, number)
    page = render_template("desk.html", row=row, desk=desk, newest=newest, names=names, counts=counted, how=desks.HOW, problem=problem)
    return (page, 400) if problem else page


def _spelt(own: str) -> str:
    """Show one's own code as number and proof, each kept together on its line."""
    return f"{spaced(own[:10])} {codes.spaced(own[10:])}".replace(" ", "\u00a0").replace("\u00a0", " ", 1)


def _told(pair: Pair) -> str:
    """Say what came of a mark."""
    at, what = (pair.left_at, "签退") if pair.left_at else (pair.came_at, "签到")
    said = f"{at.astimezone(SHANGHAI):%H:%M}"
    return f"{said} 已经{what}过了" if pair.again else f"{what}成功，{said}"


def _cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-visit"
