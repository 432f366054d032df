"""Faults on order: a program is run under strace, which fails or kills it at one single system call, and then its store is looked at.

strace's `-e inject=CALL:error=EIO:when=N` makes the N-th such call of each thread fail, `:signal=KILL:` kills the process there.
"""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from stdnum.iso7064.mod_11_2 import calc_check_digit
from world import HOME, World

from ledger.ids import new_entry_id

ROOT = Path(__file__).parent.parent
CALLS = "write,pwrite64,fsync,fdatasync,ftruncate,?unlink,?unlinkat,?rename,?renameat,?renameat2"
EFFECTS = ("error=EIO", "signal=KILL")
WHOLE = {"lost": 0, "doubled": 0, "faults": []}


@dataclass(frozen=True)
class Fault:
    """What happens at the *number*-th *call* of a thread."""

    call: str
    number: int
    effect: str

    def __str__(self) -> str:
        return f"{self.call}:{self.effect}:when={self.number}"


@dataclass(frozen=True)
class Outcome:
    """What a run acknowledged, as (number of the step, index), and what strace wrote down."""

    acked: list[tuple[int, int]]
    trace: str = ""


class Program:
    """The program of tests/crash, standing by."""

    def __enter__(self):
        command = [sys.executable, ROOT / "tests" / "crash" / "appending.py"]
        environment = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self._process.communicate(timeout=60)

    def run(self, home: Path, *options: str) -> Outcome:
        """Run a store's steps under strace with these options."""
        log = home / "trace"
        pid = self._ask("run", home)
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", log, "-e", f"trace={CALLS}", *options, "-p", str(pid)])
        acked = self._acknowledged()
        tracer.wait(timeout=60)
        return Outcome(acked, log.read_text())

    def crowd(self, home: Path) -> Outcome:
        """Run a store's steps in several processes at once."""
        self._ask("crowd", home)
        return Outcome(self._acknowledged(expected=0))

    def check(self, home: Path, acked: list[tuple[int, int]]) -> dict:
        """Look at a store after a run, retry every step, and tell what was lost, doubled or wrong."""
        (home / "acked.json").write_text(json.dumps(acked))
        self._ask("check", home)
        said, status = self._hear()
        assert status == 0, "the store does not open, or a retry fails; see standard error"
        return json.loads(said[-1])

    def _ask(self, command: str, home: Path) -> int:
        self._process.stdin.write(f"{command} {home}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline().split()[1])

    def _acknowledged(self, expected: int | None = None) -> list[tuple[int, int]]:
        said, status = self._hear()
        assert expected in (None, status)
        found = (line.split() for line in said if line.startswith("ack "))
        return [(int(number), int(index)) for _, number, index in found]

    def _hear(self) -> tuple[list[str], int]:
        said = []
        for line in self._process.stdout:
            if line.startswith("end "):
                return said, int(line.split()[1])
            said.append(line)
        raise AssertionError("the program is gone")


# --- stores with something to do


def _record(number: int, person: str, activity: str) -> dict:
    day = date(2025, 1, 1) - timedelta(days=number)
    times = {"start": f"{day}T09:00", "end": f"{day}T10:00"}
    return {"what": "record", "id": new_entry_id(), "volunteer": person, "activity": activity, "station": HOME, **times}


def _newcomer(number: int) -> dict:
    body = f"34010219600101{number:03}"
    return {"what": "register", "name": "新来的人", "id_number": body + calc_check_digit(body), "station": HOME}


def prepare(home: Path, records: int, *, plain: bool = False, url: str | None = None, **plan: int) -> Path:
    """Make a store with steps to do, closed and whole: records, and unless *plain* now and then a newcomer (key store) and a signature (guard)."""
    world = World(home, url or f"sqlite:///{home / 'ledger.db'}")
    world.station()
    person, activity = world.volunteer(), world.activity()
    steps = []
    for number in range(records):
        steps.append(_record(number, person, activity))
        if number % 8 == 2 and not plain:
            steps.append(_newcomer(number))
        if number % 8 == 5 and not plain:
            steps.append({"what": "sign"})
    (home / "plan.json").write_text(json.dumps({"url": url, "size": world.size, "steps": steps, "wal_pages": 4_000, **plan}))
    world.close()
    return home


# --- faults


def calls_of(trace: str) -> Counter[tuple[str, str]]:
    """Count the calls of each thread: (thread, call) -> how many."""
    return Counter(re.findall(r"^(\d+)\s+(\w+)\(", trace, re.MULTILINE))


def faults_of(trace: str) -> list[Fault]:
    """Give every fault that a run like this one can have."""
    most: Counter[str] = Counter()
    for (_thread, call), count in calls_of(trace).items():
        most[call] = max(most[call], count)
    return [Fault(call, number, effect) for call, count in sorted(most.items()) for number in range(1, count + 1) for effect in EFFECTS]


def run_whole(program: Program, base: Path, home: Path) -> Outcome:
    """Run a fresh copy of a store without any fault, and make sure that all was done."""
    shutil.copytree(base, home)
    outcome = program.run(home)
    assert program.check(home, outcome.acked) == WHOLE
    assert len(outcome.acked) == len(json.loads((home / "plan.json").read_bytes())["steps"])
    return outcome


def injure(program: Program, base: Path, home: Path, fault: Fault) -> dict | None:
    """Run a fresh copy of a store with one fault; give what was found afterwards, None if the fault did not come about."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(base, home)
    outcome = program.run(home, "-e", f"inject={fault}")
    found = program.check(home, outcome.acked)
    return found if "INJECTED" in outcome.trace or "killed by SIGKILL" in outcome.trace else None
