"""Filling a sheet with people: those of last time and who signed up, one typed, many pasted; and the choice where several are called the same."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from ledger import activities
from ledger.drafting.sheets import ROWS_MAX, Row, Sheet
from ledger.errors import InvalidRequest
from ledger.people import directory
from ledger.people.directory import Someone
from ledger.people.identity import normalise_name
from ledger.planning import sign_ups
from ledger.sheets import pasting
from ledger.sheets.pasting import Line
from ledger.tables import ActivityRow, ServiceRow, table
from ledger.transactions import ReadTransaction

_SERVICE, _ACTIVITY = table(ServiceRow), table(ActivityRow)
LOOKED_BACK = 300
"""Activities of a station among which the templates are found."""
LATELY = timedelta(days=14)
"""How long after a planned activity a sheet begun from it is taken to be its own."""


def templates(tx: ReadTransaction, station: str, limit: int = 12) -> list[Any]:
    """List activities to begin a sheet from: today's first, then the newest of each title; what is still to come last, the nearest first."""
    today = tx.today.isoformat()
    found: dict[str, Any] = {}
    rows = [
        row
        for row in activities.recent(tx.connection, [station], LOOKED_BACK)
        if not row.migrated_year and row.start and row.ended_as != "cancelled"
    ]
    ahead = sorted((row for row in rows if row.start[:10] > today), key=lambda row: row.start)
    rows = [*sorted((row for row in rows if row.start[:10] <= today), key=lambda row: (row.start[:10] != today, -row.entry_index)), *ahead]
    for row in rows:
        found.setdefault(row.title, row)
    return list(found.values())[:limit]


def unrecorded(tx: ReadTransaction, station: str) -> list[Any]:
    """List the planned activities of late whose sheet has not been recorded yet, the newest first: each is a sheet that somebody waits for."""
    rows = [row for row in activities.recent(tx.connection, [station], LOOKED_BACK) if row.declared and row.start]
    return sorted((row for row in rows if _is_this_one(tx, row)), key=lambda row: row.start, reverse=True)


def begin(tx: ReadTransaction, station: str, template: Any) -> Sheet:
    """Give a new sheet at a station, after an activity's row if there is one, with the people of last time ticked, and who signed up for it.

    Of an activity that was planned, and of which nothing is recorded yet, it is that very day's sheet.
    """
    sheet = Sheet(station, day=tx.today.isoformat())
    if template is None:
        return sheet
    sheet.activity, sheet.title, sheet.series = template.id, template.title, template.series
    sheet.place, sheet.organisation = template.place or "", template.organisation or ""
    if template.start and template.end:
        sheet.start, sheet.end = template.start[11:], template.end[11:]
        sheet.next_day = template.end[:10] > template.start[:10]
    expected: list[str] = []
    if _is_this_one(tx, template):
        sheet.day, expected = template.start[:10], sign_ups.of_activity(tx.connection, template.id)
    people = directory.by_number(tx, [*expected, *last_time(tx, station, sheet.title, sheet.organisation)])
    for number in sorted(people, key=lambda number: (people[number].name, people[number].tail)):
        sheet.add(who=number)
    return sheet


def _is_this_one(tx: ReadTransaction, template: Any) -> bool:
    """Tell whether a sheet is of the planned activity itself, not of another like it: lately held, not ended, nothing of it recorded."""
    if not template.declared or template.ended_as or not tx.today - LATELY <= date.fromisoformat(template.start[:10]) <= tx.today:
        return False
    recorded = select(_SERVICE.c.entry_index).where(_SERVICE.c.activity == template.id, _SERVICE.c.status != "voided").limit(1)
    return tx.connection.execute(recorded).first() is None


def last_time(tx: ReadTransaction, station: str, title: str, organisation: str) -> list[str]:
    """List who served the last time at an activity of this title; if there was none, with this organisation."""
    found = _latest(tx, (_ACTIVITY.c.station == station) & (_ACTIVITY.c.title == title))
    return found or (_latest(tx, (_ACTIVITY.c.station == station) & (_ACTIVITY.c.organisation == organisation)) if organisation else [])


