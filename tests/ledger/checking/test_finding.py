"""Nobody is found under another's number: whatever is done to the index behind the ledger's back is found."""

import pytest
from world import CENTRE, HOME, OTHER

PHONE = "13624242754"


@pytest.fixture
def town(world):
    """Three people in two stations, two of whom share a phone, and an organisation, which no index finds."""
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE)
    world.station(OTHER, parent=CENTRE)
    world.folk = [world.volunteer(phone=PHONE), world.volunteer(OTHER, phone=PHONE), world.volunteer()]
    world.organisation(leader="王芳", phone="15384582945")
    return world


def found(world):
    return sorted(fault.what for fault in world.verify().faults)


def test_an_untouched_index_follows_from_the_vault(town):
    assert len(town.sql("SELECT * FROM blind_index")) == 5
    assert found(town) == []


def test_an_id_number_moved_to_another_person_is_found_at_both(town):
    one, _, other = (f"person/{number}" for number in town.folk)
    with town.damaged("blind_index"):
        [(digest,)] = town.sql("SELECT digest FROM blind_index WHERE subject = ? AND field = 'id_number'", one)
        town.sql("DELETE FROM blind_index WHERE subject = ? AND field = 'id_number'", other)
        town.sql("UPDATE blind_index SET subject = ? WHERE digest = ?", other, digest)
        assert found(town) == sorted([f"blind_index[{one}].id_number", *[f"blind_index[{other}].id_number"] * 2])


@pytest.mark.parametrize("field", ["id_number", "phone"])
def test_a_row_taken_out_is_found(town, field):
    one = f"person/{town.folk[0]}"
    with town.damaged("blind_index"):
        town.sql("DELETE FROM blind_index WHERE subject = ? AND field = ?", one, field)
        assert found(town) == [f"blind_index[{one}].{field}"]


def test_a_row_slipped_in_is_found(town):
    for subject in (f"person/{town.folk[2]}", "person/ZZZZZZZZZZ", "nobody"):
        with town.damaged("blind_index"):
            town.sql("INSERT INTO blind_index (digest, subject, field) VALUES (?, ?, 'phone')", b"d" * 32, subject)
            assert found(town) == [f"blind_index[{subject}].phone"]


@pytest.mark.parametrize(("column", "value"), [("digest", b"d" * 32), ("subject", "person/ZZZZZZZZZZ"), ("field", "phone"), ("field", "x")])
def test_any_column_changed_is_found(town, column, value):
    with town.damaged("blind_index"):
        town.sql(f"UPDATE blind_index SET {column} = ? WHERE subject = ? AND field = 'id_number'", value, f"person/{town.folk[0]}")
        faults = found(town)
    assert f"blind_index[person/{town.folk[0]}].{'field' if column == 'field' else 'id_number'}" in faults
    assert all(what.startswith("blind_index[") for what in faults)


@pytest.mark.parametrize("column", ["subject", "identity", "contact"])
def test_any_column_of_the_sealed_data_changed_is_found(town, column):
    one = f"person/{town.folk[0]}"
    [(before,)] = town.sql(f"SELECT {column} FROM person WHERE subject = ?", one)
    with town.damaged("person"):
        for value in ("person/ZZZZZZZZZZ",) if column == "subject" else (b"", b"x", before[:-1], before[:20] + b"!" + before[21:]):
            town.sql(f"UPDATE person SET {column} = ? WHERE subject = ?", value, one)
            assert any(what.startswith(f"person[{one}]") for what in found(town)), value


def test_sealed_data_taken_out_put_in_or_exchanged_is_found(town):
    one, other = (f"person/{number}" for number in town.folk[:2])
    for statement, values, what in (
        ("DELETE FROM person WHERE subject = ?", (one,), one),
        ("INSERT INTO person (subject) VALUES ('person/ZZZZZZZZZZ')", (), "person/ZZZZZZZZZZ"),
        ("UPDATE person SET identity = (SELECT p.identity FROM person p WHERE p.subject = ?) WHERE subject = ?", (other, one), one),
        ("UPDATE person SET guardian = identity WHERE subject = ?", (one,), one),
        ("UPDATE person SET contact = NULL WHERE subject = ?", (one,), one),
    ):
        with town.damaged("person"):
            town.sql(statement, *values)
            assert any(fault.startswith(f"person[{what}]") for fault in found(town)), statement
