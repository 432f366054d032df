"""
Deliveries: entries told to registered receivers, each message signed as Standard Webhooks 1.0 has it.

    webhook-id          the entry's id, the same at every attempt: by it a receiver knows what it has already
    webhook-timestamp   seconds since 1970, of this attempt: what is older than minutes is somebody's replay
    webhook-signature   v1,base64(HMAC-SHA256(secret, id "." timestamp "." body))
    body                {"type": kind, "timestamp": recorded_at, "data": {"index", "id", "kind", "station", "leaf"}}

A receiver takes a message by answering with a 2xx status; redirects are not followed. All of this happens outside any transaction: progress is noted
between, so that the slowest receiver holds up neither a write nor the others.
"""

import hmac
import time
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from ledger import webhooks
from ledger.addresses import resolve
from ledger.errors import LedgerError
from ledger.remote import watched
from ledger.store import Ledger
from ledger.webhooks import Claimed, Message

ROUND_SECONDS = 20
"""How long one round may be at one receiver, whatever it does."""
LOOKED_AT_ONCE = 200
ANSWER_BYTES_MAX = 64 * 1024
THREADS = 8


@dataclass(frozen=True)
class Outcome:
    """How many messages a receiver took, and what was wrong with the next one."""

    taken: int
    error: str | None = None


def deliver(ledger: Ledger) -> int:
    """Tell every receiver whose turn it is what it has not been told yet. Returns how many messages were taken."""
    if not webhooks.due(ledger):
        return 0
    claimed = webhooks.claim(ledger)
    with ThreadPoolExecutor(THREADS, "webhook") as threads:
        return sum(threads.map(lambda hook: _round(ledger, hook), claimed))


def sign(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign a message as the webhook-signature header has it."""
    digest = hmac.digest(secret, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return "v1," + b64encode(digest).decode()


def _round(ledger: Ledger, hook: Claimed) -> int:
    """Be at one receiver until it has everything, fails, or the time is over."""
    deadline = time.monotonic() + ROUND_SECONDS
    at, taken = hook.next_index, 0
    while True:
        with ledger.read() as tx:
            messages, after = webhooks.pending(tx, hook, at, LOOKED_AT_ONCE)
        outcome = _send(ledger, hook, messages, deadline) if messages else Outcome(0)
        taken += outcome.taken
        done = at == after
        at = after if outcome.taken == len(messages) else messages[outcome.taken].index
        over = done or outcome.error is not None or time.monotonic() >= deadline
        ours = webhooks.report(ledger, hook, at, delivered=outcome.taken > 0, error=outcome.error, over=over) if over or messages else True
        if over or not ours:
            return taken


def _send(ledger: Ledger, hook: Claimed, messages: Sequence[Message], deadline: float) -> Outcome:
    """Send messages in order over kept connections until one is not taken."""
    taken = 0
    try:
        place = resolve(hook.url, private=ledger.settings.webhooks_private)
        while taken < len(messages):
            made = (HTTPSConnection if place.secure else HTTPConnection)(place.host, place.port)
            made.auto_open = 0  # it would resolve the name again
            with closing(made), watched(place.host, place.port, deadline, secure=place.secure, address=place.address) as made.sock:
                while taken < len(messages) and made.sock is not None:
                    status, whole = _post(made, place.path, hook.secret, messages[taken], int(ledger.now().timestamp()))
                    if not 200 <= status < 300:
                        return Outcome(taken, f"第 {messages[taken].index} 条：对方答复 {status}")
                    taken += 1
                    if not whole:
                        break  # what is left of its answer stands in the way: begin a new connection
    except LedgerError as refusal:
        return Outcome(taken, str(refusal))
    except (OSError, HTTPException, ValueError) as error:
        late = time.monotonic() >= deadline
        why = "没有在时限内答复" if late else f"连不上，或答复不完整（{type(error).__name__}）"
        return Outcome(taken, f"第 {messages[taken].index} 条：{why}")
    return Outcome(taken)


def _post(connection: HTTPConnection, path: str, secret: bytes, message: Message, timestamp: int) -> tuple[int, bool]:
    """Send one message. Returns the status, and whether the answer was read to its end."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "shouwang",
        "webhook-id": message.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, message.id, timestamp, message.body),
    }
    connection.request("POST", path, message.body, headers)
    with closing(connection.getresponse()) as response:
        response.read(ANSWER_BYTES_MAX)
        return response.status, response.isclosed() or response.length == 0
