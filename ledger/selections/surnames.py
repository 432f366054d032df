"""
Names by the strokes of the surname (按姓氏笔画排序), as lists of people are ordered where no order is meant to rank them.

Fewer strokes come first; the characters of the name are compared one after the other. Characters with as many strokes are in order of their code points,
and one that the table does not know comes after those that it knows. The table (strokes.json) gives the characters of GB/T 2312 by how many strokes each
has, after the Unihan database's kTotalStrokes.
"""

from functools import lru_cache
from importlib.resources import files

import orjson

UNKNOWN = 99


def by_strokes(name: str) -> list[tuple[int, str]]:
    """Give the key that orders a name."""
    return [(_strokes().get(letter, UNKNOWN), letter) for letter in name]


@lru_cache(maxsize=1)
def _strokes() -> dict[str, int]:
    said = orjson.loads((files("ledger.selections") / "strokes.json").read_bytes())
    return {letter: int(count) for count, letters in said.items() for letter in letters}
