"""
Step seven, 异议: anybody may say that a public list is not right, signed in or at the desk; whoever did not take it down decides, with a reason.

An objection that is upheld names what it changes: records dropped, kept or let in as they are now, people taken off or let in. Nothing else of what
happened after the freeze counts. The list is ranked anew, and shows exactly what changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select

from ledger import stations
from ledger.bulk import insert_rows, rows_where_in
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.kinds import Body
from ledger.kinds.checks import text
from ledger.kinds.selections import CHANGES_MAX, FINDINGS, GROUNDS, REASON_MAX
from ledger.log import Fact, Receipt
from ledger.notices import Telling, tell_many, tell_staff
from ledger.people import volunteers
from ledger.people.actors import require
from ledger.selections import reading, sources
from ledger.selections.ranking import Standing
from ledger.selections.reading import ACTION
from ledger.service.objections import due_on
from ledger.service.records import counts_on, rows_of
from ledger.tables import SelectionCandidateRow, SelectionLineRow, SelectionObjectionRow, SelectionWordsRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_OBJECTION, _WORDS, _CANDIDATE, _LINE, _VOLUNTEER = (
    table(m) for m in (SelectionObjectionRow, SelectionWordsRow, SelectionCandidateRow, SelectionLineRow, VolunteerRow)
)
WORDS_MAX = 500
EFFECTS = {
    "drop": "剔除记录",
    "keep": "恢复记录",
    "admit": "按更正后的记录计入",
    "bar": "取消入选资格",
    "unbar": "恢复入选资格",
}
"""What an objection that is upheld may change: the first three name records by number, the others people."""


@dataclass(frozen=True)
class Effect:
    """What an upheld objection changes."""

    drop: Sequence[int] = ()
    keep: Sequence[int] = ()
    admit: Sequence[int] = ()
    bar: Sequence[str] = ()
    unbar: Sequence[str] = ()

    def said(self) -> dict[str, list[Any]]:
        """Give what there is of it, in order."""
        return {name: sorted(set(value)) for name in EFFECTS if (value := getattr(self, name))}


@dataclass(frozen=True)
class Change:
    """How the list differs from the one made public."""

    entered: list[Standing] = field(default_factory=list)
    left: list[Standing] = field(default_factory=list)
    moved: int = 0


@dataclass(frozen=True)
class Meant:
    """Whom an objection to a row is about: the person or organisation, and their frozen records."""

    subject: str
    records: Sequence[Any]


def contest(tx: WriteTransaction, selection: str, ground: str, words: str = "", row: int | None = None) -> Receipt:
    """Say that a public list is not right: a volunteer for themselves, or staff for somebody at the desk.

    Raises NotFound, Conflict outside the publicity or when the same waits already, InvalidRequest.
    """
    said = reading.get(tx.connection, selection)
    today = tx.today.isoformat()
    if said.published_index is None or said.replaced_by or not said.published_from <= today <= said.published_until:
        raise Conflict("这份名单不在公示期内，不能再提异议。有疑问请直接联系评选单位")
    if ground not in GROUNDS:
        raise InvalidRequest("请选择哪里不对")
    words = " ".join(words.split())
    if len(words) > WORDS_MAX or (ground == "other" and not words):
        raise InvalidRequest(f"请写明是什么情况（{WORDS_MAX} 字以内）")
    rows = len(orjson.loads(said.rows))
    if row is not None and not 1 <= row <= rows:
        raise InvalidRequest(f"名单上只有 1 到 {rows} 行，请核对行号")
    mine = tx.actor.volunteer
    if mine is None:
        require(tx.connection, tx.actor, ACTION, said.station)
    same = _OBJECTION.c.selection == said.id, _OBJECTION.c.actor == tx.actor.account, _OBJECTION.c.decision.is_(None)
    alike = _OBJECTION.c.ground == ground, _OBJECTION.c.row.is_not_distinct_from(row)
    if mine is not None and tx.connection.execute(select(_OBJECTION.c.entry_index).where(*same, *alike)).first():
        raise Conflict("您已经提过这条异议，正在处理，不用再提")
    due = due_on(tx)
    body: Body = {"selection": said.id, "station": said.station, "ground": ground, "means": "self" if mine else "desk"}
    body |= {"row": row} if row is not None else {}
    body |= {"due_on": due} if due else {}
    body |= {"volunteer": volunteers.get(tx, mine).row.number} if mine else {}
    receipt = tx.append([Fact("selection.contested", body)])[0]
    if words:
        sealed = tx.vault.seal_draft(words.encode(), f"selection-objection/{receipt.index}")
        insert_rows(tx.connection, _WORDS, [{"objection": receipt.index, "sealed": sealed}])
    tell_staff(tx, ACTION, said.station, "selection.contested", {"station": said.station, **({"due_on": due} if due else {})})
    return receipt


def words_of(tx: ReadTransaction, objections: Sequence[Any]) -> Mapping[int, str]:
    """Open what people said in their own words."""
    rows = rows_where_in(tx.connection, _WORDS.c, _WORDS.c.objection, [one.entry_index for one in objections])
    return {row.objection: tx.vault.open_draft(bytes(row.sealed), f"selection-objection/{row.objection}").decode() for row in rows}


def rows_meant(tx: ReadTransaction, row: Any, objections: Sequence[Any]) -> Mapping[int, Meant]:
    """Tell, by objection, whom its row of the public list is about and which records were frozen for them. *row*: the selection's."""
    wanted = {one.entry_index: one.row for one in objections if one.row is not None}
    asked = select(_LINE.c.row, _LINE.c.subject).where(_LINE.c.selection == row.id, _LINE.c.row.in_(set(wanted.values())))
    subjects = {one.row: one.subject for one in tx.connection.execute(asked)}
    records: dict[str, list[Any]] = {subject: [] for subject in subjects.values()}
    for record in reading.source_of(tx.connection, row).records_of(records):
        records[record.subject].append(record)
    return {index: Meant(subjects[at], records[subjects[at]]) for index, at in wanted.items() if at in subjects}


