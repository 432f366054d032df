"""
The personal fields there are: those of 民政部令第67号 article 5, what the law on minors asks for, and no other.

Each says what it is for, on what basis it is held, how long, and who sees it (个人信息保护法 articles 6, 17, 19). The vault refuses whatever
stands in no row here, so that a new field cannot come into being without them. Nothing of this is ever in an entry of the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.errors import InvalidRequest

UNTIL_ERASED = "登记期间；本人注销后立即销毁密钥，旧备份里也读不出"
_LAW = "《志愿服务记录与证明出具办法（试行）》第五条"
_MINORS = "《个人信息保护法》第三十一条、《志愿服务条例》（未成年人须监护人同意）"
_CERTIFICATES = "《志愿服务记录与证明出具办法（试行）》第十四、十七条；民发〔2015〕149号（登记、编号、存档）"
_DESK = "本人；所属站点及其上级的工作人员（默认只见隐去的，点开全文须写理由并留痕）"


@dataclass(frozen=True)
class Field:
    """One personal field: which sealed part holds it ("" for one that is not stored there), its key there, and what has to be said of it."""

    part: str
    key: str
    label: str
    purpose: str
    basis: str
    kept: str
    seen_by: str


FIELDS: tuple[Field, ...] = (
    Field("identity", "name", "姓名", "确认是谁在服务，出具证明", _LAW, UNTIL_ERASED, _DESK),
    Field("identity", "id_number", "身份证件号码", "一人一档，不重登、不错登", _LAW, UNTIL_ERASED, _DESK),
    Field("identity", "sex", "性别", "统计；可以不填", _LAW, UNTIL_ERASED, _DESK),
    Field("", "birth_date", "出生日期", "判断是否成年；从身份证号读出，不另存", _LAW, "不另存", _DESK),
    Field("contact", "phone", "联系方式", "通知活动、找回登录；可以不填", _LAW, UNTIL_ERASED, _DESK),
    Field("contact", "area", "居住区域", "就近安排活动，只到小区，不记门牌；可以不填", _LAW, UNTIL_ERASED, _DESK),
    Field("contact", "skills", "专业技能", "按专长安排活动；可以不填", _LAW, UNTIL_ERASED, _DESK),
    Field("contact", "services", "服务类别", "按意愿安排活动；可以不填", _LAW, UNTIL_ERASED, _DESK),
    Field("guardian", "name", "监护人姓名", "未成年人登记须监护人同意", _MINORS, UNTIL_ERASED, _DESK),
    Field("guardian", "relation", "与监护人关系", "未成年人登记须监护人同意", _MINORS, UNTIL_ERASED, _DESK),
    Field("guardian", "phone", "监护人电话", "未成年人登记须监护人同意", _MINORS, UNTIL_ERASED, _DESK),
    Field("", "certificates", "开具过的证明", "本人再次下载；别人核验手里的原件", _CERTIFICATES, UNTIL_ERASED, _DESK),
)
"""What may be known of a volunteer."""

_TOLD = "本人"
BESIDE: tuple[Field, ...] = (
    Field(
        "",
        "sign_ups",
        "活动报名",
        "给您留位置；活动取消时告诉您；登记签到表时先勾上",
        "本人报名",
        "活动结束 30 天后删除；点了「不去了」、退出或注销时马上删除",
        "本人；办活动的站点及其上级的工作人员（姓名隐去）",
    ),
    Field("", "message_wish", "手机消息的方式", "把通知发到手机", "本人选择", "改选或注销时马上删除", _TOLD),
    Field("", "words", "异议里的说明", "查清异议", "本人提出", UNTIL_ERASED, "本人；处理异议的工作人员"),
    Field(
        "",
        "papers",
        "交来的奖励证书",
        "核对奖励；账本里只记它的指纹",
        "《志愿服务记录与证明出具办法（试行）》第九条（本人提供材料）",
        "核对完马上删除",
        "核对的工作人员，每打开一次都留痕",
    ),
    Field("", "notices", "收到的通知", "告诉您办理的结果", "履行告知义务", "一年；注销时马上删除", _TOLD),
)
"""What is kept beside the vault under a volunteer's number, which names nobody without it."""

ORGANISATION_FIELDS: tuple[Field, ...] = (
    Field(
        "contact",
        "name",
        "主要负责人",
        "备案、登记的法定事项",
        "社区社会组织备案要求",
        "备案有效期内及档案规定的期限",
        "有权管理该站点的工作人员",
    ),
    Field(
        "contact",
        "phone",
        "联系电话",
        "备案、登记的法定事项",
        "社区社会组织备案要求",
        "备案有效期内及档案规定的期限",
        "有权管理该站点的工作人员",
    ),
)
"""What may be known of an organisation's people."""

