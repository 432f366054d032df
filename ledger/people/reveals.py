"""
Reveals: somebody of the staff looks at a person's name, ID number or phone in full.

Everywhere else they are masked. To see them is an act of its own, with a reason from a list, written down before anything is shown, and shown
to the person: by whom, when, why. What a clerk types or uploads is theirs already and no reveal; a list of hits is masked.

The table only grows (triggers on both engines, and on PostgreSQL the program's role may not change it). Each row's digest is the SHA-256 of the digest
before and of its own fields as canonical JSON, so that a row that was altered or taken out by the database's owner shows in `verify`; the newest as it
was when a checkpoint was last signed is also kept in the second store (guard.py), so that rows taken off the end show too.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger.bulk import insert_rows
from ledger.entries import format_time
from ledger.errors import Conflict, InvalidRequest, NotAllowed
from ledger.kinds.checks import holds_personal_number
from ledger.notices import About, Telling, tell, tell_readers
from ledger.people import accounts, volunteers
from ledger.people.actors import ROLES, Actor
from ledger.people.vault import Personal
from ledger.store import Ledger
from ledger.tables import RevealRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

REASONS = {
    "identity": "当面核对身份",
    "contact": "联系本人",
    "correction": "更正登记信息",
    "certificate": "办理证明",
    "award": "核对奖励证书",
    "own_request": "本人要求查阅、复制",
    "inquiry": "上级检查或处理投诉",
}
PERSONAL, EVERYTHING = "姓名、证件号、联系方式", "本人的全部资料"
"""What was looked at."""
_NOT_CHOSEN = {"handover": "报送国家指定的志愿服务信息系统"}
"""Reasons that come with a deed, not from the list."""
HANDED_OVER = "姓名、证件号、联系方式，和这段时间的记录"
NOTE_MAX = 100
END = "reveal.end"
"""What a fault is called when the newest looks are missing or others than were there when last signed."""
UNUSUAL_A_DAY = 30
"""More than this by one account on one day is named to whoever watches."""

_REVEAL = table(RevealRow)
_HASHED = ("id", "volunteer", "account", "role", "station", "fields", "reason", "note", "revealed_at")


@dataclass(frozen=True)
class Looked:
    """One look, as the person concerned sees it: the role and place of whoever looked, never their name."""

    role: str
    station: str | None
    fields: str
    reason: str
    note: str
    revealed_at: str


@dataclass(frozen=True)
class Count:
    """How often an account looked in a span of days, and on its busiest day."""

    account: str
    login: str
    roles: str
    total: int
    people: int
    busiest: str
    on_busiest: int

    @property
    def unusual(self) -> bool:
        """Tell whether the busiest day is out of the ordinary."""
        return self.on_busiest > UNUSUAL_A_DAY


def reveal(ledger: Ledger, actor: Actor, number: str, reason: str, note: str = "", *, fields: str = PERSONAL) -> Personal:
    """Write down who looks at whom and why, durably, and only then open the data. Raises InvalidRequest, NotFound, NotAllowed."""
    number = ledger.write(lambda tx: note_down(tx, number, reason, note, fields=fields), actor)
    with ledger.read() as tx:
        return tx.vault.open(tx.connection, ["person/" + number])["person/" + number]


def note_down(tx: WriteTransaction, number: str, reason: str, note: str = "", *, fields: str = PERSONAL) -> str:
    """Write a look down in the caller's transaction. Returns the volunteer number in its one spelling."""
    person = volunteers.get(tx, number)
    tx.require("reveal", person.row.station)
    note = " ".join(note.split())
    if reason not in REASONS:
        raise InvalidRequest("请先选择查看的理由，再显示")
    if len(note) > NOTE_MAX or holds_personal_number(note):
        raise InvalidRequest(f"说明请在 {NOTE_MAX} 字以内，不要写手机号或证件号")
    if reason == "inquiry" and not note:
        raise InvalidRequest("因检查或投诉查看，请写明是哪一件")
    if not person.personal.identity:
        raise NotAllowed("这个人的资料已经注销或封存，不能再看")
    _write_down(tx, [person.row.number], fields, reason, note)
    tell(tx, f"person/{person.row.number}", "volunteer.revealed", {"station": tx.actor.station} if tx.actor.station else {})
    return str(person.row.number)


