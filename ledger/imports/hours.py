"""
Hours: sign-in sheets (one activity a sheet, its facts in the rows above the header) and exports of an older platform (one service a row).

A row is judged in this order, and the first thing wrong is what it is refused for: who (missing, ID number, known, name), when (sign-in, sign-out,
order), and then the rules of service/judging.py (same again, overlap, cap, future). A stated length is only compared: the times decide. People
who are not registered are never created here; their rows are parked, sealed, until they register.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from ledger import activities, codes, organisations, parked, stations
from ledger.activities import Activity
from ledger.entries import b64
from ledger.errors import InvalidRequest
from ledger.ids import new_entry_id
from ledger.imports.outcome import ROWS_AT_ONCE, Outcome, Progress
from ledger.imports.rosters import Cells, RowRefused, check_words, need_id_number, need_station, need_text, station_of
from ledger.kinds import checks
from ledger.log import Receipt
from ledger.people import identity, volunteers
from ledger.refusals import Already, Refusal
from ledger.service import gates, recording, second_signatures
from ledger.service.drafts import Draft, spell_minute, spoken_day
from ledger.sheets import columns, spelling
from ledger.sheets.layout import ActivityFacts, Table, activity_facts, find_table
from ledger.sheets.reading import Cell, Sheet
from ledger.sheets.spelling import Blank, Misspelt
from ledger.stations import everyone
from ledger.transactions import WriteTransaction

When = TypeVar("When", int, datetime)
"""Minutes of a day, or a local moment."""


@dataclass(frozen=True, slots=True)
class _Service:
    """A row read so far: who by ID number, when, at which activity."""

    row: int
    name: str
    id_number: str
    activity: Activity
    start: datetime | None
    end: datetime | None
    refusal: Refusal | None
    stated_minutes: int | None


def hours_table(tx: WriteTransaction, sheet: Sheet, outcome: Outcome, progress: Progress) -> None:
    """Record the services of a sign-in sheet or a platform export."""
    try:
        table, whole = find_table(sheet, columns.PLATFORM), False
    except InvalidRequest:
        table, whole = find_table(sheet, columns.SIGN_IN), True
    outcome.header_row = table.header_row
    outcome.batch = new_entry_id()
    read = _read_sign_in(tx, sheet, table, outcome) if whole else _read_platform(tx, table, outcome)
    grade = "B" if whole else "D"
    answered: set[int] = set()
    for at in range(0, len(read), ROWS_AT_ONCE):
        _record(tx, read[at : at + ROWS_AT_ONCE], outcome, grade, answered)
        progress(min(at + ROWS_AT_ONCE, len(read)), len(read))


def _read_sign_in(tx: WriteTransaction, sheet: Sheet, table: Table, outcome: Outcome) -> list[_Service]:
    activity, start, end = _sheet_activity(tx, sheet, table, outcome)
    outcome.activity = activity.title
    outcome.facts = _facts(tx, activity, start, end)
    read = []
    for row, cells in table.rows():
        try:
            name, number = _who(tx, cells)
        except RowRefused as refused:
            outcome.refuse(row, refused.refusal, spelling.clean_text(cells.get("name")))
            continue
        stated = _stated(cells.get("duration"), table.headers.get("duration", ""))
        try:
            times = _sign_in_times(cells, start, end)
        except RowRefused as refused:
            read.append(_Service(row, name, number, activity, None, None, refused.refusal, stated))
        else:
            read.append(_Service(row, name, number, activity, *times, None, stated))
    return read


def _facts(tx: WriteTransaction, activity: Activity, start: datetime, end: datetime) -> dict[str, str]:
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end.month}月{end.day}日 {end:%H:%M}"
    unit = activity.responsible_unit or organisations.name_of(tx.connection, activity.organisation or "")
    said = {
        "活动时间": f"{start.year}年{start.month}月{start.day}日 {start:%H:%M} 至 {until}",
        "站点": stations.get(tx.connection, activity.station).name,
        "组织单位": unit,
        "活动系列": codes.SERIES[activity.series],
        "活动地点": activity.place or "",
    }
    return {label: text for label, text in said.items() if text}


def _sheet_activity(tx: WriteTransaction, sheet: Sheet, table: Table, outcome: Outcome) -> tuple[Activity, datetime, datetime]:
    """Read the activity from the title rows. Raises InvalidRequest when its station, time or series is not there."""
    facts = activity_facts(sheet, table.header_row)
    station = station_of(tx, facts.get("station", ""))
    title, place, unit = (_words(facts, name) for name in ("title", "place", "organisation"))
    if not facts.get("time"):
        raise InvalidRequest("表头上方没有写明「活动时间：」。请补上，例如「活动时间：2025年1月5日 14:00-16:00」")
    try:
        start, end = spelling.parse_period(facts["time"])
    except Misspelt as fault:
        raise InvalidRequest(str(fault)) from None
    series_said = spelling.clean_text(facts.get("series", ""))
    series = codes.code_of(series_said, codes.SERIES, codes.SERIES_ALIASES) if series_said else "other"
    if series is None:
        raise InvalidRequest(f"不认识的活动系列「{series_said[:20]}」。应是{'、'.join(codes.SERIES.values())}之一")
    groups, other_groups = codes.codes_of(facts.get("beneficiaries", []), codes.BENEFICIARIES, codes.BENEFICIARY_ALIASES)
    services, other_services = codes.codes_of(facts.get("services", []), codes.SERVICES, codes.SERVICE_ALIASES)
    for column, others in (("服务对象", other_groups), ("服务内容", other_services)):
        if not checks.many(checks.text(60), 10)(others):
            raise InvalidRequest(f"表头上方的{column}最多另写 10 项，每项最多 60 个字，不能有手机号或身份证号。请改短或删去")
    unit = unit or station.name
    organisation = organisations.find_by_name(tx.connection, unit)
    if organisation is None and unit != station.name:
        outcome.remark(1, f"组织单位「{unit[:40]}」不在备案台账里，已按站点自办活动登记")
    elif organisation is not None and organisation.expires_on and organisation.expires_on < start.date().isoformat():
        outcome.remark(1, f"「{organisation.name}」的备案已于{spoken_day(organisation.expires_on)}到期，请尽快重新备案")
    activity = Activity(
        station.code,
        title.removesuffix("签到表") or "志愿服务活动",
        series,
        organisation=organisation.id if organisation else None,
        responsible_unit=None if organisation else unit,
        start=start.isoformat(timespec="minutes"),
        end=end.isoformat(timespec="minutes"),
        place=place or None,
        beneficiaries=groups,
        beneficiaries_other=other_groups,
        services=services,
        services_other=other_services,
    )
    return activity, start, end


def _words(facts: ActivityFacts, name: Literal["title", "place", "organisation"]) -> str:
    """Read a fact in words, spelt as cells are. Raises InvalidRequest for what may not stand in an entry."""
    said = spelling.clean_text(facts.get(name))
    column, length_max = {"title": ("活动名称", 100), "place": ("活动地点", 200), "organisation": ("组织单位", 100)}[name]
    if said and not checks.text(length_max)(said):
        raise InvalidRequest(f"表头上方的{column}最多 {length_max} 个字，不能有手机号或身份证号。请改短或删去")
    return said


def _sign_in_times(cells: Cells, start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Put a row's times of day on the activity's day; over midnight the sign-out belongs to the next."""
    arrived = _when(spelling.parse_time_of_day, cells.get("start"), "missing", "签到时间", "没有签到时间，请对照纸质签到表补上")
    left = _when(
        spelling.parse_time_of_day,
        cells.get("end"),
        "missing_sign_out",
        "签退时间",
        "没有签退时间。请向本人核实后补上；核实不了的，这一次不能计时",
    )
    day = datetime.combine(start.date(), datetime.min.time())
    overnight = end.date() > start.date()
    joined_late = overnight and arrived < start.hour * 60 - 180
    # A sign-out long after the end is no next day's: the two times were swapped.
    went_over = overnight and left <= arrived and left <= end.hour * 60 + end.minute + 180
    first = day + timedelta(days=joined_late, minutes=arrived)
    last = day + timedelta(days=joined_late or went_over, minutes=left)
    if last <= first:
        text = "签退时间不晚于签到时间。若活动跨过零点，请在活动时间里写明「次日」；若抄反了，请对照签到表改正"
        raise RowRefused("end_before_start", text, "签退时间")
    return first, last