def decide(tx: WriteTransaction, objection: int, finding: str, reason: str, effect: Effect | None = None) -> Receipt:
    """Decide an objection: whoever did not take it down. Raises NotFound, NotAllowed, Conflict, InvalidRequest."""
    one = tx.connection.execute(select(_OBJECTION).where(_OBJECTION.c.entry_index == objection)).one_or_none()
    if one is None:
        raise NotFound("没有这条异议，请刷新页面")
    row = reading.see(tx, tx.actor, one.selection)
    tx.require(ACTION, row.station)
    if one.decision is not None or row.sealed_index is not None:
        raise Conflict("这条异议已经有了结果，或者名单已经定稿，请刷新页面")
    if tx.actor.account == one.actor:
        raise NotAllowed("这条异议是您提出或记下的，要由另一个人来决定")
    reason = " ".join(reason.split())
    if finding not in FINDINGS:
        raise InvalidRequest("请选择异议成立或不成立")
    if len(reason) < 4 or not text(REASON_MAX)(reason):
        raise InvalidRequest(f"请写明怎么查的、为什么（4 至 {REASON_MAX} 个字，不要写手机号或身份证号）")
    said = (effect or Effect()).said()
    if (finding == "upheld") != bool(said):
        raise InvalidRequest(
            "异议成立的，要写明改动哪些记录或人；不成立的，不要写" if finding == "upheld" else "异议不成立，就不能改动名单"
        )
    concerned = _check(tx, row, said)
    body: Body = {"selection": row.id, "station": row.station, "objection": objection, "finding": finding, "reason": reason, **said}
    body |= {"volunteers": concerned} if concerned and row.subject == "volunteers" else {}
    receipt = tx.append([Fact("selection.objection_decided", body)])[0]
    told = {one.volunteer} if one.volunteer else set()
    about = {"station": row.station, "finding": finding, "reason": reason[:200]}
    tell_many(tx, [Telling("person/" + number, "selection.objection_decided", about) for number in sorted(told)])
    return receipt


def _check(tx: WriteTransaction, row: Any, said: Mapping[str, list[Any]]) -> list[str]:
    """Make sure that what is to change is there to be changed. Returns the people or organisations concerned. Raises InvalidRequest."""
    if any(len(value) > CHANGES_MAX for value in said.values()):
        raise InvalidRequest(f"一条异议一次最多改动 {CHANGES_MAX} 处，请分开决定")
    named = [*said.get("drop", []), *said.get("keep", [])]
    frozen = {one.service: one for one in sources.services_of(tx.connection, row, named)}
    if missing := sorted(set(named) - frozen.keys()):
        raise InvalidRequest(f"第 {missing[0]} 条不在这次评选冻结的记录里，请核对记录的条号")
    concerned = {one.subject for one in frozen.values()}
    try:
        now = rows_of(tx.connection, said.get("admit", []))
    except NotFound as fault:
        raise InvalidRequest(f"{fault}，不能计入") from None
    for one in now:
        subject = one.volunteer if row.subject == "volunteers" else one.organisation
        if subject is None or not row.period_from <= one.served_on <= row.period_to:
            raise InvalidRequest(f"第 {one.entry_index} 条不在统计期间（{row.period_from} 至 {row.period_to}）内，不能计入")
        if not counts_on(one, tx.today):
            raise InvalidRequest(f"第 {one.entry_index} 条还没有计入（待审核、公示中或已作废）。请等它计入以后再决定这条异议")
        concerned.add(subject)
    for number in (*said.get("bar", []), *said.get("unbar", [])):
        mine = _CANDIDATE.c.selection == row.id, _CANDIDATE.c.subject == number
        if tx.connection.execute(select(_CANDIDATE.c.subject).where(*mine)).first() is None:
            raise InvalidRequest(f"编号 {number} 没有参加这次评选（冻结时没有计入的时长），请核对编号")
        concerned.add(number)
    return sorted(concerned)


def changes(tx: ReadTransaction, row: Any) -> Change:
    """Compare a selection's list with the one made public."""
    before = reading.ranking_of(tx.connection, row, row.published_index).chosen
    now = reading.ranking_of(tx.connection, row).chosen
    were, are = ({one.sums.subject: one for one in found} for found in (before, now))
    entered = [one for one in now if one.sums.subject not in were]
    left = [one for one in before if one.sums.subject not in are]
    moved = sum(were[subject].rank != one.rank or were[subject].sums != one.sums for subject, one in are.items() if subject in were)
    return Change(entered, left, moved)


def unit_name(tx: ReadTransaction, row: Any) -> str:
    """Give the name of the unit that runs a selection."""
    return str(stations.get(tx.connection, row.station).name)
