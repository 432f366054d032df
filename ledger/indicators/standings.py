"""
Where units stand: each indicator of each unit, with numerator, denominator, target, and how many more it takes.

A value is never stored and never rounded before it is judged: it is compared as numerator x per >= target x denominator. A unit above others also says
how many of the units below it have a target of their own in this indicator, and how many of those reach it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.indicators.measures import Count
from ledger.indicators.reading import Indicator, IndicatorSet, Target
from ledger.shares import hundredths


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
        """The value in hundredths of the indicator's unit, never rounded onto a target that it misses; None without a denominator to divide by."""
        if self.denominator is None:
            return self.numerator * 100
        low, high = (self.target.at_least, self.target.at_most) if self.target is not None else (None, None)
        low, high = None if low is None else 100 * low, None if high is None else 100 * high
        return hundredths(self.numerator, self.denominator, self.indicator.per, at_least=low, at_most=high)

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
    targets = _targets(count, indicator)
    reached: Counter[str | None] = Counter()
    judged: Counter[str | None] = Counter()
    made = []
    for unit in reversed(count.units):
        code, parent = unit.code, unit.parent
        denominator = denominators[code] if denominators is not None else None
        one = Standing(indicator, code, numerators[code], denominator, targets.get(code), reached[code], judged[code])
        made.append(one)
        if one.judged_below or one.target is not None:
            reached[parent] += one.reached_below + bool(one.reached)
            judged[parent] += one.judged_below + (one.target is not None)
    return reversed(made)


def _targets(count: Count, indicator: Indicator) -> dict[str, Target]:
    """Give the target of each unit that has one: the first that is its own by its day, by level and area type, by a mark, and by where the unit lies."""
    today = [target for target in indicator.targets if (target.since or "") <= count.on <= (target.until or "9999")]
    among = {target: _among(count, target) for target in today}
    fitting: dict[tuple[str, str | None], list[Target]] = {}
    found = {}
    for unit in count.units if today else ():
        kind = (unit.level, unit.area_type)
        if kind not in fitting:
            fitting[kind] = [one for one in today if one.level in (None, kind[0]) and one.area_type in (None, kind[1])]
        for target in fitting[kind]:
            places = among[target]
            if (places is None or unit.code in places) and count.is_open(unit):
                found[unit.code] = target
                break
    return found


def _among(count: Count, target: Target) -> set[str] | None:
    """Give the units that a target's mark and places leave; None: every one."""
    asked = [count.within(count.flagged(target.flag))] if target.flag else []
    asked += [count.within(target.units)] if target.units else []
    return set.intersection(*asked) if asked else None
