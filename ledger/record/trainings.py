"""
Training: what, how long, by whom, on which day, and who was there (民政部令第67号 article 8). Its minutes are never service.

Whoever records at the station writes it down, for many people at once; who has it already is left out and named. It is voided, for all or for some, by
whoever recorded it or by an approver.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, NotFound
from ledger.kinds import Body
from ledger.kinds.credit import MINUTES_MAX, PEOPLE_MAX, REASON_MAX, TITLE_MAX
from ledger.log import Fact, Receipt
from ledger.notices import Telling, tell_readers
from ledger.people import volunteers
from ledger.record import subjects
from ledger.record.saying import REASON_MIN, past_day, words
from ledger.tables import TrainingRow, table
from ledger.transactions import WriteTransaction

_TRAINING = table(TrainingRow)


@dataclass(frozen=True)
class Training:
    """A training as it was held: *minutes* of learning, *organiser* whoever held it, *organisation* one of the district's if it was one."""

    station: str
    title: str
    content: str
    minutes: int
    organiser: str
    trained_on: date
    organisation: str | None = None


@dataclass(frozen=True)
class Recorded:
    """What came of it: the receipt (none if nobody is new), the numbers it is for, and those who have it already, with the entry."""

    receipt: Receipt | None
    people: list[str]
    already: dict[str, int]


def record(tx: WriteTransaction, training: Training, people: Sequence[str], source: Body | None = None) -> Recorded:
    """Record a training for people, by number. *source*: the file and row it was read from. Raises NotAllowed, NotFound, InvalidRequest."""
    tx.require("record", training.station)
    body: Body = {
        "title": words(training.title, "培训名称", TITLE_MAX, 2),
        "content": words(training.content, "主要内容", REASON_MAX, 2),
        "organiser": words(training.organiser, "培训单位", TITLE_MAX, 2),
        "trained_on": past_day(training.trained_on, "培训日期", tx.today),
        "minutes": training.minutes,
        "station": training.station,
    }
    if not 0 < training.minutes <= MINUTES_MAX:
        raise InvalidRequest("学习时长应大于零，请按小时和分钟填写")
    if training.organisation:
        body["organisation"] = subjects.organisation(tx, training.organisation).organisation
    numbers = _present(tx, people, body["trained_on"])
    have = rows_where_in(tx.connection, _TRAINING.c, _TRAINING.c.volunteer, numbers)
    same = {row.volunteer: row.entry_index for row in have if not row.voided_by and _is_same(row, body)}
    new = [number for number in numbers if number not in same]
    if not new:
        return Recorded(None, [], same)
    receipt = tx.append([Fact("training.recorded", {**body, "volunteers": new, **({"source": source} if source else {})})])[0]
    tell_readers(tx, [Telling("person/" + number, "training.recorded", {"training": receipt.index}) for number in new])
    return Recorded(receipt, new, same)


def _is_same(row: Any, body: Body) -> bool:
    return bool(row.title == body["title"] and row.trained_on == body["trained_on"])


def _present(tx: WriteTransaction, people: Sequence[str], day: str) -> list[str]:
    """Give the numbers in use of those who are to have it, each once. Raises NotFound, InvalidRequest naming who cannot have been there."""
    rows = volunteers.current(tx, people)
    unknown = [number for number in people if number not in rows]
    if unknown:
        raise NotFound(f"没有编号为 {'、'.join(unknown[:5])} 的志愿者，请对照名单再看一遍")
    gone = [row.number for row in rows.values() if row.left_on is not None and row.left_on < day]
    gone += [row.number for row in rows.values() if row.left_as in ("not_me", "erased") and row.number not in gone]
    if gone:
        raise InvalidRequest(f"编号 {'、'.join(gone[:5])} 在培训那天已经不是志愿者，请从名单里去掉")
    found = list(dict.fromkeys(rows[number].number for number in people))
    if not 0 < len(found) <= PEOPLE_MAX:
        raise InvalidRequest(f"一次登记 1 至 {PEOPLE_MAX} 人。人多的请分几次" if found else "名单还是空的，请先加上参加培训的人")
    return found


def void(tx: WriteTransaction, index: int, people: Sequence[str], reason: str) -> Receipt:
    """Say that a training does not stand, for some or all of those in it, and why. Raises NotFound, NotAllowed, InvalidRequest."""
    rows = {row.volunteer: row for row in rows_where_in(tx.connection, _TRAINING.c, _TRAINING.c.entry_index, [index])}
    if not rows or any(number not in rows for number in people) or not people:
        raise NotFound("没有这条培训记录，请刷新页面再选")
    row = rows[people[0]]
    tx.require("record" if tx.actor.account == row.recorder else "approve", row.station)
    if any(rows[number].voided_by for number in people):
        raise InvalidRequest("这条培训记录已经作废，请刷新页面")
    why = words(reason, "作废的理由", REASON_MAX, REASON_MIN)
    body: Body = {"training": index, "volunteers": list(people), "station": row.station, "reason": why}
    receipt = tx.append([Fact("training.voided", body)])[0]
    tell_readers(tx, [Telling("person/" + number, "training.voided", {"training": index}) for number in people])
    return receipt
