"""
The leak check: what goes out to the public, or into a log line, holds no ID number and no mobile number.

A number is 18 characters (the last perhaps an X) or 11 digits beginning with 1, in any width of digit, with or without spaces, dots and dashes between
them. Hashes and ids are left out of it by their own shape: 32 or more hex digits, 43 base64 characters and an equals sign, UUIDs. Volunteer numbers
have ten characters. Names have no shape: lists mask them where they are made (identity.mask_name).

`check` refuses; `redact` puts asterisks in place, for logs, where a refusal would lose the line.
"""

import logging
import re
import traceback
import unicodedata
from collections.abc import Iterable, Iterator, MutableMapping
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import orjson

from ledger.errors import NotAllowed
from ledger.kinds.checks import holds_personal_number

_DIGEST = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{12}|[0-9a-f]{32,128}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9A-Za-z])"
    r"|(?<![A-Za-z0-9+/=])[A-Za-z0-9+/_-]{43,}={0,2}(?![A-Za-z0-9+/=])"
)
_ALL_DIGITS = re.compile(r"[\d\s.\-_]*")
_LOOSE = re.compile(r"(?<!\d)(?:1(?:[\s\-‐-―.·_]{0,2}\d){10}|\d(?:[\s\-‐-―.·_]{0,2}\d){16}[\s\-‐-―.·_]{0,2}[\dXx])(?!\d)")
_COUNTRY = re.compile(r"(?:\+|(?<!\d)00)\s?86[\s-]*(?=1)")
_XML_TEXT = re.compile(r"<(?:\w+:)?(?:t|v|f)(?:\s[^>]*)?>([^<]*)<")


def holds_number(text: str) -> bool:
    """Tell whether a text holds something shaped like an ID number or a mobile number, but for hashes and ids."""
    plain = unicodedata.normalize("NFKC", _DIGEST.sub(_keep_numbers, text))
    return holds_personal_number(plain) or holds_personal_number(_COUNTRY.sub(" 号", plain))


def _keep_numbers(found: re.Match[str]) -> str:
    """Blank a hash or an id; what has no letter in it is neither."""
    return found[0] if _ALL_DIGITS.fullmatch(found[0]) else "#"


def check(values: Iterable[object], what: str) -> None:
    """Refuse to publish or export *what* if one of its cells holds a personal number. Raises NotAllowed, naming the cell by its place from 1."""
    for place, value in enumerate(values, 1):
        if holds_number(str(value)):
            raise NotAllowed(f"{what}里有像手机号或身份证号的数字（第 {place} 处），没有给出。请从来源处删去这个号码再试")


def check_file(content: bytes, content_type: str, what: str) -> None:
    """Refuse to hand out a file (JSON, XLSX, CSV or other text) that holds a personal number. Raises NotAllowed."""
    check(_cells(content, content_type), what)


def _cells(content: bytes, content_type: str) -> Iterator[object]:
    if content[:4] == b"PK\x03\x04":
        with ZipFile(BytesIO(content)) as archive:
            for name in archive.namelist():
                if name.endswith(".xml") and not name.startswith("xl/styles"):
                    yield from _XML_TEXT.findall(archive.read(name).decode(errors="replace"))
    elif "json" in content_type:
        yield from _leaves(orjson.loads(content))
    else:
        yield from (cell for line in content.decode("utf-8", "replace").splitlines() for cell in line.split(","))


def _leaves(said: Any) -> Iterator[object]:
    if isinstance(said, dict):
        for key, value in said.items():
            yield key
            yield from _leaves(value)
    elif isinstance(said, list):
        for value in said:
            yield from _leaves(value)
    elif said is not None and not isinstance(said, bool):
        yield said


def redact(text: str) -> str:
    """Put asterisks in the place of whatever looks like a personal number."""
    plain = unicodedata.normalize("NFKC", text)
    if not holds_number(plain):
        return text
    kept = [found for found in _DIGEST.finditer(plain) if not _ALL_DIGITS.fullmatch(found[0])]
    made, at = [], 0
    for found in kept:
        made += [_starred(plain[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*made, _starred(plain[at:])])


def _starred(text: str) -> str:
    return _LOOSE.sub("***", _COUNTRY.sub("+86 号", text))


def redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact a structlog event, every text in it: a processor."""
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return [_redacted(one) for one in value]
    if isinstance(value, dict):
        return {key: _redacted(one) for key, one in value.items()}
    if isinstance(value, int | float | bool | None):
        return "***" if holds_number(str(value)) else value
    return redact(str(value))


def trace(error: BaseException) -> str:
    """Say where something unexpected happened, for the log: files, lines, kinds of exceptions; not their texts, which may name somebody."""
    lines, seen = [], set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        lines += [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(found.__traceback__)]
        lines.append(type(found).__qualname__)
        found = found.__cause__ or found.__context__
    return "\n".join(lines)


def guard_logging() -> None:
    """Have every record of Python's own logging redacted as it is made, tracebacks too. Safe to repeat."""
    before = logging.getLogRecordFactory()
    if getattr(before, "redacts", False):
        return
    plain = logging.Formatter()

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = before(*args, **kwargs)
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redact(plain.formatException(record.exc_info))
        return record

    make.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make)
