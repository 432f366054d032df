"""Spot checks on their pages: announced and drawn by an official step by step, recorded whole, and public without anybody's name."""

import re

import pytest

from ledger import spot_checks
from ledger.people.actors import OPERATOR

CENTRE, STATION = "340104001000", "340104001004"
SOURCE = "双色球 2025129 期开奖号码，红球从小到大，再写蓝球"
NUMBER, DIGITS = "03 07 12 19 25 33 + 08", "03071219253308"


@pytest.fixture
def signed(world, recorded):
    world.ledger.sign_now()
    return world


def plan(**change):
    return {"unit": CENTRE, "count": "3", "source": SOURCE, "digits": "14", "number_on": "2025-11-04"} | change


def announced(official, **change):
    """Announce a check, and give the address of the announcement."""
    answer = official.post("/spot-checks/announce", plan(**change))
    assert answer.status_code == 302, answer.text
    return answer.location


def a_day_later(world, login="official"):
    world.clock.move(days=1)
    return world.visitor(login)


def sample(official, at, number=NUMBER):
    page = official.get(f"{at}/draw?number={number.replace('+', '%2B')}").text
    return [int(index) for index in dict.fromkeys(re.findall(r'name="found-([0-9]+)"', page))]


def said(findings, **more):
    form = {"number": NUMBER, "checked_on": "2025-11-04", "remark": ""}
    return form | {f"found-{index}": finding for index, finding in findings.items()} | more


def test_an_official_announces_waits_draws_finds_and_everybody_sees_it_all(signed):
    official, anybody = signed.visitor("official"), signed.visitor()
    assert "预告一次抽查" in official.get("/spot-checks/").text
    at = announced(official)
    listed, page = anybody.get("/spot-checks/").text, anybody.get(at).text
    assert at in listed
    assert "已预告，还没有抽" in listed
    assert all(word in page for word in (SOURCE, "14 位数字", "已预告，还没有抽。", "2025年11月4日公布，那一天起才能抽"))
    early = official.get(at).text
    assert "抽出来" not in early
    assert "撤回这次预告" in early
    assert "撤回这次预告" not in page
    assert official.get(f"{at}/draw").location == at, "without a number there is nothing to draw"
    assert "2025-11-04 才公布" in official.get(f"{at}/draw?number={DIGITS}").text
    official = a_day_later(signed)
    assert "抽出来" in official.get(at).text
    assert "等了 1 天" in anybody.get(at).text
    first, second, third = sample(official, at)
    answer = official.post(f"{at}/draw", said({first: "held", second: "wrong", third: "unclear"}, remark="签到表一张找不到"))
    assert answer.status_code == 302
    listed, page = anybody.get("/spot-checks/").text, anybody.get(answer.location).text
    assert answer.location in listed
    assert "已预告，还没有抽" not in listed
    assert "属实 1 条，不属实 1 条，无法核实 1 条" in page
    assert all(word in page for word in ("签到表一张找不到", SOURCE, DIGITS, at))
    assert [f"第 {index} 条" in page for index in (first, second, third)] == [True] * 3
    assert "已经抽了" in anybody.get(at).text
    with signed.ledger.read() as tx:
        [row] = spot_checks.published(tx.connection, 9)
        body = spot_checks.one(tx.connection, row.entry_index)[1]
        names = [one.identity["name"] for one in tx.vault.open(tx.connection, [f"person/{n}" for n in everybody(tx)]).values()]
    assert ([first], [second], [third]) == (body["held"], body["wrong"], body["unclear"])
    assert names
    assert not [name for name in names if name in page]
    annual = anybody.get("/annual-reports/").text
    assert answer.location in annual
    assert "1</b> 次：还没有抽 0，撤回 0" in annual


def everybody(tx):
    return list(tx.connection.exec_driver_sql("SELECT number FROM volunteer").scalars())


