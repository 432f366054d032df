"""
Accounts: who may sign in, with what, and as whom they then act.

Passwords are kept as argon2id (RFC 9106; the default profile of argon2-cffi unless another is handed in). This file alone keeps the rules:

1. Every refused sign-in has one sentence and one cost: an unknown name, a wrong password, a disabled account and a name tried too often
   cannot be told apart. An unknown name is verified against a hash of nothing.
2. Guessing is slowed by name, never stopped for good: after 5 failures the next try waits a minute, then 2, 4, 8, at most 15. A try is
   counted before its password is looked at, so that many at once are worth no more than one after another. What was tried is kept as a
   keyed digest.
3. A password set by somebody else (a one-time code) opens nothing but the page that changes it. A new password, a reset and a disabling
   end every session that was open: sessions carry the account's epoch. A password worked out while one of these happened is not kept.

Staff sign in with their login. Volunteers have no login of their own: their number, their ID number or their phone (if it is nobody
else's) names them, and the first code comes from their station's desk. Accounts are not in the log; entries name an account by its id,
which is never used again.
"""

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, select

from ledger import stations
from ledger.bulk import rows_where_in, upsert_rows
from ledger.entries import format_time
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.ids import ALPHABET, new_number, parse_number
from ledger.people import actors, identity, volunteers
from ledger.people.actors import OPERATOR, ROLES, SCHEDULER, Actor
from ledger.store import Ledger
from ledger.tables import AccountRow, FailedSignInRow, table

REFUSAL = (
    "登录名或密码不对，或者连续输错次数太多。请核对后再试；连续输错 5 次后，每次要等 1 至 15 分钟。忘记密码，请到社区服务站或找管理员重置"
)
STAFF_PASSWORD_MIN = 10
VOLUNTEER_PASSWORD_MIN = 8
PASSWORD_MAX = 200
"""Characters. Beyond PASSWORD_MAX nobody types; it bounds what has to be hashed."""
FREE_FAILURES = 5
WAIT_MINUTES_MAX = 15
FORGET_AFTER = timedelta(days=1)
"""A name not tried for this long starts anew."""
PLACED_ROLES = ("recorder", "approver")
"""Roles that make sense only at a unit of the tree."""

_ACCOUNT, _FAILED = table(AccountRow), table(FailedSignInRow)
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_CODE_LENGTH = 8


@dataclass(frozen=True)
class Session:
    """Somebody signed in: who acts, the epoch the session belongs to, what to call them, whether the password must be changed first."""

    actor: Actor
    epoch: int
    login: str
    must_change: bool


@dataclass(frozen=True)
class Account:
    """An account as lists show it: never its password."""

    id: str
    login: str
    role: str
    station: str | None
    disabled: bool
    must_change: bool
    created_at: str


