"""Hours handed in by another system: receipts, retries, refusals, many at once, and the proof for whoever waits."""

import threading
from base64 import b64decode
from collections import Counter

import requests_by_hand
from sqlalchemy import text

from ledger import checkpoints, log, notes, submissions
from ledger.ids import new_entry_id
from ledger.merkle import leaf_hash
from ledger.people.actors import OPERATOR
from ledger.writer import QUEUE_MAX, _Job


def entry_of(desk, index):
    with desk.town.read() as tx:
        return log.read_entry(tx.connection, index)


def test_a_service_is_recorded_and_the_receipt_names_its_entry(desk):
    answer = desk.post(desk.service | {"break_minutes": 30})
    assert answer.status_code == 201
    receipt = answer.json
    said = next(entry for entry in desk.town.entries() if entry["index"] == receipt["index"])
    assert (said["kind"], said["body"]["minutes"], said["body"]["break_minutes"]) == ("service.recorded", 90, 30)
    assert (said["id"], said["recorded_at"]) == (receipt["id"], receipt["recorded_at"])
    assert b64decode(receipt["leaf"]) == leaf_hash(entry_of(desk, receipt["index"]))
    assert receipt["short_hash"] == b64decode(receipt["leaf"]).hex()[:12]
    assert receipt["size"] == receipt["index"] + 1
    assert answer.headers["Location"] == f"/api/v1/entries/{receipt['index']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_times_of_any_zone_are_the_same_moment_here(desk):
    answer = desk.post(desk.service | {"start": "2025-01-20T01:00:00Z", "end": "2025-01-20T12:00:00.000+09:00"})
    said = next(entry for entry in desk.town.entries() if entry["index"] == answer.json["index"])
    assert (said["body"]["start"], said["body"]["end"]) == ("2025-01-20T09:00", "2025-01-20T11:00")


def test_a_service_counts_for_the_organisation_of_its_activity(desk):
    unit = desk.town.organisation(name="天鹅湖互助社", number="备0002")
    shared = desk.town.activity(title="义诊", organisation=unit)
    index = desk.post(desk.service | {"activity": shared}).json["index"]
    said = next(entry for entry in desk.town.entries() if entry["index"] == index)
    assert said["body"]["organisation"] == unit


def test_a_retry_under_its_key_gets_the_first_receipt(desk):
    for day, place in enumerate(("body", "header", "quoted header"), start=7):
        key = new_entry_id()
        said = desk.on(day) | ({"id": key} if place == "body" else {})
        headers = {"body": {}, "header": {"Idempotency_Key": key}, "quoted header": {"Idempotency_Key": f'"{key}"'}}[place]
        first, again = (desk.post(said, **headers) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 200), place
        assert first.json == again.json
        assert first.json["id"] == key


def test_a_key_used_for_something_else_is_refused(desk):
    key = new_entry_id()
    desk.post(desk.service, Idempotency_Key=key)
    answer = desk.post(desk.on(21), Idempotency_Key=key)
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/key_reused")


def test_a_key_is_one_uuid7(desk):
    for said, header in ({}, "1234"), ({"id": new_entry_id()}, new_entry_id()):
        answer = desk.post(desk.service | said, Idempotency_Key=header)
        assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "Idempotency-Key")


def test_the_same_service_without_a_key_is_found_and_not_doubled(desk):
    first, again = desk.post(desk.service), desk.post(desk.service)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json


REFUSALS = {
    "overlap": {"start": "2025-01-20T10:30:00+08:00", "end": "2025-01-20T12:00:00+08:00"},
    "end_before_start": {"start": "2025-01-21T10:30:00+08:00", "end": "2025-01-21T10:30:00+08:00"},
    "future_date": {"start": "2026-01-21T10:30:00+08:00", "end": "2026-01-21T11:30:00+08:00"},
    "over_daily_cap": {"start": "2025-01-21T08:00:00+08:00", "end": "2025-01-21T19:30:00+08:00"},
    "unknown_reference": {"volunteer": "2222222222"},
}


def test_a_refusal_says_which_rule_and_where(desk):
    desk.post(desk.service)
    for code, said in REFUSALS.items():
        answer = desk.post(desk.service | said)
        problem = answer.json
        assert (answer.status_code, answer.content_type, problem["type"]) == (422, "application/problem+json", f"/problems/{code}")
        assert problem["title"]
        assert problem["detail"]
        assert code == "unknown_reference" or problem["errors"][0]["pointer"] in ("#/start", "#/end")


