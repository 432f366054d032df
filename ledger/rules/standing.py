"""
What follows from what was counted: levels and what is missing for the next, eligibility, counters and their effects, how effects end.

Effects stand each for themselves: an item that takes away a status leaves hours and stars as they are. They rest on a legal basis in the rules and in
the entry, and end on their expiry, on their lifting, or by the repair that the rules name.
"""

from collections import Counter as Numbers
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ledger.rules import shape
from ledger.rules.counting import Chain, Counting, Tally, in_force, touches
from ledger.rules.facts import Conduct, Facts
from ledger.rules.fields import spoken
from ledger.rules.periods import LAST, PER, before, key, later
from ledger.rules.shape import Condition, RuleSet, binds


@dataclass(frozen=True)
class Measures:
    """What conditions are asked of. Minutes, hundredths of points, counts, whole years."""

    values: dict[str, int]
    demands: frozenset[str]
    items: dict[str, int]
    adult: str = "unknown"


@dataclass(frozen=True)
class Ask:
    """One thing that a condition asks for: in words, what there is, what is missing."""

    words: str
    have: str
    missing: str
    holds: bool
    measure: str = ""
    short: int = 0


@dataclass(frozen=True)
class LevelReport:
    """A level, from 1: whether its conditions hold now; each way to it is a list of things asked for at once."""

    scale: str
    number: int
    name: str
    holds: bool
    ways: tuple[tuple[Ask, ...], ...]


@dataclass(frozen=True)
class ScaleReport:
    """Where somebody stands on a scale: *at* counts from 1 (0: no level yet). *since*: kept from that day; *suspended*: the effects that take it away."""

    id: str
    name: str
    at: int
    level: str
    levels: tuple[LevelReport, ...]
    kept_since: str = ""
    suspended: str = ""

    @property
    def next(self) -> LevelReport | None:
        """Give the level above, if there is one."""
        return self.levels[self.at] if self.at < len(self.levels) else None


@dataclass(frozen=True)
class Effect:
    """Something that binds, why, since and until when, and how it may end before."""

    target: str
    words: str
    why: str
    basis: str
    since: str
    until: str = ""
    repair: str = ""
    entries: tuple[int, ...] = ()


def measures(facts: Facts, tally: Tally, on: str) -> Measures:
    """Take the measures of facts that were counted, as of a day."""
    services = [one for one in facts.services if one.day <= on]
    trainings = [one for one in facts.trainings if one.day <= on]
    bad = [one.day for one in facts.conduct if one.sense == "bad" and binds(one) and one.day <= on and one.lifted_on is None]
    values = {
        "hours": tally.minutes,
        "points": tally.points,
        "times": len(services),
        "activities": len({one.activity for one in services}),
        "months_active": len({one.day[:7] for one in services}),
        "longest_minutes": max((one.minutes for one in services), default=0),
        "training_hours": sum(one.minutes for one in trainings),
        "trainings": len(trainings),
        "awards": sum(one.day <= on for one in facts.awards),
        "good_evaluations": sum(one.day <= on and one.quality in ("excellent", "good") for one in facts.evaluations),
        "registered_years": _years(facts.registered_on, on),
        "clean_years": _years(max(bad), on) if bad else 10**6,
    }
    demands = {"confirmed"} if facts.confirmed_on is not None and facts.confirmed_on <= on else set()
    demands |= {"adult"} if facts.adult == "yes" else set()
    demands |= {"complete_record"} if all(one.whole for one in services) else set()
    return Measures(values, frozenset(demands), tally.by_item, facts.adult)


def plain_measures(minutes: int) -> Measures:
    """Take the measures of somebody of whom only the hours are asked."""
    return Measures({"hours": minutes}, frozenset(), {})


def _years(since: str, on: str) -> int:
    """Count full years."""
    return max(int(on[:4]) - int(since[:4]) - (on[5:] < since[5:]), 0)


