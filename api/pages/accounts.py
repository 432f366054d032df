"""Staff accounts, for the administrator: make, give a new one-time code, shut, open again."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import SIGNED_IN, accounts, actor, ledger, open_to
from ledger import stations
from ledger.errors import InvalidRequest, NotFound

blueprint = Blueprint("accounts", __name__, url_prefix="/accounts")
ROLES_OFFERED = tuple(role for role in SIGNED_IN if role != "volunteer")


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        units = stations.everyone(tx.connection)
    names = {unit.code: unit.name for unit in units}
    page = render_template(
        "accounts.html",
        found=accounts().everyone(actor()),
        units=units,
        names=names,
        roles=ROLES_OFFERED,
        problem=problem,
        said=request.form,
    )
    return page, status


@blueprint.get("/")
@open_to("administrator")
def listing() -> ResponseReturnValue:
    """List the staff accounts."""
    return _page()


@blueprint.post("/")
@open_to("administrator")
def create() -> ResponseReturnValue:
    """Make an account and show its one-time code once."""
    login, role = request.form.get("login", "")[:40], request.form.get("role", "")
    try:
        code = accounts().create(actor(), login, role, station=request.form.get("station") or None)
    except (InvalidRequest, NotFound) as refusal:
        return _page(str(refusal), 400)
    return render_template("account_slip.html", login=login.strip().lower(), code=code)


@blueprint.post("/<login>/reset")
@open_to("administrator")
def reset(login: str) -> ResponseReturnValue:
    """Give an account a new one-time code and show it once."""
    return render_template("account_slip.html", login=login, code=accounts().reset(actor(), login))


@blueprint.post("/<login>/<any(disable, enable):what>")
@open_to("administrator")
def switch(login: str, what: str) -> ResponseReturnValue:
    """Shut an account or open it again."""
    try:
        accounts().set_disabled(actor(), login, disabled=what == "disable")
    except InvalidRequest as refusal:
        return _page(str(refusal), 400)
    flash(f"账号 {login} 已{'停用，正在使用的会话已结束' if what == 'disable' else '重新启用'}。")
    return redirect(url_for("accounts.listing"))