class Accounts:
    """The accounts of one ledger. *hasher* sets the cost of a guess; tests pass a cheap one."""

    def __init__(self, ledger: Ledger, hasher: PasswordHasher | None = None) -> None:
        self._ledger = ledger
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    # --- signing in

    def sign_in(self, name: str, password: str) -> Session:
        """Sign in by login, volunteer number, ID number or phone. Raises NotAllowed, always with the same sentence."""
        name, password = _clean(name), _clean(password)

        def admit(connection: Connection, now: datetime) -> tuple[Any, bytes]:
            row = self._find(connection, name)
            digest = self._ledger.vault.blind("login", row.login if row else name.lower())
            if not _count_try(connection, digest, now):
                raise NotAllowed(REFUSAL)
            return row, digest

        row, digest = self._ledger.operate(admit)
        if not self._matches(row, password):
            raise NotAllowed(REFUSAL)
        fresh = self._hasher.hash(_as_typed(row, password)) if self._hasher.check_needs_rehash(row.password_hash) else None

        def settle(connection: Connection, _now: datetime) -> None:
            connection.execute(_FAILED.delete().where(_FAILED.c.digest == digest))
            if fresh and not _update(connection, row.id, row.session_epoch, password_hash=fresh):
                raise NotAllowed(REFUSAL)

        self._ledger.operate(settle)
        return _session(row)

    def session(self, account: str, epoch: int) -> Session | None:
        """Say who is behind a session; None when it has ended: disabled, reset, or the password was changed since."""
        with self._ledger.read() as tx:
            row = tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.id == account)).one_or_none()
        if row is None or row.disabled or row.session_epoch != epoch:
            return None
        return _session(row)

    def change_password(self, account: str, old: str, new: str) -> Session:
        """Set one's own password; every other session ends. Raises NotAllowed (wrong old one; reset meanwhile), InvalidRequest (weak new one)."""
        with self._ledger.read() as tx:
            row = tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.id == account)).one()
        new = _clean(new)
        _check_password(new, row)
        digest = self._ledger.vault.blind("login", row.login)

        def admit(connection: Connection, now: datetime) -> None:
            if not _count_try(connection, digest, now):
                raise NotAllowed(REFUSAL)

        self._ledger.operate(admit)
        if not self._matches(row, _clean(old)):
            raise NotAllowed("原密码不对，请重新输入")
        if self._matches(row, new):
            raise InvalidRequest("新密码和原密码一样，请换一个")
        hashed = self._hasher.hash(new)

        def change(connection: Connection, _now: datetime) -> None:
            connection.execute(_FAILED.delete().where(_FAILED.c.digest == digest))
            if not _update(
                connection, account, row.session_epoch, password_hash=hashed, must_change=0, session_epoch=row.session_epoch + 1
            ):
                raise NotAllowed("您改密码的同时，这个账号的密码被重置或换过，或者账号已停用，这次没有改成。请用最新的密码重新登录")

        self._ledger.operate(change)
        return Session(_actor(row), row.session_epoch + 1, row.login, must_change=False)

    def _matches(self, row: Any, password: str) -> bool:
        """Verify, at the same cost whether there is such an account or not."""
        hashed = row.password_hash if row and row.password_hash else self._nobody
        try:
            self._hasher.verify(hashed, _as_typed(row, password)[:PASSWORD_MAX])
        except VerificationError:
            return False
        return row is not None and not row.disabled and hashed is not self._nobody

    def _find(self, connection: Connection, name: str) -> Any:
        """Find the account somebody means: by login, else as a volunteer by number, ID number or a phone that is theirs alone."""
        row = connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.login == name.lower())).one_or_none()
        if row is not None:
            return row
        number = self._volunteer_meant(connection, name)
        return connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.volunteer == number)).one_or_none() if number else None

    def _volunteer_meant(self, connection: Connection, name: str) -> str | None:
        try:
            return parse_number(name)
        except InvalidRequest:
            pass
        for field_name, value in (("id_number", name.replace(" ", "").upper()), ("phone", _phone(name))):
            subjects = self._ledger.vault.find(connection, field_name, [value]).get(value, [])
            if len(subjects) == 1:
                return subjects[0].removeprefix("person/")
        return None

    # --- keeping accounts

    def create(self, actor: Actor, login: str, role: str, *, station: str | None = None, password: str | None = None) -> str | None:
        """Make a staff account. Returns its one-time code, to be handed over once; None when *password* was given.

        Raises NotAllowed, NotFound (station), InvalidRequest (login taken or unfit, role, weak password).
        """
        login = _clean(login).lower()
        if not _LOGIN.fullmatch(login) or _is_number(login):
            raise InvalidRequest("登录名应为 2 至 32 个字符：小写字母开头，可含数字、点、横线、下划线")
        if role not in ROLES or role in ("volunteer", "operator"):
            raise InvalidRequest("没有这个角色，请从列表中选择")
        if (role in PLACED_ROLES) != bool(station) and role != "official":
            raise InvalidRequest(f"{ROLES[role]}{'必须指定所属站点' if role in PLACED_ROLES else '不属于任何站点，请不要填写站点'}")
        code = ""
        if password is None:
            password = code = _one_time_code()
        else:
            password = _clean(password)
            _check_password(password, _NewRow(login))
        hashed = self._hasher.hash(password)

        def insert(connection: Connection, now: datetime) -> None:
            actors.require(connection, actor, "manage_accounts", station)
            if station:
                stations.get(connection, station)
            if connection.execute(select(_ACCOUNT.c.id).where(_ACCOUNT.c.login == login)).first():
                raise InvalidRequest(f"登录名 {login} 已经有人用了，请换一个")
            said = {"login": login, "role": role, "station": station, "volunteer": None}
            _insert(connection, now, hashed, must_change=bool(code), **said)

        self._ledger.operate(insert)
        return spaced_code(code) if code else None

    def issue_code(self, actor: Actor, volunteer: str) -> str:
        """Give a volunteer a new one-time code at the desk; the account is made if it is the first. Ends the sessions that were open.

        Raises NotFound, InvalidRequest (number), NotAllowed (another station's volunteer).
        """
        code = _one_time_code()
        hashed = self._hasher.hash(code)
        with self._ledger.read() as tx:
            person = volunteers.get(tx, volunteer).row

        def issue(connection: Connection, now: datetime) -> None:
            actors.require(connection, actor, "register", person.station)
            row = connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.volunteer == person.number)).one_or_none()
            if row is None:
                said = {"login": person.number.lower(), "role": "volunteer", "station": None, "volunteer": person.number}
                _insert(connection, now, hashed, must_change=True, **said)
            elif row.disabled:
                raise NotAllowed("这个账号已停用，请联系管理员")
            else:
                self._renew(connection, row, hashed)

        self._ledger.operate(issue)
        return spaced_code(code)

    def reset(self, actor: Actor, login: str) -> str:
        """Give an account a new one-time code, to be handed over once; ends its sessions and its waiting time."""
        code = _one_time_code()
        hashed = self._hasher.hash(code)

        def renew(connection: Connection, _now: datetime) -> None:
            self._renew(connection, _managed(connection, actor, login), hashed)

        self._ledger.operate(renew)
        return spaced_code(code)

    def set_disabled(self, actor: Actor, login: str, *, disabled: bool) -> None:
        """Shut an account, or open it again; its sessions end. Nobody shuts their own."""

        def change(connection: Connection, _now: datetime) -> None:
            row = _managed(connection, actor, login)
            if row.id == actor.account:
                raise InvalidRequest("不能停用自己的账号，请另一位管理员来办")
            _update(connection, row.id, row.session_epoch, disabled=int(disabled), session_epoch=row.session_epoch + 1)

        self._ledger.operate(change)

    def end_sessions(self, account: str) -> None:
        """End every session of an account, wherever it is signed in: on a shared computer a copied cookie must not outlive signing out."""
        change = _ACCOUNT.update().where(_ACCOUNT.c.id == account).values(session_epoch=_ACCOUNT.c.session_epoch + 1)
        self._ledger.operate(lambda connection, _now: connection.execute(change))

    def everyone(self, actor: Actor) -> list[Account]:
        """List the staff accounts, in order of their logins. Raises NotAllowed."""
        with self._ledger.read() as tx:
            actors.require(tx.connection, actor, "manage_accounts", None)
            rows = tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.volunteer.is_(None)).order_by(_ACCOUNT.c.login)).all()
        return [Account(r.id, r.login, r.role, r.station, bool(r.disabled), bool(r.must_change), r.created_at) for r in rows]

    def _renew(self, connection: Connection, row: Any, hashed: str) -> None:
        connection.execute(_FAILED.delete().where(_FAILED.c.digest == self._ledger.vault.blind("login", row.login)))
        _update(connection, row.id, row.session_epoch, password_hash=hashed, must_change=1, session_epoch=row.session_epoch + 1)


