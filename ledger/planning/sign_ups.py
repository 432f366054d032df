"""
Sign-ups: a volunteer asks for a place at an activity to come, and lets go of it again.

The rules this file alone keeps:

1. What is offered is published, not called off and still to come, at the volunteer's own station or a unit above it. Whoever left is offered nothing.
2. Signing up closes when the activity begins or its places are taken; nobody signs up for two activities at the same time. Without a number of places
   everybody may come. Withdrawing is free until it begins. The desk of the activity does both for whoever rings up or has no phone.
3. No credit rests on it: it is work in hand, a volunteer number and an activity, outside the log. It is deleted when the person withdraws, leaves or is
   erased, and KEPT after the activity.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import stations
from ledger.bulk import insert_rows, rows_where_in
from ledger.entries import SHANGHAI, format_time
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people.actors import Actor, ancestry, require
from ledger.service.drafts import spell_minute
from ledger.tables import ActivityRow, SignUpRow, VolunteerRow, table
from ledger.transactions import ReadTransaction

KEPT = timedelta(days=30)
OFFERED_MAX = 100
_ACTIVITY, _SIGN_UP, _VOLUNTEER = table(ActivityRow), table(SignUpRow), table(VolunteerRow)


@dataclass(frozen=True)
class Coming:
    """An activity to come as a volunteer sees it: its row, the unit's name, how many signed up, whether they did.

    *clash*: the title of another that they signed up for at the same time; empty when there is none.
    """

    row: Any
    station: str
    taken: int
    mine: bool
    clash: str

    @property
    def left(self) -> int | None:
        """Places left; None when there is no limit."""
        return max(self.row.places - self.taken, 0) if self.row.places else None


def coming(tx: ReadTransaction, actor: Actor) -> list[Coming]:
    """List what is offered to a volunteer in order of time, with all they signed up for that is not over, called off or not."""
    me = _volunteer(tx.connection, actor)
    here = _here(tx.now)
    mine = set(tx.connection.execute(select(_SIGN_UP.c.activity).where(_SIGN_UP.c.volunteer == me.number)).scalars())
    offered = _offered(here) & _ACTIVITY.c.station.in_(ancestry(tx.connection, me.station) if me.left_on is None else [])
    wanted = select(_ACTIVITY).where(offered | (_ACTIVITY.c.id.in_(mine) & (_ACTIVITY.c.end > here)))
    rows = tx.connection.execute(wanted.order_by(_ACTIVITY.c.start, _ACTIVITY.c.entry_index).limit(OFFERED_MAX)).all()
    counted = counts(tx.connection, [row.id for row in rows])
    names = stations.names(tx.connection, {row.station for row in rows})
    held = [row for row in rows if row.id in mine and row.ended_as is None]
    return [Coming(row, names[row.station], counted.get(row.id, 0), row.id in mine, _clash(row, held)) for row in rows]


def sign_up(connection: Connection, now: datetime, actor: Actor, activity: str) -> None:
    """Ask for a place; again is the same as once. For `Ledger.operate`.

    Raises NotFound (nothing that is offered to this volunteer), InvalidRequest (it began, it is full, they are elsewhere then), NotAllowed.
    """
    _take_place(connection, now, _volunteer(connection, actor), activity, "您")


def sign_up_at_desk(connection: Connection, now: datetime, actor: Actor, activity: str, number: str) -> None:
    """Ask for somebody's place as they asked at the desk, at an activity of the actor's. For `Ledger.operate`. Raises as `sign_up`."""
    _take_place(connection, now, _at_desk(connection, actor, activity, number), activity, "这位志愿者")


def _take_place(connection: Connection, now: datetime, me: Any, activity: str, who: str) -> None:
    if me.left_on is not None:
        raise InvalidRequest(f"{who}的登记已经结束，不能报名。想再参加，请到站点重新登记")
    row = _of(connection, me, activity)
    if activity in _held(connection, me.number):
        return
    here = _here(now)
    if row.ended_as is not None or row.start is None or row.start <= here:
        raise InvalidRequest(
            "这个活动已经取消" if row.ended_as == "cancelled" else "这个活动已经开始，不用报名了。想参加请直接到现场问工作人员"
        )
    if row.places and counts(connection, [activity]).get(activity, 0) >= row.places:
        raise InvalidRequest(f"名额刚刚满了（招 {row.places} 人）。有人退出时会空出来，也可以打电话问站点")
    clash = _clash(row, rows_where_in(connection, _ACTIVITY.c, _ACTIVITY.c.id, _held(connection, me.number)))
    if clash:
        raise InvalidRequest(f"这个时间{who}已经报了「{clash}」，一个人不能同时在两处。要换的话，先在那一条点「不去了」")
    insert_rows(connection, _SIGN_UP, [{"activity": activity, "volunteer": me.number, "signed_up_at": format_time(now)}])


def withdraw(connection: Connection, now: datetime, actor: Actor, activity: str) -> None:
    """Let go of a place; of none is nothing. For `Ledger.operate`. Raises NotFound, InvalidRequest (it began), NotAllowed."""
    _let_go(connection, now, _volunteer(connection, actor), activity)


def withdraw_at_desk(connection: Connection, now: datetime, actor: Actor, activity: str, number: str) -> None:
    """Let go of somebody's place as they asked at the desk. For `Ledger.operate`. Raises as `withdraw`."""
    _let_go(connection, now, _at_desk(connection, actor, activity, number), activity)


