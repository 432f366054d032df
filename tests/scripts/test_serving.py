"""Behind a proxy: only the proxy's word counts on who is calling."""

import threading
import urllib.request

import pytest
import waitress
from flask import Flask, request

from scripts.serving_commands import _behind


@pytest.mark.parametrize(("proxy", "seen"), [("127.0.0.1", "203.0.113.7"), ("192.0.2.1", "127.0.0.1")])
def test_the_callers_address_is_what_the_trusted_proxy_says(proxy, seen):
    app = Flask("who")
    app.add_url_rule("/", view_func=lambda: f"{request.remote_addr} {request.headers.get('X-Forwarded-For', '')}")
    server = waitress.create_server(app, host="127.0.0.1", port=0, **_behind(proxy))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{server.effective_port}/", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
            assert answer.read().decode().split()[0] == seen
    finally:
        server.trigger.pull_trigger(server.close)
        thread.join(5)
