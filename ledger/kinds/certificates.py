"""
What is said of certificates of service (志愿服务记录证明, 民政部令第67号 articles 14 to 17).

An entry names the records that a certificate rests on and commits to the paper as it was issued: `paper` is the SHA-256 of the document, which holds a
random salt and is sealed under the person's key; `code` that of its check code. What either is made of stands in ledger/checking/certificates.py.
"""

import re
from typing import Any

from ledger import codes
from ledger.kinds.checks import Check, day, digest, index, integer, many, number, station, text
from ledger.kinds.kind import Kind

RECORDS_MAX = 5_000
"""So many numbers of entries below ten digits fit into an entry, with room for the rest."""
REASON_MAX = 200

certificate: Check = re.compile(r"[0-9A-Z]{1,6}-\d{4}-\d{6}", re.ASCII).fullmatch
"""The number on the paper: district, year, and one after the other: 340104-2026-000001."""
_positive = integer(1)


def grades(value: Any) -> bool:
    """Accept minutes by evidence grade; a grade without any is left out."""
    return isinstance(value, dict) and value != {} and value.keys() <= codes.GRADES.keys() and all(map(_positive, value.values()))


_OF: dict[str, Check] = {"certificate": certificate, "volunteer": number, "station": station}

KINDS = (
    Kind(
        "certificate.issued",
        1,
        {
            **_OF,
            "issued_on": day,
            "minutes": _positive,
            "grades": grades,
            "records": many(index, RECORDS_MAX, 1),
            "tree_size": _positive,
            "paper": digest,
            "code": digest,
        },
        {"period_from": day, "period_to": day},
    ),
    Kind("certificate.revoked", 1, {**_OF, "reason": text(REASON_MAX)}),
)
