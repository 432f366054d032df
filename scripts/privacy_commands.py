"""shouwang erase, retention: the end of somebody's data, and how long a law asks for it."""

import sys
from collections.abc import Mapping

import click

from ledger.errors import Conflict, InvalidRequest, NotAllowed
from ledger.ids import parse_number
from ledger.kinds.people import ERASING
from ledger.people import erasures, retention, sessions
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, Actor
from ledger.store import Ledger
from scripts.console import OUT, as_json, ledger, print_json


@click.command("erase")
@click.argument("volunteer")
@click.option("--reason", type=click.Choice(list(ERASING)), default="own_wish", show_default=True, help="理由代码")
@click.option("--second", metavar="登录名", help="第二个人（审核员或区级管理员）的登录名；密码从标准输入读")
@as_json
def erase_(volunteer: str, reason: str, second: str | None, json_: bool) -> None:
    """注销志愿者的资料（两个人）：已有别人的申请就直接办理；没有就先登记申请，再由 --second 的人办理。"""
    book = ledger()
    number = parse_number(volunteer)
    with book.read() as tx:
        asked = next((row for row in erasures.requests_of(tx, number) if row.state in ("open", "restricted")), None)
    request = asked.id if asked else book.write(lambda tx: erasures.ask(tx, number, reason), OPERATOR)
    own = asked is None or asked.asked_by == OPERATOR.account
    if own and not second:
        _say({"request": request, "state": "open"}, "注销申请已登记，须由另一个人办理：在网页「注销申请」里，或用 --second", json_=json_)
        return
    actor = signed_in(book, second) if second else OPERATOR
    done = book.write(lambda tx: erasures.carry_out(tx, request), actor)
    book.finish_erasures()
    said = {
        "request": request,
        "state": done.state,
        "until": done.until,
        "volunteers": done.numbers,
        "index": done.receipt.index,
        "short_hash": done.receipt.short_hash,
    }
    what = f"已封存，{done.until} 期满后可注销" if done.until else "已注销，姓名、证件号和联系方式再也读不出来"
    later = "" if done.until else "。此前另存过密钥库的，请再运行 shouwang rotate-wrapping-key，让旧的副本作废"
    _say(said, f"{what}（账本第 {done.receipt.index} 条）{later}", json_=json_)


def signed_in(book: Ledger, login: str) -> Actor:
    """Let the second person prove who they are. Raises NotAllowed."""
    password = click.prompt("第二个人的密码", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    session = Accounts(book).sign_in(login, password)
    book.operate(lambda connection, _now: sessions.end(connection, session.actor.account, session.id))
    if session.waits_for or session.must_change:
        raise NotAllowed("这个账号要先在网页上改密码或做两步验证，请在网页「注销申请」里办理")
    return session.actor


@click.command("retention")
@click.option("--years", type=int, help="最后一次服务之后法定保存几年；0 表示没有")
@click.option("--basis", default="", help="依据的文件和条款")
@click.option("--volunteer", help="看一位志愿者的资料要保存到哪天")
@as_json
def retention_(years: int | None, basis: str, volunteer: str | None, json_: bool) -> None:
    """法定保存期限：期满前，注销申请只能封存（只保存、不再使用）。采用后即入账。"""
    if (years is None) == (volunteer is None):
        raise InvalidRequest("请写 --years 和 --basis 采用一个期限，或写 --volunteer 查看一个人的")
    book = ledger()
    if years is not None:
        receipt = book.write(lambda tx: retention.adopt(tx, years=years, basis=basis), OPERATOR)
        _say({"years": years, "basis": basis, "index": receipt.index}, f"已采用（账本第 {receipt.index} 条）", json_=json_)
        return
    assert volunteer is not None
    number = parse_number(volunteer)
    with book.read() as tx:
        if erasures.state_of(tx, number) == "erased":
            raise Conflict("这个人的资料已经注销")
        found = retention.duty(tx, number)
    said = {"volunteer": number, "until": found.until.isoformat() if found else None, "basis": found.basis if found else None}
    _say(said, f"要保存到 {found.until}（{found.basis}）" if found else "没有法定保存期限，可以直接注销", json_=json_)


def _say(said: Mapping[str, object], words: str, *, json_: bool) -> None:
    if json_:
        print_json(said)
    else:
        OUT.print(words, markup=False)
