"""
What goes wrong, as a status and a page that says what happened, where, and what to do.

A ledger error's own sentence is shown; of anything unexpected only a request id, which the log has too.
"""

import logging
import secrets
from http import HTTPStatus

from flask import Flask, g, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from ledger import errors

STATUS: tuple[tuple[type[errors.LedgerError], int, str], ...] = (
    (errors.NotAllowed, HTTPStatus.FORBIDDEN, "没有权限"),
    (errors.NotFound, HTTPStatus.NOT_FOUND, "没有找到"),
    (errors.InvalidRequest, HTTPStatus.BAD_REQUEST, "这一步没有办成"),
    (errors.Conflict, HTTPStatus.CONFLICT, "内容已经变了"),
    (errors.Unavailable, HTTPStatus.SERVICE_UNAVAILABLE, "请稍后再试"),
    (errors.Corrupt, HTTPStatus.INTERNAL_SERVER_ERROR, "账本需要检查"),
    (errors.SettingsError, HTTPStatus.INTERNAL_SERVER_ERROR, "系统设置有误"),
)
_HTTP = {
    HTTPStatus.NOT_FOUND: ("没有这个页面", "网址可能抄错了，或者这一页已经不在了。请从首页重新进入。"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("不能这样打开", "这个网址要从页面上的按钮进入。请回到上一页再点一次。"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("文件太大", "一次最多上传 20 MB。请把表格分成几个文件，或删去表里的图片。"),
}
_log = logging.getLogger("shouwang.web")


def init_app(app: Flask) -> None:
    """Answer every error with a page."""
    app.before_request(_number)
    app.register_error_handler(errors.LedgerError, _ledger_error)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _number() -> None:
    g.request_id = secrets.token_hex(6)


def page(status: int, title: str, detail: str) -> tuple[str, int]:
    """Render the error page."""
    return render_template("error.html", title=title, detail=detail, status=int(status), request_id=g.get("request_id", "")), int(status)


def _ledger_error(error: errors.LedgerError) -> ResponseReturnValue:
    status, title = next((status, title) for family, status, title in STATUS if isinstance(error, family))
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request %s: %s: %s", g.get("request_id"), type(error).__name__, error)
        return page(status, title, "账本自检没有通过，或设置有误。数据没有改动。请把下面的编号告诉管理员。")
    answer = page(status, title, str(error))
    return (*answer, {"Retry-After": "5"}) if status == HTTPStatus.SERVICE_UNAVAILABLE else answer


def _stale_form(_error: CSRFError) -> ResponseReturnValue:
    return page(HTTPStatus.BAD_REQUEST, "页面放得太久了", "为了安全，这一步没有执行。请回到上一页，刷新后再提交一次。")


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response  # a redirect that werkzeug raised
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    title, detail = _HTTP.get(HTTPStatus(status), ("这一步没有办成", "请求的内容看不懂。请回到上一页再试一次。"))
    body, code = page(status, title, detail)
    headers = [(name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After")]
    return body, code, headers


def _unexpected(error: Exception) -> ResponseReturnValue:
    _log.exception("request %s failed", g.get("request_id"), exc_info=error)
    text = "系统出了意外，刚才这一步没有执行。请稍后再试；如果还是这样，请把下面的编号告诉管理员。"
    return page(HTTPStatus.INTERNAL_SERVER_ERROR, "出错了", text)
