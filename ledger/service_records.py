"""
Service records: who served how many minutes, on whose word, with what evidence; and how a wrong one is put right.

The rules this file alone keeps:

1. Minutes are whole and what was really given: end less start less breaks. A person cannot be in two places: no two standing records of one person
   overlap, anywhere in the district. The same person, activity and times again is not a second record.
2. Nothing is recorded that has not ended yet. What goes over the daily cap of the policy in force on that day is refused.
3. Who recorded is never who approves. Approval starts publicity (公示); the record counts from the working day after it. Records that were
   approved and publicised on paper before they came here (*settled*) count from the day of service.
4. A mistake is mended by a new entry with a reason, never by a change: `correct` and `void`. Once a record is approved, whoever recorded or corrected it
   cannot do so alone; and a corrected figure waits for approval again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, select

from ledger import activities, stations, workdays
from ledger.bulk import rows_where_in
from ledger.entries import SHANGHAI
from ledger.errors import Conflict, InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.kinds import Body
from ledger.kinds.checks import BREAK_MINUTES_MAX, MINUTES_MAX
from ledger.log import Fact, Receipt
from ledger.people.actors import Actor, require
from ledger.policies import ServicePolicy, in_force, service_policies, service_policy
from ledger.refusals import Already, Refusal
from ledger.tables import ServiceRow, VolunteerRow, table
from ledger.transactions import WriteTransaction

_SERVICE, _VOLUNTEER = table(ServiceRow), table(VolunteerRow)
_LONGEST = timedelta(minutes=MINUTES_MAX + BREAK_MINUTES_MAX) + timedelta(days=1)
"""How far back a record may begin that is still going on: what it may count, its breaks, and the rest of the day."""
_SAME = Already(-1)
"""Stands for: the answer to the same id said earlier in the same call."""
_APPROVED_AT_ONCE = 200
"""Services in one approval entry: with their people's chains it stays far below the largest entry."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A service as somebody says it was. *start*, *end*: naive local times (Asia/Shanghai), whole minutes."""

    volunteer: str
    activity: str
    station: str
    start: datetime
    end: datetime
    grade: str
    batch: str
    organisation: str | None = None
    break_minutes: int = 0
    source: dict[str, str | int] | None = None
    settled: bool = False
    id: str | None = None

    @property
    def minutes(self) -> int:
        """Minutes really given."""
        return int((self.end - self.start).total_seconds()) // 60 - self.break_minutes

    def body(self) -> Body:
        """Say it as a service.recorded body."""
        body: Body = {
            "activity": self.activity,
            "volunteer": self.volunteer,
            "station": self.station,
            "grade": self.grade,
            "batch": self.batch,
            **_times(self.start, self.end, self.minutes, self.break_minutes),
        }
        for name in ("organisation", "source", "settled"):
            if getattr(self, name):
                body[name] = getattr(self, name)
        return body


def _times(start: datetime, end: datetime, minutes: int, break_minutes: int) -> Body:
    said: Body = {"served_on": start.date().isoformat(), "start": _minute(start), "end": _minute(end), "minutes": minutes}
    return said | ({"break_minutes": break_minutes} if break_minutes else {})


