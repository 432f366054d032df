"""
Reading a rule file: JSON in, a `RuleSet` out, or a sentence that names the field at fault.

The form is read here, field by field; whether the parts fit together and are lawful is judged in soundness.py.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from ledger import codes
from ledger.errors import InvalidRequest
from ledger.kinds.checks import plain
from ledger.kinds.credit import AWARD_LEVELS, EVALUATORS, QUALITIES, SENSES
from ledger.rules import shape
from ledger.rules.fields import Part, refuse
from ledger.rules.periods import FIRST, LAST, PER, WINDOWS, Window
from ledger.rules.soundness import NO_DUTY, check_item, check_whole

RULES_BYTES_MAX = 50_000
"""A rule file goes into one entry with its frame: an entry holds at most 60,000 bytes."""
WEEKDAYS = {1: "周一", 2: "周二", 3: "周三", 4: "周四", 5: "周五", 6: "周六", 7: "周日"}
_ITEM = "item/"
"""A condition asks for points of one item by this and its id: a policy's values may nest five deep, and conditions are there already."""
OLD_FACTS = {"keep": "旧事实按当时的规则", "recount": "全部按新规则重算"}


def read(content: bytes) -> shape.RuleSet:
    """Read and check a rule file. Raises InvalidRequest naming the field in Chinese."""
    if len(content) > RULES_BYTES_MAX:
        raise InvalidRequest(f"规则文件有 {len(content)} 字节，最多 {RULES_BYTES_MAX} 字节，请精简")
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"规则文件不是 JSON：第 {error.lineno} 行第 {error.colno} 列看不懂，请检查逗号、引号和括号") from None
    return parse(said)


def parse(said: Any) -> shape.RuleSet:
    """Read and check rules that are JSON values already. Raises InvalidRequest naming the field in Chinese."""
    part = Part(said)
    rules = _rules(part)
    part.close()
    if not plain(said):
        raise InvalidRequest("规则文件里的文字太长（一处最多 2000 字），或有小数、空值、手机号、身份证号。小数请加引号写")
    check_whole(rules)
    return rules


def _rules(part: Part) -> shape.RuleSet:
    no_bounds: tuple[int | None, int | None, shape.Rounding] = (None, None, shape.Rounding())
    bounds, probation = part.part("points", _points, no_bounds), part.part("probation", _probation, (0, 0))
    return shape.RuleSet(
        part.slug("name"),
        part.text("title", length_max=60),
        part.whole("version", low=1, high=10**6),
        part.day("effective_on"),
        part.text("document"),
        part.text("source", "", 500),
        part.one_of("old_facts", OLD_FACTS, "recount"),
        part.part("hours", _hours, shape.Hours()),
        part.parts("items", _item, 100),
        part.parts("categories", _category, 50),
        *bounds,
        part.parts("scales", _scale, 10),
        part.parts("levels", _level, 60),
        part.part("eligibility", _condition, shape.Condition()),
        *probation,
        part.whole("dormant_months", None, 1, 600),
        part.parts("counters", _counter, 50),
        part.parts("benefits", _benefit, 200),
        part.part("spending", _spending, shape.Spending()),
        part.part("gates", _gates, shape.Gates()),
    )


def _points(part: Part) -> tuple[int | None, int | None, shape.Rounding]:
    low, high = part.points("from", None), part.points("to", None)
    if low is not None and high is not None and low > high:
        refuse(part.where, "to", "上限低于下限 from")
    unit = part.points("unit", 1)
    if unit < 1:
        refuse(part.where, "unit", '应大于 0，如 1 或 "0.1"')
    rounding = shape.Rounding(unit, part.one_of("rounding", shape.ROUNDINGS, "down"), part.one_of("rounded", shape.ROUNDED, "total"))
    return low, high, rounding


def _probation(part: Part) -> tuple[int, int]:
    return part.whole("activities", 0, 0, 1000), part.whole("hours", 0, 0, 10_000) * 60


