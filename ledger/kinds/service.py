"""What is said of the services given in activities."""

import re
from typing import Any

from ledger import codes
from ledger.kinds.checks import (
    BREAK_MINUTES_MAX,
    MINUTES_MAX,
    Check,
    batch,
    boolean,
    day,
    index,
    integer,
    many,
    minute,
    number,
    one_of,
    source,
    station,
    text,
)
from ledger.kinds.kind import Kind

CLAIMS = {"time": "时间不对", "absent": "没参加", "missing": "少记了", "not_me": "不是我"}
"""What a volunteer may say is wrong with a record of theirs."""
FINDINGS = {"upheld": "异议成立", "rejected": "异议不成立"}
PROOFS = {
    "receipt": "有回执或打印的时长单",
    "sheet": "签到表上有我的名字",
    "photo": "有当天的照片",
    "witness": "有人可以作证",
    "none": "没有凭证，请站点查",
}
"""What there is as proof of a service that somebody says is not in the ledger."""
MEANS = {"self": "本人在自己的页面上提出", "desk": "工作人员在服务台代为记下"}
UNMATCHED = {"other": "账本里那一条是别的内容", "beyond": "账本里没有那一条"}
"""How a receipt is proof that something was lost (receipts.Verdict.state)."""

_TIMES: dict[str, Check] = {"served_on": day, "start": minute, "end": minute, "minutes": integer(1, MINUTES_MAX)}

_SHORT_HASH = re.compile(r"[0-9a-f]{12}")


def _unmatched(value: Any) -> bool:
    """Accept a receipt that the log has no such entry for: its number, short hash, and what the log has there."""
    return (
        isinstance(value, dict)
        and value.keys() == {"index", "short_hash", "state"}
        and bool(index(value["index"]))
        and isinstance(value["short_hash"], str)
        and _SHORT_HASH.fullmatch(value["short_hash"]) is not None
        and value["state"] in UNMATCHED
    )


KINDS = (
    Kind(
        "service.recorded",
        1,
        {
            "activity": number,
            "volunteer": number,
            "station": station,
            "grade": one_of(codes.GRADES),
            "batch": batch,
            **_TIMES,
        },
        {
            "organisation": number,
            "break_minutes": integer(1, BREAK_MINUTES_MAX),
            "source": source,
            "settled": boolean,
            "second": text(40),
        },
    ),
    Kind(
        "service.approved",
        1,
        {
            "services": many(index, 400, 1),
            "volunteers": many(number, 400, 1),
            "station": station,
            "publicity_from": day,
            "effective_on": day,
        },
    ),
    Kind(
        "service.corrected",
        1,
        {"service": index, "volunteer": number, "station": station, "reason": text(500), **_TIMES},
        {"organisation": number, "break_minutes": integer(1, BREAK_MINUTES_MAX)},
    ),
    Kind(
        "service.voided",
        1,
        {"service": index, "volunteer": number, "station": station, "reason": text(500)},
        {"organisation": number},
    ),
    Kind(
        "service.contested",
        1,
        {"service": index, "volunteer": number, "station": station, "claim": one_of(CLAIMS), "frozen": boolean},
        {"organisation": number, "due_on": day},
    ),
    Kind(
        "service.objection_decided",
        1,
        {
            "service": index,
            "objection": index,
            "volunteer": number,
            "station": station,
            "finding": one_of(FINDINGS),
            "reason": text(500),
        },
        {"organisation": number},
    ),
    Kind(
        "service.omission_claimed",
        1,
        {"volunteer": number, "station": station, "served_on": day, "proof": one_of(PROOFS), "means": one_of(MEANS)},
        {"activity": number, "start": minute, "end": minute, "receipt": _unmatched, "due_on": day},
    ),
    Kind(
        "service.omission_decided",
        1,
        {"omission": index, "volunteer": number, "station": station, "finding": one_of(FINDINGS), "reason": text(500)},
        {"service": index},
    ),
)