def _let_go(connection: Connection, now: datetime, me: Any, activity: str) -> None:
    row = _of(connection, me, activity)
    if row.start is not None and row.start <= _here(now) and row.ended_as is None:
        raise InvalidRequest("活动已经开始，不用退了：没来的不会登记时长")
    connection.execute(_SIGN_UP.delete().where(_SIGN_UP.c.activity == activity, _SIGN_UP.c.volunteer == me.number))


def of_activity(connection: Connection, activity: str) -> list[str]:
    """List the volunteer numbers that asked for a place, in the order in which they did."""
    rows = select(_SIGN_UP.c.volunteer).where(_SIGN_UP.c.activity == activity)
    return list(connection.execute(rows.order_by(_SIGN_UP.c.signed_up_at, _SIGN_UP.c.volunteer)).scalars())


def of_volunteer(connection: Connection, number: str) -> list[Any]:
    """List what a volunteer asked for: activity, title, start, when they asked."""
    columns = (_SIGN_UP.c.activity, _ACTIVITY.c.title, _ACTIVITY.c.start, _SIGN_UP.c.signed_up_at)
    asked = select(*columns).join_from(_SIGN_UP, _ACTIVITY, _SIGN_UP.c.activity == _ACTIVITY.c.id).where(_SIGN_UP.c.volunteer == number)
    return list(connection.execute(asked.order_by(_ACTIVITY.c.start)))


def counts(connection: Connection, activities: Collection[str]) -> dict[str, int]:
    """Count who signed up, by activity; those for which nobody did are absent."""
    asked = select(_SIGN_UP.c.activity, func.count()).where(_SIGN_UP.c.activity.in_(activities)).group_by(_SIGN_UP.c.activity)
    return dict(map(tuple, connection.execute(asked)))


def drop_all(connection: Connection, numbers: Sequence[str]) -> None:
    """Delete everything that people asked for, in the caller's transaction: they leave, or are erased."""
    connection.execute(_SIGN_UP.delete().where(_SIGN_UP.c.volunteer.in_(numbers)))


def follow_merge(connection: Connection, gone: str, kept: str) -> None:
    """Give one number's places to the number it is merged into, in the caller's transaction."""
    have = select(_SIGN_UP.c.activity).where(_SIGN_UP.c.volunteer == kept)
    both = list(connection.execute(have).scalars())
    moved = _SIGN_UP.update().where(_SIGN_UP.c.volunteer == gone, _SIGN_UP.c.activity.not_in(both))
    connection.execute(moved.values(volunteer=kept))
    drop_all(connection, [gone])


def forget(connection: Connection, today: date) -> int:
    """Delete the sign-ups of activities that ended longer ago than they are kept. Returns how many."""
    over = select(_ACTIVITY.c.id).where(_ACTIVITY.c.end < (today - KEPT).isoformat())
    return connection.execute(_SIGN_UP.delete().where(_SIGN_UP.c.activity.in_(over))).rowcount


def _volunteer(connection: Connection, actor: Actor) -> Any:
    """Give the row of whoever acts, under the number they have now. Raises NotAllowed."""
    if actor.volunteer is None:
        raise NotAllowed("报名要由志愿者本人办")
    row = connection.execute(select(_VOLUNTEER).where(_VOLUNTEER.c.number == actor.volunteer)).one()
    return connection.execute(select(_VOLUNTEER).where(_VOLUNTEER.c.number == row.merged_into)).one() if row.merged_into else row


def _at_desk(connection: Connection, actor: Actor, activity: str, number: str) -> Any:
    """Give the row of somebody for whom an activity's desk acts. Raises NotFound, NotAllowed (another's activity)."""
    rows = rows_where_in(connection, [_ACTIVITY.c.station], _ACTIVITY.c.id, [activity])
    known = rows_where_in(connection, _VOLUNTEER.c, _VOLUNTEER.c.number, [number])
    if not rows or not known:
        raise NotFound("没有这个活动或志愿者编号，请核对")
    require(connection, actor, "record", rows[0].station)
    return next(iter(rows_where_in(connection, _VOLUNTEER.c, _VOLUNTEER.c.number, [known[0].merged_into or number])))


def _of(connection: Connection, me: Any, activity: str) -> Any:
    """Give an activity that is offered to a volunteer, or that they signed up for. Raises NotFound."""
    rows = rows_where_in(connection, _ACTIVITY.c, _ACTIVITY.c.id, [activity])
    near = rows and rows[0].declared is not None and rows[0].station in ancestry(connection, me.station)
    if not near and activity not in _held(connection, me.number):
        raise NotFound("没有这个活动，或者它不在您的站点。请回到「活动」重新选择")
    return rows[0]


def _held(connection: Connection, number: str) -> list[str]:
    return list(connection.execute(select(_SIGN_UP.c.activity).where(_SIGN_UP.c.volunteer == number)).scalars())


def _offered(here: str) -> Any:
    return _ACTIVITY.c.declared.is_not(None) & _ACTIVITY.c.ended_as.is_(None) & (_ACTIVITY.c.start > here)


def _clash(row: Any, held: Sequence[Any]) -> str:
    """Give the title of another activity among those held that meets a row's time."""
    meets = (str(one.title) for one in held if one.id != row.id and one.ended_as is None and one.start < row.end and row.start < one.end)
    return next(meets, "")


def _here(now: datetime) -> str:
    return spell_minute(now.astimezone(SHANGHAI).replace(tzinfo=None))
