"""
Whether a rule set is sound: what it must not say, and that its parts fit together.

Points are only ever taken for a bad conduct item, with the law or policy it rests on. That somebody does not volunteer is no such item, nor may a
threshold of points be one that somebody without any record falls below (志愿服务条例 article 25, 国办发〔2020〕49号). Whatever another part refers to must
be there.
"""

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Any

from ledger import codes
from ledger.kinds.credit import AWARD_LEVELS, QUALITIES
from ledger.rules import shape
from ledger.rules.fields import Part, refuse

NO_DUTY = "志愿服务出于自愿（志愿服务条例第二十五条），不参加、不活跃不能扣分，也不能有任何不利后果"
_IDLE = (
    "不参加",
    "未参加",
    "没参加志愿",
    "没有服务",
    "无服务",
    "不服务",
    "不报名",
    "不活跃",
    "inactive",
    "no-service",
    "not-volunteering",
    "idle",
)
"""How a rule against those who do not volunteer would be called."""
_TIMED = ("minutes", "training_minutes")


def check_item(part: Part, item: shape.Item) -> None:
    """Judge one item. Raises InvalidRequest naming the field."""
    bad, timed = item.counts == "conduct" and item.sense == "bad", item.counts in _TIMED
    given = [item.points, *item.table.values()]
    limits = [tier.to_minutes for tier in item.tiers if tier.to_minutes is not None]
    idle = any(word in f"{item.name} {item.conduct} {item.id}" for word in _IDLE)
    passing = item.expires_months or item.expires_year_end or item.window.kind != "lifetime"
    faults = [
        (not bad and min(given) < 0, "points" if item.points < 0 else "table", f"只有失信记录才能扣分。{NO_DUTY}"),
        (not bad and item.effects, "effects", "守信记录没有不利后果"),
        (bad and idle, "name", NO_DUTY),
        (bad and not item.basis, "basis", "扣分和不利后果要写明所依据的法律、法规或中央政策（国办发〔2020〕49号），如「某条例第几条」"),
        (bad and max(given) > 0, "points", "失信记录不能加分，扣分请写成负数"),
        (item.tiers and (item.points or item.table), "tiers", "分档和 points、table 只能写一种"),
        (item.tiers and not timed, "tiers", "只有计时长的项才能分档"),
        (any(tier.to_minutes is None for tier in item.tiers[:-1]), "tiers", "除最后一档外，每一档都要写到多少小时（to_hours）"),
        (limits != sorted(set(limits)), "tiers", "各档的 to_hours 应从小到大"),
        (timed and not item.tiers, "tiers", '计时长的项要写每多少分钟多少分，如 [{"points": 1, "per_minutes": 60}]'),
        (item.table and item.counts not in ("awards", "evaluations", "level"), "table", "只有计表彰、评价、等级的项才能按表给分"),
        (item.coefficients and item.counts != "minutes", "coefficients", "只有计服务时长的项才有系数"),
        (item.counts == "start" and passing, "expires_months", "起始分不会过期，也没有计分时间段"),
    ]
    for wrong, field, should in faults:
        if wrong:
            refuse(part.where, field, should)
    _check_codes(part, item)


def _check_codes(part: Part, item: shape.Item) -> None:
    """Make sure that tables and coefficients name codes that there are."""
    known: dict[str, Any] = {"awards": AWARD_LEVELS, "evaluations": QUALITIES}
    for code in item.table:
        if item.counts in known and code not in known[item.counts]:
            refuse(
                part.where, f"table.{code}", "应是 " + "、".join(f"{one}（{word}）" for one, word in known[item.counts].items()) + " 之一"
            )
        if item.counts == "level" and not code.isdecimal():
            refuse(part.where, f"table.{code}", '应写第几级，如 "1"')
    for code, value in item.coefficients.items():
        series, _, service = code.rpartition("/")
        known_code = (series in codes.SERIES and service in codes.SERVICES) if series else service in codes.SERVICES | codes.SERIES
        if code != "other" and not known_code:
            refuse(part.where, f"coefficients.{code}", "应是系列、服务类型的代码，或「系列/服务类型」；其余的写 other")
        if value < 0:
            refuse(part.where, f"coefficients.{code}", "系数不能是负数")


def check_whole(rules: shape.RuleSet) -> None:
    """Judge a rule set as a whole. Raises InvalidRequest."""
    _check_names(rules)
    _check_references(rules)
    _check_kept(rules)
    _check_no_duty(rules)


