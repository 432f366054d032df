"""
Organisations' credit: appraisal (服务评议), disclosure (信用公示), warning (信用警示) and the two lists of 民政部令第60号.

The rules this file alone keeps:

1. Appraisal takes one person; disclosure, warning, a list, and the end of each take two. Each names the document that it rests on and what happened, in
   words that anybody may read: no person in charge is named, here or on the public page.
2. An entry is due within ENTRY_DUE working days of the day it speaks of; a late one is flagged.
3. A warning has a day by which to mend: a reminder before it, then correction and closure (信用修复), or the abnormal list.
4. Two full years on the abnormal list without being lifted: it is due to go to the serious list. Nothing moves by itself: `dues` says what is due, and
   two people do it.
5. The serious list is left on application after two years without another act; each new act, of any list or of bad conduct, begins them anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import select

from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, NotFound
from ledger.kinds import Body
from ledger.kinds.credit import APPRAISERS, BASIS_MAX, GROUNDS, LISTS, QUALITIES, REASON_MAX, TITLE_MAX
from ledger.log import Fact, Receipt
from ledger.people import proposals
from ledger.people.actors import Actor, units
from ledger.people.proposals import Proposal
from ledger.record import conduct, subjects, telling
from ledger.record.saying import REASON_MIN, basis, choice, past_day, words
from ledger.record.subjects import Subject
from ledger.tables import AppraisalRow, EntryRow, OrganisationNoteRow, OrganisationRow, table
from ledger.transactions import ReadTransaction, WriteTransaction
from ledger.workdays import calendar

_NOTE, _APPRAISAL, _ORGANISATION, _ENTRY = (table(model) for model in (OrganisationNoteRow, AppraisalRow, OrganisationRow, EntryRow))
ENTRY_DUE = 5
YEARS = 2
"""Full years: on the abnormal list before the serious one, and without another act before that one is left."""
REMIND_BEFORE = timedelta(days=7)
DUES = {
    "remind": "整改期限快到，提醒一次",
    "overdue": "过了整改期限还没改，可列入活动异常名录",
    "close": "没有写整改期限的警示，请核实后移出，或写明期限重新警示",
    "serious": "在活动异常名录满两年，应列入严重违法失信名单",
    "leave": "移出严重违法失信名单的时间已到，本组织可以申请",
}


@dataclass(frozen=True)
class Due:
    """Something that is due about an organisation: the note it is about, a code of DUES, since when (or by when, of a reminder)."""

    note: Any
    organisation: Any
    what: str
    on: str


def appraise(tx: WriteTransaction, subject: Subject, appraiser: str, name: str, grade: str, opinion: str, appraised_on: date) -> Receipt:
    """Record what a body (*name*; appraiser: a code of APPRAISERS) found of an organisation. Raises NotAllowed, InvalidRequest."""
    tx.require("record", subject.station)
    body: Body = {
        **_of_organisation(subject),
        "appraiser": choice(appraiser, "谁评的", APPRAISERS),
        "name": words(name, "评议单位名称", TITLE_MAX, 2),
        "grade": choice(grade, "评议结果", QUALITIES),
        "opinion": words(opinion, "评议意见", REASON_MAX, 2),
        "appraised_on": past_day(appraised_on, "评议日期", tx.today),
    }
    return tx.append([Fact("organisation.appraised", body)])[0]


def ask_note(
    tx: WriteTransaction, subject: Subject, on_list: str, rests_on: str, reason: str, noted_on: date, mend_by: date | None = None
) -> str:
    """Ask that an organisation is disclosed, warned or listed (*on_list*: a code of LISTS); a second person decides. Returns the proposal's id.

    Raises NotAllowed, InvalidRequest.
    """
    body = _of_organisation(subject)
    tx.require("note_credit", subject.station)
    said: dict[str, Any] = {
        "list": choice(on_list, "公示、警示还是列入名单", LISTS),
        "basis": basis(rests_on, BASIS_MAX),
        "reason": words(reason, "事由", REASON_MAX, REASON_MIN),
        "noted_on": past_day(noted_on, "认定日期", tx.today),
    }
    if on_list == "warned" and mend_by is None:
        raise InvalidRequest("警示要写明整改期限：到哪一天为止")
    if mend_by is not None:
        if mend_by < tx.today:
            raise InvalidRequest(f"整改期限 {mend_by} 已经过去，请核对")
        said["mend_by"] = mend_by.isoformat()
    if any(row.lifted_on is None and _same(row, said) for row in notes_of(tx, body["organisation"])):
        raise InvalidRequest("账本里已经有同一天、同一事由的这一条，不用重复登记")
    return telling.ask(tx, "note", subject, said)


def _same(row: Any, said: dict[str, Any]) -> bool:
    return all(getattr(row, name) == said[name] for name in ("list", "reason", "noted_on"))


def _of_organisation(subject: Subject) -> Body:
    if not subject.organisation:
        raise InvalidRequest("公示、警示、名单和评议只用于组织，不用于个人")
    return subject.body


def carry_out_note(tx: WriteTransaction, proposal: Proposal) -> Receipt:
    """Disclose, warn or list an organisation, a second person having agreed."""
    subject = subjects.whose(tx, proposal.row)
    return tx.append([Fact("organisation.credit_noted", {**subject.body, **proposal.said, "asked_by": proposal.row.asked_by})])[0]


def ask_lift(tx: WriteTransaction, index: int, ground: str, reason: str) -> str:
    """Ask that a disclosure, warning or listing ends; a second person decides. Returns the proposal's id.

    Raises NotFound, NotAllowed, InvalidRequest (the serious list before its time).
    """
    row = _in_force(tx, index)
    subject = subjects.organisation(tx, row.organisation)
    tx.require("note_credit", subject.station)
    choice(ground, "为什么移出", GROUNDS)
    if row.list == "serious" and ground == "repaired" and (until := leave_on(tx, row.organisation)) > tx.today.isoformat():
        raise InvalidRequest(f"严重违法失信名单满 {YEARS} 年没有新的失信行为才能申请移出，最早 {until}")
    if any(one.said.get("note") == index for one in proposals.of(tx, None, subject.organisation)):
        raise InvalidRequest("移出的申请已在等第二个人决定")
    said: dict[str, Any] = {"note": index, "list": row.list, "ground": ground, "reason": words(reason, "理由", REASON_MAX, REASON_MIN)}
    if ground != "repaired":
        said["barred"] = sorted({row.asked_by, row.decided_by})
    return telling.ask(tx, "unlist", subject, said)


def carry_out_lift(tx: WriteTransaction, proposal: Proposal) -> Receipt:
    """End a disclosure, warning or listing, a second person having agreed."""
    said, subject = proposal.said, subjects.whose(tx, proposal.row)
    row = _in_force(tx, said["note"])
    if row.list == "serious" and said["ground"] == "repaired" and leave_on(tx, row.organisation) > tx.today.isoformat():
        raise InvalidRequest("申请以后又有了新的失信行为，移出的时间要重新算。请退回这件申请")
    body: Body = {name: said[name] for name in ("note", "ground", "reason")}
    body |= {"lifted_on": tx.today.isoformat(), "asked_by": proposal.row.asked_by}
    return tx.append([Fact("organisation.credit_lifted", {**subject.body, **body})])[0]


def _in_force(tx: ReadTransaction, index: int) -> Any:
    rows = rows_where_in(tx.connection, _NOTE.c, _NOTE.c.entry_index, [index])
    if not rows:
        raise NotFound(f"没有第 {index} 条公示、警示或名单记录")
    if rows[0].lifted_on is not None:
        raise InvalidRequest(f"这一条已于 {rows[0].lifted_on} 移出")
    return rows[0]


def notes_of(tx: ReadTransaction, organisation: str) -> list[Any]:
    """List what was ever disclosed, warned or listed of an organisation, newest first."""
    found = rows_where_in(tx.connection, _NOTE.c, _NOTE.c.organisation, [organisation])
    return sorted(found, key=lambda row: (row.noted_on, row.entry_index), reverse=True)


def appraisals_of(tx: ReadTransaction, organisation: str) -> list[Any]:
    """List the appraisals of an organisation, newest first."""
    found = rows_where_in(tx.connection, _APPRAISAL.c, _APPRAISAL.c.organisation, [organisation])
    return sorted(found, key=lambda row: (row.appraised_on, row.entry_index), reverse=True)


def leave_on(tx: ReadTransaction, organisation: str) -> str:
    """Give the first day on which an organisation may ask to leave the serious list: two full years after its newest act that stands."""
    acts = [
        row.noted_on for row in notes_of(tx, organisation) if row.list != "disclosed" and row.lifted_ground not in ("mistaken", "appeal")
    ]
    subject = subjects.organisation(tx, organisation)
    acts += [row.occurred_on for row in conduct.of(tx, subject) if row.sense == "bad" and conduct.standing(row, tx.today) != "undone"]
    return _later(max(acts)) if acts else tx.today.isoformat()


def _later(day: str) -> str:
    """Give the day that is YEARS years after a day; of 29 February, 1 March."""
    said = date.fromisoformat(day)
    try:
        return said.replace(year=said.year + YEARS).isoformat()
    except ValueError:
        return date(said.year + YEARS, 3, 1).isoformat()


def in_force(tx: ReadTransaction, lists: Sequence[str] = tuple(LISTS)) -> list[tuple[Any, Any]]:
    """List what is disclosed, warned or listed today, the gravest first, then the newest: the note and the organisation's row."""
    rows = tx.connection.execute(select(_NOTE).where(_NOTE.c.lifted_on.is_(None), _NOTE.c.list.in_(lists))).all()
    known = {row.id: row for row in rows_where_in(tx.connection, _ORGANISATION.c, _ORGANISATION.c.id, {row.organisation for row in rows})}
    graver = list(LISTS)
    ordered = sorted(rows, key=lambda row: (graver.index(row.list), row.noted_on, row.entry_index), reverse=True)
    return [(row, known[row.organisation]) for row in ordered]


