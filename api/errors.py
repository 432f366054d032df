"""
What goes wrong, as a status and an answer that says what happened, where, and what to do.

People get a page, programs under /api/v1 a problem, the tools that read the log's C2SP paths a line of text. A ledger error's own sentence is
shown; of anything unexpected only a request id, which the log has too.
"""

import logging
import secrets
from http import HTTPStatus

import psycopg
import sqlalchemy.exc
from flask import Flask, Response, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from api import problems
from api.problems import Problem
from ledger import errors
from ledger.people import leaks
from ledger.repeats import KeyReused

API_PREFIX = "/api/v1/"
LOG_PREFIX = "/log/"

_FAMILIES: tuple[tuple[type[errors.LedgerError], str], ...] = (
    (KeyReused, "key_reused"),
    (errors.NotAllowed, "not_allowed"),
    (errors.NotFound, "not_found"),
    (errors.InvalidRequest, "invalid"),
    (errors.Conflict, "conflict"),
    (errors.Unavailable, "unavailable"),
    (errors.LedgerError, "internal"),
)
_PAGES = {
    "invalid": (HTTPStatus.BAD_REQUEST, "这一步没有办成"),
    "conflict": (HTTPStatus.CONFLICT, "内容已经变了"),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "账本需要检查，或系统设置有误"),
}
"""Where a page says it otherwise than a problem: status and title."""
_HTTP = {
    HTTPStatus.NOT_FOUND: ("没有这个页面", "网址可能抄错了，或者这一页已经不在了。请从首页重新进入。"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("不能这样打开", "这个网址要从页面上的按钮进入。请回到上一页再点一次。"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("文件太大", "一次最多上传 20 MB。请把表格分成几个文件，或删去表里的图片。"),
}
_HTTP_DETAILS = {
    "not_found": "没有这个地址，请对照接口说明 /api/ 核对",
    "method_not_allowed": "这个地址不支持这种请求方法，可用的方法见 Allow",
    "too_large": "请求内容超过上限，请分成几次",
}
_FORMS = {
    "session token is missing": (
        "登录已经结束，或浏览器没有带上 Cookie",
        "可能您已在别处退出，或浏览器禁用了 Cookie。请允许本站使用 Cookie，重新登录后再提交一次。",
    ),
    "do not match": ("您后来又登录过一次", "这个页面是上一次登录时打开的。请回到上一页，刷新后再提交一次。"),
    "token is missing": ("不是从本站的页面提交的", "请从本站的页面重新打开这张表再提交。"),
    "refer": (
        "不是从本站的页面提交的",
        "浏览器说这次提交来自别的网站。如果不是您自己点的，请放心，什么也没有发生；如果是，请从首页重新进入再办。",
    ),
    "expired": ("页面放得太久了", "请回到上一页，刷新后再提交一次。"),
}
"""Why a form was refused, by what Flask-WTF says of it: title and what to do."""
_RETRY_AFTER_SECONDS = "5"
_log = logging.getLogger("shouwang.web")


def init_app(app: Flask) -> None:
    """Answer every error in the form that its address calls for."""
    app.before_request(_number)
    app.register_error_handler(errors.LedgerError, _ledger_error)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OverflowError, _too_large_a_number)
    app.register_error_handler(psycopg.DataError, _not_for_the_database)
    app.register_error_handler(sqlalchemy.exc.DataError, _not_for_the_database)
    app.register_error_handler(Exception, _unexpected)


def _number() -> None:
    g.request_id = secrets.token_hex(6)


def for_programs(path: str) -> bool:
    """Tell whether an address is the API's."""
    return path.startswith(API_PREFIX)


def for_log_tools(path: str) -> bool:
    """Tell whether an address is one that the tools of transparency logs read."""
    return path.startswith(LOG_PREFIX) and path != LOG_PREFIX


def _answer(problem: Problem, title: str | None = None, status: int | None = None) -> ResponseReturnValue:
    """Answer in the form that the address calls for; a page may have a title and status of its own."""
    g.refused = g.get("refused") or problem.code
    if for_programs(request.path):
        return problems.respond(problem)
    status = status or problem.status
    if for_log_tools(request.path):
        return Response(f"{problem.detail}\n", status, problem.headers, content_type="text/plain; charset=utf-8")
    title = title or problems.TYPES[problem.code][1]
    page = render_template("error.html", title=title, detail=problem.detail, status=status, request_id=g.get("request_id", ""))
    return page, status, dict(problem.headers)


def of_ledger_error(error: errors.LedgerError) -> Problem:
    """Give the problem that an expected error is."""
    code = next(code for family, code in _FAMILIES if isinstance(error, family))
    return Problem(code, str(error), headers={"Retry-After": _RETRY_AFTER_SECONDS} if code == "unavailable" else None)


def _ledger_error(error: errors.LedgerError) -> ResponseReturnValue:
    problem = of_ledger_error(error)
    g.refused = getattr(error, "why", "") or problem.code
    if problem.code == "internal":
        _log.error("request %s: %s: %s", g.get("request_id"), type(error).__name__, error)
        problem = Problem("internal", "账本自检没有通过，或设置有误。数据没有改动。请把下面的编号告诉管理员。")
    status, title = _PAGES.get(problem.code, (None, None))
    return _answer(problem, title, status)


def _problem(problem: Problem) -> ResponseReturnValue:
    return _answer(problem)


def _stale_form(error: CSRFError) -> ResponseReturnValue:
    """Say why a form's token was not accepted, as far as Flask-WTF tells."""
    said = str(error.description).lower()
    title, text = next((words for sign, words in _FORMS.items() if sign in said), _FORMS["expired"])
    return _answer(Problem("malformed", f"为了安全，这一步没有执行。{text}"), title)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response  # a redirect that werkzeug raised
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    title, detail = _HTTP.get(HTTPStatus(status), ("这一步没有办成", "请求的内容看不懂。请回到上一页再试一次。"))
    code = problems.BY_STATUS.get(status, "malformed")
    if for_programs(request.path):
        return _answer(Problem(code, _HTTP_DETAILS.get(code, "请求不合要求，请对照接口说明 /api/ 核对"), headers=headers), title)
    return _answer(Problem(code, detail, headers=headers), title, status)


def _too_large_a_number(_error: OverflowError) -> ResponseReturnValue:
    return _ledger_error(errors.InvalidRequest("数字或日期太大，没有这样的编号或时间，请核对"))


def _not_for_the_database(error: psycopg.DataError | sqlalchemy.exc.DataError) -> ResponseReturnValue:
    """Refuse text with a NUL, which no text column of PostgreSQL takes; whatever else it will not take is our fault."""
    if "NUL (0x00)" in str(error):
        return _ledger_error(errors.InvalidRequest("网址或填的内容里有看不见的字符（NUL），请删去再试"))
    return _unexpected(error)


def _unexpected(error: Exception) -> ResponseReturnValue:
    _log.error("request %s failed\n%s", g.get("request_id"), leaks.trace(error))
    text = "系统出了意外，刚才这一步没有执行。请稍后再试；如果还是这样，请把下面的编号告诉管理员。"
    return _answer(Problem("internal", text), "出错了")
