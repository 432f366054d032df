"""Notices: told with the deed or not at all, read once, sent to the phones of those who asked, and to nobody else."""

import json
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from argon2 import PasswordHasher
from requests_by_hand import reserved_port, until_it_listens
from sqlalchemy import event
from world import APPROVER, CENTRE, CLERK, HOME, OTHER

from jobs.notices import deliver, forget
from ledger import messages, notices, reminders
from ledger.deliveries import sign
from ledger.errors import InvalidRequest, NotAllowed
from ledger.gateways import FileGateway, HttpGateway, gateway
from ledger.people import reveals
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, SCHEDULER, Actor
from ledger.settings import Settings

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PHONE = "13624242754"
SECRET = "a secret of sixteen characters"


@pytest.fixture
def town(world):
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE)
    world.station(OTHER, parent=CENTRE)
    world.person = world.volunteer(phone=PHONE)
    world.own = Actor("own", "volunteer", None, world.person)
    return world


def inbox(town, recipient=None):
    with town.read() as tx:
        return notices.inbox(tx, recipient or "person/" + town.person)


def unread(town, recipient=None):
    with town.read() as tx:
        return notices.unread(tx.connection, recipient or "person/" + town.person)


def tell(town, what="certificate.issued", recipient=None, **about):
    town.write(lambda tx: notices.tell(tx, recipient or "person/" + town.person, what, about))


def sent(town):
    rows = town.sql("SELECT state, attempts, last_error FROM message ORDER BY notice")
    return [tuple(row) for row in rows]


def test_what_becomes_of_a_record_is_told_to_the_person_newest_first(town):
    served = town.serve(town.person, "2025-01-03 09:00", "11:00")
    town.approve(served.index)
    town.void(served.index, "没有到场", actor=Actor("third", "approver"))
    found = inbox(town)
    assert [notice.what for notice in found] == ["service.voided", "service.approved"]
    assert all(notice.about["service"] == served.index and notice.unread for notice in found)
    assert unread(town) == 2


def test_recording_is_told_to_those_who_sign_in(town):
    quiet = town.volunteer(name="黄丹")
    Accounts(town.ledger, CHEAP).issue_code(OPERATOR, town.person)
    served = [town.serve(person, "2025-01-03 09:00", "10:00") for person in (town.person, quiet)]
    town.serve(town.person, "2025-01-02 09:00", "10:00", settled=True)
    newest, code = inbox(town)
    assert (newest.what, newest.about) == ("service.recorded", {"service": served[0].index, "minutes": 60})
    assert code.what == "account.code_issued"
    assert inbox(town, "person/" + quiet) == []


def test_somebody_hears_of_looks_at_them_and_of_a_new_password_but_not_of_their_first(town):
    accounts = Accounts(town.ledger, CHEAP)
    code = accounts.issue_code(OPERATOR, town.person)
    account = accounts.sign_in(town.person, code).actor.account
    accounts.change_password(account, code, "pingan-jiankang")
    accounts.change_password(account, "pingan-jiankang", "jiankang-pingan")
    reveals.reveal(town.ledger, Actor("clerk", "recorder", HOME), town.person, "contact")
    assert [one.what for one in inbox(town)] == ["volunteer.revealed", "account.password_changed", "account.code_issued"]


def test_a_deed_that_fails_tells_nobody(town):
    def half(tx):
        notices.tell(tx, "person/" + town.person, "service.voided", {"service": 1})
        raise InvalidRequest("不行")

    with pytest.raises(InvalidRequest):
        town.write(half)
    town.write(lambda tx: notices.tell(tx, "person/" + town.person, "service.voided", {"service": 1}), rehearse=True)
    assert inbox(town) == []


def test_what_was_read_stays_and_is_not_new_any_more(town):
    tell(town)
    tell(town)
    first, second = inbox(town)
    me = "person/" + town.person
    assert town.ledger.operate(lambda connection, now: notices.mark_read(connection, now, me, [first.id])) == 1
    assert [notice.unread for notice in inbox(town)] == [False, True]
    assert town.ledger.operate(lambda connection, now: notices.mark_read(connection, now, "person/2222222222", [second.id])) == 0
    assert unread(town) == 1
    town.ledger.operate(lambda connection, now: notices.mark_read(connection, now, me))
    assert unread(town) == 0


