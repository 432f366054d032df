"""
What a field of an entry may hold: one check a sort of value.

Free text refuses 11- and 18-digit numbers: nobody's phone or ID number enters the log.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from ledger.ids import NUMBER

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
batch = lru_cache(maxsize=1024)(uuid)
slug = _SLUG.fullmatch
origin = re.compile(_ORIGIN).fullmatch
vkey = _VKEY.fullmatch
"""An Ed25519 key of a log, as a C2SP vkey."""
signature = _SIGNATURE.fullmatch
"""64 bytes in base64."""
index = integer()
