"""A witness cosigns one history of a log, whoever asks, in whatever order, and wherever it dies."""

import hashlib
import signal
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from commands import python
from witnessing import NOW, SomeLog, clock, policy_of

from ledger.errors import SettingsError
from ledger.merkle import EMPTY_ROOT
from ledger.notes import Checkpoint, Signer, cosign, open_note, sign_checkpoint, sign_note, signed_lines
from ledger.settings import Settings
from ledger.signing import Verifier
from ledger.witness import REQUEST_BYTES_MAX, Witness, create_witness, evidence, witness_vkey

ROOT = Path(__file__).parent.parent.parent
NAME = "witness.example/w1"
LOG = SomeLog()
FORKED = SomeLog(fork=4)


@pytest.fixture
def settings(tmp_path):
    made = Settings(tmp_path, "")
    assert create_witness(made, NAME) == witness_vkey(made)
    return made


@pytest.fixture
def witness(settings):
    return Witness(settings, policy_of(LOG, SomeLog("log.example/b")), clock)


def cosigned(witness, answer, note):
    """The line is the witness's own on that note, and states the time."""
    assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
    verifier = Verifier.from_vkey(witness.vkey)
    text, signers = open_note(note + answer.body, [verifier])
    assert signers == [verifier]
    assert cosign(text, witness._signer, int(NOW.timestamp())).encode() == answer.body
    return True


def state(witness, log=LOG):
    """The size that it says it has; asking changes nothing."""
    answer = witness.add_checkpoint(log.request(39, 40, []))
    assert (answer.status, answer.content_type) == (409, "text/x.tlog.size")
    return int(answer.body)


def test_a_growing_log_is_cosigned_from_each_size_to_the_next(witness):
    last = 0
    for size in (0, 1, 2, 3, 7, 8, 9, 31, 32):
        assert cosigned(witness, witness.add_checkpoint(LOG.request(last, size)), LOG.checkpoint(size))
        last = size
    assert state(witness) == 32


def test_the_same_checkpoint_is_cosigned_again_as_of_now(settings, witness):
    first = witness.add_checkpoint(LOG.request(0, 5))
    later = Witness(settings, policy_of(LOG), lambda: NOW + timedelta(minutes=1))
    again = later.add_checkpoint(LOG.request(5, 5))
    assert again.status == 200
    assert again.body != first.body
    assert again.body in later.checkpoint(hashlib.sha256(LOG.origin.encode()).hexdigest())


def test_each_log_has_a_history_of_its_own(witness):
    other = SomeLog("log.example/b")
    assert witness.add_checkpoint(LOG.request(0, 9)).status == 200
    assert witness.add_checkpoint(other.request(0, 3)).status == 200
    assert (state(witness), state(witness, other)) == (9, 3)


def refused(witness, status, request, before=0):
    answer = witness.add_checkpoint(request)
    assert answer.status == status, answer
    assert b"\n\xe2\x80\x94" not in b"\n" + answer.body
    assert state(witness) == before
    return answer


MALFORMED = {
    "nothing": b"",
    "no checkpoint": b"old 0\n",
    "no old size": b"\n" + LOG.checkpoint(3),
    "old size in words": LOG.request(0, 3).replace(b"old 0", b"old zero"),
    "old size with a zero before it": LOG.request(0, 3).replace(b"old 0", b"old 00"),
    "old size below nothing": LOG.request(0, 3).replace(b"old 0", b"old -1"),
    "old size in other digits": LOG.request(0, 3).replace(b"old 0", "old ３".encode()),
    "old size without end": LOG.request(0, 3).replace(b"old 0", b"old " + b"9" * 5000),
    "two spaces": LOG.request(0, 3).replace(b"old 0", b"old  0"),
    "Windows lines": LOG.request(0, 3).replace(b"\n", b"\r\n"),
    "a hash too short": LOG.request(3, 5, [b"h" * 31]),
    "a hash that is not base64": LOG.request(0, 3).replace(b"old 0\n", b"old 0\n!\n"),
    "64 hashes": LOG.request(3, 5, [b"h" * 32] * 64),
    "no signature": LOG.request(0, 3)[: -len(LOG.checkpoint(3).split(b"\n\n")[1])],
    "a line cut off": LOG.request(0, 3)[:-1],
    "not UTF-8": LOG.request(0, 3).replace(b"old 0", b"old 0\xff"),
    "old above the new size": LOG.request(3, 3).replace(b"old 3", b"old 4"),
    "a size beyond 63 bits": LOG.request(0, 3, note=LOG.checkpoint(1 << 63, root=b"r" * 32)),
}


