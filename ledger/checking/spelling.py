"""
The one spelling of an entry as a pattern, so that most entries need not be parsed to be judged.

For each kind whose body may be flat, one regular expression is made from the kind's own fields (kinds/): the members in their order, each value in its
one spelling, the chains that the body calls for. **Whatever it matches, `entries.parse` accepts and reads alike**; what it does not match is not wrong
for that: `parse` decides, and says why. A check that no pattern says whole (a day that exists, a range, free text) is asked itself, once a value.

Not said by patterns, and left to `parse`: entry 0, an entry that does not say of its place what it has to, key rotations, nested values but `source`,
several volunteers, text with escapes, numbers of 16 digits.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from ledger.checking.reading import ENTRY_BYTES_MAX, TIME
from ledger.ids import NUMBER
from ledger.keyring import KIND as ROTATION
from ledger.kinds import KINDS, checks
from ledger.kinds.checks import Check
from ledger.kinds.kind import Kind

Spelt = tuple[Any, ...]
"""Of organisation, person and station: subject, and what is said of its chain, None where there is none; then the id: all bytes."""

_UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HASH = rb"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
_COUNT = rb"[1-9][0-9]{0,14}"
_CODE = re.compile(r"[A-Za-z0-9_.-]+")
_SPELT: dict[Check, bytes] = {
    checks.number: b'"' + NUMBER.pattern.encode() + b'"',
    checks.digest: b'"' + _HASH + b'"',
    checks.uuid: b'"' + _UUID + b'"',
    checks.station: b'"[0-9A-Z]{1,20}"',
    checks.boolean: b"true|false",
    checks.index: b"0|" + _COUNT,
    checks.source: rb'\{"row":[1-9][0-9]{0,5},"sha256":"' + _HASH + rb'"\}',
}
_ASKED: dict[Check, bytes] = {checks.day: b'"[0-9-]{10}"', checks.minute: b'"[0-9T:-]{16}"', checks.batch: b'"[0-9a-f-]{36}"'}
"""What the values of a check that has to be asked look like; those of any other are plain text, whole numbers or booleans."""
_SCALAR = rb'"[^"\\\x00-\x1f\x7f]{0,2000}"|0|-?' + _COUNT + rb"|true|false"
_SUBJECTS = {"organisation": b"organisation", "volunteer": b"person", "station": b"station"}
"""Member of the body -> what the names of its chains begin with; in the order of those."""
_ENDS = 2 * len(_SUBJECTS) + 1
_TAIL = re.compile(rb'"kind":"([a-z_.]{1,64})","prev":"[^"]{44}","recorded_at":"[^"]{29}","v":([0-9])\}')
_TAIL_BYTES = 250
_TIME = re.compile(TIME.pattern.encode())
TIME_PLACE = slice(-37, -8)
"""Where an entry of a version below ten has its time."""
_REMEMBERED = 16_384


class Spelling:
    """The pattern of one kind and version: of all that comes before the entry's own place, and of that."""

    def __init__(self, kind: Kind, pattern: re.Pattern[bytes], asked: dict[str, Check]) -> None:
        self.fullmatch = pattern.fullmatch
        self.tail = b'","index":%%d,"kind":"%b","prev":"%%b","recorded_at":"%%b","v":%d}' % (kind.name.encode(), kind.version)
        by_place = {pattern.groupindex[group] - 1: check for group, check in asked.items()}
        self.asked = max(by_place, default=-1) + 1
        """How many of the first groups hold all that has to be asked."""

        @lru_cache(maxsize=_REMEMBERED)
        def allowed(values: tuple[bytes | None, ...]) -> bool:
            return all((said := values[place]) is None or _holds(check, said) for place, check in by_place.items())

        self.allowed: Callable[[Any], bool] = allowed


