"""Rates, indicators and boards of a district with many stations, beside a recount that reads every record. Rows are put straight into the tables."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

from flask.testing import FlaskClient
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from api.app import create_app
from ledger import rates
from ledger.database import write_transaction
from ledger.indicators import adoption
from ledger.indicators.measures import Count
from ledger.indicators.standings import evaluate
from ledger.settings import Settings
from ledger.store import create_ledger
from ledger.tables import FigureRow, ServiceRow, VolunteerRow, table
from scripts import limits
from scripts.postgresql_benchmark import database

Answer = TypeVar("Answer")
_TODAY = date(2025, 12, 31)
_CLOCK = datetime(2025, 12, 31, 4, tzinfo=UTC)
_DISTRICT = 340104000000
_DAY = "'2025-' || substr(CAST(101 + (i / 13) % 12 AS TEXT), 2) || '-' || substr(CAST(101 + (i / 7) % 28 AS TEXT), 2)"
_SERVING = 3
"""Of ten volunteers so many have served."""


def run(row: Callable[..., None], stations: int, people: int, services: int, server: str = "") -> None:
    """Make a store of that size, on SQLite or in a database of its own on the server named, and measure."""
    with (
        tempfile.TemporaryDirectory() as folder,
        database(server, "shouwang_bench") if server else nullcontext(f"sqlite:///{folder}/ledger.db") as url,
    ):
        ledger = create_ledger(Settings(Path(folder), url), lambda: _CLOCK)
        with write_transaction(ledger.engine) as connection:
            _fill(connection, stations, people, services)
        with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        size = f"{stations:,} stations, {people:,} volunteers, {services:,} services"
        with ledger.read() as tx:
            found, said = _timed(lambda: rates.count(tx.connection, 2025, _TODAY))
            row(f"{size}: all rates", said, "1 s")
            again, said = _timed(lambda: _recount(tx.connection))
            counted = {one.code: (one.registered, one.backbone, one.participants, one.minutes) for one in found if one.level == "station"}
            assert again == counted, "the recount says otherwise"
            row(f"{size}: the same, recounted record by record", said, "60 s")
            chosen = adoption.shipped()[adoption.DEFAULT]
            _, said = _timed(lambda: evaluate(Count(tx.connection, 2025, _TODAY), chosen))
            row(f"{size}: all {len(chosen.indicators)} indicators of every unit, the rates among them", said, "5 s")
        for what, path in (("the district's board", "/stations/"), ("the district's indicators", "/indicators/")):
            row(f"{size}: {what}, server time", _page(create_app(ledger).test_client(), path), "50 ms")
        ledger.close()


def _timed(work: Callable[[], Answer]) -> tuple[Answer, str]:
    began, worked = time.perf_counter(), time.process_time()
    found = work()
    return found, f"{time.perf_counter() - began:.2f} s ({time.process_time() - worked:.2f} s of processor)"


def _page(client: FlaskClient, path: str) -> str:
    """Ask for a page: the median of some times, and what the first took."""
    first = limits.timed(lambda: client.get(path).get_data())
    assert client.get(path).status_code == 200
    worked = time.process_time()
    again = limits.median_of(9, lambda: client.get(path).get_data())
    worked = (time.process_time() - worked) / 9
    return f"{again * 1000:.0f} ms ({worked * 1000:.0f} ms of processor); {first:.1f} s after the log grew"


def _recount(connection: Connection) -> dict[str, tuple[int, int, int, int]]:
    """Count every station's registered, backbone, participants and minutes in the plainest way, from volunteers and records one by one."""
    volunteer, service = table(VolunteerRow), table(ServiceRow)
    home, registered, backbone = {}, Counter[str](), Counter[str]()
    for person in connection.execute(
        volunteer.select().with_only_columns(volunteer.c.number, volunteer.c.station, volunteer.c.backbone_on)
    ):
        home[person.number] = person.station
        registered[person.station] += 1
        backbone[person.station] += person.backbone_on is not None
    served, minutes = set(), Counter[str]()
    asked = service.select().with_only_columns(
        service.c.volunteer, service.c.minutes, service.c.status, service.c.frozen, service.c.effective_on
    )
    for number, given, status, frozen, effective_on in connection.execution_options(yield_per=20_000).execute(asked):
        if status == "approved" and not frozen and effective_on <= _TODAY.isoformat():
            served.add(number)
            minutes[home[number]] += given
    participants = Counter(home[number] for number in served)
    return {code: (registered[code], backbone[code], participants[code], minutes[code]) for code in registered}


def _at(number: str) -> str:
    """Spell the code of a station by its number: a hundred of them to a centre."""
    return f"CAST({_DISTRICT} + 1001 + (({number}) / 100) * 1000 + ({number}) % 100 AS TEXT)"


