"""POST /service-records: hours as other systems hand them in, one or many a request; the receipt comes back at once, the proof if they wait."""

import logging
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import actor, ledger, open_to_tokens
from api.errors import of_ledger_error
from api.problems import Problem, refused
from api.v1 import schemas
from api.v1.requests import JSON, KEY, Blueprint, answer, describe, idempotency_key, invalid, reads, waits
from ledger import checkpoints, notes, submissions
from ledger.errors import Conflict, LedgerError, NotFound
from ledger.ids import new_entry_id
from ledger.refusals import Refusal
from ledger.service.drafts import Draft
from ledger.submissions import Recorded

blueprint = Blueprint("service_records", __name__, url_prefix="/api/v1/service-records", description="服务记录")
BATCH_BYTES_MAX = 4 * 1024 * 1024
_DRAFT, _BATCH = schemas.ServiceDraft(), schemas.Batch()
_RECEIPT = {JSON: schemas.Receipt}
_POINTERS = {"签到时间": "#/start", "签退时间": "#/end", "活动时间": "#/end", "服务时长": "#/end", "姓名": "#/volunteer"}
"""Where in a draft the column of a sheet is."""
_PREFER = {
    "in": "header",
    "name": "Prefer",
    "schema": {"type": "string", "example": "wait"},
    "description": "wait：等签发检查点后连同入账证明一起答复（RFC 7240）",
}
_log = logging.getLogger("shouwang.api")


@blueprint.route("", methods=["POST"])
@open_to_tokens("service-records:write")
@describe("登记一条服务", {201: ("已登记：回执", _RECEIPT), 200: ("早已登记：第一次的回执", _RECEIPT)}, parameters=[KEY, _PREFER])
@reads(_DRAFT)
def record(said: dict[str, Any]) -> Response:
    """Record one service."""
    key = idempotency_key(said) or new_entry_id()
    [outcome] = _record([_draft(said, key, key)])
    if not isinstance(outcome, Recorded):
        raise _problem(outcome)
    receipt, headers = _receipt(outcome), {"Location": f"/api/v1/entries/{outcome.receipt.index}"}
    if waits() and _sign():
        with ledger().read() as tx:
            receipt["proof"] = notes.encode_proof(checkpoints.prove_entry(tx.connection, outcome.receipt.index)).decode()
        headers["Preference-Applied"] = "wait"
    return answer(receipt, 201 if outcome.new else 200, headers)


@blueprint.route("/batch", methods=["POST"])
@open_to_tokens("service-records:write")
@describe(
    "一次登记多条服务",
    {200: ("每条的结果，顺序与请求相同", {JSON: schemas.BatchResult})},
    description="各条各自判断，一条没有登记不影响别的；一次提交。",
    parameters=[KEY, _PREFER],
)
@reads(_BATCH, BATCH_BYTES_MAX)
def record_batch(said: dict[str, Any]) -> Response:
    """Record many services in one commit, each with its own result."""
    key = idempotency_key(said)
    if key is None:
        raise Problem("invalid", "缺少这一批的编号", [{"pointer": "#/id", "detail": "请写 id，或写在 Idempotency-Key 里"}])
    results: list[dict[str, Any] | None] = []
    drafts: list[Draft] = []
    for place, one in enumerate(said["records"]):
        try:
            drafts.append(_draft(_DRAFT.load(one), submissions.entry_id_in(key, place), key))
            results.append(None)
        except ma.ValidationError as error:
            results.append(_refused(invalid(error)))
    outcomes = iter(_record(drafts) if drafts else ())
    results = [result or _result(next(outcomes)) for result in results]
    statuses = [result["status"] for result in results if result]
    counts = {"recorded": statuses.count(201), "already": statuses.count(200)}
    summary: dict[str, Any] = {"id": key, **counts, "refused": len(results) - sum(counts.values()), "results": results}
    if not (waits() and _sign()):
        return answer(summary)
    with ledger().read() as tx:
        summary["checkpoint"] = checkpoints.served_checkpoint(tx.connection)
    return answer(summary, headers={"Preference-Applied": "wait"})


def _record(drafts: Sequence[Draft]) -> list[Recorded | Refusal | LedgerError]:
    try:
        found: list[Recorded | Refusal | LedgerError] = ledger().write_item(submissions.record, drafts, actor())
    except Conflict as refusal:
        raise _problem(refusal) from None
    return found


def _draft(said: Mapping[str, Any], entry_id: str, batch: str) -> Draft:
    start: datetime = said["start"]
    return Draft(
        said["volunteer"],
        said["activity"],
        said["station"],
        start,
        said["end"],
        said["grade"],
        batch,
        break_minutes=said.get("break_minutes", 0),
        id=said.get("id", entry_id),
    )


def _receipt(outcome: Recorded) -> dict[str, Any]:
    receipt = outcome.receipt
    return {
        "index": receipt.index,
        "id": receipt.id,
        "leaf": b64encode(receipt.leaf).decode(),
        "short_hash": receipt.short_hash,
        "recorded_at": receipt.recorded_at,
        "size": receipt.index + 1,
    }


def _problem(refusal: Refusal | LedgerError) -> Problem:
    if isinstance(refusal, Refusal):
        return refused(refusal, _POINTERS)
    if isinstance(refusal, NotFound):
        return Problem("unknown_reference", str(refusal))
    if isinstance(refusal, Conflict):  # an entry id, which is the request's key, used for something else
        return Problem("key_reused", str(refusal))
    return of_ledger_error(refusal)


def _result(outcome: Recorded | Refusal | LedgerError) -> dict[str, Any]:
    if isinstance(outcome, Recorded):
        return {"status": 201 if outcome.new else 200, "receipt": _receipt(outcome)}
    return _refused(_problem(outcome))


def _refused(problem: Problem) -> dict[str, Any]:
    return {"status": problem.status, "problem": problem.members()}


def _sign() -> bool:
    """Sign a checkpoint over what was just recorded, once for all that wait. What is recorded stays so if that fails."""
    try:
        ledger().sign_now()
    except LedgerError as error:
        _log.error("no checkpoint for a client that waits: %s", error)
        return False
    return True
