"""Witnesses stand for our checkpoints: their lines are gathered, checked, kept and served; whoever is slow, dead or lying harms only itself."""

import base64
import contextlib
import socket
import sqlite3
import threading
import time
from dataclasses import replace

import psycopg
import pytest
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint as TheirCheckpoint
from witnessing import clock, serving

from api.witness import create_witness_app
from jobs.schedule import JOBS, run_due
from ledger import checkpoints, cosignatures
from ledger.entries import format_time
from ledger.errors import SettingsError
from ledger.exporting import export_log
from ledger.notes import NoteError, Signer, cosign, encode_proof, note_parts, verify_proof
from ledger.settings import Settings
from ledger.signing import Verifier
from ledger.trust_policy import Policy, parse_policy
from ledger.witness import Witness, create_witness, evidence

PROMPT = 60.0
"""Patience with witnesses that do answer, on a machine that may be busy."""
REFUSED = (sqlite3.IntegrityError, psycopg.errors.RaiseException, psycopg.errors.UniqueViolation)
EVIL = Signer.from_seed("witness.example/evil", b"e" * 32)


class Somebody:
    """A witness of its own household, that knows our log."""

    def __init__(self, name, home, world):
        self.settings = Settings(home, "")
        self.vkey = create_witness(self.settings, f"witness.example/{name}")
        self.world = world

    def app(self):
        policy = parse_policy(f"log {self.world.ledger.signing.vkey}\nquorum none\n".encode())
        return create_witness_app(Witness(self.settings, policy, clock))


def configure(world, *lines):
    world.settings.witness_policy.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def district(world, tmp_path):
    with serving((somebody := Somebody("district", tmp_path / "district", world)).app()) as somebody.url:
        yield somebody


@pytest.fixture
def city(world, tmp_path):
    with serving((somebody := Somebody("city", tmp_path / "city", world)).app()) as somebody.url:
        yield somebody


@pytest.fixture
def both(world, district, city):
    """A log of 3 entries, signed, that two witnesses must cosign."""
    configure(
        world,
        f"log {world.ledger.signing.vkey}",
        f"witness district {district.vkey} {district.url}",
        f"witness city {city.vkey} {city.url}/",
        "group both all district city",
        "quorum both",
    )
    world.grow(3)
    world.sign()
    return world


def served(world):
    with world.read() as tx:
        return checkpoints.served_checkpoint(tx.connection)


def standings(world):
    with world.read() as tx:
        policy = cosignatures.configured_policy(world.settings)
        return {one.name: one for one in cosignatures.standings(tx.connection, policy, tx.now)}


def policy(world) -> Policy:
    return cosignatures.configured_policy(world.settings)


def test_a_checkpoint_has_its_quorum_when_both_witnesses_have_cosigned(both, district, city, tmp_path, judge):
    with pytest.raises(NoteError, match="联署不够"):
        policy(both).open_checkpoint(served(both).encode())
    assert cosignatures.gather(both.ledger, PROMPT) == 2
    note = served(both)
    assert policy(both).open_checkpoint(note.encode()).size == 3
    both.grow(300)
    assert note == served(both)
    both.sign()
    assert served(both).count("\n— ") == 1
    assert cosignatures.gather(both.ledger, PROMPT) == 2
    assert cosignatures.gather(both.ledger, PROMPT) == 0
    note = served(both)
    assert policy(both).open_checkpoint(note.encode()).size == 300
    assert [one.size for one in standings(both).values()] == [300, 300]

    file = tmp_path / "checkpoint"
    file.write_text(note)
    vkeys = (district.vkey, city.vkey)
    verdict = judge("checkpoint", both.ledger.signing.vkey, file, *vkeys)
    assert verdict.ok, verdict.text
    assert "size 300" in verdict.text
    for at in range(0, len(note.encode()), 7):
        raw = note.encode()
        file.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        assert not judge("checkpoint", both.ledger.signing.vkey, file, *vkeys).ok, at


def test_a_library_by_somebody_else_accepts_our_cosigned_checkpoint_and_no_other(both, district, city):
    cosignatures.gather(both.ledger, PROMPT)
    note = served(both)
    theirs = TheirCheckpoint.from_text(note)
    for vkey in (both.ledger.signing.vkey, district.vkey, city.vkey):
        theirs.verify(Vkey.from_string(vkey))
        with pytest.raises(Exception):  # noqa: B017, PT011  # whatever they raise
            replace(theirs, size=4).verify(Vkey.from_string(vkey))
    with pytest.raises(RuntimeError):
        theirs.verify(Vkey.from_string(EVIL.cosigner_vkey))


