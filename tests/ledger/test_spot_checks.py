"""Spot checks: announced before anybody knows the number, drawn from a unit's records alone, recorded whole, by those who may, for everybody to see."""

import dataclasses
from datetime import date, timedelta

import orjson
import pytest
from argon2 import PasswordHasher
from world import CENTRE, HOME, OTHER

from ledger import spot_checks, stations
from ledger.checking import sampling
from ledger.entries import b64
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.notes import note_parts, parse_checkpoint
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, Actor
from ledger.spot_checks import Found, Plan
from ledger.stations import Station

NUMBER = "03 07 12 19 25 33 + 08"
DIGITS = "03071219253308"
OFFICIAL = Actor("official", "official")


@pytest.fixture
def street(world):
    world.station(CENTRE, level="centre")
    for code in (HOME, OTHER):
        world.station(code, parent=CENTRE)
        person = world.volunteer(code)
        for day in range(1, 6):
            world.serve(person, f"2025-01-0{day} 08:00", "10:00", station=code)
    world.checkpoint = parse_checkpoint(note_parts(world.sign().encode())[0])
    return world


def plan(world, **said):
    return dataclasses.replace(Plan(CENTRE, 4, "双色球第 2025003 期开奖号码", 14, world.today + timedelta(days=1)), **said)


def announce(world, by=OFFICIAL, **said):
    return world.write(lambda tx: spot_checks.announce(tx, world.ledger.signing, plan(world, **said)), by).index


def announced(world, **said):
    """Announce, and wait for the day of the number."""
    index = announce(world, **said)
    world.advance(days=1)
    return index


def draw(world, index, number=NUMBER):
    with world.read() as tx:
        return spot_checks.draw(tx, index, number)


def record(world, index, said=None, by=OFFICIAL):
    return world.write(lambda tx: spot_checks.record(tx, index, said or found(world)), by)


def withdraw(world, index, reason="这一期没有开奖", by=OFFICIAL):
    return world.write(lambda tx: spot_checks.withdraw(tx, index, reason), by)


def found(world, **said):
    return dataclasses.replace(Found(world.today, NUMBER), **said)


def services(world, *stations):
    entries = [(entry["index"], entry) for entry in world.entries() if entry["kind"] == "service.recorded"]
    return [index for index, entry in entries if not stations or entry["body"]["station"] in stations]


def test_what_a_sample_follows_from_is_an_entry_before_the_number_is_known(street):
    index = announce(street)
    assert street.entries()[index]["body"] == {
        "station": CENTRE,
        "count": 4,
        "available": 10,
        "source": "双色球第 2025003 期开奖号码",
        "digits": 14,
        "number_on": "2025-01-07",
        "tree_size": street.checkpoint.size,
        "root": b64(street.checkpoint.root),
    }
    with street.read() as tx:
        [row] = spot_checks.waiting(tx.connection)
    assert (row.entry_index, row.announced_by, orjson.loads(row.units)) == (index, "official", sorted([CENTRE, HOME, OTHER]))
    street.check()


def test_a_sample_is_drawn_from_the_units_own_records_and_anybody_draws_the_same(street):
    index, home = announce(street), announce(street, unit=HOME)
    street.advance(days=1)
    expected = sampling.sample(street.checkpoint.root, street.checkpoint.size, DIGITS.encode(), 4, services(street))
    assert draw(street, index) == expected
    assert set(draw(street, home)) < set(services(street, HOME))
    assert any(draw(street, index, f"{n:014d}") != expected for n in range(20)), "one of twenty may draw the same by chance"
    with pytest.raises(NotFound, match="不是抽查预告"):
        draw(street, 1)


