"""Station tables, filing ledgers (备案台账) and volunteer rosters: one row, one unit or organisation or person."""

import re
from typing import Any

from ledger import codes, organisations, stations
from ledger.entries import b64
from ledger.errors import InvalidRequest
from ledger.imports.outcome import ROWS_AT_ONCE, Outcome, Progress
from ledger.kinds import checks
from ledger.people import ages, identity, volunteers
from ledger.refusals import Already, Refusal
from ledger.sheets import columns, spelling
from ledger.sheets.layout import find_table
from ledger.sheets.reading import Cell, Sheet
from ledger.sheets.spelling import Misspelt
from ledger.transactions import WriteTransaction

Cells = dict[str, Cell]


class RowRefused(Exception):
    """Carries a row's refusal out of the reading of its cells."""

    def __init__(self, code: str, message: str, column: str | None = None) -> None:
        super().__init__(message)
        self.refusal = Refusal(code, message, column)


def need_text(cells: Cells, field: str, column: str, length_max: int | None = None) -> str:
    """Read a text that must be there; *length_max* when it goes into an entry."""
    said = spelling.clean_text(cells.get(field))
    if not said:
        raise RowRefused("missing", f"没有填写{column}，请补上", column)
    if length_max is not None:
        check_words(said, column, length_max)
    return said


def check_words(said: str, column: str, length_max: int) -> None:
    """Make sure that words may stand in an entry. Raises RowRefused."""
    if not checks.text(length_max)(said):
        raise RowRefused("unreadable", f"{column}最多 {length_max} 个字，不能有手机号或身份证号。请改短或删去", column)


def need_id_number(tx: WriteTransaction, cell: Cell) -> str:
    """Read and check an ID number."""
    try:
        return identity.check_id_number(spelling.parse_id_number(cell), today=tx.today)
    except Misspelt as fault:
        raise RowRefused(fault.code, str(fault), "身份证号") from None
    except identity.InvalidIdNumber as fault:
        raise RowRefused("id_checksum", str(fault), "身份证号") from None


def need_date(cells: Cells, field: str, column: str) -> Any:
    """Read a date that must be there."""
    try:
        return spelling.parse_date(cells.get(field))
    except Misspelt as fault:
        raise RowRefused(fault.code, str(fault), column) from None


def need_station(known: set[str], cells: Cells, column: str = "站点编码") -> str:
    """Read a station code that is registered."""
    code = need_text(cells, "station", column)
    if code not in known:
        raise RowRefused("unreadable", f"站点编码 {code} 还没有登记，请核对，或先登记这个站点", column)
    return code


def stations_table(tx: WriteTransaction, sheet: Sheet, outcome: Outcome, progress: Progress) -> None:
    """Declare the units of a station table, higher levels first whatever their order in the sheet."""
    table = find_table(sheet, columns.STATIONS)
    outcome.header_row = table.header_row
    read: list[tuple[int, stations.Station]] = []
    for row, cells in table.rows():
        try:
            read.append((row, _station(cells)))
        except RowRefused as refused:
            outcome.refuse(row, refused.refusal)
    read.sort(key=lambda pair: list(codes.LEVELS).index(pair[1].level))
    seen: set[str] = set()
    for done, (row, station) in enumerate(read):
        answer = (
            stations.declare(tx, station)
            if station.code not in seen
            else Refusal("duplicate", "这个站点编码在本表中出现了不止一次", "站点编码")
        )
        seen.add(station.code)
        count_answer(outcome, row, answer)
        progress(done + 1, len(read))


def _station(cells: Cells) -> stations.Station:
    code = need_text(cells, "code", "站点编码").upper()
    if not checks.station(code):
        raise RowRefused("unreadable", f"站点编码「{code[:20]}」应为 1 至 20 位数字或字母", "站点编码")
    level = stations.level_code(spelling.clean_text(cells.get("level")) or "站")
    if level is None:
        raise RowRefused("unreadable", f"级别应填{'、'.join(f'「{name}」' for name in codes.LEVELS.values())}之一", "级别")
    area_said = spelling.clean_text(cells.get("area"))
    area = stations.area_code(area_said) if area_said else None
    if area_said and area is None:
        raise RowRefused("unreadable", "城乡应填「城市」或「农村」", "城乡")
    said = spelling.clean_text(cells.get("population")).replace(",", "").removesuffix("人")
    parent = spelling.clean_text(cells.get("parent")).upper() or None
    name = need_text(cells, "name", "站点名称", 100)
    if not said:
        return stations.Station(code, name, level, parent, area)
    if not re.fullmatch(r"[1-9]\d{0,8}(\.0)?", said, re.ASCII):
        raise RowRefused("unreadable", f"常住人口「{said[:20]}」不是整数", "常住人口")
    counted = need_date(cells, "population_on", "人口统计日期").isoformat()
    source = need_text(cells, "population_source", "人口数据来源", 200)
    return stations.Station(code, name, level, parent, area, int(said.removesuffix(".0")), counted, source)


