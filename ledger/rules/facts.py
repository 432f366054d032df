"""The facts of one person that a rule set is applied to: plain values, whatever they were read from. Days are YYYY-MM-DD, points hundredths."""

from dataclasses import dataclass


@dataclass(slots=True)  # not frozen: that makes thousands of them three times as slow to make
class Service:
    """A service record that counts. *start*: local minute; *planned_minutes*: of its activity; *whole*: nothing of the record is missing."""

    index: int
    activity: str
    day: str
    start: str
    minutes: int
    grade: str = "B"
    series: str = "other"
    services: tuple[str, ...] = ()
    station: str = ""
    title: str = ""
    planned_minutes: int | None = None
    by_organisation: bool = False
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Training:
    """A training that somebody took part in."""

    index: int
    day: str
    minutes: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a service was judged, and by whom (codes)."""

    index: int
    day: str
    quality: str
    by: str = "organiser"


@dataclass(frozen=True, slots=True)
class Award:
    """A commendation, and the level that gave it (a code)."""

    index: int
    day: str
    level: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Conduct:
    """A good or bad item. *effects*: what the entry lets it touch (None: what the rules say); *services*: the records it is about."""

    index: int
    day: str
    item: str
    sense: str
    basis: str = ""
    expires_on: str | None = None
    effects: tuple[str, ...] | None = None
    services: tuple[int, ...] = ()
    points: int | None = None
    lifted_on: str | None = None
    lifted_ground: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Spending:
    """Points spent of the account that a rule set keeps."""

    index: int
    day: str
    points: int
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that rules may look at. *adult*: yes, no or unknown: the log has no ages, so it is told by whoever may open the sealed data."""

    registered_on: str
    services: tuple[Service, ...] = ()
    trainings: tuple[Training, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    awards: tuple[Award, ...] = ()
    conduct: tuple[Conduct, ...] = ()
    spending: tuple[Spending, ...] = ()
    confirmed_on: str | None = None
    adult: str = "unknown"
