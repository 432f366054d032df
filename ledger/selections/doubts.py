"""
Step four, 疑点: records that deserve a look, of those who are on the list or next to it, by what hangs on them.

One person proposes to keep a record, to drop it or to send it back to be looked into; a second one confirms, and only that is an entry. What is sent
back counts nowhere different: whoever recorded it corrects or voids it, and an objection lets the corrected record in. Once the list is public, doubts
are settled by objections alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from ledger.bulk import rows_where_in, upsert_rows
from ledger.entries import format_time
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.kinds import Body
from ledger.kinds.checks import text
from ledger.kinds.selections import DOUBTS, REASON_MAX
from ledger.log import Fact, Receipt
from ledger.notices import tell
from ledger.people.actors import OPERATOR
from ledger.policies import ServicePolicy, service_policy
from ledger.selections import reading, sources
from ledger.selections.ranking import Standing
from ledger.selections.reading import ACTION
from ledger.selections.sources import Source
from ledger.service.drafts import duration
from ledger.service.gates import at_night
from ledger.shares import hundredths, percent
from ledger.tables import AccountBindingRow, SelectionDoubtRow, SelectionProposalRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_PROPOSAL, _DOUBT, _BINDING = table(SelectionProposalRow), table(SelectionDoubtRow), table(AccountBindingRow)
SEAL = -1
"""What stands in the place of a record where the proposal is the final list."""
NEXT_MIN = 20
SHARE_PERCENT = 80
LATE_DAYS = 14
_ACTIVITIES_MAX = 10_000


@dataclass(frozen=True)
class Doubt:
    """A doubtful record: why, what hangs on it, what is proposed and what was decided last (rows, or None)."""

    record: Any
    reasons: list[str]
    standing: Standing
    effect: str
    proposal: Any
    decision: Any

    @property
    def open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.decision is None


def of_selection(tx: ReadTransaction, row: Any) -> list[Doubt]:
    """List the doubtful records of a selection (its row), those first whose loss would change the list most."""
    rules, source = reading.rules_of(row), reading.source_of(tx.connection, row)
    ranking = reading.ranking_of(tx.connection, row, source=source, reserve=NEXT_MIN)
    near = {one.sums.subject: one for one in (*ranking.chosen, *ranking.reserve)}
    edge = ranking.reserve[0].sums.minutes if ranking.reserve else 0
    policy = service_policy(tx.connection, row.counted_on)
    own = _own_accounts(tx, near)
    proposals = {one.service: one for one in waiting(tx, row.id)}
    decisions = {one.service: one for one in decided(tx, row.id)}
    found: dict[str, list[tuple[Any, list[str]]]] = defaultdict(list)
    frozen = rows_by_subject(source, near)
    crowded = _crowded(source, policy, {record.activity for records in frozen.values() for record in records})
    dropped = {service for service, why in source.out.items() if why == "dropped"}
    for subject, records in frozen.items():
        whole = _of_people(records, policy)
        for record in records:
            reasons = [
                *_of_record(record, row, policy, own.get(subject, set()), rules.staff.get("people", ())),
                *whole.get(record.service, []),
            ]
            if (record.activity, record.start, record.end) in crowded:
                reasons.append("很多人时间完全相同")
            if reasons or record.service in dropped or record.service in decisions:
                found[subject].append((record, reasons))
    made = []
    for subject, doubtful in found.items():
        standing = near[subject]
        for record, reasons in doubtful:
            effect, weight = _at_stake(standing, record.minutes, edge, rules.minimum_minutes)
            doubt = Doubt(record, reasons, standing, effect, proposals.get(record.service), decisions.get(record.service))
            made.append((doubt.open, weight, record.minutes, -record.service, doubt))
    return [entry[-1] for entry in sorted(made, key=lambda entry: entry[:-1], reverse=True)]


def rows_by_subject(source: Source, subjects: Sequence[str] | dict[str, Any]) -> dict[str, list[Any]]:
    """Give the frozen records of some people."""
    found: dict[str, list[Any]] = defaultdict(list)
    for record in source.records_of(subjects):
        found[record.subject].append(record)
    return found


def _at_stake(standing: Standing, minutes: int, edge: int, minimum: int) -> tuple[str, int]:
    left = standing.sums.minutes - minutes
    if standing.rank and left < minimum:
        return f"剔除后不够最低时长，第 {standing.rank} 名会退出名单", 3
    if standing.rank and left < edge:
        return f"剔除后少于候补，第 {standing.rank} 名会退出名单", 3
    if standing.rank:
        return f"现在第 {standing.rank} 名，剔除后还在名单上", 2
    return "候补，不在名单上", 1


def _of_record(record: Any, row: Any, policy: ServicePolicy, own: set[str], staff: Sequence[str]) -> Iterator[str]:
    if at_night(record.start, record.end, policy):
        yield "夜间"
    if record.recorder in own:
        yield "登记人就是本人"
    if record.person in staff:
        yield "工作人员自己的服务"
    recorded, served = date.fromisoformat(record.recorded_at[:10]), date.fromisoformat(record.served_on)
    if (
        record.recorder != OPERATOR.account
        and (recorded - served).days > LATE_DAYS
        and recorded > date.fromisoformat(row.counted_on) - timedelta(days=LATE_DAYS)
    ):
        yield f"冻结前 {LATE_DAYS} 天内突击补录（服务后 {(recorded - served).days} 天）"


def _of_people(records: Sequence[Any], policy: ServicePolicy) -> dict[int, list[str]]:
    """Find what shows only in all the records of a person; an organisation's are those of many, each with a day of their own."""
    by_person: dict[str, list[Any]] = defaultdict(list)
    for record in records:
        by_person[record.person].append(record)
    return {service: said for own in by_person.values() for service, said in _of_person(own, policy).items()}


