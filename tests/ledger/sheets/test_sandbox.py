"""The process that parses untrusted workbooks: warm, limited, replaced when it dies, gone when we are."""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from files import SIGN_IN_ROWS, with_sheet_xml, worksheet_xml, xls, xlsx

from ledger.errors import Unavailable
from ledger.sheets import child, sandbox, workbooks
from ledger.sheets.reading import read_sheet

ROOT = Path(__file__).parents[3]
FAR_CELLS = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
LARGE = with_sheet_xml(
    xlsx([["x"]]), worksheet_xml(b"".join(b'<row r="%d"><c r="A%d"><v>%d.5</v></c></row>' % (n, n, n) for n in range(1, 200_000)))
)


@pytest.fixture
def box():
    made = sandbox.Sandbox()
    yield made
    made.close()


def order(task: str, content: bytes) -> bytes:
    return json.dumps({"task": task}).encode() + b"\n" + content


def rows_of(box, content=None):
    return workbooks.decode_rows(box.ask("read_xlsx", content or xlsx([["a", 1]]), {}))


def children_of(pid: int) -> list[int]:
    return [int(child_pid) for child_pid in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_one_child_serves_many_requests(box):
    assert rows_of(box) == rows_of(box) == [["a", 1]]
    first = box._process.pid
    rows_of(box)
    assert box._process.pid == first


def test_two_cells_that_ask_for_549_gigabytes_kill_only_the_worker(box):
    rows_of(box)
    first = box._process.pid
    with pytest.raises(sandbox.Unparsable) as refusal:
        box.ask("read_xls", with_sheet_xml(xlsx([["x"]]), worksheet_xml(FAR_CELLS)), {})
    assert refusal.value.reason == "crashed"
    assert rows_of(box) == [["a", 1]]
    assert box._process.pid == first


def test_a_child_that_died_is_replaced(box):
    rows_of(box)
    first = box._process
    first.kill()
    first.wait()
    assert rows_of(box) == [["a", 1]]
    assert box._process.pid != first.pid


@pytest.mark.parametrize("length", [10, 15_000], ids=["reading the answer", "writing the request"])
def test_a_child_that_dies_while_asked_is_replaced(box, length):
    rows_of(box)
    large = [[secrets.token_hex(length)] for _ in range(10)]
    first = box._process
    os.kill(first.pid, signal.SIGSTOP)
    threading.Timer(0.2, first.kill).start()
    assert rows_of(box, xlsx(large)) == large
    assert first.returncode == -signal.SIGKILL


def test_a_child_that_hangs_is_killed_at_the_end(box):
    rows_of(box)
    hanging = box._process
    os.kill(hanging.pid, signal.SIGSTOP)
    box.close()
    assert hanging.returncode == -signal.SIGKILL


def test_threads_wait_for_each_other_and_get_their_own_rows(box):
    got = {}

    def ask(n):
        got[n] = rows_of(box, xlsx([[f"第{n}份", n]]))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {n: [[f"第{n}份", n]] for n in range(12)}


def test_after_a_fork_each_process_has_its_own_child():
    read_sheet(xlsx(SIGN_IN_ROWS), "")
    before = sandbox._sandbox._process.pid
    forked = os.fork()
    if forked == 0:
        read_sheet(xlsx(SIGN_IN_ROWS), "")
        own = sandbox._sandbox._process.pid
        sandbox._sandbox.close()
        os._exit(own == before)
    assert os.waitpid(forked, 0)[1] == 0
    read_sheet(xlsx(SIGN_IN_ROWS), "")
    assert sandbox._sandbox._process.pid == before


def test_a_fork_before_the_first_request_changes_nothing(box):
    box.forget()
    assert rows_of(box) == [["a", 1]]


def test_no_child_is_left_when_the_program_ends(tmp_path):
    """Run from another folder, from a program that is not a module, and without a word on its streams."""
    (tmp_path / "签到表.xlsx").write_bytes(xlsx(SIGN_IN_ROWS))
    program = """
import pathlib, sys
from ledger.sheets import sandbox
from ledger.sheets.reading import read_sheet
assert len(read_sheet(pathlib.Path("签到表.xlsx").read_bytes(), "").rows) == 4
print(sandbox._sandbox._process.pid)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHOUWANG_SECRET": "x"}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert not Path(f"/proc/{done.stdout.strip()}").exists()


def test_the_child_knows_no_setting_of_ours(box):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHOUWANG_SECRET": "geheim"}
    program = """
import pathlib, openpyxl, io
from ledger.sheets import sandbox
book = openpyxl.Workbook(); book.active.append([1]); out = io.BytesIO(); book.save(out)
sandbox.ask("read_xlsx", out.getvalue(), {})
print(pathlib.Path(f"/proc/{sandbox._sandbox._process.pid}/environ").read_text())
"""
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert "PATH=" in done.stdout
    assert "geheim" not in done.stdout


def test_no_answer_at_all_is_said_and_not_waited_for():
    class Dead(sandbox.Sandbox):
        def _exchange(self, _request):
            return None

    with pytest.raises(Unavailable, match="稍后"):
        Dead().ask("read_xlsx", b"", {})


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (child.Limits(wall_seconds=0.15), b"-time"),
        (child.Limits(processor_seconds=1), b"-time"),
        (child.Limits(memory_bytes=60 << 20), b"-memory"),
        (child.Limits(answer_bytes=1000), b"-time"),
    ],
)
def test_a_worker_beyond_its_limits_is_ended(limits, reason):
    program = "import sys; from ledger.sheets import child, workbooks; limits = child.Limits(*map(float, sys.argv[1:]))\n"
    program += (
        "limits = child.Limits(int(limits.memory_bytes), int(limits.processor_seconds), limits.wall_seconds, int(limits.answer_bytes))\n"
    )
    program += "sys.stdout.buffer.write(child.answer_in_worker(sys.stdin.buffer.read(), limits)[:20])"
    arguments = [str(value) for value in (limits.memory_bytes, limits.processor_seconds, limits.wall_seconds, limits.answer_bytes)]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input=order("read_xlsx", LARGE),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == (reason, b"")


def test_a_worker_leaves_no_process_and_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = children_of(os.getpid())
    assert child.answer_in_worker(order("read_xlsx", xlsx([["a"]]))) == b'+[["a"]]'
    assert child.answer_in_worker(order("read_xls", xls([["a"]]))) == b'+[["a"]]'
    assert child.answer_in_worker(order("read_xls", b"x")) == b"-damaged"
    assert child.answer_in_worker(order("read_xlsx", xlsx([]))) == b"-blank"
    assert list(tmp_path.iterdir()) == []
    assert children_of(os.getpid()) == before


def test_frames_of_any_size_pass_and_a_broken_one_is_the_end(tmp_path):
    path = tmp_path / "frames"
    payloads = [b"", b"x", b"y" * 3_000_000]
    with path.open("wb", buffering=0) as stream:
        for payload in payloads:
            child.write_frame(stream, payload)
        stream.write((10).to_bytes(8) + b"short")
    with path.open("rb") as stream:
        assert [child.read_frame(stream) for _ in range(5)] == [*payloads, None, None]