_FILING = "社区社会组织备案要求（备案申请表、变更备案表、注销备案表）"
_ON_FILE = "备案有效期内及档案规定的期限；本人不再担任并要求的，销毁密钥，旧备份里也读不出"
_FILERS = "填表的人、出意见的社区和街镇工作人员；每打印一次都留痕"


def _filed(part: str, key: str, label: str, purpose: str) -> Field:
    return Field(part, key, label, purpose, _FILING, _ON_FILE, _FILERS)


LEADER_FIELDS: tuple[Field, ...] = (
    _filed("identity", "name", "姓名", "备案表的法定事项"),
    _filed("identity", "id_number", "身份证号码", "确认是谁、是否成年"),
    _filed("identity", "sex", "性别", "备案表的法定事项"),
    _filed("identity", "native_place", "籍贯", "备案表的法定事项；可以不填"),
    _filed("identity", "education", "文化程度", "备案表的法定事项；可以不填"),
    _filed("identity", "politics", "政治面貌", "备案表的法定事项；可以不填"),
    _filed("contact", "phone", "手机", "联系组织"),
    _filed("contact", "address", "家庭住址", "备案表的法定事项"),
    _filed("contact", "employer", "工作单位及职务", "备案表的法定事项；可以不填"),
    _filed("contact", "post", "在本组织的职务", "备案表的法定事项"),
    _filed("contact", "other_posts", "其他社会职务", "备案表的法定事项；可以不填"),
    _filed("contact", "resume", "本人简历", "备案表的法定事项"),
)
"""What may be known of each leader (负责人) of an organisation that is filed; each is sealed under a key of their own."""

PAPER_FIELDS: tuple[Field, ...] = (
    _filed("contact", "premises", "活动场所地址（住所）", "确认在哪里活动；组织愿意才公开"),
    _filed("contact", "contact_name", "联系人", "联系组织"),
    _filed("contact", "contact_phone", "联系人电话", "联系组织"),
    _filed("contact", "contact_post", "联系人职务", "备案表的法定事项"),
    _filed("contact", "leader_name", "主要负责人", "变更、注销时对照"),
    _filed("contact", "leader_phone", "主要负责人电话", "变更、注销时联系"),
    _filed("contact", "roster", "人员名册", "确认成员数；附在备案申请表后"),
    _filed("contact", "before", "变更前内容", "变更备案表的法定事项"),
    _filed("contact", "after", "变更后内容", "变更备案表的法定事项"),
    _filed("contact", "debts_note", "债权债务的清算情况", "注销备案表的法定事项"),
    _filed("contact", "papers_note", "退还原备案表等记录", "注销备案表的法定事项"),
)
"""What else a filing's paper says that may name people."""

PHOTO_YEARS = 2
"""How long the photo of a sign-in sheet is kept: the year's selection, the objections to it and what follows from them are over by then."""
SHEET_FIELDS: tuple[Field, ...] = (
    Field(
        "",
        "photo",
        "签到表照片或扫描件",
        "证明谁什么时候来过；账本里只记它的指纹",
        "《志愿服务记录与证明出具办法（试行）》第六条、第十六条（如实记录、妥善保管）",
        f"随登记交上来之日起 {PHOTO_YEARS} 年；有异议没办完的，留到办完。到期删除照片、销毁密钥，只留指纹",
        "能看这个站点的工作人员，每打开一次都留痕",
    ),
)
"""What a sheet may show of several people at once; it is sealed as a whole (evidence.py)."""

_ALLOWED = {
    "person": frozenset((field.part, field.key) for field in FIELDS if field.part),
    "organisation": frozenset((field.part, field.key) for field in ORGANISATION_FIELDS),
    "leader": frozenset((field.part, field.key) for field in LEADER_FIELDS),
    "filing": frozenset((field.part, field.key) for field in PAPER_FIELDS),
}


def check_fields(subject: str, parts: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse personal data that no row above allows for. Raises InvalidRequest."""
    allowed = _ALLOWED.get(subject.partition("/")[0], frozenset())
    for part, said in parts.items():
        for key, value in said.items():
            if (part, key) not in allowed or not isinstance(value, str):
                raise InvalidRequest(f"不能保存这一项个人信息：{part}.{key}。可以保存的见「登记信息」里的字段表，没有列出的一律不收")