def _minute(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


@dataclass(slots=True)
class _Standing:
    """What already stands of one person, and what this call adds: [(start, end, activity, station, index or None)], minutes by day."""

    intervals: list[tuple[str, str, str, str, int | None]]
    minutes_by_day: dict[str, int]


def record_many(tx: WriteTransaction, drafts: Sequence[Draft]) -> list[Receipt | Already | Refusal]:
    """Record services, judged one by one: a refusal hurts nobody else. Answers are in the order of *drafts*.

    Raises NotAllowed when the actor may not record at a station named, Conflict when an id was used for something else.
    """
    answers = record_each(tx, [(tx.actor, draft) for draft in drafts])
    for answer in answers:
        if isinstance(answer, LedgerError):
            raise answer
    return cast("list[Receipt | Already | Refusal]", answers)


def record_each(tx: WriteTransaction, items: Sequence[tuple[Actor, Draft]]) -> list[Receipt | Already | Refusal | LedgerError]:
    """Record services of several actors, as the writer gathers them: each is judged alone, and what is wrong with one is only its own answer."""
    facts = [Fact("service.recorded", draft.body(), draft.id, actor.account) for actor, draft in items]
    said = tx.receipts_for(facts)
    drafts = [draft for _, draft in items]
    judge = _Judge(tx, _load_standing(tx.connection, drafts), _missing(tx.connection, drafts))
    answers: list[Receipt | Already | Refusal | LedgerError | None] = []
    new: list[Fact] = []
    first: dict[str, int] = {}
    for at, ((actor, draft), fact) in enumerate(zip(items, facts, strict=True)):
        answer: Receipt | Already | Refusal | LedgerError | None = said.get(fact.id or "")
        if answer is None and fact.id is not None and first.setdefault(fact.id, at) != at:
            same = facts[first[fact.id]] == fact
            answer = _SAME if same else Conflict(f"编号 {fact.id} 在这一批里用于两条内容不同的记录")
        answer = answer or judge.may_not_record(actor, draft) or judge.judge(draft)
        if answer is None:
            new.append(fact)
        answers.append(answer)
    receipts = iter(tx.append(new))
    given = [next(receipts) if answer is None else answer for answer in answers]
    return [given[first[fact.id or ""]] if answer is _SAME else answer for answer, fact in zip(given, facts, strict=True)]


def _load_standing(connection: Connection, drafts: Sequence[Draft]) -> dict[str, _Standing]:
    people = {draft.volunteer: _Standing([], {}) for draft in drafts}
    if not drafts:
        return people
    first = min(draft.start for draft in drafts).date() - _LONGEST
    last = max(draft.end for draft in drafts)
    columns = [_SERVICE.c[name] for name in ("volunteer", "start", "end", "activity", "station", "entry_index", "served_on", "minutes")]
    where, said = """start >= ? AND start < ? AND status <> 'voided'""", (first.isoformat(), _minute(last))
    for row in rows_where_in(connection, columns, _SERVICE.c.volunteer, people, where=where, said=said):
        one = people[row.volunteer]
        one.intervals.append((row.start, row.end, row.activity, row.station, row.entry_index))
        one.minutes_by_day[row.served_on] = one.minutes_by_day.get(row.served_on, 0) + row.minutes
    return people


def _missing(connection: Connection, drafts: Sequence[Draft]) -> set[str]:
    """List the volunteer numbers and activity ids among drafts that the ledger does not know."""
    people, done = {draft.volunteer for draft in drafts}, {draft.activity for draft in drafts}
    known = {row.number for row in rows_where_in(connection, [_VOLUNTEER.c.number], _VOLUNTEER.c.number, people)}
    return (people | done) - known - activities.get_many(connection, done).keys()


class _Judge:
    """Judges drafts in order against what stands and what this call accepted before them."""

    def __init__(self, tx: WriteTransaction, standing: dict[str, _Standing], missing: set[str] | None = None) -> None:
        self._tx = tx
        self._missing = missing or set()
        self._standing = standing
        self._now = tx.now.astimezone(SHANGHAI).replace(tzinfo=None)
        self._adopted = service_policies(tx.connection)
        self._policies: dict[str, ServicePolicy] = {}
        self._permissions: dict[tuple[Actor, str], LedgerError | None] = {}

    def may_not_record(self, actor: Actor, draft: Draft) -> LedgerError | None:
        """Give the reason if an actor may not record this: an unknown person or activity, or another's station."""
        if not self._missing.isdisjoint((draft.volunteer, draft.activity)):
            return NotFound("没有这个志愿者编号或活动编号，请核对")
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

    def judge(self, draft: Draft) -> Already | Refusal | None:
        """Give None for a draft that may be recorded, and remember it."""
        if draft.end <= draft.start or draft.minutes < 1:
            return Refusal(
                "end_before_start", "结束时间不晚于开始时间。若活动跨过零点，请注明「次日」；若时间抄反了，请对照签到表改正", "签退时间"
            )
        if draft.end > self._now:
            return Refusal("future_date", f"服务在 {_spoken(draft.end)} 才结束，还没有发生，不能先登记", "活动时间")
        if draft.minutes > MINUTES_MAX:
            text = f"一次服务长达 {duration(draft.minutes)}，超过 {duration(MINUTES_MAX)}。请核对起止日期，跨多天的请分天登记"
            return Refusal("over_daily_cap", text, "服务时长")
        standing = self._standing[draft.volunteer]
        start, end, day = _minute(draft.start), _minute(draft.end), draft.start.date().isoformat()
        clash = self._clash(standing, draft, start, end)
        if clash is not None:
            return clash
        total = standing.minutes_by_day.get(day, 0) + draft.minutes
        cap = self._policy(day).daily_minutes_max
        if total > cap and not draft.settled:
            text = f"{day} 累计将达 {duration(total)}，超过每日上限 {duration(cap)}。请核对时间"
            return Refusal("over_daily_cap", text, "服务时长")
        standing.intervals.append((start, end, draft.activity, draft.station, None))
        standing.minutes_by_day[day] = total
        return None

    def _clash(self, standing: _Standing, draft: Draft, start: str, end: str) -> Already | Refusal | None:
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


def approve(tx: WriteTransaction, indexes: Iterable[int]) -> str:
    """Approve recorded services: publicity begins today, and they count from the working day after it. Returns that day.

    Raises NotAllowed for one's own records or another's station, InvalidRequest for records that do not wait for approval.
    """
    rows = _rows(tx.connection, sorted(set(indexes)))
    for row in rows:
        tx.require("approve", row.station)
        if row.status != "recorded":
            raise InvalidRequest(f"第 {row.entry_index} 条不在待审核状态，请刷新页面再看")
        if tx.actor.account in (row.recorder, row.corrected_by):
            raise NotAllowed(f"第 {row.entry_index} 条是您自己登记或更正的，登记人不能审核，请换一位审核员")
    policy = service_policy(tx.connection, tx.today.isoformat())
    counts_from = workdays.add_workdays(tx.today, policy.publicity_working_days + 1).isoformat()
    facts = []
    for station in sorted({row.station for row in rows}):
        mine = [row for row in rows if row.station == station]
        for at in range(0, len(mine), _APPROVED_AT_ONCE):
            part = mine[at : at + _APPROVED_AT_ONCE]
            body = {
                "services": [row.entry_index for row in part],
                "volunteers": sorted({row.volunteer for row in part}),
                "station": station,
                "publicity_from": tx.today.isoformat(),
                "effective_on": counts_from,
            }
            facts.append(Fact("service.approved", body))
    tx.append(facts)
    return counts_from


def correct(tx: WriteTransaction, index: int, *, start: datetime, end: datetime, reason: str, break_minutes: int = 0) -> Receipt:
    """Say what a service's times really were. It then waits for approval again, by neither of the two; the operator's word stands at once.

    Raises as `void`, and InvalidRequest when the new times break a rule.
    """
    row = _amendable(tx, index)
    settled = tx.actor.may("settle")
    if not settled and abs((start.date() - date.fromisoformat(row.served_on)).days) > 1:
        raise InvalidRequest(f"这条记录是 {row.served_on} 的服务，更正只能改时间。日期写错了，请作废这一条，再按正确的日期登记")
    draft = Draft(
        row.volunteer, row.activity, row.station, start, end, row.grade, row.batch, row.organisation, break_minutes, settled=settled
    )
    standing = _load_standing(tx.connection, [draft])[row.volunteer]
    standing.minutes_by_day[row.served_on] = standing.minutes_by_day.get(row.served_on, row.minutes) - row.minutes
    standing.intervals = [interval for interval in standing.intervals if interval[4] != index]
    refusal = _Judge(tx, {row.volunteer: standing}).judge(draft)
    if isinstance(refusal, Already):
        raise InvalidRequest(f"这个人同一活动同样的时间已有第 {refusal.index} 条记录，请作废多余的一条")
    if refusal is not None:
        raise InvalidRequest(refusal.message)
    body: Body = {"service": index, "volunteer": row.volunteer, "station": row.station, "reason": reason}
    body |= _times(start, end, draft.minutes, break_minutes)
    if row.organisation:
        body["organisation"] = row.organisation
    return tx.append([Fact("service.corrected", body)])[0]


def void(tx: WriteTransaction, index: int, *, reason: str) -> Receipt:
    """Declare that a service record does not stand, and why.

    Raises NotFound, NotAllowed (another's station, or one's own record that already counts), InvalidRequest (voided already).
    """
    row = _amendable(tx, index)
    body: Body = {"service": index, "volunteer": row.volunteer, "station": row.station, "reason": reason}
    if row.organisation:
        body["organisation"] = row.organisation
    return tx.append([Fact("service.voided", body)])[0]


def _amendable(tx: WriteTransaction, index: int) -> Any:
    row = _rows(tx.connection, [index])[0]
    tx.require("amend", row.station)
    if row.status == "voided":
        raise InvalidRequest(f"第 {index} 条已经作废（{row.reason}）")
    if row.status == "approved" and tx.actor.account in (row.recorder, row.corrected_by) and tx.actor.role != "operator":
        raise NotAllowed(f"第 {index} 条是您自己登记的，而且已经审核，需要另一位工作人员更正或作废")
    return row


def _rows(connection: Connection, indexes: Sequence[int]) -> list[Any]:
    rows = sorted(rows_where_in(connection, _SERVICE.c, _SERVICE.c.entry_index, indexes), key=lambda row: row.entry_index)
    missing = set(indexes) - {row.entry_index for row in rows}
    if missing:
        raise NotFound(f"第 {min(missing)} 条不是服务记录")
    return rows


def waiting(connection: Connection, station_codes: Sequence[str]) -> list[Any]:
    """List services that wait for approval at stations, oldest first."""
    statement = select(_SERVICE).where(_SERVICE.c.status == "recorded", _SERVICE.c.station.in_(station_codes))
    return list(connection.execute(statement.order_by(_SERVICE.c.entry_index)))


def in_batch(connection: Connection, batch: str) -> list[Any]:
    """List the services of one batch, in order."""
    return list(connection.execute(select(_SERVICE).where(_SERVICE.c.batch == batch).order_by(_SERVICE.c.entry_index)))


def counts_on(row: Any, day: date) -> bool:
    """Tell whether a record counts on a day: approved, and its publicity over."""
    return bool(row.status == "approved" and row.effective_on <= day.isoformat())


def duration(minutes: int) -> str:
    """Write minutes as people say them: 2小时30分, 45分, 0分."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}分"
    return f"{hours}小时{rest}分" if rest else f"{hours}小时"


def _spoken(moment: datetime) -> str:
    return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"
