"""The wrapping key comes from a file or from outside, and another takes its place while people are registered; a crash anywhere is made good."""

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.entries import format_time
from ledger.errors import Corrupt, InvalidRequest, SettingsError
from ledger.guard import Guard
from ledger.people import volunteers
from ledger.people.key_store import KeyStore
from ledger.people.vault import Vault
from ledger.people.wrapping import WrappingKeys, key_id, read_wrapping_key, rotate_wrapping_key
from ledger.settings import Settings
from ledger.store import create_ledger, open_ledger, utc_now

OLD, NEW = "11" * 32, "22" * 32


@pytest.fixture
def town(world):
    world.station()
    world.numbers = [world.volunteer(phone="13624242754") for _ in range(3)]
    return world


def names(town, ledger=None):
    with (ledger or town.ledger).read() as tx:
        return [volunteers.get(tx, number).personal.identity.get("name") for number in town.numbers]


def ids(settings):
    with closing(sqlite3.connect(settings.key_store)) as db:
        return {bytes(wrapped[1:9]) for (wrapped,) in db.execute("SELECT wrapped FROM data_key")}


def test_a_new_key_takes_the_old_ones_place_and_everything_is_still_read(town):
    old = read_wrapping_key(town.settings)
    draft = town.ledger.vault.seal_draft(b"secret", "a second factor's")
    sealed, key = town.ledger.vault.seal_new("upload/1", b"sheet")
    town.ledger.vault.store_keys(key)
    count = rotate_wrapping_key(town.settings)
    new = read_wrapping_key(town.settings)
    assert (count, new != old, ids(town.settings)) == (5, True, {key_id(new)})
    assert not town.settings.next_wrapping_key.exists()
    assert names(town) == ["张敏"] * 3, "the server that was running reads on"
    assert names(town, town.another()) == ["张敏"] * 3, "so does one that starts now"
    assert town.ledger.vault.open_draft(draft, "a second factor's") == b"secret"
    assert town.ledger.vault.open_more("upload/1", sealed, "upload/1") == b"sheet"
    town.ledger.vault.drop_keys(["upload/1"])


def test_an_erasure_is_open_until_the_key_is_changed_after_it(town):
    """Till then a copy of the key store from before it, and the key of that time, open what was erased."""
    guard = Guard(town.settings.guard)
    rotate_wrapping_key(town.settings)
    assert guard.oldest_unrotated() is None
    later = utc_now() + timedelta(days=1)
    town.ledger.vault.destroy(["person/2222222222"], format_time(later + timedelta(days=1)))
    town.ledger.vault.destroy(["person/3333333333"], format_time(later))
    assert guard.oldest_unrotated() == format_time(later)
    guard.note_rotated(format_time(later + timedelta(hours=1)))
    assert guard.oldest_unrotated() == format_time(later + timedelta(days=1))
    guard.note_rotated(format_time(later + timedelta(days=2)))
    assert guard.oldest_unrotated() is None


def test_a_server_that_knows_only_the_old_key_registers_under_the_new_one(town):
    rotate_wrapping_key(town.settings)
    town.numbers.append(town.volunteer())
    assert ids(town.settings) == {key_id(read_wrapping_key(town.settings))}
    assert names(town, town.another()) == ["张敏"] * 4


def test_people_registered_while_it_goes_on_are_not_left_behind(town):
    seen = []

    def while_it_goes_on(_done):
        if not seen:
            seen.append(town.volunteer())

    rotate_wrapping_key(town.settings, while_it_goes_on)
    town.numbers += seen
    assert ids(town.settings) == {key_id(read_wrapping_key(town.settings))}
    assert names(town, town.another()) == ["张敏"] * 4


@pytest.mark.parametrize("at", ["begun", "in force", "half", "whole"])
def test_a_rotation_that_was_cut_short_is_read_through_and_finished(town, at):
    """As a crash leaves it: the next key made; in force; some rows under it; all of them, but not yet in its place."""
    settings = town.settings
    settings.next_wrapping_key.touch(mode=0o600)
    settings.next_wrapping_key.write_text(NEW)
    keys, store = WrappingKeys(settings), KeyStore(settings.key_store)
    if at != "begun":
        store.put_in_force(key_id(bytes.fromhex(NEW)))
    if at in ("half", "whole"):
        rows = sorted(store.get([f"person/{number}" for number in town.numbers] + ["drafts"]).items())
        with closing(sqlite3.connect(settings.key_store)) as db, db:
            for subject, wrapped in rows[: 1 if at == "half" else None]:
                fresh = keys.under(subject, wrapped, key_id(bytes.fromhex(NEW)))
                db.execute("UPDATE data_key SET wrapped = ? WHERE subject = ?", (fresh, subject))
    assert names(town) == names(town, town.another()) == ["张敏"] * 3
    town.numbers.append(town.volunteer())
    rotate_wrapping_key(settings)
    assert read_wrapping_key(settings).hex() == NEW, "the one that was begun, not yet another"
    assert ids(settings) == {key_id(bytes.fromhex(NEW))}
    assert names(town, town.another()) == ["张敏"] * 4