def _where(part: Part) -> shape.Where:
    return shape.Where(
        part.many_of("series", codes.SERIES),
        part.many_of("services", codes.SERVICES),
        part.many_of("grades", codes.GRADES),
        frozenset(part.texts("stations", 20)),
        part.many_of("weekdays", WEEKDAYS),
        part.texts("titles"),
        part.clock("clock_from"),
        part.clock("clock_until"),
        part.whole("minutes_from", 0, 0, 2880),
        part.flag("by_organisation", None),
        part.many_of("levels", AWARD_LEVELS),
        part.many_of("qualities", QUALITIES),
        part.many_of("evaluators", EVALUATORS),
        part.day("since", FIRST),
        part.day("until", LAST),
    )


def _window(part: Part) -> Window:
    window = Window(
        part.one_of("kind", WINDOWS),
        part.whole("start_month", 1, 1, 12),
        part.whole("collected_month", 1, 1, 12),
        part.whole("months", 12, 1, 1200),
        part.one_of("per", {name: PER[name] for name in ("month", "quarter", "year")}, "quarter"),
    )
    if window.kind == "rolling" and "months" not in part:
        refuse(part.where, "months", "滚动计分要写明几个月")
    return window


def _cap(part: Part) -> tuple[str, str, int]:
    per = part.one_of("per", PER)
    if ("hours" in part) == ("points" in part):
        refuse(part.where, "hours", "上限写 hours（小时）或 points（积分）之一")
    if "points" in part:
        most = part.points("points")
        if most < 0:
            refuse(part.where, "points", "上限不能是负数")
        return "points", per, most
    return "minutes", per, part.whole("hours", low=0, high=100_000) * 60


def _caps(part: Part, *, kinds: Iterable[str]) -> dict[str, tuple[shape.Cap, ...]]:
    found = part.parts("caps", _cap, 10)
    for unit, _, _ in found:
        if unit not in kinds:
            refuse(part.where, "caps", "这里的上限只能按积分（points）写" if unit == "minutes" else "这里的上限只能按小时（hours）写")
    return {kind: tuple(shape.Cap(per, most) for unit, per, most in found if unit == kind) for kind in ("minutes", "points")}


def _hours(part: Part) -> shape.Hours:
    account = part.whole("account_hours", None, 1, 100_000)
    return shape.Hours(
        part.part("where", _where, shape.Where()),
        part.flag("training"),
        _caps(part, kinds=("minutes",))["minutes"],
        part.part("window", _window, Window()),
        account * 60 if account else None,
        part.part("account_where", _where, None),
    )


def _tier(part: Part) -> shape.Tier:
    to_hours = part.whole("to_hours", None, 1, 100_000)
    points = part.points("points")
    if points < 0:
        refuse(part.where, "points", NO_DUTY)
    return shape.Tier(points, part.whole("per_minutes", 60, 1, 100_000), to_hours * 60 if to_hours else None)


def _repair(part: Part) -> shape.Repair:
    return shape.Repair(part.whole("months", 0, 0, 600), part.whole("hours", 0, 0, 10_000) * 60, part.flag("application", True))


def _item(part: Part) -> shape.Item:
    counts = part.one_of("counts", shape.COUNTS)
    said = {
        "id": part.slug("id"),
        "name": part.text("name", length_max=60),
        "counts": counts,
        "where": part.part("where", _where, shape.Where()),
        "tiers": part.parts("tiers", _tier, 20),
        "tiers_per": part.one_of("tiers_per", {name: PER[name] for name in ("month", "quarter", "year", "lifetime")}, "lifetime"),
        "table": part.table("table"),
        "coefficients": part.table("coefficients"),
        "category": part.slug("category", ""),
        "window": part.part("window", _window, Window()),
        "expires_months": part.whole("expires_months", None, 1, 1200),
        "expires_year_end": part.flag("expires_year_end"),
        "scale": part.slug("scale", ""),
    }
    caps = _caps(part, kinds=("minutes", "points") if counts in ("minutes", "training_minutes") else ("points",))
    said |= {"minutes_caps": caps["minutes"], "points_caps": caps["points"]}
    item = shape.Item(points=part.points("points", 0), **said, **_conduct(part, counts))
    check_item(part, item)
    return item


