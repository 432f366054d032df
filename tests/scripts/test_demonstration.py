"""The invented street goes where there was never a ledger, whole or not at all; nowhere else."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url

from ledger.errors import SettingsError
from ledger.log import tree_head
from ledger.settings import Settings
from ledger.store import create_ledger, holds_entries
from scripts import demonstration

PROGRAM = Path(sys.executable).parent / "shouwang"


def size(url, settings):
    with contextlib.closing(create_ledger(Settings(settings.home, url))) as ledger, ledger.read() as tx:
        return tree_head(tx.connection).size


def test_a_real_ledger_is_left_alone_wherever_its_database_and_its_keys_are(tmp_path, database_url):
    """The home that knows it holds no ledger.db; another home was set by mistake."""
    real = Settings(tmp_path / "keys-only", database_url)
    create_ledger(real).close()
    demonstration.prepare(real)
    demonstration.prepare(Settings(tmp_path / "mistaken", database_url))
    assert size(database_url, real) == 1
    assert not (tmp_path / "mistaken").exists()


def test_a_real_home_whose_database_is_gone_is_not_filled_with_inventions(tmp_path, database_url):
    real = Settings(tmp_path / "home", f"sqlite:///{tmp_path}/first.db")
    create_ledger(real).close()
    demonstration.prepare(Settings(real.home, database_url))
    assert not holds_entries(database_url)


def test_a_load_that_was_broken_off_is_said_with_what_to_remove(tmp_path, database_url):
    settings = Settings(tmp_path / "home", database_url)
    settings.home.mkdir()
    (settings.home / "key-store.db").mkdir()  # no place for the key store: it breaks
    with pytest.raises(Exception):  # noqa: B017, PT011 however it broke
        demonstration.prepare(settings)
    (settings.home / "key-store.db").rmdir()
    with pytest.raises(SettingsError, match="中断") as refusal:
        demonstration.prepare(settings)
    assert f"请删去文件夹 {settings.home}、" in str(refusal.value)
    assert f" {make_url(database_url).database}，再重新运行" in str(refusal.value)
    assert not holds_entries(database_url)


def test_half_a_street_is_not_served(tmp_path):
    """Killed as soon as the ledger is there, while the street is loading."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("SHOUWANG_")}
    place = {"cwd": tmp_path, "env": surroundings | {"SHOUWANG_HOME": str(tmp_path / "var"), "COLUMNS": "400"}}
    command = [PROGRAM, "serve", "--demo", "--port", "0", "--without-jobs"]
    database = tmp_path / "var" / "ledger.db"
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **place)
    while first.poll() is None and not (database.exists() and holds_entries(f"sqlite:///{database}")):
        time.sleep(0.05)
    first.kill()
    first.wait()
    again = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **place)
    assert again.returncode == 2, again.stderr
    assert f"请删去文件夹 {tmp_path / 'var'}，再重新运行" in again.stderr


def test_the_street_is_loaded_once_with_its_logins(tmp_path):
    settings = Settings(tmp_path, f"sqlite:///{tmp_path}/ledger.db")
    demonstration.prepare(settings)
    logins = tmp_path / "demonstration-logins.json"
    kept, entries = logins.read_bytes(), size(settings.database_url, settings)
    assert logins.stat().st_mode & 0o077 == 0
    demonstration.prepare(settings)
    assert (logins.read_bytes(), size(settings.database_url, settings)) == (kept, entries)
