"""A log that somebody else keeps, made by the plainest means, and servers on loopback: what the tests of witnesses share."""

import base64
import hashlib
import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import recounting
import waitress
from waitress import wasyncore

from ledger import merkle
from ledger.notes import Checkpoint, Signer, sign_checkpoint
from ledger.trust_policy import parse_policy

NOW = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)


def clock():
    return NOW


class SomeLog:
    """A log of numbered leaves. A twin of another secret has the same name and key and, from *fork* on, other leaves."""

    def __init__(self, origin="log.example/a", fork=10**9):
        self.signer = Signer.from_seed(origin, hashlib.sha256(origin.encode()).digest())
        self.leaves = [hashlib.sha256(f"{number}{' forked' if number >= fork else ''}".encode()).digest() for number in range(40)]

    @property
    def origin(self):
        return self.signer.name

    def root(self, size):
        return recounting.tree_hash(self.leaves[:size]) if size else merkle.EMPTY_ROOT

    def checkpoint(self, size, **said):
        return sign_checkpoint(Checkpoint(self.origin, size, said.pop("root", self.root(size)), **said), [self.signer])

    def proof(self, old, new):
        return merkle.consistency_proof(
            old, new, lambda level, index: recounting.tree_hash(self.leaves[index << level : index + 1 << level])
        )

    def request(self, old, new, proof=None, note=None):
        """What the log sends to a witness."""
        lines = [base64.b64encode(each).decode() for each in (self.proof(old, new) if proof is None else proof)]
        return "\n".join([f"old {old}", *lines, "", ""]).encode() + (note or self.checkpoint(new))


def policy_of(*logs):
    return parse_policy("".join(f"log {each.signer.vkey}\n" for each in logs).encode() + b"quorum none\n")


@contextmanager
def serving(app):
    """Put an application behind the server that runs it, on a port of this machine; gives its address."""
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4, max_request_body_size=64 * 1024)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # In its own thread, which may be waiting on the very sockets.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join(30)
        server.task_dispatcher.shutdown()
