"""shouwang checkpoint, verify, export-log, proof, rebuild: the log itself, for those who check it."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from ledger import checkpoints, exporting, history, log
from ledger.checking.verifying import verify
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.notes import encode_proof, note_parts, parse_checkpoint
from ledger.people.actors import OPERATOR
from ledger.settings import Settings
from scripts.console import ERR, OUT, as_json, ledger, print_json, progress

_SHOWN_MAX = 200
_PAUSE_SECONDS = 5.0


@click.command("checkpoint")
@as_json
def checkpoint_(json_: bool) -> None:
    """账本有新增时签发检查点，并打印最新的检查点。"""
    book = ledger()
    signed = book.write(lambda tx: book.signing.sign(tx.connection), OPERATOR)
    with book.read() as tx:
        note = checkpoints.served_checkpoint(tx.connection)
    if note is None:
        raise NotFound("账本还是空的，没有什么可签")
    if json_:
        print_json({"new": signed is not None, "size": checkpoints.checkpoint_size(note), "checkpoint": note, "vkey": book.signing.vkey})
    else:
        ERR.print("已签发新的检查点" if signed else "账本没有新增，最新的检查点是：")
        sys.stdout.write(note)


@click.command("verify")
@click.option("--against", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="从前另存的检查点：账本必须是它的延伸")
@click.option("--jobs", type=click.IntRange(1, 64), help="同时用几个进程（默认：处理器的核数）")
@click.option("--since-last", is_flag=True, help="只细查上次校验以后新增的记录，旧的只核对树和检查点，不重做汇总表")
@click.option("--resume", is_flag=True, help="上一次全面校验若中途断了，从断的地方接着做（每隔几秒记一次）；没有断过就从头做")
@as_json
def verify_(against: Path | None, jobs: int | None, since_last: bool, resume: bool, json_: bool) -> None:
    """从原始字节起重算整个账本，列出每一处不符；有不符时退出码为 1。"""
    if since_last and resume:
        raise InvalidRequest("--since-last 和 --resume 只能用一个：前者只查新增的，后者接着做全面校验")
    older, jobs = _kept_checkpoint(against) if against else None, jobs or os.cpu_count() or 1
    with progress("校验", quiet=json_) as tell:
        how: dict[str, Any] = {"jobs": jobs, "since_last": since_last, "remember": True, "pause": _PAUSE_SECONDS, "resume": resume}
        report = verify(ledger(damaged=True), progress=tell, against=older, **how)
    if json_:
        print_json(report.as_json())
    elif report.ok:
        OUT.print(f"[bold green]通过[/]：{report.size} 条，树根 {report.root.hex()}")
    else:
        OUT.print(f"[bold red]发现 {report.fault_count} 处不符[/]（账本 {report.size} 条）")
        for fault in report.faults[:_SHOWN_MAX]:
            where = f"第 {fault.index} 条 " if fault.index is not None else ""
            OUT.print(f"  {where}{fault.what}：应为 {fault.expected}，实为 {fault.found}", markup=False)
        if report.fault_count > _SHOWN_MAX:
            OUT.print(f"  …… 其余 {report.fault_count - _SHOWN_MAX} 处请加 --json 查看")
    sys.exit(0 if report.ok else 1)


def _kept_checkpoint(path: Path) -> bytes:
    """Read a checkpoint that was kept. Raises InvalidRequest for a file that is none, or is another log's: that is no fault of this log."""
    raw, origin = path.read_bytes(), Settings.from_env().origin
    try:
        found = parse_checkpoint(note_parts(raw)[0])
    except LedgerError as error:
        raise InvalidRequest(
            f"{path} 不是检查点：{str(error).rstrip('。')}。请给出从前用 shouwang checkpoint 或 /log/checkpoint 保存的文件"
        ) from error
    if found.origin != origin:
        raise InvalidRequest(f"{path} 是另一个账本（{found.origin}）的检查点，本账本是 {origin}")
    return raw


@click.command("export-log")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@as_json
def export_log_(folder: Path, json_: bool) -> None:
    """把账本（到最新检查点为止）导出成 C2SP 分片文件夹，供任何人的工具核验。"""
    book = ledger()
    book.write(lambda tx: book.signing.sign(tx.connection), OPERATOR)
    with progress("导出", quiet=json_) as tell:
        size = exporting.export_log(book, folder, tell)
    if json_:
        print_json({"folder": str(folder), "size": size, "vkey": book.signing.vkey})
    else:
        OUT.print(f"已导出 {size} 条到 {folder}")


@click.command("proof")
@click.argument("index", type=int)
@click.option("--out", type=click.Path(path_type=Path), help="证明写到这个文件（默认打印）")
@click.option("--entry", "entry_file", type=click.Path(path_type=Path), help="同时把该条的原始字节写到这个文件")
def proof_(index: int, out: Path | None, entry_file: Path | None) -> None:
    """给出第 INDEX 条在账本里的证明（.tlog-proof）。"""
    book = ledger()
    with book.read() as tx:
        proof = encode_proof(checkpoints.prove_entry(tx.connection, index))
        raw = log.read_entry(tx.connection, index)
    if entry_file:
        entry_file.write_bytes(raw)
    if out:
        out.write_bytes(proof)
    else:
        sys.stdout.write(proof.decode())


@click.command("rebuild")
@as_json
def rebuild_(json_: bool) -> None:
    """从账本重做所有汇总表，一次换上。"""
    count = history.rebuild(ledger(), OPERATOR)
    if json_:
        print_json({"replayed": count})
    else:
        OUT.print(f"已用 {count} 条记录重做汇总表")
