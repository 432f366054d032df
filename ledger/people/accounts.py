"""
Accounts: who may sign in, with what, and as whom they then act.

Passwords are kept as argon2id (RFC 9106; the default profile of argon2-cffi unless another is handed in). This file alone keeps the rules:

1. Every refused sign-in has one sentence and one cost: an unknown name, a wrong password, a disabled account and a name tried too often
   cannot be told apart. An unknown name is looked for in the same places and verified against a hash of nothing.
2. A try is counted before its password is looked at (throttling.py).
3. A password set by somebody else (a one-time code) opens nothing but the page that changes it, and only for a while. A new password, a new
   code and a disabling end every session that was open. A password worked out while one of these happened is not kept.
4. What is done to a staff account is an entry: that it is opened, new codes, disabling, ended sessions. So nobody steps into another's shoes unseen;
   and nobody decides anything in them: see vouching.py.

Staff sign in with their login. Volunteers have no login of their own: their number, their ID number or their phone (if it is nobody
else's) names them, and the first code comes from their station's desk. Entries name an account by its id, which is never used again; which roles it
holds is in the log (grants.py).
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, select

from ledger import notices
from ledger.bulk import rows_where_in
from ledger.entries import format_time
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.ids import parse_number
from ledger.kinds.accounts import GRANTED_ROLES
from ledger.log import Fact
from ledger.people import actors, bindings, confirmations, grants, identity, second_factors, sessions, throttling, volunteers, vouching
from ledger.people.actors import OPERATOR, ROLES, SCHEDULER, Actor, Grant
from ledger.people.passwords import as_code, check_password, clean, code_good_until, new_code, spaced_code
from ledger.people.sessions import Listed, Session
from ledger.people.throttling import Client
from ledger.store import Ledger
from ledger.tables import AccountRow, SecondFactorRow, table
from ledger.transactions import WriteTransaction

REFUSAL = (
    "登录名或密码不对，或者连续输错次数太多。请核对后再试；连续输错 5 次后，每次要等 1 至 15 分钟。忘记密码，请到社区服务站或找管理员重置"
)
EXPIRED = "这个一次性登录码已经过期，不能再用。志愿者请到社区服务站、工作人员请找管理员，重新领一个"
_OVERTAKEN = "您改密码的同时，这个账号的密码被重置或换过，或者账号已停用，这次没有改成。请用最新的密码重新登录"

_ACCOUNT, _FACTOR = table(AccountRow), table(SecondFactorRow)
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}")


@dataclass(frozen=True)
class Account:
    """A staff account as lists show it: never its password."""

    id: str
    login: str
    grants: tuple[Grant, ...]
    disabled: bool
    must_change: bool
    second_factor: bool
    created_at: str


class Accounts:
    """The accounts of one ledger. *hasher* sets the cost of a guess; tests pass a cheap one."""

    def __init__(self, ledger: Ledger, hasher: PasswordHasher | None = None) -> None:
        self._ledger = ledger
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    # --- signing in

    def sign_in(self, name: str, password: str, client: Client | None = None) -> Session:
        """Sign in by login, volunteer number, ID number or phone. Raises NotAllowed: always with the same sentence, but for a code that is too old."""
        name, password, client = clean(name), clean(password), client or Client()
        vault = self._ledger.vault

        def admit(connection: Connection, now: datetime) -> tuple[Any, throttling.Try]:
            row = self._find(connection, name)
            tried = throttling.admit(connection, now, vault.blind, row.login if row else name.lower(), row.id if row else None, client)
            if tried is None:
                raise NotAllowed(REFUSAL, "slowed")
            return row, tried

        row, tried = self._ledger.operate(admit)
        if not self._matches(row, password):
            raise NotAllowed(REFUSAL, "unknown_name" if row is None else "disabled" if row.disabled else "password")
        if row.must_change and row.code_expires_at is not None and self._ledger.now() >= datetime.fromisoformat(row.code_expires_at):
            raise NotAllowed(EXPIRED, "code_expired")
        fresh = self._hasher.hash(_as_typed(row, password)) if self._hasher.check_needs_rehash(row.password_hash) else None

        def settle(connection: Connection, now: datetime) -> Session:
            said = {"password_hash": fresh} if fresh else {"session_epoch": row.session_epoch}
            if not _update(connection, row.id, row.session_epoch, **said):
                raise NotAllowed(REFUSAL, "changed_meanwhile")
            throttling.succeeded(connection, tried)
            waits_for = second_factors.missing(connection, row.id, now.date())
            return sessions.begin(connection, now, row, means="password", browser=client.browser, waits_for=waits_for)

        return self._ledger.operate(settle)

    def session(self, secret: str) -> Session | None:
        """Say who is behind a session's secret; None when it has ended."""
        with self._ledger.read() as tx:
            found = sessions.look_up(tx.connection, tx.now, secret)
        if found is not None and found[1]:
            self._ledger.operate(lambda connection, now: sessions.note_use(connection, now, secret))
        return found[0] if found else None

    def device_token(self, account: str) -> str:
        """Make the token by which a browser that has signed in is known again (throttling.py)."""
        return throttling.device_token(self._ledger.vault.blind, account)

    def change_password(self, account: str, old: str, new: str, client: Client | None = None) -> Session:
        """Set one's own password; every other session ends. Raises NotAllowed (wrong old one; reset meanwhile), InvalidRequest (weak new one)."""
        with self._ledger.read() as tx:
            row = tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.id == account)).one()
            people = tx.vault.open(tx.connection, [f"person/{row.volunteer}"]).values() if row.volunteer else ()
        new = clean(new)
        numbers = [part.get(name, "") for one in people for part, name in ((one.identity, "id_number"), (one.contact, "phone"))]
        check_password(new, row.login, volunteer=bool(row.volunteer), numbers=numbers)
        digest = self._ledger.vault.blind("login", row.login)
        if not self._ledger.operate(lambda connection, now: throttling.count(connection, digest, "name", now)):
            raise NotAllowed(REFUSAL)
        if not self._matches(row, clean(old)):
            raise NotAllowed("原密码不对，请重新输入")
        if self._matches(row, new):
            raise InvalidRequest("新密码和原密码一样，请换一个")
        hashed = self._hasher.hash(new)

        def change(connection: Connection, now: datetime) -> Session:
            throttling.clear(connection, digest)
            said = {"password_hash": hashed, "must_change": 0, "code_expires_at": None, "session_epoch": row.session_epoch + 1}
            if not _update(connection, account, row.session_epoch, **said):
                raise NotAllowed(_OVERTAKEN)
            sessions.end_all(connection, account)
            if not row.must_change:
                recipient = f"person/{row.volunteer}" if row.volunteer else account
                notices.put(connection, now, [notices.Telling(recipient, "account.password_changed", {})])
            changed = connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.id == account)).one()
            return sessions.begin(connection, now, changed, means="password", browser=client.browser if client else "")

        return self._ledger.operate(change)

    def _matches(self, row: Any, password: str) -> bool:
        """Verify, at the same cost whether there is such an account or not."""
        hashed = row.password_hash if row and row.password_hash else self._nobody
        try:
            self._hasher.verify(hashed, _as_typed(row, password))
        except VerificationError:
            return False
        return row is not None and not row.disabled and hashed is not self._nobody

    def _find(self, connection: Connection, name: str) -> Any:
        """Find the account somebody means: by login, else as a volunteer by number, ID number or a phone that is theirs alone.

        All of it is looked for each time, so that a name that is somebody's takes no less than one that is nobody's.
        """
        number = self._volunteer_meant(connection, name)
        by_login = connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.login == name.lower())).one_or_none()
        by_number = connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.volunteer == (number or ""))).one_or_none()
        return by_login or by_number

    def _volunteer_meant(self, connection: Connection, name: str) -> str | None:
        found = None
        for field_name, value in (("phone", _phone(name)), ("id_number", name.replace(" ", "").upper())):
            subjects = self._ledger.vault.find(connection, field_name, [value]).get(value, [])
            if len(subjects) == 1:
                found = subjects[0].removeprefix("person/")
        try:
            return parse_number(name)
        except InvalidRequest:
            return found

    # --- one's sessions

    def sessions_of(self, account: str) -> list[Listed]:
        """List an account's sessions, the newest use first."""
        with self._ledger.read() as tx:
            row = tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.id == account)).one()
            return sessions.of_account(tx.connection, tx.now, row)

    def end_session(self, account: str, session: str) -> None:
        """End one session of an account, by the id that lists show."""
        self._ledger.operate(lambda connection, _now: sessions.end(connection, account, session))

    def end_sessions(self, account: str, *, but: str = "") -> None:
        """End every session of an account, wherever it is signed in (but the one with an id)."""
        self._ledger.operate(lambda connection, _now: sessions.end_all(connection, account, but=but))

    # --- keeping accounts

    def create(self, actor: Actor, login: str, role: str, *, station: str | None = None, password: str | None = None) -> str | None:
        """Make a staff account. Returns its one-time code, to be handed over once; None when *password* was given.

        Where the role takes two people it is only proposed: the account can sign in, and do nothing yet.

        Raises NotAllowed, NotFound (station), InvalidRequest (login taken or unfit, role, weak password).
        """
        login = clean(login).lower()
        if not _LOGIN.fullmatch(login) or _is_number(login):
            raise InvalidRequest("登录名应为 2 至 32 个字符：小写字母开头，可含数字、点、横线、下划线")
        if role not in GRANTED_ROLES:
            raise InvalidRequest("没有这个角色，请从列表中选择")
        grants.check_place(Grant(role, station))
        code = ""
        if password is None:
            password = code = new_code()
        else:
            password = clean(password)
            check_password(password, login, volunteer=False)
        hashed = self._hasher.hash(password)

        def insert(tx: WriteTransaction) -> None:
            tx.require("manage_accounts", None)
            if tx.connection.execute(select(_ACCOUNT.c.id).where(_ACCOUNT.c.login == login)).first():
                raise InvalidRequest(f"登录名 {login} 已经有人用了，请换一个")
            account = bindings.open_account(tx, login, hashed, code=bool(code))
            grants.give(tx, account, Grant(role, station))

        self._ledger.write(insert, actor)
        return spaced_code(code) if code else None

    def grant(self, actor: Actor, login: str, role: str, station: str | None = None) -> bool:
        """Give an account one more role, or propose it. True when it holds at once. Raises NotAllowed, NotFound, InvalidRequest."""
        return self._ledger.write(lambda tx: grants.give(tx, _managed(tx, login).id, Grant(role, station)), actor)

    def end_grant(self, actor: Actor, login: str, role: str, station: str | None = None, reason: str = "") -> None:
        """Take a role from an account. Raises NotAllowed, NotFound, InvalidRequest."""
        self._ledger.write(lambda tx: grants.end(tx, _managed(tx, login).id, Grant(role, station), reason), actor)

    def issue_code(self, actor: Actor, volunteer: str) -> str:
        """Give a volunteer a new one-time code at the desk; the account is made if it is the first. Ends the sessions that were open.

        Raises NotFound, InvalidRequest (number), NotAllowed (another station's volunteer).
        """
        code = new_code()
        hashed = self._hasher.hash(code)
        with self._ledger.read() as tx:
            person = volunteers.get(tx, volunteer).row

        def issue(tx: WriteTransaction) -> None:
            tx.require("register", person.station)
            row = tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.volunteer == person.number)).one_or_none()
            if row is None:
                bindings.open_account(tx, person.number.lower(), hashed, code=True, volunteer=person.number)
            elif row.disabled:
                raise NotAllowed("这个账号已停用，请联系管理员")
            else:
                self._renew(tx.connection, tx.now, row, hashed)
            confirmations.note_code(tx.connection, tx.now, actor.account, person.number)
            notices.tell(tx, "person/" + person.number, "account.code_issued", {"station": person.station})

        self._ledger.write(issue, actor)
        return spaced_code(code)

    def reset(self, actor: Actor, login: str) -> str:
        """Give an account a new one-time code, to be handed over once; ends its sessions and its waiting time."""
        code = new_code()
        hashed = self._hasher.hash(code)

        def renew(tx: WriteTransaction) -> None:
            row = _managed(tx, login)
            self._renew(tx.connection, tx.now, row, hashed)
            _say(tx, row, "code_issued")

        self._ledger.write(renew, actor)
        return spaced_code(code)

    def set_disabled(self, actor: Actor, login: str, *, disabled: bool) -> None:
        """Shut an account, or open it again; its sessions end. Nobody shuts their own, nor the last administrator's."""

        def change(tx: WriteTransaction) -> None:
            row = _managed(tx, login)
            if row.id == actor.account:
                raise InvalidRequest("不能停用自己的账号，请另一位管理员来办")
            if bool(row.disabled) != disabled:
                _update(tx.connection, row.id, row.session_epoch, disabled=int(disabled), session_epoch=row.session_epoch + 1)
                sessions.end_all(tx.connection, row.id)
                _say(tx, row, "disabled" if disabled else "enabled")
                if Grant("administrator") in grants.held_by(tx.connection, row.id):
                    grants.keep_an_administrator(tx)

        self._ledger.write(change, actor)

    def end_sessions_of(self, actor: Actor, login: str) -> None:
        """End every session of somebody's account, for an administrator."""

        def end(tx: WriteTransaction) -> None:
            row = _managed(tx, login)
            sessions.end_all(tx.connection, row.id)
            _say(tx, row, "sessions_ended")

        self._ledger.write(end, actor)

    def reset_second_factor(self, actor: Actor, login: str) -> None:
        """Let an account do without the second factor that it lost; its sessions end. Nobody does that for themselves."""

        def reset(tx: WriteTransaction) -> None:
            row = _managed(tx, login)
            if row.id == actor.account:
                raise InvalidRequest("不能重置自己的两步验证，请另一位管理员来办")
            second_factors.forget(tx.connection, row.id)
            sessions.end_all(tx.connection, row.id)
            _say(tx, row, "second_factor_reset")

        self._ledger.write(reset, actor)

    def vouch(self, actor: Actor, login: str) -> None:
        """Say, as a second administrator, that an account is its owner's own. Raises NotAllowed, NotFound, InvalidRequest."""
        self._ledger.write(lambda tx: vouching.vouch(tx, _managed(tx, login).id), actor)

    def everyone(self, actor: Actor) -> list[Account]:
        """List the staff accounts, in order of their logins. Raises NotAllowed."""
        with self._ledger.read() as tx:
            actors.require(tx.connection, actor, "manage_accounts", None)
            rows = tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.volunteer.is_(None)).order_by(_ACCOUNT.c.login)).all()
            held = grants.held_by_all(tx.connection)
            second = set(tx.connection.execute(select(_FACTOR.c.account).where(_FACTOR.c.confirmed_at.is_not(None))).scalars())
        return [
            Account(r.id, r.login, held.get(r.id, ()), bool(r.disabled), bool(r.must_change), r.id in second, r.created_at) for r in rows
        ]

    def _renew(self, connection: Connection, now: datetime, row: Any, hashed: str) -> None:
        throttling.clear(connection, self._ledger.vault.blind("login", row.login))
        expires = format_time(code_good_until(now, volunteer=bool(row.volunteer)))
        said = {"password_hash": hashed, "must_change": 1, "code_expires_at": expires, "session_epoch": row.session_epoch + 1}
        _update(connection, row.id, row.session_epoch, **said)
        sessions.end_all(connection, row.id)


