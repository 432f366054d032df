"""shouwang import: a file as a station sends it, judged row by row."""

import sys
from pathlib import Path

import click
from rich.markup import escape

from ledger.errors import LedgerError
from ledger.imports import KINDS, Outcome, run
from ledger.people.actors import OPERATOR
from ledger.service.drafts import duration
from ledger.sheets.reading import check_size
from ledger.store import Ledger
from scripts.console import ERR, OUT, as_json, complain, ledger, print_json, progress

_UNOPENED = {FileNotFoundError: "没有这个文件", IsADirectoryError: "这是文件夹，不是文件", PermissionError: "没有权限读这个文件"}
_NOUNS = {"stations": "个站点", "units": "个单位", "organisations": "个组织", "volunteers": "名志愿者", "hours": "条服务记录"}


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="只看结果，什么都不写入")
@click.option("--settled", is_flag=True, help="这些时长此前已在纸面上审核并公示过，直接计入")
@click.option(
    "--problems", type=click.Path(path_type=Path), help="「问题表」写到哪里：单个文件时是文件名，多个文件时是文件夹（默认写在原表旁边）"
)
@as_json
def import_(kind: str, files: tuple[Path, ...], dry_run: bool, settled: bool, problems: Path | None, json_: bool) -> None:
    """导入站点表、国家区划代码表、组织台账、志愿者名册或签到表（XLSX、XLS、CSV）。

    逐行判断：没有问题的一起写入，有问题的写进「问题表」（您的原表加一列红色的「问题」），改好后重新导入即可，已写入的不会重复。
    """
    book = ledger()
    failed = False
    for file in files:
        try:
            outcome = _one(book, kind, file, settled, dry_run, json_)
        except (LedgerError, OSError) as error:
            failed = True
            message = str(error) if isinstance(error, LedgerError) else _UNOPENED.get(type(error), "打不开这个文件")
            complain(f"{file.name}：{message}")
            if json_:
                print_json({"file": file.name, "error": message})
            continue
        written = (
            _write_problems(outcome, file, problems, several=len(files) > 1)
            if outcome.rejected and (problems or not (json_ or dry_run))
            else None
        )
        if json_:
            print_json(outcome.as_json() | ({"problems_file": str(written)} if written else {}))
        else:
            _show(outcome, written)
    if failed:
        sys.exit(2)


def _one(book: Ledger, kind: str, file: Path, settled: bool, dry_run: bool, quiet: bool) -> Outcome:
    check_size(file.stat().st_size)
    with progress(file.name, quiet=quiet) as tell:
        return run(book, kind, file.read_bytes(), file.name, OPERATOR, settled=settled, rehearse=dry_run, progress=tell)


def _write_problems(outcome: Outcome, file: Path, wanted: Path | None, *, several: bool) -> Path | None:
    """Write the problem workbook where asked, else beside the file, else in the current folder."""
    name = f"{file.stem}-问题.xlsx"
    places = [file.with_name(name), Path(name)]
    if wanted is not None:
        places = [wanted / name if several or wanted.is_dir() else wanted]
    content = outcome.problem_workbook(file.read_bytes())
    for place in places:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        except OSError:
            continue
        return place
    ERR.print(f"问题表写不进 {places[-1].parent}，请用 --problems 指定别处")
    return None


def _show(outcome: Outcome, problems_file: Path | None) -> None:
    noun = _NOUNS[outcome.kind]
    done = "将写入" if outcome.rehearsed else "已写入"
    line = f"[bold]{escape(outcome.file)}[/]：{done} {outcome.accepted} {noun}"
    if outcome.kind == "hours":
        line += f"，共 {duration(outcome.minutes)}"
    if outcome.already:
        line += f"；{outcome.already} 行以前已登记，没有重复写入"
    if not (outcome.accepted or outcome.already or outcome.rejected or outcome.signing):
        line += "（表中没有数据行）"
    OUT.print(line)
    for problem in outcome.rejected:
        OUT.print(f"  [red]✗[/] 第 {problem.row} 行 {problem.name}：{escape(problem.message)}")
    for problem in outcome.signing:
        OUT.print(f"  [yellow]…[/] 第 {problem.row} 行 {problem.name}：{escape(problem.message)}")
    if outcome.signable:
        OUT.print(f"  其中 {len(outcome.signable)} 行超过每日上限：确有其事的，在网页上传这张表，写明理由，请另一位工作人员签字")
    for remark in outcome.remarks:
        OUT.print(f"  [yellow]![/] 第 {remark.row} 行 {remark.name}：{escape(remark.message)}")
    if outcome.parked:
        OUT.print(f"  其中 {len(outcome.parked)} 行的人尚未登记，已放入「待登记」，登记后用 shouwang parked 计入")
    if problems_file:
        OUT.print(f"  问题表：{problems_file}（改好后重新导入即可）")
