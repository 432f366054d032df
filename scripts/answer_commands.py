"""shouwang credit, rates, select: what the ledger answers."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from ledger import credit, history, rates, selections, stations
from ledger.codes import GRADES
from ledger.errors import InvalidRequest, NotFound
from ledger.log import tree_head
from ledger.people import identity, volunteers
from ledger.policies import service_policy
from ledger.service.drafts import duration
from ledger.transactions import ReadTransaction
from scripts.console import OUT, as_json, ledger, print_json, write_report

_STATUS = {
    "counted": "已生效",
    "publicity": "公示中",
    "waiting": "待审核",
    "contested": "有异议",
    "voided": "已作废",
    "frozen": "已冻结",
}


@click.command("credit")
@click.option("--id-number", help="身份证号")
@click.option("--volunteer", help="志愿者编号")
@as_json
def credit_(id_number: str | None, volunteer: str | None, json_: bool) -> None:
    """查一位志愿者的时长：总数等于下面各条之和。"""
    if (id_number is None) == (volunteer is None):
        raise InvalidRequest("请用 --id-number 或 --volunteer 之一说明查谁")
    with ledger().read() as tx:
        known = _find(tx, id_number) if id_number else volunteers.get(tx, volunteer or "")
        statement = credit.statement(tx, known.row.number)
    if json_:
        said: dict[str, Any] = {name: value for name, value in vars(statement).items() if name not in ("records", "others")}
        print_json(said | {"records": [_item(one) for one in statement.records], "not_counted": [_item(one) for one in statement.others]})
        return
    OUT.print(f"{known.masked_name}（{known.row.number}）累计服务 [bold]{duration(statement.minutes)}[/]，{statement.star} 星")
    if statement.minutes_to_next_star is not None:
        OUT.print(f"再服务 {duration(statement.minutes_to_next_star)} 可达 {statement.star + 1} 星")
    for series, minutes in statement.by_series.items():
        OUT.print(f"  {series} {duration(minutes)}")
    shown = Table("日期", "活动", "时间", "时长", "状态", "证据", "登记站", "第几条")
    for one in [*statement.records, *statement.others]:
        times = f"{one.start[11:]}–{one.end[11:]}"
        shown.add_row(
            one.served_on, one.activity, times, duration(one.minutes), _STATUS[one.status], GRADES[one.grade], one.station, str(one.index)
        )
    OUT.print(shown)


def _find(tx: ReadTransaction, id_number: str) -> volunteers.Known:
    number = identity.check_id_number(id_number, today=tx.today)
    found = volunteers.find_by_id_numbers(tx, [number])
    if number not in found:
        raise NotFound("没有登记过这个身份证号")
    return found[number]


def _item(one: credit.Item) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__ if getattr(one, name) is not None}


@click.command("rates")
@click.option("--year", type=int, required=True, help="年度")
@click.option("--as-known", type=int, metavar="SIZE", help="按账本只有 SIZE 条时所知的计算")
@click.option("--on", "asked_on", type=click.DateTime(["%Y-%m-%d"]), help="按这一天来问（默认今天）：复算从前公布的数字时用")
@as_json
def rates_(year: int, as_known: int | None, asked_on: datetime | None, json_: bool) -> None:
    """各站点的注册率、参与率、骨干率，连同分子、分母、来源和截止日。"""
    with ledger().read() as tx:
        asked = asked_on.date() if asked_on else tx.today
        day = rates.counting_day(year, asked)
        size = tree_head(tx.connection).size if as_known is None else as_known
        if as_known is None:
            found = rates.count(tx.connection, year, asked)
        else:
            with history.as_known(tx.connection, as_known) as then:
                found = rates.count(then, year, asked)
        policy = service_policy(tx.connection, day.isoformat())
    if json_:
        print_json(
            {
                "year": year,
                "tree_size": size,
                "period_to": day.isoformat(),
                "counted_on": asked.isoformat(),
                "stations": [vars(one) | one.rates() for one in found],
            },
            "三率",
        )
        return
    OUT.print(f"[bold]{year} 年度，截至 {day}[/]（账本 {size} 条）")
    shown = Table("站点", "常住人口", "注册", "注册率", "有服务", "参与率", "骨干", "骨干率", "时长")
    for one in found:
        made = one.rates()
        targets = (policy.registration_target_permille, policy.participation_target_permille, policy.backbone_target_permille)
        first, second, third = (_judged(value, target) for value, target in zip(made.values(), targets, strict=True))
        numbers = (str(one.registered), first, str(one.participants), second, str(one.backbone), third)
        shown.add_row(one.name, str(one.population or "未申报"), *numbers, duration(one.minutes))
    OUT.print(shown)
    OUT.print("参与率＝年内至少有一次已计入服务的人 ÷ 注册人数；骨干率＝骨干 ÷ 注册人数；✓ 达标 ✗ 未达标")


def _judged(value: str, target_permille: int) -> str:
    if not value:
        return "—"
    tenths = int(value.replace(".", ""))
    mark = "✓" if tenths >= target_permille * 10 else "✗"
    return f"{tenths // 100}.{tenths % 100:02d}% {mark}"


@click.command("select")
@click.option("--year", type=int, required=True, help="年度")
@click.option("--rules", "rules_file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="规则文件（JSON）")
@click.option("--out", type=click.Path(path_type=Path), help="名单（姓名已遮盖）写成文件：.xlsx、.pdf、.csv")
@as_json
def select_(year: int, rules_file: Path, out: Path | None, json_: bool) -> None:
    """按规则文件排出年度名单；同一账本、同一规则，谁来算都一样。"""
    rules = selections.read_rules(rules_file.read_bytes())
    with ledger().read() as tx:
        selection = selections.select_year(tx, year, rules)
        made = selections.report(selection, stations.district_name(tx.connection), "命令行", tx.today)
    if out:
        write_report(made, out)
    if json_:
        print_json(
            {
                "year": year,
                "tree_size": selection.tree_size,
                "counted_on": selection.counted_on,
                "rules": {"name": rules.name, "sha256": rules.sha256},
                "considered": selection.considered,
                "chosen": [vars(one) for one in selection.chosen],
                "excluded": [vars(one) for one in selection.excluded],
            },
            "评选名单",
        )
        return
    OUT.print(f"[bold]{year} 年度{rules.name}[/]：参评 {selection.considered} 人，入选 {len(selection.chosen)} 人")
    shown = Table("名次", "编号", "姓名", "站点", "时长", "次数", "备注")
    for one in selection.chosen:
        shown.add_row(str(one.rank), one.volunteer, one.name, one.station, duration(one.minutes), str(one.services), one.note)
    OUT.print(shown)
    for one in selection.excluded:
        OUT.print(f"排除 {one.volunteer} {one.name}：{one.note}")
    if out:
        OUT.print(f"名单已写入 {out}")
