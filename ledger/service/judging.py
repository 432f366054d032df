"""Judging whether a service may be recorded: people and activities known, times that can be, nobody in two places, the daily cap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ledger import activities, stations
from ledger.bulk import rows_in_spans, rows_where_in
from ledger.entries import SHANGHAI
from ledger.errors import LedgerError, NotAllowed, NotFound
from ledger.kinds import Body
from ledger.kinds.checks import BREAK_MINUTES_MAX, MINUTES_MAX
from ledger.people.actors import Actor, require
from ledger.policies import ServicePolicy, in_force, service_policies
from ledger.refusals import Already, Refusal
from ledger.rules import gates
from ledger.service.drafts import Draft, duration, spoken, spoken_day
from ledger.tables import ActivityRow, ServiceRow, VolunteerRow, table
from ledger.transactions import WriteTransaction

_ACTIVITY, _SERVICE, _VOLUNTEER = table(ActivityRow), table(ServiceRow), table(VolunteerRow)
_STOOD = [_SERVICE.c[name] for name in ("volunteer", "start", "end", "activity", "station", "entry_index", "served_on", "minutes")]
_LEFT = [_VOLUNTEER.c[name] for name in ("number", "left_on", "left_as", "merged_into")]
_LONGEST = timedelta(minutes=MINUTES_MAX + BREAK_MINUTES_MAX) + timedelta(days=1)
"""How far back a record may begin that is still going on: what it may count, its breaks, and the rest of the day."""


@dataclass(slots=True)
class Standing:
    """What already stands of one person, and what this call adds: [(start, end, activity, station, index or None)], minutes by day."""

    intervals: list[tuple[str, str, str, str, int | None]]
    minutes_by_day: dict[str, int]


def load_standing(connection: Connection, drafts: Sequence[Draft]) -> dict[str, Standing]:
    """Read what already stands of the people among drafts, around the days of each: what is recorded together need not be of one day."""
    people = {draft.volunteer: Standing([], {}) for draft in drafts}
    spans: dict[str, tuple[str, str]] = {}
    for draft in drafts:
        first, last = (draft.start - _LONGEST).date().isoformat(), (draft.end.date() + timedelta(days=1)).isoformat()
        known = spans.get(draft.volunteer, (first, last))
        spans[draft.volunteer] = (min(known[0], first), max(known[1], last))
    for row in rows_in_spans(connection, _STOOD, _SERVICE.c.volunteer, _SERVICE.c.start, spans, "status <> 'voided'"):
        one = people[row.volunteer]
        one.intervals.append((row.start, row.end, row.activity, row.station, row.entry_index))
        one.minutes_by_day[row.served_on] = one.minutes_by_day.get(row.served_on, 0) + row.minutes
    return people


def missing(connection: Connection, drafts: Sequence[Draft]) -> tuple[set[str], dict[str, Any]]:
    """List the people and activities among drafts that are not known (or were called off), and give the rows of people who left."""
    people, done = {draft.volunteer for draft in drafts}, {draft.activity for draft in drafts}
    rows = {row.number: row for row in rows_where_in(connection, _LEFT, _VOLUNTEER.c.number, people)}
    left = {number: row for number, row in rows.items() if row.left_on is not None}
    held = {
        row.id
        for row in rows_where_in(connection, (_ACTIVITY.c.id, _ACTIVITY.c.ended_as), _ACTIVITY.c.id, done)
        if row.ended_as != "cancelled"
    }
    return (people | done) - rows.keys() - held, left


class Judge:
    """Judges drafts in order against what stands and what this call accepted before them."""

    def __init__(
        self, tx: WriteTransaction, standing: dict[str, Standing], missing: set[str] | None = None, left: dict[str, Any] | None = None
    ) -> None:
        self._tx = tx
        self._missing = missing or set()
        self._left = left or {}
        self._standing = standing
        self._now = tx.now.astimezone(SHANGHAI).replace(tzinfo=None)
        self._adopted = service_policies(tx.connection)
        self._policies: dict[str, ServicePolicy] = {}
        self._permissions: dict[tuple[Actor, str], LedgerError | None] = {}
        self._ended_on: dict[str, str] = {}
        self._gates = gates.Recording(tx)

    def may_not_record(self, actor: Actor, draft: Draft) -> LedgerError | None:
        """Give the reason if an actor may not record this: an unknown person or activity, or another's station."""
        if not self._missing.isdisjoint((draft.volunteer, draft.activity)):
            return NotFound("没有这个志愿者编号或活动编号，或者活动已经取消，请核对")
        if draft.settled and not actor.may("settle"):
            return NotAllowed("只有本机操作员在迁移旧资料时才能声明「已在纸面上审核并公示过」，其他记录都要由另一位审核员审核")
        key = (actor, draft.station)
        if key not in self._permissions:
            try:
                require(self._tx.connection, actor, "record", draft.station)
                self._permissions[key] = None
            except NotAllowed as refused:
                self._permissions[key] = refused
        return self._permissions[key]

    def judge(self, draft: Draft, said: Body, *, instead_of: int = 0) -> Already | Refusal | None:
        """Give None for a draft that may be recorded, and remember it. *said*: its body; *instead_of*: minutes of a record that it corrects."""
        start, end, day, minutes = said["start"], said["end"], said["served_on"], said["minutes"]
        if draft.end <= draft.start or minutes < 1:
            return _no_time_left(draft)
        if draft.end > self._now:
            return Refusal("future_date", f"服务在 {spoken(draft.end)} 才结束，还没有发生，不能先登记", "活动时间")
        if minutes > MINUTES_MAX:
            text = f"一次服务长达 {duration(minutes)}，超过 {duration(MINUTES_MAX)}。请核对起止日期，跨多天的请分天登记"
            return Refusal("over_daily_cap", text, "服务时长")
        standing = self._standing[draft.volunteer]
        clash = _gone(self._left.get(draft.volunteer), draft) or self._clash(standing, draft, start, end)
        if clash is not None:
            return clash
        total = standing.minutes_by_day.get(day, 0) + minutes
        refusal = (
            self._at_an_ended_unit(draft, day)
            or self._over_the_cap(draft, day, total)
            or self._gates.refusal(draft, said, instead_of=instead_of)
        )
        if refusal is not None:
            return refusal
        standing.intervals.append((start, end, draft.activity, draft.station, None))
        standing.minutes_by_day[day] = total
        return None

    def _at_an_ended_unit(self, draft: Draft, day: str) -> Refusal | None:
        """Give the reason why nothing is recorded at a unit from the day on which it is no more; what was before still is."""
        if draft.station not in self._ended_on:
            unit = stations.find(self._tx.connection, draft.station)
            self._ended_on[draft.station] = (unit and unit.closed_on) or "9999"
        if day < self._ended_on[draft.station]:
            return None
        ended_on = spoken_day(self._ended_on[draft.station])
        return Refusal("against_rules", f"这个站点已在{ended_on}撤销，那天以后的服务请登记在并入的站点", "站点编码")

    def _over_the_cap(self, draft: Draft, day: str, total: int) -> Refusal | None:
        cap = self._policy(day).daily_minutes_max
        if total <= cap or draft.settled or draft.second:
            return None
        text = f"{spoken_day(day)}累计将达 {duration(total)}，超过每日上限 {duration(cap)}。请核对时间"
        return Refusal("over_daily_cap", text, "服务时长")

    def _clash(self, standing: Standing, draft: Draft, start: str, end: str) -> Already | Refusal | None:
        for other_start, other_end, activity, station, index in standing.intervals:
            if (other_start, other_end, activity) == (start, end, draft.activity):
                if index is not None:
                    return Already(index)
                return Refusal("duplicate", f"本表中这个人 {start[11:]}–{end[11:]} 已经登记过一次，请删去重复的一行", "姓名")
            if other_start < end and start < other_end:
                return self._overlap(draft, other_start, other_end, activity, station, index)
        return None

    def _overlap(self, draft: Draft, other_start: str, other_end: str, activity: str, station: str, index: int | None) -> Refusal:
        shared_start = max(datetime.fromisoformat(other_start), draft.start)
        shared = min(datetime.fromisoformat(other_end), draft.end) - shared_start
        title = activities.get_many(self._tx.connection, {activity})[activity].title
        where = stations.get(self._tx.connection, station).name
        which = f"第 {index} 条记录" if index is not None else "本表另一行"
        when = f"{other_start[5:10]} {other_start[11:]}–{other_end[11:]}"
        minutes = int(shared.total_seconds()) // 60
        text = f"与「{when} {title}」重叠 {minutes} 分钟（登记站：{where}，{which}）。一个人不能同时在两处，请改时间"
        return Refusal("overlap", text, "签到时间")

    def _policy(self, day: str) -> ServicePolicy:
        if day not in self._policies:
            self._policies[day] = in_force(self._adopted, day)
        return self._policies[day]


