"""「查看留痕」: how often each account looked at people's data in full; whoever watches sees accounts, never the people."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from ledger.people import reveals

blueprint = Blueprint("reveals", __name__, url_prefix="/reveals")


@blueprint.get("/")
@open_to("official", "auditor")
def listing() -> ResponseReturnValue:
    """Count the looks of the last thirty days by account, the most on one day first."""
    with ledger().read() as tx:
        found = reveals.counts(tx, actor())
    return render_template("reveals.html", found=found, most=reveals.UNUSUAL_A_DAY)
