"""
What is said of activities: that one is to be (or was) held, that it was closed, that it was called off.

Version 2 of activity.published also holds what is planned: breaks, how many of each beneficiary group, who is responsible (an account or a volunteer,
never a name), how many are wanted, whether it must be reported beforehand, and by which list it was declared to be voluntary service at all.
"""

from typing import Any

from ledger import codes
from ledger.kinds.checks import Check, batch, day, integer, many, minute, number, one_of, station, text
from ledger.kinds.kind import Kind

PEOPLE_MAX = 1_000_000
BREAKS_MAX = 10

_SAID_FIRST: dict[str, Check] = {"activity": number, "station": station, "title": text(100), "series": one_of(codes.SERIES)}
_SAID_OF_EACH: dict[str, Check] = {
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
}
_people = integer(0, PEOPLE_MAX)
_group = one_of(codes.BENEFICIARIES)


def _interval(value: Any) -> bool:
    """Accept a pause: from one local minute to a later one."""
    return (
        isinstance(value, dict)
        and value.keys() == {"start", "end"}
        and bool(minute(value["start"]) and minute(value["end"]))
        and value["start"] < value["end"]
    )


def _head_counts(value: Any) -> bool:
    """Accept how many people of each group: {group code: number}."""
    return (
        isinstance(value, dict) and 0 < len(value) <= len(codes.BENEFICIARIES) and all(_group(k) and _people(v) for k, v in value.items())
    )


KINDS = (
    Kind("activity.published", 1, _SAID_FIRST, _SAID_OF_EACH),
    Kind(
        "activity.published",
        2,
        _SAID_FIRST,
        {
            **_SAID_OF_EACH,
            "breaks": many(_interval, BREAKS_MAX, 1),
            "head_counts": _head_counts,
            "responsible_account": text(40),
            "responsible_volunteer": number,
            "places": integer(1, PEOPLE_MAX),
            "major": one_of(codes.MAJOR),
            "reported_on": day,
            "declared": one_of(codes.EXCLUSION_LISTS),
            "recurrence": number,
        },
    ),
    Kind(
        "activity.closed",
        1,
        {"activity": number, "station": station, "attended": _people},
        {
            "organisation": number,
            "end": minute,
            "head_counts": _head_counts,
            "batch": batch,
            "recorded": _people,
            "forgotten": _people,
            "refused": _people,
            "remark": text(500),
        },
    ),
    Kind("activity.cancelled", 1, {"activity": number, "station": station, "reason": text(500)}, {"organisation": number}),
)
