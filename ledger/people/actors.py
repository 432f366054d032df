"""
Who acts, and what a role may do where.

A role holds at a unit of the station tree and everywhere below it; without a unit it holds for the whole deployment. The operator is whoever has
the command line of the machine: it may do what staff may, and every entry of its names it. Roles that look after accounts or check the
log never touch hours.

Who holds which role is said by entries (grants.py). An account may hold several, each at its own unit; it acts with all of them together.

An account whose way in (a one-time code, a lost second factor, an identity elsewhere) came from an administrator may be in that administrator's hands. It
may begin things, as a recorder does, and decide nothing until a second administrator has vouched for it (vouching.py). So nobody becomes their own
second person by resetting a colleague's password.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger.bulk import fetch
from ledger.errors import NotAllowed
from ledger.tables import AccountChangeRow, StationRow, table

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
    "note_credit": {"recorder", "approver", "official", "operator"},
    "decide_credit": {"approver", "official", "operator"},
    "settle": {"operator"},
    "approve": {"approver", "official", "operator"},
    "decide_objections": {"approver", "official", "operator"},
    "set_calendar": {"administrator", "official", "operator"},
    "amend": {"recorder", "approver", "official", "operator"},
    "register": {"recorder", "approver", "official", "operator"},
    "decide_people": {"approver", "official", "operator"},
    "set_up": {"official", "operator"},
    "select": {"official", "operator"},
    "run_selection": {"approver", "official", "operator"},
    "spot_check": {"official", "operator"},
    "publish": {"operator"},
    "rotate_key": {"operator"},
    "manage_accounts": {"administrator", "operator"},
    "see_rights": {"administrator", "auditor", "operator"},
    "reveal": {"recorder", "approver", "official", "operator"},
    "file": {"recorder", "approver", "official", "operator"},
    "opine": {"recorder", "approver", "operator"},
    "decide_filing": {"approver", "operator"},
    "certify": {"recorder", "approver", "official", "operator"},
    "revoke_certificate": {"approver", "official", "operator"},
    "erase": {"approver", "official", "operator"},
    "assign": {"approver", "official", "operator"},
    "hand_over": {"approver", "official", "operator"},
    "see_reveals": {"official", "auditor", "operator"},
    "read_log": {"auditor", "operator"},
    "manage_webhooks": {"official", "administrator", "operator"},
}
FIRST_PERSON = frozenset({"see_station", "record", "note_credit", "amend", "register", "file"})
"""What an account may do before anybody has vouched for it: what somebody else then looks at, or does."""
TAKING = ("opened", "code_issued", "second_factor_reset", "identity_linked")
"""Changes of an account by which whoever made them may come to hold the way into it."""
_STATION, _CHANGE = table(StationRow), table(AccountChangeRow)
_ABOVE = """
WITH RECURSIVE above(code, parent, steps) AS (
    SELECT code, parent, 0 FROM station WHERE code = {mark}
    UNION ALL SELECT station.code, station.parent, steps + 1 FROM station JOIN above ON station.code = above.parent WHERE steps < 20
) SELECT code FROM above ORDER BY steps
"""
"""One statement for the driver: rights are asked at every request."""


@dataclass(frozen=True)
class Grant:
    """A role held at a unit of the tree and below it (None: everywhere)."""

    role: str
    station: str | None = None

    def allows(self, action: str) -> bool:
        """Tell whether the role allows an action."""
        return self.role in _MAY[action]


@dataclass(frozen=True)
class Actor:
    """An account in action: its id (named in entries), role, unit of the tree (None: everywhere), volunteer number if it is a volunteer's.

    *role* and *station* are what it mainly is (no role: an empty one); *also*: what else it holds.
    """

    account: str
    role: str
    station: str | None = None
    volunteer: str | None = None
    also: tuple[Grant, ...] = ()

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Everything it holds."""
        return (Grant(self.role, self.station), *self.also) if self.role else ()

    @property
    def roles(self) -> frozenset[str]:
        """The roles it holds somewhere."""
        return frozenset(grant.role for grant in self.grants)

    def may(self, action: str) -> bool:
        """Tell whether a role of its allows an action somewhere."""
        return any(grant.allows(action) for grant in self.grants)


OPERATOR = Actor("operator", "operator")
SCHEDULER = Actor("scheduler", "operator")


def may_everywhere(actor: Actor, action: str) -> bool:
    """Tell whether an actor may do something in the whole district."""
    return any(grant.station is None and grant.allows(action) for grant in actor.grants)


def require(connection: Connection, actor: Actor, action: str, station: str | None) -> None:
    """Make sure that an actor may do something at a unit (None: in the whole district). Raises NotAllowed."""
    places = {grant.station for grant in actor.grants if grant.allows(action)}
    if not places:
        raise NotAllowed(f"{'、'.join(ROLES[role] for role in ROLES if role in actor.roles) or '没有角色的账号'}没有这项权限")
    if places & {None, station}:
        return
    if station is None or places.isdisjoint(ancestry(connection, station)):
        raise NotAllowed("这个站点不在您的管理范围内")


def require_above(connection: Connection, actor: Actor, action: str, station: str) -> None:
    """Make sure that an actor may do something at the unit above one, where there is one: what its own people do not settle. Raises NotAllowed."""
    above = ancestry(connection, station)[1:]
    require(connection, actor, action, above[0] if above else station)


def holders(connection: Connection, account: str) -> set[str]:
    """List the accounts that may hold the way into an account: those that gave it one since a second administrator last vouched for it.

    The operator, who has the machine and with it everything, is not counted, nor is the account itself.
    """
    asked = select(_CHANGE.c.change, _CHANGE.c.actor).where(_CHANGE.c.account == account, _CHANGE.c.change.in_((*TAKING, "vouched")))
    found: set[str] = set()
    for row in connection.execute(asked.order_by(_CHANGE.c.entry_index)):
        found = set() if row.change == "vouched" else found | {row.actor}
    return found - {account, OPERATOR.account}


def require_own(connection: Connection, actor: Actor) -> None:
    """Make sure that nobody else may hold the way into the actor's account. Raises NotAllowed."""
    if holders(connection, actor.account):
        raise NotAllowed(
            "这个账号的登录码、两步验证或统一身份是管理员经手办的，要另一位管理员当面核实是本人在用之后，才能审核、确认和管理。"
            "请联系另一位管理员，在「工作账号」里点「已当面核实」；只有一位管理员时，由本机操作员用 shouwang account vouch 办"
        )


def units(connection: Connection, actor: Actor, action: str) -> list[str]:
    """List the units where an actor may do something: those its grants for it name, and all below them."""
    places = {grant.station for grant in actor.grants if grant.allows(action)}
    if None in places:
        return below(connection, None)
    return sorted({code for place in places for code in below(connection, place)})


def reach(connection: Connection, actor: Actor, action: str) -> frozenset[str] | None:
    """Give the units where an actor may do something; None: everywhere, and also with what belongs to no unit."""
    if any(grant.station is None and grant.allows(action) for grant in actor.grants):
        return None
    return frozenset(units(connection, actor, action))


def ancestry(connection: Connection, station: str) -> list[str]:
    """List a unit and the units above it, nearest first."""
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    return list(dict.fromkeys([station, *(row.code for row in fetch(connection, _ABOVE.format(mark=mark), (station,)))]))


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
