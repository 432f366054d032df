"""
One POST to a machine that nobody here trusts: it may be slow, dead, endless, or send us elsewhere.

Rules kept here alone: the whole exchange ends at its deadline, whatever the other side does (a watch shuts the socket, so that an answer that drips
byte by byte ends too); an answer is read to a limit and no further; a redirect is an answer like any other and is not followed.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from ledger.errors import SettingsError, Unavailable


@dataclass(frozen=True)
class Answer:
    """What came back: status, media type without parameters, body."""

    status: int
    content_type: str
    body: bytes


def post(url: str, body: bytes, *, deadline: float, limit: int, headers: Mapping[str, str] | None = None) -> Answer:
    """
    POST text (or what *headers* say) and return the answer, of at most *limit* bytes. *deadline* is a time of time.monotonic, in seconds.

    Raises:
        SettingsError: the url is not one of http or https.
        Unavailable: there was no whole answer in time, or it was too long.
    """
    try:
        parts = urlsplit(url)
        host, port, secure = parts.hostname, parts.port, parts.scheme == "https"
    except ValueError:
        raise SettingsError(f"网址 {url} 不对") from None
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(f"网址 {url} 不对：应以 http:// 或 https:// 开头")
    connection = (HTTPSConnection if secure else HTTPConnection)(host, port)
    try:
        with closing(connection), watched(host, connection.port, deadline, secure=secure) as connection.sock:
            said = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "shouwang", **(headers or {})}
            connection.request("POST", parts.path + (f"?{parts.query}" if parts.query else ""), body, said)
            with closing(connection.getresponse()) as response:
                found = response.read(limit + 1)
                answer = Answer(response.status, response.headers.get_content_type(), found)
    except (OSError, HTTPException, ValueError) as error:
        raise Unavailable(
            "没有在时限内回答" if time.monotonic() >= deadline else f"连不上，或回答不完整（{type(error).__name__}）"
        ) from error
    if time.monotonic() >= deadline:
        raise Unavailable("没有在时限内回答")  # a shut socket may look like the end of an answer
    if len(found) > limit:
        raise Unavailable(f"回答过长（超过 {limit} 字节）")
    return answer


@contextmanager
def watched(host: str, port: int, deadline: float, *, secure: bool, address: str = "") -> Iterator[socket.socket]:
    """Open a socket that is shut at the deadline; to an *address* that was chosen already, if one is given."""
    opened = socket.create_connection((address or host, port), timeout=max(deadline - time.monotonic(), 0.001))
    if secure:
        opened = ssl.create_default_context().wrap_socket(opened, server_hostname=host, do_handshake_on_connect=False)
    watch = threading.Timer(deadline - time.monotonic(), _shut, [opened])
    watch.daemon = True
    watch.start()
    try:
        if isinstance(opened, ssl.SSLSocket):
            opened.do_handshake()
        yield opened
    finally:
        watch.cancel()
        opened.close()


def _shut(opened: socket.socket) -> None:
    """End whatever another thread is waiting for. Not SSLSocket.shutdown, which takes the encryption off under that thread's feet."""
    with suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
