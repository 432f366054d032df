"""What is said of the services given in activities."""

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

_TIMES: dict[str, Check] = {"served_on": day, "start": minute, "end": minute, "minutes": integer(1, MINUTES_MAX)}

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
)
