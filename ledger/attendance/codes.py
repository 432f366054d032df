"""
Codes that change every half minute: the station's screen shows one for its activity, a volunteer's phone one for the person.

A code is eight characters of a keyed digest over whose it is and the half minute (as in RFC 6238, from a key of this deployment). It is good in its
own half minute and the next. Whoever shows the screen's code is handed a ticket for some minutes: time enough to sign in, in that browser alone.
"""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from ledger.entries import SHANGHAI
from ledger.ids import ALPHABET, NUMBER, check_character

STEP_SECONDS = 30
STEPS_GOOD = 2
LENGTH = 8
TICKET_LIFETIME = timedelta(minutes=10)

Blind = Callable[[str, str], bytes]
"""A keyed digest (Vault.blind)."""


def step_at(now: datetime) -> int:
    """Give the number of the half minute."""
    return int(now.timestamp()) // STEP_SECONDS


def seconds_left(now: datetime) -> int:
    """Say in how many seconds the next code comes."""
    return STEP_SECONDS - int(now.timestamp()) % STEP_SECONDS


def screen_code(blind: Blind, activity: str, now: datetime) -> str:
    """Give the code that a station's screen shows for an activity."""
    return _code(blind, "check-in-screen", activity, step_at(now))


def own_code(blind: Blind, volunteer: str, now: datetime) -> str:
    """Give a volunteer's own code: the number and what proves that it is shown now."""
    return volunteer + _code(blind, "check-in-own", volunteer, step_at(now))


def on_screen(blind: Blind, activity: str, said: str, now: datetime) -> bool:
    """Tell whether a code is, or just was, on the screen of an activity."""
    return _fresh(blind, "check-in-screen", activity, _plain(said), now)


def read_own(blind: Blind, said: str, now: datetime) -> tuple[str, bool] | None:
    """Read what was scanned or typed at a desk: whose number it is, and whether the person's own fresh code was with it; None if it is neither.

    An old own code counts for nothing: it is None, not a mere number.
    """
    plain = _plain(said)
    number, rest = plain[:10], plain[10:]
    if not NUMBER.fullmatch(number) or check_character(number[:9]) != number[9]:
        return None
    if not rest:
        return number, False
    return (number, True) if _fresh(blind, "check-in-own", number, rest, now) else None


def ticket(blind: Blind, activity: str, now: datetime) -> str:
    """Make the ticket of a browser that showed the screen's code of an activity at a time."""
    said = f"{activity}.{int(now.timestamp())}"
    return f"{said}.{blind('check-in-ticket', said).hex()[:32]}"


def scanned_at(blind: Blind, activity: str, said: str, now: datetime) -> datetime | None:
    """Read from a ticket when its code was scanned; None when it is for another activity, forged, or too old."""
    rest, _, mac = said.rpartition(".")
    whose, _, seconds = rest.partition(".")
    if whose != activity or not hmac.compare_digest(mac.encode(), blind("check-in-ticket", rest).hex()[:32].encode()):
        return None
    at = datetime.fromtimestamp(int(seconds), SHANGHAI)
    return at if timedelta() <= now - at <= TICKET_LIFETIME else None


def spaced(code: str) -> str:
    """Show a code in fours: it is read aloud or typed."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def _plain(said: str) -> str:
    return "".join(character for character in said.upper() if character in ALPHABET)


def _code(blind: Blind, sort: str, whose: str, step: int) -> str:
    value = int.from_bytes(blind(sort, f"{whose}/{step}")[:8], "big")
    return "".join(ALPHABET[(value >> (5 * place)) & 31] for place in range(LENGTH))


def _fresh(blind: Blind, sort: str, whose: str, said: str, now: datetime) -> bool:
    here = step_at(now)
    return any(hmac.compare_digest(said, _code(blind, sort, whose, here - back)) for back in range(STEPS_GOOD))
