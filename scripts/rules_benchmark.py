"""Credit explained for somebody with very many records, beside the plain statement and the bare reading of the rows."""

import gc
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from ledger import activities, credit, stations
from ledger.activities import Activity
from ledger.bulk import rows_where_in
from ledger.ids import new_entry_id
from ledger.people import volunteers
from ledger.people.actors import OPERATOR
from ledger.people.volunteers import Registration
from ledger.rules import adopting, answers, reading
from ledger.service import recording
from ledger.service.drafts import Draft
from ledger.settings import Settings
from ledger.stations import Station
from ledger.store import Ledger, create_ledger
from ledger.tables import ServiceRow, table
from ledger.transactions import WriteTransaction
from scripts import limits
from scripts.finding_benchmark import id_numbers

RECORDS = 3_000
_STATION = "340104001001"
_TIMES = 31
_AT_ONCE = 250
_SERVICE = table(ServiceRow)
_EXAMPLES = Path(reading.__file__).parent / "examples"


def run(row: Callable[..., None]) -> None:
    """Measure: rows read bare, the plain statement, and the explanation by the ladder, by hours and points, and by tiers."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        ledger = create_ledger(Settings(home, f"sqlite:///{home / 'ledger.db'}"))
        number = _served(ledger)
        gc.collect()
        gc.freeze()  # as the server does once it is up
        bare = _median(ledger, lambda tx: rows_where_in(tx.connection, _SERVICE.c, _SERVICE.c.volunteer, [number]))
        plain = _median(ledger, lambda tx: credit.statement(tx, number))
        row(
            f"the plain statement of {RECORDS:,} records",
            f"{plain * 1000:.1f} ms",
            "",
            f"{bare * 1000:.1f} ms to read the rows",
            bare / plain,
        )
        for name, what in ((adopting.STAR, "by the ladder of hours"), ("longquanyi", "by hours and points"), ("haibei", "by tiers")):
            if name != adopting.STAR:
                _adopt(ledger, name)
            taken = _median(ledger, _explaining(number, name))
            row(
                f"credit explained {what}, {RECORDS:,} records",
                f"{taken * 1000:.1f} ms ({_processor(ledger, _explaining(number, name)) * 1000:.1f} ms of processor time)",
                "50 ms",
                f"{plain * 1000:.1f} ms statement",
                plain / taken,
            )
        said = _median(ledger, lambda tx: orjson.dumps(answers.explained(tx, number, "longquanyi").said()))
        row("and said as JSON", f"{said * 1000:.1f} ms", "", f"{plain * 1000:.1f} ms statement", plain / said)
        ledger.close()


def _median(ledger: Ledger, work: Callable[[Any], object]) -> float:
    def once() -> None:
        with ledger.read() as tx:
            work(tx)

    once()
    return limits.median_of(_TIMES, once)


def _processor(ledger: Ledger, work: Callable[[Any], object]) -> float:
    """Give the processor time of one run, the mean of some: a busy machine lengthens the rest."""
    began = time.process_time()
    for _ in range(_TIMES):
        with ledger.read() as tx:
            work(tx)
    return (time.process_time() - began) / _TIMES


def _explaining(number: str, name: str) -> Callable[[Any], object]:
    return lambda tx: answers.explained(tx, number, name)


def _record(drafts: list[Draft], tx: WriteTransaction) -> object:
    return recording.record_many(tx, drafts)


def _adopt(ledger: Ledger, name: str) -> None:
    """Adopt a shipped example under its file's name, in force since long ago."""
    said = orjson.loads((_EXAMPLES / f"{name}.json").read_bytes()) | {"name": name, "effective_on": "2015-01-01"}
    ledger.write(lambda tx: adopting.adopt(tx, orjson.dumps(said)), OPERATOR)


def _served(ledger: Ledger) -> str:
    """Give the number of somebody with RECORDS services of 90 minutes, one a day, at a tenth as many activities."""
    ledger.write(lambda tx: stations.declare(tx, Station(_STATION, "测试社区", "station", None, None, None, None, None)), OPERATOR)
    [id_number] = id_numbers(1)
    person = Registration("测试", id_number, _STATION, ledger.now().date(), "clerk")
    [number] = ledger.write(lambda tx: volunteers.register_many(tx, [person]), OPERATOR)
    offers = [Activity(_STATION, f"巡逻 {at}", "safe-community", services=["patrol"]) for at in range(RECORDS // 10)]
    done = ledger.write(lambda tx: activities.find_or_publish(tx, offers), OPERATOR)
    first, batch = datetime(2016, 3, 1, 9), new_entry_id()  # noqa: DTZ001 local times are naive
    starts = [first + timedelta(days=day) for day in range(RECORDS)]
    drafts = [
        Draft(str(number), done[at % len(done)], _STATION, start, start + timedelta(minutes=90), "B", batch, settled=True)
        for at, start in enumerate(starts)
    ]
    for at in range(0, RECORDS, _AT_ONCE):
        ledger.write(partial(_record, drafts[at : at + _AT_ONCE]), OPERATOR)
    return str(number)
