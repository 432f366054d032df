"""
The annual report on recording and certifying (民政部令第67号 article 18): per unit and year, counted from the log, public, without anybody's name.

    served         services given in the year, whenever they were written down, that are not void today, and their minutes
    records        service records that were made in the year, whatever day they are about; of them by evidence grade and by series
    standing       those of them that are not void today, and their minutes as corrected
    late           of those not taken over from elsewhere (grade D): filled in after the working days that policy allows, or with that grade (lags.py)
    corrected      those of them that were corrected since; voided: that are void
    objections     said in the year; of them upheld, rejected, open. Omissions (没记上) likewise
    certificates   issued in the year and the minutes on them; revoked: revoked in the year, whenever they were issued
    checks         spot checks done in the year, the records drawn, of them wrong and unclear (spot_checks.py)
    announced      spot checks announced in the year; undrawn: those of them that still wait; withdrawn: that were withdrawn since
    people         registered, confirmed, and with a service in the year: as the rates count them (rates.py)

A record counts at the station that made it, a spot check at the unit it was about, a certificate at the unit that issued it, a person at their home;
every unit has the sum of those below it.
The figures follow from the log alone, at a tree size and asked on a day: whoever holds the log counts the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import rates, spot_checks, stations
from ledger.codes import GRADES, SERIES
from ledger.errors import InvalidRequest, NotFound
from ledger.reports import Column, Report
from ledger.reports.report import day_words
from ledger.service import lags
from ledger.tables import ActivityRow, CertificateRow, ObjectionRow, OmissionRow, ServiceRow, table

FIRST_YEAR = 1980
_SERVICE, _ACTIVITY, _CERTIFICATE = table(ServiceRow), table(ActivityRow), table(CertificateRow)
_OBJECTION, _OMISSION = table(ObjectionRow), table(OmissionRow)
_PEOPLE = ("registered", "confirmed", "participants")
COUNTS = (
    *("served", "served_minutes", "records", "standing", "minutes", "judged", "late", "unknown", "corrected", "voided"),
    *("objections", "objections_upheld", "objections_rejected", "omissions", "omissions_upheld", "omissions_rejected"),
    *("certificates", "certified_minutes", "revoked", "checks", "checked", "checked_wrong", "checked_unclear"),
    *("announced", "undrawn", "withdrawn", *_PEOPLE),
)
"""What is counted of every unit. judged: the records that can be late; unknown: of them those whose year has no working days entered."""


@dataclass(frozen=True)
class Unit:
    """A unit's year: its counts by name (COUNTS), its records by evidence grade and by series."""

    code: str
    name: str
    level: str
    parent: str | None
    counts: Mapping[str, int]
    grades: Mapping[str, int]
    series: Mapping[str, int]


@dataclass(frozen=True)
class AnnualReport:
    """A year as it was asked on a day, at a tree size: a unit first, then all below it, parents before children."""

    year: int
    asked_on: date
    tree_size: int
    units: Sequence[Unit]

    @property
    def period_to(self) -> date:
        """The last day that is reported: the year's end, or the day of asking."""
        return rates.counting_day(self.year, self.asked_on)


def count(connection: Connection, year: int, asked_on: date, tree_size: int) -> AnnualReport:
    """Count every unit's year. *connection*: to the projections of so many entries. Raises InvalidRequest for a year that has not begun."""
    if not FIRST_YEAR <= year <= asked_on.year:
        raise InvalidRequest(f"年度应在 {FIRST_YEAR} 到 {asked_on.year} 之间")
    own: dict[str, Counter[str]] = {}

    def add(station: str, name: str, number: int) -> None:
        own.setdefault(station, Counter())[name] += number

    _count_records(connection, year, asked_on, add)
    _count_claims(connection, year, add)
    _count_certificates(connection, year, add)
    _count_checks(connection, year, add)
    people = {rate.code: {name: getattr(rate, name) for name in _PEOPLE} for rate in rates.count(connection, year, asked_on)}
    return AnnualReport(year, asked_on, tree_size, _rolled_up(connection, own, people))


def below(report: AnnualReport, code: str | None) -> AnnualReport:
    """Keep a unit and those below it; None: the whole tree. Raises NotFound for a unit that there is not."""
    known = {unit.code: unit for unit in report.units}
    if code is None and report.units:
        code = report.units[0].code
    if code not in known:
        raise NotFound(f"没有编码为 {code[:20]} 的站点" if code else "还没有登记任何站点。请区级管理员先导入站点表")
    kept = {code}
    for unit in report.units:  # parents come first
        if unit.parent in kept:
            kept.add(unit.code)
    return AnnualReport(report.year, report.asked_on, report.tree_size, [unit for unit in report.units if unit.code in kept])


