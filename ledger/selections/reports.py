"""The lists of selections as an office hands them on: masked, with how they were counted, and the SHA-256 of the rules on every printout."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from ledger import codes, stations
from ledger.reports import Column, Report
from ledger.reports.report import Paper
from ledger.selections.checking import LIGHTS, Checked
from ledger.selections.objecting import unit_name
from ledger.selections.publishing import Line
from ledger.selections.ranking import Ranking
from ledger.selections.reading import rules_of
from ledger.selections.rules import Quota, Rules
from ledger.selections.yearly import Selection, candidates, names_of
from ledger.transactions import ReadTransaction

_COLUMNS = (
    Column("名次", 7, "integer"),
    Column("志愿者编号", 15),
    Column("姓名", 10),
    Column("所属站点", 30),
    Column("年度时长", 14, "minutes"),
    Column("其中 A、B 级证据", 16, "minutes"),
    Column("次数", 7, "integer"),
    Column("备注", 34),
)


def report(selection: Selection, unit: str, maker: str, made_on: date) -> Report:
    """Make the masked list as an office would hand it on, with how it was counted. *unit*, *maker*: who made it."""
    rows = [
        (one.rank, one.volunteer, one.name, one.station, one.minutes, one.minutes_ab, one.services, one.note) for one in selection.chosen
    ]
    return Report(f"{selection.year} 年度{selection.rules.name}", unit, maker, made_on, _COLUMNS, rows, notes=(_how(selection),))


def _how(selection: Selection) -> str:
    rules = selection.rules
    return (
        f"统计口径：{selection.year} 年内服务、截至 {selection.counted_on} 已计入的时长；证据：{grades_in_words(rules)}。"
        f"参评 {selection.considered} 人，名额 {quota_in_words(rules.quota)}，排除 {len(selection.excluded)} 人。"
        f"账本 {selection.tree_size} 条，规则文件 SHA-256：{rules.sha256}。任何持有账本的人用同一规则复算，名单应完全一致。"
    )


def grades_in_words(rules: Rules) -> str:
    """Name the evidence grades that count."""
    return "、".join(codes.GRADES[grade] for grade in rules.grades)


def quota_in_words(quota: Quota) -> str:
    """Say how many are chosen."""
    said = [str(quota.total)] if quota.total is not None else []
    said += [f"每个站点至多 {quota.per_unit}"] if quota.per_unit is not None else []
    said += [f"每千名居民 {quota.per_1000}"] if quota.per_1000 is not None else []
    said += [f"每站至少 {quota.floor}"] if quota.floor else []
    said += [f"每站不超过 {quota.cap}"] if quota.cap is not None else []
    return "，".join(said)


_PLACE = (Column("姓名或名称", 16), Column("所属站点", 26))


def final_report(tx: ReadTransaction, row: Any, ranking: Ranking, maker: str, *, paper: Paper = "A4") -> Report:
    """Make the list of a selection (its row) as it stands, to be handed on: rank, masked name, station, hours by grade."""
    rules = rules_of(row)
    found = candidates(tx, rules, ranking.chosen)
    columns = (
        Column("名次", 7, "integer"),
        Column("编号", 14),
        *_PLACE,
        Column("时长", 14, "minutes"),
        Column("其中 A、B 级证据", 16, "minutes"),
        Column("次数", 7, "integer"),
        Column("备注", 34),
    )
    rows = [(one.rank, one.volunteer, one.name, one.station, one.minutes, one.minutes_ab, one.services, one.note) for one in found]
    title = f"{row.year} 年度{rules.name}{'名单' if row.sealed_index is not None else '排名'}"
    return Report(title, unit_name(tx, row), maker, tx.today, columns, rows, notes=_notes(row, rules), paper=paper)


def public_report(tx: ReadTransaction, row: Any, lines: Sequence[Line], maker: str, *, paper: Paper = "A3") -> Report:
    """Make the public list to be put up: row, masked name, station, hours, the row's commitment."""
    columns = (Column("行号", 7, "integer"), *_PLACE, Column("时长", 14, "minutes"), Column("本行承诺值", 48))
    rows = [(line.row, line.name, line.station, line.minutes, line.commitment) for line in lines]
    rules = rules_of(row)
    until = f"公示期：{row.published_from} 至 {row.published_until}。有异议的，请在公示期内向{unit_name(tx, row)}提出。"
    order = "按姓氏笔画排列，同笔画的按字的编码。" if rules.order == "strokes" else "按名次排列。"
    title = f"{row.year} 年度{rules.name}公示名单"
    return Report(title, unit_name(tx, row), maker, tx.today, columns, rows, notes=(until + order, *_notes(row, rules)), paper=paper)


def check_report(tx: ReadTransaction, row: Any, found: Sequence[Checked], maker: str) -> Report:
    """Make the list of everybody's light."""
    rules = rules_of(row)
    names = names_of(tx, rules.subject, {one.sums.subject for one in found})
    where = stations.names(tx.connection, {one.sums.station for one in found})
    rows = [
        (
            one.sums.subject,
            names[one.sums.subject],
            where.get(one.sums.station, one.sums.station),
            one.sums.minutes,
            LIGHTS[one.light],
            one.reason,
        )
        for one in found
    ]
    columns = (Column("编号", 14), *_PLACE, Column("时长", 14, "minutes"), Column("预审", 10), Column("原因", 50))
    title = f"{row.year} 年度{rules.name}资格预审"
    return Report(title, unit_name(tx, row), maker, tx.today, columns, rows, notes=_notes(row, rules))


def _notes(row: Any, rules: Rules) -> tuple[str, ...]:
    counted = f"证据：{grades_in_words(rules)}；名额：{quota_in_words(rules.quota)}"
    return (
        f"统计期间 {row.period_from} 至 {row.period_to}，冻结于 {row.counted_on}、账本 {row.tree_size} 条；{counted}。",
        f"评选编号 {row.id}，规则 SHA-256：{row.rules_sha256}。持有账本的人运行 shouwang select --recheck {row.id}，名单应完全一致。",
    )
