"""shouwang ages: from when on somebody registers alone, with a guardian, or under the special rules for children."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from ledger.people import ages
from ledger.people.actors import OPERATOR
from scripts.console import OUT, as_json, ledger, print_json


@click.command("ages")
@click.option("--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="采用这份年龄规则（JSON）")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="从哪一天起执行（默认今天）")
@click.option("--document", help="依据的文件，如：区民政局〔2026〕1号")
@as_json
def ages_(file: Path | None, since: datetime | None, document: str | None, json_: bool) -> None:
    """看现行的年龄规则，或采用一份新的：几岁起本人登记、几岁以下按儿童保护、几岁以下不登记。"""
    opened = ledger()
    with opened.read() as tx:
        day = since.date() if since else tx.today
    if file is not None:
        policy = ages.read(file.read_bytes())
        opened.write(lambda tx: ages.adopt(tx, policy, effective_on=day.isoformat(), document=document), OPERATOR)
    with opened.read() as tx:
        found = ages.in_force(tx.connection, day.isoformat())
    if json_:
        print_json({"on": day.isoformat(), **asdict(found)})
        return
    OUT.print(f"{day} 起：满 {found.adult_age} 岁本人登记；不满的须监护人同意；")
    OUT.print(f"未满 {found.child_age} 岁按儿童信息保护；未满 {found.minimum_age} 岁不办理登记")
