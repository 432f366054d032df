"""What the commands' tests share: a home as `shouwang init` leaves it."""

import shutil
import subprocess

import pytest
from commands import PROGRAM, surroundings


@pytest.fixture(scope="session")
def initialised(tmp_path_factory):
    """Put a new home at a path: the command makes one, once, and each test gets a copy; that the command makes one is asked in test_shouwang.py."""
    made = tmp_path_factory.mktemp("initialised") / "home"
    subprocess.run([PROGRAM, "init"], env=surroundings(SHOUWANG_HOME=made), capture_output=True, check=True, timeout=120)

    def put(home):
        shutil.copytree(made, home, dirs_exist_ok=True)

    return put
