"""
A helper at the desk: somebody without a phone sits beside a clerk and types their own code, and the clerk's screen shows their page for some minutes.

The person's word opens it, and it is written down as a look like any other (ledger/people/reveals.py), which the person sees. It ends by itself, at
the press of a button, and with the clerk's session; nothing can be done there but read and print. What must be changed is changed by the clerk's own
right, under the clerk's own name.
"""

from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, accounts, actor, client, ledger, open_to
from api.pages.credit import statement
from api.pages.volunteers import visible
from ledger.errors import LedgerError, NotAllowed
from ledger.people import reveals

blueprint = Blueprint("helping", __name__, url_prefix="/helping")
LASTS = timedelta(minutes=5)
SHOWN = "本人的服务页面（本人在场，输入登录码）"
_WRONG = "登录码或密码不对、已经用过或过期了。请本人再看一遍，或在志愿者页面重新打印一张"
_KEY = "helping"


@blueprint.get("/<number>/start")
@open_to(*STAFF)
def form(number: str) -> ResponseReturnValue:
    """Ask the person to type their code."""
    return _form(number)


def _form(number: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        person = visible(tx, number)
    return render_template("helping_start.html", person=person, minutes=LASTS.seconds // 60, problem=problem), status


@blueprint.post("/<number>/start")
@open_to(*STAFF)
def start(number: str) -> ResponseReturnValue:
    """Open the person's page when the code is theirs: the session that it makes ends at once, and the look is written down."""
    with ledger().read() as tx:
        known = visible(tx, number).row.number
    try:
        theirs = accounts().sign_in(known, request.form.get("code", "")[:400], client())
    except NotAllowed:
        return _form(known, _WRONG, 403)
    accounts().end_session(theirs.actor.account, theirs.id)
    try:
        reveals.reveal(ledger(), actor(), known, "own_request", fields=SHOWN)
    except LedgerError as refusal:
        return _form(known, str(refusal), 400)
    session[_KEY] = [known, actor().account, (ledger().now() + LASTS).isoformat()]
    return redirect(url_for("helping.page"))


@blueprint.get("/")
@open_to(*STAFF)
def page() -> ResponseReturnValue:
    """Show the person's page as they would see it, and for how long it still stands."""
    number, account, until = session.get(_KEY) or ("", "", "")
    left = (datetime.fromisoformat(until) - ledger().now()).total_seconds() if until else 0
    if left <= 0 or account != actor().account:
        return _over("协助已经结束，页面已收起。要再看，请本人重新输入。" if number else "没有正在进行的协助。")
    with ledger().read() as tx:
        shown = statement(tx, visible(tx, number).row.number)
    return render_template("helping.html", mine=False, seconds=int(left) + 1, until=until, **shown)


@blueprint.post("/end")
@open_to(*STAFF)
def end() -> ResponseReturnValue:
    """Put the person's page away."""
    return _over("协助已经结束，页面已收起。")


def _over(text: str) -> ResponseReturnValue:
    session.pop(_KEY, None)
    flash(text)
    return redirect(url_for("volunteers.search"))
