"""Putting a record right by a new entry with a reason: what the times really were, or that it does not stand."""

from datetime import date, datetime
from typing import Any

from ledger.errors import InvalidRequest, NotAllowed
from ledger.kinds import Body
from ledger.log import Fact, Receipt
from ledger.notices import tell
from ledger.refusals import Already
from ledger.service.drafts import Draft, said_times, spell_minute, spoken_day
from ledger.service.judging import Judge, load_standing
from ledger.service.records import rows_of, said_by
from ledger.transactions import WriteTransaction


def correct(tx: WriteTransaction, index: int, *, start: datetime, end: datetime, reason: str, break_minutes: int = 0) -> Receipt:
    """Say what a service's times really were. It then waits for approval again, by neither of the two; the operator's word stands at once.

    Raises as `void`, and InvalidRequest when the new times break a rule or are those that stand.
    """
    row = _amendable(tx, index)
    settled = tx.actor.may("settle")
    if not settled and abs((start.date() - date.fromisoformat(row.served_on)).days) > 1:
        raise InvalidRequest(f"这条记录是{spoken_day(row.served_on)}的服务，更正只能改时间。日期写错了，请作废这一条，再按正确的日期登记")
    if (spell_minute(start), spell_minute(end), break_minutes) == (row.start, row.end, row.break_minutes):
        raise InvalidRequest(
            "填的时间和原来记的一样，没有什么要更正。请填实际的时间；原来没有记错的，不用更正（是异议的，请选「异议不成立」）"
        )
    draft = Draft(
        row.volunteer, row.activity, row.station, start, end, row.grade, row.batch, row.organisation, break_minutes, settled=settled
    )
    standing = load_standing(tx.connection, [draft])[row.volunteer]
    standing.minutes_by_day[row.served_on] = standing.minutes_by_day.get(row.served_on, row.minutes) - row.minutes
    standing.intervals = [interval for interval in standing.intervals if interval[4] != index]
    refusal = Judge(tx, {row.volunteer: standing}).judge(draft, draft.body(), instead_of=row.minutes)
    if isinstance(refusal, Already):
        raise InvalidRequest(f"这个人同一活动同样的时间已有第 {refusal.index} 条记录，请作废多余的一条")
    if refusal is not None:
        raise InvalidRequest(refusal.message)
    body: Body = {"service": index, "volunteer": row.volunteer, "station": row.station, "reason": reason}
    body |= said_times(start, end, draft.minutes, break_minutes)
    if row.organisation:
        body["organisation"] = row.organisation
    return _said(tx, row, "service.corrected", body)


def void(tx: WriteTransaction, index: int, *, reason: str) -> Receipt:
    """Declare that a service record does not stand, and why.

    Raises NotFound, NotAllowed (another's station, or one's own record that already counts), InvalidRequest (voided already).
    """
    row = _amendable(tx, index)
    body: Body = {"service": index, "volunteer": row.volunteer, "station": row.station, "reason": reason}
    if row.organisation:
        body["organisation"] = row.organisation
    return _said(tx, row, "service.voided", body)


def _said(tx: WriteTransaction, row: Any, kind: str, body: Body) -> Receipt:
    """Append what puts a record right, and tell the person."""
    receipt = tx.append([Fact(kind, body)])[0]
    about = {"service": row.entry_index, "entry": receipt.index, "minutes": body.get("minutes", row.minutes)}
    tell(tx, "person/" + row.volunteer, kind, about)
    return receipt


def _amendable(tx: WriteTransaction, index: int) -> Any:
    row = rows_of(tx.connection, [index])[0]
    tx.require("amend", row.station)
    if row.status == "voided":
        raise InvalidRequest(f"第 {index} 条已经作废（{row.reason}）")
    if row.contested_by is not None:
        raise InvalidRequest(f"第 {index} 条本人提出了异议，请在「异议」里一并处理")
    if row.status == "approved" and tx.actor.account in said_by(row) and tx.actor.role != "operator":
        raise NotAllowed(f"第 {index} 条是您自己登记的，而且已经审核，需要另一位工作人员更正或作废")
    if row.status == "approved":
        tx.require_own()
    return row
