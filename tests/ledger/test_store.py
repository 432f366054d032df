"""A store is opened only as a whole: keys, schema, durability and a tip that verifies; whatever is missing is named."""

import stat

import pytest

from ledger import migrating
from ledger.database import check_durability, open_engine
from ledger.errors import Corrupt, SettingsError
from ledger.settings import Settings
from ledger.signing_keys import vkey_file
from ledger.store import create_ledger, open_ledger

SECRETS = ("wrapping_key", "blind_key", "session_key", "signing_key")


@pytest.fixture
def moved(world):
    """Put a file of the store aside for the test."""
    aside = []

    def move(path):
        path.rename(path.with_suffix(".aside"))
        aside.append(path)

    yield move
    for path in aside:
        path.unlink(missing_ok=True)
        path.with_suffix(".aside").rename(path)


def test_no_store_is_said_to_be_none(tmp_path, database_url):
    with pytest.raises(SettingsError, match="shouwang init"):
        create_keys_only(tmp_path, database_url)


def create_keys_only(home, url):
    elsewhere = home / "elsewhere"
    made = create_ledger(Settings(elsewhere, f"sqlite:///{elsewhere}/ledger.db"))
    made.close()
    open_ledger(Settings(elsewhere, url))


def test_making_a_store_again_changes_nothing(world):
    secrets = {name: getattr(world.settings, name).read_bytes() for name in SECRETS}
    again = create_ledger(world.settings, world.clock)
    assert (world.size, again.signing.vkey) == (1, world.ledger.signing.vkey)
    assert {name: getattr(world.settings, name).read_bytes() for name in SECRETS} == secrets
    again.close()


def test_secrets_are_readable_by_their_owner_only(world):
    for name in SECRETS:
        assert stat.S_IMODE(getattr(world.settings, name).stat().st_mode) == 0o600
    assert stat.S_IMODE(world.settings.key_store.stat().st_mode) == 0o600
    assert world.settings.wrapping_key.read_bytes() != world.settings.blind_key.read_bytes()


@pytest.mark.parametrize("name", ["wrapping_key", "blind_key"])
def test_a_missing_key_is_named(world, moved, name):
    path = getattr(world.settings, name)
    moved(path)
    with pytest.raises(SettingsError, match=path.name):
        open_ledger(world.settings)


@pytest.mark.parametrize("name", ["wrapping_key", "blind_key"])
def test_a_key_that_others_may_read_is_refused(world, name):
    path = getattr(world.settings, name)
    for mode in (0o640, 0o604, 0o666):
        path.chmod(mode)
        with pytest.raises(SettingsError, match="chmod 600"):
            open_ledger(world.settings)
    path.chmod(0o600)


@pytest.mark.parametrize(("content", "said"), [("", "32 字节"), ("abc", "十六进制"), ("00" * 31, "31 字节"), ("测" * 32, "十六进制")])
def test_a_key_that_is_none_is_refused(world, moved, content, said):
    path = world.settings.wrapping_key
    moved(path)
    path.touch(mode=0o600)
    path.write_text(content)
    with pytest.raises(SettingsError, match=said):
        open_ledger(world.settings)


@pytest.mark.parametrize("name", ["signing_key", "guard"])
def test_what_signing_needs_is_named_when_it_is_missing(world, moved, name):
    path = getattr(world.settings, name)
    moved(path)
    with pytest.raises(SettingsError, match=path.name):
        world.sign()
    assert world.sql("SELECT * FROM checkpoint") == []


def test_a_missing_public_key_is_named(world, moved):
    moved(vkey_file(world.settings))
    with pytest.raises(SettingsError, match=r"log\.vkey"):
        world.verify()


def test_a_missing_key_store_stops_registration_and_leaves_nothing(world, moved):
    world.station()
    moved(world.settings.key_store)
    with pytest.raises(SettingsError, match="key-store"):
        world.volunteer()
    assert world.sql("SELECT * FROM person") == []


@pytest.mark.parametrize("found", ["0000", "9999"])
def test_another_schema_version_is_refused(world, found):
    newest = migrating.newest_revision()
    world.sql("UPDATE alembic_version SET version_num = ?", found)
    with pytest.raises(SettingsError, match=f"{found}，程序需要 {newest}"):
        world.another()
    world.sql("UPDATE alembic_version SET version_num = ?", newest)


