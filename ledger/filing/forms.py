"""
The three forms (备案申请、变更备案、注销备案) as they are filled in, and how each field is checked.

What is filled in is one flat mapping of texts, the same that a draft keeps and a page shows; of leaders the keys are `leader0.name`, `leader1.name` and so
on, the first being the main one (主要负责人). `read` turns it into what an entry says in public and what is sealed. Complaints name the field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ledger import categories, codes
from ledger.errors import InvalidRequest
from ledger.ids import parse_number
from ledger.kinds import Body
from ledger.kinds.filing import DECLARED, LEADERS_MAX, LEGAL_FORMS, REASON_MAX, SETTLED, TIERS, WORDS_MAX
from ledger.people import identity
from ledger.people.ages import age
from ledger.people.fields import LEADER_FIELDS, PAPER_FIELDS
from ledger.record.saying import choice, past_day, words

Content = Mapping[str, str]

ADULT_AGE = 18
"""Full capacity for civil acts (民法典 articles 17, 18)."""
ROSTER_MIN = 3
PERSON = {one.key: one.label for one in LEADER_FIELDS}
PAPER = {one.key: one.label for one in PAPER_FIELDS}
_PART = {one.key: one.part for one in LEADER_FIELDS}
_MAIN = ("name", "id_number", "phone", "address", "post", "resume")
_OTHERS = ("name", "id_number", "post")
_LENGTHS = {"resume": 1000, "address": 200, "name": 40}
PUBLIC = {
    "name": "组织名称",
    "legal_form": "组织类别",
    "area": "活动地域",
    "category": "业务类别",
    "volunteer": "志愿服务组织",
    "tier": "管理层级",
    "purpose": "宗旨",
    "scope": "业务范围",
    "members": "会员数",
    "staff": "工作人员数",
    "charter_on": "章程通过日期",
    "charter_years": "每届任期（年）",
    "premises_area": "活动场所面积（平方米）",
    "premises_public": "公开活动场所地址",
}
LABELS = PUBLIC | PAPER
_CONTACTS = ("premises", "contact_name", "contact_phone", "contact_post", "roster")
PAPER_OF = {
    **dict.fromkeys(("file", "refile", "change"), _CONTACTS),
    "cancel": ("premises", "leader_name", "leader_phone", "debts_note", "papers_note"),
}
"""What of the paper beside the leaders each form has."""
VOTES = {"voters": "应到会人数", "present": "到会人数", "agreed": "同意人数"}


@dataclass(frozen=True)
class Leader:
    """A leader as sealed: identity and contact."""

    identity: dict[str, str]
    contact: dict[str, str]


@dataclass(frozen=True)
class Read:
    """A form read: what is said in public, what is sealed of each leader, and of the rest of the paper."""

    public: Body
    leaders: list[Leader] = field(default_factory=list)
    paper: dict[str, str] = field(default_factory=dict)


def read(form: str, content: Content, today: date) -> Read:
    """Check a form (a code of FORMS) but for its name, which `naming.check` judges. Raises InvalidRequest naming the field."""
    if form == "cancel":
        return Read(_closing(content, today), [], _paper(content, ("premises",), PAPER_OF[form]))
    leaders = _leaders(content, today)
    public = _profile(content, today)
    public |= _declared(content, tuple(DECLARED), today)
    paper = _paper(content, ("premises", "contact_name", "contact_phone"), PAPER_OF[form])
    people, volunteers = roster(content.get("roster", ""))
    if form == "change" and not paper.get("roster"):
        return Read(public | _reasons(content, today), leaders, paper)
    if len(people) + len(volunteers) < ROSTER_MIN:
        raise InvalidRequest(f"请附人员名册，至少 {ROSTER_MIN} 人：每行一个人的姓名，是注册志愿者的写志愿者编号")
    stated = public["members"] if public["legal_form"] == "association" else public["staff"]
    if len(people) + len(volunteers) != stated:
        raise InvalidRequest(f"名册上有 {len(people) + len(volunteers)} 人，表上写的是 {stated} 人，请核对")
    public["roster"] = {"people": len(people) + len(volunteers), "volunteers": len(volunteers)}
    return Read(public | (_reasons(content, today) if form == "change" else {}), leaders, paper)


def roster(said: str) -> tuple[list[str], list[str]]:
    """Read a roster: a line a person; names, and volunteer numbers in their one spelling. Raises InvalidRequest for one that is there twice."""
    people: list[str] = []
    volunteers: list[str] = []
    for place, line in enumerate(said.splitlines(), 1):
        plain = identity.normalise_name(line)
        if not plain:
            continue
        if plain.isascii():
            number = parse_number(plain)
            if number in volunteers:
                raise InvalidRequest(f"名册第 {place} 行的志愿者编号出现了两次，请只留一行")
            volunteers.append(number)
        elif len(plain) > _LENGTHS["name"] or any(letter.isdigit() for letter in plain):
            raise InvalidRequest(f"名册第 {place} 行不像一个人的姓名：每行只写姓名或志愿者编号，不写电话和证件号")
        else:
            people.append(plain)
    return people, volunteers


def _leaders(content: Content, today: date) -> list[Leader]:
    found: list[Leader] = []
    numbers: set[str] = set()
    for place in range(LEADERS_MAX):
        said = {key: " ".join(content.get(f"leader{place}.{key}", "").split()) for key in PERSON}
        if not any(said.values()):
            if place == 0:
                raise InvalidRequest("请填写主要负责人的姓名、身份证号等")
            continue
        who = "主要负责人" if place == 0 else f"第 {place + 1} 位负责人"
        _check_person(said, who, _MAIN if place == 0 else _OTHERS, today)
        if said["id_number"] in numbers:
            raise InvalidRequest(f"{who}的身份证号和前面一位负责人的相同，请核对")
        numbers.add(said["id_number"])
        parts: dict[str, dict[str, str]] = {"identity": {}, "contact": {}}
        for key, value in said.items():
            if value:
                parts[_PART[key]][key] = value
        found.append(Leader(**parts))
    return found


def _check_person(said: dict[str, str], who: str, required: tuple[str, ...], today: date) -> None:
    """Bring a leader's numbers to their one spelling, in place. Raises InvalidRequest for one who may not lead."""
    for key, value in said.items():
        if key in required and not value:
            raise InvalidRequest(f"请填写{who}的「{PERSON[key]}」")
        if len(value) > _LENGTHS.get(key, 100) or not value.isprintable():
            raise InvalidRequest(f"{who}的「{PERSON[key]}」太长，请在 {_LENGTHS.get(key, 100)} 个字以内")
    said["name"] = identity.normalise_name(said["name"])
    try:
        said["id_number"] = identity.check_id_number(said["id_number"], today=today)
        if said["phone"]:
            said["phone"] = identity.normalise_phone(said["phone"])
    except InvalidRequest as fault:
        raise InvalidRequest(f"{who}：{fault}") from None
    if age(said["id_number"], today) < ADULT_AGE:
        raise InvalidRequest(f"{who}未满 {ADULT_AGE} 周岁，不具有完全民事行为能力，不能担任负责人。请另推一位")
    said["sex"] = "男" if int(said["id_number"][16]) % 2 else "女"