def logins(connection: Connection, ids: set[str]) -> dict[str, str]:
    """Say what to call the accounts that entries name: their login; the machine's own by what they are."""
    machine = {OPERATOR.account: ROLES["operator"], SCHEDULER.account: "定时任务"}
    named = {row.id: row.login for row in rows_where_in(connection, (_ACCOUNT.c.id, _ACCOUNT.c.login), _ACCOUNT.c.id, ids)}
    return {account: named.get(account) or machine.get(account, account) for account in ids}


def spaced_code(code: str) -> str:
    """Show a one-time code in two groups: K7M2-Q9XP."""
    return f"{code[:4]}-{code[4:]}"


def wait_minutes(failures: int) -> int:
    """Say how long after so many failures the next try has to wait: 0 below 5, then 1, 2, 4, 8, then always 15."""
    return min(1 << min(failures - FREE_FAILURES, 4), WAIT_MINUTES_MAX) if failures >= FREE_FAILURES else 0


def _count_try(connection: Connection, digest: bytes, now: datetime) -> bool:
    """Count a try as failed before it is judged; False when it comes too early, which is not counted."""
    connection.execute(_FAILED.delete().where(_FAILED.c.last_at < format_time(now - FORGET_AFTER)))
    row = connection.execute(select(_FAILED).where(_FAILED.c.digest == digest)).one_or_none()
    failures = row.failures if row else 0
    if row and now < datetime.fromisoformat(row.last_at) + timedelta(minutes=wait_minutes(failures)):
        return False
    upsert_rows(connection, _FAILED, [{"digest": digest, "failures": failures + 1, "last_at": format_time(now)}])
    return True


