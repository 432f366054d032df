"""
Entry kinds: what each may say, field by field. Part of the format: a kind and version, once written, decodes for ever.

A body holds ASCII keys with strings, integers, booleans, arrays and objects; absent is absent, never null; no float anywhere. Which subject
chains an entry belongs to follows from its body alone, for every kind alike: `station`, `organisation`, `volunteer` and each of `volunteers`.
So a verifier can tell a chain that was left out. Free text refuses 11- and 18-digit numbers: nobody's phone or ID number enters the log.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from ledger import codes
from ledger.errors import InvalidRequest
from ledger.ids import NUMBER

Body = dict[str, Any]
Check = Callable[[Any], object]
"""Tells whether a value is allowed by giving something true; it may raise TypeError for a value of a type that is not."""

INTEGER_MAX = 2**53 - 1
"""RFC 8785 numbers are IEEE doubles: above this an integer would not survive."""

MINUTES_MAX = 2880
BREAK_MINUTES_MAX = 1440
"""Longest service that one record may hold: two days."""

_PERSONAL_NUMBER = re.compile(r"(?<!\d)(?:1\d{10}|\d{17}[\dXx])(?!\d)")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-‐-―.·_]+(?=[\dXx])")
"""What people put between the digits of a number: 138-1234 5678."""
_CODE = re.compile(r"[0-9A-Z]{1,20}")
_BASE64_32 = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
_LOCAL_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9./-]{0,63}")
_ORIGIN = r"[a-z0-9.:-]+(?:/[A-Za-z0-9._-]+)*"
_VKEY = re.compile(_ORIGIN + r"\+[0-9a-f]{8}\+A[Q-Za-f][A-Za-z0-9+/]{42}")
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{85}[AQgw]==")


def holds_personal_number(text: str) -> bool:
    """Tell whether a text holds something shaped like a mobile number or an ID number."""
    plain = unicodedata.normalize("NFKC", text)
    return any(_PERSONAL_NUMBER.search(said) for said in (plain, _BETWEEN_DIGITS.sub("", plain)))


def text(length_max: int) -> Check:
    """Accept text of 1 to *length_max* characters, without control characters and without personal numbers."""

    @lru_cache(maxsize=4096)
    def check(value: Any) -> bool:
        return isinstance(value, str) and 0 < len(value) <= length_max and value.isprintable() and not holds_personal_number(value)

    return check


def integer(low: int = 0, high: int = INTEGER_MAX) -> Check:
    """Accept a whole number in a closed range."""
    return lambda value: type(value) is int and low <= value <= high


def one_of(table: Mapping[str, str] | tuple[str, ...]) -> Check:
    """Accept a code of a table."""
    return frozenset(table).__contains__


def many(check: Check, count_max: int, count_min: int = 0) -> Check:
    """Accept an array of *count_min* to *count_max* such values."""
    return lambda value: isinstance(value, list) and count_min <= len(value) <= count_max and all(map(check, value))


@lru_cache(maxsize=4096)
def day(value: Any) -> bool:
    """Accept a date, YYYY-MM-DD."""
    try:
        return len(value) == 10 and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def minute(value: Any) -> bool:
    """Accept a local time (Asia/Shanghai) to the minute, YYYY-MM-DDTHH:MM."""
    try:
        return _LOCAL_MINUTE.fullmatch(value) is not None and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def boolean(value: Any) -> bool:
    """Accept true or false."""
    return type(value) is bool


def plain(value: Any, depth: int = 0) -> bool:
    """Accept any value of the format (for policy rules): text, whole numbers, booleans, arrays, objects with ASCII keys, five levels deep."""
    if isinstance(value, str):
        return len(value) <= 2000 and value.isprintable() and not holds_personal_number(value)
    if type(value) is int:
        return -INTEGER_MAX <= value <= INTEGER_MAX
    if isinstance(value, list):
        return depth < 5 and all(plain(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return depth < 5 and all(k.isascii() and plain(k) and plain(v, depth + 1) for k, v in value.items())
    return type(value) is bool


def source(value: Any) -> bool:
    """Accept where a row came from: the SHA-256 of the file as it was handed in, and the row's number in it (1-based)."""
    return (
        isinstance(value, dict)
        and value.keys() == {"sha256", "row"}
        and _file_digest(value["sha256"]) is not None
        and type(value["row"]) is int
        and 0 < value["row"] < 2**21
    )


