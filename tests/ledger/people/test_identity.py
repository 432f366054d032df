"""ID numbers, names, phones and organisation codes: one spelling, judged, masked."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064.mod_11_2 import calc_check_digit

from ledger.errors import InvalidRequest
from ledger.people import identity

TODAY = date(2026, 11, 21)


def issued(first_six: str, born: str, sequence: str = "002") -> str:
    body = first_six + born + sequence
    return body + calc_check_digit(body)


@pytest.mark.parametrize(
    "text",
    [
        "34010419951022796X",
        "34010419951022796x",
        " 340104 19951022 796X ",
        "３４０１０４１９９５１０２２７９６Ｘ",
        "\ufeff34010419951022796X\u200b",
    ],
)
def test_one_spelling_of_an_id_number(text):
    assert identity.check_id_number(text, today=TODAY) == "34010419951022796X"


@pytest.mark.parametrize(
    "first_six", ["133100", "419100", "460300", "710000", "810000", "820000", "830000", "911100", "934156", "342401", "340199"]
)
def test_old_unknown_and_special_areas_are_accepted(first_six):
    number = issued(first_six, "19560315")
    assert identity.check_id_number(number, today=TODAY) == number


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("  ", "blank"),
        ("340102670826632", "length"),
        ("3401021967082663271", "length"),
        ("34010219670826632A", "characters"),
        ("3401021967O8266327", "characters"),
        ("34010219670826632²²", "length"),
        ("3401021967082663²", "length"),
        (issued("990102", "19670826"), "province"),
        (issued("160102", "19670826"), "province"),
        (issued("340102", "19670230"), "birth_date"),
        (issued("340102", "19671301"), "birth_date"),
        (issued("340102", "18991231"), "birth_date"),
        (issued("340102", "20261122"), "birth_date"),
        (issued("340102", "00000101"), "birth_date"),
        ("340102196708266328", "checksum"),
    ],
)
def test_refusals_say_which_part_is_wrong_and_repeat_no_digit(number, reason):
    with pytest.raises(identity.InvalidIdNumber) as refusal:
        identity.check_id_number(number, today=TODAY)
    assert refusal.value.reason == reason
    assert not number.strip() or number not in str(refusal.value)


def test_birth_dates_from_1900_to_today_are_accepted():
    for born in ("19000101", "20261121"):
        number = issued("340102", born)
        assert identity.check_id_number(number, today=TODAY) == number
    assert identity.birth_date(issued("340102", "19560315")) == date(1956, 3, 15)


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 999), st.integers(0, 16), st.integers(1, 9))
def test_any_single_wrong_digit_is_noticed(born, sequence, place, shift):
    number = issued("340102", f"{born:%Y%m%d}", f"{sequence:03}")
    assert identity.check_id_number(number, today=TODAY) == number
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    with pytest.raises(identity.InvalidIdNumber):
        identity.check_id_number(wrong, today=TODAY + timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("陈 秀 荣", "陈秀荣"),
        (" 黄　明\n", "黄明"),
        ("买买提•艾力", "买买提·艾力"),
        ("买买提・艾力", "买买提·艾力"),
        ("买买提·艾力", "买买提·艾力"),
        ("𬱖", "𬱖"),
        ("ＡＢ", "AB"),
    ],
)
def test_one_spelling_of_a_name(text, name):
    assert identity.normalise_name(text) == name


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("138 0551 1234", "13805511234"),
        ("+86 138-0551-1234", "13805511234"),
        ("００８６１３８０５５１１２３４", "13805511234"),
        ("(0551)6512-3456", "055165123456"),
        ("65123456", "65123456"),
    ],
)
def test_one_spelling_of_a_phone(text, phone):
    assert identity.normalise_phone(text) == phone


@pytest.mark.parametrize("text", ["", "12345678901", "1380551123", "138055112345", "无", "13805511234转2"])
def test_what_is_no_phone_is_refused(text):
    with pytest.raises(InvalidRequest, match="联系电话不对"):
        identity.normalise_phone(text)


def test_masks_show_no_more_than_tells_people_apart():
    assert [identity.mask_name(name) for name in ("张三", "张小三", "欧阳娜娜", "张", "")] == ["张*", "张*三", "欧**娜", "张*", ""]
    assert [identity.mask_phone(phone) for phone in ("13805511234", "055165123456", "65123456")] == ["138****1234", "055****3456", "****56"]
    assert identity.mask_id("34010419951022796X") == "3***************6X"


def test_a_unified_social_credit_code_is_judged_by_its_check_character():
    assert identity.check_uscc(" 91110000600037341l ") == "91110000600037341L"
    with pytest.raises(InvalidRequest, match="统一社会信用代码不对"):
        identity.check_uscc("91110000600037342L")
    with pytest.raises(InvalidRequest):
        identity.check_uscc("")
