"""The first page: staff see what is theirs to do; everybody else is shown to where they belong."""

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from api import board, desk
from api.auth import STAFF, actor, ledger, open_to, open_to_all
from api.pages.batches import titled
from ledger.duties import owing, weights
from ledger.filing import judging
from ledger.indicators import proposing
from ledger.people import confirmations, proposals, volunteers, withdrawals
from ledger.people.actors import units
from ledger.record import evaluations, lists
from ledger.rules import adopting

blueprint = Blueprint("home", __name__)
RECENT = 6
_PLACES = {"volunteer": "credit.mine", "auditor": "log.page", "administrator": "accounts.listing"}


@blueprint.get("/")
@open_to_all
def home() -> ResponseReturnValue:
    """Go to where the role belongs."""
    if g.session is None:
        return redirect(url_for("sign_in.form"))
    if g.session.actor.volunteer and _to_be_asked(g.session.actor.volunteer):
        return redirect(url_for("registration.mine"))
    return redirect(url_for(_PLACES.get(g.session.actor.role, "home.work" if g.session.actor.role else "security.page")))


def _to_be_asked(number: str) -> bool:
    """Tell whether somebody comes to 「登记信息」 first: they have not answered yet, or a station asks them to move there."""
    with ledger().read() as tx:
        person = volunteers.get(tx, number)
        return confirmations.is_wanted(tx, person) or any(one.kind == "move" for one in proposals.asked_of(tx, person.row.number))


@blueprint.get("/work")
@open_to(*STAFF)
def work() -> ResponseReturnValue:
    """Show the one big button, the three counters and the newest batches."""
    me = actor()
    with ledger().read() as tx:
        counted = desk.counters(tx.connection, me, tx.today)
        batches = titled(tx.connection, desk.recent(tx.connection, me, tx.today, RECENT))
        shown = board.show(tx, tx.today.year, me.station)
        asked = [one for one in proposals.waiting(tx, me) if one.row.asked_by != me.account]
        official = "official" in me.roles
        rules = [one for one in adopting.PROPOSALS.waiting(tx, me) if not one.own] if official else []
        weighed = [one for one in weights.PROPOSALS.waiting(tx, me) if not one.own] if official else []
        indicators = [one for one in proposing.PROPOSALS.waiting(tx, me) if not one.own] if official else []
        opinions = len(judging.waiting(tx, me))
        disowned = [one for one in withdrawals.disowned(tx, me) if one.row.disowned is None] if me.may("decide_people") else []
        unevaluated = evaluations.waiting(tx, me) if me.may("record") else []
        due = lists.dues(tx, me)
        # Those who hand papers in are told; the district sees its streets in a table, which takes longer to count.
        owed = owing.owed(tx.connection, units(tx.connection, me, "register"), tx.today) if me.station else []
    return render_template(
        "home.html",
        unevaluated=unevaluated,
        due=due,
        papers={state: sum(one.state == state for one in owed) for state in ("overdue", "soon")},
        counters=counted,
        batches=batches,
        board=shown,
        today=tx.today.isoformat(),
        asked=asked,
        disowned=disowned,
        rules=rules,
        indicators=indicators,
        weighed=weighed,
        opinions=opinions,
    )
