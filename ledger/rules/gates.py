"""
Gates: what rules of credit refuse where it happens: an activity published, a sign-in, a service recorded.

The gates of every rule set in force on the day bind together, the strictest of each. What the operator brings over from older paper is exempt, as it is
from the daily cap. A refusal names the rule set, so that whoever is refused can look it up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from ledger.bulk import rows_where_in
from ledger.entries import format_time
from ledger.errors import InvalidRequest
from ledger.kinds import Body
from ledger.refusals import Refusal
from ledger.rules import adopted, binding, gathering
from ledger.rules.shape import Gates, RuleSet
from ledger.rules.standing import amount
from ledger.service.drafts import Draft
from ledger.tables import ActivityRow, ConductRow, ServiceRow, table
from ledger.transactions import WriteTransaction

_ACTIVITY, _CONDUCT, _SERVICE = table(ActivityRow), table(ConductRow), table(ServiceRow)
_CODE = "against_rules"


def in_force(connection: Connection, on: str) -> list[RuleSet]:
    """List the rule sets in force on a day that may refuse something."""
    found = [one.rules for one in adopted.in_force_on(connection, on)]
    return [rules for rules in found if rules.gates != Gates() or "backfill" in rules.effects]


def check_activities(tx: WriteTransaction, new: Sequence[Body]) -> None:
    """Make sure that activities may be called so and last so long; those of an older platform are taken as they are. Raises InvalidRequest."""
    planned = [said for said in new if "migrated_year" not in said]
    if planned and "operator" not in tx.actor.roles:
        for rules in in_force(tx.connection, tx.today.isoformat()):
            for said in planned:
                _check_activity(rules, said)


def _check_activity(rules: RuleSet, said: Body) -> None:
    gates, named = rules.gates, f"按「{rules.title}」，"
    word = next((word for word in gates.title_forbids if word in said["title"]), None)
    if word:
        raise InvalidRequest(f"{named}活动名称里不能有「{word}」，请写明做了什么")
    if "start" not in said or "end" not in said:
        return
    minutes, most, days = gathering.minutes_between(said["start"], said["end"]), gates.activity_minutes_max, gates.activity_days_max
    if most is not None and minutes > most:
        raise InvalidRequest(f"{named}一次活动最长 {amount('hours', most)}，这次是 {amount('hours', minutes)}。更长的请分次安排")
    if days is not None and minutes > days * 1440:
        raise InvalidRequest(f"{named}一个活动最长 {days} 天，请分成几个活动")


def pairs_most(connection: Connection, on: str, most: int) -> int:
    """Say how often somebody may sign in at one activity, at most *most*."""
    return min([most, *(rules.gates.sign_in_pairs_max or most for rules in in_force(connection, on))])


@dataclass
class Recording:
    """Judges services by the gates; reads what it needs only when a gate is there."""

    tx: WriteTransaction
    _rules: dict[str, list[RuleSet]] = field(default_factory=dict)
    _planned: dict[str, int | None] = field(default_factory=dict)
    _ends: dict[str, str | None] = field(default_factory=dict)
    _credited: dict[tuple[str, str], int] = field(default_factory=dict)
    _barred: dict[str, str] = field(default_factory=dict)
    _any: bool | None = None

    def refusal(self, draft: Draft, said: Body, *, instead_of: int = 0) -> Refusal | None:
        """Say why rules refuse a service; None: they do not, and it is remembered. *instead_of*: minutes that it takes the place of."""
        if draft.settled:
            return None
        if self._any is None:
            self._any = bool(adopted.names(self.tx.connection))
        if not self._any:
            return None
        for rules in self._in_force(said["served_on"]):
            why = self._backfilled(rules, draft, said) if draft.grade == "C" else ""
            why = why or self._over(rules.gates, draft, said["minutes"] - instead_of)
            if why:
                return Refusal(_CODE, f"按「{rules.title}」，{why}", "服务时长")
        key = (draft.volunteer, draft.activity)
        if key in self._credited:
            self._credited[key] += said["minutes"] - instead_of
        return None

    def _in_force(self, day: str) -> list[RuleSet]:
        if day not in self._rules:
            self._rules[day] = in_force(self.tx.connection, day)
        return self._rules[day]

    def _over(self, gates: Gates, draft: Draft, minutes: int) -> str:
        """Say that somebody would have more hours of one activity than may be credited."""
        most, key = gates.credited_minutes_max, (draft.volunteer, draft.activity)
        if most is None:
            return ""
        if key not in self._credited:
            whose = (_SERVICE.c.volunteer == draft.volunteer, _SERVICE.c.activity == draft.activity, _SERVICE.c.status != "voided")
            self._credited[key] = int(self.tx.connection.execute(select(func.sum(_SERVICE.c.minutes)).where(*whose)).scalar_one() or 0)
        total = self._credited[key] + minutes
        if total <= most:
            return ""
        return f"一个人一次活动最多记 {amount('hours', most)}，这样将有 {amount('hours', total)}。请核对时间"

    def _backfilled(self, rules: RuleSet, draft: Draft, said: Body) -> str:
        """Say why a service may not be filled in afterwards."""
        self._look_up(draft.activity)
        planned, gates = self._planned[draft.activity], rules.gates
        if gates.backfill_within_plan and planned is None:
            return "补录要挂在写明了起止时间的活动上，请先补齐这个活动的时间"
        if gates.backfill_within_plan and planned is not None and said["minutes"] > planned:
            return f"补录不能超过活动的计划时长 {amount('hours', planned)}，请核对时间"
        hours, end = gates.backfill_hours_max, max(self._ends[draft.activity] or "", said["end"])
        if hours is not None:
            now = datetime.fromisoformat(format_time(self.tx.now)).replace(tzinfo=None)
            if (now - datetime.fromisoformat(end)).total_seconds() > hours * 3600:
                return f"补录要在活动结束后 {hours} 小时之内办，现在已经过了"
        return self._lost(rules, draft.volunteer) if "backfill" in rules.effects else ""

    def _look_up(self, activity: str) -> None:
        if activity not in self._planned:
            for row in rows_where_in(self.tx.connection, _ACTIVITY.c, _ACTIVITY.c.id, [activity]):
                self._ends[activity] = row.end
                self._planned[activity] = gathering.planned(row)

    def _lost(self, rules: RuleSet, volunteer: str) -> str:
        """Say that somebody has no right to back-fill now, and how it comes back."""
        key = f"{rules.name} {volunteer}"
        if key not in self._barred:
            self._barred[key] = _barred(self.tx, rules, volunteer)
        return self._barred[key]


def _barred(tx: WriteTransaction, rules: RuleSet, volunteer: str) -> str:
    if not any(row.sense == "bad" for row in rows_where_in(tx.connection, (_CONDUCT.c.sense,), _CONDUCT.c.volunteer, [volunteer])):
        return ""
    found = next((one for one in binding.effects(tx.connection, rules, volunteer, tx.today) if one.target == "backfill"), None)
    if found is None:
        return ""
    until = "；".join(said for said in (found.repair, f"{found.until} 到期" if found.until else "") if said)
    return f"这位志愿者暂时不能补录：{found.why}（账本第 {'、'.join(map(str, found.entries))} 条）" + (f"。恢复：{until}" if until else "")
