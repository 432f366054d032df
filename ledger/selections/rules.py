"""
The rules of a selection: a JSON object, read and checked; its SHA-256 names it on every printout.

    {"name": "优秀志愿者", "quota": 20}                             all else is optional:

    subject        "volunteers" or "organisations"
    period         {"from": day, "to": day}; absent: the calendar year
    grades         evidence grades that count; back_filled_percent: the largest share of grade C (补录) somebody's minutes may have
    minimum_minutes, minimum_services, minimum_months (months with a service)
    quota          how many, or {"total", "per_unit", "per_1000" (residents), "floor", "cap", "units": {code: {"floor", "cap"}}} by home station
    stations       only people whose home is one of these
    caps           {"day": minutes, "series": {code: minutes}, "activity": minutes}: what is above it does not count
    exclude        [{"volunteer" or "organisation", "reason"}]; exclude_series, exclude_activities: what does not count
    staff          {"people": [numbers], "from": "08:30", "to": "17:30"}: their services in working hours of working days do not count
    spent          true: what counted for an earlier award does not count again
    honoured       {"levels": [...], "years": n}: who had such an award in the last n years stays out
    conduct        {"in_force": true, "years": n}: who has bad conduct in force, or had any in the last n years, stays out
    training_minutes; evaluation {"good": at least, "poor": at most}; confirmed_only: true
    tie_break      of minutes_ab, services, months, registered_on, random, number; the number always decides last
    order          "rank" or "strokes": how the public list is ordered; publicity_days: working days of it (5)
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from ledger import codes
from ledger.errors import InvalidRequest
from ledger.ids import NUMBER
from ledger.kinds.checks import day, integer, many, one_of, plain, station, text
from ledger.kinds.credit import AWARD_LEVELS
from ledger.kinds.selections import SUBJECTS

TIE_BREAKS = {
    "minutes_ab": "A、B 级证据的时长",
    "services": "服务次数",
    "months": "有服务的月数",
    "registered_on": "注册先后",
    "random": "公开随机数",
    "number": "编号",
}
ORDERS = {"rank": "按名次", "strokes": "按姓氏笔画"}
_DEFAULT_TIES = ["minutes_ab", "services", "registered_on", "number"]
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_number, _count = NUMBER.fullmatch, integer(0, 10**9)
_positive, _percent = integer(1, 10**6), integer(0, 100)


@dataclass(frozen=True)
class Quota:
    """How many are chosen: at most *total*; of a station at most per_unit, or per_1000 residents, within floor and cap; *units*: its own of both."""

    total: int | None = None
    per_unit: int | None = None
    per_1000: int | None = None
    floor: int = 0
    cap: int | None = None
    units: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def seats(self, code: str, residents: int) -> tuple[int, int | None]:
        """Give how many of a station are chosen at least, if they qualify, and at most (None: no limit); a half is rounded up."""
        own = self.units.get(code, {})
        low, high = own.get("floor", self.floor), own.get("cap", self.cap)
        allotted = self.per_unit
        if self.per_1000 is not None:
            allotted = max(low, (2 * residents * self.per_1000 + 1000) // 2000)
        most = min((n for n in (allotted, high) if n is not None), default=None)
        return low, most


@dataclass(frozen=True)
class Rules:
    """Rules, read and checked; *sha256* names exactly the bytes they were read from; *said* is what stood there."""

    name: str
    grades: tuple[str, ...]
    minimum_minutes: int
    quota: Quota
    stations: tuple[str, ...] | None
    exclude: Mapping[str, str]
    tie_break: tuple[str, ...]
    sha256: str
    said: Mapping[str, Any]
    subject: str = "volunteers"
    period: tuple[str, str] | None = None
    back_filled_percent: int | None = None
    minimum_services: int = 0
    minimum_months: int = 0
    caps: Mapping[str, Any] = field(default_factory=dict)
    exclude_series: tuple[str, ...] = ()
    exclude_activities: tuple[str, ...] = ()
    staff: Mapping[str, Any] = field(default_factory=dict)
    spent: bool = False
    honoured: Mapping[str, Any] = field(default_factory=dict)
    conduct: Mapping[str, Any] = field(default_factory=dict)
    training_minutes: int = 0
    evaluation: Mapping[str, int] = field(default_factory=dict)
    confirmed_only: bool = False
    order: str = "rank"
    publicity_days: int = 5

    def span(self, year: int) -> tuple[str, str]:
        """Give the first and the last day of what counts."""
        return self.period or (f"{year}-01-01", f"{year}-12-31")


def canonical(said: Mapping[str, Any]) -> bytes:
    """Spell rules in the one way (RFC 8785) whose SHA-256 an entry names."""
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def read_rules(content: bytes) -> Rules:
    """Read a rule file. Raises InvalidRequest naming the field at fault."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"规则文件不是 JSON：第 {error.lineno} 行第 {error.colno} 列看不懂") from None
    if not isinstance(said, dict):
        raise InvalidRequest("规则文件应是一个 JSON 对象，请对照 README 中的样例")
    if said.keys() - _FIELDS.keys():
        extra = "、".join(sorted(said.keys() - _FIELDS.keys()))
        raise InvalidRequest(f"规则文件里有不认识的项：{extra}。可用的有 {'、'.join(sorted(_FIELDS))}")
    for name in ("name", "quota"):
        said.setdefault(name, None)
    for name, value in said.items():
        if not _holds(name, value):
            raise InvalidRequest(f"规则文件的「{name}」不对，{_FIELDS[name][1]}")
    if not plain(said):
        raise InvalidRequest("规则文件里有手机号、身份证号一样的数字，或者小数、空值，请改掉")
    return _rules(said, content)


