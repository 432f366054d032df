"""Parked rows (待登记): hours on a sheet of people who were not registered yet; recorded with one act once they are."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from ledger import parked
from ledger.errors import InvalidRequest
from ledger.people.actors import units
from ledger.refusals import Refusal

blueprint = Blueprint("parked", __name__, url_prefix="/parked")


@blueprint.get("/")
@open_to(*STAFF)
def listing() -> ResponseReturnValue:
    """Show what is parked at one's stations, the people who have registered since first."""
    with ledger().read() as tx:
        rows = parked.waiting(tx, units(tx.connection, actor(), "see_station"))
    rows.sort(key=lambda row: row.volunteer is None)
    return render_template("parked.html", rows=rows, ready=sum(row.volunteer is not None for row in rows), may_record=actor().may("record"))


@blueprint.post("/")
@open_to("recorder", "approver")
def record() -> ResponseReturnValue:
    """Record the rows of everybody who has registered, or take one row off the list."""
    if dropped := request.form.get("drop"):
        ledger().write(lambda tx: parked.drop(tx, dropped), actor())
        flash("已从「待登记」里去掉一行。原来的签到表还在，需要时可以重新上传。")
        return redirect(url_for("parked.listing"))
    with ledger().read() as tx:
        ready = [row.id for row in parked.waiting(tx, units(tx.connection, actor(), "see_station")) if row.volunteer]
    if not ready:
        raise InvalidRequest("「待登记」里还没有人登记为志愿者。请先请本人登记，再来计入")
    answers = ledger().write(lambda tx: parked.record(tx, ready), actor())
    refused = [answer.message for answer in answers if isinstance(answer, Refusal)]
    flash(f"已登记 {len(answers) - len(refused)} 条，等待另一位审核员审核。" + "".join(f" 有一条没有登记：{text}。" for text in refused))
    return redirect(url_for("parked.listing"))
