"""
Problems: what a program is told when something did not work (RFC 9457, application/problem+json).

    type        /problems/<code>: the page of that name says more      detail      what is wrong with this request, and how to mend it
    title       what kind of problem, in Chinese                       errors      one for each field at fault: detail, and pointer (a JSON
    status      the HTTP status                                                    Pointer as URI fragment, #/start) or parameter
    request_id  what the log calls this request

Codes are a contract; those of refused rows are the same as in `import --json`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import Response, g

from ledger.refusals import CODES, Refusal

CONTENT_TYPE = "application/problem+json"
TYPES: dict[str, tuple[int, str]] = {
    "malformed": (400, "请求看不懂"),
    "unauthenticated": (401, "需要有效的访问令牌"),
    "not_allowed": (403, "没有权限"),
    "not_found": (404, "没有找到"),
    "method_not_allowed": (405, "不支持这种请求方法"),
    "not_acceptable": (406, "没有您要的格式"),
    "conflict": (409, "与先前的内容冲突"),
    "too_large": (413, "内容太大"),
    "unsupported_media_type": (415, "不接受这种格式"),
    "invalid": (422, "内容不合要求"),
    "unknown_reference": (422, "没有这个编号"),
    **{code: (422, title) for code, title in CODES.items()},
    "key_reused": (422, "编号已用于别的请求"),
    "too_many_requests": (429, "请求太频繁"),
    "unavailable": (503, "请稍后再试"),
    "internal": (500, "系统出错"),
}
MEANINGS: dict[str, str] = {
    "malformed": "正文不是 JSON，或编码不是 UTF-8。对照 detail 指出的行列改正。",
    "unauthenticated": "没有带访问令牌，或令牌不对、到期、被撤销，或它的账号已停用。向管理员要新的。",
    "not_allowed": "令牌没有这个权限范围，或账号的角色、站点不允许，或这件事要由另一个人来做。",
    "not_found": "没有这个地址，或没有这个编号；不在令牌所及站点的志愿者也这样答。",
    "method_not_allowed": "这个地址不支持这种方法，可用的见 Allow。",
    "not_acceptable": "Accept 里的格式这里都没有。",
    "conflict": "与账本里先前的内容矛盾，或别人刚刚改过。重新读取后再试。",
    "too_large": "请求正文超过上限。分成几次。",
    "unsupported_media_type": "正文应是 JSON，并写明 Content-Type: application/json。",
    "invalid": "errors 逐处指出不合要求的字段：pointer 是正文里的位置，parameter 是网址参数或请求头。",
    "unknown_reference": "正文里写的编号（志愿者、活动等）账本里没有。",
    "missing": "必填的一项没有写，或它指的东西还没有登记。",
    "id_checksum": "身份证号不可能是真的：长度、省份、出生日期或校验位不对。对照证件核对。",
    "id_precision_lost": "身份证号末几位变成了 0，是表格软件把它当数字存了。把那一列设为文本再填。",
    "duplicate": "同样的内容已经有了，detail 指出是哪一条。不必再交。",
    "unknown_volunteer": "这个人还没有登记为志愿者。先请本人登记。",
    "name_mismatch": "姓名与登记的不同。对照证件核对姓名和身份证号。",
    "missing_sign_out": "只有签到没有签退。补上签退时间，或不登记这一条。",
    "end_before_start": "结束不晚于开始，或除去休息没有时间了。核对时间。",
    "overlap": "与这个人另一条记录的时间重叠，detail 指出是哪一条。一个人不能同时在两处。",
    "over_daily_cap": "当天累计超过规则的上限。核对时间；确有其事的，写明理由，用 /service-records/second-signatures 请第二人签字。",
    "against_rules": "不合正在执行的信用规则，detail 写明是哪一份、哪一条。核对时间；补录的，看有没有过期、是否暂停了补录。",
    "future_date": "服务还没有结束，或日期在将来。发生之后再登记。",
    "unreadable": "这一项的写法看不懂，或与登记的不合。对照 detail 改正。",
    "key_reused": "Idempotency-Key（或正文的 id）已用于内容不同的请求。重试要原样再发，新的请求用新的编号。",
    "too_many_requests": "一分钟里请求太多。Retry-After 秒之后再来；RateLimit 说明还剩几次。",
    "unavailable": "排队的人太多，或数据库暂时写不进去。Retry-After 秒之后原样再发，不会重复。",
    "internal": "系统出错，这一步没有执行。把 request_id 告诉管理员。",
}
"""What each problem means and what to do, for its place on the page of the API."""
BY_STATUS = {status: code for code, (status, _) in reversed(TYPES.items()) if code not in CODES}
"""The plain problem of a status."""


class Problem(Exception):
    """A request that is answered with a problem: its code (of TYPES), a sentence, the fields at fault, headers of the answer."""

    def __init__(self, code: str, detail: str, errors: Sequence[Mapping[str, str]] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    @property
    def status(self) -> int:
        """The HTTP status."""
        return TYPES[self.code][0]

    def members(self) -> dict[str, Any]:
        """Give the members that do not depend on the request."""
        status, title = TYPES[self.code]
        said: dict[str, Any] = {"type": f"/problems/{self.code}", "title": title, "status": status, "detail": self.detail}
        return said | ({"errors": self.errors} if self.errors else {})


def refused(refusal: Refusal, pointers: Mapping[str, str]) -> Problem:
    """Give the problem that a refused row is. *pointers*: where in the request the column of a sheet is."""
    pointer = pointers.get(refusal.column or "")
    return Problem(refusal.code, refusal.message, [{"pointer": pointer, "detail": refusal.message}] if pointer else ())


def respond(problem: Problem) -> Response:
    """Answer with a problem."""
    body = orjson.dumps(problem.members() | {"request_id": g.get("request_id", "")})
    return Response(body, problem.status, problem.headers, content_type=CONTENT_TYPE)