def _when(parse: Callable[[Cell], When], cell: Cell, blank_code: str, column: str, blank_text: str) -> When:
    """Read a time or moment that must be there."""
    try:
        return parse(cell)
    except Blank:
        raise RowRefused(blank_code, blank_text, column) from None
    except Misspelt as fault:
        raise RowRefused("unreadable", str(fault), column) from None


def _read_platform(tx: WriteTransaction, table: Table, outcome: Outcome) -> list[_Service]:
    known = {unit.code for unit in everyone(tx.connection)}
    outcome.activity = "原平台导出的服务记录"
    read = []
    for row, cells in table.rows():
        try:
            name, number = _who(tx, cells)
            start = _when(spelling.parse_datetime, cells.get("start"), "missing", "开始时间", "没有开始时间")
            end = _when(spelling.parse_datetime, cells.get("end"), "missing_sign_out", "结束时间", "没有结束时间")
            activity = _platform_activity(known, cells, start.year)
        except RowRefused as refused:
            outcome.refuse(row, refused.refusal, spelling.clean_text(cells.get("name")))
        else:
            stated = _stated(cells.get("duration"), table.headers.get("duration", ""))
            read.append(_Service(row, name, number, activity, start, end, None, stated))
    return read


def _platform_activity(known: set[str], cells: Cells, year: int) -> Activity:
    said = spelling.clean_text(cells.get("series"))
    series = codes.code_of(said, codes.SERIES, codes.SERIES_ALIASES) if said else "other"
    if series is None:
        raise RowRefused("unreadable", f"不认识的活动系列「{said[:20]}」", "活动系列")
    source = spelling.clean_text(cells.get("source"))
    if source:
        check_words(source, "来源", 60)
    title = need_text(cells, "activity", "活动名称", 100)
    return Activity(need_station(known, cells), title, series, migrated_year=year, source=source or None)


