"""
Open data: the rates of every unit, for anybody to take (志愿服务条例 article 34), as CSV and as JSON that explains its columns.

    {"title", "licence", "source", "made_on", "tree_size", "year", "columns": [{"name", "title", "type", "meaning"}], "rows": [{…}]}

Nothing in them is about a person. "rates" is counted now; "published" are the entries that published rates, each with the tree size it was counted at.
Whoever holds the exported log counts both again (scripts/recount_rates).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select

from ledger import rates, stations
from ledger.log import tree_head
from ledger.people import leaks
from ledger.reports import Column, Report, file_of
from ledger.tables import PublishedRateRow, table
from ledger.transactions import ReadTransaction

LICENCE = "可以免费下载、转载、加工和用于商业，不用申请；请注明来源和数据日期，改过的请写明改过。"
SOURCE = "守望账本：每个数都能用公开的账本复算，见「账本公示」。"
_PUBLISHED = table(PublishedRateRow)
Row = dict[str, Any]


@dataclass(frozen=True)
class Meaning:
    """A column: its name in files, what it is called, text, day or integer, and what it means."""

    name: str
    title: str
    type: str
    meaning: str


_COUNTS = (
    Meaning("population", "常住人口", "integer", "统计日有效的常住人口；0 表示没有申报"),
    Meaning("registered", "注册志愿者", "integer", "统计日登记站点在这里的注册志愿者"),
    Meaning("confirmed", "本人确认的", "integer", "其中本人确认过登记的"),
    Meaning("participants", "参加过服务的", "integer", "其中当年至少有一次已计入的服务的"),
    Meaning("backbone", "骨干", "integer", "其中的志愿服务骨干"),
    Meaning("minutes", "服务时长（分钟）", "integer", "这些志愿者当年已计入的时长之和"),
)
_UNIT = (
    Meaning("code", "单位编码", "text", "统计用区划代码，或自编的编码"),
    Meaning("name", "单位名称", "text", "今天的名称"),
)
COLUMNS: dict[str, tuple[Meaning, ...]] = {
    "rates": (
        *_UNIT,
        Meaning("level", "级别", "text", "province 省、city 市、district 区、centre 街镇中心、station 社区站"),
        Meaning("parent", "上级编码", "text", "空着的是最上级；上级的数已经包含下级，不要再相加"),
        Meaning("counted_on", "统计日", "day", "12 月 31 日，当年是今天"),
        *_COUNTS,
        Meaning("registration_rate", "注册率", "text", "注册志愿者 ÷ 常住人口，四位小数，四舍五入；没有分母的空着"),
        Meaning("participation_rate", "参与率", "text", "参加过服务的 ÷ 注册志愿者"),
        Meaning("backbone_rate", "骨干率", "text", "骨干 ÷ 注册志愿者"),
        Meaning("population_on", "人口统计日期", "day", "常住人口是哪一天的；下级相加的空着"),
        Meaning("population_source", "人口来源", "text", "常住人口的出处；下级相加的空着"),
    ),
    "published": (
        Meaning("entry", "账本第几条", "integer", "公布这些数的条目，可以取证明"),
        Meaning("tree_size", "账本条数", "integer", "统计时账本的条数：按它复算，应得到同样的数"),
        *_UNIT,
        Meaning("period_from", "从哪一天", "day", "统计时段的第一天"),
        Meaning("period_to", "到哪一天", "day", "统计时段的最后一天"),
        Meaning("counted_on", "统计日", "day", "哪一天统计的"),
        *_COUNTS,
    ),
}
TITLES = {"rates": "各单位的三率", "published": "公布过的三率"}
"""What there is to take."""


def rows(tx: ReadTransaction, what: str, year: int) -> list[Row]:
    """Give the rows of a data set for a year, under the names of its columns."""
    read: dict[str, Callable[[ReadTransaction, int], list[Row]]] = {"rates": _counted, "published": _published}
    return read[what](tx, year)


def _counted(tx: ReadTransaction, year: int) -> list[Row]:
    names = [one.name for one in COLUMNS["rates"]]
    return [{name: {**vars(one), **one.rates()}[name] for name in names} for one in rates.count(tx.connection, year, tx.today)]


def _published(tx: ReadTransaction, year: int) -> list[Row]:
    asked = select(_PUBLISHED).where(_PUBLISHED.c.period_from == f"{year}-01-01").order_by(_PUBLISHED.c.entry_index)
    found = tx.connection.execute(asked).all()
    named = stations.names(tx.connection, {row.station for row in found})
    said = [one.name for one in COLUMNS["published"] if one.name not in ("entry", "code", "name")]
    own = [{"entry": row.entry_index, "code": row.station, "name": named.get(row.station, "")} for row in found]
    return [ours | {name: getattr(row, name) for name in said} for ours, row in zip(own, found, strict=True)]


def as_json(tx: ReadTransaction, what: str, year: int) -> bytes:
    """Write a data set as JSON. Raises NotAllowed when a personal number stands in it."""
    said = {
        "title": f"{TITLES[what]}，{year} 年",
        "licence": LICENCE,
        "source": SOURCE,
        "made_on": tx.today.isoformat(),
        "tree_size": tree_head(tx.connection).size,
        "year": year,
        "columns": [vars(one) for one in COLUMNS[what]],
        "rows": [{name: value for name, value in row.items() if value is not None} for row in rows(tx, what, year)],
    }
    content = orjson.dumps(said, option=orjson.OPT_INDENT_2)
    leaks.check_file(content, "application/json", TITLES[what])
    return content


def as_csv(tx: ReadTransaction, what: str, year: int) -> bytes:
    """Write a data set as CSV, under the names of its columns. Raises NotAllowed when a personal number stands in it."""
    columns = [Column(one.name, 12, "integer" if one.type == "integer" else "text") for one in COLUMNS[what]]
    said: Sequence[Row] = rows(tx, what, year)
    values = [tuple("" if row[one.name] is None else row[one.name] for one in COLUMNS[what]) for row in said]
    return file_of(Report(f"{TITLES[what]}-{year}", "", "", tx.today, tuple(columns), values), "csv").content
