"""What one member of staff asks and another decides, objections, and the working-day calendar: by programs, under the same rules as on the pages."""

import pytest
from world import CENTRE, HOME

from ledger.people import changes, volunteers
from ledger.people.actors import OPERATOR, Actor
from ledger.service import objections

PAPER, PASSWORD = "A" * 43 + "=", "correct horse battery"


@pytest.fixture
def staff(desk):
    """Tokens of the registrar, a colleague above, and somebody of the next station."""
    desk.accounts.create(OPERATOR, "above", "approver", station=CENTRE, password=PASSWORD)
    desk.accounts.create(OPERATOR, "next", "approver", station="340104001002", password=PASSWORD)
    desk.accounts.create(OPERATOR, "li", "official", password=PASSWORD)
    scopes = ("volunteers:read", "volunteers:write", "service-records:read")
    desk.own, desk.above, desk.next = (
        desk.issue("desk", *scopes),
        desk.issue("above", *scopes, "service-records:approve"),
        desk.issue("next", *scopes),
    )
    desk.person = next(iter(desk.town.people))
    return desk


def put(desk, path, said=None, token=None, code=201, **headers):
    answer = desk.client.post(f"/api/v1{path}", json=said, headers=desk.headers(token, **headers))
    assert answer.status_code == code, answer.text
    return answer.json


def matters(desk, token):
    return {one["id"]: one for one in desk.get("/matters", token=token).json["items"]}


def test_a_confirmation_on_paper_takes_two_and_the_second_is_not_who_asked(staff):
    asked = put(staff, f"/volunteers/{staff.person}/confirmations", {"evidence": PAPER}, staff.own)["id"]
    seen = matters(staff, staff.above)[asked]
    assert (seen["kind"], seen["means"], seen["own"], seen["name"]) == ("confirm", "paper", False, "张*")
    assert matters(staff, staff.own)[asked]["own"]
    assert matters(staff, staff.next) == {}
    put(staff, f"/matters/{asked}/acceptances", token=staff.own, code=403)
    put(staff, f"/matters/{asked}/acceptances", token=staff.next, code=404)
    assert put(staff, f"/matters/{asked}/acceptances", token=staff.above)["state"] == "accepted"
    put(staff, f"/matters/{asked}/acceptances", token=staff.above, code=409)
    assert staff.get(f"/volunteers/{staff.person}", token=staff.own).json["confirmed_on"] == staff.town.today.isoformat()
    assert staff.town.rates(staff.town.today.year)[HOME]["confirmed_at_desk"] == 1


def test_a_merge_is_asked_for_refused_with_a_reason_or_taken_back(staff):
    other = staff.town.volunteer(name="张敏")
    asked = put(staff, f"/volunteers/{other}/merges", {"into": staff.person, "reason": "身份证号抄错一位"}, staff.own)["id"]
    assert matters(staff, staff.above)[asked]["into"] == staff.person
    put(staff, f"/matters/{asked}/refusals", {"remark": "x"}, staff.above, code=422)
    assert put(staff, f"/matters/{asked}/refusals", {"remark": "两个人"}, staff.above)["state"] == "declined"
    again = put(staff, f"/volunteers/{other}/merges", {"into": staff.person, "reason": "身份证号抄错一位"}, staff.own)["id"]
    assert put(staff, f"/matters/{again}/refusals", {"remark": "写错了"}, staff.own)["state"] == "dropped"
    for number in (other, "2222222222"):
        put(staff, f"/volunteers/{number}/merges", {"into": staff.person, "reason": "身份证号抄错一位"}, staff.next, code=404)


def test_what_wants_the_papers_is_not_decided_by_a_program_and_no_name_is_told(staff):
    clerk = Actor("somebody", "recorder", HOME)
    matter = staff.town.write(lambda tx: changes.propose(tx, staff.person, {"name": "张三丰"}, "抄错了", None), clerk)
    assert "张三丰" not in staff.get("/matters", token=staff.above).get_data(as_text=True)
    put(staff, f"/matters/{matter}/acceptances", token=staff.above, code=422)
    with staff.town.read() as tx:
        assert volunteers.get(tx, staff.person).personal.identity["name"] == "张敏"


def test_an_objection_is_listed_without_words_and_decided_once_by_somebody_else(staff):
    service = staff.town.serve(staff.person, "2025-01-10 09:00", "11:00").index
    me = Actor("own", "volunteer", None, staff.person)
    objection = staff.town.write(lambda tx: objections.contest(tx, service, "time", "我十点才到，王阿姨知道"), me).index
    [seen] = staff.get("/objections?waiting=yes", token=staff.own).json["items"]
    assert (seen["index"], seen["service"], seen["claim"], seen["volunteer"]) == (objection, service, "time", staff.person)
    assert "王阿姨" not in str(seen)
    assert staff.get("/objections", token=staff.next).json["items"] == []
    path, said = f"/objections/{objection}/decisions", {"finding": "upheld", "reason": "签到表上是十点"}
    put(staff, path, said, staff.own, code=403)
    put(staff, path, said, staff.above, code=422)
    put(staff, path, said | {"start": "2025-01-10T10:00:00+08:00"}, staff.above, code=422)
    times = {"start": "2025-01-10T10:00:00+08:00", "end": "2025-01-10T11:00:00+08:00"}
    decided = put(staff, path, said | times, staff.above)
    assert staff.get("/objections?waiting=no", token=staff.own).json["items"][0]["decision"] == decided["index"]
    assert staff.get(f"/service-records/{service}", token=staff.own).json["minutes"] == 60
    put(staff, path, said | times, staff.above, code=403)  # who put the record right has had a part in it


def test_a_year_is_read_adopted_and_never_guessed(staff):
    reads, writes = staff.issue("desk", "stations:read"), staff.issue("li", "stations:write")
    assert staff.get("/calendars/2025", token=reads).json["rest"][0] == "2025-01-01"
    assert staff.get("/calendars/2099", token=reads).status_code == 404
    assert staff.get("/calendars/1999", token=reads).status_code == 404
    said = {"year": 2099, "rest": ["2099-01-01"], "work": ["2099-01-04"], "source": "国务院办公厅通知"}
    put(staff, "/calendars", said | {"rest": ["2099-01-03"]}, writes, code=422)
    assert put(staff, "/calendars", said, writes)["year"] == 2099
    shown = staff.get("/calendars/2099", token=reads).json
    assert (shown["rest"], shown["work"], shown["source"]) == (["2099-01-01"], ["2099-01-04"], said["source"])


def test_what_is_another_stations_is_not_there(staff):
    service = staff.town.serve(staff.person, "2025-01-10 09:00", "11:00").index
    theirs, none = (staff.get(f"/service-records/{index}", token=staff.next) for index in (service, 999_999))
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.json["detail"].replace(str(service), "?") == none.json["detail"].replace("999999", "?")
