"""
Publicity (公示): what a station has approved and does not count yet, for everybody to see and to object to.

Names are masked, children's not given at all; no volunteer number stands there, because it is what people sign in with.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from ledger import activities
from ledger.people import ages, identity
from ledger.tables import ServiceRow, table
from ledger.transactions import ReadTransaction

_SERVICE = table(ServiceRow)
CHILD = "（儿童，不公开姓名）"
ERASED = "（信息已删除）"


@dataclass(frozen=True)
class Published:
    """One record in publicity: its row, the name as it may be shown, what was done."""

    row: Any
    name: str
    title: str


def by_station(tx: ReadTransaction) -> dict[str, int]:
    """Count the records in publicity at each station that has any."""
    query = select(_SERVICE.c.station, func.count()).where(*_in_publicity(tx)).group_by(_SERVICE.c.station).order_by(_SERVICE.c.station)
    return dict(map(tuple, tx.connection.execute(query)))


def at(tx: ReadTransaction, station: str) -> list[Published]:
    """List the records in publicity at a station, those that count first on top."""
    query = select(_SERVICE).where(*_in_publicity(tx), _SERVICE.c.station == station)
    rows = tx.connection.execute(query.order_by(_SERVICE.c.effective_on, _SERVICE.c.served_on, _SERVICE.c.entry_index)).all()
    known = activities.get_many(tx.connection, {row.activity for row in rows})
    names = names_for_all(tx, {row.volunteer for row in rows})
    return [Published(row, names[row.volunteer], known[row.activity].title) for row in rows]


def _in_publicity(tx: ReadTransaction) -> tuple[Any, ...]:
    return (_SERVICE.c.status == "approved", _SERVICE.c.effective_on > tx.today.isoformat())


def names_for_all(tx: ReadTransaction, numbers: set[str]) -> dict[str, str]:
    """Give people's names as anybody may see them: masked, children's not at all."""
    people = tx.vault.open(tx.connection, ["person/" + number for number in numbers])
    bands = ages.in_force(tx.connection, tx.today.isoformat())
    names = dict.fromkeys(numbers, ERASED)
    for subject, person in people.items():
        said = person.identity
        if said.get("name"):
            child = "id_number" in said and bands.band(said["id_number"], tx.today) in ("child", "too_young")
            names[subject.removeprefix("person/")] = CHILD if child else identity.mask_name(said["name"])
    return names
