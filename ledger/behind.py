"""
Who is behind a figure of a unit: the numbers of the volunteers that a rate counts, for those who may see the unit's people.

Asked of the same homes and the same services as the rates, on the same day: as many people stand in a list as its figure says. `absent` is what a station
works with: who is registered and has not taken part yet.
"""

from datetime import date
from typing import Any

from sqlalchemy import Connection, exists, select, union_all

from ledger import rates
from ledger.people.actors import below
from ledger.tables import ServiceRow, VolunteerRow, table

_SERVICE, _VOLUNTEER = table(ServiceRow), table(VolunteerRow)
FIGURES = {
    "registered": "注册志愿者",
    "participants": "当年参加过服务的",
    "absent": "当年还没参加过的",
    "backbone": "志愿服务骨干",
}


def people(connection: Connection, figure: str, unit: str, year: int, today: date, *, after: str = "", limit: int) -> list[Any]:
    """List those behind a figure (one of FIGURES) of a unit and all below it, by number: rows with number, station, registered_on, backbone_on.

    *after*: only those whose number comes after it.
    """
    on = rates.counting_day(year, today).isoformat()
    units = below(connection, unit)
    served = exists().where(_SERVICE.c.volunteer == _VOLUNTEER.c.number, rates.taking_part(year, today))
    asked = {
        "registered": _VOLUNTEER.c.number.is_not(None),
        "participants": served,
        "absent": ~served,
        "backbone": _VOLUNTEER.c.backbone_on <= on,
    }[figure]
    found = [
        select(_VOLUNTEER.c.number, station.label("station"), _VOLUNTEER.c.registered_on, _VOLUNTEER.c.backbone_on)
        .select_from(source)
        .where(at_home, asked, station.in_(units), _VOLUNTEER.c.number > after)
        for source, station, at_home in rates.homes(on)
    ]
    together = union_all(*found).subquery()
    return list(connection.execute(select(together).order_by(together.c.number).limit(limit)))
