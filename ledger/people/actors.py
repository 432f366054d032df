"""
Who acts, and what a role may do where.

A role holds at a unit of the station tree and everywhere below it; without a unit it holds for the whole deployment. The operator is whoever has
the command line of the machine: it may do what staff may, and every entry of its names it. Roles that look after accounts or check the
log never touch hours.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger.errors import NotAllowed
from ledger.tables import StationRow, table

ROLES = {
    "volunteer": "志愿者",
    "recorder": "站点登记员",
    "approver": "审核员",
    "official": "区级管理员",
    "auditor": "审计员",
    "administrator": "系统管理员",
    "operator": "本机操作员",
}
_MAY: dict[str, set[str]] = {
    "see_station": {"recorder", "approver", "official", "operator"},
    "record": {"recorder", "approver", "operator"},
    "settle": {"operator"},
    "approve": {"approver", "official", "operator"},
    "amend": {"recorder", "approver", "official", "operator"},
    "register": {"recorder", "approver", "official", "operator"},
    "set_up": {"official", "operator"},
    "select": {"official", "operator"},
    "publish": {"operator"},
    "rotate_key": {"operator"},
    "manage_accounts": {"administrator", "operator"},
    "read_log": {"auditor", "operator"},
}
_STATION = table(StationRow)


@dataclass(frozen=True)
class Actor:
    """An account in action: its id (named in entries), role, unit of the tree (None: everywhere), volunteer number if it is a volunteer's."""

    account: str
    role: str
    station: str | None = None
    volunteer: str | None = None

    def may(self, action: str) -> bool:
        """Tell whether the role allows an action somewhere."""
        return self.role in _MAY[action]


OPERATOR = Actor("operator", "operator")
SCHEDULER = Actor("scheduler", "operator")


def require(connection: Connection, actor: Actor, action: str, station: str | None) -> None:
    """Make sure that an actor may do something at a unit (None: in the whole district). Raises NotAllowed."""
    if not actor.may(action):
        raise NotAllowed(f"{ROLES[actor.role]}没有这项权限")
    if actor.station is None or actor.station == station:
        return
    if station is None or actor.station not in ancestry(connection, station):
        raise NotAllowed("这个站点不在您的管理范围内")


def ancestry(connection: Connection, station: str) -> list[str]:
    """List a unit and the units above it, nearest first."""
    found: list[str] = []
    code: str | None = station
    while code is not None and code not in found:
        found.append(code)
        code = connection.execute(select(_STATION.c.parent).where(_STATION.c.code == code)).scalar_one_or_none()
    return found


def below(connection: Connection, station: str | None) -> list[str]:
    """List a unit and all units below it; every unit when *station* is None."""
    children: dict[str | None, list[str]] = {}
    for row in connection.execute(select(_STATION.c.code, _STATION.c.parent).order_by(_STATION.c.code)):
        children.setdefault(row.parent, []).append(row.code)
    if station is None:
        return sorted(code for codes in children.values() for code in codes)
    found = [station]
    for code in found:
        found.extend(children.get(code, []))
    return found
