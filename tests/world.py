"""World: a small town on a real store with a clock set by hand; every test that lives in it ends by checking all of it.

world.station("340104001001", population=1000)
person = world.volunteer("340104001001")
served = world.serve(person, "2025-03-01 09:00", "11:00")
world.approve(served.index)
world.advance(days=10)
"""

import copy
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import recounting
from postgres import lay_schema
from sqlalchemy import make_url, select
from stdnum.iso7064.mod_11_2 import calc_check_digit

from ledger import (
    activities,
    checkpoints,
    cosignatures,
    credit,
    history,
    notes,
    organisations,
    rates,
    signing_keys,
    spot_checks,
    stations,
)
from ledger.activities import Activity
from ledger.certificates import issuing, register
from ledger.certificates.documents import Wish
from ledger.checking.verifying import Report, verify
from ledger.entries import SHANGHAI
from ledger.ids import new_entry_id
from ledger.log import Fact, tree_head
from ledger.organisations import Filing
from ledger.people import volunteers
from ledger.people.actors import OPERATOR, Actor
from ledger.people.volunteers import Registration
from ledger.record import reading
from ledger.service import amending, approving, recording
from ledger.service.drafts import Draft
from ledger.settings import Settings
from ledger.stations import Station
from ledger.store import Ledger, create_ledger, open_ledger
from ledger.transactions import ReadTransaction

CENTRE, HOME, OTHER = "340104001000", "340104001001", "340104001002"
UNDONE = ("voided_by", "withdrawn_by", "lifted_on")
"""Columns that say that a fact of a credit record does not stand any more."""
CLERK, APPROVER = Actor("clerk", "recorder"), Actor("approver", "approver")


def local(said: str) -> datetime:
    """Read 2025-03-01 09:00 as people say it: a naive local time."""
    return datetime.fromisoformat(said)


class Clock:
    """A clock set by hand."""

    def __init__(self, said: str) -> None:
        self.now = local(said).replace(tzinfo=SHANGHAI)

    def __call__(self) -> datetime:
        return self.now