def note_down_many(tx: WriteTransaction, numbers: Sequence[str], note: str) -> None:
    """Write down that people's data went into a file for another system; the caller has asked for the right. Raises Conflict for data gone by now."""
    open_ = tx.vault.open(tx.connection, ["person/" + number for number in numbers])
    if any(not open_.get("person/" + number, Personal("")).identity for number in numbers):
        raise Conflict("有人刚刚注销了资料，请再取一次文件")
    _write_down(tx, numbers, HANDED_OVER, "handover", note[:NOTE_MAX])
    about: About = {"station": tx.actor.station} if tx.actor.station else {}
    tell_readers(tx, [Telling("person/" + number, "volunteer.revealed", about) for number in numbers])


def _write_down(tx: WriteTransaction, numbers: Sequence[str], fields: str, reason: str, note: str) -> None:
    """Add a look at each to the chain of looks."""
    newest = tx.connection.execute(select(_REVEAL).order_by(_REVEAL.c.id.desc()).limit(1)).one_or_none()
    said = {"account": tx.actor.account, "role": tx.actor.role, "station": tx.actor.station}
    said |= {"fields": fields, "reason": reason, "note": note, "revealed_at": format_time(tx.now)}
    rows: list[dict[str, Any]] = []
    before, first = (newest.digest, newest.id + 1) if newest else ("", 0)
    for place, number in enumerate(numbers, first):
        row: dict[str, Any] = {"id": place, "volunteer": number, **said}
        before = row["digest"] = _digest(before, row)
        rows.append(row)
    insert_rows(tx.connection, _REVEAL, rows)


def _digest(before: str, row: dict[str, Any]) -> str:
    said = orjson.dumps({name: row[name] for name in _HASHED}, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(before.encode() + said).hexdigest()


def of(tx: ReadTransaction, number: str) -> list[Looked]:
    """List who looked at a person's data, newest first."""
    rows = tx.connection.execute(select(_REVEAL).where(_REVEAL.c.volunteer == number).order_by(_REVEAL.c.id.desc()))
    return [Looked(ROLES.get(r.role, r.role), r.station, r.fields, _spelt(r.reason), r.note, r.revealed_at) for r in rows]


def _spelt(reason: str) -> str:
    return (REASONS | _NOT_CHOSEN).get(reason, reason)


def counts(tx: ReadTransaction, actor: Actor, days: int = 30) -> list[Count]:
    """Count each account's looks in the last *days* days, the most on one day first. Raises NotAllowed."""
    if not actor.may("see_reveals"):
        raise NotAllowed("您的账号没有这项权限")
    since = (tx.today - timedelta(days=days - 1)).isoformat()
    rows = tx.connection.execute(select(_REVEAL).where(_REVEAL.c.revealed_at >= since).order_by(_REVEAL.c.id)).all()
    logins = accounts.logins(tx.connection, {row.account for row in rows})
    found = []
    for account in dict.fromkeys(row.account for row in rows):
        mine = [row for row in rows if row.account == account]
        by_day = Counter(row.revealed_at[:10] for row in mine)
        busiest = max(by_day, key=lambda day: (by_day[day], day))
        roles = "、".join(ROLES.get(role, role) for role in dict.fromkeys(row.role for row in mine))
        found.append(Count(account, logins[account], roles, len(mine), len({r.volunteer for r in mine}), busiest, by_day[busiest]))
    return sorted(found, key=lambda count: (-count.on_busiest, -count.total, count.login))


def faults(connection: Connection, count: int = 0, newest: str = "") -> Iterator[tuple[str, str, str]]:
    """Find rows that were altered, added or taken out behind the program's back: what, what it should be, what it is.

    count, newest: how many the second store knows of, and the digest of the last of these (guard.py).
    """
    before, known = "", ""
    for place, row in enumerate(connection.execute(select(_REVEAL).order_by(_REVEAL.c.id))):
        if row.id != place:
            yield f"reveal[{row.id}].id", str(place), str(row.id)
            return
        digest = _digest(before, {name: getattr(row, name) for name in _HASHED})
        if digest != row.digest:
            yield f"reveal[{row.id}].digest", digest, row.digest
            return
        before = row.digest
        known = row.digest if place == count - 1 else known
    if count and known != newest:
        yield END, f"{count} 条，末条 {newest[:16]}", known[:16] or "缺失"
