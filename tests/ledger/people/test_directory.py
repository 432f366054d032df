"""People found at the desk by what a clerk types: names, initials, the last four; nobody of another station by chance."""

import pytest

from ledger.people import directory
from ledger.people.directory import Someone

PEOPLE = [
    Someone("N1", "王秀英", "8423", "1111", "1956"),
    Someone("N2", "王秀英", "842X", "2222", "1961"),
    Someone("N3", "单雄信", "0017", "3333", "1950"),
    Someone("N4", "买买提·艾力", "0025", "8423", "1970"),
    Someone("N5", "王秀", "9999", "", "1980"),
]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("王秀英", ["N1", "N2"]),
        ("王秀英8423", ["N1"]),
        ("wxy", ["N1", "N2"]),
        ("WXY842x", ["N2"]),
        ("wx", ["N5"]),
        ("w", ["N5", "N1", "N2"]),
        ("8423", ["N4", "N1"]),
        ("sxx", ["N3"]),
        ("dxx", ["N3"]),
        ("mmtal", ["N4"]),
        ("买买提•艾力", ["N4"]),
        ("王", []),
        ("李四", []),
        ("wxy0000", []),
        ("842", []),
    ],
)
def test_somebody_is_found_by_name_initials_and_last_four(typed, found):
    assert [one.number for one in directory.matching(PEOPLE, typed)] == found


def test_a_station_knows_its_own_people_and_those_who_served_there_but_nobody_who_left(world):
    world.town()
    mine, theirs = world.volunteer(name="甲一"), world.volunteer("340104001002", name="乙二")
    guest = world.volunteer("340104001002", name="丙三")
    world.serve(guest, "2025-01-06 07:00", "08:00", station="340104001001")
    with world.read() as tx:
        here = {one.number for one in directory.at_station(tx, "340104001001")}
    assert {mine, guest} <= here
    assert theirs not in here


def test_a_whole_number_finds_anybody_and_words_find_nobody(world):
    world.station()
    one = world.volunteer(name="甲一", phone="13800001234")
    _, id_number, phone = world.names[one]
    with world.read() as tx:
        for typed in (id_number, phone, one, one.lower()):
            assert [found.number for found in directory.anybody(tx, typed)] == [one], typed
        assert directory.anybody(tx, "甲一") is None
        assert directory.anybody(tx, "8423") is None
        assert directory.anybody(tx, id_number[:-1] + ("0" if id_number[-1] != "0" else "1")) == []
