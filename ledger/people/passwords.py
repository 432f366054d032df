"""
Passwords and one-time codes: what is taken, how it is typed, how long a code is good.

A password of one's own has at least 12 characters, at most 128, counted after NFKC; any character may be in it. Volunteers need 8: many are old, type on a
phone, and write down what they cannot keep in mind; such a password opens one person's own data, behind slowed tries. Refused are: digits
alone (staff), fewer than four different characters, runs of four (1234, aaaa, dcba, qwer), the login, the person's own ID number, birthday or phone,
and what everybody tries first. Only length and guessability count: no rule asks for a mixture of characters.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

from ledger.errors import InvalidRequest
from ledger.ids import ALPHABET

STAFF_PASSWORD_MIN = 12
VOLUNTEER_PASSWORD_MIN = 8
PASSWORD_MAX = 128
"""Characters. Beyond PASSWORD_MAX nobody types; it bounds what has to be hashed."""
STAFF_CODE_LIFETIME = timedelta(hours=72)
VOLUNTEER_CODE_LIFETIME = timedelta(days=30)
"""A volunteer's slip may lie at home for a while; a colleague's code is handed over at once."""

_CODE_LENGTH, _RECOVERY_LENGTH = 8, 16
_RUN = 4
_ROWS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm")
_RUNS = {line[at : at + _RUN] for row in _ROWS for line in (row, row[::-1]) for at in range(len(line) - _RUN + 1)}
_TRIED_FIRST = """
password passw0rd p@ssw0rd p@ssword pa55word iloveyou iloveu woaini admin
administrator root guest user test welcome letmein login master superman batman princess sunshine football baseball basketball dragon
monkey shadow michael jordan liverpool chelsea computer internet hello helloworld freedom whatever trustno killer starwars pokemon
samsung apple iphone google huawei xiaomi alibaba taobao wechat weixin tencent zhongguo china beijing shanghai guangzhou hefei anhui
shushan zhangwei wangwei wangfang liwei lina zhangmin lijing zhangli wanglei xiaoming laoshi mima mimamima wodemima shequ zhiyuanzhe
zhiyuanfuwu shouwang shouwangzhangben fuwuzhan volunteer jiankang pingan pinganshi changmingbaisui gongxifacai fafafa nihao nihaoma
asdasd qweqwe qazwsx zaqwsx changeme secret default
"""
_COMMON = frozenset(_TRIED_FIRST.split())
_COMMON_NUMBERS = ("5201314", "1314520", "147258369", "741852963", "11223344", "112233", "121212", "123123", "147258", "159357")
"""What is tried first, without the digits and marks that people hang on before and behind."""


def clean(text: str) -> str:
    """Take full-width letters for half-width: what a Chinese keyboard types by mistake."""
    return unicodedata.normalize("NFKC", text).strip()


def check_password(password: str, login: str, *, volunteer: bool, numbers: Iterable[str] = ()) -> None:
    """Make sure that a new password, cleaned, is good enough; *numbers*: the person's ID number and phone. Raises InvalidRequest."""
    least = VOLUNTEER_PASSWORD_MIN if volunteer else STAFF_PASSWORD_MIN
    if not least <= len(re.sub(r"\s+", " ", password)) or len(password) > PASSWORD_MAX:
        raise InvalidRequest(f"密码至少要 {least} 个字符（最多 {PASSWORD_MAX} 个），请再加长一些")
    if not volunteer and password.isdigit():
        raise InvalidRequest("密码不能全是数字，请加上字母或文字")
    plain = password.casefold()
    bare = re.sub(r"[\W_]", "", plain)
    numbered = any(number in bare and len(bare) - len(number) < _RUN for number in _COMMON_NUMBERS)
    if len(set(plain)) < _RUN or _core(plain) in _COMMON or bare in _COMMON or numbered:
        raise InvalidRequest("这个密码太常见，别人会先试它，请换一个")
    if login in plain or any(number and _holds(bare, number.casefold()) for number in numbers):
        raise InvalidRequest("密码里不要有登录名、志愿者编号、身份证号、生日或电话，这些别人猜得到，请换一个")
    if any(plain[at : at + _RUN] in _RUNS or len(set(plain[at : at + _RUN])) == 1 for at in range(len(plain) - _RUN + 1)):
        raise InvalidRequest("密码里不要有 4 个以上连着的字符（如 1234、abcd、aaaa、qwer），请换一个")


def _core(plain: str) -> str:
    """Take off the digits and marks before and behind: admin@2024 is admin."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)


def _holds(plain: str, number: str) -> bool:
    """Tell whether a password lives on somebody's number: it holds six of its characters in a row, and little else."""
    for at in range(len(number) - 5):
        if (part := number[at : at + 6]) in plain and len(plain.replace(part, "", 1)) < _RUN:
            return True
    return number in plain or (len(number) == 18 and number[6:14] in plain)


def new_code() -> str:
    """Draw a one-time code: eight characters of 32, none mistaken for another."""
    return "".join(secrets.choice(ALPHABET) for _ in range(_CODE_LENGTH))


def new_recovery_code() -> str:
    """Draw a code that lies in a drawer for years: 16 characters, 80 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(_RECOVERY_LENGTH))


def spaced_code(code: str) -> str:
    """Show a code in groups of four: K7M2-Q9XP."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def as_code(typed: str) -> str:
    """Read a one-time code as it may be typed: with or without hyphen, in either case."""
    return re.sub(r"[\s\-]", "", typed).upper()


def code_good_until(now: datetime, *, volunteer: bool) -> datetime:
    """Say until when a code given now is good."""
    return now + (VOLUNTEER_CODE_LIFETIME if volunteer else STAFF_CODE_LIFETIME)
