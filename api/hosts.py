"""
By what names this site may be called, and what it calls itself.

Whoever makes a request may write anything into `Host`: a name of their own that was made to lead here (DNS rebinding), or one that should end up on a
printed slip. So a request is answered only under the address that was set (SHOUWANG_ADDRESS) or, where none was, under an IP address or a name without
dots; what is printed, or sent to others, is the address that was set.
"""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, request

from api.auth import ledger
from api.problems import Problem


def init_app(app: Flask) -> None:
    """Refuse requests under a name that is not this site's; let templates write its address."""
    app.before_request(_check)
    app.context_processor(lambda: {"site_address": site_address})


def site_address() -> str:
    """Give the address that people type, without a slash at the end."""
    return ledger().settings.address or request.host_url.rstrip("/")


@lru_cache(maxsize=256)
def is_ours(host: str, address: str) -> bool:
    """Tell whether a `Host` may name this site, whose address may have been set."""
    try:
        said = urlsplit(f"//{host}")
        name, plain = said.hostname or "", said.netloc == host and "@" not in host
        said.port  # noqa: B018 raises ValueError for what is no port
    except ValueError:
        return False
    if not plain or not name or not name.isascii() or not all(letter.isalnum() or letter in "-.:_" for letter in name):
        return False
    if address and name == urlsplit(address).hostname:
        return True
    try:
        numeric = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or (not address and "." not in name)
    return numeric.is_loopback or not address


def _check() -> None:
    if not is_ours(request.environ.get("HTTP_HOST", ""), ledger().settings.address):
        raise Problem("malformed", "这不是本站的网址。请从本站的网址进入；管理员可用 SHOUWANG_ADDRESS 设置本站的网址")
