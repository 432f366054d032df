"""What is said of volunteers.

`asked_by` names the account that proposed what the entry's actor, a second person, decided. Neither ages nor birth dates are ever said: that a minor's
guardian has consented is two digests: a commitment to who they are, and the paper they signed. A change names every commitment that holds after it.
"""

from ledger.kinds.checks import Check, day, digest, many, number, one_of, source, station, text
from ledger.kinds.kind import Kind

MEANS = {"sign_in": "本人登录后确认", "desk_code": "本人在服务台输入登录码确认", "paper": "本人签字的纸质确认"}
"""How somebody said that the registration is theirs."""
LEAVING = {"own_wish": "本人不再参加", "moved_away": "迁往外地", "deceased": "去世", "other": "其他原因", "not_me": "本人否认登记"}
"""Why somebody is no volunteer any more."""
FINDINGS = {"upheld": "否认属实：登记没有经过本人", "mistaken": "经核实是本人登记过的"}
"""What came out when a disowned registration was looked into."""
ERASING = {
    "own_wish": "本人要求删除",
    "consent_withdrawn": "本人撤回同意",
    "purpose_ended": "不再参加，资料不再需要",
    "unlawful": "当初收集不合规定",
    "guardian": "监护人要求删除",
    "heirs": "近亲属为已故者要求删除",
}
"""Why somebody's data is erased (个人信息保护法 articles 15, 31, 47, 49)."""

_OF: dict[str, Check] = {"volunteer": number, "station": station}
_ACCOUNT = text(40)

_REGISTERED: dict[str, Check] = {
    **_OF,
    "registered_on": day,
    "basis": one_of(("self", "clerk", "roster")),
    "identity": digest,
}
_ENDED: dict[str, Check] = {**_OF, "requested_on": day, "decided_on": day, "reason": one_of(ERASING), "asked_by": _ACCOUNT}

KINDS = (
    Kind("volunteer.registered", 1, _REGISTERED, {"contact": digest, "source": source}),
    Kind("volunteer.registered", 2, _REGISTERED, {"contact": digest, "source": source, "guardian": digest, "consent": digest}),
    Kind(
        "volunteer.confirmed",
        1,
        {**_OF, "confirmed_on": day, "means": one_of(MEANS)},
        {"evidence": digest, "code_by": _ACCOUNT, "asked_by": _ACCOUNT},
    ),
    Kind(
        "volunteer.changed",
        1,
        {**_OF, "changed_on": day, "reason": text(200), "identity": digest},
        {"contact": digest, "guardian": digest, "consent": digest, "document": digest, "asked_by": _ACCOUNT},
    ),
    Kind("volunteer.moved", 1, {**_OF, "from_station": station, "moved_on": day}, {"asked_by": _ACCOUNT}),
    Kind("volunteer.withdrawn", 1, {**_OF, "withdrawn_on": day, "reason": one_of(LEAVING)}),
    Kind("volunteer.disowning_decided", 1, {**_OF, "finding": one_of(FINDINGS), "reason": text(200)}),
    Kind(
        "volunteer.merged",
        1,
        {**_OF, "into": number, "volunteers": many(number, 1, 1), "merged_on": day, "reason": text(200)},
        {"asked_by": _ACCOUNT},
    ),
    Kind("volunteer.erased", 1, _ENDED),
    Kind("volunteer.restricted", 1, {**_ENDED, "until": day, "basis": text(200)}),
    Kind("volunteer.backbone_designated", 1, {**_OF, "designated_on": day}),
)
