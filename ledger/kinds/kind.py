"""A kind of entry and its version: which fields a body has, and how a body is checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.errors import InvalidRequest
from ledger.kinds.checks import Check, holds_personal_number

Body = dict[str, Any]

WORDED = {
    "title": "活动名称",
    "theme": "主题",
    "place": "地点",
    "responsible_unit": "责任单位",
    "reason": "理由",
    "note": "说明",
    "basis": "依据",
    "source": "来源",
    "name": "名称",
}
"""Fields that people fill with words of their own, as forms call them."""
SHORT = 40
"""Characters that every such field has room for."""
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
        raise InvalidRequest(self._complaint(_first_wrong(checks, body), body))

    def _complaint(self, key: str, body: Body) -> str:
        """Say what is wrong with a field, and how to mend it: of text in the words of the forms that ask for it."""
        value, asked = body[key], WORDED.get(key)
        if isinstance(value, str) and asked is not None:
            if holds_personal_number(value):
                return f"「{asked}」里有手机号或身份证号。账本谁都看得到，请去掉号码再提交"
            if not value:
                return f"请填写「{asked}」"
            if not value.isprintable():
                return f"「{asked}」里有换行或看不见的字符，请改成一行普通的文字再提交"
            if len(value) > SHORT:
                return f"「{asked}」太长了（现在 {len(value)} 个字），请写短些再提交"
        return f"{self.name}：字段 {key} 的内容不合要求（自由文字中不得出现手机号或身份证号）"

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
