"""What is appended is chained, received for and durable together, or not there at all."""

import json
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from world import CLERK

from ledger import log
from ledger.errors import Conflict, Corrupt, InvalidRequest, NotFound, Unavailable
from ledger.ids import new_entry_id
from ledger.log import Fact, Receipt
from ledger.merkle import EMPTY_ROOT, leaf_hash
from ledger.people.actors import OPERATOR
from ledger.refusals import Already, Refusal
from ledger.service.recording import record_each, record_many

ROOT = Path(__file__).parent.parent.parent


def policy(name, entry_id=None, rules=None):
    return Fact("policy.adopted", {"policy": name, "effective_on": "2025-01-01", "rules": rules or {}}, entry_id)


def appended(*facts):
    return lambda tx: tx.append(facts)


def test_a_receipt_names_the_entry_that_the_log_holds(world):
    receipt = world.say("one")[0]
    with world.read() as tx:
        raw = log.read_entry(tx.connection, receipt.index)
    assert receipt == Receipt(1, json.loads(raw)["id"], leaf_hash(raw), "2025-01-06T09:00:00.000+08:00")
    assert receipt.short_hash == leaf_hash(raw).hex()[:12]


def test_entries_of_one_commit_are_numbered_in_order_and_share_one_time(world):
    receipts = world.say("one", "two", "three")
    assert [receipt.index for receipt in receipts] == [1, 2, 3]
    assert world.sql("SELECT size FROM batch ORDER BY size") == [(1,), (4,)]


def test_each_subject_has_a_chain_of_its_own(world):
    people = world.town()
    said = world.entries()
    places = [entry["chains"][f"person/{people[0]}"][0] for entry in said if f"person/{people[0]}" in entry["chains"]]
    assert places == list(range(1, len(places) + 1))
    approval = next(entry for entry in said if entry["kind"] == "service.approved" and people[0] in entry["body"]["volunteers"])
    assert set(approval["chains"]) == {f"person/{v}" for v in approval["body"]["volunteers"]} | {f"station/{approval['body']['station']}"}


def test_one_subject_twice_in_one_commit_goes_on_with_its_own_chain(world):
    world.station()
    person = world.volunteer()
    drafts = [world.draft(person, f"2025-01-0{day} 09:00", "10:00") for day in (1, 2, 3)]
    world.serve_many(drafts)
    assert [entry["chains"][f"person/{person}"][0] for entry in world.entries()[-3:]] == [2, 3, 4]


# --- said twice


def test_the_same_words_under_the_same_id_are_answered_with_the_first_receipt(world):
    world.station()
    person, entry_id = world.volunteer(), new_entry_id()
    draft = world.draft(person, "2025-01-02 09:00", "11:00", id=entry_id)
    first = world.serve_many([draft])[0]
    world.advance(days=3)
    assert world.serve_many([draft]) == [first]
    assert world.size == first.index + 1


def test_other_words_under_the_same_id_are_a_conflict_and_leave_nothing(world):
    world.station()
    person, entry_id = world.volunteer(), new_entry_id()
    activity = world.activity()
    first = world.serve(person, "2025-01-02 09:00", "11:00", id=entry_id, activity=activity)
    size = world.size
    fresh = world.draft(person, "2025-01-04 09:00", "10:00", activity=activity)
    with pytest.raises(Conflict, match=f"第 {first.index} 条"):
        world.serve_many([fresh, world.draft(person, "2025-01-03 09:00", "11:00", id=entry_id, activity=activity)])
    assert world.size == size


def test_another_account_under_the_same_id_is_a_conflict(world):
    world.station()
    person, entry_id = world.volunteer(), new_entry_id()
    draft = world.draft(person, "2025-01-02 09:00", "11:00", id=entry_id)
    world.serve_many([draft])
    with pytest.raises(Conflict):
        world.serve_many([draft], world.actor("recorder", account="another"))


def test_one_id_twice_in_one_request_is_a_conflict(world):
    world.station()
    person, entry_id = world.volunteer(), new_entry_id()
    drafts = [world.draft(person, f"2025-01-0{day} 09:00", "11:00", id=entry_id) for day in (2, 3)]
    with pytest.raises(Conflict):
        world.serve_many(drafts)


