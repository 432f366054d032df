"""What requests and answers about running selections hold (marshmallow)."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields

from api.v1.fields import Choice, Code, Day, Field, Schema, Several, Text, Whole, number, station
from api.v1.lists import LIMIT, LIMIT_MAX
from api.v1.selections import RULES, Candidate
from ledger.errors import InvalidRequest
from ledger.kinds import checks
from ledger.kinds.checks import INTEGER_MAX
from ledger.kinds.selections import CHANGES_MAX, DOUBTS, FINDINGS, GROUNDS, REASON_MAX, ROWS_MAX, SUBJECTS
from ledger.selections.checking import LIGHTS
from ledger.selections.drafts import FIRST_YEAR
from ledger.selections.objecting import EFFECTS, WORDS_MAX
from ledger.selections.rules import canonical, read_said

_RECORDS = "账本中第几条服务记录"


def _words(table: Mapping[str, str]) -> str:
    return "，".join(f"{code} {name}" for code, name in table.items())


class RuleFile(Field):
    """The rules of a selection; loads as the bytes that are saved."""

    def __init__(self) -> None:
        super().__init__()
        self.metadata = dict(RULES)

    def read(self, value: Any) -> bytes:
        """Accept rules that can be read."""
        if type(value) is not dict:
            raise ma.ValidationError("应是一个 JSON 对象")
        try:
            read_said(value)
        except InvalidRequest as refusal:
            raise ma.ValidationError(str(refusal)) from None
        return canonical(value)


class Version(Schema):
    """Rules, as the next version of a draft."""

    year = Whole(FIRST_YEAR, 2200, description="年度", example=2025)
    rules = RuleFile()
    random_source = Text(200, required=False, description="公开随机数用哪一个；并列规则用到 random 时要写，冻结以后不能换")


class Draft(Version):
    """Rules of a new selection."""

    station = station(description="哪个单位评")
    replaces = number("评选", required=False, description="代替哪一轮")


class CheckQuery(Schema):
    """What a pre-check may be asked."""

    limit = Whole(1, LIMIT_MAX, spelt=True, required=False, description="最多几个人", default=LIMIT)
    light = Choice(LIGHTS, required=False, description=f"只要哪一盏灯：{_words(LIGHTS)}")


class Finding(Schema):
    """What should become of a doubtful record, and why."""

    finding = Choice(DOUBTS, description=_words(DOUBTS))
    reason = Text(REASON_MAX, description="怎么查的、为什么，至少 4 个字", example="对照签到表查过")


class Drawn(Schema):
    """A public random value."""

    value = Text(200, description="照公布的原样", example="03 08 16 22 27 31 + 09")
    drawn_on = Day(description="哪一天公布的：冻结以后、今天以前")


class Contested(Schema):
    """An objection taken down at the desk."""

    ground = Choice(GROUNDS, description=f"哪里不对：{_words(GROUNDS)}")
    words = Text(WORDS_MAX, required=False, description="是什么情况；封存，只有办的人看得到")
    row = Whole(1, ROWS_MAX, required=False, description="对公示名单的第几行")


class ObjectionDecision(Schema):
    """What came out of an objection, why, and what it changes."""

    finding = Choice(FINDINGS, description=_words(FINDINGS))
    reason = Text(REASON_MAX, description="怎么查的、为什么，至少 4 个字", example="那天确实不在，签到表上没有")
    drop = Several(Whole(0, INTEGER_MAX), CHANGES_MAX, required=False, description=f"{EFFECTS['drop']}：{_RECORDS}")
    keep = Several(Whole(0, INTEGER_MAX), CHANGES_MAX, required=False, description=f"{EFFECTS['keep']}：{_RECORDS}")
    admit = Several(Whole(0, INTEGER_MAX), CHANGES_MAX, required=False, description=f"{EFFECTS['admit']}：{_RECORDS}")
    bar = Several(number("志愿者或组织"), CHANGES_MAX, required=False, description=f"{EFFECTS['bar']}：编号")
    unbar = Several(number("志愿者或组织"), CHANGES_MAX, required=False, description=f"{EFFECTS['unbar']}：编号")


def _digest(what: str, **said: Any) -> Code:
    """Make a field for a SHA-256 in base64."""
    return Code(checks.digest, f"应是{what}的 SHA-256，32 字节的 base64", pattern="^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$", **said)


class Signature(Schema):
    """A signature on the final list."""

    list = _digest("名单", required=False, description="看到的是哪一份名单（ranking 的 list）；名单已经变了的，答 409，不签")
    board_minutes = _digest("会议纪要", required=False, description="会议纪要的 SHA-256，base64")


class Listed(ma.Schema):
    """A selection among others."""

    id = fields.String(required=True, metadata={"description": "评选编号"})
    name = fields.String(required=True)
    station = fields.String(required=True, metadata={"description": "哪个单位评"})
    year = fields.Integer(required=True)
    subject = fields.String(required=True, metadata={"description": _words(SUBJECTS), "enum": list(SUBJECTS)})
    stage = fields.String(required=True, metadata={"description": "办到哪里了"})
    opened = fields.Boolean(required=True, metadata={"description": "true：已冻结"})


class Drafted(ma.Schema):
    """Rules that were saved."""

    id = fields.String(required=True, metadata={"description": "评选编号"})


class Selection(ma.Schema):
    """A selection: its rules, and what was fixed of it so far."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    station = fields.String(required=True)
    year = fields.Integer(required=True)
    subject = fields.String(required=True, metadata={"enum": list(SUBJECTS)})
    stage = fields.String(required=True, metadata={"description": "办到哪里了"})
    rules = fields.Dict(required=True, metadata={"description": "规则，和规则文件一样"})
    version = fields.Integer(metadata={"description": "规则的第几版"})
    random_source = fields.String(metadata={"description": "公开随机数用哪一个"})
    replaces = fields.String(metadata={"description": "代替了哪一轮"})
    replaced_by = fields.String(metadata={"description": "被哪一轮代替"})
    index = fields.Integer(metadata={"description": "冻结是账本中第几条；没有就是还没冻结，下面各项也没有"})
    rules_sha256 = fields.String(metadata={"description": "规则的 SHA-256"})
    period_from = fields.String(metadata={"description": "统计期间", "format": "date"})
    period_to = fields.String(metadata={"format": "date"})
    tree_size = fields.Integer(metadata={"description": "冻结时账本的条数"})
    root = fields.String(metadata={"description": "冻结时的树根，base64"})
    counted_on = fields.String(metadata={"description": "冻结的日子", "format": "date"})
    doubts_waiting = fields.Integer(metadata={"description": "几条疑点等第二个人"})
    drawn_value = fields.String(metadata={"description": "公开随机数"})
    drawn_on = fields.String(metadata={"format": "date"})
    published_from = fields.String(metadata={"description": "公示期", "format": "date"})
    published_until = fields.String(metadata={"format": "date"})
    list = fields.String(metadata={"description": "账本里名单的摘要：公示的，定稿以后是定稿的"})
    objections_waiting = fields.Integer(metadata={"description": "几条异议没有结果"})
    chosen = fields.Integer(metadata={"description": "定稿的名单上有几个"})
    sealed_at = fields.String(metadata={"description": "定稿的时间", "format": "date-time"})


