"""
Judging a sheet and committing it: one write, in which everything that is right is recorded, and whose answer says what is not, worst first.

The same function rehearses (nothing stays) and commits. Before a commit each row with a problem has to be mended or left out by the clerk; rows left out
stay in the draft. People who are not registered are parked where their whole ID number was typed, and else stay in the draft.
"""

import hashlib
import re
from base64 import b64decode
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import update

from ledger import activities, codes, evidence, organisations, parked, stations
from ledger.activities import Activity
from ledger.drafting import keeping
from ledger.drafting.filling import candidates
from ledger.drafting.sheets import Row, Sheet
from ledger.errors import InvalidRequest
from ledger.ids import new_entry_id
from ledger.kinds.checks import BREAK_MINUTES_MAX, text
from ledger.log import Receipt
from ledger.people import directory, identity
from ledger.people.directory import Someone
from ledger.refusals import Already, Refusal
from ledger.service import gates, recording, second_signatures
from ledger.service.drafts import Draft, spoken_day
from ledger.sheets import pasting, spelling
from ledger.sheets.spelling import Misspelt
from ledger.tables import EvidenceRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_WORST_FIRST = (
    *("over_daily_cap", "against_rules", "overlap", "future_date", "end_before_start", "name_mismatch", "id_checksum"),
    *("duplicate", "unreadable", "missing", "unknown_volunteer"),
)
GRADES = ("C", "D")
"""What a clerk may say of the evidence; B follows from a sheet that is attached, A from signing in and out."""


@dataclass(frozen=True)
class Problem:
    """A row that cannot be recorded as it stands: why, and whom it may be about."""

    row: Row
    refusal: Refusal
    choices: list[Someone]