def test_nothing_that_happens_after_the_announcement_moves_the_sample(street):
    new = "340104001009"
    street.station(new)
    street.serve(street.volunteer(new), "2025-01-03 12:00", "13:00", station=new)
    street.sign()
    index = announced(street, count=10)
    assert draw(street, index) == services(street, HOME, OTHER)
    street.serve(street.volunteer(HOME), "2025-01-03 12:00", "13:00")
    street.sign()
    street.write(lambda tx: stations.declare(tx, Station(new, "009社区", "station", CENTRE)))
    street.write(lambda tx: stations.declare(tx, Station(OTHER, "搬走的社区", "station", None)))
    assert draw(street, index) == services(street, HOME, OTHER)[:10]
    receipt = record(street, index)
    assert street.entries()[receipt.index]["body"]["held"] == draw(street, index)
    street.check()


def test_how_a_number_is_spelt_is_no_choice(street):
    index = announced(street)
    assert len({tuple(draw(street, index, said)) for said in (NUMBER, DIGITS, "０３-07-12-19-25-33|08", " 0 3071219253308 ")}) == 1
    for said in ("", "03 07 12 19 25 33", f"2025003 {NUMBER}", f"{NUMBER} 0", f"期 {NUMBER}", "hex:" + DIGITS):
        with pytest.raises(InvalidRequest, match="预告的号码是 14 位数字"):
            draw(street, index, said)


def test_more_than_there_are_is_said_before_any_number_is_known(street):
    with pytest.raises(InvalidRequest, match="可抽的有 10 条，抽不出 11 条"):
        announce(street, count=11)
    with pytest.raises(InvalidRequest, match="可抽的有 5 条"):
        announce(street, unit=HOME, count=6)
    assert announce(street, count=10)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"count": 0}, "一次抽查 1 到 1,000 条"),
        ({"count": 1001}, "一次抽查 1 到 1,000 条"),
        ({"source": ""}, "写明用哪一个号码"),
        ({"source": "找 13855101234"}, "不要写手机号"),
        ({"source": "字" * 201}, "200 字以内"),
        ({"digits": 4}, "5 到 100 位"),
        ({"digits": 11}, "像手机号和证件号"),
        ({"digits": 18}, "像手机号和证件号"),
        ({"digits": 101}, "5 到 100 位"),
        ({"number_on": date(2025, 1, 6)}, "从明天起"),
        ({"number_on": date(2025, 3, 8)}, "60 天以内"),
        ({"unit": "340104009009"}, "没有编码为"),
    ],
)
def test_an_announcement_says_all_that_it_must(street, said, sentence):
    with pytest.raises((InvalidRequest, NotFound), match=sentence):
        announce(street, **said)


def test_an_announcement_takes_a_signed_checkpoint(world):
    world.station(HOME)
    with pytest.raises(InvalidRequest, match="还没有签过检查点"):
        announce(world, unit=HOME)


def test_nothing_is_drawn_or_recorded_before_the_day_of_the_number(street):
    index = announce(street, number_on=street.today + timedelta(days=2))
    for days in (0, 1):
        street.advance(days=days)
        with pytest.raises(InvalidRequest, match="2025-01-08 才公布"):
            draw(street, index)
        with pytest.raises(InvalidRequest, match="2025-01-08 才公布"):
            record(street, index)
    street.advance(days=1)
    assert record(street, index)


def test_what_was_found_is_an_entry_with_the_whole_sample(street):
    Accounts(street.ledger, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)).create(OPERATOR, "zhao", "approver", station=CENTRE)
    clerk = street.sql("SELECT id FROM account WHERE login = 'zhao'")[0][0]
    index = announced(street)
    drawn = draw(street, index)
    receipt = record(street, index, found(street, wrong=[drawn[1]], unclear=[drawn[3], drawn[3]], remark="签到表找不到"))
    body = street.entries()[receipt.index]["body"]
    assert (body["held"], body["wrong"], body["unclear"]) == ([drawn[0], drawn[2]], [drawn[1]], [drawn[3]])
    assert (body["announced"], body["station"], body["nonce"], body["remark"]) == (index, CENTRE, DIGITS, "签到表找不到")
    told = street.sql("SELECT recipient, about FROM notice WHERE what = 'spot_check.wrong'")
    assert [(recipient, orjson.loads(about)) for recipient, about in told] == [(clerk, {"service": drawn[1]})]
    with street.read() as tx:
        [row] = spot_checks.of_year(tx.connection, 2025)
        assert spot_checks.of_year(tx.connection, 2024) == []
        assert spot_checks.announced(tx.connection, index).recorded_index == receipt.index
        assert spot_checks.waiting(tx.connection) == []
    assert (row.announced, row.station, row.held, row.wrong, row.unclear, row.recorder) == (index, CENTRE, 2, 1, 1, "official")
    street.check()


