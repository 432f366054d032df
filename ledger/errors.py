"""
What can go wrong, by who has to act on it.

Messages are Chinese sentences for the person at the desk: what, where, how to mend it. They never hold a whole name, ID number or phone,
because they are logged and shown. HTTP statuses and exit codes are given to these families at the edges, not here.
"""


class LedgerError(Exception):
    """Root of all expected errors. Never raised itself."""


class InvalidRequest(LedgerError):
    """What was asked cannot be done as it stands; the person asking can mend it."""


class UnreadableFile(InvalidRequest):
    """A file that was handed in is empty, protected, too large, or not a table."""


class NotAllowed(LedgerError):
    """The account may not do this here, or may not do it alone. *why*: for the log, where what is said to the person must not tell it."""

    def __init__(self, said: str, why: str = "") -> None:
        super().__init__(said)
        self.why = why


class NotFound(LedgerError):
    """No such station, volunteer, activity, entry."""


class Conflict(LedgerError):
    """It was already said otherwise: the same entry id with other content, or a stale view of something that has changed."""


class Unavailable(LedgerError):
    """Too much is waiting; the same request may succeed in a moment."""


class Corrupt(LedgerError):
    """Stored bytes contradict each other. A person must look; nothing may be written until then."""


class SettingsError(LedgerError):
    """The deployment is set up wrongly; the message names the setting and how to mend it."""
