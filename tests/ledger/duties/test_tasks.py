"""Tasks of a plan: given from above with a day and a document, done by the unit, in time or late; mentioned when they press."""

import pytest
from town import CENTRE, EAST, OFFICIAL, QIAN, SUN, WEST, ZHAO

from ledger.checking.verifying import verify
from ledger.duties import tasks
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound


def given(town, unit=EAST, due="2026-03-31", by=QIAN, **said):
    words = {"title": "建立一个孵化基地", "basis": "工作方案附件五"} | said
    return town.write(lambda tx: tasks.assign(tx, unit, words["title"], due, words["basis"], words.get("detail", "")), by)


def done(town, task, on, by=ZHAO, result="已建成"):
    return town.write(lambda tx: tasks.finish(tx, task, on, result), by)


def states(town, *units):
    return [(row.title, state) for row, state in town.read(lambda tx: tasks.of_units(tx, units or (EAST, WEST, CENTRE)))]


def test_a_task_is_open_then_presses_then_is_overdue_and_late_when_done_after(town):
    task = given(town)
    seen = []
    for days in (0, 22, 7, 1):
        town.advance(days=days)
        seen.append(states(town)[0][1])
    assert seen == ["open", "soon", "soon", "overdue"], "2, 24 and 31 March, 1 April"
    done(town, task, "2026-04-01")
    assert states(town) == [("建立一个孵化基地", "late")]
    assert verify(town.ledger).ok


def test_a_task_done_on_its_last_day_is_in_time_however_late_it_is_written_down(town):
    task = given(town)
    town.advance(days=60)
    done(town, task, "2026-03-31")
    assert states(town) == [("建立一个孵化基地", "done")]
    with pytest.raises(Conflict, match="按时办了"):
        done(town, task, "2026-03-31")
    with pytest.raises(Conflict, match="不能再改"):
        town.write(lambda tx: tasks.drop(tx, task, "方案改了"), QIAN)


def test_what_is_dropped_is_owed_no_more_and_the_pressing_come_first(town):
    first, _ = given(town), given(town, WEST, "2026-03-05", title="两场培训")
    town.advance(days=10)
    assert states(town) == [("两场培训", "overdue"), ("建立一个孵化基地", "open")]
    town.write(lambda tx: tasks.drop(tx, first, "方案改了"), OFFICIAL)
    assert states(town, EAST) == [("建立一个孵化基地", "dropped")]


def test_it_is_mentioned_three_days_before_on_the_day_and_the_day_after(town):
    given(town, due="2026-03-10")
    mentioned = []
    for _ in range(11):
        if town.read(lambda tx: tasks.to_mention(tx.connection, tx.today)):
            mentioned.append(town.now.day)
        town.advance(days=1)
    assert mentioned == [7, 10, 11]


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"by": ZHAO}, NotAllowed),
        ({"unit": "999"}, NotFound),
        ({"due": "2026-03-01"}, InvalidRequest),
        ({"due": "月底"}, InvalidRequest),
        ({"title": " "}, InvalidRequest),
        ({"basis": "打 13812345678"}, InvalidRequest),
        ({"detail": "长" * 501}, InvalidRequest),
    ],
)
def test_what_is_no_task_is_refused(town, said, refusal):
    with pytest.raises(refusal):
        given(town, **said)
    assert states(town) == []


@pytest.mark.parametrize(
    ("on", "result", "by", "refusal"),
    [
        ("2026-03-01", "已建成", ZHAO, InvalidRequest),
        ("2026-03-03", "已建成", ZHAO, InvalidRequest),
        ("2026-03-02", " ", ZHAO, InvalidRequest),
        ("2026-03-02", "已建成", SUN, NotAllowed),
    ],
)
def test_only_the_unit_says_that_it_was_done_and_on_a_day_that_can_be(town, on, result, by, refusal):
    task = given(town)
    with pytest.raises(refusal):
        done(town, task, on, by, result)
    assert states(town) == [("建立一个孵化基地", "open")]