def reader() -> Callable[[bytes, int, bytes | None], Spelt | None]:
    """Make a function that reads an entry by its pattern, given the index and the `prev` that it has to have; None when that is not known.

    It answers None for what `parse` has to judge. It remembers the kind that it met last, and the newest time.
    """
    spelling, known = _spelling_of(b"service.recorded", b"1"), b""

    def read(raw: bytes, index: int, previous: bytes | None) -> Spelt | None:
        nonlocal spelling, known
        if previous is None:
            return None
        time = raw[TIME_PLACE]
        if spelling is None or not raw.endswith(tail := spelling.tail % (index, previous, time)):
            said = _TAIL.search(raw, max(0, len(raw) - _TAIL_BYTES))
            other = _spelling_of(said[1], said[2]) if said else None
            if other is None or not raw.endswith(tail := other.tail % (index, previous, time)):
                return None
            spelling = other
        match = spelling.fullmatch(raw, 0, len(raw) - len(tail))
        if match is None or len(raw) > ENTRY_BYTES_MAX:
            return None
        if time != known:
            if _TIME.fullmatch(time) is None:
                return None
            known = time
        groups = match.groups()
        return groups[-_ENDS:] if spelling.allowed(groups[: spelling.asked]) else None

    return read


@lru_cache(maxsize=256)
def _spelling_of(name: bytes, version: bytes) -> Spelling | None:
    kind = KINDS.get((name.decode(), int(version)))
    return _spelling(kind) if kind is not None and kind.name != ROTATION else None


def _spelling(kind: Kind) -> Spelling | None:
    """Make the pattern of a kind; None when its bodies are too rich for one."""
    fields = {**kind.required, **kind.optional}
    if "volunteers" in fields or any(name in fields and fields[name] not in _SPELT for name in _SUBJECTS):
        return None
    asked: dict[str, Check] = {}
    members = []
    for number, name in enumerate(sorted(fields)):
        check, member = fields[name], b'"%b":' % name.encode()
        spelt = _value(check)
        if spelt is None:
            group = f"asked_{number}"
            asked[group] = check
            member += _group(group, _ASKED.get(check, _SCALAR))
        elif name in _SUBJECTS:
            member += b'"' + _group(name, spelt.strip(b'"')) + b'"'
        else:
            member += b"(?:" + spelt + b")"
        members.append((member, b"(?:%b|)" if name in kind.optional else b"%b"))
    body, concerned = _joined(members), _joined([_chain(name, kind) for name in _SUBJECTS])
    if body is None or concerned is None:
        return None
    raw = rb'\{"actor":"[!#-\[\]-~]{1,64}","body":\{' + body + rb'\},"chains":\{' + concerned + rb'\},"id":"(' + _UUID + b")"
    return Spelling(kind, re.compile(raw), asked)


def _value(check: Check) -> bytes | None:
    """Spell the values that a check accepts; None when it has to be asked."""
    among = getattr(check, "__self__", None)
    if isinstance(among, frozenset):
        return b'"(?:' + "|".join(map(re.escape, sorted(among))).encode() + b')"' if all(map(_CODE.fullmatch, among)) else None
    return _SPELT.get(check)


def _chain(name: str, kind: Kind) -> tuple[bytes, bytes]:
    """Spell what an entry says of one of its chains: two groups, also where there is no such chain."""
    if name not in kind.required and name not in kind.optional:
        return b"(?:(?!)()()|)", b""
    subject = b"(" + _SUBJECTS[name] + b"/(?P=" + name.encode() + b"))"
    claim = rb"(\[(?:1|(?!1,)" + _COUNT + b',"' + _HASH + rb'")\])'
    return b'"' + subject + b'":' + claim, b"(?(" + name.encode() + b")%b|)" if name in kind.optional else b"%b"


def _group(name: str, pattern: bytes) -> bytes:
    return b"(?P<" + name.encode() + b">" + pattern + b")"


def _joined(parts: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Put commas between members: (pattern, how it stands there: always, as `%b`; perhaps; empty for one that takes no room).

    None unless one is always there, or there is none at all: commas are not worth more trouble.
    """
    spelt, always, perhaps = b"", False, False
    for pattern, how in parts:
        if how == b"%b":
            spelt, always = spelt + (b"," if always else b"") + pattern, True
        elif how:
            spelt, perhaps = spelt + how % (b"," + pattern if always else pattern + b","), True
        else:
            spelt += pattern
    return spelt if always or not perhaps else None


def _holds(check: Check, said: bytes) -> bool:
    """Ask a check about a value as it is spelt."""
    try:
        return bool(check(_scalar(said)))
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError):
        return False


def _scalar(said: bytes) -> object:
    if said[:1] == b'"':
        return said[1:-1].decode()
    return said == b"true" if said in (b"true", b"false") else int(said)
