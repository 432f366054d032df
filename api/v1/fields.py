"""
Fields of requests (marshmallow): strict types, every refusal a Chinese sentence, and what the description says of them is what they accept.

Each is judged by the ledger's own checks, so that what passes here is what an entry may hold. A field of an address (*spelt*) reads text.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, cast

import marshmallow as ma
from marshmallow import fields

from ledger.entries import SHANGHAI
from ledger.errors import InvalidRequest
from ledger.ids import NUMBER
from ledger.kinds import checks
from ledger.people import identity

DRAFTS_MAX = 1_000
"""Services in one batch."""
UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_RFC3339 = re.compile(r"(?:19[89]\d|2\d\d\d)-\d\d-\d\d[Tt]\d\d:\d\d:00(?:\.0{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DECIMAL = re.compile(r"0|[1-9]\d{0,15}", re.ASCII)
_DAY = re.compile(r"(?:19[89]\d|2\d\d\d)-\d\d-\d\d", re.ASCII)
_PHONE = re.compile(r"\d{7,12}", re.ASCII)
_ID_NUMBER = re.compile(r"\d{17}[\dX]", re.ASCII)


class Field(fields.Field[Any]):
    """A field with our words; *said* documents it."""

    default_error_messages = {"required": "缺少这个字段", "null": "不能是 null"}  # noqa: RUF012 as marshmallow declares it

    def __init__(self, *, required: bool = True, **said: Any) -> None:
        super().__init__(required=required, metadata=said)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ARG002 marshmallow's
        return self.read(value)

    def read(self, value: Any) -> Any:
        """Give what a value means. Raises ValidationError."""
        raise NotImplementedError


class Code(Field):
    """Text of a fixed form, judged by a check of the ledger."""

    def __init__(self, check: Callable[[str], object], wrong: str, **said: Any) -> None:
        super().__init__(**said)
        self._check, self._wrong = check, wrong

    def read(self, value: Any) -> str:
        """Accept text that the check accepts."""
        if type(value) is not str or not self._check(value):
            raise ma.ValidationError(self._wrong)
        return value


class Minute(Field):
    """An RFC 3339 time on the minute, from 1980 on; loads as the naive local time (Asia/Shanghai) that drafts have."""

    def read(self, value: Any) -> datetime:
        """Read a time."""
        if type(value) is not str or _RFC3339.fullmatch(value) is None:
            raise ma.ValidationError("应是带时区的整分钟时间（RFC 3339），例如 2026-03-05T09:00:00+08:00")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(SHANGHAI).replace(tzinfo=None)
        except (ValueError, OverflowError):
            raise ma.ValidationError("没有这个时间，请核对年月日和时分") from None


class Whole(Field):
    """A whole number in a closed range; *spelt* as decimal text in addresses, as a JSON number elsewhere."""

    def __init__(self, low: int, high: int, *, spelt: bool = False, **said: Any) -> None:
        super().__init__(minimum=low, maximum=high, **said)
        self._low, self._high, self._spelt = low, high, spelt

    def read(self, value: Any) -> int:
        """Accept a number of the range."""
        if self._spelt and isinstance(value, str) and _DECIMAL.fullmatch(value):
            value = int(value)
        if type(value) is not int or not self._low <= value <= self._high:
            raise ma.ValidationError(f"应是 {self._low} 到 {self._high} 的整数")
        return value


class Text(Code):
    """Free text of 1 to so many characters, without control characters and without anybody's number."""

    def __init__(self, length: int, **said: Any) -> None:
        wrong = f"应是 1 到 {length} 个字的文字，不含控制字符、电话和身份证号"
        super().__init__(checks.text(length), wrong, minLength=1, maxLength=length, **said)


class Choice(Code):
    """A code of a table."""

    def __init__(self, table: Mapping[str, str], **said: Any) -> None:
        super().__init__(table.__contains__, f"应是 {'、'.join(table)} 之一", enum=list(table), **said)


class IdNumber(Code):
    """An ID number in its one spelling; its check character is judged later, with the day's date."""

    def __init__(self, **said: Any) -> None:
        super().__init__(_ID_NUMBER.fullmatch, "应是 18 位的公民身份号码", pattern=r"^[0-9]{17}[0-9X]$", **said)


