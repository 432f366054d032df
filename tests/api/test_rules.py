"""The pages of credit rules: anybody sees what is in force, two officials adopt, a person and the desk see how a star came about."""

import re
from html import unescape
from pathlib import Path

import orjson
import pytest

from ledger.log import Fact
from ledger.people import volunteers
from ledger.people.actors import OPERATOR
from ledger.rules import adopting, answers, reading

EXAMPLES = Path(reading.__file__).parent / "examples"
FOUND = orjson.loads((EXAMPLES / "longquanyi.json").read_bytes())
LONGQUANYI = orjson.dumps(FOUND | {"effective_on": "2025-01-01"})


def changed(**said):
    return orjson.dumps(orjson.loads(LONGQUANYI) | said).decode()


def plain(page):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


@pytest.fixture
def second(world):
    world.accounts.create(OPERATOR, "second", "official", station=None, password="correct horse battery")
    return world.visitor("second")


def test_anybody_sees_the_ladder_while_there_are_no_rules_of_its_own(world):
    page = plain(world.visitor().get("/rules/"))
    assert "志愿者星级（按累计时长）" in page
    assert "一星：时长 100小时" in page
    assert "提出一份新规则" not in page
    assert world.visitor().get("/rules/star.json").status_code == 404


def test_two_officials_adopt_and_everybody_may_take_the_file(world, second):
    first = world.visitor("official")
    wrong = first.post("/rules/", {"text": changed(levels=[])})
    assert (wrong.status_code, "「levels」不对" in plain(wrong)) == (400, True)
    assert "龙泉驿区" in wrong.text, "what was typed is still there"
    assert first.post("/rules/", {"text": " "}).status_code == 400
    assert first.post("/rules/", {"files": [], "text": LONGQUANYI.decode()}).status_code == 302
    assert "1 份信用规则 等您这第二个人确认" in plain(second.get("/work"))
    assert "份信用规则" not in plain(first.get("/work"))
    mine = first.get("/rules/")
    assert "等另一位区级管理员确认" in plain(mine)
    assert "采用</button>" not in mine.text
    assert "等第二个人确认" not in plain(world.visitor().get("/rules/"))
    [address] = re.findall(r'action="(/rules/[0-9A-Z]{10}/confirm)"', second.get("/rules/").text)
    assert first.post(address).status_code == 400
    assert second.post(address).status_code == 302
    page = plain(world.visitor().get("/rules/"))
    assert "正在执行" in page
    assert "报名后无故不到：扣 20 分。依据：《志愿服务条例》（国务院令第685号）第二十二条" in page
    taken = world.visitor().get("/rules/star.json").data
    assert reading.read(taken) == reading.read(LONGQUANYI)


def test_a_new_version_shows_what_differs_and_may_be_sent_back(world, second):
    world.ledger.write(lambda tx: adopting.adopt(tx, LONGQUANYI), OPERATOR)
    first = world.visitor("official")
    first.post("/rules/", {"text": changed(version=2, effective_on="2025-12-01", title="明年的星级")})
    page = second.get("/rules/")
    assert "改了 3 处" in plain(page)
    [address] = re.findall(r'action="(/rules/[0-9A-Z]{10}/decline)"', page.text)
    assert second.post(address).status_code == 302
    assert "明年的星级" not in second.get("/rules/").text


def test_a_person_and_the_desk_see_how_the_star_came_about(world, person):
    world.ledger.write(lambda tx: adopting.adopt(tx, LONGQUANYI), OPERATOR)
    law = {"basis": "《志愿服务条例》第二十二条", "expires_on": "2027-01-01"}
    body = {
        "volunteer": person.number,
        "station": _station(world, person.number),
        "item": "no-show",
        "sense": "bad",
        "occurred_on": "2025-10-01",
    }
    said = Fact("conduct.recorded", body | law | {"reason": "报名未到", "asked_by": "official"})
    world.ledger.write(lambda tx: tx.append([said]), OPERATOR)
    own = world.visitor(person.number, person.password)
    page = plain(own.get("/rules/mine"))
    with world.ledger.read() as tx:
        found = answers.explained(tx, person.number)
    assert "「龙泉驿区志愿者星级（时长与积分）」 第 1 版" in page
    assert "报名后无故不到： -20 分 （依据：《志愿服务条例》（国务院令第685号）第二十二条）" in page
    assert f"还差 {found.star.next.ways[0][0].missing}" in page
    assert "这颗星怎么来的" in page or "星级怎么来的" in page
    assert "星级怎么评" in plain(own.get("/credit/"))
    assert plain(world.visitor("recorder").get(f"/rules/of/{person.number}")).count("报名后无故不到") == page.count("报名后无故不到")
    assert own.get(f"/rules/of/{person.number}").status_code == 403
    assert own.get("/rules/mine?rules=moon").status_code == 404


def test_points_are_spent_at_the_desk_as_far_as_they_go(world, person):
    rules = {
        "name": "points",
        "title": "积分",
        "version": 1,
        "effective_on": "2025-01-01",
        "document": "某文件",
        "spending": {"per": "quarter", "times": 1},
    }
    rules |= {"spending": {"per": "quarter", "times": 1}, "items": [{"id": "praise", "name": "表彰", "counts": "awards", "points": 10}]}
    world.ledger.write(lambda tx: adopting.adopt(tx, orjson.dumps(rules)), OPERATOR)
    award = {
        "volunteer": person.number,
        "station": _station(world, person.number),
        "title": "先进",
        "unit": "街道",
        "level": "centre",
        "granted_on": "2025-10-01",
    }
    world.ledger.write(lambda tx: tx.append([Fact("award.granted", award)]), OPERATOR)
    desk, address = world.visitor("recorder"), f"/rules/of/{person.number}/spend"
    for points, words in (("11", "积分不够：要用 11 分，可用 10 分"), ("一", "请填整数"), ("0", "一次至少兑换 0.01 分")):
        answer = desk.post(address, {"rules": "points", "points": points, "purpose": "毛巾一条"})
        assert (answer.status_code, words in plain(answer)) == (400, True), words
    assert desk.post(address, {"rules": "points", "points": "4", "purpose": "毛巾一条"}).status_code == 302
    assert "还有 6 分" in plain(desk.get(f"/rules/of/{person.number}?rules=points"))
    assert "每季度最多兑换 1 次" in plain(desk.post(address, {"rules": "points", "points": "1", "purpose": "毛巾一条"}))


def _station(world, number):
    with world.ledger.read() as tx:
        return volunteers.get(tx, number).row.station


@pytest.mark.parametrize("path", ["/rules/", "/indicator-sets/"])
def test_an_official_of_one_street_reads_what_anybody_reads_and_proposes_nothing(world, path):
    world.accounts.create(OPERATOR, "street", "official", station="340104001000", password="correct horse battery")
    page = world.visitor("street").get(path)
    assert page.status_code == 200
    assert 'enctype="multipart/form-data"' not in page.text
    assert 'enctype="multipart/form-data"' in world.visitor("official").get(path).text
