"""What is said of tasks: that a unit is to do something by a day, that it was done, that it is not asked for any more."""

from ledger.kinds.checks import Check, day, number, station, text
from ledger.kinds.kind import Kind

TITLE_MAX, DETAIL_MAX, BASIS_MAX = 100, 500, 200
_TASK: dict[str, Check] = {"task": number, "station": station}

KINDS = (
    Kind("task.assigned", 1, {**_TASK, "title": text(TITLE_MAX), "due_on": day, "basis": text(BASIS_MAX)}, {"detail": text(DETAIL_MAX)}),
    Kind("task.done", 1, {**_TASK, "done_on": day, "result": text(DETAIL_MAX)}),
    Kind("task.dropped", 1, {**_TASK, "reason": text(BASIS_MAX)}),
)
