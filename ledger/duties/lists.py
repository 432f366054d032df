"""The monthly filing ledger (备案情况统计台账) of a street, and a paper that was handed in: as an office hands them on."""

from datetime import date
from typing import Any

import orjson

from ledger import codes, organisations, stations
from ledger.duties import weights
from ledger.duties.forms import Form, quorum_held
from ledger.duties.papers import words
from ledger.people import accounts
from ledger.people.actors import below
from ledger.reports import Column, Report
from ledger.reports.report import day_words
from ledger.transactions import ReadTransaction

_LEDGER = (
    Column("序号", 6, "integer"),
    Column("编号", 20),
    Column("组织名称", 42),
    Column("类别", 12),
    Column("志愿服务组织", 13),
    Column("所在社区", 24),
    Column("登记/备案", 10),
    Column("日期", 12),
    Column("有效期至", 12),
)
_PAPER = (Column("项目", 26), Column("内容", 90))


def filing_ledger(tx: ReadTransaction, station: str, on: date, unit: str, maker: str) -> Report:
    """List the organisations of a street whose filing or registration is valid on a day. *unit*, *maker*: who made the list."""
    place = stations.get(tx.connection, station)
    places = below(tx.connection, station)
    names = stations.names(tx.connection, places)
    day = on.isoformat()
    gone = set(tx.connection.execute(organisations.cancelled(day)).scalars())
    known = (row for row in organisations.at_stations(tx.connection, places) if row.id not in gone)
    valid = [row for row in known if row.since <= day <= (row.expires_on or "9999")]
    rows = [
        (
            at,
            row.number,
            row.name,
            codes.CATEGORIES.get(row.category, row.category),
            "是" if row.volunteer_organisation else "否",
            names[row.station],
            "备案" if row.basis == "filed" else "登记",
            row.since,
            row.expires_on or "—",
        )
        for at, row in enumerate(valid, 1)
    ]
    note = f"统计到{day_words(on)}：有效的备案和登记共 {len(rows)} 个，其中志愿服务组织 {sum(row.volunteer_organisation for row in valid)} 个。"
    return Report("社区社会组织备案情况统计台账", unit, maker, on, _LEDGER, rows, subtitle=place.name, notes=(note,))


def printed(tx: ReadTransaction, form: Form, row: Any) -> Report:
    """Print a paper as it was handed in, by whom and when."""
    said = orjson.loads(row.said)
    place = stations.get(tx.connection, row.station)
    owner = organisations.name_of(tx.connection, row.organisation) if row.organisation else place.name
    rows = [(field.label, spelt(said[field.id])) for field in form.fields if field.id in said]
    return Report(
        form.name,
        place.name,
        accounts.logins(tx.connection, {row.actor})[row.actor],
        date.fromisoformat(row.handed_on),
        _PAPER,
        [*rows, *derived(tx, form, row.period, said)],
        subtitle=f"{owner}，{words(row.period)}",
        notes=(f"报送：{form.to}。账本第 {row.entry_index} 条。",),
        landscape=False,
    )


def spelt(value: str | int) -> str:
    """Write an answer."""
    return str(value).replace("\n", " ")


def derived(tx: ReadTransaction, form: Form, period: str, said: dict[str, Any]) -> list[tuple[str, str]]:
    """Say what follows from a paper's answers: its score, and whether a meeting could decide."""
    found = []
    weighed = weights.of_paper(tx.connection, form, period)
    if (points := weights.score(weighed.percents, said)) is not None:
        shares = "、".join(f"{field.label} {weighed.percents[field.id]}%" for field in form.fields if field.weight)
        found.append(("总分", f"{points // 100}.{points % 100:02d}（{shares}）"))
    if (held := quorum_held(form, said)) is not None:
        found.append(("表决是否有效", "三分之二以上出席、到会过半数赞成，有效" if held else "没有达到三分之二出席、过半数赞成，无效"))
    return found
