"""「开放数据」: what anybody takes says what the board says, explains each column, and holds nobody's data."""

import csv
import io

import pytest

from ledger import open_data, rates
from ledger.people.actors import OPERATOR


def taken(world, what, ending, year=2025):
    answer = world.visitor().get(f"/open-data/{what}-{year}.{ending}")
    assert answer.status_code == 200
    return answer


def counted(world):
    with world.ledger.read() as tx:
        return {one.code: {**vars(one), **one.rates()} for one in rates.count(tx.connection, 2025, tx.today)}


def test_the_rates_are_those_of_the_board_in_both_files(world):
    said = counted(world)
    rows = list(csv.DictReader(io.StringIO(taken(world, "rates", "csv").data.decode("utf-8-sig"))))
    assert [row["code"] for row in rows] == list(said)
    for row in rows:
        assert row == {name: "" if said[row["code"]][name] is None else str(said[row["code"]][name]) for name in row}
    whole = taken(world, "rates", "json").json
    assert [one["registered"] for one in whole["rows"]] == [one["registered"] for one in said.values()]
    assert whole["licence"] == open_data.LICENCE
    assert {one["name"] for one in whole["columns"]} >= {name for row in whole["rows"] for name in row}


def test_what_was_published_names_its_entry_and_the_tree_it_was_counted_at(world):
    assert taken(world, "published", "json").json["rows"] == []
    published = world.ledger.write(lambda tx: rates.publish(tx, 2025), OPERATOR)
    rows = taken(world, "published", "json").json["rows"]
    assert len(rows) == published
    said = counted(world)
    assert all(row["registered"] == said[row["code"]]["registered"] for row in rows)
    assert all(row["tree_size"] <= row["entry"] for row in rows)


@pytest.mark.parametrize("what", open_data.TITLES)
def test_the_page_explains_every_column(world, what):
    page = world.visitor().get("/open-data/").text
    for one in open_data.COLUMNS[what]:
        assert f"<code>{one.name}</code>" in page
        assert one.meaning in page
    assert open_data.LICENCE in page


def test_a_year_that_is_not_offered_is_refused_in_words(world):
    assert "年份应在" in world.visitor().get("/open-data/rates-1999.csv").text
    assert world.visitor().get("/open-data/people-2025.csv").status_code == 404
