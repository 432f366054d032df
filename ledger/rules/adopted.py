"""The rule sets that the log holds, version by version: what was adopted, by which entry, since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger.bulk import rows_where_in
from ledger.rules import reading
from ledger.rules.shape import RuleSet
from ledger.tables import PolicyRow, table

PREFIX = "credit/"
PROPOSED_BY = "proposed_by"
_POLICY = table(PolicyRow)


@dataclass(frozen=True)
class Adopted:
    """A rule set in the log: since when, by which entry, as plain data, and who proposed it (empty: the operator adopted it)."""

    rules: RuleSet
    effective_on: str
    entry_index: int
    said: Mapping[str, Any]
    proposed_by: str = ""


def history(connection: Connection, name: str) -> list[Adopted]:
    """List the versions of a rule set, oldest first."""
    rows = rows_where_in(connection, _POLICY.c, _POLICY.c.policy, [PREFIX + name])
    return [_adopted(row.rules, row.effective_on, row.entry_index) for row in sorted(rows, key=lambda row: row.effective_on)]


def names(connection: Connection) -> list[str]:
    """List the names of rule sets that were ever adopted."""
    found = connection.execute(select(_POLICY.c.policy).where(_POLICY.c.policy.like(PREFIX + "%")).distinct()).scalars()
    return sorted(policy.removeprefix(PREFIX) for policy in found)


def in_force_on(connection: Connection, on: str) -> list[Adopted]:
    """List the rule sets in force on a day, one of each name."""
    rows = connection.execute(select(_POLICY).where(_POLICY.c.policy.like(PREFIX + "%"), _POLICY.c.effective_on <= on)).all()
    newest = {row.policy: row for row in sorted(rows, key=lambda row: row.effective_on)}
    return [_adopted(row.rules, row.effective_on, row.entry_index) for _, row in sorted(newest.items())]


@lru_cache(maxsize=64)  # few rules, asked for with every statement
def _adopted(said: str, effective_on: str, entry_index: int) -> Adopted:
    data = orjson.loads(said)
    proposed_by = data.pop(PROPOSED_BY, "")
    return Adopted(reading.parse(data), effective_on, entry_index, data, proposed_by)
