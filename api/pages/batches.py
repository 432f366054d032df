"""Batches: what was handed in at once, as it stands now; right after the commit this is the receipt."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from api import desk
from api.auth import STAFF, actor, ledger, open_to
from ledger import activities, stations
from ledger.errors import NotFound

blueprint = Blueprint("batches", __name__)
LISTED = 60


@dataclass(frozen=True)
class Listed:
    """A batch in a list: its row of sums, what it is called, where it was."""

    row: Any
    title: str
    station: str


def titled(connection: Connection, rows: list[Any]) -> list[Listed]:
    """Give rows of sums their activity's title and their station's name."""
    known = activities.get_many(connection, {row.activity for row in rows})
    names = stations.names(connection, {row.station for row in rows})
    more = {row.batch: f" 等 {row.activities} 项活动" if row.activities > 1 else "" for row in rows}
    return [Listed(row, known[row.activity].title + more[row.batch], names[row.station]) for row in rows]


@blueprint.get("/batches")
@open_to(*STAFF)
def listing() -> ResponseReturnValue:
    """List the newest batches of one's stations."""
    with ledger().read() as tx:
        found = titled(tx.connection, desk.recent(tx.connection, actor(), tx.today, LISTED))
    return render_template("batches.html", batches=found, limit=LISTED)


@blueprint.get("/batches/<uuid:batch>")
@open_to(*STAFF)
def one(batch: Any) -> ResponseReturnValue:
    """Show one batch with every record: receipt, state, and the way to correct one."""
    with ledger().read() as tx:
        found = desk.batch(tx, actor(), str(batch))
    if found is None:
        raise NotFound("您管理的站点里没有这一批记录。请从「登记批次」里重新选择")
    return render_template("batch.html", batch=found)
