"""The program that is killed: does the steps of a store, one after the other, and acknowledges each on standard output.

    run HOME      do the steps as soon as somebody traces this process
    crowd HOME    do them in several processes at once, each all of them, in an order of its own
    check HOME    open the store again, retry every step, verify everything, and print what was found as JSON

HOME/plan.json says which database, its size before, the steps, how many processes, and how long the write-ahead log may grow. Commands come on standard
input. Each has a forked process of its own, which opens the store itself, so that what is slow (starting Python) is done once. A step that
fails is tried once more, as a client would, and then left.
"""

import ctypes
import json
import os
import random
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from sqlalchemy import event, select
from sqlalchemy.pool import Pool

from ledger.checking.verifying import verify
from ledger.people.actors import OPERATOR
from ledger.people.volunteers import Registration, register_many
from ledger.refusals import Already
from ledger.service.drafts import Draft
from ledger.service.recording import record_each
from ledger.settings import Settings
from ledger.store import Ledger, open_ledger
from ledger.tables import CheckpointRow, EntryRow, table

ANYBODY_MAY_TRACE = (0x59616D61, ctypes.c_ulong(-1))  # PR_SET_PTRACER, PR_SET_PTRACER_ANY


def plan_of(home: Path) -> dict:
    return json.loads((home / "plan.json").read_bytes())


def store(home: Path, url: str | None) -> Ledger:
    return open_ledger(Settings(home, url or f"sqlite:///{home / 'ledger.db'}"))


def do(ledger: Ledger, step: dict) -> int:
    """Do one step; the answer is what the log says of it, the same each time that it is asked."""
    if step["what"] == "sign":
        ledger.write(lambda tx: ledger.signing.sign(tx.connection), OPERATOR)
        return ledger.signing.last_signed()[0]
    if step["what"] == "register":
        newcomer = Registration(step["name"], step["id_number"], step["station"], ledger.now().date(), "clerk")
        size, answer = ledger.write(lambda tx: (tx.tree_size, register_many(tx, [newcomer])[0]), OPERATOR)
        return answer.index if isinstance(answer, Already) else size
    times = {"start": ledger.now().fromisoformat(step["start"]), "end": ledger.now().fromisoformat(step["end"])}
    draft = Draft(step["volunteer"], step["activity"], step["station"], **times, grade="B", batch=step["id"], id=step["id"])
    return ledger.write_item(record_each, draft, OPERATOR).index


def work(home: Path, plan: dict, steps: list[tuple[int, dict]]) -> None:
    ledger = store(home, plan["url"])
    for number, step in steps:
        for _attempt in range(2):
            with suppress(Exception):  # whatever it was: nothing was acknowledged
                os.write(1, f"ack {number} {do(ledger, step)}\n".encode())
                break
    ledger.close()


def run(home: Path) -> None:
    ctypes.CDLL(None).prctl(*ANYBODY_MAY_TRACE)
    while "TracerPid:\t0" in Path("/proc/self/status").read_text():
        time.sleep(0.002)
    time.sleep(0.01)
    plan = plan_of(home)
    event.listen(Pool, "checkout", lambda connection, *_: connection.execute(f"PRAGMA wal_autocheckpoint={plan['wal_pages']}"))
    work(home, plan, list(enumerate(plan["steps"])))


def crowd(home: Path) -> None:
    plan = plan_of(home)
    steps = list(enumerate(plan["steps"]))
    for seed in range(plan["processes"]):
        if not os.fork():
            work(home, plan, random.Random(seed).sample(steps, len(steps)))
            return
    failed = [status for _ in range(plan["processes"]) if (status := os.wait()[1])]
    assert not failed


def check(home: Path) -> None:
    """Compare what the log says with what was acknowledged (HOME/acked.json), before and after every step is retried."""
    plan, acked = plan_of(home), json.loads((home / "acked.json").read_bytes())
    steps = plan["steps"]
    ledger = store(home, plan["url"])
    before = dict(said(ledger))
    lost = {(number, index) for number, index in acked if not holds(ledger, before, steps[number], index)}
    again = [do(ledger, step) for step in steps]
    lost |= {(number, index) for number, index in acked if steps[number]["what"] != "sign" and again[number] != index}
    ids = [entry["id"] for _, entry in said(ledger)]
    wanted = plan["size"] + sum(step["what"] != "sign" for step in steps)
    doubled = len(ids) - len(set(ids)) + len(ids) - wanted
    faults = [str(fault) for fault in verify(ledger).faults]
    ledger.close()
    print(json.dumps({"lost": len(lost), "doubled": doubled, "faults": faults}), flush=True)


def said(ledger: Ledger) -> list[tuple[int, dict]]:
    entry = table(EntryRow).c
    with ledger.read() as tx:
        return [(index, json.loads(body)) for index, body in tx.connection.execute(select(entry.index, entry.body).order_by(entry.index))]


def holds(ledger: Ledger, entries: dict[int, dict], step: dict, index: int) -> bool:
    """Whether the log holds what was acknowledged for a step."""
    if step["what"] == "sign":
        with ledger.read() as tx:
            return index in tx.connection.execute(select(table(CheckpointRow).c.size)).scalars().all()
    entry = entries.get(index, {})
    return entry.get("id") == step["id"] if step["what"] == "record" else entry.get("kind") == "volunteer.registered"


def main() -> None:
    for line in sys.stdin:
        command, home = line.rstrip("\n").split(" ", 1)
        child = os.fork()
        if not child:
            status = 1
            signal.alarm(120)  # one that hangs is a fault too
            try:
                {"run": run, "crowd": crowd, "check": check}[command](Path(home))
                status = 0
            except BaseException:  # noqa: BLE001 the parent hears of it by the status
                traceback.print_exc()
            finally:
                os._exit(status)
        print(f"pid {child}", flush=True)
        print(f"end {os.waitpid(child, 0)[1]}", flush=True)


if __name__ == "__main__":
    main()