def test_an_announcement_is_followed_once(street):
    index = announced(street)
    receipt = record(street, index)
    for again in (record, withdraw):
        with pytest.raises(Conflict, match=f"结果已记入账本第 {receipt.index} 条"):
            again(street, index)
    assert announce(street) > receipt.index, "the unit may be checked again"


def test_a_unit_has_one_announcement_at_a_time(street):
    """Nobody announces several sizes and follows the one whose sample pleases."""
    first = announce(street)
    with pytest.raises(Conflict, match=f"第 {first} 条）还没有抽"):
        announce(street, count=5)
    assert announce(street, unit=HOME)
    withdraw(street, first)
    assert announce(street, count=5)


def test_an_announcement_is_withdrawn_with_a_reason_for_everybody_to_see(street):
    index = announce(street)
    for reason, sentence in (("", "写明理由"), ("找 13855101234", "不要写手机号"), ("字" * 201, "200 字以内")):
        with pytest.raises(InvalidRequest, match=sentence):
            withdraw(street, index, reason)
    receipt = withdraw(street, index)
    assert street.entries()[receipt.index]["body"] == {"announced": index, "station": CENTRE, "reason": "这一期没有开奖"}
    street.advance(days=1)
    for again in (record, withdraw):
        with pytest.raises(Conflict, match="已经撤回"):
            again(street, index)
    with street.read() as tx:
        [row] = spot_checks.withdrawn(tx.connection, 9)
        assert spot_checks.waiting(tx.connection) == []
    assert (row.reason, row.withdrawn_by, spot_checks.withdrawn_late(row)) == ("这一期没有开奖", "official", False)
    street.check()


def test_a_withdrawal_when_the_number_may_be_known_is_marked(street):
    index = announced(street)
    withdraw(street, index)
    with street.read() as tx:
        [row] = spot_checks.withdrawn(tx.connection, 9)
    assert spot_checks.withdrawn_late(row)


def test_nothing_is_put_in_the_place_of_what_was_drawn(street):
    index = announced(street)
    drawn = draw(street, index)
    other = next(index for index in range(street.size) if index not in drawn)
    for said, sentence in (
        ({"wrong": [other]}, f"第 {other} 条不在这次抽到的样本里"),
        ({"unclear": [999_999]}, "第 999999 条不在"),
        ({"wrong": drawn[:1], "unclear": drawn[:1]}, "不能既不属实、又无法核实"),
        ({"checked_on": street.today + timedelta(days=1)}, "到今天之间"),
        ({"checked_on": street.today - timedelta(days=1)}, "号码公布的那天"),
        ({"remark": "找 13855101234"}, "不能含手机号"),
        ({"number": ""}, "14 位数字"),
    ):
        with pytest.raises(InvalidRequest, match=sentence):
            record(street, index, found(street, **said))


def test_only_who_may_announces_records_and_withdraws(street):
    strangers = [Actor("clerk", "recorder", HOME), Actor("approver", "approver", CENTRE), Actor("auditor", "auditor")]
    strangers.append(Actor("local", "official", HOME))
    for actor in strangers:
        with pytest.raises(NotAllowed):
            announce(street, by=actor)
    index = announced(street)
    for actor in strangers:
        for deed in (record, withdraw):
            with pytest.raises(NotAllowed):
                deed(street, index, by=actor)
        with pytest.raises(NotAllowed), street.read() as tx:
            spot_checks.to_follow(tx, actor, index)
    local = strangers[-1]
    own = announce(street, unit=HOME, count=2, by=local)
    street.advance(days=1)
    assert record(street, own, by=local)
