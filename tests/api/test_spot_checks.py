"""Spot checks on their pages: drawn by an official step by step, recorded whole, and public without anybody's name."""

import re

import pytest

from ledger import spot_checks
from ledger.people.actors import OPERATOR

CENTRE, STATION = "340104001000", "340104001004"
NONCE = "双色球 2025129 期 03 07 12 19 25 33 + 08"


@pytest.fixture
def signed(world, recorded):
    world.ledger.sign_now()
    return world


def begun(official, count="3"):
    """Fix the checkpoint and give its size."""
    page = official.get(f"/spot-checks/draw?unit={CENTRE}&count={count}").text
    return re.search(r'name="size" value="([0-9]+)"', page).group(1)


def drawn(official, size, count="3"):
    page = official.get(f"/spot-checks/draw?unit={CENTRE}&count={count}&size={size}&nonce={NONCE.replace('+', '%2B')}").text
    return [int(index) for index in dict.fromkeys(re.findall(r'name="found-([0-9]+)"', page))]


def said(size, findings, **more):
    form = {"unit": CENTRE, "count": str(len(findings)), "size": size, "nonce": NONCE, "checked_on": "2025-11-03", "remark": ""}
    return form | {f"found-{index}": finding for index, finding in findings.items()} | more


def test_an_official_draws_finds_and_everybody_sees_what_came_out(signed):
    official = signed.visitor("official")
    size = begun(official)
    first, second, third = drawn(official, size)
    answer = official.post("/spot-checks/draw", said(size, {first: "held", second: "wrong", third: "unclear"}, remark="签到表一张找不到"))
    assert answer.status_code == 302
    anybody = signed.visitor()
    assert answer.location in anybody.get("/spot-checks/").text
    page = anybody.get(answer.location).text
    assert "属实 1 条，不属实 1 条，无法核实 1 条" in page
    assert "签到表一张找不到" in page
    assert [f"第 {index} 条" in page for index in (first, second, third)] == [True] * 3
    with signed.ledger.read() as tx:
        [row] = spot_checks.published(tx.connection, 9)
        body = spot_checks.one(tx.connection, row.entry_index)[1]
        names = [one.identity["name"] for one in tx.vault.open(tx.connection, [f"person/{n}" for n in everybody(tx)]).values()]
    assert ([first], [second], [third]) == (body["held"], body["wrong"], body["unclear"])
    assert (str(row.tree_size), row.nonce) == (size, NONCE)
    assert names
    assert not [name for name in names if name in page]
    assert answer.location in anybody.get("/annual-reports/").text


def everybody(tx):
    return list(tx.connection.exec_driver_sql("SELECT number FROM volunteer").scalars())


def test_what_is_recorded_after_the_checkpoint_does_not_change_what_is_drawn(signed):
    official = signed.visitor("official")
    size = begun(official)
    before = drawn(official, size)
    signed.ledger.write(lambda tx: spot_checks.record(tx, CENTRE, checkpoint(signed, tx), found(signed, tx)), OPERATOR)
    signed.ledger.sign_now()
    assert drawn(official, size) == before
    assert begun(official) != size


def checkpoint(world, tx):
    note = tx.connection.exec_driver_sql("SELECT note FROM checkpoint ORDER BY size DESC").scalars().first()
    return world.ledger.signing.keyring(tx.connection).open_checkpoint(note.encode())


def found(world, tx):
    return spot_checks.Found(tx.today, "another number", 2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"found": ""}, "还没有写核实的结果，请选属实、不属实或无法核实（一共还差 1 条）"),
        ({"checked_on": ""}, "请填抽查的日期"),
        ({"checked_on": "2025-11-04"}, "抽查日期不能在今天以后"),
        ({"count": "两条"}, "抽几条请填 1 到 1,000 的整数"),
        ({"size": "1"}, "没有在 1 条时签过检查点"),
        ({"nonce": "电话 13855101234"}, "不能含手机号|还没有写核实的结果"),
        ({"unit": "340104009009"}, "没有这个|340104009009"),
    ],
)
def test_a_check_that_is_not_whole_is_refused_and_what_was_chosen_stays(signed, change, sentence):
    official = signed.visitor("official")
    size = begun(official)
    indexes = drawn(official, size)
    findings = dict.fromkeys(indexes, "held") | ({indexes[0]: change.pop("found")} if "found" in change else {})
    answer = official.post("/spot-checks/draw", said(size, findings) | change)
    assert answer.status_code == 400
    assert re.search(sentence, answer.text)
    if "checked_on" in change:
        assert answer.text.count("checked") >= len(indexes)
    with signed.ledger.read() as tx:
        assert spot_checks.published(tx.connection, 9) == []


def test_more_than_there_are_is_said_before_any_number_is_published(signed):
    page = signed.visitor("official").get(f"/spot-checks/draw?unit={CENTRE}&count=999")
    assert page.status_code == 400
    assert "可抽的有" in page.text


def test_an_official_of_one_street_draws_nothing_from_another(signed):
    signed.accounts.create(OPERATOR, "street", "official", station=STATION, password="correct horse battery")
    street = signed.visitor("street")
    assert "检查点已定下" in street.get(f"/spot-checks/draw?unit={STATION}&count=2").text
    page = street.get(f"/spot-checks/draw?unit={CENTRE}&count=2&nonce=03-07")
    assert (page.status_code, "不在您的管理范围内" in page.text, 'name="found-' in page.text) == (400, True, False)
