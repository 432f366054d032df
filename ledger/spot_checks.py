"""
Spot checks (抽查, 民政部令第67号 article 21): a sample of a unit's service records that nobody can steer, and what was found of each, made public.

First it is announced: the unit with all below it, how many records, the newest signed checkpoint, and which public number is to decide, from which day, of
how many digits. The announcement is an entry, public at once. When the number is out, the sample follows from both (checking/sampling.py). What is
recorded names the announcement and the number alone, and is exactly the sample: none left out, none put in its place.

The rules this file alone keeps:

1. The number is of a later day than the announcement, nothing is drawn before that day, and what was found is recorded on that day or later.
2. An announcement is recorded once, or withdrawn with a reason; until then the same unit gets no other. Nobody can announce many and follow one.
3. The records to draw from are those of the units as they stood when it was announced: units moved later move nothing in or out.
4. Of a number only its digits count, as many as were announced.

So unit, size, count, checkpoint and spelling cannot be tried against a known number. What the ledger cannot see: whether the number is the one that the
source made public. Anybody can, as source, day and digits stand in the announcement. Nor can it keep an official from working a sample out in private and
withdrawing then: a withdrawal on or after that day is public and marked as such (`withdrawn_late`), like the days an announcement has waited.
"""

import re
import unicodedata
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from ledger import log, stations
from ledger.bulk import rows_where_in
from ledger.checking import sampling
from ledger.checkpoints import Signing, newest_checkpoint
from ledger.entries import b64, decode
from ledger.errors import Conflict, InvalidRequest, NotFound
from ledger.kinds import Body
from ledger.kinds.checks import text
from ledger.kinds.spot_checks import (
    DIGITS_MAX,
    DIGITS_MIN,
    LIKE_PERSONAL,
    REASON_MAX,
    RECORDS_MAX,
    REMARK_MAX,
    SOURCE_MAX,
    digits,
)
from ledger.log import Fact, Receipt
from ledger.notices import tell_desks
from ledger.people.actors import Actor, below, require
from ledger.service.records import rows_of
from ledger.tables import ServiceRow, SpotCheckAnnouncementRow, SpotCheckRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

ACTION = "spot_check"
AHEAD_MAX = timedelta(days=60)
"""How far ahead a number may be: the longer an announcement waits, the less it says that it was dropped."""
_SERVICE, _CHECK, _ANNOUNCED = table(ServiceRow), table(SpotCheckRow), table(SpotCheckAnnouncementRow)


@dataclass(frozen=True)
class Plan:
    """What is announced: the unit, how many records, which number in words, how many digits it has, and the day from which it is public."""

    unit: str
    count: int
    source: str
    digits: int
    number_on: date


@dataclass(frozen=True)
class Found:
    """What came out of a check: which of the records drawn were wrong, and of which it could not be told; the rest held. *number*: as it was published."""

    checked_on: date
    number: str
    wrong: Sequence[int] = ()
    unclear: Sequence[int] = ()
    remark: str = ""


def announce(tx: WriteTransaction, signing: Signing, plan: Plan) -> Receipt:
    """Announce a check, on the newest signed checkpoint. Raises NotFound, NotAllowed, InvalidRequest, Conflict while the unit has one that waits."""
    unit = stations.get(tx.connection, plan.unit)
    tx.require(ACTION, plan.unit)
    _check(plan, tx.today)
    if open_one := next((row for row in waiting(tx.connection) if row.station == plan.unit), None):
        raise Conflict(
            f"「{unit.name}」已有一次抽查预告（账本第 {open_one.entry_index} 条）还没有抽，请先抽完；抽不了的，写明理由撤回，再预告"
        )
    note = newest_checkpoint(tx.connection)
    if note is None:
        raise InvalidRequest("账本还没有签过检查点，请等几分钟再来")
    checkpoint = signing.keyring(tx.connection).open_checkpoint(note.encode())
    among = select(func.count()).select_from(_SERVICE).where(*_among(below(tx.connection, plan.unit), checkpoint.size))
    available = tx.connection.execute(among).scalar_one()
    if plan.count > available:
        raise InvalidRequest(f"「{unit.name}」（连同下级）可抽的有 {available} 条，抽不出 {plan.count} 条，请改小")
    body = {
        "station": plan.unit,
        "count": plan.count,
        "available": available,
        "source": plan.source,
        "digits": plan.digits,
        "number_on": plan.number_on.isoformat(),
        "tree_size": checkpoint.size,
        "root": b64(checkpoint.root),
    }
    return tx.append([Fact("spot_check.announced", body)])[0]


