"""
Approvals: what waits at one's stations, batch by batch, what needs a look first; whole or by the row. One's own records are shown, not offered.

A page holds some batches and so many rows at most: those with something to look at come first, each kind oldest first, and `after` names the last batch
of the page before. Whoever approves stays where they were.

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
from api.desk import Batch, Line
from api.wording import long_day
from ledger.errors import Conflict, InvalidRequest
from ledger.policies import service_policy
from ledger.service import approving, objections, records, second_signatures
from ledger.service.drafts import duration
from ledger.transactions import ReadTransaction, WriteTransaction

blueprint = Blueprint("approvals", __name__, url_prefix="/approvals")
ROWS_SHOWN = 200
"""So many rows a page shows. A longer batch is approved whole, in parts as its first rows are settled, or by way of its own page."""
BATCHES_SHOWN = 20
_LISTED_MIN = 20
"""Of a longer batch, so many rows of each kind are shown at least."""
_AFTER = re.compile(r"([01])-([0-9]{1,15})")
_SHOWN = re.compile(r"([0-9]{1,15})-([0-9]{0,15})")


@blueprint.get("/")
@open_to("approver", "official")
def listing() -> ResponseReturnValue:
    """Show what waits."""
    return _page()


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    after = request.args.get("after", "")
    place = _AFTER.fullmatch(after)
    if after and not place:
        raise InvalidRequest("没有这一页。请从「审核」的第一页看起")
    with ledger().read() as tx:
        waiting = sorted(desk.batches_waiting(tx, actor()), key=_place)
        due_days = service_policy(tx.connection, tx.today.isoformat()).entry_due_working_days
        unknown = _calendar_unknown(tx)
        contested = len(objections.waiting(tx, actor()))
        signatures = len(second_signatures.waiting(tx, actor()))
    ahead = [batch for batch in waiting if place is None or _place(batch) > (int(place[1]), int(place[2]))] or waiting
    batches = _fitting(ahead)
    more = {"due_days": due_days, "unknown": unknown, "contested": contested, "signatures": signatures}
    more |= {
        "waiting": len(waiting),
        "before": len(waiting) - len(ahead),
        "after": after,
        "looks": sum(bool(batch.marked) for batch in waiting),
    }
    more |= {"records": sum(len(batch.lines) for batch in waiting)}
    onward = "{}-{}".format(*_place(batches[-1])) if len(batches) < len(ahead) else ""
    return render_template(
        "approvals.html", problem=problem, batches=batches, onward=onward, rows_shown=ROWS_SHOWN, cap=_cap, as_shown=_as_shown, **more
    ), status


def _place(batch: Batch) -> tuple[int, int]:
    """Put batches with something to look at first, the oldest of each kind first."""
    return int(not batch.marked), batch.lines[0].row.entry_index


def _fitting(batches: Iterable[Batch]) -> list[Batch]:
    """Take as many batches as a page holds: one at least."""
    found: list[Batch] = []
    rows = 0
    for batch in batches:
        cap = _cap(batch)
        listed = sum(min(len(lines), cap) for lines in (*(group.lines for group in batch.alike), batch.single))
        rows += len(batch.lines) if len(batch.lines) <= ROWS_SHOWN else listed
        if found and (rows > ROWS_SHOWN or len(found) == BATCHES_SHOWN):
            break
        found.append(batch)
    return found


def _cap(batch: Batch) -> int:
    """Say how many rows of each kind a page shows of a batch."""
    parts = len(batch.alike) + bool(batch.single)
    return ROWS_SHOWN if len(batch.lines) <= ROWS_SHOWN else max(_LISTED_MIN, ROWS_SHOWN // max(parts, 1))


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
    return redirect(url_for("approvals.listing", after=request.args.get("after") or None))


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
