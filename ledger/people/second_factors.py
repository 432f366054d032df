"""
A second factor: six digits from an app on the phone (TOTP, RFC 6238: SHA-1, 30 seconds), for staff who want it or whose role requires it.

The secret is sealed like work in hand. A code is good for its own half minute and the ones beside it, once: a step that was used, and every one before
it, is refused. Ten recovery codes of 80 bits, each good once, are shown at enrolment and never again; only keyed digests are kept. Tries are slowed by
account, as passwords are by name. Which roles need a second factor is a policy in the log: {"policy":"sign-in","rules":{"second_factor":[role, …]}}.
"""

import secrets
from base64 import b32encode
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import Connection, select

from ledger import notices
from ledger.bulk import rows_where_in, upsert_rows
from ledger.entries import format_time
from ledger.errors import InvalidRequest, NotAllowed
from ledger.kinds.accounts import GRANTED_ROLES
from ledger.log import Fact
from ledger.people import grants, sessions, throttling
from ledger.people.actors import Actor
from ledger.people.passwords import as_code, new_recovery_code, spaced_code
from ledger.people.sessions import Session
from ledger.store import Ledger
from ledger.tables import AccountRow, PolicyRow, SecondFactorRow, table
from ledger.transactions import WriteTransaction

POLICY = "sign-in"
STEP_SECONDS = 30
RECOVERY_CODES = 10
REFUSAL = "验证码不对、已经用过，或者连续输错次数太多。请等手机上换一个新的验证码再试；手机不在身边，可以用一个备用码"
_SECRET_BYTES = 20
_Done = TypeVar("_Done")

_FACTOR, _ACCOUNT, _POLICY = table(SecondFactorRow), table(AccountRow), table(PolicyRow)


def address(login: str, secret: str) -> str:
    """Write what the app's camera reads (the otpauth key URI that the apps agree on)."""
    issuer = quote("守望账本")
    return f"otpauth://totp/{issuer}:{quote(login)}?secret={secret}&issuer={issuer}"


def required_roles(connection: Connection, today: date) -> frozenset[str]:
    """List the roles that may not act without a second factor."""
    rows = [row for row in rows_where_in(connection, _POLICY.c, _POLICY.c.policy, [POLICY]) if row.effective_on <= today.isoformat()]
    newest = max(rows, key=lambda row: row.effective_on, default=None)
    return frozenset(orjson.loads(newest.rules).get("second_factor", ())) if newest else frozenset()


def require_for(tx: WriteTransaction, roles: Iterable[str]) -> None:
    """Say from today on which roles need a second factor. Raises NotAllowed, InvalidRequest."""
    tx.require("manage_accounts", None)
    wanted = sorted(set(roles))
    if not set(wanted) <= set(GRANTED_ROLES):
        raise InvalidRequest("没有这个角色，请从列表中选择")
    tx.append([Fact("policy.adopted", {"policy": POLICY, "effective_on": tx.today.isoformat(), "rules": {"second_factor": wanted}})])


def missing(connection: Connection, account: str, today: date) -> str:
    """Say what an account still owes after its password: second_factor, enrolment, or nothing."""
    if enrolled(connection, account):
        return "second_factor"
    held = {grant.role for grant in grants.held_by(connection, account)}
    return "enrolment" if held & required_roles(connection, today) else ""


def enrolled(connection: Connection, account: str) -> bool:
    """Tell whether an account has a second factor in use."""
    row = _row(connection, account)
    return row is not None and row.confirmed_at is not None


