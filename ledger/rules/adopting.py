"""
Which rules are in force since when, and how they come to be.

A rule set is adopted by one entry, policy.adopted, under `credit/<name>`; it holds the whole file. One official proposes it and a second one confirms;
the operator, who is at the machine, adopts at once. A version is newer than the last, and begins on the day of adoption or later: what was
earned is not reckoned anew behind anybody's back, and everybody who signs in is told of it. Only the first version of a name may begin earlier.

Without `credit/star` the ladder of the service policy is the star: one rule set made of it, so that there is one way to a star.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection

from ledger import policy_proposals
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.log import Fact, Receipt
from ledger.notices import About, tell_everybody, tell_staff
from ledger.people.actors import Actor
from ledger.policies import ServicePolicy, service_policies
from ledger.policy_proposals import Proposals, Waiting
from ledger.rules import reading
from ledger.rules.adopted import PREFIX, PROPOSED_BY, history, names
from ledger.rules.counting import Chain, in_force
from ledger.rules.shape import Condition, Level, RuleSet, Scale
from ledger.transactions import ReadTransaction, WriteTransaction

EXAMPLES = Path(__file__).parent / "examples"
"""Rule files to begin with."""
STAR = "star"
"""The rule set whose first scale is the star that is shown everywhere."""
_NUMERALS = "一二三四五六七八九十"
PROPOSALS = Proposals(PREFIX, "这份规则")


@dataclass(frozen=True)
class Proposal(Waiting):
    """A rule set that waits for a second official."""

    rules: RuleSet


# --- reading


def chain(connection: Connection, name: str, on: str) -> Chain:
    """Give a rule set's versions with the days they are in force from, as of a day. Raises NotFound."""
    found = [(one.effective_on, one.rules) for one in history(connection, name)]
    if name == STAR:
        first = found[0][0] if found else "9999"
        ladders = sorted((since, _ladder(policy, since)) for since, policy in service_policies(connection) if since < first)
        found = [*ladders, *found]
    if not any(since <= on for since, _ in found):
        known = "、".join(sorted({*names(connection), STAR}))
        raise NotFound(f"{on} 还没有名为「{name}」的规则在执行，现有的规则：{known}")
    return [(since, rules) for since, rules in found if since <= on]


def star_rules(connection: Connection, on: str) -> RuleSet:
    """Give the rules of the star on a day."""
    return in_force(chain(connection, STAR, on), on)


@lru_cache(maxsize=64)
def _ladder(policy: ServicePolicy, since: str) -> RuleSet:
    """Say the service policy's thresholds as a rule set."""
    levels = tuple(Level(STAR, f"{_NUMERALS[at]}星", (Condition({"hours": hours * 60}),)) for at, hours in enumerate(policy.star_hours))
    document = f"服务规则（账本第 {policy.entry_index} 条）"
    return RuleSet(STAR, "志愿者星级（按累计时长）", 1, since, document, scales=(Scale(STAR, "星级"),), levels=levels)


# --- adopting


@lru_cache(maxsize=1)
def examples() -> Mapping[str, str]:
    """Name the rule files that come along, with their titles."""
    return {path.stem: reading.read(path.read_bytes()).title for path in sorted(EXAMPLES.glob("*.json"))}


def check(tx: ReadTransaction, content: bytes) -> tuple[RuleSet, Mapping[str, Any]]:
    """Read a rule file and hold it against what was adopted before. Raises InvalidRequest, Conflict."""
    rules = reading.read(content)
    before = history(tx.connection, rules.name)
    if before:
        newest = max(before, key=lambda one: one.rules.version)
        if rules.version <= newest.rules.version:
            said = f"「{newest.rules.title}」第 {newest.rules.version} 版"
            raise Conflict(f"规则文件的「version」不对：账本里已有{said}，新的一版请写 {newest.rules.version + 1}")
        if rules.effective_on < tx.today.isoformat():
            raise InvalidRequest(f"规则文件的「effective_on」不对：新的一版不能从过去的日子（{rules.effective_on}）起执行，请写今天或以后")
        if rules.effective_on <= before[-1].effective_on:
            raise InvalidRequest(f"规则文件的「effective_on」不对：上一版从 {before[-1].effective_on} 起执行，新的一版要更晚")
    return rules, orjson.loads(content)


def adopt(tx: WriteTransaction, content: bytes) -> Receipt:
    """Adopt a rule file at once: the operator alone may. Raises NotAllowed, InvalidRequest, Conflict."""
    if "operator" not in tx.actor.roles:
        raise NotAllowed("规则要由一位区级管理员提出、另一位确认，请在「规则」页面上办")
    rules, said = check(tx, content)
    policy_proposals.drop(tx, PREFIX + rules.name)
    return _append(tx, rules, said, "")


def propose(tx: WriteTransaction, content: bytes) -> str:
    """Propose a rule file to a second official. Returns the proposal's id. Raises NotAllowed, InvalidRequest, Conflict."""
    tx.require(policy_proposals.ACTION, None)
    rules, said = check(tx, content)
    taken = f"「{rules.title}」已有一版在等另一位管理员确认，请先确认或退回那一版"
    new_id = PROPOSALS.propose(tx, PREFIX + rules.name, said, taken)
    tell_staff(tx, policy_proposals.ACTION, None, "rules.proposed", _told(rules))
    return new_id


def confirm(tx: WriteTransaction, proposal: str) -> Receipt:
    """Adopt what another official proposed. Raises NotAllowed (one's own), NotFound, InvalidRequest (its day is over), Conflict."""
    found = PROPOSALS.confirm(tx, proposal)
    rules, said = check(tx, orjson.dumps(found.said))
    return _append(tx, rules, said, found.proposed_by)


def proposals(tx: ReadTransaction, actor: Actor) -> list[Proposal]:
    """List the rule sets that wait for a second person, oldest first. Raises NotAllowed."""
    return [Proposal(**vars(one), rules=reading.parse(one.said)) for one in PROPOSALS.waiting(tx, actor)]


def _append(tx: WriteTransaction, rules: RuleSet, said: Mapping[str, Any], proposed_by: str) -> Receipt:
    whole = dict(said) | ({PROPOSED_BY: proposed_by} if proposed_by else {})
    body = {"policy": PREFIX + rules.name, "effective_on": rules.effective_on, "rules": whole, "document": rules.document}
    receipt = tx.append([Fact("policy.adopted", body)])[0]
    tell_everybody(tx, "rules.adopted", _told(rules))
    return receipt


def _told(rules: RuleSet) -> About:
    return {"rules": f"{rules.title}，第 {rules.version} 版", "from_day": rules.effective_on}


# --- what changed


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """List what differs between two rule files: where, what it was, what it is (empty: not there)."""
    was, now = _flat(old), _flat(new)
    return [(place, was.get(place, ""), now.get(place, "")) for place in {**was, **now} if was.get(place, "") != now.get(place, "")]


def _flat(said: Any, place: str = "") -> dict[str, str]:
    """Put every value under its place; items of a list go by their id or name, if they have one."""
    if isinstance(said, dict) and said:
        return {at: text for key, value in said.items() for at, text in _flat(value, f"{place} › {key}" if place else key).items()}
    if isinstance(said, list) and any(isinstance(one, dict) for one in said):
        found: dict[str, str] = {}
        for number, one in enumerate(said, 1):
            label = (one.get("id") or one.get("name")) if isinstance(one, dict) else None
            found |= _flat(one, f"{place} › {label or f'第 {number} 项'}")
        return found
    return {place: orjson.dumps(said).decode() if not isinstance(said, str) else said}