@pytest.mark.parametrize("about", [{"reason": "电话 13812345678"}, {"reason": "340102196708266327"}, {"reason": "很" * 201}])
def test_a_notice_holds_no_personal_number_nor_an_essay(town, about):
    with pytest.raises(InvalidRequest):
        tell(town, **about)
    assert inbox(town) == []


def test_staff_are_told_at_the_nearest_unit_that_has_anybody(town):
    accounts = Accounts(town.ledger, CHEAP)
    for login, role, place in (
        ("near", "approver", HOME),
        ("above", "approver", CENTRE),
        ("clerk", "recorder", OTHER),
        ("top", "official", None),
    ):
        accounts.create(OPERATOR, login, role, station=place, password="correct horse battery")
    ids = dict(town.sql("SELECT login, id FROM account"))

    def told(station, action="approve"):
        with town.read() as tx:
            return [login for login, account in ids.items() if account in notices.desks(tx.connection, action, [station])[station]]

    assert (told(HOME), told(OTHER), told(CENTRE)) == (["near"], ["above"], ["above"])
    accounts.set_disabled(OPERATOR, "near", disabled=True)
    assert told(HOME) == ["above"]
    accounts.set_disabled(OPERATOR, "above", disabled=True)
    assert told(HOME) == ["top"]
    me = Actor(ids["top"], "official")
    town.write(lambda tx: notices.tell_staff(tx, "approve", HOME, "service.contested", {}), me)
    assert inbox(town, ids["top"]) == [], "not to the one who acts"


def test_each_working_morning_staff_hear_how_much_waits_but_not_their_own(town):
    accounts = Accounts(town.ledger, CHEAP)
    for login in ("first", "second"):
        accounts.create(OPERATOR, login, "approver", station=HOME, password="correct horse battery")
    ids = dict(town.sql("SELECT login, id FROM account"))
    assert town.write(reminders.remind, SCHEDULER) == 0
    town.serve(town.person, "2025-01-03 09:00", "10:00", actor=Actor(ids["first"], "approver", HOME))
    town.serve(town.person, "2025-01-03 13:00", "14:00")
    assert town.write(reminders.remind, SCHEDULER) == 2
    assert [inbox(town, ids[login])[0].about for login in ("first", "second")] == [{"count": 1}, {"count": 2}]
    town.advance(days=5)  # a Saturday
    assert town.write(reminders.remind, SCHEDULER) == 0


def test_notices_are_forgotten_after_a_year(town):
    town.write(lambda tx: messages.wish(tx, "sms"), town.own)
    tell(town)
    town.advance(days=300)
    tell(town, "certificate.revoked")
    town.advance(days=70)
    assert town.write(lambda tx: forget(town.ledger, tx, town.today), SCHEDULER) == 1
    assert [notice.what for notice in inbox(town)] == ["certificate.revoked"]
    assert len(sent(town)) == 1


# --- messages


