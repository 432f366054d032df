"""
Read single cells as stations spell them. Pure functions: a cell in, a plain value out, or Misspelt with a sentence for the clerk.

Full-width digits and punctuation count as half-width (NFKC). Nothing is guessed: what can be read in two ways is refused with a
hint how to write it. Minutes are whole; a float from Excel is only ever a day fraction, a serial day (ECMA-376 18.17.4.1) or a
decimal number of hours, and is turned into whole seconds or a Decimal at once.
"""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from ledger.errors import InvalidRequest
from ledger.people.identity import normalise_phone
from ledger.sheets.reading import Cell

_SERIAL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - what a sheet says is local time without a zone
# Serial days from 1920-01-01 to 2119-12-31; outside it is some other number.
_SERIAL_MIN, _SERIAL_MAX = 7306, 80354
# Below it a number in a duration column without a unit is hours, from the second on minutes; between them it might be either.
_BARE_HOURS_MAX, _BARE_MINUTES_MIN = 12, 30
# Minutes; a whole life's service on one line of an old platform's export still fits.
_DURATION_MAX = 5_000_000

_DATE = re.compile(
    r"(?:(?P<year>\d{4})(?:\s*年\s*|[-/.])(?P<month>\d{1,2})(?:\s*月\s*|[-/.])(?P<day>\d{1,2})(?!\d)\s*[日号]?"
    r"|(?P<packed>\d{8})(?!\d))T?\s*(?:\(?(?:星期|周|礼拜)[一二三四五六日天]\)?)?\s*",
    re.ASCII,
)
_MONTH_DAY = re.compile(r"(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]\s*", re.ASCII)
_NEXT_DAY = re.compile(r"(?:次日|第二天|翌日|隔日)\s*")
_TIME = re.compile(
    r"(?P<part>上午|早上|早晨|清晨|凌晨|中午|正午|下午|傍晚|晚上|晚间|夜间|夜里|晚)?\s*"
    r"(?:(?P<hour>\d{1,2})\s*(?::\s*(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.\d+)?)?"
    r"|[点时]\s*(?:(?P<word>半|一刻|三刻|整|钟)|(?P<minute2>\d{1,2})\s*分?(?:\d{1,2}\s*秒)?)?)?"
    r"|(?P<packed>\d{3,4}))\s*(?P<half>[AP]\.?M\.?)?",
    re.ASCII | re.IGNORECASE,
)
_WORDS = {"半": 30, "一刻": 15, "三刻": 45, "整": 0, "钟": 0}
# What an hour means in a part of the day; an hour that is not listed contradicts it or could mean two things (Excel writes 0:10 as
# 上午12:10, a person means noon; 晚上1点 is this night's or the last's).
_FORENOON = {hour: hour for hour in range(12)}
_EARLY = {**_FORENOON, 12: 0}
_NOON = {10: 10, 11: 11, 12: 12, 1: 13, 2: 14, 13: 13, 14: 14}
_AFTERNOON = {**{hour: hour + 12 for hour in range(12)}, **{hour: hour for hour in range(12, 24)}}
_NIGHT = {**{hour: hour % 12 + 12 for hour in [*range(5, 12), *range(17, 24)]}, 12: 24, 24: 24}
_HOURS: dict[str, dict[int, int]] = {
    "": {hour: hour for hour in range(25)},
    **dict.fromkeys(("凌晨", "AM"), _EARLY),
    **dict.fromkeys(("上午", "早上", "早晨", "清晨"), _FORENOON),
    **dict.fromkeys(("中午", "正午"), _NOON),
    **dict.fromkeys(("下午", "傍晚", "PM"), _AFTERNOON),
    **dict.fromkeys(("晚上", "晚间", "夜间", "夜里", "晚"), _NIGHT),
}
_SEPARATOR = re.compile(r"\s*(?:[-‐-―−~～〜至到]+)\s*")
_DURATION = re.compile(
    r"(?:(?P<hours>\d+(?:\.\d+)?)\s*(?:个?小时|个?钟头|时|H(?:OURS?|R)?)(?P<half>半)?\s*)?"
    r"(?:(?P<minutes>\d+(?:\.\d+)?)\s*(?:分钟?|MIN(?:UTE)?S?|M)?)?",
    re.ASCII | re.IGNORECASE,
)
_WRAPPING = re.compile(r"^[='\"`]+|[\"']+$")  # ="3401…" and '3401…: how exports keep Excel from rounding
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)
_YES = frozenset({"是", "有", "对", "√", "✓", "✔", "☑", "Y", "YES", "TRUE", "1"})
_NO = frozenset({"否", "无", "非", "不是", "×", "✗", "✘", "X", "☐", "N", "NO", "FALSE", "0", "-", "/"})


