"""Plans: activities being prepared, saved as often as wanted; and publishing them, once or many times over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, delete, select

from ledger import activities, organisations, stations, workdays
from ledger.activities import Activity
from ledger.bulk import rows_where_in, upsert_rows
from ledger.codes import EXCLUDED, EXCLUSION_LISTS
from ledger.entries import SHANGHAI, format_time
from ledger.errors import Conflict, InvalidRequest, NotFound
from ledger.ids import new_number
from ledger.kinds.checks import BREAK_MINUTES_MAX, MINUTES_MAX, holds_personal_number
from ledger.log import Fact
from ledger.notices import About, Telling, tell_many
from ledger.people.actors import Actor, require, units
from ledger.planning import sign_ups
from ledger.planning.recurring import AHEAD_MAX, Rule, occurrences
from ledger.service.drafts import duration, spell_minute, spoken_day
from ledger.tables import AccountRow, DeskRow, PlanRow, PresenceRow, ServiceRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

REPORT_DAYS_BEFORE = 7
"""Days before a major activity by which it is to be reported."""
PLAN_BYTES_MAX = 20_000
PLANS_MAX = 200
"""Plans that one station may keep."""

_PLAN, _VOLUNTEER, _ACCOUNT, _SERVICE = table(PlanRow), table(VolunteerRow), table(AccountRow), table(ServiceRow)
_DESK, _PRESENCE = table(DeskRow), table(PresenceRow)


@dataclass(frozen=True)
class Plan:
    """A plan as it was saved: its id, station, the form's fields, by whom and when."""

    id: str
    station: str
    said: dict[str, Any]
    saved_by: str
    saved_at: str


def report_due(start: str) -> date:
    """Give the last day on which a major activity that begins then is reported in time."""
    return date.fromisoformat(start[:10]) - timedelta(days=REPORT_DAYS_BEFORE)


# --- plans


def save(connection: Connection, now: datetime, actor: Actor, station: str, said: dict[str, Any], plan: str | None = None) -> str:
    """Keep a plan as it stands, new or over an older state. Returns its id. For `Ledger.operate`.

    Raises NotAllowed (another's station), NotFound (no such plan), InvalidRequest (too long, a personal number in it, too many plans).
    """
    stations.get(connection, station)
    require(connection, actor, "record", station)
    kept = orjson.dumps(said).decode()
    if len(kept) > PLAN_BYTES_MAX:
        raise InvalidRequest("计划的文字太长，请写得简短些")
    if any(holds_personal_number(str(value)) for value in said.values()):
        raise InvalidRequest("计划里请不要写手机号或身份证号。负责人请填账号或志愿者编号")
    if plan is not None:
        require(connection, actor, "record", _row(connection, plan).station)
    elif len(connection.execute(select(_PLAN.c.id).where(_PLAN.c.station == station)).all()) >= PLANS_MAX:
        raise InvalidRequest(f"这个站点已有 {PLANS_MAX} 份没有发布的计划，请先删掉不用的")
    new = plan or new_number()
    row = {"id": new, "station": station, "said": kept, "saved_by": actor.account, "saved_at": format_time(now)}
    upsert_rows(connection, _PLAN, [row])
    return new


def drop(connection: Connection, actor: Actor, plan: str) -> None:
    """Throw a plan away. For `Ledger.operate`. Raises NotFound, NotAllowed."""
    require(connection, actor, "record", _row(connection, plan).station)
    connection.execute(delete(_PLAN).where(_PLAN.c.id == plan))


def get(tx: ReadTransaction, actor: Actor, plan: str) -> Plan:
    """Give a plan. Raises NotFound, NotAllowed."""
    row = _row(tx.connection, plan)
    require(tx.connection, actor, "record", row.station)
    return _plan(row)


def listing(tx: ReadTransaction, actor: Actor) -> list[Plan]:
    """List the plans of the stations where somebody may record, newest first."""
    statement = select(_PLAN).where(_PLAN.c.station.in_(units(tx.connection, actor, "record"))).order_by(_PLAN.c.saved_at.desc())
    return [_plan(row) for row in tx.connection.execute(statement)]


