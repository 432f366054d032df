"""A witness over HTTP: the paths, media types and limits that others' logs and monitors rely on."""

import hashlib
import http.client
import socket
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs
from witnessing import SomeLog, clock, policy_of, serving

from api.witness import create_witness_app
from ledger.settings import Settings
from ledger.witness import Witness, create_witness

LOG, FORKED = SomeLog(), SomeLog(fork=4)
PLACE = f"/{hashlib.sha256(LOG.origin.encode()).hexdigest()}/checkpoint"
TEXT, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"


@pytest.fixture
def app(tmp_path):
    settings = Settings(tmp_path, "")
    create_witness(settings, "witness.example/w1")
    return create_witness_app(Witness(settings, policy_of(LOG), clock))


@pytest.fixture
def ask(app):
    """Say something on one connection that stays open; gives status, media type, body."""
    with serving(app) as address:
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

        def say(method, path, body=None, **headers):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read()

        say.address = (parts.hostname, parts.port)
        yield say
        connection.close()


def add(ask, *said):
    return ask("POST", "/add-checkpoint", LOG.request(*said))


def test_a_log_is_cosigned_told_its_size_and_shown_to_monitors(ask):
    assert ask("GET", PLACE)[:2] == (404, TEXT)
    status, kind, line = add(ask, 0, 5)
    assert (status, kind) == (200, TEXT)
    assert ask("GET", PLACE) == (200, TEXT, LOG.checkpoint(5) + line)
    assert add(ask, 0, 9) == (409, SIZE, b"5\n")
    assert add(ask, 5, 9)[0] == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"rubbish", 400),
        (LOG.request(2, 2).replace(b"old 2", b"old 3"), 400),
        (LOG.request(0, 3).replace(b"\n3\n", b"\n4\n"), 403),
        (SomeLog("log.example/unknown").request(0, 3), 404),
        (LOG.request(0, 3, [b"h" * 32]), 422),
        (b"x" * 65_537, 413),
    ],
)
def test_a_refusal_has_the_status_of_its_reason_and_plain_text(app, request_, status):
    answer = app.test_client().post("/add-checkpoint", data=request_)
    assert (answer.status_code, answer.content_type) == (status, TEXT)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_fork_is_loud(app):
    client = app.test_client()
    client.post("/add-checkpoint", data=LOG.request(0, 9))
    with capture_logs() as logs:
        assert client.post("/add-checkpoint", data=LOG.request(0, 9)).status_code == 409
        assert logs == []
        assert client.post("/add-checkpoint", data=FORKED.request(9, 9)).status_code == 422
    assert [(entry["log_level"], entry["event"]) for entry in logs] == [("error", "witness.fork")]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/add-checkpoint", 405), ("POST", PLACE, 405), ("GET", "/", 404), ("GET", "/static/x", 404)]
)
def test_nothing_else_is_there(app, method, path, status):
    answer = app.test_client().open(path, method=method)
    assert (answer.status_code, answer.content_type) == (status, TEXT)


def test_a_body_longer_than_a_request_can_be_is_not_read_to_its_end(ask):
    with socket.create_connection(ask.address, timeout=30) as raw:
        raw.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 1000)
        assert raw.recv(100).startswith(b"HTTP/1.1 413")
    assert add(ask, 0, 5)[0] == 200


def test_a_body_in_chunks_is_read_like_any_other(ask):
    body = LOG.request(0, 5)
    status, _, line = ask("POST", "/add-checkpoint", iter([body[:7], body[7:50], body[50:]]))
    assert status == 200
    assert ask("GET", PLACE)[2] == LOG.checkpoint(5) + line
