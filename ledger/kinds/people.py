"""What is said of volunteers."""

from ledger.kinds.checks import day, digest, number, one_of, source, station
from ledger.kinds.kind import Kind

KINDS = (
    Kind(
        "volunteer.registered",
        1,
        {
            "volunteer": number,
            "station": station,
            "registered_on": day,
            "basis": one_of(("self", "clerk", "roster")),
            "identity": digest,
        },
        {"contact": digest, "source": source},
    ),
    Kind("volunteer.backbone_designated", 1, {"volunteer": number, "station": station, "designated_on": day}),
)
