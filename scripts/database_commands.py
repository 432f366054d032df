"""shouwang database-role: the PostgreSQL role that the program works under."""

import click

from ledger.database_role import restrict_role
from ledger.settings import Settings
from scripts.console import OUT, as_json, print_json


@click.command("database-role")
@click.argument("name")
@as_json
def database_role_(name: str, json_: bool) -> None:
    """在 PostgreSQL 上新建或校正程序用的受限账号 NAME：只能往账本里添加，不能改、不能删。以所有者账号运行，升级后再运行一次。"""
    restrict_role(Settings.from_env(), name)
    if json_:
        print_json({"role": name})
    else:
        OUT.print(f"账号 {name} 已就绪：账本各表只许查询和添加。请给它设好登录方式，再把 SHOUWANG_DATABASE_URL 改用这个账号，")
        OUT.print("并设 SHOUWANG_REQUIRE_RESTRICTED_ROLE=1，以后误用所有者账号就会拒绝启动")