def _within(column: Any, year: int) -> tuple[Any, Any]:
    """Ask for what was said in a year: instants are text in Asia/Shanghai, in order."""
    return column >= f"{year}-01-01", column < f"{year + 1}-01-01"


def _count_records(connection: Connection, year: int, asked_on: date, add: Any) -> None:
    said = (
        _SERVICE.c.station,
        _SERVICE.c.grade,
        _ACTIVITY.c.series,
        (_SERVICE.c.status == "voided").label("voided"),
        _SERVICE.c.corrected_by.is_not(None).label("corrected"),
        func.substr(_SERVICE.c.end, 1, 10).label("ended"),
        func.substr(_SERVICE.c.recorded_at, 1, 10).label("came"),
    )
    asked = select(*said, func.count().label("records"), func.sum(_SERVICE.c.minutes).label("minutes"))
    joined = asked.join_from(_SERVICE, _ACTIVITY, _ACTIVITY.c.id == _SERVICE.c.activity)
    judge = lags.judge(connection, asked_on)
    given = select(_SERVICE.c.station, func.count().label("records"), func.sum(_SERVICE.c.minutes).label("minutes"))
    of_the_year = (*_within(_SERVICE.c.served_on, year), _SERVICE.c.status != "voided")
    for row in connection.execute(given.where(*of_the_year).group_by(_SERVICE.c.station)):
        add(row.station, "served", row.records)
        add(row.station, "served_minutes", int(row.minutes))
    for row in connection.execute(joined.where(*_within(_SERVICE.c.recorded_at, year)).group_by(*said)):
        station, records = row.station, row.records
        add(station, "records", records)
        add(station, f"grade {row.grade}", records)
        add(station, f"series {row.series}", records)
        add(station, "voided" if row.voided else "standing", records)
        if not row.voided:
            add(station, "minutes", int(row.minutes))
        if row.corrected:
            add(station, "corrected", records)
        if row.grade != "D":
            late = judge(row.ended, row.came)
            add(station, "judged", records)
            add(station, "unknown", records if late is None else 0)
            add(station, "late", records if late or row.grade == "C" else 0)


def _count_claims(connection: Connection, year: int, add: Any) -> None:
    for name, rows, when in (("objections", _OBJECTION, _OBJECTION.c.contested_at), ("omissions", _OMISSION, _OMISSION.c.claimed_at)):
        asked = select(rows.c.station, rows.c.finding, func.count().label("said")).where(*_within(when, year))
        for row in connection.execute(asked.group_by(rows.c.station, rows.c.finding)):
            add(row.station, name, row.said)
            if row.finding is not None:
                add(row.station, f"{name}_{row.finding}", row.said)


def _count_certificates(connection: Connection, year: int, add: Any) -> None:
    issued = select(_CERTIFICATE.c.station, func.count().label("issued"), func.sum(_CERTIFICATE.c.minutes).label("minutes"))
    for row in connection.execute(issued.where(*_within(_CERTIFICATE.c.issued_at, year)).group_by(_CERTIFICATE.c.station)):
        add(row.station, "certificates", row.issued)
        add(row.station, "certified_minutes", int(row.minutes))
    revoked = select(_CERTIFICATE.c.station, func.count().label("revoked")).where(*_within(_CERTIFICATE.c.revoked_at, year))
    for row in connection.execute(revoked.group_by(_CERTIFICATE.c.station)):
        add(row.station, "revoked", row.revoked)


def _count_checks(connection: Connection, year: int, add: Any) -> None:
    for check in spot_checks.of_year(connection, year):
        add(check.station, "checks", 1)
        add(check.station, "checked", check.held + check.wrong + check.unclear)
        add(check.station, "checked_wrong", check.wrong)
        add(check.station, "checked_unclear", check.unclear)
    for row in spot_checks.announced_in(connection, year):
        add(row.station, "announced", 1)
        add(row.station, "withdrawn", row.withdrawn_index is not None)
        add(row.station, "undrawn", row.withdrawn_index is None and row.recorded_index is None)


