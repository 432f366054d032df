"""
Organisations: community social organisations as filed (备案, for two years) or registered (登记) with the authorities.

An organisation has a number that is never used twice, one of four categories, and beside it a flag whether it is a volunteer organisation. Its
leader's name and phone go to the vault; the entry holds a commitment. A filing lapses after the years that policy sets, and a new one is a new act.
Here are organisations as a list has them (摸底); those that ask to be filed go the way of ledger/filing.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, select

from ledger import codes, stations
from ledger.bulk import rows_where_in
from ledger.ids import new_number
from ledger.kinds import Body
from ledger.log import Fact
from ledger.people.vault import Personal
from ledger.policies import service_policy
from ledger.refusals import Already, Refusal
from ledger.tables import FilingApplicationRow, FilingStandingRow, OrganisationRow, table
from ledger.transactions import WriteTransaction

_ORGANISATION = table(OrganisationRow)
_APPLICATION, _STANDING = table(FilingApplicationRow), table(FilingStandingRow)
NUMBER_PREFIX = "备"
_GIVEN = re.compile(NUMBER_PREFIX + r"[0-9A-Z]{1,9}第\d{5,}号")
"""A filing number as it is given here, in order and without a gap: no list brings one along."""


@dataclass(frozen=True)
class Filing:
    """What is said of an organisation: *category* is a code; *since* the date of filing or registration; leader and phone may be empty."""

    number: str
    name: str
    category: str
    volunteer_organisation: bool
    station: str
    filed: bool
    since: date
    leader: str = ""
    phone: str = ""


def years_later(day: date, years: int) -> date:
    """Give the last day of a validity of *years* that begins on *day*: the day before its anniversary."""
    try:
        anniversary = day.replace(year=day.year + years)
    except ValueError:  # 29 February
        anniversary = day.replace(year=day.year + years, month=3, day=1)
    return date.fromordinal(anniversary.toordinal() - 1)


def record_many(tx: WriteTransaction, filings: Sequence[Filing]) -> list[str | Already | Refusal]:
    """Record organisations; each answer is the new organisation's id, or why not."""
    known = {row.number: row for row in tx.connection.execute(select(_ORGANISATION))}
    answers: list[str | Already | Refusal] = []
    accepted: list[tuple[str, Filing]] = []
    taken: set[str] = set()
    ended = stations.ended(tx.connection, {filing.station for filing in filings})
    for filing in filings:
        tx.require("register", filing.station)
        found = known.get(filing.number)
        if filing.station in ended:
            answers.append(Refusal("against_rules", "这个站点已经撤销，请登记到并入的站点", "所属站点编码"))
        elif filing.number in taken:
            answers.append(Refusal("duplicate", f"备案编号 {filing.number} 在本表中出现了不止一次，请只留一行", "备案编号"))
        elif filing.since > tx.today:
            answers.append(Refusal("future_date", f"备案日期 {filing.since} 在将来，请核对", "备案日期"))
        elif found is not None and found.name == filing.name and not (filing.filed and filing.since.isoformat() > found.since):
            answers.append(Already(found.entry_index))
        elif found is not None and found.name == filing.name:
            _append_renewal(tx, found, filing)
            answers.append(found.id)
        elif found is not None:
            answers.append(Refusal("duplicate", f"备案编号 {filing.number} 已属于「{found.name}」，编号不能重复使用", "备案编号"))
        elif _GIVEN.fullmatch(filing.number):
            answers.append(_given(tx.connection, filing.number))
        else:
            accepted.append((new_number(), filing))
            answers.append(accepted[-1][0])
        taken.add(filing.number)
    _append(tx, accepted)
    return answers


def _given(connection: Connection, number: str) -> Already | Refusal:
    """Answer a list that has a number of the kind that is given here: a former one of an organisation that was filed again, or none."""
    asked = select(_APPLICATION.c.entry_index).where(_APPLICATION.c.number == number, _APPLICATION.c.serial.is_not(None))
    index = connection.execute(asked.limit(1)).scalar_one_or_none()
    if index is not None:
        return Already(index)
    return Refusal("unreadable", f"备案编号 {number} 要由街镇在备案时按顺序给出，不能从表里登记。请在「备案」里办理", "备案编号")


def _append_renewal(tx: WriteTransaction, found: Any, filing: Filing) -> None:
    """File an organisation again (到期重新备案): a new act of the same organisation; whom to ask there stays as it is sealed."""
    body = _body(tx, found.id, filing) | ({"contact": found.contact} if found.contact else {})
    tx.append([Fact("organisation.filed", body)])


def _body(tx: WriteTransaction, organisation: str, filing: Filing) -> Body:
    years = service_policy(tx.connection, tx.today.isoformat()).filing_valid_years
    body: Body = {
        "organisation": organisation,
        "station": filing.station,
        "number": filing.number,
        "name": filing.name,
        "scheme": codes.CATEGORY_SCHEME,
        "category": filing.category,
        "volunteer_organisation": filing.volunteer_organisation,
    }
    if filing.filed:
        return body | {"filed_on": filing.since.isoformat(), "expires_on": years_later(filing.since, years).isoformat()}
    return body | {"registered_on": filing.since.isoformat()}


def _append(tx: WriteTransaction, accepted: list[tuple[str, Filing]]) -> None:
    contacts = [
        Personal("organisation/" + new_id, contact={k: v for k, v in (("name", filing.leader), ("phone", filing.phone)) if v})
        for new_id, filing in accepted
    ]
    commitments = tx.seal(contacts)
    facts = []
    for (new_id, filing), sealed in zip(accepted, commitments, strict=True):
        body = _body(tx, new_id, filing)
        if sealed.contact:
            body["contact"] = sealed.contact
        facts.append(Fact("organisation.filed" if filing.filed else "organisation.registered", body))
    tx.append(facts)


def name_of(connection: Connection, organisation: str) -> str:
    """Give an organisation's name by its id; empty when there is none."""
    found: str | None = connection.execute(select(_ORGANISATION.c.name).where(_ORGANISATION.c.id == organisation)).scalar_one_or_none()
    return found or ""


def names(connection: Connection, numbers: Iterable[str]) -> dict[str, str]:
    """Give organisations' names by their ids; empty where there is none."""
    wanted = set(numbers)
    found = {row.id: row.name for row in rows_where_in(connection, (_ORGANISATION.c.id, _ORGANISATION.c.name), _ORGANISATION.c.id, wanted)}
    return dict.fromkeys(wanted, "") | found


def get_row(connection: Connection, organisation: str) -> Any:
    """Give an organisation's row by its id; None when there is none."""
    return connection.execute(select(_ORGANISATION).where(_ORGANISATION.c.id == organisation)).one_or_none()


def cancelled(on: str) -> Select[Any]:
    """Select the ids of organisations whose filing was cancelled (注销备案) on a day or before it."""
    return select(_STANDING.c.organisation).where(_STANDING.c.cancelled_on <= on)


def find_by_name(connection: Connection, name: str) -> Any:
    """Find the organisation of a full name, the newest if several; None when there is none."""
    statement = select(_ORGANISATION).where(_ORGANISATION.c.name == name).order_by(_ORGANISATION.c.entry_index.desc()).limit(1)
    return connection.execute(statement).one_or_none()


def at_stations(connection: Connection, stations: Sequence[str]) -> list[Any]:
    """List the organisations of stations, in order of their numbers."""
    statement = select(_ORGANISATION).where(_ORGANISATION.c.station.in_(stations)).order_by(_ORGANISATION.c.number)
    return list(connection.execute(statement))
