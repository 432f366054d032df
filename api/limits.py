"""
How often the API may be asked: so many requests a minute from one network address, and with one token.

Counts are per process and in memory, of at most KEYS_MAX addresses and tokens each; whoever was longest quiet is forgotten first. A window is a minute
that begins with its first request. Every answer says how things stand (RateLimit and RateLimit-Policy, as the IETF's draft has them), and whoever
asks too often is told when to come again (429, Retry-After). A bad token counts for its address only, so that guessing fills no table.
"""

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from flask import Flask, Response, g, request

from api.errors import for_programs
from api.problems import Problem

WINDOW_SECONDS = 60
KEYS_MAX = 10_000


class Meter:
    """Counts requests by key, in windows."""

    def __init__(self, name: str, quota: int) -> None:
        self.quota = quota
        self.policy = f'"{name}";q={quota};w={WINDOW_SECONDS}'
        self._name = name
        self._lock = threading.Lock()
        self._windows: OrderedDict[bytes | str, tuple[float, int]] = OrderedDict()

    def count(self, key: bytes | str, now: float) -> tuple[int, int]:
        """Count a request at a time in seconds. Returns how many are left (-1: this one was too many) and in how many seconds the window ends."""
        with self._lock:
            began, used = self._windows.get(key, (now, 0))
            if now - began >= WINDOW_SECONDS:
                began, used = now, 0
            used = min(used + 1, self.quota + 1)
            self._windows[key] = (began, used)
            self._windows.move_to_end(key)
            if len(self._windows) > KEYS_MAX:
                self._windows.popitem(last=False)
        return self.quota - used, math.ceil(began + WINDOW_SECONDS - now)

    def take(self, key: bytes | str) -> None:
        """Count a request of now, and remember what its answer is to say. Raises Problem if it is one too many."""
        left, seconds = self.count(key, time.monotonic())
        g.rate_limits = [*g.get("rate_limits", ()), f'"{self._name}";r={max(left, 0)};t={seconds}']
        if left < 0:
            text = f"一分钟最多 {self.quota} 次，请在 {seconds} 秒后再试。要取的多，请用列表接口一页多取一些"
            raise Problem("too_many_requests", text, headers={"Retry-After": str(seconds)})


def init_app(app: Flask, identify: Callable[[Flask], None], *, by_address: int, by_token: int) -> None:
    """Count requests for programs: by address before *identify* has the application look at tokens, by token after it."""
    addresses, tokens = Meter("address", by_address), Meter("token", by_token)
    policies = f"{addresses.policy}, {tokens.policy}"

    def take_address() -> None:
        if for_programs(request.path):
            addresses.take(request.remote_addr or "")

    def take_token() -> None:
        if "actor" in g and for_programs(request.path):
            tokens.take(hashlib.sha256(request.headers["Authorization"].encode()).digest())

    def tell(response: Response) -> Response:
        if "rate_limits" in g:
            response.headers.add("RateLimit-Policy", policies)
            response.headers.add("RateLimit", ", ".join(g.rate_limits))
        return response

    app.before_request(take_address)
    identify(app)
    app.before_request(take_token)
    app.after_request(tell)
