"""What is said of a batch as a whole: that it does not stand."""

from ledger.kinds.checks import batch, index, many, number, station, text
from ledger.kinds.kind import Kind

KINDS = (
    Kind(
        "batch.voided",
        1,
        {"batch": batch, "services": many(index, 400, 1), "volunteers": many(number, 400, 1), "station": station, "reason": text(500)},
        {"organisation": number, "proposed_by": text(40)},
    ),
)
