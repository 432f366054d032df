"""
Gates: what an approver is shown first among the records that wait, and why; and which of them came late.

A record is due within the policy's working days after its activity ended (or the service, if nothing is said of the activity); what came later is late,
and so is what cannot be told because a year's calendar is not known. The rest is remarks: numbers of the policy, never a refusal.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from ledger import activities
from ledger.attendance import desks
from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest
from ledger.kinds import Body
from ledger.policies import ServicePolicy, service_policy
from ledger.service.drafts import duration
from ledger.service.records import as_recorded
from ledger.tables import ServiceRow, table
from ledger.transactions import ReadTransaction
from ledger.workdays import Calendar, calendar

_SERVICE = table(ServiceRow)
_STRONG = ("A",)
"""Grades at which the same times for many need no look: both sides checked in."""


def late(tx: ReadTransaction, rows: Sequence[Any]) -> list[Any]:
    """Give those of these records that came later than the policy allows; what was settled on paper before never is."""
    policy, known, ended = _grounds(tx, rows)
    return [row for row in rows if row.status == "recorded" and _lateness(row, ended, policy, known)]


def exceptions(tx: ReadTransaction, rows: Sequence[Any]) -> dict[int, list[str]]:
    """Say of each record that an approver should look at why, in sentences; records without a reason are absent."""
    policy, known, ended = _grounds(tx, rows)
    planned = activities.get_many(tx.connection, {row.activity for row in rows})
    same = Counter((row.recorder, row.activity, row.start, row.end) for row in rows if row.grade not in _STRONG)
    forgotten = desks.forgotten(tx.connection, [row.entry_index for row in rows if not row.corrected_by])
    days = _minutes_by_day(tx, {row.volunteer for row in rows})
    first = as_recorded(tx.connection, [row.entry_index for row in rows if row.corrected_by])
    found = {}
    for row in rows:
        activity = planned[row.activity]
        alike = same[row.recorder, row.activity, row.start, row.end]
        day = days[row.volunteer, row.served_on]
        said = (
            "本人提出了异议，先处理异议" if row.contested_by is not None else "",
            f"已更正：{row.reason}（原来 {_span(first[row.entry_index])}）" if row.corrected_by else "",
            "忘记签退，按活动结束时间计，请问清本人什么时候走的" if row.entry_index in forgotten else "",
            _lateness(row, ended, policy, known),
            f"超过每日上限，已有第二人签字（当日共 {duration(day)}）" if row.second else "",
            outside(row.start, row.end, activity),
            "夜间服务" if at_night(row.start, row.end, policy) else "",
            f"同一活动 {alike} 人时间完全相同" if alike >= policy.same_interval_people else "",
            f"当日共 {duration(day)}，时间较长" if day >= policy.long_day_minutes and not row.second else "",
        )
        reasons = [one for one in said if one]
        if reasons:
            found[row.entry_index] = reasons
    return found


def _grounds(tx: ReadTransaction, rows: Sequence[Any]) -> tuple[ServicePolicy, Calendar, dict[str, str]]:
    """Read the policy, the calendar, and when the records' activities ended."""
    planned = activities.get_many(tx.connection, {row.activity for row in rows})
    ended = {activity: row.end for activity, row in planned.items() if row.end}
    return service_policy(tx.connection, tx.today.isoformat()), calendar(tx.connection), ended


def _lateness(row: Any, ended: dict[str, str], policy: ServicePolicy, known: Calendar) -> str:
    """Say that a record came late, or that it cannot be told; an empty text when it came in time."""
    end = max(row.end, ended.get(row.activity, ""))
    return _passed(date.fromisoformat(end[:10]), date.fromisoformat(row.recorded_at[:10]), policy, known)


def would_be_late(tx: ReadTransaction, over: date) -> str:
    """Say that what was over on a day would come late if it were recorded now, or that it cannot be told; an empty text when it would not."""
    return _passed(over, tx.today, service_policy(tx.connection, tx.today.isoformat()), calendar(tx.connection))


def _passed(over: date, came: date, policy: ServicePolicy, known: Calendar) -> str:
    if (came - over).days <= policy.entry_due_working_days:
        return ""  # working days are days
    try:
        passed = known.between(over, came)
    except InvalidRequest as unknown:
        return f"算不出是否逾期：{unknown}"
    due = policy.entry_due_working_days
    return f"活动结束后第 {passed} 个工作日才登记，超过 {due} 个工作日，要由上一级审核" if passed > due else ""


def _span(said: Body) -> str:
    """Say from when to when a service was said to be: 14:00–16:00，2小时."""
    over = "次日 " if said["end"][:10] > said["start"][:10] else ""
    return f"{said['start'][11:]}–{over}{said['end'][11:]}，{duration(said['minutes'])}"


def outside(start: str, end: str, activity: Any) -> str:
    """Say that a service goes beyond the time its activity was planned for; empty when it does not, or none was planned."""
    if not activity.start or not activity.end or (start >= activity.start and end <= activity.end):
        return ""
    return f"在活动的计划时间之外（计划 {activity.start[5:].replace('T', ' ')} 至 {activity.end[5:].replace('T', ' ')}）"


def at_night(start: str, end: str, policy: ServicePolicy) -> bool:
    """Tell whether a service touches the hours of the night."""
    begin, finish = datetime.fromisoformat(start), datetime.fromisoformat(end)
    day = begin.replace(hour=0, minute=0)
    dark, light = timedelta(hours=policy.night_from_hour - 24), timedelta(hours=policy.night_until_hour)
    nights = ((day + timedelta(days=n) + dark, day + timedelta(days=n) + light) for n in (0, 1, 2))
    return any(begin < over and since < finish for since, over in nights)


def _minutes_by_day(tx: ReadTransaction, people: set[str]) -> Counter[tuple[str, str]]:
    """Add up what stands of people by the day."""
    columns = [_SERVICE.c[name] for name in ("volunteer", "served_on", "minutes")]
    found: Counter[tuple[str, str]] = Counter()
    for row in rows_where_in(tx.connection, columns, _SERVICE.c.volunteer, people, where="status <> 'voided'"):
        found[row.volunteer, row.served_on] += row.minutes
    return found