def _who(tx: WriteTransaction, cells: Cells) -> tuple[str, str]:
    name = identity.normalise_name(need_text(cells, "name", "姓名"))
    return name, need_id_number(tx, cells.get("id_number"))


def _stated(cell: Cell, header: str) -> int | None:
    try:
        return spelling.parse_duration(cell, header)
    except Misspelt:
        return None


def _record(tx: WriteTransaction, read: list[_Service], outcome: Outcome, grade: str, answered: set[int]) -> None:
    """Find the people, record what may be recorded, and note the rest. *answered*: entries that rows of this sheet have led to."""
    people = volunteers.find_by_id_numbers(tx, {service.id_number for service in read})
    sure: list[tuple[_Service, Any]] = []
    for service in read:
        known = people.get(service.id_number)
        refusal = _identity_refusal(service, known) or service.refusal
        if refusal is None and known is not None:
            sure.append((service, known))
            continue
        assert refusal is not None
        outcome.refuse(service.row, refusal, service.name)
        if refusal.code == "unknown_volunteer" and service.refusal is None:
            outcome.parked.append(outcome.rejected[-1])
    ids = activities.find_or_publish(tx, [service.activity for service, _ in sure])
    drafts = [_draft(service, known.row.number, activity, outcome, grade) for (service, known), activity in zip(sure, ids, strict=True)]
    waiting = second_signatures.asked(tx.connection, drafts)
    for (service, _), draft, answer in zip(sure, drafts, recording.record_many(tx, drafts), strict=True):
        if isinstance(answer, Already) and answer.index in answered:
            answer = Refusal("duplicate", "本表中这个人同样的时间已经登记过一次，请删去重复的一行", "姓名")
        if not isinstance(answer, Refusal):
            answered.add(answer.index)
        if isinstance(answer, Refusal):
            _refuse(tx, service, draft, answer, outcome, waiting)
        elif isinstance(answer, Already):
            outcome.already += 1
        else:
            _accept(service, draft, answer, outcome)
    _park(tx, read, outcome, grade)


