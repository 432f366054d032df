"""Receivers over the API: registering one, its secret, replay, and ending it."""

import pytest
from world import CENTRE, HOME, OTHER

from ledger.ids import new_entry_id
from ledger.people.actors import OPERATOR

URL = "https://example.org/hooks"


@pytest.fixture
def official(desk):
    desk.accounts.create(OPERATOR, "li", "official", station=CENTRE, password="correct horse battery")
    return desk.issue("li", "webhooks:write")


def post(desk, path, said, token, key=None):
    headers = desk.headers(token, **({"Idempotency_Key": key} if key else {}))
    return desk.client.post(f"/api/v1/webhooks{path}", json=said, headers=headers)


def test_the_secret_comes_with_the_registration_and_again_with_a_retry_and_never_else(desk, official):
    key, said = new_entry_id(), {"url": URL, "station": HOME, "kinds": ["service.recorded", "service.voided"]}
    first, again = (post(desk, "", said, official, key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    secret, hook = first.json["secret"], first.json["id"]
    assert secret.startswith("whsec_")
    assert first.headers["Location"] == f"/api/v1/webhooks/{hook}"
    shown = desk.client.get(f"/api/v1/webhooks/{hook}", headers=desk.headers(official))
    assert shown.json == {name: value for name, value in first.json.items() if name != "secret"}
    [listed] = desk.client.get("/api/v1/webhooks", headers=desk.headers(official)).json["items"]
    assert listed == shown.json
    renewed = post(desk, f"/{hook}/secrets", None, official)
    assert (renewed.status_code, renewed.json["secret"] == secret) == (201, False)
    assert secret not in repr(desk.town.sql("SELECT * FROM request"))


def test_it_is_told_again_from_any_index_and_ended(desk, official):
    hook = post(desk, "", {"url": URL, "station": HOME}, official).json["id"]
    assert post(desk, f"/{hook}/replays", {"index": 0}, official).json["next_index"] == 0
    assert post(desk, f"/{hook}/replays", {"index": desk.town.size + 1}, official).status_code == 422
    gone = [desk.client.delete(f"/api/v1/webhooks/{hook}", headers=desk.headers(official)).status_code for _ in range(2)]
    assert gone == [204, 404]


def test_it_is_registered_within_ones_own_stations_at_an_address_outside(desk, official):
    size = desk.town.size
    for said, status in (
        ({"url": URL}, 403),
        ({"url": URL, "station": "999"}, 404),
        ({"url": "http://example.org/", "station": HOME}, 422),
        ({"url": "https://10.0.0.1/", "station": HOME}, 422),
        ({"url": URL, "station": HOME, "kinds": ["x"]}, 422),
        ({"url": URL, "station": HOME, "next_index": 0}, 422),
    ):
        assert post(desk, "", said, official).status_code == status, said
    assert desk.town.size == size
    desk.accounts.create(OPERATOR, "wu", "official", station=OTHER, password="correct horse battery")
    other = desk.issue("wu", "webhooks:write")
    hook = post(desk, "", {"url": URL, "station": HOME}, official).json["id"]
    assert desk.client.get(f"/api/v1/webhooks/{hook}", headers=desk.headers(other)).status_code == 403
    assert desk.client.get("/api/v1/webhooks", headers=desk.headers(other)).json["items"] == []
    assert desk.client.delete(f"/api/v1/webhooks/{hook}", headers=desk.headers(other)).status_code == 403