def _no_time_left(draft: Draft) -> Refusal:
    """Say why nothing is left to count: the end is not after the start, or the break takes it all."""
    if draft.end > draft.start:
        rest, whole = duration(draft.break_minutes), duration(draft.minutes + draft.break_minutes)
        return Refusal("end_before_start", f"休息 {rest}，不少于起止之间的 {whole}，没有剩下时长。请核对休息和起止时间", "签退时间")
    text = "结束时间不晚于开始时间。若活动跨过零点，请注明「次日」；若时间抄反了，请对照签到表改正"
    return Refusal("end_before_start", text, "签退时间")


def _gone(row: Any, draft: Draft) -> Refusal | None:
    """Give the reason why nothing is recorded of somebody who left; what was served up to that day still is."""
    if row is None:
        return None
    if row.merged_into:
        return Refusal("unknown_volunteer", f"这个编号已合并，请改用现在的志愿者编号 {row.merged_into}", "志愿者编号")
    if row.left_as == "not_me":
        return Refusal("unknown_volunteer", "本人否认过这份登记，不能再记服务。请由本人到站点办理", "姓名")
    if draft.start.date().isoformat() > row.left_on:
        return Refusal(
            "unknown_volunteer", f"这位志愿者已于{spoken_day(row.left_on)}退出，之后的服务不能登记。本人要重新参加，请先重新登记", "姓名"
        )
    return None
