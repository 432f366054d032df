"""A backup is one file made while others write; what is put back was verified whole, and a history that was signed further is not signed again."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import zipfile
from base64 import b32decode
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from postgres import binaries
from sqlalchemy import make_url
from world import HOME

from ledger import backups, checkpoints, migrating
from ledger.checking.verifying import verify
from ledger.errors import Conflict, Corrupt, InvalidRequest, NotAllowed, SettingsError, Unavailable
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.people.second_factors import SecondFactors
from ledger.people.tokens import Tokens
from ledger.settings import Settings
from ledger.store import open_ledger


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    """pg_dump and pg_restore: the system's own, or those of the server under test."""
    if shutil.which("pg_dump") is None:
        monkeypatch.setenv("PATH", f"{binaries()}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def town(world):
    world.town()
    world.sign()
    return world


@pytest.fixture
def file(tmp_path):
    (tmp_path / "safe").mkdir()
    return tmp_path / "safe" / "monday.backup"


@pytest.fixture
def elsewhere(world, tmp_path, request):
    """Another machine, on the same engine, with an empty database: keys, key store and guard were carried over, as they must be."""
    home = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / "keys", home / "keys")
    shutil.copy(world.settings.key_store, home)

    def settings():
        if world.settings.guard.exists():
            shutil.copy(world.settings.guard, home)
        url = f"sqlite:///{home}/ledger.db" if on_sqlite(world) else request.getfixturevalue("postgres_url")()
        return Settings(home, url)

    return settings


