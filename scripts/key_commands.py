"""shouwang rotate-key, rotate-wrapping-key, policy: the log's keys and the vault's, and whom others need to trust to check the log."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from ledger import checkpoints, signing_keys
from ledger.certificates import credential_keys
from ledger.cosignatures import configured_policy
from ledger.errors import InvalidRequest
from ledger.people.actors import OPERATOR
from ledger.people.wrapping import rotate_wrapping_key
from ledger.settings import Settings
from ledger.signing import Verifier
from ledger.trust_policy import Log, Policy, format_policy
from scripts.console import OUT, as_json, ledger, print_json, progress


@click.command("rotate-key")
@click.option("--finish", is_flag=True, help="结束过渡：停用旧密钥，移到 keys/retired")
@click.option("--destroy", is_flag=True, help="与 --finish 同用：旧密钥不留存，直接删除")
@click.option("--credentials", is_flag=True, help="换的是可验证凭证的密钥：新凭证由新密钥签，旧密钥留着，只签它自己的状态列表")
@as_json
def rotate_key_(finish: bool, destroy: bool, credentials: bool, json_: bool) -> None:
    """更换账本的签名密钥：新旧两把先一起签，等核验的人都换了公钥，再用 --finish 停用旧的。"""
    if destroy and not finish:
        raise InvalidRequest("--destroy 要和 --finish 一起用")
    book = ledger()
    if credentials:
        if finish:
            raise InvalidRequest("可验证凭证的旧密钥要一直留着，没有 --finish：它签过的凭证还要靠它的状态列表")
        made = credential_keys.rotate(book.settings)
        if json_:
            print_json({"key": made.multikey, "did": made.did})
        else:
            OUT.print(f"可验证凭证从现在起由新密钥签名：{made.method}", markup=False, emoji=False)
        return
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


@click.command("rotate-wrapping-key")
@as_json
def rotate_wrapping_key_(json_: bool) -> None:
    """更换主密钥：所有人的数据密钥换一层新的包裹，旧主密钥作废，以前另存的密钥库副本也随之作废。可以边服务边换，中断了再运行一次。"""
    settings = Settings.from_env()
    with progress("换主密钥", quiet=json_) as tell:
        count = rotate_wrapping_key(settings, lambda done: tell(done, done))
    if json_:
        print_json({"rewrapped": count, "from_environment": bool(settings.wrapping_given)})
        return
    OUT.print(f"已换用新的主密钥，重新包裹了 {count} 把数据密钥")
    if settings.wrapping_given:
        OUT.print("请把 SHOUWANG_WRAPPING_KEY 换成新的值，去掉 SHOUWANG_WRAPPING_KEY_NEXT，重新启动 serve 和 jobs，再销毁旧的")
    else:
        OUT.print("请把 keys 文件夹重新另存一份，并销毁以前另存的旧主密钥：有它和旧密钥库副本的人，还读得出注销之前的资料")


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
