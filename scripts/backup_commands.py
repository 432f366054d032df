"""shouwang backup, restore: the whole database in one file, and back."""

from dataclasses import asdict
from pathlib import Path

import click

from ledger import backups, migrating
from ledger.settings import Settings
from scripts.console import ERR, OUT, as_json, ledger, print_json


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--with-key-store", is_flag=True, help="另写一份密钥库到 FILE.key-store；只留最新一份，旧的删掉，否则注销过的人又能读出来")
@as_json
def backup_(file: Path, with_key_store: bool, json_: bool) -> None:
    """把整个数据库备份成一个文件 FILE，期间可以照常登记。不含密钥文件夹和密钥库。"""
    key_store = file.with_name(file.name + ".key-store") if with_key_store else None
    manifest = backups.back_up(ledger(), file, key_store=key_store)
    if json_:
        print_json({"file": str(file), "key_store": str(key_store) if key_store else None, **asdict(manifest)})
        return
    OUT.print(f"已备份 {manifest.size} 条到 {file}（数据库结构 {manifest.schema}）")
    if key_store:
        OUT.print(f"密钥库在 {key_store}：请与备份分开存放，只留最新的一份")
    else:
        OUT.print("备份不含 keys 文件夹和密钥库，请另外妥善保存；恢复时要用到它们")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="换下现有的账本，或恢复比已签检查点更旧的状态")
@as_json
def restore_(file: Path, force: bool, json_: bool) -> None:
    """从备份 FILE 恢复：先全部校验，再一次换上；旧的数据库改名留存。请先停掉 serve 和 jobs。PostgreSQL 上只恢复到空的数据库。"""
    done = backups.restore(Settings.from_env(), file, force=force)
    if json_:
        kept = str(done.kept) if done.kept else None
        print_json(
            {"size": done.manifest.size, "root": done.manifest.root, "made_at": done.manifest.made_at, "kept": kept, "behind": done.behind}
        )
        return
    OUT.print(f"已恢复到 {done.manifest.made_at} 的状态：{done.manifest.size} 条，已全部校验")
    if done.manifest.schema != migrating.newest_revision():
        OUT.print("备份来自较早的版本，已升级。请再运行一次 shouwang init，把原有账号补记入账")
    OUT.print("所有登录、访问令牌、没用过的登录码和备用码都已作废，请重新发放；密码是备份那时的，此后因泄露换过的请再重置")
    if done.kept:
        OUT.print(f"原来的数据库留在 {done.kept}")
    if done.behind:
        ERR.print(
            f"[bold yellow]注意：[/]曾对 {done.behind} 条签过检查点，这份备份缺 {done.behind - done.manifest.size} 条。现在只能查阅，不能签发。"
            "请找回更新的数据再恢复；确实找不回时，换一个 SHOUWANG_ORIGIN 新建账本，并公开说明从哪一条起缺失"
        )
