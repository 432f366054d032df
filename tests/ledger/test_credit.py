"""A volunteer's credit: one total that is the sum of the list below it, and stars by the hours that count."""

from datetime import datetime

import pytest
from town import CHEN, EAST, LI, QIAN, WANG, WEST, ZHANG, ZHAO, export, exported, sheet, signed

from ledger import credit, policies
from ledger.service import amending, approving

DAY = "2026年2月26日"


def statement(town, one=ZHANG):
    number = town.number(one)
    return town.read(lambda tx: credit.statement(tx, number))


def grant(town, one, hours: int, year=2025):
    """Settled hours: ten a day, from New Year on."""
    rows = []
    for day in range(hours // 10 + 1):
        given = min(10, hours - day * 10)
        start = datetime(year, 1 + day // 28, 1 + day % 28, 8)
        if given:
            rows.append(exported(one, f"{start:%Y-%m-%d %H:%M}", f"{start.replace(hour=8 + given):%Y-%m-%d %H:%M}"))
    assert town.hand_in(export(*rows), settled=True).rejected == []


def test_somebody_without_services_has_nothing_and_the_first_star_ahead(town):
    said = statement(town)
    assert (said.minutes, said.records, said.others, said.by_series, said.star, said.minutes_to_next_star) == (0, [], [], {}, 0, 6000)


def test_the_total_is_the_list_and_every_split_adds_up_to_it(town):
    town.serve(ZHANG, DAY, "9:00", "10:30", settled=True)
    town.serve(ZHANG, "2025年5月1日", "14:00", "16:00", settled=True, station=WEST, title="“平安建设”巡逻签到表")
    town.hand_in(export(exported(ZHANG, "2024-05-01 09:00", "2024-05-01 09:45")), settled=True)
    town.serve(LI, DAY, "9:00", "10:30", settled=True)
    said = statement(town)
    assert [(item.served_on, item.minutes, item.activity, item.series, item.station, item.grade) for item in said.records] == [
        ("2026-02-26", 90, "“邻里守望”活动", "neighbour-care", "东社区社会服务站", "B"),
        ("2025-05-01", 120, "“平安建设”巡逻", "safe-community", "西社区社会服务站", "B"),
        ("2024-05-01", 45, "巡逻", "safe-community", "东社区社会服务站", "D"),
    ]
    assert said.minutes == 255
    assert said.by_series == {"邻里守望": 90, "平安建设": 165}
    assert said.by_grade == {"B": 210, "D": 45}
    assert list(said.by_year.items()) == [("2026", 90), ("2025", 120), ("2024", 45)]
    assert all(item.recorder == "operator" and item.recorded_at.startswith("2026-03-02T09:00") for item in said.records)


def test_what_does_not_count_yet_stands_apart_with_the_reason(town):
    waiting = town.serve(ZHANG, DAY, "8:00", "9:00", by=ZHAO)
    public = town.serve(ZHANG, DAY, "9:00", "10:00", by=ZHAO)
    voided = town.serve(ZHANG, DAY, "10:00", "11:00", by=ZHAO)
    counted = town.serve(ZHANG, DAY, "11:00", "12:00", settled=True)
    town.write(lambda tx: approving.approve(tx, [public]), QIAN)
    town.write(lambda tx: amending.void(tx, voided, reason="没有到场"), QIAN)
    said = statement(town)
    assert [(item.index, item.status) for item in said.records] == [(counted, "counted")]
    others = [(item.index, item.status, item.counts_from, item.reason) for item in said.others]
    assert others == [(voided, "voided", None, "没有到场"), (public, "publicity", "2026-03-10", None), (waiting, "waiting", None, None)]
    town.advance(days=8)
    assert [item.index for item in statement(town).records] == [counted, public]
    assert statement(town).minutes == 120


@pytest.mark.parametrize(
    ("hours", "star", "to_next"),
    [(99, 0, 60), (100, 1, 200 * 60), (299, 1, 60), (300, 2, 300 * 60), (1499, 4, 60), (1500, 5, None), (1600, 5, None)],
)
def test_stars_by_the_national_ladder(standing_town, hours, star, to_next):
    """The ladder of 2012: 100, 300, 600, 1000, 1500 hours. The module's town gathers hours as the cases rise."""
    have = statement(standing_town, CHEN).minutes // 60
    if hours > have:
        grant(standing_town, CHEN, hours - have, year=2000 + hours // 100)
    elif hours < have:
        pytest.fail("the cases rise")
    said = statement(standing_town, CHEN)
    assert (said.minutes, said.star, said.minutes_to_next_star) == (hours * 60, star, to_next)


def test_a_new_ladder_counts_from_its_day(town):
    grant(town, WANG, 10)
    rules = policies.DEFAULTS | {"star_hours": [5, 20]}
    town.write(lambda tx: policies.adopt(tx, effective_on="2026-03-03", rules=rules))
    assert statement(town, WANG).star == 0
    town.advance(days=1)
    said = statement(town, WANG)
    assert (said.star, said.minutes_to_next_star) == (1, 600)


def test_a_sheet_of_the_own_station_or_another_is_the_same_credit(town):
    town.hand_in(sheet(signed(LI), station=EAST), settled=True)
    town.hand_in(sheet(signed(LI, "16:00", "17:00"), station=WEST), settled=True)
    assert statement(town, LI).minutes == 180


def test_neighbour_care_comes_first_among_the_series(standing_town):
    for hour, title in enumerate(("“平安建设”巡逻", "“邻里守望”看望", "“文化铸魂”合唱"), 10):
        standing_town.serve(ZHANG, f"2026年1月{hour}日", f"{hour}:00", f"{hour}:50", settled=True, title=f"{title}签到表")
    number = standing_town.number(ZHANG)
    said = standing_town.read(lambda tx: credit.statement(tx, number))
    assert list(said.by_series) == ["邻里守望", "平安建设", "文化铸魂"]