def _managed(connection: Connection, actor: Actor, login: str) -> Any:
    actors.require(connection, actor, "manage_accounts", None)
    row = connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.login == login)).one_or_none()
    if row is None:
        raise NotFound(f"没有登录名为 {login[:32]} 的账号")
    return row


def _insert(connection: Connection, now: datetime, hashed: str, *, must_change: bool, **said: str | None) -> None:
    made = {"id": new_number(), "password_hash": hashed, "must_change": int(must_change), "created_at": format_time(now)}
    connection.execute(_ACCOUNT.insert(), [{**made, **said, "session_epoch": 0, "disabled": 0}])


def _update(connection: Connection, account: str, epoch: int, **values: Any) -> bool:
    """Change an account if it is still at the epoch at which it was looked at; False when a reset or another change came between."""
    still = (_ACCOUNT.c.id == account) & (_ACCOUNT.c.session_epoch == epoch)
    return connection.execute(_ACCOUNT.update().where(still).values(**values)).rowcount == 1


def _session(row: Any) -> Session:
    return Session(_actor(row), row.session_epoch, row.login, bool(row.must_change))


def _actor(row: Any) -> Actor:
    return Actor(row.id, row.role, row.station, row.volunteer)


@dataclass(frozen=True)
class _NewRow:
    """What a password is checked against before the account is there."""

    login: str
    volunteer: str | None = None


def _check_password(password: str, row: Any) -> None:
    least = VOLUNTEER_PASSWORD_MIN if row.volunteer else STAFF_PASSWORD_MIN
    if not least <= len(password) <= PASSWORD_MAX:
        raise InvalidRequest(f"密码至少要 {least} 个字符（最多 {PASSWORD_MAX} 个），请再加长一些")
    if not row.volunteer and password.isdigit():
        raise InvalidRequest("密码不能全是数字，请加上字母或文字")
    if len(set(password)) < 4 or row.login in password.lower():
        raise InvalidRequest("这个密码太容易猜到（重复的字符，或含有登录名），请换一个")


def _clean(text: str) -> str:
    """Take full-width letters for half-width: what a Chinese keyboard types by mistake."""
    return unicodedata.normalize("NFKC", text).strip()


def _as_typed(row: Any, password: str) -> str:
    """One-time codes may be typed with or without hyphen, in either case; a password of one's own stays as it is."""
    return re.sub(r"[\s\-]", "", password).upper() if row is not None and row.must_change else password


def _one_time_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(_CODE_LENGTH))


def _phone(name: str) -> str:
    try:
        return identity.normalise_phone(name)
    except InvalidRequest:
        return name


def _is_number(login: str) -> bool:
    try:
        parse_number(login)
    except InvalidRequest:
        return False
    return True
