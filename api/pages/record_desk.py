"""A volunteer's credit record at the desk: what is asked for about it, and what is undone."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from api.pages import record as own
from api.pages.volunteers import visible
from ledger.errors import InvalidRequest, LedgerError
from ledger.record import awards, conduct, evaluations, reading, subjects, trainings
from ledger.record.conduct import Act
from ledger.transactions import WriteTransaction

blueprint = Blueprint("record_desk", __name__, url_prefix="/volunteers/<number>/record")
ASKED = "已提出，等第二个人决定。"
_UNDONE = {"training": "培训记录已作废。", "evaluation": "评价已作废。"}


def _page(number: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        found = own.shown(tx, visible(tx, number).row.number)
    return render_template("credit_record.html", mine=False, problem=problem, said=request.form, **found), status


@blueprint.get("/")
@open_to(*STAFF)
def page(number: str) -> ResponseReturnValue:
    """Show a volunteer's record."""
    return _page(number)


@blueprint.post("/award")
@open_to(*STAFF)
def award(number: str) -> ResponseReturnValue:
    """Ask that an award is entered."""
    return _do(
        number,
        lambda: (own.award_said(), own.paper_said()),
        lambda tx, said: awards.ask(tx, subjects.person(tx, number), *said),
        "已提出，等第二个人对照证书核实。",
        "awards",
    )


@blueprint.post("/conduct")
@open_to(*STAFF)
def act(number: str) -> ResponseReturnValue:
    """Ask that an act is recorded."""
    return _do(number, act_said, lambda tx, said: conduct.ask(tx, subjects.person(tx, number), said), ASKED, "conduct")


@blueprint.post("/undo")
@open_to(*STAFF)
def undo(number: str) -> ResponseReturnValue:
    """Void what one person may void, or ask for what takes two."""
    done = _UNDONE.get(request.form.get("what", ""), ASKED)
    return _do(number, undone, lambda tx, said: _undo(tx, number, *said), done, "top")


def undone() -> tuple[str, int, str, str]:
    """Read from the form what is to be undone, which one, on what ground and why. Raises InvalidRequest."""
    form = request.form
    said = form.get("index", "")
    if not said.isdecimal() or len(said) > 15:
        raise InvalidRequest("没有选中哪一条，请刷新页面再试")
    return form.get("what", ""), int(said), form.get("ground", ""), form.get("reason", "")


def _undo(tx: WriteTransaction, number: str, what: str, index: int, ground: str, reason: str) -> Any:
    """Undo one thing of this person's record. Raises InvalidRequest for another's."""
    found = reading.of_person(tx, subjects.person(tx, number).volunteer or "")
    own_rows = {"training": found.trainings, "award": found.awards, "conduct": found.conduct}
    own_rows["evaluation"] = [one.row for one in found.evaluations]
    if index not in {row.entry_index for row in own_rows.get(what, [])}:
        raise InvalidRequest("这一条不在这位志愿者的记录里，请刷新页面再试")
    if what == "training":
        return trainings.void(tx, index, [subjects.person(tx, number).volunteer or ""], reason)
    if what == "evaluation":
        return evaluations.void(tx, index, reason)
    return awards.ask_withdrawal(tx, index, reason) if what == "award" else conduct.ask_lift(tx, index, ground, reason)


def _do(number: str, read: Any, work: Any, done: str, at: str) -> ResponseReturnValue:
    with ledger().read() as tx:
        known = visible(tx, number).row.number
    try:
        said = read()
        ledger().write(lambda tx: work(tx, said), actor())
    except LedgerError as refusal:
        return _page(known, str(refusal), 400)
    flash(done)
    return redirect(url_for("record_desk.page", number=known) + f"#{at}")


def act_said() -> Act:
    """Read an act from the form. Raises InvalidRequest naming what cannot be read."""
    form = request.form
    sense = form.get("sense", "")
    expires = own.day_said("expires_on", "到哪一天为止") if form.get("expires_on") else None
    return Act(
        sense,
        form.get(f"item-{sense}", ""),
        own.day_said("occurred_on", "发生日期"),
        form.get("reason", ""),
        form.get("basis", ""),
        expires if sense == "bad" else None,
        form.getlist("effects"),
        _indexes(form.get("services", "")),
    )


def _indexes(said: str) -> list[int]:
    words = said.replace("，", " ").replace("、", " ").replace(",", " ").split()
    if any(not word.isdecimal() or len(word) > 15 for word in words):
        raise InvalidRequest("涉及的服务记录请填账本条号，用空格隔开，例如 1024 1031")
    return [int(word) for word in words]
