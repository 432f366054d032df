"""
Tasks of a plan: what a unit is to do by a day, on which document's word; done in time, late, or not asked for any more.

Whoever watches the unit from above gives it, the unit's own staff say that it was done and what came of it. A task done is not undone: what was wrong
about it is a new task.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ledger import stations
from ledger.bulk import rows_where_in
from ledger.duties.owing import MENTIONED, SOON_DAYS
from ledger.errors import Conflict, InvalidRequest, NotFound
from ledger.ids import new_number
from ledger.kinds.checks import day, text
from ledger.kinds.tasks import BASIS_MAX, DETAIL_MAX, TITLE_MAX
from ledger.log import Fact, Receipt
from ledger.notices import tell_staff
from ledger.tables import TaskRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

STATES = {"overdue": "逾期没办", "soon": "快到期", "open": "还没办", "late": "办了，迟了", "done": "按时办了", "dropped": "不办了"}
"""In the order in which somebody should look."""
_TASK = table(TaskRow)


def assign(tx: WriteTransaction, station: str, title: str, due_on: str, basis: str, detail: str = "") -> str:
    """Give a unit something to do. Returns the task's id. Raises NotFound, NotAllowed, InvalidRequest."""
    unit = stations.get(tx.connection, station)
    tx.require("assign", station)
    if unit.closed_on:
        raise InvalidRequest(f"「{unit.name}」已经撤销，请交给别的单位")
    if not day(due_on) or due_on < tx.today.isoformat():
        raise InvalidRequest("请写明最后一天，今天或以后")
    said = {"title": _words(title, "任务", TITLE_MAX), "basis": _words(basis, "依据", BASIS_MAX)}
    said |= {"detail": _words(detail, "要求", DETAIL_MAX)} if detail.strip() else {}
    new_id = new_number()
    tx.append([Fact("task.assigned", {"task": new_id, "station": station, "due_on": due_on, **said})])
    tell_staff(tx, "register", station, "task.assigned", {"station": station, "due_on": due_on})
    return new_id


def finish(tx: WriteTransaction, task: str, done_on: str, result: str) -> Receipt:
    """Say that a task was done, when, and what came of it. Raises NotFound, NotAllowed, InvalidRequest, Conflict."""
    row = _open(tx, task, "register")
    if not day(done_on) or not row.assigned_on <= done_on <= tx.today.isoformat():
        raise InvalidRequest(f"办好的日期应在 {row.assigned_on} 到今天之间")
    body = {"task": task, "station": row.station, "done_on": done_on, "result": _words(result, "办理结果", DETAIL_MAX)}
    return tx.append([Fact("task.done", body)])[0]


def drop(tx: WriteTransaction, task: str, reason: str) -> Receipt:
    """Say that a task is not asked for any more. Raises NotFound, NotAllowed, InvalidRequest, Conflict."""
    row = _open(tx, task, "assign")
    return tx.append([Fact("task.dropped", {"task": task, "station": row.station, "reason": _words(reason, "理由", BASIS_MAX)})])[0]


def of_units(tx: ReadTransaction, units: Sequence[str]) -> list[tuple[Any, str]]:
    """List the tasks of units with how each stands (one of STATES), most pressing first."""
    found = [(row, state(row, tx.today)) for row in rows_where_in(tx.connection, _TASK.c, _TASK.c.station, units)]
    order = list(STATES)
    return sorted(found, key=lambda one: (order.index(one[1]), one[0].due_on, one[0].entry_index))


def state(row: Any, today: date) -> str:
    """Say how a task stands on a day."""
    if row.closed_by is not None:
        return "dropped" if row.done_on is None else "done" if row.done_on <= row.due_on else "late"
    left = date.fromisoformat(row.due_on) - today
    return "overdue" if left < timedelta() else "soon" if left <= timedelta(days=SOON_DAYS) else "open"


def to_mention(connection: Connection, today: date) -> Counter[str]:
    """Count by unit what is not done and to be mentioned today, on the same days as papers that are owed."""
    rows = connection.execute(select(_TASK.c.station, _TASK.c.due_on).where(_TASK.c.closed_by.is_(None)))
    return Counter(row.station for row in rows if (date.fromisoformat(row.due_on) - today).days in MENTIONED)


def _open(tx: WriteTransaction, task: str, action: str) -> Any:
    """Give a task that is not closed, to whoever may do this with it: nobody else is told even that. Raises NotFound, NotAllowed, Conflict."""
    row = tx.connection.execute(select(_TASK).where(_TASK.c.id == task)).one_or_none()
    if row is None:
        raise NotFound("没有这项任务，请从列表里选")
    tx.require(action, row.station)
    if row.closed_by is not None:
        raise Conflict(f"「{row.title}」{STATES[state(row, tx.today)]}，不能再改。还要办的，请另立一项")
    return row


def _words(said: str, what: str, length_max: int) -> str:
    plain = " ".join(said.split())
    if not text(length_max)(plain):
        raise InvalidRequest(f"请写明{what}（最多 {length_max} 个字，不要写手机号或身份证号）")
    return plain
