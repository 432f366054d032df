"""
How a district adopts a set of indicators: one official proposes it with the day from which it holds, a second one confirms; both stand in the entry.

A set may begin this year at the earliest: targets of years that are over are not put in place of others behind anybody's back. The operator, who is at
the machine, adopts at once (adoption.adopt).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select

from ledger import policy_proposals
from ledger.errors import Conflict, InvalidRequest
from ledger.indicators import adoption
from ledger.indicators.adoption import POLICY, PROPOSED_BY
from ledger.indicators.reading import IndicatorSet, read_set
from ledger.kinds.checks import day
from ledger.log import Receipt
from ledger.notices import About, tell_staff
from ledger.people.actors import Actor
from ledger.policy_proposals import Proposals, Waiting
from ledger.tables import PolicyRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

BYTES_MAX = 50_000
PROPOSALS = Proposals(POLICY, "这张指标表")
_POLICY = table(PolicyRow)


@dataclass(frozen=True)
class Adopted:
    """A set in the log: since when, by which entry, as plain data, and who proposed it (empty: the operator adopted it)."""

    chosen: IndicatorSet
    effective_on: str
    entry_index: int
    said: Mapping[str, Any]
    proposed_by: str


@dataclass(frozen=True)
class Proposal(Waiting):
    """A set that waits for a second official, and the day from which it is to hold."""

    chosen: IndicatorSet
    effective_on: str


def history(tx: ReadTransaction) -> list[Adopted]:
    """List the sets that were adopted, the newest first."""
    rows = tx.connection.execute(select(_POLICY).where(_POLICY.c.policy == POLICY).order_by(_POLICY.c.effective_on.desc()))
    found = []
    for row in rows:
        said = orjson.loads(row.rules)
        by = said.pop(PROPOSED_BY, "")
        found.append(Adopted(read_set(said), row.effective_on, row.entry_index, said, by))
    return found


def as_data(tx: ReadTransaction, on: str) -> Mapping[str, Any]:
    """Give the set in force on a day as plain data."""
    standing = next((one for one in history(tx) if one.effective_on <= on), None)
    found: Mapping[str, Any] = standing.said if standing else orjson.loads(shipped_file(adoption.DEFAULT))
    return found


def shipped_file(name: str) -> bytes:
    """Give the file of a set that comes with the ledger."""
    return (adoption.SETS / f"{name}.json").read_bytes()


def propose(tx: WriteTransaction, content: bytes, effective_on: str) -> str:
    """Propose a set to a second official. Returns the proposal's id. Raises NotAllowed, InvalidRequest, Conflict."""
    tx.require(policy_proposals.ACTION, None)
    said = _checked(tx, content, effective_on)
    taken = "已有一张指标表在等另一位管理员确认，请先确认或退回那一张"
    new_id = PROPOSALS.propose(tx, POLICY, {"effective_on": effective_on, "rules": said}, taken)
    about: About = {"indicators": read_set(said).name, "from_day": effective_on}
    tell_staff(tx, policy_proposals.ACTION, None, "indicators.proposed", about)
    return new_id


def confirm(tx: WriteTransaction, proposal: str) -> Receipt:
    """Adopt what another official proposed. Raises NotAllowed (one's own), NotFound, InvalidRequest (its year is over), Conflict."""
    found = PROPOSALS.confirm(tx, proposal)
    said = _checked(tx, orjson.dumps(found.said["rules"]), found.said["effective_on"])
    return adoption.append(tx, said, found.said["effective_on"], found.proposed_by)


def waiting(tx: ReadTransaction, actor: Actor) -> Proposal | None:
    """Give the set that waits for a second official, if one does. Raises NotAllowed."""
    found = PROPOSALS.waiting(tx, actor)
    return _proposal(found[0]) if found else None


def _proposal(one: Waiting) -> Proposal:
    told = vars(one) | {"said": one.said["rules"]}
    return Proposal(**told, chosen=read_set(one.said["rules"]), effective_on=one.said["effective_on"])


def _checked(tx: ReadTransaction, content: bytes, effective_on: str) -> Mapping[str, Any]:
    """Read a set and the day it is to begin, and hold both against what was adopted. Raises InvalidRequest, Conflict."""
    if len(content) > BYTES_MAX:
        raise InvalidRequest(f"指标表太大，最多 {BYTES_MAX // 1000} KB。请删去不用的指标")
    read_set(content)
    said: Mapping[str, Any] = orjson.loads(content)
    if PROPOSED_BY in said:
        raise InvalidRequest(f"指标表里有不认识的项：{PROPOSED_BY}")
    if not day(effective_on) or effective_on < f"{tx.today.year}-01-01":
        raise InvalidRequest(f"请写明从哪一天起用这张指标表，不早于 {tx.today.year}-01-01：过去年度的目标不能改")
    standing = next((one for one in history(tx) if one.effective_on == effective_on), None)
    if standing is not None:
        raise Conflict(f"从 {effective_on} 起已有「{standing.chosen.name}」（账本第 {standing.entry_index} 条），请换一天")
    return said
