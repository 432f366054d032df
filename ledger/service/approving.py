"""Approving what others recorded: publicity begins, and the day from which it counts is fixed."""

from collections.abc import Iterable

from ledger import workdays
from ledger.errors import InvalidRequest, NotAllowed
from ledger.log import Fact
from ledger.policies import service_policy
from ledger.service.records import rows_of
from ledger.transactions import WriteTransaction

_APPROVED_AT_ONCE = 200
"""Services in one approval entry: with their people's chains it stays far below the largest entry."""


def approve(tx: WriteTransaction, indexes: Iterable[int]) -> str:
    """Approve recorded services: publicity begins today, and they count from the working day after it. Returns that day.

    Raises NotAllowed for one's own records or another's station, InvalidRequest for records that do not wait for approval.
    """
    rows = rows_of(tx.connection, sorted(set(indexes)))
    for row in rows:
        tx.require("approve", row.station)
        if row.status != "recorded":
            raise InvalidRequest(f"第 {row.entry_index} 条不在待审核状态，请刷新页面再看")
        if tx.actor.account in (row.recorder, row.corrected_by):
            raise NotAllowed(f"第 {row.entry_index} 条是您自己登记或更正的，登记人不能审核，请换一位审核员")
    policy = service_policy(tx.connection, tx.today.isoformat())
    counts_from = workdays.add_workdays(tx.today, policy.publicity_working_days + 1).isoformat()
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
    return counts_from
