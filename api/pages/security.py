"""One's own account: what it may do, where it is signed in, password, second factor, linked identity."""

from flask import Blueprint, flash, g, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from api import oidc
from api.auth import SIGNED_IN, accounts, actor, ledger, open_to, second_factors
from ledger import stations
from ledger.people import actors, linked_identities

blueprint = Blueprint("security", __name__, url_prefix="/me")


@blueprint.get("/")
@open_to(*SIGNED_IN)
def page() -> ResponseReturnValue:
    """Show the account to its owner."""
    me = actor()
    with ledger().read() as tx:
        names = {unit.code: unit.name for unit in stations.everyone(tx.connection)}
        linked = linked_identities.of_account(tx.connection, me.account)
        unvouched = bool(actors.holders(tx.connection, me.account))
    return render_template(
        "security.html",
        names=names,
        sessions=accounts().sessions_of(me.account),
        codes_left=second_factors().left(me.account),
        provider=oidc.provider(),
        linked=linked,
        unvouched=unvouched,
        problem=session.pop("problem", ""),
    )


@blueprint.post("/sessions/<session_id>/end")
@open_to(*SIGNED_IN)
def end(session_id: str) -> ResponseReturnValue:
    """Sign out one browser."""
    accounts().end_session(actor().account, session_id)
    if session_id == g.session.id:
        session.clear()
        return redirect(url_for("sign_in.form"))
    flash("那一处登录已经退出。")
    return redirect(url_for("security.page"))


@blueprint.post("/sessions/end")
@open_to(*SIGNED_IN)
def end_all() -> ResponseReturnValue:
    """Sign out everywhere, here too."""
    accounts().end_sessions(actor().account)
    session.clear()
    return redirect(url_for("sign_in.form"))
