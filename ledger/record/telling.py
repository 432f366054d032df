"""Who hears of a credit record: the staff who may decide, and the person once it is decided. An organisation has no inbox."""

from typing import Any

from ledger.notices import About, tell, tell_staff
from ledger.people import proposals
from ledger.people.proposals import Paper
from ledger.record.subjects import Subject
from ledger.transactions import WriteTransaction


def ask(tx: WriteTransaction, kind: str, subject: Subject, said: dict[str, Any], paper: Paper | None = None) -> str:
    """Ask for something that takes a second person, and tell whoever may decide it. Returns the proposal's id."""
    made = proposals.ask(tx, kind, subject.volunteer, subject.station, said, organisation=subject.organisation, paper=paper)
    tell_staff(tx, proposals.ACTIONS[kind], subject.station, "proposal.asked", {"proposal": made, "kind": kind})
    return made


def outcome(tx: WriteTransaction, subject: Subject, what: str, about: About) -> None:
    """Tell a volunteer what was entered about them."""
    if subject.volunteer:
        tell(tx, "person/" + subject.volunteer, what, about)
