"""Batches: what was handed in at once, as it stands now; right after the commit this is the receipt."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from api import desk
from api.auth import STAFF, actor, ledger, open_to
from ledger import activities, batches, evidence, stations
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.people import accounts
from ledger.transactions import WriteTransaction

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
        wishes = batches.waiting(tx, actor())
    return render_template("batches.html", batches=found, wishes=wishes, limit=LISTED)


@blueprint.get("/batches/<uuid:batch>")
@open_to(*STAFF)
def one(batch: Any) -> ResponseReturnValue:
    """Show one batch with every record: receipt, state, and the way to correct one."""
    return _one(str(batch))


def _one(key: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    me = actor()
    with ledger().read() as tx:
        found = desk.batch(tx, me, key)
        if found is None:
            raise NotFound("您管理的站点里没有这一批记录。请从「登记批次」里重新选择")
        wish = batches.asked(tx, key)
        kept = evidence.of_batch(tx, key)
        asked_by = accounts.logins(tx.connection, {wish.asked_by})[wish.asked_by] if wish else ""
    rows = [line.row for line in found.lines]
    page = {
        "may_undo": batches.may_undo(rows, me),
        "stands": any(row.status != "voided" for row in rows),
        "wish": wish,
        "asked_by": asked_by,
    }
    return render_template("batch.html", batch=found, evidence=kept, problem=problem, **page), status


def _act(key: str, work: Callable[[WriteTransaction], object], done: str) -> ResponseReturnValue:
    """Do something about a batch at one's stations, and say that it is done."""
    with ledger().read() as tx:
        if desk.batch(tx, actor(), key) is None:
            raise NotFound("您管理的站点里没有这一批记录。请从「登记批次」里重新选择")
    try:
        ledger().write(work, actor())
    except (InvalidRequest, Conflict, NotAllowed) as refusal:
        return _one(key, str(refusal), 403 if isinstance(refusal, NotAllowed) else 400)
    flash(done)
    return redirect(url_for("batches.one", batch=key))


@blueprint.post("/batches/<uuid:batch>/undo")
@open_to(*STAFF)
def undo(batch: Any) -> ResponseReturnValue:
    """Take a batch of one's own back before any of it is approved."""
    reason = request.form.get("reason", "")
    return _act(str(batch), lambda tx: batches.undo(tx, str(batch), reason), "这一批已撤回，可以重新登记。")


@blueprint.post("/batches/<uuid:batch>/void")
@open_to(*STAFF)
def ask_void(batch: Any) -> ResponseReturnValue:
    """Ask for the whole batch to be voided; somebody else decides."""
    reason = request.form.get("reason", "")
    return _act(str(batch), lambda tx: batches.ask_void(tx, str(batch), reason), "已申请整批作废，等另一位审核员同意。")


@blueprint.post("/batches/<uuid:batch>/void/<verdict>")
@open_to(*STAFF)
def decide_void(batch: Any, verdict: str) -> ResponseReturnValue:
    """Say yes or no to the wish to void a batch; whoever asked may take it back."""
    if verdict == "accept":
        return _act(str(batch), lambda tx: batches.void(tx, str(batch)), "这一批已整批作废，已通知本人。")
    return _act(str(batch), lambda tx: batches.decline(tx, str(batch)), "没有作废，这一批照旧。")


@blueprint.post("/evidence/<uuid:evidence_id>")
@open_to(*STAFF)
def open_evidence(evidence_id: Any) -> ResponseReturnValue:
    """Show the photo or scan of a sheet; that somebody looked is noted first."""
    media_type, content = evidence.show(ledger(), actor(), str(evidence_id))
    answer = Response(content, mimetype=media_type)
    answer.headers["Content-Disposition"] = "inline" if media_type.startswith("image/") else "attachment; filename=sheet.pdf"
    answer.headers["Cache-Control"] = "no-store"
    return answer
