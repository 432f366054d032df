"""
What a use case holds while it reads or writes: one snapshot or the writer's place, one `now`, one actor.

The noun modules are functions of these; none of them begins or commits a transaction (store.py and writer.py do).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection

from ledger.entries import SHANGHAI
from ledger.errors import Conflict
from ledger.log import Appender, Fact, Receipt
from ledger.people import actors
from ledger.people.actors import Actor
from ledger.people.vault import Commitments, Personal, Vault


@dataclass(frozen=True)
class ReadTransaction:
    """One snapshot of everything."""

    connection: Connection
    vault: Vault
    now: datetime

    @property
    def today(self) -> date:
        """The date in Asia/Shanghai."""
        return self.now.astimezone(SHANGHAI).date()


@dataclass(frozen=True)
class WriteTransaction(ReadTransaction):
    """The one writer: reads the latest state; what it appends is committed together or not at all."""

    actor: Actor
    appender: Appender
    new_keys: dict[str, bytes] = field(default_factory=dict)

    @property
    def tree_size(self) -> int:
        """The size of the tree with what this transaction has appended so far."""
        return self.appender.size

    def require(self, action: str, station: str | None) -> None:
        """Make sure that the actor may do this there, and that the account is in nobody else's hands where that weighs. Raises NotAllowed."""
        actors.require(self.connection, self.actor, action, station)
        if action not in actors.FIRST_PERSON:
            self.require_own()

    def require_own(self) -> None:
        """Make sure that the actor's account is in nobody else's hands: for whatever a second person does. Raises NotAllowed."""
        actors.require_own(self.connection, self.actor)

    def append(self, facts: Sequence[Fact]) -> list[Receipt]:
        """Append facts whose rules have been checked."""
        return self.appender.append(facts, self.actor.account)

    def receipts_for(self, facts: Sequence[Fact]) -> dict[str, Receipt | Conflict]:
        """Find facts already said under their ids: the first receipt, or a Conflict if the content was another."""
        return self.appender.receipts_for(facts, self.actor.account)

    def seal(self, people: Sequence[Personal]) -> list[Commitments]:
        """Seal new subjects' data; their keys become durable just before the commit."""
        commitments, sealed = self.vault.seal(people)
        self.vault.store(self.connection, sealed)
        self.new_keys.update(sealed.keys)
        return commitments
