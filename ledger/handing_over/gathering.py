"""
The five blocks of 民政部令第67号 article 4 for the people at home in a unit and a period, as they stand today.

Only who said yes themselves is handed over (article 6): of others nothing goes out, and how many that were is said. Of those, only who has something in
the period: a service that counts, a training, an award, an evaluation, or the yes itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Column, Connection, Table

from ledger import activities, organisations, stations
from ledger.bulk import rows_where_in
from ledger.codes import SERVICES
from ledger.kinds.credit import QUALITIES
from ledger.people.actors import below
from ledger.people.identity import birth_date
from ledger.service.records import counts_on
from ledger.tables import AwardRow, EvaluationRow, ServiceRow, TrainingRow, VolunteerRow, table
from ledger.transactions import ReadTransaction

_VOLUNTEER, _SERVICE = table(VolunteerRow), table(ServiceRow)
_TRAINING, _AWARD, _EVALUATION = table(TrainingRow), table(AwardRow), table(EvaluationRow)
Row = dict[str, str | int]


@dataclass(frozen=True)
class Gathered:
    """What is handed over: rows by block, in the order of people and records; whose identity is in it; who was left out, and why (counts)."""

    blocks: dict[str, list[Row]]
    unconfirmed: int
    sealed: int

    @property
    def people(self) -> list[str]:
        """The numbers of everybody whose identity is in it."""
        return [str(row["number"]) for row in self.blocks["basic"]]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each block has."""
        return {name: len(rows) for name, rows in self.blocks.items()}


def gather(tx: ReadTransaction, unit: str, first: str, last: str) -> Gathered:
    """Gather what a unit's people have from one day to another, both included."""
    homes = below(tx.connection, unit)
    here = [row for row in rows_where_in(tx.connection, _VOLUNTEER.c, _VOLUNTEER.c.station, homes) if row.left_on is None]
    said_yes = {row.number: row for row in here if row.confirmed_on is not None}
    blocks = {
        "service": _services(tx, said_yes, first, last),
        "training": _trainings(tx.connection, said_yes, first, last),
        "award": _awards(tx.connection, said_yes, first, last),
        "evaluation": _evaluations(tx.connection, said_yes, first, last),
    }
    concerned = {str(row["number"]) for rows in blocks.values() for row in rows}
    concerned |= {number for number, row in said_yes.items() if first <= row.confirmed_on <= last}
    basic = _basic(tx, sorted(concerned))
    open_ = {row["number"] for row in basic}
    kept = {name: [row for row in rows if row["number"] in open_] for name, rows in blocks.items()}
    return Gathered({"basic": basic, **kept}, len(here) - len(said_yes), len(concerned) - len(open_))


def left_since(connection: Connection, gathered: Gathered) -> bool:
    """Say whether somebody in it has withdrawn since it was gathered."""
    return any(row.left_on for row in rows_where_in(connection, [_VOLUNTEER.c.left_on], _VOLUNTEER.c.number, gathered.people))


def hours(minutes: int) -> str:
    """Write minutes as hours with two decimals, rounded half up."""
    hundredths = (minutes * 100 + 30) // 60
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _basic(tx: ReadTransaction, numbers: list[str]) -> list[Row]:
    """Open what article 5 lists; whose data are gone or sealed away for good has no row."""
    found: list[Row] = []
    people = tx.vault.open(tx.connection, ["person/" + number for number in numbers])
    for number in numbers:
        person = people.get("person/" + number)
        if person is None or not person.identity:
            continue
        identity, contact = person.identity, person.contact
        id_number = identity.get("id_number", "")
        row: Row = {name: identity.get(name, "") for name in ("name", "sex", "id_number")}
        row |= {name: contact.get(name, "") for name in ("area", "phone", "skills", "services")}
        found.append({"number": number, "birth_date": birth_date(id_number).isoformat() if id_number else "", **row})
    return found


def _of(connection: Connection, rows: Table, day: Column[Any], numbers: Iterable[str], first: str, last: str) -> list[Any]:
    """Give the rows of people that fall into the period, in order."""
    found = rows_where_in(connection, rows.c, rows.c.volunteer, numbers)
    return sorted((row for row in found if first <= getattr(row, day.name) <= last), key=lambda row: (row.volunteer, row.entry_index))


def _services(tx: ReadTransaction, numbers: Iterable[str], first: str, last: str) -> list[Row]:
    rows = [row for row in _of(tx.connection, _SERVICE, _SERVICE.c.served_on, numbers, first, last) if counts_on(row, tx.today)]
    held = activities.get_many(tx.connection, {row.activity for row in rows})
    teams = {one.organisation or "" for one in held.values()} | {row.organisation or "" for row in rows}
    names = organisations.names(tx.connection, teams - {""})
    places = stations.names(tx.connection, {row.station for row in rows})
    found: list[Row] = []
    for row in rows:
        activity = held[row.activity]
        team = row.organisation or activity.organisation
        content = [SERVICES.get(code, code) for code in orjson.loads(activity.services)] or [activity.theme or activity.title]
        found.append(
            {
                "number": row.volunteer,
                "record": row.entry_index,
                "title": activity.title,
                "served_on": row.served_on,
                "place": activity.place or places.get(row.station, row.station),
                "content": "、".join(content),
                "hours": hours(row.minutes),
                "minutes": row.minutes,
                "organiser": names.get(team or "") or activity.responsible_unit or places.get(row.station, row.station),
                "responsible": activity.responsible_volunteer or "",
            }
        )
    return found


def _trainings(connection: Connection, numbers: Iterable[str], first: str, last: str) -> list[Row]:
    rows = _of(connection, _TRAINING, _TRAINING.c.trained_on, numbers, first, last)
    return [
        {"number": row.volunteer, "record": row.entry_index, "hours": hours(row.minutes)}
        | {name: getattr(row, name) for name in ("title", "content", "minutes", "organiser", "trained_on")}
        for row in rows
        if not row.voided_by
    ]


def _awards(connection: Connection, numbers: Iterable[str], first: str, last: str) -> list[Row]:
    rows = _of(connection, _AWARD, _AWARD.c.granted_on, numbers, first, last)
    said = ("title", "granted_on", "unit")
    return [
        {"number": row.volunteer, "record": row.entry_index, **{name: getattr(row, name) for name in said}}
        for row in rows
        if not row.withdrawn_by
    ]


def _evaluations(connection: Connection, numbers: Iterable[str], first: str, last: str) -> list[Row]:
    rows = [row for row in _of(connection, _EVALUATION, _EVALUATION.c.evaluated_on, numbers, first, last) if not row.voided_by]
    titles = activities.get_many(connection, {row.activity for row in rows})
    return [
        {
            "number": row.volunteer,
            "record": row.entry_index,
            "title": titles[row.activity].title,
            "quality": QUALITIES[row.quality],
            "evaluated_on": row.evaluated_on,
        }
        for row in rows
    ]
