"""
Find the table in a sheet: its header row, its columns, its rows, and the facts of the activity in the title rows above.

The header may stand in any of the first rows and its columns under many names. A row is passed over when none of the wanted
columns holds anything (pre-printed numbering, a 「问题」 column that we wrote ourselves), when its first cell says 示例 (a template's example),
or when it lacks something required and begins with a footer's word (合计, 负责人签字, 制表 …); what stands below a footer is read on.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import zip_longest
from typing import TypedDict

from ledger.errors import InvalidRequest
from ledger.sheets.columns import Column
from ledger.sheets.reading import Cell, Sheet
from ledger.sheets.spelling import clean_text

HEADER_ROWS_MAX = 30
EXAMPLE = "示例"
"""What the first column of a template's example row says."""
_FOOTER = re.compile(
    r"(合计|总计|小计|共计|累计|本页|负责人签[字名]|签[字名]|盖章|审核人?|复核人?|制表人?|制表单位|填表人?|填报人?|经办人|站长|以上"
    r"|(负责人|备注|说明|注|日期|填报日期|单位|主任):)"
)
_BRACKETS = re.compile(r"[(\[【〔].*?[)\]】〕]")

_LABELS: dict[str, tuple[str, ...]] = {
    "title": ("活动名称", "活动主题", "项目名称"),
    "date": ("活动日期", "服务日期", "日期"),
    "time": ("活动时间", "服务时间", "时间"),
    "place": ("活动地点", "服务地点", "地点"),
    "organisation": ("组织单位", "承办单位", "主办单位", "承办组织", "服务组织", "活动组织", "志愿服务组织"),
    "series": ("活动系列", "所属系列", "系列"),
    "beneficiaries": ("服务对象",),
    "services": ("服务内容", "活动内容", "服务类别"),
    "station": ("站点编码", "所属站点编码", "站点代码", "所属站点", "站点"),
    "responsible": ("活动负责人", "现场负责人", "负责人"),
}
_FACTS = {label: fact for fact, labels in _LABELS.items() for label in labels}
# A known label may be spread out (时 间：); any other word before a colon ends the fact before it (天气：晴). Digits are no
# word: 14:00 is a value.
_SPREAD = "|".join(r"[ \u3000]*".join(label) for label in sorted(_FACTS, key=len, reverse=True))
_LABEL = re.compile(rf"(?:^|(?<=[\s;；,，。|)）]))({_SPREAD}|[\u4e00-\u9fff]{{2,10}})\s*[:：]")
_QUOTED = re.compile(r"[“「『‘\"]([^”」』’\"]+)[”」』’\"]")


class ActivityFacts(TypedDict, total=False):
    """What the title rows say, as they say it; a fact that is not there is absent."""

    title: str
    time: str
    place: str
    organisation: str
    series: str
    beneficiaries: list[str]
    services: list[str]
    station: str
    responsible: str


@dataclass(frozen=True)
class Table:
    """Where the table stands: `header_row` and column numbers are 1-based; `headers` is each column's header as written, for its unit."""

    sheet: Sheet
    header_row: int
    columns: dict[str, int]
    headers: dict[str, str]
    required: frozenset[str]

    def rows(self) -> Iterator[tuple[int, dict[str, Cell]]]:
        """Yield each row that is neither blank nor a footer: its number in the sheet, and its cells by field."""
        for number, row in enumerate(self.sheet.rows[self.header_row :], self.header_row + 1):
            cells = {field: row[column - 1] if column <= len(row) else None for field, column in self.columns.items()}
            if not all(is_blank(cell) for cell in cells.values()) and not _is_example(row) and not self._is_footer(row, cells):
                yield number, cells

    def _is_footer(self, row: list[Cell], cells: dict[str, Cell]) -> bool:
        lacking = any(is_blank(cell) for field, cell in cells.items() if field in self.required or field == "id_number")
        first = next((cell for cell in row if not is_blank(cell)), None)
        return lacking and isinstance(first, str) and _FOOTER.match(_fold(first)) is not None


def _is_example(row: list[Cell]) -> bool:
    first = next((cell for cell in row if not is_blank(cell)), None)
    return isinstance(first, str) and _fold(first) == EXAMPLE


def is_blank(cell: Cell) -> bool:
    """Tell whether a cell holds nothing to be seen."""
    return not clean_text(cell)


