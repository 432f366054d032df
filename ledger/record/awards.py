"""
Awards (民政部令第67号 article 9): one's own at once, a county's or higher after the volunteer has handed in the paper, another unit's after checking.

Always two people: whoever hands in the paper, the volunteer on their own page or somebody at the desk, and a second one who compares it with what was
typed. The entry holds the paper's SHA-256; the scan itself is sealed while it waits and gone once it is decided: the paper is the person's. That an award
is missing is put right in the same way. It is withdrawn, again by two, when whoever gave it takes it back or it was none.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.kinds.credit import AWARD_LEVELS, REASON_MAX, TITLE_MAX
from ledger.log import Fact, Receipt
from ledger.people import proposals, volunteers
from ledger.people.proposals import Paper, Proposal
from ledger.record import subjects, telling
from ledger.record.saying import REASON_MIN, choice, past_day, words
from ledger.record.subjects import Subject
from ledger.tables import AwardRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_AWARD = table(AwardRow)
WITH_PAPER = ("district", "city", "province", "nation")
"""Levels at which nothing is entered without the paper."""


@dataclass(frozen=True)
class Award:
    """An award: what it is called, who gave it, at what level (a code of AWARD_LEVELS), when."""

    title: str
    unit: str
    level: str
    granted_on: date


def hand_in(tx: WriteTransaction, award: Award, paper: Paper) -> str:
    """Hand in an award of one's own, with its paper; the desk checks it. Returns the proposal's id. Raises NotAllowed, InvalidRequest."""
    if tx.actor.volunteer is None:
        raise NotAllowed("奖励证书由志愿者本人在自己的页面上交，工作人员请在服务台登记")
    if not may_hand_in(tx, tx.actor.volunteer):
        raise InvalidRequest("您的登记已经结束，不能再交奖励证书。想再参加，请到站点重新登记")
    return _ask(tx, subjects.person(tx, tx.actor.volunteer), award, paper)


def ask(tx: WriteTransaction, subject: Subject, award: Award, paper: Paper | None = None) -> str:
    """Write down an award at the desk; a second person decides. Returns the proposal's id. Raises NotAllowed, InvalidRequest."""
    tx.require("note_credit", subject.station)
    return _ask(tx, subject, award, paper)


def _ask(tx: WriteTransaction, subject: Subject, award: Award, paper: Paper | None) -> str:
    said: dict[str, Any] = {
        "title": words(award.title, "奖励名称", TITLE_MAX, 2),
        "unit": words(award.unit, "颁发单位", TITLE_MAX, 2),
        "level": choice(award.level, "级别", AWARD_LEVELS),
        "granted_on": past_day(award.granted_on, "颁发日期", tx.today),
    }
    _require_new(tx, subject, said)
    if paper is None and award.level in WITH_PAPER:
        raise InvalidRequest(f"{AWARD_LEVELS[award.level]}级以上的奖励要附证书的照片或扫描件（JPG、PNG、PDF）")
    if any(one.row.kind == "award" and _same(one.said, said) for one in proposals.of(tx, subject.volunteer, subject.organisation)):
        raise InvalidRequest("这项奖励已经交上来，正等工作人员核对，不用再交")
    return telling.ask(tx, "award", subject, said | ({"evidence": paper.sha256} if paper else {}), paper)


def carry_out(tx: WriteTransaction, proposal: Proposal) -> Receipt:
    """Enter an award, a second person having compared the paper."""
    subject, said = subjects.whose(tx, proposal.row), dict(proposal.said)
    _require_new(tx, subject, said)
    receipt = tx.append([Fact("award.granted", {**subject.body, **said, "asked_by": proposal.row.asked_by})])[0]
    telling.outcome(tx, subject, "award.granted", {"award": receipt.index})
    return receipt


def _require_new(tx: ReadTransaction, subject: Subject, said: dict[str, Any]) -> None:
    for row in of(tx, subject):
        if not row.withdrawn_by and _same({name: getattr(row, name) for name in ("title", "unit", "granted_on")}, said):
            raise InvalidRequest(f"账本第 {row.entry_index} 条已经有这项奖励，不用重复登记")


def _same(one: Any, other: Any) -> bool:
    return all(one[name] == other[name] for name in ("title", "unit", "granted_on"))


def of(tx: ReadTransaction, subject: Subject) -> list[Any]:
    """List the awards of a subject, newest first; those withdrawn too."""
    column, value = (_AWARD.c.volunteer, subject.volunteer) if subject.volunteer else (_AWARD.c.organisation, subject.organisation)
    return sorted(rows_where_in(tx.connection, _AWARD.c, column, [value]), key=lambda row: (row.granted_on, row.entry_index), reverse=True)


def ask_withdrawal(tx: WriteTransaction, index: int, reason: str) -> str:
    """Ask that an award does not stand any more; a second person decides. Returns the proposal's id. Raises NotFound, NotAllowed, InvalidRequest."""
    row = _standing(tx, index)
    subject = subjects.whose(tx, row)
    tx.require("note_credit", subject.station)
    if any(one.said.get("award") == index for one in proposals.of(tx, subject.volunteer, subject.organisation)):
        raise InvalidRequest("撤销这项奖励的申请已在等第二个人决定")
    said = {"award": index, "title": row.title, "reason": words(reason, "撤销的理由", REASON_MAX, REASON_MIN)}
    return telling.ask(tx, "award_withdrawal", subject, said)


def carry_out_withdrawal(tx: WriteTransaction, proposal: Proposal) -> Receipt:
    """Withdraw an award, a second person having agreed."""
    index, subject = proposal.said["award"], subjects.whose(tx, proposal.row)
    _standing(tx, index)
    body = {"award": index, "reason": proposal.said["reason"], "asked_by": proposal.row.asked_by}
    receipt = tx.append([Fact("award.withdrawn", {**subject.body, **body})])[0]
    telling.outcome(tx, subject, "award.withdrawn", {"award": index})
    return receipt


def _standing(tx: ReadTransaction, index: int) -> Any:
    rows = rows_where_in(tx.connection, _AWARD.c, _AWARD.c.entry_index, [index])
    if not rows:
        raise NotFound("没有这项奖励，请刷新页面再选")
    if rows[0].withdrawn_by:
        raise InvalidRequest(f"这项奖励已经撤销（{rows[0].withdrawn_reason}）")
    return rows[0]


def may_hand_in(tx: ReadTransaction, number: str) -> bool:
    """Tell whether somebody may hand in awards on their own page: while they are registered."""
    return volunteers.get(tx, number).row.left_on is None