def on_sqlite(world):
    return world.ledger.engine.dialect.name == "sqlite"


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def rows(ledger):
    with ledger.read() as tx:
        run = tx.connection.exec_driver_sql
        return {
            name: run(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in ("entry", "batch", "checkpoint", "service", "person")
        }


def repacked(file, change):
    """Another backup file, as *change* makes it from the members' contents; by default its manifest describes them truly."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    for name, content in members.items():
        manifest["members"].setdefault(name, {"bytes": len(content), "sha256": sha256(content).hexdigest()})
    other = file.with_name("other.backup")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, content in members.items():
            archive.writestr(name, content)
    return other


# --- there and back


def test_what_was_backed_up_is_put_back_row_by_row_and_goes_on(town, file, elsewhere):
    made = backups.back_up(town.ledger, file)
    assert (made.size, made.origin, made.vkeys) == (town.size, town.settings.origin, town.ledger.signing.vkeys)
    settings = elsewhere()
    done = backups.restore(settings, file, clock=town.clock)
    assert (done.manifest, done.kept, done.behind) == (made, None, None)
    ledger = open_ledger(settings, town.clock)
    assert rows(ledger) == rows(town.ledger)
    town.say("later", ledger=ledger)
    note = ledger.write(lambda tx: ledger.signing.sign(tx.connection), OPERATOR)
    assert checkpoints.checkpoint_size(note.decode()) == made.size + 1
    assert verify(ledger).ok
    ledger.close()


def test_no_way_in_of_the_backups_time_is_open_after_it(town, file, elsewhere):
    """What was revoked or used since would come back: so all of it ends, and passwords alone stay."""
    accounts = Accounts(town.ledger, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    accounts.create(OPERATOR, "desk", "recorder", station=HOME, password="correct horse battery")
    unused = accounts.create(OPERATOR, "other", "recorder", station=HOME)
    token = Tokens(town.ledger).issue(OPERATOR, "desk", ["log:read"], town.today)
    session = accounts.sign_in("desk", "correct horse battery")
    app = TOTP(b32decode(SecondFactors(town.ledger).begin(session.actor)), 6, SHA1(), 30)  # noqa: S303 what RFC 6238 says
    codes, session = SecondFactors(town.ledger).confirm(session, app.generate(town.clock.now.timestamp()).decode())
    backups.back_up(town.ledger, file)
    settings = elsewhere()
    backups.restore(settings, file, clock=town.clock)
    ledger = open_ledger(settings, town.clock)
    there = Accounts(ledger, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    assert there.session(session.secret) is None
    with pytest.raises(NotAllowed):
        Tokens(ledger).resolve(token)
    with pytest.raises(NotAllowed, match="过期"):
        there.sign_in("other", unused)
    half_way = there.sign_in("desk", "correct horse battery")
    assert half_way.waits_for == "second_factor"
    with pytest.raises(NotAllowed):
        SecondFactors(ledger).pass_with(half_way, codes[0])
    ledger.close()


def test_a_backup_is_one_private_file_that_describes_itself(town, file):
    made = backups.back_up(town.ledger, file)
    assert listing(file.parent) == [file.name]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["manifest.json", "checkpoint", "database"]
        said = json.loads(archive.read("manifest.json"))
        for name, member in said["members"].items():
            content = archive.read(name)
            assert member == {"bytes": len(content), "sha256": sha256(content).hexdigest()}
        assert archive.read("checkpoint").decode() == town.sql("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")[0][0]
    assert (said["format"], said["schema"], said["engine"]) == (backups.FORMAT, migrating.newest_revision(), made.engine)


def test_a_backup_holds_no_key_and_no_memory_of_signing(town, file):
    """Neither what signs, nor what opens sealed data, nor what must not go back in time."""
    backups.back_up(town.ledger, file)
    with zipfile.ZipFile(file) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    with closing(sqlite3.connect(town.settings.key_store)) as db:
        wrapped = [row[0] for row in db.execute("SELECT wrapped FROM data_key")]
    secrets = [*wrapped, *(path.read_bytes() for path in (town.settings.home / "keys").glob("*.*") if path.suffix in (".key", ".pem"))]
    assert len(secrets) >= 8
    for secret in secrets:
        assert secret not in content
        assert secret.strip().hex().encode() not in content
    assert b"data_key" not in content
    for name, id_number, phone in town.names.values():
        assert not any(said and said.encode() in content for said in (id_number, phone)), name


def test_the_key_store_goes_to_a_file_of_its_own_when_asked(town, file):
    keys = file.with_name("keys")
    backups.back_up(town.ledger, file, key_store=keys)
    assert listing(file.parent) == ["keys", file.name]
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    asked = "SELECT subject, wrapped FROM data_key ORDER BY 1"
    with closing(sqlite3.connect(keys)) as mine, closing(sqlite3.connect(town.settings.key_store)) as theirs:
        assert mine.execute(asked).fetchall() == theirs.execute(asked).fetchall() != []


def test_backups_are_made_while_others_write(world, file, elsewhere):
    stop = threading.Event()
    written = []

    def work(name):
        number = 0
        while not stop.is_set():
            written.append(world.say(f"{name}-{number}")[0].index)
            number += 1

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    try:
        made = []
        for number in range(3):
            before = len(written)
            made.append((backups.back_up(world.ledger, file.with_name(f"{number}.backup")), before))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for number, (manifest, before) in enumerate(made):
        assert manifest.size > before, "what was acknowledged before the backup is in it"
        settings = elsewhere()
        backups.restore(settings, file.with_name(f"{number}.backup"), force=True, clock=world.clock)
        ledger = open_ledger(settings, world.clock)
        assert [row[3] for row in rows(ledger)["entry"]] == [row[3] for row in rows(world.ledger)["entry"]][: manifest.size]
        ledger.close()


def test_an_empty_log_that_signed_nothing_is_backed_up_too(world, file, elsewhere):
    made = backups.back_up(world.ledger, file)
    assert (made.size, "checkpoint" in made.members) == (1, False)
    assert backups.restore(elsewhere(), file, clock=world.clock).manifest == made


def test_a_backup_from_before_an_upgrade_is_upgraded(town, file, elsewhere, tmp_path):
    if not on_sqlite(town):
        return
    backups.back_up(town.ledger, file)
    old = f"sqlite:///{tmp_path}/old.db"
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parent / "migrations"))
    config.attributes["url"] = old
    command.upgrade(config, "0002")

    def age(manifest, members):
        """Pour what is in the database into the tables of that time, as far as they had its columns."""
        path = tmp_path / "now.db"
        path.write_bytes(members["database"])
        with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as db:
            db.execute("ATTACH ? AS now", (str(path),))
            triggers = db.execute("SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                db.execute(f"DROP TRIGGER main.{name}")
            then = [
                name for (name,) in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name <> 'alembic_version'")
            ]
            there = {name for (name,) in db.execute("SELECT name FROM now.sqlite_master WHERE type = 'table'")}
            for name in sorted(set(then) & there):
                columns = [column for _, column, *_ in db.execute(f"PRAGMA main.table_info({name})")]
                kept = {column for _, column, *_ in db.execute(f"PRAGMA now.table_info({name})")}
                listed = ", ".join(f'"{column}"' for column in columns if column in kept)
                db.execute(f"INSERT INTO main.{name} ({listed}) SELECT {listed} FROM now.{name}")
            for _, text in triggers:
                db.execute(text)
        members["database"], manifest["schema"] = (tmp_path / "old.db").read_bytes(), "0002"
        del manifest["members"]["database"]

    settings, before, aged = elsewhere(), rows(town.ledger), repacked(file, age)
    backups.restore(settings, aged, clock=town.clock)
    ledger = open_ledger(settings, town.clock)
    assert rows(ledger) == before
    ledger.close()
    town.say("newer")
    town.sign()
    settings = elsewhere()
    assert backups.restore(settings, aged, force=True, clock=town.clock).behind == town.size
    ledger = open_ledger(settings, town.clock)
    assert rows(ledger) == before
    ledger.close()


# --- in the place of another


def test_an_existing_ledger_is_replaced_only_when_asked_and_kept(town, file):
    if not on_sqlite(town):
        return
    backups.back_up(town.ledger, file)
    before = rows(town.ledger)
    town.ledger.close()
    with pytest.raises(Conflict, match="--force"):
        backups.restore(town.settings, file, clock=town.clock)
    done = backups.restore(town.settings, file, force=True, clock=town.clock)
    assert done.kept.name.endswith(".before-restore")
    assert done.kept.parent == town.settings.home
    assert rows(town.ledger) == before
    kept = open_ledger(Settings(town.settings.home, f"sqlite:///{done.kept}"), town.clock)
    assert rows(kept) == before
    kept.close()


def test_an_older_state_is_put_back_only_when_asked_and_then_signs_nothing(town, file, elsewhere):
    old, size = file.with_name("old"), town.size
    backups.back_up(town.ledger, old)
    town.say("newer")
    town.sign()
    backups.back_up(town.ledger, file)
    settings = elsewhere()
    with pytest.raises(Conflict, match="缺了 1 条"):
        backups.restore(settings, old, clock=town.clock)
    done = backups.restore(settings, old, force=True, clock=town.clock)
    assert (done.manifest.size, done.behind) == (size, size + 1)
    ledger = open_ledger(settings, town.clock)
    with pytest.raises(Corrupt, match=r"旧备份.*shouwang restore.*SHOUWANG_ORIGIN"):
        ledger.write(lambda tx: ledger.signing.sign(tx.connection), OPERATOR)
    with pytest.raises(Corrupt, match="旧备份"):  # writing on it would fork the log as surely as signing
        town.say("another", ledger=ledger)
    assert not verify(ledger).ok
    ledger.close()
    back = elsewhere()
    backups.restore(back, file, force=True, clock=town.clock)
    ledger = open_ledger(back, town.clock)
    town.say("and-on", ledger=ledger)
    assert ledger.write(lambda tx: ledger.signing.sign(tx.connection), OPERATOR)
    ledger.close()


@pytest.mark.parametrize("finished", [False, True])
def test_a_state_from_before_a_change_of_key_verifies_still(town, file, elsewhere, finished):
    backups.back_up(town.ledger, file)
    town.rotate()
    town.sign()
    if finished:
        town.finish_rotation(destroy=True)
    later = file.with_name("later")
    backups.back_up(town.ledger, later)
    shutil.rmtree(town.settings.home / "elsewhere" / "keys")
    shutil.copytree(town.settings.home / "keys", town.settings.home / "elsewhere" / "keys")
    backups.restore(elsewhere(), file, force=True, clock=town.clock)
    backups.restore(elsewhere(), later, force=True, clock=town.clock)


def test_a_backup_of_a_second_history_is_never_put_back(town, file, elsewhere):
    """The same size as was signed, and another root."""
    old = file.with_name("old")
    backups.back_up(town.ledger, old)
    settings = elsewhere()
    town.say("signed")
    town.sign()
    backups.restore(settings, old, force=True, clock=town.clock)
    fork = open_ledger(settings, town.clock)
    town.say("forked", ledger=fork)
    backups.back_up(fork, file)
    fork.close()
    target = elsewhere()
    with pytest.raises(Corrupt, match="last-signed"):
        backups.restore(target, file, force=True, clock=town.clock)


def test_without_the_guard_a_ledger_is_put_back_for_reading_only(town, file, elsewhere):
    backups.back_up(town.ledger, file)
    settings = elsewhere()
    settings.guard.unlink()
    with pytest.raises(Conflict, match="last-signed"):
        backups.restore(settings, file, clock=town.clock)
    backups.restore(settings, file, force=True, clock=town.clock)
    ledger = open_ledger(settings, town.clock)
    town.say("more", ledger=ledger)
    with pytest.raises(SettingsError, match="last-signed"):
        ledger.write(lambda tx: ledger.signing.sign(tx.connection), OPERATOR)
    assert not settings.guard.exists()
    ledger.close()


def test_a_ledger_in_use_is_not_replaced(town, file):
    if not on_sqlite(town):
        return
    backups.back_up(town.ledger, file)
    before = rows(town.ledger)
    with pytest.raises(Unavailable, match="shouwang serve"):
        backups.restore(town.settings, file, force=True, clock=town.clock)
    assert rows(town.ledger) == before
    assert not [name for name in listing(town.settings.home) if "before-restore" in name or ".shouwang-" in name]


def test_a_damaged_ledger_is_replaced_and_kept_with_all_its_files(town, file):
    if not on_sqlite(town):
        return
    backups.back_up(town.ledger, file)
    before = rows(town.ledger)
    town.ledger.close()
    live = town.settings.home / "ledger.db"
    live.write_bytes(b"damaged" * 1000)
    live.with_name("ledger.db-wal").write_bytes(b"wal")
    done = backups.restore(town.settings, file, force=True, clock=town.clock)
    assert done.kept.read_bytes().startswith(b"damaged")
    assert done.kept.with_name(done.kept.name + "-wal").read_bytes() == b"wal"
    assert rows(town.ledger) == before


def test_on_postgresql_only_an_empty_database_is_filled(town, file):
    if on_sqlite(town):
        return
    backups.back_up(town.ledger, file)
    before = rows(town.ledger)
    with pytest.raises(Conflict, match="createdb"):
        backups.restore(town.settings, file, force=True, clock=town.clock)
    assert rows(town.ledger) == before


# --- refused, with nothing changed


def content(settings):
    """All that a restore could change at its place."""
    files = {name: (settings.home / name).read_bytes() for name in listing(settings.home) if (settings.home / name).is_file()}
    if settings.database_url.startswith("sqlite"):
        return files
    address = make_url(settings.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as db:
        asked = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        return files, db.execute(asked).fetchall(), db.execute(functions).fetchall()


def refused(settings, file, fault, sentence, clock, **options):
    before = content(settings)
    with pytest.raises(fault, match=sentence):
        backups.restore(settings, file, clock=clock, **options)
    assert content(settings) == before


def test_a_backup_cut_short_anywhere_is_refused(town, file, elsewhere):
    backups.back_up(town.ledger, file)
    settings, whole = elsewhere(), file.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 100, len(whole) - 1):
        file.write_bytes(whole[:length])
        refused(settings, file, InvalidRequest, "没有拷完整", town.clock)


def test_a_flipped_byte_anywhere_is_refused_or_means_nothing(town, file, elsewhere):
    """Some bytes of a ZIP say nothing (a date, an attribute): then what is put back is the same."""
    made = backups.back_up(town.ledger, file)
    whole, settings = file.read_bytes(), elsewhere()
    meant = 0
    for at in range(0, len(whole), len(whole) // 40):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        before = content(settings)
        try:
            done = backups.restore(settings, file, clock=town.clock)
        except (InvalidRequest, Corrupt):
            assert content(settings) == before
            meant += 1
        else:
            assert done.manifest == made
            settings = elsewhere()
            (settings.home / "ledger.db").unlink(missing_ok=True)
    assert meant > 30


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("origin", "elsewhere.example/ledger", "不是本账本"),
        ("schema", "9999", "请先升级本程序"),
        ("engine", "oracle", "同一种数据库"),
        ("size", 3, "与清单说的 3 条"),
        ("root", "A" * 43 + "=", "树根不符"),
        ("size", "3", "清单读不出来"),
        ("size", 1.0, "清单读不出来"),
        ("origin", None, "清单读不出来"),
        ("schema", [], "清单读不出来"),
        ("members", {}, "清单读不出来"),
        ("members", [], "清单读不出来"),
        ("members", {"database": 5}, "清单读不出来"),
        ("members", {"database": {"bytes": 1, "sha256": ""}, "../x": {"bytes": 1, "sha256": ""}}, "清单读不出来"),
        ("format", "shouwang-backup/2", "清单读不出来"),
        ("more", 1, "清单读不出来"),
    ],
)
def test_a_backup_that_does_not_fit_is_refused_in_words(town, file, elsewhere, field, value, sentence):
    backups.back_up(town.ledger, file)

    def change(manifest, members):
        manifest[field] = value
        if field == "members":
            members.clear()

    settings = elsewhere()
    settings.guard.unlink()
    refused(settings, repacked(file, change), (InvalidRequest, Corrupt), sentence, town.clock, force=True)


def test_content_that_is_not_what_the_manifest_says_is_refused(town, file, elsewhere):
    backups.back_up(town.ledger, file)
    settings = elsewhere()
    for name in ("checkpoint", "database"):
        for damage in (lambda raw: raw[:-1], lambda raw: raw + b"\0", lambda raw: b"\0" + raw[1:]):
            other = repacked(file, lambda _manifest, members, name=name, damage=damage: members.update({name: damage(members[name])}))
            refused(settings, other, Corrupt, f"{name} 的内容与清单不符", town.clock)


def test_what_is_no_backup_at_all_is_refused(world, file, elsewhere):
    settings = elsewhere()
    for raw in (b"", b"PK", b"hello" * 100):
        file.write_bytes(raw)
        refused(settings, file, InvalidRequest, "不是守望账本的备份", world.clock)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("letter.txt", "亲启")
    refused(settings, file, InvalidRequest, "清单读不出来", world.clock)


def test_a_database_that_is_none_is_refused_though_its_manifest_fits(town, file, elsewhere):
    backups.back_up(town.ledger, file)

    def garbage(manifest, members):
        members["database"] = b"no database " * 1000
        del manifest["members"]["database"]

    refused(elsewhere(), repacked(file, garbage), Corrupt, "没有恢复|没有做成", town.clock)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE service SET minutes = minutes + 60",
        "UPDATE entry SET body = replace(body, '\"minutes\":90', '\"minutes\":99')",
        "UPDATE batch SET root = x'00' WHERE size = 1",
        "UPDATE checkpoint SET note = replace(note, '— ', '— x')",
        "UPDATE person SET contact = x'01'",
    ],
)
def test_a_backup_that_somebody_doctored_is_refused_whole_as_it_looks(town, file, elsewhere, statement, tmp_path):
    """The manifest describes the doctored file: only verification finds it."""
    if not on_sqlite(town):
        return
    backups.back_up(town.ledger, file)

    def doctor(manifest, members):
        path = tmp_path / "doctored.db"
        path.write_bytes(members["database"])
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {name}")
            assert db.execute(statement).rowcount
        members["database"] = path.read_bytes()
        del manifest["members"]["database"]

    refused(elsewhere(), repacked(file, doctor), Corrupt, "没有恢复", town.clock)


def test_an_existing_file_is_not_overwritten_and_a_missing_folder_is_named(world, file):
    file.write_text("old")
    with pytest.raises(InvalidRequest, match="不会覆盖"):
        backups.back_up(world.ledger, file)
    assert file.read_text() == "old"
    with pytest.raises(InvalidRequest, match="文件夹不存在"):
        backups.back_up(world.ledger, file.parent / "nowhere" / "x")
    with pytest.raises(InvalidRequest, match="不会覆盖"):
        backups.back_up(world.ledger, file.with_name("new"), key_store=file)
    assert listing(file.parent) == [file.name]


CHILD = """
import resource, sys
from ledger import backups
from ledger.errors import Unavailable
from ledger.settings import Settings
from ledger.store import open_ledger
ledger = open_ledger(Settings.from_env())
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    backups.back_up(ledger, __import__("pathlib").Path(sys.argv[1]))
except Unavailable as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.parametrize("limit", [0, 1_000, 20_000])
def test_a_disk_that_is_full_leaves_no_half_file(town, file, limit):
    surroundings = os.environ | {"SHOUWANG_HOME": str(town.settings.home), "SHOUWANG_DATABASE_URL": town.settings.database_url}
    surroundings["SHOUWANG_DATABASE_URL"] = surroundings["SHOUWANG_DATABASE_URL"].replace("+psycopg", "")
    root = Path(__file__).parent.parent.parent
    child = [sys.executable, "-c", CHILD, file, str(limit)]
    said = subprocess.run(child, env=surroundings, cwd=root, capture_output=True, text=True, check=False)
    assert said.returncode == 3, said.stdout + said.stderr
    assert "没有留下半份文件" in said.stdout
    assert listing(file.parent) == []


# --- PostgreSQL's programs


def test_the_password_is_not_on_the_command_line(town, file, tmp_path, monkeypatch):
    if on_sqlite(town):
        return
    spy = tmp_path / "spy"
    spy.mkdir()
    (spy / "pg_dump").write_text(f'#!/bin/sh\necho "$@" > {spy}/said\nenv > {spy}/env\nexec {shutil.which("pg_dump")} "$@"\n')
    (spy / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy}{os.pathsep}{os.environ['PATH']}")
    url = make_url(town.settings.database_url).set(password="offen gesagt").render_as_string(hide_password=False)
    ledger = open_ledger(Settings(town.settings.home, url), town.clock)
    backups.back_up(ledger, file)
    ledger.close()
    said = (spy / "said").read_text()
    assert "gesagt" not in said
    assert str(make_url(url).query["host"]) not in said
    assert "PGPASSWORD=offen gesagt\n" in (spy / "env").read_text()


def test_a_missing_program_is_named(town, file, monkeypatch):
    if on_sqlite(town):
        return
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SettingsError, match="pg_dump"):
        backups.back_up(town.ledger, file)
    assert listing(file.parent) == []
