"""
Read a list of people as somebody pastes it: a column out of a spreadsheet, several columns, or a WeChat 接龙.

    #接龙                         1. 张敏
    10月18日图书馆志愿服务         2、李建国 8:00-11:00        王芳	340104…	9:00	11:00        陈静、刘洋，周杰
                                  3) 王芳 13855101234

In a 接龙 only the numbered lines are people. A line is a name, perhaps with an ID number, a phone or the last four of either, perhaps with
times of one's own. What cannot be understood stays as it was said, for the clerk to see. Pure functions.
"""

import re
import unicodedata
from dataclasses import dataclass

from ledger.sheets import spelling
from ledger.sheets.spelling import Misspelt

LINES_MAX = 500
"""People on one sheet."""
_NUMBERED = re.compile(r"\s*[(\[【]?\d{1,3}\s*(?:[.、)\]】]|:(?!\d)|(?=\s+[^\s\d:]))\s*")
_LONG_NUMBER = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1\d{10})(?!\d)")
_TAIL = re.compile(r"(?<![\d:])\d{3}[\dXx](?![\d:])")
_PART = r"(?:上午|下午|中午|早上|晚上)"
_CLOCK = rf"{_PART}?\s*(?<!\d)(?:\d{{1,2}}(?::\d{{2}}|[点时](?:半|一刻|三刻|\d{{1,2}}分?)?)?|\d{{3,4}})(?!\d)"
_PERIOD = re.compile(rf"({_CLOCK})\s*(?:-|–|—|~|～|至|到|\t)+\s*((?:次日\s*)?{_CLOCK})")
_NAME = re.compile(r"[㐀-鿿\U00020000-\U0003ffff]+(?:·[㐀-鿿\U00020000-\U0003ffff]+)*|[A-Za-z]+(?:[ '.][A-Za-z]+)*")
_HEADINGS = frozenset({"姓名", "名字", "志愿者", "志愿者姓名", "名单", "序号", "参加人员"})

_TOTAL = re.compile(r"(?:合计|总计|小计|共计|共\s*\d+\s*[人名位])")


@dataclass(frozen=True, slots=True)
class Line:
    """One person as pasted: the whole line, the name in it, ID number or phone or last four, times of day as HH:MM (24:00 at most), or a fault."""

    said: str
    name: str = ""
    number: str = ""
    start: str = ""
    end: str = ""
    fault: str = ""


def parse(text: str) -> list[Line]:
    """Read pasted text as people, in order; at most LINES_MAX."""
    lines = [line for line in (_plain(line) for line in text.splitlines()) if line.strip()]
    counted = any("接龙" in line for line in lines[:3])
    if counted:
        lines = [line for line in lines if _NUMBERED.match(line)]
    found: list[Line] = []
    for line in lines:
        counted_off = _NUMBERED.match(line)
        found.extend(_people(line[counted_off.end() if counted_off else 0 :].strip()))
        if len(found) >= LINES_MAX:
            break
    return found[:LINES_MAX]


def _plain(line: str) -> str:
    line = unicodedata.normalize("NFKC", line).replace("•", "·").replace("・", "·")
    return "".join(c for c in line if c == "\t" or unicodedata.category(c) not in ("Cf", "Cc"))


def _people(line: str) -> list[Line]:
    """Split a line into people: several when it is nothing but names with marks between them, none when it is a heading."""
    if not line or line.split(maxsplit=1)[0] in _HEADINGS or _TOTAL.match(line):
        return []
    parts = [part for part in re.split(r"[、,;，；]\s*", line) if part.strip()]
    if len(parts) > 1 and all(_NAME.fullmatch(part.strip()) for part in parts):
        return [Line(part.strip(), part.strip()) for part in parts]
    words = line.split()
    if len(words) > 2 and all(re.fullmatch(r"[㐀-鿿·]{2,4}", word) for word in words):
        return [Line(word, word) for word in words]
    return [read_line(line)]


def read_line(line: str) -> Line:
    """Read one line as one person."""
    said = rest = _plain(line).strip()
    number, rest = _take(_LONG_NUMBER, rest)
    start, end, fault = "", "", ""
    if period := _PERIOD.search(rest):
        rest = f"{rest[: period.start()]} {rest[period.end() :]}"
        try:
            start, end = _times(period[1], period[2].removeprefix("次日").strip())
        except Misspelt as misspelt:
            fault = str(misspelt)
    if not number:
        number, rest = _take(_TAIL, rest)
    if re.search(r"\+\s*\d", rest):
        fault = "写了「+1」一类的话。每个人要写自己的姓名，请另加一行"
    return Line(said[:80], _name(rest), number, start, end, fault)


def _take(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    hit = pattern.search(text)
    return (hit[0].upper(), f"{text[: hit.start()]} {text[hit.end() :]}") if hit else ("", text)


def _times(first: str, last: str) -> tuple[str, str]:
    """Read two times of day; 下午2-4点 means the afternoon for both."""
    start, end = spelling.parse_time_of_day(first), spelling.parse_time_of_day(last)
    part = re.match(_PART, first)
    if part and end <= start and not re.match(_PART, last):
        end = spelling.parse_time_of_day(part[0] + last)
    return spell(start), spell(end)


def _name(rest: str) -> str:
    """Give the first name in a text; characters set apart to fill a column (张  敏, 黄 秀荣) are one name."""
    spread = re.match(r"\s*[㐀-鿿](?:(?:\s+[㐀-鿿]){1,3}|\s+[㐀-鿿]{2,3})(?![㐀-鿿])", rest)
    if spread:
        return "".join(spread[0].split())
    hit = _NAME.search(rest)
    return hit[0] if hit else ""


def spell(minutes: int) -> str:
    """Spell minutes since midnight: 09:05."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