def _of_person(records: Sequence[Any], policy: ServicePolicy) -> dict[int, list[str]]:
    """Find what shows only in all the records of a person: long days, one recorder for nearly all of them."""
    days: Counter[str] = Counter()
    hands: Counter[str] = Counter()
    for record in records:
        days[record.served_on] += record.minutes
        hands[record.recorder] += record.minutes
    found: dict[int, list[str]] = defaultdict(list)
    main, most = max(hands.items(), key=lambda item: item[1])
    one_hand = main != OPERATOR.account and len(records) > 2 and most * 100 > SHARE_PERCENT * hands.total()
    for record in records:
        day = days[record.served_on]
        if day > policy.daily_minutes_max:
            found[record.service].append(f"这天共 {duration(day)}，超过每日上限")
        elif day >= policy.long_day_minutes:
            found[record.service].append(f"这天共 {duration(day)}，时间很长")
        if one_hand and record.recorder == main:
            share = hundredths(most, hands.total(), at_most=SHARE_PERCENT * 100) or 0
            found[record.service].append(f"{percent(share)} 的时长由同一人登记")
    return found


def _crowded(source: Source, policy: ServicePolicy, activities: set[str]) -> set[tuple[str, str, str]]:
    """Find the same times that many have at some activities; of more than a statement takes, at all of them."""
    seen = source.records.c
    key = (seen.activity, seen.start, seen.end)
    asked = select(*key).group_by(*key).having(func.count() >= policy.same_interval_people)
    if len(activities) <= _ACTIVITIES_MAX:
        asked = asked.where(seen.activity.in_(sorted(activities)))
    return {(one.activity, one.start, one.end) for one in source.connection.execute(asked)}


