"""The lists of selections as an office hands them on: masked, with how they were counted, and the SHA-256 of the rules on every printout."""

from datetime import date

from ledger import codes
from ledger.reports import Column, Report
from ledger.selections.rules import Quota, Rules
from ledger.selections.yearly import Selection

_COLUMNS = (
    Column("名次", 7, "integer"),
    Column("志愿者编号", 15),
    Column("姓名", 10),
    Column("所属站点", 30),
    Column("年度时长", 14, "minutes"),
    Column("其中甲乙级证据", 16, "minutes"),
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
