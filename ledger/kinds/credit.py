"""
What a credit record holds beside services: training, evaluations, awards, conduct, appraisals, disclosure and warning, points given up.

民政部令第67号 articles 8 to 10 ask for it of persons, 民政部令第60号 of organisations. A fact is never changed: it is voided, withdrawn or lifted by
another entry that names it. Whoever asked for what takes two people is `asked_by`, the entry's actor is who decided. Points are hundredths. What a bad
item of conduct rests on is a law or a central policy, by name (国办发〔2020〕49号).
"""

from ledger.kinds.checks import Check, day, digest, index, integer, many, number, one_of, slug, source, station, text
from ledger.kinds.kind import Kind

QUALITIES = {"excellent": "优秀", "good": "良好", "fair": "合格", "poor": "不合格"}
EVALUATORS = {"organiser": "活动组织者", "beneficiary": "服务对象", "committee": "居（村）委会"}
AWARD_LEVELS = {
    "station": "社区",
    "centre": "街镇",
    "district": "区县",
    "city": "市",
    "province": "省",
    "nation": "国家",
    "other": "其他单位",
}
SENSES = {"good": "守信", "bad": "失信"}
EFFECTS = {
    "hours": "所涉时长",
    "points": "积分",
    "star": "星级",
    "status": "志愿者身份",
    "backfill": "补录资格",
    "selection": "评选资格",
    "list": "名单",
}
"""What an item of conduct bears on. Each stands apart from the others."""
GROUNDS = {"repaired": "信用修复", "mistaken": "认定有误", "appeal": "申诉成立"}
APPRAISERS = {
    "committee": "居（村）委会",
    "special_committee": "专门委员会",
    "street": "街道（乡镇）",
    "residents": "居民代表",
    "third_party": "第三方",
}
LISTS = {"disclosed": "信用公示", "warned": "信用警示", "abnormal": "活动异常名录", "serious": "严重违法失信名单"}

PEOPLE_MAX = 400
MINUTES_MAX = 100_000
SERVICES_MAX = 400
TITLE_MAX, REASON_MAX, BASIS_MAX, REMARK_MAX = 100, 500, 200, 200

_account = text(40)
_reason = text(REASON_MAX)
_OF_PERSON: dict[str, Check] = {"volunteer": number, "station": station}
_OF_ORGANISATION: dict[str, Check] = {"organisation": number, "station": station}
_OF_EITHER: dict[str, Check] = {"volunteer": number, "organisation": number}
"""Of a person or of an organisation: exactly one, which the ledger's functions see to."""
_LIFTED: dict[str, Check] = {"ground": one_of(GROUNDS), "reason": _reason, "lifted_on": day, "asked_by": _account}

KINDS = (
    Kind(
        "training.recorded",
        1,
        {
            "volunteers": many(number, PEOPLE_MAX, 1),
            "station": station,
            "title": text(TITLE_MAX),
            "content": _reason,
            "minutes": integer(1, MINUTES_MAX),
            "organiser": text(TITLE_MAX),
            "trained_on": day,
        },
        {"organisation": number, "source": source},
    ),
    Kind("training.voided", 1, {"training": index, "volunteers": many(number, PEOPLE_MAX, 1), "station": station, "reason": _reason}),
    Kind(
        "evaluation.recorded",
        1,
        {**_OF_PERSON, "activity": number, "quality": one_of(QUALITIES), "evaluated_on": day, "by": one_of(EVALUATORS)},
        {"service": index, "organisation": number, "remark": text(REMARK_MAX)},
    ),
    Kind("evaluation.voided", 1, {**_OF_PERSON, "evaluation": index, "reason": _reason}),
    Kind(
        "award.granted",
        1,
        {"station": station, "title": text(TITLE_MAX), "unit": text(TITLE_MAX), "level": one_of(AWARD_LEVELS), "granted_on": day},
        {**_OF_EITHER, "evidence": digest, "asked_by": _account, "selection": text(40), "rank": integer(1)},
    ),
    Kind("award.withdrawn", 1, {"award": index, "station": station, "reason": _reason, "asked_by": _account}, _OF_EITHER),
    Kind(
        "conduct.recorded",
        1,
        {"station": station, "item": slug, "sense": one_of(SENSES), "occurred_on": day, "reason": _reason, "asked_by": _account},
        {
            **_OF_EITHER,
            "basis": text(BASIS_MAX),
            "expires_on": day,
            "effects": many(one_of(EFFECTS), len(EFFECTS), 1),
            "services": many(index, SERVICES_MAX, 1),
            "points": integer(),
        },
    ),
    Kind("conduct.lifted", 1, {"conduct": index, "station": station, **_LIFTED}, _OF_EITHER),
    Kind(
        "organisation.appraised",
        1,
        {
            **_OF_ORGANISATION,
            "appraiser": one_of(APPRAISERS),
            "name": text(TITLE_MAX),
            "grade": one_of(QUALITIES),
            "opinion": _reason,
            "appraised_on": day,
        },
    ),
    Kind(
        "organisation.credit_noted",
        1,
        {
            **_OF_ORGANISATION,
            "list": one_of(LISTS),
            "basis": text(BASIS_MAX),
            "reason": _reason,
            "noted_on": day,
            "asked_by": _account,
        },
        {"mend_by": day},
    ),
    Kind("organisation.credit_lifted", 1, {**_OF_ORGANISATION, "note": index, **_LIFTED}),
    Kind(
        "points.spent",
        1,
        {**_OF_PERSON, "policy": slug, "points": integer(1), "purpose": text(200), "spent_on": day},
    ),
)
