"""How numbers, days and states are written for people: hours as 小时+分, days as 年月日, a rate with its two decimals; never a float."""

from datetime import date, datetime

from flask import Flask

from ledger import shares
from ledger.codes import AREA_TYPES, GRADES, LEVELS, SERIES
from ledger.entries import SHANGHAI
from ledger.ids import spaced, spaced_code
from ledger.kinds.credit import QUALITIES, SENSES
from ledger.people.actors import ROLES
from ledger.service.drafts import duration

STATUS = {
    "counted": "已生效",
    "publicity": "公示中",
    "waiting": "待审核",
    "contested": "有异议",
    "voided": "已作废",
    "frozen": "已冻结",
}
KINDS = {
    "hours": "签到表（服务时长）",
    "volunteers": "志愿者名册",
    "organisations": "组织台账",
    "stations": "站点表",
    "units": "国家区划代码表",
}
KIND_NAMES = {
    "volunteer.registered": "登记为志愿者",
    "volunteer.confirmed": "本人确认登记",
    "volunteer.changed": "更正登记信息",
    "volunteer.moved": "换了所属站点",
    "volunteer.withdrawn": "退出",
    "volunteer.disowning_decided": "对「不是我登记的」的处理",
    "volunteer.merged": "合并重复登记",
    "volunteer.backbone_designated": "列为骨干",
    "volunteer.erased": "资料已注销",
    "records.handed_over": "报送国家系统",
    "volunteer.restricted": "资料已封存",
    "service.recorded": "登记服务时长",
    "service.approved": "审核通过",
    "service.corrected": "更正服务时长",
    "service.voided": "作废服务记录",
    "service.contested": "本人提出异议",
    "service.objection_decided": "异议的结果",
    "service.omission_claimed": "说有一次服务没记上",
    "service.omission_decided": "没记上的那次，查的结果",
    "batch.voided": "整批作废服务记录",
    "account.opened": "开通登录账号",
    "identity.linked": "绑定统一身份",
    "identity.unlinked": "解除统一身份的绑定",
    "certificate.issued": "开具证明",
    "certificate.revoked": "撤销证明",
    "training.recorded": "登记培训",
    "training.voided": "作废培训记录",
    "evaluation.recorded": "登记评价",
    "evaluation.voided": "作废评价",
    "award.granted": "登记表彰奖励",
    "award.withdrawn": "撤销表彰奖励",
    "conduct.recorded": "记守信或失信",
    "conduct.lifted": "撤下守信失信记录",
    "points.spent": "用积分",
    "selection.doubt_decided": "评选时核查了一条记录",
    "selection.contested": "对评选名单提出异议",
    "selection.objection_decided": "评选名单异议的结果",
    "organisation.filed": "备案",
    "organisation.registered": "依法登记",
    "organisation.filing_asked": "申请备案、变更或注销",
    "organisation.filing_judged": "对申请的意见",
    "organisation.changed": "变更备案",
    "organisation.cancelled": "注销备案",
    "organisation.filing_erased": "销毁备案里的个人资料",
}
"""What an entry that concerns somebody is called on a page for them."""
ACCOUNT_CHANGES = {
    "granted": "得到角色",
    "ended": "取消角色",
    "code_issued": "发了新的一次性登录码",
    "disabled": "停用账号",
    "enabled": "重新启用账号",
    "sessions_ended": "结束各处登录",
    "second_factor_reset": "重置两步验证",
    "second_factor_on": "开启两步验证",
    "second_factor_off": "关闭两步验证",
    "identity_linked": "绑定统一身份",
    "identity_unlinked": "解除统一身份的绑定",
    "opened": "新建账号",
    "vouched": "另一位管理员当面核实，是本人在用",
}
"""What happens to an account."""


def long_day(text: str) -> str:
    """Write a day: 2026年3月5日."""
    day = date.fromisoformat(text[:10])
    return f"{day.year}年{day.month}月{day.day}日"


def moment(text: str) -> str:
    """Write an instant in China time: 2026年3月5日 09:12."""
    when = datetime.fromisoformat(text).astimezone(SHANGHAI)
    return f"{when.year}年{when.month}月{when.day}日 {when:%H:%M}"


def moment_first(text: str) -> str:
    """Write a remark that begins with an instant, with the instant as people write it."""
    instant, _, rest = text.partition(" ")
    return f"{moment(instant)} {rest}"


def hours(start: str, end: str) -> str:
    """Write when a service began and ended: 09:00–11:30, with 次日 over midnight."""
    return f"{start[11:16]}–{'次日 ' if end[:10] > start[:10] else ''}{end[11:16]}"


def percent(found: int | None) -> str:
    """Write hundredths of a percent: 11.16%, and 30% for a whole number; — where there are none."""
    return "—" if found is None else shares.percent(found)


def share(numerator: int, denominator: int) -> str:
    """Write a part of a whole: 12.5%; — where there is no whole."""
    return percent(shares.hundredths(numerator, denominator))


def grouped(number: int) -> str:
    """Write a whole number in groups of three: 41,390."""
    return f"{number:,}"


def init_app(app: Flask) -> None:
    """Give the templates these words."""
    filters = (duration, long_day, moment, moment_first, percent, share, grouped, spaced, spaced_code)
    app.jinja_env.filters.update({function.__name__: function for function in filters})
    app.jinja_env.globals.update(
        hours=hours,
        STATUS=STATUS,
        KINDS=KINDS,
        ROLES=ROLES,
        GRADES=GRADES,
        SERIES=SERIES,
        LEVELS=LEVELS,
        AREA_TYPES=AREA_TYPES,
        QUALITIES=QUALITIES,
        SENSES=SENSES,
    )
