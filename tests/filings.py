"""A street that files organisations: its people at their desks, a form filled in as it should be, and the steps of its way."""

from stdnum.iso7064.mod_11_2 import calc_check_digit

from ledger.filing import asking, judging, reading
from ledger.people.actors import Actor

STREET, HOME, OTHER, DISTRICT = "340104001000", "340104001001", "340104001002", "340104"
NEXT_STREET, NEXT_HOME = "340104002000", "340104002001"
CLERK, COMMITTEE = Actor("clerk", "recorder", HOME), Actor("committee", "recorder", HOME)
STREET_CLERK = Actor("street-approver", "approver", STREET)
NAME = "明珠社区夕阳红志愿服务队"
LEADER, SECOND = "王桂芳", "欧阳建国"
PHONE, ADDRESS, RESUME = "13624242754", "明珠社区 3 幢 402 室", "1980-2015 某厂工人"


def id_number(born: str, place: int = 1) -> str:
    stem = f"340102{born}{place:02d}2"
    return stem + calc_check_digit(stem)


def form(**said) -> dict[str, str]:
    """A first filing as a clerk fills it in; keys with one underscore for the dot of leaders: leader0_name."""
    content = {
        "name": NAME,
        "legal_form": "association",
        "area": "明珠社区",
        "category": "charity",
        "volunteer": "1",
        "tier": "community",
        "purpose": "关爱老人，守望相助",
        "scope": "陪伴、巡访、义诊",
        "members": "3",
        "charter_on": "2028-02-20",
        "charter_years": "3",
        "premises": ADDRESS,
        "premises_area": "60",
        "contact_name": SECOND,
        "contact_phone": PHONE,
        "roster": "王桂芳\n欧阳建国\n李 明",
        "leader0.name": LEADER,
        "leader0.id_number": id_number("19580312"),
        "leader0.phone": PHONE,
        "leader0.address": ADDRESS,
        "leader0.post": "队长",
        "leader0.resume": RESUME,
        "leader1.name": SECOND,
        "leader1.id_number": id_number("19620105", 3),
        "leader1.post": "副队长",
        "declared_on": "2028-02-25",
        **dict.fromkeys(("declared_capacity", "declared_no-deprivation", "declared_no-blacklist", "declared_true"), "1"),
    }
    return content | {
        key.replace("_", ".", 1) if key.startswith("leader") and key[6].isdigit() else key: value for key, value in said.items()
    }


MEETING = {"reason": "任期届满，成员会议改选", "held_on": "2028-02-24", "voters": "12", "present": "9", "agreed": "7"}
CLOSING = {
    "premises": ADDRESS,
    "leader_name": LEADER,
    "leader_phone": PHONE,
    "debts_note": "没有债权债务",
    "papers_note": "备案表原件三份已退还",
    "declared_true": "1",
    "declared_on": "2028-02-25",
    **MEETING,
    **dict.fromkeys(("settled_debts", "settled_finance", "settled_seals", "settled_papers"), "1"),
}


class Street:
    """A world's street and what is done at its desks."""

    def __init__(self, world):
        self.world = world
        world.station(DISTRICT, "蜀山区", level="district")
        world.station(STREET, "解放街道社会服务中心", level="centre", parent=DISTRICT)
        world.station(HOME, "明珠社区居委会", parent=STREET)
        world.station(OTHER, "前锋社区社会服务站", parent=STREET)
        world.station(NEXT_STREET, "柳长街道", level="centre", parent=DISTRICT)
        world.station(NEXT_HOME, "香兰社区", parent=NEXT_STREET)

    def ask(self, content=None, *, kind="file", station=HOME, actor=CLERK, **options) -> str:
        said = form() if content is None else content
        return self.world.write(lambda tx: asking.ask(tx, kind, station, said, **options)[0], actor)

    def judge(self, filing, step, outcome="agreed", reason="", *, actor=None, ledger=None):
        by = actor or (COMMITTEE if step == "community" else STREET_CLERK)
        return (ledger or self.world.ledger).write(lambda tx: judging.judge(tx, filing, step, outcome, reason), by)

    def agree(self, filing):
        self.judge(filing, "community")
        return self.judge(filing, "street")

    def file(self, content=None, **options) -> str:
        """The whole way; returns the organisation's id."""
        filing = self.ask(content, **options)
        self.agree(filing)
        return self.application(filing).organisation

    def application(self, filing):
        with self.world.read() as tx:
            return reading.get_row(tx, filing)

    def opened(self, filing):
        with self.world.read() as tx:
            return reading.open_application(tx, reading.get_row(tx, filing))

    def unit(self, organisation):
        [row] = [one for one in self.listing() if one.row.id == organisation]
        return row

    def listing(self, wanted="", actor=STREET_CLERK):
        with self.world.read() as tx:
            return reading.listing(tx, actor, wanted)

    def current(self, organisation) -> dict[str, str]:
        with self.world.read() as tx:
            return reading.content_of(tx, self.unit(organisation).row)
