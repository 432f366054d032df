"""
Volunteers: people registered at a home station under a random number, found by ID number or phone through the vault, never by the log.

A person is registered once: a second registration under the same ID number is refused, naming the number; who has left is registered anew under the
number they had. Registration by a clerk or from a roster stays unconfirmed until the person says so (confirmations.py). Backbone volunteers
(志愿服务骨干) are designated by an entry of their own. A minor's registration at the desk needs a guardian's consent (ages.py); a roster is
older paper and is taken as it stands, but a minor on it cannot confirm before a guardian has. A number that was merged into another finds the other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from ledger import stations
from ledger.bulk import rows_where_in
from ledger.errors import NotFound
from ledger.ids import new_number, parse_number
from ledger.kinds import Body
from ledger.log import Fact
from ledger.people import ages, identity
from ledger.people.vault import Commitments, Personal
from ledger.refusals import Already, Refusal
from ledger.tables import AccountRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_VOLUNTEER, _ACCOUNT = table(VolunteerRow), table(AccountRow)
_ENDED = Refusal("against_rules", "这个站点已经撤销，请登记到并入的站点", "所属站点编码")


@dataclass(frozen=True)
class Guardian:
    """Who consented for a minor, and the digest of the paper they signed (base64 of SHA-256)."""

    name: str
    relation: str
    phone: str
    consent: str


@dataclass(frozen=True)
class Registration:
    """What is said of a new volunteer. *id_number* has been checked; *basis*: self, clerk or roster; *source*: file hash and row, if any.

    more: contact fields beside the phone (area, skills, services).
    """

    name: str
    id_number: str
    station: str
    registered_on: date
    basis: str
    phone: str = ""
    sex: str = ""
    backbone: bool = False
    source: dict[str, str | int] | None = None
    guardian: Guardian | None = None
    more: Mapping[str, str] = field(default_factory=dict)


def register_many(tx: WriteTransaction, registrations: Sequence[Registration]) -> list[str | Already | Refusal]:
    """Register people; each answer is the volunteer number, or why not. The same person again with the same name is Already."""
    owners = tx.vault.find(tx.connection, "id_number", (r.id_number for r in registrations))
    registered = {s.removeprefix("person/") for subjects in owners.values() for s in subjects}
    rows = {row.number: row for row in rows_where_in(tx.connection, _VOLUNTEER.c, _VOLUNTEER.c.number, registered)}
    people = tx.vault.open(tx.connection, (subject for subjects in owners.values() for subject in subjects))
    policy = ages.in_force(tx.connection, tx.today.isoformat())
    ended = stations.ended(tx.connection, {registration.station for registration in registrations})
    answers: list[str | Already | Refusal] = []
    accepted: list[tuple[str, Registration]] = []
    back: list[tuple[str, Registration]] = []
    seen: set[str] = set()
    for registration in registrations:
        tx.require("register", registration.station)
        owner = owners.get(registration.id_number, [None])[0]
        known = rows[owner.removeprefix("person/")] if owner is not None else None
        refusal = _ENDED if registration.station in ended else _unfit(registration, policy, tx.today)
        if registration.id_number in seen:
            answers.append(Refusal("duplicate", "这个身份证号在本表中已经出现过，请只留一行", "身份证号"))
        elif known is not None and (known.left_on is None or known.merged_into):
            answers.append(_known(registration, known, people.get(f"person/{known.number}")))
        elif known is not None and (stays_out := _stays_out(registration, known, people.get(f"person/{known.number}"))) is not None:
            answers.append(stays_out)
        elif refusal is not None:
            answers.append(refusal)
        else:
            (accepted if known is None else back).append((new_number() if known is None else known.number, registration))
            answers.append((accepted if known is None else back)[-1][0])
        seen.add(registration.id_number)
    _append(tx, accepted, tx.seal([_personal(number, registration) for number, registration in accepted]))
    _append(tx, back, tx.vault.reseal(tx.connection, [_personal(number, registration) for number, registration in back]) if back else [])
    return answers


def _unfit(registration: Registration, policy: ages.AgePolicy, today: date) -> Refusal | None:
    """Give the reason why nobody with these facts may be registered so, if there is one."""
    if registration.registered_on > today:
        return Refusal("future_date", f"注册日期 {registration.registered_on} 在将来，请核对", "注册日期")
    if registration.basis == "roster":
        return None
    band = policy.band(registration.id_number, today)
    if band == "too_young":
        return Refusal("unreadable", f"未满 {policy.minimum_age} 岁不办理登记（现行年龄规则）。请核对身份证号", "身份证号")
    if band != "adult" and registration.guardian is None:
        return Refusal("missing", f"未满 {policy.adult_age} 岁须经监护人同意。请填写监护人姓名、关系、电话，并附上签字的同意书", "监护人")
    return None


def _stays_out(registration: Registration, row: Any, person: Personal | None) -> Refusal | None:
    """Give the reason why somebody who left may not be registered anew like this."""
    if row.left_as == "not_me" and row.disowned is None:
        return Refusal("duplicate", "本人否认过以前的登记，正在核查。核查有了结论，才能重新登记", "身份证号")
    if registration.basis == "roster":
        text = f"这个人已于 {row.left_on} 退出，名册不能替本人重新登记。本人愿意重新参加的，请到站点当面办理"
        return Refusal("duplicate", text, "身份证号")
    if person is None or person.identity.get("name") != registration.name:
        return Refusal("name_mismatch", "这个身份证号以前登记的姓名不同。请对照证件核对；改过名的，先按「更正信息」办理", "姓名")
    if registration.registered_on.isoformat() < row.left_on:
        return Refusal("duplicate", f"重新登记的日期不能早于退出的日期 {row.left_on}，请核对", "注册日期")
    return None


def _known(registration: Registration, row: Any, person: Personal | None) -> Already | Refusal:
    if row.merged_into:
        text = f"这个身份证号属于已合并的重复登记，现在的志愿者编号是 {row.merged_into}，请不要重复登记"
        return Refusal("duplicate", text, "身份证号")
    if person is not None and person.identity["name"] == registration.name and row.station == registration.station:
        return Already(row.entry_index)
    text = f"这个身份证号已登记（志愿者编号 {row.number}，登记站点 {row.station}）。如是同一人请不要重复登记；如不是，请核对证件"
    return Refusal("duplicate", text, "身份证号")


def _append(tx: WriteTransaction, accepted: list[tuple[str, Registration]], sealed: list[Commitments]) -> None:
    facts = []
    for (number, registration), commitments in zip(accepted, sealed, strict=True):
        assert commitments.identity is not None
        body: Body = {
            "volunteer": number,
            "station": registration.station,
            "registered_on": registration.registered_on.isoformat(),
            "basis": registration.basis,
            "identity": commitments.identity,
        }
        if commitments.contact:
            body["contact"] = commitments.contact
        if registration.source:
            body["source"] = registration.source
        if registration.guardian and commitments.guardian:
            body |= {"guardian": commitments.guardian, "consent": registration.guardian.consent}
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
    contact = {"phone": registration.phone, **registration.more}
    consented = registration.guardian
    guardian = {"name": consented.name, "relation": consented.relation, "phone": consented.phone} if consented else {}
    return Personal("person/" + number, who, {key: said for key, said in contact.items() if said}, guardian)


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
    """Find volunteers by ID number: those registered, by the number given. Who was merged is found as who they were merged into."""
    owners = {
        value: subjects[0].removeprefix("person/") for value, subjects in tx.vault.find(tx.connection, "id_number", id_numbers).items()
    }
    rows = current(tx, owners.values())
    people = tx.vault.open(tx.connection, ("person/" + row.number for row in rows.values()))
    found = {value: rows[number] for value, number in owners.items() if number in rows}
    return {value: Known(row, people["person/" + row.number]) for value, row in found.items() if "person/" + row.number in people}


def current(tx: ReadTransaction, numbers: Iterable[str]) -> dict[str, Any]:
    """Give the rows of volunteers by number, without opening anything; of merged ones, the row of who they are now. Unknown ones are absent."""
    rows = {row.number: row for row in rows_where_in(tx.connection, _VOLUNTEER.c, _VOLUNTEER.c.number, set(numbers))}
    kept = {row.merged_into for row in rows.values() if row.merged_into}
    now = {row.number: row for row in rows_where_in(tx.connection, _VOLUNTEER.c, _VOLUNTEER.c.number, kept)}
    return {number: now.get(row.merged_into, row) for number, row in rows.items()}


def current_number(tx: ReadTransaction, number: str) -> str:
    """Give the number in use of whoever has, or had, a number."""
    rows = current(tx, [number])
    return str(rows[number].number) if number in rows else number


def get(tx: ReadTransaction, number: str, *, follow: bool = True) -> Known:
    """Give a volunteer by number, however it is typed; of a merged one, who they are now, unless told not to follow.

    Raises NotFound or InvalidRequest.
    """
    number = parse_number(number)
    row = tx.connection.execute(select(_VOLUNTEER).where(_VOLUNTEER.c.number == number)).one_or_none()
    if row is None:
        raise NotFound("没有这个志愿者编号。请对照回执或志愿者卡再看一遍")
    if row.merged_into and follow:
        return get(tx, row.merged_into)
    return Known(row, tx.vault.open(tx.connection, ["person/" + number]).get("person/" + number, Personal("person/" + number)))


def numbers_of(tx: ReadTransaction, number: str) -> list[str]:
    """List every number that a person has ever had: the one in use first, then those merged into it."""
    statement = select(_VOLUNTEER.c.number).where(_VOLUNTEER.c.merged_into == number).order_by(_VOLUNTEER.c.number)
    return [number, *tx.connection.execute(statement).scalars()]


def accounts_of(tx: ReadTransaction, number: str) -> list[str]:
    """List the accounts with which a person signs in: one for each number that has one."""
    return [row.id for row in rows_where_in(tx.connection, [_ACCOUNT.c.id], _ACCOUNT.c.volunteer, numbers_of(tx, number))]


def masked_names(tx: ReadTransaction, numbers: Iterable[str]) -> dict[str, str]:
    """Give the masked names of volunteers by number; erased people get a placeholder."""
    wanted = list(numbers)
    people = tx.vault.open(tx.connection, ("person/" + number for number in wanted))
    names = {subject: person.identity.get("name", "") for subject, person in people.items()}
    return {number: identity.mask_name(names.get("person/" + number, "")) or "（信息已删除）" for number in wanted}
