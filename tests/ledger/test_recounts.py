"""Published rates counted again from an exported log: the same numbers, and a false one is found wherever it stands."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from town import CENTRE, EAST, LI, WANG, WEST, ZHANG

from ledger import rates
from ledger.errors import InvalidRequest
from ledger.exporting import export_log
from ledger.log import Fact
from ledger.recounts import Difference, recount
from ledger.service import amending
from ledger.tables import PublishedRateRow, table

PROGRAM = Path(__file__).parents[2] / "scripts/recount_rates"
PUBLISHED = table(PublishedRateRow)


def publish(town, year=2026):
    return town.write(lambda tx: rates.publish(tx, year))


def exported(town, folder):
    town.write(lambda tx: town.ledger.signing.sign(tx.connection))
    export_log(town.ledger, folder)
    return folder


@pytest.fixture
def year(town):
    """A town that published four times, after services, a late one, a void and a move of the clock."""
    publish(town)
    index = town.serve(ZHANG, "2026年2月20日", "9:00", "10:00", settled=True)
    town.serve(LI, "2026年2月21日", "9:00", "10:30", settled=True, station=WEST)
    publish(town)
    town.advance(days=30)
    town.write(lambda tx: amending.void(tx, index, reason="误登"))
    publish(town)
    town.advance(days=300)
    town.serve(WANG, "2026年12月20日", "9:00", "10:30", settled=True)
    publish(town)
    publish(town, 2027)
    return town


def test_every_published_number_is_counted_again(year, tmp_path):
    found = recount(exported(year, tmp_path / "log"))
    published = len(year.read(lambda tx: tx.connection.execute(select(PUBLISHED)).all()))
    assert (found.ok, found.size, found.published, found.differences) == (True, year.size, published, [])
    assert found.sizes >= 4
    assert recount(tmp_path / "log", year=2027).published == 3


def test_a_number_that_was_never_so_is_named(year, tmp_path):
    now = {one.code: one for one in year.read(lambda tx: rates.count(tx.connection, 2027, tx.today))}[EAST]
    false = replace(now, participants=now.participants + 3)
    body = {"station": EAST, "period_from": "2027-01-01", "period_to": "2027-12-31", "counted_on": now.counted_on, "tree_size": year.size}
    body |= {name: getattr(false, name) for name in rates.COUNTS}
    index = year.size
    year.write(lambda tx: tx.append([Fact("rates.published", body)]))
    ghost = body | {"station": "340104009999", "participants": now.participants}
    year.write(lambda tx: tx.append([Fact("rates.published", ghost | {"tree_size": year.size + 5})]))
    found = recount(exported(year, tmp_path / "log"))
    assert found.differences[0] == Difference(index, EAST, "participants", now.participants + 3, now.participants)
    assert {(one.index, one.what) for one in found.differences[1:]} == {(index + 1, name) for name in ("tree_size", *rates.COUNTS)}


def test_as_a_program_it_says_what_came_out(year, tmp_path):
    def run(*arguments):
        said = subprocess.run(
            [PROGRAM, *arguments], env={"PYTHON": sys.executable}, capture_output=True, text=True, timeout=120, check=False
        )
        return said.returncode, said.stdout, said.stderr

    folder = exported(year, tmp_path / "log")
    code, said, _ = run(folder)
    assert (code, said.strip().endswith("：一致")) == (0, True)
    code, said, _ = run(folder, "--json")
    assert (code, json.loads(said)["ok"]) == (0, True)
    code, _, wrong = run(tmp_path)
    assert (code, "不是导出的账本" in wrong) == (2, True)
    body = {"station": CENTRE, "period_from": "2026-01-01", "period_to": "2026-12-31", "counted_on": "2026-03-02", "tree_size": 5}
    year.write(lambda tx: tx.append([Fact("rates.published", body | dict.fromkeys(rates.COUNTS, 7))]))
    code, said, _ = run(exported(year, tmp_path / "again"))
    assert (code, "注册志愿者 公布 7，复算" in said) == (1, True)


def test_a_log_whose_entries_were_changed_is_not_recounted(year, tmp_path):
    folder = exported(year, tmp_path / "log")
    [tile] = sorted((folder / "tile/entries").rglob("*.p/*")) or sorted((folder / "tile/entries").iterdir())
    tile.write_bytes(tile.read_bytes().replace(b'"participants":1', b'"participants":9'))
    with pytest.raises(InvalidRequest, match="与它的检查点"):
        recount(folder)
    assert date(2026, 3, 2) < year.now.date()
