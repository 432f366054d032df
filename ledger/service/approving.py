"""Approving what others recorded: publicity begins, and the day from which it counts is fixed."""

from collections.abc import Iterable
from datetime import date

from ledger.errors import InvalidRequest, NotAllowed
from ledger.log import Fact
from ledger.notices import Telling, tell_many
from ledger.people.actors import require_above
from ledger.policies import service_policy
from ledger.service import gates
from ledger.service.records import rows_of, said_by
from ledger.transactions import ReadTransaction, WriteTransaction
from ledger.workdays import calendar

_APPROVED_AT_ONCE = 200
"""Services in one approval entry: with their people's chains it stays far below the largest entry."""


def counting_from(tx: ReadTransaction) -> date:
    """Give the day from which what is approved today counts: the working day after publicity. Raises InvalidRequest for a year not known."""
    policy = service_policy(tx.connection, tx.today.isoformat())
    return calendar(tx.connection).add(tx.today, policy.publicity_working_days + 1)


def approve(tx: WriteTransaction, indexes: Iterable[int]) -> str:
    """Approve recorded services: publicity begins today, and they count from the working day after it. Returns that day.

    What came late is approved by somebody whose right reaches the unit above the station, where there is one.
    Raises NotAllowed for one's own records or another's station, InvalidRequest for records that do not wait for approval.
    """
    rows = rows_of(tx.connection, sorted(set(indexes)))
    for station in sorted({row.station for row in rows}):
        tx.require("approve", station)
    for row in rows:
        if row.status != "recorded":
            raise InvalidRequest(f"第 {row.entry_index} 条不在待审核状态，请刷新页面再看")
        if row.contested_by is not None:
            raise InvalidRequest(f"第 {row.entry_index} 条本人提出了异议，先处理异议，再审核")
        if tx.actor.account in said_by(row):
            raise NotAllowed(f"第 {row.entry_index} 条是您自己登记或更正的，登记人不能审核，请换一位审核员")
    for row in gates.late(tx, rows):
        try:
            require_above(tx.connection, tx.actor, "approve", row.station)
        except NotAllowed:
            text = f"第 {row.entry_index} 条过了期限才登记，要由上一级的审核员审核。其余的可以先通过"
            raise NotAllowed(text) from None
    counts_from = counting_from(tx).isoformat()
    facts = []
    for station in sorted({row.station for row in rows}):
        mine = [row for row in rows if row.station == station]
        for at in range(0, len(mine), _APPROVED_AT_ONCE):
            part = mine[at : at + _APPROVED_AT_ONCE]
            body = {
                "services": [row.entry_index for row in part],
                "volunteers": sorted({row.volunteer for row in part}),
                "station": station,
                "publicity_from": tx.today.isoformat(),
                "effective_on": counts_from,
            }
            facts.append(Fact("service.approved", body))
    tx.append(facts)
    about = {row.entry_index: {"service": row.entry_index, "minutes": row.minutes, "effective_on": counts_from} for row in rows}
    tell_many(tx, [Telling("person/" + row.volunteer, "service.approved", about[row.entry_index]) for row in rows])
    return counts_from