station = lru_cache(maxsize=4096)(_CODE.fullmatch)
number = NUMBER.fullmatch
digest = _BASE64_32.fullmatch
uuid = _UUID.fullmatch
_file_digest = lru_cache(maxsize=1024)(digest)  # of few files, and of their many rows
_batch = lru_cache(maxsize=1024)(uuid)
slug = _SLUG.fullmatch
origin = re.compile(_ORIGIN).fullmatch
vkey = _VKEY.fullmatch
"""An Ed25519 key of a log, as a C2SP vkey."""
signature = _SIGNATURE.fullmatch
"""64 bytes in base64."""
index = integer()
_SHAPES_MAX = 256
"""Sets of fields, in the order in which they came, that a kind remembers the checks of: bodies of a kind have few."""


@dataclass(frozen=True)
class Kind:
    """One kind and version: the fields it must have and those it may have."""

    name: str
    version: int
    required: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict)
    _shapes: dict[tuple[str, ...], tuple[Check, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def validate(self, body: Body) -> None:
        """Check a body. Raises InvalidRequest naming the first field at fault."""
        if type(body) is not dict:
            raise InvalidRequest(f"{self.name}：body 应是一个对象")
        checks = self._shapes.get(tuple(body)) or self._checks(tuple(body))
        try:
            for check, value in zip(checks, body.values()):  # noqa: B905 as many checks as values, by their making; asking again costs a tenth
                if not check(value):
                    break
            else:
                return
        except (KeyError, TypeError, AttributeError):
            pass
        raise InvalidRequest(f"{self.name}：字段 {_first_wrong(checks, body)} 的内容不合要求（自由文字中不得出现手机号或身份证号）")

    def _checks(self, keys: tuple[str, ...]) -> tuple[Check, ...]:
        """Find the checks of a body with these keys, in their order, once. Raises InvalidRequest when a field is missing or unknown."""
        for key in self.required:
            if key not in keys:
                raise InvalidRequest(f"{self.name}：缺少字段 {key}")
        known = {**self.required, **self.optional}
        for key in keys:
            if key not in known:
                raise InvalidRequest(f"{self.name}：没有名为 {key} 的字段")
        checks = tuple(known[key] for key in keys)
        if len(self._shapes) < _SHAPES_MAX:
            self._shapes[keys] = checks
        return checks


def _first_wrong(checks: tuple[Check, ...], body: Body) -> str:
    for check, (key, value) in zip(checks, body.items(), strict=True):
        try:
            if check(value):
                continue
        except (KeyError, TypeError, AttributeError):
            pass
        return key
    raise AssertionError(body)


_TIMES: dict[str, Check] = {"served_on": day, "start": minute, "end": minute, "minutes": integer(1, MINUTES_MAX)}
_UNIT: dict[str, Check] = {
    "organisation": number,
    "station": station,
    "number": text(60),
    "name": text(100),
    "scheme": slug,
    "category": slug,
    "volunteer_organisation": boolean,
}

_ALL = (
    Kind("policy.adopted", 1, {"policy": slug, "effective_on": day, "rules": plain}, {"document": text(200)}),
    Kind(
        "station.registered",
        1,
        {"station": station, "name": text(100), "level": one_of(codes.LEVELS), "valid_from": day},
        {"parent": station, "area_type": one_of(codes.AREA_TYPES)},
    ),
    Kind(
        "station.changed",
        1,
        {"station": station, "valid_from": day},
        {"name": text(100), "parent": station, "area_type": one_of(codes.AREA_TYPES), "closed": boolean},
    ),
    Kind(
        "station.population_declared",
        1,
        {"station": station, "population": integer(1, 10**9), "counted_on": day, "source": text(200)},
    ),
    Kind(
        "organisation.filed",
        1,
        {**_UNIT, "filed_on": day, "expires_on": day},
        {"contact": digest},
    ),
    Kind(
        "organisation.registered",
        1,
        {**_UNIT, "registered_on": day},
        {"contact": digest},
    ),
    Kind(
        "volunteer.registered",
        1,
        {
            "volunteer": number,
            "station": station,
            "registered_on": day,
            "basis": one_of(("self", "clerk", "roster")),
            "identity": digest,
        },
        {"contact": digest, "source": source},
    ),
    Kind("volunteer.backbone_designated", 1, {"volunteer": number, "station": station, "designated_on": day}),
    Kind(
        "activity.published",
        1,
        {"activity": number, "station": station, "title": text(100), "series": one_of(codes.SERIES)},
        {
            "organisation": number,
            "responsible_unit": text(100),
            "theme": text(200),
            "start": minute,
            "end": minute,
            "place": text(200),
            "beneficiaries": many(one_of(codes.BENEFICIARIES), 30),
            "beneficiaries_other": many(text(60), 10),
            "services": many(one_of(codes.SERVICES), 30),
            "services_other": many(text(60), 10),
            "migrated_year": integer(1980, 2200),
            "source": text(60),
        },
    ),
    Kind(
        "service.recorded",
        1,
        {
            "activity": number,
            "volunteer": number,
            "station": station,
            "grade": one_of(codes.GRADES),
            "batch": _batch,
            **_TIMES,
        },
        {
            "organisation": number,
            "break_minutes": integer(1, BREAK_MINUTES_MAX),
            "source": source,
            "settled": boolean,
            "second": text(40),
        },
    ),
    Kind(
        "service.approved",
        1,
        {
            "services": many(index, 400, 1),
            "volunteers": many(number, 400, 1),
            "station": station,
            "publicity_from": day,
            "effective_on": day,
        },
    ),
    Kind(
        "service.corrected",
        1,
        {"service": index, "volunteer": number, "station": station, "reason": text(500), **_TIMES},
        {"organisation": number, "break_minutes": integer(1, BREAK_MINUTES_MAX)},
    ),
    Kind(
        "service.voided",
        1,
        {"service": index, "volunteer": number, "station": station, "reason": text(500)},
        {"organisation": number},
    ),
    Kind(
        "rates.published",
        1,
        {
            "station": station,
            "period_from": day,
            "period_to": day,
            "counted_on": day,
            "tree_size": index,
            "population": integer(),
            "registered": integer(),
            "confirmed": integer(),
            "participants": integer(),
            "backbone": integer(),
            "minutes": integer(),
        },
        {"population_on": day, "population_source": text(400)},
    ),
    Kind(
        "key.rotated",
        1,
        {
            "origin": origin,
            "old_vkey": vkey,
            "new_vkey": vkey,
            "valid_from": index,
            "old_signature": signature,
            "new_signature": signature,
        },
    ),
)
KINDS: dict[tuple[str, int], Kind] = {(kind.name, kind.version): kind for kind in _ALL}
CURRENT: dict[str, Kind] = {kind.name: kind for kind in _ALL}
"""The version in which a new entry of each kind is written."""


def subjects(body: Body) -> list[str]:
    """List the subjects whose chains an entry with this body belongs to, each once."""
    found = []
    if "volunteer" in body:
        found.append("person/" + body["volunteer"])
    if "volunteers" in body:
        found.extend("person/" + volunteer for volunteer in dict.fromkeys(body["volunteers"]))
    if "organisation" in body:
        found.append("organisation/" + body["organisation"])
    if "station" in body:
        found.append("station/" + body["station"])
    return found
