"""
What is said of spot checks (抽查, 民政部令第67号 article 21: civil affairs checks what is recorded and certified, and makes public what it found).

An announcement fixes everything a sample follows from but a number that nobody knows yet: the unit (with all below it, as the tree stands then), how many
records out of how many, the tree size and its root, and which number is to come, from when and of how many digits. A result names its announcement and
the number, so that anybody draws the same sample (checking/sampling.py), and what came out for each record drawn. An announcement that is not followed
stays to be seen, or is withdrawn with a reason.

The number is digits alone: how its source sets spaces and signs between them is no choice of whoever writes it down.
"""

import re

from ledger.kinds.checks import Check, day, digest, holds_personal_number, index, integer, many, station, text
from ledger.kinds.kind import Kind

RECORDS_MAX = 1_000
SOURCE_MAX, REASON_MAX, REMARK_MAX = 200, 200, 500
DIGITS_MIN, DIGITS_MAX = 5, 100
LIKE_PERSONAL = (11, 18)
"""As many digits as a mobile number and an ID number have: numbers of those lengths are kept out of the log."""
FINDINGS = ("held", "wrong", "unclear")
_RECORDS = many(index, RECORDS_MAX)
_NUMBER = re.compile(f"[0-9]{{{DIGITS_MIN},{DIGITS_MAX}}}")
_CHECK: dict[str, Check] = {"announced": index, "station": station}


def digits(value: object) -> bool:
    """Accept how many digits a number has."""
    return bool(integer(DIGITS_MIN, DIGITS_MAX)(value)) and value not in LIKE_PERSONAL


def number(value: str) -> bool:
    """Accept digits alone, not shaped like anybody's number."""
    return _NUMBER.fullmatch(value) is not None and not holds_personal_number(value)


KINDS = (
    Kind(
        "spot_check.announced",
        1,
        {
            "station": station,
            "count": integer(1, RECORDS_MAX),
            "available": integer(1),
            "source": text(SOURCE_MAX),
            "digits": digits,
            "number_on": day,
            "tree_size": integer(1),
            "root": digest,
        },
    ),
    Kind(
        "spot_check.recorded",
        1,
        _CHECK | {"checked_on": day, "nonce": number, **dict.fromkeys(FINDINGS, _RECORDS)},
        {"remark": text(REMARK_MAX)},
    ),
    Kind("spot_check.withdrawn", 1, _CHECK | {"reason": text(REASON_MAX)}),
)
