"""
What is said of yearly selections (优秀志愿者评选): the freeze, what was decided of doubts, the draw, the public list, objections, the final list.

A selection and its lists are named by numbers and digests: `list` is that of the canonical list (ledger/selections/lists.py), `rows` holds for each row
of the public list a commitment with a salt of its own, in the order of the rows. An objection's effect names records and people by number;
`days_off` and `days_worked` are the weekdays off and weekend days worked, as the calendar had them, where staff's working hours are asked for.
"""

import re

from ledger.kinds.checks import Check, day, digest, index, integer, many, number, one_of, plain, station, text
from ledger.kinds.kind import Kind

SUBJECTS = {"volunteers": "优秀志愿者", "organisations": "优秀志愿服务组织"}
DOUBTS = {"keep": "保留", "drop": "剔除", "back": "退回核实"}
GROUNDS = {
    "hours": "时长不对",
    "missing": "应该有的人不在名单上",
    "unfit": "名单上的人不符合条件",
    "identity": "不是本人，或写错了人",
    "other": "其他",
}
"""What somebody may say is wrong with a public list."""
MEANS = {"self": "本人在自己的页面上提出", "desk": "工作人员在服务台代为记下"}
FINDINGS = {"upheld": "异议成立", "rejected": "异议不成立"}
ROWS_MAX = 1_200
"""Rows of one list: so many commitments fit into an entry."""
CHANGES_MAX = 200
REASON_MAX = 500

_SHA256_HEX = re.compile(r"[0-9a-f]{64}").fullmatch
_OF: dict[str, Check] = {"selection": number, "station": station}
_ACCOUNT, _reason = text(40), text(REASON_MAX)

KINDS = (
    Kind(
        "selection.opened",
        1,
        {
            **_OF,
            "subject": one_of(SUBJECTS),
            "year": integer(1980, 2200),
            "rules": plain,
            "rules_sha256": _SHA256_HEX,
            "tree_size": index,
            "root": digest,
            "counted_on": day,
        },
        {"random_source": text(200), "replaces": number, "days_off": many(day, 400), "days_worked": many(day, 400)},
    ),
    Kind(
        "selection.doubt_decided",
        1,
        {**_OF, "service": index, "finding": one_of(DOUBTS), "reason": _reason, "asked_by": _ACCOUNT},
        {"volunteer": number, "organisation": number},
    ),
    Kind("selection.drawn", 1, {**_OF, "value": text(200), "drawn_on": day}),
    Kind(
        "selection.published",
        1,
        {**_OF, "list": digest, "rows": many(digest, ROWS_MAX), "published_from": day, "published_until": day},
    ),
    Kind(
        "selection.contested",
        1,
        {**_OF, "ground": one_of(GROUNDS), "means": one_of(MEANS)},
        {"row": integer(1, ROWS_MAX), "due_on": day, "volunteer": number},
    ),
    Kind(
        "selection.objection_decided",
        1,
        {**_OF, "objection": index, "finding": one_of(FINDINGS), "reason": _reason},
        {
            "volunteers": many(number, CHANGES_MAX),
            **{name: many(index, CHANGES_MAX) for name in ("drop", "keep", "admit")},
            **{name: many(number, CHANGES_MAX) for name in ("bar", "unbar")},
        },
    ),
    Kind("selection.sealed", 1, {**_OF, "list": digest, "chosen": integer(0, ROWS_MAX), "asked_by": _ACCOUNT}, {"board_minutes": digest}),
)
