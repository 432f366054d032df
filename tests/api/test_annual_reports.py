"""The annual report on its page: public, by unit and year, the same as its files, and about nobody."""

import csv
import io

import pytest
from certified import pages_of

from api.pages.annual_reports import A_MINUTE
from ledger.people.actors import OPERATOR
from ledger.service import amending

CENTRE, STATION = "340104001000", "340104001004"


def test_anybody_sees_a_units_year_and_goes_down_to_a_station(world, recorded):
    anybody = world.visitor()
    page = anybody.get("/annual-reports/").text
    with world.ledger.read() as tx:
        year = tx.today.year
    assert f"{year} 年度报告" in page
    assert "本年登记的记录" in page
    assert f"unit={STATION}" in page
    assert "shouwang annual-report --year" in page
    station = anybody.get(f"/annual-reports/?unit={STATION}").text
    assert f"unit={CENTRE}" in station, "the way up"
    assert f"/annual-reports/{year}.pdf?unit={STATION}" in station
    earlier = anybody.get(f"/annual-reports/?year={year - 1}").text
    assert f"{year - 1}年1月1日至{year - 1}年12月31日" in earlier
    assert "/annual-reports/" in anybody.get("/stations/").text


def test_the_files_say_what_the_page_says(world, recorded):
    anybody = world.visitor()
    with world.ledger.read() as tx:
        year = tx.today.year
    answers = {kind: anybody.get(f"/annual-reports/{year}.{kind}?unit={CENTRE}") for kind in ("xlsx", "pdf", "csv", "csv_gb18030")}
    assert [answer.status_code for answer in answers.values()] == [200] * 4
    assert all(answer.headers["Cache-Control"] == "no-store" for answer in answers.values())
    assert answers["csv"].headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answers["csv_gb18030"].headers["Content-Type"] == "text/csv; charset=gb18030"
    rows = list(csv.DictReader(io.StringIO(answers["csv"].data.decode("utf-8-sig"))))
    assert rows == list(csv.DictReader(io.StringIO(answers["csv_gb18030"].data.decode("gb18030"))))
    total = sum(int(row["登记记录"]) for row in rows)
    assert total
    assert f"{total:,} 条" in anybody.get(f"/annual-reports/?unit={CENTRE}").text
    assert f"{year} 年度志愿服务记录与证明出具工作报告" in "".join(pages_of(answers["pdf"].data))


def test_it_is_counted_again_as_soon_as_something_was_added(world, recorded):
    assert "<dt>作废的记录</dt><dd><b>0</b> 条" in world.visitor().get("/annual-reports/").text
    world.ledger.write(lambda tx: amending.void(tx, recorded[0].entry_index, reason="误登"), OPERATOR)
    assert "<dt>作废的记录</dt><dd><b>1</b> 条" in world.visitor().get("/annual-reports/").text


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/annual-reports/?year=1900", 400, "年份应在 1980 到"),
        ("/annual-reports/?year=x", 400, "年份应在 1980 到"),
        ("/annual-reports/?unit=999", 404, "没有编码为 999 的站点"),
        ("/annual-reports/2999.csv", 400, "年份应在 1980 到"),
        ("/annual-reports/2025.doc", 404, ""),
    ],
)
def test_what_cannot_be_shown_is_said(world, path, status, sentence):
    answer = world.visitor().get(path)
    assert answer.status_code == status
    assert sentence in answer.text


def test_files_are_not_made_without_end(world):
    anybody = world.visitor()
    answers = [anybody.get("/annual-reports/2025.csv").status_code for _ in range(A_MINUTE + 1)]
    assert (answers[0], answers[-1]) == (200, 429)
