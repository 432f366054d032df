"""What people see of their own data and who looked at it; what the desk sees, masked until it says why; two people for an end to it."""

import json
import re

import pytest

from ledger.people import volunteers
from ledger.people.actors import OPERATOR


@pytest.fixture
def known(world, person):
    """The volunteer of the sheet, as the vault holds them."""
    with world.ledger.read() as tx:
        return volunteers.get(tx, person.number).personal


@pytest.fixture
def mine(world, person):
    return world.visitor(person.number, person.password)


def test_the_desk_sees_masks_until_it_says_why_and_the_person_sees_that_it_did(world, person, known, mine):
    clerk = world.visitor("recorder")
    page = clerk.get(f"/volunteers/{person.number}/personal").text
    secrets = [known.identity["name"], known.identity["id_number"], *known.contact.values()]
    assert not [secret for secret in secrets if secret in page]
    assert known.identity["id_number"][-2:] in page
    for said in ({}, {"reason": "because"}, {"reason": "inquiry"}, {"reason": "contact", "note": "打 13800138000"}):
        refused = clerk.post(f"/volunteers/{person.number}/personal/reveal", said)
        assert (refused.status_code, [secret for secret in secrets if secret in refused.text]) == (400, [])
    assert "还没有人看过" in mine.get("/my/reveals").text
    shown = clerk.post(f"/volunteers/{person.number}/personal/reveal", {"reason": "inquiry", "note": "十一月抽查"})
    assert shown.status_code == 200
    assert not [secret for secret in secrets if secret not in shown.text]
    assert shown.headers["Cache-Control"] == "no-store"
    seen = mine.get("/my/reveals").text
    for said in ("站点登记员", "上级检查或处理投诉", "十一月抽查", "2025年11月3日"):
        assert said in seen
    assert "recorder" not in re.sub(r"<[^>]+>", "", seen), "who it was by name is for those who watch"


def test_nobody_looks_at_people_of_another_station(world, person, known):
    world.accounts.create(OPERATOR, "elsewhere", "recorder", station="340104001001", password="correct horse battery")
    clerk = world.visitor("elsewhere")
    for method, path in (("get", ""), ("post", "/reveal"), ("post", "/everything"), ("post", "/erasure")):
        answer = getattr(clerk, method)(
            f"/volunteers/{person.number}/personal{path}", *([{"reason": "contact"}] if method == "post" else [])
        )
        assert (answer.status_code, known.identity["name"] in answer.text) == (404, False), path


def test_a_volunteer_takes_everything_about_themselves_away(mine, person, known, recorded):
    page = mine.get("/my/data")
    assert page.status_code == 200
    answer = mine.get("/my/data.json")
    said = json.loads(answer.data)
    values = {one["label"]: one["value"] for one in said["fields"]}
    assert (values["姓名"], values["身份证件号码"]) == (known.identity["name"], known.identity["id_number"])
    assert all(one["purpose"] and one["basis"] and one["kept"] and one["seen_by"] for one in said["fields"])
    assert said["volunteer"] == person.number
    kinds = [entry["kind"] for entry in said["entries"]]
    assert kinds[:3] == ["volunteer.registered", "account.opened", "service.recorded"]
    assert [entry["place"] for entry in said["entries"]] == list(range(1, len(kinds) + 1)), "the whole chain, without a gap"
    assert all(entry["short_hash"] in page.text and entry["kind"] not in page.text for entry in said["entries"])
    assert said["account"]["sessions"], "this very one"
    assert known.identity["id_number"] in page.text


def test_others_are_left_out_of_what_a_volunteer_takes_away(world, mine, person, recorded):
    batch = recorded[0].batch
    world.visitor("approver").post("/approvals/", {"batch": batch})
    text = mine.get("/my/data.json").text
    others = {row.volunteer for row in recorded} - {person.number}
    assert not [number for number in others if number in text]


def test_a_copy_at_the_desk_is_a_look_too(world, person, known, mine):
    clerk = world.visitor("recorder")
    page = clerk.post(f"/volunteers/{person.number}/personal/everything", {"form": "page"})
    assert known.identity["id_number"] in page.text
    as_file = clerk.post(f"/volunteers/{person.number}/personal/everything", {"form": "json"})
    assert json.loads(as_file.data)["volunteer"] == person.number
    assert mine.get("/my/reveals").text.count("本人的全部资料") == 2


def test_erasing_takes_two_steps_and_two_people_and_then_the_person_is_nobody(world, person, known, mine):
    assert "下一步" in mine.get("/my/erasure").text
    assert mine.post("/my/erasure", {"reason": "own_wish"}).status_code == 400
    asked = mine.post("/my/erasure", {"reason": "own_wish", "understood": "yes"})
    assert "最后确认" in asked.text
    assert mine.post("/my/erasure", {"reason": "own_wish", "understood": "yes", "step": "confirm"}).status_code == 302
    assert mine.post("/my/erasure/withdraw").status_code == 302
    assert "已撤回" in mine.get("/my/erasure").text
    mine.post("/my/erasure", {"reason": "own_wish", "understood": "yes", "step": "confirm"})
    chief = world.visitor("approver")
    listed = chief.get("/erasures/").text
    assert known.identity["name"] not in listed
    [request] = set(re.findall(r"/erasures/([0-9a-f-]{36})", listed))
    assert "不能反悔" in chief.get(f"/erasures/{request}").text
    done = chief.client.post(f"/erasures/{request}", data={"csrf_token": chief.token(), "act": "carry_out"}, follow_redirects=True)
    assert "已注销" in done.text
    assert mine.get("/my/data").status_code == 302, "the session has ended"
    assert world.visitor().sign_in(person.number, person.password).status_code != 302
    assert known.identity["name"] not in chief.get(f"/volunteers/{person.number}/personal").text
    assert chief.post(f"/volunteers/{person.number}/personal/reveal", {"reason": "contact"}).status_code == 403
    assert chief.get(f"/erasures/{request}").status_code == 404


def test_who_recorded_a_request_at_the_desk_does_not_carry_it_out(world, person):
    chief = world.visitor("approver")
    assert chief.post(f"/volunteers/{person.number}/personal/erasure", {"reason": "own_wish"}).status_code == 400
    assert chief.post(f"/volunteers/{person.number}/personal/erasure", {"reason": "own_wish", "seen": "yes"}).status_code == 302
    [request] = set(re.findall(r"/erasures/([0-9a-f-]{36})", chief.get("/erasures/").text))
    assert "您登记的" in chief.get(f"/erasures/{request}").text
    assert chief.post(f"/erasures/{request}", {"act": "carry_out"}).status_code == 403
    official = world.visitor("official")
    assert official.post(f"/erasures/{request}", {"act": "refuse", "reply": "本人来电说提错了"}).status_code == 302
    assert official.get(f"/erasures/{request}").status_code == 404


def test_who_watches_sees_how_often_accounts_looked_and_what_is_out_of_the_ordinary(world, person, known):
    clerk = world.visitor("recorder")
    for _ in range(31):
        clerk.post(f"/volunteers/{person.number}/personal/reveal", {"reason": "identity"})
    page = world.visitor("auditor").get("/reveals/").text
    assert "recorder" in page
    assert "31" in page
    assert "异常多" in page
    assert person.number not in page
    assert known.identity["name"] not in page
