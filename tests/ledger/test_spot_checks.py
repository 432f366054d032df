"""Spot checks: a sample that nobody can steer, of a unit's records alone, recorded whole, by those who may, for everybody to see."""

import dataclasses

import orjson
import pytest
from argon2 import PasswordHasher
from world import CENTRE, HOME, OTHER

from ledger import spot_checks
from ledger.checking import sampling
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.notes import note_parts, parse_checkpoint
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, Actor
from ledger.spot_checks import Found

NONCE = "双色球 2025002 期"
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


def draw(world, unit=CENTRE, nonce=NONCE, count=4):
    with world.read() as tx:
        return spot_checks.draw(tx.connection, unit, world.checkpoint, nonce, count)


def record(world, found, unit=CENTRE, by=OFFICIAL):
    return world.write(lambda tx: spot_checks.record(tx, unit, world.checkpoint, found), by)


def found(world, **said):
    return dataclasses.replace(Found(world.today, NONCE, 4), **said)


def test_a_sample_is_drawn_from_the_units_own_records_and_anybody_draws_the_same(street):
    kinds = {entry["index"]: (entry["kind"], entry["body"].get("station")) for entry in street.entries()}
    services = [index for index, (kind, _) in kinds.items() if kind == "service.recorded"]
    assert draw(street) == sampling.sample(street.checkpoint.root, street.checkpoint.size, NONCE.encode(), 4, services)
    assert {kinds[index] for index in draw(street, HOME)} == {("service.recorded", HOME)}
    assert any(draw(street, nonce=f"{year} 期") != draw(street) for year in range(2025, 2045)), "one of twenty may draw the same by chance"
    street.serve(street.volunteer(HOME), "2025-01-03 12:00", "13:00")
    assert len(draw(street, count=10)) == 10, "what came after the checkpoint is not among them"
    with pytest.raises(InvalidRequest, match="可抽的有 10 条"):
        draw(street, count=11)
    with pytest.raises(InvalidRequest, match="一次抽查 1 到 1,000 条"):
        draw(street, count=0)
    with pytest.raises(NotFound):
        draw(street, "340104009009")


def test_what_was_found_is_an_entry_with_the_whole_sample(street):
    Accounts(street.ledger, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)).create(OPERATOR, "zhao", "approver", station=CENTRE)
    clerk = street.sql("SELECT id FROM account WHERE login = 'zhao'")[0][0]
    drawn = draw(street)
    receipt = record(street, found(street, wrong=[drawn[1]], unclear=[drawn[3], drawn[3]], remark="签到表找不到"))
    body = street.entries()[receipt.index]["body"]
    assert (body["held"], body["wrong"], body["unclear"]) == ([drawn[0], drawn[2]], [drawn[1]], [drawn[3]])
    assert (body["tree_size"], body["nonce"], body["remark"]) == (street.checkpoint.size, NONCE, "签到表找不到")
    told = street.sql("SELECT recipient, about FROM notice WHERE what = 'spot_check.wrong'")
    assert [(recipient, orjson.loads(about)) for recipient, about in told] == [(clerk, {"service": drawn[1]})]
    with street.read() as tx:
        [row] = spot_checks.of_year(tx.connection, 2025)
        assert spot_checks.of_year(tx.connection, 2024) == []
    assert (row.station, row.held, row.wrong, row.unclear, row.recorder) == (CENTRE, 2, 1, 1, "official")


def test_nothing_is_put_in_the_place_of_what_was_drawn(street):
    drawn = draw(street)
    other = next(index for index in range(street.size) if index not in drawn)
    for said, sentence in (
        ({"wrong": [other]}, f"第 {other} 条不在这次抽到的样本里"),
        ({"unclear": [999_999]}, "第 999999 条不在"),
        ({"wrong": drawn[:1], "unclear": drawn[:1]}, "不能既不属实、又无法核实"),
        ({"checked_on": street.today.replace(year=2026)}, "不能在今天以后"),
        ({"remark": "找 13855101234"}, "不能含手机号"),
        ({"nonce": "找 13855101234"}, "不能含手机号|不在这次"),
        ({"nonce": ""}, "不能为空"),
    ):
        with pytest.raises(InvalidRequest, match=sentence):
            record(street, found(street, **said))


def test_only_who_may_records_a_check(street):
    for actor in (Actor("clerk", "recorder", HOME), Actor("approver", "approver", CENTRE), Actor("auditor", "auditor")):
        with pytest.raises(NotAllowed):
            record(street, found(street), by=actor)
    with pytest.raises(NotAllowed):
        record(street, found(street), unit=CENTRE, by=Actor("local", "official", HOME))
    assert record(street, found(street, count=2), unit=HOME, by=Actor("local", "official", HOME))
