"""shouwang credit, rates, annual-report: what the ledger answers."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from ledger import annual_reports, credit, history, rates
from ledger.codes import GRADES
from ledger.entries import SHANGHAI
from ledger.errors import InvalidRequest, NotFound
from ledger.ids import parse_number
from ledger.people import identity, volunteers
from ledger.policies import service_policy
from ledger.reports.report import percent
from ledger.rules import adopting, answers
from ledger.rules.explaining import Explanation
from ledger.service.drafts import duration
from ledger.shares import hundredths
from ledger.transactions import ReadTransaction
from scripts.console import OUT, as_json, ledger, print_json, write_report
from scripts.rule_commands import print_explanation

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
@click.option("--explain", is_flag=True, help="一条一条说明星级、积分怎么来的")
@click.option("--rules", "name", default=adopting.STAR, show_default=True, metavar="NAME", help="与 --explain 同用：按哪一份规则")
@click.option("--as-known", type=int, metavar="SIZE", help="与 --explain 同用：按账本只有 SIZE 条时所知的")
@click.option(
    "--log", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="与 --explain 同用：只用导出的账本来算"
)
@click.option("--on", "asked_on", type=click.DateTime(["%Y-%m-%d"]), help="与 --explain 同用：按这一天来问（默认今天）")
@click.option(
    "--adult", type=click.Choice(["yes", "no", "unknown"]), default="unknown", help="与 --log 同用：账本里没有年龄，由您说明是否成年"
)
@as_json
def credit_(id_number: str | None, volunteer: str | None, json_: bool, **how: Any) -> None:
    """查一位志愿者的时长：总数等于下面各条之和；加 --explain 说明星级、积分怎么来的。"""
    if (id_number is None) == (volunteer is None):
        raise InvalidRequest("请用 --id-number 或 --volunteer 之一说明查谁")
    if how.pop("explain"):
        found = _explained(id_number, volunteer, **how)
        if json_:
            print_json(found.said())
        else:
            print_explanation(found)
        return
    if how["as_known"] is not None or how["folder"] is not None or how["asked_on"] is not None:
        raise InvalidRequest("--as-known、--log、--on 要和 --explain 一起用")
    with ledger().read() as tx:
        known = _find(tx, id_number) if id_number else volunteers.get(tx, volunteer or "")
        statement = credit.statement(tx, known.row.number)
    if json_:
        said: dict[str, Any] = {name: value for name, value in vars(statement).items() if name not in ("records", "others")}
        print_json(said | {"records": [_item(one) for one in statement.records], "not_counted": [_item(one) for one in statement.others]})
        return
    OUT.print(
        f"{known.masked_name}（{known.row.number}）累计服务 [bold]{duration(statement.minutes)}[/]，{statement.star_name or '尚未评星'}"
    )
    if statement.next_star:
        OUT.print(f"还差 {statement.missing} 到{statement.next_star}")
    for series, minutes in statement.by_series.items():
        OUT.print(f"  {series} {duration(minutes)}")
    shown = Table("日期", "活动", "时间", "时长", "状态", "证据", "登记站", "第几条")
    for one in [*statement.records, *statement.others]:
        times = f"{one.start[11:]}–{one.end[11:]}"
        shown.add_row(
            one.served_on, one.activity, times, duration(one.minutes), _STATUS[one.status], GRADES[one.grade], one.station, str(one.index)
        )
    OUT.print(shown)


def _explained(
    id_number: str | None,
    volunteer: str | None,
    name: str,
    as_known: int | None,
    folder: Path | None,
    asked_on: datetime | None,
    adult: str,
) -> Explanation:
    day = asked_on.date() if asked_on else datetime.now(SHANGHAI).date()
    if folder is not None:
        if volunteer is None or as_known is not None:
            raise InvalidRequest("导出的账本里没有身份证号，也只有一个大小：请用 --volunteer 说明查谁，不要写 --as-known")
        return answers.explained_from_export(folder, parse_number(volunteer), name, on=day, adult=adult)
    with ledger().read() as tx:
        known = _find(tx, id_number) if id_number else volunteers.get(tx, volunteer or "")
        day = asked_on.date() if asked_on else tx.today
        if as_known is None:
            return answers.explained(tx, known.row.number, name, on=day)
        return answers.explained_as_known(tx, known.row.number, name, size=as_known, on=day)


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
        with history.known(tx.connection, as_known) as (then, size):
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
        first = _judged(one.registered, one.population, policy.registration_target_permille)
        second = _judged(one.participants, one.registered, policy.participation_target_permille)
        third = _judged(one.backbone, one.registered, policy.backbone_target_permille)
        numbers = (str(one.registered), first, str(one.participants), second, str(one.backbone), third)
        shown.add_row(one.name, str(one.population or "未申报"), *numbers, duration(one.minutes))
    OUT.print(shown)
    OUT.print("参与率＝年内至少有一次已计入服务的人 ÷ 注册人数；骨干率＝骨干 ÷ 注册人数；✓ 达标 ✗ 未达标")


def _judged(numerator: int, denominator: int, target_permille: int) -> str:
    target = target_permille * 10
    found = hundredths(numerator, denominator, at_least=target)
    return "—" if found is None else f"{percent(numerator, denominator, target)} {'✓' if found >= target else '✗'}"


@click.command("annual-report")
@click.option("--year", type=int, required=True, help="年度")
@click.option("--unit", "code", metavar="CODE", help="哪个单位（站点编码；默认全区）")
@click.option("--as-known", type=int, metavar="SIZE", help="按账本只有 SIZE 条时所知的计算")
@click.option("--on", "asked_on", type=click.DateTime(["%Y-%m-%d"]), help="按这一天来问（默认今天）：复算从前公布的数字时用")
@click.option("--out", type=click.Path(path_type=Path), help="写成文件：.xlsx、.pdf、.csv")
@as_json
def annual_report_(year: int, code: str | None, as_known: int | None, asked_on: datetime | None, out: Path | None, json_: bool) -> None:
    """记录与证明出具工作的年度报告（民政部令第67号第十八条）：记录、补录、更正、异议、证明，没有个人信息。"""
    with ledger().read() as tx:
        asked = asked_on.date() if asked_on else tx.today
        with history.known(tx.connection, as_known) as (then, size):
            counted = annual_reports.count(then, year, asked, size)
    found = annual_reports.below(counted, code)
    made = annual_reports.document(found, "命令行")
    if out:
        write_report(made, out)
    if json_:
        units = [vars(unit) for unit in found.units]
        said = {"year": year, "tree_size": size, "counted_on": asked.isoformat(), "period_to": found.period_to.isoformat()}
        print_json(said | {"units": units}, "年度报告")
        return
    OUT.print(f"[bold]{made.title}[/]（{made.subtitle}，账本 {size} 条）")
    columns = ("records", "corrected", "voided", "objections", "certificates", "revoked", "registered", "participants")
    shown = Table("单位", "登记记录", "更正", "作废", "异议", "开具证明", "撤销", "注册", "有服务", "补录率")
    for unit in found.units:
        late = percent(unit.counts["late"], unit.counts["judged"])
        shown.add_row(unit.name, *(str(unit.counts[name]) for name in columns), late)
    OUT.print(shown)
    if out:
        OUT.print(f"已写入 {out}")