def to_follow(tx: ReadTransaction, actor: Actor, announcement: int) -> Any:
    """Give an announcement that waits, to whoever may follow or withdraw it. Raises NotFound, NotAllowed, Conflict when it is settled."""
    row = announced(tx.connection, announcement)
    require(tx.connection, actor, ACTION, row.station)
    if row.recorded_index is not None:
        raise Conflict(f"这次抽查的结果已记入账本第 {row.recorded_index} 条，不能再改。要再查，请另外预告一次")
    if row.withdrawn_index is not None:
        raise Conflict(f"这次预告已经撤回（账本第 {row.withdrawn_index} 条）。要抽查，请另外预告一次")
    return row


def withdraw(tx: WriteTransaction, announcement: int, reason: str) -> Receipt:
    """Withdraw an announcement, saying why. Raises NotFound, NotAllowed, InvalidRequest, Conflict when it is settled."""
    row = to_follow(tx, tx.actor, announcement)
    tx.require(ACTION, row.station)
    if not text(REASON_MAX)(reason):
        raise InvalidRequest(f"撤回要写明理由（{REASON_MAX} 字以内，谁都看得到，不要写手机号和证件号）")
    return tx.append([Fact("spot_check.withdrawn", {"announced": announcement, "station": row.station, "reason": reason})])[0]


def draw(tx: ReadTransaction, announcement: int, number: str) -> list[int]:
    """Draw the sample that was announced, by the number as its source published it. Raises NotFound, InvalidRequest (another number, or too early)."""
    row = announced(tx.connection, announcement)
    if tx.today.isoformat() < row.number_on:
        raise InvalidRequest(f"号码 {row.number_on} 才公布，到那一天再来抽")
    asked = select(_SERVICE.c.entry_index).where(*_among(orjson.loads(row.units), row.tree_size))
    population = tx.connection.execute(asked.order_by(_SERVICE.c.entry_index)).scalars().all()
    return sampling.sample(b64decode(row.root), row.tree_size, read_number(row, number).encode(), row.records, population)


def read_number(row: Any, number: str) -> str:
    """Read a number as its source published it: its digits, as many as were announced. Raises InvalidRequest."""
    plain = unicodedata.normalize("NFKC", number)
    only = re.sub(r"[^0-9]", "", plain)
    if re.search(r"[^\W\d_]", plain) or len(only) != row.digits:
        raise InvalidRequest(f"预告的号码是 {row.digits} 位数字，您填的有 {len(only)} 位。只填号码，不写期号和别的字；空格、加号可有可无")
    return only


def record(tx: WriteTransaction, announcement: int, found: Found) -> Receipt:
    """Record what an announced check found. Raises NotFound, NotAllowed, InvalidRequest, Conflict when it was recorded or withdrawn."""
    row = to_follow(tx, tx.actor, announcement)
    tx.require(ACTION, row.station)
    drawn = draw(tx, announcement, found.number)
    if not row.number_on <= found.checked_on.isoformat() <= tx.today.isoformat():
        raise InvalidRequest(f"抽查日期应在号码公布的那天（{row.number_on}）到今天之间")
    if found.remark and not text(REMARK_MAX)(found.remark):
        raise InvalidRequest(f"说明请在 {REMARK_MAX} 字以内，不能含手机号和证件号")
    strangers = sorted({*found.wrong, *found.unclear} - set(drawn))
    if strangers:
        raise InvalidRequest(f"第 {strangers[0]} 条不在这次抽到的样本里，请对照抽样结果")
    if both := sorted(set(found.wrong) & set(found.unclear)):
        raise InvalidRequest(f"第 {both[0]} 条不能既不属实、又无法核实")
    body: dict[str, Any] = {
        "announced": announcement,
        "station": row.station,
        "checked_on": found.checked_on.isoformat(),
        "nonce": read_number(row, found.number),
        "held": [index for index in drawn if index not in {*found.wrong, *found.unclear}],
        "wrong": sorted(set(found.wrong)),
        "unclear": sorted(set(found.unclear)),
    }
    receipt = tx.append([Fact("spot_check.recorded", body | ({"remark": found.remark} if found.remark else {}))])[0]
    wrong = rows_of(tx.connection, body["wrong"])
    tell_desks(tx, "amend", [(service.station, "spot_check.wrong", {"service": service.entry_index}) for service in wrong])
    return receipt


