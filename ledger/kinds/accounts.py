"""
What is said of accounts: which roles one holds, and what was done to it. By its id alone; whose it is stands outside the log.

The operator holds every right by having the machine; volunteers have theirs by being registered: neither is granted.
"""

from ledger.kinds.checks import number, one_of, station, text
from ledger.kinds.kind import Kind

GRANTED_ROLES = ("recorder", "approver", "official", "auditor", "administrator")
CHANGES = ("code_issued", "disabled", "enabled", "sessions_ended", "second_factor_reset", "identity_linked")

_ACTOR = text(40)

KINDS = (
    Kind("role.granted", 1, {"account": number, "role": one_of(GRANTED_ROLES)}, {"station": station, "proposed_by": _ACTOR}),
    Kind("role.ended", 1, {"account": number, "role": one_of(GRANTED_ROLES)}, {"station": station, "reason": text(200)}),
    Kind("account.changed", 1, {"account": number, "change": one_of(CHANGES)}),
)
