"""Frozen vectors: one entry of each kind and version, bytes and leaf hash as when the kind was made. Never changed, only added to."""

import json
from pathlib import Path

ENTRIES = json.loads((Path(__file__).parent / "vectors" / "entries.json").read_text(encoding="utf-8"))


def named(vector) -> str:
    return f"{vector['kind']}-v{vector['v']}"


def bodies():
    """Each kind's body, complete with the fields it may have: ((kind, version), body), made anew for each call."""
    return [((vector["kind"], vector["v"]), json.loads(vector["bytes"])["body"]) for vector in ENTRIES]
