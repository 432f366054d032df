"""Several processes write to one store, and a database server that stops under them takes nothing with it."""

import subprocess
import sys
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from crashing import ROOT, WHOLE, Program, prepare
from postgres import running_server, server_identity
from sqlalchemy import make_url
from world import CLERK, World

from ledger.errors import Unavailable
from ledger.ids import new_entry_id
from ledger.log import Receipt
from ledger.service.recording import record_each


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_all_say_the_same_are_all_given_the_same_receipts(tmp_path, database_url, processes):
    """Each does all the steps in an order of its own: every step is done by one of them, and only found by the others."""
    home = prepare(tmp_path / "home", 24, url=database_url, processes=processes)
    with Program() as program:
        acked = program.crowd(home).acked
        found = defaultdict(list)
        for number, index in acked:
            found[number].append(index)
        assert {len(indexes) for indexes in found.values()} == {processes}
        assert program.check(home, acked) == WHOLE


FORKS = """
import os, sys
from pathlib import Path
from ledger.people.actors import OPERATOR
from ledger.log import Fact
from ledger.settings import Settings
from ledger.store import open_ledger
ledger = open_ledger(Settings(Path(sys.argv[1]), sys.argv[2]))
def say(name):
    ledger.write(lambda tx: tx.append([Fact("policy.adopted", {"policy": name, "effective_on": "2025-01-01", "rules": {}})]), OPERATOR)
say("before")
child = os.fork()
for number in range(10):
    say(f"{'parent' if child else 'child'}-{number}")
ledger.close()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os._exit(0)
"""


def test_a_forked_process_writes_on_its_own_beside_its_parent(world):
    command = [sys.executable, "-W", "ignore", "-c", FORKS, world.settings.home, world.settings.database_url]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    world.clock.now = world.clock.now.replace(year=2099)
    said = [entry["body"]["policy"] for entry in world.entries()[1:]]
    assert sorted(said) == sorted(["before", *(f"{who}-{n}" for who in ("parent", "child") for n in range(10))])


def restart_at_once(folder: Path) -> None:
    """Have PostgreSQL stop without a goodbye, as if it had been killed, and start again."""
    server = (folder / "data" / "postmaster.opts").read_text().split()[0]
    command = [Path(server).parent / "pg_ctl", "restart", "--mode=immediate", "--wait", "--silent", f"--pgdata={folder / 'data'}"]
    subprocess.run([*command, f"--log={folder / 'log'}"], cwd=folder, check=True, capture_output=True, **server_identity())


def test_a_postgresql_stopped_under_load_loses_and_doubles_nothing(tmp_path):
    with running_server() as url:
        address = make_url(url).set(drivername="postgresql")
        with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as admin:
            admin.execute("create database stopped template template0")
        world = World(tmp_path, make_url(url).set(database="stopped").render_as_string(hide_password=False))
        world.station()
        activity, people = world.activity(), [world.volunteer() for _ in range(4)]
        size, over = world.size, threading.Event()

        def load(person):
            said = []
            for days in range(1, 5_000):
                start = f"{world.today - timedelta(days)} 09:00"
                draft = world.draft(person, start, "10:00", activity=activity, id=new_entry_id())
                try:
                    said.append((draft, world.ledger.write_item(record_each, draft, CLERK)))
                except Unavailable as fault:
                    said.append((draft, fault))
                if over.wait(0.03):
                    break
            return said

        with ThreadPoolExecutor(16) as pool:
            loads = [pool.submit(load, person) for person in people]
            for _ in range(3):
                over.wait(0.3)
                restart_at_once(Path(make_url(url).query["host"]))
            over.wait(0.3)
            over.set()
            said = [pair for answer in loads for pair in answer.result(60)]
            again = list(pool.map(lambda pair: world.ledger.write_item(record_each, pair[0], CLERK), said))
        assert sorted(receipt.index for receipt in again) == list(range(size, size + len(said)))
        acked = [(now, then) for now, (_, then) in zip(again, said, strict=True) if isinstance(then, Receipt)]
        assert all(now == then for now, then in acked)
        assert 0 < len(acked) < len(said)
        world.check()
        world.close()
