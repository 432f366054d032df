"""「推送」: an administrator registers a receiver, sees how it stands, tells it again, and ends it."""

import re
from dataclasses import replace

import pytest

from jobs.schedule import JOBS, run_due
from ledger.people.actors import OPERATOR


@pytest.fixture
def boss(world):
    return world.visitor("administrator")


def register(visitor, url="https://example.org/hooks", **said):
    answer = visitor.post("/webhooks/", {"url": url, **said})
    found = re.search(r"whsec_[A-Za-z0-9+/=]{44}", answer.text)
    return answer, found and found[0]


def number(visitor):
    return re.search(r"/webhooks/(\w{10})/replay", visitor.get("/webhooks/").text)[1]


def test_the_secret_is_shown_once(world, boss):
    answer, secret = register(boss)
    assert answer.status_code == 200
    assert secret
    page = boss.get("/webhooks/").text
    assert "https://example.org/hooks" in page
    assert "whsec_" not in page
    assert "已跟上" in page
    renewed = boss.post(f"/webhooks/{number(boss)}/secret").text
    assert re.search(r"whsec_[A-Za-z0-9+/=]{44}", renewed)[0] != secret


def test_an_address_inside_is_refused_and_what_was_typed_is_kept(boss):
    for url in ("http://example.org/", "https://127.0.0.1/hooks", "https://169.254.169.254/"):
        answer, secret = register(boss, url)
        assert (answer.status_code, secret) == (400, None)
        assert url in answer.text
    assert "0 个接收地址" in boss.get("/webhooks/").text


def test_a_failure_and_the_next_attempt_stand_on_the_page(world, boss):
    world.ledger.settings = replace(world.ledger.settings, webhooks_private=True)
    register(boss, "http://127.0.0.1:9/hooks", group=["station"])
    assert boss.post(f"/webhooks/{number(boss)}/replay", {"index": "0"}).status_code == 302
    [run] = run_due(world.ledger, [job for job in JOBS if job.id == "webhooks"])
    assert run.state == "done", "a receiver that is down is no failure of the job"
    page = boss.get("/webhooks/").text
    assert "连续失败 1 次" in page
    assert "连不上" in page
    assert "站点和人口" in page
    assert "2025年11月3日 09:30" in page


def test_an_official_of_a_centre_registers_for_the_own_stations_alone(world):
    world.accounts.create(OPERATOR, "centre", "official", station="340104001000", password="correct horse battery")
    clerk = world.visitor("centre")
    page = clerk.get("/webhooks/").text
    assert "全部站点" not in page
    assert "340104001004" in page
    assert register(clerk)[0].status_code == 400, "nothing that belongs to no station"
    assert register(clerk, station="340104001004")[1]
    assert "1 个接收地址" in clerk.get("/webhooks/").text


def test_an_index_that_is_none_is_refused_and_a_receiver_can_be_ended(boss):
    register(boss)
    hook = number(boss)
    for said in ("", "x", "-1", "999999999999999", "1e3", "９"):
        assert boss.post(f"/webhooks/{hook}/replay", {"index": said}).status_code == 400
    assert boss.post(f"/webhooks/{hook}/remove").status_code == 302
    assert boss.post(f"/webhooks/{hook}/remove").status_code == 404
