"""Caps at work: how much of what is given still fits, period by period, and in which words it was cut."""

from collections.abc import Iterable

from ledger.rules.fields import spoken
from ledger.rules.periods import PER, key
from ledger.rules.shape import Cap


class Room:
    """What caps have left. An owner is the item, the category or the hours that a cap belongs to."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str, str], int] = {}

    def take(self, caps: Iterable[tuple[str, str, Cap]], day: str, activity: str, wanted: int, *, hours: bool) -> tuple[int, str]:
        """Take as much as fits under all of *caps* (owner, its name, cap). Gives what fits, and why it is less."""
        places = [(owner, cap.per, key(cap.per, day, activity)) for owner, _, cap in caps]
        left, why = wanted, ""
        for place, (_, name, cap) in zip(places, caps, strict=True):
            room = cap.most - self._used.get(place, 0)
            if room < left:
                most = f"{cap.most // 60}小时" if hours else f"{spoken(cap.most)} 分"
                left, why = max(room, 0), f"{name}{PER[cap.per]}最多 {most}"
        for place in places:
            self._used[place] = self._used.get(place, 0) + left
        return left, why
