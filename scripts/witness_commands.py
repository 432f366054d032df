"""shouwang witnesses, witness: who stands for our checkpoints, and standing for those of others."""

import sys
from dataclasses import asdict
from pathlib import Path

import click
import waitress
from rich.table import Table

from api.witness import create_witness_app
from ledger import cosignatures
from ledger.checkpoints import checkpoint_size, newest_checkpoint
from ledger.errors import SettingsError
from ledger.settings import Settings
from ledger.store import utc_now
from ledger.trust_policy import read_policy
from ledger.witness import REQUEST_BYTES_MAX, Witness, create_witness, evidence
from scripts.console import ERR, OUT, as_json, ledger, print_json


@click.command("witnesses")
@click.option("--ask", is_flag=True, help="现在就请还没有联署的见证人联署最新的检查点")
@as_json
def witnesses_(ask: bool, json_: bool) -> None:
    """各见证人的情况：联署到第几条、多久以前、最近一次出的错；联署够数时退出码为 0，不够为 1。"""
    book = ledger()
    policy = cosignatures.configured_policy(book.settings)
    if policy is None:
        raise SettingsError(f"还没有见证人。请在 {book.settings.witness_policy} 里写明（C2SP tlog-policy 格式）")
    if ask:
        cosignatures.gather(book)
    with book.read() as tx:
        note = newest_checkpoint(tx.connection)
        size = checkpoint_size(note) if note else 0
        standings = cosignatures.standings(tx.connection, policy, tx.now)
        enough = policy.is_satisfied(cosignatures.cosigners(tx.connection, size))
    if json_:
        print_json({"size": size, "quorum": policy.quorum, "satisfied": enough, "witnesses": [asdict(one) for one in standings]})
    else:
        shown = Table("见证人", "联署到", "多久以前", "最近一次没有联署")
        for one in standings:
            age = f"{one.age_seconds} 秒" if one.age_seconds is not None else "—"
            failure = f"{one.failed_at} {one.error}" if one.error else "—"
            shown.add_row(one.name, f"{one.size} 条" if one.size else "还没有", age, failure)
        OUT.print(shown)
        OUT.print(f"最新的检查点 {size} 条，联署{'够了' if enough else '还不够'}")
    sys.exit(0 if enough else 1)


@click.group("witness", invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址")
@click.option("--port", default=8001, show_default=True, help="端口")
@click.option(
    "--policy", type=click.Path(path_type=Path), help="认得哪些账本：C2SP tlog-policy 文件，每个账本一行 log 公钥，末行 quorum none"
)
@click.pass_context
def witness(ctx: click.Context, host: str, port: int, policy: Path | None) -> None:
    """做别的账本的见证人：核对它只有一部历史，再联署它的检查点。"""
    if ctx.invoked_subcommand is not None:
        return
    if policy is None:
        raise click.UsageError("请用 --policy 指明认得哪些账本")
    served = Witness(Settings.from_env(), read_policy(policy), utc_now)
    ERR.print(f"见证人 {served.vkey} 在 [bold]http://{host}:{port}[/]，认得 {len(served.origins)} 个账本（按 Ctrl+C 停止）")
    waitress.serve(
        create_witness_app(served),
        host=host,
        port=port,
        threads=4,
        ident=None,
        max_request_body_size=REQUEST_BYTES_MAX,
        max_request_header_size=16 * 1024,
        channel_timeout=30,
    )


@witness.command("init")
@click.argument("name")
@as_json
def witness_init(name: str, json_: bool) -> None:
    """新建见证人的密钥和记录，打印公钥。NAME 形如 witness.example/w1。"""
    vkey = create_witness(Settings.from_env(), name)
    if json_:
        print_json({"vkey": vkey})
    else:
        OUT.print(vkey)
        ERR.print("请把公钥交给要请您联署的账本；密钥和 witness.db 要一起用，丢了记录就不能再用这把密钥")


@witness.command("evidence")
@as_json
def witness_evidence(json_: bool) -> None:
    """列出账本前后矛盾的证据；有铁证时退出码为 1。"""
    found = evidence(Settings.from_env())
    if json_:
        print_json({"evidence": [asdict(one) for one in found]})
    for one in [] if json_ else found:
        OUT.print(f"{one.seen_at} {one.origin}：{'同一条数签了两个不同的根' if one.proven else '证明不成立，存疑'}", markup=False)
        OUT.print(f"已联署的：\n{one.kept}\n后来送来的：\n{one.sent}", markup=False)
    sys.exit(1 if any(one.proven for one in found) else 0)
