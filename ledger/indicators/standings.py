"""
Where units stand: each indicator of each unit, with numerator, denominator, target, and how many more it takes.

A value is never stored and never rounded before it is judged: it is compared as numerator x per >= target x denominator. A unit above others also says
how many of the units below it have a target of their own in this indicator, and how many of those reach it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.indicators.measures import Count
from ledger.indicators.reading import Indicator, IndicatorSet, Target


@dataclass(frozen=True)
class Standing:
    """An indicator of a unit. *denominator* is None where the numerator stands alone; *below*: of how many units below, how many reach their target."""

    indicator: Indicator
    unit: str
    numerator: int
    denominator: int | None
    target: Target | None
    reached_below: int
    judged_below: int

    @property
    def hundredths(self) -> int | None:
        """The value in hundredths of the indicator's unit, rounded half up; None without a denominator to divide by."""
        if self.denominator is None:
            return self.numerator * 100
        if not self.denominator:
            return None
        return (200 * self.numerator * self.indicator.per + self.denominator) // (2 * self.denominator)

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where there is no target, or nothing to divide by."""
        if self.target is None or self.denominator == 0:
            return None
        value, scale = self.numerator * self.indicator.per, 1 if self.denominator is None else self.denominator
        low, high = self.target.at_least, self.target.at_most
        return (low is None or value >= low * scale) and (high is None or value <= high * scale)

    @property
    def missing(self) -> int:
        """How much more of the numerator the target takes, the denominator as it is: 0 when it is reached."""
        if self.target is None or self.target.at_least is None or self.denominator == 0:
            return 0
        scale = 1 if self.denominator is None else self.denominator
        return max(-(-self.target.at_least * scale // self.indicator.per) - self.numerator, 0)

    def value(self) -> str:
        """Write the value with its unit, to two decimals where there is a denominator: 11.16 %, 3 个; a dash without a denominator to divide by."""
        if self.denominator is None:
            return f"{self.numerator} {self.indicator.unit}"
        if self.hundredths is None:
            return "—"
        return f"{self.hundredths // 100}.{self.hundredths % 100:02d} {self.indicator.unit}"

    def fraction(self) -> str:
        """Write numerator and denominator."""
        return str(self.numerator) if self.denominator is None else f"{self.numerator}/{self.denominator}"

    def goal(self) -> str:
        """Write the target: ≥ 10 %, 10–15 人; empty without one."""
        if self.target is None:
            return ""
        low, high = self.target.at_least, self.target.at_most
        words = f"{low}–{high}" if low is not None and high is not None else f"≥ {low}" if low is not None else f"≤ {high}"
        return f"{words} {self.indicator.unit}"


def evaluate(count: Count, chosen: IndicatorSet) -> dict[str, list[Standing]]:
    """Give every unit's standings, in the set's order, units in the tree's order."""
    found: dict[str, list[Standing]] = {unit.code: [] for unit in count.units}
    for indicator in chosen.indicators:
        for standing in _standings(count, indicator):
            found[standing.unit].append(standing)
    return found


def _standings(count: Count, indicator: Indicator) -> Iterable[Standing]:
    numerators = count.of(indicator.numerator)
    denominators = count.of(indicator.denominator) if indicator.denominator is not None else None
    flags = {flag: count.flagged(flag) for flag in {target.flag for target in indicator.targets if target.flag}}
    above = {unit.code: unit.parent for unit in count.units}
    targets = [target for target in indicator.targets if (target.since or "") <= count.on and count.on <= (target.until or "9999")]
    tally: dict[str, tuple[int, int]] = {}
    made = []
    for unit in reversed(count.units):
        target = _target_of(unit, targets, flags, above) if count.is_open(unit) else None
        reached_below, judged_below = tally.get(unit.code, (0, 0))
        denominator = denominators[unit.code] if denominators is not None else None
        one = Standing(indicator, unit.code, numerators[unit.code], denominator, target, reached_below, judged_below)
        made.append(one)
        if unit.parent in above:
            so_far = tally.get(unit.parent, (0, 0))
            own = (int(bool(one.reached)), int(one.target is not None))
            tally[unit.parent] = (so_far[0] + reached_below + own[0], so_far[1] + judged_below + own[1])
    return reversed(made)


def _target_of(unit: Any, targets: list[Target], flags: Mapping[str, frozenset[str]], above: Mapping[str, str | None]) -> Target | None:
    return next((target for target in targets if _applies(target, unit, flags, above)), None)


def _applies(target: Target, unit: Any, flags: Mapping[str, frozenset[str]], above: Mapping[str, str | None]) -> bool:
    """Tell whether a target is this unit's: by its level, its area type, a mark of its own or of a unit above it, or where it lies."""
    if target.level not in (None, unit.level) or target.area_type not in (None, unit.area_type):
        return False
    if not target.flag and not target.units:
        return True
    path = list(_path(unit.code, above))
    return (not target.flag or any(code in flags[target.flag] for code in path)) and (
        not target.units or any(code in target.units for code in path)
    )


def _path(code: str | None, above: Mapping[str, str | None]) -> Iterable[str]:
    for _ in above:
        if code is None or code not in above:
            return
        yield code
        code = above[code]
