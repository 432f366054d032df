"""An organisation that has held nothing for a year is shown, its desk told once, and its filing left as it is."""

import pytest
from town import CENTRE, EAST, TEAM, ZHAO

from ledger import activities, dormancy, organisations, reminders
from ledger.activities import Activity
from ledger.duties import papers
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.tables import NoticeRow, table


@pytest.fixture
def desk(town):
    """The town, with an account for each who is to be told. Filed on 1 June 2024; today is 2 March 2026."""
    for login, role, station in (("desk", "recorder", EAST), ("street", "recorder", CENTRE)):
        Accounts(town.ledger).create(OPERATOR, login, role, station=station, password="correct horse battery")
    return town


def team(town):
    return town.read(lambda tx: organisations.find_by_name(tx.connection, TEAM))


def quiet(town):
    return town.read(lambda tx: dormancy.quiet_since(tx, [team(town)])).get(team(town).id)


def held(town, start, **said):
    activity = Activity(EAST, "巡逻", "safe-community", organisation=team(town).id, start=start, **said)
    return town.write(lambda tx: activities.publish(tx, activity), ZHAO)[0]


def told(town, what):
    notices = table(NoticeRow)
    return town.read(lambda tx: tx.connection.execute(notices.select().where(notices.c.what == what)).all())


def test_who_never_held_anything_is_quiet_since_it_was_filed(desk):
    assert quiet(desk) == "2024-06-01"


def test_an_activity_within_the_year_counts_and_one_called_off_or_to_come_does_not(desk):
    held(desk, "2025-03-02T09:00", end="2025-03-02T11:00")
    assert quiet(desk) == "2025-03-02", "a year ago today"
    held(desk, "2026-05-01T09:00", end="2026-05-01T11:00")
    assert quiet(desk) == "2025-03-02"
    held(desk, "2025-03-03T09:00", end="2025-03-03T11:00")
    assert quiet(desk) is None
    desk.advance(days=1)
    assert quiet(desk) == "2025-03-03"


def test_an_older_platforms_year_counts_to_its_end(desk):
    held(desk, None, migrated_year=2025)
    assert quiet(desk) is None


def test_the_desk_is_told_once_until_it_fell_quiet_again_and_the_filing_stays(desk):
    before = team(desk)
    assert [desk.write(dormancy.remind) for _ in range(2)] == [1, 0]
    assert len(told(desk, "organisation.dormant")) == 1
    held(desk, "2026-03-01T09:00", end="2026-03-01T11:00")
    assert desk.write(dormancy.remind) == 0
    assert team(desk) == before
    desk.now = desk.now.replace(year=2026, month=5, day=30)
    assert desk.write(dormancy.remind) == 0, "its filing ends on 31 May, and it has held something this year"


def test_of_a_filing_that_has_lapsed_nothing_is_said(desk):
    desk.now = desk.now.replace(year=2026, month=6, day=2)
    assert team(desk).expires_on < "2026-06-02"
    assert quiet(desk) is None


def test_the_street_is_told_that_its_ledger_is_counted_until_it_hands_it_in(desk):
    assert desk.write(reminders.tell_of_ledgers) == 1
    [notice] = told(desk, "duties.draft")
    assert ('"due_on":"2026-03-24"' in notice.about, CENTRE in notice.about) == (True, True)
    desk.write(lambda tx: papers.hand_in(tx, reminders.LEDGER, CENTRE, "2026-03", {"changes": "没有变化"}))
    assert desk.write(reminders.tell_of_ledgers) == 0