def test_two_callers_at_once_with_the_same_words_and_id_get_the_same_receipt(world):
    """A client that gave up waiting asks again while its first request still waits: both end in one commit."""
    world.station()
    draft = world.draft(world.volunteer(), "2025-01-02 09:00", "11:00", id=new_entry_id())
    busy, go = threading.Event(), threading.Event()

    def hold(_tx):
        busy.set()
        go.wait(30)

    with ThreadPoolExecutor(3) as pool:
        pool.submit(world.write, hold)
        busy.wait(30)
        asked = [pool.submit(world.ledger.write_item, record_each, draft, CLERK) for _ in range(2)]
        time.sleep(0.2)
        go.set()
        first, second = (answer.result(30) for answer in asked)
    assert isinstance(first, Receipt)
    assert second == first


@pytest.mark.parametrize("said", ["7", "0190A0C0-0000-7000-8000-000000000000", "{0190a0c0-0000-7000-8000-000000000000}"])
def test_an_id_that_is_not_spelt_as_a_uuid_is_refused(world, said):
    with pytest.raises(InvalidRequest, match="UUID"):
        world.write(lambda tx: tx.receipts_for([policy("one", said)]))


# --- refused, undone, rehearsed


def test_a_refused_write_leaves_nothing(world):
    world.station()
    before = world.sql("SELECT count(*) FROM chain")

    def work(tx):
        tx.append([policy("one")])
        raise InvalidRequest("不行")

    with pytest.raises(InvalidRequest):
        world.write(work)
    assert (world.size, world.sql("SELECT count(*) FROM chain")) == (2, before)
    assert world.say("one")[0].index == 2


def test_a_body_that_its_kind_refuses_leaves_nothing_of_its_neighbours(world):
    with pytest.raises(InvalidRequest, match="effective_on"):
        world.write(appended(policy("one"), Fact("policy.adopted", {"policy": "two", "effective_on": "soon", "rules": {}})))
    assert world.size == 1


def test_a_rehearsal_gives_the_answers_and_leaves_nothing(world):
    world.station()
    free, busy = world.volunteer(), world.volunteer()
    world.serve(busy, "2025-01-02 09:00", "11:00")
    drafts = [world.draft(free, "2025-01-02 09:00", "11:00", id=new_entry_id()), world.draft(busy, "2025-01-02 10:00", "12:00")]
    before = {name: world.sql(f"SELECT * FROM {name}") for name in ("entry", "batch", "service", "chain")}

    def record(tx):
        return record_many(tx, drafts)

    rehearsed = world.write(record, rehearse=True)
    assert before == {name: world.sql(f"SELECT * FROM {name}") for name in before}
    assert world.write(record) == rehearsed
    assert [type(answer) for answer in rehearsed] == [Receipt, Refusal]


def test_an_entry_larger_than_the_format_allows_is_refused(world):
    size = world.size
    for count, fits in ((29, True), (31, False)):
        fact = policy("large", rules={f"rule-{n}": "x" * 2000 for n in range(count)})
        if fits:
            world.write(appended(fact))
        else:
            with pytest.raises(InvalidRequest, match="60000 字节"):
                world.write(appended(fact))
    assert world.size == size + 1


# --- the clock


def test_a_clock_a_little_behind_keeps_the_newest_time(world):
    world.say("one")
    world.advance(seconds=-100)
    assert world.say("two")[0].recorded_at == "2025-01-06T09:00:00.000+08:00"


def test_a_clock_far_behind_stops_writing_until_it_is_right(world):
    world.say("one")
    world.advance(seconds=-121)
    with pytest.raises(Unavailable, match="时钟"):
        world.say("two")
    world.advance(seconds=121)
    assert world.say("two")[0].index == 2


# --- others who write


def test_what_another_writer_appended_is_built_upon(world):
    other = world.another()
    world.say("one")
    assert world.say("two", ledger=other)[0].index == 2
    assert world.say("three")[0].index == 3
    assert world.say("four", ledger=other)[0].index == 4


def test_a_log_is_taken_up_again_at_every_width_of_its_edge(world):
    for size in (255, 256, 257, 512, 513):
        world.grow(size)
        other = world.another()
        assert world.say(f"at-{size}", ledger=other)[0].index == size


