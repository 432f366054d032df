"""What is said of activities and of the services given in them."""

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

_TIMES: dict[str, Check] = {"served_on": day, "start": minute, "end": minute, "minutes": integer(1, MINUTES_MAX)}

KINDS = (
    Kind(
        "activity.published",
        1,
        {"activity": number, "station": station, "title": text(100), "series": one_of(codes.SERIES)},
        {
            "organisation": number,
            "responsible_unit": text(100),
            "theme": text(200),
            "start": minute,
            "end": minute,
            "place": text(200),
            "beneficiaries": many(one_of(codes.BENEFICIARIES), 30),
            "beneficiaries_other": many(text(60), 10),
            "services": many(one_of(codes.SERVICES), 30),
            "services_other": many(text(60), 10),
            "migrated_year": integer(1980, 2200),
            "source": text(60),
        },
    ),
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
)
