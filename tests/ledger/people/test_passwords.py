"""Which passwords are taken."""

from datetime import datetime

import pytest

from ledger.entries import SHANGHAI
from ledger.errors import InvalidRequest
from ledger.people.passwords import _COMMON, as_code, check_password, clean, code_good_until, new_code, spaced_code

ID_NUMBER, PHONE = "340102196708266327", "13800001234"


@pytest.mark.parametrize(
    ("weak", "why"),
    [
        ("kurz", "至少要 12"),
        ("Mei-Shan789", "至少要 12"),
        ("Mei     Shan     7", "至少要 12"),
        ("x" * 129, "最多 128"),
        ("", "至少要 12"),
        ("852074196374", "不能全是数字"),
        ("abababababab", "太常见"),
        ("Passw0rd!2026", "太常见"),
        ("--Admin@20261", "太常见"),
        ("woaini5201314", "太常见"),
        ("P.a.s.s.w.o.r.d", "太常见"),
        ("my-zhuyinli-2", "登录名"),
        ("MY-ZHUYINLI-2", "登录名"),
        ("meishan1234lu", "连着"),
        ("meishan4321lu", "连着"),
        ("meishanaaaalu", "连着"),
        ("meishanabcdlu", "连着"),
        ("meishanQWERlu", "连着"),
        ("meishan!!!!lu", "连着"),
    ],
)
def test_a_weak_password_is_refused_with_what_is_wrong(weak, why):
    with pytest.raises(InvalidRequest, match=why):
        check_password(weak, "zhuyinli", volunteer=False)


@pytest.mark.parametrize(
    "good",
    [
        "correct horse battery",
        "梅山路的猫爱晒太阳呀真的",
        "tian-tian-3-shang",
        "a better password",
        "2026年三里庵大门口见面",
        "123ab789xyz0",
    ],
)
def test_length_is_what_counts(good):
    check_password(good, "zhuyinli", volunteer=False)


@pytest.mark.parametrize(
    "weak", ["19670826", "670826", "1967-0826", "5201314.99", "wo19670826", ID_NUMBER, PHONE, "x13800001", "0001234", "19670826a"]
)
def test_a_volunteers_own_numbers_are_no_password(weak):
    with pytest.raises(InvalidRequest):
        check_password(weak, "k7m2q9xpab", volunteer=True, numbers=(ID_NUMBER, PHONE))


def test_a_volunteer_may_keep_to_digits():
    check_password("58204917", "k7m2q9xpab", volunteer=True, numbers=(ID_NUMBER, PHONE, ""))


def test_what_everybody_tries_first_is_refused_however_it_is_dressed_up():
    for word in _COMMON:
        for dressed in (f"{word}20261106", f"!!{word.upper()}!8520741963"):
            with pytest.raises(InvalidRequest):
                check_password(dressed.ljust(12, "!"), "zhuyinli", volunteer=False)


def test_codes_are_typed_as_they_are_heard_and_never_alike():
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert {as_code(f" {spaced_code(code).lower()} ") for code in codes} == codes
    assert not set("01OI") & set("".join(codes))


def test_a_chinese_keyboards_letters_are_the_same_letters():
    assert clean(" Ａｂｃ１２３　") == "Abc123"


def test_a_slip_lies_at_home_longer_than_a_colleagues_code():
    now = datetime(2026, 3, 5, 9, tzinfo=SHANGHAI)
    assert (code_good_until(now, volunteer=True).isoformat()[:13], code_good_until(now, volunteer=False).isoformat()[:13]) == (
        "2026-04-04T09",
        "2026-03-08T09",
    )