def test_eight_threads_with_a_ledger_each_leave_one_unbroken_log(world):
    world.station()
    person = world.volunteer()
    ledgers = [world.another() for _ in range(8)]
    world.activity()

    def work(number):
        return [world.say(f"thread-{number}-{n}", ledger=ledgers[number])[0].index for n in range(10)]

    with ThreadPoolExecutor(8) as pool:
        indexes = sorted(index for found in pool.map(work, range(8)) for index in found)
    assert indexes == list(range(4, 84))
    assert isinstance(world.serve(person, "2025-01-02 09:00", "11:00"), Receipt)


WRITER = """
import sys
from pathlib import Path
from ledger.people.actors import OPERATOR
from ledger.log import Fact
from ledger.settings import Settings
from ledger.store import open_ledger
name, home, url = sys.argv[1:]
ledger = open_ledger(Settings(Path(home), url))
for number in range(25):
    body = {"policy": f"{name}-{number}", "effective_on": "2025-01-01", "rules": {}}
    print("index", ledger.write(lambda tx: tx.append([Fact("policy.adopted", body)]), OPERATOR)[0].index)
"""


def test_two_processes_leave_one_unbroken_log(world):
    settings = world.settings
    place = [settings.home, settings.database_url]
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, name, *place], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for name in ("first", "second")
    ]
    said = [re.findall(r"^index (\d+)$", process.communicate(timeout=60)[0], re.MULTILINE) for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert sorted(int(index) for indexes in said for index in indexes) == list(range(1, 51))
    world.clock.now = world.clock.now.replace(year=2099)
    assert world.say("after")[0].index == 51


# --- reading


def test_an_entry_that_is_not_there_is_not_found(world):
    with world.read() as tx, pytest.raises(NotFound, match="目前共 1 条"):
        log.read_entry(tx.connection, 1)


def test_a_stretch_of_the_log_is_read_in_order(world):
    world.grow(20)
    with world.read() as tx:
        assert [row.index for row in log.scan(tx.connection, 3, 7)] == [3, 4, 5, 6]
        assert [row.index for row in log.scan(tx.connection, 18)] == [18, 19]
        assert log.entry_count(tx.connection) == 20


def test_any_part_of_a_tile_is_read_from_leaves_and_full_tiles_alike(world):
    world.grow(600)
    leaves = [leaf_hash(json_bytes) for (json_bytes,) in world.sql('SELECT body FROM entry ORDER BY "index"')]
    with world.read() as tx:
        for level, index, width, wanted in (
            (0, 0, 256, leaves[:256]),
            (0, 1, 10, leaves[256:266]),
            (0, 2, 88, leaves[512:]),
        ):
            assert log.read_tile(tx.connection, level, index, width) == b"".join(wanted)
        assert len(log.read_tile(tx.connection, 1, 0, 2)) == 64
        for missing in ((0, 2, 89), (1, 0, 3), (2, 0, 1), (0, 3, 1)):
            with pytest.raises(NotFound):
                log.read_tile(tx.connection, *missing)


def test_an_empty_store_has_the_empty_tree(world):
    with world.damaged("entry", "batch"):
        world.sql("DELETE FROM entry")
        world.sql("DELETE FROM batch")
        with world.read() as tx:
            assert log.tree_head(tx.connection) == log.TreeHead(0, EMPTY_ROOT, "")
            assert log.load_head(tx.connection).tree.size == 0


@pytest.mark.parametrize("size", [5, 256, 300])
def test_a_tip_that_was_changed_stops_the_next_writer(world, size):
    world.grow(size)
    with world.damaged("batch"):
        world.sql("UPDATE batch SET root = ? WHERE size = ?", b"\0" * 32, size)
        with pytest.raises(Corrupt, match="shouwang verify"):
            world.say("one")
    world.say("one")


@pytest.mark.parametrize("size", [5, 256, 300])
def test_a_last_entry_that_is_gone_stops_the_next_writer(world, size):
    world.grow(size)
    with world.damaged("entry"):
        world.sql('DELETE FROM entry WHERE "index" = ?', size - 1)
        with world.read() as tx, pytest.raises(Corrupt):
            log.load_head(tx.connection)


def test_a_service_said_again_in_other_words_is_already_there(world):
    world.station()
    person = world.volunteer()
    first = world.serve(person, "2025-01-02 09:00", "11:00")
    assert world.serve(person, "2025-01-02 09:00", "11:00", actor=OPERATOR) == Already(first.index)
