"""
The filing life (备案) of community social organisations: application, opinions, number, change, lapse, filing again, de-filing.

What a job calls is `warn`, each morning.
"""

from ledger.filing.expiry import warn

__all__ = ["warn"]
