"""
How records are handed over: one person asks, saying why; another agrees; one of the two takes the file, once, within a day.

The file is made when it is taken and kept nowhere. Taking it is one write: a look at each person in it (reveals.py, which that person sees), an entry with
the file's SHA-256 and how much is in it, and the request's end. Only then does the file leave; who loses it asks anew.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from ledger import stations
from ledger.bulk import insert_rows
from ledger.entries import b64, format_time
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.handing_over import gathering, mapping, workbook
from ledger.handing_over.gathering import Gathered
from ledger.handing_over.mapping import Mapped
from ledger.ids import new_number
from ledger.kinds.checks import day, text
from ledger.kinds.handovers import REASON_MAX
from ledger.log import Fact, Receipt, tree_head
from ledger.notices import tell, tell_staff
from ledger.people import reveals
from ledger.people.actors import Actor, units
from ledger.store import Ledger
from ledger.tables import HandoverRequestRow, HandoverRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

GOOD_FOR = timedelta(hours=24)
REASON_MIN = 4
STATES = {"waiting": "等另一位同意", "agreed": "同意了，可以取一次", "taken": "文件已取走", "declined": "没有同意", "ended": "过期没有取"}
_REQUEST, _HANDOVER = table(HandoverRequestRow), table(HandoverRow)


@dataclass(frozen=True)
class Taken:
    """A file that was taken, the entry that says so, and what is in it."""

    content: bytes
    name: str
    receipt: Receipt
    gathered: Gathered


def ask(tx: WriteTransaction, unit: str, first: str, last: str, reason: str) -> str:
    """Ask for a unit's records of a period (both days included) to be handed over. Returns the request's id.

    Raises NotFound, NotAllowed, InvalidRequest, Conflict when the same was asked for and is not settled.
    """
    stations.get(tx.connection, unit)
    tx.require("hand_over", unit)
    if not (day(first) and day(last)) or not first <= last <= tx.today.isoformat():
        raise InvalidRequest("请写明从哪一天到哪一天：后一天不早于前一天，不晚于今天")
    reason = " ".join(reason.split())
    if len(reason) < REASON_MIN or not text(REASON_MAX)(reason):
        raise InvalidRequest(f"请写明为什么交、交给谁（{REASON_MIN} 到 {REASON_MAX} 个字，不要写手机号或身份证号）")
    same = select(_REQUEST).where(_REQUEST.c.station == unit, _REQUEST.c.period_from == first, _REQUEST.c.period_to == last)
    if any(state(row, tx.now) in ("waiting", "agreed") for row in tx.connection.execute(same)):
        raise Conflict("这个单位这段时间的，已经有人提出了，请先办完那一件")
    new_id = new_number()
    said = {"id": new_id, "station": unit, "period_from": first, "period_to": last, "reason": reason}
    insert_rows(tx.connection, _REQUEST, [said | {"asked_by": tx.actor.account, "asked_at": format_time(tx.now), "state": "waiting"}])
    tell_staff(tx, "hand_over", unit, "handover.asked", {"station": unit})
    return new_id


def agree(tx: WriteTransaction, request: str) -> None:
    """Agree to what another asked for. Raises NotFound, NotAllowed (one's own), Conflict when it is settled."""
    row = _waiting(tx, request)
    tx.require("hand_over", row.station)
    tx.require_own()
    if row.asked_by == tx.actor.account:
        raise NotAllowed("这是您自己提出的，要由另一位审核员或区级管理员同意")
    _set(tx, request, "agreed", **_decision(tx), ends_at=format_time(tx.now + GOOD_FOR))
    tell(tx, row.asked_by, "handover.agreed", {"station": row.station})


def decline(tx: WriteTransaction, request: str) -> None:
    """Refuse what another asked for, or take back one's own. Raises NotFound, NotAllowed, Conflict."""
    row = _waiting(tx, request)
    tx.require("hand_over", row.station)
    _set(tx, request, "declined", **_decision(tx))


def take(ledger: Ledger, actor: Actor, request: str, mapped: Mapped | None = None) -> Taken:
    """Make the file and write down that it was taken; it may leave once. Raises NotFound, NotAllowed, Conflict, InvalidRequest."""
    mapped = mapped or mapping.shipped()
    with ledger.read() as tx:
        row = _may_take(tx, actor, request)
        unit = stations.get(tx.connection, row.station)
        gathered = gathering.gather(tx, row.station, row.period_from, row.period_to)
        period = f"{row.period_from} 至 {row.period_to}"
        facts = {"单位": f"{unit.name}（{unit.code}）", "时段": period, "做表日期": tx.today.isoformat(), "理由": row.reason}
        facts |= {"账本条数": str(tree_head(tx.connection).size), "人数": str(len(gathered.people))}
    content = workbook.made(mapped, gathered, facts)
    receipt = ledger.write(lambda tx: _write_down(tx, request, gathered, content), actor)
    return Taken(content, f"志愿服务记录-{unit.name}-{row.period_from}-{row.period_to}.xlsx", receipt, gathered)


def _write_down(tx: WriteTransaction, request: str, gathered: Gathered, content: bytes) -> Receipt:
    row = _may_take(tx, tx.actor, request)
    tx.require("hand_over", row.station)
    tx.require_own()
    if gathering.left_since(tx.connection, gathered):
        raise Conflict("做文件的时候，有人退出了。文件没有取走，请再点一次「取文件」")
    reveals.note_down_many(tx, gathered.people, row.reason)
    _set(tx, request, "taken")
    counts = gathered.counts
    body = {name: getattr(row, name) for name in ("station", "period_from", "period_to", "reason", "asked_by")}
    body |= {"handed_on": tx.today.isoformat(), "agreed_by": row.decided_by, "sha256": b64(hashlib.sha256(content).digest())}
    blocks = {"people": "basic", "services": "service", "trainings": "training", "awards": "award", "evaluations": "evaluation"}
    return tx.append([Fact("records.handed_over", body | {name: counts[block] for name, block in blocks.items()})])[0]


def requests(tx: ReadTransaction, actor: Actor, limit: int = 50) -> list[Any]:
    """List what was asked for at an actor's units, the newest first."""
    mine = _REQUEST.c.station.in_(units(tx.connection, actor, "hand_over"))
    return list(tx.connection.execute(select(_REQUEST).where(mine).order_by(_REQUEST.c.asked_at.desc()).limit(limit)))


def handed_over(tx: ReadTransaction, actor: Actor, limit: int = 50) -> list[Any]:
    """List what was handed over from an actor's units, the newest first."""
    mine = _HANDOVER.c.station.in_(units(tx.connection, actor, "hand_over"))
    return list(tx.connection.execute(select(_HANDOVER).where(mine).order_by(_HANDOVER.c.entry_index.desc()).limit(limit)))


def state(row: Any, now: datetime) -> str:
    """Say how a request stands: one of STATES."""
    return "ended" if row.state == "agreed" and row.ends_at < format_time(now) else str(row.state)


def _row(connection: Connection, request: str) -> Any:
    row = connection.execute(select(_REQUEST).where(_REQUEST.c.id == request)).one_or_none()
    if row is None:
        raise NotFound("没有这件报送，请从列表里选")
    return row


def _waiting(tx: WriteTransaction, request: str) -> Any:
    row = _row(tx.connection, request)
    if row.state != "waiting":
        raise Conflict(f"这一件{STATES[state(row, tx.now)]}，请刷新页面")
    return row


def _may_take(tx: ReadTransaction, actor: Actor, request: str) -> Any:
    """Give a request whose file this actor may take now. Raises NotFound, NotAllowed, Conflict."""
    row = _row(tx.connection, request)
    if actor.account not in (row.asked_by, row.decided_by):
        raise NotAllowed("文件只能由提出的人或同意的人来取")
    if state(row, tx.now) != "agreed":
        again = "文件只给一次；要再取，请重新提出" if row.state in ("taken", "agreed") else "请先等另一位同意"
        raise Conflict(f"这一件{STATES[state(row, tx.now)]}。{again}")
    return row


def _decision(tx: WriteTransaction) -> dict[str, str]:
    return {"decided_by": tx.actor.account, "decided_at": format_time(tx.now)}


def _set(tx: WriteTransaction, request: str, outcome: str, **said: str) -> None:
    tx.connection.execute(update(_REQUEST).where(_REQUEST.c.id == request).values(state=outcome, **said))