def test_what_is_exported_proved_and_served_carries_the_cosignatures(both, tmp_path, judge):
    cosignatures.gather(both.ledger, PROMPT)
    note = served(both)
    export_log(both.ledger, tmp_path / "log")
    assert (tmp_path / "log" / "checkpoint").read_text() == note
    assert judge("tiles", both.ledger.signing.vkey, tmp_path / "log").ok
    with both.read() as tx:
        proof = checkpoints.prove_entry(tx.connection, 1)
    assert encode_proof(proof).endswith(note.encode())
    [(raw,)] = both.sql('SELECT body FROM entry WHERE "index" = 1')
    assert verify_proof(proof, raw, [both.ledger.signing.verifier()]).size == 3
    assert both.verify(against=note.encode()).ok


def test_without_a_policy_or_a_checkpoint_nobody_is_asked(world, district):
    assert cosignatures.gather(world.ledger) == 0
    configure(world, f"witness district {district.vkey} {district.url}", "quorum district")
    assert cosignatures.gather(world.ledger) == 0
    assert served(world) is None
    configure(world, f"witness district {district.vkey}", "quorum district")
    world.sign()
    assert cosignatures.gather(world.ledger) == 0
    configure(world, "quorum nobody")
    with pytest.raises(SettingsError, match=r"witnesses\.policy"):
        cosignatures.gather(world.ledger)


def test_a_line_that_was_lost_on_its_way_is_asked_for_again(both, district):
    """The witness had stored it, and died before it answered; or we did before we stored it."""
    witness = Witness(district.settings, parse_policy(f"log {both.ledger.signing.vkey}\nquorum none\n".encode()), clock)
    with both.read() as tx:
        note = checkpoints.newest_checkpoint(tx.connection)
    assert witness.add_checkpoint(f"old 0\n\n{note}".encode()).status == 200
    assert cosignatures.gather(both.ledger, PROMPT) == 2
    both.grow(5)
    both.sign()
    assert cosignatures.gather(both.ledger, PROMPT) == 2


def test_two_processes_that_ask_at_once_keep_one_line_of_each(both):
    other, counts = both.another(), []
    threads = [threading.Thread(target=lambda one=one: counts.append(cosignatures.gather(one, PROMPT))) for one in (both.ledger, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PROMPT)
    assert len(counts) == 2
    assert both.sql("SELECT count(*) FROM cosignature") == [(2,)]
    assert policy(both).open_checkpoint(served(both).encode()).size == 3


# --- witnesses that are slow, dead or lying


@contextlib.contextmanager
def speaking(behave):
    """A server that reads a request, and then does to the connection what it wants."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopping = threading.Event()

    def one(connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(PROMPT)
            request = b""
            while b"\r\n\r\n" not in request or not request.endswith(b"=\n"):
                request += connection.recv(65_536)
            behave(connection, request, stopping)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threads.append(threading.Thread(target=one, args=(listener.accept()[0],)))
                threads[-1].start()

    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopping.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join(PROMPT)


def answering(body, status="200 OK", *headers):
    """Answer with this body, or what it makes of the checkpoint's text."""

    def behave(connection, request, _stopping):
        text = note_parts(request.split(b"\r\n\r\n", 1)[1].split(b"\n\n", 1)[1])[0]
        said = body(text) if callable(body) else body
        said = said.encode() if isinstance(said, str) else said
        head = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(said)}", "Connection: close", "", ""]
        connection.sendall("\r\n".join(head).encode() + said)

    return behave


def silent(_connection, _request, stopping):
    stopping.wait(PROMPT)


def dripping(connection, _request, stopping):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not stopping.wait(0.05):
        connection.sendall(b"X-More: and more\r\n"[:1])


def dripping_body(connection, _request, stopping):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not stopping.wait(0.05):
        connection.sendall(b"x")


def endless(connection, _request, stopping):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not stopping.is_set():
        connection.sendall(b"x" * 65_536)


def endless_headers(connection, _request, stopping):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not stopping.is_set():
        connection.sendall(b"X-More: " + b"x" * 60_000 + b"\r\n")


def evil(text, time=1_767_225_600, signer=EVIL):
    return cosign(text, signer, time)


def changed(line):
    raw = bytearray(base64.b64decode(line.split(" ")[2]))
    raw[-1] ^= 1
    return f"{line.rsplit(' ', 1)[0]} {base64.b64encode(raw).decode()}\n"


