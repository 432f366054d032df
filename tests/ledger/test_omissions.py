"""A service that is not in the ledger at all: said by the person or taken down at the desk, looked into by somebody else, recorded where it was given."""

from datetime import date

import pytest
from world import CENTRE, HOME, OTHER, local

from jobs.schedule import JOBS, run_due
from ledger import notices, reminders
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.people import erasures, my_data
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, SCHEDULER, Actor
from ledger.service import objections, omissions
from ledger.service.adding import Found
from ledger.service.omissions import Claim

DESK = Actor("desk", "recorder", HOME)
LOCAL, ABOVE, THIRD = Actor("local", "approver", HOME), Actor("above", "approver", CENTRE), Actor("third", "approver", CENTRE)
OFFICIAL = Actor("official", "official")
SAID = Claim(HOME, date(2025, 1, 4), "sheet", start=local("2025-01-04 09:00"), end=local("2025-01-04 11:00"), words="王芳替我签的到")
FOUND = Found(local("2025-01-04 09:00"), local("2025-01-04 11:30"), 30, title="邻里守望", series="neighbour-care")


@pytest.fixture
def street(world):
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE, population=100)
    world.station(OTHER, parent=CENTRE, population=100)
    world.person = world.volunteer()
    return world


def me(number):
    return Actor("own-" + number, "volunteer", None, number)


def claim(world, said=SAID, by=None, number=None):
    person = number or world.person
    return world.write(lambda tx: omissions.claim(tx, person, said), by or me(person)).index


def decide(world, omission, finding="upheld", by=ABOVE, found=FOUND, reason="签到表上有本人签名"):
    return world.write(lambda tx: omissions.decide(tx, omission, finding, reason, found), by)


def waiting(world, by=ABOVE):
    with world.read() as tx:
        return omissions.waiting(tx, by)


def inbox(world, recipient=None):
    with world.read() as tx:
        return [one.what for one in notices.inbox(tx, recipient or "person/" + world.person)]


def test_what_was_missed_is_recorded_with_the_decision_and_approved_by_yet_another(street):
    omission = claim(street)
    [one] = waiting(street)
    assert (one.words, one.row.due_on, one.overdue, one.barred, one.row.means) == ("王芳替我签的到", "2025-01-13", False, "", "self")
    decide(street, omission)
    assert waiting(street) == []
    [row] = street.sql("SELECT entry_index, recorder, grade, minutes, status FROM service")
    assert row[1:] == ("above", "C", 120, "recorded")
    decided = street.entries()[-1]
    assert (decided["kind"], decided["body"]["service"], decided["body"]["finding"]) == ("service.omission_decided", row[0], "upheld")
    with pytest.raises(NotAllowed, match="登记人不能审核"):
        street.approve(row[0], actor=ABOVE)
    street.approve(row[0], actor=THIRD)
    street.advance(days=30)
    assert street.credit(street.person).minutes == 120
    assert inbox(street)[-1] == "service.omission_decided"


def test_one_that_is_not_right_is_answered_with_a_reason_and_nothing_is_recorded(street):
    omission = claim(street)
    decide(street, omission, "rejected", LOCAL, None, "签到表上没有，当天负责人也没有看见")
    assert street.sql("SELECT count(*) FROM service") == [(0,)]
    with street.read() as tx:
        [row] = omissions.of_person(tx.connection, [street.person])
    assert (row.finding, row.reason, row.service) == ("rejected", "签到表上没有，当天负责人也没有看见", None)
    with pytest.raises(InvalidRequest, match="已经有人处理"):
        decide(street, omission)


def test_the_persons_words_are_sealed_and_stand_in_no_entry(street):
    omission = claim(street)
    assert "王芳" not in str(street.entries())
    with street.read() as tx:
        assert my_data.everything(tx, street.person)["words"] == [{"entry": omission, "words": "王芳替我签的到"}]
    request = street.write(lambda tx: erasures.ask(tx, street.person, "own_wish"), DESK)
    street.write(lambda tx: erasures.carry_out(tx, request), ABOVE)
    street.ledger.finish_erasures()
    assert street.sql("SELECT count(*) FROM objection_note") == [(0,)]
    with street.read() as tx:
        assert objections.words(tx, omission) == ""
    with pytest.raises(InvalidRequest, match="注销"):
        claim(street, Claim(HOME, date(2025, 1, 3), "none"), by=DESK)