def _profile(content: Content, today: date) -> Body:
    legal_form = choice(content.get("legal_form", ""), "组织类别", LEGAL_FORMS)
    scheme = content.get("scheme") or codes.CATEGORY_SCHEME
    if scheme not in categories.SCHEMES:
        raise InvalidRequest("没有这套类别，请重新选择")
    charter_on = past_day(_day(content, "charter_on", "章程通过日期"), "章程通过日期", today)
    return {
        "legal_form": legal_form,
        "area": words(content.get("area", ""), "活动地域", 100, 2),
        "scheme": scheme,
        "category": choice(content.get("category", ""), "业务类别", categories.SCHEMES[scheme].kinds),
        "volunteer_organisation": content.get("volunteer") == "1",
        "tier": choice(content.get("tier", ""), "管理层级", TIERS),
        "purpose": words(content.get("purpose", ""), "宗旨", WORDS_MAX, 4),
        "scope": words(content.get("scope", ""), "业务范围", WORDS_MAX, 2),
        "members": _count(content, "members", required=legal_form == "association"),
        "staff": _count(content, "staff", required=legal_form == "service-unit"),
        "premises_area": _count(content, "premises_area", required=False),
        "premises_public": content.get("premises_public") == "1",
        "charter": {"adopted_on": charter_on, "term_years": _count(content, "charter_years", required=True, most=10)},
    }


