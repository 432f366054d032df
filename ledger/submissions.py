"""
Submissions: service records that programs hand in, one or many a request, gathered from all requests that wait.

The rules this file alone keeps:

1. A service counts for the organisation of its activity; nobody says otherwise.
2. What the ledger holds already is a success, not a refusal: a retry under the same entry id, the same person, activity and times said again, or
   said by two at once, all answer with the first receipt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from ledger import activities, log
from ledger.errors import Conflict, LedgerError
from ledger.log import Receipt
from ledger.people.actors import Actor
from ledger.refusals import Already, Refusal
from ledger.service.drafts import Draft
from ledger.service.recording import record_each
from ledger.transactions import WriteTransaction


@dataclass(frozen=True, slots=True)
class Recorded:
    """A service that the ledger holds: its receipt, and whether this submission put it there."""

    receipt: Receipt
    new: bool


def entry_id_in(submission: str, place: int) -> str:
    """Derive the entry id of the draft at a place (from 0) of a submission: the same again on a retry, and like it a UUIDv7 of that time."""
    random = sha256(f"{submission}/{place}".encode()).hexdigest()
    return f"{submission[:20]}{random[:3]}-{random[3:15]}"


def record(tx: WriteTransaction, items: Sequence[tuple[Actor, Sequence[Draft]]]) -> list[list[Recorded | Refusal | LedgerError]]:
    """Record several callers' drafts; each caller is answered a list in the order of its own. For `Ledger.write_item`.

    Raises Conflict when an entry id is there twice: of several callers, the writer then takes one after another.
    """
    ids = [draft.id for _, drafts in items for draft in drafts if draft.id]
    if len(set(ids)) < len(ids):
        raise Conflict("同一个编号用了两次。每条服务要有自己的编号")
    flat = _placed(tx, [(actor, draft) for actor, drafts in items for draft in drafts])
    size = tx.tree_size
    answers = record_each(tx, flat)
    known = log.receipts(tx.connection, {answer.index for answer in answers if isinstance(answer, Already)})
    said: dict[tuple[str, str, datetime, datetime], Receipt] = {}
    results: list[Recorded | Refusal | LedgerError] = []
    for (_, draft), answer in zip(flat, answers, strict=True):
        what = (draft.volunteer, draft.activity, draft.start, draft.end)
        if isinstance(answer, Receipt):
            said[what] = answer
            results.append(Recorded(answer, new=answer.index >= size))
        elif isinstance(answer, Already):
            results.append(Recorded(known[answer.index], new=False))
        elif isinstance(answer, Refusal) and answer.code == "duplicate":
            results.append(Recorded(said[what], new=False))
        else:
            results.append(answer)
    rest = iter(results)
    return [[next(rest) for _ in drafts] for _, drafts in items]


def _placed(tx: WriteTransaction, flat: list[tuple[Actor, Draft]]) -> list[tuple[Actor, Draft]]:
    known = activities.get_many(tx.connection, {draft.activity for _, draft in flat})
    units = {activity: row.organisation for activity, row in known.items() if row.organisation}
    return [(actor, replace(draft, organisation=units[draft.activity]) if draft.activity in units else draft) for actor, draft in flat]
