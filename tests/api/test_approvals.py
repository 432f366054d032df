"""What waits for approval when it is much: exceptions first, a page of bounded size, and a way through all of it without script."""

import html
import re
import uuid
from datetime import datetime, timedelta

import pytest

from ledger.activities import Activity, find_or_publish
from ledger.people.actors import OPERATOR
from ledger.service.drafts import Draft
from ledger.service.recording import record_many

STATION = "340104001004"
PEOPLE, LATE = 12, {7, 40}
SIZE_MAX = 300_000


@pytest.fixture
def crowd(world):
    with world.ledger.read() as tx:
        return list(tx.connection.exec_driver_sql("SELECT number FROM volunteer ORDER BY number").scalars())[:PEOPLE]


def write(world, *batches):
    """Record batches, each a list of (person, start) of an hour; their ids."""
    names = [str(uuid.uuid4()) for _ in batches]

    def work(tx):
        [activity] = find_or_publish(tx, [Activity(STATION, "看望独居老人", "neighbour-care")])
        drafts = [
            Draft(person, activity, STATION, start, start + timedelta(hours=1), grade="B", batch=name)
            for name, rows in zip(names, batches, strict=True)
            for person, start in rows
        ]
        assert all(hasattr(one, "index") for one in record_many(tx, drafts))

    world.ledger.write(work, OPERATOR)
    return names


@pytest.fixture
def many(world, crowd):
    """Fifty batches of a dozen people; two of them were recorded too late. The ids, in order of the log."""
    days = [datetime(2025, 10, 1 if at in LATE else 21 + at % 10, 8 + at // 10) for at in range(50)]
    return write(world, *([(person, start) for person in crowd] for start in days))


def batches_on(page):
    return re.findall(r'name="batch" value="([^"]+)"', page)


def onward(page):
    found = re.search(r'href="([^"]+)">下一页', page)
    return html.unescape(found[1]) if found else None


def walk(visitor):
    """Every page from the first to the last, by the links on them."""
    pages, at = [], "/approvals/"
    while at:
        pages.append(visitor.get(at).text)
        at = onward(pages[-1])
    return pages


def test_much_that_waits_comes_in_pages_with_the_exceptions_first_and_nothing_lost(world, many):
    pages = walk(world.visitor("approver"))
    assert len(pages) > 2
    assert all(len(page.encode()) < SIZE_MAX for page in pages)
    exceptions = [many[at] for at in sorted(LATE)]
    assert [batch for page in pages for batch in batches_on(page)] == exceptions + [batch for batch in many if batch not in exceptions]
    assert "要看一眼的 12 条" in pages[0]
    assert not any("要看一眼的 12 条" in page for page in pages[1:])
    assert (
        f"一共 50 批、{50 * PEOPLE} 条等审核，其中 2 批有要看一眼的，排在前面。这一页是第 1 到 {len(batches_on(pages[0]))} 批" in pages[0]
    )
    assert "回到开头" in pages[1]
    assert "回到开头" not in pages[0]


def test_whoever_approves_stays_on_the_page_where_they_were(world, many):
    approver = world.visitor("approver")
    second = onward(approver.get("/approvals/").text)
    page = approver.get(second).text
    first, *others = batches_on(page)
    action = html.unescape(re.search(r'<form method="post" action="(/approvals/[^"]*)"', page)[1])
    shown = re.search(r'name="shown" value="([^"]*)"', page)[1]
    answer = approver.post(action, {"batch": first, "shown": shown, "which": "all"})
    assert (answer.status_code, answer.location) == (302, second)
    assert batches_on(approver.get(second).text)[: len(others)] == others


def test_a_page_whose_batches_are_all_settled_is_the_first_again(world, many):
    page = world.visitor("approver").get("/approvals/?after=1-999999999").text
    assert len(batches_on(page)) > 1
    assert "没有等待审核的记录" not in page
    assert world.visitor("approver").get("/approvals/?after=x").status_code == 400


def test_a_long_batch_of_exceptions_is_worked_off_in_parts(world, crowd):
    """More than a page holds: those settled make room for the next."""
    starts = [datetime(2025, 9, 1 + day, 8) for day in range(20)]
    write(world, [(person, start) for start in starts for person in crowd])
    approver = world.visitor("approver")
    total, seen = 20 * PEOPLE, set()
    page = approver.get("/approvals/").text
    assert len(page.encode()) < SIZE_MAX
    while 'name="record"' in page:
        hidden = {name: re.search(f'name="{name}" value="([^"]*)"', page)[1] for name in ("batch", "shown", "marked")}
        ticked = list(dict.fromkeys(re.findall(r'name="record" value="(\d+)"', page)))
        assert not seen & set(ticked)
        seen |= set(ticked)
        assert approver.post("/approvals/", hidden | {"which": "ticked", "record": ticked}).status_code == 302
        page = approver.get("/approvals/").text
    assert len(seen) == total
    assert "没有等待审核的记录" in page
