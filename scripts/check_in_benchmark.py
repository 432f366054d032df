"""A crowd at the door: a thousand people signed in at one desk over HTTP from fifty connections, each request durable before its answer."""

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
from scripts.browser import FORM, Browser
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
            clerk = Browser()
            clerk.sign_in("bench", _PASSWORD)
            clerk.get(f"/activities/{event}/desk")
            headers = {"Content-Type": FORM, "Cookie": clerk.cookie}
            bodies = [urlencode({"csrf_token": clerk.token, "code": number}) for number in people]
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
