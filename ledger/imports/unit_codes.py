"""
The official tables of units: 统计用区划代码 (12 digits: province, city, county, town, village) with names and 城乡分类代码, as 国家统计局 publishes them.

    340104000000 蜀山区   340104001000 三里庵街道   340104001001 梅山路社区居委会 111

Level and parent follow from the digits; a code of six digits (GB/T 2260) is the same with six zeros. The classes are those of 统计上划分城乡的规定:
111, 112, 121, 122, 123 urban, 210 and 220 rural; only villages and communities have one. The office's tables have no dates: the day from which a row
holds (生效日期), the one from which it no more does (撤销日期) and what it was merged into (并入代码) are columns of ours beside them.
"""

import re
from dataclasses import dataclass
from typing import Any

from ledger import stations, unit_tree
from ledger.imports.outcome import Outcome, Progress
from ledger.imports.rosters import Cells, RowRefused, count_answer, need_date, need_text
from ledger.refusals import Already, Refusal
from ledger.sheets import columns, spelling
from ledger.sheets.layout import find_table
from ledger.sheets.reading import Sheet
from ledger.transactions import WriteTransaction

CODE = "统计用区划代码"
_ENDS = (("province", 2), ("city", 4), ("district", 6), ("centre", 9), ("station", 12))
"""How many digits of a code say something, by level."""
AREAS = {"111": "urban", "112": "urban", "121": "urban", "122": "urban", "123": "urban", "210": "rural", "220": "rural"}


@dataclass(frozen=True)
class Unit:
    """A row of the table: what it is called, and how long it is (ended_on: empty while it is)."""

    row: int
    code: str
    level: str
    name: str
    area: str | None
    valid_from: str | None
    ended_on: str
    successor: str
    basis: str


def unit_codes_table(tx: WriteTransaction, sheet: Sheet, outcome: Outcome, progress: Progress) -> None:
    """Bring the tree to what a table of official codes says: higher units first; then what ended, lower units first."""
    table = find_table(sheet, columns.UNIT_CODES)
    outcome.header_row = table.header_row
    known = {unit.code for unit in stations.everyone(tx.connection)}
    read: list[Unit] = []
    for row, cells in table.rows():
        try:
            read.append(_unit(tx, row, cells, known))
        except RowRefused as refused:
            outcome.refuse(row, refused.refusal)
    levels = [level for level, _ in _ENDS]
    read.sort(key=lambda unit: levels.index(unit.level))
    answers: dict[int, int | Already | Refusal] = {}
    seen: dict[str, int] = {}
    for done, unit in enumerate(read):
        if unit.code in seen:
            text = f"这个代码在第 {seen[unit.code]} 行已经写过。一个单位一行，改了名的写新名和生效日期"
            answers[unit.row] = Refusal("duplicate", text, CODE)
            continue
        seen[unit.code] = unit.row
        answers[unit.row] = _declare(tx, unit, known)
        progress(done + 1, len(read))
    for unit in reversed(read):
        if unit.ended_on and seen[unit.code] == unit.row and not isinstance(answers[unit.row], Refusal):
            declared, answer = answers[unit.row], unit_tree.end(tx, unit.code, unit.ended_on, unit.successor, unit.basis)
            answers[unit.row] = declared if isinstance(answer, Already) else answer
    for row, answer in answers.items():
        count_answer(outcome, row, answer)


def _declare(tx: WriteTransaction, unit: Unit, known: set[str]) -> int | Already | Refusal:
    parent = _parent(unit, known)
    if parent is None and unit.code not in known and unit.level in ("centre", "station"):
        above = unit.code[: 6 if unit.level == "centre" else 9].ljust(12, "0")
        return Refusal("missing", f"上级 {above} 不在这张表里，也没有登记过。请把上级那一行也放进来", CODE)
    there = stations.find(tx.connection, unit.code)
    if there is not None and there.closed_on is not None:
        if unit.ended_on:
            return Already(there.entry_index)
        return Refusal("duplicate", f"「{there.name}」已在 {there.closed_on} 撤销，代码不能再用。请核对", CODE)
    answer = stations.declare(tx, stations.Station(unit.code, unit.name, unit.level, parent, unit.area, valid_from=unit.valid_from))
    known.add(unit.code)
    return answer


def _parent(unit: Unit, known: set[str]) -> str | None:
    """Find the nearest unit above that is registered, under its twelve digits or its six."""
    for level, digits in reversed(_ENDS):
        if digits < _digits(unit.level):
            code = unit.code[:digits].ljust(12, "0")
            found = next((one for one in (code, code[:6]) if one in known and (digits <= 6 or one == code)), None)
            if found is not None:
                return found
            if level in ("centre", "district"):
                break  # what is missing there is missing
    return None


def _digits(level: str) -> int:
    return dict(_ENDS)[level]


def _unit(tx: WriteTransaction, row: int, cells: Cells, known: set[str]) -> Unit:
    code = _code(need_text(cells, "code", CODE), CODE)
    level = next(level for level, digits in _ENDS if not code[digits:].strip("0"))
    said = spelling.clean_text(cells.get("area")).removesuffix(".0")
    if said and (said not in AREAS or level != "station"):
        which = f"应是 {'、'.join(AREAS)} 之一" if level == "station" else "只有社区和村才有，这一行请空着"
        raise RowRefused("unreadable", f"城乡分类代码「{said[:10]}」不对：{which}", "城乡分类代码")
    into = spelling.clean_text(cells.get("into"))
    ended = _day(cells, "ended_on", "撤销日期")
    if into and not ended:
        raise RowRefused("missing", "写了并入代码，没有写撤销日期。请补上", "撤销日期")
    valid_from = _day(cells, "valid_from", "生效日期")
    if valid_from and valid_from > tx.today.isoformat():
        raise RowRefused("future_date", f"生效日期 {valid_from} 还没有到，到了再导入", "生效日期")
    name, basis = need_text(cells, "name", "名称", 100), spelling.clean_text(cells.get("basis"))
    own = _as_known(code, known)
    successor = _as_known(_code(into, "并入代码"), known) if into else ""
    return Unit(row, own, level, name, AREAS.get(said), valid_from or None, ended, successor, basis)


def _as_known(code: str, known: set[str]) -> str:
    """Write a county's code, or a higher one, as the ledger knows it already: with six digits or with twelve."""
    return code[:6] if code not in known and not code[6:].strip("0") and code[:6] in known else code


def _code(said: str, column: str) -> str:
    plain = re.sub(r"[\s\u3000]|\.0$", "", said)
    if not re.fullmatch(r"[1-9]\d{5}(\d{6})?", plain, re.ASCII):
        raise RowRefused("unreadable", f"{column}「{said[:20]}」应是 12 位数字（县以上也可以是 6 位），按文本填写", column)
    return plain.ljust(12, "0")


def _day(cells: Cells, field: str, column: str) -> str:
    """Read a date that may be left out."""
    found: Any = need_date(cells, field, column) if spelling.clean_text(cells.get(field)) else None
    return str(found.isoformat()) if found is not None else ""