def test_the_desk_takes_it_down_and_whoever_did_does_not_decide(street):
    omission = claim(street, by=LOCAL)
    [one] = waiting(street, LOCAL)
    assert (one.row.means, one.row.actor) == ("desk", "local")
    assert inbox(street) == ["service.omission_taken_down"], "the person hears what was said for them"
    assert "代为记下" in one.barred
    with pytest.raises(NotAllowed, match="代为记下"):
        decide(street, omission, by=LOCAL)
    decide(street, omission)
    with pytest.raises(NotAllowed):
        claim(street, by=Actor("away", "recorder", OTHER))
    with pytest.raises(NotAllowed):
        claim(street, by=me(street.volunteer()))


def test_who_records_no_hours_may_answer_no_but_not_yes(street):
    omission = claim(street)
    with pytest.raises(NotAllowed, match="不能登记时长"):
        decide(street, omission, by=OFFICIAL)
    decide(street, omission, "rejected", OFFICIAL, None)


def test_at_another_station_it_is_as_if_it_were_not_there(street):
    omission, away = claim(street), Actor("away", "approver", OTHER)
    assert waiting(street, away) == []
    with pytest.raises(NotFound):
        decide(street, omission, by=away)
    with pytest.raises(NotFound):
        decide(street, 0)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"served_on": date(2025, 1, 7)}, "还没有到"),
        ({"proof": "hearsay"}, "凭证"),
        ({"end": None}, "都填"),
        ({"end": local("2025-01-04 09:00")}, "晚于开始"),
        ({"end": local("2025-01-09 09:00")}, "晚于开始"),
        ({"served_on": date(2025, 1, 6), "start": local("2025-01-06 08:00"), "end": local("2025-01-06 10:00")}, "还没有到"),
        ({"words": "很" * 301}, "300"),
    ],
)
def test_what_cannot_be_is_refused(street, said, why):
    size = street.size
    with pytest.raises(InvalidRequest, match=why):
        claim(street, Claim(**{**vars(SAID), **said}))
    assert street.size == size


def test_an_activity_has_to_be_the_stations_own(street):
    with pytest.raises(InvalidRequest, match="不是这个站点"):
        claim(street, Claim(HOME, SAID.served_on, "none", activity=street.activity(OTHER)))
    omission = claim(street)
    with pytest.raises(InvalidRequest, match="不是这个站点"):
        decide(street, omission, found=Found(FOUND.start, FOUND.end, activity=street.activity(OTHER)))


def test_what_stands_in_the_ledger_is_not_missing_but_what_was_voided_is(street):
    served = street.serve(street.person, "2025-01-04 10:00", "12:00").index
    with pytest.raises(InvalidRequest, match=f"第 {served} 条"):
        claim(street)
    street.void(served)
    claim(street)


def test_the_same_is_not_said_twice_and_nobody_says_without_end(street):
    claim(street)
    with pytest.raises(Conflict, match="已经提过"):
        claim(street)
    for day in range(1, omissions.WAITING_MAX):
        claim(street, Claim(HOME, date(2024, 12, day), "none"))
    with pytest.raises(Conflict, match="请等有了结果"):
        claim(street, Claim(HOME, date(2024, 12, 30), "none"))


