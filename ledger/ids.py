"""
Identifiers: made at random, never derived from a person.

An **entry id** is a UUIDv7 (RFC 9562): time-ordered, so that its unique index grows at one end. A **number** (volunteer, organisation,
activity) is nine random characters and a check character from an alphabet without 0, O, 1 and I, so that it survives being read aloud; it can
never be taken for an 11- or 18-digit number. A **check code** (of a certificate) is eleven random characters and a check character: nobody guesses one.
"""

import os
import re
import secrets
import time
import uuid

from ledger.errors import InvalidRequest

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NUMBER = re.compile(f"[{ALPHABET}]{{10}}")
CODE_LENGTH = 12
CODE = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")
_VALUE = {c: i for i, c in enumerate(ALPHABET)}


def new_entry_id() -> str:
    """Make a UUIDv7: 48 bits of milliseconds, 74 random bits."""
    millis = time.time_ns() // 1_000_000
    value = (millis << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (7 << 76)
    value = (value & ~(0x3 << 62)) | (2 << 62)
    return str(uuid.UUID(int=value))


def parse_entry_id(text: str) -> bytes:
    """Give the 16 bytes of an entry id. Raises InvalidRequest unless it is a UUID in its one canonical spelling."""
    if _UUID.fullmatch(text) is None:
        raise InvalidRequest("记录的 id 应是标准写法的 UUID（小写，带连字符）")
    return bytes.fromhex(text.replace("-", ""))


def new_number() -> str:
    """Draw a number: 45 random bits and the check character. The caller's table keeps it unique."""
    stem = "".join(secrets.choice(ALPHABET) for _ in range(9))
    return stem + check_character(stem)


def check_character(stem: str) -> str:
    """Compute the check character (ISO 7064 style, modulus 32, weights 3 5 7 … all odd): it finds every single wrong character."""
    return ALPHABET[sum((2 * i + 3) * _VALUE[c] for i, c in enumerate(stem)) % 32]


def parse_number(text: str) -> str:
    """Bring a typed number (lower case, spaces, hyphens) to its one spelling. Raises InvalidRequest when a character must be wrong."""
    number = re.sub(r"[\s\-－·]", "", text).upper()
    if not NUMBER.fullmatch(number) or check_character(number[:9]) != number[9]:
        raise InvalidRequest("编号不对：应为 10 位字母和数字（没有 0、O、1、I），请对照证件或回执再看一遍")
    return number


def spaced(number: str) -> str:
    """Show a number in groups that are easy to read aloud: K7M2-Q9X-P4R."""
    return f"{number[:4]}-{number[4:7]}-{number[7:]}"


def new_code() -> str:
    """Draw a check code: 55 random bits and the check character."""
    stem = "".join(secrets.choice(ALPHABET) for _ in range(11))
    return stem + check_character(stem)


def parse_code(text: str) -> str:
    """Bring a typed check code to its one spelling. Raises InvalidRequest saying which character must be wrong, where that can be told."""
    code = re.sub(r"[\s\-－·]", "", text).upper()
    if len(code) != CODE_LENGTH:
        raise InvalidRequest(f"校验码是 {CODE_LENGTH} 位，您输入了 {len(code)} 位。请对照证明页脚再看一遍")
    for place, character in enumerate(code, 1):
        if character not in _VALUE:
            raise InvalidRequest(f"第 {place} 位可能有误：校验码里没有「{character}」（不用 0、O、1、I）。请对照证明页脚再看一遍")
    if check_character(code[:11]) != code[11]:
        raise InvalidRequest("这个校验码里有一位抄错了（末位对不上）。请对照证明页脚一位一位再看一遍")
    return code


def spaced_code(code: str) -> str:
    """Show a check code in groups that are easy to read aloud: K7M2-Q9XP-4R5T."""
    return "-".join(code[at : at + 4] for at in range(0, CODE_LENGTH, 4))
