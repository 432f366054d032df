"""
Withdrawals: somebody stops being a volunteer, or says that they never were one.

Leaving is the person's own act, or done at the desk on their word; hours stay theirs and can be certified. 「不是我登记的」 is the person's alone: from
that moment the registration counts nowhere, for no day, and what was recorded under it is frozen. A member of staff above, who did not register
them, looks into it and says what came out; who was registered rightly after all is registered anew at their own wish, and then the hours count again.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from ledger.errors import InvalidRequest, NotAllowed
from ledger.kinds.people import FINDINGS, LEAVING
from ledger.log import Fact, Receipt
from ledger.people import proposals, volunteers
from ledger.people.actors import Actor, units
from ledger.planning import sign_ups
from ledger.tables import ServiceRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_VOLUNTEER, _SERVICE = table(VolunteerRow), table(ServiceRow)


@dataclass(frozen=True)
class Disowned:
    """A registration that somebody disowned: row, masked name, how many records are frozen; of_recorder: what the same account registered so."""

    row: Any
    name: str
    records: int
    disowned_of_recorder: int
    registered_by_recorder: int


def withdraw(tx: WriteTransaction, number: str, reason: str) -> Receipt:
    """Note that somebody leaves: themselves, or staff on their word. Raises NotAllowed, InvalidRequest (left already, no such reason)."""
    person = volunteers.get(tx, number).row
    own = tx.actor.volunteer is not None and tx.actor.volunteer in volunteers.numbers_of(tx, person.number)
    if not own:
        tx.require("register", person.station)
    if reason not in LEAVING or (reason == "not_me" and not own):
        raise InvalidRequest("请选择退出的原因。「不是我登记的」只能由本人在自己的页面上说")
    if person.left_on is not None:
        raise InvalidRequest(f"这份登记已于 {person.left_on} 结束")
    proposals.drop_all(tx, person.number, "本人已退出")
    sign_ups.drop_all(tx.connection, volunteers.numbers_of(tx, person.number))
    body = {"volunteer": person.number, "station": person.station, "withdrawn_on": tx.today.isoformat(), "reason": reason}
    return tx.append([Fact("volunteer.withdrawn", body)])[0]


def decide(tx: WriteTransaction, number: str, finding: str, reason: str) -> Receipt:
    """Say what came out when a disowned registration was looked into. Raises NotAllowed for whoever registered them, InvalidRequest."""
    person = volunteers.get(tx, number, follow=False).row
    tx.require("decide_people", person.station)
    if tx.actor.account == person.recorder:
        raise NotAllowed("这份登记是您做的，要由另一位工作人员核查")
    if person.left_as != "not_me" or person.disowned is not None:
        raise InvalidRequest("这份登记没有在等待核查，请刷新页面")
    if finding not in FINDINGS:
        raise InvalidRequest("请选择核查的结论")
    body = {"volunteer": person.number, "station": person.station, "finding": finding, "reason": reason}
    return tx.append([Fact("volunteer.disowning_decided", body)])[0]


def disowned(tx: ReadTransaction, actor: Actor) -> list[Disowned]:
    """List the registrations disowned where the actor looks into them, those not decided yet first."""
    within = set(units(tx.connection, actor, "decide_people"))
    query = select(_VOLUNTEER).where(_VOLUNTEER.c.left_as == "not_me").order_by(_VOLUNTEER.c.left_on.desc(), _VOLUNTEER.c.number)
    everyone = tx.connection.execute(query).all()
    rows = sorted((row for row in everyone if row.station in within), key=lambda row: row.disowned is not None)
    names = volunteers.masked_names(tx, [row.number for row in rows])
    by_recorder = Counter(row.recorder for row in everyone)
    registered = select(_VOLUNTEER.c.recorder, func.count()).where(_VOLUNTEER.c.recorder.in_(by_recorder)).group_by(_VOLUNTEER.c.recorder)
    all_by: dict[str, int] = dict(map(tuple, tx.connection.execute(registered)))
    standing = (_SERVICE.c.volunteer.in_([row.number for row in rows]), _SERVICE.c.status != "voided")
    records = select(_SERVICE.c.volunteer, func.count()).where(*standing).group_by(_SERVICE.c.volunteer)
    frozen: dict[str, int] = dict(map(tuple, tx.connection.execute(records)))
    return [Disowned(row, names[row.number], frozen.get(row.number, 0), by_recorder[row.recorder], all_by[row.recorder]) for row in rows]
