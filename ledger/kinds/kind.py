"""A kind of entry and its version: which fields a body has, and how a body is checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.errors import InvalidRequest
from ledger.kinds.checks import Check

Body = dict[str, Any]

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
