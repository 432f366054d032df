"""Real requests over real connections, with nothing but the standard library: a server on a port of this machine, and its callers."""

import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import Any

import waitress

PATIENCE = 60


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


@contextmanager
def reserved_port():
    """Give a port on which a program of the test's may listen, again and again, and nobody else: bound here too, where nobody listens."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def until_it_listens(port: int, program: subprocess.Popen) -> None:
    """Wait until a program listens on its port."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            assert program.poll() is None, "the program ended"
            assert time.monotonic() < end, "the program did not start"
            time.sleep(0.05)


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
