"""Receivers of webhooks: told in order, at least once, signed, without a word about anybody; and what they do never holds up a write."""

import hmac
import json
import socket
import subprocess
import sys
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from requests_by_hand import reserved_port, until_it_listens
from world import CENTRE, HOME, OTHER

from ledger import webhooks
from ledger.deliveries import deliver, sign
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people.actors import OPERATOR, Actor

RECEIVER = Path(__file__).parent.parent / "receiver.py"
OFFICIAL = Actor("li", "official")


@pytest.fixture
def town(world):
    world.ledger.settings = replace(world.settings, webhooks_private=True)
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE, population=1000)
    world.station(OTHER, parent=CENTRE, population=500)
    return world


class Receiver:
    """Somebody else's program, on a port of its own, with a file of what it was sent."""

    def __init__(self, folder, port):
        self.port, self.file = port, folder / "received.jsonl"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hooks?of=us"

    @contextmanager
    def running(self, *options):
        process = subprocess.Popen([sys.executable, RECEIVER, str(self.port), str(self.file), *map(str, options)])
        try:
            until_it_listens(self.port, process)
            yield process
        finally:
            process.kill()
            process.wait()

    def received(self):
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def indexes(self):
        return [json.loads(one["body"])["data"]["index"] for one in self.received()]


@pytest.fixture
def make_receiver():
    with ExitStack() as ports:
        yield lambda folder: Receiver(folder, ports.enter_context(reserved_port()))


@pytest.fixture
def receiver(tmp_path, make_receiver):
    return make_receiver(tmp_path)


def register(town, url, by=OPERATOR, **options):
    made = town.write(lambda tx: webhooks.register(tx, url, private=True, **options), by)
    with town.read() as tx:
        return made, webhooks.secret(tx, made.id)


def standing(town, hook):
    with town.read() as tx:
        return webhooks.get(tx, OPERATOR, hook.id)


def test_a_receiver_is_told_of_each_entry_from_its_registration_on_in_order_and_signed(town, receiver):
    hook, secret = register(town, receiver.url)
    first = town.size
    for _ in range(5):
        town.volunteer(phone="13624242754")
    with receiver.running():
        assert deliver(town.ledger) == 5
    assert receiver.indexes() == list(range(first, first + 5))
    entries = {entry["index"]: entry for entry in town.entries()}
    key = b64decode(secret.removeprefix("whsec_"))
    for one in receiver.received():
        said = json.loads(one["body"])
        entry = entries[said["data"]["index"]]
        assert (said["type"], said["timestamp"], said["data"]["id"]) == (entry["kind"], entry["recorded_at"], entry["id"])
        assert set(said["data"]) == {"index", "id", "kind", "station", "leaf"}
        headers = one["headers"]
        assert headers["webhook-id"] == entry["id"]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{one['body']}".encode()
        assert headers["webhook-signature"] == "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()
        assert abs(int(headers["webhook-timestamp"]) - town.clock.now.timestamp()) < 1
        assert one["path"] == "/hooks?of=us"
        assert "13624242754" not in json.dumps(one)
    now = standing(town, hook)
    assert (now.behind, now.failures, now.last_error, now.next_index) == (0, 0, None, town.size)
    assert deliver(town.ledger) == 0, "nothing is told twice"


def test_the_signature_is_that_of_the_published_example():
    """The example of Standard Webhooks' own libraries."""
    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    said = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_that_was_killed_gets_the_rest_when_it_is_back(town, receiver):
    hook, _ = register(town, receiver.url)
    first = town.size
    for _ in range(6):
        town.volunteer()
    with receiver.running(204, 3) as process:  # dies while it is told of the third
        assert deliver(town.ledger) == 2
        assert process.wait(10) == 9
    now = standing(town, hook)
    assert (now.next_index, now.failures, now.behind) == (first + 2, 1, 4)
    assert f"第 {first + 2} 条" in now.last_error
    assert deliver(town.ledger) == 0, "not before its time has come"
    town.advance(seconds=30)
    assert deliver(town.ledger) == 0, "still down"
    assert standing(town, hook).failures == 2
    town.advance(seconds=60)
    with receiver.running():
        assert deliver(town.ledger) == 4
    assert receiver.indexes() == [*range(first, first + 3), *range(first + 2, first + 6)], "the one in its hands comes again"
    now = standing(town, hook)
    assert (now.failures, now.behind, now.next_attempt_at) == (0, 0, None)
    assert now.last_success_at is not None


@pytest.mark.parametrize("status", [302, 400, 500])
def test_only_a_2xx_is_a_yes_and_nobody_is_sent_elsewhere(town, receiver, status):
    hook, _ = register(town, receiver.url)
    town.volunteer()
    with receiver.running(status):
        assert deliver(town.ledger) == 0
    assert str(status) in standing(town, hook).last_error
    assert {one["path"] for one in receiver.received()} == {"/hooks?of=us"}


def test_attempts_become_rarer_up_to_an_hour_and_never_end(town, receiver):
    hook, _ = register(town, receiver.url)
    town.volunteer()
    waits = []
    for _ in range(10):
        assert deliver(town.ledger) == 0
        now = standing(town, hook)
        waits.append(int((_moment(now.next_attempt_at) - town.clock.now).total_seconds()))
        town.advance(seconds=waits[-1])
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def _moment(text):
    return datetime.fromisoformat(text)