class Entered(ma.Schema):
    """The entry that says so."""

    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})
    short_hash = fields.String(required=True)


class Service(ma.Schema):
    """Which record it is about."""

    service = fields.Integer(required=True, metadata={"description": _RECORDS})


class Checked(ma.Schema):
    """Somebody and their light."""

    subject = fields.String(required=True, metadata={"description": "志愿者或组织编号"})
    name = fields.String(required=True, metadata={"description": "打码的姓名，或组织名称"})
    station = fields.String(required=True)
    minutes = fields.Integer(required=True)
    services = fields.Integer(required=True)
    light = fields.String(required=True, metadata={"description": _words(LIGHTS), "enum": list(LIGHTS)})
    reason = fields.String(required=True, metadata={"description": "差什么，或为什么不能参评"})


class Checks(ma.Schema):
    """A pre-check."""

    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": "各灯的人数"})
    items = fields.List(fields.Nested(Checked), required=True)


class DoubtFound(ma.Schema):
    """What is proposed, or was decided."""

    finding = fields.String(required=True, metadata={"description": _words(DOUBTS), "enum": list(DOUBTS)})
    reason = fields.String(required=True)
    own = fields.Boolean(metadata={"description": "true：是这个账号提出的，要由别人确认"})
    index = fields.Integer(metadata={"description": "决定是账本中第几条"})


