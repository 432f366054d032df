"""
Entry kinds: what each may say, field by field. Part of the format: a kind and version, once written, decodes for ever.

A body holds ASCII keys with strings, integers, booleans, arrays and objects; absent is absent, never null; no float anywhere. Which subject
chains an entry belongs to follows from its body alone, for every kind alike: `station`, `organisation`, `volunteer` and each of `volunteers`.
So a verifier can tell a chain that was left out.
"""

from ledger.kinds import (
    accounts,
    activities,
    batches,
    certificates,
    credit,
    duties,
    figures,
    filing,
    handovers,
    people,
    selections,
    service,
    spot_checks,
    tasks,
    units,
)
from ledger.kinds.kind import Body, Kind

__all__ = ["CURRENT", "KINDS", "Body", "Kind", "subjects"]

_ALL: tuple[Kind, ...] = (
    *units.KINDS,
    *people.KINDS,
    *activities.KINDS,
    *service.KINDS,
    *batches.KINDS,
    *accounts.KINDS,
    *certificates.KINDS,
    *credit.KINDS,
    *selections.KINDS,
    *figures.KINDS,
    *spot_checks.KINDS,
    *duties.KINDS,
    *filing.KINDS,
    *handovers.KINDS,
    *tasks.KINDS,
)
KINDS: dict[tuple[str, int], Kind] = {(kind.name, kind.version): kind for kind in _ALL}
CURRENT: dict[str, Kind] = {kind.name: kind for kind in _ALL}
"""The version in which a new entry of each kind is written."""


def subjects(body: Body) -> list[str]:
    """List the subjects whose chains an entry with this body belongs to, each once."""
    found = []
    if "volunteer" in body:
        found.append("person/" + body["volunteer"])
    if "volunteers" in body:
        found.extend("person/" + volunteer for volunteer in dict.fromkeys(body["volunteers"]))
    if "organisation" in body:
        found.append("organisation/" + body["organisation"])
    if "station" in body:
        found.append("station/" + body["station"])
    return found
