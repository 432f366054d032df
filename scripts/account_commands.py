"""shouwang account: who may sign in, and who may do what."""

import click
from rich.table import Table

from ledger.errors import InvalidRequest
from ledger.ids import parse_number
from ledger.kinds.accounts import GRANTED_ROLES
from ledger.people import grants, second_factors, vouching
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, ROLES, Grant
from scripts.console import OUT, as_json, ledger, print_json

_role = click.option("--role", type=click.Choice(GRANTED_ROLES), required=True, help="角色")
_station = click.option("--station", help="管到哪个站点及其下级（不写：全区）")


@click.group("account")
def account() -> None:
    """工作人员和志愿者的账号：每一次给角色、取消角色都入账。"""


@account.command("add")
@click.argument("login")
@_role
@_station
def account_add(login: str, role: str, station: str | None) -> None:
    """新建工作人员账号，打印首次登录的一次性密码。"""
    code = Accounts(ledger()).create(OPERATOR, login, role, station=station)
    OUT.print(f"账号 {login}（{ROLES[role]}），首次登录的一次性密码：[bold]{code}[/]（只显示这一次，72 小时内有效）")


@account.command("grant")
@click.argument("login")
@_role
@_station
def account_grant(login: str, role: str, station: str | None) -> None:
    """给账号 LOGIN 一个角色；一个账号可以有几个。"""
    Accounts(ledger()).grant(OPERATOR, login, role, station)
    OUT.print(f"账号 {login} 现在是{_spoken(Grant(role, station))}，已入账")


@account.command("ungrant")
@click.argument("login")
@_role
@_station
@click.option("--reason", default="", help="原因，会入账")
def account_ungrant(login: str, role: str, station: str | None, reason: str) -> None:
    """取消账号 LOGIN 的一个角色。"""
    Accounts(ledger()).end_grant(OPERATOR, login, role, station, reason)
    OUT.print(f"账号 {login} 不再是{_spoken(Grant(role, station))}，已入账")


@account.command("reset")
@click.argument("login")
def account_reset(login: str) -> None:
    """重新发一次性密码，并让已登录的会话失效；LOGIN 是登录名或志愿者编号。"""
    accounts = Accounts(ledger())
    code = accounts.issue_code(OPERATOR, login) if _is_volunteer(login) else accounts.reset(OPERATOR, login)
    OUT.print(f"账号 {login} 的一次性密码：[bold]{code}[/]（只显示这一次）")


@account.command("vouch")
@click.argument("login")
def account_vouch(login: str) -> None:
    """核实账号 LOGIN 是本人在用：由管理员新建或重置过的账号，核实之后才能审核、确认和管理。"""
    Accounts(ledger()).vouch(OPERATOR, login)
    OUT.print(f"账号 {login} 已核实，已入账")


@account.command("disable")
@click.argument("login")
def account_disable(login: str) -> None:
    """停用账号 LOGIN，并结束它在各处的登录。"""
    Accounts(ledger()).set_disabled(OPERATOR, login, disabled=True)
    OUT.print(f"账号 {login} 已停用")


@account.command("enable")
@click.argument("login")
def account_enable(login: str) -> None:
    """重新启用账号 LOGIN。"""
    Accounts(ledger()).set_disabled(OPERATOR, login, disabled=False)
    OUT.print(f"账号 {login} 已重新启用")


@account.command("second-factor")
@click.option("--reset", "login", help="重置这个账号的两步验证（手机和备用码都丢了）")
@click.option("--require", "roles", multiple=True, type=click.Choice(GRANTED_ROLES), help="必须用两步验证的角色，可写多次；代替原来的规则")
@click.option("--require-none", is_flag=True, help="不再要求任何角色用两步验证")
def account_second_factor(login: str | None, roles: tuple[str, ...], require_none: bool) -> None:
    """两步验证：重置一个账号的，或规定哪些角色必须用。"""
    book = ledger()
    if login:
        Accounts(book).reset_second_factor(OPERATOR, login)
        OUT.print(f"账号 {login} 的两步验证已重置")
    if roles or require_none:
        book.write(lambda tx: second_factors.require_for(tx, roles), OPERATOR)
    with book.read() as tx:
        required = second_factors.required_roles(tx.connection, tx.today)
    OUT.print(f"必须用两步验证的角色：{'、'.join(ROLES[role] for role in ROLES if role in required) or '没有'}")


@account.command("list")
@as_json
def account_list(json_: bool) -> None:
    """列出账号。"""
    book = ledger()
    found = Accounts(book).everyone(OPERATOR)
    if json_:
        print_json({"accounts": [vars(one) for one in found]})
        return
    shown = Table("账号", "角色", "两步验证", "停用")
    for one in found:
        roles = "；".join(_spoken(grant) for grant in one.grants) or "还没有角色"
        shown.add_row(one.login, roles, "是" if one.second_factor else "", "是" if one.disabled else "")
    OUT.print(shown)
    with book.read() as tx:
        waiting, unvouched = len(grants.proposals(tx, OPERATOR)), len(vouching.waiting(tx, OPERATOR))
    if unvouched:
        OUT.print(f"还有 {unvouched} 个账号等第二位管理员当面核实；在本机可用 shouwang account vouch")
    if waiting:
        OUT.print(f"还有 {waiting} 个角色等第二位管理员确认；在本机可用 shouwang account grant 直接给")


def _spoken(grant: Grant) -> str:
    return f"{ROLES[grant.role]}（{grant.station or '全区'}）"


def _is_volunteer(login: str) -> bool:
    try:
        parse_number(login)
    except InvalidRequest:
        return False
    return True