def find_table(sheet: Sheet, columns: Sequence[Column]) -> Table:
    """
    Find the header row among the first 30, and the wanted columns in it.

    Raises InvalidRequest naming the required columns that are missing and the headers that are there.
    """
    best_row, best = 0, dict[str, int]()
    for number, row in enumerate(sheet.rows[:HEADER_ROWS_MAX], 1):
        found = _match(row, columns)
        if len(found) > len(best):
            best_row, best = number, found
    if len(best) < min(2, len(columns)):
        names = "」「".join(column.synonyms[0] for column in columns if column.required)
        raise InvalidRequest(f"前 {HEADER_ROWS_MAX} 行里没有找到表头。表头应写明「{names}」等列，请使用表格模板。")
    row = sheet.rows[best_row - 1]
    missing = [column.synonyms[0] for column in columns if column.required and column.field not in best]
    if missing:
        seen = "、".join(_fold(cell) for cell in row if isinstance(cell, str) and _fold(cell))
        raise InvalidRequest(f"第 {best_row} 行表头缺少「{'」「'.join(missing)}」。看到的表头有：{seen}。请改好列名，或使用表格模板。")
    return Table(
        sheet,
        best_row,
        best,
        {field: str(row[column - 1]) for field, column in best.items()},
        frozenset(column.field for column in columns if column.required),
    )


def activity_facts(sheet: Sheet, header_row: int) -> ActivityFacts:
    """
    Collect what the rows above the header say of the activity.

    Labels end in a colon of either width, or stand in a cell of their own before the value's. A date apart from the time is put before it;
    a series that is not labelled is the quoted part of the title.
    """
    facts: dict[str, str] = {}
    title = ""
    for row in sheet.rows[: header_row - 1]:
        texts = [_as_written(cell) for cell in row if not is_blank(cell)]
        if not title and texts and not _labelled(texts) and _FACTS.get(_fold(texts[0]).rstrip(":")) is None:
            title = texts[0]
        for fact, value in _labelled(texts):
            facts.setdefault(fact, value)
    if title:
        facts["title"] = title
    if quoted := _QUOTED.search(facts.get("title", "")):
        facts.setdefault("series", quoted[1].strip())
    day = facts.pop("date", "")
    if day and day not in facts.get("time", ""):
        facts["time"] = f"{day} {facts.get('time', '')}".strip()
    found = ActivityFacts()
    for fact, value in facts.items():
        # The keys are those of _LABELS without date, which are those of ActivityFacts.
        found[fact] = _split(value) if fact in ("beneficiaries", "services") else value  # type: ignore[literal-required]
    return found


def _match(row: Sequence[Cell], columns: Sequence[Column]) -> dict[str, int]:
    """Find each wanted column in a row of headers, the best synonym first; as written before without its brackets."""
    whole: dict[str, int] = {}
    for number, cell in enumerate(row, 1):
        if isinstance(cell, str):
            header = _fold(cell).rstrip("*:").lstrip("*")
            whole.setdefault(header, number)
            whole.setdefault(_BRACKETS.sub("", header), number)
    found = {}
    for column in columns:
        numbers = [whole[name] for synonym in column.synonyms if (name := _fold(synonym)) in whole]
        if numbers:
            found[column.field] = numbers[0]
    return found


def _labelled(texts: list[str]) -> list[tuple[str, str]]:
    """Read the labelled facts of one row, whether label and value share a cell or not."""
    found = []
    for text, following in zip_longest(texts, texts[1:], fillvalue=""):
        alone = _FACTS.get(_fold(text).rstrip(":"))
        if alone is not None:
            if following and _FACTS.get(_fold(following).rstrip(":")) is None and not _LABEL.match(following):
                found.append((alone, following))
            continue
        labels = list(_LABEL.finditer(text))
        for label, following_label in zip_longest(labels, labels[1:]):
            end = following_label.start() if following_label else len(text)
            fact = _FACTS.get(_fold(label[1]))
            value = text[label.end() : end].strip(" \t\n\u3000;；,，|")
            if fact is not None and value:
                found.append((fact, value))
    return found


def _split(value: str) -> list[str]:
    return [part.strip() for part in re.split(r"[、，,;；/]", value) if part.strip()]


def _as_written(cell: Cell) -> str:
    """Give the text of a title cell; a real date or time in a form that `spelling` reads."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time() else f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell).strip()


def _fold(text: str) -> str:
    """Give the form in which headers, labels and footers are compared: clean, without any white space."""
    return clean_text(text).replace(" ", "")