def late_entries(tx: ReadTransaction, notes: Sequence[Any]) -> set[int]:
    """Tell which notes came into the log later than their due day; one whose calendar is not known is not late."""
    known = calendar(tx.connection)
    said = rows_where_in(tx.connection, (_ENTRY.c.index, _ENTRY.c.body), _ENTRY.c.index, [row.entry_index for row in notes])
    came = {row.index: orjson.loads(row.body)["recorded_at"][:10] for row in said}
    found = set()
    for row in notes:
        try:
            due = known.add(date.fromisoformat(row.noted_on), ENTRY_DUE).isoformat()
        except InvalidRequest:
            continue
        if came[row.entry_index] > due:
            found.add(row.entry_index)
    return found


def dues(tx: ReadTransaction, actor: Actor) -> list[Due]:
    """List what is due about organisations where the actor may note it, the longest due first."""
    within, today = set(units(tx.connection, actor, "note_credit")), tx.today.isoformat()
    pairs = [(note, unit) for note, unit in in_force(tx) if unit.station in within]
    listed: dict[str, list[Any]] = {}
    for note, _ in pairs:
        listed.setdefault(note.organisation, []).append(note)
    found = []
    for note, unit in pairs:
        others = [one for one in listed[note.organisation] if one.noted_on >= note.noted_on]
        if (what := _due(tx, note, others, today)) is not None:
            found.append(Due(note, unit, *what))
    return sorted(found, key=lambda one: (one.on, one.note.entry_index))


def _due(tx: ReadTransaction, note: Any, others: Sequence[Any], today: str) -> tuple[str, str] | None:
    """Say what is due about one note that stands, and since when. *others*: those that stand with it, not older."""
    after = {one.list for one in others if one.entry_index != note.entry_index}
    if note.list == "warned" and not note.mend_by:
        return ("close", note.noted_on)
    if note.list == "warned" and not after & {"abnormal", "serious"}:
        if note.mend_by < today:
            return ("overdue", note.mend_by)
        return ("remind", note.mend_by) if note.mend_by <= (tx.today + REMIND_BEFORE).isoformat() else None
    if note.list == "abnormal" and "serious" not in after and _later(note.noted_on) <= today:
        return ("serious", _later(note.noted_on))
    if note.list == "serious" and "serious" not in after and (until := leave_on(tx, note.organisation)) <= today:
        return ("leave", until)
    return None
