"""A selection over many: ranked, and frozen, beside the bare SQL that adds up the same records. Rows are put straight into the tables (SQLite)."""

import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ledger.ids import ALPHABET
from ledger.people.actors import OPERATOR
from ledger.selections import sources
from ledger.selections.ranking import rank
from ledger.selections.rules import read_said
from ledger.selections.sources import Scope
from ledger.settings import Settings
from ledger.store import Ledger, open_ledger
from ledger.tables import ServiceRow, VolunteerRow, table
from scripts.ledger_benchmark import Town

_RULES = {"name": "优秀志愿者", "quota": 100, "minimum_minutes": 900, "tie_break": ["minutes_ab", "services", "registered_on"]}
_NUMBER = "2222222222"
_BARE = """
SELECT volunteer, sum(minutes), sum(CASE WHEN grade IN ('A', 'B') THEN minutes ELSE 0 END), count(*) FROM service NOT INDEXED
WHERE status = 'approved' AND effective_on <= '2025-12-31' AND frozen = 0 AND served_on BETWEEN '2025-01-01' AND '2025-12-31' GROUP BY volunteer
"""


def run(row: Callable[..., None], people: int, records: int) -> None:
    """Make the store, and measure in a process of its own, whose memory is then nobody else's."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        town = Town(home, 20)
        town.ledger.close()
        _fill(home / "ledger.db", people, records)
        for rules, what in ((_RULES, "plain sums"), (_RULES | {"caps": {"day": 480}}, "with a daily cap")):
            said: dict[str, Any] = {}
            for part in ("bare", "live", "freeze", "frozen"):
                command = [sys.executable, "-m", "scripts.selection_benchmark", str(home), json.dumps(rules), part]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                said[part] = json.loads(done.stdout)
            bare = said["bare"]["seconds"]
            for part, of in (("live", "from the ledger as it stands"), ("frozen", "as it was frozen")):
                row(
                    f"selection over {people:,} people and {records:,} records, {what}, {of}",
                    _spelt(said[part]),
                    "10 s, 500 MB at 1 M and 10 M",
                    f"{_spelt(said['bare'])} for the bare SQL group-by",
                    bare / said[part]["seconds"],
                )
            row(f"freezing those {records:,} records, {what}", _spelt(said["freeze"]), "")


def _spelt(said: dict[str, float]) -> str:
    return f"{said['seconds']:.1f} s ({said['processor']:.1f} s of processor), {said['memory']:.0f} MB"


def _fill(database: Path, people: int, records: int) -> None:
    """Put rows like those that are there: invented people, each with services on days of 2025."""
    drawn = random.Random(7)  # noqa: S311 repeatable load
    numbers = sorted({"".join(drawn.choices(ALPHABET, k=10)) for _ in range(people)})
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        for pragma in ("synchronous=OFF", "journal_mode=MEMORY", "cache_size=-400000"):
            db.execute(f"PRAGMA {pragma}")
        activity = db.execute("SELECT id FROM activity LIMIT 1").fetchone()[0]
        _insert(db, "volunteer", [column.name for column in table(VolunteerRow).columns], _people(numbers))
        for name in ("ix_service_volunteer_start", "ix_service_station_status", "ix_service_activity", "ix_service_batch"):
            db.execute(f"DROP INDEX IF EXISTS {name}")
        _insert(db, "service", [column.name for column in table(ServiceRow).columns], _services(numbers, records, activity, drawn))
        db.execute("CREATE INDEX ix_service_volunteer_start ON service (volunteer, start)")
        db.execute("ANALYZE")


def _insert(db: sqlite3.Connection, name: str, columns: list[str], rows: Iterator[dict[str, Any]]) -> None:
    marks = ", ".join(f":{column}" for column in columns)
    named = ", ".join(f'"{column}"' for column in columns)
    db.execute("BEGIN")
    nothing = dict.fromkeys(columns)
    db.executemany(f"INSERT INTO {name} ({named}) VALUES ({marks})", (nothing | row for row in rows))  # noqa: S608 our own names
    db.execute("COMMIT")


def _people(numbers: list[str]) -> Iterator[dict[str, Any]]:
    for at, number in enumerate(numbers, 10_000_000):
        yield {
            "number": number,
            "station": f"3401040010{at % 20 + 1:02d}",
            "registered_on": f"20{19 + at % 5}-01-01",
            "basis": "self",
            "confirmed_on": "2024-01-01",
            "identity": "A" * 43 + "=",
            "entry_index": at,
            "since_on": "2019-01-01",
            "recorder": "clerk",
        }


def _services(numbers: list[str], records: int, activity: str, drawn: random.Random) -> Iterator[dict[str, Any]]:
    days = [f"2025-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29)]
    for at in range(records):
        day = days[drawn.randrange(len(days))]
        yield {
            "entry_index": 20_000_000 + at,
            "volunteer": numbers[drawn.randrange(len(numbers))],
            "activity": activity,
            "station": "340104001001",
            "served_on": day,
            "start": f"{day}T09:00",
            "end": f"{day}T11:00",
            "minutes": 30 * drawn.randrange(1, 8),
            "break_minutes": 0,
            "grade": "ABCD"[at % 4],
            "batch": "0195650a-4b00-7d3e-8c11-2f6a9be00000",
            "status": "approved",
            "effective_on": day,
            "recorder": "clerk",
            "recorded_at": f"{day}T20:00:00.000+08:00",
            "frozen": 0,
        }


def _bare(ledger: Ledger, _scope: Scope) -> object:
    with ledger.read() as tx:
        return sum(1 for _ in tx.connection.exec_driver_sql(_BARE, execution_options={"yield_per": 5_000}))


def _live(ledger: Ledger, scope: Scope) -> object:
    with ledger.read() as tx:
        return rank(sources.live(tx.connection, scope), scope.rules, scope.until)


def _freeze(ledger: Ledger, scope: Scope) -> object:
    return ledger.write(lambda tx: sources.freeze(tx.connection, _NUMBER, tx.tree_size, scope), OPERATOR)


def _forget(database: Path) -> None:
    """Drop what was frozen before, as no part of what is measured."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        for name in ("selection_record", "selection_candidate"):
            db.execute(f"DELETE FROM {name}")  # noqa: S608 ours


def _frozen(ledger: Ledger, scope: Scope) -> object:
    with ledger.read() as tx:
        source = sources.frozen(tx.connection, SimpleNamespace(id=_NUMBER, seats="{}"), scope.rules)
        return rank(source, scope.rules, scope.until)


_PARTS: dict[str, Callable[[Ledger, Scope], object]] = {"bare": _bare, "live": _live, "freeze": _freeze, "frozen": _frozen}


def _peak_megabytes() -> float:
    """Give the most memory that this process has had; what `getrusage` says begins with that of the process which made it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Measure one part on a store that is there: its folder, the rules, the part."""
    home, rules, part = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    if part == "freeze":
        _forget(home / "ledger.db")
    ledger = open_ledger(Settings(home, f"sqlite:///{home / 'ledger.db'}"))
    scope = Scope(read_said(json.loads(rules)), None, "2025-01-01", "2025-12-31", "2025-12-31")
    began, worked = time.perf_counter(), time.process_time()
    _PARTS[part](ledger, scope)
    found = {"seconds": time.perf_counter() - began, "processor": time.process_time() - worked}
    print(json.dumps(found | {"memory": _peak_megabytes()}))
    ledger.close()


if __name__ == "__main__":
    main()
