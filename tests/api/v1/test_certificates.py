"""Certificates over the API: the register, issuing for somebody of one's own station, revoking; never the paper itself."""

import pytest
from certified import serve_long
from world import CENTRE, OTHER

from ledger.ids import new_entry_id
from ledger.people import reveals
from ledger.people.actors import OPERATOR
from ledger.service import amending


@pytest.fixture
def person(world):
    number = next(iter(world.people))
    serve_long(world, number, 4, since="2024-05-01")
    return number


@pytest.fixture
def clerk(desk):
    return desk.issue("desk", "certificates:read", "certificates:write")


@pytest.fixture
def boss(desk):
    desk.accounts.create(OPERATOR, "boss", "approver", station=CENTRE, password="correct horse battery")
    return desk.issue("boss", "certificates:read", "certificates:revoke")


def post(desk, path, said, token, key=None):
    return desk.client.post(f"/api/v1/certificates{path}", json=said, headers=desk.headers(token, Idempotency_Key=key or new_entry_id()))


def test_one_is_issued_once_for_a_key_and_stands_in_the_register(desk, clerk, person):
    key, said = new_entry_id(), {"volunteer": person, "period_from": "2024-05-02"}
    made = post(desk, "", said, clerk, key)
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/certificates/{made.json['number']}"
    again = post(desk, "", said, clerk, key)
    assert (again.status_code, again.json) == (200, made.json)
    found = desk.get(f"/certificates/{made.json['number']}", token=clerk).json
    assert (found["state"], found["minutes"], found["minutes_today"], found["records"]) == ("valid", 270, 270, 3)
    assert (found["volunteer"], found["index"], found["period_from"]) == (person, made.json["index"], "2024-05-02")
    assert "name" not in found
    assert [one["number"] for one in desk.get(f"/certificates?volunteer={person}&issued_from=2025-01-01", token=clerk).json["items"]] == [
        made.json["number"]
    ]
    assert desk.get("/certificates?issued_to=2024-12-31", token=clerk).json["items"] == []


def test_a_change_and_a_revocation_show(desk, clerk, boss, person, world):
    number = post(desk, "", {"volunteer": person}, clerk).json["number"]
    records = [row.index for row in world.credit(person).records]
    world.write(lambda tx: amending.void(tx, records[0], reason="重复登记"))
    found = desk.get(f"/certificates/{number}", token=clerk).json
    assert (found["state"], found["minutes"], found["minutes_today"], found["changed"]) == ("amended", 360, 270, [records[0]])
    assert post(desk, f"/{number}/revocations", {"reason": "已另开一份"}, clerk).status_code == 403
    gone = post(desk, f"/{number}/revocations", {"reason": "已另开一份"}, boss)
    assert gone.status_code == 201
    assert post(desk, f"/{number}/revocations", {"reason": "已另开一份"}, boss).status_code == 409
    found = desk.get(f"/certificates/{number}", token=boss).json
    assert (found["state"], found["revoked_reason"]) == ("revoked", "已另开一份")


def test_what_cannot_be_certified_is_said(desk, clerk, person, world):
    elsewhere = world.volunteer(OTHER)
    unknown = post(desk, "", {"volunteer": "2222222222"}, clerk)
    foreign = post(desk, "", {"volunteer": elsewhere}, clerk)
    assert (unknown.status_code, foreign.status_code) == (404, 404)
    assert unknown.json["detail"] == foreign.json["detail"]
    none = post(desk, "", {"volunteer": person, "period_from": "2025-01-10"}, clerk)
    assert (none.status_code, "还没有已生效的服务记录" in none.json["detail"]) == (422, True)
    assert post(desk, "", {"volunteer": person, "id_number": "half"}, clerk).status_code == 422
    for number in ("340104-2025-000009", "x", "340104-2025-000001%2F"):
        assert desk.get(f"/certificates/{number}", token=clerk).status_code == 404


def test_another_stations_register_is_not_there(desk, clerk, person, world):
    number = world.certify(person).number
    desk.accounts.create(OPERATOR, "far", "recorder", station=OTHER, password="correct horse battery")
    token = desk.issue("far", "certificates:read", "certificates:write")
    assert desk.get(f"/certificates/{number}", token=token).status_code == 404
    assert desk.get("/certificates", token=token).json["items"] == []
    assert desk.get(f"/certificates/{number}", token=clerk).status_code == 200


def test_as_a_credential_it_is_handed_out_and_the_look_is_written_down(desk, clerk, person, world):
    number = post(desk, "", {"volunteer": person}, clerk).json["number"]

    def looks():
        with world.read() as tx:
            return [one.fields for one in reveals.of(tx, person)]

    before = looks()
    said = post(desk, f"/{number}/credentials", {"way": "json"}, clerk)
    assert (said.status_code, said.content_type, said.headers["Cache-Control"]) == (200, "application/vc", "no-store")
    credential = said.get_json(force=True)
    assert credential["credentialSubject"]["number"] == number
    assert len(looks()) == len(before) + 1
    token = post(desk, f"/{number}/credentials", {"way": "jwt"}, clerk)
    assert token.content_type == "application/vc+jwt"
    assert token.text.count(".") == 2
    assert len(looks()) == len(before) + 2
    assert post(desk, f"/{number}/credentials", {"way": "pdf"}, clerk).status_code == 422

    listed = credential["credentialStatus"]["statusListCredential"].rsplit("/", 2)
    answer = desk.client.get(f"/api/v1/credentials/status-lists/{listed[1]}/{listed[2]}")
    assert answer.get_json(force=True)["credentialSubject"]["type"] == "BitstringStatusList"
    assert desk.client.get(f"/api/v1/credentials/status-lists/{listed[1]}/9").status_code == 404
    keys = desk.client.get("/api/v1/credentials/keys").get_json(force=True)
    assert [one["publicKeyMultibase"] for one in keys["verificationMethod"]] == [listed[1]]

    desk.accounts.create(OPERATOR, "far", "approver", station=OTHER, password="correct horse battery")
    far = desk.issue("far", "certificates:read", "certificates:write")
    assert post(desk, f"/{number}/credentials", {"way": "json"}, far).status_code == 404
    assert len(looks()) == len(before) + 2
