"""
The people of one station, to be found at the desk by what a clerk types: a name, the initials of its pinyin, the last four of a number.

Nothing new is stored for it: an index of four digits would tell, to whoever holds the database and the key, ten thousand small groups of people, also
of those who were erased since. Instead the process remembers of a station's people what a search asks for and no more: the initials, the last fours, and
a keyed digest of the name (the key is this process's own). Each is unsealed for that once; a search then unseals only whom it finds. Who was changed,
came or left is noticed at the next search, and a station nobody searched for a quarter of an hour is forgotten. A full ID number, phone or volunteer
number finds anybody in the district, as it does elsewhere. What is shown of people found is masked.
"""

import re
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from weakref import WeakKeyDictionary

from pypinyin import Style, pinyin
from sqlalchemy import select

from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, NotFound
from ledger.ids import parse_number
from ledger.people import volunteers
from ledger.people.identity import mask_name, normalise_name
from ledger.people.vault import Personal, Vault
from ledger.tables import PersonRow, ServiceRow, VolunteerRow, table
from ledger.transactions import ReadTransaction

REMEMBERED_SECONDS = 900
_VOLUNTEER, _SERVICE, _PERSON = table(VolunteerRow), table(ServiceRow), table(PersonRow)
_WANTED = re.compile(r"([A-Z]*)(\d{3}[\dX])?")
_LONG = re.compile(r"\d{17}[\dX]|1\d{10}|0\d{9,11}")


@dataclass(frozen=True, slots=True)
class Someone:
    """A volunteer as the desk finds them: *name* in full is for comparing only, pages show *masked* and *tail* (last four of the ID number)."""

    number: str
    name: str
    tail: str
    phone_tail: str
    born: str

    @property
    def masked(self) -> str:
        """The name as lists show it."""
        return mask_name(self.name) or "（信息已删除）"


@dataclass(frozen=True, slots=True)
class _Clue:
    """What is remembered of somebody: the sealed data it was read from (by its nonces), the name's digest, the initials of each character, last fours."""

    version: bytes
    name: bytes
    letters: tuple[frozenset[str], ...]
    tails: frozenset[str]


@dataclass
class _Memory:
    """What this process remembers of one ledger's people: by station, when it was last asked (monotonic), and clues by number."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    stations: dict[str, tuple[float, Mapping[str, _Clue]]] = field(default_factory=dict)

    def digest(self, name: str) -> bytes:
        """Give what is compared instead of a name."""
        return blake2b(name.encode(), key=self.key, digest_size=16).digest()

    def forget_idle(self, now: float) -> None:
        """Forget the stations that nobody has searched for long."""
        for code, (asked, _) in list(self.stations.items()):
            if now - asked > REMEMBERED_SECONDS:
                self.stations.pop(code, None)


_MEMORIES: WeakKeyDictionary[Vault, _Memory] = WeakKeyDictionary()


class Station:
    """The people of a station: those registered there, and those who have served there; nobody who left. Looked up at the first search."""

    def __init__(self, tx: ReadTransaction, code: str) -> None:
        self._tx, self._code = tx, code
        self._memory = _MEMORIES.setdefault(tx.vault, _Memory())
        self._found: Mapping[str, _Clue] | None = None

    def matching(self, typed: str) -> list[Someone]:
        """Find people as the function `matching` does; nobody else's name is opened."""
        asked = _read(typed)
        if asked is None:
            return []
        name, initials, tail = asked
        digest = self._memory.digest(name)
        found = {
            number: clue
            for number, clue in self._clues().items()
            if (not tail or tail in clue.tails) and (clue.name == digest if name else _starts(clue.letters, initials))
        }
        exact = [number for number, clue in found.items() if initials and len(clue.letters) == len(initials)]
        return matching(by_number(self._tx, exact or list(found)).values(), typed)

    def _clues(self) -> Mapping[str, _Clue]:
        if self._found is None:
            now = time.monotonic()
            self._memory.forget_idle(now)
            _, before = self._memory.stations.get(self._code, (now, {}))
            self._found = self._renewed(before)
            self._memory.stations[self._code] = (now, self._found)
        return self._found

    def _renewed(self, before: Mapping[str, _Clue]) -> Mapping[str, _Clue]:
        """Go over who belongs to the station now, opening only those who are new or whose data changed."""
        served = select(_SERVICE.c.volunteer).where(_SERVICE.c.station == self._code).distinct()
        mine = (_VOLUNTEER.c.station == self._code) | _VOLUNTEER.c.number.in_(served)
        numbers = self._tx.connection.execute(select(_VOLUNTEER.c.number).where(mine, _VOLUNTEER.c.left_on.is_(None))).scalars()
        columns = (_PERSON.c.subject, _PERSON.c.identity, _PERSON.c.contact)
        sealed = rows_where_in(self._tx.connection, columns, _PERSON.c.subject, ["person/" + number for number in numbers])
        versions = {row.subject.removeprefix("person/"): _head(row.identity) + _head(row.contact) for row in sealed}
        new = [number for number, version in versions.items() if number not in before or before[number].version != version]
        made = {number: self._clue(versions[number], one) for number, one in by_number(self._tx, new).items()}
        return {number: made.get(number) or before[number] for number in versions}

    def _clue(self, version: bytes, one: Someone) -> _Clue:
        letters = tuple(_initials(character) for character in _characters(one.name))
        return _Clue(version, self._memory.digest(one.name), letters, frozenset(filter(None, (one.tail, one.phone_tail))))


