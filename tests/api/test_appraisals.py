"""「评估权重」: staff read how an appraisal's score is made; one official proposes other weights, a second one confirms them."""

import re
from datetime import date

from ledger import organisations
from ledger.organisations import Filing
from ledger.people.actors import OPERATOR

PASSWORD = "correct horse battery"
OWN = {"weight-role": "60", "weight-party": "10", "weight-standard": "10", "weight-residents": "20"}
SAID = {"effective_on": "2025-11-10", "document": "区民政局第 3 次办公会"}


def link(page, verdict):
    found = re.search(rf'action="(/appraisals/proposals/\w+/{verdict})"', page)
    return found[1] if found else None


def test_one_official_proposes_and_another_confirms(world):
    world.accounts.create(OPERATOR, "second", "official", password=PASSWORD)
    first, second, clerk = (world.visitor(login) for login in ("official", "second", "recorder"))
    page = clerk.get("/appraisals/").text
    assert "用表格自带的" in page
    assert "<h2>改权重</h2>" not in page
    assert first.post("/appraisals/performance", OWN | SAID).status_code == 302
    assert link(first.get("/appraisals/").text, "confirm") is None
    assert "一组评估权重" in second.get("/work").text
    assert "有一组评估权重等您确认" in second.get("/notices/").text
    page = second.get("/appraisals/").text
    assert "等第二个人确认：年度绩效评估" in page
    assert "等第二个人确认" not in clerk.get("/appraisals/").text
    assert second.post(link(page, "confirm")).status_code == 302
    assert "从 2025年11月10日起改用：发挥作用 60%、党的建设 10%" in clerk.get("/appraisals/").text
    world.clock.move(days=10)
    page = world.visitor("recorder").get("/appraisals/").text
    assert "两人办理" in page
    assert "原来自带的：发挥作用 50%" in page


def test_weights_that_do_not_make_a_hundred_are_said_so_and_kept_on_the_form(world):
    official = world.visitor("official")
    wrong = official.post("/appraisals/performance", OWN | SAID | {"weight-role": "66"})
    assert wrong.status_code == 400
    assert "各项权重加起来应是 100，现在是 106，多了 6" in wrong.text
    assert re.search(r'name="weight-role"[^>]*value="66"', wrong.text)
    assert 'value="2025-11-10"' in wrong.text
    assert official.post("/appraisals/nothing", OWN | SAID).status_code == 400
    assert official.post("/appraisals/performance", OWN | SAID).status_code == 302
    assert official.post(link(official.get("/appraisals/").text, "decline")).status_code == 302
    assert link(official.get("/appraisals/").text, "decline") is None


def test_the_form_says_what_each_mark_weighs(world):
    filing = Filing("备-01", "竹荫里助老队", "charity", True, "340104001004", False, date(2025, 6, 1))
    world.ledger.write(lambda tx: organisations.record_many(tx, [filing]), OPERATOR)
    page = world.visitor("recorder").get("/duties/fill/performance?unit=340104001004").text
    assert "发挥作用（0—100 分，占总分 50%）" in page
