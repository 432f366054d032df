"""shouwang rotate-key, policy: the log's keys, and whom others need to trust to check it."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from ledger import checkpoints, signing_keys
from ledger.cosignatures import configured_policy
from ledger.errors import InvalidRequest
from ledger.people.actors import OPERATOR
from ledger.signing import Verifier
from ledger.trust_policy import Log, Policy, format_policy
from scripts.console import OUT, as_json, ledger, print_json


@click.command("rotate-key")
@click.option("--finish", is_flag=True, help="结束过渡：停用旧密钥，移到 keys/retired")
@click.option("--destroy", is_flag=True, help="与 --finish 同用：旧密钥不留存，直接删除")
@as_json
def rotate_key_(finish: bool, destroy: bool, json_: bool) -> None:
    """更换账本的签名密钥：新旧两把先一起签，等核验的人都换了公钥，再用 --finish 停用旧的。"""
    if destroy and not finish:
        raise InvalidRequest("--destroy 要和 --finish 一起用")
    book = ledger()
    index = None
    if not finish:
        index = book.write(lambda tx: signing_keys.rotate(tx, book.settings), OPERATOR).index
    book.write(lambda tx: book.signing.sign(tx.connection), OPERATOR)
    if finish:
        with book.read() as tx:
            note = checkpoints.newest_checkpoint(tx.connection)
            signed = checkpoints.checkpoint_size(note) if note else 0
            signing_keys.finish_rotation(tx.connection, book.settings, signed, destroy=destroy)
    if json_:
        print_json({"index": index, "vkeys": book.signing.vkeys})
        return
    if finish:
        OUT.print("旧密钥已停用，以后只由新密钥签名：" if not destroy else "旧密钥已删除，以后只由新密钥签名：")
    else:
        OUT.print(f"换钥已入账（第 {index} 条）。现在新旧两把密钥一起签检查点，请把新公钥告诉核验的人和见证方：")
    for vkey in book.signing.vkeys:
        OUT.print(vkey, markup=False)


@click.command("policy")
@click.option("--out", type=click.Path(path_type=Path), help="写到这个文件（默认打印）")
def policy_(out: Path | None) -> None:
    """给出核验本账本需要的信任名单（C2SP tlog-policy）：现用的公钥，以及要求联署的见证方。"""
    book = ledger()
    logs = tuple(Log(Verifier.from_vkey(vkey)) for vkey in book.signing.vkeys)
    text = format_policy(replace(configured_policy(book.settings) or Policy(), logs=logs))
    if out:
        out.write_bytes(text)
    else:
        sys.stdout.write(text.decode("utf-8", "surrogateescape"))