def _head(sealed: bytes | None) -> bytes:
    """Give the beginning of what is sealed, in which the nonce stands: it is another whenever it is sealed anew."""
    return bytes(sealed[:13]) if sealed else b""


def by_number(tx: ReadTransaction, numbers: Sequence[str]) -> dict[str, Someone]:
    """Open volunteers by number; of whom nothing is held (any more), only the number."""
    opened = tx.vault.open(tx.connection, ["person/" + number for number in numbers])
    return {number: _someone(number, opened.get("person/" + number)) for number in dict.fromkeys(numbers)}


def _someone(number: str, personal: Personal | None) -> Someone:
    identity = personal.identity if personal else {}
    phone = personal.contact.get("phone", "") if personal else ""
    id_number = identity.get("id_number", "")
    return Someone(number, identity.get("name", ""), id_number[-4:], phone[-4:], id_number[6:10])


def matching(people: Iterable[Someone], typed: str) -> list[Someone]:
    """Find people by a name, by initials, by a last four, or by initials or name and last four together; names alike all of them, by their tails."""
    asked = _read(typed)
    if asked is None:
        return []
    name, initials, tail = asked
    there = [one for one in people if one.name and (not tail or tail in (one.tail, one.phone_tail))]
    if name:
        return _sorted([one for one in there if one.name == name])
    found = [one for one in there if _starts([_initials(character) for character in _characters(one.name)], initials)]
    exact = [one for one in found if len(_characters(one.name)) == len(initials)]
    return _sorted(exact or found)


def _read(typed: str) -> tuple[str, str, str] | None:
    """Read what was typed: a name or initials, and a last four; None when it is none of these."""
    plain = normalise_name(typed)
    upper = plain.upper()
    asked = _WANTED.fullmatch(upper)
    if asked and (asked[1] or asked[2]):
        return "", asked[1], asked[2] or ""
    said = re.fullmatch(r"(\D+?)(\d{3}[\dX])?", upper)
    return (plain[: len(said[1])], "", said[2] or "") if said else None


def anybody(tx: ReadTransaction, typed: str) -> list[Someone] | None:
    """Find people of the whole district by a full ID number, phone or volunteer number; None when what was typed is none of these."""
    plain = re.sub(r"[\s\-]", "", normalise_name(typed)).upper()
    if _LONG.fullmatch(plain):
        field = "id_number" if len(plain) == 18 else "phone"
        subjects = tx.vault.find(tx.connection, field, [plain]).get(plain, [])
        numbers = [subject.removeprefix("person/") for subject in subjects if subject.startswith("person/")]
        rows = rows_where_in(tx.connection, (_VOLUNTEER.c.number, _VOLUNTEER.c.merged_into), _VOLUNTEER.c.number, numbers)
        return _sorted(list(by_number(tx, [row.merged_into or row.number for row in rows]).values()))
    try:
        number = parse_number(plain)
    except InvalidRequest:
        return None
    try:
        return [by_number(tx, [volunteers.get(tx, number).row.number]).popitem()[1]]
    except NotFound:
        return []


def _sorted(people: list[Someone]) -> list[Someone]:
    return sorted(people, key=lambda one: (one.name, one.tail, one.number))


def _characters(name: str) -> str:
    return name.replace("·", "")


def _starts(letters: Sequence[frozenset[str]], initials: str) -> bool:
    """Tell whether a name may begin with these initials; characters of several readings (单, 曾) have several."""
    return len(initials) <= len(letters) and all(wanted in one for wanted, one in zip(initials, letters, strict=False))


@lru_cache(maxsize=8192)
def _initials(character: str) -> frozenset[str]:
    """Give the first letters of a character's readings: of a single one, so that nobody's name stays in memory."""
    return frozenset(letter[:1].upper() for letter in pinyin(character, style=Style.FIRST_LETTER, heteronym=True)[0])
