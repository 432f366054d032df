"""
Lists as digests, and rows as commitments.

    list   SHA-256 of the canonical JSON {"rows": [[rank, number, station, minutes, services], …], "rules": SHA-256 of the rules,
           "selection": its number, "tree_size": entries at the freeze}, in the order of the ranks
    row    SHA-256(0x04 ‖ salt ‖ canonical JSON {"minutes", "row", "selection", "station", "subject"}), the salt 32 random bytes of its own

Both are written in base64. The leading byte keeps commitments apart from tree hashes and from other commitments. A row of the public list shows
minutes and station; what it hides is the number, and without the salt no number can be tried.
"""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import orjson

from ledger.selections.ranking import Standing


def list_digest(selection: str, rules_sha256: str, tree_size: int, chosen: Sequence[Standing]) -> str:
    """Give the digest of a list."""
    rows = [[one.rank, one.sums.subject, one.sums.station, one.sums.minutes, one.sums.services] for one in chosen]
    return _digest(b"", {"rows": rows, "rules": rules_sha256, "selection": selection, "tree_size": tree_size})


def row_document(selection: str, row: int, one: Standing) -> dict[str, Any]:
    """Give what a row of the public list stands for: whose it is, home station, minutes."""
    said = one.sums
    return {"selection": selection, "row": row, "subject": said.subject, "station": said.station, "minutes": said.minutes}


def row_commitment(salt: bytes, document: dict[str, Any]) -> str:
    """Commit to a row."""
    return _digest(b"\x04" + salt, document)


def _digest(before: bytes, said: dict[str, Any]) -> str:
    return b64encode(hashlib.sha256(before + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()).decode()