def logins(connection: Connection, ids: set[str]) -> dict[str, str]:
    """Say what to call the accounts that entries name: their login; the machine's own by what they are."""
    machine = {OPERATOR.account: ROLES["operator"], SCHEDULER.account: "定时任务"}
    named = {row.id: row.login for row in rows_where_in(connection, (_ACCOUNT.c.id, _ACCOUNT.c.login), _ACCOUNT.c.id, ids)}
    return {account: named.get(account) or machine.get(account, account) for account in ids}


def end_codes(connection: Connection, now: datetime) -> None:
    """End every one-time code that nobody has used yet: a database put back from a backup knows some that were used since."""
    connection.execute(_ACCOUNT.update().where(_ACCOUNT.c.must_change == 1).values(code_expires_at=format_time(now)))


def _managed(tx: WriteTransaction, login: str) -> Any:
    tx.require("manage_accounts", None)
    row = tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.login == login, _ACCOUNT.c.volunteer.is_(None))).one_or_none()
    if row is None:
        raise NotFound(f"没有登录名为 {login[:32]} 的工作人员账号")
    return row


def _say(tx: WriteTransaction, row: Any, change: str) -> None:
    tx.append([Fact("account.changed", {"account": row.id, "change": change})])
    notices.tell(tx, row.id, "account.changed", {"change": change})


def _update(connection: Connection, account: str, epoch: int, **values: Any) -> bool:
    """Change an account if it is still at the epoch at which it was looked at; False when a reset or another change came between."""
    still = (_ACCOUNT.c.id == account) & (_ACCOUNT.c.session_epoch == epoch)
    return connection.execute(_ACCOUNT.update().where(still).values(**values)).rowcount == 1


def _as_typed(row: Any, password: str) -> str:
    """A one-time code may be typed loosely; a password of one's own stays as it is."""
    return as_code(password) if row is not None and row.must_change else password


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
