"""What is said of records handed over to another system: of which unit and period, how much, and the SHA-256 of the file; nobody's number."""

from ledger.kinds.checks import day, digest, integer, station, text
from ledger.kinds.kind import Kind

REASON_MAX = 200
COUNTED = ("people", "services", "trainings", "awards", "evaluations")
"""How many people's identity is in the file, and how many rows of each other block."""

KINDS = (
    Kind(
        "records.handed_over",
        1,
        {
            "station": station,
            "period_from": day,
            "period_to": day,
            "handed_on": day,
            **dict.fromkeys(COUNTED, integer()),
            "sha256": digest,
            "asked_by": text(40),
            "agreed_by": text(40),
            "reason": text(REASON_MAX),
        },
    ),
)