def test_an_empty_database_is_refused(world):
    kept = world.sql("SELECT version_num FROM alembic_version")
    world.sql("DELETE FROM alembic_version")
    with pytest.raises(SettingsError, match="空"):
        world.another()
    world.sql("INSERT INTO alembic_version VALUES (?)", kept[0][0])


def test_sqlite_settings_that_may_lose_an_entry_are_refused(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/scratch.db", durable=False)
    with engine.connect() as connection, pytest.raises(SettingsError, match="journal_mode"):
        check_durability(connection)
    engine.dispose()
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    with engine.connect() as connection:
        check_durability(connection)
        connection.rollback()
        connection.connection.execute("PRAGMA synchronous=NORMAL")
        with pytest.raises(SettingsError, match="synchronous 现在是 1，应为 2"):
            check_durability(connection)
    engine.dispose()


@pytest.mark.parametrize(
    ("value", "enough"), [("off", False), ("local", False), ("remote_write", False), ("on", True), ("remote_apply", True)]
)
def test_postgresql_commits_that_may_lose_an_entry_are_refused_and_stronger_ones_are_not(postgres_url, value, enough):
    engine = open_engine(postgres_url())
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SET synchronous_commit = {value}")
        if enough:
            check_durability(connection)
        else:
            with pytest.raises(SettingsError, match=f"synchronous_commit 现在是 {value}，应为 on"):
                check_durability(connection)
    engine.dispose()


@pytest.mark.parametrize("value", ["off", "local"])
def test_postgresql_settings_that_may_lose_an_entry_are_refused(tmp_path, postgres_url, value):
    url = postgres_url()
    create_ledger(Settings(tmp_path, url)).close()
    engine = open_engine(url)
    with engine.begin() as connection:
        name = engine.url.database
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = {value}')
    engine.dispose()
    with pytest.raises(SettingsError, match="synchronous_commit"):
        open_ledger(Settings(tmp_path, url))


def test_a_tip_that_does_not_verify_is_refused(world):
    world.grow(5)
    with world.damaged("entry"):
        world.sql('UPDATE entry SET leaf = ? WHERE "index" = 3', b"\0" * 32)
        with pytest.raises(Corrupt, match="shouwang verify"):
            world.another()


def test_a_tip_that_is_cut_off_is_refused(world):
    world.grow(5)
    with world.damaged("entry"):
        world.sql('DELETE FROM entry WHERE "index" = 4')
        with pytest.raises(Corrupt):
            world.another()


def test_what_is_not_in_the_log_is_committed_or_undone_as_a_whole(world):
    def fail(connection, now):
        connection.exec_driver_sql("INSERT INTO job_run (job, business_date, state, started_at, attempt) VALUES ('x','y','z','t',1)")
        raise SettingsError("不行")

    with pytest.raises(SettingsError):
        world.ledger.operate(fail)
    assert world.sql("SELECT * FROM job_run") == []
    assert world.ledger.operate(lambda connection, now: now) == world.ledger.now() == world.clock.now


def test_readers_see_one_snapshot_while_somebody_writes(world):
    with world.read() as tx:
        asked = "SELECT count(*) FROM entry"
        before = tx.connection.exec_driver_sql(asked).scalar()
        world.say("one", ledger=world.another())
        assert tx.connection.exec_driver_sql(asked).scalar() == before
    with world.read() as tx:
        assert tx.connection.exec_driver_sql(asked).scalar() == before + 1


@pytest.mark.parametrize("lost", ["wrapping_key", "blind_key", "signing_key", "key_store"])
def test_a_log_that_lost_a_key_gets_no_new_one_in_its_place(world, lost):
    """A new key would read nobody's name and hide that the old one is gone."""
    path = getattr(world.ledger.settings, lost)
    kept = path.rename(path.with_name("elsewhere"))
    with pytest.raises(SettingsError, match=path.name):
        create_ledger(world.ledger.settings)
    assert not path.exists()
    kept.rename(path)