@pytest.mark.parametrize(("index", "state"), [("9999", "beyond"), ("1", "other")])
def test_a_receipt_that_the_log_has_no_such_entry_for_is_proof_and_goes_to_the_unit_above(street, index, state):
    accounts = Accounts(street.ledger)
    for login, place in (("near", HOME), ("over", CENTRE)):
        accounts.create(OPERATOR, login, "approver", station=place, password="correct horse battery")
    ids = dict(street.sql("SELECT login, id FROM account"))
    plain, proven = claim(street), claim(street, Claim(HOME, date(2025, 1, 3), "receipt", receipt=(index, "0123456789ab")))
    assert (inbox(street, ids["near"]), inbox(street, ids["over"])) == (["service.omission_claimed"], ["receipt.unmatched"])
    first, second = waiting(street, LOCAL)
    assert (first.row.entry_index, first.row.receipt_state, second.row.entry_index) == (proven, state, plain), "proof first"
    assert "上一级" in first.barred
    with pytest.raises(NotAllowed, match="上一级"):
        decide(street, proven, "rejected", LOCAL, None)
    decide(street, proven, found=Found(local("2025-01-03 09:00"), local("2025-01-03 10:00"), title="邻里守望", series="neighbour-care"))


def test_a_receipt_that_matches_shows_where_the_record_is(street):
    served = street.serve(street.person, "2025-01-03 10:00", "12:00").index
    other = street.serve(street.volunteer(), "2025-01-03 10:00", "12:00").index
    [(mine,), (theirs,)] = street.sql('SELECT leaf FROM entry WHERE "index" IN (?, ?) ORDER BY "index"', served, other)
    for index, leaf, why in ((served, mine, "没有丢"), (other, theirs, "不是这次服务")):
        with pytest.raises(InvalidRequest, match=why):
            claim(street, Claim(HOME, SAID.served_on, "receipt", receipt=(str(index), bytes(leaf).hex()[:12])))
    with pytest.raises(InvalidRequest, match="短校验码"):
        claim(street, Claim(HOME, SAID.served_on, "receipt", receipt=("3", "xyz")))


def test_what_the_ordinary_path_refuses_is_refused_here_and_stays_open(street):
    street.serve(street.person, "2025-01-04 13:00", "14:00")
    omission = claim(street)
    for found, why in (
        (Found(local("2025-01-04 13:30"), local("2025-01-04 15:00"), title="邻里守望", series="neighbour-care"), "重叠"),
        (Found(local("2025-01-04 00:00"), local("2025-01-04 12:00"), title="邻里守望", series="neighbour-care"), "每日上限"),
        (Found(FOUND.start, FOUND.end), "活动名称"),
        (None, "开始和结束时间"),
    ):
        with pytest.raises(InvalidRequest, match=why):
            decide(street, omission, found=found)
    assert len(waiting(street)) == 1


def test_what_is_past_its_due_day_is_told_to_the_unit_above_each_working_morning(street):
    accounts = Accounts(street.ledger)
    for login, place in (("near", HOME), ("over", CENTRE)):
        accounts.create(OPERATOR, login, "approver", station=place, password="correct horse battery")
    ids = dict(street.sql("SELECT login, id FROM account"))
    omission = claim(street)
    served = street.serve(street.person, "2025-01-03 10:00", "12:00").index
    street.write(lambda tx: objections.contest(tx, served, "time"), me(street.person))
    street.advance(days=7)
    assert street.write(reminders.tell_overdue, SCHEDULER) == 0, "the due day itself is not over"
    street.advance(days=1)
    assert street.write(reminders.tell_overdue, SCHEDULER) == 1
    with street.read() as tx:
        newest = notices.inbox(tx, ids["over"])[0]
    assert (newest.what, newest.about) == ("objection.overdue", {"station": HOME, "count": 2, "due_on": "2025-01-13"})
    assert "objection.overdue" not in inbox(street, ids["near"])
    decide(street, omission, "rejected", found=None)
    for _ in range(2):
        run_due(street.ledger, [job for job in JOBS if job.id == "overdue"])
    with street.read() as tx:
        told = [one.about["count"] for one in notices.inbox(tx, ids["over"]) if one.what == "objection.overdue"]
    assert told == [1, 2], "once a business date"
    street.advance(days=4)  # a Saturday
    assert street.write(reminders.tell_overdue, SCHEDULER) == 0


def test_in_a_year_whose_calendar_is_not_known_there_is_no_due_day(street):
    street.clock.now = street.clock.now.replace(year=2199)
    claim(street, Claim(HOME, date(2199, 1, 4), "none"))
    assert (waiting(street)[0].row.due_on, waiting(street)[0].overdue) == (None, False)