def organisations_table(tx: WriteTransaction, sheet: Sheet, outcome: Outcome, progress: Progress) -> None:
    """Record the organisations of a filing ledger."""
    table = find_table(sheet, columns.ORGANISATIONS)
    outcome.header_row = table.header_row
    known = {unit.code for unit in stations.everyone(tx.connection)}
    read: list[tuple[int, organisations.Filing]] = []
    for row, cells in table.rows():
        try:
            read.append((row, _filing(known, cells)))
        except RowRefused as refused:
            outcome.refuse(row, refused.refusal)
    for (row, _), answer in zip(read, organisations.record_many(tx, [filing for _, filing in read]), strict=True):
        count_answer(outcome, row, answer)
    progress(len(read), len(read))


def _filing(known: set[str], cells: Cells) -> organisations.Filing:
    category = codes.code_of(need_text(cells, "category", "组织类别"), codes.CATEGORIES)
    if category is None:
        raise RowRefused("unreadable", f"组织类别应是{'、'.join(codes.CATEGORIES.values())}之一", "组织类别")
    try:
        volunteering = spelling.parse_yes_no(cells.get("volunteering"))
    except Misspelt as fault:
        raise RowRefused("unreadable", str(fault), "是否志愿服务组织") from None
    status = spelling.clean_text(cells.get("status")) or "备案"
    if status not in ("备案", "登记"):
        raise RowRefused("unreadable", "「登记/备案」一栏应填「登记」或「备案」", "登记/备案")
    try:
        phone = spelling.parse_phone(cells.get("phone")) if spelling.clean_text(cells.get("phone")) else ""
    except Misspelt as fault:
        raise RowRefused("unreadable", str(fault), "联系电话") from None
    return organisations.Filing(
        need_text(cells, "number", "备案编号", 60),
        need_text(cells, "name", "组织名称", 100),
        category,
        volunteering,
        need_station(known, cells, "所属站点编码"),
        status == "备案",
        need_date(cells, "filed_on", "备案日期"),
        identity.normalise_name(spelling.clean_text(cells.get("leader"))),
        phone,
    )


def volunteers_table(tx: WriteTransaction, sheet: Sheet, outcome: Outcome, progress: Progress) -> None:
    """Register the people of a roster."""
    table = find_table(sheet, columns.VOLUNTEERS)
    outcome.header_row = table.header_row
    known = {unit.code for unit in stations.everyone(tx.connection)}
    seen: set[str] = set()
    digest = b64(bytes.fromhex(sheet.sha256))
    policy = ages.in_force(tx.connection, tx.today.isoformat())
    read: list[tuple[int, volunteers.Registration]] = []
    for row, cells in table.rows():
        try:
            person = _registration(tx, known, cells, outcome, {"sha256": digest, "row": row})
        except RowRefused as refused:
            outcome.refuse(row, refused.refusal, spelling.clean_text(cells.get("name")))
        else:
            read.append((row, person))
            if policy.band(person.id_number, tx.today) != "adult":
                outcome.remark(row, "未成年人：还没有监护人同意，请尽快补登，本人才能确认", person.name)
    for at in range(0, len(read), ROWS_AT_ONCE):
        part = read[at : at + ROWS_AT_ONCE]
        for (row, person), answer in zip(part, volunteers.register_many(tx, [person for _, person in part]), strict=True):
            if not isinstance(answer, str) and person.id_number in seen:
                answer = Refusal("duplicate", "这个身份证号在本表中已经出现过，请只留一行", "身份证号")
            seen.add(person.id_number)
            count_answer(outcome, row, answer, person.name)
        progress(at + len(part), len(read))


def _registration(tx: WriteTransaction, known: set[str], cells: Cells, outcome: Outcome, source: Any) -> volunteers.Registration:
    name = identity.normalise_name(need_text(cells, "name", "姓名"))
    number = need_id_number(tx, cells.get("id_number"))
    station = need_station(known, cells, "所属站点编码")
    registered_on = need_date(cells, "registered_on", "注册日期")
    try:
        phone = spelling.parse_phone(cells.get("phone")) if spelling.clean_text(cells.get("phone")) else ""
    except Misspelt:
        phone = ""
        outcome.remark(source["row"], "联系电话不对，没有保存。请核对后补登", name)
    try:
        backbone = spelling.parse_yes_no(cells.get("backbone"))
    except Misspelt as fault:
        raise RowRefused("unreadable", str(fault), "是否骨干") from None
    sex = spelling.clean_text(cells.get("sex"))
    said_sex = sex if sex in ("男", "女") else ""
    if said_sex and said_sex != ("男" if int(number[16]) % 2 else "女"):
        outcome.remark(source["row"], "性别与身份证号不一致，请核对", name)
    return volunteers.Registration(name, number, station, registered_on, "roster", phone, said_sex, backbone, source)


def count_answer(outcome: Outcome, row: int, answer: object, name: str = "") -> None:
    """Count what came of a row."""
    if isinstance(answer, Refusal):
        outcome.refuse(row, answer, name)
    elif isinstance(answer, Already):
        outcome.already += 1
    else:
        outcome.accepted += 1


def station_of(tx: WriteTransaction, said: str) -> Any:
    """Find the unit a sheet names by code or name. Raises InvalidRequest."""
    if not said:
        raise InvalidRequest("表头上方没有写明「站点编码：」。请在标题下的说明行补上，例如「站点编码：340104001004」")
    return stations.resolve(tx.connection, said)
