"""The tests' own PostgreSQL keeps what the ledger relies on, and leaves nothing behind."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_each_database_is_empty_and_its_own(postgres_url):
    first, second = postgres_url(), postgres_url()
    with psycopg.connect(plain(first)) as connection:
        connection.execute("create table hours (minutes int)")
    with psycopg.connect(plain(second)) as connection:
        assert connection.execute("select to_regclass('hours')").fetchone() == (None,)


@pytest.mark.parametrize("setting", ["fsync", "synchronous_commit", "full_page_writes"])
def test_the_server_is_as_durable_as_the_ledger_asks(postgres_url, setting):
    with psycopg.connect(plain(postgres_url())) as connection:
        assert connection.execute("select current_setting(%s)", [setting]).fetchone() == ("on",)


def test_a_fresh_database_opens_on_either_engine(database_url):
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("select '守望'")).scalar() == "守望"
    engine.dispose()


def test_a_killed_run_leaves_no_server_and_no_folder():
    program = "import postgres, time\nwith postgres.running_server() as url: print(url, flush=True); time.sleep(60)"
    command = [sys.executable, "-c", program]
    run = subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True)
    with run:
        folder = Path(make_url(run.stdout.readline().strip()).query["host"])
        assert folder.exists()
        run.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not folder.exists()
