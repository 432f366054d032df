"""Rules are adopted by two people and one entry; who is asked about a star gets one answer, whatever way it is asked."""

import orjson
import pytest
from argon2 import PasswordHasher
from world import HOME

from ledger import credit, notices, policies
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.log import Fact
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, Actor
from ledger.policy_proposals import as_file
from ledger.rules import adopted, adopting, answers, reading

ONE, TWO, CLERK = Actor("li", "official"), Actor("wang", "official"), Actor("zhao", "recorder", HOME)
STAFF = (("li", "official", None), ("wang", "official", None), ("zhao", "recorder", HOME))
STARS = {
    "name": "star",
    "title": "本区星级",
    "version": 1,
    "effective_on": "2025-01-01",
    "document": "区文明办〔2025〕1号",
    "items": [{"id": "service", "name": "服务", "counts": "minutes", "tiers": [{"points": 10, "per_minutes": 60}]}],
    "scales": [{"id": "star", "name": "星级"}],
    "levels": [
        {"scale": "star", "name": "一星", "when": [{"hours": 2, "points": 20}]},
        {"scale": "star", "name": "二星", "when": [{"points": 1000}]},
    ],
}


def file(**said):
    return orjson.dumps(STARS | said)


def adopt(world, **said):
    return world.write(lambda tx: adopting.adopt(tx, file(**said)), OPERATOR)


def star(world, person):
    """Ask for the star by the statement and by the explanation; they are one."""
    with world.read() as tx:
        said, found = credit.statement(tx, person), answers.explained(tx, person)
    assert (said.star, said.star_name, said.stars) == (found.star.at, found.star.level, len(found.star.levels))
    assert said.minutes == sum(line.minutes for line in found.lines if line.what == "服务")
    return said


def test_without_rules_of_its_own_the_star_is_the_ladder_of_the_service_policy(world):
    world.station()
    person = world.volunteer()
    for day in range(1, 6):
        world.serve(person, f"2025-01-0{day} 08:00", "13:00", settled=True)
    said = star(world, person)
    assert (said.star, said.star_name, said.next_star, said.minutes_to_next_star, said.stars) == (0, "", "一星", 75 * 60, 5)
    world.write(lambda tx: policies.adopt(tx, effective_on="2025-01-06", rules=policies.DEFAULTS | {"star_hours": [5, 25, 30]}))
    said = star(world, person)
    assert (said.star, said.star_name, said.missing) == (2, "二星", "5小时")
    with world.read() as tx:
        assert [rules.document for _, rules in adopting.chain(tx.connection, "star", "2025-01-06")][-1].startswith("服务规则（账本第")
    world.check()


def test_one_official_proposes_and_another_confirms(world):
    world.station()
    person = world.volunteer()
    world.serve(person, "2025-01-05 08:00", "10:00", settled=True)
    with pytest.raises(NotAllowed):
        world.write(lambda tx: adopting.propose(tx, file()), CLERK)
    with pytest.raises(NotAllowed, match="一位区级管理员提出、另一位确认"):
        world.write(lambda tx: adopting.adopt(tx, file()), ONE)
    proposal = world.write(lambda tx: adopting.propose(tx, file()), ONE)
    with pytest.raises(Conflict, match="已有一版在等"):
        world.write(lambda tx: adopting.propose(tx, file()), TWO)
    assert star(world, person).star_name == "", "what is proposed is not in force"
    with pytest.raises(NotAllowed, match="是您提出的"):
        world.write(lambda tx: adopting.confirm(tx, proposal), ONE)
    with pytest.raises(NotAllowed):
        world.write(lambda tx: adopting.confirm(tx, proposal), CLERK)
    receipt = world.write(lambda tx: adopting.confirm(tx, proposal), TWO)
    entry = world.entries()[receipt.index]
    assert (entry["actor"], entry["body"]["policy"], entry["body"]["rules"]["proposed_by"]) == ("wang", "credit/star", "li")
    said = star(world, person)
    assert (said.star_name, said.next_star, said.missing, said.minutes_to_next_star) == ("一星", "二星", "积分 980 分", None)
    with pytest.raises(NotFound, match="已经确认或退回"):
        world.write(lambda tx: adopting.confirm(tx, proposal), TWO)
    world.check()


