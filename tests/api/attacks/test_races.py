"""Two people press the same button at the same moment: one of them did it, the other is told so, and it happened once; on both engines."""

import threading

import orjson
import pytest

from ledger.log import scan
from ledger.people import changes, volunteers
from ledger.people.actors import OPERATOR, Actor
from ledger.people.volunteers import Registration

STATION, PASSWORD, ADULT = "340104001004", "correct horse battery", "340102195001010024"
AT_ONCE = 4


@pytest.fixture
def town(make_world, founded_url):
    return make_world(founded_url)


def bodies(world, kind):
    with world.ledger.read() as tx:
        entries = [orjson.loads(bytes(row.body)) for row in scan(tx.connection)]
    return [entry["body"] for entry in entries if entry["kind"] == kind]


def at_once(world, logins, press):
    """Have several people, each in a thread and a browser of their own, press at the same moment; gives the answers' statuses."""
    visitors = [world.visitor(login) for login in logins]
    ready, answers = threading.Barrier(len(visitors)), []

    def go(visitor):
        token = visitor.token()
        ready.wait()
        answers.append(press(visitor, token).status_code)

    threads = [threading.Thread(target=go, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(answers)


def approvers(world):
    logins = [f"approver-{n}" for n in range(AT_ONCE)]
    for login in logins:
        world.accounts.create(OPERATOR, login, "approver", station=STATION, password=PASSWORD)
    return logins


def test_a_record_is_approved_once(town, upload, sheet):
    clerk = town.visitor("recorder")
    page = upload(clerk, sheet, "signin-20251024-004.xlsx")
    assert clerk.post(f"{page}/commit").status_code == 302
    with town.ledger.read() as tx:
        rows = tx.connection.exec_driver_sql("SELECT entry_index, batch FROM service ORDER BY entry_index").all()
    said = {"batch": rows[0].batch, "shown": ".".join(f"{row.entry_index}-" for row in rows)}
    answers = at_once(
        town, approvers(town), lambda visitor, token: visitor.client.post("/approvals/", data={**said, "csrf_token": token}, buffered=True)
    )
    assert answers[0] == 302
    assert set(answers[1:]) <= {400, 409}
    approved = [index for body in bodies(town, "service.approved") for index in body["services"]]
    assert sorted(approved) == [row.entry_index for row in rows]


def test_a_proposal_is_decided_once(town):
    today = town.clock.now.date()
    register = [Registration("郑重", ADULT, STATION, today, "clerk")]
    number = town.ledger.write(lambda tx: volunteers.register_many(tx, register), OPERATOR)[0]
    clerk = Actor("somebody", "recorder", STATION)
    matter = town.ledger.write(lambda tx: changes.propose(tx, number, {"name": "郑众"}, "抄错了"), clerk)

    def press(visitor, token):
        return visitor.client.post(f"/proposals/{matter}/accept", data={"csrf_token": token, "name": "郑众"}, buffered=True)

    assert at_once(town, approvers(town), press) == [302] + [400] * (AT_ONCE - 1)
    assert len(bodies(town, "volunteer.changed")) == 1


def test_a_one_time_code_is_used_up_once(town):
    code = town.accounts.reset(OPERATOR, "recorder")
    visitors = [town.visitor("recorder", code) for _ in range(AT_ONCE)]
    ready, changed = threading.Barrier(AT_ONCE), []

    def go(visitor, new):
        said = {"csrf_token": visitor.token(), "old": code, "new": new, "again": new}
        ready.wait()
        answer = visitor.client.post("/password", data=said, buffered=True)
        if answer.status_code == 302 and "/sign-in" not in answer.location:  # there goes who comes when the session has ended already
            changed.append((visitor, new))

    threads = [threading.Thread(target=go, args=(visitor, f"another horse battery {n}")) for n, visitor in enumerate(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    [(winner, new)] = changed
    assert winner.get("/batches").status_code == 200
    assert [visitor.get("/batches").status_code for visitor in visitors if visitor is not winner] == [302] * (AT_ONCE - 1)
    assert town.visitor("recorder", new).get("/batches").status_code == 200
