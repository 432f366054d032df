"""
Spot checks (抽查, 民政部令第67号 article 21): a sample of a unit's service records that nobody can steer, and what was found of each, made public.

A signed checkpoint is made known first, then a number is taken that nobody could know before (checking/sampling.py). The sample is drawn from the service
records of the unit and those below it in the tree of that checkpoint. What is recorded must be exactly the sample: none left out, none put in its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from ledger import log, stations
from ledger.checking import sampling
from ledger.entries import b64, decode
from ledger.errors import InvalidRequest, NotFound
from ledger.kinds import Body
from ledger.kinds.checks import text
from ledger.kinds.spot_checks import RECORDS_MAX
from ledger.log import Fact, Receipt
from ledger.notes import Checkpoint
from ledger.notices import tell_staff
from ledger.people.actors import below
from ledger.service.records import rows_of
from ledger.tables import ServiceRow, SpotCheckRow, table
from ledger.transactions import WriteTransaction

_SERVICE, _CHECK = table(ServiceRow), table(SpotCheckRow)


@dataclass(frozen=True)
class Found:
    """What came out of a check: which of the records drawn were wrong, and of which it could not be told; the rest held. *nonce*: as it was published."""

    checked_on: date
    nonce: str
    count: int
    wrong: Sequence[int] = ()
    unclear: Sequence[int] = ()
    remark: str = ""


def draw(connection: Connection, station: str, checkpoint: Checkpoint, nonce: str, count: int) -> list[int]:
    """Draw the sample of a unit. Raises NotFound for an unknown unit, InvalidRequest when there are not so many records."""
    stations.get(connection, station)
    if not 1 <= count <= RECORDS_MAX:
        raise InvalidRequest(f"一次抽查 1 到 {RECORDS_MAX:,} 条，不是 {count}")
    asked = select(_SERVICE.c.entry_index).where(
        _SERVICE.c.station.in_(below(connection, station)), _SERVICE.c.entry_index < checkpoint.size
    )
    population = connection.execute(asked.order_by(_SERVICE.c.entry_index)).scalars().all()
    return sampling.sample(checkpoint.root, checkpoint.size, sampling.parse_nonce(nonce), count, population)


def record(tx: WriteTransaction, station: str, checkpoint: Checkpoint, found: Found) -> Receipt:
    """Record what a check found; *checkpoint*: one whose signature was verified. Raises NotFound, NotAllowed, InvalidRequest."""
    tx.require("spot_check", station)
    drawn = draw(tx.connection, station, checkpoint, found.nonce, found.count)
    if found.checked_on > tx.today:
        raise InvalidRequest("抽查日期不能在今天以后")
    if not text(200)(found.nonce) or (found.remark and not text(500)(found.remark)):
        raise InvalidRequest("随机数请在 200 字以内，说明请在 500 字以内，都不能含手机号和证件号")
    strangers = sorted({*found.wrong, *found.unclear} - set(drawn))
    if strangers:
        raise InvalidRequest(f"第 {strangers[0]} 条不在这次抽到的样本里，请对照抽样结果")
    if both := sorted(set(found.wrong) & set(found.unclear)):
        raise InvalidRequest(f"第 {both[0]} 条不能既不属实、又无法核实")
    body: dict[str, Any] = {
        "station": station,
        "checked_on": found.checked_on.isoformat(),
        "tree_size": checkpoint.size,
        "root": b64(checkpoint.root),
        "nonce": found.nonce,
        "held": [index for index in drawn if index not in {*found.wrong, *found.unclear}],
        "wrong": sorted(set(found.wrong)),
        "unclear": sorted(set(found.unclear)),
    }
    receipt = tx.append([Fact("spot_check.recorded", body | ({"remark": found.remark} if found.remark else {}))])[0]
    for row in rows_of(tx.connection, body["wrong"]):
        tell_staff(tx, "amend", row.station, "spot_check.wrong", {"service": row.entry_index})
    return receipt


def of_year(connection: Connection, year: int) -> list[Any]:
    """List the checks of a year, in order."""
    within = _CHECK.c.checked_on >= f"{year}-01-01", _CHECK.c.checked_on <= f"{year}-12-31"
    return list(connection.execute(select(_CHECK).where(*within).order_by(_CHECK.c.checked_on, _CHECK.c.entry_index)))


def published(connection: Connection, limit: int) -> list[Any]:
    """List the newest checks, the last first."""
    return list(connection.execute(select(_CHECK).order_by(_CHECK.c.checked_on.desc(), _CHECK.c.entry_index.desc()).limit(limit)))


def one(connection: Connection, index: int) -> tuple[Any, Body]:
    """Give a check's row and what its entry says: the whole sample and the root it was drawn from. Raises NotFound."""
    row = connection.execute(select(_CHECK).where(_CHECK.c.entry_index == index)).one_or_none()
    if row is None:
        raise NotFound(f"第 {index} 条不是抽查结果")
    return row, decode(log.read_entry(connection, index)).body
