"""shouwang token: keys with which other programs use the HTTP API."""

from datetime import timedelta

import click
from rich.table import Table

from ledger.entries import SHANGHAI
from ledger.people.actors import OPERATOR
from ledger.people.tokens import LIFETIME_DAYS_MAX, SCOPES, Tokens
from scripts.console import OUT, as_json, ledger, print_json

_STATES = {"good": "有效", "expired": "已到期", "revoked": "已撤销"}


@click.group("token")
def token() -> None:
    """其他程序调用接口用的访问令牌。"""


@token.command("issue")
@click.argument("login")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(list(SCOPES)), help="权限范围，可写多次")
@click.option("--days", default=90, show_default=True, type=click.IntRange(0, LIFETIME_DAYS_MAX), help="有效天数")
@as_json
def token_issue(login: str, scopes: tuple[str, ...], days: int, json_: bool) -> None:
    """给工作人员账号 LOGIN 发一个访问令牌；令牌只显示这一次。"""
    book = ledger()
    expires_on = book.now().astimezone(SHANGHAI).date() + timedelta(days=days)
    secret = Tokens(book).issue(OPERATOR, login, scopes, expires_on)
    if json_:
        print_json({"token": secret, "login": login, "scopes": sorted(scopes), "expires_on": expires_on.isoformat()})
        return
    OUT.print(f"访问令牌（只显示这一次，到 {expires_on} 为止）：[bold]{secret}[/]")


@token.command("revoke")
@click.argument("number")
def token_revoke(number: str) -> None:
    """撤销编号为 NUMBER 的访问令牌（编号见 shouwang token list）。"""
    Tokens(ledger()).revoke(OPERATOR, number)
    OUT.print("访问令牌已撤销，几秒之内不能再用")


@token.command("list")
@as_json
def token_list(json_: bool) -> None:
    """列出访问令牌和最近一次使用。"""
    found = Tokens(ledger()).everyone(OPERATOR)
    if json_:
        print_json({"tokens": [vars(one) for one in found]})
        return
    shown = Table("编号", "账号", "权限范围", "到期", "最近使用", "状态")
    for one in found:
        shown.add_row(one.id, one.login, " ".join(one.scopes), one.expires_on, (one.last_used_at or "—")[:16], _STATES[one.state])
    OUT.print(shown)
