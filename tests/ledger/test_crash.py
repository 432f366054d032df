"""Whatever single system call fails, and wherever the process is killed: what was acknowledged is there, once, and the log verifies.

SHOUWANG_FAULTS=1000 injects so many faults, spread over all calls of a run, on both cores.
"""

import contextlib
import os
import queue
import resource
import shutil
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from crashing import WHOLE, Program, calls_of, faults_of, injure, prepare, run_whole
from world import CLERK, World

from ledger.errors import Unavailable
from ledger.ids import new_entry_id
from ledger.service.recording import record_each

FAULTS = int(os.environ.get("SHOUWANG_FAULTS", "10"))

SYNCS_BESIDES = 4
"""Syncs of a run besides one a commit: the new write-ahead log's header and its folder; at the end that log and the database it is copied back to."""


def test_no_single_fault_or_kill_loses_or_doubles_an_acknowledged_entry(tmp_path, capsys):
    home = prepare(tmp_path / "base", 20, wal_pages=60)
    workers = 2 if FAULTS > 100 else 1
    idle: queue.Queue[tuple[int, Program]] = queue.Queue()

    def one(fault):
        number, program = idle.get()
        try:
            return fault, injure(program, home, tmp_path / f"copy-{number}", fault)
        finally:
            idle.put((number, program))

    with contextlib.ExitStack() as programs, ThreadPoolExecutor(workers) as pool:
        for number in range(workers):
            idle.put((number, programs.enter_context(Program())))
        number, program = idle.get()
        possible = faults_of(run_whole(program, home, tmp_path / "whole").trace)
        idle.put((number, program))
        chosen = [possible[at * len(possible) // FAULTS] for at in range(FAULTS)] if len(possible) > FAULTS else possible
        found = [(fault, seen) for fault, seen in pool.map(one, chosen) if seen is not None]
    kinds = Counter(f"{fault.call} {fault.effect}" for fault, _ in found)
    lost, doubled = (sum(seen[what] for _, seen in found) for what in ("lost", "doubled"))
    with capsys.disabled():
        print(f"\n{len(found)} faults, {lost} lost, {doubled} doubled ({', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))})")
    assert {str(fault): seen for fault, seen in found if seen != WHOLE} == {}
    assert len(found) > 0.9 * len(chosen)


def test_each_commit_is_synced_to_the_disk_once(tmp_path):
    with Program() as program:
        for records in (5, 25):
            trace = run_whole(program, prepare(tmp_path / f"base-{records}", records, plain=True), tmp_path / f"copy-{records}").trace
            synced = sum(count for (_thread, call), count in calls_of(trace).items() if call in ("fsync", "fdatasync"))
            assert synced == records + SYNCS_BESIDES


# --- a full disk


@pytest.fixture
def small_disk(tmp_path):
    """A folder whose space can be taken away and given back: a small file system of its own, or else a limit on the size of files."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False).returncode == 0
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    @contextlib.contextmanager
    def full():
        if mounted:
            with (folder / "ballast").open("wb") as ballast:
                os.posix_fallocate(ballast.fileno(), 0, shutil.disk_usage(folder).free - 100_000)
        else:
            largest = max(path.stat().st_size for path in folder.rglob("*.db*"))
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 100_000, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            (folder / "ballast").unlink(missing_ok=True)

    yield folder, full
    if mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_said_loses_nothing_and_is_no_lasting_harm(small_disk):
    folder, full = small_disk
    world = World(folder / "home", f"sqlite:///{folder / 'home' / 'ledger.db'}")
    world.station()
    person, activity = world.volunteer(), world.activity()
    days = [world.today - timedelta(number) for number in range(1, 400)]
    drafts = iter([world.draft(person, f"{day} 08:00", "09:00", activity=activity, id=new_entry_id()) for day in days])
    world.another()  # as long as somebody else has the database open, giving up a broken connection frees no space
    acked = []
    with full():
        for draft in drafts:
            try:
                acked.append((draft, world.ledger.write_item(record_each, draft, CLERK)))
            except Unavailable:
                break
        for _ in range(3):
            with pytest.raises(Unavailable, match="请联系管理员检查磁盘"):
                world.ledger.write_item(record_each, draft, CLERK)
        assert world.verify().ok
    size = world.size
    assert acked
    assert world.ledger.write_item(record_each, draft, CLERK).index == size
    assert [world.ledger.write_item(record_each, draft, CLERK) for draft, _ in acked] == [receipt for _, receipt in acked]
    world.volunteer()
    world.check()
    world.close()
