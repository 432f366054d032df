"""What is said of units and organisations that the ledger cannot count by itself: figures handed in with their source, and marks given."""

from ledger.kinds.checks import Check, day, integer, number, one_of, slug, station, text
from ledger.kinds.kind import Kind

MARKS = {
    "federated": "加入社区社会组织联合会",
    "federation": "联合类志愿服务组织",
    "hub": "枢纽型社区社会组织",
    "brand": "品牌社区社会组织",
    "demonstration": "社区社会组织示范点",
    "incubated": "孵化园入驻组织",
    "contractor": "可承接政府购买服务",
}
"""What an organisation may be, beside its category, from a day on."""

_MARK: dict[str, Check] = {"organisation": number, "station": station, "mark": one_of(MARKS)}

KINDS = (
    Kind(
        "station.figure_declared",
        1,
        {"station": station, "figure": slug, "value": integer(), "counted_on": day, "source": text(200)},
    ),
    Kind("organisation.marked", 1, {**_MARK, "since": day, "basis": text(200)}),
    Kind("organisation.unmarked", 1, {**_MARK, "ended_on": day, "reason": text(200)}),
)
