"""
Going on with a verification that was broken off: what it knew is written down now and then while it runs.

    verified.part      where the walk is (resuming.py), with the faults found so far and the indexes that hold no entry
    verified.remake    the projections as far as they are remade: a SQLite database whose user_version is the number of entries applied

The remake is saved first, so it is never behind the place; the place is saved at once or not at all. Both are dropped when a verification comes to
its end. One verification at a time keeps them: another beside it does without. What was walked before the break is not read again: an entry altered
there since then waits for the next verification, like one before `--since-last`; and the remake bears no mac.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection

from ledger.checking.faults import Fault, Report
from ledger.checking.joining import Heads, Place
from ledger.checking.resuming import PlaceFile
from ledger.database import open_engine
from ledger.history import make_tables
from ledger.settings import Settings

_SHARE = 20
"""At least so many times as long as saving takes lies between two times."""


@dataclass
class Broken:
    """What a verification knew when it was broken off."""

    place: Place = field(default_factory=Place)
    walked: Report = field(default_factory=Report)
    undecoded: set[int] = field(default_factory=set)
    stored: str = ""
    """Root that the stored tiles gave there."""


class Pause:
    """The files of a verification under way, written at most every so many *seconds*; 0: after every block."""

    def __init__(self, settings: Settings, seconds: float) -> None:
        self._file = PlaceFile(settings, settings.verified.with_suffix(".part"))
        self._remake = settings.verified.with_suffix(".remake")
        self._seconds = seconds
        self._due = time.monotonic() + seconds

    @contextmanager
    def projections(self) -> Iterator[Connection]:
        """Give the database of the remake, as far as it was saved."""
        engine = open_engine(f"sqlite:///{self._remake}")
        try:
            with engine.connect() as connection:
                connection.begin()
                make_tables(connection)
                yield connection
        finally:
            engine.dispose()

    def read(self, signed: Heads) -> Broken | None:
        """Read where a verification was broken off; None when none was, or what was signed up to there has changed. Raises Corrupt for an altered file."""
        found = self._file.read()
        if found is None or found[1]["signed"] != _digest(signed, found[0].size):
            return None
        place, said = found
        walked = Report(faults=[Fault(**each) for each in said["faults"]], fault_count=said["fault_count"])
        return Broken(place, walked, set(said["undecoded"]), said["stored"])

    def due(self) -> bool:
        """Tell whether it is time to save."""
        return time.monotonic() >= self._due

    def save(self, broken: Broken, signed: Heads) -> None:
        """Write down where the verification is, and what was signed of the log; the remake has been saved."""
        began = time.monotonic()
        faults = [vars(fault) for fault in broken.walked.faults]
        walked = {"faults": faults, "fault_count": broken.walked.fault_count, "undecoded": sorted(broken.undecoded)}
        self._file.write(broken.place, **walked, stored=broken.stored, signed=_digest(signed, broken.place.size))
        now = time.monotonic()
        self._due = now + (self._seconds and max(self._seconds, _SHARE * (now - began)))

    def drop(self) -> None:
        """Forget everything."""
        self._file.drop()
        for name in _files(self._remake):
            name.unlink(missing_ok=True)


@contextmanager
def hold(settings: Settings, seconds: float) -> Iterator[Pause | None]:
    """Give the files to one verification at a time: None when another has them."""
    with settings.verified.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield Pause(settings, seconds)


def _files(database: Path) -> list[Path]:
    return [database, database.with_name(f"{database.name}-wal"), database.with_name(f"{database.name}-shm")]


def _digest(signed: Heads, size: int) -> str:
    """Sum up the checkpoints of the first entries."""
    heads = sorted((at, what, root) for at, said in signed.items() for what, root in said if at <= size and what.startswith("checkpoint/"))
    return sha256(repr(heads).encode()).hexdigest()
