"""
Identities at an identity provider (OpenID Connect), linked to accounts that are there already: signing in by one never makes an account.

Kept is a keyed digest of issuer and subject, so that the store does not tell who somebody is elsewhere. An identity opens one account, an account
has one identity. The person links it while signed in, or an administrator does. Linking and unlinking are entries, since it is one more way to act.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people import bindings, second_factors, sessions
from ledger.people.actors import Actor
from ledger.people.sessions import Session
from ledger.store import Ledger
from ledger.tables import AccountRow, LinkedIdentityRow, table
from ledger.transactions import WriteTransaction

SUBJECT_MAX = 255
"""Characters of a subject: OpenID Connect Core 1.0 section 2."""
NOT_LINKED = "这个统一身份还没有绑定本系统的账号。请先用登录名和密码登录，在「我的账号」里绑定；还没有账号，请找管理员开通"

_LINKED, _ACCOUNT = table(LinkedIdentityRow), table(AccountRow)


def of_account(connection: Connection, account: str) -> Any:
    """Give the identity linked to an account (by whom, when), or None."""
    return connection.execute(select(_LINKED.c.linked_by, _LINKED.c.linked_at).where(_LINKED.c.account == account)).one_or_none()


def link(ledger: Ledger, actor: Actor, issuer: str, subject: str) -> None:
    """Link an identity to the actor's own account, in place of another. Raises InvalidRequest (linked to somebody else)."""

    def work(tx: WriteTransaction) -> None:
        tx.require_own()
        _link(tx, ledger, actor.account, issuer, subject, actor.volunteer)

    ledger.write(work, actor)


def link_for(ledger: Ledger, actor: Actor, login: str, issuer: str, subject: str) -> None:
    """Link an identity to somebody's account, for an administrator. Raises NotAllowed, NotFound, InvalidRequest."""

    def work(tx: WriteTransaction) -> None:
        tx.require("manage_accounts", None)
        row = tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.login == login, _ACCOUNT.c.volunteer.is_(None))).one_or_none()
        if row is None:
            raise NotFound(f"没有登录名为 {login[:32]} 的工作人员账号")
        if row.id == actor.account:
            raise InvalidRequest("自己的账号请在「我的账号」里绑定")
        _link(tx, ledger, row.id, issuer, subject.strip(), None)

    ledger.write(work, actor)


def _link(tx: WriteTransaction, ledger: Ledger, account: str, issuer: str, subject: str, volunteer: str | None) -> None:
    if not 0 < len(subject) <= SUBJECT_MAX or not subject.isprintable():
        raise InvalidRequest(f"请填写身份平台给这个人的标识（1 至 {SUBJECT_MAX} 个字符）")
    digest = _digest(ledger, issuer, subject)
    other = tx.connection.execute(select(_LINKED.c.account).where(_LINKED.c.digest == digest)).scalar_one_or_none()
    if other not in (None, account):
        raise InvalidRequest("这个统一身份已经绑定了另一个账号，请先在那个账号里解除")
    bindings.link(tx, account, digest, volunteer)


def unlink(ledger: Ledger, actor: Actor) -> None:
    """Undo the link of one's own account."""
    ledger.write(lambda tx: bindings.unlink(tx, actor.account, actor.volunteer), actor)


def sign_in(ledger: Ledger, issuer: str, subject: str, browser: str = "") -> Session:
    """Sign in whom an identity provider has identified. A second factor is asked for as after a password. Raises NotAllowed."""

    def begin(connection: Connection, now: datetime) -> Session:
        joined = _LINKED.join(_ACCOUNT, _LINKED.c.account == _ACCOUNT.c.id)
        statement = select(_ACCOUNT).select_from(joined).where(_LINKED.c.digest == _digest(ledger, issuer, subject))
        row = connection.execute(statement).one_or_none()
        if row is None or row.disabled:
            raise NotAllowed(NOT_LINKED)
        waits_for = second_factors.missing(connection, row.id, now.date())
        return sessions.begin(connection, now, row, means="oidc", browser=browser, waits_for=waits_for)

    return ledger.operate(begin)


def _digest(ledger: Ledger, issuer: str, subject: str) -> bytes:
    return ledger.vault.blind("identity", f"{issuer}\n{subject}")
