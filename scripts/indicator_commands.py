"""shouwang indicators: where units stand against the targets of their district."""

from pathlib import Path

import click
from rich.table import Table

from ledger import history
from ledger.errors import InvalidRequest
from ledger.indicators import adoption
from ledger.indicators.measures import Count
from ledger.indicators.standings import Standing, evaluate
from ledger.people.actors import OPERATOR
from scripts.console import OUT, as_json, ledger, print_json


@click.group("indicators")
def indicators() -> None:
    """指标：各单位对照目标走到哪一步，还差多少。"""


@indicators.command("sets")
def sets() -> None:
    """列出自带的指标表。"""
    shown = Table("名称", "标题", "指标数", "依据")
    for name, one in adoption.shipped().items():
        shown.add_row(name, one.name, str(len(one.indicators)), one.document)
    OUT.print(shown)


@indicators.command("adopt")
@click.argument("chosen")
@click.option("--from", "effective_on", required=True, metavar="日期", help="从哪一天起用，如 2026-01-01")
def adopt(chosen: str, effective_on: str) -> None:
    """采用一张指标表：自带的名称，或一个 JSON 文件。"""
    path = Path(chosen)
    packed = adoption.SETS / f"{chosen}.json"
    if not path.is_file() and chosen not in adoption.shipped():
        raise InvalidRequest(f"没有名为「{chosen}」的指标表，也没有这个文件。自带的有 {'、'.join(adoption.shipped())}")
    content = (path if path.is_file() else packed).read_bytes()
    adopted = ledger().write(lambda tx: adoption.adopt(tx, content, effective_on=effective_on), OPERATOR)
    OUT.print(f"已采用「{adopted.name}」（{len(adopted.indicators)} 个指标），自 {effective_on} 起")


@indicators.command("declare")
@click.argument("station")
@click.argument("figure")
@click.argument("value", type=int)
@click.option("--on", "counted_on", required=True, metavar="日期", help="统计日期")
@click.option("--source", required=True, help="来源，如文件名和文号")
def declare(station: str, figure: str, value: int, counted_on: str, source: str) -> None:
    """填报一个数：单位编码、填报数的代号、数。"""
    said = adoption.Figure(station, figure, value, counted_on, source)
    made = ledger().write(lambda tx: adoption.declare(tx, [said]), OPERATOR)
    OUT.print("已记入账本" if made else "账本里已经是这个数")


@indicators.command("show")
@click.option("--year", type=int, required=True, help="年度")
@click.option("--unit", help="单位编码，默认最上级")
@click.option("--as-known", type=int, metavar="SIZE", help="按账本只有 SIZE 条时所知的计算")
@as_json
def show(year: int, unit: str | None, as_known: int | None, json_: bool) -> None:
    """一个单位的各项指标；--json 给出所有单位。"""
    with ledger().read() as tx, history.known(tx.connection, as_known) as (then, size):
        count = Count(then, year, tx.today)
        chosen = adoption.in_force(then, count.on)
        found = evaluate(count, chosen)
    if json_:
        said = {code: [_said(one) for one in standings] for code, standings in found.items()}
        print_json({"year": year, "tree_size": size, "counted_on": count.on, "set": chosen.name, "units": said}, "指标")
        return
    if not found:
        raise InvalidRequest("还没有登记任何单位")
    code = unit or next(iter(found))
    if code not in found:
        raise InvalidRequest(f"没有编码为 {code} 的站点")
    OUT.print(f"[bold]{chosen.name}[/]，{year} 年度，截至 {count.on}（账本 {size} 条）")
    shown = Table("指标", "数值", "分子/分母", "目标", "还差", "下级达标")
    for one in found[code]:
        shown.add_row(one.indicator.name, one.value(), one.fraction(), one.goal(), str(one.missing or ""), _below(one))
    OUT.print(shown)


def _below(one: Standing) -> str:
    return f"{one.reached_below}/{one.judged_below}" if one.judged_below else ""


def _said(one: Standing) -> dict[str, object]:
    said = {
        "indicator": one.indicator.id,
        "numerator": one.numerator,
        "denominator": one.denominator,
        "value": one.value(),
        "reached": one.reached,
    }
    target = {"at_least": one.target.at_least, "at_most": one.target.at_most} if one.target else {}
    below = {"reached_below": one.reached_below, "judged_below": one.judged_below} if one.judged_below else {}
    return {key: value for key, value in (said | target | {"missing": one.missing} | below).items() if value is not None}
