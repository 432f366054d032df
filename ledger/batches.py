"""
Batches: what was handed in at once, taken back or declared void as a whole.

The rules this file alone keeps:

1. As long as none of it has been approved, whoever recorded a batch may take it back alone, with a reason: it was never published.
2. From then on it takes two: somebody asks with a reason, and another person, who may approve at every station concerned, says yes.
3. Nothing goes away: the records stay with the entry that voids them. What was already void by itself stays as it is.
4. A record that its person objected to is not taken back by whoever recorded it. Voided by two, the objections that ask for just that are decided with
   it, by a second person who may decide them; the others go on (service/objections.py).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ledger.bulk import insert_rows
from ledger.entries import format_time
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.kinds import Body
from ledger.kinds.checks import text
from ledger.log import Fact, Receipt
from ledger.notices import Telling, tell_many
from ledger.people.actors import Actor, units
from ledger.service import objections
from ledger.service.records import in_batch
from ledger.tables import BatchVoidRow, ServiceRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_ASKED, _SERVICE = table(BatchVoidRow), table(ServiceRow)
REASON_MAX = 200
_AT_ONCE = 200
"""Services in one entry: with their people's chains it stays far below the largest entry."""


@dataclass(frozen=True)
class Asked:
    """A batch that somebody wants void: why, who, when."""

    batch: str
    reason: str
    asked_by: str
    asked_at: str


def undo(tx: WriteTransaction, batch: str, reason: str) -> list[Receipt]:
    """Take back a batch of one's own of which nothing has been approved yet.

    Raises NotFound, NotAllowed (another's), Conflict (it has been approved, at least in part), InvalidRequest (no reason).
    """
    rows = _standing(tx, batch)
    contested = sum(row.contested_by is not None for row in rows)
    if contested:
        raise Conflict(f"这一批里有 {contested} 条本人提出了异议，不能由登记的人撤回。请申请整批作废，由另一位工作人员同意，或先处理异议")
    if tx.actor.account not in {row.recorder for row in rows} or any(row.recorder != tx.actor.account for row in rows):
        raise NotAllowed("这一批不是您登记的，不能由您撤回。可以说明理由，申请整批作废")
    if any(row.status != "recorded" for row in rows):
        raise Conflict("这一批里已有记录审核过，不能撤回。请说明理由，申请整批作废，由另一位工作人员同意")
    return _void(tx, batch, rows, _checked(reason), None)


def ask_void(tx: WriteTransaction, batch: str, reason: str) -> None:
    """Ask for a whole batch to be voided; a second person decides. Raises NotFound, NotAllowed, Conflict (asked already), InvalidRequest."""
    rows = _standing(tx, batch)
    for station in {row.station for row in rows}:
        tx.require("amend", station)
    if asked(tx, batch) is not None:
        raise Conflict("这一批已有人申请整批作废，正等另一位工作人员同意")
    row = {"batch": batch, "reason": _checked(reason), "asked_by": tx.actor.account, "asked_at": format_time(tx.now)}
    insert_rows(tx.connection, _ASKED, [row])


def void(tx: WriteTransaction, batch: str) -> list[Receipt]:
    """Say yes, as the second person: the whole batch is void. Raises NotFound (nobody asked), NotAllowed (one's own wish, another's station)."""
    wish = asked(tx, batch)
    if wish is None:
        raise NotFound("没有人申请这一批整批作废，或已经办过了。请刷新页面")
    rows = _standing(tx, batch)
    for station in {row.station for row in rows}:
        tx.require("approve", station)
    if tx.actor.account == wish.asked_by:
        raise NotAllowed("整批作废是您申请的，要由另一位审核员同意")
    objections.meet_by_voiding(tx, rows, wish.reason)
    receipts = _void(tx, batch, rows, wish.reason, wish.asked_by)
    _forget(tx, batch)
    return receipts


def decline(tx: WriteTransaction, batch: str) -> None:
    """Turn down the wish to void a batch, or take back one's own. Raises NotFound, NotAllowed."""
    wish = asked(tx, batch)
    if wish is None:
        raise NotFound("没有人申请这一批整批作废，或已经办过了。请刷新页面")
    if tx.actor.account != wish.asked_by:
        for station in {row.station for row in in_batch(tx.connection, batch)}:
            tx.require("approve", station)
    _forget(tx, batch)


def asked(tx: ReadTransaction, batch: str) -> Asked | None:
    """Give the wish to void a batch; None when there is none."""
    row = tx.connection.execute(select(_ASKED).where(_ASKED.c.batch == batch)).one_or_none()
    return Asked(*row) if row else None


def waiting(tx: ReadTransaction, actor: Actor) -> list[Asked]:
    """List the wishes that an actor may decide, oldest first: at their stations, and not their own."""
    wishes = [Asked(*row) for row in tx.connection.execute(select(_ASKED).order_by(_ASKED.c.asked_at, _ASKED.c.batch))]
    if not wishes:
        return []
    mine = set(units(tx.connection, actor, "approve"))
    statement = select(_SERVICE.c.batch, _SERVICE.c.station).where(_SERVICE.c.batch.in_([wish.batch for wish in wishes])).distinct()
    places: dict[str, set[str]] = {}
    for row in tx.connection.execute(statement):
        places.setdefault(row.batch, set()).add(row.station)
    return [wish for wish in wishes if wish.asked_by != actor.account and places.get(wish.batch, {""}) <= mine]


def may_undo(rows: list[Any], actor: Actor) -> bool:
    """Tell whether an actor may take a batch back alone."""
    standing = [row for row in rows if row.status != "voided"]
    return bool(standing) and all(
        row.status == "recorded" and row.contested_by is None and row.recorder == actor.account for row in standing
    )


def _standing(tx: ReadTransaction, batch: str) -> list[Any]:
    rows = in_batch(tx.connection, batch)
    if not rows:
        raise NotFound("没有这一批记录。请从「登记批次」里重新选择")
    standing = [row for row in rows if row.status != "voided"]
    if not standing:
        raise InvalidRequest("这一批已经全部作废，不用再办")
    return standing


def _checked(reason: str) -> str:
    reason = " ".join(reason.split())
    if len(reason) < 2 or not text(REASON_MAX)(reason):
        raise InvalidRequest(f"请写明理由（2 至 {REASON_MAX} 个字，不要写手机号或证件号）")
    return reason


def _void(tx: WriteTransaction, batch: str, rows: list[Any], reason: str, proposed_by: str | None) -> list[Receipt]:
    groups: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        groups.setdefault((row.station, row.organisation or ""), []).append(row)
    facts = []
    for (station, organisation), mine in sorted(groups.items()):
        for at in range(0, len(mine), _AT_ONCE):
            part = mine[at : at + _AT_ONCE]
            body: Body = {
                "batch": batch,
                "services": [row.entry_index for row in part],
                "volunteers": sorted({row.volunteer for row in part}),
                "station": station,
                "reason": reason,
            }
            body |= {"organisation": organisation} if organisation else {}
            body |= {"proposed_by": proposed_by} if proposed_by else {}
            facts.append(Fact("batch.voided", body))
    receipts = tx.append(facts)
    told = [
        Telling(
            "person/" + row.volunteer, "service.voided", {"service": row.entry_index, "entry": receipts[0].index, "minutes": row.minutes}
        )
        for row in rows
    ]
    tell_many(tx, told)
    return receipts


def _forget(tx: WriteTransaction, batch: str) -> None:
    tx.connection.execute(_ASKED.delete().where(_ASKED.c.batch == batch))
