"""
A set of indicators as it is written down, in JSON.

    {"name": "...", "document": "where the targets come from", "figures": {"households": "常住户数"},
     "indicators": [{"id": "registration", "name": "志愿者注册率", "rows": ["4-01"], "unit": "%", "per": 100,
                     "numerator": {"count": "registered"}, "denominator": {"count": "population"},
                     "note": "how it is to be understood",
                     "targets": [{"level": "station", "area_type": "urban", "flag": "pilot", "units": "511102,511112",
                                  "from": "2019-06-17", "to": "2020-12-31", "at_least": 10, "at_most": 15}]}]}

The value of an indicator is numerator x per / denominator, or the numerator alone. All numbers are whole; a target is compared by multiplication, so
nothing is rounded before it is judged. The first target whose conditions a unit fulfils is that unit's; a unit that fulfils none is shown without.

A measure is one of
    {"count": "..."}        what the ledger counts by itself, with the filters that this count knows (COUNTS)
    {"figure": "..."}       what units hand in: the newest on the day; with "take": "year" or "total" the sum of the year's, or of all up to the day
    {"units": "station", "area_type": "urban", "where": measure, "at_least": 1}     how many units of a level there are, or fulfil that
Counts of organisations and activities, and figures, take "area_type" too: then only what units of that type have themselves is counted. A figure is
named, in the words in which units are asked for it, under "figures". An entry holds rules five levels deep: so nothing nests deeper, and the units of a
target (each with all below it) stand in one text. A set is read by `read_set`, which names the place of what it does not understand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ledger import codes
from ledger.errors import InvalidRequest
from ledger.kinds.checks import Check, boolean, day, integer, many, one_of, slug, station, text
from ledger.kinds.figures import MARKS

_AREA = one_of(codes.AREA_TYPES)
_BASES = ("filed", "registered")
COUNTS: dict[str, dict[str, Check]] = {
    "population": {},
    "registered": {},
    "confirmed": {},
    "participants": {},
    "backbone": {},
    "minutes": {},
    "organisations": {
        "volunteer": boolean,
        "category": one_of(codes.CATEGORIES),
        "categories": lambda value: value != [] and many(one_of(codes.CATEGORIES), len(codes.CATEGORIES))(value),
        "basis": one_of(_BASES),
        "mark": one_of(MARKS),
        "new": boolean,
        "area_type": _AREA,
    },
    "activities": {"series": one_of(codes.SERIES), "by_organisation": boolean, "area_type": _AREA},
}
"""What the ledger counts: those of ledger.rates; organisations whose filing has neither lapsed nor been cancelled on the day (new: since the year
began); activities of the year up to the day that were not cancelled."""
TAKES = ("newest", "year", "total")
_SET_FIELDS = {"name", "document", "figures", "indicators"}
_FIELDS = {"id", "name", "rows", "unit", "per", "numerator", "denominator", "note", "targets"}
_TARGET: dict[str, Check] = {
    "level": one_of(codes.LEVELS),
    "area_type": _AREA,
    "flag": slug,
    "units": lambda value: all(map(station, value.split(","))),
    "from": day,
    "to": day,
    "at_least": integer(),
    "at_most": integer(),
}


@dataclass(frozen=True)
class Target:
    """What is to be reached, and by which units: at least, at most or both, on the scale of the indicator's value."""

    at_least: int | None
    at_most: int | None
    level: str | None = None
    area_type: str | None = None
    flag: str | None = None
    units: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class Indicator:
    """One row of the table. *numerator*, *denominator*: measures as written, checked; *rows*: which lines of the policy it answers."""

    id: str
    name: str
    numerator: Mapping[str, Any]
    denominator: Mapping[str, Any] | None
    per: int
    unit: str
    note: str
    rows: tuple[str, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class IndicatorSet:
    """The indicators of a district, in the order in which they are shown, the document they come from, and the figures that units hand in, named."""

    name: str
    document: str
    figures: Mapping[str, str]
    indicators: tuple[Indicator, ...]


def read_set(content: bytes | Mapping[str, Any]) -> IndicatorSet:
    """Read a set of indicators. Raises InvalidRequest naming the indicator and the field at fault."""
    if isinstance(content, bytes):
        try:
            content = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise InvalidRequest(f"指标表不是 JSON：第 {error.lineno} 行第 {error.colno} 列看不懂") from None
    said = _object(content, "指标表", _SET_FIELDS, ("name", "indicators"))
    rows = said["indicators"]
    if not isinstance(rows, list) or not rows:
        raise InvalidRequest("指标表里没有指标：indicators 应是一个不空的列表")
    indicators = tuple(_indicator(row, f"第 {place} 个指标") for place, row in enumerate(rows, 1))
    figures = said.get("figures", {})
    if not isinstance(figures, Mapping) or not all(_passes(slug, key) and _passes(text(60), name) for key, name in figures.items()):
        raise InvalidRequest('指标表的 figures 应写明每个填报数的名字，如 {"households": "常住户数"}')
    unnamed = sorted({one for row in indicators for one in _figures_of(row)} - figures.keys())
    if unnamed:
        raise InvalidRequest(f"指标表的 figures 里没有给填报数 {'、'.join(unnamed)} 起名字")
    ids = [one.id for one in indicators]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice:
        raise InvalidRequest(f"指标表里 id「{twice}」出现了不止一次，请各用各的")
    name = _text(said["name"], 100, "指标表的 name")
    return IndicatorSet(name, _text(said.get("document", name), 200, "指标表的 document"), dict(figures), indicators)


def _figures_of(indicator: Indicator) -> Iterator[str]:
    yield from (target.flag for target in indicator.targets if target.flag)
    for measure in (indicator.numerator, indicator.denominator or {}):
        yield from (one["figure"] for one in (measure, measure.get("where", {})) if "figure" in one)


def _indicator(said: Any, where: str) -> Indicator:
    row = _object(said, where, _FIELDS, ("id", "name", "numerator"))
    if not isinstance(row["id"], str) or not slug(row["id"]):
        raise InvalidRequest(f"{where}的 id 应是小写字母、数字和连字符")
    where = f"指标「{row['id']}」"
    per, answers = row.get("per", 1), row.get("rows", [])
    if not integer(1, 10**6)(per):
        raise InvalidRequest(f"{where}的 per 应是 1 到 1000000 的整数")
    if not isinstance(answers, list) or not all(isinstance(one, str) for one in answers):
        raise InvalidRequest(f"{where}的 rows 应是一列文字")
    _check_measure(row["numerator"], f"{where}的 numerator")
    if "denominator" in row:
        _check_measure(row["denominator"], f"{where}的 denominator")
    elif per != 1:
        raise InvalidRequest(f"{where}有 per 却没有 denominator")
    targets = row.get("targets", [])
    if not isinstance(targets, list):
        raise InvalidRequest(f"{where}的 targets 应是一个列表")
    return Indicator(
        row["id"],
        _text(row["name"], 60, f"{where}的 name"),
        row["numerator"],
        row.get("denominator"),
        per,
        _text(row.get("unit", "个"), 20, f"{where}的 unit"),
        _text(row["note"], 300, f"{where}的 note") if "note" in row else "",
        tuple(answers),
        tuple(_target(one, f"{where}的第 {place} 个目标") for place, one in enumerate(targets, 1)),
    )


def _target(said: Any, where: str) -> Target:
    row = _object(said, where, _TARGET, ())
    for name, value in row.items():
        if not _passes(_TARGET[name], value):
            raise InvalidRequest(f"{where}的 {name} 不对")
    if "at_least" not in row and "at_most" not in row:
        raise InvalidRequest(f"{where}没有写 at_least 或 at_most")
    return Target(
        row.get("at_least"),
        row.get("at_most"),
        row.get("level"),
        row.get("area_type"),
        row.get("flag"),
        tuple(row["units"].split(",")) if "units" in row else (),
        row.get("from"),
        row.get("to"),
    )


def _check_measure(said: Any, where: str) -> None:
    """Make sure that a measure can be counted. Raises InvalidRequest."""
    if isinstance(said, Mapping) and "units" in said:
        fields: dict[str, Check] = {"units": one_of(codes.LEVELS), "area_type": _AREA, "at_least": integer()}
        _check_fields({name: value for name, value in said.items() if name != "where"}, fields, None, where)
        if ("where" in said) != ("at_least" in said):
            raise InvalidRequest(f"{where}：where 和 at_least 要一起写")
        if "where" in said:
            _check_plain_measure(said["where"], f"{where}的 where")
            if "categories" in said["where"]:
                raise InvalidRequest(f"{where}的 where 里只能写一个 category")
    else:
        _check_plain_measure(said, where)


def _check_plain_measure(said: Any, where: str) -> None:
    if isinstance(said, Mapping) and "figure" in said:
        _check_fields(said, {"figure": slug, "take": one_of(TAKES), "area_type": _AREA}, None, where)
    elif isinstance(said, Mapping) and isinstance(said.get("count"), str):
        if said["count"] not in COUNTS:
            raise InvalidRequest(f"{where}：账本不数「{said['count']}」，可用的有 {'、'.join(COUNTS)}")
        _check_fields(said, COUNTS[said["count"]], "count", where)
    else:
        raise InvalidRequest(f"{where}应写明数什么：count、figure 或 units")


def _check_fields(said: Mapping[str, Any], fields: Mapping[str, Check], named: str | None, where: str) -> None:
    for name, value in said.items():
        if name != named and (name not in fields or not _passes(fields[name], value)):
            raise InvalidRequest(f"{where}的 {name} 不对，请对照自带的指标表")


def _passes(check: Check, value: Any) -> bool:
    try:
        return bool(check(value))
    except (KeyError, TypeError, AttributeError):
        return False


def _object(said: Any, where: str, fields: Mapping[str, Any] | set[str], required: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise InvalidRequest(f"{where}应是一个 JSON 对象")
    unknown = sorted(str(name) for name in said if name not in fields)
    if unknown:
        raise InvalidRequest(f"{where}里有不认识的项：{'、'.join(unknown)}")
    missing = [name for name in required if name not in said]
    if missing:
        raise InvalidRequest(f"{where}缺少 {'、'.join(missing)}")
    return said


def _text(said: Any, length_max: int, where: str) -> str:
    if not _passes(text(length_max), said):
        raise InvalidRequest(f"{where}应是 1 到 {length_max} 个字，不能有手机号或身份证号")
    return str(said)
