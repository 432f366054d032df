"""
Counting: one person's facts, in order of time, through the items of a rule set. Every fact gets a line that says what it gave, and what was cut.

Whole numbers only. An item's running total is rounded, not its parts, unless the rules say otherwise, so that what is given adds up to the integral over
its tiers. Caps are filled in order of time. The order in which facts are handed in does not matter.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Any

from ledger.kinds.credit import SENSES
from ledger.rules.caps import Room
from ledger.rules.facts import Award, Conduct, Evaluation, Facts, Service, Training
from ledger.rules.fields import HUNDRED, spoken
from ledger.rules.periods import key, later
from ledger.rules.shape import Hours, Item, RuleSet, Where, admits, binds

Fact = Service | Training | Award | Evaluation | Conduct
Chain = Sequence[tuple[str, RuleSet]]
"""Rule sets with the day each is in force from, oldest first."""
_LABELS: dict[type, str] = {Service: "服务", Training: "培训", Award: "表彰", Evaluation: "评价", Conduct: "守信、失信"}
_FEEDS = {
    "minutes": Service,
    "times": Service,
    "training_minutes": Training,
    "trainings": Training,
    "awards": Award,
    "evaluations": Evaluation,
    "conduct": Conduct,
}


@dataclass(slots=True)
class Gain:
    """What an item gave for a fact, in hundredths; *cut*: what caps took from it; *why*: in words, when something was cut or does not count."""

    item: str
    name: str
    points: int
    cut: int = 0
    why: str = ""


@dataclass(slots=True)
class Line:
    """A fact explained: minutes that count as hours here, why fewer; what each item gave; both running totals after it."""

    index: int
    day: str
    what: str
    label: str
    minutes: int
    counted_minutes: int
    why: str
    gains: tuple[Gain, ...]
    total_minutes: int
    total_points: int
    remarks: tuple[str, ...] = ()


@dataclass
class Tally:
    """What facts come to: minutes in the sense of the rules, points, each item's points, and the lines."""

    minutes: int = 0
    points: int = 0
    by_item: dict[str, int] = field(default_factory=dict)
    by_year: dict[str, int] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    lots: list[tuple[str, int, str | None]] = field(default_factory=list)
    account_minutes: int = 0


def in_force(chain: Chain, on: str) -> RuleSet:
    """Pick the rule set in force on a day; before the first, the first."""
    found = chain[0][1]
    for since, rules in chain:
        if since <= on:
            found = rules
    return found


def struck(facts: Facts, rules: RuleSet, on: str) -> dict[int, Conduct]:
    """Give the services whose hours a bad item takes away while it binds: index to the item's fact."""
    found = {}
    items = {item.conduct: item for item in rules.items if item.counts == "conduct" and item.sense == "bad"}
    for fact in facts.conduct:
        if fact.day <= on and fact.sense == "bad" and fact.item in items and "hours" in touches(items[fact.item], fact):
            found.update(dict.fromkeys(fact.services, fact))
    return found


def touches(item: Item, fact: Conduct) -> frozenset[str]:
    """Tell what a conduct fact touches: what both the rules and its own entry say, and nothing without a legal basis."""
    if not binds(fact) or item.free_from <= fact.day <= item.free_until or _taken(item, fact) < item.effects_from:
        return frozenset()
    return item.effects if fact.effects is None else item.effects & frozenset(fact.effects)


def _taken(item: Item, fact: Conduct) -> int:
    """Say how many points a bad item takes: what its entry says, if the rules leave it to the entry, up to the most they allow."""
    said = fact.points if item.recorded_points and fact.points is not None else abs(item.points)
    return said if item.points_most is None else min(said, abs(item.points_most))