@pytest.mark.parametrize("request_", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_request_is_400(witness, request_):
    refused(witness, 400, request_)


def test_what_is_no_checkpoint_is_400_even_when_its_log_signed_it(witness):
    for text in (f"{LOG.origin}\n", f"{LOG.origin}\n03\nAAAA\n", f"{LOG.origin}\n3\nAAAA\n"):
        refused(witness, 400, b"old 0\n\n" + sign_note(text, [LOG.signer]))


def test_a_request_that_is_too_large_is_413(witness):
    refused(witness, 413, LOG.request(0, 3) + b"x" * REQUEST_BYTES_MAX)


def test_an_unknown_origin_is_404(witness):
    refused(witness, 404, SomeLog("log.example/unknown").request(0, 3))


def test_a_checkpoint_without_a_good_signature_of_its_log_is_403(witness):
    stranger = Signer.from_seed(LOG.origin, b"s" * 32)
    claim = Checkpoint(LOG.origin, 3, LOG.root(3))
    refused(witness, 403, LOG.request(0, 3, note=sign_checkpoint(claim, [stranger])))
    refused(witness, 403, LOG.request(0, 3, note=sign_checkpoint(claim, [SomeLog("log.example/b").signer])))
    true = LOG.checkpoint(3)
    refused(witness, 403, LOG.request(0, 3, note=true.replace(b"\n3\n", b"\n4\n")))
    assert cosigned(witness, witness.add_checkpoint(LOG.request(0, 3, note=sign_checkpoint(claim, [stranger, LOG.signer]))), true)


def test_another_old_size_than_the_one_cosigned_last_is_409_and_the_size(witness):
    assert refused(witness, 409, LOG.request(2, 5)).body == b"0\n"
    witness.add_checkpoint(LOG.request(0, 5))
    for old, new in ((0, 5), (0, 8), (4, 5), (4, 8), (6, 8), (0, 3), (3, 3)):
        assert refused(witness, 409, LOG.request(old, new), before=5).body == b"5\n"


def test_a_proof_that_does_not_hold_is_422_and_kept_as_a_doubt(settings, witness):
    witness.add_checkpoint(LOG.request(0, 5))
    proof = LOG.proof(5, 9)
    wrong = [[], proof[:-1], [*proof, proof[0]], [bytes(32), *proof[1:]], proof[::-1]]
    for each in wrong:
        refused(witness, 422, LOG.request(5, 9, each), before=5)
    refused(witness, 422, FORKED.request(5, 9), before=5)
    refused(witness, 422, LOG.request(5, 5, proof), before=5)
    assert {one.proven for one in evidence(settings)} == {False}
    assert LOG.checkpoint(5).decode() in [one.kept[: len(LOG.checkpoint(5).decode())] for one in evidence(settings)]
    assert witness.add_checkpoint(LOG.request(5, 9)).status == 200


def test_a_proof_from_nothing_is_422(settings, witness):
    refused(witness, 422, LOG.request(0, 5, LOG.proof(2, 5)))
    assert evidence(settings) == []


def test_an_empty_log_has_the_root_of_nothing(witness):
    refused(witness, 422, LOG.request(0, 0, note=sign_note(f"{LOG.origin}\n0\n{'A' * 43}=\n", [LOG.signer])))
    assert LOG.root(0) == EMPTY_ROOT
    assert witness.add_checkpoint(LOG.request(0, 0)).status == 200


def test_another_root_for_the_same_size_is_422_and_proves_a_fork(settings, witness):
    witness.add_checkpoint(LOG.request(0, 9))
    assert refused(witness, 422, FORKED.request(9, 9), before=9).is_fork
    (found,) = evidence(settings)
    assert found.proven
    assert (found.kept.startswith(LOG.checkpoint(9).decode()), found.sent) == (True, FORKED.checkpoint(9).decode())
    assert refused(witness, 422, FORKED.request(9, 9), before=9).is_fork
    assert len(evidence(settings)) == 1


def test_a_fork_is_proved_also_by_who_pretends_to_begin_anew(settings, witness):
    witness.add_checkpoint(LOG.request(0, 9))
    assert refused(witness, 409, FORKED.request(0, 9), before=9).is_fork
    assert [one.proven for one in evidence(settings)] == [True]


def test_doubts_that_anybody_may_raise_do_not_fill_the_store_nor_hide_a_fork(settings, witness):
    witness.add_checkpoint(LOG.request(0, 9))
    for number in range(110):
        assert witness.add_checkpoint(LOG.request(9, 10, [], LOG.checkpoint(10, extensions=(str(number),)))).status == 422
    refused(witness, 422, FORKED.request(9, 9), before=9)
    assert [one.proven for one in evidence(settings)].count(False) == 100
    assert [one.proven for one in evidence(settings)].count(True) == 1


def test_monitors_get_the_logs_signature_and_the_cosignature_and_nothing_else(witness):
    place = hashlib.sha256(LOG.origin.encode()).hexdigest()
    assert witness.checkpoint(place) is None
    stranger = Signer.from_seed("stranger.example", b"s" * 32)
    note = sign_checkpoint(Checkpoint(LOG.origin, 5, LOG.root(5)), [stranger, LOG.signer])
    line = witness.add_checkpoint(LOG.request(0, 5, note=note)).body
    assert witness.checkpoint(place) == LOG.checkpoint(5) + line
    for wrong in (place.upper(), place[:-1], LOG.origin, ""):
        assert witness.checkpoint(wrong) is None


def test_the_lines_of_a_checkpoints_extensions_are_cosigned_too(witness):
    note = LOG.checkpoint(5, extensions=("more",))
    assert cosigned(witness, witness.add_checkpoint(LOG.request(0, 5, note=note)), note)


# --- races and deaths


def test_of_two_checkpoints_at_once_one_is_cosigned_and_the_other_told_to_try_again(settings, witness):
    """The two may not both be right: if both were taken, the smaller could come last and roll the log back."""
    witness.add_checkpoint(LOG.request(0, 5))
    others = [Witness(settings, policy_of(LOG), clock) for _ in range(6)]
    start, answers = threading.Barrier(len(others)), []

    def ask(one, size):
        start.wait()
        answers.append((size, one.add_checkpoint(LOG.request(5, size))))

    threads = [threading.Thread(target=ask, args=(one, 6 + number)) for number, one in enumerate(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    won = [size for size, answer in answers if answer.status == 200]
    assert len(won) == 1
    assert {answer.body for size, answer in answers if size != won[0]} == {b"%d\n" % won[0]}
    assert state(witness) == won[0]


CHILD = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = ["tests"]
from witnessing import SomeLog, clock, policy_of
from ledger.settings import Settings
from ledger.witness import Witness

def dying_clock():
    os.kill(os.getpid(), signal.SIGKILL)

home, when = sys.argv[1:]
log = SomeLog()
witness = Witness(Settings(Path(home), ""), policy_of(log), dying_clock if when == "before" else clock)
assert witness.add_checkpoint(log.request(0, 5)).status == 200
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("when", "size"), [("before", 0), ("after", 5)])
def test_killed_before_it_stored_it_knows_nothing_and_afterwards_all(settings, witness, when, size):
    said = python(CHILD, settings.home, when)
    assert said.returncode == -signal.SIGKILL, said.stderr
    assert state(witness) == size
    assert cosigned(witness, witness.add_checkpoint(LOG.request(size, 5)), LOG.checkpoint(5))
    assert FORKED.checkpoint(5) != LOG.checkpoint(5)
    refused(witness, 422, FORKED.request(5, 5), before=5)


def test_a_store_that_cannot_be_written_lets_no_cosignature_out(settings, witness):
    with closing(sqlite3.connect(settings.witness_store)) as db, db:
        db.execute("CREATE TRIGGER full BEFORE INSERT ON cosigned BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(sqlite3.Error):
        witness.add_checkpoint(LOG.request(0, 5))
    with closing(sqlite3.connect(settings.witness_store)) as db, db:
        db.execute("DROP TRIGGER full")
    assert state(witness) == 0


# --- key and store


def test_a_witness_is_made_once_and_its_key_is_its_owners_alone(settings):
    assert settings.witness_key.stat().st_mode & 0o777 == 0o600
    assert witness_vkey(settings).startswith(f"{NAME}+")
    key = settings.witness_key.read_bytes()
    with pytest.raises(SettingsError, match="已经有了"):
        create_witness(settings, NAME)
    assert settings.witness_key.read_bytes() == key


def test_a_witness_without_its_store_key_or_matching_key_does_not_go_on(settings, witness, tmp_path):
    with pytest.raises(SettingsError, match="init"):
        Witness(Settings(tmp_path / "empty", ""), policy_of(LOG), clock)
    settings.witness_store.rename(tmp_path / "away")
    for attempt in (lambda: Witness(settings, policy_of(LOG), clock), lambda: witness.add_checkpoint(LOG.request(0, 5))):
        with pytest.raises(SettingsError, match=r"witness\.db"):
            attempt()
    with pytest.raises(SettingsError, match="已经有了"):
        create_witness(settings, NAME)
    (tmp_path / "away").rename(settings.witness_store)
    settings.witness_key.write_bytes(Signer.from_seed(NAME, b"z" * 32).to_pem())
    with pytest.raises(SettingsError, match="不是一对"):
        Witness(settings, policy_of(LOG), clock)


def test_a_log_may_have_two_keys_while_it_changes_from_one_to_the_other(settings):
    second = Signer.from_seed(LOG.origin, b"2" * 32)
    policy = policy_of(LOG, type("Second", (), {"signer": second}))
    witness = Witness(settings, policy, clock)
    claim = Checkpoint(LOG.origin, 5, LOG.root(5))
    assert witness.add_checkpoint(LOG.request(0, 5)).status == 200
    assert witness.add_checkpoint(LOG.request(5, 5, note=sign_checkpoint(claim, [LOG.signer, second]))).status == 200
    note = witness.checkpoint(hashlib.sha256(LOG.origin.encode()).hexdigest())
    text, lines = note.decode().split("\n\n")
    assert len(signed_lines(f"{text}\n", lines.encode(), [known.verifier for known in policy.logs])) == 2