def test_only_who_asked_gets_a_message_and_it_says_what_they_know(town, tmp_path):
    tell(town, service=7)
    assert sent(town) == []
    town.write(lambda tx: messages.wish(tx, "sms"), town.own)
    tell(town, "service.approved", service=7, minutes=90, effective_on="2025-01-14", reason="写给本人的理由")
    path = tmp_path / "messages.jsonl"
    assert messages.deliver(town.ledger, FileGateway(path)) == 1
    assert messages.deliver(town.ledger, FileGateway(path)) == 0, "once"
    [line] = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert (line["phone"], line["template"], line["channel"]) == (PHONE, "service.approved", "sms")
    assert line["parameters"] == {"service": "7", "minutes": "1小时30分", "effective_on": "2025-01-14"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sent(town) == [("sent", 1, None)]


def test_nobody_without_a_phone_asks_for_messages_and_nobody_for_others(town):
    without = Actor("other", "volunteer", None, town.volunteer(name="黄丹"))
    with pytest.raises(InvalidRequest, match="手机号"):
        town.write(lambda tx: messages.wish(tx, "sms"), without)
    with pytest.raises(InvalidRequest):
        town.write(lambda tx: messages.wish(tx, "pigeon"), town.own)
    for staff in (CLERK, APPROVER):
        with pytest.raises(NotAllowed):
            town.write(lambda tx: messages.wish(tx, "sms"), staff)


def test_who_stops_messages_gets_not_even_those_on_their_way(town, tmp_path):
    town.write(lambda tx: messages.wish(tx, "wechat"), town.own)
    tell(town)
    town.write(lambda tx: messages.wish(tx, None), town.own)
    tell(town)
    assert messages.deliver(town.ledger, FileGateway(tmp_path / "none")) == 0
    assert sent(town) == [("given_up", 0, "本人不再接收")]


def test_a_gateway_that_fails_is_asked_ever_later_and_then_no_more(town, tmp_path):
    town.write(lambda tx: messages.wish(tx, "sms"), town.own)
    tell(town)
    broken, waits = FileGateway(tmp_path), []  # a folder: nothing can be written there
    for _ in range(messages.ATTEMPTS_MAX):
        before = town.clock.now
        while sent(town)[0][1] != len(waits) + 1:
            messages.deliver(town.ledger, broken)
            town.advance(seconds=20)
        waits.append(town.clock.now - before)
    assert waits == sorted(waits)
    assert waits[-1] > 10 * waits[1]
    [(state, attempts, error)] = sent(town)
    assert (state, attempts) == ("given_up", messages.ATTEMPTS_MAX)
    assert "写不进" in error
    town.advance(days=1)
    assert messages.deliver(town.ledger, FileGateway(tmp_path / "mended")) == 0
    assert len(inbox(town)) == 1, "the inbox has it anyway"


def test_a_message_in_anothers_hands_is_left_alone_until_the_claim_is_over(town, tmp_path):
    town.write(lambda tx: messages.wish(tx, "sms"), town.own)
    tell(town)
    assert len(town.ledger.operate(messages._take)) == 1
    path = tmp_path / "messages.jsonl"
    assert messages.deliver(town.ledger, FileGateway(path)) == 0
    town.advance(minutes=6)
    assert messages.deliver(town.ledger, FileGateway(path)) == 1


@pytest.mark.parametrize(("status", "state"), [(204, "sent"), (400, "given_up"), (429, "waiting"), (503, "waiting")])
def test_a_program_that_sends_gets_a_signed_request_and_its_answer_counts(town, tmp_path, status, state):
    file = tmp_path / "received"
    with reserved_port() as port:
        program = subprocess.Popen([sys.executable, str(Path(__file__).parent.parent / "receiver.py"), str(port), str(file), str(status)])
        try:
            until_it_listens(port, program)
            town.write(lambda tx: messages.wish(tx, "sms"), town.own)
            tell(town, service=7)
            messages.deliver(town.ledger, HttpGateway(f"http://127.0.0.1:{port}/send?to=phones", SECRET))
        finally:
            program.terminate()
            program.wait()
    [request] = [json.loads(line) for line in file.read_text().splitlines() if json.loads(line)["path"].startswith("/send")]
    headers, body = request["headers"], request["body"].encode()
    assert headers["webhook-signature"] == sign(SECRET.encode(), headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert json.loads(body) == {"channel": "sms", "phone": PHONE, "template": "certificate.issued", "parameters": {"service": "7"}}
    assert request["path"] == "/send?to=phones"
    assert sent(town)[0][0] == state


def test_the_settings_choose_the_gateway(tmp_path):
    plain = Settings(tmp_path, "sqlite://")
    assert gateway(plain) is None
    assert isinstance(gateway(replace(plain, messages_to="file")), FileGateway)
    assert isinstance(gateway(replace(plain, messages_to="https://sms.example.cn", messages_secret=SECRET)), HttpGateway)


def test_without_a_gateway_messages_wait(town):
    town.write(lambda tx: messages.wish(tx, "sms"), town.own)
    tell(town)
    assert deliver(town.ledger) == 0
    assert sent(town) == [("waiting", 0, None)]


def test_a_hundred_people_are_told_in_one_statement_each(town):
    people = [f"person/{n}" for n in range(100)]
    seen = []
    event.listen(town.ledger.engine, "before_cursor_execute", lambda _c, _u, statement, *_: seen.append(statement))
    town.write(lambda tx: notices.tell_many(tx, [notices.Telling(one, "batch.voided", {"service": 1}) for one in people]))
    assert sum("notice" in statement and "INSERT" in statement for statement in seen) == 1
    assert len(inbox(town, people[42])) == 1
