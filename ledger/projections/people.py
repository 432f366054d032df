"""
What follows from what is said of volunteers.

A merged or disowned registration never was one: it leaves every count, also of earlier days. What a merged number served is its survivor's.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import tables
from ledger.bulk import insert_rows, rows_where_in, update_rows
from ledger.entries import Entry
from ledger.projections import tallies
from ledger.projections.shapes import Handler
from ledger.tables import table

_OWN = [table(model) for model in (tables.EvaluationRow, tables.AwardRow, tables.ConductRow, tables.PointsSpentRow, tables.ServiceRow)]
"""What a merged number has that is its survivor's from then on; of a training that both attended one row stays."""
_TRAINING, _SERVICE = table(tables.TrainingRow), table(tables.ServiceRow)
_VOLUNTEER, _PAST = table(tables.VolunteerRow), table(tables.PastHomeRow)
NEVER_WAS = ("merged", "not_me")
"""Ways of leaving that say that there never was such a registration."""


def _volunteer(entry: Entry) -> dict[str, Any]:
    body = entry.body
    confirmed = body["registered_on"] if body["basis"] == "self" else None
    return {
        "number": body["volunteer"],
        "station": body["station"],
        "registered_on": body["registered_on"],
        "basis": body["basis"],
        "confirmed_on": confirmed,
        "backbone_on": None,
        "identity": body["identity"],
        "contact": body.get("contact"),
        "entry_index": entry.index,
        "since_on": body["registered_on"],
        "left_on": None,
        "left_as": None,
        "merged_into": None,
        "asked_again_on": confirmed,
        "confirmed_by": None,
        "guardian": body.get("guardian"),
        "recorder": entry.actor,
        "disowned": None,
    }


def _registered(connection: Connection, run: Sequence[Entry]) -> None:
    """Insert the new; who had left and comes back begins anew under the same number, and the time before is kept."""
    rows = {entry.index: _volunteer(entry) for entry in run}
    numbers = [row["number"] for row in rows.values()]
    left = {old.number: old for old in rows_where_in(connection, _VOLUNTEER.c, _VOLUNTEER.c.number, numbers) if old.left_on is not None}
    back = {index: row for index, row in rows.items() if row["number"] in left}
    past = [
        _past(index, left[row["number"]], left[row["number"]].left_on)
        for index, row in back.items()
        if left[row["number"]].left_as not in NEVER_WAS
    ]
    insert_rows(connection, _PAST, past)
    update_rows(connection, _VOLUNTEER, "number", list(back.values()))
    insert_rows(connection, _VOLUNTEER, [row for index, row in rows.items() if index not in back])


def _past(index: int, row: Any, until: str) -> dict[str, Any]:
    return {"entry_index": index, "volunteer": row.number, "station": row.station, "since_on": row.since_on, "until_on": until}


def _confirmed(connection: Connection, entry: Entry) -> None:
    day, means = entry.body["confirmed_on"], entry.body["means"]
    first = func.coalesce(_VOLUNTEER.c.confirmed_on, day)
    _set(connection, entry.body["volunteer"], confirmed_on=first, asked_again_on=day, confirmed_by=means)


def _changed(connection: Connection, entry: Entry) -> None:
    _set(connection, entry.body["volunteer"], **{name: entry.body.get(name) for name in ("identity", "contact", "guardian")})


def _moved(connection: Connection, entry: Entry) -> None:
    body = entry.body
    row = connection.execute(select(_VOLUNTEER).where(_VOLUNTEER.c.number == body["volunteer"])).one_or_none()
    if row is not None:
        insert_rows(connection, _PAST, [_past(entry.index, row, body["moved_on"])])
        _set(connection, row.number, station=body["station"], since_on=body["moved_on"])


def _withdrawn(connection: Connection, entry: Entry) -> None:
    body = entry.body
    _set(connection, body["volunteer"], left_on=body["withdrawn_on"], left_as=body["reason"])
    if body["reason"] in NEVER_WAS:
        began = select(_VOLUNTEER.c.registered_on).where(_VOLUNTEER.c.number == body["volunteer"]).scalar_subquery()
        connection.execute(_PAST.delete().where(_PAST.c.volunteer == body["volunteer"], _PAST.c.since_on >= began))


def _disowning_decided(connection: Connection, entry: Entry) -> None:
    _set(connection, entry.body["volunteer"], disowned=entry.body["finding"])


def _merged(connection: Connection, entry: Entry) -> None:
    gone, kept = entry.body["volunteer"], entry.body["into"]
    rows = {row.number: row for row in rows_where_in(connection, _VOLUNTEER.c, _VOLUNTEER.c.number, [gone, kept])}
    if gone in rows and kept in rows:
        dates = ("confirmed_on", "backbone_on", "asked_again_on")
        both = {name: [day for day in (getattr(rows[gone], name), getattr(rows[kept], name)) if day] for name in dates}
        _set(connection, kept, **{name: min(days) for name, days in both.items() if days})
    _set(connection, gone, left_on=entry.body["merged_on"], left_as="merged", merged_into=kept)
    connection.execute(_VOLUNTEER.update().where(_VOLUNTEER.c.merged_into == gone).values(merged_into=kept))
    connection.execute(_PAST.delete().where(_PAST.c.volunteer == gone))
    _join_trainings(connection, gone, kept)
    served = list(connection.execute(select(_SERVICE.c.entry_index).where(_SERVICE.c.volunteer == gone)).scalars())
    with tallies.following(connection, served):
        for target in (*_OWN, _TRAINING):
            connection.execute(target.update().where(target.c.volunteer == gone).values(volunteer=kept))


def _join_trainings(connection: Connection, gone: str, kept: str) -> None:
    """Leave one row of a training that both numbers attended, one that stands if there is one."""
    for whose, there in (
        (gone, select(_TRAINING.c.entry_index).where(_TRAINING.c.volunteer == kept, _TRAINING.c.voided_by.is_(None))),
        (kept, select(_TRAINING.c.entry_index).where(_TRAINING.c.volunteer == gone)),
    ):
        connection.execute(_TRAINING.delete().where(_TRAINING.c.volunteer == whose, _TRAINING.c.entry_index.in_(there)))


def _backbone(connection: Connection, run: Sequence[Entry]) -> None:
    update_rows(connection, _VOLUNTEER, "number", [{"number": e.body["volunteer"], "backbone_on": e.body["designated_on"]} for e in run])


def _set(connection: Connection, number: str, **values: Any) -> None:
    if values:
        connection.execute(_VOLUNTEER.update().where(_VOLUNTEER.c.number == number).values(**values))


def _each(follow: Callable[[Connection, Entry], None]) -> Handler:
    """Make a handler that follows one entry at a time."""

    def run_through(connection: Connection, run: Sequence[Entry]) -> None:
        for entry in run:
            follow(connection, entry)

    return run_through


HANDLERS: dict[str, Handler] = {
    "volunteer.registered": _registered,
    "volunteer.confirmed": _each(_confirmed),
    "volunteer.changed": _each(_changed),
    "volunteer.moved": _each(_moved),
    "volunteer.withdrawn": _each(_withdrawn),
    "volunteer.disowning_decided": _each(_disowning_decided),
    "volunteer.merged": _each(_merged),
    "volunteer.backbone_designated": _backbone,
}