class SecondFactors:
    """The second factors of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def begin(self, actor: Actor) -> str:
        """Draw a secret for an account, or give the one that waits for its first code: base32, for the app. Raises InvalidRequest."""
        if actor.volunteer:
            raise InvalidRequest("志愿者账号不用两步验证")

        def draw(connection: Connection, _now: datetime) -> bytes:
            row = _row(connection, actor.account)
            if row is not None and row.confirmed_at is not None:
                raise InvalidRequest("两步验证已经开启。要换手机，请先用验证码关闭再重新开启")
            if row is not None:
                return self._open(row)
            secret = secrets.token_bytes(_SECRET_BYTES)
            sealed = self._ledger.vault.seal_draft(secret, f"second-factor/{actor.account}")
            upsert_rows(
                connection, _FACTOR, [{"account": actor.account, "secret": sealed, "confirmed_at": None, "last_step": 0, "recovery": ""}]
            )
            return secret

        return b32encode(self._ledger.operate(draw)).decode()

    def confirm(self, session: Session, code: str, browser: str = "") -> tuple[list[str], Session]:
        """Put the second factor in use with the app's first code. Returns the recovery codes, and the session to go on with.

        Raises NotAllowed (a wrong code, too many), InvalidRequest (none was begun).
        """
        account = session.actor.account

        def enrol(connection: Connection, now: datetime) -> tuple[list[str], Session]:
            row = _row(connection, account)
            if row is None or row.confirmed_at is not None:
                raise InvalidRequest("没有等待确认的两步验证，请从头开始")
            step = self._step(row, code, now)
            if step is None:
                raise NotAllowed(REFUSAL)
            codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
            kept = " ".join(self._recovery(account, one) for one in codes)
            _update(connection, account, confirmed_at=format_time(now), last_step=step, recovery=kept)
            notices.put(connection, now, [notices.Telling(account, "account.changed", {"change": "second_factor_on"})])
            return [spaced_code(one) for one in codes], self._replace(connection, now, session, browser)

        return self._throttled(account, enrol)

    def pass_with(self, session: Session, code: str, browser: str = "") -> Session:
        """Complete a session that waits for a second factor, by a code of the app or a recovery code. Raises NotAllowed."""
        account = session.actor.account

        def check(connection: Connection, now: datetime) -> Session:
            self._use(connection, now, account, code)
            return self._replace(connection, now, session, browser)

        return self._throttled(account, check)

    def remove(self, actor: Actor, code: str) -> None:
        """Do without a second factor from now on; a code has to be given. Raises NotAllowed, InvalidRequest (the role requires one)."""

        def drop(connection: Connection, now: datetime) -> None:
            if actor.roles & required_roles(connection, now.date()):
                raise InvalidRequest("您的角色必须使用两步验证，不能关闭。换手机请找管理员重置")
            self._use(connection, now, actor.account, code)
            connection.execute(_FACTOR.delete().where(_FACTOR.c.account == actor.account))
            notices.put(connection, now, [notices.Telling(actor.account, "account.changed", {"change": "second_factor_off"})])

        self._throttled(actor.account, drop)

    def left(self, account: str) -> int | None:
        """Count the recovery codes that an account has left; None without a second factor."""
        with self._ledger.read() as tx:
            row = _row(tx.connection, account)
        return len(row.recovery.split()) if row is not None and row.confirmed_at is not None else None

    def _throttled(self, account: str, work: Callable[[Connection, datetime], _Done]) -> _Done:
        """Count a try, do the work, and take the try back when it went well."""
        digest = self._ledger.vault.blind("second", account)
        if not self._ledger.operate(lambda connection, now: throttling.count(connection, digest, "second", now)):
            raise NotAllowed(REFUSAL)

        def go(connection: Connection, now: datetime) -> _Done:
            done = work(connection, now)
            throttling.clear(connection, digest)
            return done

        return self._ledger.operate(go)

    def _use(self, connection: Connection, now: datetime, account: str, code: str) -> None:
        """Spend a code: the app's, or one for recovery."""
        row = _row(connection, account)
        if row is None or row.confirmed_at is None:
            raise NotAllowed(REFUSAL)
        step = self._step(row, code, now)
        recovery, left = self._recovery(account, as_code(code)), row.recovery.split()
        if step is not None:
            _update(connection, account, last_step=step)
        elif recovery in left:
            left.remove(recovery)
            _update(connection, account, recovery=" ".join(left))
        else:
            raise NotAllowed(REFUSAL)

    def _step(self, row: Any, code: str, now: datetime) -> int | None:
        """Give the step that a code belongs to; None when it is wrong, or that step was used."""
        app = TOTP(self._open(row), 6, SHA1(), STEP_SECONDS)  # SHA-1: what the apps know; HMAC does not need more  # noqa: S303
        typed = "".join(code.split())
        this = int(now.timestamp()) // STEP_SECONDS
        fitting = [step for step in (this - 1, this, this + 1) if secrets.compare_digest(app.generate(step * STEP_SECONDS), typed.encode())]
        return next((step for step in fitting if step > row.last_step), None)

    def _replace(self, connection: Connection, now: datetime, session: Session, browser: str) -> Session:
        account = connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.id == session.actor.account)).one()
        if not sessions.end(connection, session.actor.account, session.id):
            raise NotAllowed("登录已经结束，请重新登录")
        return sessions.begin(connection, now, account, means=session.means, browser=browser)

    def _open(self, row: Any) -> bytes:
        return self._ledger.vault.open_draft(bytes(row.secret), f"second-factor/{row.account}")

    def _recovery(self, account: str, code: str) -> str:
        return self._ledger.vault.blind("recovery", f"{account}:{code}").hex()


def forget(connection: Connection, account: str) -> None:
    """Drop an account's second factor, in the caller's transaction."""
    connection.execute(_FACTOR.delete().where(_FACTOR.c.account == account))


def end_recovery_codes(connection: Connection) -> None:
    """End every recovery code there is: a database put back from a backup knows some that were used since."""
    connection.execute(_FACTOR.update().values(recovery=""))


def _row(connection: Connection, account: str) -> Any:
    return connection.execute(select(_FACTOR).where(_FACTOR.c.account == account)).one_or_none()


def _update(connection: Connection, account: str, **values: Any) -> None:
    connection.execute(_FACTOR.update().where(_FACTOR.c.account == account).values(**values))