def _check_names(rules: shape.RuleSet) -> None:
    named = {
        "items": [one.id for one in rules.items],
        "categories": [one.id for one in rules.categories],
        "scales": [one.id for one in rules.scales],
    }
    for field, ids in named.items():
        twice = [name for name, count in Tally(ids).items() if count > 1]
        if twice:
            refuse("", field, f"有两项的 id 都是「{twice[0]}」，id 不能重复")
    seen: set[str] = set()
    for item in rules.items:
        if item.sense == "bad" and item.conduct in seen:
            refuse("", "items", f"失信项「{item.conduct}」写了两次，请合成一项")
        seen |= {item.conduct} if item.sense == "bad" else set()


def _check_references(rules: shape.RuleSet) -> None:
    items, scales = {item.id: item for item in rules.items}, {scale.id for scale in rules.scales}
    for at, item in enumerate(rules.items, 1):
        _check_item_references(rules, f"「items」第 {at} 项", item)
    for at, level in enumerate(rules.levels, 1):
        if level.scale not in scales:
            refuse(f"「levels」第 {at} 项", "scale", f"scales 里没有「{level.scale}」")
        _check_items(f"「levels」第 {at} 项「when」", level.when, items)
    for scale in rules.scales:
        if not rules.levels_of(scale.id):
            refuse("", "levels", f"「{scale.name}」一级也没有，请在 levels 里写")
    _check_items("「eligibility」", (rules.eligibility,), items)
    for at, counter in enumerate(rules.counters, 1):
        wrong = [name for name in sorted(counter.items) if name not in items or items[name].sense != "bad"]
        if wrong:
            refuse(f"「counters」第 {at} 项", "items", f"「{wrong[0]}」不是 items 里的失信项")
    for at, benefit in enumerate(rules.benefits, 1):
        if benefit.scale not in scales or max(benefit.levels, default=0) > len(rules.levels_of(benefit.scale)):
            refuse(f"「benefits」第 {at} 项", "levels", "等级表（scales、levels）里没有这一级")


def _check_item_references(rules: shape.RuleSet, where: str, item: shape.Item) -> None:
    if item.category and item.category not in {one.id for one in rules.categories}:
        refuse(where, "category", f"categories 里没有「{item.category}」")
    if (item.counts == "level") != bool(item.scale) or (item.scale and item.scale not in {one.id for one in rules.scales}):
        refuse(where, "scale", "计「已达等级」的项要写明是 scales 里的哪一个")
    if item.scale and any(_on_points(condition) for level in rules.levels_of(item.scale) for condition in level.when):
        refuse(where, "scale", "这个等级本身要看积分，不能再折成积分")


def _check_items(where: str, conditions: Iterable[shape.Condition], items: dict[str, shape.Item]) -> None:
    for name in (name for condition in conditions for name in condition.items):
        if name not in items:
            refuse(where, f"item/{name}", f"items 里没有「{name}」")


def _on_points(condition: shape.Condition) -> bool:
    return "points" in condition.measures or bool(condition.items)


def _check_kept(rules: shape.RuleSet) -> None:
    """Refuse levels that are kept for ever by points that come and go: nobody could say when they were reached."""
    windows = [rules.hours.window, *(item.window for item in rules.items)]
    passing = any(item.expires_months or item.expires_year_end for item in rules.items) or any(one.kind == "rolling" for one in windows)
    for at, scale in enumerate(rules.scales, 1):
        if scale.keeps and passing:
            refuse(f"「scales」第 {at} 项", "keeps", "有会过期或滚动计算的积分、时长时，等级不能「达到后保留」，请写 false")


def _check_no_duty(rules: shape.RuleSet) -> None:
    """Refuse a threshold below which somebody stands who never did anything."""
    start = sum(item.points for item in rules.items if item.counts == "start")
    start = max(start, rules.low if rules.low is not None else start)
    for at, counter in enumerate(rules.counters, 1):
        if any(word in counter.name for word in _IDLE):
            refuse(f"「counters」第 {at} 项", "name", NO_DUTY)
        floor = start if counter.per == "lifetime" else 0
        if counter.points_below is not None and counter.points_below > floor:
            refuse(f"「counters」第 {at} 项", "points_below", f"没有任何记录的人也会低于这个分数。{NO_DUTY}")
