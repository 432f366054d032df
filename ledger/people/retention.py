"""
How long a law asks for what is held of a volunteer, so that erasing it has to wait (个人信息保护法 articles 47 and 72).

民政部令第67号 sets no term, so there is none unless the district adopts one, with the rule it rests on (its archives rules, say), as an entry: so
many years after the last service, or after the registration where there was none. Until then a request leads to restriction (封存): everything but
keeping stops. Names are not shown, nobody is found, the account is shut; the credit stays.
"""

from dataclasses import dataclass
from datetime import date

import orjson
from sqlalchemy import func, select

from ledger.errors import InvalidRequest
from ledger.kinds.checks import holds_personal_number
from ledger.log import Fact, Receipt
from ledger.tables import PolicyRow, ServiceRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

POLICY = "personal-data"
YEARS_MAX = 100
_POLICY, _SERVICE, _VOLUNTEER = table(PolicyRow), table(ServiceRow), table(VolunteerRow)


@dataclass(frozen=True)
class Duty:
    """A legal duty to keep somebody's data: until and with which day, on what basis."""

    until: date
    basis: str


def adopt(tx: WriteTransaction, *, years: int, basis: str) -> Receipt:
    """Adopt, from today on, for how many years after the last service data must be kept; 0: no duty. Raises InvalidRequest, NotAllowed."""
    tx.require("set_up", None)
    basis = " ".join(basis.split())
    if not 0 <= years <= YEARS_MAX:
        raise InvalidRequest(f"保存年限应是 0 到 {YEARS_MAX} 的整数；0 表示没有法定保存期限")
    if not basis or len(basis) > 200 or holds_personal_number(basis):
        raise InvalidRequest("请写明依据的文件和条款（200 字以内，不含手机号和证件号）")
    rules = {"years_after_service": years, "basis": basis}
    return tx.append([Fact("policy.adopted", {"policy": POLICY, "effective_on": tx.today.isoformat(), "rules": rules, "document": basis})])[
        0
    ]


def duty(tx: ReadTransaction, number: str) -> Duty | None:
    """Tell whether and until when a volunteer's data must be kept; None when nothing asks for it (any more)."""
    in_force = select(_POLICY.c.rules).where(_POLICY.c.policy == POLICY, _POLICY.c.effective_on <= tx.today.isoformat())
    said = tx.connection.execute(in_force.order_by(_POLICY.c.effective_on.desc()).limit(1)).scalar_one_or_none()
    if not said or not (rules := orjson.loads(said))["years_after_service"]:
        return None
    last = tx.connection.execute(select(func.max(_SERVICE.c.served_on)).where(_SERVICE.c.volunteer == number)).scalar_one()
    last = last or tx.connection.execute(select(_VOLUNTEER.c.registered_on).where(_VOLUNTEER.c.number == number)).scalar_one()
    until = _years_later(date.fromisoformat(last), rules["years_after_service"])
    return Duty(until, rules["basis"]) if until >= tx.today else None


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)
