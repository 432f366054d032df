"""shouwang hand-over: records for the information system that the state designates."""

import os
from pathlib import Path

import click

from ledger.errors import InvalidRequest, LedgerError
from ledger.handing_over import asking, mapping
from ledger.handing_over.workbook import left_out
from ledger.people.actors import OPERATOR
from scripts.console import OUT, as_json, ledger, print_json
from scripts.privacy_commands import signed_in


@click.command("hand-over")
@click.argument("unit")
@click.option("--from", "first", required=True, metavar="日期", help="从哪一天")
@click.option("--to", "last", required=True, metavar="日期", help="到哪一天")
@click.option("--reason", required=True, help="为什么交、交给谁；里面的每个人都看得到")
@click.option("--second", required=True, metavar="登录名", help="同意的人（审核员或区级管理员）的登录名；密码从标准输入读")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="写到哪个文件（.xlsx），不能已经存在")
@click.option(
    "--mapping", "own", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="自己的字段对照表（JSON），默认用自带的"
)
@as_json
def hand_over_(unit: str, first: str, last: str, reason: str, second: str, out: Path, own: Path | None, json_: bool) -> None:
    """把一个单位的人在一段时间里的记录，做成一个文件，报送国家指定的志愿服务信息系统（两个人）。"""
    mapped = mapping.read(own.read_bytes()) if own else mapping.shipped()
    if out.exists():
        raise InvalidRequest(f"{out} 已经有了。请换一个文件名：不覆盖别的文件")
    book = ledger()
    actor = signed_in(book, second)
    request = book.write(lambda tx: asking.ask(tx, unit, first, last, reason), OPERATOR)
    book.write(lambda tx: asking.agree(tx, request), actor)
    place = os.open(
        out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600
    )  # before anything is written down: a folder that takes no file costs no look
    with os.fdopen(place, "wb") as file:
        try:
            taken = asking.take(book, OPERATOR, request, mapped)
        except LedgerError:
            out.unlink()
            raise
        file.write(taken.content)
    said = {
        "people": len(taken.gathered.people),
        **taken.gathered.counts,
        "index": taken.receipt.index,
        "short_hash": taken.receipt.short_hash,
    }
    if json_:
        print_json(said | {"unconfirmed": taken.gathered.unconfirmed})
        return
    missing = "".join(f"；{why}的 {count} 人没有交出" for why, count in left_out(taken.gathered).items())
    OUT.print(
        f"已写到 {out}：{len(taken.gathered.people)} 人{missing}（账本第 {taken.receipt.index} 条）。交上去以后请马上删掉这个文件",
        markup=False,
    )
