"""「通知」: what somebody has been told, and whether they want it on their phone as well."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import SIGNED_IN, actor, ledger, open_to
from api.notice_words import shown
from ledger import messages, notices
from ledger.errors import InvalidRequest

blueprint = Blueprint("notices", __name__, url_prefix="/notices")


@blueprint.get("/")
@open_to(*SIGNED_IN)
def inbox() -> ResponseReturnValue:
    """Show the inbox; what is shown counts as read from then on."""
    return _page()


def _page(problem: str = "") -> str:
    me = actor()
    with ledger().read() as tx:
        recipient = notices.recipient_of(tx.connection, me)
        found = notices.inbox(tx, recipient)
        said = {
            "found": shown(tx, found, volunteer=me.volunteer is not None),
            "wish": messages.wish_of(tx.connection, recipient),
            "failed": [row for row in messages.outcomes(tx, me, 20) if row.state == "given_up"] if me.volunteer else [],
        }
    page = render_template("notices.html", problem=problem, channels=messages.CHANNELS, sending=bool(ledger().settings.messages_to), **said)
    new = [one.id for one in found if one.unread]
    if new:
        ledger().operate(lambda connection, now: notices.mark_read(connection, now, recipient, new))
    return page


@blueprint.post("/read")
@open_to(*SIGNED_IN)
def read_all() -> ResponseReturnValue:
    """Count everything as read, also what is too old to be shown."""
    me = actor()
    ledger().operate(lambda connection, now: notices.mark_read(connection, now, notices.recipient_of(connection, me)))
    return redirect(url_for("notices.inbox"))


@blueprint.post("/wish")
@open_to("volunteer")
def wish() -> ResponseReturnValue:
    """Say whether messages should come to one's phone."""
    channel = request.form.get("channel") or None
    try:
        ledger().write(lambda tx: messages.wish(tx, channel), actor())
    except InvalidRequest as refusal:
        return _page(str(refusal)), 400
    flash(f"记下了：以后有结果会发{messages.CHANNELS[channel]}给您。" if channel else "记下了：不发手机消息，只放在这里。")
    return redirect(url_for("notices.inbox"))


def unread() -> int:
    """Count what whoever is signed in has not read: for the top of every page."""
    found = g.get("session")
    if found is None or found.waits_for:
        return 0
    with ledger().read() as tx:
        return notices.unread(tx.connection, notices.recipient_of(tx.connection, found.actor))
