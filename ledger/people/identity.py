"""
Names, ID numbers, phones and organisation codes: one spelling of each, whether it can be true, and how much of it may be shown.

An ID number is judged by GB 11643-1999: 17 digits and a check character by ISO 7064 MOD 11-2, digits 7-14 a birth date, the
first two a known province or one of 71 (Taiwan), 81, 82, 83 (residence permits of Hong Kong, Macao and Taiwan residents) and
91-96 (foreigners with permanent residence: 9, then the province). The county is not judged: people are older than their
county's code. Organisation codes are GB 32100.

Nothing here ever puts a name, number or phone into a message.
"""

import re
import unicodedata
from datetime import date
from typing import Literal

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from ledger.errors import InvalidRequest

IdFault = Literal["blank", "length", "characters", "province", "birth_date", "checksum"]

EARLIEST_BIRTH = date(1900, 1, 1)
_FAULTS: dict[IdFault, str] = {
    "blank": "没有填写身份证号。",
    "length": "身份证号应为 18 位，请核对是否漏填或多填；15 位的旧号请换成 18 位的新号。",
    "characters": "身份证号前 17 位应为数字，末位为数字或 X，请核对。",
    "province": "身份证号前两位不是任何省份的代码，请核对。",
    "birth_date": "身份证号中的出生日期不对，请核对第 7 至 14 位。",
    "checksum": "身份证号末位校验不符，请对照证件核对有没有抄错。",
}
_PROVINCES = frozenset(
    map(
        str,
        [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83, *range(91, 97)],
    )
)
_WEIGHTS = tuple(2 ** (17 - place) % 11 for place in range(17))
_CHECK_CHARACTERS = "10X98765432"
_MIDDLE_DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅●", "·"))
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE = re.compile(r"0\d{9,11}|[2-9]\d{6,7}", re.ASCII)


class InvalidIdNumber(InvalidRequest):
    """An ID number that cannot be anybody's; `reason` says which of its parts is wrong."""

    def __init__(self, reason: IdFault) -> None:
        super().__init__(_FAULTS[reason])
        self.reason: IdFault = reason


def check_id_number(text: str, *, today: date) -> str:
    """
    Return the ID number as 18 half-width characters without spaces, the last perhaps X.

    Raises InvalidIdNumber for one that GB 11643 cannot have issued by `today`. An unknown county is no fault.
    """
    number = _squeeze(text).upper()
    if not number:
        raise InvalidIdNumber("blank")
    if len(number) != 18:
        raise InvalidIdNumber("length")
    if re.fullmatch(r"[0-9]{17}[0-9X]", number) is None:
        raise InvalidIdNumber("characters")
    if number[:2] not in _PROVINCES:
        raise InvalidIdNumber("province")
    try:
        born = birth_date(number)
    except ValueError:
        raise InvalidIdNumber("birth_date") from None
    if not EARLIEST_BIRTH <= born <= today:
        raise InvalidIdNumber("birth_date")
    if number[17] != _CHECK_CHARACTERS[sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11]:
        raise InvalidIdNumber("checksum")
    return number


def birth_date(id_number: str) -> date:
    """Read the birth date out of a checked ID number."""
    return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))


def check_uscc(text: str) -> str:
    """Return a unified social credit code in its 18 upper-case characters; raises InvalidRequest if GB 32100 refuses it."""
    try:
        return uscc.validate(_squeeze(text))
    except ValidationError:
        raise InvalidRequest("统一社会信用代码不对：应为 18 位并通过校验，请对照登记证书核对。") from None


def normalise_name(text: str) -> str:
    """Give the spelling under which names are compared: half-width, no spaces, one kind of middle dot (买买提·艾力)."""
    return _squeeze(text).translate(_MIDDLE_DOTS)


def normalise_phone(text: str) -> str:
    """Return a mainland mobile or landline number as digits alone; raises InvalidRequest if it is neither."""
    digits = re.sub(r"[-‐-―()]", "", _squeeze(text))
    digits = re.sub(r"^(?:\+|00)86", "", digits)
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits):
        return digits
    raise InvalidRequest("联系电话不对：手机号应为 11 位，座机请带区号，请核对。")


def mask_name(name: str) -> str:
    """Hide all but the first and last character: 张*, 张*三, 欧**娜. Of nobody's name nothing is left."""
    if not name:
        return ""
    if len(name) <= 2:
        return name[:1] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_phone(phone: str) -> str:
    """Hide the middle of a phone: 138****1234; of a short landline only the last two digits stay."""
    if not phone:
        return ""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else f"****{phone[-2:]}"


def mask_id(id_number: str) -> str:
    """Keep the first and the last two characters: more would tell the region and the age."""
    if not id_number:
        return ""
    return id_number[:1] + "*" * 15 + id_number[-2:]


def _squeeze(text: str) -> str:
    """NFKC, then no white space and no invisible marks: what a station pastes often carries both."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if not c.isspace() and unicodedata.category(c) != "Cf")