def test_everybody_who_signs_in_is_told_what_is_adopted_and_officials_what_waits_for_them(world):
    world.station()
    person, silent = world.volunteer(), world.volunteer()
    accounts = Accounts(world.ledger, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    for login, role, place in STAFF:
        accounts.create(OPERATOR, login, role, station=place)
    accounts.issue_code(OPERATOR, person)
    ids = {login: world.sql(f"SELECT id FROM account WHERE login = '{login}'")[0][0] for login, *_ in STAFF}
    one, two = Actor(ids["li"], "official"), Actor(ids["wang"], "official")
    proposal = world.write(lambda tx: adopting.propose(tx, file()), one)
    assert told(world, "rules.proposed") == [ids["wang"]]
    assert told(world, "rules.adopted") == []
    world.write(lambda tx: adopting.confirm(tx, proposal), two)
    assert told(world, "rules.adopted") == sorted([ids["li"], ids["zhao"], "person/" + person])
    assert "person/" + silent not in told(world, "rules.adopted")
    with world.read() as tx:
        notice = next(one for one in notices.inbox(tx, "person/" + person) if one.what == "rules.adopted")
    assert notice.about == {"rules": "本区星级，第 1 版", "from_day": "2025-01-01"}
    world.check()


def told(world, what):
    return sorted(row[0] for row in world.sql(f"SELECT recipient FROM notice WHERE what = '{what}'"))


def test_the_examples_are_rule_files_that_can_be_proposed():
    for name, title in adopting.examples().items():
        assert reading.read((adopting.EXAMPLES / f"{name}.json").read_bytes()).title == title
    assert len(adopting.examples()) == 4


def test_a_proposal_may_be_dropped_and_wrong_rules_are_not_even_proposed(world):
    proposal = world.write(lambda tx: adopting.propose(tx, file()), ONE)
    world.write(lambda tx: adopting.PROPOSALS.decline(tx, proposal), TWO)
    size = world.size
    with pytest.raises(InvalidRequest, match="「levels」"):
        world.write(lambda tx: adopting.propose(tx, file(levels=[])), ONE)
    with world.read() as tx:
        assert adopting.proposals(tx, ONE) == []
    assert world.size == size
    world.check()


def test_a_new_version_is_newer_and_never_begins_in_the_past(world):
    adopt(world)
    for said, words in (
        ({"version": 1, "effective_on": "2025-02-01"}, "新的一版请写 2"),
        ({"version": 2, "effective_on": "2025-01-05"}, "不能从过去的日子"),
    ):
        with pytest.raises((InvalidRequest, Conflict), match=words):
            adopt(world, **said)
    adopt(world, version=2, effective_on="2025-01-08")
    with pytest.raises(InvalidRequest, match="要更晚"):
        adopt(world, version=3, effective_on="2025-01-07")
    with world.read() as tx:
        older, newer = adopted.history(tx.connection, "star")
        assert adopting.diff(older.said, newer.said) == [("effective_on", "2025-01-01", "2025-01-08"), ("version", "1", "2")]
        assert adopting.star_rules(tx.connection, "2025-01-07").version == 1
        assert reading.read(as_file(newer.said)) == newer.rules, "the file handed out is the one adopted"
    world.check()


@pytest.mark.parametrize(("old_facts", "points"), [("recount", 8000), ("keep", 6000)])
def test_old_facts_keep_old_rules_where_the_new_ones_say_so(world, old_facts, points):
    """Two hours before and two after: 10 points an hour then, 20 now. Kept: 20 + 40; reckoned anew: 80."""
    world.station()
    person = world.volunteer()
    adopt(world)
    world.serve(person, "2025-01-05 08:00", "10:00", settled=True)
    double = [STARS["items"][0] | {"tiers": [{"points": 20, "per_minutes": 60}]}]
    adopt(world, version=2, effective_on="2025-01-07", items=double, old_facts=old_facts)
    world.advance(days=3)
    world.serve(person, "2025-01-08 08:00", "10:00", settled=True)
    with world.read() as tx:
        found = answers.explained(tx, person)
    assert found.points == points
    assert [line.total_points for line in found.lines] == ([2000, 6000] if old_facts == "keep" else [4000, 8000])
    world.check()


def test_the_same_tree_size_gives_the_same_answer_live_replayed_and_from_an_exported_log(world, tmp_path):
    from ledger.exporting import export_log  # noqa: PLC0415

    people = world.town()
    adopt(world, eligibility={"adult": True})
    no_show = {"station": HOME, "item": "no-show", "sense": "bad", "occurred_on": "2025-01-10", "reason": "报名未到", "asked_by": "li"}
    no_show |= {"volunteer": people[0], "basis": "《志愿服务条例》第二十二条", "expires_on": "2027-01-01"}
    world.write(lambda tx: tx.append([Fact("conduct.recorded", no_show)]), ONE)
    world.sign()
    size, day = world.size, world.today
    with world.read() as tx:
        once = [answers.explained(tx, person, on=day).said() for person in people]
    export_log(world.ledger, tmp_path / "log")
    world.advance(days=40)
    world.serve(people[0], "2025-02-01 08:00", "12:00", settled=True)
    with world.read() as tx:
        again = [answers.explained_as_known(tx, person, "star", size=size, on=day).said() for person in people]
        later = answers.explained(tx, people[0]).said()
    assert again == once
    assert [answers.explained_from_export(tmp_path / "log", person, "star", on=day, adult="yes").said() for person in people] == once
    assert later["minutes"] == once[0]["minutes"] + 240
    blind = answers.explained_from_export(tmp_path / "log", people[0], "star", on=day)
    assert "账本里不记年龄" in blind.star.levels[0].ways[0][-1].have, "the log has no ages"
    world.check()


def test_somebody_who_says_that_they_never_registered_and_a_number_merged_away(world):
    adopt(world)
    with world.read() as tx, pytest.raises(NotFound):
        answers.explained(tx, "2222222222")
    with world.read() as tx, pytest.raises(NotFound, match="还没有名为「moon」的规则"):
        answers.explained(tx, "2222222222", "moon")
    world.check()
