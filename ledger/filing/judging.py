"""
The second and third step: what the community (居、村委会) and the street (备案机关) say of an application.

The rules this file alone keeps:

1. Each step is somebody else's: whoever handed an application in gives no opinion, and whoever spoke for the community does not decide for the street.
2. The community's opinion comes from the community's own desk, not from above; the street's from an approver of the street or above it. In this order.
3. Returning and refusing say why, in words that whoever asked reads.
4. The filing number is given at the street's agreement: by street, in order, without a gap, never twice; a filing again is a new act with a new number.
   The writer is alone, so that two at once wait for each other.
"""

from datetime import date
from typing import Any

import orjson
from sqlalchemy import func, select

from ledger import organisations
from ledger.errors import Conflict, InvalidRequest, NotAllowed
from ledger.filing import naming, reading
from ledger.kinds import Body
from ledger.kinds.filing import OUTCOMES, REASON_MAX, STEPS
from ledger.log import Fact, Receipt
from ledger.notices import About, tell, tell_staff
from ledger.people.actors import Actor, ancestry
from ledger.people.vault import Personal
from ledger.policies import service_policy
from ledger.record.saying import maybe, words
from ledger.tables import FilingApplicationRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_APPLICATION = table(FilingApplicationRow)
ACTIONS = {"community": "opine", "street": "decide_filing"}
STREET_CODE = 9
"""A street's digits in the statistical code of twelve."""


def step_of(row: Any) -> str:
    """Say whose turn it is about an application (a code of STEPS); empty when it is nobody's."""
    if row.state == "heard":
        return "street"
    if row.state == "asked":
        return "street" if row.station == row.street else "community"
    return ""


def barred(tx: ReadTransaction, actor: Actor, row: Any) -> str:
    """Say why an actor may not give the opinion that an application waits for; empty when they may."""
    step = step_of(row)
    if not step:
        return "这件申请不在等意见"
    if actor.account == row.asked_by:
        return "这件申请是您交上来的，意见要由另一个人来出"
    if step == "street" and actor.account == row.community_by:
        return "居（村）委会的意见是您出的，备案机关的意见要由另一个人来出"
    held = [grant for grant in actor.grants if grant.allows(ACTIONS[step])]
    if step == "community":
        return "" if any(grant.station == row.station for grant in held) else "居（村）委会的意见，要由本社区的工作人员来出"
    if not {None, *ancestry(tx.connection, row.street)}.intersection(grant.station for grant in held):
        return "备案机关的意见，要由街镇的审核员来出"
    return ""


def waiting(tx: ReadTransaction, actor: Actor) -> list[Any]:
    """List the applications that wait for this actor's opinion, the oldest first."""
    return [row for row in reading.applications(tx, actor, naming.OPEN) if not barred(tx, actor, row)]


def judge(tx: WriteTransaction, filing: str, step: str, outcome: str, reason: str = "") -> list[Receipt]:
    """Give the opinion of a step (codes of STEPS and OUTCOMES), with the reason of anything but agreement.

    Returns the receipts: of the opinion, and of what follows from the street's agreement. Raises NotFound, NotAllowed, InvalidRequest, Conflict.
    """
    row = reading.get_row(tx, filing)
    if step not in STEPS or outcome not in OUTCOMES:
        raise InvalidRequest(f"请选择意见：{'、'.join(OUTCOMES.values())}")
    if (turn := step_of(row)) != step:
        raise Conflict(f"现在{f'轮到「{STEPS[turn]}」' if turn else '这件申请已经有结果'}，请刷新页面")
    if why := barred(tx, tx.actor, row):
        raise NotAllowed(why)
    tx.require(ACTIONS[step], row.station if step == "community" else row.street)
    said = maybe(reason, "意见", REASON_MAX) if outcome == "agreed" else words(reason, f"{OUTCOMES[outcome]}的理由", REASON_MAX, 4)
    body: Body = {**_of(row), "step": step, "outcome": outcome, **({"reason": said} if said else {})}
    facts = [Fact("organisation.filing_judged", body)]
    if step == "street" and outcome == "agreed":
        facts.append(_following(tx, row))
    receipts = tx.append(facts)
    about: About = {"filing": filing, "form": row.form, "step": step, "outcome": outcome}
    if step == "community" and outcome == "agreed":
        tell_staff(tx, "decide_filing", row.street, "filing.heard", about)
    elif row.asked_by != tx.actor.account:
        tell(tx, row.asked_by, "filing.judged", about)
    return receipts


def _of(row: Any) -> Body:
    return {"organisation": row.organisation, "station": row.station, "filing": row.filing}


def _following(tx: WriteTransaction, row: Any) -> Fact:
    """Say what follows from the street's agreement."""
    said, today = orjson.loads(row.said), tx.today.isoformat()
    if row.form == "change":
        return Fact("organisation.changed", {**_of(row), "changed_on": today, "items": said["items"]})
    if row.form == "cancel":
        return Fact("organisation.cancelled", {**_of(row), "cancelled_on": today, "settled": said["settled"]})
    known = organisations.get_row(tx.connection, row.organisation)
    if known is None:  # its own key: what is asked about it from now on is sealed under that
        tx.seal([Personal("organisation/" + row.organisation)])
    years = service_policy(tx.connection, today).filing_valid_years
    serial = _next_serial(tx, row.street)
    body: Body = {
        **_of(row),
        "number": number_of(row.street, serial),
        "name": row.name,
        **{name: said[name] for name in ("scheme", "category", "volunteer_organisation")},
        "filed_on": today,
        "expires_on": organisations.years_later(date.fromisoformat(today), years).isoformat(),
        "street": row.street,
        "serial": serial,
        **({"contact": known.contact} if known is not None and known.contact else {}),
    }
    return Fact("organisation.filed", body)


def number_of(street: str, serial: int) -> str:
    """Spell a filing number: 备340104001第00012号, by the nine digits of the street and its own order."""
    return f"{organisations.NUMBER_PREFIX}{street[:STREET_CODE]}第{serial:05d}号"


def _next_serial(tx: WriteTransaction, street: str) -> int:
    """Draw the street's next number: the writer is alone, so there is no gap and no number twice."""
    same = _APPLICATION.c.street.startswith(street[:STREET_CODE], autoescape=True)
    newest: Any = tx.connection.execute(select(func.max(_APPLICATION.c.serial)).where(same)).scalar_one()
    return int(newest or 0) + 1
