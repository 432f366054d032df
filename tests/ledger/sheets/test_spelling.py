"""Every spelling that stations use for dates, times, lengths and numbers, and what is refused rather than guessed."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.sheets import spelling
from ledger.sheets.spelling import Misspelt

MOMENTS = st.datetimes(datetime(1920, 1, 1), datetime(2119, 12, 31)).map(lambda moment: moment.replace(second=0, microsecond=0))


@pytest.mark.parametrize(
    "cell",
    [
        "2026/11/21", "2026.11.21", "2026年11月21日", "2026-11-21", "20261121", 20261121, "２０２６－１１－２１",
        " 2026 年 11 月 21 日 ", "2026年11月21号", "2026年11月21日（星期六）", "2026-11-21 00:00:00", "2026-11-21 14:20:33",
        "2026-11-21T14:20:33+08:00", "2026年11月21日下午2:30", 46347, 46347.6, "46347", date(2026, 11, 21),
        datetime(2026, 11, 21, 9, 30),
    ],
)  # fmt: skip
def test_a_day_in_every_spelling(cell):
    assert spelling.parse_date(cell) == date(2026, 11, 21)


@pytest.mark.parametrize(
    "cell", ["2026年2月30日", "2026/13/1", "26.11.21", "11月21日", "2026年11月", "昨天", "2026-11-21 上午", 2026, 1.5, True, time(9, 0)]
)
def test_what_is_no_day_is_refused(cell):
    with pytest.raises(Misspelt):
        spelling.parse_date(cell)


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("9", 540), (9, 540), ("9:00", 540), (900, 540), ("900", 540), ("0900", 540), ("9点", 540), ("9点半", 570),
        ("9点一刻", 555), ("9点三刻", 585), ("9点整", 540), ("9点钟", 540), ("9时40分", 580), ("9时5", 545), ("12时", 720),
        ("下午2:20", 860), ("下午2点半", 870), ("下午14:20", 860), ("上午9:05", 545), ("早上 8 点", 480), ("中午12:10", 730),
        ("中午1点", 780), ("中午11:30", 690), ("晚上8点", 1200), ("晚上12点", 1440), ("傍晚6:30", 1110), ("凌晨12:10", 10),
        ("凌晨1:30", 90), ("9：00", 540), ("８：４０", 520), ("08:30:00", 510), ("08:30:59", 510), ("14:50:00", 890),
        ("2:20 PM", 860), ("12:05 AM", 5), ("9:00a.m.", 540), ("24:00", 1440), ("0:00", 0), (0, 0), ("2025-01-05 14:00", 840),
        ("2025年1月5日 下午2:00", 840), (time(8, 30), 510), (time(8, 30, 59), 510), (datetime(2025, 1, 5, 14, 5), 845),
        (0.375, 540), (0.6041666666666666, 870), (0.0, 0), (45000.375, 540),
    ],
)  # fmt: skip
def test_a_time_of_day_in_every_spelling(cell, minutes):
    assert spelling.parse_time_of_day(cell) == minutes


@pytest.mark.parametrize(
    "cell",
    [
        "9.5", 9.5, "9.30", "25:00", "24:01", "24:00:01", "9:60", "9:00:60", "上午12:10", "上午14:00", "晚上1点", "晚上12:10",
        "早上", "九点", "9:00-11:00", "-1", 45000, 99999, -3, True, "#VALUE!", "13点PM上午", "2025-01-05", date(2025, 1, 5),
        float("inf"),
    ],
)  # fmt: skip
def test_a_time_that_is_none_or_could_be_two_is_refused(cell):
    with pytest.raises(Misspelt):
        spelling.parse_time_of_day(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "2024-07-28 14:15", "2024/7/28 14:15:59", "2024年7月28日 下午2:15", "20240728 1415", "2024-07-28T14:15:00+08:00",
        datetime(2024, 7, 28, 14, 15, 20), 45501.59375, "2024年7月28日（周日）14:15",
    ],
)  # fmt: skip
def test_a_moment_in_every_spelling(cell):
    assert spelling.parse_datetime(cell) == datetime(2024, 7, 28, 14, 15)


@pytest.mark.parametrize("cell", ["2024-07-28", "14:15", date(2024, 7, 28), "2024-07-28 25:00", "2024-07-28T14:15:00Z", 45501, time(9, 0)])
def test_half_a_moment_is_refused(cell):
    with pytest.raises(Misspelt):
        spelling.parse_datetime(cell)


def test_excels_fractions_of_a_second_are_made_good():
    assert spelling.parse_datetime(datetime(2025, 1, 5, 13, 59, 59, 999_000)) == datetime(2025, 1, 5, 14, 0)
    assert spelling.parse_time_of_day(time(13, 59, 59, 999_999)) == 840


@pytest.mark.parametrize(
    ("cell", "start", "end"),
    [
        ("2025年1月5日 14:00-16:00", "2025-01-05T14:00", "2025-01-05T16:00"),
        ("2025年1月5日14：00—16：00", "2025-01-05T14:00", "2025-01-05T16:00"),
        ("2025年1月5日（周日） 14:00至16:00", "2025-01-05T14:00", "2025-01-05T16:00"),
        ("2025-01-05 14:00 到 16:00", "2025-01-05T14:00", "2025-01-05T16:00"),
        ("2025.1.5 下午2:00～4:00", "2025-01-05T14:00", "2025-01-05T16:00"),
        ("2025.1.5 上午9点~11点半", "2025-01-05T09:00", "2025-01-05T11:30"),
        ("2025/1/5 上午9:00-下午2:00", "2025-01-05T09:00", "2025-01-05T14:00"),
        ("2025年1月5日 晚上8点-10点", "2025-01-05T20:00", "2025-01-05T22:00"),
        ("2025年1月5日 20:00-24:00", "2025-01-05T20:00", "2025-01-06T00:00"),
        ("2025年1月5日 20:00-次日2:00", "2025-01-05T20:00", "2025-01-06T02:00"),
        ("2025年1月5日 20:00 至 第二天 2:00", "2025-01-05T20:00", "2025-01-06T02:00"),
        ("2025年1月5日 20:00 至 2025年1月6日 2:00", "2025-01-05T20:00", "2025-01-06T02:00"),
        ("2025-01-05 20:00 - 2025-01-06 02:00", "2025-01-05T20:00", "2025-01-06T02:00"),
        ("2025年12月31日 20:00-1月1日 2:00", "2025-12-31T20:00", "2026-01-01T02:00"),
        ("2025年1月5日 20:00-1月6日2:00", "2025-01-05T20:00", "2025-01-06T02:00"),
        ("20250105 0900-1130", "2025-01-05T09:00", "2025-01-05T11:30"),
    ],
)
def test_a_period_in_every_spelling(cell, start, end):
    assert spelling.parse_period(cell) == (datetime.fromisoformat(start), datetime.fromisoformat(end))


@pytest.mark.parametrize(
    "cell",
    [
        "2025年1月5日",
        "2025年1月5日 14:00",
        "14:00-16:00",
        "2025年1月5日 16:00-14:00",
        "2025年1月5日 14:00-14:00",
        "2025年1月5日 14:00-",
        None,
    ],
)
def test_a_period_without_both_ends_in_order_is_refused(cell):
    with pytest.raises(Misspelt):
        spelling.parse_period(cell)


@pytest.mark.parametrize(
    ("cell", "header", "minutes"),
    [
        ("85分钟", "", 85), ("1小时45分钟", "", 105), ("1.75小时", "", 105), ("2小时", "", 120), ("1时30分", "", 90),
        ("48分", "", 48), ("1小时半", "", 90), ("半小时", "", 30), ("2个小时", "", 120), ("1 小时 5 分", "", 65),
        ("1小时45", "", 105), ("2h", "", 120), ("90min", "", 90), ("1h30m", "", 90), ("1:45", "", 105), ("１．５小时", "", 90),
        (time(1, 45), "", 105), ("2.5", "", 150), (2.5, "", 150), (2, "", 120), ("90", "", 90), (90, "", 90),
        (45, "服务时长(分钟)", 45), ("2", "服务时长（分）", 2), (100, "服务时长(小时)", 6000), ("1.5", "服务时长(小时)", 90),
        (20, "时长（小时）", 1200), (0.1, "小时数", 6), (1.3333333333333333, "时长(h)", 80), ("85分钟", "服务时长(小时)", 85),
        (15, "服务分钟数", 15), (3, "工时", 180),
    ],
)  # fmt: skip
def test_a_length_of_time_in_every_spelling(cell, header, minutes):
    assert spelling.parse_duration(cell, header) == minutes


@pytest.mark.parametrize(
    ("cell", "header"),
    [
        (20, ""), ("1.33小时", ""), (1.33, "时长(小时)"), (45.5, "时长(分钟)"), (0, ""), ("0分钟", ""), (-2, ""),
        ("两小时", ""), ("55人", ""), ("小时", ""), ("分钟", ""), (True, ""), (time(0, 0), ""), (float("inf"), ""), (float("nan"), ""),
        ("1e", ""),
    ],
)  # fmt: skip
def test_a_length_that_is_none_or_could_be_two_is_refused(cell, header):
    with pytest.raises(Misspelt):
        spelling.parse_duration(cell, header)


def test_yes_and_no():
    assert [spelling.parse_yes_no(cell) for cell in ("是", "√", "y", True, 1, " 有 ")] == [True] * 6
    assert [spelling.parse_yes_no(cell) for cell in ("否", "×", "N", False, 0, None, "", "无")] == [False] * 8
    with pytest.raises(Misspelt, match="请填「是」或「否」"):
        spelling.parse_yes_no("大概")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" 34010419951022796x ", "34010419951022796X"), ("３４０１０４１９９５１０２２７９６Ｘ", "34010419951022796X"),
        ("'340102196708266327", "340102196708266327"), ('="340102196708266327"', "340102196708266327"),
        ("\t340102196708266327", "340102196708266327"), (340102196708266327, "340102196708266327"),
        ("340102 19670826 6327", "340102196708266327"), (340102670826632, "340102670826632"),
    ],
)  # fmt: skip
def test_an_id_number_is_text(cell, text):
    assert spelling.parse_id_number(cell) == text


@pytest.mark.parametrize("cell", [3.408262001110234e17, "3.40826E+17", "3.4E17", 340826200111023000, "３.40826e+17"])
def test_an_id_number_that_excel_rounded_is_told_apart(cell):
    with pytest.raises(spelling.IdPrecisionLost, match="文本") as refusal:
        spelling.parse_id_number(cell)
    assert refusal.value.code == "id_precision_lost"


def test_what_is_blank_is_missing_and_not_misspelt():
    parsers = [
        spelling.parse_date,
        spelling.parse_time_of_day,
        spelling.parse_datetime,
        spelling.parse_duration,
        spelling.parse_id_number,
        spelling.parse_phone,
    ]
    for parse in parsers:
        for cell in (None, "", " \u3000\u200b"):
            with pytest.raises(spelling.Blank, match="没有填写") as refusal:
                parse(cell)
            assert refusal.value.code == "missing"


def test_a_phone_may_be_a_number_or_text():
    assert [spelling.parse_phone(cell) for cell in (13805511234, "138 0551 1234", "'13805511234", "1３８05511234")] == ["13805511234"] * 4
    with pytest.raises(Misspelt, match="联系电话不对"):
        spelling.parse_phone(1.38e10 + 0.5)


def test_messages_repeat_no_long_number():
    with pytest.raises(Misspelt) as refusal:
        spelling.parse_time_of_day("340102196708266327")
    assert "340102196708266327" not in str(refusal.value)
    with pytest.raises(Misspelt, match="不是号码"):
        spelling.parse_id_number(datetime(2025, 1, 5))


def test_clean_text():
    cells = [None, "  a\u3000 b\n", "\ufeff序号", True, False, 3, 2.5, datetime(2025, 1, 5, 9, 0), date(2025, 1, 5)]
    assert [spelling.clean_text(cell) for cell in cells] == ["", "a b", "序号", "是", "否", "3", "2.5", "2025-01-05 09:00:00", "2025-01-05"]


@given(
    MOMENTS,
    st.sampled_from(
        [
            "{:%Y-%m-%d}",
            "{:%Y/%m/%d}",
            "{:%Y.%m.%d}",
            "{:%Y年%m月%d日}",
            "{:%Y%m%d}",
            "{0.year}年{0.month}月{0.day}日",
            "{0.year}/{0.month}/{0.day}",
        ]
    ),
)
def test_any_day_written_is_read_back(moment, form):
    assert spelling.parse_date(form.format(moment)) == moment.date()


@given(MOMENTS)
def test_any_serial_day_is_read_back(moment):
    serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
    assert spelling.parse_date(serial) == moment.date()
    assert spelling.parse_datetime(float(serial)) == moment
    assert spelling.parse_time_of_day(serial % 1) == moment.hour * 60 + moment.minute


@given(
    st.integers(0, 1439),
    st.sampled_from(
        ["{h}:{m:02}", "{h:02}{m:02}", "{h}时{m}分", "{h}点{m:02}", "{h}：{m:02}", "{h:02}:{m:02}:00", "2025-01-05 {h:02}:{m:02}"]
    ),
)
def test_any_time_written_is_read_back(minutes, form):
    assert spelling.parse_time_of_day(form.format(h=minutes // 60, m=minutes % 60)) == minutes


@given(st.integers(0, 719))
def test_the_afternoon_is_twelve_hours_on(minutes):
    assert spelling.parse_time_of_day(f"下午{minutes // 60}:{minutes % 60:02}") == minutes + 720


@given(st.integers(1, 100_000))
@example(20)
def test_any_length_written_is_read_back(minutes):
    for cell in (f"{minutes}分钟", f"{minutes // 60}小时{minutes % 60}分钟", f"{minutes // 60}时{minutes % 60}分"):
        assert spelling.parse_duration(cell) == minutes
    assert spelling.parse_duration(minutes, "时长（分钟）") == minutes
    assert spelling.parse_duration(minutes / 60, "时长（小时）") == minutes


@given(MOMENTS, st.integers(1, 2000), st.sampled_from(["-", "—", "至", "~", "到", " – "]))
def test_any_period_written_is_read_back(start, length, between):
    end = start + timedelta(minutes=length)
    assert spelling.parse_period(f"{start:%Y年%m月%d日 %H:%M}{between}{end:%Y-%m-%d %H:%M}") == (start, end)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.dates(), st.times(), st.datetimes(), st.none()))
def test_no_cell_whatever_gets_past_misspelt(cell):
    parsers = [
        spelling.parse_date, spelling.parse_time_of_day, spelling.parse_datetime, spelling.parse_period, spelling.parse_duration,
        spelling.parse_yes_no, spelling.parse_id_number, spelling.parse_phone,
    ]  # fmt: skip
    for parse in parsers:
        try:
            parse(cell)
        except Misspelt:  # any other exception fails the test
            continue