class DoubtShown(ma.Schema):
    """A doubtful record."""

    service = fields.Integer(required=True, metadata={"description": _RECORDS})
    subject = fields.String(required=True, metadata={"description": "算在哪个志愿者或组织名下"})
    name = fields.String(required=True, metadata={"description": "打码的姓名，或组织名称"})
    rank = fields.Integer(required=True, metadata={"description": "现在的名次，候补为 0"})
    activity = fields.String(required=True)
    served_on = fields.String(required=True, metadata={"format": "date"})
    start = fields.String(required=True)
    end = fields.String(required=True)
    minutes = fields.Integer(required=True)
    grade = fields.String(required=True)
    reasons = fields.List(fields.String(), required=True, metadata={"description": "为什么可疑"})
    effect = fields.String(required=True, metadata={"description": "剔除会怎样"})
    proposal = fields.Nested(DoubtFound)
    decision = fields.Nested(DoubtFound)


class Doubts(ma.Schema):
    """The doubtful records of those on the list or next to it."""

    items = fields.List(fields.Nested(DoubtShown), required=True)


class Ranked(ma.Schema):
    """A list."""

    considered = fields.Integer(required=True, metadata={"description": "参评人数"})
    undrawn = fields.Boolean(required=True, metadata={"description": "true：公开随机数还没有填，并列的先后没有定"})
    list = fields.String(required=True, metadata={"description": "名单的摘要"})
    chosen = fields.List(fields.Nested(Candidate), required=True)
    reserve = fields.List(fields.Nested(Candidate), required=True, metadata={"description": "候补的前几个"})
    excluded = fields.List(fields.Nested(Candidate), required=True, metadata={"description": "规则点名排除的"})


class PublicLine(ma.Schema):
    """A row of the public list."""

    row = fields.Integer(required=True)
    name = fields.String(required=True, metadata={"description": "打码的姓名，或组织名称"})
    station = fields.String(required=True)
    minutes = fields.Integer(required=True)
    commitment = fields.String(required=True, metadata={"description": "这一行的承诺值"})


class Public(ma.Schema):
    """The public list."""

    index = fields.Integer(required=True, metadata={"description": "公示是账本中第几条"})
    published_from = fields.String(required=True, metadata={"format": "date"})
    published_until = fields.String(required=True, metadata={"format": "date"})
    list = fields.String(required=True, metadata={"description": "名单的摘要"})
    items = fields.List(fields.Nested(PublicLine), required=True)


class ObjectionShown(ma.Schema):
    """An objection to a list."""

    index = fields.Integer(required=True, metadata={"description": "账本中第几条"})
    ground = fields.String(required=True, metadata={"description": _words(GROUNDS), "enum": list(GROUNDS)})
    means = fields.String(required=True, metadata={"description": "self 本人在网上，desk 窗口"})
    row = fields.Integer(metadata={"description": "对第几行"})
    due_on = fields.String(metadata={"description": "答复期限", "format": "date"})
    contested_at = fields.String(required=True, metadata={"format": "date-time"})
    finding = fields.String(metadata={"description": "结果；没有就是还在办。" + _words(FINDINGS), "enum": list(FINDINGS)})
    reason = fields.String()
    effect = fields.Dict(metadata={"description": "改动了哪些记录或人：" + _words(EFFECTS)})
    decided_at = fields.String(metadata={"format": "date-time"})
    decision = fields.Integer(metadata={"description": "结果是账本中第几条"})


class Objections(ma.Schema):
    """The objections to a list."""

    items = fields.List(fields.Nested(ObjectionShown), required=True)


class Signed(ma.Schema):
    """What became of a signature."""

    sealed = fields.Boolean(required=True, metadata={"description": "true：两个人都签了，已定稿"})
    index = fields.Integer(metadata={"description": "定稿是账本中第几条"})
    short_hash = fields.String()
