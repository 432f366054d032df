"""shouwang rules: check a rule file, adopt it, show what is in force."""

from pathlib import Path

import click
from rich.table import Table

from ledger.people.actors import OPERATOR
from ledger.rules import adopted, adopting, describing, reading
from ledger.rules.explaining import Explanation, level_words
from ledger.rules.fields import spoken
from ledger.rules.shape import RuleSet
from ledger.service.drafts import duration
from scripts.console import OUT, as_json, ledger, print_json

_FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group("rules")
def rules() -> None:
    """信用规则：核对规则文件、采用、看现行的。样例随程序提供，见 README。"""


@rules.command("check")
@_FILE
@as_json
def check_(file: Path, json_: bool) -> None:
    """核对一份规则文件，用大白话说出它的意思；写错的地方指出是哪一项。"""
    found = reading.read(file.read_bytes())
    if json_:
        print_json({"ok": True, **_named(found), "sections": [vars(one) for one in describing.describe(found)]})
        return
    _describe(found)


@rules.command("adopt")
@_FILE
@as_json
def adopt_(file: Path, json_: bool) -> None:
    """由本机操作员采用一份规则文件，记入账本。在网页上则要两位区级管理员。"""
    content = file.read_bytes()
    receipt = ledger().write(lambda tx: adopting.adopt(tx, content), OPERATOR)
    found = reading.read(content)
    if json_:
        print_json({"index": receipt.index, "leaf": receipt.leaf.hex(), **_named(found)})
        return
    OUT.print(f"已采用「{found.title}」第 {found.version} 版，{found.effective_on} 起执行，记在账本第 {receipt.index} 条")


@rules.command("show")
@click.argument("name", required=False)
@as_json
def show_(name: str | None, json_: bool) -> None:
    """看现行的规则；给出 NAME（如 star）就只看这一份，连同各版和改动。"""
    with ledger().read() as tx:
        on = tx.today.isoformat()
        standing = adopted.in_force_on(tx.connection, on)
        versions = {one.rules.name: adopted.history(tx.connection, one.rules.name) for one in standing}
        found = {adopting.STAR: adopting.star_rules(tx.connection, on)} | {one.rules.name: one.rules for one in standing}
        if name is not None:
            found = {name: adopting.chain(tx.connection, name, on)[-1][1]}
    if json_:
        print_json({"on": on, "rules": [_named(one) | {"versions": _versions(versions.get(key, []))} for key, one in found.items()]})
        return
    for key, one in found.items():
        _describe(one)
        for older, newer in zip(versions.get(key, []), versions.get(key, [])[1:], strict=False):
            OUT.print(f"第 {newer.rules.version} 版（{newer.effective_on} 起）比第 {older.rules.version} 版：")
            for place, was, now in adopting.diff(older.said, newer.said):
                OUT.print(f"  {place}：{was or '（没有）'} → {now or '（删去）'}", markup=False)


def _named(found: RuleSet) -> dict[str, object]:
    return {name: getattr(found, name) for name in ("name", "title", "version", "effective_on", "document", "source", "old_facts")}


def _versions(found: list[adopted.Adopted]) -> list[dict[str, object]]:
    return [
        {"version": one.rules.version, "effective_on": one.effective_on, "index": one.entry_index, "proposed_by": one.proposed_by}
        for one in found
    ]


def _describe(found: RuleSet) -> None:
    OUT.print(f"[bold]{found.title}[/]（{found.name}）第 {found.version} 版，{found.effective_on} 起，依据：{found.document}")
    for section in describing.describe(found):
        OUT.print(f"  {section.title}")
        for line in section.lines:
            OUT.print(f"    · {line}", markup=False)


def print_explanation(found: Explanation) -> None:
    """Print how somebody's credit came about, entry by entry."""
    OUT.print(f"[bold]按「{found.rules.title}」第 {found.rules.version} 版，截至 {found.on}[/]")
    OUT.print(f"计入 {duration(found.minutes)}" + (f"，积分 {spoken(found.points)} 分" if found.rules.items else ""))
    for scale in found.scales:
        ahead = f"，还差 {level_words(scale.next)} 到{scale.next.name}" if scale.next else ""
        kept = f"（{scale.kept_since} 达到，一直保留）" if scale.kept_since else ""
        OUT.print(f"{scale.name}：{scale.level or '还没有'}{kept}{'，' + scale.suspended if scale.suspended else ahead}")
    if found.status_words:
        OUT.print(f"身份：{found.status_words}")
    for one in found.effects:
        OUT.print(f"✗ {one.words}：{one.why}，依据 {one.basis}，第 {'、'.join(map(str, one.entries))} 条", markup=False)
    shown = Table("日期", "什么", "名称", "计时长", "积分", "累计时长", "累计积分", "第几条", "说明")
    for line in found.lines:
        why = "；".join(part for part in (line.why, *(gain.why for gain in line.gains), *line.remarks) if part)
        given = "，".join(f"{gain.name} {spoken(gain.points)}" for gain in line.gains)
        totals = (duration(line.total_minutes), spoken(line.total_points), str(line.index) if line.index >= 0 else "")
        shown.add_row(line.day, line.what, line.label, duration(line.counted_minutes), given, *totals, why)
    OUT.print(shown)