class Misspelt(ValueError):
    """A cell that cannot be read; the message says how to write it, `code` is what an import answers."""

    code = "unreadable"


class Blank(Misspelt):
    """Nothing stands where something must."""

    code = "missing"


class IdPrecisionLost(Misspelt):
    """An ID number that Excel turned into a number: its last digits are gone and only the paper has them."""

    code = "id_precision_lost"


def clean_text(cell: Cell) -> str:
    """Give a cell as half-width text without outer, doubled or invisible white space; blank is the empty string."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    text = cell.isoformat(sep=" ") if isinstance(cell, datetime) else str(cell)
    visible = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return " ".join(visible.split())


def parse_date(cell: Cell) -> date:
    """
    Read a day; a time behind it is dropped.

    A date cell, a serial day, 2026-11-21, 2026/11/21, 2026.11.21, 2026年11月21日, 20261121.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if (serial := _serial(cell)) is not None:
        return serial.date()
    text = _text(cell, "日期")
    day, rest = _leading_date(text)
    if rest:
        _clock(rest, text)
    return day


def parse_time_of_day(cell: Cell) -> int:
    """
    Read a time as minutes since midnight, 0 to 1440; seconds are dropped.

    9, 900, 0900, 9:00, 09:00:00, 9点, 9点半, 9时40分, 下午2:20, 中午12:10, 晚上8点, 2:20 PM, 24:00; time cells, day fractions,
    and moments with a date, whose date is dropped. A decimal such as 9.5 is refused.
    """
    if isinstance(cell, datetime | time):
        return _minutes_of(cell)
    if isinstance(cell, float) and 0 <= cell < 1:
        return round(cell * 86_400) // 60
    if isinstance(cell, float) and (serial := _serial(cell)) is not None:
        return _minutes_of(serial)
    text = _text(cell, "时间")
    if _DATE.match(text) and not re.fullmatch(r"\d+", text):
        _, text = _leading_date(text)
    return _clock(text, clean_text(cell))


def parse_datetime(cell: Cell) -> datetime:
    """Read a day and a time together, without a zone and to the minute."""
    if isinstance(cell, datetime):
        return _to_minute(cell)
    if isinstance(cell, float) and (serial := _serial(cell)) is not None:
        return serial
    text = _text(cell, "日期和时间")
    day, rest = _leading_date(text)
    return _moment(day, _clock(rest, text))


def parse_period(cell: Cell) -> tuple[datetime, datetime]:
    """
    Read «2025年1月5日 14:00-16:00» as start and end, end after start.

    Also with 至, 到, ~ or a dash between, with 次日 or a second date before the end. 下午2:00-4:00 means the afternoon for both.
    """
    text = _text(cell, "活动时间")
    day, rest = _leading_date(text)
    halves = _SEPARATOR.split(rest, maxsplit=1)
    if len(halves) != 2 or not all(halves):
        raise Misspelt(f"活动时间「{_shown(text)}」看不懂，请写成「2025年1月5日 14:00-16:00」。")
    start = _moment(day, _clock(halves[0], text))
    end_day, end_text = _ending_day(day, halves[1])
    end = _moment(end_day, _clock(end_text, text))
    part = _TIME.match(halves[0])
    if end <= start and end_day == day and part is not None and part["part"]:
        end = _moment(day, _clock(f"{part['part']}{end_text}", text))
    if end <= start:
        raise Misspelt(f"活动时间「{_shown(text)}」的结束早于开始。若跨过零点，请写「次日」，如「20:00-次日2:00」。")
    return start, end


