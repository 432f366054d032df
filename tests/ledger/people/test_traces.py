"""Every byte that lies anywhere is searched for the people it is about: store, backups, uploads, logs, and on PostgreSQL the server's own files."""

import logging
import os
import re
from datetime import date
from pathlib import Path

import pytest
from files import xlsx
from house import CHEAP
from town import ROSTER_HEADER, SIGN_IN_HEADER, person
from world import CENTRE, HOME

from api.app import create_app
from api.uploads import Uploads
from jobs import uploads
from ledger import backups
from ledger.imports import run
from ledger.people import erasures, leaks, reveals
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, Actor
from ledger.people.key_store import KeyStore
from ledger.people.tokens import Tokens
from scripts.log_lines import JsonLines

CLERK, SECOND = Actor("clerk", "recorder", HOME), Actor("second", "approver", CENTRE)
GONE, STAYS, STRANGER = (
    person("诸葛青云", date(1951, 3, 4)),
    person("欧阳修文", date(1949, 5, 6), 3),
    person("司徒静好", date(1961, 7, 8), 5),
)
PHONES = {GONE: "13624247351", STAYS: "15384587313"}


@pytest.fixture
def lived(world, tmp_path):
    """A store that has seen everything: a roster, a sheet with a stranger, an upload in hand, a look, a failed request, backups."""
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE)
    rows = [[who.name, "男", who.id_number, phone, HOME, "2025-01-02", "否"] for who, phone in PHONES.items()]
    assert run(world.ledger, "volunteers", xlsx([ROSTER_HEADER, *rows]), "名册.xlsx", OPERATOR).accepted == 2
    sheet = [
        ["“邻里守望”活动签到表"],
        ["活动时间：2025年1月3日 14:00-16:00", f"站点编码：{HOME}"],
        ["活动地点：党群服务中心"],
        SIGN_IN_HEADER,
    ]
    sheet += [[1, who.name, who.id_number, PHONES.get(who), "14:00", "16:00", None] for who in (GONE, STAYS, STRANGER)]
    in_hand = Uploads(world.ledger)
    world.upload = in_hand.add(CLERK, "hours", xlsx(sheet), "签到表.xlsx")
    in_hand.commit(CLERK, world.upload, {})
    in_hand.add(CLERK, "hours", xlsx(sheet), f"{GONE.name} {PHONES[GONE]}.xlsx")
    with world.read() as tx:
        subjects = {who: tx.vault.find(tx.connection, "id_number", [who.id_number])[who.id_number][0] for who in PHONES}
    world.numbers = {who: subject.removeprefix("person/") for who, subject in subjects.items()}
    reveals.reveal(world.ledger, CLERK, world.numbers[GONE], "contact")
    leaks.guard_logging()
    world.log = tmp_path / "server.log"
    to_file = logging.FileHandler(world.log)
    to_file.setFormatter(JsonLines())
    logging.getLogger("shouwang").addHandler(to_file)
    logging.getLogger("shouwang").setLevel(logging.INFO)
    ask_over_http(world)
    logging.getLogger("shouwang.web").error("row %r failed", [GONE.id_number, PHONES[GONE]])
    logging.getLogger("shouwang").removeHandler(to_file)
    logging.getLogger("shouwang").setLevel(logging.NOTSET)
    to_file.close()
    world.sign()
    backups.back_up(world.ledger, tmp_path / "backup", key_store=tmp_path / "keys-copy")
    world.everything = tmp_path
    return world


