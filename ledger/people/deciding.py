"""Deciding: a second person says yes to a proposal, and it is done in the same transaction; and claims, which end in a new code at the desk."""

from collections.abc import Callable, Mapping

from ledger.errors import InvalidRequest
from ledger.log import Receipt
from ledger.people import changes, confirmations, merging, moving, proposals, volunteers
from ledger.people.proposals import Proposal
from ledger.record import awards, conduct, lists
from ledger.transactions import WriteTransaction

_CARRY_OUT: dict[str, Callable[[WriteTransaction, Proposal], Receipt]] = {
    "confirm": confirmations.carry_out,
    "change": changes.carry_out,
    "merge": merging.carry_out,
    "move": moving.carry_out,
    "award": awards.carry_out,
    "award_withdrawal": awards.carry_out_withdrawal,
    "conduct": conduct.carry_out,
    "lift": conduct.carry_out_lift,
    "note": lists.carry_out_note,
    "unlist": lists.carry_out_lift,
}


def claim(tx: WriteTransaction, number: str, evidence: str) -> str:
    """Note that somebody who can no longer sign in wants their account, and what shows that it is theirs; a second person decides.

    Returns the proposal's id. Raises NotFound, NotAllowed.
    """
    person = volunteers.get(tx, number).row
    tx.require("register", person.station)
    if person.left_as == "not_me":
        raise InvalidRequest("这份登记已被本人否认，账号不能再认领")
    return proposals.ask(tx, "claim", person.number, person.station, {"evidence": evidence})


def accept(tx: WriteTransaction, proposal_id: str, typed: Mapping[str, str] | None = None) -> Proposal:
    """Do what was proposed. After a claim the one who accepted it hands over a new code.

    typed: what the second person reads off the papers themselves, for a change: it has to be what the first one typed.
    Raises as `proposals.take`, and what the deed refuses.
    """
    proposal = proposals.take(tx, proposal_id)
    if proposal.row.kind == "change":
        changes.require_same(tx, proposal, typed or {})
    if proposal.row.kind != "claim":
        _CARRY_OUT[proposal.row.kind](tx, proposal)
    proposals.settle(tx, proposal, "accepted")
    return proposal
