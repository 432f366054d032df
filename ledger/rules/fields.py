"""Reading the fields of a rule file: each says in Chinese which field of which part is at fault and what it should hold."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from ledger.errors import InvalidRequest
from ledger.kinds import checks

Made = TypeVar("Made")
HUNDRED = 100
"""Points are kept in hundredths."""
_DECIMAL = re.compile(r"-?\d{1,9}(?:\.\d{1,2})?")
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
_NONE: Any = object()


def refuse(where: str, field: str, should: str) -> NoReturn:
    """Say what is wrong with a field. Raises InvalidRequest."""
    raise InvalidRequest(f"规则文件{where}的「{field}」不对：{should}")


class Part:
    """One object of a rule file. Every field must be asked for; what nobody asked for is refused by `close`."""

    def __init__(self, said: Any, where: str = "") -> None:
        if not isinstance(said, dict):
            raise InvalidRequest(f"规则文件{where or '最外层'}应是一个对象，写成 {{…}}")
        self.said: Mapping[str, Any] = said
        self.where = where
        self._known: set[str] = set()

    def __contains__(self, field: str) -> bool:
        return field in self.said

    def close(self) -> None:
        """Refuse fields that nobody asked for: a word misspelt must not be passed over."""
        extra = sorted(self.said.keys() - self._known)
        if extra:
            raise InvalidRequest(f"规则文件{self.where}里有不认识的项「{extra[0]}」，可用的有：{'、'.join(sorted(self._known))}")

    def _take(self, field: str, default: Any) -> Any:
        self._known.add(field)
        if field not in self.said:
            if default is _NONE:
                refuse(self.where, field, "没有写，这一项必须有")
            return default
        return self.said[field]

    def text(self, field: str, default: Any = _NONE, length_max: int = 200) -> str:
        """Take text without personal numbers."""
        value = self._take(field, default)
        if value is not default and not checks.text(length_max)(value):
            refuse(self.where, field, f"应是 1 至 {length_max} 个字，不能有手机号、身份证号")
        return str(value)

    def slug(self, field: str, default: Any = _NONE) -> str:
        """Take a short name: small letters, digits, hyphens."""
        value = self._take(field, default)
        if value is not default and not (isinstance(value, str) and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", value)):
            refuse(self.where, field, "应是小写字母、数字和连字符，最多 40 个")
        return str(value)

    def whole(self, field: str, default: Any = _NONE, low: int = 0, high: int = 10**9) -> Any:
        """Take a whole number."""
        value = self._take(field, default)
        if value is not default and not (type(value) is int and low <= value <= high):
            refuse(self.where, field, f"应是 {low} 至 {high} 的整数，不带引号和小数点")
        return value

    def flag(self, field: str, default: Any = False) -> Any:  # noqa: FBT002 what is not said is false
        """Take true or false."""
        value = self._take(field, default)
        if value is not default and type(value) is not bool:
            refuse(self.where, field, "应是 true 或 false")
        return value

    def points(self, field: str, default: Any = _NONE) -> Any:
        """Take points, in hundredths: a whole number, or text such as "0.5". *default*: in hundredths."""
        value = self._take(field, default)
        return hundredths(value, self.where, field) if field in self.said else default

    def day(self, field: str, default: Any = _NONE) -> Any:
        """Take a day."""
        value = self._take(field, default)
        if value is not default and not (isinstance(value, str) and checks.day(value)):
            refuse(self.where, field, "应是日期，如 2026-03-01")
        return value

    def clock(self, field: str, default: Any = None) -> Any:
        """Take a time of day."""
        value = self._take(field, default)
        if value is not default and not (isinstance(value, str) and _CLOCK.fullmatch(value)):
            refuse(self.where, field, "应是时刻，如 08:30")
        return value

    def one_of(self, field: str, table: Mapping[str, str], default: Any = _NONE) -> str:
        """Take a code of a table."""
        value = self._take(field, default)
        if value is not default and not (isinstance(value, str) and value in table):
            refuse(self.where, field, "应是 " + "、".join(f"{code}（{word}）" for code, word in table.items()) + " 之一")
        return str(value)

    def many_of(self, field: str, table: Mapping[Any, str]) -> frozenset[Any]:
        """Take codes of a table; none said: an empty set, which means all."""
        value = self._take(field, [])
        if not isinstance(value, list) or any(isinstance(one, (list, dict)) or one not in table for one in value):
            refuse(self.where, field, "应是一列，取自 " + "、".join(f"{code}（{word}）" for code, word in table.items()))
        return frozenset(value)

    def texts(self, field: str, length_max: int = 100) -> tuple[str, ...]:
        """Take a list of texts."""
        value = self._take(field, [])
        if not isinstance(value, list) or not all(checks.text(length_max)(one) for one in value):
            refuse(self.where, field, f'应是一列文字，写成 ["…"]，每个最多 {length_max} 个字')
        return tuple(value)

    def wholes(self, field: str, low: int, high: int) -> frozenset[int]:
        """Take a list of whole numbers."""
        value = self._take(field, [])
        if not isinstance(value, list) or not all(type(one) is int and low <= one <= high for one in value):
            refuse(self.where, field, f"应是一列 {low} 至 {high} 的整数")
        return frozenset(value)

    def table(self, field: str) -> dict[str, int]:
        """Take an object of points (hundredths) by code."""
        value = self._take(field, {})
        if not isinstance(value, dict):
            refuse(self.where, field, '应是一个对象，如 {"city": 5}')
        return {str(code): hundredths(one, self.where, f"{field}.{code}") for code, one in value.items()}

    def part(self, field: str, read: Callable[["Part"], Made], default: Made) -> Made:
        """Take an object and read it."""
        value = self._take(field, _NONE if default is _NONE else None)
        if value is None:
            return default
        return _closed(read, Part(value, f"{self.where}「{field}」"))

    def parts(self, field: str, read: Callable[["Part"], Made], most: int = 200) -> tuple[Made, ...]:
        """Take a list of objects and read each; what is wrong names its place in the list, from 1."""
        value = self._take(field, [])
        if not isinstance(value, list) or len(value) > most:
            refuse(self.where, field, f"应是一列对象，写成 [{{…}}]，最多 {most} 个")
        return tuple(_closed(read, Part(one, f"{self.where}「{field}」第 {at} 项")) for at, one in enumerate(value, 1))


def _closed(read: Callable[[Part], Made], part: Part) -> Made:
    made = read(part)
    part.close()
    return made


def hundredths(value: Any, where: str, field: str) -> int:
    """Read points: a whole number, or text with at most two decimals. Raises InvalidRequest."""
    if type(value) is int and abs(value) <= 10**9:
        return value * HUNDRED
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        whole, _, rest = value.lstrip("-").partition(".")
        return (-1 if value.startswith("-") else 1) * (int(whole) * HUNDRED + int(rest.ljust(2, "0")))
    refuse(where, field, '应是整数，或带引号的小数如 "0.5"（最多两位）')


def spoken(hundredths_: int) -> str:
    """Write points as people do: 12, 12.5, -0.25."""
    sign, (whole, rest) = "-" if hundredths_ < 0 else "", divmod(abs(hundredths_), HUNDRED)
    return f"{sign}{whole}.{rest:02d}".rstrip("0") if rest else f"{sign}{whole}"
