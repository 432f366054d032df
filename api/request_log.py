"""
One line in the log for each request, and the number by which people can ask about theirs (`X-Request-Id`, also on error pages).

The number is drawn here, never taken from the request. The line says the route as the program knows it, not the address as it was typed: no query, no
number of a volunteer, no file name; of whoever asked, the id of their account; no cookie, no token, no network address. Of a refusal it says why, also
where the page must not: unknown_name, password, slowed, …
"""

import logging
import time

from flask import Flask, Response, g, request

HEADER = "X-Request-Id"
_log = logging.getLogger("shouwang.access")


def init_app(app: Flask) -> None:
    """Number every answer, and log it where somebody listens."""
    app.before_request(_begin)
    app.after_request(_tell)


def _begin() -> None:
    g.began = time.perf_counter()


def _tell(response: Response) -> Response:
    response.headers[HEADER] = g.get("request_id", "")
    if _log.isEnabledFor(logging.INFO):
        actor = g.get("actor")
        said = {
            "request": g.get("request_id", ""),
            "method": request.method if request.url_rule else "",
            "route": request.url_rule.rule if request.url_rule else "",
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.began) * 1000) if "began" in g else 0,
            "account": actor.account if actor else "",
            **({"refused": g.refused} if "refused" in g else {}),
        }
        _log.info("request", extra={"said": said})
    return response
