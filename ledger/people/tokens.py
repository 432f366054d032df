"""
API tokens: keys with which a program acts as a staff account, within scopes and until a day.

A token is `sw_` and 32 random bytes in base64url. It is shown once; only its SHA-256 is kept, which is enough, because what is hashed cannot be
guessed. This file alone keeps the rules:

1. A token never opens more than its account's role may do, whatever its scopes say. It ends with the account (disabled), on its last day
   (Asia/Shanghai), or when it is revoked.
2. What was found is believed for CACHE_SECONDS, so that a busy program costs no query a request: a revocation reaches the other processes
   within that time. At most CACHED_MAX tokens are remembered.
3. The time of last use is noted at most once a minute.
4. Only its owner makes a token of an account, or the operator: whoever makes one holds its secret. An account in another's hands (vouching.py) makes none.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from ledger.entries import SHANGHAI, format_time
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_number, parse_number
from ledger.people import actors, grants
from ledger.people.actors import ROLES, Actor
from ledger.store import Ledger
from ledger.tables import AccountRow, ApiTokenRow, table
from ledger.transactions import ReadTransaction

SCOPES = {
    "service-records:write": "登记服务记录",
    "service-records:read": "读取服务记录和待登记的行",
    "service-records:approve": "审核服务记录",
    "service-records:amend": "更正、作废服务记录",
    "activities:read": "读取活动",
    "activities:write": "登记活动",
    "volunteers:read": "查询志愿者（姓名打码）和时长",
    "volunteers:write": "登记志愿者",
    "certificates:read": "读取证明登记簿",
    "certificates:write": "开具证明",
    "certificates:revoke": "撤销证明",
    "organisations:read": "读取组织",
    "organisations:write": "登记组织",
    "stations:read": "读取站点、人口、三率和现行规则",
    "stations:write": "登记站点、申报人口",
    "selections:read": "按规则复算评优名单",
    "selections:write": "办评选：看每一步，办每一步",
    "jobs:read": "查看定时任务",
    "webhooks:write": "登记和管理接收地址",
    "log:read": "读取入账证明",
    "entries:read": "读取账本原文（审计）",
}
ACTIONS = {
    "service-records:write": "record",
    "service-records:read": "see_station",
    "service-records:approve": "approve",
    "service-records:amend": "amend",
    "activities:read": "see_station",
    "activities:write": "record",
    "volunteers:read": "see_station",
    "volunteers:write": "register",
    "certificates:read": "see_station",
    "certificates:write": "certify",
    "certificates:revoke": "revoke_certificate",
    "organisations:read": "see_station",
    "organisations:write": "register",
    "stations:write": "set_up",
    "selections:read": "select",
    "selections:write": "run_selection",
    "jobs:read": "manage_accounts",
    "webhooks:write": "manage_webhooks",
    "entries:read": "read_log",
}
"""What the account's role must allow for a scope; the others any staff account may have."""
LIFETIME_DAYS_MAX = 366
CACHE_SECONDS = 5
CACHED_MAX = 1_024
LAST_USE_EVERY = timedelta(minutes=1)

_PREFIX = "sw_"
_TOKEN, _ACCOUNT = table(ApiTokenRow), table(AccountRow)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who acts with a token, and within what."""

    actor: Actor
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Tell whether the token has a scope and the role of its account allows it."""
        return scope in self.scopes and (scope not in ACTIONS or self.actor.may(ACTIONS[scope]))


@dataclass(frozen=True)
class Token:
    """A token as lists show it: never its secret. *state*: good, expired or revoked; *last_used_at* to the minute."""

    id: str
    login: str
    roles: list[str]
    scopes: list[str]
    issued_at: str
    expires_on: str
    last_used_at: str | None
    state: str