def ask_over_http(world):
    """Name people in every way in which a request can: in a form, in JSON, in an address, in a file's name."""
    accounts = Accounts(world.ledger, CHEAP)
    accounts.create(OPERATOR, "desk", "recorder", station=HOME, password="correct horse battery")
    token = Tokens(world.ledger).issue(OPERATOR, "desk", ["volunteers:read"], world.today)
    client = create_app(world.ledger, accounts=accounts).test_client()
    token_of_form = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)[1]
    for who in (GONE, STAYS, STRANGER):
        client.post("/sign-in", data={"csrf_token": token_of_form, "name": who.id_number, "password": who.name})
        client.post("/api/v1/volunteers/find", json={"id_number": who.id_number}, headers={"Authorization": f"Bearer {token}"})
        for text in who:
            client.get(
                f"/volunteers/{text}?said={text}",
                headers={"Referer": f"http://localhost/?q={text}", "User-Agent": text.encode().decode("latin-1")},
            )
    client.post("/sign-in", data={"csrf_token": token_of_form, "name": "desk", "password": "correct horse battery"})
    form = {"csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', client.get("/volunteers/").text)[1]}
    for who, phone in PHONES.items():
        assert client.post("/volunteers/", data={**form, "said": who.id_number}).status_code == 302
        assert client.post("/volunteers/", data={**form, "said": phone}).status_code == 302


def server_files(world):
    """On PostgreSQL, what the server itself has written of this database: its pages, the write-ahead log, its own log."""
    world.sql("CHECKPOINT")
    [(folder,)] = world.sql("SELECT current_setting('data_directory')")
    [(database,)] = world.sql("SELECT oid::text FROM pg_database WHERE datname = current_database()")
    data = Path(folder)
    found = [*(data / "base" / database).iterdir(), *(data / "pg_wal").iterdir()] if os.access(data, os.R_OK | os.X_OK) else []
    return [path for path in (*found, data.with_name("log")) if path.is_file()]


def haystacks(world):
    """All files; on PostgreSQL also every table as it is stored and as text."""
    found = {str(path): path.read_bytes() for path in world.everything.rglob("*") if path.is_file()}
    if world.ledger.engine.dialect.name == "postgresql":
        for (name,) in world.sql("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"):
            rows = world.sql(f"SELECT * FROM {name}")
            found[name] = repr(rows).encode() + b"".join(bytes(c) for row in rows for c in row if isinstance(c, bytes | memoryview))
    return found


def needles(*people):
    said = [text for who in people for text in (*who, PHONES.get(who)) if text]
    return {text.encode(encoding) for text in said for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030")}


def test_nobody_is_readable_in_anything_that_lies_anywhere(lived):
    found = haystacks(lived)
    assert len(found) >= 9
    if lived.ledger.engine.dialect.name == "postgresql":
        files = server_files(lived)
        assert len(files) > 100 or "TEST_DATABASE_URL" in os.environ, "another server's files may lie out of reach"
        found |= {str(path): path.read_bytes() for path in files}
    for place, content in found.items():
        assert not [needle for needle in needles(GONE, STAYS, STRANGER) if needle in content], place
    log = lived.log.read_text()
    assert "***" in log
    assert "/api/v1/volunteers/find" in log


def test_after_an_erasure_not_even_what_was_sealed_is_left_in_the_store(lived):
    subject = f"person/{lived.numbers[GONE]}"
    sealed = [bytes(part) for part in lived.sql("SELECT identity, contact FROM person WHERE subject = ?", subject)[0]]
    digests = [bytes(digest) for (digest,) in lived.sql("SELECT digest FROM blind_index WHERE subject = ?", subject)]
    [wrapped] = KeyStore(lived.settings.key_store).get([subject]).values()
    traces = {*sealed, *digests, wrapped}
    assert len(traces) == 5
    for backup in ("backup", "keys-copy"):
        (lived.everything / backup).unlink()  # where they lie sealed; that the keys are gone is another test's
    held = haystacks(lived)
    assert all(any(trace in content for content in held.values()) for trace in traces), "before, they are there to be found"
    request = lived.write(lambda tx: erasures.ask(tx, lived.numbers[GONE], "own_wish"), CLERK)
    lived.write(lambda tx: erasures.carry_out(tx, request), SECOND)
    lived.ledger.finish_erasures()
    for place, content in haystacks(lived).items():
        assert not [trace for trace in traces if trace in content], place
        assert not [needle for needle in needles(GONE, STRANGER) if needle in content], place


def test_a_backup_from_before_holds_uploads_and_parked_rows_under_keys_that_go_with_them(lived):
    keys = KeyStore(lived.settings.key_store)
    assert (len(keys.subjects("upload/")), len(keys.subjects("parked/"))) == (2, 1)
    lived.advance(days=2)
    lived.write(lambda tx: uploads.drop(lived.ledger, tx, lived.today))
    lived.sql("DELETE FROM parked")
    lived.write(lambda tx: uploads.drop(lived.ledger, tx, lived.today))
    assert (keys.subjects("upload/"), keys.subjects("parked/")) == ([], [])