REDIRECT = "Location: http://127.0.0.1:1/add-checkpoint"
LIARS = {
    "silent": silent,
    "dripping its headers": dripping,
    "dripping its body": dripping_body,
    "endless": endless,
    "endless headers": endless_headers,
    "hanging up": lambda *_: None,
    "rubbish": lambda connection, *_: connection.sendall(b"\0\xff rubbish\r\n\r\n"),
    "nothing": answering(b""),
    "not a signature": answering("OK\n"),
    "not text": answering(b"\xff\xfe\n"),
    "another's signature": answering(lambda text: evil(text, signer=Signer.from_seed(EVIL.name, b"x" * 32))),
    "another's name": answering(lambda text: evil(text, signer=Signer("witness.example/other", EVIL.key))),
    "a false signature": answering(lambda text: changed(evil(text))),
    "a true signature and a false one": answering(lambda text: evil(text) + changed(evil(text))),
    "a signature on another text": answering(lambda text: evil(text.replace("\n3\n", "\n4\n"))),
    "a text of its own": answering(lambda text: f"{text.replace('3', '4', 1)}\n{evil(text.replace('3', '4', 1))}"),
    "a note of its own": answering(lambda text: "\n\n" + evil(text)),
    "a signature without end": answering(lambda text: evil(text)[:-1]),
    "no time": answering(lambda text: evil(text, time=0)),
    "a time beyond 63 bits": answering(lambda text: evil(text, time=1 << 63)),
    "a plain signature instead": answering(lambda text: f"— {EVIL.name} {base64.b64encode(EVIL.key_id + EVIL.sign(text)).decode()}\n"),
    "a hundred and one lines": answering(lambda text: evil(text) * 101),
    "a signature far behind": answering(lambda text: "x" * 70_000 + "\n" + evil(text)),
    "a redirect": answering(b"", "307 Temporary Redirect", REDIRECT),
    "a redirect with a signature": answering(evil, "301 Moved Permanently", REDIRECT),
    "a refusal with a signature": answering(evil, "403 Forbidden"),
    "created instead of good": answering(evil, "201 Created"),
    "a fork": answering(b"no\n", "422 Unprocessable Entity"),
    "always another size": answering(b"2\n", "409 Conflict", "Content-Type: text/x.tlog.size"),
    "a size beyond ours": answering(b"400\n", "409 Conflict", "Content-Type: text/x.tlog.size"),
    "a size beyond everything": answering(b"9" * 30 + b"\n", "409 Conflict", "Content-Type: text/x.tlog.size"),
    "a size that is none": answering(b"-1\n", "409 Conflict", "Content-Type: text/x.tlog.size"),
    "a size that it does not call one": answering(b"0\n", "409 Conflict", "Content-Type: text/plain"),
}


STALLING = {"silent", "dripping its headers", "dripping its body"}
NOWHERE = {"dead": "http://127.0.0.1:1", "no web": "ftp://witness.example", "no host": "http://", "no port": "http://127.0.0.1:port"}


def test_no_lie_is_kept_and_each_has_its_reason_noted(world):
    world.grow(3)
    world.sign()
    for name in [*LIARS, *NOWHERE]:
        with contextlib.ExitStack() as stack:
            url = NOWHERE.get(name) or stack.enter_context(speaking(LIARS[name]))
            configure(world, f"witness liar {EVIL.cosigner_vkey} {url}", "quorum none")
            world.advance(seconds=1)
            assert cosignatures.gather(world.ledger, 0.5 if name in STALLING else PROMPT) == 0, name
        standing = standings(world)["liar"]
        assert (standing.size, standing.age_seconds, standing.failed_at) == (0, None, format_time(world.clock())), name
        assert ("没有在时限内回答" in standing.error) == (name in STALLING), (name, standing.error)
    assert EVIL.name not in served(world)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("ask ")] == []


def test_nobody_delays_the_line_of_another_nor_a_clerk_who_writes(world, district):
    world.sign()
    slow = {name: Signer.from_seed("witness.example/slow", name.encode().ljust(32)) for name in sorted(STALLING)}
    with contextlib.ExitStack() as stack:
        urls = {name: stack.enter_context(speaking(LIARS[name])) for name in slow}
        configure(
            world,
            *(f"witness slow{n} {slow[name].cosigner_vkey} {urls[name]}" for n, name in enumerate(slow)),
            f"witness district {district.vkey} {district.url}",
            "quorum district",
        )
        asking = threading.Thread(target=cosignatures.gather, args=(world.another(), 6.0))
        asking.start()
        end = time.monotonic() + PROMPT
        while served(world).count("\n— ") < 2:
            assert time.monotonic() < end
            time.sleep(0.02)
        world.say("meanwhile")
        asking.join(PROMPT)
    assert [one.error is None for one in standings(world).values()] == [False, False, False, True]


