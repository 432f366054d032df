"""Kinds: each field takes what it should and nothing else; nobody's number, no float, no null, no control character."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import bodies

from ledger import kinds
from ledger.errors import InvalidRequest
from ledger.kinds import checks
from ledger.kinds.kind import WORDED

every_kind = pytest.mark.parametrize(("key", "body"), bodies(), ids=lambda value: value[0] if isinstance(value, tuple) else "")
PHONE, ID_NUMBER = "13812345678", "34010219670826632X"


def refused(key, body, sentence):
    with pytest.raises(InvalidRequest, match=sentence):
        kinds.KINDS[key].validate(body)


@every_kind
def test_a_complete_and_a_bare_body_are_accepted(key, body):
    kind = kinds.KINDS[key]
    kind.validate(body)
    kind.validate({field: body[field] for field in kind.required})


@every_kind
def test_every_field_that_is_required_is_missed(key, body):
    for field in kinds.KINDS[key].required:
        refused(key, {name: value for name, value in body.items() if name != field}, f"{key[0]}：缺少字段 {field}")


@every_kind
def test_a_field_nobody_knows_is_refused(key, body):
    refused(key, {**body, "weather": "晴"}, f"{key[0]}：没有名为.* weather")


@every_kind
@pytest.mark.parametrize(
    "value",
    [
        None,
        1.0,
        1.5,
        float("nan"),
        "甲\x00",
        "甲\n乙",
        "甲\u200b",
        "\ud800",
        [None],
        {"a": None},
        f"电话{PHONE}，晚上打",
        f"身份证{ID_NUMBER}",
    ],
)
def test_no_field_takes_what_is_no_fact(key, body, value):
    """Null and floats; unprintable and personal text; and the same inside a list."""
    for field, old in body.items():
        refused(key, {**body, field: value}, complaint(field, value))
        if isinstance(old, list):
            refused(key, {**body, field: [*old, value]}, f"字段 {field} 的内容不合要求")


@every_kind
@pytest.mark.parametrize("value", [PHONE, ID_NUMBER])
def test_no_free_text_is_a_phone_or_id_number(key, body, value):
    kind = kinds.KINDS[key]
    free = [field for field, check in {**kind.required, **kind.optional}.items() if check("随便写写")]
    for field in free:
        refused(key, {**body, field: value}, complaint(field, value))


def complaint(field, value):
    """What is said of a field: in the words of a form where people fill it with words of their own."""
    if not isinstance(value, str) or field not in WORDED:
        return f"字段 {field} 的内容不合要求（自由文字中不得出现手机号或身份证号）"
    return f"「{WORDED[field]}」里有" + ("手机号或身份证号" if value.isprintable() else "换行或看不见的字符")


def test_words_that_are_too_long_are_counted_in_the_words_of_the_form():
    body = next(body for (name, _), body in bodies() if name == "service.voided")
    with pytest.raises(InvalidRequest, match="「理由」太长了（现在 501 个字），请写短些再提交"):
        kinds.CURRENT["service.voided"].validate({**body, "reason": "长" * 501})


@every_kind
def test_a_number_is_no_truth_and_a_truth_no_number(key, body):
    for field, old in body.items():
        if type(old) in (int, bool):
            refused(key, {**body, field: int(old) if type(old) is bool else True}, f"字段 {field} ")


def test_a_new_entry_is_written_in_the_newest_version():
    for name, kind in kinds.CURRENT.items():
        assert kind.version == max(version for found, version in kinds.KINDS if found == name)


# --- what a text must not hold ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        PHONE,
        ID_NUMBER,
        ID_NUMBER.lower(),
        "340102196708266327",
        f"打{PHONE}找他",
        f"a{PHONE}b",
        "１３８１２３４５６７８",
        "34010219670826632Ｘ",
        f"1 {PHONE}",
    ],
)
def test_a_phone_or_id_number_is_found(text):
    assert checks.holds_personal_number(text)


@pytest.mark.parametrize(
    "text", ["", "1", "2381234567", "138123456789", "3401021967082663", "52340104MJA12345X7", "2026-03-05 09:00", "340104001001"]
)
def test_other_numbers_are_let_through(text):
    assert not checks.holds_personal_number(text)


# --- the checks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (checks.text(3), ["甲", "a b", "甲乙丙"], ["", "甲乙丙丁", 1, None, b"a", " \t", "\u3000", "\u2028", "\x7f"]),
        (checks.integer(1, 3), [1, 2, 3], [0, 4, "1", 1.0, True, None]),
        (checks.integer(), [0, 2**53 - 1], [-1, 2**53]),
        (checks.one_of(("a", "b")), ["a"], ["c", "", "A", None, ["a"]]),
        (checks.many(checks.day, 2, 1), [["2026-03-05"]], [[], ["2026-03-05"] * 3, "2026-03-05", ("2026-03-05",), ["x"]]),
        (
            checks.day,
            ["2026-03-05", "2024-02-29"],
            ["2026-3-5", "20260305", "2026-02-29", "2026-W10-4", "2026-03-05T00:00", 20260305, "２０２６-03-05"],
        ),
        (
            checks.minute,
            ["2026-03-05T09:00"],
            ["2026-03-05T24:00", "2026-03-05 09:00", "2026-03-05T09:00:00", "2026-03-05T9:00", "2026-02-30T09:00", 9],
        ),
        (checks.boolean, [True, False], [0, 1, "true", None]),
        (checks.number, ["K7M2Q9XP4Z"], ["K7M2Q9XP4", "k7m2q9xp4z", "K7M2Q9XP40", "K7M2Q9XP4Z\n", 1]),
        (checks.station, ["340104001001", "S1"], ["", "s1", "3" * 21, "34 01", "３４", "340104001001\n"]),
        (checks.digest, ["A" * 43 + "=", "/" * 42 + "8="], ["A" * 44, "A" * 43, "A" * 42 + "B=", "-" * 43 + "=", "A" * 43 + "=\n"]),
        (
            checks.uuid,
            ["0195650a-4b00-7d3e-8c11-2f6a9be01234"],
            ["0195650A-4B00-7D3E-8C11-2F6A9BE01234", "0195650a4b007d3e8c112f6a9be01234", ""],
        ),
        (checks.slug, ["four-kinds-2022", "a/b.c"], ["", "-a", "A", "a b", "a" * 65, "社"]),
        (
            checks.plain,
            ["", 0, -1, True, [], {}, [[[[1]]]], {"a": {"b": 1}}],
            [None, 1.0, 2**53, "a\n", "x" * 2001, {"键": 1}, {1: 1}, {"a\n": 1}, (1,)],
        ),
    ],
    ids=["text", "integer", "integers", "code", "many", "day", "minute", "boolean", "number", "station", "digest", "uuid", "slug", "plain"],
)
def test_each_check_takes_its_own_and_nothing_else(check, good, bad):
    kind = kinds.Kind("x", 1, {"field": check})
    for value in good:
        kind.validate({"field": value})
    for value in bad:
        with pytest.raises(InvalidRequest, match="字段 field 的内容不合要求"):
            kind.validate({"field": value})


def test_a_rule_goes_five_levels_deep():
    assert checks.plain([[[[["deep"]]]]])
    assert not checks.plain([[[[[["too deep"]]]]]])
    assert not checks.plain({"a": {"b": {"c": {"d": {"e": {}}}}}})


def test_a_rule_holds_nobodys_number_in_a_key_either():
    assert not checks.plain({PHONE: 1})


@pytest.mark.parametrize(
    "value",
    [
        {"sha256": "A" * 43 + "="},
        {"sha256": "A" * 43 + "=", "row": 0},
        {"sha256": "A" * 43 + "=", "row": 2**21},
        {"sha256": "A" * 43 + "=", "row": True},
        {"sha256": "A" * 43 + "=", "row": 1, "sheet": "x"},
        {"sha256": "0" * 64, "row": 1},
        ["A" * 43 + "=", 1],
    ],
)
def test_a_source_is_a_file_hash_and_a_row(value):
    assert checks.source({"sha256": "A" * 43 + "=", "row": 1})
    assert not checks.source(value)


@given(st.integers())
def test_an_integer_survives_as_a_double_or_is_refused(value):
    assert checks.integer(-(10**30), checks.INTEGER_MAX)(value) <= (int(float(value)) == value or value < 0)
    assert checks.plain(value) == (abs(value) <= 2**53 - 1)


# --- chains ----------------------------------------------------------------------------------------------------------


def test_the_chains_of_an_entry_follow_from_its_body():
    body = {"volunteer": "K7M2Q9XP4Z", "organisation": "B6RVF4YJ2Z", "station": "S1", "activity": "T9SLXA3KEZ", "parent": "S0"}
    assert kinds.subjects(body) == ["person/K7M2Q9XP4Z", "organisation/B6RVF4YJ2Z", "station/S1"]
    assert kinds.subjects({"volunteers": ["A", "B", "A"], "station": "S1"}) == ["person/A", "person/B", "station/S1"]
    assert kinds.subjects({"policy": "service"}) == []


@every_kind
def test_naming_the_chains_changes_no_body(key, body):
    before = copy.deepcopy(body)
    assert len(set(kinds.subjects(body))) == len(kinds.subjects(body))
    assert body == before
