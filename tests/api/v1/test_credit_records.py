"""Credit records by a token: reading one, and what a program may write down or ask for."""

import pytest
from world import HOME, OTHER

from ledger.ids import new_entry_id
from ledger.people import deciding
from ledger.people.actors import OPERATOR, Actor

TRAINING = {"station": HOME, "title": "急救员培训", "content": "心肺复苏", "minutes": 180, "organiser": "区红十字会"}
AWARD = {"title": "优秀志愿者", "unit": "居委会", "level": "station", "granted_on": "2025-01-03"}


@pytest.fixture
def token(desk):
    return desk.issue("desk", "volunteers:read", "volunteers:write", "service-records:write")


@pytest.fixture
def person(desk):
    return next(iter(desk.town.people))


def post(desk, token, path, said):
    return desk.client.post(f"/api/v1{path}", json=said, headers=desk.headers(token, Idempotency_Key=new_entry_id()))


def test_what_a_program_writes_down_stands_in_the_record(desk, token, person):
    town = desk.town
    day = town.today.isoformat()
    made = post(desk, token, "/trainings", {**TRAINING, "trained_on": day, "volunteers": [person]})
    assert (made.status_code, made.json["recorded"], made.json["already"]) == (201, 1, [])
    again = post(desk, token, "/trainings", {**TRAINING, "trained_on": day, "volunteers": [person]})
    assert "没有重复登记" in again.json["detail"]
    activity = town.activity(title="义诊")
    town.serve(person, "2025-01-02 15:00", "16:00", activity=activity)
    judged = {"activity": activity, "volunteer": person, "quality": "poor"}
    assert "不合格" in post(desk, token, "/evaluations", judged).json["detail"]
    assert post(desk, token, "/evaluations", {**judged, "remark": "迟到半小时"}).status_code == 201
    assert "已经评过" in post(desk, token, "/evaluations", {**judged, "remark": "迟到半小时"}).json["detail"]
    asked = post(desk, token, "/awards", {"volunteer": person, **AWARD})
    assert asked.status_code == 201
    found = desk.get(f"/volunteers/{person}/record", token=token).json
    assert found["awards"] == []
    town.write(lambda tx: deciding.accept(tx, asked.json["id"]), Actor("second", "approver"))
    found = desk.get(f"/volunteers/{person}/record", token=token).json
    assert (found["training_minutes"], found["trainings"][0]["stands"]) == (180, True)
    assert [(one["quality"], one["late"]) for one in found["evaluations"]] == [("poor", True)], (
        "written down more than ten working days after"
    )
    assert [one["title"] for one in found["awards"]] == ["优秀志愿者"]


def test_an_award_that_needs_its_paper_is_refused_by_name(desk, token, person):
    refused = post(desk, token, "/awards", {"volunteer": person, **AWARD, "level": "city"})
    assert refused.status_code == 422
    assert "level" in refused.text


def test_another_stations_record_is_not_there(desk, person):
    desk.accounts.create(OPERATOR, "far", "recorder", station=OTHER, password="correct horse battery")
    token = desk.issue("far", "volunteers:read", "volunteers:write", "service-records:write")
    assert desk.get(f"/volunteers/{person}/record", token=token).status_code == 404
    assert post(desk, token, "/awards", {"volunteer": person, **AWARD}).status_code == 404
    said = {**TRAINING, "trained_on": desk.town.today.isoformat(), "volunteers": [person]}
    assert post(desk, token, "/trainings", said).status_code == 403