def test_a_witness_that_is_ahead_of_us_is_said_so(both, district):
    """As after an older backup was put back, with the guard, on a machine that had asked its witnesses since."""
    with speaking(LIARS["a size beyond ours"]) as url:
        configure(both, f"witness liar {EVIL.cosigner_vkey} {url}", "quorum none")
        assert cosignatures.gather(both.ledger, PROMPT) == 0
    assert "旧备份" in standings(both)["liar"].error
    assert evidence(district.settings) == []


# --- by the clock


def job():
    return [one for one in JOBS if one.id == "cosign"]


def test_the_job_asks_once_a_checkpoint_and_fails_only_without_a_quorum(both, district):
    (run,) = run_due(both.ledger, job())
    assert (run.state, run.remark) == ("done", None)
    assert policy(both).open_checkpoint(served(both).encode()).size == 3
    both.say("more")
    both.sign()
    configure(
        both,
        f"witness district {district.vkey} {district.url}",
        f"witness dead {EVIL.cosigner_vkey} http://127.0.0.1:1",
        "group any any district dead",
        "quorum any",
    )
    (run,) = run_due(both.ledger, job())
    assert run.state == "done"
    assert standings(both)["dead"].error
    configure(both, f"witness dead {EVIL.cosigner_vkey} http://127.0.0.1:1", "quorum dead")
    (run,) = run_due(both.ledger, job())
    assert run.state == "failed"
    assert "联署还不够" in run.remark


def test_without_witnesses_the_job_has_nothing_to_do(world):
    world.sign()
    assert [run.state for run in run_due(world.ledger, job())] == ["done"]


# --- the table


@pytest.fixture
def kept(world):
    """Checkpoints at 3 and 5, the first cosigned twice, the second once; an entry more."""
    world.grow(3)
    world.sign()
    world.cosign(b"w" * 32)
    world.cosign(b"x" * 32)
    world.grow(5)
    world.sign()
    world.cosign(b"w" * 32)
    world.grow(6)
    return world


def rows(world):
    return sorted(world.sql("SELECT size, witness, line FROM cosignature"))


def refuse(world, statement, *values):
    before = rows(world)
    with pytest.raises(REFUSED):
        world.sql(statement, *values)
    assert rows(world) == before


def test_a_line_is_never_changed_removed_or_replaced(kept):
    for column in ("size", "witness", "line"):
        refuse(kept, f"UPDATE cosignature SET {column} = {column}")
    refuse(kept, "DELETE FROM cosignature")
    (size, witness, _) = rows(kept)[0]
    insert = "INTO cosignature (size, witness, line) VALUES (?, ?, ?)"
    refuse(kept, f"INSERT {insert}", size, witness, "forged")
    refuse(kept, f"INSERT {insert} ON CONFLICT (size, witness) DO UPDATE SET line = excluded.line", size, witness, "forged")
    if kept.ledger.engine.dialect.name == "postgresql":
        refuse(kept, "TRUNCATE cosignature")
    else:
        for way in ("REPLACE", "IGNORE", "FAIL"):
            refuse(kept, f"INSERT OR {way} {insert}", size, witness, "forged")


@pytest.mark.parametrize("size", [0, 1, 4, 6, 7])
def test_a_line_for_what_is_no_checkpoint_is_refused(kept, size):
    refuse(kept, "INSERT INTO cosignature (size, witness, line) VALUES (?, ?, ?)", size, "somebody", "line")


def test_any_value_changed_in_a_line_is_found_with_its_witness_and_size(kept):
    (size, witness, line) = rows(kept)[0]
    name = witness.partition("+")[0]
    assert kept.verify().ok
    other = next(one for _, one, _ in rows(kept) if one != witness)
    changes = [("size", 5), ("size", 4), ("witness", witness[:-1] + "x"), ("witness", other[:-1] + "x"), ("witness", "x")]
    changes += [("line", line[:-1]), ("line", line + line), ("line", changed(line)), ("line", ""), ("line", rows(kept)[-1][2])]
    for column, value in changes:
        if column == "size" and value == 5 and name == rows(kept)[-1][1].partition("+")[0]:
            value = 6
        with kept.damaged("cosignature"):
            kept.sql(f"UPDATE cosignature SET {column} = ? WHERE size = ? AND witness = ?", value, size, witness)
            faults = [fault.what for fault in kept.verify().faults]
        place = f"cosignature/{value if column == 'size' else size}/{name if column != 'witness' else value.partition('+')[0]}"
        assert faults == [place], (column, value)


def test_lines_outlive_the_policy_and_tell_their_witness_by_themselves(kept):
    assert not kept.settings.witness_policy.exists()
    assert kept.verify().ok
    for size, witness, line in rows(kept):
        [(note,)] = kept.sql("SELECT note FROM checkpoint WHERE size = ?", size)
        assert cosignatures.check_line(note, line.encode(), Verifier.from_vkey(witness)) == line