def asks(condition: Condition, found: Measures, names: dict[str, str]) -> tuple[Ask, ...]:
    """Hold a condition against measures."""
    made = []
    for name, least in condition.measures.items():
        have = found.values.get(name, 0)
        short = max(least - have, 0)
        said = "一直没有" if name == "clean_years" and have >= 10**6 else amount(name, have)
        made.append(
            Ask(f"{shape.MEASURES[name]} {amount(name, least)}", said, amount(name, short) if short else "", not short, name, short)
        )
    for name, least in condition.items.items():
        have = found.items.get(name, 0)
        short = max(least - have, 0)
        words = f"「{names[name]}」{spoken(least)} 分"
        made.append(Ask(words, f"{spoken(have)} 分", f"{spoken(short)} 分" if short else "", not short, "items", short))
    for name in sorted(condition.demands):
        holds = name in found.demands
        unknown = name == "adult" and found.adult == "unknown"
        have_words = "是" if holds else "要由站点核对证件后才知道（账本里不记年龄）" if unknown else "还不是"
        made.append(Ask(shape.DEMANDS[name], have_words, "" if holds else shape.DEMANDS[name], holds, name))
    return tuple(made)


def amount(measure: str, value: int) -> str:
    """Write a measure as people say it."""
    if measure in ("hours", "training_hours"):
        hours, rest = divmod(value, 60)
        return f"{hours}小时{rest}分" if rest and hours else f"{rest}分" if rest else f"{hours}小时"
    return f"{spoken(value) if measure == 'points' else value} {shape.UNITS[measure]}"


def level_reports(rules: RuleSet, scale: str, found: Measures) -> tuple[LevelReport, ...]:
    """Hold every level of a scale against measures, and what makes eligible for any."""
    names = {item.id: item.name for item in rules.items}
    always = asks(rules.eligibility, found, names)
    reports = []
    for number, level in enumerate(rules.levels_of(scale), 1):
        ways = tuple((*asks(condition, found, names), *always) for condition in level.when)
        reports.append(LevelReport(scale, number, level.name, any(all(one.holds for one in way) for way in ways), ways))
    return tuple(reports)


def reached(reports: Sequence[LevelReport]) -> int:
    """Give the highest level whose conditions hold; 0: none."""
    return max((one.number for one in reports if one.holds), default=0)


