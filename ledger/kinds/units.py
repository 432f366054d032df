"""What is said of units: stations, organisations, policies, published rates, keys."""

from ledger import codes
from ledger.kinds.checks import (
    Check,
    boolean,
    day,
    digest,
    index,
    integer,
    number,
    one_of,
    origin,
    plain,
    signature,
    slug,
    station,
    text,
    vkey,
)
from ledger.kinds.kind import Kind

_UNIT: dict[str, Check] = {
    "organisation": number,
    "station": station,
    "number": text(60),
    "name": text(100),
    "scheme": slug,
    "category": slug,
    "volunteer_organisation": boolean,
}

KINDS = (
    Kind("policy.adopted", 1, {"policy": slug, "effective_on": day, "rules": plain}, {"document": text(200)}),
    Kind(
        "station.registered",
        1,
        {"station": station, "name": text(100), "level": one_of(codes.LEVELS), "valid_from": day},
        {"parent": station, "area_type": one_of(codes.AREA_TYPES)},
    ),
    Kind(
        "station.changed",
        1,
        {"station": station, "valid_from": day},
        {"name": text(100), "parent": station, "area_type": one_of(codes.AREA_TYPES), "closed": boolean},
    ),
    Kind("station.ended", 1, {"station": station, "ended_on": day}, {"successor": station, "basis": text(200)}),
    Kind(
        "station.population_declared",
        1,
        {"station": station, "population": integer(1, 10**9), "counted_on": day, "source": text(200)},
    ),
    Kind(
        "organisation.filed",
        1,
        {**_UNIT, "filed_on": day, "expires_on": day},
        {"contact": digest},
    ),
    Kind(
        "organisation.filed",
        2,
        {**_UNIT, "filed_on": day, "expires_on": day},
        {"contact": digest, "filing": number, "street": station, "serial": integer(1)},
    ),
    Kind(
        "organisation.registered",
        1,
        {**_UNIT, "registered_on": day},
        {"contact": digest},
    ),
    Kind(
        "rates.published",
        1,
        {
            "station": station,
            "period_from": day,
            "period_to": day,
            "counted_on": day,
            "tree_size": index,
            "population": integer(),
            "registered": integer(),
            "confirmed": integer(),
            "participants": integer(),
            "backbone": integer(),
            "minutes": integer(),
        },
        {"population_on": day, "population_source": text(400)},
    ),
    Kind(
        "key.rotated",
        1,
        {
            "origin": origin,
            "old_vkey": vkey,
            "new_vkey": vkey,
            "valid_from": index,
            "old_signature": signature,
            "new_signature": signature,
        },
    ),
)
