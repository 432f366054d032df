"""Recording services, one by one in the order they were said: a refusal hurts nobody else."""

from collections.abc import Sequence
from typing import cast

from ledger import notices
from ledger.errors import Conflict, LedgerError
from ledger.log import Fact, Receipt
from ledger.people.actors import Actor
from ledger.refusals import Already, Refusal
from ledger.service.drafts import Draft
from ledger.service.judging import Judge, load_standing, missing
from ledger.transactions import WriteTransaction

_SAME = Already(-1)
"""Stands for: the answer to the same id said earlier in the same call."""


def record_many(tx: WriteTransaction, drafts: Sequence[Draft]) -> list[Receipt | Already | Refusal]:
    """Record services, judged one by one: a refusal hurts nobody else. Answers are in the order of *drafts*.

    Raises NotAllowed when the actor may not record at a station named, Conflict when an id was used for something else.
    """
    answers = record_each(tx, [(tx.actor, draft) for draft in drafts])
    for answer in answers:
        if isinstance(answer, LedgerError):
            raise answer
    return cast("list[Receipt | Already | Refusal]", answers)


def record_each(tx: WriteTransaction, items: Sequence[tuple[Actor, Draft]]) -> list[Receipt | Already | Refusal | LedgerError]:
    """Record services of several actors, as the writer gathers them: each is judged alone, and what is wrong with one is only its own answer."""
    facts = [Fact("service.recorded", draft.body(), draft.id, actor.account) for actor, draft in items]
    said = tx.receipts_for(facts)
    drafts = [draft for _, draft in items]
    judge = Judge(tx, load_standing(tx.connection, drafts), *missing(tx.connection, drafts))
    answers: list[Receipt | Already | Refusal | LedgerError | None] = []
    new: list[Fact] = []
    first: dict[str, int] = {}
    for at, ((actor, draft), fact) in enumerate(zip(items, facts, strict=True)):
        answer: Receipt | Already | Refusal | LedgerError | None = said.get(fact.id or "")
        if answer is None and fact.id is not None and first.setdefault(fact.id, at) != at:
            same = facts[first[fact.id]] == fact
            answer = _SAME if same else Conflict(f"编号 {fact.id} 在这一批里用于两条内容不同的记录")
        answer = answer or judge.may_not_record(actor, draft) or judge.judge(draft, fact.body)
        if answer is None:
            new.append(fact)
        answers.append(answer)
    receipts = tx.append(new)
    told = [
        (one, fact.body["volunteer"], fact.body["minutes"]) for one, fact in zip(receipts, new, strict=True) if "settled" not in fact.body
    ]
    notices.tell_recorded(tx, told)
    coming = iter(receipts)
    given = [next(coming) if answer is None else answer for answer in answers]
    return [given[first[fact.id or ""]] if answer is _SAME else answer for answer, fact in zip(given, facts, strict=True)]
