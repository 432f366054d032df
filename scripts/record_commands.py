"""shouwang correct, void, parked: what happens to a record after it was made."""

from datetime import datetime

import click
from rich.table import Table

from ledger import parked
from ledger.log import Receipt
from ledger.people import actors
from ledger.people.actors import OPERATOR
from ledger.refusals import Refusal
from ledger.service import amending
from ledger.sheets import spelling
from ledger.sheets.spelling import Misspelt
from scripts.console import OUT, as_json, ledger, print_json


class LocalMinute(click.ParamType[datetime]):
    """A local time such as 2025-01-05 14:20."""

    name = "时间"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it in any spelling that sheets use."""
        if isinstance(value, datetime):
            return value
        try:
            return spelling.parse_datetime(str(value))
        except Misspelt as fault:
            self.fail(str(fault), param, ctx)


@click.command("correct")
@click.argument("index", type=int)
@click.option("--start", type=LocalMinute(), required=True, help="真正的开始时间，如 2025-01-05 14:20")
@click.option("--end", type=LocalMinute(), required=True, help="真正的结束时间")
@click.option("--break", "break_minutes", type=int, default=0, help="中间休息的分钟数")
@click.option("--reason", required=True, help="为什么更正")
@as_json
def correct_(index: int, start: datetime, end: datetime, break_minutes: int, reason: str, json_: bool) -> None:
    """更正第 INDEX 条服务记录的时间：原记录不动，另记一条更正。"""
    receipt = ledger().write(
        lambda tx: amending.correct(tx, index, start=start, end=end, reason=reason, break_minutes=break_minutes), OPERATOR
    )
    _say(receipt, f"第 {index} 条已更正", json_)


@click.command("void")
@click.argument("index", type=int)
@click.option("--reason", required=True, help="为什么作废")
@as_json
def void_(index: int, reason: str, json_: bool) -> None:
    """作废第 INDEX 条服务记录：原记录不动，另记一条作废。"""
    receipt = ledger().write(lambda tx: amending.void(tx, index, reason=reason), OPERATOR)
    _say(receipt, f"第 {index} 条已作废", json_)


def _say(receipt: Receipt, done: str, json_: bool) -> None:
    if json_:
        print_json({"index": receipt.index, "id": receipt.id, "leaf": receipt.leaf.hex(), "recorded_at": receipt.recorded_at})
    else:
        OUT.print(f"{done}，见第 {receipt.index} 条（回执 {receipt.short_hash}）")


@click.command("parked")
@click.option("--record", is_flag=True, help="把已经登记了的人的时长计入")
@as_json
def parked_(record: bool, json_: bool) -> None:
    """列出「待登记」：签到表上还没有登记的人。"""
    book = ledger()
    with book.read() as tx:
        rows = parked.waiting(tx, actors.below(tx.connection, None))
    ready = [row for row in rows if row.volunteer]
    answers = book.write(lambda tx: parked.record(tx, [row.id for row in ready]), OPERATOR) if record else []
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    if json_:
        said = {"parked": [vars(row) for row in rows], "recorded": len(answers) - len(refused)}
        print_json(said | {"refused": [{"code": one.code, "message": one.message} for one in refused]})
        return
    shown = Table("姓名", "证件尾号", "活动", "时间", "站点", "可以计入")
    for row in rows:
        shown.add_row(row.name, row.tail, row.activity, f"{row.start}–{row.end}", row.station, "是" if row.volunteer else "还没有登记")
    OUT.print(shown)
    if record:
        OUT.print(f"已计入 {len(answers) - len(refused)} 条")
        for one in refused:
            OUT.print(f"  ✗ {one.message}")
