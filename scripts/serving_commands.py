"""shouwang init, serve, jobs: running a deployment."""

import gc
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
import waitress
from rich.table import Table

from api.app import create_app
from api.oidc import Provider
from jobs import schedule
from ledger import clockwork
from ledger.errors import InvalidRequest
from ledger.guard import Guard
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.settings import Settings
from ledger.store import create_ledger
from scripts import demonstration, log_lines
from scripts.console import ERR, OUT, as_json, ledger, print_json


@click.command("init")
@as_json
def init_(json_: bool) -> None:
    """新建账本：数据库、密钥、第一个管理员；已有的不动，也用来升级数据库结构。"""
    settings = Settings.from_env()
    book = create_ledger(settings)
    accounts = Accounts(book)
    code = None
    if not any(grant.role == "administrator" for account in accounts.everyone(OPERATOR) for grant in account.grants):
        code = accounts.create(OPERATOR, "admin", "administrator")
    if json_:
        print_json({"home": str(settings.home), "origin": settings.origin, "vkey": book.signing.vkey, "administrator_code": code})
        return
    OUT.print(f"账本在 {settings.home}，名称 {settings.origin}")
    OUT.print(f"公钥 {book.signing.vkey}")
    if code:
        OUT.print(f"管理员账号 admin，首次登录的一次性密码：[bold]{code}[/]（只显示这一次）")
    OUT.print("请把 keys 文件夹另存一份到安全的地方：丢了它，姓名和证件号再也读不出来")


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址")
@click.option("--port", default=8000, show_default=True, help="端口")
@click.option("--demo", is_flag=True, help="没有账本时装入演示街道（人物都是虚构的）")
@click.option("--district", is_flag=True, help="和 --demo 一起用：装入全区 85 个社区的一年（约一分钟），不只一个街道")
@click.option("--https", is_flag=True, help="前面有 HTTPS 代理：登录凭据只在加密连接上发送")
@click.option("--proxy", default="127.0.0.1", show_default=True, help="HTTPS 代理的地址：只信它说的客户端地址（X-Forwarded-For）")
@click.option("--without-jobs", is_flag=True, help="不在本进程里运行定时任务（另用 shouwang jobs）")
def serve_(host: str, port: int, demo: bool, district: bool, https: bool, proxy: str, without_jobs: bool) -> None:
    """提供网页；嵌入式部署时也在本进程里运行定时任务。"""
    settings = Settings.from_env()
    if district and not demo:
        raise InvalidRequest("--district 要和 --demo 一起用：shouwang serve --demo --district")
    if demo:
        demonstration.prepare(settings, district=district)
    book = ledger()
    log_lines.begin()
    app = create_app(book, secure_cookies=https, provider=Provider.from_env())
    scheduler = None if without_jobs else schedule.start(book)
    ERR.print(f"守望账本：[bold]http://{host}:{port}[/]（按 Ctrl+C 停止）")
    if demo:
        demonstration.show_logins(settings)
    gc.collect()
    gc.freeze()  # what is there now stays: looking through it again and again lengthens long answers by a third
    try:
        waitress.serve(app, host=host, port=port, threads=32, ident=None, **(_behind(proxy) if https else {}))
    finally:
        if scheduler is not None:
            scheduler.shutdown(wait=True)


def _behind(proxy: str) -> dict[str, Any]:
    """Settings of the server behind a proxy: whose word counts on who is calling, and of which headers."""
    return {
        "trusted_proxy": proxy,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
    }


@click.command("jobs")
@click.option("--once", is_flag=True, help="把该做的做完就退出；有失败时退出码为 1")
@click.option("--status", "status_", is_flag=True, help="只看各任务的情况")
@as_json
def jobs_(once: bool, status_: bool, json_: bool) -> None:
    """定时任务：签发检查点、请见证人联署、夜间公布各站三率、清理上传的草稿。"""
    book = ledger()
    if once:
        failed = [run for run in schedule.run_due(book) if run.state == "failed"]
        sys.exit(1 if failed else 0)
    if not status_:
        log_lines.begin()
        ERR.print("定时任务已启动（按 Ctrl+C 停止）")
        schedule.run_forever(book)
        return
    with book.read() as tx:
        found = clockwork.status(tx, schedule.clocked())
    unrotated = Guard(book.settings.guard).oldest_unrotated()
    if json_:
        print_json({"jobs": [asdict(one) for one in found], "oldest_unrotated_erasure": unrotated})
        return
    shown = Table("任务", "多久一次", "现在", "最近一次成功", "最近一次失败")
    for one in found:
        shown.add_row(
            one.title,
            one.turn,
            "正常" if one.well else "失败" if one.state == "failed" else "逾期",
            one.last_success or "还没有",
            one.last_failure or "—",
        )
    OUT.print(shown)
    if unrotated:
        days = (book.now() - datetime.fromisoformat(unrotated)).days
        text = f"{unrotated[:10]} 以来有人注销，主密钥还没有换过（{days} 天）：注销之前另存的密钥库，配上当时的主密钥仍能打开。"
        OUT.print(f"{text}请运行 shouwang rotate-wrapping-key，并销毁旧主密钥的各份副本")
