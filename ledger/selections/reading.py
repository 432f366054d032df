"""Reading selections: one, those of a unit, what each step has come to, and the list as it stands, was published, or was sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from ledger.errors import NotFound
from ledger.people.actors import Actor, require, units
from ledger.selections import sources
from ledger.selections.lists import list_digest
from ledger.selections.ranking import Ranking, rank
from ledger.selections.rules import Rules, read_said
from ledger.selections.sources import Source
from ledger.tables import (
    SelectionCandidateRow,
    SelectionDraftRow,
    SelectionObjectionRow,
    SelectionRow,
    table,
)
from ledger.transactions import ReadTransaction

_SELECTION, _DRAFT, _OBJECTION, _CANDIDATE = (
    table(m) for m in (SelectionRow, SelectionDraftRow, SelectionObjectionRow, SelectionCandidateRow)
)
ACTION = "run_selection"
STEPS = ("规则", "冻结", "预审", "疑点", "排名", "公示", "异议", "定稿")
DRAFTING = "起草规则"
"""How far one has come that is not frozen."""
_NONE = "没有这次评选。请回到评选列表再看一遍"


@dataclass(frozen=True)
class Listed:
    """A selection among others: its number, name, unit, year, and how far it has come."""

    id: str
    name: str
    station: str
    year: int
    subject: str
    stage: str
    opened: bool


def find(connection: Connection, selection: str) -> Any:
    """Find a selection's row; None when there is none."""
    return connection.execute(select(_SELECTION).where(_SELECTION.c.id == selection)).one_or_none()


def get(connection: Connection, selection: str) -> Any:
    """Give a selection's row. Raises NotFound."""
    row = find(connection, selection)
    if row is None:
        raise NotFound(_NONE)
    return row


def see(tx: ReadTransaction, actor: Actor, selection: str) -> Any:
    """Give a selection that the actor may work on. Raises NotFound, also for another unit's: whether others have any is not told."""
    row = get(tx.connection, selection)
    if row.station not in units(tx.connection, actor, ACTION):
        raise NotFound(_NONE)
    return row


def see_draft(tx: ReadTransaction, actor: Actor, draft: str) -> Any:
    """Give the newest version of a draft that the actor may work on. Raises NotFound."""
    row = drafted(tx.connection, draft)
    if row is None or row.station not in units(tx.connection, actor, ACTION):
        raise NotFound(_NONE)
    return row


def see_either(tx: ReadTransaction, actor: Actor, selection: str) -> tuple[Any, Any]:
    """Give a selection's row, None before the freeze, and the newest version of its rules, if any. Raises NotFound as `see` does."""
    if find(tx.connection, selection) is None:
        return None, see_draft(tx, actor, selection)
    return see(tx, actor, selection), drafted(tx.connection, selection)


def drafted(connection: Connection, draft: str) -> Any:
    """Give the newest version of a draft; None when there is none."""
    newest = select(_DRAFT).where(_DRAFT.c.id == draft).order_by(_DRAFT.c.version.desc()).limit(1)
    return connection.execute(newest).one_or_none()


def versions(connection: Connection, draft: str) -> Sequence[Any]:
    """List the versions of a draft, newest first."""
    return connection.execute(select(_DRAFT).where(_DRAFT.c.id == draft).order_by(_DRAFT.c.version.desc())).all()


def listing(tx: ReadTransaction, actor: Actor) -> list[Listed]:
    """List the selections that the actor may work on, drafts too, newest year first."""
    require(tx.connection, actor, ACTION, actor.station)
    mine = set(units(tx.connection, actor, ACTION))
    rows = [row for row in tx.connection.execute(select(_SELECTION)) if row.station in mine]
    found = [
        Listed(row.id, orjson.loads(row.rules)["name"], row.station, row.year, row.subject, stage(tx, row), opened=True) for row in rows
    ]
    newest = select(_DRAFT.c.id, func.max(_DRAFT.c.version).label("version")).group_by(_DRAFT.c.id).subquery()
    asked = select(_DRAFT).join(newest, (newest.c.id == _DRAFT.c.id) & (newest.c.version == _DRAFT.c.version))
    known = {one.id for one in found}
    for row in tx.connection.execute(asked):
        if row.id not in known and row.station in mine:
            said = orjson.loads(row.rules)
            found.append(Listed(row.id, said["name"], row.station, row.year, said.get("subject", "volunteers"), DRAFTING, opened=False))
    return sorted(found, key=lambda one: (-one.year, one.station, one.id))


def stage(tx: ReadTransaction, row: Any) -> str:
    """Say in a word how far a selection has come."""
    if row.replaced_by:
        return "已由新一轮替换"
    if row.sealed_index is not None:
        return "已定稿"
    if row.published_index is None:
        return "已冻结"
    return "公示中" if tx.today.isoformat() <= row.published_until else "公示期满"


def rules_of(row: Any) -> Rules:
    """Give a selection's rules."""
    return read_said(orjson.loads(row.rules))


def source_of(connection: Connection, row: Any, before: int | None = None) -> Source:
    """Give what a selection counts, as it was frozen and decided; *before*: by entries before that one only."""
    return sources.frozen(connection, row, rules_of(row), before)


def ranking_of(connection: Connection, row: Any, before: int | None = None, *, source: Source | None = None, reserve: int = 5) -> Ranking:
    """Rank a selection's candidates; *source*: if it is at hand."""
    drawn = row.drawn_index is not None and (before is None or row.drawn_index < before)
    draw = f"{row.drawn_value}\n{row.id}" if drawn else None
    seen = source or source_of(connection, row, before)
    return rank(seen, rules_of(row), row.period_to, draw=draw, reserve=reserve)


def digest_of(row: Any, ranking: Ranking) -> str:
    """Give the digest of a selection's list."""
    return list_digest(row.id, row.rules_sha256, row.tree_size, ranking.chosen)


def objections_of(connection: Connection, selection: str) -> Sequence[Any]:
    """List the objections to a selection's list, those that wait first."""
    asked = select(_OBJECTION).where(_OBJECTION.c.selection == selection)
    return connection.execute(asked.order_by(_OBJECTION.c.decision.is_not(None), _OBJECTION.c.entry_index)).all()


def candidates_of(connection: Connection, selection: str) -> int:
    """Count the people with a frozen record."""
    return int(connection.execute(select(func.count()).where(_CANDIDATE.c.selection == selection)).scalar_one())
