"""
Templates: empty workbooks for each kind of table, to be filled in and handed back.

The first sheet is the table: header, one example row, drop-downs where only certain words are right, ID numbers and phones as text so that no spreadsheet
rounds them. The second tells how to fill it in. The example's first column says 示例, and rows that say so are passed over when the file is read
(layout.py), so nobody has to remember to delete it. The headers are those of columns.py; the words to choose from are those of codes.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from ledger import codes
from ledger.sheets.layout import EXAMPLE

NAMES = {
    "hours": "签到表模板.xlsx",
    "volunteers": "志愿者名册模板.xlsx",
    "organisations": "组织台账模板.xlsx",
    "stations": "站点表模板.xlsx",
    "units": "国家区划代码表模板.xlsx",
}
ROWS = {"hours": 100}
ROWS_USUAL = 1_000
"""For how many rows drop-downs and text formats are laid out."""
_YES_NO = ("是", "否")
_LIST_TEXT_MAX = 200
_CHOICES_SHEET = "选项"
_EXAMPLE_ID, _EXAMPLE_PHONE = "（填 18 位号码）", "（填手机号）"
"""No number, not even an invented one: somebody's it may be."""
_HEAD, _GREY, _TO_FILL = (PatternFill("solid", fgColor=colour) for colour in ("FFE2EEEA", "FFEFEFEF", "FFFFF8E1"))
_LINE = Border(*(Side("thin", color="FFBBBBBB"),) * 4)


@dataclass(frozen=True)
class _Field:
    """A column: header, what the example says, width; *choices*: the only right words; *stations*: the station codes are; *text*: kept as text."""

    header: str
    example: str | int
    width: int = 14
    choices: Sequence[str] = ()
    stations: bool = False
    text: bool = False
    note: str = ""


_ORDER = _Field("序号", EXAMPLE, 7)
_NAME = _Field("姓名", "李梅", 10, note="和身份证上一样")
_ID = _Field("身份证号", _EXAMPLE_ID, 22, text=True, note="18 位，按文本填，不要让表格软件改成数字")
_PHONE = _Field("联系电话", _EXAMPLE_PHONE, 16, text=True, note="可以不填")
_HOME = _Field("所属站点编码", "", 16, stations=True, text=True, note="从下拉里选；站点名称见「填写说明」下面的对照表")
_FIELDS: dict[str, tuple[_Field, ...]] = {
    "hours": (
        _ORDER,
        _NAME,
        _ID,
        _PHONE,
        _Field("签到时间", "14:00", 11, text=True, note="几点几分，例如 14:00"),
        _Field("签退时间", "16:30", 11, text=True, note="几点几分；没有签退的请先向本人核实"),
        _Field("备注", "", 20),
    ),
    "volunteers": (
        _ORDER,
        _NAME,
        _Field("性别", "女", 7, ("男", "女"), note="可以不填"),
        _ID,
        _PHONE,
        _HOME,
        _Field("注册日期", "2025-03-05", 13, text=True, note="年-月-日"),
        _Field("是否骨干", "否", 10, _YES_NO),
        _Field("备注", "", 20),
    ),
    "organisations": (
        _ORDER,
        _Field("备案编号", "蜀备2025001", 16, text=True),
        _Field("组织名称", "某社区爱心维修队", 26),
        _Field("组织类别", "公益慈善", 12, tuple(codes.CATEGORIES.values()), note="只能填下拉里的类别"),
        _Field("是否志愿服务组织", "是", 12, _YES_NO),
        _HOME,
        _Field("登记/备案", "备案", 11, ("备案", "登记")),
        _Field("备案日期", "2025-03-05", 13, text=True, note="年-月-日"),
        _Field("主要负责人", "李梅", 12),
        _PHONE,
    ),
    "stations": (
        _ORDER,
        _Field("站点编码", "340104001001", 16, text=True, note="12 位统计用区划代码，或自编的数字字母"),
        _Field("站点名称", "某某社区服务站", 24),
        _Field("级别", "站", 8, tuple(codes.LEVELS.values())),
        _Field("上级编码", "340104001000", 16, text=True, note="最上面一级不填"),
        _Field("城乡", "城市", 8, tuple(codes.AREA_TYPES.values())),
        _Field("常住人口", 12300, 11, note="整数；可以先不填"),
        _Field("人口统计日期", "2024-12-31", 14, text=True, note="填了人口就要填"),
        _Field("人口数据来源", "街道统计年报", 20, note="填了人口就要填"),
    ),
    "units": (
        _ORDER,
        _Field("统计用区划代码", "340104001001", 18, text=True, note="国家统计局公布的 12 位代码；级别和上级从代码看出"),
        _Field("城乡分类代码", "111", 13, text=True, note="社区和村才有：111 112 121 122 123 210 220"),
        _Field("名称", "某某社区居委会", 24),
        _Field("生效日期", "2024-10-31", 13, text=True, note="从哪一天起这样叫；不填就是今天"),
        _Field("撤销日期", "", 13, text=True, note="从哪一天起没有这个单位了"),
        _Field("并入代码", "", 18, text=True, note="并入哪个单位；没有并入的不填"),
        _Field("依据", "", 20, note="批复的文号，可以不填"),
    ),
}
_STEPS = {
    "hours": (
        "一张表登记一次活动。先填最上面三行：活动名称、时间、系列、地点、组织单位、站点编码。",
        "活动时间写成「2025年1月5日 14:00-16:00」；跨过零点的写成「2025年1月5日 22:00-次日02:00」。",
        "从示例下面一行开始，一人一行；签到、签退只写几点几分。",
    ),
    "volunteers": ("一人一行，从示例下面一行开始填。", "同一个身份证号只登记一次；重复的会告诉您是哪一行。"),
    "organisations": ("一个组织一行，从示例下面一行开始填。", "备案有效期两年，备案日期要准。"),
    "units": (
        "把国家统计局公布的表原样贴进来，上级也要在表里或已经登记过。",
        "撤销、合并的，写上日期和并入的代码；那里的人和组织不会自动搬走。",
    ),
    "stations": ("一个站点一行，上级也要在表里或已经登记过。", "填了常住人口，就要写统计日期和来源，三率要用。"),
}
_ALWAYS = (
    "示例行不用删，上传时会自动跳过。",
    "不要改表头的字，列的先后可以换，多出来的列不影响。",
    "填好后在「登记」或「导入」页面上传，先核对，确认后才会登记；有问题的行会标出来让您改。",
)


