"""
Who holds which role: given and ended by entries, so that nobody can slip a right in without the log telling.

This file alone keeps the rules:

1. Only an administrator or the operator gives and ends roles; nobody gives or ends their own.
2. Every role but the recorder's needs a second person: one administrator proposes, another confirms (or the operator, who is at the machine). So
   no one alone can invent an approver for records that they invented, nor a second administrator to agree with.
3. Looking after accounts and checking the log exclude every other role, in one account.
4. The last administrator that can sign in is not lost from the web; only the operator may do that, and may make another.

Volunteers need no grant: theirs follows from being registered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import stations
from ledger.entries import format_time
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_number
from ledger.kinds import Body
from ledger.kinds.accounts import GRANTED_ROLES
from ledger.log import Fact
from ledger.people import actors
from ledger.people.actors import OPERATOR, ROLES, Actor, Grant
from ledger.tables import AccountChangeRow, AccountRow, RoleGrantRow, RoleProposalRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

PLACED_ROLES = ("recorder", "approver")
"""Roles that make sense only at a unit of the tree."""
UNCONFIRMED_ROLES = ("recorder",)
"""Roles that one administrator may give alone."""
SOLITARY_ROLES = ("auditor", "administrator")
_RANK = {role: at for at, role in enumerate(("official", "approver", "recorder", "administrator", "auditor"))}

_ACCOUNT, _GRANT, _PROPOSAL, _CHANGE = table(AccountRow), table(RoleGrantRow), table(RoleProposalRow), table(AccountChangeRow)


@dataclass(frozen=True)
class Proposal:
    """A role waiting for a second person. *own*: who looks proposed it."""

    id: str
    account: str
    grant: Grant
    proposed_by: str
    proposed_at: str
    own: bool


def ordered(rows: Sequence[Any]) -> tuple[Grant, ...]:
    """Put roles held (rows with role and station) in order: what an account mainly is comes first."""
    return tuple(sorted((Grant(row.role, row.station) for row in rows), key=lambda grant: (_RANK[grant.role], grant.station or "")))


def actor_of(account: str, volunteer: str | None, held: Sequence[Grant]) -> Actor:
    """Say as whom an account acts."""
    if volunteer:
        return Actor(account, "volunteer", None, volunteer)
    first, *more = held or (Grant(""),)
    return Actor(account, first.role, first.station, None, tuple(more))


def held_by(connection: Connection, account: str) -> tuple[Grant, ...]:
    """List the roles that an account holds."""
    return ordered(connection.execute(select(_GRANT).where(_GRANT.c.account == account)).all())


def held_by_all(connection: Connection) -> dict[str, tuple[Grant, ...]]:
    """List the roles of every account that holds one."""
    found: dict[str, list[Any]] = {}
    for row in connection.execute(select(_GRANT)):
        found.setdefault(row.account, []).append(row)
    return {account: ordered(rows) for account, rows in found.items()}


def give(tx: WriteTransaction, account: str, grant: Grant) -> bool:
    """Give an account a role, or propose it where that takes two. True when it holds at once.

    Raises NotAllowed, NotFound (station), InvalidRequest (no such role, role and place do not fit, held already).
    """
    tx.require("manage_accounts", None)
    if account == tx.actor.account:
        raise InvalidRequest("不能给自己的账号加角色，请另一位管理员来办")
    check_place(grant)
    if grant.station:
        stations.get(tx.connection, grant.station)
    _check_fits(tx.connection, account, grant)
    same = (_PROPOSAL.c.account == account) & (_PROPOSAL.c.role == grant.role) & _PROPOSAL.c.station.is_not_distinct_from(grant.station)
    if "operator" in tx.actor.roles or grant.role in UNCONFIRMED_ROLES:
        tx.connection.execute(_PROPOSAL.delete().where(same))
        tx.append([_granted(account, grant)])
        return True
    if tx.connection.execute(select(_PROPOSAL.c.id).where(same)).first():
        raise InvalidRequest("这个角色已经有人提出，正等另一位管理员确认")
    said = {"account": account, "role": grant.role, "station": grant.station}
    made = {"id": new_number(), "proposed_by": tx.actor.account, "proposed_at": format_time(tx.now)}
    tx.connection.execute(_PROPOSAL.insert(), [said | made])
    return False


def check_place(grant: Grant) -> None:
    """Make sure that there is such a role, at a unit where it needs one and nowhere where it has none. Raises InvalidRequest."""
    if grant.role not in GRANTED_ROLES:
        raise InvalidRequest("没有这个角色，请从列表中选择")
    if (grant.role in PLACED_ROLES) != bool(grant.station) and grant.role != "official":
        role = ROLES[grant.role]
        raise InvalidRequest(f"{role}{'必须指定所属站点' if grant.role in PLACED_ROLES else '不属于任何站点，请不要填写站点'}")


def _check_fits(connection: Connection, account: str, grant: Grant) -> None:
    held = held_by(connection, account)
    if grant in held:
        raise InvalidRequest("这个账号已经有这个角色了")
    both = [one.role for one in (*held, grant) if one.role in SOLITARY_ROLES]
    if held and both:
        raise InvalidRequest(f"{ROLES[both[0]]}不能兼任别的角色：管账号、查账的人不经手时长。请另开一个账号")


def confirm(tx: WriteTransaction, proposal: str) -> None:
    """Agree to what another administrator proposed. Raises NotAllowed (one's own, or for oneself), NotFound, InvalidRequest."""
    tx.require("manage_accounts", None)
    row = _proposal(tx.connection, proposal)
    if tx.actor.account in (row.proposed_by, row.account):
        raise NotAllowed("提出的人和得到角色的人都不能自己确认，请另一位管理员来办")
    grant = Grant(row.role, row.station)
    _check_fits(tx.connection, row.account, grant)
    tx.connection.execute(_PROPOSAL.delete().where(_PROPOSAL.c.id == proposal))
    tx.append([_granted(row.account, grant, row.proposed_by)])


def decline(tx: WriteTransaction, proposal: str) -> None:
    """Drop a proposal; whoever made it may take it back too. Raises NotAllowed, NotFound."""
    tx.require("manage_accounts", None)
    _proposal(tx.connection, proposal)
    tx.connection.execute(_PROPOSAL.delete().where(_PROPOSAL.c.id == proposal))


def end(tx: WriteTransaction, account: str, grant: Grant, reason: str = "") -> None:
    """Take a role from an account; it acts without it from the next request on. Raises NotAllowed, NotFound, InvalidRequest."""
    tx.require("manage_accounts", None)
    if account == tx.actor.account:
        raise InvalidRequest("不能取消自己的角色，请另一位管理员来办")
    if grant not in held_by(tx.connection, account):
        raise NotFound("这个账号没有这个角色，可能已经取消了，请刷新页面")
    body: Body = {"account": account, "role": grant.role}
    body |= {"station": grant.station} if grant.station else {}
    body |= {"reason": reason.strip()} if reason.strip() else {}
    tx.append([Fact("role.ended", body)])
    if grant.role == "administrator":
        keep_an_administrator(tx)


def keep_an_administrator(tx: WriteTransaction) -> None:
    """Refuse to go on when no administrator who can sign in is left, unless the operator asks. Raises InvalidRequest."""
    if "operator" in tx.actor.roles:
        return
    able = (_GRANT.c.role == "administrator") & (_ACCOUNT.c.disabled == 0)
    joined = _GRANT.join(_ACCOUNT, _GRANT.c.account == _ACCOUNT.c.id)
    if not tx.connection.execute(select(func.count()).select_from(joined).where(able)).scalar_one():
        raise InvalidRequest("这是最后一个能用的系统管理员，不能停用或取消。请先让另一个账号成为系统管理员")


def adopt_former(tx: WriteTransaction) -> int:
    """Say by entries the roles that accounts held before roles were in the log (an upgrade left them as the operator's proposals)."""
    former = tx.connection.execute(select(_PROPOSAL).where(_PROPOSAL.c.proposed_by == OPERATOR.account)).all()
    tx.connection.execute(_PROPOSAL.delete().where(_PROPOSAL.c.proposed_by == OPERATOR.account))
    tx.append([_granted(row.account, Grant(row.role, row.station)) for row in sorted(former, key=lambda row: row.proposed_at)])
    return len(former)


def _granted(account: str, grant: Grant, proposed_by: str | None = None) -> Fact:
    body: Body = {"account": account, "role": grant.role}
    body |= {"station": grant.station} if grant.station else {}
    body |= {"proposed_by": proposed_by} if proposed_by else {}
    return Fact("role.granted", body)


def _proposals(connection: Connection) -> list[Any]:
    return list(connection.execute(select(_PROPOSAL).order_by(_PROPOSAL.c.proposed_at, _PROPOSAL.c.id)))


def _proposal(connection: Connection, proposal: str) -> Any:
    row = connection.execute(select(_PROPOSAL).where(_PROPOSAL.c.id == proposal)).one_or_none()
    if row is None:
        raise NotFound("这个提议已经确认或撤回了，请刷新页面")
    return row


def proposals(tx: ReadTransaction, actor: Actor) -> list[Proposal]:
    """List the roles that wait for a second person, oldest first. Raises NotAllowed."""
    actors.require(tx.connection, actor, "manage_accounts", None)
    return [
        Proposal(
            row.id,
            row.account,
            Grant(row.role, row.station),
            row.proposed_by,
            row.proposed_at,
            actor.account in (row.proposed_by, row.account),
        )
        for row in _proposals(tx.connection)
    ]


def changes(tx: ReadTransaction, actor: Actor, *, before: int | None = None, account: str | None = None, limit: int = 100) -> list[Any]:
    """List what happened to accounts' rights, newest first, as rows of the projection. Raises NotAllowed."""
    actors.require(tx.connection, actor, "see_rights", None)
    statement = select(_CHANGE).order_by(_CHANGE.c.entry_index.desc()).limit(limit)
    if before is not None:
        statement = statement.where(_CHANGE.c.entry_index < before)
    if account is not None:
        statement = statement.where(_CHANGE.c.account == account)
    return list(tx.connection.execute(statement))
