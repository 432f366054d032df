"""「我的资料」: everything about me, who looked at it, and asking for it to be erased."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from api.downloads import attachment
from api.wording import KIND_NAMES
from ledger import stations
from ledger.kinds.people import ERASING
from ledger.messages import CHANNELS
from ledger.people import erasures, my_data, retention, reveals
from ledger.people.erasures import STATES

blueprint = Blueprint("my_data", __name__, url_prefix="/my")


def _me() -> str:
    return actor().volunteer or ""


@blueprint.get("/data")
@open_to("volunteer")
def everything() -> ResponseReturnValue:
    """Show a volunteer everything about themselves, to read and to print."""
    with ledger().read() as tx:
        said = my_data.everything(tx, _me())
    return render_template("my_data.html", mine=True, said=said, kinds=KIND_NAMES, states=STATES, reasons=ERASING, CHANNELS=CHANNELS)


@blueprint.get("/data.json")
@open_to("volunteer")
def download() -> ResponseReturnValue:
    """Hand a volunteer the same as a file, to take elsewhere."""
    with ledger().read() as tx:
        said = my_data.everything(tx, _me())
    return attachment(my_data.as_file(said), "application/json", f"我的资料-{said['volunteer']}.json", personal=True)


@blueprint.get("/reveals")
@open_to("volunteer")
def looked() -> ResponseReturnValue:
    """Show a volunteer who looked at their data in full, when and why."""
    with ledger().read() as tx:
        found = reveals.of(tx, _me())
        names = stations.names(tx.connection, {one.station for one in found if one.station})
    return render_template("my_reveals.html", found=found, names=names)


@blueprint.get("/erasure")
@open_to("volunteer")
def erasure() -> ResponseReturnValue:
    """Say what erasing means and how a request stands."""
    return _erasure_page("start")


@blueprint.post("/erasure")
@open_to("volunteer")
def ask() -> ResponseReturnValue:
    """Ask in two steps: first what it means is said once more, then it is recorded."""
    reason = request.form.get("reason", "")
    if reason not in ERASING or not request.form.get("understood"):
        return _erasure_page("start", problem="请选择理由，并勾选「我明白」，再点下一步。"), 400
    if request.form.get("step") != "confirm":
        return _erasure_page("confirm", reason=reason)
    me = _me()
    ledger().write(lambda tx: erasures.ask(tx, me, reason), actor())
    flash("注销申请已经提交。站点的另一位负责人会办理；办理之前，您随时可以撤回。")
    return redirect(url_for("my_data.erasure"))


@blueprint.post("/erasure/withdraw")
@open_to("volunteer")
def withdraw() -> ResponseReturnValue:
    """Take the open request back."""
    with ledger().read() as tx:
        asked = [row.id for row in erasures.requests_of(tx, _me()) if row.state == "open"]
    for one in asked:
        ledger().write(lambda tx, one=one: erasures.withdraw(tx, one), actor())  # type: ignore[misc]
    flash("申请已撤回，什么都没有删。")
    return redirect(url_for("my_data.erasure"))


def _erasure_page(step: str, *, reason: str = "", problem: str = "") -> str:
    with ledger().read() as tx:
        asked = erasures.requests_of(tx, _me())
        duty = retention.duty(tx, _me())
    open_ = next((row for row in asked if row.state == "open"), None)
    shown = {"step": step, "reason": reason, "problem": problem, "asked": asked, "open": open_, "duty": duty}
    return render_template("my_erasure.html", reasons=ERASING, states=STATES, **shown)
