"""A sheet of sixty over HTTP as a clerk's browser sends it: the names pasted, the check, the commit; each on a day of its own."""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from ledger import stations
from ledger.entries import SHANGHAI
from ledger.people import volunteers
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.people.volunteers import Registration
from ledger.settings import Settings
from ledger.stations import Station
from ledger.store import create_ledger
from scripts import finding_benchmark
from scripts.browser import Browser
from scripts.http_benchmark import PORT, server
from scripts.ledger_benchmark import percentile

STATION, PASSWORD = "340104001001", "a password for one run"
PEOPLE, SIGNED, SHEETS = 300, 60, 20
_SURNAMES, _GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许", "建秀桂志海文国英兰强燕博明芳华"


def run(row: Callable[..., None]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "station"
        names = _found(home)
        serve = [sys.executable, "-m", "scripts.shouwang", "serve", "--port", str(PORT), "--without-jobs"]
        with server(serve, {"SHOUWANG_HOME": str(home)}):
            clerk = Browser()
            clerk.sign_in("bench", PASSWORD)
            days = [date.today() - timedelta(days=1 + n) for n in range(SHEETS)]  # noqa: DTZ011 any days behind
            steps = list(zip(*(_sheet(clerk, day, names[n : n + SIGNED]) for n, day in enumerate(days)), strict=True))
        for what, seconds in zip(("names pasted", "checked", "committed"), steps, strict=True):
            said = f"p50 {percentile(list(seconds), 0.5):.0f} ms, slowest {max(seconds) * 1000:.0f} ms"
            row(f"a sheet of {SIGNED} through the page, of {PEOPLE} people: {what}", said, "300 ms" if what == "committed" else "")


def _sheet(clerk: Browser, day: date, names: list[str]) -> tuple[float, float, float]:
    """Log one sheet; the seconds of its three requests that do the work."""
    clerk.get("/logging/")
    page = clerk.post("/logging/", station=STATION, activity="")
    said = {
        "title": "邻里守望",
        "series": "neighbour-care",
        "day": day.isoformat(),
        "start": "9:00",
        "end": "11:00",
        "rows": "",
        "do": "check",
    }
    pasted = _timed(lambda: clerk.post(page, paste="\n".join(names), **said))
    checked = _timed(lambda: clerk.get(f"{page}/check"))
    receipts: list[str] = []
    committed = _timed(lambda: receipts.append(clerk.post(f"{page}/check", do="commit")))
    assert receipts[0].startswith("/batches/"), receipts
    return pasted, checked, committed


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _found(home: Path) -> list[str]:
    """Found a station with its people and its clerk. Returns the people's names, no two alike."""
    ledger = create_ledger(Settings(home, f"sqlite:///{home / 'ledger.db'}"))
    ledger.write(lambda tx: stations.declare(tx, Station(STATION, "第一站", "station", None)), OPERATOR)
    names = [surname + first + second for surname in _SURNAMES for first in _GIVEN for second in _GIVEN][:: len(_GIVEN)][:PEOPLE]
    on = ledger.now().astimezone(SHANGHAI).date() - timedelta(days=400)
    people = [
        Registration(name, number, STATION, on, "roster") for name, number in zip(names, finding_benchmark.id_numbers(PEOPLE), strict=True)
    ]
    ledger.write(lambda tx: volunteers.register_many(tx, people), OPERATOR)
    Accounts(ledger).create(OPERATOR, "bench", "recorder", station=STATION, password=PASSWORD)
    ledger.close()
    return names