def _fill(connection: Connection, stations: int, people: int, services: int) -> None:
    """Put a district's rows into empty projections; values are SQL expressions of the row's number *i*."""
    here = _at(f"i % {stations}")
    _put_units(connection, stations)
    counted = {"station": here, "counted_on": "'2024-12-31'", "source": "'年报'", "entry_index": "i"}
    _put(connection, "population", stations, counted | {"population": "1000 + i % 7000"})
    for name in adoption.shipped()[adoption.DEFAULT].figures:
        _put(connection, table(FigureRow).name, stations, counted | {"figure": f"'{name}'", "value": "i % 50"})
    team = {"id": "'team' || i", "station": here, "number": "'备' || i", "name": "'队伍' || i", "scheme": "'s'", "since": "'2024-06-01'"}
    team |= {"category": "CASE i % 3 WHEN 0 THEN 'charity' ELSE 'daily-life' END", "volunteer_organisation": "i % 2", "basis": "'filed'"}
    _put(connection, "organisation", 5 * stations, team | {"expires_on": "'2026-05-31'", "entry_index": "i"})
    mark = {"entry_index": "i", "organisation": "'team' || (i * 9)", "mark": "'brand'", "station": _at(f"(i * 9) % {stations}")}
    _put(connection, "organisation_mark", 5 * stations // 9, mark | {"since": "'2025-01-01'", "basis": "'评定'"})
    planned = {"id": "'activity' || i", "station": here, "title": "'探望'", "series": "'neighbour-care'", "start": f"{_DAY} || 'T09:00'"}
    planned |= {"beneficiaries": "'[]'", "services": "'[]'", "recorder": "'clerk'", "entry_index": "i"}
    _put(connection, "activity", 10 * stations, planned)
    person = {"number": "CAST(1000000000 + i AS TEXT)", "station": here, "registered_on": "'2024-01-01'", "basis": "'self'"}
    person |= {"confirmed_on": "CASE WHEN i % 4 > 0 THEN '2024-02-01' END", "backbone_on": "CASE WHEN i % 90 = 0 THEN '2025-03-01' END"}
    person |= {"identity": "'A'", "entry_index": "i", "since_on": "'2024-01-01'", "recorder": "'clerk'"}
    _put(connection, "volunteer", people, person)
    _put_services(connection, stations, people, services)


def _put_units(connection: Connection, stations: int) -> None:
    unit = {"valid_from": "'2019-01-01'", "entry_index": "i"}
    _put(connection, "station", 1, unit | {"code": f"'{_DISTRICT}'", "name": "'区'", "level": "'district'"})
    centre = f"CAST({_DISTRICT} + 1000 + i * 1000 AS TEXT)"
    _put(
        connection, "station", -(-stations // 100), unit | {"code": centre, "name": centre, "level": "'centre'", "parent": f"'{_DISTRICT}'"}
    )
    unit |= {"code": _at("i"), "name": _at("i"), "level": "'station'", "parent": f"CAST({_DISTRICT} + 1000 + (i / 100) * 1000 AS TEXT)"}
    _put(connection, "station", stations, unit | {"area_type": "CASE WHEN i % 3 = 0 THEN 'rural' ELSE 'urban' END"})


def _put_services(connection: Connection, stations: int, people: int, services: int) -> None:
    """Put services of the year: some wait for approval, are void or frozen; one of forty was approved and its publicity runs on the last day."""
    who = f"(i * 7919) % {max(people * _SERVING // 10, 1)}"
    served = {"entry_index": "i", "volunteer": f"CAST(1000000000 + {who} AS TEXT)", "activity": f"'activity' || (i * 31) % {10 * stations}"}
    served |= {"station": _at(f"{who} % {stations}"), "served_on": _DAY, "start": f"{_DAY} || 'T09:00'", "end": f"{_DAY} || 'T11:00'"}
    served |= {"minutes": "30 + 30 * (i % 7)", "break_minutes": "0", "grade": "'B'", "batch": "'batch' || i / 60", "recorder": "'clerk'"}
    served |= {"status": "CASE (i / 11) % 50 WHEN 0 THEN 'recorded' WHEN 1 THEN 'voided' ELSE 'approved' END"}
    served |= {"frozen": "CASE WHEN (i / 17) % 1000 = 2 THEN 1 ELSE 0 END", "recorded_at": f"{_DAY} || 'T20:00:00.000+08:00'"}
    served |= {"effective_on": f"CASE WHEN (i / 19) % 40 = 3 THEN '2026-01-09' ELSE {_DAY} END"}
    _put(connection, "service", services, served)
    connection.execute(
        text(
            "INSERT INTO year_served (year, volunteer, records, minutes) SELECT substr(served_on, 1, 4), volunteer, count(*), sum(minutes) "
            "FROM service WHERE status = 'approved' AND frozen = 0 GROUP BY 1, 2"
        )
    )


def _put(connection: Connection, name: str, rows: int, values: dict[str, str]) -> None:
    """Insert so many rows; the indexes of a large table are made afterwards."""
    indexes = SQLModel.metadata.tables[name].indexes if rows >= 100_000 else ()
    for one in indexes:
        one.drop(connection)
    numbers = f"WITH RECURSIVE numbers(i) AS (VALUES (CAST(0 AS BIGINT)) UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < {rows})"  # noqa: S608 ours
    named = ", ".join(f'"{column}"' for column in values)
    connection.execute(text(f'INSERT INTO "{name}" ({named}) {numbers} SELECT {", ".join(values.values())} FROM numbers'))  # noqa: S608 ours
    for one in indexes:
        one.create(connection)