@dataclass
class Judged:
    """What comes of a sheet. *recorded*: row, minutes, receipt; *already*: rows that the ledger holds; *absent*: how many are not ticked.

    *signing*: rows over the daily cap for which a second person is asked; *left*: how many stay in the draft; *hours*: the
    times of everyone as they were read.
    """

    recorded: list[tuple[Row, int, Receipt]] = field(default_factory=list)
    already: list[tuple[Row, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    parked: list[Row] = field(default_factory=list)
    signing: list[Row] = field(default_factory=list)
    absent: int = 0
    left: int = 0
    hours: str = ""
    batch: str = ""
    remarks: list[str] = field(default_factory=list)

    @property
    def minutes(self) -> int:
        """Minutes recorded in all."""
        return sum(minutes for _, minutes, _ in self.recorded)


@dataclass(frozen=True)
class _Common:
    """What is the same for everyone, as read."""

    activity: Activity
    activity_id: str
    day: datetime
    start: int
    end: int
    next_day: bool
    break_minutes: int
    grade: str
    source: str


def judge(tx: WriteTransaction, sheet: Sheet) -> Judged:
    """Record what is right of a sheet and say what is not. Raises InvalidRequest for what is wrong for everyone, NotAllowed."""
    tx.require("record", sheet.station)
    judged = Judged(batch=new_entry_id())
    common = _read_common(tx, sheet, judged)
    ticked = [row for row in sheet.rows if row.on]
    judged.absent = len(sheet.rows) - len(ticked)
    if not ticked:
        raise InvalidRequest("名单上还没有人。请勾选上次的人，或输入、粘贴姓名")
    people = directory.Station(tx, sheet.station)
    sure: list[tuple[int, Row]] = []
    for place, row in enumerate(ticked, 1):
        problem = _who(tx, people, row, judged)
        if problem is not None:
            judged.problems.append(problem)
        elif row.who:
            sure.append((place, row))
    if sure:
        activity = common.activity_id or activities.find_or_publish(tx, [common.activity])[0]
        _record(tx, [(row, _draft(common, sheet, row, place, activity, judged.batch)) for place, row in sure], judged)
    _park(tx, sheet, common, judged)
    judged.problems.sort(key=lambda problem: (_WORST_FIRST.index(problem.refusal.code), problem.row.id))
    return judged


def commit(tx: WriteTransaction, draft: str) -> Judged:
    """Commit a draft of one's own, but for the rows left out: they stay.

    Raises as `judge` and `keeping.get`, InvalidRequest when every row is left out, and StillWrong while a problem is neither mended nor left out;
    nothing is recorded then.
    """
    _, sheet = keeping.get(tx, tx.actor, draft)
    left = [row for row in sheet.rows if row.on and row.left]
    for row in left:
        row.on = False
    if left and not any(row.on for row in sheet.rows):
        raise InvalidRequest("名单上的人都选了「这次不登记」，没有可以登记的。请改好一行再提交，或回到名单")
    judged = judge(tx, sheet)
    judged.left = len(left)
    if judged.problems:
        raise StillWrong(judged)
    if judged.recorded and sheet.evidence:
        target = table(EvidenceRow)
        tx.connection.execute(update(target).where(target.c.id == sheet.evidence, target.c.batch.is_(None)).values(batch=judged.batch))
    if left:
        for row in left:
            row.on, row.left = True, False
        sheet.rows = left
        keeping.put(tx, draft, sheet)
    else:
        keeping.close(tx, draft, judged.batch if judged.recorded else None)
    return judged


class StillWrong(InvalidRequest):
    """Rows with problems that were neither mended nor left out."""

    def __init__(self, judged: Judged) -> None:
        super().__init__(f"还有 {len(judged.problems)} 行有问题，请改好，或勾选「这次不登记」")
        self.judged = judged


def _read_common(tx: ReadTransaction, sheet: Sheet, judged: Judged) -> _Common:
    title = _words(sheet.title, "活动名称", 100, needed=True)
    if sheet.series not in codes.SERIES:
        raise InvalidRequest("请选择活动系列")
    try:
        day = date.fromisoformat(sheet.day)
    except ValueError:
        raise InvalidRequest("服务日期没有写对，请选一天") from None
    start, end = _clock(sheet.start, "开始时间"), _clock(sheet.end.removeprefix("次日").strip(), "结束时间")
    next_day = sheet.next_day or sheet.end.startswith("次日")
    if end <= start and not next_day:
        raise InvalidRequest("结束时间不晚于开始时间。若活动跨过零点，请勾选「次日结束」；若抄反了，请改正")
    midnight = datetime.combine(day, datetime.min.time())
    begins, ends = midnight + timedelta(minutes=start), midnight + timedelta(days=next_day, minutes=end)
    if day > tx.today:
        raise InvalidRequest(f"服务日期 {spoken_day(sheet.day)}还没有到，不能先登记。请改成实际服务的那一天")
    if late := gates.would_be_late(tx, ends.date()):
        judged.remarks.append(f"请再看一眼服务日期 {spoken_day(sheet.day)}：{late}。没有写错的，照常提交")
    judged.hours = f"{pasting.spell(start)}–{'次日 ' if next_day else ''}{pasting.spell(end)}"
    break_minutes = sheet.break_minutes.removesuffix("分钟").removesuffix("分") or "0"
    if not re.fullmatch(r"\d{1,4}", break_minutes) or int(break_minutes) > BREAK_MINUTES_MAX:
        raise InvalidRequest("休息时间请写分钟数，例如 30；没有休息写 0")
    kept = evidence.row_of(tx, sheet.evidence)
    if kept is not None and (before := evidence.used_before(tx, kept.sha256)) is not None:
        judged.remarks.append(f"这张照片 {before.kept_at[:10]} 已随另一批提交过，请核对有没有附错")
    grade = sheet.grade if sheet.grade in GRADES else "B" if kept is not None else "C"
    known = {row.id: row for row in organisations.at_stations(tx.connection, [sheet.station])}
    unit = known.get(sheet.organisation)
    activity = Activity(
        sheet.station,
        title,
        sheet.series,
        organisation=unit.id if unit else None,
        responsible_unit=None if unit else stations.get(tx.connection, sheet.station).name,
        start=begins.isoformat(timespec="minutes"),
        end=ends.isoformat(timespec="minutes"),
        place=_words(sheet.place, "活动地点", 200) or None,
    )
    same = _same_occasion(tx, sheet, activity)
    return _Common(activity, same, midnight, start, end, next_day, int(break_minutes), grade, kept.sha256 if kept else "")


def _same_occasion(tx: ReadTransaction, sheet: Sheet, activity: Activity) -> str:
    """Give the id of the activity that the sheet began from if it is this very one: planned for this day, under this name and unit."""
    row = activities.get_many(tx.connection, {sheet.activity}).get(sheet.activity) if sheet.activity else None
    if row is None or row.station != sheet.station or row.ended_as == "cancelled" or not row.start or row.start[:10] != sheet.day:
        return ""
    unit = activity.organisation == row.organisation
    return str(row.id) if unit and (row.title, row.series) == (activity.title, activity.series) else ""


def _words(said: str, what: str, length_max: int, *, needed: bool = False) -> str:
    if not said and needed:
        raise InvalidRequest(f"请填写{what}")
    if said and not text(length_max)(said):
        raise InvalidRequest(f"{what}最多 {length_max} 个字，不能有手机号或身份证号")
    return said


def _clock(said: str, what: str) -> int:
    try:
        return spelling.parse_time_of_day(said)
    except Misspelt as fault:
        raise InvalidRequest(f"{what}：{fault}") from None


def _who(tx: ReadTransaction, people: directory.Station, row: Row, judged: Judged) -> Problem | None:
    """Give what is wrong with a row whose person is not known; None where there is nothing to ask. One who can be parked is noted."""
    if row.who:
        return None
    shown = row.name or row.said
    if row.fault:
        return Problem(row, Refusal("unreadable", f"「{row.said[:30]}」：{row.fault}"), [])
    found = candidates(tx, people, row.said, row.name, row.number)
    if found:
        return Problem(row, Refusal("unknown_volunteer", f"本站有 {len(found)} 位「{shown}」，请选择", "姓名"), found)
    if len(row.number) == 18:
        return _unknown_number(tx, row, judged)
    if re.fullmatch(r"[㐀-鿿]", shown):
        return Problem(row, Refusal("unknown_volunteer", f"「{shown}」只有一个字，请写全姓名，或补上尾号", "姓名"), [])
    text_ = f"没有找到「{row.said[:20]}」。请补上完整的身份证号或志愿者编号；还不是志愿者的，请先登记，本人确认后再计入"
    return Problem(row, Refusal("unknown_volunteer", text_, "姓名"), [])


def _unknown_number(tx: ReadTransaction, row: Row, judged: Judged) -> Problem | None:
    try:
        number = identity.check_id_number(row.number, today=tx.today)
    except identity.InvalidIdNumber as fault:
        return Problem(row, Refusal("id_checksum", f"「{row.name}」：{fault}", "身份证号"), [])
    if directory.anybody(tx, number):
        text_ = f"姓名与身份证号不是同一个人：尾号 {number[-4:]} 登记的不是「{row.name}」。请对照证件改正"
        return Problem(row, Refusal("name_mismatch", text_, "姓名"), [])
    if not row.name:
        return Problem(row, Refusal("missing", f"尾号 {number[-4:]} 没有写姓名，请补上", "姓名"), [])
    judged.parked.append(row)
    return None


def _times(common: _Common, row: Row) -> tuple[datetime, datetime]:
    start = spelling.parse_time_of_day(row.start) if row.start else common.start
    end = spelling.parse_time_of_day(row.end) if row.end else common.end
    over = common.next_day and end <= start
    late = common.next_day and start < common.end <= common.start and not over and row.start != ""
    return common.day + timedelta(days=late, minutes=start), common.day + timedelta(days=over or late, minutes=end)


def _draft(common: _Common, sheet: Sheet, row: Row, place: int, activity: str, batch: str) -> Draft:
    start, end = _times(common, row)
    source: dict[str, str | int] | None = {"sha256": common.source, "row": place} if common.source else None
    unit = common.activity.organisation
    return Draft(row.who, activity, sheet.station, start, end, common.grade, batch, unit, common.break_minutes, source)


def _record(tx: WriteTransaction, drafts: list[tuple[Row, Draft]], judged: Judged) -> None:
    for (row, draft), answer in zip(drafts, recording.record_many(tx, [draft for _, draft in drafts]), strict=True):
        if isinstance(answer, Refusal) and answer.code == "over_daily_cap" and row.reason:
            try:
                second_signatures.ask(tx, draft, row.reason)
            except InvalidRequest as other:  # not the cap alone, or the reason cannot be taken
                judged.problems.append(Problem(row, replace(answer, message=str(other)), []))
            else:
                judged.signing.append(row)
        elif isinstance(answer, Refusal):
            judged.problems.append(Problem(row, answer, []))
        elif isinstance(answer, Already):
            judged.already.append((row, answer.index))
        else:
            judged.recorded.append((row, draft.minutes, answer))


def _park(tx: WriteTransaction, sheet: Sheet, common: _Common, judged: Judged) -> None:
    if not judged.parked:
        return
    handed_in = b64decode(common.source).hex() if common.source else hashlib.sha256(sheet.to_bytes()).hexdigest()
    rows = []
    for row in judged.parked:
        start, end = _times(common, row)
        rows.append(parked.Parked(row.name, row.number, common.activity, start, end, common.grade, False, handed_in, row.id))
    parked.park(tx, rows)
