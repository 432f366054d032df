"""Who looks at somebody's data in full has said why, before anything is shown, and nobody takes that back."""

import pytest
from world import CENTRE, HOME, OTHER

from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_number
from ledger.people import erasures, reveals
from ledger.people.actors import Actor

CLERK = Actor("clerk", "recorder", HOME)
AUDITOR = Actor("books", "auditor")


@pytest.fixture
def town(world):
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE)
    world.station(OTHER, parent=CENTRE)
    world.person = world.volunteer(phone="13624242754")
    return world


def look(town, actor=CLERK, reason="contact", note="", **said):
    return reveals.reveal(town.ledger, actor, town.person, reason, note, **said)


def looks(town):
    with town.read() as tx:
        return reveals.of(tx, town.person)


def test_the_look_is_written_down_and_the_data_opened(town):
    name, id_number, phone = town.names[town.person]
    seen = look(town, note="核实活动报名")
    assert (seen.identity["name"], seen.identity["id_number"], seen.contact["phone"]) == (name, id_number, phone)
    town.advance(hours=1)
    look(town, Actor("head", "official"), "inquiry", "十一月抽查", fields=reveals.EVERYTHING)
    newest, first = looks(town)
    assert (first.role, first.station, first.reason, first.note, first.fields) == (
        "站点登记员",
        HOME,
        "联系本人",
        "核实活动报名",
        reveals.PERSONAL,
    )
    assert (newest.role, newest.station, newest.fields) == ("区级管理员", None, reveals.EVERYTHING)
    assert newest.revealed_at > first.revealed_at


@pytest.mark.parametrize(
    ("actor", "reason", "note", "refusal"),
    [
        (Actor("far", "recorder", OTHER), "contact", "", NotAllowed),
        (AUDITOR, "contact", "", NotAllowed),
        (Actor("keys", "administrator"), "contact", "", NotAllowed),
        (Actor("own", "volunteer", None, "2222222222"), "contact", "", NotAllowed),
        (CLERK, "", "", InvalidRequest),
        (CLERK, "curious", "", InvalidRequest),
        (CLERK, "inquiry", "", InvalidRequest),
        (CLERK, "contact", "打 136 2424 2754", InvalidRequest),
        (CLERK, "contact", "x" * 101, InvalidRequest),
    ],
)
def test_without_right_or_reason_nothing_is_shown_and_nothing_written(town, actor, reason, note, refusal):
    with pytest.raises(refusal):
        look(town, actor, reason, note)
    assert looks(town) == []


def test_of_nobody_nothing_is_shown(town):
    with pytest.raises(NotFound):
        reveals.reveal(town.ledger, CLERK, new_number(), "contact")


def test_of_who_was_erased_nothing_can_be_shown_and_the_looks_stay(town):
    look(town)
    request = town.write(lambda tx: erasures.ask(tx, town.person, "own_wish"), CLERK)
    town.write(lambda tx: erasures.carry_out(tx, request), Actor("second", "approver", CENTRE))
    town.ledger.finish_erasures()
    with pytest.raises(NotAllowed, match="注销"):
        look(town)
    assert len(looks(town)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reveal SET reason = 'x'",
        "DELETE FROM reveal",
        "INSERT INTO reveal SELECT 7, volunteer, account, role, station, fields, reason, note, revealed_at, digest FROM reveal",
    ],
)
def test_the_database_lets_nobody_change_or_skip_a_look(town, statement):
    look(town)
    with pytest.raises(Exception, match=r"only grows|out of order"):
        town.sql(statement)
    assert len(looks(town)) == 1


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE reveal SET account = 'somebody' WHERE id = 0", "reveal[0].digest"),
        ("UPDATE reveal SET note = 'x' WHERE id = 1", "reveal[1].digest"),
        ("DELETE FROM reveal WHERE id = 0", "reveal[1].id"),
        ("DELETE FROM reveal WHERE id = 1", "reveal[2].id"),
    ],
)
def test_a_look_changed_by_the_databases_owner_is_found_by_verification(town, statement, what):
    for _ in range(3):
        look(town)
    with town.damaged("reveal"):
        town.sql(statement)
        assert [fault.what for fault in town.verify().faults] == [what]


def test_looks_taken_off_the_end_are_missed_as_far_as_a_checkpoint_was_signed_over_them(town):
    for _ in range(3):
        look(town)
    town.sign()
    assert town.verify().ok
    look(town)
    with town.damaged("reveal"):
        town.sql("DELETE FROM reveal WHERE id = 3")
        assert town.verify().ok, "nobody has signed since"
        town.sql("DELETE FROM reveal WHERE id = 2")
        assert [fault.what for fault in town.verify().faults] == [reveals.END]
        town.sql("DELETE FROM reveal")
        assert [fault.what for fault in town.verify().faults] == [reveals.END]


def test_who_watches_counts_accounts_and_sees_the_unusual(town):
    for _ in range(reveals.UNUSUAL_A_DAY):
        look(town)
    look(town, Actor("head", "official"))
    with town.read() as tx:
        busy, calm = reveals.counts(tx, AUDITOR)
        assert (busy.account, busy.total, busy.people, busy.on_busiest, busy.unusual) == ("clerk", 30, 1, 30, False)
        assert (calm.account, calm.total, calm.unusual) == ("head", 1, False)
        with pytest.raises(NotAllowed):
            reveals.counts(tx, CLERK)
    look(town)
    town.advance(days=29)
    with town.read() as tx:
        assert [count.unusual for count in reveals.counts(tx, AUDITOR)] == [True, False]
    town.advance(days=1)
    with town.read() as tx:
        assert reveals.counts(tx, AUDITOR) == []