class Tokens:
    """The tokens of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._found: dict[bytes, tuple[datetime, Bearer]] = {}

    def issue(self, actor: Actor, login: str, scopes: Iterable[str], expires_on: date) -> str:
        """Make a token for a staff account, good until the end of a day. Returns the secret, which cannot be shown again.

        Raises NotAllowed (not one's own account, or one in another's hands), NotFound (login), InvalidRequest (scopes, day).
        """
        wanted = sorted(set(scopes))
        secret = _PREFIX + secrets.token_urlsafe(32)

        def insert(connection: Connection, now: datetime) -> None:
            row = connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.login == login.strip().lower())).one_or_none()
            if "operator" not in actor.roles and (row is None or row.id != actor.account):
                raise NotAllowed(
                    "访问令牌由账号的主人自己发：谁发，谁就拿到它。要替程序发，请用那个账号登录，或由本机操作员用 shouwang token issue 办"
                )
            actors.require_own(connection, actor)
            if row is None or row.disabled or row.volunteer:
                raise NotFound(f"没有登录名为 {login[:32]} 的工作人员账号，或已停用")
            _check_scopes(wanted, grants.actor_of(row.id, None, grants.held_by(connection, row.id)))
            _check_day(expires_on, now)
            made = {"id": new_number(), "digest": _digest(secret), "account": row.id, "scopes": " ".join(wanted)}
            said = {"issued_by": actor.account, "issued_at": format_time(now), "expires_on": expires_on.isoformat()}
            connection.execute(_TOKEN.insert(), [made | said])

        self._ledger.operate(insert)
        return secret

    def revoke(self, actor: Actor, token: str) -> None:
        """End a token; other processes notice within CACHE_SECONDS. Raises NotAllowed, NotFound."""
        number = parse_number(token)

        def end(connection: Connection, now: datetime) -> None:
            row = connection.execute(select(_TOKEN).where(_TOKEN.c.id == number)).one_or_none()
            if row is None or row.account != actor.account:
                actors.require(connection, actor, "manage_accounts", None)
            if row is None:
                raise NotFound("没有这个编号的访问令牌")
            if row.revoked_at is None:
                _update(connection, number, revoked_at=format_time(now))

        self._ledger.operate(end)
        self._found.clear()

    def everyone(self, actor: Actor) -> list[Token]:
        """List the tokens, newest first: all of them to whoever manages accounts. Raises NotAllowed."""
        with self._ledger.read() as tx:
            actors.require(tx.connection, actor, "manage_accounts", None)
            return _listed(tx)

    def own(self, actor: Actor) -> list[Token]:
        """List the actor's own tokens, newest first."""
        with self._ledger.read() as tx:
            return _listed(tx, actor.account)

    def resolve(self, secret: str) -> Bearer:
        """Say who acts with a secret. Raises NotAllowed when it opens nothing, or nothing any more."""
        digest, now = _digest(secret), self._ledger.now()
        known = self._found.get(digest)
        if known and timedelta() <= now - known[0] < timedelta(seconds=CACHE_SECONDS):
            return known[1]
        self._found.pop(digest, None)
        bearer = self._look_up(digest)
        if len(self._found) >= CACHED_MAX:
            self._found.clear()
        self._found[digest] = (now, bearer)
        return bearer

    def _look_up(self, digest: bytes) -> Bearer:
        with self._ledger.read() as tx:
            row = tx.connection.execute(select(_TOKEN).where(_TOKEN.c.digest == digest)).one_or_none()
            account = row and tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.id == row.account)).one()
            held = grants.held_by(tx.connection, row.account) if row else ()
        if row is None or account is None:
            raise NotAllowed("访问令牌不对，请核对后再试")
        if _state(row, tx.today) != "good" or account.disabled:
            raise NotAllowed("访问令牌已到期、被撤销，或它的账号已停用。请向管理员要新的")
        if row.last_used_at is None or tx.now - datetime.fromisoformat(row.last_used_at) >= LAST_USE_EVERY:
            self._ledger.operate(lambda connection, now: _update(connection, row.id, last_used_at=format_time(now)))
        return Bearer(grants.actor_of(account.id, None, held), frozenset(row.scopes.split()))


def end_everybodys(connection: Connection, now: datetime) -> None:
    """End every token there is: a database put back from a backup knows some that were revoked since."""
    connection.execute(_TOKEN.update().where(_TOKEN.c.revoked_at.is_(None)).values(revoked_at=format_time(now)))


def offered(actor: Actor) -> dict[str, str]:
    """List the scopes that an actor's tokens may have."""
    return {scope: title for scope, title in SCOPES.items() if scope not in ACTIONS or actor.may(ACTIONS[scope])}


def _listed(tx: ReadTransaction, account: str | None = None) -> list[Token]:
    statement = select(_TOKEN, _ACCOUNT.c.login).select_from(_TOKEN.join(_ACCOUNT, _TOKEN.c.account == _ACCOUNT.c.id))
    if account is not None:
        statement = statement.where(_TOKEN.c.account == account)
    rows = tx.connection.execute(statement.order_by(_TOKEN.c.issued_at.desc(), _TOKEN.c.id)).all()
    held = grants.held_by_all(tx.connection)
    return [
        Token(
            row.id,
            row.login,
            list(dict.fromkeys(grant.role for grant in held.get(row.account, ()))),
            row.scopes.split(),
            row.issued_at,
            row.expires_on,
            row.last_used_at,
            _state(row, tx.today),
        )
        for row in rows
    ]


def _check_scopes(scopes: list[str], holder: Actor) -> None:
    if not scopes or not SCOPES.keys() >= set(scopes):
        raise InvalidRequest(f"请从这些权限范围中选择：{'、'.join(SCOPES)}")
    for scope in scopes:
        if scope not in offered(holder):
            roles = "、".join(ROLES[role] for role in ROLES if role in holder.roles) or "没有角色的"
            raise InvalidRequest(f"{roles}账号没有「{SCOPES[scope]}」的权限，不能发给它 {scope}")


def _check_day(expires_on: date, now: datetime) -> None:
    today = now.astimezone(SHANGHAI).date()
    if not today <= expires_on <= today + timedelta(days=LIFETIME_DAYS_MAX):
        raise InvalidRequest(f"访问令牌的到期日应在今天起 {LIFETIME_DAYS_MAX} 天之内")


def _state(row: Any, today: date) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "good" if row.expires_on >= today.isoformat() else "expired"


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _update(connection: Connection, token: str, **values: str) -> None:
    connection.execute(_TOKEN.update().where(_TOKEN.c.id == token).values(**values))
