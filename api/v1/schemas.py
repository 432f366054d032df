"""
What requests and answers hold (marshmallow): strict types, no unknown fields, every refusal a Chinese sentence.

What passes here is what a `service.recorded` body allows, so that one program's mistake never costs the others of its group a second try.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields

from ledger.codes import GRADES
from ledger.entries import SHANGHAI
from ledger.kinds import checks
from ledger.kinds.checks import INTEGER_MAX

DRAFTS_MAX = 1_000
"""Services in one batch."""
UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_RFC3339 = re.compile(r"(?:19[89]\d|2\d\d\d)-\d\d-\d\d[Tt]\d\d:\d\d:00(?:\.0{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_GRADES = "，".join(f"{code} {name}" for code, name in GRADES.items())
_DECIMAL = re.compile(r"0|[1-9]\d{0,15}", re.ASCII)


class Field(fields.Field[Any]):
    """A field with our words; *said* documents it."""

    default_error_messages = {"required": "缺少这个字段", "null": "不能是 null"}  # noqa: RUF012 as marshmallow declares it

    def __init__(self, *, required: bool = True, **said: Any) -> None:
        super().__init__(required=required, metadata=said)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ARG002 marshmallow's
        return self.read(value)

    def read(self, value: Any) -> Any:
        """Give what a value means. Raises ValidationError."""
        raise NotImplementedError


class Code(Field):
    """Text of a fixed form, judged by a check of the ledger."""

    def __init__(self, check: Callable[[str], object], wrong: str, **said: Any) -> None:
        super().__init__(**said)
        self._check, self._wrong = check, wrong

    def read(self, value: Any) -> str:
        """Accept text that the check accepts."""
        if type(value) is not str or not self._check(value):
            raise ma.ValidationError(self._wrong)
        return value


class Minute(Field):
    """An RFC 3339 time on the minute, from 1980 on; loads as the naive local time (Asia/Shanghai) that drafts have."""

    def read(self, value: Any) -> datetime:
        """Read a time."""
        if type(value) is not str or _RFC3339.fullmatch(value) is None:
            raise ma.ValidationError("应是带时区的整分钟时间（RFC 3339），例如 2026-03-05T09:00:00+08:00")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(SHANGHAI).replace(tzinfo=None)
        except (ValueError, OverflowError):
            raise ma.ValidationError("没有这个时间，请核对年月日和时分") from None


class Whole(Field):
    """A whole number in a closed range; *spelt* as decimal text in addresses, as a JSON number elsewhere."""

    def __init__(self, low: int, high: int, *, spelt: bool = False, **said: Any) -> None:
        super().__init__(minimum=low, maximum=high, **said)
        self._low, self._high, self._spelt = low, high, spelt

    def read(self, value: Any) -> int:
        """Accept a number of the range."""
        if self._spelt and isinstance(value, str) and _DECIMAL.fullmatch(value):
            value = int(value)
        if type(value) is not int or not self._low <= value <= self._high:
            raise ma.ValidationError(f"应是 {self._low} 到 {self._high} 的整数")
        return value


class Drafts(Field):
    """The services of a batch: a list whose members are judged one by one."""

    def read(self, value: Any) -> list[Any]:
        """Accept a list of a length that may be."""
        if not isinstance(value, list) or not 1 <= len(value) <= DRAFTS_MAX:
            raise ma.ValidationError(f"应是 1 到 {DRAFTS_MAX} 条服务的数组")
        return value


class Schema(ma.Schema):
    """An object without unknown fields."""

    error_messages = {"unknown": "没有这个字段", "type": "应是一个 JSON 对象"}  # noqa: RUF012 as marshmallow declares it


def _id(**said: Any) -> Code:
    return Code(re.compile(UUID7).fullmatch, "应是小写的 UUIDv7", format="uuid", pattern=f"^{UUID7}$", required=False, **said)


class ServiceDraft(Schema):
    """A service as somebody says it was."""

    id = _id(description="这条服务的编号（UUIDv7），重试时不变；也可放在 Idempotency-Key 里。同一编号、同样内容，答的是第一次的回执")
    volunteer = Code(checks.number, "应是 10 位志愿者编号", description="志愿者编号，10 位", example="K7M2Q9XP4R")
    activity = Code(checks.number, "应是 10 位活动编号", description="活动编号，10 位", example="8HX3M5T7WQ")
    station = Code(checks.station, "应是站点编码", description="登记的站点编码", example="340104001004")
    start = Minute(format="date-time", description="开始，整分钟，带时区", example="2026-03-05T09:00:00+08:00")
    end = Minute(format="date-time", description="结束，整分钟，带时区", example="2026-03-05T11:30:00+08:00")
    grade = Code(GRADES.__contains__, "应是 A、B、C、D 之一", enum=list(GRADES), description=f"证据等级：{_GRADES}")
    break_minutes = Whole(0, 1_440, required=False, description="其中休息、用餐的分钟数，不计入时长", default=0)


class Batch(Schema):
    """Services handed in together."""

    id = _id(description="这一批的编号（UUIDv7），重试时不变；也可放在 Idempotency-Key 里。两处必须有一处")
    records = Drafts(
        type="array",
        items={"$ref": "#/components/schemas/ServiceDraft"},
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
