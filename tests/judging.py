"""The outside judge: a Go program over Go's own transparency-log package, which shares no code with ours."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parent / "judge" / "main.go"
GO_PATH = "/usr/share/gocode"  # where Debian keeps the sources of Go packages


class Verdict(NamedTuple):
    """What the judge said: whether all holds, and each fault on a line."""

    ok: bool
    text: str


@pytest.fixture(scope="session")
def judge(tmp_path_factory, request) -> Callable[..., Verdict]:
    """`judge("tiles", vkey, folder)` or `judge("proof", vkey, proof_file, entry_file)`."""
    go = shutil.which("go")
    if go is None:
        pytest.fail("no Go: apt-get install golang-go golang-golang-x-mod-dev")
    folder = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        folder = folder.parent  # shared by the workers of one run: the first of them builds
    program = folder / "judge"
    with (folder / "judge.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            cache = request.config.cache.mkdir("go-build")
            surroundings = os.environ | {"GO111MODULE": "off", "GOPATH": GO_PATH, "GOCACHE": str(cache), "GOFLAGS": ""}
            command = [go, "build", "-o", program, SOURCE.name]
            place = {"cwd": SOURCE.parent, "env": surroundings}
            built = subprocess.run(command, capture_output=True, text=True, check=False, **place)
            if built.returncode:
                pytest.fail(f"the judge does not build (apt-get install golang-golang-x-mod-dev?):\n{built.stderr}")

    def ask(*arguments: str | Path) -> Verdict:
        said = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert said.returncode in (0, 1), said
        return Verdict(said.returncode == 0, said.stdout)

    return ask