def read_said(said: Mapping[str, Any]) -> Rules:
    """Read rules as an entry holds them."""
    return read_rules(canonical(said))


def _rules(said: dict[str, Any], content: bytes) -> Rules:
    quota, period = said["quota"], said.get("period")
    if isinstance(quota, int):
        quota = {"total": quota}
    if not {"total", "per_unit", "per_1000"} & quota.keys():
        raise InvalidRequest("规则文件的「quota」不对，要有 total、per_unit、per_1000 之一，说明一共评几个")
    key = "volunteer" if said.get("subject", "volunteers") == "volunteers" else "organisation"
    if any(key not in one for one in said.get("exclude", [])):
        raise InvalidRequest(f"规则文件的「exclude」不对，评{SUBJECTS[said.get('subject', 'volunteers')]}时，每一项要写 {key} 和 reason")
    taken = {"name", "quota", "exclude", "tie_break", "period", "stations", "grades", "minimum_minutes"}
    rest: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items() if name not in taken}
    ties = [one for one in said.get("tie_break", _DEFAULT_TIES) if one != "number"]
    return Rules(
        name=said["name"],
        grades=tuple(said.get("grades", codes.GRADES)),
        minimum_minutes=said.get("minimum_minutes", 0),
        quota=Quota(**quota),
        stations=tuple(said["stations"]) if said.get("stations") is not None else None,
        exclude={one[key]: one["reason"] for one in said.get("exclude", [])},
        tie_break=(*ties, "number"),
        sha256=hashlib.sha256(content).hexdigest(),
        said=said,
        period=(period["from"], period["to"]) if period else None,
        **rest,
    )


def _holds(name: str, value: Any) -> bool:
    try:
        return bool(_FIELDS[name][0](value))
    except (TypeError, KeyError, AttributeError):
        return False


def _object(fields: Mapping[str, Callable[[Any], object]], *, all_of: bool = False) -> Callable[[Any], bool]:
    """Accept an object with these members, or some of them."""
    return lambda value: (
        isinstance(value, dict)
        and value.keys() <= fields.keys()
        and (not all_of or value.keys() == fields.keys())
        and all(fields[key](said) for key, said in value.items())
    )


def _exclusion(value: Any) -> bool:
    who = {"volunteer", "organisation"} & value.keys()
    return value.keys() == {*who, "reason"} and len(who) == 1 and bool(_number(value[min(who)])) and bool(text(200)(value["reason"]))


