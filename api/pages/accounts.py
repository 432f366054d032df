"""Staff accounts, for the administrator: make, give and end roles, give a new one-time code, end sessions, shut, open again."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api import oidc
from api.auth import SIGNED_IN, accounts, actor, ledger, open_to
from api.pages.rights import shown_changes, shown_proposals, shown_waiting
from ledger import stations
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people import linked_identities
from ledger.people.grants import UNCONFIRMED_ROLES

blueprint = Blueprint("accounts", __name__, url_prefix="/accounts")
ROLES_OFFERED = tuple(role for role in SIGNED_IN if role != "volunteer")
_HISTORY = 30


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        units = stations.everyone(tx.connection)
        waiting = shown_proposals(tx, actor())
        unvouched = shown_waiting(tx, actor())
    page = render_template(
        "accounts.html",
        found=accounts().everyone(actor()),
        waiting=waiting,
        unvouched=unvouched,
        units=units,
        names={unit.code: unit.name for unit in units},
        roles=ROLES_OFFERED,
        alone=UNCONFIRMED_ROLES,
        problem=problem,
        said=request.form,
    )
    return page, status


def _one(login: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    account = next((one for one in accounts().everyone(actor()) if one.login == login), None)
    if account is None:
        raise NotFound(f"没有登录名为 {login[:32]} 的工作人员账号")
    with ledger().read() as tx:
        units = stations.everyone(tx.connection)
        waiting = [one for one in shown_proposals(tx, actor()) if one["login"] == login]
        unvouched = [one for one in shown_waiting(tx, actor()) if one["login"] == login]
        history = shown_changes(tx, actor(), account=account.id, limit=_HISTORY)
        linked = linked_identities.of_account(tx.connection, account.id)
    page = render_template(
        "account.html",
        account=account,
        sessions=accounts().sessions_of(account.id),
        waiting=waiting,
        unvouched=unvouched,
        history=history,
        units=units,
        names={unit.code: unit.name for unit in units},
        roles=ROLES_OFFERED,
        alone=UNCONFIRMED_ROLES,
        linked=linked,
        provider=oidc.provider(),
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
    return _slip(login.strip().lower(), code, proposed=role not in UNCONFIRMED_ROLES)


def _slip(login: str, code: str | None, *, proposed: bool = False) -> ResponseReturnValue:
    return render_template("account_slip.html", login=login, code=code, proposed=proposed, now=ledger().now().isoformat())


@blueprint.get("/<login>")
@open_to("administrator")
def one(login: str) -> ResponseReturnValue:
    """Show one account: its roles, sessions, what was done to it."""
    return _one(login)


@blueprint.post("/<login>/roles")
@open_to("administrator")
def grant(login: str) -> ResponseReturnValue:
    """Give an account a role, or propose it."""
    try:
        at_once = accounts().grant(actor(), login, request.form.get("role", ""), request.form.get("station") or None)
    except (InvalidRequest, NotFound) as refusal:
        return _one(login, str(refusal), 400)
    flash(f"账号 {login} 已得到这个角色，并已入账。" if at_once else "已经提出，等另一位管理员确认后生效。")
    return redirect(url_for("accounts.one", login=login))


@blueprint.post("/<login>/roles/end")
@open_to("administrator")
def end_grant(login: str) -> ResponseReturnValue:
    """Take a role from an account."""
    said = request.form
    try:
        accounts().end_grant(actor(), login, said.get("role", ""), said.get("station") or None, said.get("reason", "")[:200])
    except (InvalidRequest, NotFound) as refusal:
        return _one(login, str(refusal), 400)
    flash(f"账号 {login} 的这个角色已取消，并已入账。")
    return redirect(url_for("accounts.one", login=login))


@blueprint.post("/<login>/reset")
@open_to("administrator")
def reset(login: str) -> ResponseReturnValue:
    """Give an account a new one-time code and show it once."""
    return _slip(login, accounts().reset(actor(), login))


@blueprint.post("/<login>/vouch")
@open_to("administrator")
def vouch(login: str) -> ResponseReturnValue:
    """Say that somebody has their account themselves, as a second administrator who has asked them."""
    try:
        accounts().vouch(actor(), login)
    except (InvalidRequest, NotAllowed) as refusal:
        return _one(login, str(refusal), 400 if isinstance(refusal, InvalidRequest) else 403)
    flash(f"账号 {login} 已核实，现在可以审核、确认和管理了，并已入账。")
    return redirect(url_for("accounts.listing"))


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


@blueprint.post("/<login>/sessions/end")
@open_to("administrator")
def end_sessions(login: str) -> ResponseReturnValue:
    """Sign an account out everywhere."""
    accounts().end_sessions_of(actor(), login)
    flash(f"账号 {login} 在各处的登录都已结束。")
    return redirect(url_for("accounts.one", login=login))


@blueprint.post("/<login>/second-factor/reset")
@open_to("administrator")
def reset_second_factor(login: str) -> ResponseReturnValue:
    """Let an account do without the second factor that it lost."""
    try:
        accounts().reset_second_factor(actor(), login)
    except InvalidRequest as refusal:
        return _one(login, str(refusal), 400)
    flash(f"账号 {login} 的两步验证已重置，下次登录只问密码。请确认是本人来办的。")
    return redirect(url_for("accounts.one", login=login))


@blueprint.post("/<login>/identity")
@open_to("administrator")
def link(login: str) -> ResponseReturnValue:
    """Link an account to a subject of the identity provider."""
    try:
        found = oidc.provider()
        if found is None:
            raise InvalidRequest("没有启用统一身份认证")
        linked_identities.link_for(ledger(), actor(), login, found.issuer, request.form.get("subject", ""))
    except (InvalidRequest, NotFound) as refusal:
        return _one(login, str(refusal), 400)
    flash(f"账号 {login} 已绑定统一身份，并已入账。")
    return redirect(url_for("accounts.one", login=login))
