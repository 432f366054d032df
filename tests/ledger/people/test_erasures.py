"""Somebody's data can be destroyed for good, by two people, without touching an hour; no old copy of anything brings it back."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import event
from world import CENTRE, HOME, OTHER

from ledger import backups, messages, notices, parked
from ledger.activities import Activity
from ledger.entries import SHANGHAI
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.people import erasures, retention, volunteers
from ledger.people.actors import Actor
from ledger.people.destruction import sweep
from ledger.people.key_store import KeyStore
from ledger.people.wrapping import rotate_wrapping_key
from ledger.store import open_ledger

CLERK, SECOND = Actor("clerk", "recorder", HOME), Actor("second", "approver", CENTRE)


@pytest.fixture
def town(world):
    """Somebody with hours, a backup from before, and all that is known of them."""
    world.people_of_town = world.town()
    return world


def ask(world, person, actor=CLERK, reason="own_wish"):
    return world.write(lambda tx: erasures.ask(tx, person, reason), actor)


def carry_out(world, request, actor=SECOND):
    done = world.write(lambda tx: erasures.carry_out(tx, request), actor)
    world.ledger.finish_erasures()
    return done


def erase(world, person):
    return carry_out(world, ask(world, person))


def needles(world, person):
    name, id_number, phone = world.names[person]
    return [said.encode(encoding) for said in (name, id_number, phone) if said for encoding in ("utf-8", "utf-16-le", "gb18030")]


def known(world, person, ledger=None):
    with (ledger or world.ledger).read() as tx:
        return volunteers.get(tx, person).personal.identity


def found(world, id_number, ledger=None):
    with (ledger or world.ledger).read() as tx:
        return volunteers.find_by_id_numbers(tx, [id_number])


def keys(path):
    with closing(sqlite3.connect(path)) as db:
        return {subject for (subject,) in db.execute("SELECT subject FROM data_key")}


def test_what_was_erased_cannot_be_read_found_or_signed_in_with_and_every_hour_stays(town):
    person = town.people_of_town[0]
    before = town.credit(person), {code: unit["minutes"] for code, unit in town.rates(2025).items()}
    done = erase(town, person)
    assert (done.state, done.numbers, done.until) == ("erased", [person], None)
    assert known(town, person) == {}
    assert found(town, town.names[person][1]) == {}
    assert town.sql("SELECT count(*) FROM person WHERE subject = ?", f"person/{person}") == [(0,)]
    assert town.sql("SELECT count(*) FROM blind_index WHERE subject = ?", f"person/{person}") == [(0,)]
    assert f"person/{person}" not in keys(town.settings.key_store)
    assert town.credit(person) == before[0]
    assert {code: unit["minutes"] for code, unit in town.rates(2025).items()}[HOME] <= before[1][HOME]
    with town.read() as tx:
        assert volunteers.masked_names(tx, [person]) == {person: "（信息已删除）"}


def test_nobody_who_was_erased_is_told_anything_or_stands_under_an_old_phone(town):
    person = town.people_of_town[0]
    own = Actor("own", "volunteer", None, person)
    town.write(lambda tx: messages.wish(tx, "sms"), own)
    town.write(lambda tx: notices.tell(tx, f"person/{person}", "service.approved", {"service": 1}))
    [(contact,)] = town.sql("SELECT contact FROM volunteer WHERE number = ?", person)
    assert contact
    erase(town, person)
    for name in ("message_wish", "message", "notice"):
        assert town.sql(f"SELECT count(*) FROM {name} WHERE recipient = ?", f"person/{person}") == [(0,)], name
    assert town.sql("SELECT contact, guardian FROM volunteer WHERE number = ?", person) == [(None, None)]


def test_whoever_was_erased_is_registered_no_more_from_that_day(town):
    person, other = town.people_of_town[0], town.people_of_town[3]
    before = town.rates(2025)[HOME]["registered"]
    erase(town, person)
    assert town.rates(2025)[HOME]["registered"] == before - 1
    [entry] = [e for e in town.entries() if e["kind"] == "volunteer.erased"]
    assert (entry["actor"], entry["body"]["asked_by"], entry["body"]["volunteer"]) == ("second", "clerk", person)
    assert known(town, other)


def test_the_entry_names_nobody(town):
    person = town.people_of_town[0]
    erase(town, person)
    raw = b"".join(bytes(body) for (body,) in town.sql("SELECT body FROM entry"))
    assert not [needle for needle in needles(town, person) if needle in raw]


@pytest.mark.parametrize(
    ("asks", "decides", "refusal"),
    [
        (CLERK, CLERK, "没有这项权限"),
        (SECOND, SECOND, "另一位"),
        (CLERK, Actor("far", "approver", OTHER), "管理范围"),
        (CLERK, Actor("books", "auditor"), "没有这项权限"),
        (CLERK, Actor("keys", "administrator"), "没有这项权限"),
    ],
)
def test_nobody_erases_alone_or_elsewhere(town, asks, decides, refusal):
    person = town.people_of_town[0]
    request = ask(town, person, asks)
    with pytest.raises(NotAllowed, match=refusal):
        carry_out(town, request, decides)
    assert known(town, person)


def test_the_person_asks_for_themselves_and_for_nobody_else(town):
    person, other = town.people_of_town[:2]
    themselves = Actor("own", "volunteer", None, person)
    with pytest.raises(NotAllowed):
        ask(town, other, themselves)
    request = ask(town, person, themselves)
    with pytest.raises(NotAllowed, match="没有这项权限"):
        carry_out(town, request, themselves)
    with pytest.raises(Conflict, match="已经有一份"):
        ask(town, person)
    carry_out(town, request, Actor("head", "official"))
    with pytest.raises(Conflict, match="已经注销"):
        ask(town, person)
    with pytest.raises(Conflict, match="已注销"):
        carry_out(town, request)


def test_a_request_is_taken_back_by_who_asked_or_answered_with_a_reason(town):
    person = town.people_of_town[0]
    request = ask(town, person)
    with pytest.raises(NotAllowed, match="只有提出的人"):
        town.write(lambda tx: erasures.withdraw(tx, request), SECOND)
    town.write(lambda tx: erasures.withdraw(tx, request), CLERK)
    with pytest.raises(Conflict, match="已撤回"):
        carry_out(town, request)
    request = ask(town, person)
    for words in ("", "x" * 201, "请打 13624242754"):
        with pytest.raises(InvalidRequest, match="理由"):
            town.write(lambda tx, words=words: erasures.refuse(tx, request, words), SECOND)
    town.write(lambda tx: erasures.refuse(tx, request, "本人来电说提错了"), SECOND)
    with town.read() as tx:
        assert [(row.state, row.reply) for row in erasures.requests_of(tx, person)] == [
            ("refused", "本人来电说提错了"),
            ("withdrawn", None),
        ]
    with pytest.raises(NotFound):
        town.write(lambda tx: erasures.withdraw(tx, "nothing"), CLERK)
    with pytest.raises(InvalidRequest, match="理由"):
        ask(town, person, reason="because")


def test_the_same_person_may_register_anew_under_another_number(town):
    person = town.people_of_town[0]
    name, id_number, _ = town.names[person]
    erase(town, person)
    town.people.clear()  # the next one registered is given the first one's ID number
    again = town.volunteer(name=name)
    assert (town.names[again][1], again != person, known(town, again)["name"]) == (id_number, True, name)
    assert town.credit(again).minutes == 0


# --- nothing brings it back


def test_the_database_of_last_week_does_not_bring_an_erased_person_back(town, tmp_path):
    person, other = town.people_of_town[:2]
    old = tmp_path / "old-backup"
    backups.back_up(town.ledger, old)
    town.advance(days=7)
    erase(town, person)
    town.sign()
    with restored(town, old, tmp_path) as back:
        assert known(town, person, back) == {}
        assert found(town, town.names[person][1], back) == {}
        assert known(town, other, back)["name"] == town.names[other][0]
        with back.read() as tx:
            assert volunteers.masked_names(tx, [person]) == {person: "（信息已删除）"}


def test_an_old_copy_of_database_and_key_store_together_does_not_bring_them_back(town, tmp_path):
    """Somebody puts everything back as it was: the second store remembers whose keys were destroyed."""
    person, other = town.people_of_town[:2]
    old, old_keys = tmp_path / "old-backup", tmp_path / "old-keys"
    backups.back_up(town.ledger, old, key_store=old_keys)
    erase(town, person)
    shutil.copyfile(old_keys, town.settings.key_store)
    assert f"person/{person}" in keys(town.settings.key_store)
    with restored(town, old, tmp_path) as back:
        assert known(town, person, back) == {}
        assert known(town, other, back)
    assert f"person/{person}" not in keys(town.settings.key_store)


def test_an_old_copy_of_the_key_store_opens_nothing_once_the_wrapping_key_has_been_rotated(town, tmp_path):
    person, other = town.people_of_town[:2]
    old_keys = tmp_path / "old-keys"
    shutil.copy(town.settings.key_store, old_keys)
    sealed = town.sql("SELECT identity FROM person WHERE subject = ?", f"person/{person}")
    erase(town, person)
    assert rotate_wrapping_key(town.settings) >= len(town.people_of_town) - 1
    thief = open_ledger(town.settings, town.clock)
    thief.vault._keys = KeyStore(old_keys)
    town.sql("INSERT INTO person (subject, identity) VALUES (?, ?)", f"person/{person}", *sealed[0])
    with thief.read() as tx, pytest.raises(Exception, match="密钥不对"):
        tx.vault.open(tx.connection, [f"person/{person}"])
    thief.close()
    assert known(town, other)["name"] == town.names[other][0]
    town.ledger.finish_erasures()


class restored:  # noqa: N801
    """Restore a backup beside the town (another file, another database) under its keys, key store and second store."""

    def __init__(self, town, file, tmp_path):
        self.town, self.file, self.folder = town, file, tmp_path / "restored"

    def __enter__(self):
        self.folder.mkdir(mode=0o700)
        url = self.town.settings.database_url
        if url.startswith("sqlite"):
            self.settings = replace(self.town.settings, database_url=f"sqlite:///{self.folder}/ledger.db")
        else:
            self._empty()
            self.settings = self.town.settings
        backups.restore(self.settings, self.file, force=True, clock=self.town.clock)
        self.ledger = open_ledger(self.settings, self.town.clock)
        return self.ledger

    def _empty(self):
        self.kept = self.folder / "as-it-was"
        backups.back_up(self.town.ledger, self.kept)
        self.town.ledger.engine.dispose()
        self._drop()

    def _drop(self):
        for (name,) in self.town.sql("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()"):
            self.town.sql(f"DROP TABLE {name} CASCADE")
        for (name,) in self.town.sql(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prorettype = 'trigger'::regtype"
        ):
            self.town.sql(f"DROP FUNCTION {name}")

    def __exit__(self, *_):
        self.ledger.close()
        if not self.settings.database_url.startswith("sqlite"):
            self._drop()
            backups.restore(self.settings, self.kept, force=True, clock=self.town.clock)


# --- crashes


def test_a_crash_after_the_entry_is_made_good_when_the_ledger_is_opened_again(town):
    person = town.people_of_town[0]
    request = ask(town, person)
    town.write(lambda tx: erasures.carry_out(tx, request), SECOND)
    assert f"person/{person}" in keys(town.settings.key_store), "the process died before it came to the key"
    town.another()
    assert f"person/{person}" not in keys(town.settings.key_store)
    assert town.ledger.finish_erasures() == 0, "nothing is left to do"


def test_a_commit_that_fails_erases_nothing(town):
    person = town.people_of_town[0]
    request = ask(town, person)

    def fail(_connection):
        raise OSError("disk full")

    event.listen(town.ledger.engine, "commit", fail, once=True)
    with pytest.raises(OSError, match="disk full"):
        carry_out(town, request)
    town.ledger.finish_erasures()
    assert known(town, person)
    carry_out(town, request)


def test_verification_names_whoever_is_erased_and_still_there(town):
    person = town.people_of_town[0]
    key = KeyStore(town.settings.key_store).get([f"person/{person}"])
    erase(town, person)
    KeyStore(town.settings.key_store).add(key)
    assert [fault.what for fault in town.verify().faults] == [f"person[person/{person}]"]
    assert town.ledger.finish_erasures() == 1


def test_who_was_merged_into_somebody_is_erased_with_them(town):
    gone, stays = town.people_of_town[3], town.people_of_town[0]
    town.sql("UPDATE volunteer SET merged_into = ? WHERE number = ?", stays, gone)
    try:
        with town.ledger.read() as tx:
            assert erasures._one_human(tx, stays) == [stays, gone]
    finally:
        town.sql("UPDATE volunteer SET merged_into = NULL WHERE number = ?", gone)


# --- rows in hand


def test_parked_rows_of_the_person_go_and_their_keys_with_them(town):
    person = town.people_of_town[0]
    name, id_number, _ = town.names[person]
    when = datetime(2025, 1, 3, 9), datetime(2025, 1, 3, 10)
    row = parked.Parked(name, id_number, Activity(HOME, "巡逻", "neighbour-care"), *when, "B", False, "0" * 64, 5)
    other = replace(row, id_number="340102196708266327", source_row=6)
    town.write(lambda tx: parked.park(tx, [row, other]))
    with town.read() as tx:
        assert [one.tail for one in parked.waiting(tx, [HOME])] == [id_number[-4:], "6327"]
    erase(town, person)
    with town.read() as tx:
        assert [one.tail for one in parked.waiting(tx, [HOME])] == ["6327"]
    held = {key for key in keys(town.settings.key_store) if key.startswith("parked/")}
    assert len(held) == 2
    assert town.write(lambda tx: sweep(tx.connection, tx.vault)) == 1
    assert len({key for key in keys(town.settings.key_store) if key.startswith("parked/")}) == 1


# --- what a law still asks for


def test_while_a_law_asks_for_the_data_it_is_restricted_and_erased_afterwards(town):
    person = town.people_of_town[0]
    town.write(lambda tx: retention.adopt(tx, years=3, basis="《某区志愿服务档案管理规定》第八条"))
    request = ask(town, person)
    done = carry_out(town, request)
    last = max(item.served_on for item in [*town.credit(person).records, *town.credit(person).others])
    assert (done.state, done.until) == ("restricted", f"{int(last[:4]) + 3}{last[4:]}")
    assert known(town, person) == {}
    assert found(town, town.names[person][1]) == {}
    with town.read() as tx:
        assert tx.vault.open(tx.connection, [f"person/{person}"], restricted=True), "kept, and nothing else"
        assert erasures.waiting(tx, SECOND) == []
    with pytest.raises(Conflict, match="某区"):
        carry_out(town, request)
    town.clock.now = datetime(2028, 3, 1, 9, tzinfo=SHANGHAI)
    with town.read() as tx:
        assert [row.id for row in erasures.waiting(tx, SECOND)] == [request]
    assert carry_out(town, request).state == "erased"
    with town.read() as tx:
        assert tx.vault.open(tx.connection, [f"person/{person}"], restricted=True) == {}


def test_a_term_of_no_years_asks_for_nothing_and_a_term_needs_its_rule(town):
    town.write(lambda tx: retention.adopt(tx, years=0, basis="取消保存期限"))
    for years, basis in ((-1, "x"), (101, "x"), (3, " "), (3, "13624242754")):
        with pytest.raises(InvalidRequest):
            town.write(lambda tx, years=years, basis=basis: retention.adopt(tx, years=years, basis=basis))
    with pytest.raises(NotAllowed):
        town.write(lambda tx: retention.adopt(tx, years=1, basis="x"), CLERK)
    assert erase(town, town.people_of_town[0]).state == "erased"
