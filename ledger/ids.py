"""
Identifiers: made at random, never derived from a person.

An **entry id** is a UUIDv7 (RFC 9562): time-ordered, so that its unique index grows at one end. A **number** (volunteer, organisation,
activity) is nine random characters and a check character from an alphabet without 0, O, 1 and I, so that it survives being read aloud; it can
never be taken for an 11- or 18-digit number.
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