def _conduct(part: Part, counts: str) -> dict[str, Any]:
    """Take what only items of conduct have."""
    if counts != "conduct":
        for field in ("conduct", "sense", "basis", "effects", "effects_from", "repair", "recorded_points", "points_most", "free_from"):
            if field in part:
                refuse(part.where, field, f"只有计「{shape.COUNTS['conduct']}」的项才能写。{NO_DUTY if field == 'effects' else ''}")
        return {}
    return {
        "conduct": part.slug("conduct"),
        "sense": part.one_of("sense", SENSES),
        "basis": part.text("basis", ""),
        "effects": part.many_of("effects", shape.EFFECTS),
        "effects_from": part.points("effects_from", 0),
        "recorded_points": part.flag("recorded_points"),
        "points_most": part.points("points_most", None),
        "repair": part.part("repair", _repair, None),
        "free_from": part.day("free_from", LAST),
        "free_until": part.day("free_until", FIRST),
    }


def _category(part: Part) -> shape.Category:
    return shape.Category(part.slug("id"), part.text("name", length_max=60), _caps(part, kinds=("points",))["points"])


def _scale(part: Part) -> shape.Scale:
    return shape.Scale(part.slug("id"), part.text("name", length_max=30), part.flag("keeps"))


def _level(part: Part) -> shape.Level:
    level = shape.Level(part.slug("scale"), part.text("name", length_max=30), part.parts("when", _condition, 10))
    if not level.when or not all(one.measures or one.demands or one.items for one in level.when):
        refuse(part.where, "when", '要写明达到的条件，如 [{"hours": 100}]；几个条件写在一起是都要满足，分开写是满足其一')
    return level


def _condition(part: Part) -> shape.Condition:
    measures: dict[str, int] = {}
    for name in shape.MEASURES:
        if name in part:
            measures[name] = part.points(name) if name == "points" else part.whole(name, low=0, high=10**6)
        else:
            part.whole(name, None)
    for name in ("hours", "training_hours"):
        if name in measures:
            measures[name] *= 60
    items = {field.removeprefix(_ITEM): part.points(field) for field in part.said if field.startswith(_ITEM)}
    return shape.Condition(measures, frozenset(name for name in shape.DEMANDS if part.flag(name)), items)


def _counter(part: Part) -> shape.Counter:
    counter = shape.Counter(
        part.text("name", length_max=60),
        frozenset(part.texts("items", 40)),
        part.one_of("per", {name: PER[name] for name in ("month", "quarter", "year", "lifetime")}),
        part.many_of("effects", shape.EFFECTS),
        part.text("basis"),
        part.whole("at_least", 0, 0, 1000),
        part.points("points_below", None),
    )
    if (counter.points_below is None) == (not counter.items) or (counter.items and not counter.at_least) or not counter.effects:
        refuse(
            part.where,
            "items",
            "写哪些失信项（items）在一段时间内达到几次（at_least），或者积分低于多少（points_below），以及后果（effects）",
        )
    if counter.points_below is not None and counter.per not in ("year", "lifetime"):
        refuse(part.where, "per", "看积分的，只能按每年（year）或累计（lifetime）")
    return counter


def _benefit(part: Part) -> shape.Benefit:
    return shape.Benefit(
        part.text("name"),
        part.slug("scale"),
        part.wholes("levels", 1, 60),
        part.flag("authorisation", True),
        part.texts("beneficiaries"),
    )


def _spending(part: Part) -> shape.Spending:
    per = part.one_of("per", {name: PER[name] for name in ("month", "quarter", "year", "lifetime")}, "lifetime")
    return shape.Spending(per, part.whole("times", None, 1, 1000), part.wholes("months", 1, 12), part.points("least", 1))


def _gates(part: Part) -> shape.Gates:
    hours = {name: part.whole(name, None, 1, 100_000) for name in ("activity_hours_max", "credited_hours_max")}
    return shape.Gates(
        part.texts("title_forbids", 20),
        hours["activity_hours_max"] and hours["activity_hours_max"] * 60,
        part.whole("activity_days_max", None, 1, 3660),
        hours["credited_hours_max"] and hours["credited_hours_max"] * 60,
        part.whole("sign_in_pairs_max", None, 1, 10),
        part.flag("backfill_within_plan"),
        part.whole("backfill_hours_max", None, 1, 10_000),
        part.whole("flag_minutes_below", None, 1, 1440),
        part.whole("flag_over_plan_minutes", None, 0, 2880),
    )