def _rolled_up(connection: Connection, own: Mapping[str, Counter[str]], people: Mapping[str, Mapping[str, int]]) -> list[Unit]:
    """Add every unit's counts to the units above it; people come rolled up."""
    listed = stations.everyone(connection)
    sums = {row.code: Counter(own.get(row.code, {})) for row in listed}
    for row in reversed(listed):
        if row.parent in sums:
            sums[row.parent].update(sums[row.code])
    return [
        Unit(
            row.code,
            row.name,
            row.level,
            row.parent,
            {name: sums[row.code][name] for name in COUNTS} | dict(people[row.code]),
            {code: sums[row.code][f"grade {code}"] for code in GRADES},
            {code: sums[row.code][f"series {code}"] for code in SERIES},
        )
        for row in listed
    ]


# --- as an office hands it on

_SHOWN = (
    (Column("本年服务", 8, "integer"), "served"),
    (Column("服务时长", 13, "minutes"), "served_minutes"),
    (Column("登记记录", 8, "integer"), "records"),
    *((Column(f"{code} 级", 6, "integer"), f"grade {code}") for code in GRADES),
    *((Column(name, max(5, min(8, 2 * len(name))), "integer"), f"series {code}") for code, name in SERIES.items()),
    (Column("补录率", 8, "share"), ("late", "judged")),
    (Column("更正", 5, "integer"), "corrected"),
    (Column("作废", 5, "integer"), "voided"),
    (Column("异议", 5, "integer"), "objections"),
    (Column("异议成立", 8, "integer"), "objections_upheld"),
    (Column("漏记申报", 8, "integer"), "omissions"),
    (Column("漏记属实", 8, "integer"), "omissions_upheld"),
    (Column("开具证明", 8, "integer"), "certificates"),
    (Column("撤销证明", 8, "integer"), "revoked"),
    (Column("抽查记录", 8, "integer"), "checked"),
    (Column("不属实", 7, "integer"), "checked_wrong"),
    (Column("注册人数", 8, "integer"), "registered"),
    (Column("服务人数", 8, "integer"), "participants"),
)


def document(annual: AnnualReport, maker: str) -> Report:
    """Make the report of a unit and those below it, as `below` gives them: a row each, the sum last. *maker*: who has it made."""
    rows = [_row(unit) for unit in annual.units[1:]]
    total = _row(annual.units[0])
    columns = (Column("单位", 22), *(column for column, _ in _SHOWN))
    return Report(
        f"{annual.units[0].name} {annual.year} 年度志愿服务记录与证明出具工作报告",
        annual.units[0].name,
        maker,
        annual.asked_on,
        columns,
        rows or [total],
        subtitle=f"{annual.year}年1月1日至{day_words(annual.period_to)}",
        total=("合计", *total[1:]) if rows else None,
        notes=notes(annual),
        paper="A3",
    )


_METHOD = (
    "依据《志愿服务记录与证明出具办法（试行）》（民政部令第67号）第十八条。本年服务：服务在本年的记录和时长，不论何时登记，作废的不算。"
    "登记记录：本年内登记的服务记录，不论服务在哪一天；等级：A 双向签到，B 存有签到表，C 事后补录，D 自报或由旧平台转入。"
    "补录率：超过规定工作日才登记的和 C 级的，除以 A、B、C 级的记录。更正、作废：本年登记的记录里，后来更正过、作废了的。"
    "异议、漏记申报：本年提出的，成立、属实的是其中已有结论的。证明：本年开具的、本年撤销的。抽查：本年抽到的记录，和其中不属实的。注册人数、服务人数（当年有已计入服务的）：按三率的口径。"
    "记录算在登记的站点，证明算在开具的单位，人算在所属的站点；上级是下级之和。"
)


def notes(annual: AnnualReport) -> tuple[str, str]:
    """Say how it was counted, and how anybody counts it again."""
    asked = f"shouwang annual-report --year {annual.year} --as-known {annual.tree_size} --on {annual.asked_on.isoformat()}"
    again = f"账本 {annual.tree_size} 条，{day_words(annual.asked_on)}统计。任何持有账本的人都可以复算：{asked}，数字应完全一致。"
    return _METHOD, again


def _row(unit: Unit) -> tuple[Any, ...]:
    said = dict(unit.counts)
    said |= {f"grade {code}": number for code, number in unit.grades.items()}
    said |= {f"series {code}": number for code, number in unit.series.items()}
    return (unit.name, *(said[name] if isinstance(name, str) else (said[name[0]], said[name[1]]) for _, name in _SHOWN))
