"""What programs write besides hours: once for a key, under the ledger's rules, and nothing half done."""

import threading

import pytest
import requests_by_hand
from world import CENTRE, HOME, OTHER

from ledger import repeats
from ledger.ids import new_entry_id
from ledger.people.actors import OPERATOR

ID_NUMBER = "11010519491231002X"


@pytest.fixture
def clerk(desk):
    return desk.issue(
        "desk", "activities:write", "volunteers:write", "organisations:write", "service-records:amend", "service-records:write"
    )


@pytest.fixture
def boss(desk):
    desk.accounts.create(OPERATOR, "boss", "approver", station=CENTRE, password="correct horse battery")
    return desk.issue("boss", "service-records:approve", "service-records:amend", "service-records:write")


def post(desk, path, said, token, key=None):
    headers = desk.headers(token, **({"Idempotency_Key": key} if key else {}))
    return desk.client.post(f"/api/v1{path}", json=said, headers=headers)


def writes(desk):
    """One of each write, that may be said once."""
    activity = {"station": HOME, "title": "看望独居老人", "series": "neighbour-care"}
    times = {"start": "2025-01-20T14:00:00+08:00", "end": "2025-01-20T16:00:00+08:00"}
    unit = {"number": "备2025-7", "name": "互助社", "category": "charity", "volunteer_organisation": True, "station": HOME}
    yield "/activities", activity | times
    yield "/volunteers", {"name": "王五", "id_number": ID_NUMBER, "station": HOME, "phone": "13624242754"}
    yield "/organisations", unit | {"basis": "filed", "since": "2024-10-01", "leader": "赵六", "phone": "15384582945"}
    index = desk.post(desk.on(6)).json["index"]
    yield f"/service-records/{index}/corrections", {**_times(6, 9, 10), "reason": "签退时间抄错了"}
    yield f"/service-records/{index}/voids", {"reason": "签到表重复登记"}


def _times(day, start, end):
    return {"start": f"2025-01-{day:02}T{start:02}:00:00+08:00", "end": f"2025-01-{day:02}T{end:02}:00:00+08:00"}


def test_a_write_is_done_once_for_its_key_and_answered_the_same(desk, clerk):
    for path, said in writes(desk):
        key = new_entry_id()
        first = post(desk, path, said, clerk, key)
        assert first.status_code == 201, first.text
        size = desk.town.size
        again = post(desk, path, said, clerk, key)
        assert (again.status_code, again.json, desk.town.size) == (200, first.json, size), path
        other = post(desk, path, said | _other(path), clerk, key)
        assert (other.status_code, other.json["type"], desk.town.size) == (422, "/problems/key_reused", size), path


def _other(path):
    if path.endswith(("/corrections", "/voids")):
        return {"reason": "另一个理由在此"}
    return {"name": "别人"} if not path.startswith("/activities") else {"title": "别的活动"}


def test_a_key_is_ones_own_and_holds_for_thirty_days(desk, clerk, boss):
    key = new_entry_id()
    first, second = (desk.post(desk.on(day)).json["index"] for day in (6, 7))
    assert post(desk, f"/service-records/{first}/voids", {"reason": "重复登记了"}, clerk, key).status_code == 201
    assert post(desk, f"/service-records/{second}/voids", {"reason": "重复登记了"}, boss, key).status_code == 201, "another account's"
    for days, left in ((29, 2), (2, 0)):
        desk.town.advance(days=days)
        desk.town.write(lambda tx: repeats.forget(tx.connection, tx.now))
        assert desk.town.sql("SELECT count(*) FROM request") == [(left,)]


def test_two_at_once_with_one_key_do_it_once(desk, clerk):
    key, said = new_entry_id(), {"name": "王五", "id_number": ID_NUMBER, "station": HOME}
    answers = []

    def go():
        answers.append(post(desk, "/volunteers", said, clerk, key))

    threads = [threading.Thread(target=go) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json["number"] for answer in answers}) == 1


def test_what_is_kept_of_a_request_tells_nothing_of_anybody(desk, clerk):
    said = {"name": "王五", "id_number": ID_NUMBER, "station": HOME, "phone": "13624242754"}
    assert post(desk, "/volunteers", said, clerk, new_entry_id()).status_code == 201
    kept = repr(desk.town.sql("SELECT * FROM request"))
    for personal in ("王五", ID_NUMBER, "13624242754"):
        assert personal not in kept


def test_a_refused_write_leaves_its_key_free(desk, clerk):
    key, said = new_entry_id(), {"name": "王五", "id_number": ID_NUMBER, "station": OTHER}
    assert post(desk, "/volunteers", said, clerk, key).status_code == 403
    assert post(desk, "/volunteers", said | {"station": HOME}, clerk, key).status_code == 201


