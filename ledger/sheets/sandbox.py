"""
Our side of the child process that parses untrusted workbooks: start it once, keep it warm, ask it, start it again when it died.

One child per process, one request at a time; threads wait for each other. After a fork the new process starts its own. The child gets
no setting of ours: whatever a workbook manages to do there, it finds no key.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from ledger.errors import Unavailable
from ledger.sheets.child import LIMITS, read_frame, write_frame

_PROJECT = Path(__file__).resolve().parents[2]
# The child keeps time itself; this is for a child that no longer does.
_PATIENCE_SECONDS = LIMITS.wall_seconds + 15


class Unparsable(Exception):
    """The child would not or could not parse the workbook; `reason` as listed in `child`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Sandbox:
    """A warm child; `_lock` guards `_process`, which is None until the first request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, task: str, content: bytes, details: Mapping[str, object]) -> bytes:
        """
        Have one task done on one workbook.

        Raises Unparsable with the child's reason, Unavailable when there is no getting an answer.
        """
        request = json.dumps({"task": task, **details}).encode() + b"\n" + content
        with self._lock:
            answer = self._exchange(request) or self._exchange(request)
        if answer is None:
            raise Unavailable("读取表格的程序没有应答，请稍后再试一次。")
        if answer[:1] != b"+":
            raise Unparsable(answer[1:].decode())
        return answer[1:]

    def close(self) -> None:
        """End the child and wait for it, so that nothing is left behind."""
        with self._lock:
            self._end()

    def forget(self) -> None:
        """Leave the child to the process we were forked from; ours starts with the next request."""
        process, self._lock, self._process = self._process, threading.Lock(), None
        if process is not None:
            process.returncode = 0  # not our child: never waited for here
            for stream in filter(None, (process.stdin, process.stdout)):
                stream.close()

    def _exchange(self, request: bytes) -> bytes | None:
        """Send one request and read the answer; None if the child died, which also ends it for good."""
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = _start()
        process = self._process
        assert process.stdin is not None  # both are pipes: _start asks for them
        assert process.stdout is not None
        watchdog = threading.Timer(_PATIENCE_SECONDS, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            write_frame(process.stdin, request)
            answer = read_frame(process.stdout)
        except OSError:
            answer = None
        finally:
            watchdog.cancel()
        if not answer:
            self._end()
            return None
        return answer

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with process:  # closes the pipes and waits
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                process.communicate(timeout=1)
            process.kill()


def _start() -> subprocess.Popen[bytes]:
    """Start a child that imports what we would, and knows none of our settings."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "LC_", "LANG", "PATH", "TMPDIR"))}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "ledger.sheets.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,  # a buffer would carry another thread's half-written request, and its lock, over a fork
        env=kept | {"PYTHONPATH": os.pathsep.join([str(_PROJECT), *filter(None, sys.path)])},
    )


_sandbox = Sandbox()
ask = _sandbox.ask
os.register_at_fork(after_in_child=_sandbox.forget)
atexit.register(_sandbox.close)
