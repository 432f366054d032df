"""A rule set in plain sentences, for who has to live by it: what counts, what it gives, what follows."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger import codes
from ledger.kinds.credit import AWARD_LEVELS, EVALUATORS, QUALITIES
from ledger.rules import shape
from ledger.rules.fields import HUNDRED, spoken
from ledger.rules.periods import FIRST, LAST, PER, Window
from ledger.rules.reading import WEEKDAYS
from ledger.rules.shape import Condition, Item, RuleSet, Where
from ledger.rules.standing import amount

_OF = {
    "times": "服务一次",
    "trainings": "参加一次培训",
    "awards": "得到一项表彰",
    "evaluations": "得到一次评价",
    "conduct": "每有一条",
    "level": "每一级",
}


@dataclass(frozen=True)
class Section:
    """A heading and the sentences under it."""

    title: str
    lines: list[str]


def describe(rules: RuleSet) -> list[Section]:
    """Say a rule set in plain Chinese; sections that say nothing are left out."""
    names = {item.id: item.name for item in rules.items}
    sections = [Section(f"{scale.name}怎么评", _levels(rules, scale, names)) for scale in rules.scales]
    always = _condition(rules.eligibility, names)
    sections += [
        Section("评级的前提", [always] if always else []),
        Section("时长怎么算", _hours(rules)),
        Section("积分怎么算", [line for item in rules.items if item.sense != "bad" for line in _item(rules, item)] + _bounds(rules)),
        Section("失信怎么处理", [_bad(item) for item in rules.items if item.sense == "bad"] + _counters(rules, names)),
        Section("志愿者身份", _status(rules)),
        Section("激励", _benefits(rules)),
        Section("积分怎么用", _spending(rules)),
        Section("登记时的限制", _gates(rules)),
    ]
    return [section for section in sections if section.lines]


def _levels(rules: RuleSet, scale: shape.Scale, names: dict[str, str]) -> list[str]:
    lines = [f"{level.name}：{'；或者 '.join(_condition(one, names) for one in level.when)}" for level in rules.levels_of(scale.id)]
    return [*lines, "达到以后一直保留" if scale.keeps else "按现在的时长和积分随时重新评定"]


def _condition(condition: Condition, names: dict[str, str]) -> str:
    said = [f"{shape.MEASURES[name]} {amount(name, least)}" for name, least in condition.measures.items()]
    said += [f"「{names[name]}」满 {spoken(least)} 分" for name, least in condition.items.items()]
    return "，并且".join([*said, *(shape.DEMANDS[name] for name in sorted(condition.demands))])


def _where(where: Where) -> str:
    parts = [
        _named("系列", where.series, codes.SERIES),
        _named("服务类型", where.services, codes.SERVICES),
        _named("依据", where.grades, codes.GRADES),
        _named("", where.levels, AWARD_LEVELS),
        _named("", where.qualities, QUALITIES),
        _named("评价人", where.evaluators, EVALUATORS),
        "、".join(WEEKDAYS[day] for day in sorted(where.weekdays)),
        f"名称含「{'」或「'.join(where.titles)}」" if where.titles else "",
        f"{where.clock_from or '00:00'} 至 {where.clock_until or '24:00'} 开始" if where.clock_from or where.clock_until else "",
        f"一次不少于 {where.minutes_from} 分钟" if where.minutes_from else "",
        {True: "由组织登记的", False: "不是由组织登记的", None: ""}[where.by_organisation],
        f"{where.since} 起" if where.since != FIRST else "",
        f"到 {where.until} 为止" if where.until != LAST else "",
        f"站点 {'、'.join(sorted(where.stations))}" if where.stations else "",
    ]
    said = "；".join(part for part in parts if part)
    return f"（只算{said}）" if said else ""


def _named(label: str, found: Iterable[str], table: dict[str, str]) -> str:
    words = "、".join(word for code, word in table.items() if code in set(found))
    return f"{label}{'：' if label else ''}{words}" if words else ""


def _caps(caps: Iterable[shape.Cap], *, hours: bool) -> list[str]:
    return [f"{PER[cap.per]}最多 {amount('hours', cap.most) if hours else spoken(cap.most) + ' 分'}" for cap in caps]


def _item(rules: RuleSet, item: Item) -> list[str]:
    given = _given(rules, item)
    limits = [*_caps(item.minutes_caps, hours=True), *_caps(item.points_caps, hours=False)]
    category = next((one for one in rules.categories if one.id == item.category), None)
    limits += [f"计入「{category.name}」，{'，'.join(_caps(category.caps, hours=False))}"] if category else []
    limits += [] if item.window == Window() else [f"按{item.window.words}"]
    limits += [f"{item.expires_months} 个月后过期"] if item.expires_months else []
    limits += ["当年 12 月 31 日过期"] if item.expires_year_end else []
    lines = [f"{item.name}{_where(item.where)}：{'，'.join([given, *limits])}"]
    if item.coefficients:
        kinds = codes.SERVICES | codes.SERIES | {"other": "其余"}
        said = "，".join(
            f"{'·'.join(kinds[part] for part in code.split('/'))} {spoken(value)}" for code, value in item.coefficients.items()
        )
        lines.append(f"「{item.name}」的系数：{said}")
    return lines


def _given(rules: RuleSet, item: Item) -> str:
    if item.counts == "start":
        return f"起始 {spoken(item.points)} 分"
    if item.tiers:
        lines, low = [], 0
        for tier in item.tiers:
            span = f"{low // 60} 小时以上" if tier.to_minutes is None and low else ""
            span = span or (f"{low // 60} 至 {tier.to_minutes // 60} 小时" if tier.to_minutes is not None else "")
            rate = amount("hours", tier.per_minutes)
            lines.append(f"{span}{'每' if span else '每 '}{' ' if span else ''}{rate} {spoken(tier.points)} 分")
            low = tier.to_minutes or low
        return "，".join(lines)
    if item.table:
        levels = {str(at): level.name for at, level in enumerate(rules.levels_of(item.scale), 1)} if item.scale else {}
        words = AWARD_LEVELS | QUALITIES | levels
        return "，".join(f"{word} {spoken(item.table[code])} 分" for code, word in words.items() if code in item.table)
    if item.recorded_points:
        return "按记录写明的分数" + (f"，最多 {spoken(item.points_most)} 分" if item.points_most is not None else "")
    return f"{_OF[item.counts]} {spoken(item.points)} 分"


def _bounds(rules: RuleSet) -> list[str]:
    lines = []
    if rules.low is not None or rules.high is not None:
        bounds = [
            f"最低 {spoken(rules.low)} 分" if rules.low is not None else "",
            f"最高 {spoken(rules.high)} 分" if rules.high is not None else "",
        ]
        lines.append("总分" + "，".join(bound for bound in bounds if bound))
    if any(item.tiers for item in rules.items):
        rounding = rules.rounding
        lines.append(f"不足 {spoken(rounding.unit)} 分的，{shape.ROUNDED[rounding.of]}{shape.ROUNDINGS[rounding.way]}")
    return lines


def _hours(rules: RuleSet) -> list[str]:
    hours = rules.hours
    lines = [_where(hours.where).strip("（）")] if hours.where != Where() else []
    lines += ["培训时间算作时长"] if hours.training else []
    lines += _caps(hours.caps, hours=True)
    lines += [] if hours.window == Window() else [f"时长按{hours.window.words}计"]
    if hours.account_minutes:
        lines.append(f"个人账户最多存 {amount('hours', hours.account_minutes)}，多出来的作为荣誉，可以捐给别人")
    if hours.account_where is not None:
        lines.append(f"存入个人账户的{_where(hours.account_where)}，其余只作荣誉或捐赠")
    return lines


def _bad(item: Item) -> str:
    taken = "按记录写明的分数扣" if item.recorded_points else f"扣 {spoken(-item.points)} 分" if item.points else "不扣分"
    effects = "，".join(shape.EFFECTS[one] for one in sorted(item.effects - {"points"}))
    repair = ""
    if item.repair:
        terms = [f"满 {item.repair.months} 个月"] if item.repair.months else []
        terms += [f"再服务 {amount('hours', item.repair.minutes)}"] if item.repair.minutes else []
        repair = f"；{'、'.join(terms)}{'可以申请修复' if item.repair.application else '自动恢复'}"
    free = f"；{item.free_from} 至 {item.free_until} 自查期内的不追究" if item.free_from <= item.free_until else ""
    return f"{item.name}：{taken}{'，' + effects if effects else ''}{repair}{free}。依据：{item.basis}"


def _counters(rules: RuleSet, names: dict[str, str]) -> list[str]:
    lines = []
    for counter in rules.counters:
        effects = "，".join(shape.EFFECTS[one] for one in sorted(counter.effects))
        if counter.points_below is not None:
            lines.append(
                f"{counter.name}：{PER[counter.per]}积分低于 {spoken(counter.points_below)} 分的，{effects}。依据：{counter.basis}"
            )
        else:
            which = "、".join(names[one] for one in sorted(counter.items))
            lines.append(f"{counter.name}：{PER[counter.per]}有 {counter.at_least} 次（{which}）的，{effects}。依据：{counter.basis}")
    return lines


def _status(rules: RuleSet) -> list[str]:
    trial = Condition({"activities": rules.probation_activities, "hours": rules.probation_minutes})
    lines = [f"{_condition(trial, {})}以前是见习志愿者，之后转正，时长全部带入"] if any(trial.measures.values()) else []
    if rules.dormant_months is not None:
        lines.append(f"{rules.dormant_months} 个月没有服务的标为「近期没有服务」，没有任何不利后果")
    return lines


def _benefits(rules: RuleSet) -> list[str]:
    lines = []
    for one in rules.benefits:
        levels = rules.levels_of(one.scale)
        at = "、".join(levels[number - 1].name for number in sorted(one.levels)) or "各级"
        leave = "，本人同意后才告诉提供方" if one.authorisation else ""
        lines.append(f"{one.name}：{at}{leave}{'；用于：' + '、'.join(one.beneficiaries) if one.beneficiaries else ''}")
    return lines


def _spending(rules: RuleSet) -> list[str]:
    terms = rules.spending
    lines = [f"{PER[terms.per]}最多兑换 {terms.times} 次"] if terms.times else []
    lines += [f"在 {'、'.join(f'{month} 月' for month in sorted(terms.months))}兑换"] if terms.months else []
    lines += [f"一次至少 {spoken(terms.least)} 分"] if terms.least > HUNDRED else []
    return [*lines, "用掉的是积分，时长一分钟也不会少"] if lines else []


def _gates(rules: RuleSet) -> list[str]:
    gates = rules.gates
    said = {
        f"活动名称里不能有「{'」「'.join(gates.title_forbids)}」": gates.title_forbids,
        f"一次活动最长 {amount('hours', gates.activity_minutes_max or 0)}": gates.activity_minutes_max,
        f"一个活动最长 {gates.activity_days_max} 天": gates.activity_days_max,
        f"一个人一次活动最多记 {amount('hours', gates.credited_minutes_max or 0)}": gates.credited_minutes_max,
        f"同一个活动最多签到 {gates.sign_in_pairs_max} 次": gates.sign_in_pairs_max,
        "补录不能超过活动的计划时长": gates.backfill_within_plan,
        f"补录要在活动结束后 {gates.backfill_hours_max} 小时之内": gates.backfill_hours_max,
        f"不足 {gates.flag_minutes_below} 分钟的，标出来核对": gates.flag_minutes_below,
        f"超过计划时长两倍加 {gates.flag_over_plan_minutes} 分钟的，标出来核对": gates.flag_over_plan_minutes is not None,
    }
    return [line for line, holds in said.items() if holds]
