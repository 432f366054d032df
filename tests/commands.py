"""The command as its users run it: each call is a process of its own, with its own arguments, surroundings, folder and streams.

    said = shouwang("verify", "--json", SHOUWANG_HOME=home, cwd=folder)
    assert (said.returncode, said.stderr) == (0, "")

To load the program takes a second, more than most commands do. So one process stands by that has come to where the program reads its arguments, and
has loaded the libraries of other people that some commands load then; a call is a fork of it that goes on from there and ends as the program ends.
That the program starts from nothing is asked in test_shouwang.py, and wherever it is left running (PROGRAM).
"""

import atexit
import functools
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = Path(sys.executable).parent / "shouwang"
PATIENCE = 120
LONGEST = 100_000
"""Bytes of arguments and surroundings."""
LIBRARIES = (
    "alembic.command",
    "argon2",
    "authlib.integrations.requests_client",
    "flask_login",
    "flask_smorest",
    "flask_wtf",
    "openpyxl",
    "waitress",
)


def surroundings(**said) -> dict[str, str]:
    """The environment without what it says of another ledger; *said* is added, SHOUWANG_HOME for one."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("SHOUWANG_")}
    return given | {"COLUMNS": "200"} | {name: str(value) for name, value in said.items()}


def shouwang(*arguments, cwd: Path | None = None, said: str = "", **environment) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. *said*: what it reads from its standard input."""
    return _run(
        {"arguments": [str(PROGRAM), *map(str, arguments)], "cwd": str(cwd or Path.cwd()), "environment": surroundings(**environment)}, said
    )


def python(code: str, *arguments, **environment) -> subprocess.CompletedProcess[str]:
    """Run a program of a test's own in the same way, with the ledger loaded: `python -c code arguments`."""
    return _run(
        {"code": code, "arguments": ["-c", *map(str, arguments)], "cwd": str(Path.cwd()), "environment": surroundings(**environment)}, ""
    )


def _run(wanted, said: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answered, tempfile.TemporaryFile() as complained:
        given.write(said.encode())
        given.seek(0)
        code = _ready().run(wanted, given, answered, complained)
        answered.seek(0)
        complained.seek(0)
        return subprocess.CompletedProcess(wanted["arguments"], code, answered.read().decode(), complained.read().decode())


class Ready:
    """The process that stands by. It goes when this one does, however: then nobody is left at the other end of its line."""

    def __init__(self) -> None:
        self.line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.line.settimeout(PATIENCE)
        command = [sys.executable, __file__, str(theirs.fileno())]
        with theirs:
            self.process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                env=surroundings(),
            )

    def run(self, wanted, *streams) -> int:
        """Have one command run. Raises TimeoutError: it was ended, and whatever it began."""
        try:
            socket.send_fds(self.line, [json.dumps(wanted).encode()], [stream.fileno() for stream in streams])
            return int(self.line.recv(LONGEST))
        except BaseException:
            os.killpg(self.process.pid, signal.SIGKILL)
            _ready.cache_clear()
            raise

    def dismiss(self) -> None:
        """Let it go."""
        self.line.close()
        self.process.wait()


@functools.cache
def _ready() -> Ready:
    made = Ready()
    atexit.register(made.dismiss)
    return made


def _stand_by(line: socket.socket) -> str | None:
    """Answer each call by a fork of this process; only in the forks this function returns, with everything as was wanted: gives a test's own code."""
    while True:
        wanted, streams, _, _ = socket.recv_fds(line, LONGEST, 3)
        if not wanted:
            os._exit(0)
        if (child := os.fork()) == 0:
            line.close()
            return _become(json.loads(wanted), streams)
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        line.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(wanted, streams) -> str | None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    time.tzset()
    os.chdir(wanted["cwd"])
    sys.argv = wanted["arguments"]
    return wanted.get("code")


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parent.parent)  # as `pip install -e .` does; this folder is the tests' alone
    for name in LIBRARIES:
        importlib.import_module(name)
    program = importlib.import_module("scripts.shouwang")
    gc.collect()
    gc.freeze()
    if (code := _stand_by(socket.socket(fileno=int(sys.argv[1])))) is None:
        sys.exit(program.main())
    exec(code, {"__name__": "__main__"})  # noqa: S102 a test's own
