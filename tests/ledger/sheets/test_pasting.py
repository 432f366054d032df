"""Lists of people as they are pasted: a column, several columns, a WeChat 接龙, one line typed."""

import pytest

from ledger.sheets.pasting import LINES_MAX, Line, parse, read_line

CHAIN = """#接龙
10月18日图书馆志愿服务
(8:00到)

1. 张敏
2、李建国 8:00-11:00
3）王芳 13855101234
4. 陈 静
5. 刘洋+1
6 欧阳文海 下午2点-4点半
"""


def brief(lines):
    return [(line.name, line.number, line.start, line.end) for line in lines]


def test_in_a_chain_only_the_numbered_lines_are_people():
    found = parse(CHAIN)
    assert brief(found) == [
        ("张敏", "", "", ""),
        ("李建国", "", "08:00", "11:00"),
        ("王芳", "13855101234", "", ""),
        ("陈静", "", "", ""),
        ("刘洋", "", "", ""),
        ("欧阳文海", "", "14:00", "16:30"),
    ]
    assert [bool(line.fault) for line in found] == [False, False, False, False, True, False], "whoever is +1 has a name too"


def test_a_column_and_columns_of_a_spreadsheet_are_read_without_their_heading():
    assert [line.name for line in parse("姓名\r\n张敏\r\n\r\n买买提·艾力\r\n")] == ["张敏", "买买提·艾力"]
    assert brief(parse("姓名\t身份证号\t开始\t结束\n1\t李建国\t34010419500203002x\t9:00\t11:00")) == [
        ("李建国", "34010419500203002X", "09:00", "11:00")
    ]


@pytest.mark.parametrize("text", ["张敏、李建国，王芳", "张敏;李建国；王芳", "张敏 李建国 王芳"])
def test_names_on_one_line_are_several_people(text):
    assert [line.name for line in parse(text)] == ["张敏", "李建国", "王芳"]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("wxy8423", ("wxy", "8423", "", "")),
        ("wxy 842x 9-11", ("wxy", "842X", "09:00", "11:00")),
        ("8423", ("", "8423", "", "")),
        ("张敏 900-1130", ("张敏", "", "09:00", "11:30")),
        ("张敏 9点半至次日1:00", ("张敏", "", "09:30", "01:00")),
        ("340104195002030027", ("", "340104195002030027", "", "")),
    ],
)
def test_one_line_is_one_person_perhaps_with_a_number_and_times(typed, read):
    assert brief([read_line(typed)]) == [read]


@pytest.mark.parametrize(
    ("typed", "name"),
    [("张  敏", "张敏"), ("黄 秀荣", "黄秀荣"), ("黄　秀　荣", "黄秀荣"), ("张敏 迟到", "张敏"), ("黄 秀荣 9:00-11:00", "黄秀荣")],
)
def test_characters_set_apart_to_fill_a_column_are_one_name(typed, name):
    assert read_line(typed).name == name


def test_the_sum_under_a_column_is_nobody():
    assert [line.name for line in parse("姓名\t时长\n张敏\t2\n合计\t10人\n共 3 人")] == ["张敏"]


def test_a_time_that_cannot_be_is_a_fault_and_not_dropped():
    line = read_line("张敏 9:00-25:00")
    assert line.fault
    assert (line.name, line.start) == ("张敏", "")


def test_what_nobody_can_read_stays_as_it_was_said():
    assert parse("？？？") == [Line("???")]
    assert len(parse("张敏\n" * (LINES_MAX + 50))) == LINES_MAX
