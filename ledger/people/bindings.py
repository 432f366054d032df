"""
Whose an account is, as the log says it: under which login, of which volunteer, and which identity elsewhere opens it.

Who may do what is in the log by accounts' ids; without this, somebody with SQL could give an id to somebody else. An entry holds no login and no
identity but salted commitments, SHA-256(0x03 || salt || canonical JSON); the salts lie beside what they cover (account.salt, linked_identity.salt) and
go with it. `verify` compares them. Passwords are not covered: whoever changes one locks its owner out, which is noticed.
"""

import os
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from ledger import notices
from ledger.entries import format_time
from ledger.ids import new_number
from ledger.kinds import Body
from ledger.log import Fact
from ledger.people.passwords import code_good_until
from ledger.people.vault import commitment
from ledger.tables import AccountBindingRow, AccountRow, LinkedIdentityRow, table
from ledger.transactions import WriteTransaction

SALT_BYTES = 32
_ACCOUNT, _LINKED, _BINDING = table(AccountRow), table(LinkedIdentityRow), table(AccountBindingRow)

Fault = tuple[int | None, str, object, object]
"""Entry, what, expected, found."""


def open_account(tx: WriteTransaction, login: str, hashed: str, *, code: bool, volunteer: str | None = None) -> str:
    """Make an account, and say so. Returns its id."""
    account, salt = new_number(), None if volunteer else os.urandom(SALT_BYTES)
    expires = format_time(code_good_until(tx.now, volunteer=volunteer is not None)) if code else None
    made = {"id": account, "login": login, "volunteer": volunteer, "password_hash": hashed, "created_at": format_time(tx.now), "salt": salt}
    state = {"must_change": int(code), "code_expires_at": expires, "session_epoch": 0, "disabled": 0}
    tx.connection.execute(_ACCOUNT.insert(), [made | state])
    tx.append([_opened(account, login, salt, volunteer)])
    return account


def link(tx: WriteTransaction, account: str, digest: bytes, volunteer: str | None) -> None:
    """Link an identity, by its keyed digest, to an account in place of another, and say so."""
    salt = os.urandom(SALT_BYTES)
    tx.connection.execute(_LINKED.delete().where(_LINKED.c.account == account))
    said = {"digest": digest, "account": account, "linked_by": tx.actor.account, "linked_at": format_time(tx.now), "salt": salt}
    tx.connection.execute(_LINKED.insert(), [said])
    tx.append([_linked(account, digest, salt, volunteer)])
    _tell(tx, account, volunteer, "identity_linked")


def unlink(tx: WriteTransaction, account: str, volunteer: str | None) -> None:
    """Undo the link of an account, if there is one, and say so."""
    if tx.connection.execute(_LINKED.delete().where(_LINKED.c.account == account)).rowcount:
        tx.append([Fact("identity.unlinked", _of(account, volunteer))])
        _tell(tx, account, volunteer, "identity_unlinked")


def adopt_former(tx: WriteTransaction) -> int:
    """Say by entries what accounts there were before they were in the log, and what was linked to them."""
    facts = []
    unsaid = select(_ACCOUNT).outerjoin(_BINDING, _BINDING.c.account == _ACCOUNT.c.id).where(_BINDING.c.account.is_(None))
    for row in tx.connection.execute(unsaid.order_by(_ACCOUNT.c.created_at, _ACCOUNT.c.id)).all():
        salt = None if row.volunteer else os.urandom(SALT_BYTES)
        tx.connection.execute(_ACCOUNT.update().where(_ACCOUNT.c.id == row.id).values(salt=salt))
        facts.append(_opened(row.id, row.login, salt, row.volunteer))
    bare = select(_LINKED, _ACCOUNT.c.volunteer).join_from(_LINKED, _ACCOUNT, _LINKED.c.account == _ACCOUNT.c.id)
    for row in tx.connection.execute(bare.where(_LINKED.c.salt.is_(None)).order_by(_LINKED.c.linked_at, _LINKED.c.account)).all():
        salt = os.urandom(SALT_BYTES)
        tx.connection.execute(_LINKED.update().where(_LINKED.c.digest == row.digest).values(salt=salt))
        facts.append(_linked(row.account, bytes(row.digest), salt, row.volunteer))
    tx.append(facts)
    return len(facts)


def faults(connection: Connection, gone: set[str]) -> Iterator[Fault]:
    """Compare accounts and linked identities with what the log says of them; *gone*: subjects whose links went with their data."""
    said = {row.account: row for row in connection.execute(select(_BINDING))}
    linked = {row.account: row for row in connection.execute(select(_LINKED))}
    for row in connection.execute(select(_ACCOUNT.c.id, _ACCOUNT.c.login, _ACCOUNT.c.volunteer, _ACCOUNT.c.salt).order_by(_ACCOUNT.c.id)):
        name, wanted = f"account[{row.id}]", said.pop(row.id, None)
        if wanted is None:
            yield None, name, "账本里有的账号", "多出的一行"
            continue
        login = row.login if wanted.volunteer else _of_login(row.login, row.salt)
        theirs = wanted.volunteer.lower() if wanted.volunteer else wanted.login
        found = ((wanted.volunteer, row.volunteer, "volunteer"), (theirs, login, "login"))
        yield from ((wanted.entry_index, f"{name}.{what}", there, here) for there, here, what in found if there != here)
        link_ = linked.pop(row.id, None)
        identity = _of_identity(bytes(link_.digest), link_.salt) if link_ else None
        if identity != wanted.identity and not (link_ is None and f"person/{wanted.volunteer}" in gone):
            yield wanted.entry_index, f"{name}.identity", wanted.identity, identity
    for wanted in said.values():
        yield wanted.entry_index, f"account[{wanted.account}]", "这一行", "缺失"
    for account in sorted(linked):
        yield None, f"linked_identity[{account}]", "账本里有的账号", "多出的一行"


def _opened(account: str, login: str, salt: bytes | None, volunteer: str | None) -> Fact:
    body: Body = _of(account, volunteer)
    return Fact("account.opened", body if volunteer else body | {"login": _of_login(login, salt)})


def _linked(account: str, digest: bytes, salt: bytes, volunteer: str | None) -> Fact:
    return Fact("identity.linked", _of(account, volunteer) | {"identity": _of_identity(digest, salt)})


def _tell(tx: WriteTransaction, account: str, volunteer: str | None, change: str) -> None:
    notices.tell(tx, f"person/{volunteer}" if volunteer else account, "account.changed", {"change": change})


def _of(account: str, volunteer: str | None) -> Body:
    return {"account": account} | ({"volunteer": volunteer} if volunteer else {})


def _of_login(login: str, salt: Any) -> str:
    return commitment(bytes(salt or b""), {"login": login})


def _of_identity(digest: bytes, salt: Any) -> str:
    return commitment(bytes(salt or b""), {"identity": b64encode(digest).decode()})
