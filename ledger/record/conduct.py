"""
Conduct: good and bad acts of volunteers and organisations, each with what it bears on, until when, and how it ends.

The rules this file alone keeps (国办发〔2020〕49号; 志愿服务条例 article 25):

1. Two people, neither alone. A bad item names the law or central policy that it rests on, and the day on which it expires, at most YEARS_MAX after the
   act. Not to volunteer, or to volunteer little, is no act.
2. What it bears on stands apart: hours in question, points, star, status, the right to fill in, selections, lists. It changes nothing by itself; the
   rules in force read it. Hours it names are the person's own.
3. It ends when it expires, or is lifted before by two people: repaired (the person asks for it), mistaken, or an appeal upheld.
4. The person may ask for each of the three on their own page. That it was a mistake is judged by nobody who asked for it or decided it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, NotFound
from ledger.kinds import Body
from ledger.kinds.credit import BASIS_MAX, EFFECTS, GROUNDS, REASON_MAX, SENSES, SERVICES_MAX
from ledger.log import Fact, Receipt
from ledger.organisations import years_later
from ledger.people import proposals, volunteers
from ledger.people.proposals import Proposal
from ledger.record import subjects, telling
from ledger.record.items import ITEMS
from ledger.record.saying import REASON_MIN, basis, choice, maybe, no_absence, past_day, words
from ledger.record.subjects import Subject
from ledger.tables import ConductRow, ServiceRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_CONDUCT, _SERVICE = table(ConductRow), table(ServiceRow)
YEARS_MAX = 5
"""How long after the act a bad item may be held against anybody."""
STANDINGS = {"force": "有效", "expired": "已过期", "lifted": "已修复", "undone": "已撤销"}


@dataclass(frozen=True)
class Act:
    """What is to be recorded: sense good or bad, item a code of items.ITEMS, points in hundredths. A bad one: basis and expires_on."""

    sense: str
    item: str
    occurred_on: date
    reason: str
    basis: str = ""
    expires_on: date | None = None
    effects: Sequence[str] = ()
    services: Sequence[int] = ()
    points: int | None = field(default=None)


def standing(row: Any, day: date) -> str:
    """Say how an item stands on a day: force, expired, lifted (repaired), or undone (a mistake, or an appeal upheld: it never was)."""
    if row.lifted_on is not None and row.lifted_ground != "repaired":
        return "undone"
    if row.lifted_on is not None and row.lifted_on <= day.isoformat():
        return "lifted"
    return "expired" if row.expires_on is not None and row.expires_on < day.isoformat() else "force"


def ask(tx: WriteTransaction, subject: Subject, act: Act) -> str:
    """Ask that an act is recorded; a second person decides. Returns the proposal's id. Raises NotAllowed, InvalidRequest, NotFound."""
    tx.require("note_credit", subject.station)
    said = _checked(tx, subject, act)
    _require_new(tx, subject, said)
    if any(one.row.kind == "conduct" and _same(one.said, said) for one in proposals.of(tx, subject.volunteer, subject.organisation)):
        raise InvalidRequest("同一天的这一件已经提出，正等第二个人决定，不用再提")
    return telling.ask(tx, "conduct", subject, said)


def _require_new(tx: ReadTransaction, subject: Subject, said: Mapping[str, Any]) -> None:
    """Refuse what is recorded already: nobody answers twice for one act."""
    for row in of(tx, subject):
        if standing(row, tx.today) != "undone" and _same({"item": row.item, "occurred_on": row.occurred_on}, said):
            raise InvalidRequest(f"账本第 {row.entry_index} 条已经记了同一天的这一件，一件事只记一次")


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[name] == other[name] for name in ("item", "occurred_on"))


def _checked(tx: ReadTransaction, subject: Subject, act: Act) -> Body:
    choice(act.sense, "守信还是失信", SENSES)
    said: Body = {
        "sense": act.sense,
        "item": choice(act.item, "什么行为", ITEMS[act.sense]),
        "occurred_on": past_day(act.occurred_on, "发生日期", tx.today),
        "reason": words(act.reason, "经过", REASON_MAX, REASON_MIN),
    }
    if act.sense == "bad":
        no_absence(act.reason)
        said["basis"] = basis(act.basis, BASIS_MAX)
        said["expires_on"] = _expiry(act, tx.today)
    elif act.basis.strip():
        said["basis"] = maybe(act.basis, "依据", BASIS_MAX)
    for effect in act.effects:
        choice(effect, "影响到什么", EFFECTS)
    said |= {"effects": [code for code in EFFECTS if code in act.effects]} if act.effects else {}
    said |= {"services": _own(tx, subject, act.services)} if act.services else {}
    if act.points is not None:
        if act.points < 0:
            raise InvalidRequest("积分请填正数；失信扣多少、守信加多少，由规则决定方向")
        said["points"] = act.points
    return said


