"""
Approvals: what waits at one's stations, batch by batch, what needs a look first; whole or by the row. One's own records are shown, not offered.

What is approved is what was on the page: it sends back each record offered with the entry that last changed it (`INDEX-CHANGED`, joined by dots,
which forms leave as they are), and when one of those chosen is not as it was shown, nothing is approved.
"""

import re
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api import desk
from api.auth import actor, ledger, open_to
from api.desk import Line
from api.wording import long_day
from ledger.errors import Conflict, InvalidRequest
from ledger.policies import service_policy
from ledger.service import approving, objections, records, second_signatures
from ledger.service.drafts import duration
from ledger.transactions import ReadTransaction, WriteTransaction

blueprint = Blueprint("approvals", __name__, url_prefix="/approvals")
ROWS_SHOWN = 200
"""A longer batch is approved whole, or by way of its own page."""
_SHOWN = re.compile(r"([0-9]{1,15})-([0-9]{0,15})")


@blueprint.get("/")
@open_to("approver", "official")
def listing() -> ResponseReturnValue:
    """Show what waits."""
    return _page()


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        batches = desk.batches_waiting(tx, actor())
        due_days = service_policy(tx.connection, tx.today.isoformat()).entry_due_working_days
        unknown = _calendar_unknown(tx)
        contested = len(objections.waiting(tx, actor()))
        signatures = len(second_signatures.waiting(tx, actor()))
    more = {"due_days": due_days, "unknown": unknown, "contested": contested, "signatures": signatures}
    return render_template("approvals.html", problem=problem, batches=batches, rows_shown=ROWS_SHOWN, as_shown=_as_shown, **more), status


@blueprint.post("/")
@open_to("approver", "official")
def approve() -> ResponseReturnValue:
    """Approve the records of a batch as they were shown: all that were offered, those ticked, those alike, or those without a remark."""
    batch, chosen = request.form.get("batch", ""), dict(_SHOWN.findall(request.form.get("shown", "")))
    which, _, named = request.form.get("which", "all").partition(":")
    if which == "ticked":
        ticked = set(request.form.getlist("record"))
        if not ticked:
            return _page("还没有勾选任何一条。请在要通过的记录前面打勾（没列出来的，先点「展开…条明细」），再点「只通过勾选的」", 400)
        chosen = {index: changed for index, changed in chosen.items() if index in ticked}
    elif which == "alike":
        chosen = {index: changed for index, changed in chosen.items() if index in named.split(".")}
    elif which == "plain":
        chosen = {index: changed for index, changed in chosen.items() if index not in request.form.get("marked", "").split(".")}
    if not chosen:
        raise InvalidRequest("没有说明要通过哪些记录。请刷新页面再试")

    def work(tx: WriteTransaction) -> tuple[int, int, str]:
        rows = [row for row in records.in_batch(tx.connection, batch) if _shown(row) in chosen.items()]
        if len(rows) < len(chosen):
            same = {str(row.entry_index) for row in rows}
            first = min(int(index) for index in chosen if index not in same)
            raise Conflict(
                f"第 {first} 条等 {len(chosen) - len(rows)} 条在您打开页面以后被更正、作废或已由别人审核，所以这次一条也没有通过。"
                "请刷新页面，核对后再通过"
            )
        counts_from = approving.approve(tx, [row.entry_index for row in rows])
        return len(rows), sum(row.minutes for row in rows), counts_from

    count, minutes, counts_from = ledger().write(work, actor())
    flash(f"已通过 {count} 条，共 {duration(minutes)}。今天起公示，{long_day(counts_from)}起计入。")
    return redirect(url_for("approvals.listing"))


def _calendar_unknown(tx: ReadTransaction) -> str:
    """Say that publicity cannot be reckoned from today on; empty when it can."""
    try:
        approving.counting_from(tx)
    except InvalidRequest as refusal:
        return str(refusal)
    return ""


def _as_shown(lines: Iterable[Line]) -> str:
    """Write down records as they are on the page."""
    return ".".join("-".join(_shown(line.row)) for line in lines)


def _shown(row: Any) -> tuple[str, str]:
    """A record and the entry that last changed it (none yet: empty)."""
    return str(row.entry_index), "" if row.changed_by is None else str(row.changed_by)
