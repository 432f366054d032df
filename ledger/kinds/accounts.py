"""
What is said of accounts: whose one is, which roles it holds, and what was done to it.

By its id alone: of its login and of an identity elsewhere that is linked to it an entry says a salted commitment (people/bindings.py).

The operator holds every right by having the machine; volunteers have theirs by being registered: neither is granted.
"""

from ledger.kinds.checks import digest, number, one_of, station, text
from ledger.kinds.kind import Kind

GRANTED_ROLES = ("recorder", "approver", "official", "auditor", "administrator")
CHANGES = ("code_issued", "disabled", "enabled", "sessions_ended", "second_factor_reset", "identity_linked", "vouched")

_ACTOR = text(40)

KINDS = (
    Kind("role.granted", 1, {"account": number, "role": one_of(GRANTED_ROLES)}, {"station": station, "proposed_by": _ACTOR}),
    Kind("role.ended", 1, {"account": number, "role": one_of(GRANTED_ROLES)}, {"station": station, "reason": text(200)}),
    Kind("account.changed", 1, {"account": number, "change": one_of(CHANGES)}),
    Kind("account.opened", 1, {"account": number}, {"login": digest, "volunteer": number}),
    Kind("identity.linked", 1, {"account": number, "identity": digest}, {"volunteer": number}),
    Kind("identity.unlinked", 1, {"account": number}, {"volunteer": number}),
)
