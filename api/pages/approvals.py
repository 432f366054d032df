"""Approvals: what waits at one's stations, batch by batch; whole or by the row. One's own records are shown, not offered."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api import desk
from api.auth import actor, ledger, open_to
from api.wording import long_day
from ledger import service_records
from ledger.errors import InvalidRequest
from ledger.policies import service_policy
from ledger.service_records import duration
from ledger.transactions import WriteTransaction

blueprint = Blueprint("approvals", __name__, url_prefix="/approvals")
ROWS_SHOWN = 200
"""A longer batch is approved whole, or by way of its own page."""


@blueprint.get("/")
@open_to("approver", "official")
def listing() -> ResponseReturnValue:
    """Show what waits."""
    with ledger().read() as tx:
        batches = desk.batches_waiting(tx, actor())
        due_days = service_policy(tx.connection, tx.today.isoformat()).entry_due_working_days
    return render_template("approvals.html", batches=batches, rows_shown=ROWS_SHOWN, due_days=due_days)


@blueprint.post("/")
@open_to("approver", "official")
def approve() -> ResponseReturnValue:
    """Approve the waiting records of a batch: all, or those ticked."""
    batch, chosen = request.form.get("batch", ""), request.form.get("which", "all")
    ticked = [int(said) for said in request.form.getlist("record") if said.isdecimal()]
    if chosen == "ticked" and not ticked:
        raise InvalidRequest("还没有勾选任何一条。请先展开明细，勾选要通过的记录")

    def work(tx: WriteTransaction) -> tuple[int, int, str]:
        rows = [row for row in service_records.in_batch(tx.connection, batch) if row.status == "recorded"]
        if chosen == "ticked":
            rows = [row for row in rows if row.entry_index in set(ticked)]
        if not rows:
            raise InvalidRequest("这一批已经没有待审核的记录，可能刚被别人处理过。请刷新页面再看")
        counts_from = service_records.approve(tx, [row.entry_index for row in rows])
        return len(rows), sum(row.minutes for row in rows), counts_from

    count, minutes, counts_from = ledger().write(work, actor())
    flash(f"已通过 {count} 条，共 {duration(minutes)}。今天起公示，{long_day(counts_from)}起计入。")
    return redirect(url_for("approvals.listing"))