class PersonName(Text):
    """Somebody's name, brought to its one spelling."""

    def read(self, value: Any) -> str:
        """Accept a name."""
        spelt = identity.normalise_name(super().read(value))
        if not spelt:
            raise ma.ValidationError("应是姓名")
        return spelt


class Phone(Code):
    """A mobile or landline number, digits alone."""

    def __init__(self, **said: Any) -> None:
        super().__init__(_PHONE.fullmatch, "应是 7 到 12 位数字的电话", pattern="^[0-9]{7,12}$", **said)

    def read(self, value: Any) -> str:
        """Accept a number that can be somebody's."""
        try:
            return identity.normalise_phone(super().read(value))
        except InvalidRequest as refusal:
            raise ma.ValidationError(str(refusal)) from None


class Day(Field):
    """A date from 1980 on."""

    def __init__(self, **said: Any) -> None:
        super().__init__(format="date", **said)

    def read(self, value: Any) -> date:
        """Read a date."""
        if type(value) is str and _DAY.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise ma.ValidationError("应是 1980 年以后的日期，例如 2026-03-05")


class Flag(Field):
    """True or false."""

    def read(self, value: Any) -> bool:
        """Accept a boolean."""
        if type(value) is not bool:
            raise ma.ValidationError("应是 true 或 false")
        return value


class Several(Field):
    """A list of such values, none twice."""

    def __init__(self, each: Field, most: int, least: int = 0, **said: Any) -> None:
        items = {"type": "integer" if isinstance(each, Whole) else "string", **each.metadata}
        super().__init__(items=items, minItems=least, maxItems=most, uniqueItems=True, **said)
        self.each, self._least, self._most = each, least, most

    def read(self, value: Any) -> list[Any]:
        """Accept a list whose members the inner field accepts."""
        if not isinstance(value, list) or not self._least <= len(value) <= self._most:
            raise ma.ValidationError(f"应是 {self._least} 到 {self._most} 项的数组")
        wrong: dict[Any, Any] = {}
        found: list[Any] = []
        for at, one in enumerate(value):
            try:
                found.append(self.each.read(one))
            except ma.ValidationError as error:
                wrong[at] = error.messages
        if wrong:
            raise ma.ValidationError(wrong)
        if len(set(found)) < len(found):
            raise ma.ValidationError("同一项写了两次")
        return found


class Drafts(Field):
    """The services of a batch: a list whose members are judged one by one."""

    def read(self, value: Any) -> list[Any]:
        """Accept a list of a length that may be."""
        if not isinstance(value, list) or not 1 <= len(value) <= DRAFTS_MAX:
            raise ma.ValidationError(f"应是 1 到 {DRAFTS_MAX} 条服务的数组")
        return value


class Schema(ma.Schema):
    """An object without unknown fields, all of them of the kinds above.

    What is in order is read field by field, without marshmallow's own machinery, which takes five times as long; whatever is not is left to it to word.
    """

    error_messages = {"unknown": "没有这个字段", "type": "应是一个 JSON 对象"}  # noqa: RUF012 as marshmallow declares it

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        plain = not self._hooks and all(isinstance(field, Field) for field in self.fields.values())
        self._readers = {name: cast(Field, field).read for name, field in self.fields.items()} if plain else None
        self._required = frozenset(name for name, field in self.fields.items() if field.required)

    def load(self, data: Any, **options: Any) -> Any:
        """Read an object. Raises ValidationError."""
        if self._readers is not None and type(data) is dict and self._required <= data.keys() <= self._readers.keys():
            try:
                return {name: self._readers[name](value) for name, value in data.items()}
            except ma.ValidationError:
                pass
        return super().load(data, **options)


def entry_key(**said: Any) -> Code:
    """A field for an entry id."""
    return Code(re.compile(UUID7).fullmatch, "应是小写的 UUIDv7", format="uuid", pattern=f"^{UUID7}$", required=False, **said)


def station(**said: Any) -> Code:
    """A field for a station's code."""
    return Code(checks.station, "应是站点编码（1 至 20 位数字或大写字母）", pattern="^[0-9A-Z]{1,20}$", example="340104001004", **said)


def number(what: str, **said: Any) -> Code:
    """A field for a random number: a volunteer's, an activity's, an organisation's."""
    return Code(checks.number, f"应是 10 位{what}编号", pattern=f"^{NUMBER.pattern}$", **said)
