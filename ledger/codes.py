"""
Code tables: the words that policy uses, each with the one code that entries hold and the names under which it is met.

Series: the «邻里守望» and other series of the plans for community social organisations (2021-2023); 共创平安 is another name of 平安建设.
Beneficiary groups are the union of the groups those plans name; beneficiaries are only ever counted, never named. Codes are part of the entry
format: they are never renamed, only added to.
"""

from collections.abc import Iterable, Mapping

SERIES = {
    "neighbour-care": "邻里守望",
    "co-governance": "共建共治共享",
    "safe-community": "平安建设",
    "culture": "文化铸魂",
    "rural-revival": "助力乡村振兴",
    "three-workers": "三工组团服务",
    "other": "其他",
}
SERIES_ALIASES = {
    "共创平安": "safe-community",
    "社区邻里守望": "neighbour-care",
    "有事好商量": "co-governance",
    "社区协商": "co-governance",
    "乡村振兴": "rural-revival",
}
BENEFICIARIES = {
    "low-income": "低保对象",
    "extreme-poverty": "特困人员",
    "empty-nest": "空巢老人",
    "rural-left-behind": "农村留守人员",
    "children-in-need": "困境儿童",
    "disabled": "残疾人",
    "migrant-families": "进城务工人员及随迁子女",
    "relapse-into-poverty": "返贫致贫人口",
    "social-assistance": "社会救助对象",
    "unemployed": "失业人员",
    "migrant-workers": "农民工",
    "women": "妇女",
    "children": "儿童",
    "elderly": "老年人",
    "children-of-prisoners": "服刑人员未成年子女",
    "hardship-families": "困难家庭",
    "mental-disorder": "严重精神障碍患者",
    "youth-at-risk": "有不良行为青少年",
    "community-corrections": "社区矫正人员",
    "released-prisoners": "刑满释放人员",
    "community-rehabilitation": "社区戒毒人员",
    "cult-affected": "涉邪教类人员",
    "floating-population": "流动人口",
    "residents": "社区居民",
}
BENEFICIARY_ALIASES = {
    "重度残疾人": "disabled",
    "建档立卡贫困人口": "relapse-into-poverty",
    "三留守人员": "rural-left-behind",
    "留守儿童": "rural-left-behind",
    "留守老人": "rural-left-behind",
    "留守妇女": "rural-left-behind",
    "社区服刑人员": "community-corrections",
    "孤寡老人": "empty-nest",
    "独居老人": "empty-nest",
    "老人": "elderly",
    "居民": "residents",
}
SERVICES = {
    "companionship": "亲情陪伴",
    "daily-care": "生活照料",
    "counselling": "心理疏导",
    "legal-aid": "法律援助",
    "inclusion": "社会融入",
    "pairing": "结对帮扶",
    "deliberation": "议事协商",
    "mediation": "纠纷调解",
    "patrol": "治安巡逻",
    "environment": "环境整治",
    "waste-sorting": "垃圾分类",
    "epidemic-control": "疫情防控",
    "emergency-rescue": "应急救援",
    "employment": "就业帮扶",
    "culture": "文体活动",
    "popular-science": "科普宣传",
    "policy": "政策宣传",
    "home-repair": "家政维修",
    "medical": "义诊助医",
    "education": "助学辅导",
}
SERVICE_ALIASES = {
    "调解": "mediation",
    "矛盾化解": "mediation",
    "巡逻": "patrol",
    "综合包户": "pairing",
    "陪伴": "companionship",
}
CATEGORY_SCHEME = "four-kinds-2022"
CATEGORIES = {
    "charity": "公益慈善",
    "daily-life": "生活服务",
    "community-affairs": "社区事务",
    "culture-sports": "文体活动",
}
LEVELS = {"province": "省", "city": "市", "district": "区", "centre": "中心", "station": "站"}
LEVEL_ALIASES = {
    "省级": "province",
    "自治区": "province",
    "直辖市": "province",
    "市级": "city",
    "地级市": "city",
    "区级": "district",
    "县": "district",
    "区县": "district",
    "街道": "centre",
    "镇": "centre",
    "街镇": "centre",
    "社区": "station",
    "服务站": "station",
    "服务中心": "centre",
}
AREA_TYPES = {"urban": "城市", "rural": "农村"}
AREA_ALIASES = {"城镇": "urban", "城": "urban", "农": "rural", "乡村": "rural", "乡": "rural"}
GRADES = {"A": "双向签到", "B": "签到表留存", "C": "事后补录", "D": "自报或旧平台转入"}
MAJOR = {"festival": "节庆活动", "performance": "文化演出", "competition": "体育竞赛", "gathering": "人员集会"}
"""Kinds of activity that a station reports beforehand (重大活动报告制度)."""
EXCLUDED = {
    "own-job": "在工作时间做本职工作（如社区工作者上班时服务本社区）",
    "paid": "领取报酬，或补贴明显高于交通、误餐等实际支出",
    "no-benefit": "公益性不明确（如团队旅游时顺手捡垃圾）",
    "own-interest": "为参加者自己的利益（如业主委员会选举、同学互助学习）",
    "practice": "一般实习、调研、会议、观影、参观、听讲座",
    "internal": "内部管理（团队建设、整理档案、值班、排练、聚餐）",
    "required": "按规定必须完成的学业或义务，或被指派、摊派的",
    "commerce-religion": "经营活动、宗教活动或其宣传",
}
"""What is not voluntary service and must not be recorded (民政部令第67号 article 19, as platforms spell it out)."""
EXCLUSION_LISTS = ("mca67-19/1",)
"""The lists by which activities were declared to be none of these, oldest first: the last is EXCLUDED as it stands."""


def code_of(name: str, table: Mapping[str, str], aliases: Mapping[str, str] | None = None) -> str | None:
    """Find the code for a Chinese name, an alias, a name with 类 appended, or the code itself; None when the table has no such word."""
    for candidate in (name, name.removesuffix("类"), name.removesuffix("系列")):
        if aliases and candidate in aliases:
            return aliases[candidate]
        for code, word in table.items():
            if candidate in (word, code):
                return code
    return None


def codes_of(names: Iterable[str], table: Mapping[str, str], aliases: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Split names into known codes (each once, in order) and words that the table does not have."""
    known: list[str] = []
    unknown: list[str] = []
    for name in names:
        code = code_of(name, table, aliases)
        if code is None:
            unknown.append(name)
        elif code not in known:
            known.append(code)
    return known, unknown
