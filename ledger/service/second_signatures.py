"""
Second signatures: a service over the daily cap is recorded only when two people at the station say so.

One proposes it with a reason; another, who may record there too, signs, and in that moment it enters the log on the signer's word, naming the one who
proposed it. Neither of the two approves it. What is proposed is not a fact and is nowhere counted.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger.bulk import insert_rows, rows_where_in
from ledger.entries import format_time
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_entry_id
from ledger.kinds.checks import MINUTES_MAX, text
from ledger.log import Receipt
from ledger.notices import tell, tell_staff
from ledger.people.actors import Actor, units
from ledger.refusals import Already, Refusal
from ledger.service.drafts import Draft
from ledger.service.judging import Judge, load_standing, missing
from ledger.service.recording import record_many
from ledger.tables import SecondSignatureRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

What = tuple[str, str, datetime, datetime]
"""Which service it is: whose, at which activity, when."""

_WAITING = table(SecondSignatureRow)
REASON_MAX = 200


def check_reason(reason: str) -> None:
    """Make sure that a reason may stand with a proposal. Raises InvalidRequest."""
    if not text(REASON_MAX)(reason):
        raise InvalidRequest(f"请写明为什么确实有这么长（最多 {REASON_MAX} 个字，不要写手机号或身份证号）")


def ask(tx: WriteTransaction, draft: Draft, reason: str) -> str:
    """Propose a service over the daily cap. Returns the proposal's id; of one that waits already, said again, the same.

    Raises NotAllowed, NotFound, InvalidRequest (also when nothing stands in the way).
    """
    check_reason(reason)
    judge = Judge(tx, load_standing(tx.connection, [draft]), *missing(tx.connection, [draft]))
    barred = judge.may_not_record(tx.actor, draft)
    if barred is not None:
        raise barred
    answer = judge.judge(draft, draft.body())
    if answer is None:
        raise InvalidRequest("没有超过每日上限，不需要第二人签字，请直接登记")
    if isinstance(answer, Already):
        raise InvalidRequest(f"账本里已有同样的一条：第 {answer.index} 条")
    if answer.code != "over_daily_cap" or draft.minutes > MINUTES_MAX:
        raise InvalidRequest(answer.message)
    if known := asked(tx.connection, [draft]).get(what(draft)):
        return known
    new_id = new_entry_id()
    said = asdict(draft) | {"start": draft.start.isoformat(), "end": draft.end.isoformat()}
    row = {
        "id": new_id,
        "station": draft.station,
        "said": orjson.dumps({name: value for name, value in said.items() if value}).decode(),
        "reason": reason,
        "asked_by": tx.actor.account,
        "asked_at": format_time(tx.now),
        "state": "waiting",
        **dict.fromkeys(("decided_by", "decided_at", "remark", "service")),
    }
    insert_rows(tx.connection, _WAITING, [row])
    tell_staff(
        tx, "record", draft.station, "service.second_wanted", {"minutes": draft.minutes, "served_on": draft.start.date().isoformat()}
    )
    return new_id


def sign(tx: WriteTransaction, proposal: str) -> Receipt:
    """Say that a proposed service was so: it is recorded. Raises NotAllowed for whoever proposed it, Conflict (settled), InvalidRequest."""
    row = _take(tx, proposal)
    if tx.actor.account == row.asked_by:
        raise NotAllowed("这一条是您提出的，要由另一个人签字")
    tx.require_own()
    [answer] = record_many(tx, [replace(draft_of(row), second=row.asked_by)])
    if isinstance(answer, Refusal):
        raise InvalidRequest(answer.message)
    if isinstance(answer, Already):
        raise InvalidRequest(f"账本里已有同样的一条：第 {answer.index} 条，请退回")
    _settle(tx, proposal, state="signed", service=answer.index)
    tell(tx, row.asked_by, "service.second_signed", {"service": answer.index})
    return answer


def decline(tx: WriteTransaction, proposal: str, remark: str) -> None:
    """Turn a proposed service down, with a reason; whoever proposed it takes it back."""
    row = _take(tx, proposal)
    if not text(REASON_MAX)(remark):
        raise InvalidRequest(f"请写明理由（最多 {REASON_MAX} 个字）")
    _settle(tx, proposal, state="declined", remark=remark)
    if row.asked_by != tx.actor.account:
        tell(tx, row.asked_by, "service.second_declined", {"served_on": draft_of(row).start.date().isoformat()})


def waiting(tx: ReadTransaction, actor: Actor) -> list[Any]:
    """List what waits for a second signature at the actor's stations, oldest first."""
    query = select(_WAITING).where(_WAITING.c.state == "waiting", _WAITING.c.station.in_(units(tx.connection, actor, "record")))
    return list(tx.connection.execute(query.order_by(_WAITING.c.asked_at, _WAITING.c.id)))


def asked(connection: Connection, drafts: Sequence[Draft]) -> dict[What, str]:
    """Find what waits for a second signature at the stations of some services: which service it is -> the proposal's id."""
    places = {draft.station for draft in drafts}
    rows = rows_where_in(connection, _WAITING.c, _WAITING.c.station, places, where="state = ?", said=("waiting",))
    return {what(draft_of(row)): row.id for row in rows}


def what(draft: Draft) -> What:
    """Say which service a draft is, whoever says it and from what."""
    return draft.volunteer, draft.activity, draft.start, draft.end


def draft_of(row: Any) -> Draft:
    """Give the service that was proposed."""
    said = orjson.loads(row.said)
    return Draft(**said | {"start": datetime.fromisoformat(said["start"]), "end": datetime.fromisoformat(said["end"])})


def _take(tx: WriteTransaction, proposal: str) -> Any:
    row = _get(tx.connection, proposal)
    if row.state != "waiting":
        raise Conflict("这一条已经有人办过了，请刷新页面")
    tx.require("record", row.station)
    return row


def _get(connection: Connection, proposal: str) -> Any:
    rows = rows_where_in(connection, _WAITING.c, _WAITING.c.id, [proposal])
    if not rows:
        raise NotFound("没有这一条，可能已经撤回。请刷新页面")
    return rows[0]


def _settle(tx: WriteTransaction, proposal: str, **values: Any) -> None:
    values |= {"decided_by": tx.actor.account, "decided_at": format_time(tx.now)}
    tx.connection.execute(_WAITING.update().where(_WAITING.c.id == proposal).values(values))
