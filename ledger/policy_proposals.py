"""
Policies that wait for a second official: one proposes, another confirms, either drops it.

What is confirmed becomes an entry (policy.adopted) that names both. What waits is no fact: it lies in a table of its own, and one of each name at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select

from ledger.entries import format_time
from ledger.errors import Conflict, NotAllowed, NotFound
from ledger.ids import new_number
from ledger.people import actors
from ledger.people.actors import Actor
from ledger.tables import RuleProposalRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

ACTION = "set_up"
_PROPOSAL = table(RuleProposalRow)


@dataclass(frozen=True)
class Waiting:
    """What was proposed, as plain data, by whom and when. *own*: who looks proposed it."""

    id: str
    said: Mapping[str, Any]
    proposed_by: str
    proposed_at: str
    own: bool


@dataclass(frozen=True)
class Proposals:
    """Proposals of one sort. *prefix*: how the names of its policies begin; *noun*: what a sentence calls one, as 「这份规则」."""

    prefix: str
    noun: str

    def propose(self, tx: WriteTransaction, policy: str, said: Mapping[str, Any], taken: str) -> str:
        """Keep what was read and checked for a second official. Returns the proposal's id. Raises NotAllowed; Conflict(*taken*) when one waits."""
        tx.require(ACTION, None)
        if tx.connection.execute(select(_PROPOSAL.c.id).where(_PROPOSAL.c.policy == policy)).first():
            raise Conflict(taken)
        new_id = new_number()
        made = {"id": new_id, "policy": policy, "said": orjson.dumps(said).decode()}
        tx.connection.execute(_PROPOSAL.insert(), [made | {"proposed_by": tx.actor.account, "proposed_at": format_time(tx.now)}])
        return new_id

    def confirm(self, tx: WriteTransaction, proposal: str) -> Waiting:
        """Take what another official proposed off the table, to be adopted in the same write. Raises NotAllowed (one's own), NotFound."""
        tx.require(ACTION, None)
        tx.require_own()
        found = self._one(tx, proposal)
        if found.own:
            raise NotAllowed(f"{self.noun}是您提出的，要由另一位区级管理员确认")
        tx.connection.execute(_PROPOSAL.delete().where(_PROPOSAL.c.id == proposal))
        return found

    def decline(self, tx: WriteTransaction, proposal: str) -> None:
        """Drop a proposal; whoever made it may take it back too. Raises NotAllowed, NotFound."""
        tx.require(ACTION, None)
        self._one(tx, proposal)
        tx.connection.execute(_PROPOSAL.delete().where(_PROPOSAL.c.id == proposal))

    def waiting(self, tx: ReadTransaction, actor: Actor) -> list[Waiting]:
        """List what waits for a second official, oldest first. Raises NotAllowed."""
        actors.require(tx.connection, actor, ACTION, None)
        mine = _PROPOSAL.c.policy.startswith(self.prefix)
        rows = tx.connection.execute(select(_PROPOSAL).where(mine).order_by(_PROPOSAL.c.proposed_at, _PROPOSAL.c.id))
        return [_waiting(row, actor) for row in rows]

    def _one(self, tx: WriteTransaction, proposal: str) -> Waiting:
        mine = _PROPOSAL.c.id == proposal, _PROPOSAL.c.policy.startswith(self.prefix)
        row = tx.connection.execute(select(_PROPOSAL).where(*mine)).one_or_none()
        if row is None:
            raise NotFound(f"{self.noun}已经确认或退回了，请刷新页面")
        return _waiting(row, tx.actor)


def drop(tx: WriteTransaction, policy: str) -> None:
    """Drop what waits under a policy's name: something newer was adopted at once."""
    tx.connection.execute(_PROPOSAL.delete().where(_PROPOSAL.c.policy == policy))


def as_file(said: Mapping[str, Any]) -> bytes:
    """Write a policy as a file that reads back as the same."""
    return orjson.dumps(said, option=orjson.OPT_INDENT_2)


def _waiting(row: Any, actor: Actor) -> Waiting:
    return Waiting(row.id, orjson.loads(row.said), row.proposed_by, row.proposed_at, row.proposed_by == actor.account)
