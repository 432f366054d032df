"""What a ranking weighs besides hours: training, evaluations, honours already given, conduct, hours that an earlier award has used up."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from ledger import tables
from ledger.kinds.credit import AWARD_LEVELS, LISTS
from ledger.rules.binding import bound
from ledger.rules.periods import later
from ledger.selections.rules import Rules
from ledger.tables import table

_TRAINING, _EVALUATION, _AWARD, _CONDUCT, _NOTE, _SELECTION = (
    table(model)
    for model in (
        tables.TrainingRow,
        tables.EvaluationRow,
        tables.AwardRow,
        tables.ConductRow,
        tables.OrganisationNoteRow,
        tables.SelectionRow,
    )
)


@dataclass(frozen=True)
class Facts:
    """Of one person or organisation: minutes of training in the period, evaluations good and poor, why it stays out (empty: it does not).

    spent: (first day, last day, tree size) of selections that it was chosen in.
    """

    training: int = 0
    good: int = 0
    poor: int = 0
    honoured: str = ""
    conduct: str = ""
    spent: Sequence[tuple[str, str, int]] = ()

    def spell(self) -> str:
        """Spell it as a column holds it; what is nothing is left out."""
        return orjson.dumps({name: value for name, value in asdict(self).items() if value}, option=orjson.OPT_SORT_KEYS).decode()

    @staticmethod
    def read(said: str) -> "Facts":
        """Read what `spell` wrote."""
        known: dict[str, Any] = orjson.loads(said)
        known["spent"] = tuple((since, until, size) for since, until, size in known.get("spent", ()))
        return Facts(**known)


NONE = Facts()
_BARRING = ("selection", "status", "list")
"""What the district's rule sets of credit may take from somebody that keeps them out of every selection."""


def gather(connection: Connection, rules: Rules, since: str, until: str, asked_on: str) -> dict[str, Facts]:
    """Gather what the rules ask of anybody, in the period, as it stands on a day; who has nothing of it is left out."""
    people = rules.subject == "volunteers"
    found: dict[str, dict[str, Any]] = {}
    for subject, name, value in _said(connection, rules, (since, until), asked_on, people=people):
        found.setdefault(subject, {})[name] = value
    if rules.spent:
        _note_spent(connection, found, people=people)
    return {subject: Facts(**known) for subject, known in found.items()}


def _said(
    connection: Connection, rules: Rules, span: tuple[str, str], asked_on: str, *, people: bool
) -> Iterator[tuple[str, str, int | str]]:
    if rules.training_minutes and people:
        mine = _TRAINING.c.voided_by.is_(None), _TRAINING.c.trained_on.between(*span)
        total = select(_TRAINING.c.volunteer, func.sum(_TRAINING.c.minutes)).where(*mine).group_by(_TRAINING.c.volunteer)
        yield from ((row[0], "training", int(row[1])) for row in connection.execute(total))
    if rules.evaluation:
        yield from _evaluations(connection, *span, people=people)
    if rules.honoured:
        for row in _awards(connection, people=people):
            if row.level in rules.honoured["levels"] and later(asked_on, -12 * rules.honoured["years"]) < row.granted_on <= asked_on:
                yield row.subject, "honoured", f"{row.granted_on} 已获{AWARD_LEVELS[row.level]}级「{row.title}」"
    if rules.conduct:
        yield from ((subject, "conduct", said) for subject, said in _bad_conduct(connection, rules, asked_on, people=people))
    if people:
        yield from ((subject, "conduct", said) for subject, said in bound(connection, date.fromisoformat(asked_on), _BARRING).items())


def _evaluations(connection: Connection, since: str, until: str, *, people: bool) -> Iterator[tuple[str, str, int]]:
    who = _EVALUATION.c.volunteer if people else _EVALUATION.c.organisation
    mine = _EVALUATION.c.voided_by.is_(None), _EVALUATION.c.evaluated_on >= since, _EVALUATION.c.evaluated_on <= until, who.is_not(None)
    for name, qualities in (("good", ("excellent", "good")), ("poor", ("poor",))):
        for row in connection.execute(select(who, func.count()).where(*mine, _EVALUATION.c.quality.in_(qualities)).group_by(who)):
            yield row[0], name, int(row[1])


def _awards(connection: Connection, *, people: bool) -> Sequence[Any]:
    who = _AWARD.c.volunteer if people else _AWARD.c.organisation
    columns = (who.label("subject"), _AWARD.c.level, _AWARD.c.title, _AWARD.c.granted_on, _AWARD.c.selection)
    asked = select(*columns).where(who.is_not(None), _AWARD.c.withdrawn_by.is_(None))
    return connection.execute(asked.order_by(_AWARD.c.granted_on, _AWARD.c.entry_index)).all()


def _bad_conduct(connection: Connection, rules: Rules, on: str, *, people: bool) -> Sequence[tuple[str, str]]:
    """Find bad conduct that bears on selections: in force on the day, or of the last years; what was found to be mistaken never was."""
    who = _CONDUCT.c.volunteer if people else _CONDUCT.c.organisation
    since = later(on, -12 * rules.conduct.get("years", 0))
    found = []
    for row in connection.execute(select(_CONDUCT, who.label("subject")).where(who.is_not(None), _CONDUCT.c.sense == "bad")):
        effects = orjson.loads(row.effects)
        if effects and "selection" not in effects:
            continue
        found.append((row.subject, _why(rules, on, since, row.occurred_on, row.expires_on, row), f"失信记录（{row.occurred_on}）"))
    if not people:
        notes = connection.execute(select(_NOTE).where(_NOTE.c.list != "disclosed"))  # what is made public may well be to their credit
        found += [
            (row.organisation, _why(rules, on, since, row.noted_on, None, row), f"{LISTS[row.list]}（{row.noted_on}）") for row in notes
        ]
    return [(subject, f"{said}{why}") for subject, why, said in found if why]


def _why(rules: Rules, on: str, since: str, happened: str, expires: str | None, row: Any) -> str:
    if row.lifted_on is not None and row.lifted_ground != "repaired":
        return ""
    over = (expires is not None and expires < on) or (row.lifted_on is not None and row.lifted_on <= on)
    if rules.conduct.get("in_force") and not over:
        return "仍在有效期内"
    years = rules.conduct.get("years", 0)
    return f"不满 {years} 年" if years and happened > since else ""


def _note_spent(connection: Connection, found: dict[str, dict[str, Any]], *, people: bool) -> None:
    """Note the spans whose records served for an award that a selection gave."""
    held = {row.id: row for row in connection.execute(select(_SELECTION))}
    for row in _awards(connection, people=people):
        earlier = held.get(row.selection or "")
        if earlier is not None:
            span = (earlier.period_from, earlier.period_to, earlier.tree_size)
            found.setdefault(row.subject, {}).setdefault("spent", []).append(span)
