"""shouwang bundle, sample, announce-spot-check, spot-check: what is taken away to be checked elsewhere (scripts/verify_bundle), and what was checked."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ledger import exporting, log, spot_checks
from ledger.checking import bundles, sampling
from ledger.checking.reading import read_entry
from ledger.errors import InvalidRequest
from ledger.ids import parse_number
from ledger.kinds.checks import INTEGER_MAX
from ledger.people.actors import OPERATOR
from scripts.console import OUT, as_json, ledger, print_json

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("bundle")
@click.argument("indexes", type=int, nargs=-1, metavar="[INDEX]...")
@click.option("--volunteer", help="这位志愿者的全部记录（志愿者编号）")
@click.option("--organisation", help="这个组织的全部记录（组织编号）")
@click.option("--station", help="这个站点的全部记录（站点代码）")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="凭证写到这个文件")
@as_json
def bundle_(indexes: tuple[int, ...], volunteer: str | None, organisation: str | None, station: str | None, out: Path, json_: bool) -> None:
    """把若干条记录（或一位志愿者、一个组织、一个站点的全部记录）连同证明写成一个凭证文件，供 scripts/verify_bundle 离线核验。"""
    named = [
        *([f"person/{parse_number(volunteer)}"] if volunteer else []),
        *([f"organisation/{parse_number(organisation)}"] if organisation else []),
        *([f"station/{station}"] if station else []),
    ]
    if len(named) + bool(indexes) != 1:
        raise InvalidRequest("请给出记录序号，或 --volunteer、--organisation、--station 其中一个")
    subject = named[0] if named else None
    with ledger().read() as tx:
        made = exporting.bundle_records(tx.connection, indexes, subject)
    out.write_bytes(bundles.encode_bundle(made))
    if json_:
        print_json({"file": str(out), "records": len(made.records), "subject": subject})
    else:
        OUT.print(f"已把 {len(made.records)} 条记录和证明写到 {out}", markup=False)


@click.command("sample")
@click.option("--checkpoint", "checkpoint_file", type=_FILE, required=True, help="先签发、先公布的检查点")
@click.option("--nonce", required=True, help="事后才知道的随机数：照写的文字，或 hex: 加十六进制")
@click.option("--count", type=int, required=True, help="抽几条")
@click.option("--kind", help="只在这一种记录里抽，例如 service.recorded")
@as_json
def sample_(checkpoint_file: Path, nonce: str, count: int, kind: str | None, json_: bool) -> None:
    """抽查样本：由检查点和事后的随机数决定，谁也操纵不了，任何人重抽结果都一样。"""
    book = ledger()
    with book.read() as tx:
        checkpoint = book.signing.keyring(tx.connection).open_checkpoint(checkpoint_file.read_bytes(), book.settings.origin)
        if checkpoint.size > log.entry_count(tx.connection):
            raise InvalidRequest(f"检查点有 {checkpoint.size} 条，账本还没有这么多，可能是一份旧备份")
        population = None
        if kind:
            rows = log.scan(tx.connection, stop=checkpoint.size)
            population = [row.index for row in rows if read_entry(row.body).kind == kind]
    drawn = sampling.sample(checkpoint.root, checkpoint.size, sampling.parse_nonce(nonce), count, population)
    if json_:
        print_json({"size": checkpoint.size, "sample": drawn})
    else:
        OUT.print(" ".join(map(str, drawn)))


@click.command("spot-check")
@click.argument("announcement", type=click.IntRange(0, INTEGER_MAX), metavar="INDEX")
@click.option("--nonce", "number", required=True, help="预告里说的那个号码，照公布的写")
@click.option("--record", "record", is_flag=True, help="把结果记入账本、公开（不加时只列出抽到的）")
@click.option("--wrong", multiple=True, type=int, metavar="INDEX", help="不属实的，可以写多次")
@click.option("--unclear", multiple=True, type=int, metavar="INDEX", help="无法核实的，可以写多次")
@click.option("--on", "checked_on", type=click.DateTime(["%Y-%m-%d"]), help="抽查日期（默认今天）")
@click.option("--remark", default="", help="说明，大家都看得到")
@as_json
def spot_check_(announcement: int, number: str, json_: bool, **result: Any) -> None:
    """照账本第 INDEX 条的预告抽查服务记录（民政部令第67号第二十一条）：谁来抽都一样；核实以后把结果记入账本，在年度报告里公开。"""
    book = ledger()
    wrong, unclear, remark = set(result["wrong"]), set(result["unclear"]), result["remark"]
    if not result["record"] and (wrong or unclear or remark):
        raise InvalidRequest("要把结果记入账本，请加 --record；只看抽到哪些，不用写结果")
    with book.read() as tx:
        drawn = spot_checks.draw(tx, announcement, number)
        on = result["checked_on"].date() if result["checked_on"] else tx.today
    said: dict[str, Any] = {"announcement": announcement, "sample": drawn}
    if result["record"]:
        found = spot_checks.Found(on, number, sorted(wrong), sorted(unclear), remark)
        said["index"] = book.write(lambda tx: spot_checks.record(tx, announcement, found), OPERATOR).index
    if json_:
        print_json(said)
    elif result["record"]:
        OUT.print(f"抽查结果已记入账本第 {said['index']} 条：{len(drawn)} 条，不属实 {len(wrong)}，无法核实 {len(unclear)}")
    else:
        OUT.print(" ".join(map(str, drawn)))


@click.command("announce-spot-check")
@click.argument("unit")
@click.option("--count", type=int, required=True, help="抽几条")
@click.option("--source", required=True, help="用哪一个还没公布的号码，例如「双色球第 2026130 期开奖号码」")
@click.option("--digits", type=int, required=True, help="号码一共几位数字")
@click.option("--number-on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="号码哪天公布，明天或以后")
@as_json
def announce_spot_check_(unit: str, count: int, source: str, digits: int, number_on: datetime, json_: bool) -> None:
    """预告抽查一个单位（连同下级）的服务记录：写进账本，谁都看得到；号码公布以后再抽。"""
    book = ledger()
    plan = spot_checks.Plan(unit, count, source, digits, number_on.date())
    index = book.write(lambda tx: spot_checks.announce(tx, book.signing, plan), OPERATOR).index
    if json_:
        print_json({"index": index})
    else:
        OUT.print(f"预告已记入账本第 {index} 条，谁都看得到。号码公布以后运行 shouwang spot-check {index} --nonce 号码")
