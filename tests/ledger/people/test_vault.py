"""Nobody's name, number or phone stands anywhere in readable form; what is sealed is bound to its entry, and found again by its owner's keys only."""

import hashlib
import sqlite3
from base64 import b64encode
from contextlib import closing
from datetime import date

import pytest
from files import xlsx
from sqlalchemy import event
from town import ROSTER_HEADER, person
from world import HOME

from ledger.errors import Corrupt
from ledger.imports import run
from ledger.people.actors import OPERATOR
from ledger.people.key_store import KeyStore
from ledger.people.vault import Personal, Vault, commitment
from ledger.settings import Settings
from ledger.store import create_ledger

ROSTER = [
    [someone.name, "男", someone.id_number, phone, HOME, "2025-01-02", "否"]
    for someone, phone in (
        (person("诸葛青云", date(1951, 3, 4), 1), "13624242754"),
        (person("欧阳修文", date(1949, 5, 6), 3), "15384582945"),
    )
]


@pytest.fixture
def registered(world):
    world.station()
    outcome = run(world.ledger, "volunteers", xlsx([ROSTER_HEADER, *ROSTER]), "名册.xlsx", OPERATOR)
    assert (outcome.accepted, outcome.rejected) == (2, [])
    world.organisation(leader="司马相如", phone="13855512345")
    return world


def test_no_personal_data_is_readable_anywhere_in_the_store(registered):
    """Bytes as any program would write them: UTF-8, UTF-16, GB 18030; and digits turned around in no way at all."""
    secrets = [str(row[n]) for row in ROSTER for n in (0, 2, 3)] + ["司马相如", "13855512345"]
    needles = [secret.encode(encoding) for secret in secrets for encoding in ("utf-8", "utf-16-le", "gb18030")]
    haystack = {str(path): path.read_bytes() for path in registered.settings.home.rglob("*") if path.is_file()}
    assert len(haystack) >= 6
    if registered.ledger.engine.dialect.name == "postgresql":
        names = [name for (name,) in registered.sql("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")]
        haystack |= {name: repr(registered.sql(f"SELECT * FROM {name}")).encode() for name in names}
        haystack |= {f"{name} in bytes": b"".join(_bytes(registered, name)) for name in names}
    for place, content in haystack.items():
        for needle in needles:
            assert needle not in content, place


def _bytes(world, name):
    return [bytes(cell) for row in world.sql(f"SELECT * FROM {name}") for cell in row if isinstance(cell, bytes | memoryview)]


def test_what_was_sealed_is_found_and_opened_again(registered):
    name, _, id_number, phone = ROSTER[0][:4]
    with registered.read() as tx:
        found = tx.vault.find(tx.connection, "id_number", [id_number, "340104199001010000"])
        [subject] = found.pop(id_number)
        assert found == {}
        assert tx.vault.find(tx.connection, "phone", [phone]) == {phone: [subject]}
        opened = tx.vault.open(tx.connection, [subject, "person/NOBODY"])
        assert opened == {subject: Personal(subject, {"name": name, "id_number": id_number, "sex": "男"}, {"phone": phone})}
        assert len(tx.vault.subjects(tx.connection)) == 3


def test_a_blind_index_depends_on_its_key_and_field(registered):
    vault = registered.ledger.vault
    assert vault.blind("phone", "1") != vault.blind("id_number", "1")
    other = Vault(other_settings(registered))
    assert vault.blind("phone", "1") != other.blind("phone", "1")


def other_settings(world):
    """Another deployment's keys over a copy of this one's key store."""
    home = world.settings.home / "elsewhere"
    settings = Settings(home, f"sqlite:///{home}/ledger.db")
    create_ledger(settings).close()
    settings.key_store.write_bytes(world.settings.key_store.read_bytes())
    return settings


def test_another_key_opens_nothing(registered):
    vault = Vault(other_settings(registered))
    with registered.read() as tx:
        subjects = vault.subjects(tx.connection)
        with pytest.raises(Corrupt, match="密钥不对"):
            vault.open(tx.connection, subjects)
        assert all(isinstance(found, Corrupt) for found in vault.commitments(tx.connection, subjects).values())
        sealed = registered.ledger.vault.seal_draft(b"row", "one")
    with pytest.raises(Corrupt):
        vault.open_draft(sealed, "one")


def test_a_draft_opens_only_under_its_own_label(registered):
    vault = registered.ledger.vault
    sealed = vault.seal_draft("签到表".encode(), "one")
    assert vault.open_draft(sealed, "one").decode() == "签到表"
    for wrong, label in (
        (sealed, "two"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), "one"),
        (b"\x02" + sealed[1:], "one"),
        (sealed[:5], "one"),
    ):
        with pytest.raises(Corrupt):
            vault.open_draft(wrong, label)


def test_two_sealings_of_the_same_words_have_nothing_in_common(registered):
    vault = registered.ledger.vault
    one, other = (vault.seal([Personal(f"person/{n}", {"name": "张敏"})]) for n in "AB")
    assert one[0][0].identity != other[0][0].identity
    assert one[1].rows[0]["identity"][1:] != other[1].rows[0]["identity"][1:]