def template(kind: str, stations: Mapping[str, str], home: str | None = None) -> bytes:
    """Make the template for a kind of table. *stations*: code and name of those to choose from; *home*: the code to fill in where there is one."""
    fields = _FIELDS[kind]
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "填表"
    top = _activity_rows(sheet, home) if kind == "hours" else 0
    for column, field in enumerate(fields, 1):
        _header(sheet, top + 1, column, field)
        said = next(iter(stations), "") if field.stations else field.example
        cell = sheet.cell(top + 2, column, said or None)
        cell.font, cell.fill, cell.border = Font(italic=True, color="FF777777"), _GREY, _LINE
        if field.text:
            for row in range(top + 2, top + 2 + ROWS.get(kind, ROWS_USUAL)):
                sheet.cell(row, column).number_format = "@"
    sheet.freeze_panes = f"A{top + 2}"
    _drop_downs(workbook, sheet, kind, top, stations)
    _instructions(workbook, kind, stations)
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr = 0, PageSetupProperties(fitToPage=True)
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


def _activity_rows(sheet: Worksheet, home: str | None) -> int:
    """Lay out the facts of the activity above the header; returns how many rows they take."""
    facts = [
        [("活动名称：", ""), ("活动系列：", "")],
        [("活动时间：", ""), ("站点编码：", home or "")],
        [("活动地点：", ""), ("组织单位：", "")],
    ]
    for row, pair in enumerate(facts, 1):
        for (label, said), column in zip(pair, (1, 5), strict=True):
            sheet.cell(row, column, label).font = Font(bold=True)
            sheet.merge_cells(start_row=row, end_row=row, start_column=column + 1, end_column=column + (3 if column == 1 else 2))
            value = sheet.cell(row, column + 1, said or None)
            value.fill, value.border, value.number_format = _TO_FILL, _LINE, "@"
    return len(facts)


def _header(sheet: Worksheet, row: int, column: int, field: _Field) -> None:
    cell = sheet.cell(row, column, field.header)
    cell.font, cell.fill, cell.border = Font(bold=True), _HEAD, _LINE
    cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    sheet.column_dimensions[get_column_letter(column)].width = field.width if sheet.title != "填表" or column > 1 else max(field.width, 12)


def _drop_downs(workbook: Workbook, sheet: Worksheet, kind: str, top: int, stations: Mapping[str, str]) -> None:
    """Let only the right words be chosen; the station codes come from a hidden sheet, as a list in the cell may be short only."""
    last = top + 1 + ROWS.get(kind, ROWS_USUAL)
    for column, field in enumerate(_FIELDS[kind], 1):
        where = f"{get_column_letter(column)}{top + 2}:{get_column_letter(column)}{last}"
        if field.choices:
            _choose(sheet, where, '"' + ",".join(field.choices) + '"', field.header)
        elif field.stations and stations:
            _choose(sheet, where, f"{_CHOICES_SHEET}!$A$1:$A${len(stations)}", field.header)
    if kind == "hours":
        series = ",".join(codes.SERIES.values())
        assert len(series) <= _LIST_TEXT_MAX
        _choose(sheet, "F1", f'"{series}"', "活动系列")
        if stations:
            _choose(sheet, "F2", f"{_CHOICES_SHEET}!$A$1:$A${len(stations)}", "站点编码")
    listed = workbook.create_sheet(_CHOICES_SHEET)
    for row, (code, name) in enumerate(stations.items(), 1):
        listed.cell(row, 1, code).number_format = "@"
        listed.cell(row, 2, name)
    listed.sheet_state = "hidden"


def _choose(sheet: Worksheet, where: str, formula: str, title: str) -> None:
    rule = DataValidation(type="list", formula1=formula, allow_blank=True, showErrorMessage=True)
    rule.errorTitle, rule.error = title[:30], "请从下拉列表里选择"
    sheet.add_data_validation(rule)
    rule.add(where)


def _instructions(workbook: Workbook, kind: str, stations: Mapping[str, str]) -> None:
    """Write how the table is filled in, what each column takes, and which station has which code."""
    sheet = workbook.create_sheet("填写说明", 1)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 20, 80
    rows: list[tuple[str, str]] = [("怎么填", "")]
    rows += [(f"{number}.", step) for number, step in enumerate((*_STEPS[kind], *_ALWAYS), 1)]
    rows += [("", ""), ("各列填什么", "")]
    for field in _FIELDS[kind]:
        words = "、".join(field.choices)
        said = "；".join(part for part in (field.note, f"只能是：{words}" if words else "") if part)
        rows.append((field.header, said or "照实填写"))
    if stations:
        rows += [("", ""), ("站点编码", "站点名称"), *stations.items()]
    for number, (label, said) in enumerate(rows, 1):
        sheet.cell(number, 1, label).font = Font(bold=not said or label == "站点编码")
        sheet.cell(number, 2, said).alignment = Alignment(wrap_text=True, vertical="top")