def _expiry(act: Act, today: date) -> str:
    last = years_later(act.occurred_on, YEARS_MAX)
    if act.expires_on is None:
        raise InvalidRequest("请填失信记录到哪一天为止：不能没有期限")
    if not max(act.occurred_on, today) <= act.expires_on <= last:
        raise InvalidRequest(f"期限要在今天以后、{last} 以前（从行为发生起最长 {YEARS_MAX} 年），请核对")
    return act.expires_on.isoformat()


def _own(tx: ReadTransaction, subject: Subject, services: Sequence[int]) -> list[int]:
    wanted = sorted(set(services))
    rows = {row.entry_index: row for row in rows_where_in(tx.connection, _SERVICE.c, _SERVICE.c.entry_index, wanted)}
    others = [index for index in wanted if index not in rows or not subject.owns(rows[index])]
    if others:
        raise InvalidRequest(f"账本第 {others[0]} 条不是这个对象的服务记录，请核对条号")
    if len(wanted) > SERVICES_MAX:
        raise InvalidRequest(f"一次最多涉及 {SERVICES_MAX} 条服务记录，请分几次")
    return wanted


def carry_out(tx: WriteTransaction, proposal: Proposal) -> Receipt:
    """Record an act, a second person having agreed."""
    subject = subjects.whose(tx, proposal.row)
    _require_new(tx, subject, proposal.said)
    receipt = tx.append([Fact("conduct.recorded", {**subject.body, **proposal.said, "asked_by": proposal.row.asked_by})])[0]
    telling.outcome(tx, subject, f"conduct.{proposal.said['sense']}", {"conduct": receipt.index})
    return receipt


def ask_lift(tx: WriteTransaction, index: int, ground: str, reason: str) -> str:
    """Ask that an item ends: as the person it is about, or at the desk. Returns the proposal's id. Raises NotFound, NotAllowed, InvalidRequest."""
    row = _in_force(tx, index)
    subject = subjects.whose(tx, row)
    mine = tx.actor.volunteer is not None and subject.volunteer in (tx.actor.volunteer, volunteers.current_number(tx, tx.actor.volunteer))
    if tx.actor.volunteer is not None and not mine:
        raise NotFound(f"没有第 {index} 条守信失信记录")
    if not mine:
        tx.require("note_credit", subject.station)
    choice(ground, "为什么要撤", GROUNDS)
    if ground == "repaired" and row.sense == "good":
        raise InvalidRequest("守信记录不用修复；记错了的，请选「认定有误」")
    if any(one.said.get("conduct") == index for one in proposals.of(tx, subject.volunteer, subject.organisation)):
        raise InvalidRequest("这一条已经提出过，正等第二个人决定")
    said: dict[str, Any] = {"conduct": index, "ground": ground, "reason": words(reason, "理由", REASON_MAX, REASON_MIN)}
    if ground != "repaired":
        said["barred"] = sorted({row.asked_by, row.decided_by})
    return telling.ask(tx, "lift", subject, said)


def carry_out_lift(tx: WriteTransaction, proposal: Proposal) -> Receipt:
    """End an item, a second person having agreed."""
    index, said, subject = proposal.said["conduct"], proposal.said, subjects.whose(tx, proposal.row)
    _in_force(tx, index)
    body: Body = {"conduct": index, "ground": said["ground"], "reason": said["reason"], "lifted_on": tx.today.isoformat()}
    receipt = tx.append([Fact("conduct.lifted", {**subject.body, **body, "asked_by": proposal.row.asked_by})])[0]
    telling.outcome(tx, subject, "conduct.lifted", {"conduct": index})
    return receipt


def _in_force(tx: ReadTransaction, index: int) -> Any:
    rows = rows_where_in(tx.connection, _CONDUCT.c, _CONDUCT.c.entry_index, [index])
    if not rows:
        raise NotFound(f"没有第 {index} 条守信失信记录")
    if rows[0].lifted_on is not None:
        raise InvalidRequest(f"这一条已于 {rows[0].lifted_on} {GROUNDS[rows[0].lifted_ground]}，不再有效")
    return rows[0]


def of(tx: ReadTransaction, subject: Subject) -> list[Any]:
    """List the items of a subject, newest first, whatever became of them."""
    column, value = (_CONDUCT.c.volunteer, subject.volunteer) if subject.volunteer else (_CONDUCT.c.organisation, subject.organisation)
    found = rows_where_in(tx.connection, _CONDUCT.c, column, [value])
    return sorted(found, key=lambda row: (row.occurred_on, row.entry_index), reverse=True)
