"""
Vouching: a second administrator says of an account that the person it belongs to has it, and nobody else.

Whoever hands somebody a one-time code could use it. So an account that was opened, reset or linked by an administrator is in that administrator's hands
until another one, or the operator, has asked its owner face to face (actors.require_own says what it may not do till then). Rules kept here alone:

1. Whoever made one of the changes since the last vouching does not vouch, nor does the account itself, nor one that waits to be vouched for.
2. A code has to be spent first: before, whoever gave it could still be the first to use it.
3. Meanwhile the account makes no API token and links no identity, which would outlast the next code (tokens.py, linked_identities.py).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ledger import notices
from ledger.errors import InvalidRequest, NotAllowed
from ledger.log import Fact
from ledger.people import actors
from ledger.people.actors import Actor
from ledger.tables import AccountChangeRow, AccountRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_ACCOUNT, _CHANGE = table(AccountRow), table(AccountChangeRow)


@dataclass(frozen=True)
class Waiting:
    """An account that waits to be vouched for: what was done to it (rows of the history), whether its code is spent, whether the viewer may vouch."""

    account: str
    changes: tuple[Any, ...]
    spent: bool
    mine: bool


def vouch(tx: WriteTransaction, account: str) -> None:
    """Say that an account is its owner's own. Raises NotAllowed (one's own hands), InvalidRequest (nothing to say, code not spent)."""
    tx.require("manage_accounts", None)
    held_by = actors.holders(tx.connection, account)
    if not held_by:
        raise InvalidRequest("这个账号不用核实，或已经有人核实过了。请刷新页面")
    if tx.actor.account in (*held_by, account):
        raise NotAllowed("登录码是您发的，或这是您自己的账号：要由另一位管理员当面核实")
    if tx.connection.execute(select(_ACCOUNT.c.must_change).where(_ACCOUNT.c.id == account)).scalar_one():
        raise InvalidRequest("这个账号还没有用登录码登录、换成自己的密码。请等本人登录过再核实")
    tx.append([Fact("account.changed", {"account": account, "change": "vouched"})])
    notices.tell(tx, account, "account.changed", {"change": "vouched"})


def waiting(tx: ReadTransaction, viewer: Actor) -> list[Waiting]:
    """List the accounts that wait to be vouched for, longest first. Raises NotAllowed."""
    actors.require(tx.connection, viewer, "manage_accounts", None)
    asked = select(_CHANGE).join_from(_CHANGE, _ACCOUNT, _CHANGE.c.account == _ACCOUNT.c.id)
    asked = asked.where(_CHANGE.c.change.in_((*actors.TAKING, "vouched")), _ACCOUNT.c.disabled == 0)
    open_: dict[str, list[Any]] = {}
    for row in tx.connection.execute(asked.order_by(_CHANGE.c.entry_index)):
        if row.change == "vouched":
            open_.pop(row.account, None)
        elif row.actor not in (row.account, actors.OPERATOR.account):
            open_.setdefault(row.account, []).append(row)
    codes = select(_ACCOUNT.c.id).where(_ACCOUNT.c.must_change == 1, _ACCOUNT.c.volunteer.is_(None))
    unspent = set(tx.connection.execute(codes).scalars())
    return [
        Waiting(account, tuple(rows), account not in unspent, viewer.account in (account, *(row.actor for row in rows)))
        for account, rows in open_.items()
    ]