def test_another_station_is_not_the_desks_to_record_at(desk, elsewhere):
    answer = desk.post(desk.service | {"station": elsewhere})
    assert (answer.status_code, answer.json["type"]) == (403, "/problems/not_allowed")


WRONG = {
    "volunteer": ["", 7, None, "K7M2-Q9X", "'; --"],
    "activity": ["x" * 4000, []],
    "station": ["社区", "1" * 21],
    "start": ["2025-01-20", "2025-01-20T09:00:00", "2025-01-20T09:00:30+08:00", "2025-02-30T09:00:00+08:00", "1066-01-20T09:00:00Z", 0],
    "grade": ["E", "", {}],
    "break_minutes": [-1, 1441, "5", 1.5, True, None],
    "id": ["", "01a20001-ab1a-44bf-b98b-87a9f1d8a96e", "01A20001-AB1A-74BF-B98B-87A9F1D8A96E"],
    "minutes": [60],
    "settled": [True],
    "batch": ["01a20001-ab1a-74bf-b98b-87a9f1d8a96e"],
    "a/b~c": [1],
}


def test_what_is_not_as_described_is_refused_by_field(desk):
    for field, value in ((field, value) for field, values in WRONG.items() for value in values):
        answer = desk.post(desk.service | {field: value})
        pointers = [error["pointer"] for error in answer.json["errors"]]
        assert (answer.status_code, answer.json["type"]) == (422, "/problems/invalid"), (field, value)
        assert pointers == ["#/" + field.replace("~", "~0").replace("/", "~1")], (field, value)


def test_every_missing_field_is_named(desk):
    answer = desk.post({})
    assert {error["pointer"] for error in answer.json["errors"]} == {f"#/{name}" for name in desk.service}


# --- whoever waits


def test_who_would_rather_wait_gets_the_proof_with_the_receipt(desk):
    for day, preference in enumerate(("wait", "wait=10", "respond-async, Wait=5"), start=7):
        answer = desk.post(desk.on(day), Prefer=preference)
        assert (answer.status_code, answer.headers["Preference-Applied"]) == (201, "wait")
        proof = notes.decode_proof(answer.json["proof"].encode())
        notes.verify_proof(proof, entry_of(desk, answer.json["index"]), [desk.town.ledger.signing.verifier()])


def test_without_the_preference_no_checkpoint_is_signed(desk):
    with desk.town.read() as tx:
        before = checkpoints.newest_checkpoint(tx.connection)
    answer = desk.post(desk.service, Prefer="respond-async")
    assert "Preference-Applied" not in answer.headers
    with desk.town.read() as tx:
        assert checkpoints.newest_checkpoint(tx.connection) == before


def test_a_record_stands_even_when_no_checkpoint_can_be_signed(desk):
    guard = desk.town.settings.guard
    kept = guard.rename(guard.with_suffix(".away"))
    answer = desk.post(desk.service, Prefer="wait")
    kept.rename(guard)
    assert (answer.status_code, "proof" in answer.json, "Preference-Applied" in answer.headers) == (201, False, False)


# --- many at once


def test_a_batch_answers_each_service_in_order_in_one_commit(desk, elsewhere):
    desk.post(desk.service)
    batches = desk.town.sql("SELECT count(*) FROM batch")
    key = new_entry_id()
    records = [
        desk.on(21),
        desk.service,
        desk.on(20, start="2025-01-20T10:00:00+08:00"),
        desk.on(22, grade="Z"),
        7,
        desk.on(22, station=elsewhere),
        desk.on(22, volunteer="2222222222"),
        desk.on(21),
        desk.on(22),
    ]
    answer = desk.post({"id": key, "records": records}, "/batch")
    assert answer.status_code == 200
    results = answer.json["results"]
    assert [result["status"] for result in results] == [201, 200, 422, 422, 422, 403, 422, 200, 201]
    assert (answer.json["id"], answer.json["recorded"], answer.json["already"], answer.json["refused"]) == (key, 2, 2, 5)
    problems = [result["problem"]["type"].removeprefix("/problems/") for result in results if "problem" in result]
    assert problems == ["overlap", "invalid", "invalid", "not_allowed", "unknown_reference"]
    assert results[7]["receipt"] == results[0]["receipt"]
    assert desk.town.sql("SELECT count(*) FROM batch")[0][0] == batches[0][0] + 1
    new = [result["receipt"]["index"] for result in results if result["status"] == 201]
    assert {row for (row,) in desk.town.sql("SELECT entry_index FROM service WHERE batch = ?", key)} == set(new)


