"""Adding what was missed: a service that should have been recorded enters the ledger late, on the word of whoever found that it was given."""

from dataclasses import dataclass
from datetime import datetime

from ledger import activities, stations
from ledger.activities import Activity
from ledger.errors import InvalidRequest, NotAllowed
from ledger.ids import new_entry_id
from ledger.log import Receipt
from ledger.people import volunteers
from ledger.refusals import Already, Refusal
from ledger.service.drafts import Draft, spell_minute
from ledger.service.recording import record_many
from ledger.transactions import WriteTransaction

GRADE = "C"
"""Whatever there was as proof, it is entered afterwards."""


@dataclass(frozen=True)
class Found:
    """A service as it was found to have been given: naive local times, minutes of break; at an activity that is known, or by title and series."""

    start: datetime
    end: datetime
    break_minutes: int = 0
    activity: str | None = None
    title: str = ""
    series: str = ""


def add(tx: WriteTransaction, volunteer: str, station: str, found: Found) -> Receipt:
    """Record a service that was missed; it waits for approval by somebody else, like any other.

    Raises NotAllowed (the actor records no hours there), InvalidRequest for what the ordinary path refuses.
    """
    try:
        tx.require("record", station)
    except NotAllowed:
        raise NotAllowed("成立的要补记时长，您的账号不能登记时长：请由这个站点或上级的审核员处理。不成立的，您可以直接答复") from None
    number = volunteers.get(tx, volunteer).row.number
    activity = found.activity or _activity(tx, station, found)
    row = activities.get(tx.connection, activity)
    if row.station != station:
        raise InvalidRequest("这项活动不是这个站点的，请重新选择")
    unit = row.organisation
    draft = Draft(number, activity, station, found.start, found.end, GRADE, new_entry_id(), unit, found.break_minutes)
    [answer] = record_many(tx, [draft])
    if isinstance(answer, Already):
        raise InvalidRequest(f"账本里已有同样的一条：第 {answer.index} 条。请在理由里写明条号，答复「异议不成立」")
    if isinstance(answer, Refusal):
        raise InvalidRequest(answer.message)
    return answer


def _activity(tx: WriteTransaction, station: str, found: Found) -> str:
    if not found.title or not found.series:
        raise InvalidRequest("请选择是哪一项活动；列表里没有的，请填活动名称和系列")
    place = stations.get(tx.connection, station).name
    start, end = spell_minute(found.start), spell_minute(found.end)
    said = Activity(station, found.title, found.series, responsible_unit=place, start=start, end=end)
    return activities.find_or_publish(tx, [said])[0]
