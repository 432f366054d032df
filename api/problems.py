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

from ledger.refusals import CODES

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
    "unavailable": (503, "请稍后再试"),
    "internal": (500, "系统出错"),
}
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


def respond(problem: Problem) -> Response:
    """Answer with a problem."""
    body = orjson.dumps(problem.members() | {"request_id": g.get("request_id", "")})
    return Response(body, problem.status, problem.headers, content_type=CONTENT_TYPE)
