"""Marking that people come and leave: one at a time as each sees it, a crowd at once as the writer gathers it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from ledger.bulk import rows_where_in, upsert_rows
from ledger.entries import SHANGHAI, format_time
from ledger.errors import InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.people.actors import Actor, require
from ledger.rules import gates
from ledger.tables import DeskRow, PresenceRow, VolunteerRow, table
from ledger.transactions import WriteTransaction

PAIRS_MAX = 3
"""How often one person may come to one activity and leave again."""
TOO_SOON = timedelta(minutes=1)
"""Leaving sooner after coming (or the other way) is the same code read twice."""
_DESK, _PRESENCE, _VOLUNTEER = table(DeskRow), table(PresenceRow), table(VolunteerRow)


@dataclass(frozen=True)
class Mark:
    """Somebody comes or leaves: how (desks.HOW) and when (aware). *leaving*: None for whichever is next."""

    activity: str
    volunteer: str
    how: str
    at: datetime
    leaving: bool | None = None


@dataclass(frozen=True)
class Pair:
    """One time somebody came to an activity, and left if they did. *again*: this was known before."""

    activity: str
    volunteer: str
    pair: int
    came_at: datetime
    came_by: str
    left_at: datetime | None = None
    left_by: str | None = None
    again: bool = False


def mark_many(tx: WriteTransaction, items: Sequence[tuple[Actor, Mark]]) -> list[Pair | LedgerError]:
    """Mark people, each alone and in order: what is wrong with one is only its own answer. For `Ledger.write_item`.

    Said again, it answers as the first time: nobody is there twice.
    """
    book = _Book(tx, [mark for _, mark in items])
    answers: list[Pair | LedgerError] = []
    for actor, mark in items:
        try:
            answers.append(book.mark(actor, mark))
        except LedgerError as refusal:
            answers.append(refusal)
    book.store()
    return answers


class _Book:
    """The rows around some marks, as they stand and as they change."""

    def __init__(self, tx: WriteTransaction, marks: Sequence[Mark]) -> None:
        self._tx = tx
        self._desks = {
            row.activity: row for row in rows_where_in(tx.connection, _DESK.c, _DESK.c.activity, {mark.activity for mark in marks})
        }
        columns = [_VOLUNTEER.c[name] for name in ("number", "left_on", "merged_into")]
        self._people = {
            row.number: row for row in rows_where_in(tx.connection, columns, _VOLUNTEER.c.number, {mark.volunteer for mark in marks})
        }
        kept = {row.merged_into for row in self._people.values() if row.merged_into}
        self._people |= {row.number: row for row in rows_where_in(tx.connection, columns, _VOLUNTEER.c.number, kept - self._people.keys())}
        self._pairs: dict[tuple[str, str], list[Pair]] = {}
        for activity, group in groupby(
            sorted({(mark.activity, self._now_called(mark.volunteer)) for mark in marks}), key=lambda one: one[0]
        ):
            wanted = [number for _, number in group]
            rows = rows_where_in(tx.connection, _PRESENCE.c, _PRESENCE.c.volunteer, wanted, where="activity = ?", said=(activity,))
            for row in sorted(rows, key=lambda one: one.pair):
                left = datetime.fromisoformat(row.left_at) if row.left_at else None
                known = Pair(activity, row.volunteer, row.pair, datetime.fromisoformat(row.came_at), row.came_by, left, row.left_by)
                self._pairs.setdefault((activity, row.volunteer), []).append(known)
        self._changed: dict[tuple[str, str, int], Pair] = {}
        self._allowed: dict[tuple[Actor, str], LedgerError | None] = {}

    def _now_called(self, number: str) -> str:
        """Give the number that somebody has now, if theirs was merged into another."""
        row = self._people.get(number)
        return (row.merged_into or number) if row is not None else number

    def mark(self, actor: Actor, mark: Mark) -> Pair:
        """Take one mark. Raises what is wrong with it."""
        desk = self._desks.get(mark.activity)
        if desk is None:
            raise NotFound("这个活动还没有开始签到，请找现场工作人员")
        if desk.closed_at is not None:
            raise InvalidRequest("这个活动的签到已经结束。如有遗漏，请告诉站点工作人员补记")
        number = self._now_called(mark.volunteer)
        self._check_person(actor, mark, number, desk.station)
        pairs = self._pairs.setdefault((mark.activity, number), [])
        there = bool(pairs) and pairs[-1].left_at is None
        leaving = there if mark.leaving is None else mark.leaving
        known = self._said_before(pairs, mark, there=there, leaving=leaving)
        if known is not None:
            return replace(known, again=True)
        if leaving:
            new = replace(pairs[-1], left_at=mark.at, left_by=mark.how)
            pairs[-1] = new
        else:
            self._check_coming(desk, pairs, mark.at)
            new = Pair(mark.activity, number, len(pairs) + 1, mark.at, mark.how)
            pairs.append(new)
        self._changed[(mark.activity, number, new.pair)] = new
        return new

    def _said_before(self, pairs: list[Pair], mark: Mark, *, there: bool, leaving: bool) -> Pair | None:
        """Give the pair in which this mark, or its like just now, is already. Raises InvalidRequest when it cannot be."""
        last = pairs[-1] if pairs else None
        if last is None:
            if leaving:
                raise InvalidRequest("还没有签到，不能签退。请先签到")
            return None
        if there and not leaving:
            return last
        if there and mark.at - last.came_at < TOO_SOON:
            if mark.leaving:
                raise InvalidRequest("刚刚才签到。要离开时，请重新扫一次屏幕上的码再签退")
            return last
        if last.left_at is not None and (leaving or mark.at - last.left_at < TOO_SOON):
            return last
        return None

    def _check_person(self, actor: Actor, mark: Mark, number: str, station: str) -> None:
        row = self._people.get(number)
        if row is None:
            raise NotFound("没有这个志愿者编号，请对照志愿者卡再看一遍")
        if row.left_on is not None:
            raise InvalidRequest("这个志愿者编号已经停用，请到站点服务台问明情况")
        if mark.how == "screen":
            if actor.volunteer is None or self._now_called(actor.volunteer) != number:
                raise NotAllowed("扫屏幕上的码，只能给自己签到")
            return
        key = (actor, station)
        if key not in self._allowed:
            try:
                require(self._tx.connection, actor, "record", station)
                self._allowed[key] = None
            except NotAllowed as refused:
                self._allowed[key] = refused
        refusal = self._allowed[key]
        if refusal is not None:
            raise refusal

    def _check_coming(self, desk: Any, pairs: list[Pair], at: datetime) -> None:
        most = gates.pairs_most(self._tx.connection, self._tx.today.isoformat(), PAIRS_MAX) if pairs else PAIRS_MAX
        if len(pairs) >= most:
            raise InvalidRequest(f"同一个活动最多签到 {most} 次，请找现场工作人员")
        if at.astimezone(SHANGHAI).replace(tzinfo=None) >= datetime.fromisoformat(desk.planned_end):
            raise InvalidRequest("活动已经过了结束时间，不能再签到")

    def store(self) -> None:
        """Write what changed."""
        rows = [
            {
                "activity": pair.activity,
                "volunteer": pair.volunteer,
                "pair": pair.pair,
                "came_at": format_time(pair.came_at),
                "came_by": pair.came_by,
                "left_at": format_time(pair.left_at) if pair.left_at else None,
                "left_by": pair.left_by,
            }
            for pair in self._changed.values()
        ]
        upsert_rows(self._tx.connection, _PRESENCE, rows)