def test_an_announcement_that_nobody_follows_stays_to_be_seen_with_its_days(signed):
    announced(signed.visitor("official"))
    signed.clock.move(days=8)
    listed = signed.visitor().get("/spot-checks/").text
    assert "8 天" in listed
    assert "号码公布后 7 天没抽" in listed


def test_an_announcement_is_withdrawn_with_a_reason_that_everybody_reads(signed):
    official = signed.visitor("official")
    at = announced(official)
    refused = official.post(f"{at}/withdraw", {"reason": " "})
    assert (refused.status_code, "撤回要写明理由" in refused.text) == (400, True)
    official = a_day_later(signed)
    assert official.post(f"{at}/withdraw", {"reason": "这一期没有开奖"}).status_code == 302
    for path in ("/spot-checks/", at):
        page = signed.visitor().get(path).text
        assert "这一期没有开奖" in page
        assert "号码公布以后" in page or "号码应当已经公布" in page
    again = official.post(f"{at}/draw", said({}))
    assert (again.status_code, "已经撤回" in again.text) == (400, True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"count": "两条"}, "「抽几条」请填整数"),
        ({"count": "999"}, "可抽的有"),
        ({"source": ""}, "写明用哪一个号码"),
        ({"source": "打 13855101234 问"}, "不要写手机号"),
        ({"digits": ""}, "「几位数字」请填整数"),
        ({"digits": "3"}, "5 到 100 位"),
        ({"number_on": ""}, "请填号码公布的日期"),
        ({"number_on": "2025-11-03"}, "从明天起"),
        ({"unit": "340104009009"}, "340104009009"),
    ],
)
def test_an_announcement_that_is_not_whole_is_refused_and_what_was_said_stays(signed, change, sentence):
    answer = signed.visitor("official").post("/spot-checks/announce", plan(**change))
    assert answer.status_code == 400
    assert sentence in answer.text
    assert answer.text.count('value="14"') == (change.get("digits") is None)
    with signed.ledger.read() as tx:
        assert spot_checks.waiting(tx.connection) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"found": ""}, "还没有写核实的结果，请选属实、不属实或无法核实（一共还差 1 条）"),
        ({"checked_on": ""}, "请填抽查的日期"),
        ({"checked_on": "2025-11-05"}, "到今天之间"),
        ({"number": "03 07"}, "预告的号码是 14 位数字，您填的有 4 位"),
        ({"remark": "电话 13855101234"}, "不能含手机号"),
    ],
)
def test_a_check_that_is_not_whole_is_refused_and_what_was_chosen_stays(signed, change, sentence):
    at = announced(signed.visitor("official"))
    official = a_day_later(signed)
    indexes = sample(official, at)
    findings = dict.fromkeys(indexes, "held") | ({indexes[0]: change.pop("found")} if "found" in change else {})
    answer = official.post(f"{at}/draw", said(findings) | change)
    assert answer.status_code == 400
    assert sentence in answer.text
    if "number" not in change:
        assert answer.text.count(" checked") >= len(indexes) - 1
    with signed.ledger.read() as tx:
        assert spot_checks.published(tx.connection, 9) == []


def test_an_official_of_one_street_announces_and_draws_nothing_of_another(signed):
    signed.accounts.create(OPERATOR, "street", "official", station=STATION, password="correct horse battery")
    street = signed.visitor("street")
    refused = street.post("/spot-checks/announce", plan())
    assert (refused.status_code, "不在您的管理范围内" in refused.text) == (400, True)
    at = announced(signed.visitor("official"))
    assert announced(street, unit=STATION, count="2")
    street = a_day_later(signed, "street")
    page = street.get(at).text
    assert "抽出来" not in page
    assert "撤回这次预告" not in page
    for answer in (
        street.get(f"{at}/draw?number={DIGITS}"),
        street.post(f"{at}/draw", said({})),
        street.post(f"{at}/withdraw", {"reason": "不想抽"}),
    ):
        assert answer.status_code == 403
