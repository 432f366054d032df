"""Identifiers: ids that sort by time, numbers that show a slip of the pen, one spelling of each."""

import re
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import ids
from ledger.errors import InvalidRequest

STEMS = st.text(ids.ALPHABET, min_size=9, max_size=9)


def test_an_entry_id_is_a_uuid_of_version_7_with_the_time_in_front():
    before = time.time_ns() // 1_000_000
    made = [uuid.UUID(ids.new_entry_id()) for _ in range(200)]
    after = time.time_ns() // 1_000_000
    assert {(entry_id.version, entry_id.variant) for entry_id in made} == {(7, uuid.RFC_4122)}
    millis = [entry_id.int >> 80 for entry_id in made]
    assert before <= millis[0] <= millis[-1] <= after
    assert millis == sorted(millis)
    assert len(set(made)) == 200


def test_an_entry_id_reads_back_as_its_16_bytes():
    made = ids.new_entry_id()
    assert ids.parse_entry_id(made) == uuid.UUID(made).bytes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "0195650A-4B00-7D3E-8C11-2F6A9BE01234",
        "0195650a4b007d3e8c112f6a9be01234",
        "{0195650a-4b00-7d3e-8c11-2f6a9be01234}",
        "urn:uuid:0195650a-4b00-7d3e-8c11-2f6a9be01234",
        "0195650a-4b00-7d3e-8c11-2f6a9be01234 ",
        "０195650a-4b00-7d3e-8c11-2f6a9be01234",
    ],
)
def test_an_entry_id_has_one_spelling(text):
    with pytest.raises(InvalidRequest, match="UUID"):
        ids.parse_entry_id(text)


def test_a_number_is_ten_characters_that_survive_being_read_aloud():
    made = {ids.new_number() for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch("[2-9A-HJ-NP-Z]{10}", number) for number in made)
    assert [ids.parse_number(number) for number in made] == list(made)


@given(STEMS)
def test_every_single_wrong_character_is_found(stem):
    number = stem + ids.check_character(stem)
    for at in range(10):
        for other in ids.ALPHABET.replace(number[at], ""):
            wrong = number[:at] + other + number[at + 1 :]
            assert ids.check_character(wrong[:9]) != wrong[9]


@given(STEMS)
def test_a_number_may_be_typed_as_it_is_shown_or_in_small_letters(stem):
    number = stem + ids.check_character(stem)
    shown = ids.spaced(number)
    assert (shown[:4], shown[5:8], shown[9:]) == (number[:4], number[4:7], number[7:])
    for typed in (shown, shown.lower(), f" {number[:5]} {number[5:]}\n", shown.replace("-", "－")):
        assert ids.parse_number(typed) == number


@pytest.mark.parametrize("text", ["", "K7M2Q9XP4", "K7M2Q9XP422", "0000000000", "OOOOOOOOOO", "1111111111", "K7M2_9XP42", "志愿者编号"])
def test_what_cannot_be_a_number_is_refused(text):
    with pytest.raises(InvalidRequest, match="应为 10 位字母和数字"):
        ids.parse_number(text)


@pytest.mark.parametrize("text", ["340102196708266327", "13812345678"])
def test_an_id_number_typed_into_the_wrong_field_is_not_repeated(text):
    """A refusal is shown and logged."""
    with pytest.raises(InvalidRequest) as refusal:
        ids.parse_number(text)
    assert text not in str(refusal.value)


def test_a_check_character_is_frozen():
    """Cards are printed with it."""
    assert [ids.check_character(stem) for stem in ("K7M2Q9XP4", "222222222", "ZZZZZZZZZ", "23456789A")] == ["W", "2", "X", "6"]
