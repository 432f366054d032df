"""Benchmarks: one run, every figure beside the limit it approaches, as a ratio. Prints Markdown for the README."""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ledger import log
from ledger.checking.verifying import verify
from ledger.imports import run
from ledger.merkle import Tree, leaf_hash
from ledger.people.actors import OPERATOR
from ledger.settings import Settings
from ledger.store import Ledger, create_ledger
from scripts import (
    certificate_benchmark,
    check_in_benchmark,
    demonstration,
    http_benchmark,
    indicator_benchmark,
    ledger_benchmark,
    limits,
    paper_benchmark,
    postgresql_benchmark,
    rules_benchmark,
    selection_benchmark,
    sheet_benchmark,
)


class Report:
    """Rows of one table: what was measured, the goal, the limit beside it, their ratio."""

    def __init__(self, title: str) -> None:
        print(f"\n### {title}\n")
        print("| what | measured | goal | limit beside it | ratio |")
        print("|---|---|---|---|---|")

    def row(self, what: str, measured: str, goal: str, limit: str = "", ratio: float | None = None) -> None:
        """Print one row; *ratio* is measured to limit, 1 being the limit itself."""
        print(f"| {what} | {measured} | {goal} | {limit} | {f'{ratio:.2f}' if ratio is not None else ''} |", flush=True)


def street() -> None:
    """One street's year: import, project, verify; a sheet of sixty; verification rates."""
    report = Report("One street's year (SQLite, `scripts/bench street`)")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        report.row("raw 4 KiB append + fdatasync", f"{limits.fsyncs_per_second(home):,.0f}/s", "")
        ledger = create_ledger(Settings(home / "store", f"sqlite:///{home / 'store' / 'ledger.db'}"))
        began = time.perf_counter()
        demonstration.load_street(ledger)
        imported = time.perf_counter() - began
        began = time.perf_counter()
        found = verify(ledger)
        verified = time.perf_counter() - began
        assert found.ok, found.faults[:3]
        bare = limits.bare_inserts_seconds(ledger.engine, home / "bare.db")
        whole = imported + verified
        report.row(
            f"sanlian-street: {found.size:,} entries imported ({imported:.1f} s), verified ({verified:.1f} s)",
            f"{whole:.1f} s",
            "20 s",
            f"{bare:.2f} s to insert the same rows bare",
            bare / whole,
        )
        sheet = max(demonstration.STREET.glob("signin-*.xlsx"), key=lambda path: path.stat().st_size)
        content = sheet.read_bytes()
        rehearsed = limits.median_of(15, lambda: run(ledger, "hours", content, sheet.name, OPERATOR, settled=True, rehearse=True))
        report.row("a sheet of about 60 rows read, judged, rehearsed (known rows)", f"{rehearsed * 1000:.0f} ms", "300 ms")
        fresh = _fresh_sheet(home)
        report.row("a sheet of about 60 rows read, judged, committed (new rows)", f"{fresh * 1000:.0f} ms", "300 ms")
        _verification(report, ledger, found.size)
        certificate_benchmark.run(report.row, ledger)
        paper_benchmark.run(report.row, ledger)
    print(f"\nPeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB.")


def _fresh_sheet(home: Path) -> float:
    """Commit one sheet on a store that holds everything but the sheets; median over all thirty."""
    ledger = create_ledger(Settings(home / "fresh", f"sqlite:///{home / 'fresh' / 'ledger.db'}"))
    for kind, name in demonstration.ROSTERS:
        run(ledger, kind, (demonstration.STREET / name).read_bytes(), name, OPERATOR)
    seconds = []
    for path in sorted(demonstration.STREET.glob("signin-*.xlsx")):
        content = path.read_bytes()
        began = time.perf_counter()
        run(ledger, "hours", content, path.name, OPERATOR, settled=True)
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[len(seconds) // 2]


def _verification(report: Report, ledger: Ledger, size: int) -> None:
    with ledger.read() as tx:
        bodies = [bytes(row.body) for row in log.scan(tx.connection)]
    raw = limits.hashes_per_second(bodies)
    levels: list[tuple[str, str, Callable[[], object]]] = [
        ("verify: leaves and tree", "450,000/s", lambda: Tree().extend([leaf_hash(body) for body in bodies])),
        ("verify: and all chains", "150,000/s", lambda: verify(ledger, remake=False)),
        ("verify: and projections and vault re-made", "25,000/s", lambda: verify(ledger)),
    ]
    for what, goal, work in levels:
        rate = size / limits.best_of(3, work)
        report.row(what, f"{rate:,.0f} entries/s", goal, f"{raw:,.0f} bare SHA-256/s", rate / raw)


def ledger() -> None:
    """Appends, verification and reads at each size named after the word, 10,000 without one: `scripts/bench ledger 10000 1000000`.

    With `--keep DIR` in front of the sizes the town stays in that folder, and the next run, also after one that was broken off, goes on with it.
    """
    words = sys.argv[2:]
    keep = Path(words[1]) if words[:1] == ["--keep"] else None
    sizes = sorted(int(word) for word in words[2 if keep else 0 :]) or [10_000]
    report = Report("The ledger under load (SQLite, `scripts/bench ledger`)")
    ledger_benchmark.run(report.row, sizes, keep)
    print(f"\nPeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB.")


def http() -> None:
    """Appends over HTTP."""
    report = Report("Over HTTP on loopback (SQLite, client on the same cores, `scripts/bench http`)")
    http_benchmark.run(report.row)
    check_in_benchmark.run(report.row)
    sheet_benchmark.run(report.row)


def postgresql() -> None:
    """Appends on PostgreSQL, in databases of their own on the server named: `scripts/bench postgresql postgresql+psycopg://…/postgres`."""
    if len(sys.argv) < 3:
        sys.exit("用法：scripts/bench postgresql postgresql+psycopg://用户@主机/postgres（账号要能建数据库）")
    postgresql_benchmark.run(Report("The ledger under load (PostgreSQL, `scripts/bench postgresql`)").row, sys.argv[2])


def credit() -> None:
    """Credit explained, entry by entry."""
    rules_benchmark.run(Report("Credit explained (SQLite, `scripts/bench credit`)").row)


def selection() -> None:
    """A selection over so many people and records, 100,000 and 1,000,000 without numbers: `scripts/bench selection 1000000 10000000`."""
    people, records = (int(word) for word in (sys.argv[2:4] if len(sys.argv) > 3 else ("100000", "1000000")))
    selection_benchmark.run(Report("A selection (SQLite, `scripts/bench selection`)").row, people, records)


def indicators() -> None:
    """Rates and indicators of so many stations, people and services, on SQLite or a server: `scripts/bench indicators 10000 1000000 10000000 [URL]`."""
    stations, people, services = (int(word) for word in (sys.argv[2:5] if len(sys.argv) > 4 else ("1000", "100000", "1000000")))
    engine = "PostgreSQL" if len(sys.argv) > 5 else "SQLite"
    report = Report(f"Rates and indicators ({engine}, `scripts/bench indicators`)")
    indicator_benchmark.run(report.row, stations, people, services, *sys.argv[5:6])


_BENCHES = {
    "street": street,
    "ledger": ledger,
    "http": http,
    "postgresql": postgresql,
    "credit": credit,
    "selection": selection,
    "indicators": indicators,
}


def main() -> None:
    """Run the benchmark named, or those that need no server."""
    for name in sys.argv[1:2] or ("street", "ledger", "http"):
        _BENCHES[name]()


if __name__ == "__main__":
    main()
