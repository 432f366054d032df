"""Documents: what a certificate says, put together from what counts today. The format stands in ledger/checking/certificates.py."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from ledger import credit
from ledger.bulk import rows_where_in
from ledger.checking.certificates import DOCUMENT
from ledger.codes import SERIES
from ledger.entries import b64
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.kinds.certificates import RECORDS_MAX
from ledger.people import accounts, actors, identity, volunteers
from ledger.people.volunteers import Known
from ledger.service.records import rows_of
from ledger.tables import OrganisationRow, StationRow, table
from ledger.transactions import ReadTransaction

_ORGANISATION, _STATION = table(OrganisationRow), table(StationRow)
CONTACT_MAX = 60
SELF = "本人自助办理"


@dataclass(frozen=True)
class Wish:
    """What somebody wants certified: whose services, from and to which day (None: all), the ID number in full or masked.

    contact: how the issuing unit is reached, as it is to stand on the paper.
    """

    volunteer: str
    period_from: date | None = None
    period_to: date | None = None
    full_id: bool = False
    contact: str = ""


def make(tx: ReadTransaction, actor: actors.Actor, wish: Wish, origin: str, size: int) -> dict[str, Any]:
    """Put the document together, but for its number, code and salt. *size*: of the tree.

    Raises NotFound, InvalidRequest (nothing to certify, too much for one), NotAllowed (data erased or restricted).
    """
    person = volunteers.get(tx, wish.volunteer)
    if not person.personal.identity:
        raise NotAllowed("这个人的资料已经注销或封存，不能开具证明")
    items = _items(tx, person, wish)
    unit = issuing_unit(tx, person.row.station)
    id_number = person.personal.identity["id_number"]
    said: dict[str, Any] = {
        "format": DOCUMENT,
        "origin": origin,
        "issued_on": tx.today.isoformat(),
        "name": person.personal.identity["name"],
        "id_number": id_number if wish.full_id else identity.mask_id(id_number),
        "volunteer": person.row.number,
        "station": unit.code,
        "unit": unit.name,
        "handler": SELF if actor.volunteer else accounts.logins(tx.connection, {actor.account})[actor.account],
        "minutes": sum(item["minutes"] for item in items),
        "grades": _sums(items, "grade"),
        "series": _sums(items, "series"),
        "items": items,
        "tree_size": size,
    }
    contact = " ".join(wish.contact.split())
    if len(contact) > CONTACT_MAX or not contact.isprintable():
        raise InvalidRequest(f"联系方式请在 {CONTACT_MAX} 字以内")
    optional = {"contact": contact, "period_from": _spelt(wish.period_from), "period_to": _spelt(wish.period_to)}
    return said | {name: value for name, value in optional.items() if value}


def finish(said: dict[str, Any], number: str, code: str) -> dict[str, Any]:
    """Give a document its number, its check code, and the salt without which nobody can try out what it says."""
    return said | {"number": number, "code": code, "salt": b64(os.urandom(32))}


def issuing_unit(tx: ReadTransaction, station: str) -> Any:
    """Give the unit that certifies for a home station: itself, or the nearest above it that has not been closed."""
    above = actors.ancestry(tx.connection, station)
    rows = {row.code: row for row in rows_where_in(tx.connection, _STATION.c, _STATION.c.code, above)}
    standing = [rows[code] for code in above if code in rows and not rows[code].closed_on]
    if not standing:
        raise NotFound("登记的站点已经撤销，上级也没有，无法开具。请联系区民政局")
    return standing[0]


def district(tx: ReadTransaction, station: str) -> str:
    """Give the code with which numbers begin: of the tree's root, its first six characters, which are the district's (GB/T 2260)."""
    return actors.ancestry(tx.connection, station)[-1][:6]


def _items(tx: ReadTransaction, person: Known, wish: Wish) -> list[dict[str, Any]]:
    first, last = _spelt(wish.period_from), _spelt(wish.period_to)
    if first and last and last < first:
        raise InvalidRequest("结束日期早于开始日期，请核对")
    counted = credit.statement(tx, person.row.number).records
    chosen = [one for one in counted if (not first or one.served_on >= first) and (not last or one.served_on <= last)]
    if not chosen:
        when = "在这段时间里" if first or last else ""
        raise InvalidRequest(f"{when}还没有已生效的服务记录，开不了证明。公示中、待审核的，计入以后才能开")
    if len(chosen) > RECORDS_MAX:
        raise InvalidRequest(f"一份证明最多写 {RECORDS_MAX:,} 条，您有 {len(chosen):,} 条。请选一段时间，例如一年一份")
    chosen.sort(key=lambda one: (one.start, one.index))
    organisers = _organisers(tx, [one.index for one in chosen])
    return [_item(one, organisers.get(one.index)) for one in chosen]


def _item(one: credit.Item, organiser: Any) -> dict[str, Any]:
    registered = organiser is not None and organiser.basis == "registered"
    said = {name: getattr(one, name) for name in ("index", "served_on", "start", "end", "minutes", "activity", "series", "grade")}
    said["unit"] = organiser.name if registered else one.station
    return said | ({"group": organiser.name} if organiser is not None and not registered else {})


def _organisers(tx: ReadTransaction, indexes: Sequence[int]) -> dict[int, Any]:
    """Give the organisation that each record names, if it names one."""
    named = {row.entry_index: row.organisation for row in rows_of(tx.connection, indexes) if row.organisation}
    known = {row.id: row for row in tx.connection.execute(select(_ORGANISATION).where(_ORGANISATION.c.id.in_(set(named.values()))))}
    return {index: known[organisation] for index, organisation in named.items() if organisation in known}


def _sums(items: Sequence[dict[str, Any]], key: str) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for item in items:
        sums[item[key]] += item["minutes"]
    order = list(SERIES) if key == "series" else sorted(sums)
    return {name: sums[name] for name in order if name in sums}


def _spelt(day: date | None) -> str:
    return day.isoformat() if day else ""
