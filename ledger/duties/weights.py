"""
By what weights an appraisal's score is made: those its form comes with, or those that two officials of the district have adopted since.

The plans say what an appraisal weighs and leave to the district how much (以发挥作用为主，综合党的建设、规范化程度、居民评价). One entry adopts them:

    {"policy": "appraisal/<form>", "effective_on": day, "rules": {"weights": {field: 0..100}, "proposed_by": "…"}, "document": "…"}

Weights are whole percents, a hundred in all. A paper is scored by those in force on the last day of its period, and years that are over keep theirs:
weights begin this year at the earliest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger import policy_proposals
from ledger.duties.forms import Form, shipped
from ledger.errors import Conflict, InvalidRequest, NotFound
from ledger.kinds.checks import day, text
from ledger.log import Fact, Receipt
from ledger.notices import About, tell_staff
from ledger.people.actors import Actor
from ledger.policy_proposals import Proposals, Waiting
from ledger.tables import PolicyRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

PREFIX = "appraisal/"
WHOLE = 100
DOCUMENT_MAX = 200
PROPOSALS = Proposals(PREFIX, "这组权重")
_POLICY = table(PolicyRow)


@dataclass(frozen=True)
class Weights:
    """Percents by field, and since when, by which entry, who proposed them. Those of the form itself have no day and no entry."""

    percents: Mapping[str, int]
    effective_on: str = ""
    entry_index: int | None = None
    proposed_by: str = ""


@dataclass(frozen=True)
class Proposal(Waiting):
    """Weights that wait for a second official: of which form, from which day, by which document."""

    form: Form
    percents: Mapping[str, int]
    effective_on: str
    document: str


def weighed() -> list[Form]:
    """List the forms that make a score."""
    return [form for form in shipped().values() if any(field.weight for field in form.fields)]


def history(connection: Connection, form: Form) -> list[Weights]:
    """List the weights of a form, the newest first; at the end those it comes with."""
    mine = select(_POLICY).where(_POLICY.c.policy == PREFIX + form.id).order_by(_POLICY.c.effective_on.desc())
    said = [(row, orjson.loads(row.rules)) for row in connection.execute(mine)]
    found = [Weights(rules["weights"], row.effective_on, row.entry_index, rules.get("proposed_by", "")) for row, rules in said]
    return [*found, Weights({field.id: field.weight for field in form.fields if field.weight})]


def in_force(connection: Connection, form: Form, on: str) -> Weights:
    """Give the weights of a form on a day; none for a form without a score."""
    return next(one for one in history(connection, form) if one.effective_on <= on)


def of_paper(connection: Connection, form: Form, period: str) -> Weights:
    """Give the weights by which a form of a period is scored."""
    return in_force(connection, form, form.ends_on(period).isoformat())


def score(percents: Mapping[str, int], said: Mapping[str, Any]) -> int | None:
    """Give a paper's score in hundredths of a point; None for a form without."""
    return sum(said.get(name, 0) * percent for name, percent in percents.items()) if percents else None


def propose(tx: WriteTransaction, form: str, said: Mapping[str, str], effective_on: str, document: str) -> str:
    """Propose weights (as typed, by field) to a second official. Returns the proposal's id. Raises NotAllowed, NotFound, InvalidRequest, Conflict."""
    tx.require(policy_proposals.ACTION, None)
    chosen, document = _form(form), " ".join(document.split())
    percents = _percents(chosen, said)
    _check(tx, chosen, percents, effective_on)
    if not text(DOCUMENT_MAX)(document):
        raise InvalidRequest(f"请写明依据（哪次会议、哪份文件，{DOCUMENT_MAX} 字以内，不要写手机号和证件号）")
    kept = {"form": form, "weights": percents, "effective_on": effective_on, "document": document}
    new_id = PROPOSALS.propose(tx, PREFIX + form, kept, "已有一组权重在等另一位管理员确认，请先确认或退回那一组")
    about: About = {"subject": chosen.name, "from_day": effective_on}
    tell_staff(tx, policy_proposals.ACTION, None, "weights.proposed", about)
    return new_id


def confirm(tx: WriteTransaction, proposal: str) -> Receipt:
    """Adopt what another official proposed. Raises NotAllowed (one's own), NotFound, InvalidRequest (its year is over), Conflict."""
    found = PROPOSALS.confirm(tx, proposal)
    form, said = _form(found.said["form"]), found.said
    _check(tx, form, said["weights"], said["effective_on"])
    rules = {"weights": said["weights"], "proposed_by": found.proposed_by}
    body = {"policy": PREFIX + form.id, "effective_on": said["effective_on"], "rules": rules, "document": said["document"]}
    return tx.append([Fact("policy.adopted", body)])[0]


def waiting(tx: ReadTransaction, actor: Actor) -> list[Proposal]:
    """List the weights that wait for a second official. Raises NotAllowed."""
    return [_proposal(one) for one in PROPOSALS.waiting(tx, actor)]


def _proposal(one: Waiting) -> Proposal:
    said = one.said
    return Proposal(
        **vars(one), form=_form(said["form"]), percents=said["weights"], effective_on=said["effective_on"], document=said["document"]
    )


def _form(form: str) -> Form:
    chosen = next((one for one in weighed() if one.id == form), None)
    if chosen is None:
        raise NotFound("没有这种评估，请从列表里选")
    return chosen


def _percents(form: Form, said: Mapping[str, str]) -> dict[str, int]:
    """Read the weights as typed: each a whole percent, a hundred in all. Raises InvalidRequest naming the field."""
    found = {}
    for field in form.fields:
        if field.weight:
            typed = said.get(field.id, "").strip().removesuffix("%")
            if not (typed.isdecimal() and len(typed) <= 3 and int(typed) <= WHOLE):
                raise InvalidRequest(f"「{field.label}」的权重应是 0 到 {WHOLE} 的整数，您填的是「{typed[:20]}」")
            found[field.id] = int(typed)
    if (total := sum(found.values())) != WHOLE:
        raise InvalidRequest(f"各项权重加起来应是 {WHOLE}，现在是 {total}，{'少' if total < WHOLE else '多'}了 {abs(WHOLE - total)}")
    return found


def _check(tx: ReadTransaction, form: Form, percents: Mapping[str, int], effective_on: str) -> None:
    """Hold weights against the day they are to begin and those adopted before. Raises InvalidRequest, Conflict."""
    if not day(effective_on) or effective_on < f"{tx.today.year}-01-01":
        raise InvalidRequest(f"请写明从哪一天起用这组权重，不早于 {tx.today.year}-01-01：过去年度的得分不能改")
    known = history(tx.connection, form)
    standing = next((one for one in known if one.effective_on == effective_on), None)
    if standing is not None:
        raise Conflict(f"从 {effective_on} 起已有一组权重（账本第 {standing.entry_index} 条），请换一天")
    if in_force(tx.connection, form, effective_on).percents == percents:
        raise Conflict("和那一天本来就用的权重一样，不用改")
