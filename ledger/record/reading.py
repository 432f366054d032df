"""A credit record put together from its rows: of a person in the blocks of 民政部令第67号 article 4, and of an organisation."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ledger import activities
from ledger.bulk import rows_where_in
from ledger.people import volunteers
from ledger.record import awards, conduct, evaluations, lists, subjects
from ledger.record.subjects import Subject
from ledger.tables import EvaluationRow, OrganisationRow, PointsSpentRow, ServiceRow, TrainingRow, table
from ledger.transactions import ReadTransaction

_TRAINING, _EVALUATION, _SPENT = table(TrainingRow), table(EvaluationRow), table(PointsSpentRow)
NEVER = "9999-12-31"
_ORGANISATION, _SERVICE = table(OrganisationRow), table(ServiceRow)


@dataclass(frozen=True)
class Evaluation:
    """An evaluation, what it was of, and whether it came late."""

    row: Any
    title: str
    late: bool


@dataclass(frozen=True)
class Record:
    """What is recorded of a person beside services, newest first; what was voided, withdrawn or lifted too. Points are hundredths."""

    trainings: list[Any]
    evaluations: list[Evaluation]
    awards: list[Any]
    conduct: list[Any]
    spent: list[Any]

    @property
    def training_minutes(self) -> int:
        """Minutes of learning that stand; they are no service."""
        return sum(row.minutes for row in self.trainings if not row.voided_by)

    @property
    def qualities(self) -> dict[str, int]:
        """How many evaluations that stand there are of each quality."""
        return dict(Counter(one.row.quality for one in self.evaluations if not one.row.voided_by))


@dataclass(frozen=True)
class OrganisationRecord:
    """What is recorded of an organisation: notes, appraisals, awards and conduct, newest first, and when it may ask to leave the serious list."""

    row: Any
    notes: list[Any]
    late: set[int]
    appraisals: list[Any]
    awards: list[Any]
    conduct: list[Any]
    leave_on: str | None


def of_person(tx: ReadTransaction, number: str) -> Record:
    """Put together what is recorded of a volunteer, by the number in use."""
    subject = Subject("", volunteer=number)
    return Record(
        _newest(rows_where_in(tx.connection, _TRAINING.c, _TRAINING.c.volunteer, [number]), "trained_on"),
        _evaluations(tx, _newest(rows_where_in(tx.connection, _EVALUATION.c, _EVALUATION.c.volunteer, [number]), "evaluated_on")),
        awards.of(tx, subject),
        conduct.of(tx, subject),
        _newest(rows_where_in(tx.connection, _SPENT.c, _SPENT.c.volunteer, [number]), "spent_on"),
    )


def of_organisation(tx: ReadTransaction, organisation: str) -> OrganisationRecord:
    """Put together what is recorded of an organisation. Raises NotFound."""
    subject = subjects.organisation(tx, organisation)
    [row] = rows_where_in(tx.connection, _ORGANISATION.c, _ORGANISATION.c.id, [organisation])
    notes = lists.notes_of(tx, organisation)
    serious = any(note.list == "serious" and note.lifted_on is None for note in notes)
    return OrganisationRecord(
        row,
        notes,
        lists.late_entries(tx, notes),
        lists.appraisals_of(tx, organisation),
        awards.of(tx, subject),
        conduct.of(tx, subject),
        lists.leave_on(tx, organisation) if serious else None,
    )


def in_words(tx: ReadTransaction, number: str) -> dict[str, list[dict[str, Any]]]:
    """Give a person's record as plain texts and numbers, for the copy that they take away."""
    found = of_person(tx, volunteers.get(tx, number).row.number)
    plain = {name: getattr(found, name) for name in ("trainings", "awards", "conduct", "spent")}
    plain["evaluations"] = [one.row for one in found.evaluations]
    return {name: [{key: said for key, said in row._asdict().items() if said is not None} for row in rows] for name, rows in plain.items()}


def _newest(rows: list[Any], day: str) -> list[Any]:
    return sorted(rows, key=lambda row: (getattr(row, day), row.entry_index), reverse=True)


def _evaluations(tx: ReadTransaction, rows: list[Any]) -> list[Evaluation]:
    """Say of evaluations what they were of, and which came later than their due day."""
    if not rows:
        return []
    due = evaluations.due_days(tx)
    titles = activities.get_many(tx.connection, {row.activity for row in rows})
    columns, wanted = (_SERVICE.c.entry_index, _SERVICE.c.end), {row.service for row in rows if row.service is not None}
    ended = {row.entry_index: row.end[:10] for row in rows_where_in(tx.connection, columns, _SERVICE.c.entry_index, wanted)}
    by = {row.entry_index: due(ended[row.service]) if row.service in ended else None for row in rows}
    return [Evaluation(row, titles[row.activity].title, row.recorded_at[:10] > (by[row.entry_index] or NEVER)) for row in rows]
