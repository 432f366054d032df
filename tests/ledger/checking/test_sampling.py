"""A sample follows from a signed tree head and a nonce, is the same for everybody, and favours nobody."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checking.sampling import parse_nonce, sample
from ledger.errors import InvalidRequest

ROOT = hashlib.sha256(b"root").digest()

FROZEN = [
    (ROOT, 1_000_000, b"2026-03-05", 10, None),
    (ROOT, 3, b"x", 2, None),
    (bytes(32), 2**40, b"\x00\xff", 3, None),
    (ROOT, 5_000, b"2026-03-05", 4, range(7, 5_000, 11)),
]
DRAWN = [
    [31901, 88134, 268629, 339309, 549825, 641630, 691242, 751545, 905592, 932657],
    [0, 2],
    [77575853053, 772886691864, 1033224098919],
    [469, 777, 4638, 4880],
]


def by_hand(root, size, nonce, count, among):
    """The rule of the docstring, written once more in another way."""
    seed = hashlib.sha256(b"shouwang/sample/v1\n" + size.to_bytes(8, "big") + root + nonce).digest()
    found, block = [], 0
    while len(found) < count:
        digest = hashlib.sha256(seed + block.to_bytes(8, "big")).hexdigest()
        for word in (digest[at : at + 16] for at in range(0, 64, 16)):
            number = int(word, 16)
            if number >= 2**64 // among * among or number % among in found or len(found) == count:
                continue
            found.append(number % among)
        block += 1
    return sorted(found)


@pytest.mark.parametrize(("case", "drawn"), list(zip(FROZEN, DRAWN, strict=True)))
def test_a_sample_is_what_it_ever_was(case, drawn):
    assert sample(*case) == drawn


@given(st.binary(min_size=32, max_size=32), st.integers(1, 2**63), st.binary(min_size=1, max_size=40), st.integers(1, 30))
def test_anybody_who_follows_the_rule_draws_the_same(root, size, nonce, count):
    count = min(count, size)
    drawn = sample(root, size, nonce, count)
    assert drawn == by_hand(root, size, nonce, count, size)
    assert drawn == sorted(set(drawn))
    assert all(0 <= index < size for index in drawn)


def test_every_entry_is_as_likely_as_any_other():
    """Chi-squared over 10,000 samples of 3 among 10: 9 degrees of freedom, far above 27.9 once in a thousand; these are frozen."""
    seen = Counter(index for n in range(10_000) for index in sample(ROOT, 10, b"%d" % n, 3))
    assert sum((seen[index] - 3_000) ** 2 / 3_000 for index in range(10)) < 27.9


@pytest.mark.parametrize("change", [lambda r, s, n: (r[::-1], s, n), lambda r, s, n: (r, s + 1, n), lambda r, s, n: (r, s, n + b"!")])
def test_another_tree_head_or_nonce_gives_another_sample(change):
    given_ = (ROOT, 10**9, b"nonce")
    assert set(sample(*given_, 50)).isdisjoint(sample(*change(*given_), 50))


def test_a_larger_sample_holds_the_smaller():
    assert set(sample(ROOT, 1_000, b"n", 10)) < set(sample(ROOT, 1_000, b"n", 20))


def test_all_entries_can_be_drawn():
    assert sample(ROOT, 300, b"n", 300) == list(range(300))


def test_a_sample_among_some_entries_holds_only_those():
    some = list(range(0, 1_000, 7))
    assert set(sample(ROOT, 1_000, b"n", 20, some)) < set(some)


@pytest.mark.parametrize(("size", "nonce", "count"), [(10, b"", 1), (10, b"n", 0), (10, b"n", 11), (0, b"n", 1), (10, b"n", -1)])
def test_an_impossible_sample_is_refused(size, nonce, count):
    with pytest.raises(InvalidRequest):
        sample(ROOT, size, nonce, count)


def test_a_nonce_is_text_unless_it_is_marked_as_hexadecimal():
    assert parse_nonce("2026") == b"2026"
    assert parse_nonce("福彩 0317") == "福彩 0317".encode()
    assert parse_nonce("hex:00ff") == b"\x00\xff"
    with pytest.raises(InvalidRequest):
        parse_nonce("hex:xyz")
