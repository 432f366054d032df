"""shouwang bundle, sample: what an auditor or a volunteer takes away to check elsewhere (scripts/verify_bundle)."""

from pathlib import Path

import click

from ledger import exporting, log
from ledger.checking import bundles, sampling
from ledger.checking.reading import read_entry
from ledger.errors import InvalidRequest
from ledger.ids import parse_number
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
