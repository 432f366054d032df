"""A crowd at the door: a thousand people signed in at one desk over HTTP from fifty connections, each request durable before its answer."""

import http.client
import re
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from ledger.activities import Activity
from ledger.attendance import desks
from ledger.entries import SHANGHAI
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.planning import plans
from ledger.service.drafts import spell_minute
from scripts.http_benchmark import PORT, load, server
from scripts.ledger_benchmark import Town, percentile

CROWD, CONNECTIONS = 1_000, 50
_STATION, _PASSWORD = "340104001001", "a password for one run"


def run(row: Callable[..., None]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder) / "town", CROWD)
        event = _event(town)
        people = town.people[:CROWD]
        town.ledger.close()
        serve = [sys.executable, "-m", "scripts.shouwang", "serve", "--port", str(PORT), "--without-jobs"]
        with server(serve, {"SHOUWANG_HOME": str(town.home)}):
            cookie, token = _sign_in(event)
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
            bodies = [urlencode({"csrf_token": token, "code": number}) for number in people]
            rate, latencies = load(f"/activities/{event}/desk", bodies, headers, 302, threads=CONNECTIONS)
        again = Town(town.home, CROWD)
        with again.ledger.read() as tx:
            counted = desks.counts(tx.connection, event)
        again.ledger.close()
        assert (counted.people, counted.pairs) == (CROWD, CROWD), counted
        said = f"{rate:,.0f}/s, p50 {percentile(latencies, 0.5):.0f} ms, p99 {percentile(latencies, 0.99):.0f} ms; none lost, none twice"
        row(f"{CROWD:,} people signed in at one desk, {CONNECTIONS} connections", said, "p99 250 ms")


def _event(town: Town) -> str:
    """Publish an activity that begins in an hour, and open its desk."""
    Accounts(town.ledger).create(OPERATOR, "bench", "recorder", station=_STATION, password=_PASSWORD)
    here = datetime.now(SHANGHAI).replace(tzinfo=None, second=0, microsecond=0)
    start, end = spell_minute(here + timedelta(hours=1)), spell_minute(here + timedelta(hours=3))
    said = Activity(_STATION, "开放日", "neighbour-care", start=start, end=end, place="广场", responsible_account=OPERATOR.account)
    [event] = town.ledger.write(lambda tx: plans.publish(tx, said), OPERATOR)
    town.ledger.operate(lambda connection, now: desks.open_desk(connection, now, OPERATOR, event))
    return event


def _sign_in(event: str) -> tuple[str, str]:
    """Sign the clerk in; the session's cookie, and the token of its forms."""
    cookies: dict[str, str] = {}
    token = _token(_ask("GET", "/sign-in", cookies))
    _ask("POST", "/sign-in", cookies, urlencode({"csrf_token": token, "name": "bench", "password": _PASSWORD}))
    token = _token(_ask("GET", f"/activities/{event}/desk", cookies))
    return _spelt(cookies), token


def _ask(method: str, path: str, cookies: dict[str, str], body: str | None = None) -> str:
    """Ask for a page as a browser does, keeping the cookies it sets."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    connection.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded", "Cookie": _spelt(cookies)})
    answer = connection.getresponse()
    for said in answer.headers.get_all("Set-Cookie", []):
        name, _, value = said.partition(";")[0].partition("=")
        cookies[name] = value
    return answer.read().decode()


def _spelt(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "the page has no form"
    return found[1]