def test_a_batch_said_again_is_not_recorded_again(desk):
    key = new_entry_id()
    said = {"records": [desk.on(day) for day in range(7, 20)]}
    first = desk.post(said, "/batch", Idempotency_Key=key).json
    size = desk.town.size
    again = desk.post(said, "/batch", Idempotency_Key=key).json
    assert [result["receipt"] for result in again["results"]] == [result["receipt"] for result in first["results"]]
    assert (again["recorded"], again["already"], desk.town.size) == (0, 13, size)


def test_a_batch_needs_a_key_and_one_to_a_thousand_services(desk):
    for said, pointer in (
        ({"records": [desk.service]}, "#/id"),
        ({"id": new_entry_id(), "records": []}, "#/records"),
        ({"id": new_entry_id(), "records": [desk.service] * 1001}, "#/records"),
        ({"id": new_entry_id(), "records": {}}, "#/records"),
    ):
        answer = desk.post(said, "/batch")
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


def test_one_id_twice_in_a_batch_is_refused_and_nothing_is_recorded(desk):
    key, size = new_entry_id(), desk.town.size
    answer = desk.post({"id": new_entry_id(), "records": [desk.on(21, id=key), desk.on(22, id=key)]}, "/batch")
    assert (answer.status_code, desk.town.size) == (422, size)


def test_a_batch_that_waits_gets_the_checkpoint_over_all_of_it(desk):
    answer = desk.post({"id": new_entry_id(), "records": [desk.on(21), desk.on(22)]}, "/batch", Prefer="wait")
    signed = notes.open_checkpoint(answer.json["checkpoint"].encode(), [desk.town.ledger.signing.verifier()])
    assert signed.size >= max(result["receipt"]["size"] for result in answer.json["results"])


def test_derived_entry_ids_are_distinct_uuid7s_of_the_batchs_time():
    key = new_entry_id()
    ids = [submissions.entry_id_in(key, place) for place in range(1000)]
    assert len({*ids, key}) == 1001
    assert {(one[:18], one[14], one[19] in "89ab") for one in ids} == {(key[:18], "7", True)}
    assert ids == [submissions.entry_id_in(key, place) for place in range(1000)]


def test_thirty_two_at_once_are_all_answered_and_none_is_doubled(desk):
    """Over real connections; every request is sent twice by rivals, half of them under one key."""
    people = [desk.town.volunteer() for _ in range(32)]
    said = [desk.on(day, volunteer=person) for person in people for day in (14, 15)]
    keyed = [one | {"id": new_entry_id()} if at % 2 else one for at, one in enumerate(said)]
    answers = []

    def send(address, start):
        url = f"{address}/api/v1/service-records"
        answers.extend([requests_by_hand.post(url, one, desk.token) for one in keyed[start::16]])

    with requests_by_hand.serving(desk.app) as address:
        threads = [threading.Thread(target=send, args=(address, start % 16)) for start in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert Counter(status for status, _ in answers) == {201: 64, 200: 64}
    assert Counter(receipt["index"] for _, receipt in answers) == dict.fromkeys({receipt["index"] for _, receipt in answers}, 2)
    recorded = desk.town.sql("SELECT count(*) FROM service WHERE served_on IN ('2025-01-14', '2025-01-15')")
    assert recorded == [(64,)]


def test_when_too_much_waits_the_next_is_asked_to_come_back(desk):
    desk.post(desk.service)  # so that the token is known: noting its use would wait too
    going, begun = threading.Event(), threading.Event()

    def hold(_tx):
        begun.set()
        going.wait(30)

    holder = threading.Thread(target=desk.town.write, args=(hold,))
    holder.start()
    assert begun.wait(30)
    waiting = desk.town.ledger._writer._waiting
    for _ in range(QUEUE_MAX):
        waiting.put_nowait(_Job(OPERATOR, work=lambda tx: None, rehearse=True))
    try:
        answer = desk.post(desk.on(21))
    finally:
        going.set()
        holder.join()
    assert (answer.status_code, answer.json["type"], answer.headers["Retry-After"]) == (503, "/problems/unavailable", "5")
    assert desk.post(desk.on(21)).status_code == 201


def test_a_token_that_was_looked_up_is_believed_for_a_few_seconds(desk):
    desk.post(desk.service)
    desk.town.ledger.operate(lambda connection, now: connection.execute(text("UPDATE api_token SET expires_on = '2000-01-01'")))
    assert desk.post(desk.on(21)).status_code == 201
    desk.town.advance(seconds=5)
    assert desk.post(desk.on(22)).status_code == 401
