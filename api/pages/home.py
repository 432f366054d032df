"""The first page: staff see what is theirs to do; everybody else is shown to where they belong."""

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from api import board, desk
from api.auth import STAFF, actor, ledger, open_to, open_to_all
from api.pages.batches import titled

blueprint = Blueprint("home", __name__)
RECENT = 6
_PLACES = {"volunteer": "credit.mine", "auditor": "log.page", "administrator": "accounts.listing"}


@blueprint.get("/")
@open_to_all
def home() -> ResponseReturnValue:
    """Go to where the role belongs."""
    if g.session is None:
        return redirect(url_for("sign_in.form"))
    return redirect(url_for(_PLACES.get(g.session.actor.role, "home.work")))


@blueprint.get("/work")
@open_to(*STAFF)
def work() -> ResponseReturnValue:
    """Show the one big button, the three counters and the newest batches."""
    me = actor()
    with ledger().read() as tx:
        counted = desk.counters(tx.connection, me, tx.today)
        batches = titled(tx.connection, desk.recent(tx.connection, me, tx.today, RECENT))
        shown = board.show(tx, tx.today.year, me.station)
    return render_template("home.html", counters=counted, batches=batches, board=shown, today=tx.today.isoformat())
