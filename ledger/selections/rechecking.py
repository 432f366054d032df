"""
A selection counted again by anybody: from a copy of the log alone, without database, keys or names.

The entries are replayed into a passing database; the lists that the selection published and sealed are ranked anew by the same code and their digests
compared with what the log says. An exported log is held to its own checkpoint first: other entries give another root.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from ledger import history, log
from ledger.selections import reading


@dataclass(frozen=True)
class Counted:
    """A list counted again: how many rows, its digest now, and the one that the log says."""

    name: str
    rows: int
    counted: str
    said: str

    @property
    def same(self) -> bool:
        """Whether it is the same list."""
        return self.counted == self.said


@dataclass(frozen=True)
class Recheck:
    """What came out. Without a list yet there is nothing that could differ."""

    selection: str
    tree_size: int
    rules_sha256: str
    lists: list[Counted]

    @property
    def ok(self) -> bool:
        """Whether every list is the same."""
        return all(one.same for one in self.lists)


def recount(connection: Connection, selection: str) -> Recheck:
    """Count a selection's lists again from what was frozen. Raises NotFound."""
    row = reading.get(connection, selection)
    lists = []
    for name, index, said in (("公示名单", row.published_index, row.list), ("定稿名单", row.sealed_index, row.sealed_list)):
        if index is not None:
            found = reading.ranking_of(connection, row, index)
            lists.append(Counted(name, len(found.chosen), reading.digest_of(row, found), said))
    if not lists:
        found = reading.ranking_of(connection, row)
        digest = reading.digest_of(row, found)
        lists.append(Counted("现在的排名（还没有公示）", len(found.chosen), digest, digest))
    return Recheck(row.id, row.tree_size, row.rules_sha256, lists)


def from_log(connection: Connection, selection: str) -> Recheck:
    """Count a selection again from the entries of this ledger, replayed. Raises NotFound."""
    with history.as_known(connection, log.tree_head(connection).size) as then:
        return recount(then, selection)


def from_folder(folder: Path, selection: str) -> Recheck:
    """Count a selection again from an exported log. Raises InvalidRequest when it is none, or its entries are not its checkpoint's; NotFound."""
    with history.of_export(folder) as then:
        return recount(then, selection)