class Standing:
    """Where somebody stands by a chain of rule sets, as of a day."""

    def __init__(self, chain: Chain, facts: Facts, on: str) -> None:
        self._chain, self._facts, self.on = chain, facts, on
        self.rules = in_force(chain, on)
        self._levels: dict[tuple[str, str], int] = {}
        self.tally = self._count(on, lined=True)
        self.measures = measures(facts, self.tally, on)

    def _count(self, on: str, *, lined: bool = False) -> Tally:
        return Counting(self._chain, on, levels=self._level_on, lined=lined).run(self._facts)

    def _level_on(self, scale: str, on: str) -> int:
        """Say which level of a scale that asks for no points was reached on a day."""
        if (scale, on) not in self._levels:
            chain = [(since, _without_points(rules)) for since, rules in self._chain]
            tally = Counting(chain, on, levels=lambda *_: 0, lined=False).run(self._facts)
            found = measures(self._facts, tally, on)
            self._levels[scale, on] = reached(level_reports(self.rules, scale, found))
        return self._levels[scale, on]

    def scales(self, effects: Sequence[Effect]) -> tuple[ScaleReport, ...]:
        """Say where somebody stands on every scale."""
        suspended = "；".join(one.why for one in effects if one.target == "star")
        return tuple(self._scale(scale, suspended) for scale in self.rules.scales)

    def _scale(self, scale: shape.Scale, suspended: str) -> ScaleReport:
        reports = level_reports(self.rules, scale.id, self.measures)
        at, kept = reached(reports), ""
        for day in self._turning_days() if scale.keeps and at < len(reports) else ():
            found = measures(self._facts, self._count(day), day)
            then = reached(level_reports(self.rules, scale.id, found))
            if then > at:
                at, kept = then, day
        if suspended:
            return ScaleReport(scale.id, scale.name, 0, "", reports, "", suspended)
        return ScaleReport(scale.id, scale.name, at, reports[at - 1].name if at else "", reports, kept)

    def _turning_days(self) -> list[str]:
        """List the days on which more may have been reached than now: before a bad item, at the end of a year, when a year was collected."""
        found = {before(one.day) for one in self._facts.conduct if one.sense == "bad" and one.day <= self.on}
        windows = {self.rules.hours.window, *(item.window for item in self.rules.items)}
        first = min((one.day for one in self._facts.services), default=self.on)
        for year in range(int(first[:4]), int(self.on[:4]) + 1):
            for window in windows:
                if window.kind == "calendar_year":
                    found.add(f"{year}-12-31")
                elif window.kind == "award_year":
                    found.add(f"{year}-{window.collected_month:02d}-01")
        return sorted(day for day in found if day < self.on)

    # --- effects

    def effects(self) -> tuple[Effect, ...]:
        """List what binds now: by single bad items, and by items that came too often."""
        found = []
        items = {item.conduct: item for item in self.rules.items if item.counts == "conduct" and item.sense == "bad"}
        for fact in self._facts.conduct:
            if fact.day <= self.on and fact.sense == "bad" and fact.item in items:
                found += self._effects_of(items[fact.item], fact)
        for counter in self.rules.counters:
            found += self._counter(counter, items)
        return tuple(sorted(found, key=lambda one: (one.since, one.target, one.entries)))

    def _effects_of(self, item: shape.Item, fact: Conduct) -> list[Effect]:
        ended, said = self._ended(item, fact)
        if ended:
            return []
        why = f"{item.name}（{fact.day}）"
        return [
            Effect(target, shape.EFFECTS[target], why, fact.basis, fact.day, fact.expires_on or "", said, (fact.index,))
            for target in sorted(touches(item, fact) - {"points"})
        ]

    def _ended(self, item: shape.Item, fact: Conduct) -> tuple[bool, str]:
        """Tell whether a bad item binds no more, and otherwise how it may end before its expiry."""
        if not self._stands(fact):
            return True, ""
        terms = item.repair
        if terms is None:
            return False, ""
        waited = later(fact.day, terms.months)
        served = sum(one.minutes for one in self._facts.services if fact.day < one.day <= self.on)
        left = [f"等到 {waited}"] if waited > self.on else []
        left += [f"再服务 {amount('hours', terms.minutes - served)}"] if served < terms.minutes else []
        if not left and not terms.application:
            return True, ""
        if not left:
            return False, "时间和服务都够了，可以申请信用修复"
        return False, "、".join(left) + ("，再申请信用修复" if terms.application else "，自动恢复")

    def _counter(self, counter: shape.Counter, items: dict[str, shape.Item]) -> list[Effect]:
        if counter.points_below is not None:
            return self._low(counter)
        there = [
            fact
            for fact in self._facts.conduct
            if fact.day <= self.on
            and fact.sense == "bad"
            and fact.item in items
            and items[fact.item].id in counter.items
            and self._stands(fact)
        ]
        found = []
        for period, count in sorted(Numbers(key(counter.per, fact.day) for fact in there).items()):
            if count >= counter.at_least:
                same = sorted((fact for fact in there if key(counter.per, fact.day) == period), key=lambda fact: (fact.day, fact.index))
                until = sorted(fact.expires_on or LAST for fact in same)[-counter.at_least]
                why = f"{counter.name}：{period or '累计'} {count} 次（规则：{PER[counter.per]} {counter.at_least} 次）"
                said = (why, same[counter.at_least - 1].day, "" if until == LAST else until, tuple(fact.index for fact in same))
                found += self._all(counter, *said)
        return found

    def _stands(self, fact: Conduct) -> bool:
        """Tell whether a bad item was neither lifted nor has expired."""
        ended = (fact.expires_on is not None and fact.expires_on < self.on) or (fact.lifted_on is not None and fact.lifted_on <= self.on)
        return binds(fact) and not ended

    def _low(self, counter: shape.Counter) -> list[Effect]:
        least = counter.points_below or 0
        sums = self.tally.by_year if counter.per == "year" else {"": self.tally.points}
        found = sorted(sums.items())
        bad = tuple(one.index for one in self._facts.conduct if one.sense == "bad" and binds(one) and one.day <= self.on)
        made = []
        for period, points in found:
            if points < least and bad:
                why = f"{counter.name}：{period + ' 年' if period else '现在'} {spoken(points)} 分，低于 {spoken(least)} 分"
                made += self._all(counter, why, f"{period}-12-31" if period and period < self.on[:4] else self.on, "", bad)
        return made

    def _all(self, counter: shape.Counter, why: str, since: str, until: str, entries: tuple[int, ...]) -> list[Effect]:
        return [Effect(target, shape.EFFECTS[target], why, counter.basis, since, until, "", entries) for target in sorted(counter.effects)]


def _without_points(rules: RuleSet) -> RuleSet:
    """Give the same rules without anything that earns points, for a level that asks for none."""
    kept = tuple(item for item in rules.items if item.counts == "conduct" and "hours" in item.effects)
    return replace(rules, items=kept)