def _own_accounts(tx: ReadTransaction, subjects: Sequence[str] | dict[str, Any]) -> dict[str, set[str]]:
    """Give the accounts that are known to be of these people."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in rows_where_in(tx.connection, (_BINDING.c.account, _BINDING.c.volunteer), _BINDING.c.volunteer, subjects):
        found[one.volunteer].add(one.account)
    return found


def waiting(tx: ReadTransaction, selection: str) -> list[Any]:
    """List what is proposed and waits for a second person."""
    asked = select(_PROPOSAL).where(_PROPOSAL.c.selection == selection, _PROPOSAL.c.service >= 0)
    return list(tx.connection.execute(asked.order_by(_PROPOSAL.c.service)))


def decided(tx: ReadTransaction, selection: str) -> list[Any]:
    """List what was decided, in the order of the log."""
    return list(tx.connection.execute(select(_DOUBT).where(_DOUBT.c.selection == selection).order_by(_DOUBT.c.entry_index)))


def propose(tx: WriteTransaction, selection: str, service: int, finding: str, reason: str) -> None:
    """Say what should become of a doubtful record. Raises NotFound, NotAllowed, Conflict after the list is public, InvalidRequest."""
    row = _working(tx, selection)
    reason = " ".join(reason.split())
    if finding not in DOUBTS:
        raise InvalidRequest("请选择保留、剔除或退回核实")
    if len(reason) < 4 or not text(REASON_MAX)(reason):
        raise InvalidRequest(f"请写明怎么查的、为什么（4 至 {REASON_MAX} 个字，不要写手机号或身份证号）")
    if not sources.services_of(tx.connection, row, [service]):
        raise NotFound(f"第 {service} 条不在这次评选冻结的记录里")
    said = {"selection": row.id, "service": service, "finding": finding, "reason": reason}
    upsert_rows(tx.connection, _PROPOSAL, [said | {"asked_by": tx.actor.account, "asked_at": format_time(tx.now)}])


def confirm(tx: WriteTransaction, selection: str, service: int) -> Receipt:
    """Decide as proposed: a second person, who did not record it either. Raises NotFound, NotAllowed, Conflict."""
    row = _working(tx, selection)
    said, record = _proposed(tx, row.id, service), sources.services_of(tx.connection, row, [service])[0]
    if tx.actor.account == said.asked_by:
        raise NotAllowed("这是您提出的处理意见，要由另一个人来确认")
    if tx.actor.account == record.recorder:
        raise NotAllowed("这条记录是您登记的，要由别的人来确认")
    body: Body = {
        "selection": row.id,
        "station": row.station,
        **{name: getattr(said, name) for name in ("service", "finding", "reason", "asked_by")},
        ("volunteer" if row.subject == "volunteers" else "organisation"): record.subject,
    }
    receipt = tx.append([Fact("selection.doubt_decided", body)])[0]
    _forget(tx, row.id, service)
    if said.finding != "keep":
        tell(tx, "person/" + record.person, "selection.doubt", {"service": service, "reason": said.reason[:200]})
    return receipt


def take_back(tx: WriteTransaction, selection: str, service: int) -> None:
    """Drop a proposal: whoever made it takes it back, or a second person does not agree. Raises NotFound, NotAllowed, Conflict."""
    row = _working(tx, selection)
    _proposed(tx, row.id, service)
    _forget(tx, row.id, service)


def _working(tx: WriteTransaction, selection: str) -> Any:
    """Give a selection whose list is not public yet. Raises NotFound, NotAllowed, Conflict."""
    row = reading.see(tx, tx.actor, selection)
    tx.require(ACTION, row.station)
    if row.replaced_by or row.published_index is not None:
        raise Conflict("名单已经公示，或者已另起一轮。公示以后的疑问，请按异议办理")
    return row


def _proposed(tx: WriteTransaction, selection: str, service: int) -> Any:
    mine = _PROPOSAL.c.selection == selection, _PROPOSAL.c.service == service
    row = tx.connection.execute(select(_PROPOSAL).where(*mine)).one_or_none()
    if row is None:
        raise NotFound("没有等着确认的意见，可能已经有人办过了。请刷新页面")
    return row


def _forget(tx: WriteTransaction, selection: str, service: int) -> None:
    tx.connection.execute(_PROPOSAL.delete().where(_PROPOSAL.c.selection == selection, _PROPOSAL.c.service == service))
