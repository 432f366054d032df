"""
The process that parses untrusted workbooks: `python -m ledger.sheets.child`, started and fed by `sandbox`.

It stays warm with the parsers imported. For each request it forks a worker with limits on memory, processor time and wall clock,
passes the worker's answer on, and is itself never touched by the workbook. The worker has no way to the requests and a temporary
folder of its own that is gone when the worker is, however it ended.

Frame, both ways: 8 bytes big-endian length, then that many bytes.
Request: one line of JSON {"task": "read_xlsx" | "read_xls" | "mark_xlsx", "header_row"?, "problems"?}, a newline, the workbook.
Answer: "+" and the rows or the workbook, or "-" and the reason why not, one of `workbooks.Reason` or damaged, memory, time, crashed.
"""

import gc
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from typing import IO, NoReturn

from ledger.sheets import workbooks


@dataclass(frozen=True)
class Limits:
    """What one worker may use: enough for 200,000 rows, too little to be felt by others."""

    memory_bytes: int = 1 << 30
    processor_seconds: int = 30
    wall_seconds: float = 45
    answer_bytes: int = 256 << 20


LIMITS = Limits()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Read one frame; None when the other side has closed, also in the middle of one."""
    head = _read_exactly(stream, 8)
    return None if head is None else _read_exactly(stream, int.from_bytes(head))


def write_frame(stream: IO[bytes], payload: bytes) -> None:
    """Write one frame and flush; the stream may be unbuffered."""
    rest = memoryview(len(payload).to_bytes(8) + payload)
    while rest:
        rest = rest[stream.write(rest) :]
    stream.flush()


def _read_exactly(stream: IO[bytes], length: int) -> bytes | None:
    received = bytearray()
    while len(received) < length:
        part = stream.read(length - len(received))
        if not part:
            return None
        received += part
    return bytes(received)


def perform(request: bytes) -> bytes:
    """Do what a request asks, in this very process, and give the answer."""
    line, _, content = request.partition(b"\n")
    order = json.loads(line)
    try:
        match order["task"]:
            case "read_xlsx":
                return b"+" + workbooks.read_xlsx(content)
            case "read_xls":
                return b"+" + workbooks.read_xls(content)
            case _:
                problems = {int(row): sentence for row, sentence in order["problems"].items()}
                return b"+" + workbooks.mark_xlsx(content, order["header_row"], problems)
    except workbooks.Refused as refusal:
        return b"-" + refusal.reason.encode()
    except MemoryError:
        return b"-memory"
    except Exception:  # noqa: BLE001 - a damaged workbook makes the parsers raise anything at all
        return b"-damaged"


def answer_in_worker(request: bytes, limits: Limits = LIMITS) -> bytes:
    """Fork a limited worker for one request and wait for its answer, its death or the end of its time."""
    with tempfile.TemporaryDirectory(prefix="shouwang-sheet-") as folder:
        receiving, sending = os.pipe()
        worker = os.fork()
        if worker == 0:
            _work(request, sending, folder, limits)
        os.close(sending)
        answer = _collect(receiving, limits)
        os.close(receiving)
        if answer is None:
            os.kill(worker, signal.SIGKILL)
        _, status = os.waitpid(worker, 0)
    if answer is None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return b"-time"
    return answer if os.WIFEXITED(status) and answer else b"-crashed"


def _work(request: bytes, sending: int, folder: str, limits: Limits) -> NoReturn:
    """Be the worker: shed the parent's streams, take on the limits, answer into the pipe, end."""
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        tempfile.tempdir = folder
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_seconds, limits.processor_seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.answer_bytes, limits.answer_bytes))
        with os.fdopen(sending, "wb") as pipe:
            pipe.write(perform(request))
    finally:
        os._exit(0)  # never back into the loop of the parent


def _collect(receiving: int, limits: Limits) -> bytes | None:
    """Gather the worker's answer until it closes the pipe; None when time or room is over."""
    answer = bytearray()
    deadline = time.monotonic() + limits.wall_seconds
    ready = select.poll()
    ready.register(receiving, select.POLLIN)
    while len(answer) <= limits.answer_bytes:
        if not ready.poll(max(0, round((deadline - time.monotonic()) * 1000))):
            return None
        part = os.read(receiving, 1 << 20)
        if not part:
            return bytes(answer)
        answer += part
    return None


def main() -> None:
    """Answer requests until the parent closes our input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides when we end
    warnings.simplefilter("ignore")  # openpyxl warns of every extension it does not know
    gc.collect()
    gc.freeze()  # workers share these pages instead of copying them
    while (request := read_frame(sys.stdin.buffer)) is not None:
        write_frame(sys.stdout.buffer, answer_in_worker(request))


if __name__ == "__main__":
    main()