def _latest(tx: ReadTransaction, which: Any) -> list[str]:
    newest = select(_ACTIVITY.c.id).where(which).order_by(_ACTIVITY.c.entry_index.desc()).limit(LOOKED_BACK)
    ids = list(tx.connection.execute(newest).scalars())
    stands = (_SERVICE.c.activity.in_(ids), _SERVICE.c.status != "voided")
    day = select(_SERVICE.c.served_on).where(*stands).order_by(_SERVICE.c.served_on.desc()).limit(1).scalar_subquery()
    people = select(_SERVICE.c.volunteer).where(*stands, _SERVICE.c.served_on == day).distinct().limit(ROWS_MAX)
    return list(tx.connection.execute(people).scalars())


def type_one(tx: ReadTransaction, sheet: Sheet, typed: str) -> Row | None:
    """Add whoever was typed, or tick them; with a minus before, untick them. Returns their row. Raises InvalidRequest when nobody is meant."""
    absent = typed.lstrip().startswith(("-", "－", "−"))
    line = pasting.read_line(typed.strip().lstrip("-－−"))
    if not absent:
        return add(tx, sheet, [line])[0]
    mine = list(directory.by_number(tx, [row.who for row in sheet.rows if row.who]).values())
    found = directory.matching(mine, line.name + line.number[-4:])
    if len(found) != 1:
        meant = typed.strip()[:20].lstrip("-－−")
        alike = len(found) or sum(one.name.startswith(line.name) for one in mine if line.name)
        raise InvalidRequest(f"名单上有 {alike} 位符合「{meant}」，请写全姓名，或加上尾号再试" if alike else f"名单上没有「{meant}」")
    row = sheet.row_of(found[0].number)
    assert row is not None
    row.on = False
    return row


def paste(tx: ReadTransaction, sheet: Sheet, text: str) -> list[Row]:
    """Add everybody on a pasted list. Returns their rows. Raises InvalidRequest when it holds nobody."""
    lines = pasting.parse(text)
    if not lines:
        raise InvalidRequest("粘贴的内容里没有找到姓名。请一行一个人，或直接粘贴微信接龙")
    return add(tx, sheet, lines)


def add(tx: ReadTransaction, sheet: Sheet, lines: Sequence[Line]) -> list[Row]:
    """Add people as they were said; who can be told is known at once, the others wait for a choice. Raises InvalidRequest when it is too many."""
    if len(sheet.rows) + len(lines) > ROWS_MAX:
        raise InvalidRequest(f"一张表最多 {ROWS_MAX} 人。请分成几张登记，或上传表格文件")
    people = directory.Station(tx, sheet.station)
    rows = []
    for line in lines:
        found = [] if line.fault else candidates(tx, people, line.said, line.name, line.number)
        row = sheet.row_of(found[0].number) if len(found) == 1 else _said_before(sheet, line)
        row = row or sheet.add(said=line.said, name=line.name, number=line.number, fault=line.fault)
        row.on = True
        if line.start:
            row.start, row.end = line.start, line.end
        if len(found) == 1:
            row.is_known(found[0].number)
        rows.append(row)
    return rows


def _said_before(sheet: Sheet, line: Line) -> Row | None:
    """Find the row of the same words again, unless they are a bare name, which two people may have."""
    return next((row for row in sheet.rows if not row.who and row.said == line.said and line.number), None)


def candidates(tx: ReadTransaction, people: directory.Station, said: str, name: str, number: str) -> list[Someone]:
    """Find who may be meant; somebody whose number and name do not go together is nobody."""
    found = directory.anybody(tx, number if len(number) > 4 else said)
    if found is None:
        return people.matching(name + number) if name or number else []
    return [one for one in found if not name or len(number) <= 4 or one.name == normalise_name(name)]


def choose(tx: ReadTransaction, sheet: Sheet, chosen: dict[int, str]) -> None:
    """Take the choice between people of one name: row id -> volunteer number. What was not among the choices is not taken."""
    open_rows = [row for row in sheet.rows if not row.who and row.id in chosen]
    if not open_rows:
        return
    people = directory.Station(tx, sheet.station)
    for row in open_rows:
        if chosen[row.id] in {one.number for one in candidates(tx, people, row.said, row.name, row.number)}:
            before = sheet.row_of(chosen[row.id])
            if before is not None and before is not row:
                before.on, before.start, before.end = True, row.start or before.start, row.end or before.end
                sheet.rows.remove(row)
            else:
                row.is_known(chosen[row.id])
