"""What a sign-in costs: the password's hash alone, and the whole request as a browser makes it, beside an empty one."""

import http.client
import re
import time
from collections.abc import Callable
from urllib.parse import urlencode

from argon2 import PasswordHasher

_TIMES = 60


def run(row: Callable[..., None], port: int, login: str, password: str, empty: float) -> None:
    """Measure and print. *empty*: seconds of an empty request under the same server and client."""
    hasher = PasswordHasher()
    hashed = hasher.hash(password)
    alone = _median([_timed(lambda: hasher.verify(hashed, password)) for _ in range(_TIMES)])
    cost = f"{hasher.memory_cost // 1024} MiB, {hasher.time_cost} passes, {hasher.parallelism} lanes"
    row("argon2id of one password", f"{alone * 1000:.0f} ms ({cost})", "stated")
    whole = _median([_sign_in(port, login, password) for _ in range(_TIMES)])
    row("POST sign-in, 1 connection", f"p50 {whole * 1000:.0f} ms", "stated", f"{empty * 1000:.1f} ms an empty request", empty / whole)


def _sign_in(port: int, login: str, password: str) -> float:
    """Fetch the form, send it; seconds of the second."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/sign-in")
    form = connection.getresponse()
    cookies = "; ".join(said.partition(";")[0] for name, said in form.getheaders() if name == "Set-Cookie")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.read().decode())
    assert token
    said = urlencode({"name": login, "password": password, "csrf_token": token[1]})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies}
    began = time.perf_counter()
    connection.request("POST", "/sign-in", said, headers)
    answer = connection.getresponse()
    answer.read()
    taken = time.perf_counter() - began
    assert answer.status == 302, answer.status
    connection.close()
    return taken


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]
