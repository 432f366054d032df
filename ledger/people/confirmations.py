"""
Confirmations: somebody says themselves that the registration is theirs.

What proves that the person is there? A one-time code that somebody other than the registrar handed to them, or a signed form that a second person has
seen. Whoever registered somebody could use their code too; so a confirmation with a code from the registrar waits until another member of
staff has asked the person. Nobody confirms alone whom they registered.

A minor confirms when a guardian has consented, and is asked again on coming of age.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from ledger.bulk import upsert_rows
from ledger.entries import format_time
from ledger.errors import InvalidRequest, NotAllowed
from ledger.kinds import Body
from ledger.log import Fact, Receipt
from ledger.people import ages, proposals, volunteers
from ledger.people.proposals import Proposal
from ledger.people.volunteers import Known
from ledger.tables import HandedCodeRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_HANDED = table(HandedCodeRow)


def note_code(connection: Connection, now: datetime, account: str, volunteer: str) -> None:
    """Remember which account hands a volunteer a one-time code."""
    upsert_rows(connection, _HANDED, [{"volunteer": volunteer, "account": account, "handed_at": format_time(now)}])


def handed_code(connection: Connection, number: str) -> Any:
    """Say who handed a volunteer the newest code and when (account, handed_at); None if nobody did."""
    return connection.execute(select(_HANDED).where(_HANDED.c.volunteer == number)).one_or_none()


def is_wanted(tx: ReadTransaction, person: Known) -> bool:
    """Tell whether the person still has to be asked: never confirmed, or not since coming of age, and no answer of theirs waits."""
    row = person.row
    if row.left_on is not None or any(one.row.kind == "confirm" for one in proposals.of(tx, row.number)):
        return False
    id_number = person.personal.identity.get("id_number")
    if row.asked_again_on is None or id_number is None:
        return row.asked_again_on is None
    came_of_age = ages.in_force(tx.connection, tx.today.isoformat()).adult_on(id_number).isoformat()
    return bool(row.asked_again_on < came_of_age <= tx.today.isoformat())


def lacks_guardian(tx: ReadTransaction, person: Known) -> bool:
    """Tell whether somebody is a minor without a guardian's consent."""
    id_number = person.personal.identity.get("id_number")
    if id_number is None or person.row.guardian is not None:
        return False
    return ages.in_force(tx.connection, tx.today.isoformat()).band(id_number, tx.today) != "adult"


def by_person(tx: WriteTransaction) -> Receipt | None:
    """Confirm one's own registration, signed in. None: it waits for another member of staff. Raises InvalidRequest, NotAllowed."""
    if tx.actor.volunteer is None:
        raise NotAllowed("只有志愿者本人可以在自己的页面上确认")
    return _with_code(tx, volunteers.get(tx, tx.actor.volunteer), "sign_in")


def at_desk(tx: WriteTransaction, number: str) -> Receipt | None:
    """Confirm at the desk, the person having typed a code that was right. None: it waits. Raises InvalidRequest, NotAllowed, NotFound."""
    person = volunteers.get(tx, number)
    tx.require("register", person.row.station)
    tx.require_own()
    return _with_code(tx, person, "desk_code")


def on_paper(tx: WriteTransaction, number: str, evidence: str) -> str:
    """Hand in that the person signed on paper (*evidence*: base64 of the form's SHA-256); a second person accepts it. Returns the proposal's id."""
    person = volunteers.get(tx, number)
    tx.require("register", person.row.station)
    _require_open(tx, person)
    return proposals.ask(tx, "confirm", person.row.number, person.row.station, {"means": "paper", "evidence": evidence})


def carry_out(tx: WriteTransaction, proposal: Proposal) -> Receipt:
    """Confirm what a second person has seen."""
    person = volunteers.get(tx, proposal.row.volunteer)
    _require_open(tx, person)
    return _append(tx, person, {**proposal.said, "asked_by": proposal.row.asked_by})


def _with_code(tx: WriteTransaction, person: Known, means: str) -> Receipt | None:
    _require_open(tx, person)
    handed = handed_code(tx.connection, person.row.number)
    said = {"means": means, **({"code_by": handed.account} if handed else {})}
    if handed is None or person.row.recorder in (handed.account, tx.actor.account):
        proposals.ask(tx, "confirm", person.row.number, person.row.station, said)
        return None
    return _append(tx, person, said)


def _append(tx: WriteTransaction, person: Known, said: Body) -> Receipt:
    body = {"volunteer": person.row.number, "station": person.row.station, "confirmed_on": tx.today.isoformat(), **said}
    return tx.append([Fact("volunteer.confirmed", body)])[0]


def _require_open(tx: ReadTransaction, person: Known) -> None:
    if person.row.left_on is not None:
        raise InvalidRequest("这份登记已经结束，不能再确认。要重新参加，请到站点重新登记")
    if not is_wanted(tx, person) and not any(one.row.kind == "confirm" for one in proposals.of(tx, person.row.number)):
        raise InvalidRequest(f"本人已于 {person.row.asked_again_on} 确认过，不用再确认")
    if lacks_guardian(tx, person):
        raise InvalidRequest("未成年人要先有监护人同意。请带监护人签字的同意书到站点补登")
