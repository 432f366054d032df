"""
Explaining: a person's credit by a chain of rule sets on a day, entry by entry, and the same as plain data.

It follows from the facts, the rules and the day alone: the same three give the same answer, whoever asks and whenever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.rules.accounts import Account, balance
from ledger.rules.counting import Chain, Line
from ledger.rules.facts import Facts
from ledger.rules.periods import later
from ledger.rules.shape import Benefit, Condition, RuleSet
from ledger.rules.standing import Ask, Effect, LevelReport, Measures, ScaleReport, Standing, asks

STATES = {"probation": "见习志愿者", "active": "志愿者", "dormant": "近期没有服务（没有任何不利后果）", "cancelled": "志愿者身份已取消"}


@dataclass(frozen=True)
class Explanation:
    """A person's credit explained. *lines*: every fact in order of time; *account_minutes*: hours that the account holds, *surplus_minutes* for honour.

    status: a code of STATES, which touches nothing else; *eligible*: what is asked of everybody for any level; *benefits*: what the levels bring.
    """

    rules: RuleSet
    on: str
    minutes: int
    points: int
    lines: tuple[Line, ...]
    scales: tuple[ScaleReport, ...]
    effects: tuple[Effect, ...]
    status: str
    status_words: str
    eligible: tuple[Ask, ...]
    benefits: tuple[Benefit, ...]
    account: Account
    account_minutes: int
    surplus_minutes: int
    measures: Measures

    def scale(self, name: str) -> ScaleReport:
        """Give where somebody stands on a scale. Raises KeyError."""
        return {one.id: one for one in self.scales}[name]

    def binds(self, target: str) -> tuple[Effect, ...]:
        """List what binds on something: hours, star, status, backfill, selection, list."""
        return tuple(one for one in self.effects if one.target == target)

    @property
    def star(self) -> ScaleReport | None:
        """Give the first scale: the one that is shown beside the hours."""
        return self.scales[0] if self.scales else None

    def said(self) -> dict[str, Any]:
        """Say all of it as plain data: text, whole numbers, lists."""
        rules = self.rules
        return {
            "rules": {name: getattr(rules, name) for name in ("name", "title", "version", "effective_on", "document", "source")},
            "on": self.on,
            "minutes": self.minutes,
            "points": self.points,
            "status": self.status,
            "status_words": self.status_words,
            "scales": [_scale(one) for one in self.scales],
            "eligible": [_plain(one) for one in self.eligible],
            "effects": [_plain(one) | {"entries": list(one.entries)} for one in self.effects],
            "benefits": [_plain(one) | {"levels": sorted(one.levels), "beneficiaries": list(one.beneficiaries)} for one in self.benefits],
            "account": _plain(self.account),
            "account_minutes": self.account_minutes,
            "surplus_minutes": self.surplus_minutes,
            "lines": [{**_plain(one), "gains": [_plain(gain) for gain in one.gains], "remarks": list(one.remarks)} for one in self.lines],
        }


def _plain(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def _scale(one: ScaleReport) -> dict[str, Any]:
    said = _plain(one)
    levels = [
        {"number": level.number, "name": level.name, "holds": level.holds, "ways": [[_plain(ask) for ask in way] for way in level.ways]}
        for level in one.levels
    ]
    return said | {"levels": levels}


def explain(chain: Chain, facts: Facts, on: str) -> Explanation:
    """Explain a person's credit as of a day by rule sets with the days they are in force from, oldest first."""
    standing = Standing(chain, facts, on)
    rules, tally = standing.rules, standing.tally
    effects = standing.effects()
    scales = standing.scales(effects)
    status, words = _status(rules, facts, standing.measures, effects, on)
    most = rules.hours.account_minutes
    holds = tally.account_minutes if most is None else min(tally.account_minutes, most)
    return Explanation(
        rules,
        on,
        tally.minutes,
        tally.points,
        tuple(tally.lines),
        scales,
        effects,
        status,
        words,
        asks(rules.eligibility, standing.measures, {item.id: item.name for item in rules.items}),
        _benefits(rules, {one.id: one.at for one in scales}, effects),
        balance(tally, facts.spending, on),
        holds,
        tally.minutes - holds,
        standing.measures,
    )


def _status(rules: RuleSet, facts: Facts, found: Measures, effects: tuple[Effect, ...], on: str) -> tuple[str, str]:
    """Say what somebody is by the rules: cancelled, on probation, dormant or a volunteer."""
    ended = [one for one in effects if one.target == "status"]
    if ended:
        return "cancelled", "；".join(dict.fromkeys(one.why for one in ended))
    trial = Condition({"activities": rules.probation_activities, "hours": rules.probation_minutes})
    missing = [one.missing for one in asks(trial, found, {}) if not one.holds]
    if missing:
        return "probation", f"再{'、'.join(missing)}转为正式志愿者，时长全部带入"
    newest = max((one.day for one in facts.services if one.day <= on), default=facts.registered_on)
    if rules.dormant_months is not None and later(newest, rules.dormant_months) <= on:
        return "dormant", f"最近 {rules.dormant_months} 个月没有服务记录，随时欢迎回来"
    return "active", ""


def _benefits(rules: RuleSet, at: Mapping[str, int], effects: tuple[Effect, ...]) -> tuple[Benefit, ...]:
    """List what somebody may have; who was taken off the list has nothing of it while that binds."""
    if any(one.target == "list" for one in effects):
        return ()
    return tuple(one for one in rules.benefits if at[one.scale] in one.levels)


def level_words(report: LevelReport) -> str:
    """Say what is missing for a level, by the way that is nearest: 还差 3 小时、20 分."""
    ways = [[f"积分 {ask.missing}" if ask.measure == "points" else ask.missing for ask in way if not ask.holds] for way in report.ways]
    nearest: list[str] = min(ways, key=len)
    return "、".join(nearest)
