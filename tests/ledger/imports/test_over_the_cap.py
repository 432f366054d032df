"""Rows of a file that go over the daily cap: with a reason a second person is asked, without one they are refused; never recorded by one person alone."""

from files import csv
from town import EAST, LI, WANG, ZHANG, ZHAO, export, exported, sheet, signed

from ledger import imports
from ledger.people.actors import Actor
from ledger.service import second_signatures

COLLEAGUE = Actor("he", "recorder", EAST)
LONG = sheet(signed(ZHANG, "06:00", "16:00"), signed(LI), when="2026年2月26日 06:00-16:00")
ROW = 5
REASON = "汛期值守，有值班表"


def hand_in(town, rows, reasons=None, *, rehearse=False):
    return imports.run(town.ledger, "hours", csv(rows), "签到表.csv", ZHAO, rehearse=rehearse, reasons=reasons)


def waiting(town):
    return town.read(lambda tx: [second_signatures.draft_of(row) for row in second_signatures.waiting(tx, COLLEAGUE)])


def test_a_rehearsal_says_which_rows_a_second_person_may_sign_for(town):
    outcome = hand_in(town, LONG, rehearse=True)
    assert ([one.row for one in outcome.rejected], outcome.signable, outcome.signing) == ([ROW], [ROW], [])
    assert waiting(town) == []


def test_without_a_reason_nobody_is_asked(town):
    outcome = hand_in(town, LONG, {})
    assert (outcome.accepted, [one.code for one in outcome.rejected]) == (1, ["over_daily_cap"])
    assert waiting(town) == []


def test_with_a_reason_a_second_person_is_asked_and_their_signature_records_it(town):
    outcome = hand_in(town, LONG, {ROW: REASON})
    assert (outcome.accepted, outcome.rejected, [one.row for one in outcome.signing]) == (1, [], [ROW])
    [draft] = waiting(town)
    assert (draft.volunteer, draft.minutes, draft.source["row"]) == (town.number(ZHANG), 600, ROW)
    [proposal] = town.read(lambda tx: [row.id for row in second_signatures.waiting(tx, COLLEAGUE)])
    receipt = town.write(lambda tx: second_signatures.sign(tx, proposal), COLLEAGUE)
    row = town.service(receipt.index)
    assert (row.minutes, row.recorder, row.second) == (600, "he", "zhao")


def test_the_same_file_again_asks_nobody_twice(town):
    hand_in(town, LONG, {ROW: REASON})
    for outcome in (hand_in(town, LONG, rehearse=True), hand_in(town, LONG, {ROW: REASON})):
        assert (outcome.accepted, outcome.already, outcome.rejected) == (0, 1, [])
        assert outcome.signing[0].message == "以前已提出，正等另一位工作人员签字"
    assert len(waiting(town)) == 1


def test_two_who_ask_for_the_same_service_ask_once(town):
    hand_in(town, LONG, {ROW: REASON})
    [row] = town.read(lambda tx: second_signatures.waiting(tx, COLLEAGUE))
    draft = second_signatures.draft_of(row)
    assert town.write(lambda tx: second_signatures.ask(tx, draft, "同一件事"), COLLEAGUE) == row.id
    assert len(waiting(town)) == 1


def test_what_another_row_made_impossible_is_refused_and_the_rest_goes_on(town):
    both = sheet(signed(ZHANG, "06:00", "16:00"), signed(ZHANG, "15:00", "17:00"), signed(WANG), when="2026年2月26日 06:00-17:00")
    outcome = hand_in(town, both, {ROW: REASON})
    assert outcome.accepted == 2
    assert [(one.row, "重叠" in one.message) for one in outcome.rejected] == [(ROW, True)]
    assert waiting(town) == []


def test_more_than_a_service_can_be_is_no_matter_of_signatures(town):
    outcome = hand_in(town, export(exported(ZHANG, "2026-02-23 08:00", "2026-02-26 08:00")), {2: REASON})
    assert ([one.code for one in outcome.rejected], outcome.signable, outcome.signing) == (["over_daily_cap"], [], [])
