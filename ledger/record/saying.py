"""What was typed for a credit record, checked: what is missing, too long, in the future, or says what must not be said."""

import re
from collections.abc import Mapping
from datetime import date

from ledger.errors import InvalidRequest
from ledger.kinds.checks import text

REASON_MIN = 4
_DOCUMENT = re.compile(r"《[^《》]{2,}》")
_NOT_SERVING = re.compile(
    r"(?:不|未|没|没有|拒绝|不愿|很少|少)(?:报名|参加|参与|加入|从事|提供|做|去)[^，。；]{0,8}(?:志愿|义工|公益|服务)"
)
FIRST_DAY = date(1980, 1, 1)


def words(said: str, label: str, length_max: int, length_min: int = 1) -> str:
    """Give a text without stray spaces. Raises InvalidRequest when it is too short or long, or holds a phone or ID number."""
    plain = " ".join(said.split())
    if len(plain) < length_min or not text(length_max)(plain):
        most = f"{length_min} 至 {length_max}" if length_min > 1 else f"最多 {length_max}"
        raise InvalidRequest(f"请填写「{label}」（{most} 个字，不要写手机号、身份证号）")
    return plain


def maybe(said: str, label: str, length_max: int) -> str:
    """Give a text that need not be there, as `words`."""
    return words(said, label, length_max) if said.strip() else ""


def choice(said: str, label: str, table: Mapping[str, str]) -> str:
    """Give a code of a table. Raises InvalidRequest for any other."""
    if said not in table:
        raise InvalidRequest(f"请选择「{label}」：{'、'.join(table.values())}")
    return said


def past_day(said: date, label: str, today: date) -> str:
    """Give a day that has come, as entries hold it. Raises InvalidRequest for one to come, or of long ago."""
    if not FIRST_DAY <= said <= today:
        raise InvalidRequest(f"「{label}」{said} {'在将来' if said > today else '太早'}，请核对")
    return said.isoformat()


def basis(said: str, length_max: int) -> str:
    """Give what a negative item rests on: a law, regulation or central policy by its name. Raises InvalidRequest without one (国办发〔2020〕49号)."""
    plain = words(said, "依据", length_max, 4)
    if not _DOCUMENT.search(plain):
        raise InvalidRequest("失信和警示要直接引用法律、法规或党中央、国务院的文件：请写明《文件名》和第几条。没有依据的，不能记")
    return plain


def no_absence(*said: str) -> None:
    """Refuse to hold it against anybody that they do not volunteer (志愿服务条例 article 25). Raises InvalidRequest."""
    if any(_NOT_SERVING.search(one) for one in said):
        raise InvalidRequest("参加志愿服务全凭自愿，不参加、少参加都不能记为失信（《志愿服务条例》第二十五条）。请写明具体的行为")
