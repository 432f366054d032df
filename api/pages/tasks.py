"""「任务清单」: what units are to do by a day, on which document's word; given from above, done by their own staff."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from ledger import stations
from ledger.duties import tasks
from ledger.errors import Conflict, InvalidRequest, LedgerError
from ledger.people.actors import units
from ledger.transactions import WriteTransaction

blueprint = Blueprint("tasks", __name__, url_prefix="/tasks")


@blueprint.get("/")
@open_to(*STAFF)
def listing() -> ResponseReturnValue:
    """Show the tasks of one's units, those that press first."""
    return _page()


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    me = actor()
    with ledger().read() as tx:
        mine = units(tx.connection, me, "see_station")
        giving = set(units(tx.connection, me, "assign")) if me.may("assign") else set()
        found = tasks.of_units(tx, mine)
        every = stations.everyone(tx.connection)
        shown = {
            "rows": [one for one in found if one[1] not in ("done", "dropped")],
            "closed": [one for one in found if one[1] in ("done", "dropped")],
            "counts": {code: sum(state == code for _, state in found) for code in tasks.STATES},
            "names": {unit.code: unit.name for unit in every},
            "offered": [unit for unit in every if unit.code in giving and not unit.closed_on],
            "giving": giving,
            "today": tx.today.isoformat(),
        }
    return render_template("tasks.html", problem=problem, said=request.form, STATES=tasks.STATES, **shown), status


@blueprint.post("/")
@open_to("approver", "official")
def assign() -> ResponseReturnValue:
    """Give a unit something to do."""
    unit, title, due_on, basis, detail = (request.form.get(name, "").strip() for name in ("unit", "title", "due_on", "basis", "detail"))
    try:
        ledger().write(lambda tx: tasks.assign(tx, unit, title, due_on, basis, detail), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    flash("任务已交给这个单位，他们的通知里看得到。")
    return redirect(url_for("tasks.listing"))


@blueprint.post("/<task>/done")
@open_to(*STAFF)
def finish(task: str) -> ResponseReturnValue:
    """Say that a task was done."""
    done_on, result = (request.form.get(name, "").strip() for name in ("done_on", "result"))
    return _close(lambda tx: tasks.finish(tx, task, done_on, result), "已记下办好了。")


@blueprint.post("/<task>/drop")
@open_to("approver", "official")
def drop(task: str) -> ResponseReturnValue:
    """Say that a task is not asked for any more."""
    reason = request.form.get("reason", "").strip()
    return _close(lambda tx: tasks.drop(tx, task, reason), "已记下不办了。")


def _close(work: Callable[[WriteTransaction], object], told: str) -> ResponseReturnValue:
    try:
        ledger().write(work, actor())
    except (InvalidRequest, Conflict) as refusal:
        return _page(str(refusal), 400)
    flash(told)
    return redirect(url_for("tasks.listing"))
