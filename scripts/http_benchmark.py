"""Reads and appends over HTTP on loopback, one and a hundred a request, beside an empty endpoint under the same server and the same client."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ledger.ids import new_entry_id
from ledger.people import volunteers
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.people.tokens import Tokens
from ledger.service.drafts import Draft
from ledger.store import Ledger
from scripts import finding_benchmark, sign_in_benchmark
from scripts.ledger_benchmark import Town, percentile

_EMPTY = """
import sys
from flask import Flask
import waitress
app = Flask("empty")
app.post("/")(lambda: {})
waitress.serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=16, ident=None)
"""
PORT = 8793
"""Where every server of a benchmark listens, on this machine alone."""
_THREADS = 16
_PASSWORD = "a password for one run"  # noqa: S105 made and thrown away


def run(row: Callable[..., None]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder) / "town", 20_000)
        Accounts(town.ledger).create(OPERATOR, "bench", "approver", station="340104001000", password=_PASSWORD)
        scopes = ["service-records:write", "service-records:read", "volunteers:read"]
        secret = Tokens(town.ledger).issue(OPERATOR, "bench", scopes, date.today() + timedelta(days=1))  # noqa: DTZ011 any day ahead
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        ones = [json.dumps(_said(draft)) for draft in town.drafts(9_600)]
        hundreds = [json.dumps({"id": new_entry_id(), "records": [_said(d) for d in town.drafts(100)]}) for _ in range(320)]
        index, known = town.size(), finding_benchmark.id_numbers(200)
        town.append(town.drafts(1))
        finding_benchmark.crowd(town.ledger, "340104001001", known)
        found = _find(town.ledger, known)
        row(
            "find by ID number among 1,000,000 volunteers",
            f"p50 {percentile(found, 0.5):.2f} ms, p99 {percentile(found, 0.99):.2f} ms",
            "5 ms",
        )
        town.ledger.close()
        with server([sys.executable, "-c", _EMPTY, str(PORT)]):
            empty, _ = load("/", ["{}"] * 9_600, {"Content-Type": "application/json"}, 200)
            _, alone = load("/", ["{}"] * 600, {"Content-Type": "application/json"}, 200, threads=1)
        row("empty Flask endpoint, 16 connections", f"{empty:,.0f}/s", "")
        serve = [sys.executable, "-m", "scripts.shouwang", "serve", "--port", str(PORT), "--without-jobs"]
        unlimited = {"SHOUWANG_API_TOKEN_PER_MINUTE": "100000000", "SHOUWANG_API_ADDRESS_PER_MINUTE": "100000000"}
        with server(serve, {"SHOUWANG_HOME": str(town.home), **unlimited}):
            rate, latencies = load(f"/api/v1/service-records/{index}", [""] * 9_600, headers, 200, "GET")
            said = f"{rate:,.0f}/s, p99 {percentile(latencies, 0.99):.1f} ms"
            row("GET one service record with a token, 16 connections", said, "50 %", f"{empty:,.0f} empty requests/s", rate / empty)
            bodies = [json.dumps({"id_number": number}) for number in known]
            rate, latencies = load("/api/v1/volunteers/find", bodies * 3, headers, 200, threads=1)
            said = f"p50 {percentile(latencies, 0.5):.1f} ms, p99 {percentile(latencies, 0.99):.1f} ms"
            row("POST find by ID number among them, 1 connection", said, "5 ms")
            sign_in_benchmark.run(row, PORT, "bench", _PASSWORD, percentile(alone, 0.5) / 1000)
            rate, latencies = load("/api/v1/service-records", ones, headers, 201)
            said = f"{rate:,.0f}/s, p50 {percentile(latencies, 0.5):.1f} ms, p99 {percentile(latencies, 0.99):.1f} ms"
            row("POST one service record, 16 connections", said, "50 %, p99 25 ms", f"{empty:,.0f} empty requests/s", rate / empty)
            rate, latencies = load("/api/v1/service-records/batch", hundreds, headers, 200)
            row(
                "POST a hundred service records",
                f"{rate * 100:,.0f} entries/s, p99 {percentile(latencies, 0.99):.0f} ms",
                "15,000 entries/s",
            )


def _said(draft: Draft) -> dict[str, Any]:
    times = {name: getattr(draft, name).isoformat() + "+08:00" for name in ("start", "end")}
    return {"id": draft.id, "volunteer": draft.volunteer, "activity": draft.activity, "station": draft.station, "grade": "B", **times}


def _find(ledger: Ledger, known: list[str]) -> list[float]:
    """Find each person; seconds."""
    taken = []
    for number in known:
        began = time.perf_counter()
        with ledger.read() as tx:
            assert number in volunteers.find_by_id_numbers(tx, [number])
        taken.append(time.perf_counter() - began)
    return taken


def load(
    path: str, bodies: list[str], headers: dict[str, str], wanted: int, method: str = "POST", threads: int = _THREADS
) -> tuple[float, list[float]]:
    """Send each body once over kept connections; requests a second and every latency in seconds."""
    latencies: list[float] = []
    failures: list[str] = []

    def go(mine: list[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        for body in mine:
            began = time.perf_counter()
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            said = response.read()
            latencies.append(time.perf_counter() - began)
            if response.status != wanted:
                failures.append(f"{response.status} {said[:300]!r}")

    workers = [threading.Thread(target=go, args=(bodies[at::threads],)) for at in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures, failures[:2]
    return len(latencies) / (time.perf_counter() - began), latencies


@contextmanager
def server(command: list[str], env: dict[str, str] | None = None) -> Iterator[None]:
    """Run a server until the work is done; it listens when the work begins."""
    process = subprocess.Popen(command, env=os.environ | (env or {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                http.client.HTTPConnection("127.0.0.1", PORT, timeout=1).connect()
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)
