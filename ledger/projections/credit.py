"""What follows from what is said of training, evaluations, awards, conduct, organisations' credit and points given up."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import insert_rows, update_rows
from ledger.entries import Entry
from ledger.projections.shapes import Handler, as_json, inserting
from ledger.tables import table

_TRAINING, _EVALUATION = table(tables.TrainingRow), table(tables.EvaluationRow)
_AWARD, _CONDUCT, _NOTE = table(tables.AwardRow), table(tables.ConductRow), table(tables.OrganisationNoteRow)
_LIFTED = ("lifted_index", "lifted_on", "lifted_ground", "lifted_reason")


def _taken(entry: Entry, said: Sequence[str], maybe: Sequence[str] = (), later: Sequence[str] = ()) -> dict[str, Any]:
    """Take fields over as columns of their names: those that are there, those that may be, and columns that a later entry fills."""
    body = entry.body
    row = {"entry_index": entry.index, **{name: body[name] for name in said}, **{name: body.get(name) for name in maybe}}
    return row | dict.fromkeys(later)


def _trainings(connection: Connection, run: Sequence[Entry]) -> None:
    said = ("station", "title", "content", "minutes", "organiser", "trained_on")
    later = ("voided_by", "voided_reason")
    rows = [
        {"volunteer": volunteer, "recorder": entry.actor, **_taken(entry, said, later=later)}
        for entry in run
        for volunteer in dict.fromkeys(entry.body["volunteers"])
    ]
    insert_rows(connection, _TRAINING, rows)


def _trainings_voided(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        whose = (_TRAINING.c.entry_index == body["training"], _TRAINING.c.volunteer.in_(body["volunteers"]))
        connection.execute(_TRAINING.update().where(*whose).values(voided_by=entry.actor, voided_reason=body["reason"]))


def _evaluation(entry: Entry) -> dict[str, Any]:
    said = ("volunteer", "station", "activity", "quality", "by", "evaluated_on")
    row = _taken(entry, said, ("service", "organisation", "remark"), ("voided_by", "voided_reason"))
    return row | {"recorder": entry.actor, "recorded_at": entry.recorded_at}


def _award(entry: Entry) -> dict[str, Any]:
    said = ("station", "title", "unit", "level", "granted_on")
    maybe = ("volunteer", "organisation", "evidence", "selection", "rank", "asked_by")
    return _taken(entry, said, maybe, ("withdrawn_by", "withdrawn_reason")) | {"granted_by": entry.actor}


def _conduct(entry: Entry) -> dict[str, Any]:
    said = ("station", "item", "sense", "occurred_on", "reason", "asked_by")
    row = _taken(entry, said, ("volunteer", "organisation", "basis", "expires_on", "points"), _LIFTED)
    return row | {name: as_json(entry.body.get(name, [])) for name in ("effects", "services")} | {"decided_by": entry.actor}


def _appraisal(entry: Entry) -> dict[str, Any]:
    said = ("organisation", "station", "appraiser", "name", "grade", "opinion", "appraised_on")
    return _taken(entry, said) | {"recorder": entry.actor}


def _note(entry: Entry) -> dict[str, Any]:
    said = ("organisation", "station", "list", "basis", "reason", "noted_on", "asked_by")
    return _taken(entry, said, ("mend_by",), _LIFTED) | {"decided_by": entry.actor}


def _spent(entry: Entry) -> dict[str, Any]:
    return _taken(entry, ("volunteer", "station", "policy", "points", "purpose", "spent_on")) | {"recorder": entry.actor}


def _ending(target: Any, names: str, values: Callable[[Entry], dict[str, Any]]) -> Handler:
    """Make a handler for entries that end what the entry named in their field *names* said."""
    return lambda connection, run: update_rows(
        connection, target, "entry_index", [{"entry_index": entry.body[names], **values(entry)} for entry in run]
    )


def _lifted(entry: Entry) -> dict[str, Any]:
    body = entry.body
    return dict(zip(_LIFTED, (entry.index, body["lifted_on"], body["ground"], body["reason"]), strict=True))


HANDLERS: dict[str, Handler] = {
    "training.recorded": _trainings,
    "training.voided": _trainings_voided,
    "evaluation.recorded": inserting(tables.EvaluationRow, _evaluation),
    "evaluation.voided": _ending(_EVALUATION, "evaluation", lambda e: {"voided_by": e.actor, "voided_reason": e.body["reason"]}),
    "award.granted": inserting(tables.AwardRow, _award),
    "award.withdrawn": _ending(_AWARD, "award", lambda e: {"withdrawn_by": e.actor, "withdrawn_reason": e.body["reason"]}),
    "conduct.recorded": inserting(tables.ConductRow, _conduct),
    "conduct.lifted": _ending(_CONDUCT, "conduct", _lifted),
    "organisation.appraised": inserting(tables.AppraisalRow, _appraisal),
    "organisation.credit_noted": inserting(tables.OrganisationNoteRow, _note),
    "organisation.credit_lifted": _ending(_NOTE, "note", _lifted),
    "points.spent": inserting(tables.PointsSpentRow, _spent),
}