def _plan(row: Any) -> Plan:
    return Plan(row.id, row.station, orjson.loads(row.said), row.saved_by, row.saved_at)


def _row(connection: Connection, plan: str) -> Any:
    row = connection.execute(select(_PLAN).where(_PLAN.c.id == plan)).one_or_none()
    if row is None:
        raise NotFound("没有这份计划，可能已经发布或删除。请回到活动列表看看")
    return row


# --- publishing


def publish(
    tx: WriteTransaction, activity: Activity, *, excluded: Sequence[str] = (), rule: Rule | None = None, plan: str | None = None
) -> list[str]:
    """Publish a planned activity, once or as often as a rule says, and let go of its plan. Returns the ids, in order of time.

    *excluded*: codes of EXCLUDED that somebody found to apply. Raises NotAllowed, NotFound, InvalidRequest (what is wrong, how to mend it), Conflict
    (it is there already).
    """
    stations.get(tx.connection, activity.station)
    tx.require("record", activity.station)
    if excluded:
        named = "；".join(EXCLUDED.get(code, code) for code in excluded)
        raise InvalidRequest(f"这项活动属于不得记录为志愿服务的情形：{named}。请不要在这里发布")
    _check_times(tx, activity)
    _check_report(tx, activity)
    _check_people(tx, activity)
    planned = replace(activity, declared=EXCLUSION_LISTS[-1])
    each = [planned]
    if rule is not None:
        first = _local(planned.start)
        known = workdays.calendar(tx.connection)
        if rule.skip_holidays and not known.knows(rule.until.year):
            text = f"{rule.until.year} 年的放假安排还没有录入，算不出哪天跳过"
            raise InvalidRequest(f"{text}。请先把截止日期改到 {rule.until.year - 1} 年年底，或不勾「逢法定节假日跳过」；也可以请管理员录入")
        days = occurrences(first.date(), rule, known.is_workday)
        shared = new_number()
        each = [replace(_moved(planned, day - first.date()), recurrence=shared) for day in days]
    size = tx.tree_size
    found = activities.find_or_publish(tx, each)
    if tx.tree_size - size < len(set(found)) or len(set(found)) < len(each):
        raise Conflict("同样的活动（站点、名称、系列、单位和时间都相同）已经发布过，请到活动列表里查看")
    if plan is not None:
        tx.connection.execute(delete(_PLAN).where(_PLAN.c.id == plan, _PLAN.c.station == activity.station))
    return found


def _local(said: str | None) -> datetime:
    if said is None:
        raise InvalidRequest("请填活动的开始和结束时间")
    return datetime.fromisoformat(said)


def _check_times(tx: WriteTransaction, activity: Activity) -> None:
    start, end = _local(activity.start), _local(activity.end)
    if end <= start:
        raise InvalidRequest("活动的结束时间不晚于开始时间。若活动跨过零点，请把结束日期改成第二天")
    if end - start > timedelta(minutes=MINUTES_MAX):
        raise InvalidRequest(f"一次活动最长 {duration(MINUTES_MAX)}，更长的请按天分开安排")
    if end <= tx.now.astimezone(SHANGHAI).replace(tzinfo=None):
        raise InvalidRequest("这个时间已经过去了。已经办过的活动不用安排，请直接登记签到表")
    if start.date() - tx.today > AHEAD_MAX:
        raise InvalidRequest(f"活动最多提前一年安排，这里写的是 {start.year} 年。请看看年份有没有写错")
    if "补录" in activity.title:
        raise InvalidRequest("活动名称里请不要写「补录」，写明做了什么")
    before, resting = spell_minute(start), timedelta()
    for pause in sorted(activity.breaks, key=lambda one: one["start"]):
        if not before <= pause["start"] < pause["end"] <= spell_minute(end):
            raise InvalidRequest("休息时间要在活动时间之内，而且互不重叠，请核对")
        before = pause["end"]
        resting += datetime.fromisoformat(pause["end"]) - datetime.fromisoformat(pause["start"])
    if resting >= min(end - start, timedelta(minutes=BREAK_MINUTES_MAX + 1)):
        raise InvalidRequest("休息时间占满了整个活动，请核对")