def test_nobody_approves_what_is_their_own_word_and_one_bad_record_stops_all(desk, clerk, boss):
    mine = post(desk, "/service-records", desk.on(6), boss).json["index"]
    theirs = desk.post(desk.on(7)).json["index"]
    size = desk.town.size
    answer = post(desk, "/service-records/approvals", {"indexes": [theirs, mine]}, boss)
    assert (answer.status_code, desk.town.size) == (403, size)
    answer = post(desk, "/service-records/approvals", {"indexes": [theirs]}, boss)
    assert (answer.status_code, answer.json["approved"]) == (201, 1)
    assert desk.town.sql("SELECT status FROM service ORDER BY entry_index") == [("recorded",), ("approved",)]
    again = post(desk, "/service-records/approvals", {"indexes": [theirs]}, boss)
    assert (again.status_code, again.json["type"]) == (422, "/problems/invalid")


def test_a_wrong_field_is_pointed_at(desk, clerk):
    unit = {
        "number": "备7",
        "name": "互助社",
        "category": "x",
        "volunteer_organisation": 1,
        "station": HOME,
        "basis": "filed",
        "since": "2025-13-01",
    }
    answer = post(desk, "/organisations", unit, clerk)
    assert {error["pointer"] for error in answer.json["errors"]} == {"#/category", "#/volunteer_organisation", "#/since"}
    unit |= {"category": "charity", "volunteer_organisation": True, "since": "2031-01-01"}
    answer = post(desk, "/organisations", unit, clerk)
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/future_date")
    assert answer.json["errors"][0]["pointer"] == "#/since"
    answer = post(
        desk, "/activities", {"station": HOME, "title": "打13624242754", "series": "other", **_times(6, 9, 8), "place": ""}, clerk
    )
    assert {error["pointer"] for error in answer.json["errors"]} == {"#/title", "#/place"}


def test_the_same_activity_is_published_once(desk, clerk):
    said = {"station": HOME, "title": "看望独居老人", "series": "neighbour-care", **_times(20, 14, 16)}
    first, again = (post(desk, "/activities", said, clerk) for _ in range(2))
    assert (first.json["new"], again.json["new"]) == (True, False)
    assert first.json["id"] == again.json["id"]
    assert post(desk, "/activities", said | {"station": OTHER}, clerk).status_code == 403
    assert post(desk, "/activities", said | {"organisation": "2222222222"}, clerk).status_code == 404
    assert post(desk, "/activities", said | _times(20, 16, 14), clerk).status_code == 422


def test_mass_assignment_changes_nothing(desk, clerk):
    """What a program must not decide it cannot say."""
    for more in ({"settled": True}, {"organisation": "2222222222"}, {"recorder": "boss"}, {"minutes": 600}, {"batch": new_entry_id()}):
        assert post(desk, "/service-records", desk.on(6) | more, clerk).status_code == 422
    for more in (
        {"basis": "self"},
        {"registered_on": "2020-01-01"},
        {"confirmed_on": "2025-01-01"},
        {"backbone": True},
        {"number": "2222222222"},
    ):
        assert post(desk, "/volunteers", {"name": "王五", "id_number": ID_NUMBER, "station": HOME} | more, clerk).status_code == 422


def test_a_receipt_survives_a_lost_answer_over_a_real_connection(desk, clerk):
    with requests_by_hand.serving(desk.app) as address:
        key = new_entry_id()
        said = desk.on(6) | {"id": key}
        first, again = (requests_by_hand.post(f"{address}/api/v1/service-records", said, desk.token) for _ in range(2))
    assert (first[0], again[0], first[1]) == (201, 200, again[1])


def test_over_the_daily_cap_a_program_asks_for_a_second_person(desk, clerk):
    long = desk.on(5) | {"end": "2025-01-05T19:30:00+08:00"}
    refused = desk.post(long)
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/over_daily_cap")
    said, key, size = long | {"reason": "汛期值守，有值班表"}, new_entry_id(), desk.town.size
    first = post(desk, "/service-records/second-signatures", said, clerk, key)
    assert (first.status_code, set(first.json)) == (201, {"id"})
    again = post(desk, "/service-records/second-signatures", said, clerk, key)
    assert (again.status_code, again.json) == (200, first.json)
    assert post(desk, "/service-records/second-signatures", said, clerk).json == first.json, "one service is asked for once"
    assert desk.town.sql("SELECT count(*), min(state) FROM second_signature") == [(1, "waiting")]
    assert desk.town.size == size, "nothing is recorded before somebody has signed"
    short = post(desk, "/service-records/second-signatures", desk.on(6) | {"reason": "不长"}, clerk)
    assert (short.status_code, short.json["type"]) == (422, "/problems/invalid")
    assert post(desk, "/service-records/second-signatures", said | {"station": OTHER}, clerk).status_code == 403
