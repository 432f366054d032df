"""What a verification takes: entries a second of one core and of both, beside bare hashing and two processes apart; and memory."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger import log
from ledger.checking.verifying import verify
from ledger.merkle import Tree, leaf_hash
from ledger.settings import Settings
from ledger.store import open_ledger
from scripts import limits

_BODIES = 200_000


@dataclass(frozen=True)
class Taken:
    """What one verification took: entries, seconds by the clock and of the processor (its own and its processes'), and megabytes at most."""

    size: int
    wall: float
    own: float
    children: float
    memory: int
    memory_of_child: int


def measure(settings: Settings, wanted: dict[str, Any]) -> Taken:
    """Verify in this process, which has done nothing before."""
    ledger = open_ledger(settings)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    found = verify(ledger, **wanted)
    wall = time.perf_counter() - began
    ledger.close()
    assert wanted.get("remake", True) or found.ok, found.faults[:3]
    own, child = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = own.ru_utime + own.ru_stime - before.ru_utime - before.ru_stime
    return Taken(found.size, wall, seconds, child.ru_utime + child.ru_stime, _megabytes(), child.ru_maxrss // 1024)


def _megabytes() -> int:
    """Read what this process needed at most; what the system says at its end counts the one that started it too."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


def alone(settings: Settings, count: int = 1, **wanted: Any) -> list[Taken]:
    """Verify in a fresh process, or in several at once that know nothing of each other."""
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(measure, [settings] * count, [wanted] * count))


def rows(row: Callable[..., None], settings: Settings, name: str) -> None:
    """Print the rows of one log. Rates are by processor time, so that others on the machine do not count; by the clock is said beside."""
    ledger = open_ledger(settings)
    with ledger.read() as tx:
        bodies = [bytes(one.body) for one in log.scan(tx.connection, stop=_BODIES)]
        subjects = tx.connection.exec_driver_sql("SELECT count(*) FROM chain").scalar_one()
    ledger.close()
    raw = limits.hashes_per_second(bodies)
    bare = f"{raw:,.0f} bare SHA-256/s"
    began = time.process_time()
    Tree().extend([leaf_hash(body) for body in bodies])
    rate = len(bodies) / (time.process_time() - began)
    row(f"{name}: verify leaves and tree", f"{rate:,.0f} entries/s", "450,000/s", bare, rate / raw)
    del bodies

    [one] = alone(settings, remake=False)
    rate = one.size / one.own
    row(
        f"{name}: verify and all chains, one core",
        f"{rate:,.0f} entries/s ({one.size / one.wall:,.0f} by the clock)",
        "150,000/s",
        bare,
        rate / raw,
    )
    both, apart = alone(settings, remake=False, jobs=2)[0], alone(settings, 2, remake=False)
    limit = sum(each.size / each.wall for each in apart)
    rate = both.size / both.wall
    row(f"{name}: verify and all chains, both cores", f"{rate:,.0f} entries/s", "", f"{limit:,.0f} by two apart at once", rate / limit)
    [whole] = alone(settings, vault=False)
    rate = whole.size / whole.own
    row(
        f"{name}: verify and projections re-made",
        f"{rate:,.0f} entries/s ({whole.size / whole.wall:,.0f} by the clock)",
        "25,000/s",
        bare,
        rate / raw,
    )
    goal = f"{200 + subjects * 300 // 10**6} MB"
    said = f"{max(one.memory, whole.memory)} MB; with two processes {both.memory} and {both.memory_of_child} each"
    row(f"{name}: memory of a verification, {subjects:,} subjects", said, goal)
