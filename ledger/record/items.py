"""
What conduct is recorded by: a code and a name for each item, good and bad.

They are kinds of act by somebody who serves. None says that somebody does not serve, or serves little: that is nobody's fault.
"""

GOOD = {
    "rescue": "见义勇为、抢险救灾",
    "emergency-duty": "应急响应，随叫随到",
    "long-term": "长期坚持同一项服务",
    "commended-service": "服务对象书面致谢，经核实",
    "referral": "介绍新志愿者",
    "full-time-year": "专职志愿服务满一年",
    "integrity-agreement": "签订诚信协议",
    "good-other": "其他守信行为",
}
BAD = {
    "false-hours": "虚报时长、冒名签到",
    "traded-hours": "买卖时长",
    "forged-paper": "伪造、涂改记录或证明",
    "asked-pay": "向服务对象索取报酬",
    "disclosed-privacy": "泄露服务对象隐私",
    "insulted": "侮辱、歧视服务对象",
    "damaged": "故意损坏财物",
    "slandered": "造谣、诽谤",
    "no-show": "报名并确认后无故不到，误了服务",
    "malicious-no-show": "恶意失约：冒名、占名额后故意不到",
    "refusing": "接受任务后拒不服从安排，误了服务",
    "complaint": "被投诉，经查属实",
    "serious": "依法认定的严重失信",
    "bad-other": "其他有法律依据的失信行为",
}
ITEMS = {"good": GOOD, "bad": BAD}


def name_of(item: str) -> str:
    """Give an item's name; the code itself of one that is not in the tables any more."""
    return GOOD.get(item) or BAD.get(item) or item
