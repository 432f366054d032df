"""Three organisations of the demonstration district on their way to be filed: one with a number, one before the street, one before the community."""

from datetime import date, timedelta
from functools import partial

from stdnum.iso7064.mod_11_2 import calc_check_digit

from ledger.filing import asking, judging
from ledger.people.actors import Actor
from ledger.store import Ledger

_STREET, _PLACE = "340104001000", "三里庵街道"
_APPLICATIONS = (
    ("340104001001", "梅山路社区晨光助老服务队", "王桂芳", "李建国", "agreed"),
    ("340104001004", "竹荫里社区四点半课堂服务队", "陈淑珍", "周文远", "heard"),
    ("340104001005", "杏林社区义诊服务队", "孙玉兰", "赵志强", "asked"),
)


def hand_in(ledger: Ledger, today: date) -> None:
    """Hand the applications in, and give the opinions that they have had so far."""
    approver = Actor("jiedao", "approver", _STREET)
    for place, (station, name, leader, second, state) in enumerate(_APPLICATIONS, 1):
        clerk, committee = Actor("zhan", "recorder", station), Actor("shequ", "recorder", station)
        content = _form(name, leader, second, place, today)
        filing, _ = ledger.write(partial(asking.ask, form="file", station=station, content=content), clerk)
        if state in ("heard", "agreed"):
            ledger.write(partial(judging.judge, filing=filing, step="community", outcome="agreed"), committee)
        if state == "agreed":
            ledger.write(partial(judging.judge, filing=filing, step="street", outcome="agreed"), approver)


def _form(name: str, leader: str, second: str, place: int, today: date) -> dict[str, str]:
    area = name.split("社区", maxsplit=1)[0] + "社区"
    return {
        "name": name,
        "legal_form": "association",
        "area": area,
        "category": "charity",
        "volunteer": "1",
        "tier": "community",
        "purpose": "关爱老人和孩子，守望相助",
        "scope": "探访、陪伴、课业辅导、义诊",
        "members": "5",
        "charter_on": (today - timedelta(days=20)).isoformat(),
        "charter_years": "3",
        "premises": f"{area}党群服务中心二楼",
        "premises_area": "60",
        "contact_name": second,
        "contact_phone": f"1380551000{place}",
        "roster": f"{leader}\n{second}\n吴晓燕\n郑秀英\n马志明",
        "leader0.name": leader,
        "leader0.id_number": _id_number("19580312", place),
        "leader0.phone": f"1390551000{place}",
        "leader0.address": f"{_PLACE}{area}{place} 幢 402 室",
        "leader0.post": "队长",
        "leader0.resume": "1980-2015 某厂工人；2016 年起在社区做志愿者",
        "leader1.name": second,
        "leader1.id_number": _id_number("19620105", place),
        "leader1.post": "副队长",
        "declared_on": (today - timedelta(days=3)).isoformat(),
        **dict.fromkeys(("declared_capacity", "declared_no-deprivation", "declared_no-blacklist", "declared_true"), "1"),
    }


def _id_number(born: str, place: int) -> str:
    stem = f"340104{born}9{place:02d}"
    return stem + calc_check_digit(stem)
