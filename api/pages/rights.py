"""What happened to rights, for administrators and auditors; roles that wait for a second person; roles that need a second factor."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from api.wording import ACCOUNT_CHANGES
from ledger import stations
from ledger.errors import NotFound
from ledger.kinds.accounts import GRANTED_ROLES
from ledger.people import accounts, grants, second_factors, vouching
from ledger.people.actors import Actor
from ledger.transactions import ReadTransaction

blueprint = Blueprint("rights", __name__, url_prefix="/rights")
ON_A_PAGE = 100


def shown_changes(tx: ReadTransaction, viewer: Actor, **asked: Any) -> list[dict[str, Any]]:
    """Put the history of rights into words, newest first."""
    rows = grants.changes(tx, viewer, **asked)
    people = {row.account for row in rows} | {row.actor for row in rows} | {row.proposed_by for row in rows if row.proposed_by}
    named = accounts.logins(tx.connection, people)
    return [
        {
            "index": row.entry_index,
            "login": named[row.account],
            "what": ACCOUNT_CHANGES[row.change],
            "role": row.role,
            "station": row.station,
            "reason": row.reason or "",
            "by": named[row.actor],
            "proposed_by": named[row.proposed_by] if row.proposed_by else "",
            "at": row.recorded_at,
        }
        for row in rows
    ]


def shown_proposals(tx: ReadTransaction, viewer: Actor) -> list[dict[str, Any]]:
    """Put the roles that wait for a second person into words."""
    found = grants.proposals(tx, viewer)
    named = accounts.logins(tx.connection, {one.account for one in found} | {one.proposed_by for one in found})
    return [
        {"proposal": one, "login": named[one.account], "by": named[one.proposed_by], "role": one.grant.role, "station": one.grant.station}
        for one in found
    ]


def shown_waiting(tx: ReadTransaction, viewer: Actor) -> list[dict[str, Any]]:
    """Put the accounts that a second administrator has to vouch for into words."""
    found = vouching.waiting(tx, viewer)
    named = accounts.logins(tx.connection, {one.account for one in found} | {row.actor for one in found for row in one.changes})
    return [
        {
            "one": one,
            "login": named[one.account],
            "changes": [{"what": ACCOUNT_CHANGES[row.change], "by": named[row.actor], "at": row.recorded_at} for row in one.changes],
        }
        for one in found
    ]


@blueprint.get("/")
@open_to("administrator", "auditor")
def listing() -> ResponseReturnValue:
    """Show what happened, from the log, and who needs a second factor."""
    before = request.args.get("before", type=int)
    with ledger().read() as tx:
        found = shown_changes(tx, actor(), before=before, limit=ON_A_PAGE)
        names = {unit.code: unit.name for unit in stations.everyone(tx.connection)}
        required = second_factors.required_roles(tx.connection, tx.today)
    more = found[-1]["index"] if len(found) == ON_A_PAGE else None
    return render_template("rights.html", found=found, names=names, more=more, before=before, required=required, roles=GRANTED_ROLES)


@blueprint.post("/proposals/<proposal>/<any(confirm, decline):verdict>")
@open_to("administrator")
def judge(proposal: str, verdict: str) -> ResponseReturnValue:
    """Agree to a proposed role, or drop it."""
    work = grants.confirm if verdict == "confirm" else grants.decline
    try:
        ledger().write(lambda tx: work(tx, proposal), actor())
    except NotFound as refusal:
        flash(str(refusal))
        return redirect(url_for("accounts.listing"))
    flash("已确认，这个角色现在生效，并已入账。" if verdict == "confirm" else "提议已撤回。")
    return redirect(url_for("accounts.listing"))


@blueprint.post("/second-factor")
@open_to("administrator")
def require() -> ResponseReturnValue:
    """Say which roles need a second factor from today on."""
    wanted = request.form.getlist("role")
    ledger().write(lambda tx: second_factors.require_for(tx, wanted), actor())
    flash("规则已入账，下次登录起执行：没有设置两步验证的人会先被带去设置。")
    return redirect(url_for("rights.listing"))
