"""
Volunteers: people registered at a home station under a random number, found by ID number or phone through the vault, never by the log.

A person is registered once: a second registration under the same ID number is refused, naming the number. Registration by a clerk or from a roster
stays unconfirmed until the person says so. Backbone volunteers (志愿服务骨干) are designated by an entry of their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from ledger.bulk import rows_where_in
from ledger.errors import NotFound
from ledger.ids import new_number, parse_number
from ledger.kinds import Body
from ledger.log import Fact
from ledger.people import identity
from ledger.people.vault import Personal
from ledger.refusals import Already, Refusal
from ledger.tables import VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_VOLUNTEER = table(VolunteerRow)


@dataclass(frozen=True)
class Registration:
    """What is said of a new volunteer. *id_number* has been checked; *basis*: self, clerk or roster; *source*: file hash and row, if any."""

    name: str
    id_number: str
    station: str
    registered_on: date
    basis: str
    phone: str = ""
    sex: str = ""
    backbone: bool = False
    source: dict[str, str | int] | None = None


def register_many(tx: WriteTransaction, registrations: Sequence[Registration]) -> list[str | Already | Refusal]:
    """Register people; each answer is the new volunteer number, or why not. The same person again with the same name is Already."""
    owners = tx.vault.find(tx.connection, "id_number", (r.id_number for r in registrations))
    registered = {s.removeprefix("person/") for subjects in owners.values() for s in subjects}
    rows = {row.number: row for row in rows_where_in(tx.connection, _VOLUNTEER.c, _VOLUNTEER.c.number, registered)}
    people = tx.vault.open(tx.connection, (subject for subjects in owners.values() for subject in subjects))
    answers: list[str | Already | Refusal] = []
    accepted: list[tuple[str, Registration]] = []
    seen: set[str] = set()
    for registration in registrations:
        tx.require("register", registration.station)
        owner = owners.get(registration.id_number, [None])[0]
        if registration.id_number in seen:
            answers.append(Refusal("duplicate", "这个身份证号在本表中已经出现过，请只留一行", "身份证号"))
        elif owner is not None:
            number = owner.removeprefix("person/")
            answers.append(_known(registration, rows[number], people.get(owner)))
        elif registration.registered_on > tx.today:
            answers.append(Refusal("future_date", f"注册日期 {registration.registered_on} 在将来，请核对", "注册日期"))
        else:
            accepted.append((new_number(), registration))
            answers.append(accepted[-1][0])
        seen.add(registration.id_number)
    _append(tx, accepted)
    return answers


def _known(registration: Registration, row: Any, person: Personal | None) -> Already | Refusal:
    if person is not None and person.identity["name"] == registration.name and row.station == registration.station:
        return Already(row.entry_index)
    text = f"这个身份证号已登记（志愿者编号 {row.number}，登记站点 {row.station}）。如是同一人请不要重复登记；如不是，请核对证件"
    return Refusal("duplicate", text, "身份证号")


def _append(tx: WriteTransaction, accepted: list[tuple[str, Registration]]) -> None:
    sealed = tx.seal([_personal(number, registration) for number, registration in accepted])
    facts = []
    for (number, registration), commitments in zip(accepted, sealed, strict=True):
        day = registration.registered_on.isoformat()
        assert commitments.identity is not None
        body: Body = {
            "volunteer": number,
            "station": registration.station,
            "registered_on": day,
            "basis": registration.basis,
            "identity": commitments.identity,
        }
        if commitments.contact:
            body["contact"] = commitments.contact
        if registration.source:
            body["source"] = registration.source
        facts.append(Fact("volunteer.registered", body))
    facts.extend(
        Fact("volunteer.backbone_designated", {"volunteer": n, "station": r.station, "designated_on": r.registered_on.isoformat()})
        for n, r in accepted
        if r.backbone
    )
    tx.append(facts)


def _personal(number: str, registration: Registration) -> Personal:
    who = {"name": registration.name, "id_number": registration.id_number}
    if registration.sex:
        who["sex"] = registration.sex
    return Personal("person/" + number, who, {"phone": registration.phone} if registration.phone else {})


@dataclass(frozen=True)
class Known:
    """A registered volunteer, opened: row of the projection and what the vault holds."""

    row: Any
    personal: Personal

    @property
    def masked_name(self) -> str:
        """The name as lists show it."""
        return identity.mask_name(self.personal.identity["name"]) if self.personal.identity else "（信息已删除）"


def find_by_id_numbers(tx: ReadTransaction, id_numbers: Iterable[str]) -> dict[str, Known]:
    """Find volunteers by ID number: those registered, by the number given."""
    owners = {value: subjects[0] for value, subjects in tx.vault.find(tx.connection, "id_number", id_numbers).items()}
    people = tx.vault.open(tx.connection, owners.values())
    numbers = {subject.removeprefix("person/") for subject in owners.values()}
    rows = {"person/" + row.number: row for row in rows_where_in(tx.connection, _VOLUNTEER.c, _VOLUNTEER.c.number, numbers)}
    return {value: Known(rows[subject], people[subject]) for value, subject in owners.items() if subject in rows and subject in people}


def get(tx: ReadTransaction, number: str) -> Known:
    """Give a volunteer by number, however it is typed. Raises NotFound or InvalidRequest."""
    number = parse_number(number)
    row = tx.connection.execute(select(_VOLUNTEER).where(_VOLUNTEER.c.number == number)).one_or_none()
    if row is None:
        raise NotFound("没有这个志愿者编号。请对照回执或志愿者卡再看一遍")
    return Known(row, tx.vault.open(tx.connection, ["person/" + number]).get("person/" + number, Personal("person/" + number)))


def masked_names(tx: ReadTransaction, numbers: Iterable[str]) -> dict[str, str]:
    """Give the masked names of volunteers by number; erased people get a placeholder."""
    wanted = list(numbers)
    people = tx.vault.open(tx.connection, ("person/" + number for number in wanted))
    names = {subject: person.identity.get("name", "") for subject, person in people.items()}
    return {number: identity.mask_name(names.get("person/" + number, "")) or "（信息已删除）" for number in wanted}