class World:
    """A town. Verbs return what the ledger answers: numbers of people, ids, receipts, refusals."""

    def __init__(self, home: Path, database_url: str, start: str = "2025-01-06 09:00") -> None:
        self.settings = Settings(home, database_url)
        self.clock = Clock(start)
        lay_schema(database_url)
        self.ledger = create_ledger(self.settings, self.clock)
        self.opened = [self.ledger]
        self.people: dict[str, str] = {}
        self.names: dict[str, tuple[str, str, str]] = {}

    def copy(self, home: Path, database_url: str) -> "World":
        """Give another world that is as this one was when it was closed; its database, unless it lies in the home, has been copied already."""
        shutil.copytree(self.settings.home, home, dirs_exist_ok=True)
        made = copy.copy(self)
        made.__dict__ |= {name: copy.copy(value) for name, value in vars(self).items() if isinstance(value, (dict, list))}
        made.settings, made.clock = Settings(home, database_url), copy.copy(self.clock)
        made.ledger = open_ledger(made.settings, made.clock)
        made.opened = [made.ledger]
        return made

    # --- time and place

    def advance(self, **by: int) -> None:
        self.clock.now += timedelta(**by)

    @property
    def today(self) -> date:
        return self.clock.now.date()

    def actor(self, role: str, station: str | None = None, account: str | None = None) -> Actor:
        return Actor(account or role, role, station)

    def another(self) -> Ledger:
        """Open the same store once more, as another process would."""
        self.opened.append(open_ledger(self.settings, self.clock))
        return self.opened[-1]

    def close(self) -> None:
        for ledger in self.opened:
            ledger.close()

    def write(self, work: Callable, actor: Actor = OPERATOR, **options):
        return self.ledger.write(work, actor, **options)

    @contextmanager
    def read(self) -> Iterator[ReadTransaction]:
        with self.ledger.read() as tx:
            yield tx

    # --- the town

    def station(self, code=HOME, name=None, *, level="station", parent=None, population=None, counted_on=None):
        said = (population, counted_on or self.today.isoformat(), "人口普查") if population else (None, None, None)
        station = Station(code, name or f"{code[-3:]}社区", level, parent, None, *said)
        return self.write(lambda tx: stations.declare(tx, station))

    def volunteer(self, station=HOME, name="张敏", *, basis="roster", registered_on=None, phone="", backbone=False) -> str:
        born = (date(1950, 1, 1) + timedelta(days=len(self.people))).strftime("%Y%m%d")
        id_number = f"340102{born}002" + calc_check_digit(f"340102{born}002")
        on = date.fromisoformat(registered_on) if registered_on else self.today
        registration = Registration(name, id_number, station, on, basis, phone, backbone=backbone)
        number = self.write(lambda tx: volunteers.register_many(tx, [registration]))[0]
        self.people[number], self.names[number] = station, (name, id_number, phone)
        return number

    def organisation(self, station=HOME, name="梅山路巧手社", number="备0001", *, leader="", phone="", filed=True):
        filing = Filing(number, name, "charity", True, station, filed, self.today, leader, phone)
        return self.write(lambda tx: organisations.record_many(tx, [filing]))[0]

    def activity(self, station=HOME, title="邻里守望", **said) -> str:
        activity = Activity(station, title, said.pop("series", "neighbour-care"), **said)
        return self.write(lambda tx: activities.find_or_publish(tx, [activity]))[0]

    def draft(self, person: str, start: str, end: str, *, station=None, activity=None, **said) -> Draft:
        place = station or self.people[person]
        begins = local(start)
        ends = local(end if len(end) > 5 else f"{start[:10]} {end}")
        fields = {"grade": "B", "batch": new_entry_id(), **said}
        return Draft(person, activity or self.activity(place), place, begins, ends, **fields)

    def serve(self, person: str, start: str, end: str, *, actor=None, **said):
        """Record one service; what was settled on paper before, only the operator may say."""
        return self.serve_many([self.draft(person, start, end, **said)], actor or (OPERATOR if said.get("settled") else CLERK))[0]

    def serve_many(self, drafts: Sequence[Draft], actor=CLERK):
        return self.write(lambda tx: recording.record_many(tx, drafts), actor)

    def approve(self, *indexes: int, actor=APPROVER) -> str:
        return self.write(lambda tx: approving.approve(tx, indexes), actor)

    def correct(self, index: int, start: str, end: str, reason="签到表抄错了", actor=APPROVER):
        times = {"start": local(start), "end": local(f"{start[:10]} {end}")}
        return self.write(lambda tx: amending.correct(tx, index, **times, reason=reason), actor)

    def void(self, index: int, reason="重复登记", actor=APPROVER):
        return self.write(lambda tx: amending.void(tx, index, reason=reason), actor)

    def certify(self, person: str, *, actor=None, first=None, last=None, **said):
        """Issue a certificate: the person themselves, if nobody else is named; signed at once."""
        days = [date.fromisoformat(day) if day else None for day in (first, last)]
        return issuing.certify(self.ledger, actor or Actor("own-" + person, "volunteer", None, person), Wish(person, *days, **said))

    def revoke(self, number: str, reason="依据的记录登记有误", actor=APPROVER):
        return self.write(lambda tx: issuing.revoke(tx, number, reason), actor)

    def announce_check(self, unit=HOME, count=1, source="双色球下一期开奖号码", actor=OPERATOR):
        """Announce a spot check by a number of tomorrow, on a checkpoint signed now; its entry's index."""
        self.sign()
        plan = spot_checks.Plan(unit, count, source, 14, self.today + timedelta(days=1))
        return self.write(lambda tx: spot_checks.announce(tx, self.ledger.signing, plan), actor).index

    def spot_check(self, unit=HOME, count=1, number="03 07 12 19 25 33 + 08"):
        """Announce a check, wait a day for the number, and find every record true."""
        announced = self.announce_check(unit, count)
        self.advance(days=1)
        return self.write(lambda tx: spot_checks.record(tx, announced, spot_checks.Found(self.today, number)))

    def publish_rates(self, year: int) -> int:
        return self.write(lambda tx: rates.publish(tx, year))

    def say(self, *names: str, ledger: Ledger | None = None):
        """Append the plainest facts, one for each name, in one commit."""
        facts = [Fact("policy.adopted", {"policy": name, "effective_on": "2025-01-01", "rules": {}}) for name in names]
        return (ledger or self.ledger).write(lambda tx: tx.append(facts), OPERATOR)

    def grow(self, size: int) -> None:
        """Bring the log to a size with facts that matter to nobody."""
        if missing := size - self.size:
            self.say(*(f"filler-{self.size}-{n}" for n in range(missing)))

    def town(self) -> list[str]:
        """Found a centre with two stations, four people, an organisation, and service of every standing. Returns the people."""
        self.station(CENTRE, level="centre")
        self.station(HOME, parent=CENTRE, population=1000)
        self.station(OTHER, parent=CENTRE, population=500)
        people = [self.volunteer(phone="13624242754", backbone=True), self.volunteer(OTHER), self.volunteer(basis="self"), self.volunteer()]
        unit = self.organisation(leader="王芳", phone="15384582945")
        shared = self.activity(organisation=unit, beneficiaries=["elderly"], services=["patrol"], start="2025-01-02T09:00")
        first = self.serve(people[0], "2025-01-02 09:00", "11:00", activity=shared, organisation=unit, break_minutes=30)
        second = self.serve(people[1], "2025-01-02 09:00", "10:30", source={"sha256": "A" * 43 + "=", "row": 3})
        third = self.serve(people[2], "2025-01-03 14:00", "15:00", grade="C")
        self.serve(people[0], "2024-12-31 08:00", "12:00", grade="D", settled=True)
        self.advance(days=1)
        self.approve(first.index, second.index)
        self.sign()
        self.advance(days=20)
        self.correct(first.index, "2025-01-02 09:00", "10:00")
        self.void(third.index)
        self.publish_rates(2025)
        return people

    # --- what the ledger says

    @property
    def size(self) -> int:
        with self.read() as tx:
            return tree_head(tx.connection).size

    def credit(self, person: str) -> credit.Credit:
        with self.read() as tx:
            return credit.statement(tx, person)

    def recorded(self, person: str) -> list[tuple[int, bool]]:
        """What a person's credit record holds beside services: the entries, and whether each was undone."""
        with self.read() as tx:
            found = reading.of_person(tx, person)
        rows = [*found.trainings, *(one.row for one in found.evaluations), *found.awards, *found.conduct, *found.spent]
        return sorted((row.entry_index, any(getattr(row, name, None) for name in UNDONE)) for row in rows)

    def rates(self, year: int) -> dict[str, dict[str, int]]:
        with self.read() as tx:
            return _counts(rates.count(tx.connection, year, rates.counting_day(year, tx.today)))

    def as_known(self, size: int, year: int) -> tuple[dict, dict]:
        """Credit of everybody and rates, as the log's first entries tell them today."""
        with self.read() as tx, history.as_known(tx.connection, size) as then:
            return self.answers(ReadTransaction(then, tx.vault, tx.now), year)

    def answers(self, tx: ReadTransaction, year: int) -> tuple[dict, dict]:
        people = tx.connection.execute(select(volunteers._VOLUNTEER.c.number)).scalars().all()
        minutes = {person: credit.statement(tx, person) for person in people}
        return minutes, _counts(rates.count(tx.connection, year, rates.counting_day(year, tx.today)))

    def sign(self) -> str | None:
        note = self.write(lambda tx: self.ledger.signing.sign(tx.connection))
        return note.decode() if note else None

    def rotate(self) -> int:
        """Change the log's key; both keys sign from then on. Returns the entry's index."""
        return self.write(lambda tx: signing_keys.rotate(tx, self.settings)).index

    def finish_rotation(self, **options) -> None:
        with self.read() as tx:
            note = checkpoints.newest_checkpoint(tx.connection)
            signed = checkpoints.checkpoint_size(note) if note else 0
            signing_keys.finish_rotation(tx.connection, self.settings, signed, **options)

    def cosign(self, seed: bytes = b"w" * 32) -> str:
        """Have a witness stand for the newest checkpoint. Returns its vkey."""
        with self.read() as tx:
            note = checkpoints.newest_checkpoint(tx.connection)
        signer = notes.Signer.from_seed(f"witness.example/{seed[:1].hex()}", seed)
        line = notes.cosign(notes.note_parts(note.encode())[0], signer, int(self.clock.now.timestamp()))
        lines, size = {signer.cosigner_vkey: line}, checkpoints.checkpoint_size(note)
        self.ledger.operate(lambda connection, now: cosignatures.store(connection, size, lines, now))
        return signer.cosigner_vkey

    def verify(self, **options) -> Report:
        return verify(self.ledger, **options)

    # --- behind the ledger's back

    @contextmanager
    def raw(self):
        """Give a connection of the driver's own, each statement its own transaction."""
        if self.settings.database_url.startswith("sqlite"):
            connection = sqlite3.connect(self.settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
        else:
            address = make_url(self.settings.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
            connection = psycopg.connect(address, autocommit=True)
        try:
            yield connection
        finally:
            connection.close()

    def sql(self, statement: str, *values) -> list[tuple]:
        """Run one raw statement (parameters as ?, columns unquoted where they can be) and return its rows, if it gives any."""
        with self.raw() as connection:
            return _run(connection, statement, *values)

    @contextmanager
    def damaged(self, *tables: str) -> Iterator[None]:
        """Take the triggers off some tables; afterwards put back their rows as they were, and the triggers."""
        on_sqlite = self.ledger.engine.dialect.name == "sqlite"
        with self.raw() as connection:
            kept = {name: _run(connection, f"SELECT * FROM {name}") for name in tables}
            triggers = _run(connection, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'") if on_sqlite else []
            off = [f"DROP TRIGGER {name}" for name, _ in triggers] or [f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in tables]
            on = [text for _, text in triggers] or [f"ALTER TABLE {name} ENABLE TRIGGER USER" for name in tables]
            for statement in ("BEGIN", *off, "COMMIT"):
                connection.execute(statement)
        try:
            yield
        finally:
            with self.raw() as connection:
                cursor = connection.cursor()
                cursor.execute("BEGIN")
                for name, rows in kept.items():
                    cursor.execute(f"DELETE FROM {name}")
                    if rows:
                        marks = ",".join(["?" if on_sqlite else "%s"] * len(rows[0]))
                        cursor.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
                for statement in on:
                    cursor.execute(statement)
                cursor.execute("COMMIT")

    # --- everything

    def entries(self) -> list[dict]:
        """What the log says, read without the ledger."""
        return recounting.check_entries(self.sql('SELECT "index", id, leaf, body FROM entry ORDER BY "index"'))[0]

    def check(self) -> None:
        """Recompute everything without the ledger, and then ask the ledger."""
        with self.raw() as connection:
            entries = _run(connection, 'SELECT "index", id, leaf, body FROM entry ORDER BY "index"')
            tiles = _run(connection, 'SELECT level, "index", hashes, root FROM tile')
            batches = _run(connection, "SELECT size, root, recorded_at FROM batch")
            signed_notes = _run(connection, "SELECT size, note FROM checkpoint ORDER BY size")
        said, leaves = recounting.check_entries(entries)
        recounting.check_tiles(tiles, leaves)
        recounting.check_batches(batches, said, leaves)
        vkeys = recounting.check_rotations(said, (self.settings.home / "keys" / "log.vkey").read_text().split())
        signed = [0]
        for size, note in signed_notes:
            assert recounting.check_checkpoint(note, vkeys, leaves) == size
            signed.append(size)
        recounting.check_guard(self.settings.guard, signed[-1], leaves)
        self._check_answers(recounting.Recount(said, self.today.isoformat()))
        report = self.verify()
        assert report.ok, report.faults
        assert (report.size, report.root) == (len(leaves), recounting.tree_hash(leaves))

    def _check_answers(self, recount: recounting.Recount) -> None:
        for person in recount.volunteers:
            found = self.credit(person)
            records = sorted(item.index for item in found.records)
            assert (found.minutes, records, found.by_year, found.by_grade) == recount.credit(person)
            assert self.recorded(person) == recount.recorded(person)
        with self.read() as tx:
            for number in recount.certificates:
                standing = register.standing(tx, register.get(tx, number))
                assert (standing.state, standing.minutes) == recount.certificate(number)
        for year in (self.today.year - 1, self.today.year):
            assert self.rates(year) == recount.rates(year)


def _run(connection, statement: str, *values) -> list[tuple]:
    if not isinstance(connection, sqlite3.Connection):
        statement = statement.replace("%", "%%").replace("?", "%s")
    cursor = connection.execute(statement, values)
    return cursor.fetchall() if cursor.description else []


def _counts(found: list[rates.StationRate]) -> dict[str, dict[str, int]]:
    return {rate.code: {name: getattr(rate, name) for name in rates.SHOWN} for rate in found}


@pytest.fixture
def world(tmp_path, founded_url) -> Iterator[World]:
    """A new town on each engine; at the end of the test all of it is checked."""
    town = World(tmp_path, founded_url)
    yield town
    town.check()
    town.close()
