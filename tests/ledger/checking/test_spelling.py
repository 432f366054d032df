"""An entry judged by its pattern is judged as if it had been parsed, whatever was done to its bytes."""

import json
from copy import deepcopy

import orjson
import pytest
import recounting
import vectors
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.checking.spelling import TIME_PLACE, reader
from ledger.entries import parse
from ledger.errors import Corrupt
from ledger.kinds import KINDS

ENTRIES = [raw for raw in (vector["bytes"].encode() for vector in vectors.ENTRIES) if json.loads(raw)["index"]]
FLAT = {"service.recorded", "service.corrected", "service.voided", "volunteer.registered", "volunteer.moved", "station.population_declared"}


def placed(raw: bytes) -> tuple[int, bytes]:
    """Where an entry says that it stands."""
    said = json.loads(raw)
    return said["index"], said["prev"].encode()


def by_pattern(raw: bytes, index: int, previous: bytes | None):
    """What the pattern reads of an entry: time, id, chains."""
    spelt = reader()(raw, index, previous)
    if spelt is None:
        return None
    *chains, said_id = spelt
    said = {subject.decode(): json.loads(claim) for subject, claim in zip(chains[::2], chains[1::2], strict=True) if subject is not None}
    return raw[TIME_PLACE].decode(), said_id.decode(), said


def by_parsing(raw: bytes, index: int, previous: bytes):
    """The same of an entry that stands where it should; None of one that does not, or is none."""
    try:
        _, _, chains, said_id, said_index, _, prev, time, _ = parse(raw)
    except (Corrupt, LookupError, TypeError, ValueError, AttributeError):
        return None
    return (time, said_id, chains) if (said_index, prev) == (index, previous.decode()) else None


def assert_same_verdict(raw: bytes, index: int, previous: bytes) -> None:
    read = by_pattern(raw, index, previous)
    assert read is None or read == by_parsing(raw, index, previous), raw


@pytest.mark.parametrize("raw", ENTRIES, ids=lambda raw: json.loads(raw)["kind"])
def test_every_kind_and_version_is_read_alike(raw):
    index, previous = placed(raw)
    read = by_pattern(raw, index, previous)
    assert read is None or read == by_parsing(raw, index, previous)
    assert read is not None or json.loads(raw)["kind"] not in FLAT
    assert (
        by_pattern(raw, index + 1, previous)
        is by_pattern(raw, index, recounting.b64(bytes(32)).encode())
        is by_pattern(raw, index, None)
        is None
    )


# --- whatever is done to the bytes


@st.composite
def mutated(draw):
    """An entry with some bytes changed, put in, taken out, or taken from elsewhere in the entries."""
    source = draw(st.sampled_from(ENTRIES))
    raw = source
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        end = min(len(raw), at + draw(st.integers(0, 12)))
        other = draw(st.sampled_from(ENTRIES))
        start = draw(st.integers(0, len(other)))
        grains = st.one_of(
            st.binary(max_size=3),
            st.text(max_size=3).map(lambda text: text.encode(errors="replace")),
            st.sampled_from(
                [b'"', b"\\", b",", b"0", b"-0", b"1.0", b"1e3", b"null", b"true", b"{}", b"[1]", b" ", b"\x00", b"\xff", "é".encode()]
            ),
            st.just(other[start : start + draw(st.integers(0, 40))]),
        )
        raw = raw[:at] + draw(grains) + raw[end:]
    return source, raw


@given(mutated())
def test_bytes_altered_anywhere_get_the_verdict_of_parsing(altered):
    source, raw = altered
    assert_same_verdict(raw, *placed(source))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.integers(-3, 3000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(
        ["", "2025-02-29", "2025-13-01T00:00", "2025-01-01T24:00", "A", "E", "18912345678", "340104001001", "0" * 30, "K7M2Q9X4R0"]
    ),
    st.just({}),
    st.just([1]),
    st.just({"row": 0, "sha256": "A" * 43 + "="}),
    st.just({"row": 2_097_152, "sha256": "A" * 43 + "="}),
)


@st.composite
def reworded(draw):
    """An entry with members given other values, added or taken out, spelt as an entry is."""
    source = draw(st.sampled_from(ENTRIES))
    said = json.loads(source)
    for _ in range(draw(st.integers(1, 2))):
        part = draw(st.sampled_from([said, said["body"], said["body"], said["body"], said["chains"]]))
        if not isinstance(part, dict):
            continue
        members = sorted({name for kind in KINDS.values() for name in (*kind.required, *kind.optional)} | part.keys())
        name = draw(st.sampled_from(sorted(part) or members) | st.sampled_from(members))
        if draw(st.booleans()) and name in part:
            del part[name]
        else:
            part[name] = deepcopy(draw(VALUES))  # of one pool, and a later round may write into it
        said["body"] = said.get("body") if isinstance(said.get("body"), dict) else {}
        said["chains"] = said.get("chains") if isinstance(said.get("chains"), dict) else {}
    return source, orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


@given(reworded())
def test_other_values_get_the_verdict_of_parsing(altered):
    source, raw = altered
    assert_same_verdict(raw, *placed(source))


SERVICE = next(raw for raw in ENTRIES if json.loads(raw)["kind"] == "service.recorded")


@given(st.sampled_from(sorted(json.loads(SERVICE)["body"])), VALUES)
@example("minutes", 0)
@example("minutes", 2881)
@example("minutes", True)
@example("served_on", "2025-02-30")
@example("start", "2025-02-30T09:00")
@example("batch", "0" * 36)
@example("batch", "-" * 36)
def test_any_value_in_any_field_of_a_service_gets_the_verdict_of_parsing(name, value):
    said = json.loads(SERVICE)
    said["body"][name] = value
    assert_same_verdict(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), *placed(SERVICE))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1}', b'"v":1} '),
        (b'"v":1}', b'"v":01}'),
        (b'"grade":"', b'"grade":"A","grade":"'),
        (b'"chains":{', b'"chains":{"station/1":[1],'),
        (b'+08:00"', b'+09:00"'),
        (b'{"actor"', b' {"actor"'),
        (b'"actor":"', b'"actor":"\\u0041'),
        (b":[", b":[ "),
    ],
)
def test_another_spelling_of_the_same_is_left_to_parsing(old, new):
    assert old in SERVICE
    raw = SERVICE.replace(old, new, 1)
    assert by_pattern(raw, *placed(SERVICE)) is None
    assert by_parsing(raw, *placed(SERVICE)) is None


def test_the_first_of_a_chain_has_no_leaf_hash_and_the_others_have():
    person = next(subject for subject in json.loads(SERVICE)["chains"] if subject.startswith("person/"))
    leaf = recounting.b64(b"l" * 32)
    for claim, sound in (([1], True), ([1, leaf], False), ([2], False), ([2, leaf], True), ([0], False), ([2, leaf[:-2] + "B="], False)):
        said = json.loads(SERVICE)
        said["chains"][person] = claim
        raw = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        assert (by_pattern(raw, *placed(SERVICE)) is not None) == (by_parsing(raw, *placed(SERVICE)) is not None) == sound
