"""
Merging: one person who was registered twice, mostly under a mistyped ID number, becomes one again.

One person proposes it with what it rests on, a second with the right over both stations decides. The number that goes keeps its entries and finds the one
that stays; credit, rates and overlaps see one person with both histories. No hour counts twice: services of the two that overlap are named,
and the merge waits until one of each pair is voided.
"""

from typing import Any

from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, NotAllowed
from ledger.log import Fact, Receipt
from ledger.people import proposals, volunteers
from ledger.people.actors import require
from ledger.people.proposals import Proposal
from ledger.planning import sign_ups
from ledger.tables import ServiceRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_SERVICE = table(ServiceRow)
_NAMED_AT_MOST = 5


def propose(tx: WriteTransaction, gone: str, kept: str, reason: str) -> str:
    """Propose that a number goes and its history belongs to another. Returns the proposal's id. Raises NotAllowed, InvalidRequest, NotFound."""
    goes, stays = _both(tx, gone, kept)
    try:
        tx.require("register", stays.station)
    except NotAllowed:
        tx.require("register", goes.station)
    return proposals.ask(tx, "merge", goes.number, stays.station, {"into": stays.number, "reason": reason})


def carry_out(tx: WriteTransaction, proposal: Proposal) -> Receipt:
    """Merge what a second person has seen to be one. Raises InvalidRequest naming the services that overlap."""
    goes, stays = _both(tx, proposal.row.volunteer, proposal.said["into"])
    for station in (goes.station, stays.station):
        require(tx.connection, tx.actor, "decide_people", station)
    clashes = overlaps(tx, goes.number, stays.number)
    if clashes:
        pairs = "；".join(f"第 {one} 条与第 {other} 条" for one, other in clashes[:_NAMED_AT_MOST])
        raise InvalidRequest(f"两份记录里有 {len(clashes)} 处时间重叠（{pairs}），合并后会重复计算。请先把每一处多余的一条作废，再来合并")
    proposals.drop_all(tx, goes.number, "登记已合并")
    sign_ups.follow_merge(tx.connection, goes.number, stays.number)
    body = {
        "volunteer": goes.number,
        "into": stays.number,
        "volunteers": [stays.number],
        "station": stays.station,
        "merged_on": tx.today.isoformat(),
        "reason": proposal.said["reason"],
        "asked_by": proposal.row.asked_by,
    }
    return tx.append([Fact("volunteer.merged", body)])[0]


def overlaps(tx: ReadTransaction, one: str, other: str) -> list[tuple[int, int]]:
    """List the pairs of standing services of two people that overlap in time, by their entries."""
    mine, theirs = (_standing(tx, number) for number in (one, other))
    return [(a.entry_index, b.entry_index) for a in mine for b in theirs if a.start < b.end and b.start < a.end]


def _standing(tx: ReadTransaction, number: str) -> list[Any]:
    rows = rows_where_in(tx.connection, _SERVICE.c, _SERVICE.c.volunteer, [number])
    return sorted((row for row in rows if row.status != "voided"), key=lambda row: row.start)


def _both(tx: ReadTransaction, gone: str, kept: str) -> tuple[Any, Any]:
    goes, stays = (volunteers.get(tx, number, follow=False).row for number in (gone, kept))
    if goes.number == stays.number:
        raise InvalidRequest("两个编号是同一个，不用合并")
    for row in (goes, stays):
        if row.merged_into:
            raise InvalidRequest(f"编号 {row.number} 已经合并到 {row.merged_into}，请改填后一个")
        if row.left_as == "not_me":
            raise InvalidRequest(f"编号 {row.number} 的登记已被本人否认，不能合并。请先核查")
    if stays.left_on is not None:
        raise InvalidRequest(f"编号 {stays.number} 已于 {stays.left_on} 退出，不能作为保留的一份。请换过来，或先重新登记")
    return goes, stays