# --- what there is


def waiting(connection: Connection) -> list[Any]:
    """List the announcements that were neither followed nor withdrawn, the oldest first."""
    still = _ANNOUNCED.c.recorded_index.is_(None), _ANNOUNCED.c.withdrawn_index.is_(None)
    return list(connection.execute(select(_ANNOUNCED).where(*still).order_by(_ANNOUNCED.c.entry_index)))


def withdrawn(connection: Connection, limit: int) -> list[Any]:
    """List the newest announcements that were withdrawn, the last first."""
    asked = select(_ANNOUNCED).where(_ANNOUNCED.c.withdrawn_index.is_not(None))
    return list(connection.execute(asked.order_by(_ANNOUNCED.c.withdrawn_index.desc()).limit(limit)))


def withdrawn_late(row: Any) -> bool:
    """Tell whether an announcement was withdrawn when its number could be known already."""
    return row.withdrawn_at is not None and row.withdrawn_at[:10] >= row.number_on


def announced(connection: Connection, index: int) -> Any:
    """Give an announcement. Raises NotFound."""
    row = connection.execute(select(_ANNOUNCED).where(_ANNOUNCED.c.entry_index == index)).one_or_none()
    if row is None:
        raise NotFound(f"第 {index} 条不是抽查预告")
    return row


def announced_of(connection: Connection, checks: Sequence[Any]) -> dict[int, Any]:
    """Give the announcements of checks, by index."""
    found = rows_where_in(connection, _ANNOUNCED.c, _ANNOUNCED.c.entry_index, [check.announced for check in checks])
    return {row.entry_index: row for row in found}


def announced_in(connection: Connection, year: int) -> list[Any]:
    """List what was announced in a year, in order."""
    within = _ANNOUNCED.c.announced_at >= f"{year}-01-01", _ANNOUNCED.c.announced_at < f"{year + 1}-01-01"
    return list(connection.execute(select(_ANNOUNCED).where(*within).order_by(_ANNOUNCED.c.entry_index)))


def of_year(connection: Connection, year: int) -> list[Any]:
    """List the checks of a year, in order."""
    within = _CHECK.c.checked_on >= f"{year}-01-01", _CHECK.c.checked_on <= f"{year}-12-31"
    return list(connection.execute(select(_CHECK).where(*within).order_by(_CHECK.c.checked_on, _CHECK.c.entry_index)))


def published(connection: Connection, limit: int) -> list[Any]:
    """List the newest checks, the last first."""
    return list(connection.execute(select(_CHECK).order_by(_CHECK.c.checked_on.desc(), _CHECK.c.entry_index.desc()).limit(limit)))


def one(connection: Connection, index: int) -> tuple[Any, Body]:
    """Give a check's row and what its entry says: the whole sample. Raises NotFound."""
    row = connection.execute(select(_CHECK).where(_CHECK.c.entry_index == index)).one_or_none()
    if row is None:
        raise NotFound(f"第 {index} 条不是抽查结果")
    return row, decode(log.read_entry(connection, index)).body


def _among(units: Sequence[str], size: int) -> tuple[Any, Any]:
    """Ask for the service records of units in the tree of a size."""
    return _SERVICE.c.station.in_(units), _SERVICE.c.entry_index < size


def _check(plan: Plan, today: date) -> None:
    """Make sure that an announcement says what it must. Raises InvalidRequest."""
    if not 1 <= plan.count <= RECORDS_MAX:
        raise InvalidRequest(f"一次抽查 1 到 {RECORDS_MAX:,} 条，不是 {plan.count}")
    if not text(SOURCE_MAX)(plan.source):
        raise InvalidRequest(f"请写明用哪一个号码，例如「双色球第 2026130 期开奖号码」（{SOURCE_MAX} 字以内，不要写手机号和证件号）")
    if not digits(plan.digits):
        raise InvalidRequest(
            f"号码应有 {DIGITS_MIN} 到 {DIGITS_MAX} 位数字（{'、'.join(map(str, LIKE_PERSONAL))} 位的像手机号和证件号，不能用），不是 {plan.digits} 位"
        )
    if not today < plan.number_on <= today + AHEAD_MAX:
        raise InvalidRequest(f"号码公布的日期应从明天起、在 {AHEAD_MAX.days} 天以内：预告的时候，谁也不能已经知道它")