def test_a_commitment_is_the_published_hash_of_salt_and_words():
    salt, part = b"s" * 32, {"phone": "13624242754", "name": "张敏"}
    said = '{"name":"张敏","phone":"13624242754"}'.encode()
    assert commitment(salt, part) == b64encode(hashlib.sha256(b"\x03" + salt + said).digest()).decode()
    assert len({commitment(salt, part), commitment(b"t" * 32, part), commitment(salt, {**part, "name": "别人"})}) == 3


# --- altered behind our back


@pytest.mark.parametrize("part", ["identity", "contact"])
def test_a_sealed_part_that_was_altered_cut_emptied_or_exchanged_is_found_by_verification(registered, part):
    pair = registered.sql(f"SELECT subject, {part} FROM person WHERE subject LIKE 'person/%' ORDER BY subject")
    subject, sealed = pair[0][0], bytes(pair[0][1])
    flipped = sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]
    for wrong in (flipped, sealed[:-1], sealed[:5], b"\x01", b"\x02" + sealed[1:], b"", None, bytes(pair[1][1])):
        with registered.damaged("person"):
            registered.sql(f"UPDATE person SET {part} = ? WHERE subject = ?", wrong, subject)
            faults = registered.verify().faults
            assert [fault for fault in faults if fault.what.startswith(f"person[{subject}]") and fault.index is not None], wrong


def test_other_words_under_a_true_key_are_found_by_their_commitment(registered):
    """Whoever has every key can seal anew, but the entry holds what was said first."""
    vault = registered.ledger.vault
    with registered.read() as tx:
        [subject] = vault.find(tx.connection, "id_number", [ROSTER[0][2]])[ROSTER[0][2]]
    _, forged = vault.seal([Personal(subject, {"name": "别人", "id_number": str(ROSTER[0][2]), "sex": "男"}, {"phone": "13624242754"})])
    kept = registered.settings.key_store.read_bytes()
    with registered.damaged("person"):
        registered.sql(
            "UPDATE person SET identity = ?, contact = ? WHERE subject = ?", *(forged.rows[0][n] for n in ("identity", "contact")), subject
        )
        with closing(sqlite3.connect(registered.settings.key_store)) as keys, keys:
            keys.execute("UPDATE data_key SET wrapped = ? WHERE subject = ?", (forged.keys[subject], subject))
        assert {fault.what for fault in registered.verify().faults} == {f"person[{subject}].identity", f"person[{subject}].contact"}
    registered.settings.key_store.write_bytes(kept)


def test_a_person_whose_sealed_data_is_gone_is_found_by_verification(registered):
    subject = registered.sql("SELECT min(subject) FROM person WHERE subject LIKE 'person/%'")[0][0]
    with registered.damaged("person"):
        registered.sql("DELETE FROM person WHERE subject = ?", subject)
        assert any(subject in fault.what for fault in registered.verify().faults)


def test_sealed_data_of_nobody_in_the_log_is_found_by_verification(registered):
    with registered.damaged("person"):
        registered.sql("INSERT INTO person (subject) VALUES ('person/NOBODY')")
        assert [fault.what for fault in registered.verify().faults] == ["person[person/NOBODY]"]


# --- keys first


def test_a_commit_that_fails_leaves_keys_without_people_and_never_people_without_keys(registered):
    before = registered.sql("SELECT subject FROM person")

    def fail(_connection):
        raise OSError("disk full")

    event.listen(registered.ledger.engine, "commit", fail, once=True)
    with pytest.raises(OSError, match="disk full"):
        registered.volunteer(name="赵一")
    assert registered.sql("SELECT subject FROM person") == before
    with closing(sqlite3.connect(registered.settings.key_store)) as keys:
        kept = {subject for (subject,) in keys.execute("SELECT subject FROM data_key WHERE subject <> 'drafts'")}
    assert len(kept) == len(before) + 1
    assert kept > {subject for (subject,) in before}
    registered.people.clear()
    assert registered.volunteer(name="赵一")


def test_a_rehearsed_registration_leaves_no_key(registered):
    before = registered.settings.key_store.read_bytes()
    one_more = xlsx([ROSTER_HEADER, [*ROSTER[0][:2], person("钱二", date(1960, 1, 2)).id_number, *ROSTER[0][3:]]])
    assert run(registered.ledger, "volunteers", one_more, "名册.xlsx", OPERATOR, rehearse=True).accepted == 1
    assert registered.settings.key_store.read_bytes() == before


def test_wrapped_keys_are_fetched_many_at_a_time(tmp_path):
    store = KeyStore(tmp_path / "keys.db")
    store.create()
    store.add({f"person/{n}": b"%d" % n for n in range(1_200)})
    store.add({})
    assert len(store.get([f"person/{n}" for n in range(1_300)])) == 1_200
