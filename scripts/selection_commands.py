"""shouwang select: the list of a year by a rule file; and a selection counted again, from this ledger or from anybody's copy of the log."""

from pathlib import Path

import click
from rich.table import Table

from ledger import stations
from ledger.errors import InvalidRequest
from ledger.selections import rechecking
from ledger.selections.reports import report
from ledger.selections.rules import read_rules
from ledger.selections.yearly import select_year
from ledger.service.drafts import duration
from scripts.console import OUT, as_json, ledger, print_json, write_report


@click.command("select")
@click.option("--year", type=int, help="年度")
@click.option("--rules", "rules_file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="规则文件（JSON）")
@click.option("--out", type=click.Path(path_type=Path), help="名单（姓名已遮盖）写成文件：.xlsx、.pdf、.csv")
@click.option("--recheck", "selection_id", metavar="SELECTION", help="复算一次评选（编号）：名单的摘要应与账本里写的一致")
@click.option("--log", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="用导出的账本复算，不用数据库")
@as_json
def select_(
    year: int | None, rules_file: Path | None, out: Path | None, selection_id: str | None, folder: Path | None, json_: bool
) -> None:
    """按规则文件排出年度名单，或者复算一次评选；同一账本、同一规则，谁来算都一样。"""
    if selection_id is not None:
        _recheck(selection_id, folder, json_=json_)
        return
    if year is None or rules_file is None or folder is not None:
        raise InvalidRequest("请用 --year 和 --rules 排名单，或者用 --recheck 评选编号（可加 --log 文件夹）复算")
    _list(year, rules_file, out, json_=json_)


def _recheck(selection_id: str, folder: Path | None, *, json_: bool) -> None:
    """Count a selection again. Ends with 1 when a list is another."""
    if folder is not None:
        found = rechecking.from_folder(folder, selection_id)
    else:
        with ledger().read() as tx:
            found = rechecking.from_log(tx.connection, selection_id)
    if json_:
        print_json(
            {"selection": found.selection, "tree_size": found.tree_size, "ok": found.ok, "lists": [vars(one) for one in found.lists]}
        )
    else:
        OUT.print(f"[bold]评选 {found.selection}[/]：冻结于账本 {found.tree_size} 条，规则 SHA-256 {found.rules_sha256}")
        for one in found.lists:
            OUT.print(f"{one.name} {one.rows} 行，复算摘要 {one.counted}：{'一致' if one.same else '不一致'}")
            if not one.same:
                OUT.print(f"账本里写的是 {one.said}")
    if not found.ok:
        raise SystemExit(1)


def _list(year: int, rules_file: Path, out: Path | None, *, json_: bool) -> None:
    rules = read_rules(rules_file.read_bytes())
    with ledger().read() as tx:
        selection = select_year(tx, year, rules)
        made = report(selection, stations.district_name(tx.connection), "命令行", tx.today)
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