def parse_duration(cell: Cell, header: str = "") -> int:
    """
    Read a length of time as whole minutes, more than none.

    85分钟, 1小时45分钟, 1.75小时, 1小时半, 1:45, a time cell; a bare number by the unit in the column's header, without one as
    hours up to 12 and as minutes from 30 on (a decimal always as hours), and refused between.
    """
    if isinstance(cell, time):
        return _positive(Decimal(_minutes_of(cell)), clean_text(cell))
    text = _text(cell, "时长")
    if re.fullmatch(r"\d+(\.\d+)?(E-?\d{1,3})?", text, re.ASCII | re.IGNORECASE):
        return _positive(_bare(Decimal(text), header, text), text)
    if clock := re.fullmatch(r"(\d{1,3}):([0-5]\d)(:[0-5]\d)?", text):
        return _positive(Decimal(int(clock[1]) * 60 + int(clock[2])), text)
    if text in ("半小时", "半个小时", "半个钟头"):
        return 30
    found = _DURATION.fullmatch(text)
    if found is None or not (found["hours"] or found["minutes"]):
        raise Misspelt(f"时长「{_shown(text)}」看不懂，请写成「1小时30分钟」或「90分钟」。")
    half = 30 if found["half"] else 0
    return _positive(Decimal(found["hours"] or 0) * 60 + half + Decimal(found["minutes"] or 0), text)


def parse_yes_no(cell: Cell) -> bool:
    """Read 是, 否, √, × and their like; blank is no, as forms are filled in."""
    if isinstance(cell, bool):
        return cell
    text = clean_text(cell).upper()
    if text in _YES:
        return True
    if not text or text in _NO:
        return False
    raise Misspelt(f"「{_shown(text)}」看不懂，请填「是」或「否」。")


def parse_id_number(cell: Cell) -> str:
    """Read an ID number as text, without judging it (`identity.check_id_number` does); raises IdPrecisionLost, Blank."""
    if isinstance(cell, bool | date | time):
        raise Misspelt("身份证号一列不是号码，请核对。")
    text = re.sub(r"\s", "", _WRAPPING.sub("", _text(cell, "身份证号"))).upper()
    rounded = isinstance(cell, int) and cell >= 10**17 and cell % 1000 == 0
    if isinstance(cell, float) or rounded or _SCIENTIFIC.fullmatch(text):
        raise IdPrecisionLost("身份证号像是被 Excel 改动过，末几位已丢失。请把该列设为「文本」后，对照证件重新填写。")
    return text


def parse_phone(cell: Cell) -> str:
    """Read a phone as digits; raises Misspelt if it is no mainland mobile or landline number."""
    text = _WRAPPING.sub("", _text(cell, "联系电话"))
    try:
        return normalise_phone(text)
    except InvalidRequest as refusal:
        raise Misspelt(str(refusal)) from None


def _text(cell: Cell, what: str) -> str:
    text = clean_text(cell)
    if not text:
        raise Blank(f"没有填写{what}。")
    return text


def _shown(text: str) -> str:
    """Cut what a message repeats: short, and no run of digits that could be somebody's number."""
    return re.sub(r"\d{9,}", "…", text)[:40]


def _serial(cell: Cell) -> datetime | None:
    """Excel's serial day as a moment to the minute; None for what is no plausible one."""
    if isinstance(cell, str) and re.fullmatch(r"[1-8]\d{4}(\.\d+)?", clean_text(cell)):
        cell = float(cell)
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not _SERIAL_MIN <= cell < _SERIAL_MAX:
        return None
    return _to_minute(_SERIAL_EPOCH + timedelta(seconds=round(cell * 86_400)))


