"""shouwang certificate: certificates of service, made, looked up and revoked by the machine's operator."""

from datetime import datetime
from functools import partial
from pathlib import Path

import click

from ledger.certificates import issuing, register
from ledger.certificates.documents import Wish
from ledger.errors import InvalidRequest, SettingsError
from ledger.ids import parse_number, spaced_code
from ledger.people.actors import OPERATOR
from ledger.service.drafts import duration
from ledger.store import Ledger
from scripts.console import OUT, as_json, ledger, print_json

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("certificate")
def certificate() -> None:
    """志愿服务记录证明：开具、核验、撤销；每一次都入账。"""


@certificate.command("issue")
@click.argument("volunteer")
@click.option("--from", "first", type=_DAY, help="只开从这一天起的")
@click.option("--to", "last", type=_DAY, help="只开到这一天的")
@click.option("--full-id", is_flag=True, help="证件号印全（默认隐去中间）")
@click.option("--contact", default="", help="开具单位的联系方式，印在证明上")
@click.option("--gaps", is_flag=True, help="字库里没有的字印成「〓」，照样开")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="把 PDF 存到这个文件")
@as_json
def issue(
    volunteer: str,
    first: datetime | None,
    last: datetime | None,
    full_id: bool,
    contact: str,
    gaps: bool,
    out: Path | None,
    json_: bool,
) -> None:
    """给编号为 VOLUNTEER 的志愿者开一份证明。"""
    book = ledger()
    if out is not None and not book.settings.address:
        raise SettingsError("打印证明要写明核验的网址：请设置 SHOUWANG_ADDRESS，例如 https://volunteer.example.gov.cn")
    wish = Wish(parse_number(volunteer), first.date() if first else None, last.date() if last else None, full_id=full_id, contact=contact)
    _check_print(book, wish, gaps=gaps)
    issued = issuing.certify(book, OPERATOR, wish)
    if out is not None:
        _print(book, issued.number, out)
    if json_:
        print_json({"number": issued.number, "code": issued.code, "index": issued.receipt.index, "file": str(out) if out else None})
        return
    OUT.print(f"证明 [bold]{issued.number}[/]，校验码 {spaced_code(issued.code)}，见账本第 {issued.receipt.index} 条")
    if out is not None:
        OUT.print(f"PDF 已存到 {out}")


@certificate.command("print")
@click.argument("number")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@as_json
def print_(number: str, out: Path, json_: bool) -> None:
    """把编号为 NUMBER 的证明再打印成 PDF，存到 OUT。"""
    book = ledger()
    if not book.settings.address:
        raise SettingsError("打印证明要写明核验的网址：请设置 SHOUWANG_ADDRESS，例如 https://volunteer.example.gov.cn")
    _print(book, number, out)
    if json_:
        print_json({"number": number, "file": str(out)})
    else:
        OUT.print(f"PDF 已存到 {out}")


@certificate.command("show")
@click.argument("asked", metavar="SAID")
@as_json
def show(asked: str, json_: bool) -> None:
    """按编号或校验码 SAID 核验：有效、有更正、已撤销，或查无此证。"""
    with ledger().read() as tx:
        row = register.find(tx, asked)
        found = register.standing(tx, row) if row is not None else None
    if found is None:
        if json_:
            print_json({"state": "unknown"})
        else:
            OUT.print("查无此证")
        raise SystemExit(1)
    if json_:
        names = ("number", "volunteer", "station", "issued_on", "period_from", "period_to", "minutes", "revoked_at", "revoked_reason")
        more = {"state": found.state, "minutes_today": found.minutes, "changed": [one.index for one in found.changes]}
        print_json({name: getattr(row, name) for name in names} | {"index": row.entry_index} | more)
    else:
        said = f"{row.number}，{row.issued_on} 开具，{duration(row.minutes)}，今天算是 {duration(found.minutes)}"
        OUT.print(f"[bold]{register.STATES[found.state]}[/]：{said}")
        if row.revoked_reason:
            OUT.print(f"撤销理由：{row.revoked_reason}")
    raise SystemExit(1 if found.state == "revoked" else 0)


@certificate.command("revoke")
@click.argument("number")
@click.option("--reason", required=True, help="撤销的理由，本人和核验的人都看得到")
@as_json
def revoke(number: str, reason: str, json_: bool) -> None:
    """撤销编号为 NUMBER 的证明。"""
    book = ledger()
    receipt = book.write(lambda tx: issuing.revoke(tx, number, reason), OPERATOR)
    issuing.prove(book)
    if json_:
        print_json({"index": receipt.index, "id": receipt.id, "leaf": receipt.leaf.hex(), "recorded_at": receipt.recorded_at})
    else:
        OUT.print(f"证明 {number} 已撤销，见账本第 {receipt.index} 条（回执 {receipt.short_hash}）")


def _check_print(book: Ledger, wish: Wish, *, gaps: bool) -> None:
    """Refuse before anything is issued what could not be printed in full."""
    from ledger import typesetting
    from ledger.certificates import documents, printing

    with book.read() as tx:
        lacking = typesetting.missing(printing.texts_of(documents.make(tx, OPERATOR, wish, "", 0)))
    if lacking and not gaps:
        named = "、".join(f"「{one}」（U+{ord(one):04X}）" for one in lacking)
        raise InvalidRequest(f"印刷字库里没有 {named}。登记时打错的字请先更正；确是生僻字的，加 --gaps 照样开，印成「〓」后手写补上")


def _print(book: Ledger, number: str, out: Path) -> None:
    from ledger.certificates import printing

    with book.read() as tx:
        row = register.get(tx, number)
        sign = partial(book.signing.sign_text, tx.connection)
        made = printing.print_pdf(register.certificate(tx, row), book.settings.address, sign, revoked_on=row.revoked_at or "")
    out.write_bytes(made)
