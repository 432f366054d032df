"""
What is said of the filing life (备案) of community social organisations: an application, what the community and the street say of it, what follows.

The fields are those of the forms for filing, change and de-filing of community social organisations (备案申请、变更备案、注销备案). What is personal
in them is sealed: of each leader (负责人), and of the rest of the paper, an entry holds only salted commitments. Public words are plain.
"""

from collections.abc import Mapping
from typing import Any

from ledger.kinds.checks import Check, boolean, day, digest, integer, many, number, one_of, slug, station, text
from ledger.kinds.kind import Kind

FORMS = {"file": "备案申请", "refile": "重新备案", "change": "变更备案", "cancel": "注销备案"}
STEPS = {"community": "居（村）委会意见", "street": "备案机关意见"}
OUTCOMES = {"agreed": "同意", "returned": "退回修改", "refused": "不同意"}
LEGAL_FORMS = {"association": "社会团体", "service-unit": "民办非企业单位"}
TIERS = {"registered": "依法登记", "street": "街镇管理", "community": "社区领导"}
"""Who looks after it: registered by law; the street or town; the community's party organisation, with the committee's support."""
DECLARED = {
    "capacity": "负责人具有完全民事行为能力（年满十八周岁）",
    "no-deprivation": "负责人未受过剥夺政治权利的刑事处罚",
    "no-blacklist": "负责人未被列入严重违法失信名单",
    "true": "本表填写的内容和所附材料真实、合法、有效",
}
"""What the main leader declares and signs; the last alone where no leader is put forward."""
SETTLED = {
    "debts": "债权债务已清算完毕",
    "finance": "财务已结清，代管的资金已移交",
    "seals": "印章已交回",
    "papers": "备案表等材料已退还",
}
"""What has to be done before an organisation is de-filed (注销备案)."""
ITEMS = {
    "name": "名称",
    "leader": "主要负责人和负责人名单",
    "premises": "活动场所",
    "area": "活动地域",
    "scope": "宗旨和业务范围",
    "category": "类别",
    "tier": "管理层级",
    "members": "成员",
}
"""What may change (变更的事项)."""
ERASED = {"left": "不再担任，本人要求", "own_request": "本人要求", "expired": "保存期限届满", "replaced": "已另交新的申请"}
LEADERS_MAX = 12
REASON_MAX = 300
WORDS_MAX = 500


def _object(fields: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Accept an object with these fields, and perhaps some more."""
    known = {**fields, **(optional or {})}

    def check(value: Any) -> bool:
        return isinstance(value, dict) and fields.keys() <= value.keys() <= known.keys() and all(known[key](value[key]) for key in value)

    return check


_PEOPLE = integer(1, 100_000)
_OF: dict[str, Check] = {"organisation": number, "station": station, "filing": number}
PROFILE: dict[str, Check] = {
    "legal_form": one_of(LEGAL_FORMS),
    "area": text(100),
    "scheme": slug,
    "category": slug,
    "volunteer_organisation": boolean,
    "tier": one_of(TIERS),
    "purpose": text(WORDS_MAX),
    "scope": text(WORDS_MAX),
    "members": integer(0, 100_000),
    "staff": integer(0, 100_000),
    "premises_area": integer(0, 1_000_000),
    "premises_public": boolean,
    "charter": _object({"adopted_on": day, "term_years": integer(1, 10)}),
    "roster": _object({"people": integer(0, 100_000), "volunteers": integer(0, 100_000)}),
}
"""The public particulars of an organisation: area in square metres; the roster is counted, its names are sealed."""

KINDS = (
    Kind(
        "organisation.filing_asked",
        1,
        {
            **_OF,
            "street": station,
            "form": one_of(FORMS),
            "name": text(100),
            "declared": many(one_of(DECLARED), len(DECLARED), 1),
            "declared_on": day,
            "leaders": many(_object({"identity": digest}, {"contact": digest}), LEADERS_MAX),
        },
        {
            **PROFILE,
            "number": text(60),
            "replaces": number,
            "particulars": digest,
            "items": many(one_of(ITEMS), len(ITEMS), 1),
            "reason": text(REASON_MAX),
            "procedure": _object({"held_on": day, "members": _PEOPLE, "present": _PEOPLE, "agreed": _PEOPLE}),
            "settled": many(one_of(SETTLED), len(SETTLED), 1),
        },
    ),
    Kind(
        "organisation.filing_judged",
        1,
        {**_OF, "step": one_of(STEPS), "outcome": one_of(OUTCOMES)},
        {"reason": text(REASON_MAX)},
    ),
    Kind("organisation.changed", 1, {**_OF, "changed_on": day, "items": many(one_of(ITEMS), len(ITEMS), 1)}),
    Kind(
        "organisation.cancelled",
        1,
        {**_OF, "cancelled_on": day, "settled": many(one_of(SETTLED), len(SETTLED), len(SETTLED))},
    ),
    Kind(
        "organisation.filing_erased",
        1,
        {
            **_OF,
            "leaders": many(integer(0, LEADERS_MAX - 1), LEADERS_MAX),
            "particulars": boolean,
            "reason": one_of(ERASED),
            "requested_on": day,
        },
    ),
)