def _accept(service: _Service, draft: Draft, receipt: Receipt, outcome: Outcome) -> None:
    """Count a recorded row, and remark what in it the clerk had better look at while the paper lies there."""
    outcome.accepted += 1
    outcome.minutes += draft.minutes
    outcome.receipts.append(receipt)
    if service.stated_minutes not in (None, draft.minutes):
        text = f"表中时长与签到签退不一致：按签到签退计 {draft.minutes} 分钟，表中写的是 {service.stated_minutes} 分钟"
        outcome.remark(service.row, text, service.name)
    if beyond := gates.outside(spell_minute(draft.start), spell_minute(draft.end), service.activity):
        outcome.remark(service.row, f"{beyond}，审核时会单独列出；抄错了的请现在改正", service.name)


def _refuse(
    tx: WriteTransaction, service: _Service, draft: Draft, answer: Refusal, outcome: Outcome, waiting: Mapping[second_signatures.What, str]
) -> None:
    """Note a refused row; one over the daily cap alone may be proposed for a second signature, or has been."""
    signable = answer.code == "over_daily_cap" and draft.minutes <= checks.MINUTES_MAX
    if signable and second_signatures.what(draft) in waiting:
        outcome.sign(service.row, "以前已提出，正等另一位工作人员签字", service.name)
    elif signable and service.row in outcome.reasons:
        try:
            second_signatures.ask(tx, draft, outcome.reasons[service.row])
        except InvalidRequest as other:  # another row of the sheet stands in its way now
            outcome.refuse(service.row, replace(answer, message=str(other)), service.name)
        else:
            outcome.sign(service.row, f"已请另一位工作人员签字：{outcome.reasons[service.row]}", service.name)
    else:
        outcome.refuse(service.row, answer, service.name)
        if signable:
            outcome.signable.append(service.row)


def _identity_refusal(service: _Service, known: volunteers.Known | None) -> Refusal | None:
    if known is None:
        text = f"尾号 {service.id_number[-4:]} 尚未登记为志愿者，不会自动建档。"
        text += service.refusal.message if service.refusal else "已放入「待登记」，本人登记后再计入"
        return Refusal("unknown_volunteer", text, "身份证号")
    if known.personal.identity["name"] != service.name:
        text = f"姓名与身份证号不是同一个人：这个号码登记的是「{known.masked_name}」。请对照证件改正姓名或号码"
        return Refusal("name_mismatch", text, "姓名")
    return None


def _draft(service: _Service, volunteer: str, activity: str, outcome: Outcome, grade: str) -> Draft:
    assert service.start is not None, "refused before"
    assert service.end is not None
    assert outcome.batch is not None
    return Draft(
        volunteer,
        activity,
        service.activity.station,
        service.start,
        service.end,
        grade,
        outcome.batch,
        service.activity.organisation,
        source={"sha256": b64(bytes.fromhex(outcome.sheet.sha256)), "row": service.row},
        settled=outcome.settled,
    )


def _park(tx: WriteTransaction, read: list[_Service], outcome: Outcome, grade: str) -> None:
    """Keep the rows of unknown people whose times could be read, sealed, until they register."""
    unknown = {problem.row for problem in outcome.parked}
    digest, settled = outcome.sheet.sha256, outcome.settled
    rows = [
        parked.Parked(one.name, one.id_number, one.activity, one.start, one.end, grade, settled, digest, one.row)
        for one in read
        if one.row in unknown and one.start is not None and one.end is not None
    ]
    parked.park(tx, rows)