def _to_minute(moment: datetime) -> datetime:
    """Cut to the minute, after Excel's fractions of a second are made good."""
    return (moment + timedelta(milliseconds=500)).replace(second=0, microsecond=0)


def _minutes_of(moment: datetime | time) -> int:
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second + round(moment.microsecond / 1_000_000)
    return seconds // 60


def _leading_date(text: str) -> tuple[date, str]:
    """Split a text into the date it begins with and what follows."""
    found = _DATE.match(text)
    if found is None:
        raise Misspelt(f"日期「{_shown(text)}」看不懂，请写成「2026-11-21」或「2026年11月21日」。")
    if packed := found["packed"]:
        year, month, day = packed[:4], packed[4:6], packed[6:]
    else:
        year, month, day = found["year"], found["month"], found["day"]
    return _date(year, month, day), re.sub(r"\+08:?00$", "", text[found.end() :].strip())


def _date(year: str | int, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Misspelt(f"没有 {year} 年 {month} 月 {day} 日这一天，请核对。") from None


def _ending_day(day: date, text: str) -> tuple[date, str]:
    """Find the day on which a period ends, the same unless said otherwise, and the rest of the text."""
    if _DATE.match(text) and not re.fullmatch(r"\d+", text):
        return _leading_date(text)
    if found := _MONTH_DAY.match(text):
        ending = _date(day.year, found[1], found[2])
        if ending < day:  # over New Year
            ending = _date(day.year + 1, found[1], found[2])
        return ending, text[found.end() :]
    if found := _NEXT_DAY.match(text):
        return day + timedelta(days=1), text[found.end() :]
    return day, text


def _moment(day: date, minutes: int) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - as _SERIAL_EPOCH


def _clock(text: str, whole: str) -> int:
    """Read a time of day in words and digits; `whole` is the cell, for the message."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise Misspelt(f"时间「{_shown(whole)}」看不懂，请写成「9:00」或「14:30」。")
    if packed := found["packed"]:
        hour, minute = int(packed[:-2]), int(packed[-2:])
    else:
        hour = int(found["hour"])
        minute = _WORDS[found["word"]] if found["word"] else int(found["minute"] or found["minute2"] or 0)
    second = int(found["second"] or 0)
    half = (found["half"] or "").upper()[:1]
    part: str = found["part"] or {"A": "AM", "P": "PM", "": ""}[half]
    hour_of_day = _HOURS[part].get(hour)
    if hour_of_day is None or minute > 59 or second > 59 or hour_of_day * 3600 + minute * 60 + second > 86_400:
        raise Misspelt(f"时间「{_shown(whole)}」不对，请按 24 小时制写成「9:00」或「14:30」。")
    return hour_of_day * 60 + minute


def _bare(number: Decimal, header: str, text: str) -> Decimal:
    """Minutes of a number without a unit."""
    heading = clean_text(header).upper()
    if "分" in heading or "MIN" in heading:
        return number
    if "小时" in heading or "工时" in heading or re.search(r"\((?:时|H|HOURS?)\)", heading):
        return number * 60
    if number <= _BARE_HOURS_MAX or number != number.to_integral_value():
        return number * 60
    if number >= _BARE_MINUTES_MIN:
        return number
    raise Misspelt(f"时长「{text}」没有写单位，请写成「{text}分钟」或「{text}小时」。")


def _positive(minutes: Decimal, text: str) -> int:
    """Whole minutes, more than none; the last digits of a float (1.3333333333333333 h) are made good, 1.33 h is not guessed at."""
    if not 0 < minutes <= _DURATION_MAX:
        raise Misspelt(f"时长「{_shown(text)}」不对，应大于 0，请核对。")
    whole = minutes.to_integral_value()
    if abs(minutes - whole) > Decimal("0.000001"):
        raise Misspelt(f"时长「{_shown(text)}」折合不是整分钟，请直接写分钟数。")
    return int(whole)
