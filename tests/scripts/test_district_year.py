"""The demonstration district: a year lived through by the ordinary ways, that verifies, adds up to the census and comes out the same again."""

import contextlib
from collections import Counter
from datetime import datetime

import pytest
import recounting
from click.testing import CliRunner

from ledger import rates, trends
from ledger.checking.verifying import verify
from ledger.duties import owing
from ledger.entries import SHANGHAI
from ledger.filing import reading
from ledger.people.actors import Actor
from ledger.settings import Settings
from ledger.store import create_ledger, open_ledger
from ledger.tables import ServiceRow, table
from scripts import demonstration, district_year
from scripts.shouwang import main

NOW = datetime(2026, 11, 22, 10, tzinfo=SHANGHAI)
OFFICIAL = Actor("official", "official")


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    """A fiftieth of the district's people, opened on the evening of the day."""
    home = tmp_path_factory.mktemp("district")
    settings = Settings(home, f"sqlite:///{home}/ledger.db")
    told = []
    district_year.load(settings, NOW, lambda done, total: told.append((done, total)), share=20).close()
    assert told[0] == (0, told[0][1])
    with contextlib.closing(open_ledger(settings, lambda: NOW.replace(hour=20))) as ledger:
        yield ledger


def test_the_census_stands_on_top_of_85_committees_and_12_streets(district):
    with district.read() as tx:
        found = rates.count(tx.connection, 2026, tx.today)
    assert (found[0].name, found[0].population) == ("蜀山区", 1_047_150)
    assert [sum(rate.level == level for rate in found) for level in ("district", "centre", "station")] == [1, 12, 85]
    names = {rate.name for rate in found}
    assert {"梅山路社区社会服务站", "侯店村社会服务站", "小庙镇社会服务中心", "邓店村社会服务站", "科学岛社区社会服务站"} <= names


def test_the_log_verifies_and_a_naive_recount_agrees(district):
    with district.read() as tx:
        said = recounting.check_entries(tx.connection.exec_driver_sql('SELECT "index", id, leaf, body FROM entry ORDER BY "index"').all())[
            0
        ]
        found = {rate.code: {name: getattr(rate, name) for name in rates.SHOWN} for rate in rates.count(tx.connection, 2026, tx.today)}
    assert recounting.Recount(said, "2026-11-22").rates(2026) == found
    assert verify(district).faults == []


def test_rates_were_published_each_month_and_work_waits_at_the_end(district):
    with district.read() as tx:
        top = rates.count(tx.connection, 2026, tx.today)[0]
        months = trends.of(tx.connection, top, tx.today).months
        states = {row.status for row in tx.connection.execute(table(ServiceRow).select())}
        filings = [row.state for row in reading.applications(tx, OFFICIAL, ("asked", "heard", "agreed"))]
        every = [rate.code for rate in rates.count(tx.connection, 2026, tx.today)]
        owed = Counter(due.state for due in owing.owed(tx.connection, every, tx.today) if due.due_on < tx.today)
    registered = [month.published.registered for month in months]
    assert len(months) == trends.MONTHS
    assert registered == sorted(registered)
    assert registered[0] < registered[-1] == top.registered
    assert states == {"recorded", "approved"}
    assert sorted(filings) == ["agreed", "asked", "heard"]
    assert owed["done"] > 4 * owed["overdue"] > 0, "most hand in on time, some forget"


def test_the_same_day_gives_the_same_people_and_the_same_plans(tmp_path):
    drawn = []
    for place in ("first", "second"):
        settings = Settings(tmp_path / place, f"sqlite:///{tmp_path}/{place}.db")
        settings.home.mkdir()
        year = district_year.Year(settings, NOW, 20)
        year.ledger.close()
        drawn.append((year.stops, [(one.name, one.population, len(one.teams), one.coming) for one in year.communities]))
    assert drawn[0] == drawn[1]


def test_where_there_is_a_ledger_no_district_is_loaded_and_it_is_said(tmp_path, capsys):
    settings = Settings(tmp_path, f"sqlite:///{tmp_path}/ledger.db")
    with contextlib.closing(create_ledger(settings)) as ledger:
        demonstration.prepare(settings, district=True)
        with ledger.read() as tx:
            assert rates.count(tx.connection, 2026, tx.today) == []
    assert "里已经有账本，直接打开" in capsys.readouterr().err


def test_two_ways_of_saying_what_to_load_are_not_mixed(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOUWANG_HOME", str(tmp_path / "home"))
    told = CliRunner().invoke(main, ["serve", "--district"])
    assert told.exit_code == 2
    assert not (tmp_path / "home").exists()