def _closing(content: Content, today: date) -> Body:
    settled = [key for key in SETTLED if content.get("settled_" + key) == "1"]
    if missing := [words for key, words in SETTLED.items() if key not in settled]:
        raise InvalidRequest(f"注销以前要先办完这几件，办完请打勾：{'；'.join(missing)}")
    for key in ("debts_note", "papers_note"):
        if len(content.get(key, "").strip()) < 2:
            raise InvalidRequest(f"请写明「{PAPER[key]}」")
    return {"settled": settled, **_declared(content, ("true",), today), **_reasons(content, today)}


def _reasons(content: Content, today: date) -> Body:
    """Read why, and how the members decided it: two thirds of them there, more than half of those for it."""
    reason = words(content.get("reason", ""), "申请理由", REASON_MAX, 4)
    held_on = past_day(_day(content, "held_on", "会议日期"), "会议日期", today)
    counts = {key: _count(content, key, required=True, label=label) for key, label in VOTES.items()}
    members, present, agreed = (counts[key] for key in VOTES)
    needed = -(-members * 2 // 3)
    if present > members or agreed > present:
        raise InvalidRequest("到会人数不能多于应到人数，同意的不能多于到会的，请核对")
    if present < needed:
        raise InvalidRequest(f"到会 {present} 人，不足应到 {members} 人的三分之二（至少 {needed} 人），会议不能作决定。请重新开会")
    if agreed * 2 <= present:
        raise InvalidRequest(f"同意 {agreed} 人，没有超过到会 {present} 人的半数（至少 {present // 2 + 1} 人），没有通过")
    return {"reason": reason, "procedure": {"held_on": held_on, "members": members, "present": present, "agreed": agreed}}


def _declared(content: Content, wanted: tuple[str, ...], today: date) -> Body:
    declared = [key for key in wanted if content.get("declared_" + key) == "1"]
    if missing := [DECLARED[key] for key in wanted if key not in declared]:
        raise InvalidRequest(f"主要负责人要逐条声明并在纸上签名，还差：{'；'.join(missing)}")
    return {"declared": declared, "declared_on": past_day(_day(content, "declared_on", "负责人签名日期"), "负责人签名日期", today)}


def _paper(content: Content, required: tuple[str, ...], keys: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in keys:
        said = content.get(key, "")
        plain = "\n".join(filter(None, (" ".join(line.split()) for line in said.splitlines())))
        if key in required and len(plain) < 2:
            raise InvalidRequest(f"请填写「{PAPER[key]}」")
        if len(plain) > (20_000 if key == "roster" else 1_000):
            raise InvalidRequest(f"「{PAPER[key]}」太长，请写短一些")
        if plain:
            found[key] = identity.normalise_phone(plain) if key in ("contact_phone", "leader_phone") else plain
    return found


def _count(content: Content, key: str, *, required: bool, most: int = 100_000, label: str = "") -> int:
    said, name = content.get(key, "").strip(), label or PUBLIC.get(key, key)
    if not said and not required:
        return 0
    if not said.isascii() or not said.isdecimal() or not (1 if required else 0) <= int(said[:9]) <= most:
        raise InvalidRequest(f"「{name}」请填{'1 到' if required else '0 到'} {most} 之间的整数")
    return int(said)


def _day(content: Content, key: str, label: str) -> date:
    said = content.get(key, "").strip()
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise InvalidRequest(f"请填写「{label}」，例如 2026-03-05") from None