def test_a_row_that_was_altered_stops_the_rotation_with_both_keys_kept(town):
    subject = f"person/{town.numbers[0]}"
    store = KeyStore(town.settings.key_store)
    [wrapped] = store.get([subject]).values()
    store.destroy([subject])
    store.add({subject: wrapped[:-1] + bytes([wrapped[-1] ^ 1])})
    with pytest.raises(Corrupt, match=subject):
        rotate_wrapping_key(town.settings)
    assert town.settings.next_wrapping_key.exists()
    store.destroy([subject])
    store.add({subject: wrapped})
    rotate_wrapping_key(town.settings)
    assert names(town) == ["张敏"] * 3


def test_rows_from_before_keys_had_names_are_read_and_rotated(town):
    """Format 1: nonce and ciphertext under the one key there was; no key named to be in force."""
    subject = f"person/{town.numbers[0]}"
    with closing(sqlite3.connect(town.settings.key_store)) as db, db:
        [(wrapped,)] = db.execute("SELECT wrapped FROM data_key WHERE subject = ?", (subject,)).fetchall()
        db.execute("UPDATE data_key SET wrapped = ? WHERE subject = ?", (b"\x01" + wrapped[9:], subject))
        db.execute("DROP TABLE wrapping")
    assert names(town) == ["张敏"] * 3
    rotate_wrapping_key(town.settings)
    assert ids(town.settings) == {key_id(read_wrapping_key(town.settings))}
    assert names(town) == ["张敏"] * 3


def test_the_drafts_key_of_an_older_store_opens_what_it_sealed(town):
    store = KeyStore(town.settings.key_store)
    store.destroy(["drafts"])
    with pytest.raises(SettingsError, match="shouwang init"):
        Vault(town.settings).seal_draft(b"x", "y")
    create_ledger(town.settings, town.clock).close()
    one = Vault(town.settings).seal_draft(b"x", "y")
    store.destroy(["drafts"])
    create_ledger(town.settings, town.clock).close()
    assert Vault(town.settings).open_draft(one, "y") == b"x", "of an older store it is derived, the same every time"


# --- from outside


@pytest.fixture
def outside(tmp_path):
    """A store whose wrapping key the environment gives."""
    home = tmp_path / "home"
    settings = Settings.from_env({"SHOUWANG_HOME": str(home), "SHOUWANG_WRAPPING_KEY": OLD})
    create_ledger(settings).close()
    return settings


def test_a_key_from_the_environment_is_used_and_never_written_down(outside):
    assert not outside.wrapping_key.exists()
    assert read_wrapping_key(outside).hex() == OLD
    assert OLD not in repr(outside)
    content = b"".join(path.read_bytes() for path in outside.home.rglob("*") if path.is_file())
    assert OLD.encode() not in content
    assert bytes.fromhex(OLD) not in content


def test_a_mounted_secret_is_read_from_its_file_and_has_to_be_private(outside, tmp_path):
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text(f"{OLD}\n")
    open_ledger(replace(outside, wrapping_given=str(secret))).close()
    secret.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        open_ledger(replace(outside, wrapping_given=str(secret)))
    with pytest.raises(SettingsError, match="64 位"):
        open_ledger(replace(outside, wrapping_given="not a key"))


def test_a_key_from_outside_is_rotated_to_the_next_one_from_outside(outside):
    with pytest.raises(InvalidRequest, match="SHOUWANG_WRAPPING_KEY_NEXT"):
        rotate_wrapping_key(outside)
    with pytest.raises(InvalidRequest, match="同一把"):
        rotate_wrapping_key(replace(outside, wrapping_next=OLD))
    running = open_ledger(replace(outside, wrapping_next=NEW))
    sealed = running.vault.seal_draft(b"x", "y")
    assert rotate_wrapping_key(replace(outside, wrapping_next=NEW)) == 1
    assert running.vault.open_draft(sealed, "y") == b"x"
    running.close()
    after = open_ledger(replace(outside, wrapping_given=NEW))
    assert after.vault.open_draft(sealed, "y") == b"x"
    after.close()
    with pytest.raises(Corrupt, match="密钥不对"):
        Vault(outside).open_draft(sealed, "y")


# --- who may read the files


@pytest.mark.parametrize("name", ["key_store", "guard"])
def test_a_store_that_others_may_read_is_refused_unless_its_folder_keeps_them_out(tmp_path, name):
    home = tmp_path / "home"
    settings = Settings(home, f"sqlite:///{home}/ledger.db")
    create_ledger(settings).close()
    path = getattr(settings, name)
    path.chmod(0o644)
    open_ledger(settings).close()
    home.chmod(0o755)
    with pytest.raises(SettingsError, match=f"chmod 600 .*{path.name}"):
        open_ledger(settings)
    create_ledger(settings).close()
    assert path.stat().st_mode & 0o777 == 0o600, "init mends it"
    open_ledger(settings).close()


def test_everything_in_a_new_home_is_its_owners_alone(tmp_path):
    before = os.umask(0o022)
    try:
        home = tmp_path / "home"
        ledger = create_ledger(Settings(home, f"sqlite:///{home}/ledger.db"))
        ledger.operate(lambda connection, now: None)
        others = [path.name for path in home.rglob("*") if path.is_file() and path.suffix != ".vkey" and path.stat().st_mode & 0o077]
        assert others == []
        ledger.close()
    finally:
        os.umask(before)
