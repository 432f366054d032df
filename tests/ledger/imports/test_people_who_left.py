"""Sheets that name somebody who left, disowned the registration, or was registered twice: each row says what is so, and nobody comes back unasked."""

from datetime import date

import pytest
from town import CHEN, EAST, LI, WEST, ZHANG, person, roster, sheet, signed

from ledger import credit, parked
from ledger.people import deciding, merging, withdrawals
from ledger.people.actors import OPERATOR, Actor

OFFICIAL = Actor("li", "official")


def leave(town, one, reason):
    number = town.number(one)
    by = Actor("own", "volunteer", None, number)
    town.write(lambda tx: withdrawals.withdraw(tx, number, reason), by)
    return number


def refusals(outcome):
    return [(problem.code, problem.message) for problem in outcome.rejected]


def test_hours_after_leaving_are_refused_and_not_parked(town):
    leave(town, ZHANG, "own_wish")
    town.advance(days=3)
    outcome = town.hand_in(sheet(signed(ZHANG), signed(LI), when="2026年3月4日 14:00-16:00"))
    [(code, message)] = refusals(outcome)
    assert (code, outcome.accepted, outcome.parked) == ("unknown_volunteer", 1, [])
    assert "已于2026年3月2日退出" in message
    late = town.hand_in(sheet(signed(ZHANG), when="2026年2月26日 14:00-16:00"))
    assert (late.accepted, late.rejected) == (1, [])


def test_hours_of_somebody_who_said_not_me_are_refused_for_any_day(town):
    leave(town, ZHANG, "not_me")
    [(code, message)] = refusals(town.hand_in(sheet(signed(ZHANG))))
    assert code == "unknown_volunteer"
    assert "本人否认过这份登记" in message


@pytest.mark.parametrize(("reason", "sentence"), [("own_wish", "名册不能替本人重新登记"), ("not_me", "正在核查")])
def test_a_roster_brings_nobody_back(town, reason, sentence):
    number = leave(town, ZHANG, reason)
    [(code, message)] = refusals(town.hand_in(roster(ZHANG), "volunteers"))
    assert code == "duplicate"
    assert sentence in message
    assert town.number(ZHANG) == number


def test_a_sheet_with_the_mistyped_id_number_finds_who_they_are_now(town):
    mistyped = person("张敏", date(1950, 1, 4), 77)
    assert town.hand_in(roster(mistyped, station=WEST), "volunteers").accepted == 1
    kept, gone = town.number(ZHANG), town.number(mistyped)
    asked = town.write(lambda tx: merging.propose(tx, gone, kept, "身份证号抄错"), OPERATOR)
    town.write(lambda tx: deciding.accept(tx, asked), OFFICIAL)
    outcome = town.hand_in(sheet(signed(mistyped)), settled=True)
    assert (outcome.accepted, outcome.rejected) == (1, [])
    assert town.read(lambda tx: credit.statement(tx, kept)).minutes == 120
    same = town.hand_in(sheet(signed(ZHANG)), settled=True)
    assert (same.accepted, same.already) == (0, 1), "the same hours once"
    assert "已合并" in refusals(town.hand_in(roster(mistyped, station=WEST), "volunteers"))[0][1]


def test_parked_hours_wait_for_who_they_are_now(town):
    stranger = person("孙小", date(1991, 2, 3), 5)
    town.hand_in(sheet(signed(stranger)))
    town.hand_in(roster(stranger), "volunteers")
    other = person("孙小", date(1991, 2, 3), 6)
    town.hand_in(roster(other), "volunteers")
    gone, kept = town.number(stranger), town.number(other)
    asked = town.write(lambda tx: merging.propose(tx, gone, kept, "同一人"), OPERATOR)
    town.write(lambda tx: deciding.accept(tx, asked), OFFICIAL)
    [row] = town.read(lambda tx: parked.waiting(tx, [EAST]))
    assert row.volunteer == kept
    [answer] = town.write(lambda tx: parked.record(tx, [row.id]), OPERATOR)
    assert answer.index > 0
    assert [item.minutes for item in town.read(lambda tx: credit.statement(tx, kept)).others] == [120]


def test_a_minor_on_a_roster_is_taken_with_a_remark(town):
    minor = person("周小", date(2012, 5, 6))
    outcome = town.hand_in(roster(minor, CHEN), "volunteers")
    assert outcome.accepted == 1
    assert [remark.message for remark in outcome.remarks] == ["未成年人：还没有监护人同意，请尽快补登，本人才能确认"]
