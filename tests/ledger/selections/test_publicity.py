"""The public list: masked, by row, each with a commitment that only its own person can open; gone after its time."""

import itertools
from base64 import b64decode

import orjson
import pytest
from selecting import Selecting, town

from ledger.errors import NotFound
from ledger.ids import ALPHABET
from ledger.people.actors import Actor
from ledger.selections import publishing, reading
from ledger.selections.lists import row_commitment


@pytest.fixture
def held(world):
    found = Selecting(world)
    found.people, found.records = town(world)
    return found


def lines(world, selection):
    with world.read() as tx:
        return publishing.public_lines(tx, reading.get(tx.connection, selection))


def test_a_person_proves_their_row_and_nobody_else_does(world, held):
    selection = held.published(quota=4)
    public = lines(world, selection)
    for person in held.people:
        with world.read() as tx:
            proof = publishing.proof_of(tx, selection, person)
        mine = public[proof["document"]["row"] - 1]
        assert proof["document"]["subject"] == person
        assert row_commitment(b64decode(proof["salt"]), proof["document"]) == mine.commitment == proof["commitment"]
        assert (mine.minutes, world.entries()[proof["entry"]]["body"]["rows"][mine.row - 1]) == (
            proof["document"]["minutes"],
            mine.commitment,
        )
    with world.read() as tx, pytest.raises(NotFound, match="没有您"):
        publishing.proof_of(tx, selection, world.people and "2222222222")
    world.check()


def test_enumerating_people_finds_nobody(world, held):
    """Whoever tries every number there is, with what is public and with salts that are none, opens no row; equal rows look nothing alike."""
    first, second = held.published(quota=4), held.published(quota=4)
    public = lines(world, first)
    commitments = {line.commitment for line in public}
    rows = held.ranking(first).chosen
    salts = [b"", bytes(32), *(b64decode(line.commitment) for line in public), first.encode()]
    for salt, number, row in itertools.product(salts, [*held.people, *ALPHABET], range(1, 5)):
        for one in rows:
            document = {"selection": first, "row": row, "subject": number, "station": one.sums.station, "minutes": one.sums.minutes}
            assert row_commitment(salt, document) not in commitments
    assert not commitments & {line.commitment for line in lines(world, second)}
    everything = orjson.dumps([entry["body"] for entry in world.entries() if entry["kind"] == "selection.published"]).decode()
    with world.read() as tx:
        salt = publishing.proof_of(tx, first, held.people[0])["salt"]
    assert salt not in everything
    assert not any(person in everything for person in held.people)
    for (sealed,) in world.sql("SELECT sealed FROM selection_line"):
        assert b64decode(salt) not in bytes(sealed)


def test_a_public_list_tells_no_number_and_no_whole_name(world, held):
    selection = held.published(quota=4)
    said = "".join(f"{line.name}{line.station}" for line in lines(world, selection))
    for person in held.people:
        name, id_number, _ = world.names[person]
        assert person not in said
        assert name not in said
        assert id_number not in said


def test_by_strokes_nobody_sees_who_is_first(world, held):
    selection = held.published(quota=4, order="strokes")
    assert [line.name for line in lines(world, selection)] == ["丁*", "王*", "张*", "陈*"]
    assert held.listed(selection)[0][0] == held.people[0]


def test_what_is_public_ends_with_its_publicity(world, held):
    selection = held.published()
    with world.read() as tx:
        assert [row.id for row in publishing.in_publicity(tx)] == [selection]
    world.advance(days=30)
    with world.read() as tx:
        assert publishing.in_publicity(tx) == []
        mine = publishing.own_lines(tx, held.people[0])
    assert [(row.id, line.row) for row, line in mine] == [(selection, 1)]


def test_a_volunteers_objection_names_them_and_is_told_when_decided(world, held):
    selection = held.published()
    someone = Actor("own", "volunteer", None, held.people[3])
    objection = held.contest(selection, "missing", actor=someone)
    entry = world.entries()[objection]
    assert (entry["body"]["volunteer"], entry["body"]["means"]) == (held.people[3], "self")
    held.decide(objection, "rejected")
    [(told,)] = world.sql("SELECT recipient FROM notice WHERE what = 'selection.objection_decided'")
    assert told == f"person/{held.people[3]}"
    world.check()
