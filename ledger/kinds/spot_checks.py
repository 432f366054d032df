"""
What is said of spot checks (抽查, 民政部令第67号 article 21: civil affairs checks what is recorded and certified, and makes public what it found).

A check names the sample that was drawn so that anybody draws it again (checking/sampling.py): the tree size and its root, the number that nobody could
know before, and what came out for each record drawn. It concerns a unit and all below it.
"""

from ledger.kinds.checks import day, digest, index, integer, many, station, text
from ledger.kinds.kind import Kind

RECORDS_MAX = 1_000
FINDINGS = ("held", "wrong", "unclear")
_RECORDS = many(index, RECORDS_MAX)

KINDS = (
    Kind(
        "spot_check.recorded",
        1,
        {
            "station": station,
            "checked_on": day,
            "tree_size": integer(1),
            "root": digest,
            "nonce": text(200),
            **dict.fromkeys(FINDINGS, _RECORDS),
        },
        {"remark": text(500)},
    ),
)
