"""Real requests over real connections, with nothing but the standard library: a server on a port of this machine, and its callers."""

import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import Any

import waitress


@contextmanager
def serving(app, threads=16):
    """Serve an app; gives its address."""
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=threads)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.trigger.pull_trigger(server.close)  # by its own thread: another would take the socket from under its select
        thread.join(5)


def post(url: str, said: Any, token: str) -> tuple[int, Any]:
    """Post JSON; gives the status and what came back."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    asked = urllib.request.Request(url, json.dumps(said).encode(), headers)  # noqa: S310 an address that serving() gave
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)
