"""
What requests and answers about services and the log hold (marshmallow).

What passes here is what a `service.recorded` body allows, so that one program's mistake never costs the others of its group a second try. Each other
noun has its schemas beside its views.
"""

import marshmallow as ma
from marshmallow import fields

from api.v1.fields import DRAFTS_MAX, Choice, Drafts, Minute, Schema, Whole, entry_key, number, station
from ledger.codes import GRADES
from ledger.kinds.checks import INTEGER_MAX

_GRADES = "，".join(f"{code} {name}" for code, name in GRADES.items())


class ServiceDraft(Schema):
    """A service as somebody says it was."""

    id = entry_key(description="这条服务的编号（UUIDv7），重试时不变；也可放在 Idempotency-Key 里。同一编号、同样内容，答的是第一次的回执")
    volunteer = number("志愿者", description="志愿者编号，10 位", example="K7M2Q9XP4R")
    activity = number("活动", description="活动编号，10 位", example="8HX3M5T7WQ")
    station = station(description="登记的站点编码")
    start = Minute(format="date-time", description="开始，整分钟，带时区", example="2026-03-05T09:00:00+08:00")
    end = Minute(format="date-time", description="结束，整分钟，带时区", example="2026-03-05T11:30:00+08:00")
    grade = Choice(GRADES, description=f"证据等级：{_GRADES}")
    break_minutes = Whole(0, 1_440, required=False, description="其中休息、用餐的分钟数，不计入时长", default=0)


class Batch(Schema):
    """Services handed in together."""

    id = entry_key(description="这一批的编号（UUIDv7），重试时不变；也可放在 Idempotency-Key 里。两处必须有一处")
    records = Drafts(
        type="array",
        items={"anyOf": [{"$ref": "#/components/schemas/ServiceDraft"}, {"description": "别的内容：只有这一条答 422"}]},
        minItems=1,
        maxItems=DRAFTS_MAX,
        description=f"1 到 {DRAFTS_MAX} 条服务，各自判断，一次提交",
    )


class Sizes(Schema):
    """Two tree sizes, in the address."""

    old = Whole(0, INTEGER_MAX, spelt=True, description="从前的条数")
    new = Whole(0, INTEGER_MAX, spelt=True, required=False, description="后来的条数；不写则取最新检查点的条数")


class Receipt(ma.Schema):
    """What whoever recorded a service may keep."""

    index = fields.Integer(required=True, metadata={"description": "账本中第几条（从 0 数起）"})
    id = fields.String(required=True, metadata={"description": "这一条的编号", "format": "uuid"})
    leaf = fields.String(required=True, metadata={"description": "叶散列（SHA-256，base64）：回执在手而账本里没有这一条，就是丢失的证据"})
    short_hash = fields.String(required=True, metadata={"description": "叶散列的前 12 位十六进制，用于口头核对"})
    recorded_at = fields.String(required=True, metadata={"description": "入账时间", "format": "date-time"})
    size = fields.Integer(required=True, metadata={"description": "条数不小于它的检查点都包含这一条"})
    proof = fields.String(metadata={"description": "入账证明（C2SP tlog-proof 原文）；只在 Prefer: wait 时有"})


class ProblemAtField(ma.Schema):
    """One field at fault."""

    detail = fields.String(required=True)
    pointer = fields.String(metadata={"description": "请求正文中的位置（JSON Pointer），例如 #/start"})
    parameter = fields.String(metadata={"description": "网址参数或请求头的名称"})


class Problem(ma.Schema):
    """RFC 9457."""

    type = fields.String(required=True, metadata={"description": "问题种类，/problems/<code>", "format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "哪里不对，怎样改"})
    errors = fields.List(fields.Nested(ProblemAtField))
    request_id = fields.String(metadata={"description": "这次请求的编号，日志里也有"})


class BatchItem(ma.Schema):
    """What became of one service of a batch."""

    status = fields.Integer(required=True, metadata={"description": "201 新登记，200 早已登记，其余为没有登记"})
    receipt = fields.Nested(Receipt)
    problem = fields.Nested(Problem)


class BatchResult(ma.Schema):
    """What became of a batch, in the order of its services."""

    id = fields.String(required=True, metadata={"description": "这一批的编号", "format": "uuid"})
    recorded = fields.Integer(required=True, metadata={"description": "新登记的条数"})
    already = fields.Integer(required=True, metadata={"description": "早已登记的条数"})
    refused = fields.Integer(required=True, metadata={"description": "没有登记的条数"})
    results = fields.List(fields.Nested(BatchItem), required=True)
    checkpoint = fields.String(metadata={"description": "包含这一批的检查点；只在 Prefer: wait 时有"})


class EntryProof(ma.Schema):
    """The proof that an entry is in the newest checkpoint."""

    index = fields.Integer(required=True)
    size = fields.Integer(required=True, metadata={"description": "证明所用检查点的条数"})
    proof = fields.String(required=True, metadata={"description": "C2SP tlog-proof 原文"})


class ConsistencyProof(ma.Schema):
    """The proof that a later log begins with an earlier one (RFC 6962, section 2.1.2)."""

    old = fields.Integer(required=True)
    new = fields.Integer(required=True)
    hashes = fields.List(fields.String(), required=True, metadata={"description": "各散列值，base64"})


class Checkpoint(ma.Schema):
    """The newest signed tree head."""

    origin = fields.String(required=True)
    size = fields.Integer(required=True)
    root = fields.String(required=True, metadata={"description": "树根，base64"})
    checkpoint = fields.String(required=True, metadata={"description": "检查点原文（C2SP tlog-checkpoint），连同各方签名"})
