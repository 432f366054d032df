"""People found at the desk by what a clerk types: names, initials, the last four; nobody of another station by chance."""

import pytest
from world import APPROVER, HOME, OTHER

from ledger.people import changes, directory, erasures, withdrawals
from ledger.people.actors import Actor
from ledger.people.directory import Someone
from ledger.people.vault import Vault
from ledger.transactions import ReadTransaction

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


class Watched(Vault):
    """A vault that counts whose data it opens."""

    def __init__(self, settings):
        super().__init__(settings)
        self.opened = []

    def open(self, connection, subjects, **options):
        found = super().open(connection, subjects, **options)
        self.opened += found
        return found


@pytest.fixture
def search(world):
    """Search the people of a station; gives the numbers found, and notes whose names were opened for it."""
    vault = Watched(world.settings)

    def find(typed, station=HOME):
        vault.opened.clear()
        with world.read() as tx:
            found = directory.Station(ReadTransaction(tx.connection, vault, tx.now), station).matching(typed)
        return [one.number for one in found]

    find.opened = vault.opened
    return find


def test_a_station_knows_its_own_people_and_those_who_served_there_but_nobody_who_left(world, search):
    world.town()
    mine, theirs = world.volunteer(name="甲一"), world.volunteer(OTHER, name="乙二")
    guest = world.volunteer(OTHER, name="丙三")
    world.serve(guest, "2025-01-06 07:00", "08:00", station=HOME)
    assert (search("甲一"), search("bs"), search("乙二")) == ([mine], [guest], [])
    assert search("ye", OTHER) == [theirs]
    world.write(lambda tx: withdrawals.withdraw(tx, mine, "own_wish"))
    assert search("甲一") == []


def test_a_station_is_opened_once_and_then_only_whom_a_search_finds(world, search):
    world.station(HOME)
    people = [world.volunteer(name=name, phone=f"1380000{n:04}") for n, name in enumerate(("甲一", "乙二", "丙三", "丁四", "丙三"), 1)]
    everybody = {"person/" + number for number in people}
    assert search("丁四") == [people[3]]
    assert set(search.opened) == everybody, "to know by what they are found"
    for typed, found in (
        ("丁四", people[3:4]),
        ("ds", people[3:4]),
        ("bs", [people[2], people[4]]),
        ("0002", people[1:2]),
        ("none", []),
        ("李", []),
    ):
        assert sorted(search(typed)) == sorted(found), typed
        assert set(search.opened) == {"person/" + number for number in found}, typed
    newest = world.volunteer(name="戊五")
    assert search("ww") == [newest]
    assert set(search.opened) == {"person/" + newest}
    memory = repr(vars(directory._MEMORIES[_vault(search)]))
    assert not any(name in memory or number in memory for name, number, _ in world.names.values()), "no name, no number in full"


def _vault(search):
    return next(cell.cell_contents for cell in search.__closure__ if isinstance(cell.cell_contents, Watched))


def test_somebody_whose_data_change_or_go_is_found_as_they_are_now(world, search):
    world.station(HOME)
    one, other = world.volunteer(name="甲一", phone="13800001234"), world.volunteer(name="乙二")
    assert search("1234") == [one]
    world.write(lambda tx: changes.own_phone(tx, "13800005678"), Actor("account", "volunteer", None, one))
    assert (search("1234"), search("5678")) == ([], [one])
    request = world.write(lambda tx: erasures.ask(tx, one, "own_wish"))
    world.write(lambda tx: erasures.carry_out(tx, request), APPROVER)
    world.ledger.finish_erasures()
    assert (search("5678"), search("甲一"), search("乙二")) == ([], [], [other])


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
