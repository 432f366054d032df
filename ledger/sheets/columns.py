"""
What stations call the columns of their tables.

One entry a fact: the name it has in a parsed row, the headers it is met under (best first; a bracketed unit or remark behind
them does not matter) and whether a table without it is of use. To accept another header, add it here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A wanted column: `synonyms` best first, the first being the one that messages name."""

    field: str
    synonyms: tuple[str, ...]
    required: bool = False


NAME = Column("name", ("姓名", "志愿者姓名", "志愿者", "名字", "参加人员", "人员姓名"), required=True)
ID_NUMBER = Column(
    "id_number",
    ("身份证号", "身份证号码", "居民身份证号", "居民身份证号码", "公民身份号码", "证件号码", "证件号", "身份证", "居民身份证"),
    required=True,
)
PHONE = Column("phone", ("联系电话", "手机号", "手机号码", "手机", "联系方式", "电话", "电话号码", "联系人电话"))
STATION = Column("station", ("所属站点编码", "站点编码", "社工站编码", "站点代码", "服务站编码", "所属站点"), required=True)
REMARK = Column("remark", ("备注", "说明"))
START = Column("start", ("签到时间", "开始时间", "到达时间", "上岗时间", "签到", "服务开始时间", "起始时间"), required=True)
END = Column("end", ("签退时间", "结束时间", "离开时间", "下岗时间", "签退", "服务结束时间", "终止时间"), required=True)
DURATION = Column("duration", ("服务时长", "时长", "服务时数", "志愿服务时长", "服务小时数", "小时数", "服务分钟数", "工时"))

SIGN_IN = (NAME, ID_NUMBER, PHONE, START, END, DURATION, REMARK)
PLATFORM = (
    NAME,
    ID_NUMBER,
    STATION,
    Column("activity", ("活动名称", "项目名称", "服务项目", "活动", "项目"), required=True),
    Column("series", ("活动系列", "系列", "主题", "活动类别", "项目类别", "服务类别")),
    START,
    END,
    DURATION,
    Column("source", ("来源", "数据来源")),
)
VOLUNTEERS = (
    NAME,
    Column("sex", ("性别",)),
    ID_NUMBER,
    PHONE,
    STATION,
    Column("registered_on", ("注册日期", "注册时间", "登记日期", "加入日期", "入队日期"), required=True),
    Column("backbone", ("是否骨干", "骨干", "骨干志愿者", "是否骨干志愿者")),
    REMARK,
)
ORGANISATIONS = (
    Column("number", ("备案编号", "编号", "备案号", "登记证号"), required=True),
    Column("name", ("组织名称", "名称", "社会组织名称"), required=True),
    Column("category", ("组织类别", "类别", "组织类型", "类型"), required=True),
    Column("volunteering", ("是否志愿服务组织", "志愿服务组织")),
    STATION,
    Column("status", ("登记/备案", "登记或备案", "登记备案", "状态", "登记状态")),
    Column("filed_on", ("备案日期", "备案时间", "登记日期", "成立日期"), required=True),
    Column("leader", ("主要负责人", "负责人", "负责人姓名", "联系人")),
    PHONE,
    Column("uscc", ("统一社会信用代码", "信用代码")),
)
UNIT_CODES = (
    Column("code", ("统计用区划代码", "区划代码", "行政区划代码", "代码"), required=True),
    Column("name", ("名称", "单位名称", "区划名称"), required=True),
    Column("area", ("城乡分类代码", "城乡分类")),
    Column("valid_from", ("生效日期", "启用日期")),
    Column("ended_on", ("撤销日期", "失效日期", "废止日期")),
    Column("into", ("并入代码", "后继代码", "并入")),
    Column("basis", ("依据", "文号", "批复文号")),
)
STATIONS = (
    Column("code", ("站点编码", "编码", "代码", "code"), required=True),
    Column("name", ("站点名称", "名称", "name"), required=True),
    Column("level", ("级别", "层级")),
    Column("parent", ("上级编码", "上级代码", "上级", "street_code")),
    Column("area", ("城乡", "城乡分类")),
    Column("population", ("常住人口", "常住人口数", "人口")),
    Column("population_on", ("人口统计日期", "统计日期")),
    Column("population_source", ("人口数据来源", "数据来源")),
)