class _Worker:
    """An item at work: its tiers over one denominator, the days of its window, its caps and those of its category."""

    def __init__(self, item: Item, rules: RuleSet, on: str) -> None:
        self.item = item
        self.rounding = rules.rounding
        self.first, self.last = item.window.bounds(on)
        scale = lcm(*(tier.per_minutes for tier in item.tiers)) if item.tiers else 1
        self.denominator = scale * HUNDRED
        self.tiers = [(tier.to_minutes, tier.points * scale // tier.per_minutes) for tier in item.tiers]
        self.open = item.where == Where()
        self.minutes_caps = [(item.id + " minutes", "", cap) for cap in item.minutes_caps]
        self.caps = [(item.id, "", cap) for cap in item.points_caps]
        self.caps += [("/" + one.id, f"「{one.name}」", cap) for one in rules.categories if one.id == item.category for cap in one.caps]

    def coefficient(self, fact: Any) -> int:
        """Give the coefficient in hundredths: of the finest class named, the highest where a service is of several."""
        table = self.item.coefficients
        if not table:
            return HUNDRED
        kinds = [table[f"{fact.series}/{one}"] for one in fact.services if f"{fact.series}/{one}" in table]
        kinds = kinds or [table[one] for one in fact.services if one in table]
        return max(kinds) if kinds else table.get(fact.series, table.get("other", HUNDRED))

    def integral(self, start: int, end: int) -> int:
        """Sum the tiers' rates over minutes from *start* to *end* of the running total."""
        total, low = 0, start
        for to, rate in self.tiers:
            if to is None or low < to:
                high = end if to is None else min(end, to)
                total += (high - low) * rate
                low = high
                if low == end:
                    break
        return total

    def looks_at(self, fact: Fact) -> bool:
        """Tell whether the item is about a fact."""
        item, where = self.item, self.item.where
        if isinstance(fact, Service):
            return self.open or admits(where, fact)
        if not where.since <= fact.day <= where.until:
            return False
        if isinstance(fact, Conduct):
            return item.conduct == fact.item and item.sense == fact.sense
        if isinstance(fact, Evaluation):
            return (not where.qualities or fact.quality in where.qualities) and (not where.evaluators or fact.by in where.evaluators)
        if where.titles and not any(word in fact.title for word in where.titles):
            return False
        return isinstance(fact, Training) or not where.levels or fact.level in where.levels

    def gain(self, points: int, cut: int = 0, why: str = "") -> Gain:
        """Say what the item gave."""
        return Gain(self.item.id, self.item.name, points, cut, why)


class _SetUp:
    """A rule set at work: its workers by the facts they look at, the caps on hours, the days in which hours count, what may be short-cut."""

    def __init__(self, rules: RuleSet, on: str) -> None:
        self.rules = rules
        self.workers: dict[type, list[_Worker]] = {kind: [] for kind in _LABELS}
        for item in rules.items:
            if item.counts in _FEEDS:
                self.workers[_FEEDS[item.counts]].append(_Worker(item, rules, on))
        self.caps = [(" hours", "", cap) for cap in rules.hours.caps]
        self.first, self.last = rules.hours.window.bounds(on)
        plain = Hours(training=rules.hours.training, account_minutes=rules.hours.account_minutes)
        self.all_hours = rules.hours == plain
        self.flags = rules.gates.flag_minutes_below is not None or rules.gates.flag_over_plan_minutes is not None


class Counting:
    """Counts one person's facts as of a day. *lined*: keep a line for every fact; *levels*: which level of a scale was reached on a day."""

    def __init__(self, chain: Chain, on: str, *, levels: Callable[[str, str], int], lined: bool = True) -> None:
        self._chain, self._on, self._lined = chain, on, lined
        self._today = in_force(chain, on)
        self._levels = levels
        self._made: dict[int, _SetUp] = {}
        self._minutes: dict[tuple[str, str], int] = {}
        self._exact: dict[tuple[str, int], int] = {}
        self._room = Room()
        self._struck: dict[int, Conduct] = {}
        self.tally = Tally()

    def _rules(self, day: str) -> RuleSet:
        return self._today if self._today.old_facts == "recount" else in_force(self._chain, day)

    def _set_up(self, rules: RuleSet) -> "_SetUp":
        if id(rules) not in self._made:
            self._made[id(rules)] = _SetUp(rules, self._on)
        return self._made[id(rules)]

    def run(self, facts: Facts) -> Tally:
        """Count everything up to the day, in order of time."""
        rules, on = self._today, self._on
        self._struck = struck(facts, rules, on)
        for item in rules.items:
            if item.counts == "start":
                self._other(item, facts.registered_on, item.name, item.points)
        events: list[tuple[str, str, int, Fact]] = [(one.day, one.start, one.index, one) for one in facts.services if one.day <= on]
        more: Iterable[Fact] = (*facts.trainings, *facts.awards, *facts.evaluations, *facts.conduct)
        events += [(one.day, "", one.index, one) for one in more if one.day <= on]
        events.sort(key=lambda event: event[:3])
        for _, _, _, fact in events:
            self._fact(fact)
        for item in rules.items:
            if item.counts == "level":
                last = min(item.window.bounds(on)[1], on)
                at = self._levels(item.scale, last)
                name = rules.levels_of(item.scale)[at - 1].name if at else "还没有等级"
                self._other(item, last, name, item.table.get(str(at), item.points * at))
        return self.tally

    def _other(self, item: Item, day: str, label: str, points: int) -> None:
        """Count what is no fact: the starting score, a level that was reached."""
        worker = _Worker(item, self._today, self._on)
        gain = self._add(self._capped(worker, day, "", points, ""), day, item)
        if self._lined:
            self.tally.lines.append(Line(-1, day, "起始" if item.counts == "start" else "等级", label, 0, 0, "", (gain,), *self._totals()))

    def _totals(self) -> tuple[int, int]:
        return self.tally.minutes, self.tally.points

    def _fact(self, fact: Fact) -> None:
        kind, tally, made = type(fact), self.tally, self._set_up(self._rules(fact.day))
        minutes, counted, why = 0, 0, ""
        if isinstance(fact, Service | Training):
            minutes = fact.minutes
            counted, why = self._counted(fact, made)
            tally.minutes += counted
        gains = tuple([self._add(self._gain(one, fact), fact.day, one.item) for one in made.workers[kind] if one.looks_at(fact)])
        if self._lined:
            label = getattr(fact, "title", "") or getattr(fact, "reason", "")
            remarks = _remarks(fact, made.rules) if made.flags else ()
            what = SENSES[fact.sense] if isinstance(fact, Conduct) else _LABELS[kind]
            said = (fact.index, fact.day, what, label, minutes, counted, why, gains)
            tally.lines.append(Line(*said, tally.minutes, tally.points, remarks))

    def _counted(self, fact: Any, made: "_SetUp") -> tuple[int, str]:
        """Say how many minutes of a service or training are hours in the sense of the rules, and why it is fewer."""
        hours, caps, first, last = made.rules.hours, made.caps, made.first, made.last
        if made.all_hours and not self._struck and isinstance(fact, Service):
            self.tally.account_minutes += fact.minutes
            return fact.minutes, ""
        if isinstance(fact, Training):
            why = "" if hours.training else "培训单独记，不算服务时长"
        elif fact.index in self._struck:
            why = f"账本第 {self._struck[fact.index].index} 条失信记录认定这次服务不计时长"
        else:
            why = "" if admits(hours.where, fact) else "不在规则计时长的范围内"
        if not why and not first <= fact.day <= last:
            why = f"不在计时长的时间段内（{hours.window.words}）"
        if why:
            return 0, why
        activity = getattr(fact, "activity", "") or f"training {fact.index}"
        left, why = self._room.take(caps, fact.day, activity, fact.minutes, hours=True) if caps else (fact.minutes, "")
        if isinstance(fact, Training) or hours.account_where is None or admits(hours.account_where, fact):
            self.tally.account_minutes += left
        return left, why

    def _gain(self, worker: _Worker, fact: Any) -> Gain:
        """Say what an item gives for a fact that it looks at."""
        item = worker.item
        if not worker.first <= fact.day <= worker.last:
            return worker.gain(0, 0, f"不在计分时间段内（{item.window.words}）")
        if fact.index in self._struck:
            return worker.gain(0, 0, "这次服务不计")
        activity = getattr(fact, "activity", "")
        if item.counts in ("minutes", "training_minutes"):
            return self._timed(worker, fact, activity)
        if isinstance(fact, Conduct):
            if fact.sense == "bad":
                why = _void(item, fact, self._on)
                return worker.gain(0 if why else -_taken(item, fact), 0, why or f"依据：{item.basis}")
            return self._capped(worker, fact.day, activity, _taken(item, fact), "")
        given = item.table.get(getattr(fact, "level", "") or getattr(fact, "quality", ""), 0) if item.table else item.points
        return self._capped(worker, fact.day, activity, given, "")

    def _timed(self, worker: _Worker, fact: Any, activity: str) -> Gain:
        """Give points for minutes: caps on minutes first, then the tiers from where they stood, then caps on points."""
        item, left, why = worker.item, fact.minutes, ""
        if worker.minutes_caps:
            left, why = self._room.take(worker.minutes_caps, fact.day, activity, left, hours=True)
        run = (item.id, key(item.tiers_per, fact.day))
        stood = self._minutes.get(run, 0)
        self._minutes[run] = stood + left
        exact, round_ = worker.integral(stood, stood + left) * worker.coefficient(fact), worker.rounding.apply
        if worker.rounding.of == "each":
            points = round_(exact, worker.denominator)
        else:
            place = (item.id, id(worker))
            held = self._exact.get(place, 0)
            self._exact[place] = held + exact
            points = round_(held + exact, worker.denominator) - round_(held, worker.denominator)
        return self._capped(worker, fact.day, activity, points, why)

    def _capped(self, worker: _Worker, day: str, activity: str, points: int, why: str) -> Gain:
        """Cut points by the caps of the item and of its category."""
        if not worker.caps:
            return worker.gain(points, 0, why)
        left, cut = self._room.take(worker.caps, day, activity, points, hours=False)
        return worker.gain(left, points - left, cut or why)

    def _add(self, gain: Gain, day: str, item: Item) -> Gain:
        """Add a gain to the totals: points that have expired are shown and not added; the total stays within its bounds."""
        if not gain.points:
            return gain
        tally, lapses = self.tally, _lapses(item, day) if gain.points > 0 else None
        if lapses is not None and lapses <= self._on:
            tally.lots.append((day, gain.points, lapses))
            return Gain(gain.item, gain.name, 0, gain.cut + gain.points, f"{spoken(gain.points)} 分已于 {lapses} 过期")
        total = tally.points + gain.points
        bound = total if self._today.high is None else min(total, self._today.high)
        bound = bound if self._today.low is None else max(bound, self._today.low)
        if bound != total:
            why = f"总分{'最高' if bound < total else '最低'} {spoken(bound)} 分"
            gain = Gain(gain.item, gain.name, bound - tally.points, gain.cut + total - bound, why)
        tally.lots.append((day, gain.points, lapses))
        tally.points = bound
        tally.by_item[gain.item] = tally.by_item.get(gain.item, 0) + gain.points
        tally.by_year[day[:4]] = tally.by_year.get(day[:4], 0) + gain.points
        return gain


def _void(item: Item, fact: Conduct, on: str) -> str:
    """Say why a bad item takes nothing (now); empty: it does."""
    reasons = {
        "没有写明法律依据，不生效": not fact.basis,
        "已撤销，不生效": not binds(fact),
        f"已于 {fact.expires_on} 到期": fact.expires_on is not None and fact.expires_on < on,
        f"已于 {fact.lifted_on} 信用修复": fact.lifted_on is not None and fact.lifted_on <= on,
        "在自查期内，不扣": item.free_from <= fact.day <= item.free_until,
        "这条记录没有写明扣分": fact.effects is not None and "points" not in fact.effects,
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _lapses(item: Item, day: str) -> str | None:
    """Say from which day on points of a day are no more."""
    if item.expires_months is not None:
        return later(day, item.expires_months)
    return f"{int(day[:4]) + 1}-01-01" if item.expires_year_end else None


def _remarks(fact: Fact, rules: RuleSet) -> tuple[str, ...]:
    """Point out what somebody should look at; it changes nothing."""
    if not isinstance(fact, Service):
        return ()
    found, (least, more, planned) = [], (rules.gates.flag_minutes_below, rules.gates.flag_over_plan_minutes, fact.planned_minutes)
    if least is not None and fact.minutes < least:
        found.append(f"不足 {least} 分钟，请核对")
    if more is not None and planned is not None and fact.minutes > 2 * planned + more:
        found.append(f"超过计划时长的两倍加 {more} 分钟，请核对")
    return tuple(found)