def test_a_receiver_can_be_told_everything_again_from_any_entry(town, receiver):
    hook, _ = register(town, receiver.url)
    with receiver.running():
        town.write(lambda tx: webhooks.replay(tx, hook.id, 1))
        assert deliver(town.ledger) == town.size - 1
        town.write(lambda tx: webhooks.replay(tx, hook.id, 3))
        assert deliver(town.ledger) == town.size - 3
    assert receiver.indexes() == [*range(1, town.size), *range(3, town.size)]
    for index in (-1, town.size + 1):
        with pytest.raises(InvalidRequest):
            town.write(lambda tx, index=index: webhooks.replay(tx, hook.id, index))


def test_a_replay_asked_for_in_the_middle_of_a_round_is_not_lost(town, receiver):
    hook, _ = register(town, receiver.url)
    town.volunteer()
    [claimed] = webhooks.claim(town.ledger)
    assert webhooks.claim(town.ledger) == [], "it is in somebody's hands"
    town.write(lambda tx: webhooks.replay(tx, hook.id, 0))
    assert not webhooks.report(town.ledger, claimed, town.size, delivered=True, error=None, over=True)
    assert standing(town, hook).next_index == 0


def test_a_claim_of_a_dead_process_is_taken_over(town, receiver):
    register(town, receiver.url)
    town.volunteer()
    assert len(webhooks.claim(town.ledger)) == 1
    town.advance(minutes=2)
    with receiver.running():
        assert deliver(town.ledger) == 1


def test_who_is_registered_at_a_unit_is_told_of_it_and_below_and_of_the_kinds_asked_for(town, tmp_path, make_receiver):
    near, far = (make_receiver(tmp_path / name) for name in ("near", "far"))
    for one in (near, far):
        one.file.parent.mkdir()
    register(town, near.url, Actor("li", "official", CENTRE), station=HOME, kinds=("volunteer.registered",))
    register(town, far.url, station=OTHER)
    first = town.size
    town.volunteer(HOME)
    town.volunteer(OTHER)
    town.volunteer(CENTRE)
    with near.running(), far.running():
        deliver(town.ledger)
    assert (near.indexes(), far.indexes()) == ([first], [first + 1])


def test_only_whoever_looks_after_a_unit_sees_and_changes_its_receivers(town, receiver):
    hook, _ = register(town, receiver.url, station=HOME)
    mine, elsewhere = Actor("li", "official", CENTRE), Actor("wu", "official", OTHER)
    with town.read() as tx:
        assert [one.id for one in webhooks.everyone(tx, mine)] == [hook.id]
        assert webhooks.everyone(tx, elsewhere) == []
        for stranger in (elsewhere, Actor("chen", "recorder", HOME), Actor("chen", "auditor")):
            with pytest.raises(NotAllowed):
                webhooks.get(tx, stranger, hook.id)
    for stranger in (elsewhere, Actor("chen", "recorder", HOME), Actor("chen", "approver"), Actor("chen", "auditor")):
        for act in (
            lambda tx: webhooks.register(tx, receiver.url, private=True, station=HOME),
            lambda tx: webhooks.replay(tx, hook.id, 0),
            lambda tx: webhooks.renew_secret(tx, hook.id),
            lambda tx: webhooks.remove(tx, hook.id),
        ):
            with pytest.raises(NotAllowed):
                town.write(act, stranger)
    with pytest.raises(NotAllowed):
        town.write(lambda tx: webhooks.register(tx, receiver.url, private=True), mine)
    town.write(lambda tx: webhooks.remove(tx, hook.id), mine)
    with pytest.raises(NotFound):
        standing(town, hook)


def test_a_new_secret_ends_the_old_one_and_no_secret_is_in_the_database(town, receiver):
    hook, old = register(town, receiver.url)
    town.write(lambda tx: webhooks.renew_secret(tx, hook.id))
    with town.read() as tx:
        new = webhooks.secret(tx, hook.id)
    assert new != old
    town.volunteer()
    with receiver.running():
        deliver(town.ledger)
    [one] = receiver.received()
    message = (one["headers"]["webhook-id"], int(one["headers"]["webhook-timestamp"]), one["body"].encode())
    assert one["headers"]["webhook-signature"] == sign(b64decode(new.removeprefix("whsec_")), *message)
    stored = repr(town.sql("SELECT * FROM webhook"))
    assert new not in stored
    assert b64decode(new.removeprefix("whsec_")).hex() not in stored


def test_a_write_does_not_wait_for_a_receiver_that_never_answers(town):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        register(town, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        town.volunteer()
        job = ThreadPoolExecutor(1).submit(deliver, town.ledger)
        accepted, _ = silent.accept()  # the job is now waiting for an answer
        for _ in range(3):
            town.volunteer()
        assert not job.done(), "had they waited, it would be"
        accepted.close()
        assert job.result(30) == 0


def test_there_are_not_more_receivers_than_anybody_looks_after(town, receiver):
    for _ in range(webhooks.PER_DEPLOYMENT_MAX):
        register(town, receiver.url)
    with pytest.raises(InvalidRequest, match="最多"):
        register(town, receiver.url)


def test_a_kind_or_a_station_that_is_not_there_is_refused(town, receiver):
    with pytest.raises(InvalidRequest, match="种条目"):
        register(town, receiver.url, kinds=("service.imagined",))
    with pytest.raises(NotFound):
        register(town, receiver.url, station="999")