def _check_report(tx: WriteTransaction, activity: Activity) -> None:
    if activity.major and not activity.reported_on:
        due = report_due(activity.start or "")
        past = "，已经过了，请马上报备" if due < tx.today else ""
        raise InvalidRequest(
            f"这是重大活动，须事先报备（最迟 {spoken_day(due.isoformat())}{past}）。请先「存为计划」，报备之后填上报备日期再发布"
        )
    if activity.reported_on and date.fromisoformat(activity.reported_on) > tx.today:
        raise InvalidRequest("报备日期还没有到，请核对")


def _check_people(tx: WriteTransaction, activity: Activity) -> None:
    if activity.organisation and not organisations.name_of(tx.connection, activity.organisation):
        raise NotFound(f"没有编号为 {activity.organisation} 的组织")
    if bool(activity.responsible_account) == bool(activity.responsible_volunteer):
        raise InvalidRequest("请填一位负责人：工作人员的账号，或志愿者编号")
    if activity.responsible_volunteer:
        known = rows_where_in(
            tx.connection, [_VOLUNTEER.c.number, _VOLUNTEER.c.left_on], _VOLUNTEER.c.number, [activity.responsible_volunteer]
        )
        if not known or known[0].left_on is not None:
            raise InvalidRequest("负责人的志愿者编号没有登记，或者已经退出，请核对")
    elif activity.responsible_account != tx.actor.account:
        known = rows_where_in(tx.connection, [_ACCOUNT.c.id], _ACCOUNT.c.id, [activity.responsible_account])
        if not known:
            raise InvalidRequest("没有这个负责人账号，请从列表中选择")


def _moved(activity: Activity, by: timedelta) -> Activity:
    """Give the same activity so many days later."""

    def later(said: str | None) -> str:
        return spell_minute(_local(said) + by)

    breaks = [{name: later(at) for name, at in pause.items()} for pause in activity.breaks]
    return replace(activity, start=later(activity.start), end=later(activity.end), breaks=breaks)


# --- calling off


def cancel(tx: WriteTransaction, activity: str, *, reason: str) -> None:
    """Call an activity off, with a reason; who signed up for it is told.

    Raises NotFound, NotAllowed, InvalidRequest (it ended already, or people served in it).
    """
    row = activities.get(tx.connection, activity)
    tx.require("record", row.station)
    check_open(row)
    if not reason.strip():
        raise InvalidRequest("请写明取消的原因")
    standing = select(_SERVICE.c.entry_index).where(_SERVICE.c.activity == activity, _SERVICE.c.status != "voided").limit(1)
    if tx.connection.execute(standing).first() is not None:
        raise InvalidRequest("这个活动已经有人登记了服务，不能取消。登记错了请先作废那些记录")
    if tx.connection.execute(select(_PRESENCE.c.pair).where(_PRESENCE.c.activity == activity).limit(1)).first() is not None:
        raise InvalidRequest("已经有人在这个活动签到，不能取消。请结束活动，登记他们的时间")
    tx.connection.execute(delete(_DESK).where(_DESK.c.activity == activity))
    body = {"activity": activity, "station": row.station, "reason": reason.strip()}
    tx.append([Fact("activity.cancelled", body | ({"organisation": row.organisation} if row.organisation else {}))])
    coming = sign_ups.of_activity(tx.connection, activity)
    about: About = {"activity": activity, "served_on": (row.start or "")[:10], "station": row.station}
    tell_many(tx, [Telling("person/" + number, "activity.cancelled", about) for number in coming])


def check_open(row: Any) -> None:
    """Make sure that an activity has not ended. Raises InvalidRequest."""
    if row.ended_as is not None:
        raise InvalidRequest("这个活动已经取消" if row.ended_as == "cancelled" else "这个活动已经结束并登记完毕")