def _quota(value: Any) -> bool:
    if type(value) is int:
        return value > 0
    bounds: dict[str, Callable[[Any], object]] = {"floor": _count, "cap": _count}
    fields = {"total": _positive, "per_unit": _positive, "per_1000": _positive, **bounds, "units": _by_code(_object(bounds))}
    return _object(fields)(value)


def _by_code(check: Callable[[Any], object]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(station(code) and check(said) for code, said in value.items())


def _boolean(value: Any) -> bool:
    return type(value) is bool


def _period(value: Any) -> bool:
    return _object({"from": day, "to": day}, all_of=True)(value) and value["from"] <= value["to"]


def _staff(value: Any) -> bool:
    fields: dict[str, Callable[[Any], object]] = {"people": many(_number, 1_000), "from": _CLOCK.fullmatch, "to": _CLOCK.fullmatch}
    return _object(fields, all_of=True)(value) and value["from"] < value["to"]


def _series_caps(value: Any) -> bool:
    return isinstance(value, dict) and all(code in codes.SERIES and _count(minutes) for code, minutes in value.items())


_SEE = "请对照 README 中的样例"
_WHOLE = "应是不小于 0 的整数"
_FIELDS: dict[str, tuple[Callable[[Any], object], str]] = {
    "name": (text(100), "应是 100 字以内的名称，不含手机号和身份证号"),
    "subject": (one_of(SUBJECTS), "应是 volunteers（志愿者）或 organisations（组织）"),
    "period": (_period, '应是 {"from": "2025-01-01", "to": "2025-12-31"}，先后不能颠倒'),
    "grades": (many(one_of(codes.GRADES), 4, 1), "应列出 A、B、C、D 中的几级"),
    "back_filled_percent": (_percent, "应是 0 到 100 的整数"),
    "minimum_minutes": (_count, _WHOLE + "（分钟）"),
    "minimum_services": (_count, _WHOLE + "（次）"),
    "minimum_months": (integer(0, 120), "应是 0 到 120 的整数（月）"),
    "quota": (_quota, "应是大于 0 的整数，或写明 total、per_unit、per_1000、floor、cap、units 的对象"),
    "stations": (lambda value: value is None or many(station, 2_000)(value), "应列出站点编码"),
    "caps": (
        _object({"day": _positive, "activity": _positive, "series": _series_caps}),
        "只能有 day、activity（分钟）和 series（系列: 分钟）",
    ),
    "exclude": (many(_exclusion, 1_000), "每一项应有志愿者（或组织）编号和 200 字以内的理由"),
    "exclude_series": (many(one_of(codes.SERIES), 20), "应列出活动系列的代码"),
    "exclude_activities": (many(_number, 1_000), "应列出活动编号"),
    "staff": (_staff, '应是 {"people": [编号…], "from": "08:30", "to": "17:30"}'),
    "spent": (_boolean, "应是 true 或 false"),
    "honoured": (
        _object({"levels": many(one_of(AWARD_LEVELS), 7, 1), "years": integer(1, 50)}, all_of=True),
        "应有 levels（级别）和 years（年）",
    ),
    "conduct": (_object({"in_force": _boolean, "years": integer(0, 50)}), "只能有 in_force 和 years（年）"),
    "training_minutes": (_count, _WHOLE + "（分钟）"),
    "evaluation": (_object({"good": _count, "poor": _count}), "只能有 good（至少几次优良）和 poor（至多几次不合格）"),
    "confirmed_only": (_boolean, "应是 true 或 false"),
    "tie_break": (many(one_of(TIE_BREAKS), 6), "应从 " + "、".join(TIE_BREAKS) + " 里选"),
    "order": (one_of(ORDERS), "应是 rank（按名次）或 strokes（按姓氏笔画）"),
    "publicity_days": (integer(1, 60), "应是 1 到 60 的整数（工作日）"),
}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """List where two rules differ: field, what it was, what it is; empty for what is not said."""
    names = [name for name in _FIELDS if before.get(name) != after.get(name)]
    return [(name, _spelt(before.get(name)), _spelt(after.get(name))) for name in names]


def _spelt(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
