"""
The people of one station, opened for the desk, to be found by what a clerk types: a name, the initials of its pinyin, the last four of a number.

Nothing new is stored for it. An index of four digits would tell, to whoever holds the database and the key, ten thousand small groups of people;
instead the names of one station are opened while the question lasts and forgotten with it. A full ID number, phone or volunteer number finds
anybody in the district, as it does elsewhere. What is shown of people found is masked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pypinyin import Style, pinyin
from sqlalchemy import select

from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, NotFound
from ledger.ids import parse_number
from ledger.people import volunteers
from ledger.people.identity import mask_name, normalise_name
from ledger.people.vault import Personal
from ledger.tables import ServiceRow, VolunteerRow, table
from ledger.transactions import ReadTransaction

_VOLUNTEER, _SERVICE = table(VolunteerRow), table(ServiceRow)
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


def at_station(tx: ReadTransaction, station: str) -> list[Someone]:
    """Open the people of a station: those registered there, and those who have served there; nobody who left."""
    served = select(_SERVICE.c.volunteer).where(_SERVICE.c.station == station).distinct()
    mine = (_VOLUNTEER.c.station == station) | _VOLUNTEER.c.number.in_(served)
    numbers = tx.connection.execute(select(_VOLUNTEER.c.number).where(mine, _VOLUNTEER.c.left_on.is_(None))).scalars().all()
    return list(by_number(tx, numbers).values())


def by_number(tx: ReadTransaction, numbers: Sequence[str]) -> dict[str, Someone]:
    """Open volunteers by number; of whom nothing is held (any more), only the number."""
    opened = tx.vault.open(tx.connection, ["person/" + number for number in numbers])
    return {number: _someone(number, opened.get("person/" + number)) for number in dict.fromkeys(numbers)}


def _someone(number: str, personal: Personal | None) -> Someone:
    identity = personal.identity if personal else {}
    phone = personal.contact.get("phone", "") if personal else ""
    id_number = identity.get("id_number", "")
    return Someone(number, identity.get("name", ""), id_number[-4:], phone[-4:], id_number[6:10])


def matching(people: Sequence[Someone], typed: str) -> list[Someone]:
    """Find people by a name, by initials, by a last four, or by initials or name and last four together; names alike all of them, by their tails."""
    plain = normalise_name(typed)
    upper = plain.upper()
    asked = _WANTED.fullmatch(upper)
    if asked and (asked[1] or asked[2]):
        found = [one for one in people if (not asked[1] or _begins(one.name, asked[1])) and (not asked[2] or _ends(one, asked[2]))]
        exact = [one for one in found if len(one.name.replace("·", "")) == len(asked[1])]
        return _sorted(exact or found)
    said = re.fullmatch(r"(\D+?)(\d{3}[\dX])?", upper)
    if said is None:
        return []
    name, tail = plain[: len(said[1])], said[2]
    return _sorted([one for one in people if one.name == name and (not tail or _ends(one, tail))])


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


def _ends(one: Someone, tail: str) -> bool:
    return tail in (one.tail, one.phone_tail)


def _begins(name: str, initials: str) -> bool:
    """Tell whether a name may begin with these initials; characters of several readings (单, 曾) have several."""
    letters = [character for character in name if character != "·"]
    return len(initials) <= len(letters) and all(wanted in _initials(one) for wanted, one in zip(initials, letters, strict=False))


@lru_cache(maxsize=8192)
def _initials(character: str) -> frozenset[str]:
    """Give the first letters of a character's readings: of a single one, so that nobody's name stays in memory."""
    return frozenset(letter[:1].upper() for letter in pinyin(character, style=Style.FIRST_LETTER, heteronym=True)[0])
