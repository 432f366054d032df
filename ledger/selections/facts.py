"""What a ranking weighs besides hours: training, evaluations, honours already given, conduct, hours that an earlier award has used up."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from ledger.selections.rules import Rules


@dataclass(frozen=True)
class Facts:
    """Of one person or organisation: minutes of training in the period, evaluations good and poor, why it stays out (empty: it does not).

    spent: (first day, last day, tree size) of selections that it was chosen in.
    """

    training: int = 0
    good: int = 0
    poor: int = 0
    honoured: str = ""
    conduct: str = ""
    spent: Sequence[tuple[str, str, int]] = ()

    def spell(self) -> str:
        """Spell it as a column holds it; what is nothing is left out."""
        return orjson.dumps({name: value for name, value in asdict(self).items() if value}, option=orjson.OPT_SORT_KEYS).decode()

    @staticmethod
    def read(said: str) -> "Facts":
        """Read what `spell` wrote."""
        known: dict[str, Any] = orjson.loads(said)
        known["spent"] = tuple((since, until, size) for since, until, size in known.get("spent", ()))
        return Facts(**known)


NONE = Facts()


def gather(connection: Connection, rules: Rules, until: str, asked_on: str) -> dict[str, Facts]:
    """Gather what the rules ask of anybody, up to the last day, as it stands on a day; who has nothing of it is left out."""
    return {}
